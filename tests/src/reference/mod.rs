//! Independent references of the operators in `kernels/`: what each output of an operator's spec
//! must hold, from the operator's mathematical definition, in f64 or in exact integers, with a
//! tolerance derived from the arithmetic that the operator may use. A reference sees the inputs and
//! integers of a case, never a kernel's text nor anything that a front end or runner computed.
//!
//! Where an output is a single correctly rounded operation, a copy, or an integer, the tolerance is
//! zero. Elsewhere it comes from [`bounded`]; each file states its own case.

pub mod bounded;

mod adamw;
mod argmax;
mod attention;
mod bias_dropout_residual;
mod bitonic_sort;
mod conv2d_direct;
mod cross_entropy;
mod dequantize_q4_0;
mod embedding_gather;
mod flash_attention;
mod fused_add_rms_norm;
mod gelu_tanh;
mod gemv_half;
mod histogram;
mod im2col;
mod inclusive_scan;
mod layer_norm;
mod moe_align_block_size;
mod nms_bitmask;
mod paged_attention;
mod philox;
mod quantize_int8_per_token;
mod reshape_and_cache;
mod rms_norm;
mod rotary_embedding;
mod scatter_add;
mod sgemm_naive;
mod sgemm_tiled;
mod silu_and_mul;
mod softmax;
mod stencil_2d;
mod topk_softmax;
mod upsample_bilinear;
mod window;
mod wmma_gemm;

use port_check::spec::Case;
use port_check::{DType, Tensor};

use bounded::{Bounded, Format};

/// What an output must hold after the last launch.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The output's name in the spec.
    pub name: String,
    /// The exact value of each element, row-major. Integers are exact: all stay below 2⁵³.
    pub values: Vec<f64>,
    /// How far each element may be away.
    pub tolerance: Vec<f64>,
}

/// An element outside its tolerance.
#[derive(Clone, Debug)]
pub struct Mismatch {
    /// The output.
    pub name: String,
    /// The element's flat index; `None` when the number of elements differs.
    pub index: Option<usize>,
    /// What was found.
    pub actual: f64,
    /// What was expected.
    pub expected: f64,
    /// How far it may be away.
    pub tolerance: f64,
    /// How many elements of this output are outside.
    pub count: usize,
}

impl std::fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Mismatch { name, actual, expected, tolerance, count, .. } = self;
        match self.index {
            Some(index) => write!(
                formatter,
                "{name}[{index}] is {actual:e}, expected {expected:e} ± {tolerance:e} \
                 ({count} elements are outside)"
            ),
            None => write!(formatter, "{name} has {actual} elements, expected {expected}"),
        }
    }
}

impl Expected {
    /// Values that must be met exactly.
    pub fn exact(name: &str, values: Vec<f64>) -> Expected {
        let tolerance = vec![0.0; values.len()];
        Expected { name: name.into(), values, tolerance }
    }

    /// Integers, which must be met exactly.
    pub fn integers(name: &str, values: impl IntoIterator<Item = i64>) -> Expected {
        Expected::exact(name, values.into_iter().map(|value| value as f64).collect())
    }

    /// Values rounded once to `dtype`, which must be met exactly: the result of one correctly
    /// rounded operation.
    pub fn rounded_once(name: &str, dtype: DType, values: &[f64]) -> Expected {
        Expected::exact(name, Tensor::from_f64(dtype, values).to_f64())
    }

    /// Results of single-precision arithmetic, stored as `dtype`.
    pub fn stored(name: &str, dtype: DType, values: impl IntoIterator<Item = Bounded>) -> Expected {
        // A float that is stored as a float is not rounded again.
        let store = |value: Bounded| match dtype {
            DType::F32 | DType::F64 => value,
            _ => value.rounded(Format::of(dtype)),
        };
        let (values, tolerance) =
            values.into_iter().map(store).map(|stored| (stored.value, stored.error)).unzip();
        Expected { name: name.into(), values, tolerance }
    }

    /// Checks a result; the error describes the element that is furthest outside.
    pub fn check(&self, actual: &Tensor) -> Result<(), Mismatch> {
        let mismatch = |index, actual, expected, tolerance, count| Mismatch {
            name: self.name.clone(),
            index,
            actual,
            expected,
            tolerance,
            count,
        };
        if actual.len() != self.values.len() {
            let (found, wanted) = (actual.len() as f64, self.values.len() as f64);
            return Err(mismatch(None, found, wanted, 0.0, 1));
        }
        let mut worst: Option<(f64, usize)> = None;
        let mut count = 0;
        for (index, (expected, tolerance)) in self.values.iter().zip(&self.tolerance).enumerate() {
            let found = actual.get_f64(index);
            let same = found == *expected || (found.is_nan() && expected.is_nan());
            let distance = (found - expected).abs();
            // NaN against a number compares false, and is outside.
            if same || distance <= *tolerance {
                continue;
            }
            count += 1;
            let excess = if distance.is_nan() { f64::INFINITY } else { distance - tolerance };
            if worst.is_none_or(|(most, _)| excess > most) {
                worst = Some((excess, index));
            }
        }
        match worst {
            None => Ok(()),
            Some((_, index)) => {
                let (expected, tolerance) = (self.values[index], self.tolerance[index]);
                Err(mismatch(Some(index), actual.get_f64(index), expected, tolerance, count))
            }
        }
    }
}

