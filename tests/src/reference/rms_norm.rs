//! `y = x / √(mean(x²) + ε) · w` over the last dimension, and the same of a residual stream after
//! the input is added to it.
//!
//! The sum of squares has the any-order bound of `n` terms; everything after it is a chain of single
//! operations. The residual is one correctly rounded addition: exact.

use port_check::{DType, Tensor};

use super::bounded::{Bounded, F32};
use super::{Expected, Inputs};

const EPSILON: f64 = 1e-6_f32 as f64;

/// `rows` rows of `columns` of `input`, rows `stride` apart.
fn normalized(
    name: &str,
    dtype: DType,
    input: &[f64],
    weight: &[f64],
    [rows, columns, stride]: [usize; 3],
) -> Expected {
    let mut result = Vec::with_capacity(rows * columns);
    for row in 0..rows {
        let x = &input[row * stride..row * stride + columns];
        let squares = x.iter().map(|v| Bounded::exact(*v) * Bounded::exact(*v));
        let mean = Bounded::sum(squares, F32) / Bounded::exact(columns as f64);
        let factor = (mean + Bounded::exact(EPSILON)).rsqrt();
        result.extend(
            x.iter().zip(weight).map(|(v, w)| Bounded::exact(*v) * factor * Bounded::exact(*w)),
        );
    }
    Expected::stored(name, dtype, result)
}

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    let (tokens, narrow, wide) =
        (inputs.count("tokens"), inputs.count("hidden"), inputs.count("hidden_wide"));
    let mut outputs = Vec::new();
    for (x, w, y, columns, stride) in [
        ("x_f32", "w_f32", "y_f32", narrow, inputs.count("stride")),
        ("x_f32_wide", "w_f32", "y_f32_wide", wide, wide),
        ("x_f16_wide", "w_f16", "y_f16_wide", wide, wide),
        ("x_bf16_wide", "w_bf16", "y_bf16_wide", wide, wide),
    ] {
        let (dtype, shape) = (inputs.dtype(y), [tokens, columns, stride]);
        outputs.push(normalized(y, dtype, &inputs.values(x), &inputs.values(w), shape));
    }
    for (input, residual, w, columns) in [
        ("input_f32", "residual_f32", "w_f32", narrow),
        ("input_f16_wide", "residual_f16_wide", "w_f16", wide),
        ("input_bf16_wide", "residual_bf16_wide", "w_bf16", wide),
    ] {
        let dtype = inputs.dtype(input);
        let sums: Vec<f64> =
            inputs.values(input).iter().zip(inputs.values(residual)).map(|(x, r)| x + r).collect();
        let stream = Tensor::from_f64(dtype, &sums).to_f64();
        let shape = [tokens, columns, columns];
        outputs.push(normalized(input, dtype, &stream, &inputs.values(w), shape));
        outputs.push(Expected::rounded_once(residual, dtype, &sums));
    }
    outputs
}
