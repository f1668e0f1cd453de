//! The lexer: every byte in exactly one token, whatever the text; and what the tokens are.

use port_syntax::{RawToken, TokenKind, lex};

/// Texts chosen to be hard.
const NASTY: &[&str] = &[
    "",
    "\u{feff}int x;",
    "int x;\r\nint y;\r\n",
    "a\rb",
    "int a\\\nb = 1\\\r\n2;",
    "/\\\n* c *\\\n/ x /\\\n/ d \\\n e\ny",
    "// c \\\n still a comment\nx",
    "/* open",
    "\"open\nx",
    "'a\nb'",
    "\"\\\"\" '\\'' \"\\\\\" \"a\\\nb\"",
    "R\"(a\\\nb)\" R\"d(x)\" )d)d\" u8R\"(é)\" R\"open(",
    "R\"too-long-delimiter-indeed(x)\" R\"a b(x)a b\"",
    "u8\"a\" u'b' U\"c\" L'd' u8'e' x\"f\"",
    "1'000'000 0x1.8p-3f 1e+5 .5e-3 0b1'0 1.2.3.4 0xe+1 1'",
    "\"a\"_s \"b\"sv \"%\"PRIu64 'c'_c \"d\"_",
    "a+++b a->*b a.*b a...b .. . a<=>b a<=b a>>=b a<<=b x->y::z",
    "A<B<C<int>>> x; a >> b; a >>= b; A<::B> c; A<:0:> <% %> %: %:%:",
    "k<<<g, b>>>(x); k<A<B<int>>><<<g, A<int>>>>(x); k<<<f<A<B<int>>>(3), s>>>(x);",
    "operator<<<int>(a); operator<<(a); operator >>(a);",
    "#include <a/b's.h>\n#include \"c\\d.h\"\n#include_next<e>\n#include M\n# include <f>\n",
    "#define F(x) #x ## x\n#pragma unroll\n#error don't\n",
    "<<< >>> <<<<<<< HEAD\n=======\n>>>>>>> other\n",
    "a ? b : c :: d ::> e <:: f <::: g",
    "\\ \\x \\u0041bc \\U0001F600x \\u12 ident\\u00e9 @ ` $dollar",
    "é = \"ü\"; // ß\n/* 中文 */ 𝛼",
    "\0\x01\x7f",
    "x\\",
    "\\\n\\\n\\\n",
    "\"\\",
    "'\\\n",
    "#",
    "#\\\ninclude <x>\n",
    "/*/",
    "/**/",
    "R\"",
    "u8R\"(",
    "1e+",
    "0x",
];

fn assert_lossless(text: &str) {
    let tokens = lex(text);
    let mut position = 0;
    for token in &tokens {
        assert_eq!(token.start, position, "gap or overlap in {text:?}");
        assert!(token.end > token.start, "empty token in {text:?}");
        assert!(text.is_char_boundary(token.end as usize), "split character in {text:?}");
        position = token.end;
    }
    assert_eq!(position as usize, text.len(), "the end of {text:?} is missing");
    let joined: String = tokens.iter().map(|token| token.bytes(text)).collect();
    assert_eq!(joined, text);
}

#[test]
fn nasty_texts_come_back_whole() {
    for text in NASTY {
        assert_lossless(text);
        for end in 0..text.len() {
            if let Some(prefix) = text.get(..end) {
                assert_lossless(prefix);
            }
        }
    }
}

/// The generator of Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (2014):
/// the same numbers on every machine.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound.max(1) as u64) as usize
    }
}

#[test]
fn mutated_texts_come_back_whole() {
    let mut random = SplitMix(1);
    for round in 0..20_000 {
        let mut text: Vec<char> = NASTY[round % NASTY.len()].chars().collect();
        for _ in 0..1 + random.below(4) {
            let donor: Vec<char> = NASTY[random.below(NASTY.len())].chars().collect();
            let at = random.below(text.len() + 1);
            match random.below(4) {
                0 => {
                    text.truncate(at);
                }
                1 if at < text.len() => {
                    text.remove(at);
                }
                2 => text.insert(at, ['\\', '"', '\'', '\n', '*', '/', '<', '>', 'R'][round % 9]),
                _ => {
                    let from = random.below(donor.len() + 1);
                    let to = from + random.below(donor.len() - from + 1);
                    text.splice(at..at, donor[from..to].iter().copied());
                }
            }
        }
        assert_lossless(&text.into_iter().collect::<String>());
    }
}

/// The spellings of the tokens that are not trivia.
fn words(text: &str) -> Vec<String> {
    let tokens = lex(text);
    let solid = tokens.iter().filter(|token| !token.kind.is_trivia());
    solid.map(|token| token.spelling(text).into_owned()).collect()
}

