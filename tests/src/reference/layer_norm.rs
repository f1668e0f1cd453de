//! Layer normalisation over the last dimension with its statistics, and the gradients of the affine
//! parameters.
//!
//! The statistics may be computed by any mix of Welford updates and Chan merges. Let `M = max|x|`,
//! `S` the sum of squared deviations, `n` the row's length, `u` the unit roundoff. To first order:
//!
//! - The first Welford update is exact. A later one, `mean += (x − mean)/k`, inherits `1 − 1/k` of
//!   the previous error and adds at most `u(4M/k + M)` (two roundings of `|δ|/k ≤ 2M/k`, one of the
//!   mean). Over a chain of `n` this sums to `uM((n + 1)/2 − 1/n + 4(n − 1)/n)`. A merge is a
//!   weighted mean of two such errors plus at most `6uM`; a merge with an empty state is exact, and
//!   there are at most `⌈log₂ n⌉` levels of others. Together
//!   `E = uM((n + 1)/2 − 1/n + 4(n − 1)/n + 6⌈log₂ n⌉)`.
//! - An update of the deviations adds `d₁d₂` with `Σd₁² ≤ 2S`; both factors are off by at most `E`
//!   besides their own roundings, so by Cauchy and Schwarz the terms are off by `2E√(2nS)` in total.
//!   A level of merges adds terms `δ²w` with `Σδ²w ≤ S` and `Σw ≤ n/4`, off by `2E` in `δ`:
//!   `2E√(nS)` for a level. Adding up costs `(n + 8⌈log₂ n⌉ + 8)uS`, and the products of two errors
//!   at most `(2 + 4⌈log₂ n⌉)nE²`.

use super::bounded::{Bounded, F32};
use super::{Expected, Inputs};

const EPSILON: f64 = 1e-5_f32 as f64;

/// Mean and `1 / √(variance + ε)` of a row.
fn statistics(row: &[f64]) -> (Bounded, Bounded) {
    let n = row.len() as f64;
    let mean = row.iter().sum::<f64>() / n;
    let deviations = row.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
    let largest = row.iter().fold(0.0_f64, |most, v| most.max(v.abs()));
    let levels = n.log2().ceil();

    let chain = (n + 1.0) / 2.0 - 1.0 / n + 4.0 * (n - 1.0) / n;
    let mean_error = F32.unit * largest * (chain + 6.0 * levels);
    let deviations_error =
        (2.0 * 2.0_f64.sqrt() + 2.0 * levels) * mean_error * (n * deviations).sqrt()
            + (n + 8.0 * levels + 8.0) * F32.unit * deviations
            + (2.0 + 4.0 * levels) * n * mean_error * mean_error;
    let variance = Bounded::new(deviations, deviations_error) / Bounded::exact(n);
    (Bounded::new(mean, mean_error), (variance + Bounded::exact(EPSILON)).rsqrt())
}

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    let (rows, narrow, wide) =
        (inputs.count("rows"), inputs.count("cols"), inputs.count("cols_wide"));
    let (gamma, beta) = (inputs.values("gamma"), inputs.values("beta"));
    let mut outputs = Vec::new();
    for (suffix, columns, affine) in [
        ("f32", narrow, true),
        ("f32_wide", wide, false),
        ("f16_wide", wide, true),
        ("bf16", narrow, true),
    ] {
        let x = inputs.values(&format!("x_{suffix}"));
        let (mut y, mut means, mut factors) = (Vec::new(), Vec::new(), Vec::new());
        for row in x.chunks_exact(columns.max(1)) {
            let (mean, factor) = statistics(row);
            means.push(mean);
            factors.push(factor);
            for (column, v) in row.iter().enumerate() {
                let normalized = (Bounded::exact(*v) - mean) * factor;
                y.push(if affine {
                    normalized * Bounded::exact(gamma[column]) + Bounded::exact(beta[column])
                } else {
                    normalized
                });
            }
        }
        let name = format!("y_{suffix}");
        outputs.push(Expected::stored(&name, inputs.dtype(&name), y));
        for (statistic, values) in [("mean", means), ("rstd", factors)] {
            let name = format!("{statistic}_{suffix}");
            outputs.push(Expected::stored(&name, inputs.dtype(&name), values));
        }
    }

    let (mean, factor) = (inputs.values("grad_mean"), inputs.values("grad_rstd"));
    for suffix in ["f32", "bf16"] {
        let grad = inputs.values(&format!("grad_{suffix}"));
        let x = inputs.values(&format!("x_{suffix}"));
        let (mut for_gamma, mut for_beta) = (Vec::new(), Vec::new());
        for column in 0..narrow {
            let at = |row: usize| row * narrow + column;
            let gamma_terms = (0..rows).map(|row| {
                let centred = Bounded::exact(x[at(row)]) - Bounded::exact(mean[row]);
                Bounded::exact(grad[at(row)]) * centred * Bounded::exact(factor[row])
            });
            for_gamma.push(Bounded::sum(gamma_terms, F32));
            let beta_terms = (0..rows).map(|row| Bounded::exact(grad[at(row)]));
            for_beta.push(Bounded::sum(beta_terms, F32));
        }
        for (parameter, values) in [("gamma", for_gamma), ("beta", for_beta)] {
            let name = format!("grad_{parameter}_{suffix}");
            outputs.push(Expected::stored(&name, inputs.dtype(&name), values));
        }
    }
    outputs
}
