//! Matrix units: what `D = A · B + C` gives, bit for bit, by chip and format.
//!
//! No matrix unit rounds as IEEE 754 operations do. NVIDIA's add several products and C in one
//! step, as integers aligned to the largest exponent, and cut off what does not fit ([`fused`]);
//! AMD's add in trees, or in two aligned steps ([`cdna`]). What each generation does was found by
//! others on the chips themselves; the numbers here are theirs: MMA-Sim (P. Xie et al., "MMA-Sim:
//! bit-accurate reference model of Tensor Cores and Matrix Cores", 2025) and MATLAB-tensor-core (North
//! Numerical Computing, github.com/north-numerical-computing/MATLAB-tensor-core), whose published
//! results of real chips `cargo xtask external matlab-tensor-core` compares with.

mod cdna;
mod fused;
mod number;
mod ordered;

use port_ir::{FragmentElement, Scalar};

use number::Number;

/// A generation of matrix units, or a way to do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unit {
    /// Sums in order of k, one rounding for each product and each sum: what plain code does.
    Ordered,
    /// The exact sum, rounded once.
    Exact,
    /// V100.
    Volta,
    /// T4 and its kin.
    Turing,
    /// A100, A30, A2.
    Ampere,
    /// L40S, RTX 4000 and their kin.
    Ada,
    /// H100, H200.
    Hopper,
    /// B200.
    Blackwell,
    /// MI210, MI250.
    Cdna2,
    /// MI300.
    Cdna3,
    /// The cube unit of Huawei's NPUs: a stand-in, whose bits nobody has published.
    Ascend,
}

/// What one matrix operation computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MatrixModel {
    input: FragmentElement,
    accumulator: Scalar,
    method: Method,
}

/// How one element of the result is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Method {
    Integers,
    Ordered,
    Exact,
    /// A chain of fused multiply-adds in order of k.
    Chain,
    Fused(fused::Steps),
    Pairs,
    Late,
    LateSplit,
}

/// The model of a unit for inputs of one kind and an accumulator; `None` if the unit has no such
/// operation.
pub fn model(unit: Unit, input: FragmentElement, accumulator: Scalar) -> Option<MatrixModel> {
    use FragmentElement as E;
    let method = match (input, accumulator) {
        (E::Scalar(Scalar::I8 | Scalar::U8) | E::I4 | E::U4 | E::B1, Scalar::I32) => {
            Method::Integers
        }
        (E::Scalar(Scalar::F64), Scalar::F64) => match unit {
            Unit::Ordered => Method::Ordered,
            Unit::Exact => Method::Exact,
            Unit::Volta | Unit::Turing | Unit::Ascend => return None,
            _ => Method::Chain,
        },
        (E::Scalar(Scalar::F32), Scalar::F32) => match unit {
            Unit::Ordered | Unit::Ascend => Method::Ordered,
            Unit::Exact => Method::Exact,
            Unit::Cdna2 | Unit::Cdna3 => Method::Chain,
            _ => return None,
        },
        (
            E::Scalar(Scalar::F16 | Scalar::Bf16 | Scalar::F8E4M3 | Scalar::F8E5M2) | E::Tf32,
            Scalar::F32 | Scalar::F16,
        ) => match unit {
            Unit::Ordered | Unit::Ascend => Method::Ordered,
            Unit::Exact => Method::Exact,
            Unit::Cdna2 => match input {
                E::Scalar(Scalar::F16 | Scalar::Bf16) => Method::Pairs,
                _ => return None,
            },
            Unit::Cdna3 => match input {
                E::Scalar(Scalar::F8E4M3 | Scalar::F8E5M2) => Method::LateSplit,
                _ => Method::Late,
            },
            _ => Method::Fused(fused::steps(unit, input, accumulator)?),
        },
        _ => return None,
    };
    Some(MatrixModel { input, accumulator, method })
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
        let at = |matrix: &[u64], index: usize| matrix.get(index).copied().unwrap_or(0);
        let mut d = Vec::with_capacity(m * n);
        if let Method::Fused(_) | Method::Late | Method::LateSplit = self.method {
            // Taken apart once for each element, not once for each product.
            let format = number::input_format(self.input, self.method == Method::LateSplit);
            let row: Vec<Number> =
                (0..m * k).map(|index| Number::of(format, self.input, at(a, index))).collect();
            let column: Vec<Number> = (0..n * k)
                .map(|index| Number::of(format, self.input, at(b, index % k * n + index / k)))
                .collect();
            for i in 0..m {
                for j in 0..n {
                    let (row, column) = (&row[i * k..(i + 1) * k], &column[j * k..(j + 1) * k]);
                    let start = at(c, i * n + j);
                    d.push(match self.method {
                        Method::Fused(steps) => steps.dot(row, column, start),
                        Method::LateSplit => cdna::late_split(row, column, start),
                        _ => cdna::late(self.input, row, column, start),
                    });
                }
            }
            return d;
        }
        for i in 0..m {
            for j in 0..n {
                let terms = (0..k).map(|l| (at(a, i * k + l), at(b, l * n + j)));
                let start = at(c, i * n + j);
                d.push(match self.method {
                    Method::Integers => ordered::integers(self.input, terms, start, saturate),
                    Method::Exact => ordered::exact(self.input, self.accumulator, terms, start),
                    Method::Chain => ordered::chain(self.accumulator, terms, start),
                    Method::Pairs => cdna::pairs(self.input, self.accumulator, terms, start),
                    _ => ordered::ordered(self.input, self.accumulator, terms, start),
                });
            }
        }
        d
    }
}
