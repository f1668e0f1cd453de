//! `x/2 (1 + tanh u)`, `u = √(2/π) (x + 0.044715 x³)` (Hendrycks and Gimpel 2016), and its gradient
//! `(1 + t)/2 + x/2 (1 − t²) u'` with `t = tanh u`.
//!
//! `tanhf` has 2 ulp. The fast form writes `t = 1 − 2 / (e^{2u} + 1)` with `__expf`
//! (`2 + |1.173·x|` ulp) and `__fdividef` (2 ulp).

use super::bounded::{Bounded, F32};
use super::{Expected, Inputs};

fn constant(value: f64) -> Bounded {
    Bounded::exact(value).rounded(F32)
}

/// `u`: the arithmetic may group the cubic term in any way, which five roundings of each of its
/// parts cover.
fn inner(x: f64) -> Bounded {
    let x = Bounded::exact(x);
    let cubic = constant(0.044_715) * x * x * x;
    constant((2.0 / std::f64::consts::PI).sqrt()) * (x + cubic)
}

fn half_of_x_times_one_plus(x: f64, tanh: Bounded) -> Bounded {
    Bounded::exact(0.5 * x) * (Bounded::exact(1.0) + tanh)
}

fn forward(x: f64) -> Bounded {
    half_of_x_times_one_plus(x, inner(x).tanh())
}

fn forward_fast(x: f64) -> Bounded {
    let twice = Bounded::exact(2.0) * inner(x);
    let exponential = twice.exp(3.0 + 1.173 * twice.value.abs());
    let quotient = Bounded::exact(2.0).over(exponential + Bounded::exact(1.0));
    let quotient = Bounded::function(quotient.value, quotient.error, 2.0);
    half_of_x_times_one_plus(x, Bounded::exact(1.0) - quotient)
}

fn backward(x: f64, gradient: f64) -> Bounded {
    let (one, half) = (Bounded::exact(1.0), Bounded::exact(0.5));
    let t = inner(x).tanh();
    let x = Bounded::exact(x);
    let root = constant((2.0 / std::f64::consts::PI).sqrt());
    let slope = root * (one + Bounded::exact(3.0) * constant(0.044_715) * (x * x));
    let derivative = half * (one + t) + half * x * (one - t * t) * slope;
    derivative * Bounded::exact(gradient)
}

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    type Activation = fn(f64) -> Bounded;
    let launches: [(&str, &str, usize, Activation); 4] = [
        ("x_f32", "y_f32", 0, forward),
        ("x_f16", "y_f16", 0, forward),
        ("x_fast", "y_fast", 2, forward_fast),
        ("x_offset", "y_offset", 1, forward),
    ];
    let mut outputs = Vec::new();
    for (input, output, offset, activation) in launches {
        let x = inputs.values(input);
        // What lies before the first element stays.
        let kept = inputs.values(output).into_iter().take(offset).map(Bounded::exact);
        let values = x.iter().skip(offset).map(|x| activation(*x));
        let mut stored = Expected::stored(output, inputs.dtype(output), kept.chain(values));
        stored.tolerance[..offset].fill(0.0);
        outputs.push(stored);
    }
    for (input, gradient, output) in
        [("x_f32", "grad_f32", "grad_f32"), ("x_bf16", "grad_bf16", "grad_x_bf16")]
    {
        let (x, gradient) = (inputs.values(input), inputs.values(gradient));
        let values = x.iter().zip(gradient).map(|(x, g)| backward(*x, g));
        outputs.push(Expected::stored(output, inputs.dtype(output), values));
    }
    outputs
}
