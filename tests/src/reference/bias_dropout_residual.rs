//! `residual + keep · scale · (x + bias)` with `keep` from Philox: the kept positions are exact, the
//! rest is three single-precision operations and the rounding to the storage type.

use super::bounded::Bounded;
use super::philox::uniform;
use super::{Expected, Inputs};

struct Launch {
    /// Ending of the names of the buffers.
    suffix: &'static str,
    bias: &'static str,
    columns: &'static str,
    seed: u64,
    offset: u64,
    keep_probability: f32,
    scale: f32,
}

fn kept(launch: &Launch, count: usize) -> Vec<bool> {
    let threshold = f64::from(launch.keep_probability);
    (0..count as u64).map(|i| uniform(launch.seed, launch.offset, i) < threshold).collect()
}

fn out(inputs: Inputs<'_>, launch: &Launch, keep: &[bool]) -> Expected {
    let columns = inputs.count(launch.columns);
    let [x, residual] =
        ["x", "residual"].map(|part| inputs.values(&format!("{part}_{}", launch.suffix)));
    let bias = inputs.values(launch.bias);
    let scale = Bounded::exact(f64::from(launch.scale));
    let name = format!("out_{}", launch.suffix);
    let values = (0..keep.len()).map(|i| {
        if keep[i] {
            let sum = Bounded::exact(x[i]) + Bounded::exact(bias[i % columns]);
            Bounded::exact(residual[i]) + sum * scale
        } else {
            Bounded::exact(residual[i])
        }
    });
    Expected::stored(&name, inputs.dtype(&name), values)
}

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    let mut outputs = Vec::new();
    for launch in [
        Launch {
            suffix: "f32_wide",
            bias: "bias_f32",
            columns: "wide",
            seed: 1_311_768_467_294_899_695,
            offset: 0,
            keep_probability: 0.9,
            scale: 1.111_111_2,
        },
        Launch {
            suffix: "f16_wide",
            bias: "bias_f16",
            columns: "wide",
            seed: 42,
            offset: 4_294_967_290,
            keep_probability: 0.5,
            scale: 2.0,
        },
    ] {
        let keep = kept(&launch, inputs.count("total_wide"));
        outputs.push(out(inputs, &launch, &keep));
        let mask = keep.iter().map(|keep| i64::from(*keep));
        outputs.push(Expected::integers(&format!("mask_{}", launch.suffix), mask));
    }
    for launch in [
        Launch {
            suffix: "f32",
            bias: "bias_f32",
            columns: "cols",
            seed: 7,
            offset: 1000,
            keep_probability: 0.75,
            scale: 1.333_333_4,
        },
        Launch {
            suffix: "bf16",
            bias: "bias_bf16",
            columns: "cols",
            seed: 99,
            offset: 0,
            keep_probability: 0.25,
            scale: 4.0,
        },
    ] {
        let keep = kept(&launch, inputs.count("total"));
        outputs.push(out(inputs, &launch, &keep));
        let words = keep.chunks(32).map(|word| {
            word.iter().enumerate().map(|(bit, keep)| i64::from(*keep) << bit).sum::<i64>()
        });
        outputs.push(Expected::integers(&format!("words_{}", launch.suffix), words));
        let count = keep.iter().filter(|keep| **keep).count() as i64;
        outputs.push(Expected::integers(&format!("kept_{}", launch.suffix), [count]));

        if launch.suffix == "f32" {
            let scale = Bounded::exact(f64::from(launch.scale));
            let grad = inputs.values("residual_f32");
            let values = grad.iter().zip(&keep).map(|(grad, keep)| {
                if *keep { Bounded::exact(*grad) * scale } else { Bounded::exact(0.0) }
            });
            outputs.push(Expected::stored("grad_input", inputs.dtype("grad_input"), values));
        }
    }
    outputs
}
