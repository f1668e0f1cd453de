//! Running error analysis: a value beside a bound on how far a floating-point evaluation may be from
//! it. Holds the bounds of the operations that kernels use; knows nothing of kernels.
//!
//! `value` is what exact arithmetic gives (computed here in f64, whose own error is negligible beside
//! the bounds). `error` bounds `|computed - value|` for every evaluation that rounds each operation
//! to nearest in its format, fuses multiply-adds or not, and adds up a sum in any order.
//!
//! Sources: Higham, *Accuracy and Stability of Numerical Algorithms*, 2nd ed., chapters 2–4 (the
//! model `fl(a ∘ b) = (a ∘ b)(1 + δ)`, `γₙ = nu / (1 − nu)`); the CUDA C++ Programming Guide's table
//! of maximum errors for the functions of single precision.

use port_check::DType;

/// A binary floating-point format.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Format {
    /// Unit roundoff: half the distance from 1 to the next number.
    pub unit: f64,
    /// Half the spacing of subnormal numbers.
    pub tiny: f64,
    /// Largest finite number.
    pub largest: f64,
}

/// IEEE binary64.
pub const F64: Format = Format { unit: 1.110_223_024_625_156_5e-16, tiny: 0.0, largest: f64::MAX };
/// IEEE binary32.
pub const F32: Format = Format {
    unit: 5.960_464_477_539_063e-8,
    tiny: 7.006_492_321_624_085e-46,
    largest: f32::MAX as f64,
};
/// IEEE binary16.
pub const F16: Format =
    Format { unit: 4.882_812_5e-4, tiny: 2.980_232_238_769_531_3e-8, largest: 65_504.0 };
/// The upper half of a binary32.
pub const BF16: Format = Format {
    unit: 3.906_25e-3,
    tiny: 4.591_774_807_899_561e-41,
    largest: 3.389_531_389_251_535_5e38,
};

impl Format {
    /// The format of a tensor's elements. Panics for integer types, which do not round.
    pub fn of(dtype: DType) -> Format {
        match dtype {
            DType::F64 => F64,
            DType::F32 => F32,
            DType::F16 => F16,
            DType::BF16 => BF16,
            _ => panic!("{} is no floating-point format", dtype.name()),
        }
    }
}

/// An exact value and a bound on the distance of its computed form.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounded {
    /// The exact value.
    pub value: f64,
    /// Bound on `|computed - value|`.
    pub error: f64,
}

impl Bounded {
    /// A value that is represented without error.
    pub fn exact(value: f64) -> Bounded {
        Bounded { value, error: 0.0 }
    }

    /// A value with a bound known from elsewhere.
    pub fn new(value: f64, error: f64) -> Bounded {
        Bounded { value, error }
    }

    /// Largest magnitude of the computed form.
    fn magnitude(self) -> f64 {
        self.value.abs() + self.error
    }

    /// After one rounding to `format`.
    pub fn rounded(self, format: Format) -> Bounded {
        let rounding = self.magnitude() * format.unit + format.tiny;
        Bounded { value: self.value, error: self.error + rounding }
    }

    /// The product before rounding.
    pub fn times(self, other: Bounded) -> Bounded {
        Bounded {
            value: self.value * other.value,
            error: self.value.abs() * other.error + other.magnitude() * self.error,
        }
    }

    /// The sum before rounding.
    pub fn plus(self, other: Bounded) -> Bounded {
        Bounded { value: self.value + other.value, error: self.error + other.error }
    }

    /// The quotient before rounding. The divisor's bound must leave it away from zero.
    pub fn over(self, divisor: Bounded) -> Bounded {
        let value = self.value / divisor.value;
        let smallest = divisor.value.abs() - divisor.error;
        if smallest <= 0.0 {
            return Bounded { value, error: f64::INFINITY };
        }
        Bounded { value, error: (self.error + value.abs() * divisor.error) / smallest }
    }

    /// The sum of any number of terms in `format`, in any order.
    pub fn sum(terms: impl IntoIterator<Item = Bounded>, format: Format) -> Bounded {
        let (mut count, mut total, mut inherited, mut magnitude) = (0.0, 0.0, 0.0, 0.0);
        for term in terms {
            count += 1.0;
            total += term.value;
            inherited += term.error;
            magnitude += term.magnitude();
        }
        let rounding = count * format.unit / (1.0 - count * format.unit) * magnitude;
        // An f64 reference of an f64 sum rounds as much as the kernel does.
        let reference = if format == F64 { rounding } else { 0.0 };
        Bounded { value: total, error: inherited + rounding + reference }
    }

    /// The larger of two values: no rounding.
    pub fn max(self, other: Bounded) -> Bounded {
        Bounded { value: self.value.max(other.value), error: self.error.max(other.error) }
    }

    /// The result `value` of a single-precision function whose argument error moves it by at most
    /// `moved` and whose own error is at most `ulps` units in the last place.
    pub fn function(value: f64, moved: f64, ulps: f64) -> Bounded {
        let own = ulps * (2.0 * F32.unit * (value.abs() + moved) + 2.0 * F32.tiny);
        Bounded { value, error: moved + own }
    }

    /// `expf`, and `__expf` with its wider bound.
    pub fn exp(self, ulps: f64) -> Bounded {
        let value = self.value.exp();
        Bounded::function(value, value * self.error.exp_m1(), ulps)
    }

    /// `1 / sqrt(x)` by `rsqrtf`: 2 ulp.
    pub fn rsqrt(self) -> Bounded {
        let value = self.value.sqrt().recip();
        let lowest = (self.value - self.error).max(0.0);
        Bounded::function(value, lowest.sqrt().recip() - value, 2.0)
    }

