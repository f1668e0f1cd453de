//! Numbers as unevaluated sums of two f64: about 106 bits.
//!
//! Sums are the short form: the error is at most 2^-104 of the larger operand, not always of the
//! result, which is as if the operands had been off by that. What is not finite has no low part.
//! Square roots, exponentials and logarithms are good to about 100 bits; of other functions the high
//! part is the f64 function's, corrected to first order by the operand's low part.

use std::sync::LazyLock;

use port_ir::MathFunction;

/// `hi + lo`, where `lo` is at most half a unit in the last place of `hi`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Dd {
    pub(crate) hi: f64,
    pub(crate) lo: f64,
}

/// `a + b` and what was rounded away.
#[inline(always)]
fn two_sum(a: f64, b: f64) -> (f64, f64) {
    let s = a + b;
    let t = s - a;
    (s, (a - (s - t)) + (b - t))
}

/// The product and what was rounded away.
#[inline(always)]
fn two_product(a: f64, b: f64) -> (f64, f64) {
    let p = a * b;
    (p, a.mul_add(b, -p))
}

/// A sum whose second part is small beside the first.
#[inline(always)]
fn finish(s: f64, e: f64) -> Dd {
    let hi = s + e;
    let lo = e - (hi - s);
    // Of infinities and NaN the low part would be NaN, of what is beyond the range infinite.
    let finite = lo.abs() < f64::INFINITY;
    Dd { hi: if finite { hi } else { s }, lo: if finite { lo } else { 0.0 } }
}

impl From<f64> for Dd {
    #[inline(always)]
    fn from(hi: f64) -> Self {
        Dd { hi, lo: 0.0 }
    }
}

impl Dd {
    #[inline(always)]
    pub(crate) const fn new(hi: f64, lo: f64) -> Self {
        Dd { hi, lo }
    }

    #[inline(always)]
    pub(crate) fn add(self, b: Dd) -> Dd {
        let (s, e) = two_sum(self.hi, b.hi);
        finish(s, e + (self.lo + b.lo))
    }

    /// `self + b`
    #[inline(always)]
    pub(crate) fn add_one(self, b: f64) -> Dd {
        let (s, e) = two_sum(self.hi, b);
        finish(s, e + self.lo)
    }

    /// `self * b`
    #[inline(always)]
    pub(crate) fn multiply_one(self, b: f64) -> Dd {
        let (p, e) = two_product(self.hi, b);
        finish(p, self.lo.mul_add(b, e))
    }

    /// `self * b + c`
    #[inline(always)]
    pub(crate) fn fused_one(self, b: f64, c: Dd) -> Dd {
        let (p, e) = two_product(self.hi, b);
        let e = self.lo.mul_add(b, e);
        let (s, f) = two_sum(p, c.hi);
        finish(s, f + (e + c.lo))
    }

    #[inline(always)]
    pub(crate) fn negate(self) -> Dd {
        Dd { hi: -self.hi, lo: -self.lo }
    }

    #[inline(always)]
    pub(crate) fn subtract(self, b: Dd) -> Dd {
        self.add(b.negate())
    }

    #[inline(always)]
    pub(crate) fn multiply(self, b: Dd) -> Dd {
        let (p, e) = two_product(self.hi, b.hi);
        finish(p, self.hi.mul_add(b.lo, self.lo.mul_add(b.hi, e)))
    }

    /// `self * b + c`
    #[inline(always)]
    pub(crate) fn fused(self, b: Dd, c: Dd) -> Dd {
        let (p, e) = two_product(self.hi, b.hi);
        let e = self.hi.mul_add(b.lo, self.lo.mul_add(b.hi, e));
        let (s, f) = two_sum(p, c.hi);
        finish(s, f + (e + c.lo))
    }

    #[inline(always)]
    pub(crate) fn divide(self, b: Dd) -> Dd {
        let q = self.hi / b.hi;
        let (p, e) = two_product(q, b.hi);
        let rest = ((self.hi - p) - e) + (self.lo - q * b.lo);
        finish(q, rest / b.hi)
    }

    #[inline(always)]
    pub(crate) fn scale(self, by: f64) -> Dd {
        Dd { hi: self.hi * by, lo: self.lo * by }
    }

