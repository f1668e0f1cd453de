//! The whole pipeline on mutated kernels: whatever the text, a port is a port or a list of findings,
//! never a panic, and the same one each time.

#![allow(clippy::disallowed_methods, reason = "the number of mutants may be asked for")]

use port::{Options, SourceMap, Target, WarpMode};
use port_tests::kernels;

/// Mutants of each kernel. `PORT_MUTANTS` asks for more.
const MUTANTS: u64 = 12;

/// SplitMix64 (Steele, Lea and Flood 2014): a stable sequence on every platform.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

/// What is put in: tokens that change structure, and bytes that belong nowhere.
const PIECES: [&str; 24] = [
    "(",
    ")",
    "{",
    "}",
    "<",
    ">",
    "[",
    "]",
    ";",
    "<<<",
    ">>>",
    "template <",
    "__global__ ",
    "#if ",
    "#endif\n",
    "\\\n",
    "/*",
    "\"",
    "'",
    "::",
    "0x",
    "\u{fffd}",
    "typename ",
    "...",
];

fn mutate(text: &str, random: &mut Random) -> String {
    let mut text = text.to_owned();
    for _ in 0..1 + random.below(4) {
        let mut cut = |limit: usize| {
            let mut at = random.below(limit + 1);
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let (a, b) = (cut(text.len()), cut(text.len()));
        let (start, end) = (a.min(b), a.max(b).min(a.min(b) + 200));
        let end = (start..=end).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(start);
        match random.below(3) {
            0 => text.replace_range(start..end, ""),
            1 => text.insert_str(start, PIECES[random.below(PIECES.len())]),
            _ => {
                let copy = text[start..end].to_owned();
                text.insert_str(start, &copy);
            }
        }
    }
    text
}

#[test]
fn mutated_kernels_give_ports_or_findings() {
    let asked = std::env::var("PORT_MUTANTS").ok().and_then(|count| count.parse().ok());
    let target: Target = "hip".parse().expect("hip is a target");
    for (number, kernel) in kernels::all().into_iter().enumerate() {
        let (original, root) = kernel.load();
        for seed in 0..asked.unwrap_or(MUTANTS) {
            let mut random = Random(seed ^ ((number as u64) << 32));
            let mut sources = SourceMap::new();
            for id in original.ids() {
                let file = original.file(id);
                let mutated = id == root || random.below(4) == 0;
                let text =
                    if mutated { mutate(&file.text, &mut random) } else { file.text.to_string() };
                sources.add(&file.path, &text);
            }
            let warp = if seed % 3 == 0 { WarpMode::Native } else { WarpMode::Logical32 };
            let options = Options { warp, ..Options::default() };
            let first = port::translate(&sources, root, &[target], &options);
            if seed % 4 == 0 {
                let second = port::translate(&sources, root, &[target], &options);
                assert_eq!(first[0].ported.files, second[0].ported.files, "{} {seed}", kernel.name);
                assert_eq!(first[0].ported.diagnostics, second[0].ported.diagnostics);
            }
        }
    }
}
