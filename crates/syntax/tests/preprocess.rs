//! The preprocessor: its output against GCC's, the origins of its tokens, and what it records.

#![allow(clippy::disallowed_methods, reason = "a test of limits measures time")]

use port_diag::{ExpansionKind, FileId, SourceMap, Span};
use port_syntax::{BranchKind, Configuration, Preprocessed, TokenKind, lex, preprocess};

/// Preprocesses `files`, the first of which is the root.
fn run(files: &[(&str, &str)], configuration: &Configuration) -> (SourceMap, Preprocessed) {
    let mut sources = SourceMap::new();
    for (path, text) in files {
        sources.add(path, text);
    }
    let unit = preprocess(&sources, FileId(0), configuration);
    (sources, unit)
}

fn one(text: &str) -> (SourceMap, Preprocessed) {
    run(&[("a.cu", text)], &Configuration::cuda(80))
}

fn words(unit: &Preprocessed) -> Vec<&'static str> {
    unit.tokens.iter().map(|token| token.text.as_str()).collect()
}

fn text_of(text: &str) -> String {
    words(&one(text).1).join(" ")
}

fn codes(unit: &Preprocessed) -> Vec<&'static str> {
    unit.diagnostics.iter().map(|finding| finding.code).collect()
}

/// What it is about, the text, and the tokens that `g++ -E -P -std=gnu++20` (12.2) makes of it.
const AS_GCC: &[(&str, &str, &str)] = &[
    (
        "objects expand in turn and not themselves",
        r##"#define A B + A
#define B A * B
A
"##,
        r##"A * B + A"##,
    ),
    (
        "a function-like name without parentheses stays",
        r##"#define f(x) <x>
f f(1) f (2) (f)(3) f
(4)
"##,
        r##"f < 1 > < 2 > ( f ) ( 3 ) < 4 >"##,
    ),
    (
        "arguments are expanded before they are put in",
        r##"#define TWO 2
#define twice(x) x x
#define str(x) #x
#define xstr(x) str(x)
twice(TWO) str(TWO) xstr(TWO)
"##,
        r##"2 2 "TWO" "2""##,
    ),
    (
        "recursion through arguments is allowed, through bodies is not",
        r##"#define f(x) x f
#define g(x) f(x)(x)
f(1)(2) g(f(3)) f(f)(1)
"##,
        r##"1 f ( 2 ) 3 f f ( 3 f ) f f ( 1 )"##,
    ),
    (
        "the example of the C standard",
        r##"#define x 3
#define f(a) f(x * (a))
#undef x
#define x 2
#define g f
#define z z[0]
#define h g(~
#define m(a) a(w)
#define w 0,1
#define t(a) a
#define p() int
#define q(x) x
#define r(x,y) x ## y
#define str(x) # x
f(y+1) + f(f(z)) % t(t(g)(0) + t)(1);
g(x+(3,4)-w) | h 5) & m
(f)^m(m);
p() i[q()] = { q(1), r(2,3), r(4,), r(,5), r(,) };
char c[2][6] = { str(hello), str() };
"##,
        r##"f ( 2 * ( y + 1 ) ) + f ( 2 * ( f ( 2 * ( z [ 0 ] ) ) ) ) % f ( 2 * ( 0 ) ) + t ( 1 ) ; f ( 2 * ( 2 + ( 3 , 4 ) - 0 , 1 ) ) | f ( 2 * ( ~ 5 ) ) & f ( 2 * ( 0 , 1 ) ) ^ m ( 0 , 1 ) ; int i [ ] = { 1 , 23 , 4 , 5 , } ; char c [ 2 ] [ 6 ] = { "hello" , "" } ;"##,
    ),
    (
        "the example of the C standard for strings",
        r##"#define str(s) # s
#define xstr(s) str(s)
#define debug(s, t) printf("x" # s "= %d, x" # t "= %s", x ## s, x ## t)
#define INCFILE(n) vers ## n
#define glue(a, b) a ## b
#define xglue(a, b) glue(a, b)
#define HIGHLOW "hello"
#define LOW LOW ", world"
debug(1, 2);
fputs(str(strncmp("abc\0d", "abc", '\4') == 0) str(: @\n), s);
xstr(INCFILE(2).h)
glue(HIGH, LOW);
xglue(HIGH, LOW)
"##,
        r##"printf ( "x" "1" "= %d, x" "2" "= %s" , x1 , x2 ) ; fputs ( "strncmp(\"abc\\0d\", \"abc\", '\\4') == 0" ": @\n" , s ) ; "vers2.h" "hello" ; "hello" ", world""##,
    ),
    (
        "empty operands of the paste",
        r##"#define t(x,y,z) x ## y ## z
int j[] = { t(1,2,3), t(,4,5), t(6,,7), t(8,9,), t(10,,), t(,11,), t(,,12), t(,,) };
"##,
        r##"int j [ ] = { 123 , 45 , 67 , 89 , 10 , 11 , 12 , } ;"##,
    ),
    (
        "variable arguments",
        r##"#define debug(...) fprintf(stderr, __VA_ARGS__)
#define showlist(...) puts(#__VA_ARGS__)
#define report(test, ...) ((test)?puts(#test): printf(__VA_ARGS__))
debug("Flag"); debug("X = %d\n", x);
showlist(The first, second, and third items.);
report(x>y, "x is %d but y is %d", x, y);
"##,
        r##"fprintf ( stderr , "Flag" ) ; fprintf ( stderr , "X = %d\n" , x ) ; puts ( "The first, second, and third items." ) ; ( ( x > y ) ? puts ( "x>y" ) : printf ( "x is %d but y is %d" , x , y ) ) ;"##,
    ),
    (
        "the comma before variable arguments",
        r##"#define E(fmt, ...) printf(fmt, ##__VA_ARGS__)
#define N(fmt, args...) printf(fmt, ##args)
#define V(...) f(0, ##__VA_ARGS__)
E("a") E("b", 1, 2) E("c",) N("d") N("e", 3) V() V(1)
"##,
        r##"printf ( "a" ) printf ( "b" , 1 , 2 ) printf ( "c" , ) printf ( "d" ) printf ( "e" , 3 ) f ( 0 ) f ( 0 , 1 )"##,
    ),
    (
        "__VA_OPT__",
        r##"#define F(...) f(0 __VA_OPT__(,) __VA_ARGS__)
#define G(X, ...) f(0, X __VA_OPT__(,) __VA_ARGS__)
#define SDEF(sname, ...) S sname __VA_OPT__(= { __VA_ARGS__ })
#define EMP
F(a, b, c) F() F(EMP) G(a, b, c) G(a, ) G(a) SDEF(foo); SDEF(bar, 1, 2);
"##,
        r##"f ( 0 , a , b , c ) f ( 0 ) f ( 0 ) f ( 0 , a , b , c ) f ( 0 , a ) f ( 0 , a ) S foo ; S bar = { 1 , 2 } ;"##,
    ),
    (
        "stringification keeps single spaces and escapes literals",
        r##"#define S(...) #__VA_ARGS__
S(  a   +b /* c */ "q\n" '\'' ) S(x
 y) S(,) S()
"##,
        r##""a +b \"q\\n\" '\\''" "x y" "," """##,
    ),
    (
        "directives inside arguments",
        r##"#define f(x) [x]
f(1
#define W 7
#ifdef W
+ W
#else
- W
#endif
)
"##,
        r##"[ 1 + 7 ]"##,
    ),
    (
        "a call over several lines, and a comment in the way",
        r##"#define add(a, b) ((a) + (b))
add /* here */ (1, // one
    2)
"##,
        r##"( ( 1 ) + ( 2 ) )"##,
    ),
    (
        "conditions",
        r##"#define V 70300
#if V >= 70000 && defined(V) && !defined W
a
#endif
#if (1 ? -1 : 0u) > 0
b
#endif
#if -1 >> 1 == -1 && (2 || 1/0) && 'A' == 65 && 0x10 == 16 && 010 == 8 && 0b11 == 3
c
#endif
#if UNKNOWN == 0 && true
d
#elif 1
e
#else
g
#endif
#if 0
#if 1
h
#else
i
#endif
#elif V
j
#elif 1/0
k
#endif
"##,
        r##"a b c d j"##,
    ),
    (
        "defined that a macro makes",
        r##"#define HAS defined(V) && V
#define V 3
#if HAS > 2
yes
#endif
"##,
        r##"yes"##,
    ),
    (
        "conditions in the places of others",
        r##"#ifndef A
#ifdef B
1
#else
2
# if 1
3
# endif
#endif
#endif
"##,
        r##"2 3"##,
    ),
    (
        "a macro taken away and given again",
        r##"#define A 1
A
#undef A
A
#define A 2
A
"##,
        r##"1 A 2"##,
    ),
    (
        "push and pop",
        r##"#define A 1
#pragma push_macro("A")
#undef A
#define A 2
A
#pragma pop_macro("A")
A
"##,
        r##"2 1"##,
    ),
    (
        "splices anywhere",
        r##"#def\
ine LO\
NG(a, \
  b) a \
  ## b
LO\
NG(x, y) "a\
b"
"##,
        r##"xy "ab""##,
    ),
    (
        "line and counter",
        r##"__LINE__ __COUNTER__ __COUNTER__
#define L __LINE__
L
__COUNTER__
"##,
        r##"1 0 1 3 2"##,
    ),
    (
        "digraphs",
        r##"%:define cat(a,b) a %:%: b
cat(x,y) <: :> <% %>
"##,
        r##"xy <: :> <% %>"##,
    ),
    (
        "keywords may be macros",
        r##"#define inline
#define for(x) while(x)
inline int f() { for(1) {} }
"##,
        r##"int f ( ) { while ( 1 ) { } }"##,
    ),
    (
        "kernels through macros",
        r##"#define LAUNCH(k, g, b, ...) k<<<(g), (b)>>>(__VA_ARGS__)
#define GLOBAL __global__ void
#define LOOP(i, n) for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < (n); i += blockDim.x * gridDim.x)
GLOBAL k(int n, float *x) { LOOP(i, n) { x[i] *= 2; } }
void f() { LAUNCH(k, n / 256, 256, n, x); LAUNCH((k2<T, 4>), 1, 2); }
"##,
        r##"__global__ void k ( int n , float * x ) { for ( int i = blockIdx . x * blockDim . x + threadIdx . x ; i < ( n ) ; i += blockDim . x * gridDim . x ) { x [ i ] *= 2 ; } } void f ( ) { k <<< ( n / 256 ) , ( 256 ) >>> ( n , x ) ; ( k2 < T , 4 > ) <<< ( 1 ) , ( 2 ) >>> ( ) ; }"##,
    ),
    (
        "an argument that is a list of tokens with commas in brackets",
        r##"#define f(a, b) a|b
f((1, 2), [3) f({4, 5)
"##,
        r##"( 1 , 2 ) | [ 3 { 4 | 5"##,
    ),
    (
        "nested calls of one macro in its own arguments",
        r##"#define MAX(a, b) ((a) > (b) ? (a) : (b))
MAX(MAX(1, 2), MAX(MAX(3, 4), 5))
"##,
        r##"( ( ( ( 1 ) > ( 2 ) ? ( 1 ) : ( 2 ) ) ) > ( ( ( ( ( 3 ) > ( 4 ) ? ( 3 ) : ( 4 ) ) ) > ( 5 ) ? ( ( ( 3 ) > ( 4 ) ? ( 3 ) : ( 4 ) ) ) : ( 5 ) ) ) ? ( ( ( 1 ) > ( 2 ) ? ( 1 ) : ( 2 ) ) ) : ( ( ( ( ( 3 ) > ( 4 ) ? ( 3 ) : ( 4 ) ) ) > ( 5 ) ? ( ( ( 3 ) > ( 4 ) ? ( 3 ) : ( 4 ) ) ) : ( 5 ) ) ) )"##,
    ),
    (
        "X macros",
        r##"#define LIST(X) X(float, f32) X(half, f16)
#define DECLARE(type, name) extern template struct S<type>; int name;
LIST(DECLARE)
#undef DECLARE
"##,
        r##"extern template struct S < float > ; int f32 ; extern template struct S < half > ; int f16 ;"##,
    ),
    (
        "a macro name in a string or comment is text",
        r##"#define A 1
"A" 'A' /* A */ R"(A)"
"##,
        r##""A" 'A' R"(A)""##,
    ),
    (
        "an empty macro keeps others apart",
        r##"#define E
a E E b+E+c
"##,
        r##"a b + + c"##,
    ),
];

#[test]
fn tokens_are_those_of_gcc() {
    for (about, text, expected) in AS_GCC {
        let (_, unit) = one(text);
        let expected: Vec<&str> = lex(expected)
            .iter()
            .filter(|token| !token.kind.is_trivia())
            .map(|token| token.bytes(expected))
            .collect();
        assert_eq!(words(&unit), expected, "{about}");
        assert_eq!(codes(&unit), [""; 0], "{about}");
    }
}

/// The places of a token, outwards: its own text, then each macro with the text of its use.
fn trail(sources: &SourceMap, unit: &Preprocessed, word: &str) -> Vec<String> {
    let token = unit.tokens.iter().find(|token| token.text == word).expect(word);
    let mut trail = vec![sources.text(token.origin.span).to_owned()];
    trail.extend(unit.expansions.chain(token.origin).map(|frame| {
        let kind = match frame.kind {
            ExpansionKind::Body => "body",
            ExpansionKind::Argument => "argument",
            ExpansionKind::Made => "made",
        };
        format!("{kind} of {}: {}", frame.name, sources.text(frame.call.span))
    }));
    trail
}

#[test]
fn frames_lead_from_a_token_to_its_use() {
    let text = "\
#define INNER(x) (x + in)
#define OUTER(y) INNER(y) * out
#define N seven
int a = OUTER(b);
int c = INNER(N);
int d = OUTER(N2);
#define N2 eight
int e = OUTER(N2);
";
    let (sources, unit) = one(text);
    assert_eq!(trail(&sources, &unit, "a"), ["a"]);
    assert_eq!(trail(&sources, &unit, "out"), ["out", "body of OUTER: OUTER(b)"]);
    assert_eq!(
        trail(&sources, &unit, "in"),
        ["in", "body of INNER: INNER(y)", "body of OUTER: OUTER(b)"]
    );
    // The argument is spelled at the use of OUTER and went through INNER, which OUTER's body uses.
    assert_eq!(
        trail(&sources, &unit, "b"),
        ["b", "argument of INNER: INNER(y)", "body of OUTER: OUTER(b)"]
    );
    assert_eq!(
        trail(&sources, &unit, "seven"),
        ["seven", "body of N: N", "argument of INNER: INNER(N)"]
    );
    // Not a macro yet at its first use.
    assert_eq!(trail(&sources, &unit, "N2")[0], "N2");
    assert_eq!(
        trail(&sources, &unit, "eight"),
        ["eight", "body of N2: N2", "argument of INNER: INNER(y)", "body of OUTER: OUTER(N2)"]
    );
    let eight = unit.tokens.iter().find(|token| token.text == "eight").unwrap();
    let outermost = unit.expansions.outermost(eight.origin);
    assert_eq!(sources.text(outermost), "OUTER(N2)");
    assert_eq!(sources.file(FileId(0)).line_column(outermost.start).line, 8);
}

#[test]
fn made_tokens_point_at_their_operator() {
    let text = "#define CAT(a, b) a ## b\n#define STR(a) #a\nint CAT(x, 1); char *s = STR(y z);\nint l = __LINE__;\n";
    let (sources, unit) = one(text);
    assert_eq!(trail(&sources, &unit, "x1"), ["##", "made of CAT: CAT(x, 1)"]);
    assert_eq!(trail(&sources, &unit, "\"y z\""), ["#", "made of STR: STR(y z)"]);
    assert_eq!(trail(&sources, &unit, "4"), ["__LINE__", "made of __LINE__: __LINE__"]);
}

#[test]
fn macros_of_the_configuration_take_the_place_of_their_use() {
    let configuration = Configuration::cuda(80).define("F(x)", "(x + ten)").define("N", "1");
    let (sources, unit) = run(&[("a.cu", "int a = F(b) + N;")], &configuration);
    assert_eq!(words(&unit).join(" "), "int a = ( b + ten ) + 1 ;");
    assert_eq!(trail(&sources, &unit, "ten"), ["F(b)", "made of F: F(b)"]);
    assert_eq!(trail(&sources, &unit, "b"), ["b", "argument of F: F(b)"]);
    let undefined = configuration.undefine("N");
    let (_, unit) = run(&[("a.cu", "N __CUDA_ARCH__ __CUDACC__")], &undefined);
    assert_eq!(words(&unit), ["N", "800", "1"]);
}

/// Every token outside macros spells its own bytes, whatever stands around it.
#[test]
fn spans_are_exact() {
    let text = "\u{feff}#define A 1\r\nint x /* c */ = A;\r\n#if A\r\nfloat\\\r\ny; // d\r\n#endif\r\n\"s\" k<<<1,\r\n2>>>();";
    let (sources, unit) = one(text);
    for token in &unit.tokens {
        let bytes = sources.text(token.origin.span);
        assert_eq!(bytes.replace("\\\r\n", ""), token.text.as_str());
    }
    assert_eq!(words(&unit).join(" "), "int x = 1 ; floaty ; \"s\" k <<< 1 , 2 >>> ( ) ;");
}

#[test]
fn space_and_lines_are_kept() {
    let (_, unit) = one("a b\n c+d\n#define M x y\ne M+f");
    let layout: Vec<_> =
        unit.tokens.iter().map(|t| (t.text.as_str(), t.spaced, t.line_start)).collect();
    assert_eq!(
        layout,
        [
            ("a", false, true),
            ("b", true, false),
            ("c", true, true),
            ("+", false, false),
            ("d", false, false),
            ("e", true, true),
            ("x", true, false),
            ("y", true, false),
            ("+", false, false),
            ("f", false, false),
        ]
    );
}

#[test]
fn conditionals_are_recorded_in_and_out_of_inactive_text() {
    let text = "\
#if defined(__CUDA_ARCH__) && ARCH_LEAST(8) // why
one
#elif OTHER
  #ifdef INNER
  two
  #endif
#else
three
#endif
";
    let (sources, unit) = run(
        &[("a.cu", text)],
        &Configuration::cuda(80).define("ARCH_LEAST(n)", "(__CUDA_ARCH__ >= (n) * 100)"),
    );
    assert_eq!(words(&unit), ["one"]);
    let [outer, inner] = &unit.conditionals[..] else { panic!("{:?}", unit.conditionals) };
    assert!(outer.reached && !inner.reached);
    let text_of = |span: Span| sources.text(span);
    let branches: Vec<_> = outer
        .branches
        .iter()
        .map(|branch| (branch.kind, branch.condition.map(text_of), branch.active))
        .collect();
    assert_eq!(
        branches,
        [
            (BranchKind::If, Some("defined(__CUDA_ARCH__) && ARCH_LEAST(8)"), true),
            (BranchKind::Elif, Some("OTHER"), false),
            (BranchKind::Else, None, false),
        ]
    );
    assert_eq!(text_of(outer.branches[0].directive).split(' ').next(), Some("#if"));
    assert_eq!(text_of(outer.branches[0].body), "\none\n");
    assert_eq!(text_of(outer.branches[2].body), "\nthree\n");
    assert_eq!(outer.end.map(text_of), Some("#endif"));
    let names: Vec<_> = outer.branches[0].names.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["__CUDA_ARCH__", "ARCH_LEAST"]);
    assert!(outer.branches[0].names.iter().all(|(name, span)| text_of(*span) == name.as_str()));
    assert_eq!(inner.branches[0].kind, BranchKind::Ifdef);
    assert!(!inner.branches[0].active);
}

