//! Counts and weighted sums over equal bins of a closed range.
//!
//! In single precision a value's bin is `⌊fl(fl(fl(v − low)·bins) / fl(high − low))⌋`: four operations,
//! each rounded once, none of which can be fused with another; they are done here in the same
//! precision, so bins are exact. Integer values use exact division. Sums of weights are sums in any
//! order.

use super::bounded::{Bounded, F32};
use super::{Expected, Inputs};

fn bin_of_f32(value: f32, low: f32, high: f32, bins: usize) -> Option<usize> {
    (value >= low && value <= high)
        .then(|| (((value - low) * bins as f32 / (high - low)) as usize).min(bins - 1))
}

fn bin_of_integer(value: i64, low: i64, high: i64, bins: usize) -> Option<usize> {
    let within = value >= low && value <= high;
    let bin = || ((value - low) * bins as i64 / (high - low)) as usize;
    within.then(|| bin().min(bins - 1))
}

/// Which elements fall into each bin.
fn members(bins: usize, bin_of: impl Iterator<Item = Option<usize>>) -> Vec<Vec<usize>> {
    let mut result = vec![Vec::new(); bins];
    for (index, bin) in bin_of.enumerate() {
        if let Some(members) = bin.and_then(|bin| result.get_mut(bin)) {
            members.push(index);
        }
    }
    result
}

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    let bins = inputs.count("bins");
    let floats = |name: &str, low: f32, high: f32| {
        let values = inputs.values(name);
        members(bins, values.iter().map(|v| bin_of_f32(*v as f32, low, high, bins)))
    };
    let counts = |name: &str, members: &[Vec<usize>]| {
        Expected::integers(name, members.iter().map(|members| members.len() as i64))
    };
    let wide = floats("x_f32", -1.5, 2.2);
    let mut outputs = vec![
        counts("count_shared", &wide),
        counts("count_global", &floats("x_edges", 0.1, 0.8)),
        counts("count_nan", &floats("x_nan", 0.0, 4.0)),
    ];

    let weights = inputs.values("weights_f32");
    for name in ["sum_f32_shared", "sum_f32_global"] {
        let sums = wide.iter().map(|members| {
            Bounded::sum(members.iter().map(|index| Bounded::exact(weights[*index])), F32)
        });
        outputs.push(Expected::stored(name, inputs.dtype(name), sums));
    }

    let weights = inputs.integers("weights_i32");
    for (name, low, high) in [("sum_i64_shared", -50, 63), ("sum_i64_global", 0, 64)] {
        let values = inputs.integers("x_i32");
        let bin_of = values.iter().map(|v| bin_of_integer(*v, low, high, bins));
        let sums = members(bins, bin_of);
        let sums = sums.iter().map(|members| members.iter().map(|index| weights[*index]).sum());
        outputs.push(Expected::integers(name, sums));
    }

    for (name, input, classes) in [("count_labels", "labels", 5), ("count_bytes", "bytes", 256)] {
        let labels = inputs.integers(input);
        let bin_of = labels.iter().map(|label| usize::try_from(*label).ok());
        outputs.push(counts(name, &members(classes, bin_of)));
    }
    outputs
}
