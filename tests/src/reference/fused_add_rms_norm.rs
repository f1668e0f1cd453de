//! `r ← x + r`, then `x ← r / √(mean(r²) + ε) · w`, over rows that may be padded.
//!
//! The residual is one correctly rounded addition: exact. The generic form rounds the normalised
//! value to its type once; the packed form rounds before and after the product with the weight.

use port_check::Tensor;

use super::bounded::{Bounded, F32, Format};
use super::{Expected, Inputs};

const EPSILON: f64 = 1e-5_f32 as f64;

struct Launch {
    suffix: &'static str,
    weight: &'static str,
    columns: &'static str,
    stride: &'static str,
    packed: bool,
}

fn outputs(inputs: Inputs<'_>, launch: &Launch) -> [Expected; 2] {
    let (input, residual) =
        (format!("input_{}", launch.suffix), format!("residual_{}", launch.suffix));
    let (columns, stride) = (inputs.count(launch.columns), inputs.count(launch.stride));
    let (dtype, x, weight) =
        (inputs.dtype(&input), inputs.values(&input), inputs.values(launch.weight));
    let at = |index: usize| index / columns * stride + index % columns;
    let sums: Vec<f64> =
        inputs.values(&residual).iter().enumerate().map(|(i, r)| x[at(i)] + r).collect();
    let stream = Tensor::from_f64(dtype, &sums).to_f64();

    // The padding of the input's rows stays.
    let mut normalized = Expected::exact(&input, x.clone());
    for (row, values) in stream.chunks_exact(columns).enumerate() {
        let squares = values.iter().map(|v| Bounded::exact(*v) * Bounded::exact(*v));
        let mean = Bounded::sum(squares, F32) / Bounded::exact(columns as f64);
        let factor = (mean + Bounded::exact(EPSILON)).rsqrt();
        for (column, (value, weight)) in values.iter().zip(&weight).enumerate() {
            let scaled = Bounded::exact(*value) * factor;
            let result = if launch.packed {
                let format = Format::of(dtype);
                scaled.rounded(format).times(Bounded::exact(*weight)).rounded(format)
            } else {
                let product = scaled * Bounded::exact(*weight);
                if dtype == port_check::DType::F32 {
                    product
                } else {
                    product.rounded(Format::of(dtype))
                }
            };
            let at = row * stride + column;
            (normalized.values[at], normalized.tolerance[at]) = (result.value, result.error);
        }
    }
    [normalized, Expected::rounded_once(&residual, dtype, &sums)]
}

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    let narrow = |suffix, weight| Launch {
        suffix,
        weight,
        columns: "hidden",
        stride: "stride",
        packed: false,
    };
    let wide = |suffix, weight| Launch {
        suffix,
        weight,
        columns: "wide",
        stride: "stride_wide",
        packed: true,
    };
    let launches = [
        narrow("f32", "w_f32"),
        narrow("f16", "w_f16"),
        narrow("bf16", "w_bf16"),
        wide("f16_wide", "w_f16"),
        wide("bf16_wide", "w_bf16"),
    ];
    launches.iter().flat_map(|launch| outputs(inputs, launch)).collect()
}