    pub(crate) fn sqrt(self) -> Dd {
        let x = self.hi.sqrt();
        if x == 0.0 || !x.is_finite() {
            return x.into();
        }
        self.sqrt_ordinary()
    }

    /// Of a number above zero.
    #[inline(always)]
    pub(crate) fn sqrt_ordinary(self) -> Dd {
        let x = self.hi.sqrt();
        let rest = (-x).mul_add(x, self.hi) + self.lo;
        finish(x, rest / (2.0 * x))
    }

    fn cbrt(self) -> Dd {
        let x = self.hi.cbrt();
        if x == 0.0 || !x.is_finite() {
            return x.into();
        }
        // One step of Newton's.
        let x = Dd::from(x);
        let rest = self.subtract(x.multiply(x).multiply(x));
        finish(x.hi, rest.hi / (3.0 * x.hi * x.hi))
    }

    /// Where it is not finite, or beyond the range, the f64 function's value.
    #[inline(always)]
    pub(crate) fn exp(self) -> Dd {
        if self.is_ordinary() { self.exp_ordinary() } else { self.hi.exp().into() }
    }

    /// Whether [`Dd::exp_ordinary`] serves it.
    #[inline(always)]
    pub(crate) fn is_ordinary(self) -> bool {
        self.hi.abs() < 700.0
    }

    #[inline(always)]
    fn exp_ordinary(self) -> Dd {
        let shifted = shifted(self.hi);
        let (coarse, fine) = powers(shifted);
        scaled(power(reduced(self, shifted), coarse, fine), shifted)
    }

    fn exp_minus_one(self) -> Dd {
        if self.hi.abs() < 1.0 / 512.0 {
            return expm1_small(self);
        }
        if self.hi > 700.0 {
            return self.exp();
        }
        self.exp().subtract(1.0.into())
    }

    pub(crate) fn ln(self) -> Dd {
        let y = self.hi.ln();
        if !y.is_finite() {
            return y.into();
        }
        // One step of Newton's: y + (x e^-y - 1).
        let y = Dd::from(y);
        let rest = self.multiply(y.negate().exp()).subtract(1.0.into());
        y.add(rest)
    }

    fn ln_one_plus(self) -> Dd {
        if self.hi.abs() < 1e-4 {
            // x - x^2/2 + x^3/3 - …
            let mut sum = Dd::default();
            for n in (1..=10).rev() {
                sum = inverse(f64::from(n)).subtract(self.multiply(sum));
            }
            return sum.multiply(self);
        }
        Dd::from(1.0).add(self).ln()
    }

    fn tanh(self) -> Dd {
        if self.hi.abs() > 40.0 {
            return self.hi.tanh().into();
        }
        let e = self.scale(2.0).exp_minus_one();
        e.divide(e.add(2.0.into()))
    }

    fn sinh(self) -> Dd {
        if self.hi.abs() > 700.0 {
            return self.hi.sinh().into();
        }
        let e = self.exp_minus_one();
        e.add(e.divide(e.add(1.0.into()))).scale(0.5)
    }

    fn cosh(self) -> Dd {
        if self.hi.abs() > 700.0 {
            return self.hi.cosh().into();
        }
        let e = self.exp();
        e.add(Dd::from(1.0).divide(e)).scale(0.5)
    }

    /// Sine and cosine.
    fn sin_cos(self) -> (Dd, Dd) {
        if !self.hi.is_finite() || self.hi.abs() >= 1e5 {
            let (s, c) = self.hi.sin_cos();
            return (finish(s, c * self.lo), finish(c, -s * self.lo));
        }
        let k = (self.hi * std::f64::consts::FRAC_2_PI).round();
        let r = [PI_HALF.0, PI_HALF.1, PI_HALF.2]
            .into_iter()
            .fold(self, |r, part| r.subtract(Dd::from(part).multiply(k.into())));
        let square = r.multiply(r);
        let (mut s, mut c) = (Dd::default(), Dd::default());
        for n in (1..=14).rev() {
            let n = f64::from(n);
            let by = |a: f64, b: f64| inverse(a * b).negate();
            s = by(2.0 * n, 2.0 * n + 1.0).multiply(square).multiply(s.add(1.0.into()));
            c = by(2.0 * n - 1.0, 2.0 * n).multiply(square).multiply(c.add(1.0.into()));
        }
        let (s, c) = (s.add(1.0.into()).multiply(r), c.add(1.0.into()));
        match (k as i64).rem_euclid(4) {
            0 => (s, c),
            1 => (c, s.negate()),
            2 => (s.negate(), c.negate()),
            _ => (c.negate(), s),
        }
    }