#[test]
fn includes_are_found_beside_the_file_and_in_folders() {
    let files = [
        (
            "src/a.cu",
            "#include \"b.cuh\"\n#include <c.h>\n#include <cuda_runtime.h>\n#include \"gone.h\"\n#define H \"d.h\"\n#include H\n#if 0\n#include \"not.h\"\n#endif\n#include \"../up.h\"\nend",
        ),
        ("src/b.cuh", "#pragma once\nb\n"),
        ("lib/c.h", "#ifndef C_H\n#define C_H\n#include \"b.cuh\"\nc\n#endif\n"),
        ("lib/b.cuh", "lib_b\n"),
        ("lib/d.h", "#include \"c.h\"\nd\n"),
        ("up.h", "up\n"),
    ];
    let (_, unit) = run(&files, &Configuration::cuda(80).include_dir("lib"));
    assert_eq!(words(&unit), ["b", "lib_b", "c", "d", "up", "end"]);
    let includes: Vec<_> = unit
        .includes
        .iter()
        .map(|i| (&*i.name, i.angled, i.file.map(|file| file.0), i.active))
        .collect();
    assert_eq!(
        includes,
        [
            ("b.cuh", false, Some(1), true),
            ("c.h", true, Some(2), true),
            ("b.cuh", false, Some(3), true),
            ("cuda_runtime.h", true, None, true),
            ("gone.h", false, None, true),
            ("d.h", false, Some(4), true),
            ("c.h", false, Some(2), true),
            ("not.h", false, None, false),
            ("../up.h", false, Some(5), true),
        ]
    );
    assert_eq!(unit.files.iter().map(|file| file.0).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    assert_eq!(codes(&unit), ["P0110"]);
}

#[test]
fn include_next_goes_on_behind() {
    let files = [
        ("a.cu", "#include <x.h>"),
        ("one/x.h", "one\n#include_next <x.h>\n"),
        ("two/x.h", "two\n"),
    ];
    let configuration = Configuration::cuda(80).include_dir("one").include_dir("two");
    assert_eq!(words(&run(&files, &configuration).1), ["one", "two"]);
}

#[test]
fn has_include_knows_files_and_the_tool_chain() {
    let text = "\
#if __has_include(\"b.h\") && __has_include(<cuda_fp8.h>) && !__has_include(<hip/hip_fp8.h>)
cuda
#endif
#if defined __has_include
#if __has_include(<hip/hip_fp8.h>) && !__has_include(<nope.h>)
hip
#endif
#endif
";
    let files = [("a.cu", text), ("b.h", "")];
    assert_eq!(words(&run(&files, &Configuration::cuda(80)).1), ["cuda"]);
    assert_eq!(words(&run(&files, &Configuration::hip()).1), ["hip"]);
}

#[test]
fn pragmas_stand_before_a_token_with_macros_expanded() {
    let text = "\
#define N 4
#define UNROLL _Pragma(\"unroll\")
#define LOOP(body) UNROLL for (;;) body
a
#pragma unroll N
b LOOP({ c
#pragma unroll (N / 2)
d })
#pragma once
#pragma GCC diagnostic ignored \"-Wall\"
";
    let (sources, unit) = one(text);
    assert_eq!(words(&unit).join(" "), "a b for ( ; ; ) { c d }");
    let pragmas: Vec<_> = unit
        .pragmas
        .iter()
        .map(|pragma| {
            let words: Vec<_> = pragma.tokens.iter().map(|token| token.text.as_str()).collect();
            (unit.tokens.get(pragma.before).map(|token| token.text.as_str()), words.join(" "))
        })
        .collect();
    assert_eq!(
        pragmas,
        [
            (Some("b"), "unroll 4".to_owned()),
            (Some("for"), "unroll".to_owned()),
            (Some("d"), "unroll ( 4 / 2 )".to_owned()),
            (None, "GCC diagnostic ignored \"-Wall\"".to_owned()),
        ]
    );
    assert_eq!(sources.text(unit.pragmas[0].span), "#pragma unroll N");
    assert_eq!(sources.text(unit.pragmas[2].span), "#pragma unroll (N / 2)");
}

#[test]
fn definitions_are_recorded_with_their_uses() {
    let text = "#define F(a, b...) a + b\n#define N 3 // three\nF(N, N)\n#undef N\n";
    let (sources, unit) = one(text);
    let [f, n] = &unit.macros[..] else { panic!("{:?}", unit.macros) };
    assert_eq!((f.name.as_str(), f.variadic, f.uses, f.ended), ("F", true, 1, false));
    assert_eq!(f.parameters.as_ref().unwrap().len(), 2);
    assert_eq!(sources.text(f.name_span), "F");
    assert_eq!((n.name.as_str(), &n.parameters, n.uses, n.ended), ("N", &None, 2, true));
    let body: Vec<_> = f.body.iter().map(|token| sources.text(token.span)).collect();
    assert_eq!(body, ["a", "+", "b"]);
    assert_eq!(sources.text(n.directive), "#define N 3 // three");
}

#[test]
fn library_macros_are_modelled_only_without_their_header() {
    let text = "#include <c10/macros/Macros.h>\nC10_LAUNCH_BOUNDS_1(256) C10_HOST_DEVICE";
    let modelled = run(&[("a.cu", text)], &Configuration::cuda(80)).1;
    assert_eq!(words(&modelled).join(" "), "__launch_bounds__ ( 256 ) __host__ __device__");
    let files = [("a.cu", text), ("t/c10/macros/Macros.h", "#define C10_HOST_DEVICE mine\n")];
    let real = run(&files, &Configuration::cuda(80).include_dir("t")).1;
    assert_eq!(words(&real).join(" "), "C10_LAUNCH_BOUNDS_1 ( 256 ) mine");
    assert_eq!(text_of("C10_HOST_DEVICE"), "C10_HOST_DEVICE");
}

#[test]
fn dispatch_over_element_types_becomes_cases() {
    let text = "#include <ATen/Dispatch.h>\nAT_DISPATCH_FLOATING_TYPES(t, \"f\", [&] { k<scalar_t><<<1, 2>>>(x); });";
    let (sources, unit) = one(text);
    let words = words(&unit).join(" ");
    for ty in ["Double", "Float"] {
        assert!(words.contains(&format!("case at :: ScalarType :: {ty} : {{ using scalar_t =")));
    }
    // Both copies of the launch are spelled at the one place in the text.
    let launches: Vec<_> =
        unit.tokens.iter().filter(|token| token.kind == TokenKind::LaunchOpen).collect();
    assert_eq!(launches.len(), 2);
    assert_eq!(launches[0].origin.span, launches[1].origin.span);
    assert_eq!(sources.text(launches[0].origin.span), "<<<");
}

#[test]
fn unbalanced_conditionals_are_found_and_survived() {
    let cases = [
        ("#endif\nx", "P0107", "x"),
        ("#else\nx", "P0107", "x"),
        ("#if 1\na\n#else\nb\n#else\nc\n#elif 1\nd\n#endif\nx", "P0107 P0107", "a x"),
        ("#if 0\na", "P0108", ""),
        ("#ifdef A\n#ifdef B\na", "P0108 P0108", ""),
        ("#ifdef\na\n#endif\nx", "P0105", "x"),
        ("#if\na\n#endif\nx", "P0109", "x"),
        ("#if 1 +\na\n#endif\nx", "P0109", "x"),
        ("#if 1.5\na\n#endif\nx", "P0109", "x"),
        ("#if 1/0\na\n#endif\nx", "P0109", "x"),
        ("#if 0\n#if )(\n#elif '\n#else\n#endif\n#endif\nx", "", "x"),
    ];
    for (text, expected, tokens) in cases {
        let (_, unit) = one(text);
        assert_eq!(codes(&unit).join(" "), expected, "{text}");
        assert_eq!(words(&unit).join(" "), tokens, "{text}");
    }
}

#[test]
fn broken_macros_are_found_and_survived() {
    let cases = [
        ("#define F(x) [x]\nF(1 a b", "P0102", "F ( 1 a b"),
        ("#define F(x, y) [x|y]\nF(1) F(1, 2, 3)", "P0103 P0103", "[ 1 | ] [ 1 | 2 ]"),
        ("#define F() x\nF(1)", "P0103", "x"),
        ("#define F(x) - ## x\nF(1)", "P0104", "- 1"),
        (
            "#define F(x\n#define G(1)\n#define H(x,x) 1\n#define\n#define 3\n#undef\nF",
            "P0105 P0105 P0105 P0105 P0105 P0105",
            "F",
        ),
        ("#define A 1\n#define A 1\n#define A 2\nA", "P0113", "2"),
        ("\"open\n'x", "P0101 P0101", "\"open\" 'x'"),
        ("#error don't stop\nx", "P0112", "x"),
        ("#frobnicate\n#\n# 12 \"x\"\n#line 3\nx", "P0106", "x"),
        ("#include\n#include 3\nx", "P0105 P0105", "x"),
    ];
    for (text, expected, tokens) in cases {
        let (_, unit) = one(text);
        assert_eq!(codes(&unit).join(" "), expected, "{text}");
        assert_eq!(words(&unit).join(" "), tokens, "{text}");
    }
}

/// Each of these takes forever, or the whole stack, if a limit is missing.
#[test]
fn limits_hold() {
    let doubling: String =
        (0..60).map(|i| format!("#define A{i} A{} A{}\n", i + 1, i + 1)).collect();
    let tripling: String =
        (0..60).map(|i| format!("#define B{i}(x) B{}(x x x)\n", i + 1)).collect();
    let chain: String = (0..50_000).map(|i| format!("#define C{i} C{}\n", i + 1)).collect();
    let calls = "#define F(x) x\n".to_owned() + &"F(".repeat(5_000) + "1" + &")".repeat(5_000);
    let open_calls = "#define F(x) x\n".to_owned() + &"F(1 ".repeat(20_000);
    let cases = [
        (doubling + "A0 after", "P0114"),
        (tripling + "B0(x) after", "P0114"),
        (chain + "C0 after", ""),
        (calls + " after", "P0114"),
        (open_calls, "P0102"),
        ("#if ".to_owned() + &"(".repeat(100_000) + "\n#endif\n", "P0109"),
        ("#if ".to_owned() + &"!".repeat(100_000) + "1\n#endif\n", "P0109"),
        ("#if 1\n".repeat(20_000) + &"#endif\n".repeat(20_000) + "after", ""),
        ("(".repeat(100_000) + "after", ""),
        ("#include \"a.cu\"\n#include \"a.cu\"\nafter".to_owned(), "P0111"),
        ("a\\\n".repeat(50_000), ""),
        ("k<<<(".repeat(50_000), ""),
    ];
    for (text, expected) in cases {
        let start = std::time::Instant::now();
        let (_, unit) = one(&text);
        let about = &text[..text.len().min(60)];
        let mut codes = codes(&unit);
        codes.dedup();
        assert_eq!(codes.join(" "), expected, "{about}");
        // Generous: a debug build on a loaded machine.
        assert!(start.elapsed().as_secs() < 30, "{about}");
        if text.contains("after") && !text.contains("include") {
            assert_eq!(unit.tokens.last().map(|token| token.text.as_str()), Some("after"));
        }
    }
}

#[test]
fn a_unit_with_too_many_tokens_is_not_read_in_part() {
    let kernels: String =
        (0..50_000).map(|i| format!("__global__ void k{i}(float *x) {{ x[0] = 1; }}\n")).collect();
    let mut cases = vec![kernels.clone() + "int last;", kernels.repeat(6)];
    // As many by expansion.
    let body = "x[0] = 1; ".repeat(1_000);
    cases.push(format!("#define A {body}\n#define B A A A A A A A A A A\nB B B B B B B B B B"));
    for text in cases {
        let (_, unit) = one(&text);
        assert_eq!(codes(&unit), ["P0114"]);
        assert!(unit.tokens.is_empty());
        assert!(unit.diagnostics[0].primary.is_some());
        // The text itself is still described, for what edits it without understanding it.
        assert_eq!(unit.files.len(), 1);
    }
}

#[test]
fn a_few_findings_stand_for_all_unbalanced_conditionals() {
    let (_, unit) = one(&"#endif\n".repeat(1_000));
    assert_eq!(codes(&unit), ["P0107"; 8]);
    let (_, unit) = one(&"#if 1\n".repeat(1_000));
    assert_eq!(codes(&unit), ["P0108"; 8]);
}

#[test]
fn runs_are_deterministic() {
    let text = "#define A(x) x ## 1 + __COUNTER__\nA(b) A(c)\n#pragma unroll\nd __LINE__";
    let (first, second) = (one(text).1, one(text).1);
    assert_eq!(first.tokens, second.tokens);
    assert_eq!(first.pragmas, second.pragmas);
    assert_eq!(first.macros, second.macros);
}

#[test]
fn launches_that_macros_make_are_marked_and_move_no_pragma() {
    let text = "\
#define GT >
#define CLOSE GT GT
#define OPEN <<<
#define TAIL >>>
k OPEN 1, 2 >>> (x); k<<<1, 2 TAIL (y); a GT GT GT b;
#pragma unroll
for (;;) {}
";
    let (_, unit) = one(text);
    assert_eq!(
        words(&unit).join(" "),
        "k <<< 1 , 2 >>> ( x ) ; k <<< 1 , 2 >>> ( y ) ; a > > > b ; for ( ; ; ) { }"
    );
    let pragma = &unit.pragmas[0];
    assert_eq!(unit.tokens[pragma.before].text.as_str(), "for");
}