fn kinds(text: &str) -> Vec<TokenKind> {
    lex(text).iter().map(|token| token.kind).filter(|kind| !kind.is_trivia()).collect()
}

#[test]
fn splices_are_no_part_of_a_spelling() {
    assert_eq!(words("thread\\\nIdx.x +\\\r\n= 1\\ \n2"), ["threadIdx", ".", "x", "+=", "12"]);
    // Only in a raw string are they text.
    assert_eq!(words("R\"(a\\\nb)\""), ["R\"(a\\\nb)\""]);
    let text = "a\\\nb c";
    let tokens: Vec<RawToken> = lex(text);
    assert!(tokens[0].spliced && !tokens[2].spliced);
}

#[test]
fn comments_end_where_they_end() {
    assert_eq!(words("/* // */ a // b /* c\nd // e \\\n f\ng /*/ h */ i"), ["a", "d", "g", "i"]);
    let open = lex("a /* b");
    assert!(open[2].unterminated && open[2].kind == TokenKind::BlockComment);
}

#[test]
fn literals_take_prefixes_and_suffixes() {
    assert_eq!(words("u8\"a\"_x L'b' \"%\"PRIu64"), ["u8\"a\"_x", "L'b'", "\"%\"", "PRIu64"]);
    assert_eq!(words("R\"d(\" )x\" )d\"_s"), ["R\"d(\" )x\" )d\"_s"]);
    assert_eq!(words("1'000.5e-3f 0x1p+4 .5 1..2"), ["1'000.5e-3f", "0x1p+4", ".5", "1..2"]);
    assert!(lex("\"a\nb")[0].unterminated);
    assert!(lex("R\"x(a)y\"")[0].unterminated);
}

#[test]
fn greater_is_always_alone_but_in_a_launch() {
    use TokenKind::*;
    assert_eq!(
        kinds("A<B<int>> c"),
        [Identifier, Less, Identifier, Less, Identifier, Greater, Greater, Identifier]
    );
    assert_eq!(kinds("a >>= b"), [Identifier, Greater, GreaterEqual, Identifier]);
    assert_eq!(kinds("A<:0:>"), [Identifier, LeftBracket, Number, RightBracket]);
    // [lex.pptoken]: `<::` is `<` `::` here.
    assert_eq!(kinds("A<::B>"), [Identifier, Less, ColonColon, Identifier, Greater]);
}

/// The launch tokens of a text as written, with what stands between them.
fn launches(text: &str) -> Vec<String> {
    let tokens = lex(text);
    let mut opens = Vec::new();
    let mut found = Vec::new();
    for token in &tokens {
        match token.kind {
            TokenKind::LaunchOpen => opens.push(token.start),
            TokenKind::LaunchClose => {
                let open = opens.pop().expect("an end without a start");
                found.push(text[open as usize..token.end as usize].to_owned());
            }
            _ => {}
        }
    }
    found
}

#[test]
fn launches_are_found_among_templates() {
    assert_eq!(launches("k<<<g,b>>>(x)"), ["<<<g,b>>>"]);
    assert_eq!(launches("k<T, (a>b)><<<g,b,s,st>>>(x)"), ["<<<g,b,s,st>>>"]);
    assert_eq!(launches("k<A<B<int>>><<<g, b>>>(x)"), ["<<<g, b>>>"]);
    assert_eq!(launches("k<<<g, A<int>>>>(x)"), ["<<<g, A<int>>>>"]);
    assert_eq!(launches("k<<<f<A<B<int>>>(3), s>>>(x)"), ["<<<f<A<B<int>>>(3), s>>>"]);
    assert_eq!(launches("k<<<n < 3 ? 1 : 2, b>>>(x);"), ["<<<n < 3 ? 1 : 2, b>>>"]);
    assert_eq!(launches("k<<<(n >> 1), n>>2>>>(x);"), ["<<<(n >> 1), n>>2>>>"]);
    assert_eq!(launches("a<<<1,1>>>(x), b<<<2,2>>>(y);"), ["<<<1,1>>>", "<<<2,2>>>"]);
    assert_eq!(launches("k<<<g([]{ j<<<1,1>>>(0); }), 1>>>(x)").len(), 2);
    assert_eq!(launches("#define K k<<<1, \\\n 2>>>(x)\n"), ["<<<1, \\\n 2>>>"]);
    assert_eq!(launches("k<<<1,\n#ifdef A\n2\n#else\n3\n#endif\n>>>(x);").len(), 1);
    assert_eq!(launches("A<B<C<int>>> x;"), [""; 0]);
    assert_eq!(launches("operator<<<int>(a); A<B<C>>> x;"), [""; 0]);
}