    /// Above zero, at zero or below.
    fn sign(self) -> f64 {
        if self.hi == 0.0 { 0.0 } else { self.hi.signum() }
    }

    pub(crate) fn absolute(self) -> Dd {
        if self.sign() < 0.0 { self.negate() } else { self }
    }
}

pub(crate) const LN_2: Dd = Dd::new(std::f64::consts::LN_2, 2.3190468138462996e-17);
pub(crate) const LN_10: Dd = Dd::new(std::f64::consts::LN_10, -2.1707562233822494e-16);
const PI: Dd = Dd::new(std::f64::consts::PI, 1.2246467991473532e-16);
const PI_HALF: (f64, f64, f64) =
    (std::f64::consts::FRAC_PI_2, 6.123233995736766e-17, -1.4973849048591833e-33);

// The exponential: e^x = 2^(k / 1024) e^r with |r| at most ln 2 / 2048.

/// Parts of a power of two: `k / 1024` is an integer, a number of 32nds, and one of 1024ths.
const PARTS: usize = 32;

/// The powers of two of the 32nds and of the 1024ths.
static POWERS: LazyLock<[[Dd; PARTS]; 2]> = LazyLock::new(|| {
    [32.0, 1024.0].map(|parts| {
        std::array::from_fn(|j| {
            let x = LN_2.scale(1.0 / parts).multiply((j as f64).into());
            // 1 + x (1 + x/2 (1 + x/3 (1 + …)))
            let one = Dd::from(1.0);
            let terms = (1..=40).rev().map(f64::from);
            terms.fold(one, |sum, n| x.multiply(inverse(n)).fused(sum, one))
        })
    })
});

/// The terms of the series of e^x - 1, innermost first.
const TERMS: [f64; 10] = [11.0, 10.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0, 3.0, 2.0];

/// Adding it rounds to an integer, which then stands in the low bits.
const ROUNDER: f64 = 6_755_399_441_055_744.0;

/// `k`, added to [`ROUNDER`].
#[inline(always)]
pub(crate) fn shifted(x: f64) -> f64 {
    x * (1024.0 * std::f64::consts::LOG2_E) + ROUNDER
}

/// `r`
#[inline(always)]
pub(crate) fn reduced(x: Dd, shifted: f64) -> Dd {
    let by = Dd::new(LN_2.hi / -1024.0, LN_2.lo / -1024.0);
    by.fused_one(shifted - ROUNDER, x)
}

/// `k`
#[inline(always)]
fn count(shifted: f64) -> i64 {
    shifted.to_bits().wrapping_sub(ROUNDER.to_bits()) as i64
}

/// The powers of two of the 32nds and 1024ths of `k`.
#[inline(always)]
pub(crate) fn powers(shifted: f64) -> (Dd, Dd) {
    let (k, powers) = (count(shifted) as usize, &*POWERS);
    (powers[0][k / PARTS % PARTS], powers[1][k % PARTS])
}

/// As [`powers`], of several; high and low parts apart.
#[inline(always)]
pub(crate) fn gather<const N: usize>(
    shifted: &[f64; N],
    coarse: [&mut [f64; N]; 2],
    fine: [&mut [f64; N]; 2],
) {
    let powers = &*POWERS;
    for l in 0..N {
        let k = count(shifted[l]) as usize;
        let (first, second) = (powers[0][k / PARTS % PARTS], powers[1][k % PARTS]);
        (coarse[0][l], coarse[1][l]) = (first.hi, first.lo);
        (fine[0][l], fine[1][l]) = (second.hi, second.lo);
    }
}