/// A case seen by a reference. A name that the spec lacks is a mistake of the reference: panics.
#[derive(Clone, Copy)]
pub(crate) struct Inputs<'case>(&'case Case);

impl<'case> Inputs<'case> {
    /// Initial contents of a buffer.
    fn tensor(self, name: &str) -> &'case Tensor {
        self.0.buffer(name).unwrap_or_else(|| panic!("the spec has no buffer `{name}`"))
    }

    /// Initial contents of a buffer, widened without error.
    fn values(self, name: &str) -> Vec<f64> {
        self.tensor(name).to_f64()
    }

    /// Initial contents of a buffer of integers.
    fn integers(self, name: &str) -> Vec<i64> {
        self.tensor(name).to_i64()
    }

    /// Element type of a buffer.
    fn dtype(self, name: &str) -> DType {
        self.tensor(name).dtype()
    }

    /// Contents of a `__constant__` or `__device__` variable.
    fn symbol(self, name: &str) -> Vec<f64> {
        let symbol = self.0.symbols.iter().find(|symbol| symbol.name == name);
        symbol.unwrap_or_else(|| panic!("the spec has no symbol `{name}`")).tensor.to_f64()
    }

    /// An integer of the spec that counts something.
    fn count(self, name: &str) -> usize {
        let value = self.0.integer(name).unwrap_or_else(|| panic!("the spec has no `{name}`"));
        usize::try_from(value).unwrap_or_else(|_| panic!("`{name}` is {value}"))
    }
}

/// What the outputs of an operator (`norm/rms_norm`) must hold after the launches of `case`; `None`
/// for an operator without a reference.
pub fn reference(operator: &str, case: &Case) -> Option<Vec<Expected>> {
    let inputs = Inputs(case);
    Some(match operator {
        "dropout/bias_dropout_residual" => bias_dropout_residual::reference(inputs),
        "embedding/embedding_gather" => embedding_gather::reference(inputs),
        "activation/gelu_tanh" => gelu_tanh::reference(inputs),
        "quant/dequantize_q4_0" => dequantize_q4_0::reference(inputs),
        "gemm/gemv_half" => gemv_half::reference(inputs),
        "gemm/sgemm_naive" => sgemm_naive::reference(inputs),
        "norm/fused_add_rms_norm" => fused_add_rms_norm::reference(inputs),
        "optimizer/adamw" => adamw::reference(inputs),
        "scan/inclusive_scan" => inclusive_scan::reference(inputs),
        "norm/layer_norm" => layer_norm::reference(inputs),
        "quant/quantize_int8_per_token" => quantize_int8_per_token::reference(inputs),
        "norm/rms_norm" => rms_norm::reference(inputs),
        "rope/rotary_embedding" => rotary_embedding::reference(inputs),
        "embedding/scatter_add" => scatter_add::reference(inputs),
        "gemm/sgemm_tiled" => sgemm_tiled::reference(inputs),
        "activation/silu_and_mul" => silu_and_mul::reference(inputs),
        "softmax/softmax" => softmax::reference(inputs),
        "gemm/wmma_gemm" => wmma_gemm::reference(inputs),
        "vision/im2col" => im2col::reference(inputs),
        "vision/upsample_bilinear" => upsample_bilinear::reference(inputs),
        "vision/nms_bitmask" => nms_bitmask::reference(inputs),
        "reduce/argmax" => argmax::reference(inputs),
        "loss/cross_entropy" => cross_entropy::reference(inputs),
        "reduce/histogram" => histogram::reference(inputs),
        "attention/reshape_and_cache" => reshape_and_cache::reference(inputs),
        "moe/topk_softmax" => topk_softmax::reference(inputs),
        "moe/moe_align_block_size" => moe_align_block_size::reference(inputs),
        "attention/flash_attention" => flash_attention::reference(inputs),
        "stencil/stencil_2d" => stencil_2d::reference(inputs),
        "sort/bitonic_sort" => bitonic_sort::reference(inputs),
        "attention/paged_attention" => paged_attention::reference(inputs),
        "vision/conv2d_direct" => conv2d_direct::reference(inputs),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_outside_its_tolerance_is_found() {
        let expected = Expected {
            name: "y".into(),
            values: vec![1.0, f64::NEG_INFINITY, 2.0],
            tolerance: vec![0.0, 0.0, 0.5],
        };
        let tensor = |values: &[f32]| Tensor::from_f32(values);
        assert!(expected.check(&tensor(&[1.0, f32::NEG_INFINITY, 2.5])).is_ok());
        let off = expected.check(&tensor(&[1.0, f32::NEG_INFINITY, 2.75])).unwrap_err();
        assert_eq!((off.index, off.count), (Some(2), 1));
        let nan = expected.check(&tensor(&[f32::NAN, 0.0, 9.0])).unwrap_err();
        assert_eq!((nan.index, nan.count), (Some(0), 3));
        assert!(expected.check(&tensor(&[1.0])).unwrap_err().index.is_none());
    }
}
