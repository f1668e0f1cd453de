//! Mutants: a text with bytes, tokens or lines moved, dropped, doubled or taken from another text.
//! Knows no language: tokens are words, runs of spaces and signs.

/// SplitMix64 (Steele, Lea and Flood 2014): the same sequence on every machine.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence of a seed.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below a limit; 0 for the limit 0.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.number() % limit.max(1) as u64) as usize
    }
}

/// What changes structure, and what belongs nowhere.
const PIECES: [&str; 48] = [
    "(",
    ")",
    "{",
    "}",
    "<",
    ">",
    "[",
    "]",
    ";",
    ",",
    "<<<",
    ">>>",
    "::",
    "...",
    "\\\n",
    "/*",
    "*/",
    "//",
    "\"",
    "'",
    "R\"(",
    "#",
    "##",
    "#if ",
    "#else\n",
    "#endif\n",
    "#define ",
    "#include ",
    "__VA_ARGS__",
    "template <",
    "typename ",
    "struct ",
    "operator ",
    "return ",
    "for (;;) ",
    "__global__ ",
    "__device__ ",
    "__shared__ ",
    "__syncthreads();",
    "asm(\"",
    "decltype(",
    "auto ",
    "static ",
    "sizeof ",
    "\u{fffd}",
    "\0",
    "é",
    "\r\n",
];

/// Numbers at the edges of what types hold.
const NUMBERS: [&str; 12] = [
    "0",
    "1",
    "-1",
    "31",
    "32",
    "2147483647",
    "-2147483648",
    "4294967296",
    "18446744073709551615",
    "99999999999999999999999",
    "1e308",
    "0x",
];

/// Longest mutant, in bytes: what a mutant doubles must not grow for ever.
const LONGEST: usize = 200_000;

/// Cuts a text into words, runs of spaces and single signs.
pub fn tokens(text: &str) -> Vec<&str> {
    #[derive(PartialEq)]
    enum Kind {
        Word,
        Space,
        Sign,
    }
    let kind = |character: char| match character {
        c if c.is_alphanumeric() || c == '_' => Kind::Word,
        c if c.is_whitespace() && c != '\n' => Kind::Space,
        _ => Kind::Sign,
    };
    let mut tokens = Vec::new();
    let mut start = 0;
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let end = at + character.len_utf8();
        let joins = match characters.peek() {
            Some((_, next)) => kind(character) != Kind::Sign && kind(character) == kind(*next),
            None => false,
        };
        if !joins {
            tokens.push(&text[start..end]);
            start = end;
        }
    }
    tokens
}

/// A mutant of a text; some of its pieces may come from the donor.
pub fn mutate(random: &mut Random, text: &str, donor: &str) -> String {
    let mut mutant = text.to_owned();
    for _ in 0..1 + random.below(5) {
        mutant = match random.below(12) {
            0 => bytes(random, &mutant),
            1 | 2 => lines(random, &mutant, donor),
            _ => by_tokens(random, &mutant, donor),
        };
        if mutant.len() > LONGEST {
            let end = (0..=LONGEST).rev().find(|end| mutant.is_char_boundary(*end)).unwrap_or(0);
            mutant.truncate(end);
        }
    }
    mutant
}

fn bytes(random: &mut Random, text: &str) -> String {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..1 + random.below(4) {
        let at = random.below(bytes.len());
        match (bytes.get_mut(at), random.below(3)) {
            (None, _) => bytes.push(b' '),
            (Some(byte), 0) => *byte ^= 1 << random.below(8),
            (Some(byte), 1) => *byte = random.below(128) as u8,
            (Some(_), _) => drop(bytes.remove(at)),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn lines(random: &mut Random, text: &str, donor: &str) -> String {
    let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
    let donor: Vec<&str> = donor.split_inclusive('\n').collect();
    let at = random.below(lines.len());
    let run = |random: &mut Random, of: &[&str]| random.below(8.min(of.len())) + 1;
    match random.below(4) {
        0 if !lines.is_empty() => {
            let count = run(random, &lines).min(lines.len() - at);
            lines.drain(at..at + count);
        }
        1 if !lines.is_empty() => {
            let count = run(random, &lines).min(lines.len() - at);
            let copy: Vec<&str> = lines[at..at + count].to_vec();
            let to = random.below(lines.len());
            lines.splice(to..to, copy);
        }
        2 if !donor.is_empty() => {
            let from = random.below(donor.len());
            let count = run(random, &donor).min(donor.len() - from);
            lines.splice(at..at, donor[from..from + count].iter().copied());
        }
        _ => {
            let end = random.below(text.len() + 1);
            let end = (0..=end).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
            return text[..end].to_owned();
        }
    }
    lines.concat()
}

fn by_tokens(random: &mut Random, text: &str, donor: &str) -> String {
    let mut tokens = tokens(text);
    let others = self::tokens(donor);
    let at = random.below(tokens.len());
    if tokens.is_empty() {
        return PIECES[random.below(PIECES.len())].to_owned();
    }
    let shortened;
    match random.below(10) {
        0 => drop(tokens.remove(at)),
        1 => {
            let other = random.below(tokens.len());
            tokens.swap(at, other);
        }
        2 => {
            let count = (1 + random.below(30)).min(tokens.len() - at);
            tokens.drain(at..at + count);
        }
        3 => {
            let count = (1 + random.below(30)).min(tokens.len() - at);
            let copy = tokens[at..at + count].to_vec();
            let to = random.below(tokens.len());
            tokens.splice(to..to, copy);
        }
        4 => tokens.insert(at, PIECES[random.below(PIECES.len())]),
        5 => {
            // What nests or repeats: depth and cost.
            let times = 1 << random.below(10);
            let count = (1 + random.below(3)).min(tokens.len() - at);
            let copy = tokens[at..at + count].repeat(times);
            tokens.splice(at..at, copy);
        }
        6 if !others.is_empty() => tokens[at] = others[random.below(others.len())],
        7 if !others.is_empty() => {
            let from = random.below(others.len());
            let count = (1 + random.below(40)).min(others.len() - from);
            tokens.splice(at..at, others[from..from + count].iter().copied());
        }
        8 => {
            // A number for a number, where there is one near.
            let number = |token: &str| token.starts_with(|c: char| c.is_ascii_digit());
            let near = tokens[at..].iter().position(|token| number(token)).map(|n| at + n);
            tokens[near.unwrap_or(at)] = NUMBERS[random.below(NUMBERS.len())];
        }
        _ => {
            let mut characters: Vec<char> = tokens[at].chars().collect();
            characters.remove(random.below(characters.len()));
            shortened = characters.into_iter().collect::<String>();
            tokens[at] = &shortened;
        }
    }
    tokens.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_the_text() {
        let text = "int  x1 = é<<2;\n\treturn;";
        assert_eq!(tokens(text).concat(), text);
        assert_eq!(tokens("ab  c+=1"), ["ab", "  ", "c", "+", "=", "1"]);
        assert!(tokens("").is_empty());
    }

    #[test]
    fn mutants_differ_and_are_always_the_same() {
        let run = |seed| mutate(&mut Random::new(seed), "int x = f(1, 2);\nint y;\n", "a b c\nd");
        let mutants: std::collections::BTreeSet<String> = (0..200).map(run).collect();
        assert!(mutants.len() > 150, "{}", mutants.len());
        assert_eq!(run(7), run(7));
        // Whatever there is to mutate, there is a mutant.
        for seed in 0..200 {
            mutate(&mut Random::new(seed), "", "");
            mutate(&mut Random::new(seed), "é", "");
        }
    }
}
