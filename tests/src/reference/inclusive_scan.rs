//! Prefix sums and prefix maxima. Integers and maxima are exact; element `i` of a float sum is a sum
//! of `i + 1` terms in some order.

use super::bounded::{Bounded, F32};
use super::{Expected, Inputs};

fn running<T: Copy>(values: &[T], combine: impl Fn(T, T) -> T) -> Vec<T> {
    let mut result: Vec<T> = Vec::with_capacity(values.len());
    for value in values {
        result.push(result.last().map_or(*value, |before| combine(*before, *value)));
    }
    result
}

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    let x = inputs.values("x_sum_f32");
    let sums = running(&x, |a, b| a + b);
    let magnitudes = running(&x.iter().map(|v| v.abs()).collect::<Vec<_>>(), |a, b| a + b);
    let float_sums = sums.iter().zip(&magnitudes).enumerate().map(|(i, (sum, magnitude))| {
        let n = (i + 1) as f64;
        Bounded::new(*sum, n * F32.unit / (1.0 - n * F32.unit) * magnitude)
    });
    let mut outputs = vec![Expected::stored("sum_f32", inputs.dtype("sum_f32"), float_sums)];
    for name in ["sum_i32", "sum_i64"] {
        let x = inputs.integers(&format!("x_{name}"));
        outputs.push(Expected::integers(name, running(&x, |a, b| a + b)));
    }
    outputs.push(Expected::exact("max_f32", running(&inputs.values("x_max_f32"), f64::max)));
    let x = inputs.integers("x_max_i32");
    outputs.push(Expected::integers("max_i32", running(&x, i64::max)));
    outputs
}
