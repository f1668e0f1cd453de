//! The k largest logits of a row in falling order, the lower expert first among equals, with their
//! probabilities `exp(l − m) / Σ exp(l − m)`, divided by the sum of the k where asked. Which expert has
//! which rank is exact; probabilities carry the errors of `expf` (2 ulp), of a sum in any order, of a
//! reciprocal or quotient and of their products.

use super::bounded::{Bounded, F32};
use super::{Expected, Inputs};

const EXPF_ULPS: f64 = 2.0;

struct Launch {
    name: &'static str,
    experts: usize,
    renormalize: bool,
    skips_finished: bool,
}

fn ranked(row: &[f64], k: usize) -> Vec<usize> {
    let mut experts: Vec<usize> = (0..row.len()).collect();
    // Stable: equal logits keep the order of their experts.
    experts.sort_by(|a, b| row[*b].total_cmp(&row[*a]));
    experts.truncate(k);
    experts
}

fn probabilities(row: &[f64], chosen: &[usize], renormalize: bool) -> Vec<Bounded> {
    let maximum = Bounded::exact(row.iter().copied().fold(f64::NEG_INFINITY, f64::max));
    let exponential = |logit: f64| (Bounded::exact(logit) - maximum).exp(EXPF_ULPS);
    let sum = Bounded::sum(row.iter().map(|logit| exponential(*logit)), F32);
    // A reciprocal and a product round once more than a quotient does.
    let weights: Vec<Bounded> =
        chosen.iter().map(|at| exponential(row[*at]) * (Bounded::exact(1.0) / sum)).collect();
    if !renormalize {
        return weights;
    }
    let selected = Bounded::sum(weights.iter().copied(), F32);
    weights.into_iter().map(|weight| weight / selected).collect()
}

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    let (tokens, k) = (inputs.count("tokens"), inputs.count("k"));
    let any = inputs.count("experts");
    let finished = inputs.integers("finished");
    let launches = [
        ("f32_8", 8, false, false),
        ("f32_128", 128, true, true),
        ("bf16_8", 8, true, false),
        ("bf16_128", 128, false, true),
        ("f32_any", any, true, false),
        ("bf16_any", any, false, true),
    ]
    .map(|(name, experts, renormalize, skips_finished)| Launch {
        name,
        experts,
        renormalize,
        skips_finished,
    });
    let mut outputs = Vec::new();
    for Launch { name, experts, renormalize, skips_finished } in launches {
        let logits = inputs.values(&format!("logits_{name}"));
        let (mut weights, mut indices, mut sources) = (Vec::new(), Vec::new(), Vec::new());
        for (token, row) in logits.chunks_exact(experts).enumerate() {
            let chosen = ranked(row, k);
            let skipped = skips_finished && finished[token] != 0;
            weights.extend(probabilities(row, &chosen, renormalize));
            indices.extend(chosen.iter().map(|at| if skipped { experts } else { *at } as i64));
            sources.extend((0..k).map(|rank| (rank * tokens + token) as i64));
        }
        let output = format!("weights_{name}");
        outputs.push(Expected::stored(&output, inputs.dtype(&output), weights));
        outputs.push(Expected::integers(&format!("experts_{name}"), indices));
        outputs.push(Expected::integers(&format!("source_{name}"), sources));
    }
    outputs
}
