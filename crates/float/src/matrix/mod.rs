//! Matrix units: what `D = A · B + C` gives, bit for bit, by chip and format.

use port_ir::{FragmentElement, Scalar};

/// A generation of matrix units, or a way to do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unit {
    /// Sums in order of k, one rounding each: what plain code does.
    Ordered,
    /// The exact sum, rounded once.
    Exact,
    /// V100.
    Volta,
    /// Turing.
    Turing,
    /// A100 and its kin.
    Ampere,
    /// L40S and its kin.
    Ada,
    /// H100, H200.
    Hopper,
    /// B200.
    Blackwell,
    /// MI100.
    Cdna1,
    /// MI200.
    Cdna2,
    /// MI300.
    Cdna3,
    /// The cube unit of Huawei's NPUs.
    Ascend,
}

/// What one matrix operation computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatrixModel {
    input: FragmentElement,
    accumulator: Scalar,
    unit: Unit,
}

/// The model of a unit for inputs of one kind and an accumulator.
pub(crate) fn model(
    unit: Unit,
    input: FragmentElement,
    accumulator: Scalar,
) -> Option<MatrixModel> {
    Some(MatrixModel { input, accumulator, unit })
}

/// The extents of a product: `m × k` by `k × n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows of A and of the result.
    pub m: usize,
    /// Columns of B and of the result.
    pub n: usize,
    /// Columns of A, rows of B.
    pub k: usize,
}

impl MatrixModel {
    /// `d = a · b + c`. All matrices lie row by row, an element's bits in each entry: `a` has m·k
    /// entries, `b` k·n, `c` and `d` m·n. Entries that are missing are zero. With `saturate`
    /// integer results that do not fit become the nearest that does.
    pub fn multiply(
        &self,
        shape: Shape,
        a: &[u64],
        b: &[u64],
        c: &[u64],
        saturate: bool,
    ) -> Vec<u64> {
        let Shape { m, n, k } = shape;
        let mut d = vec![0; m * n];
        for i in 0..m {
            for j in 0..n {
                let row = (0..k).map(|l| a.get(i * k + l).copied().unwrap_or(0));
                let column = (0..k).map(|l| b.get(l * n + j).copied().unwrap_or(0));
                let start = c.get(i * n + j).copied().unwrap_or(0);
                d[i * n + j] = self.dot(row.zip(column), start, saturate);
            }
        }
        d
    }

    fn dot(&self, terms: impl Iterator<Item = (u64, u64)>, start: u64, saturate: bool) -> u64 {
        let _ = self.unit;
        match self.accumulator {
            Scalar::I32 => integers(self.input, terms, start, saturate),
            Scalar::F64 => {
                // Rounded after each product and sum, as plain code without contraction.
                let sum = terms.fold(f64::from_bits(start), |sum, (a, b)| {
                    sum + f64::from_bits(a) * f64::from_bits(b)
                });
                sum.to_bits()
            }
            accumulator => {
                let value = |bits| self.value(bits);
                let start = match accumulator {
                    Scalar::F16 => crate::format::f16_to_f32(start as u16),
                    _ => f32::from_bits(start as u32),
                };
                let sum = terms.fold(start, |sum, (a, b)| sum + value(a) * value(b));
                match accumulator {
                    Scalar::F16 => crate::format::f32_to_f16(sum).into(),
                    _ => sum.to_bits().into(),
                }
            }
        }
    }

    /// An input, exactly; tf32 without the bits that the unit does not read.
    fn value(&self, bits: u64) -> f32 {
        match self.input {
            FragmentElement::Scalar(Scalar::F16) => crate::format::f16_to_f32(bits as u16),
            FragmentElement::Scalar(Scalar::Bf16) => crate::format::bf16_to_f32(bits as u16),
            FragmentElement::Scalar(Scalar::F8E4M3) => {
                crate::format::Format::E4M3.to_f64(bits) as f32
            }
            FragmentElement::Scalar(Scalar::F8E5M2) => {
                crate::format::Format::E5M2.to_f64(bits) as f32
            }
            FragmentElement::Tf32 => f32::from_bits(bits as u32 & 0xffff_e000),
            _ => f32::from_bits(bits as u32),
        }
    }
}

/// Integers: exact, then wrapped or clamped to 32 bits.
fn integers(
    input: FragmentElement,
    terms: impl Iterator<Item = (u64, u64)>,
    start: u64,
    saturate: bool,
) -> u64 {
    let value = |bits: u64| -> i64 {
        match input {
            FragmentElement::Scalar(Scalar::I8) => (bits as i8).into(),
            FragmentElement::Scalar(Scalar::U8) => (bits as u8).into(),
            FragmentElement::I4 => (bits << 60) as i64 >> 60,
            FragmentElement::U4 => bits as i64 & 15,
            FragmentElement::B1 => bits as i64 & 1,
            _ => bits as i32 as i64,
        }
    };
    let sum = terms.fold(i64::from(start as u32 as i32), |sum, (a, b)| {
        sum.wrapping_add(value(a).wrapping_mul(value(b)))
    });
    let result =
        if saturate { sum.clamp(i32::MIN.into(), i32::MAX.into()) as i32 } else { sum as i32 };
    u64::from(result as u32)
}
