//! `d (q − 8)` from blocks of a half-precision scale and 32 nibbles. The product of an 11-bit and a
//! 4-bit significand is exact in single precision, so every result is the exact one rounded once to
//! its type, whichever arithmetic computes it.

use port_check::DType;

use super::{Expected, Inputs};

const BLOCK: usize = 32;
const BLOCK_BYTES: usize = 18;

/// The value of a half's bits.
fn half(bits: u16) -> f64 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let fraction = f64::from(bits & 0x3ff);
    match (bits >> 10) & 0x1f {
        0 => sign * fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => sign * f64::INFINITY,
        31 => f64::NAN,
        exponent => sign * (1024.0 + fraction) * 2f64.powi(i32::from(exponent) - 25),
    }
}

/// All values of a run of whole blocks.
fn values(bytes: &[i64]) -> Vec<f64> {
    let mut result = Vec::with_capacity(bytes.len() / BLOCK_BYTES * BLOCK);
    for block in bytes.chunks_exact(BLOCK_BYTES) {
        let scale = half((block[0] | block[1] << 8) as u16);
        let codes = &block[2..];
        result.extend(codes.iter().map(|byte| scale * ((byte & 15) - 8) as f64));
        result.extend(codes.iter().map(|byte| scale * ((byte >> 4) - 8) as f64));
    }
    result
}

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    let all = values(&inputs.integers("q"));
    let mut outputs: Vec<Expected> = ["y_f32", "y_bf16", "y_f16", "y_f16_packed"]
        .map(|output| Expected::rounded_once(output, inputs.dtype(output), &all))
        .into();

    let row_bytes = inputs.count("row_blocks") * BLOCK_BYTES;
    let table = inputs.integers("table");
    let rows = inputs.integers("index").into_iter().flat_map(|row| match usize::try_from(row) {
        Ok(row) => values(&table[row * row_bytes..(row + 1) * row_bytes]),
        Err(_) => vec![0.0; row_bytes / BLOCK_BYTES * BLOCK],
    });
    let rows: Vec<f64> = rows.collect();
    outputs.push(Expected::rounded_once("y_rows", DType::F32, &rows));
    outputs
}

#[cfg(test)]
mod tests {
    #[test]
    fn halves_have_their_values() {
        // IEEE 754-2019, table 3.5: one, the largest, the smallest normal and subnormal numbers.
        for (bits, value) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0400, 2f64.powi(-14)),
            (0x0001, 2f64.powi(-24)),
            (0xfc00, f64::NEG_INFINITY),
        ] {
            assert_eq!(super::half(bits), value);
        }
        assert!(super::half(0x7e00).is_nan());
    }
}