/// `e^r` times two powers.
#[inline(always)]
pub(crate) fn power(r: Dd, coarse: Dd, fine: Dd) -> Dd {
    // From the fifth term on 53 bits are enough: r^5 / 5! is below 2^-63.
    let h = r.hi;
    let rest = h
        .mul_add(h.mul_add(h.mul_add(h * (1.0 / 40320.0), 1.0 / 5040.0), 1.0 / 720.0), 1.0 / 120.0);
    let sum = inverse(24.0).add_one(h * rest);
    let sum = r.fused(sum, inverse(6.0));
    let sum = r.fused(sum, Dd::new(0.5, 0.0));
    let sum = r.fused(sum, Dd::new(1.0, 0.0));
    let two = coarse.multiply(fine);
    two.fused(r.multiply(sum), two)
}

/// A number times the power of two of the integer part of `k / 1024`.
#[inline(always)]
pub(crate) fn scaled(x: Dd, shifted: f64) -> Dd {
    let exponent = (count(shifted) >> 10).wrapping_add(1023) as u64;
    x.scale(f64::from_bits(exponent << 52))
}

/// `1 / n`
#[inline(always)]
pub(crate) fn inverse(n: f64) -> Dd {
    let hi = 1.0 / n;
    Dd { hi, lo: (-n).mul_add(hi, 1.0) * hi }
}

/// e^x - 1 for small x, by its series.
#[inline(always)]
fn expm1_small(x: Dd) -> Dd {
    // Horner: x (1 + x/2 (1 + x/3 (1 + …)))
    let mut sum = Dd::from(1.0);
    for n in TERMS {
        sum = x.multiply(inverse(n)).fused(sum, 1.0.into());
    }
    x.multiply(sum)
}

/// A function of the twins; `value` is the f64 function. `None` for one whose result is a matter of
/// the value.
pub(crate) fn function(
    function: MathFunction,
    x: &[Dd; 4],
    value: impl Fn([f64; 4]) -> f64,
) -> Option<Dd> {
    use MathFunction as M;
    let [a, b, c, d] = *x;
    let one = Dd::from(1.0);
    let square = |x: Dd| x.multiply(x);
    let reliable = |result: Dd| result.hi.is_finite() && result.hi != 0.0;
    let result = match function {
        M::SquareRoot => a.sqrt(),
        M::ReciprocalSquareRoot => one.divide(a.sqrt()),
        M::Reciprocal => one.divide(a),
        M::CubeRoot => a.cbrt(),
        M::ReciprocalCubeRoot => one.divide(a.cbrt()),
        M::Exp => a.exp(),
        M::Exp2 => a.multiply(LN_2).exp(),
        M::Exp10 => a.multiply(LN_10).exp(),
        M::ExpMinusOne => a.exp_minus_one(),
        M::Log => a.ln(),
        M::Log2 => a.ln().divide(LN_2),
        M::Log10 => a.ln().divide(LN_10),
        M::LogOnePlus => a.ln_one_plus(),
        M::Sin => a.sin_cos().0,
        M::Cos => a.sin_cos().1,
        M::Tan => {
            let (s, c) = a.sin_cos();
            s.divide(c)
        }
        M::SinPi if a.hi.abs() < 1e4 => a.multiply(PI).sin_cos().0,
        M::CosPi if a.hi.abs() < 1e4 => a.multiply(PI).sin_cos().1,
        M::Sinh => a.sinh(),
        M::Cosh => a.cosh(),
        M::Tanh => a.tanh(),
        M::Hypot => square(a).add(square(b)).sqrt(),
        M::ReciprocalHypot => one.divide(square(a).add(square(b)).sqrt()),
        M::Norm3 => square(a).add(square(b)).add(square(c)).sqrt(),
        M::ReciprocalNorm3 => one.divide(square(a).add(square(b)).add(square(c)).sqrt()),
        M::Norm4 => square(a).add(square(b)).add(square(c)).add(square(d)).sqrt(),
        M::ReciprocalNorm4 => {
            one.divide(square(a).add(square(b)).add(square(c)).add(square(d)).sqrt())
        }
        M::Power if a.hi > 0.0 => a.ln().multiply(b).exp(),
        M::PositiveDifference if a.hi > b.hi => a.subtract(b),
        M::Saturate if a.hi > 0.0 && a.hi < 1.0 => a,
        M::Floor
        | M::Ceil
        | M::Trunc
        | M::Round
        | M::RoundEven
        | M::NextAfter
        | M::LogBinary
        | M::FrexpFraction
        | M::CopySign
        | M::FloatModulo
        | M::FloatRemainder => return None,
        _ => {
            let here = value([a.hi, b.hi, c.hi, d.hi]);
            return Some(match slope(function, a.hi, here) {
                Some(slope) => finish(here, slope * a.lo),
                None => here.into(),
            });
        }
    };
    // At the ends of the range (overflow, zero, what is not defined) the f64 function knows more.
    Some(if reliable(result) { result } else { value([a.hi, b.hi, c.hi, d.hi]).into() })
}

