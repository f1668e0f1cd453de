//! Dynamic int8 quantisation of rows, and its inverse.
//!
//! A scale is one correctly rounded division: exact. The integer is the exact quotient rounded to
//! nearest even; only where that quotient lies within the error of single-precision arithmetic of a
//! rounding boundary may the integer be its neighbour, by 1.

use super::bounded::{Bounded, F32};
use super::{Expected, Inputs};

const SMALLEST_SCALE: f64 = 1.192_092_9e-7_f32 as f64;

/// The integer nearest to a quotient, and how far the computed one may be away: 0, or 1 near a tie.
fn nearest(quotient: f64, relative_error: f64) -> (f64, f64) {
    let nearest = quotient.round_ties_even();
    let from_tie = 0.5 - (quotient - nearest).abs();
    let ambiguous = from_tie <= quotient.abs() * relative_error;
    (nearest, if ambiguous { 1.0 } else { 0.0 })
}

fn symmetric(inputs: Inputs<'_>, suffix: &str, columns: usize) -> [Expected; 2] {
    let x = inputs.values(&format!("x_{suffix}"));
    let (mut values, mut tolerance, mut scales) = (Vec::new(), Vec::new(), Vec::new());
    for row in x.chunks_exact(columns.max(1)) {
        let largest = row.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
        scales.push(largest / 127.0);
        for v in row {
            let quotient = if largest == 0.0 { 0.0 } else { v * 127.0 / largest };
            // The factor 127 / largest and the product are each rounded once. A row's largest
            // element is a whole 127, far from a tie.
            let (integer, slack) = nearest(quotient, 2.1 * F32.unit);
            values.push(integer);
            tolerance.push(slack);
        }
    }
    let scale = format!("scale_{suffix}");
    [
        Expected { name: format!("q_{suffix}"), values, tolerance },
        Expected::rounded_once(&scale, inputs.dtype(&scale), &scales),
    ]
}

fn asymmetric(inputs: Inputs<'_>, suffix: &str, columns: usize) -> [Expected; 3] {
    let x = inputs.values(&format!("x_{suffix}"));
    let mut q = Expected::exact(&format!("qa_{suffix}"), Vec::new());
    let mut scale = Expected::exact(&format!("scale_a_{suffix}"), Vec::new());
    let mut zero = Expected::exact(&format!("zero_a_{suffix}"), Vec::new());
    for row in x.chunks_exact(columns.max(1)) {
        let low = row.iter().fold(0.0_f64, |least, v| least.min(*v));
        let high = row.iter().fold(0.0_f64, |most, v| most.max(*v));
        let step = ((high - low) / 255.0).max(SMALLEST_SCALE);
        // Two roundings: of the width and of the quotient.
        scale.values.push(step);
        scale.tolerance.push(2.1 * F32.unit * step);

        let (offset, zero_slack) = nearest(low / step, 3.1 * F32.unit);
        let zero_point = (-128.0 - offset).clamp(-128.0, 127.0);
        zero.values.push(zero_point);
        zero.tolerance.push(zero_slack);
        for v in row {
            let (integer, slack) = nearest(v / step, 3.1 * F32.unit);
            q.values.push((integer + zero_point).clamp(-128.0, 127.0));
            q.tolerance.push(slack + zero_slack);
        }
    }
    [q, scale, zero]
}

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    let (narrow, wide) = (inputs.count("hidden"), inputs.count("wide"));
    let mut outputs = Vec::new();
    for (suffix, columns) in
        [("f32", narrow), ("f32_wide", wide), ("f16_wide", wide), ("zero", wide)]
    {
        outputs.extend(symmetric(inputs, suffix, columns));
    }
    for (suffix, columns) in [("bf16", narrow), ("positive", wide)] {
        outputs.extend(asymmetric(inputs, suffix, columns));
    }

    let stored = inputs.values("stored");
    let (scales, zeros) = (inputs.values("stored_scale"), inputs.values("stored_zero"));
    for name in ["restored_f32", "restored_f16"] {
        let values = stored.iter().enumerate().map(|(index, q)| {
            let token = index / narrow;
            Bounded::exact(q - zeros[token]) * Bounded::exact(scales[token])
        });
        outputs.push(Expected::stored(name, inputs.dtype(name), values));
    }
    outputs
}