    /// `logf`: 1 ulp.
    pub fn ln(self) -> Bounded {
        let value = self.value.ln();
        Bounded::function(value, -(-self.error / self.value).ln_1p(), 1.0)
    }

    /// `erff`: 2 ulp. Its slope is at most 2 / √π.
    pub fn erf(self) -> Bounded {
        Bounded::function(erf(self.value), self.error * std::f64::consts::FRAC_2_SQRT_PI, 2.0)
    }

    /// `tanhf`: 2 ulp. Its slope is at most 1.
    pub fn tanh(self) -> Bounded {
        Bounded::function(self.value.tanh(), self.error, 2.0)
    }

    /// `cosf` over all angles: 2 ulp. Its slope is at most 1.
    pub fn cos(self) -> Bounded {
        Bounded::function(self.value.cos(), self.error, 2.0)
    }

    /// `sinf` over all angles: 2 ulp. Its slope is at most 1.
    pub fn sin(self) -> Bounded {
        Bounded::function(self.value.sin(), self.error, 2.0)
    }
}

/// Single-precision operations, each rounded once.
impl std::ops::Add for Bounded {
    type Output = Bounded;
    fn add(self, other: Bounded) -> Bounded {
        self.plus(other).rounded(F32)
    }
}

impl std::ops::Sub for Bounded {
    type Output = Bounded;
    fn sub(self, other: Bounded) -> Bounded {
        self + -other
    }
}

impl std::ops::Mul for Bounded {
    type Output = Bounded;
    fn mul(self, other: Bounded) -> Bounded {
        self.times(other).rounded(F32)
    }
}

impl std::ops::Div for Bounded {
    type Output = Bounded;
    fn div(self, other: Bounded) -> Bounded {
        self.over(other).rounded(F32)
    }
}

impl std::ops::Neg for Bounded {
    type Output = Bounded;
    fn neg(self) -> Bounded {
        Bounded { value: -self.value, error: self.error }
    }
}

/// The error function to about 1e-15: the Maclaurin series (Abramowitz and Stegun 7.1.6, whose terms
/// are all positive) near zero, the continued fraction of the complement (7.1.14) elsewhere.
pub fn erf(x: f64) -> f64 {
    let magnitude = x.abs();
    if magnitude < 2.5 {
        // erf x = 2/√π · exp(−x²) · Σ 2ⁿ x²ⁿ⁺¹ / (1·3·…·(2n+1))
        let (mut term, mut sum, mut n) = (magnitude, magnitude, 1.0);
        while term > sum * 1e-17 && n < 200.0 {
            term *= 2.0 * x * x / (2.0 * n + 1.0);
            sum += term;
            n += 1.0;
        }
        return x.signum() * std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum;
    }
    // √π · exp(x²) · erfc x = 1/(x + (1/2)/(x + 1/(x + (3/2)/(x + 2/(x + …)))))
    let mut tail = magnitude;
    for n in (1..=120).rev() {
        tail = magnitude + f64::from(n) / 2.0 / tail;
    }
    let complement = (-x * x).exp() / tail * std::f64::consts::FRAC_2_SQRT_PI / 2.0;
    x.signum() * (1.0 - complement)
}

#[cfg(test)]
mod tests {
    use port_check::generate::{Generator, generate};

    use super::*;

    #[test]
    fn erf_has_its_tabulated_values() {
        // Abramowitz and Stegun, table 7.1, and the NIST Digital Library of Mathematical Functions.
        for (x, expected) in [
            (0.0, 0.0),
            (0.5, 0.520_499_877_813_046_5),
            (1.0, 0.842_700_792_949_714_9),
            (2.0, 0.995_322_265_018_952_7),
            (3.0, 0.999_977_909_503_001_4),
        ] {
            assert!((erf(x) - expected).abs() < 1e-15, "erf({x}) = {}", erf(x));
            assert_eq!(erf(-x), -erf(x));
        }
        assert!((erf(2.5 - 1e-12) - erf(2.5)).abs() < 1e-13);
    }

    #[test]
    fn a_single_precision_evaluation_stays_within_its_bound() {
        // A dot product, a quotient and an exponential, in f32 in two orders.
        let normal = Generator::Normal { mean: 0.0, deviation: 1.0 };
        for seed in 0..200 {
            let x = generate(&normal, DType::F32, &[97], seed).to_f32();
            let terms = x.iter().map(|v| {
                Bounded::exact(f64::from(*v)).times(Bounded::exact(f64::from(*v))).rounded(F32)
            });
            let bound = (Bounded::sum(terms, F32) / Bounded::exact(97.0)).exp(1.0);
            for reversed in [false, true] {
                let squares: Vec<f32> = if reversed {
                    x.iter().rev().map(|v| v * v).collect()
                } else {
                    x.iter().map(|v| v * v).collect()
                };
                let computed = (squares.iter().sum::<f32>() / 97.0).exp();
                let distance = (f64::from(computed) - bound.value).abs();
                assert!(distance <= bound.error, "{distance} > {}", bound.error);
            }
            assert!(bound.error < 1e-4 * bound.value, "the bound says nothing");
        }
    }

    #[test]
    fn rounding_covers_half_an_ulp_and_subnormals() {
        for (format, dtype) in [(F32, DType::F32), (F16, DType::F16), (BF16, DType::BF16)] {
            for value in [1.000_7, 0.3, 1e-3, 1e-7, 3e-8, 1e-40, 2e-45] {
                let stored = port_check::Tensor::from_f64(dtype, &[value]).get_f64(0);
                assert!((stored - value).abs() <= Bounded::exact(value).rounded(format).error);
            }
        }
    }
}