/// The derivative of some functions of one number.
fn slope(function: MathFunction, x: f64, y: f64) -> Option<f64> {
    use MathFunction as M;
    let slope = match function {
        M::Asin => 1.0 / (1.0 - x * x).sqrt(),
        M::Acos => -1.0 / (1.0 - x * x).sqrt(),
        M::Atan => 1.0 / (1.0 + x * x),
        M::Asinh => 1.0 / (1.0 + x * x).sqrt(),
        M::Acosh => 1.0 / (x * x - 1.0).sqrt(),
        M::Atanh => 1.0 / (1.0 - x * x),
        M::Erf => std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp(),
        M::Erfc => -std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp(),
        M::ErfcScaled => 2.0 * x * y - std::f64::consts::FRAC_2_SQRT_PI,
        M::NormalCdf => {
            std::f64::consts::FRAC_2_SQRT_PI * std::f64::consts::SQRT_2 / 4.0 * (-x * x / 2.0).exp()
        }
        _ => return None,
    };
    slope.is_finite().then_some(slope)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Values to 40 digits, from tables.
    #[test]
    fn functions_have_many_digits() {
        let close = |got: Dd, hi: f64, lo: f64, bits: i32| {
            let error = ((got.hi - hi) + (got.lo - lo)).abs();
            assert!(error <= hi.abs() * 2f64.powi(-bits), "{got:?} {hi} {lo}: {error}");
        };
        // e, ln 3, sqrt 2, sin 1, cos 1, tanh 1.
        close(Dd::from(1.0).exp(), std::f64::consts::E, 1.4456468917292502e-16, 98);
        close(Dd::from(3.0).ln(), 1.0986122886681098, -9.07129723500153e-17, 98);
        close(Dd::from(2.0).sqrt(), std::f64::consts::SQRT_2, -9.667293313452913e-17, 100);
        let (s, c) = Dd::from(1.0).sin_cos();
        let one = s.multiply(s).add(c.multiply(c));
        close(one, 1.0, 0.0, 98);
        // exp and ln undo each other; tanh by another way.
        for x in [1e-9, 0.3, 1.0, 7.5, -20.25, 300.0] {
            let x = Dd::new(x, x * 3e-17);
            let back = x.exp().ln();
            let error = back.subtract(x).hi.abs();
            assert!(error <= 2f64.powi(-96) * x.hi.abs().max(1.0), "{x:?} {error}");
            let (a, b) = (x.exp(), x.negate().exp());
            let tanh = a.subtract(b).divide(a.add(b));
            let error = x.tanh().subtract(tanh).hi.abs();
            assert!(error <= 2f64.powi(-96), "{x:?} {error}");
            let log = x.exp_minus_one().ln_one_plus();
            let error = log.subtract(x).hi.abs();
            assert!(x.hi < -10.0 || error <= 2f64.powi(-92) * x.hi.abs(), "{x:?} {error}");
        }
        assert_eq!(Dd::from(f64::NEG_INFINITY).exp(), 0.0.into());
        assert_eq!(Dd::from(f64::INFINITY).add(1.0.into()), f64::INFINITY.into());
        assert_eq!(Dd::from(0.0).ln().hi, f64::NEG_INFINITY);
    }

    #[test]
    fn sums_and_products_keep_both_parts() {
        let tiny = Dd::from(2f64.powi(-80));
        let sum = Dd::from(1.0).add(tiny);
        assert_eq!(sum.subtract(1.0.into()), tiny);
        let square = sum.multiply(sum);
        assert_eq!(square.subtract(1.0.into()).hi, 2f64.powi(-79));
        let third = Dd::from(1.0).divide(3.0.into());
        let rest = third.fused(3.0.into(), Dd::from(-1.0));
        assert!(rest.hi.abs() < 2f64.powi(-103), "{rest:?}");
    }
}
