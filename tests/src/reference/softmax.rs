//! `exp(s·x − m) / Σ exp(s·x − m)` over the columns that a row sees, its logarithm, and what hidden
//! columns hold: probability 0, logarithm −∞.
//!
//! The block and warp forms use `expf` (1 ulp; 2 in older toolkits, which is what is allowed here).
//! The online form rescales its sums by `__expf`, whose bound is `2 + |1.173·d|` ulp: a term passes
//! through at most one rescaling for each column of its lane and each of five merges, and their
//! exponents add up to the term's own, so its relative error is at most `3k + 1.2·|x − m|` ulp for
//! `k` rescalings.

use super::bounded::{Bounded, F32};
use super::{Expected, Inputs};

#[derive(Clone, Copy, PartialEq)]
enum Form {
    Plain,
    Logarithm,
    Online,
}

struct Launch {
    input: &'static str,
    output: &'static str,
    columns: &'static str,
    scale: f64,
    /// Queries of a causal attention matrix.
    causal: Option<usize>,
    form: Form,
}

const EXPF_ULPS: f64 = 2.0;

fn row(x: &[f64], visible: usize, launch: &Launch) -> Vec<Bounded> {
    let logits: Vec<Bounded> =
        x[..visible].iter().map(|v| Bounded::exact(*v) * Bounded::exact(launch.scale)).collect();
    let lowest = Bounded::exact(f64::NEG_INFINITY);
    let maximum = logits.iter().fold(lowest, |most, logit| most.max(*logit));
    let exponentials = logits.iter().map(|logit| {
        let term = (*logit - maximum).exp(EXPF_ULPS);
        if launch.form == Form::Online {
            let rescalings = (visible as f64 / 32.0).ceil() + 5.0;
            let ulps = 3.0 * rescalings + 1.2 * (logit.value - maximum.value).abs();
            Bounded::function(term.value, term.error, ulps)
        } else {
            term
        }
    });
    let sum = Bounded::sum(exponentials, F32);
    let hidden = match launch.form {
        Form::Logarithm => f64::NEG_INFINITY,
        Form::Plain | Form::Online => 0.0,
    };
    let mut result: Vec<Bounded> = logits
        .iter()
        .map(|logit| match launch.form {
            Form::Logarithm => *logit - (maximum + sum.ln()),
            Form::Plain | Form::Online => {
                (*logit - maximum).exp(EXPF_ULPS) * (Bounded::exact(1.0) / sum)
            }
        })
        .collect();
    result.resize(x.len(), Bounded::exact(hidden));
    result
}

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    use Form::{Logarithm, Online, Plain};
    let launches = [
        ("x_tiny", "y_tiny", "tiny", 1.0, None, Plain),
        ("x_tiny", "y_tiny_causal", "tiny", 0.5, Some(5), Logarithm),
        ("x_narrow", "y_narrow", "narrow", 0.125, Some(64), Plain),
        ("x_mid", "y_mid", "mid", 1.0, None, Plain),
        ("x_f32", "y_block_f32", "cols", 1.0, None, Plain),
        ("x_f16_wide", "y_block_f16_wide", "cols_wide", 0.25, Some(100), Plain),
        ("x_f32", "y_block_log", "cols", 0.75, None, Logarithm),
        ("x_f32", "y_online_f32", "cols", 1.0, Some(3), Online),
        ("x_bf16", "y_online_bf16", "cols", 1.0, None, Online),
    ]
    .map(|(input, output, columns, scale, causal, form)| Launch {
        input,
        output,
        columns,
        scale,
        causal,
        form,
    });
    let expected = launches.iter().map(|launch| {
        let columns = inputs.count(launch.columns);
        let x = inputs.values(launch.input);
        let values = x.chunks_exact(columns.max(1)).enumerate().flat_map(|(index, x)| {
            let visible = launch.causal.map_or(columns, |queries| columns.min(index % queries + 1));
            row(x, visible, launch)
        });
        Expected::stored(launch.output, inputs.dtype(launch.output), values)
    });
    expected.collect()
}
