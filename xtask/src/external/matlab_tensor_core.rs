//! `model_validation` of MATLAB-tensor-core: rows of A, columns of B, C and the D that a chip gave,
//! compared with our model of the chip, bit by bit.
//!
//! Layout: `<chip>/<format>/{a,b}_<chip>_<format>.txt`, one dot product on each line, its elements as
//! the hexadecimal bits of f32; `c_…_fp32.txt` and `d_…_{fp32,fp16}.txt`, one number on each line, as
//! 32 binary digits of an f32. With f16 results C was rounded to f16 first. The f32 results
//! of 8-bit inputs of H100 and H200 were taken without C, by `wgmma`; all others are of `mma`.

use std::fs;
use std::path::Path;

use port_float::format::Format;
use port_float::matrix::{self, Shape, Unit};
use port_ir::{FragmentElement, Rounding, Scalar};

const CHIPS: [(&str, Unit); 8] = [
    ("V100", Unit::Volta),
    ("A100", Unit::Ampere),
    ("A2", Unit::Ampere),
    ("Ada", Unit::Ada),
    ("L40S", Unit::Ada),
    ("H100", Unit::Hopper),
    ("H200", Unit::Hopper),
    ("B200", Unit::Blackwell),
];

const FORMATS: [(&str, FragmentElement); 5] = [
    ("fp16", FragmentElement::Scalar(Scalar::F16)),
    ("bf16", FragmentElement::Scalar(Scalar::Bf16)),
    ("tf32", FragmentElement::Tf32),
    ("E4M3", FragmentElement::Scalar(Scalar::F8E4M3)),
    ("E5M2", FragmentElement::Scalar(Scalar::F8E5M2)),
];

/// Prints equal and all results for each chip and format; an error where some differ.
pub fn run(path: &Path) -> Result<(), String> {
    let root = path.join("model_validation");
    if !root.is_dir() {
        return Err(format!("{} has no folder `model_validation`", path.display()));
    }
    let (mut equal_all, mut total_all, mut below) = (0, 0, Vec::new());
    println!("{:6} {:6} {:>6} {:>7} {:>7}", "chip", "input", "result", "equal", "of");
    for (chip, unit) in CHIPS {
        for (name, input) in FORMATS {
            for (result, accumulator) in [("fp32", Scalar::F32), ("fp16", Scalar::F16)] {
                let folder = root.join(chip).join(name);
                let file =
                    |kind: &str, format: &str| folder.join(format!("{kind}_{chip}_{format}.txt"));
                let results = file("d", result);
                if !results.is_file() {
                    continue;
                }
                let eight = matches!(name, "E4M3" | "E5M2");
                let Some(model) = matrix::model(unit, input, accumulator) else {
                    return Err(format!("{chip} has no model for {name} to {result}"));
                };
                let a = read_rows(&file("a", name), input)?;
                let b = read_rows(&file("b", name), input)?;
                let c = read_numbers(&file("c", "fp32"))?;
                let d = read_numbers(&results)?;
                if a.len() != d.len() || b.len() != d.len() || c.len() < d.len() {
                    return Err(format!("{}: files differ in length", folder.display()));
                }
                let without_c = eight && unit == Unit::Hopper && accumulator == Scalar::F32;
                let mut equal = 0;
                for (((a, b), c), d) in a.iter().zip(&b).zip(&c).zip(&d) {
                    let c = if without_c { 0.0 } else { *c };
                    let (c, d) = match accumulator {
                        Scalar::F16 => {
                            let half = |x: f32| {
                                Format::F16.round_f64(x.into(), Rounding::NearestEven, false)
                            };
                            (half(c), half(*d))
                        }
                        _ => (c.to_bits().into(), d.to_bits().into()),
                    };
                    let shape = Shape { m: 1, n: 1, k: a.len() };
                    equal += usize::from(model.multiply(shape, a, b, &[c], false) == [d]);
                }
                println!("{chip:6} {name:6} {result:>6} {equal:7} {:7}", d.len());
                equal_all += equal;
                total_all += d.len();
                if equal != d.len() {
                    below.push(format!("{chip} {name} {result}"));
                }
            }
        }
    }
    println!("{equal_all} of {total_all} equal");
    if total_all == 0 {
        return Err(format!("no results under {}", root.display()));
    }
    if below.is_empty() { Ok(()) } else { Err(format!("not equal: {}", below.join(", "))) }
}

/// Lines of f32 in hexadecimal, as the bits of the input's format.
fn read_rows(path: &Path, input: FragmentElement) -> Result<Vec<Vec<u64>>, String> {
    let format = match input {
        FragmentElement::Scalar(scalar) => Format::of(scalar),
        _ => None,
    };
    let element = |word: &str| {
        let bits = u32::from_str_radix(word, 16).map_err(|error| format!("{word}: {error}"))?;
        let value = f32::from_bits(bits);
        let Some(format) = format else { return Ok(u64::from(bits)) };
        let narrow = format.round_f64(value.into(), Rounding::NearestEven, false);
        if format.to_f64(narrow) != f64::from(value) {
            return Err(format!("{}: {word} is no number of the format", path.display()));
        }
        Ok(narrow)
    };
    let text = read(path)?;
    text.lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| line.split_whitespace().map(element).collect())
        .collect()
}

/// Numbers in 32 binary digits each.
fn read_numbers(path: &Path) -> Result<Vec<f32>, String> {
    read(path)?
        .split_whitespace()
        .map(|word| {
            u32::from_str_radix(word, 2)
                .map(f32::from_bits)
                .map_err(|error| format!("{}: {word}: {error}", path.display()))
        })
        .collect()
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}
