//! Mutated text: the reader, the printer and the validator survive whatever they are given; what is
//! valid prints and reads back, and can be analysed. The mutations are pseudo-random but always the same.

mod common;

use port_diag::FileId;
use port_ir::analysis::affine::Affine;
use port_ir::analysis::program::Program;
use port_ir::analysis::uniformity::{Assumptions, ModuleUniformity};
use port_ir::analysis::{divergence, progress, warp_size};
use port_ir::passes::flatten;
use port_ir::{Module, ModuleInfo, PrintOptions, parse, print, validate};

/// Marsaglia's xorshift, 64 bits.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

/// Cuts a text into words, spaces and signs.
fn pieces(text: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for character in text.chars() {
        let joins = |piece: &String| {
            piece.chars().last().is_some_and(|last| last.is_alphanumeric())
                && character.is_alphanumeric()
        };
        match pieces.last_mut() {
            Some(piece) if joins(piece) => piece.push(character),
            _ => pieces.push(character.to_string()),
        }
    }
    pieces
}

fn mutate(seeds: &[Vec<String>], random: &mut Random) -> String {
    let mut text = seeds[random.below(seeds.len())].clone();
    for _ in 0..1 + random.below(3) {
        let at = random.below(text.len());
        match random.below(7) {
            0 => drop(text.remove(at)),
            1 => text.insert(at, text[at].clone()),
            2 => {
                let other = random.below(text.len());
                text.swap(at, other);
            }
            3 => {
                // A piece of any seed: mostly a word that means something somewhere.
                let seed = &seeds[random.below(seeds.len())];
                text[at] = seed[random.below(seed.len())].clone();
            }
            4 => text[at] = char::from(random.below(128) as u8).to_string(),
            5 => {
                text[at] = ["0", "1", "-1", "18446744073709551615", "é", "\"", "0x"]
                    [random.below(7)]
                .into()
            }
            _ => {
                let end = (at + random.below(40)).min(text.len());
                let copy: Vec<String> = text[at..end].to_vec();
                let to = random.below(text.len());
                text.splice(to..to, copy);
            }
        }
        if text.is_empty() {
            break;
        }
    }
    text.concat()
}

/// Asks every analysis about everything; what they answer is not the matter here.
fn analyse(module: &Module, info: &ModuleInfo) {
    let program = Program::of(module, info);
    let assumptions = Assumptions { warp_width: Some(32), rows_of_whole_warps: true };
    let uniformity = ModuleUniformity::of(&program, assumptions);
    divergence::find(&program, &uniformity);
    warp_size::find(&program, 32);
    progress::find(&program, &uniformity, 32);
    for (_, flow) in program.functions() {
        for access in Affine::new(flow, &module.types).accesses() {
            access.address.offset.text(flow.function);
        }
    }
}

#[test]
fn nothing_panics_and_what_is_valid_round_trips() {
    let seeds: Vec<Vec<String>> = common::texts(&[
        "text",
        "validate",
        "uniformity",
        "divergence",
        "warp_size",
        "progress",
        "affine",
    ])
    .iter()
    .map(|text| pieces(text))
    .collect();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut read, mut valid) = (0, 0);
    for _ in 0..3000 {
        let text = mutate(&seeds, &mut random);
        let Ok(module) = parse(&text, FileId(0)) else { continue };
        read += 1;
        let printed = print(&module, &PrintOptions::default());
        let Ok(info) = validate(&module) else { continue };
        valid += 1;
        analyse(&module, &info);
        let flat = flatten(&module, &info);
        match validate(&flat) {
            Ok(info) => analyse(&flat, &info),
            Err(errors) => panic!("{errors:?}\n{printed}"),
        }
        let again = parse(&printed, FileId(0))
            .unwrap_or_else(|error| panic!("{error}\n{printed}\nfrom\n{text}"));
        assert!(validate(&again).is_ok(), "{printed}");
        assert_eq!(print(&again, &PrintOptions::default()), printed);
    }
    // Mutations that nothing survives would test nothing.
    assert!(read > 250 && valid > 40, "{read} read, {valid} valid");
}
