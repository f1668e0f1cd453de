//! Positions of extrema: the first of the largest (smallest) elements, or the first NaN. Exact.

use super::{Expected, Inputs};

/// The first position whose element no other beats; `None` of nothing.
fn first_best(
    values: impl Iterator<Item = f64>,
    better: impl Fn(f64, f64) -> bool,
) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (index, value) in values.enumerate() {
        let wins = |held: f64| !held.is_nan() && (value.is_nan() || better(value, held));
        if best.is_none_or(|(_, held)| wins(held)) {
            best = Some((index, value));
        }
    }
    best.map(|(index, _)| index)
}

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    let (cols, wide) = (inputs.count("cols"), inputs.count("wide"));
    let largest = |values: &[f64]| first_best(values.iter().copied(), |a, b| a > b);
    let mut outputs = Vec::new();
    for (input, index, value, cols) in [
        ("x_f32", "index_f32", Some("value_f32"), cols),
        ("x_f32_wide", "index_f32_wide", None, wide),
        ("x_f16_wide", "index_f16_wide", Some("value_f16_wide"), wide),
        ("x_f16", "index_f16", None, cols),
        ("x_bf16", "index_bf16", None, cols),
        ("x_bf16_wide", "index_bf16_wide", None, wide),
        ("x_nan", "index_nan", None, cols),
    ] {
        let x = inputs.values(input);
        let rows = x.chunks_exact(cols);
        let found: Vec<(usize, f64)> =
            rows.filter_map(|row| largest(row).map(|at| (at, row[at]))).collect();
        outputs.push(Expected::integers(index, found.iter().map(|(at, _)| *at as i64)));
        if let Some(value) = value {
            outputs.push(Expected::exact(value, found.iter().map(|(_, held)| *held).collect()));
        }
    }
    for (input, index) in [("x_f32", "index_columns"), ("x_nan", "index_columns_nan")] {
        let x = inputs.values(input);
        // No rows: the launch is left out, and the output stays as it was.
        let smallest = |column| {
            let values = x.iter().skip(column).step_by(cols).copied();
            first_best(values, |a, b| a < b).map_or(-7, |at| at as i64)
        };
        outputs.push(Expected::integers(index, (0..cols).map(smallest)));
    }
    for (input, index) in [
        ("x_f32", "index_all"),
        ("x_nan", "index_all_nan"),
        ("x_signed_zero", "index_all_zero"),
        ("x_low", "index_all_low"),
    ] {
        let found = largest(&inputs.values(input)).map_or(-1, |at| at as i64);
        outputs.push(Expected::integers(index, [found]));
    }
    outputs
}
