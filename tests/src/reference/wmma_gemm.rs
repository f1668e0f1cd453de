//! `α A B + bias` of half matrices, accumulated in single precision by matrix units.
//!
//! A product of two halves is exact in single precision. Matrix units align the products of a step
//! and truncate below the last bit that they keep, at worst one unit (2u) of the largest magnitude
//! for each term and each addition of a partial sum; `4u·K·Σ|ab|` covers that and any order of plain
//! single-precision additions.

use super::bounded::{Bounded, F32};
use super::{Expected, Inputs};

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    let (m, n, k) = (inputs.count("M"), inputs.count("N"), inputs.count("K"));
    let (a, bias) = (inputs.values("a"), inputs.values("bias"));
    let launches = [("b_rows", false, "c_f32", 1.0), ("b_columns", true, "c_f16", 0.125)];
    let expected = launches.into_iter().map(|(b, by_columns, c, alpha)| {
        let b = inputs.values(b);
        let mut values = Vec::with_capacity(m * n);
        for row in 0..m {
            for column in 0..n {
                let product = |i: usize| {
                    a[row * k + i] * if by_columns { b[column * k + i] } else { b[i * n + column] }
                };
                let sum: f64 = (0..k).map(product).sum();
                let magnitude: f64 = (0..k).map(|i| product(i).abs()).sum();
                let sum = Bounded::new(sum, 4.0 * F32.unit * k as f64 * magnitude);
                values.push(sum * Bounded::exact(alpha) + Bounded::exact(bias[column]));
            }
        }
        Expected::stored(c, inputs.dtype(c), values)
    });
    expected.collect()
}
