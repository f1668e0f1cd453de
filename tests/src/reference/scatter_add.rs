//! Rows added, or maximised, into the rows that their indices name; indices outside are skipped.
//!
//! A sum of `n` terms in the storage type, each addition rounded, in any order, has the bound
//! `γₙ·Σ|terms|`, what the row held before being one of the terms. Maxima and counts are exact.

use super::bounded::{Bounded, Format};
use super::{Expected, Inputs};

/// The source rows that land in each output row.
fn arrivals(index: &[i64], out_rows: usize) -> Vec<Vec<usize>> {
    let mut rows = vec![Vec::new(); out_rows];
    for (source, target) in index.iter().enumerate() {
        if let Some(row) = usize::try_from(*target).ok().and_then(|target| rows.get_mut(target)) {
            row.push(source);
        }
    }
    rows
}

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    let (width, out_rows) = (inputs.count("width"), inputs.count("out_rows"));
    let mut outputs = Vec::new();
    for (sum, source, index, width) in [
        ("sum_f32", "source_f32", "index_i64", width),
        ("sum_f16", "source_f16", "index_i32", width),
        ("sum_half2", "source_half2", "index_i32", 2 * inputs.count("pairs")),
    ] {
        let (source, before) = (inputs.values(source), inputs.values(sum));
        let format = Format::of(inputs.dtype(sum));
        let mut result = Expected::exact(sum, Vec::new());
        for (row, sources) in arrivals(&inputs.integers(index), out_rows).iter().enumerate() {
            for column in 0..width {
                let held = before[row * width + column];
                let added = sources.iter().map(|row| source[row * width + column]);
                let terms = std::iter::once(held).chain(added).map(Bounded::exact);
                let total = Bounded::sum(terms, format);
                result.values.push(total.value);
                result.tolerance.push(if sources.is_empty() { 0.0 } else { total.error });
            }
        }
        outputs.push(result);
    }

    let (source, before) = (inputs.values("source_f32"), inputs.values("max_f32"));
    let rows = arrivals(&inputs.integers("index_i32"), out_rows);
    let mut maxima = Vec::new();
    for (row, sources) in rows.iter().enumerate() {
        for column in 0..width {
            let held = before[row * width + column];
            let arriving = sources.iter().map(|row| source[row * width + column]);
            maxima.push(arriving.fold(held, f64::max));
        }
    }
    outputs.push(Expected::exact("max_f32", maxima));
    outputs.push(Expected::integers("counts", rows.iter().map(|sources| sources.len() as i64)));
    outputs
}
