//! Gated activations: `act(gate) · up`, the activation rounded to the storage type before the
//! product, and a clamped form in half arithmetic.
//!
//! SiLU may use `__expf` (`2 + |1.173·x|` ulp) and `__fdividef` (2 ulp).

use super::bounded::{Bounded, F16, F32, Format};
use super::{Expected, Inputs};

fn sigmoid_weighted(x: Bounded, slope: f64) -> Bounded {
    let argument = -(Bounded::exact(slope) * x);
    let exponential = argument.exp(3.0 + 1.173 * argument.value.abs());
    let quotient = x.over(Bounded::exact(1.0) + exponential);
    Bounded::function(quotient.value, quotient.error, 2.0)
}

fn silu(x: Bounded) -> Bounded {
    sigmoid_weighted(x, 1.0)
}

/// `x Φ(x)`.
fn gelu(x: Bounded) -> Bounded {
    let inner = x * Bounded::exact(std::f64::consts::FRAC_1_SQRT_2).rounded(F32);
    x * Bounded::exact(0.5) * (Bounded::exact(1.0) + inner.erf())
}

/// The tanh approximation of GELU (Hendrycks and Gimpel 2016).
fn gelu_tanh(x: Bounded) -> Bounded {
    let root = Bounded::exact((2.0 / std::f64::consts::PI).sqrt()).rounded(F32);
    let cubic = Bounded::exact(0.044_715).rounded(F32) * x * x * x;
    Bounded::exact(0.5) * x * (Bounded::exact(1.0) + (root * (x + cubic)).tanh())
}

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    type Activation = fn(Bounded) -> Bounded;
    let launches: [(&str, &str, &str, Activation); 8] = [
        ("x_f32", "silu_f32", "width", silu),
        ("x_f32_wide", "silu_f32_wide", "wide", silu),
        ("x_f16_wide", "silu_f16_wide", "wide", silu),
        ("x_bf16", "silu_bf16", "width", silu),
        ("x_f32", "gelu_f32", "width", gelu),
        ("x_bf16_wide", "gelu_bf16_wide", "wide", gelu),
        ("x_f32_wide", "gelu_tanh_f32_wide", "wide", gelu_tanh),
        ("x_f16_wide", "gelu_tanh_f16_wide", "wide", gelu_tanh),
    ];
    let gated = |input: &str, width: &str, apply: &dyn Fn(f64, f64) -> Bounded| {
        let (x, width) = (inputs.values(input), inputs.count(width));
        let mut result = Vec::with_capacity(x.len() / 2);
        for token in x.chunks_exact((2 * width).max(1)) {
            let (gates, ups) = token.split_at(width);
            result.extend(gates.iter().zip(ups).map(|(gate, up)| apply(*gate, *up)));
        }
        result
    };

    let mut outputs: Vec<Expected> = launches
        .iter()
        .map(|(input, output, width, activation)| {
            let dtype = inputs.dtype(output);
            let format = Format::of(dtype);
            let values = gated(input, width, &|gate, up| {
                activation(Bounded::exact(gate)).rounded(format).times(Bounded::exact(up))
            });
            let values = values.into_iter().map(|value| value.rounded(format));
            let (values, tolerance) = values.map(|value| (value.value, value.error)).unzip();
            Expected { name: (*output).into(), values, tolerance }
        })
        .collect();

    let (alpha, limit) = (f64::from(1.702_f32), 2.5);
    let clamped = gated("x_f16_wide", "wide", &|gate, up| {
        let activated = sigmoid_weighted(Bounded::exact(gate.min(limit)), alpha).rounded(F16);
        let shifted = Bounded::exact(up.clamp(-limit, limit) + 1.0).rounded(F16);
        activated.times(shifted).rounded(F16)
    });
    let (values, tolerance) = clamped.into_iter().map(|value| (value.value, value.error)).unzip();
    outputs.push(Expected { name: "clamped_f16".into(), values, tolerance });
    outputs
}
