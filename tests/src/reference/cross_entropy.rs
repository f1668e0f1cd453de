//! Cross entropy with label smoothing and an ignored class, its mean and its gradient, over rows
//! that are padded.
//!
//! Each thread rescales its sum whenever its maximum grows: a term passes through at most one
//! `expf` (2 ulp, and half an ulp for the product) for each column of its thread and two merges. Its
//! exponents add up to the term's own, and each is a difference that was rounded once, so the
//! relative error of a term is at most `2.5 k + |x − m|` ulp for `k` rescalings.

use super::bounded::{Bounded, F32, Format};
use super::{Expected, Inputs};
use port_check::DType;

const EXPF_ULPS: f64 = 2.0;

struct Row {
    maximum: f64,
    sum: Bounded,
    lse: Bounded,
    mean: Bounded,
}

fn row(x: &[f64], threads: usize) -> Row {
    let maximum = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let rescalings = x.len().div_ceil(threads) as f64 + 2.0;
    let exponentials = x.iter().map(|v| {
        let distance = maximum - v;
        let ulps = EXPF_ULPS + 2.5 * rescalings + distance;
        (Bounded::exact(*v) - Bounded::exact(maximum)).exp(ulps)
    });
    let sum = Bounded::sum(exponentials, F32);
    let lse = Bounded::exact(maximum) + sum.ln();
    let linear = Bounded::sum(x.iter().map(|v| Bounded::exact(*v)), F32);
    Row { maximum, sum, lse, mean: linear / Bounded::exact(x.len() as f64) }
}

fn stored(value: Bounded, dtype: DType) -> Bounded {
    match dtype {
        DType::F32 => value,
        _ => value.rounded(Format::of(dtype)),
    }
}

struct Case<'case> {
    inputs: Inputs<'case>,
    classes: usize,
    padded: usize,
    targets: Vec<i64>,
    ignored: i64,
}

impl Case<'_> {
    /// Loss, log-sum-exp, mean and gradient of a mean's gradient `dmean`.
    fn separate(&self, suffix: &str, threads: usize, smoothing: f64, dmean: f64) -> [Expected; 4] {
        let x = self.inputs.values(&format!("x_{suffix}"));
        let dtype = self.inputs.dtype(&format!("x_{suffix}"));
        let smooth = Bounded::exact(smoothing);
        let hard = Bounded::exact(1.0 - smoothing);
        let counted = self.targets.iter().filter(|target| **target != self.ignored).count();
        let inverse = match counted {
            0 => Bounded::exact(0.0),
            _ => Bounded::exact(1.0) / Bounded::exact(counted as f64),
        };
        let scale = Bounded::exact(dmean) * inverse;

        let (mut losses, mut lses, mut gradients) = (Vec::new(), Vec::new(), Vec::new());
        for (x, target) in x.chunks_exact(self.padded).zip(&self.targets) {
            let x = &x[..self.classes];
            let row = row(x, threads);
            lses.push(row.lse);
            if *target == self.ignored {
                losses.push(Bounded::exact(0.0));
                gradients.resize(gradients.len() + self.padded, Bounded::exact(0.0));
                continue;
            }
            let target = *target as usize;
            let nll = row.lse - Bounded::exact(x[target]);
            losses.push(match smoothing {
                0.0 => nll,
                _ => hard * nll + smooth * (row.lse - row.mean),
            });
            let spread = smooth / Bounded::exact(self.classes as f64);
            gradients.extend(x.iter().enumerate().map(|(class, v)| {
                let probability = (Bounded::exact(*v) - row.lse).exp(EXPF_ULPS);
                let gradient = probability - spread;
                scale * if class == target { gradient - hard } else { gradient }
            }));
            gradients.resize(gradients.len() + self.padded - self.classes, Bounded::exact(0.0));
        }
        let counts = losses.iter().zip(&self.targets).filter(|(_, t)| **t != self.ignored);
        let mean = Bounded::sum(counts.map(|(loss, _)| *loss), F32) * inverse;
        let gradients = gradients.into_iter().map(|gradient| match gradient.error {
            0.0 => gradient,
            _ => stored(gradient, dtype),
        });
        [
            listed(format!("loss_{suffix}"), losses),
            listed(format!("lse_{suffix}"), lses),
            listed(format!("mean_{suffix}"), [mean, inverse]),
            listed(format!("dx_{suffix}"), gradients),
        ]
    }

    /// `−log p` added to a loss, and the gradient over the logits.
    fn fused(&self, x: &str, loss: &str, threads: usize, training: bool) -> [Expected; 2] {
        let (dtype, logits) = (self.inputs.dtype(x), self.inputs.values(x));
        let factors = self.inputs.values("dlosses");
        let mut losses: Vec<Bounded> =
            self.inputs.values(loss).into_iter().map(Bounded::exact).collect();
        let mut result = Expected::exact(x, logits.clone());
        for (index, x) in logits.chunks_exact(self.padded).enumerate() {
            let row = row(&x[..self.classes], threads);
            let target = self.targets[index] as usize;
            let inverse = Bounded::exact(1.0) / row.sum;
            let probability =
                |v: f64| (Bounded::exact(v) - Bounded::exact(row.maximum)).exp(EXPF_ULPS) * inverse;
            losses[index] = losses[index] - probability(x[target]).ln();
            if !training {
                continue;
            }
            for (class, v) in x.iter().enumerate() {
                let indicator = Bounded::exact(if class == target { 1.0 } else { 0.0 });
                let gradient = match class < self.classes {
                    true => (probability(*v) - indicator) * Bounded::exact(factors[index]),
                    false => Bounded::exact(0.0),
                };
                let gradient = stored(gradient, dtype);
                let at = index * self.padded + class;
                (result.values[at], result.tolerance[at]) = (gradient.value, gradient.error);
            }
        }
        [result, listed(loss.into(), losses)]
    }
}

fn listed(name: String, values: impl IntoIterator<Item = Bounded>) -> Expected {
    let (values, tolerance) = values.into_iter().map(|value| (value.value, value.error)).unzip();
    Expected { name, values, tolerance }
}

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    let case = Case {
        inputs,
        classes: inputs.count("V"),
        padded: inputs.count("Vp"),
        targets: inputs.integers("targets"),
        ignored: inputs.count("ignored") as i64,
    };
    let mut outputs = Vec::new();
    outputs.extend(case.separate("f32", 256, 0.0, 1.0));
    outputs.extend(case.separate("f16", 96, 0.125, 4.0));
    outputs.extend(case.fused("fused_bf16", "fused_loss", 128, true));
    outputs.extend(case.fused("x_eval", "eval_loss", 64, false));
    outputs
}
