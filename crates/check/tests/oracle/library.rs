//! The modelled parts of libraries.

use crate::common::Suite;

const SPEC: &str = r#"
ints = [["valid", "77"]]
[buffers]
x = { dtype = "f32", shape = [96], init = "normal(0, 1)", seed = 1 }
reduced = { dtype = "f32", shape = [2], init = "zeros", out = true }
scanned = { dtype = "i32", shape = [96, 5], init = "zeros", out = true }
words = { dtype = "u32", shape = [9], init = "zeros", out = true }
uniform = { dtype = "f32", shape = [1000], init = "zeros", out = true }
complex = { dtype = "f32", shape = [5], init = "zeros", out = true }
[[launch]]
kernel = "block_primitives<96>"
grid = [1]
block = [96]
args = ["reduced", "scanned", "x", "valid"]
[[launch]]
kernel = "random"
grid = [1]
block = [1]
args = ["words", "uniform"]
[[launch]]
kernel = "complex_numbers"
grid = [1]
block = [1]
args = ["complex"]
"#;

#[test]
fn block_primitives_combine_in_the_documented_order() {
    let suite = Suite::new("library.cu", SPEC);
    let run = suite.run("block_primitives<96>");
    let x = suite.case.buffer("x").unwrap().to_f32();
    // Lanes at distance 1, 2, 4, 8, 16; then warp after warp.
    let mut warps = x.clone();
    for offset in [1, 2, 4, 8, 16] {
        let old = warps.clone();
        for lane in (0..96).filter(|lane| lane % 32 + offset < 32) {
            warps[lane] = old[lane] + old[lane + offset];
        }
    }
    let largest = x[..77].iter().copied().fold(f32::MIN, f32::max);
    let reduced = run.output("reduced").unwrap().to_f32();
    assert_eq!(reduced, [warps[0] + warps[32] + warps[64], largest]);
    for (thread, row) in run.output("scanned").unwrap().to_i64().chunks(5).enumerate() {
        let n = thread as i64;
        let before = n * (n + 1) / 2;
        // The items of a thread are n and 2n.
        let items = 3 * n * (n - 1) / 2;
        assert_eq!(row, [before + n + 1, before, 96 * 97 / 2, items, items + n]);
    }
}

#[test]
fn philox_gives_the_published_numbers() {
    let run = Suite::new("library.cu", SPEC).run("random");
    let words = run.output("words").unwrap();
    // Known answers of the Random123 distribution (kat_vectors), philox4x32 with ten rounds.
    let expected = [
        0xd16c_fe09,
        0x94fd_cceb,
        0x5001_e420,
        0x2412_6ea1,
        0x6627_e8d5,
        0xe169_c58d,
        0xbc57_ac4c,
        0x9b00_dbd8,
        1,
    ];
    for (index, expected) in expected.into_iter().enumerate() {
        assert_eq!(words.bits(index), expected, "{index}");
    }
    let uniform = run.output("uniform").unwrap().to_f32();
    assert!(uniform.iter().all(|v| *v > 0.0 && *v <= 1.0));
    let mean = uniform.iter().sum::<f32>() / 1000.0;
    assert!((mean - 0.5).abs() < 0.04, "{mean}");
}

#[test]
fn complex_numbers_multiply_and_divide() {
    let run = Suite::new("library.cu", SPEC).run("complex_numbers");
    assert_eq!(run.output("complex").unwrap().to_f32(), [5.0, 11.0, -2.0, 3.0, -4.0]);
}
