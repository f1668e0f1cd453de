//! A binary32 number whose operations round as one compilation mode rounds them.
//!
//! `Number<false>` keeps subnormals; `Number<true>` replaces subnormal operands and results by zeros
//! of the same sign, as every instruction with `.ftz` does. A function written once over `Number`
//! thereby exists in both modes.

use std::ops::{Add, Mul, Neg, Sub};

use super::hardware;

/// A binary32 number; `FLUSH` says whether its operations flush subnormals.
#[derive(Clone, Copy, Debug)]
pub(super) struct Number<const FLUSH: bool>(f32);

/// A constant, written as its bits so that no decimal conversion stands between it and its source.
#[inline]
pub(super) const fn constant<const FLUSH: bool>(bits: u32) -> Number<FLUSH> {
    Number(f32::from_bits(bits))
}

#[inline]
fn flushed<const FLUSH: bool>(x: f32) -> f32 {
    if FLUSH { hardware::flush(x) } else { x }
}

impl<const FLUSH: bool> Number<FLUSH> {
    pub(super) const ZERO: Self = constant(0);
    pub(super) const HALF: Self = constant(0x3f00_0000);
    pub(super) const ONE: Self = constant(0x3f80_0000);
    pub(super) const TWO: Self = constant(0x4000_0000);
    pub(super) const INFINITY: Self = constant(0x7f80_0000);
    pub(super) const NAN: Self = constant(0x7fff_ffff);

    /// As it is: nothing is flushed before an operation reads it.
    #[inline]
    pub(super) fn new(x: f32) -> Self {
        Number(x)
    }

    /// The result of a function: the one NaN that these units produce stands for all of them.
    #[inline]
    pub(super) fn result(self) -> f32 {
        hardware::canonical(self.0)
    }

    #[inline]
    pub(super) fn raw(self) -> f32 {
        self.0
    }

    #[inline]
    pub(super) fn bits(self) -> u32 {
        self.0.to_bits()
    }

    /// The operand as an instruction of this mode reads it.
    #[inline]
    fn operand(self) -> f32 {
        flushed::<FLUSH>(self.0)
    }

    /// `self · b + c`, rounded once.
    #[inline]
    pub(super) fn fma(self, b: Self, c: Self) -> Self {
        Number(flushed::<FLUSH>(self.operand().mul_add(b.operand(), c.operand())))
    }

    #[inline]
    pub(super) fn abs(self) -> Self {
        Number(self.operand().abs())
    }

    /// This magnitude with the sign of `sign`: bits move, nothing is flushed.
    #[inline]
    pub(super) fn with_sign_of(self, sign: Self) -> Self {
        Number(self.0.copysign(sign.0))
    }

    #[inline]
    pub(super) fn is_nan(self) -> bool {
        self.0.is_nan()
    }

    #[inline]
    pub(super) fn less(self, other: Self) -> bool {
        self.operand() < other.operand()
    }

    #[inline]
    pub(super) fn at_most(self, other: Self) -> bool {
        self.operand() <= other.operand()
    }

    #[inline]
    pub(super) fn greater(self, other: Self) -> bool {
        self.operand() > other.operand()
    }

    #[inline]
    pub(super) fn at_least(self, other: Self) -> bool {
        self.operand() >= other.operand()
    }

    #[inline]
    pub(super) fn equals(self, other: Self) -> bool {
        self.operand() == other.operand()
    }

    /// Toward zero to an integer; no mode flushes a result here, for it is none or an integer.
    #[inline]
    pub(super) fn truncated(self) -> Self {
        Number(self.0.trunc())
    }

    /// To the nearest integer, ties to even.
    #[inline]
    pub(super) fn rounded(self) -> Self {
        Number(self.0.round_ties_even())
    }

    #[inline]
    pub(super) fn floor(self) -> Self {
        Number(self.0.floor())
    }

    /// The nearest integer that fits; NaN gives 0.
    #[inline]
    pub(super) fn to_integer(self) -> i32 {
        self.0.round_ties_even() as i32
    }

    #[inline]
    pub(super) fn from_integer(n: i32) -> Self {
        Number(n as f32)
    }

    /// Into [0, 1]; NaN gives 0.
    #[inline]
    pub(super) fn saturated(self) -> Self {
        Number(hardware::saturate(self.0))
    }

    /// `self + other` rounded toward zero.
    #[inline]
    pub(super) fn add_toward_zero(self, other: Self) -> Self {
        let (a, b) = (self.operand(), other.operand());
        Number(flushed::<FLUSH>(hardware::fma_toward_zero(a, 1.0, b)))
    }

    /// `self · other` rounded toward zero.
    #[inline]
    pub(super) fn multiply_toward_zero(self, other: Self) -> Self {
        let (a, b) = (self.operand(), other.operand());
        Number(flushed::<FLUSH>(hardware::multiply_toward_zero(a, b)))
    }

    /// ∑ of `self^k` times the coefficients, highest power first, by fused steps.
    #[inline]
    pub(super) fn polynomial<const N: usize>(self, coefficients: [u32; N]) -> Self {
        let mut sum = constant::<FLUSH>(coefficients[0]);
        for &coefficient in &coefficients[1..] {
            sum = sum.fma(self, constant(coefficient));
        }
        sum
    }

    // ---- approximations ---------------------------------------------------------------------------

    /// 2^self, the unit alone.
    #[inline]
    pub(super) fn ex2(self) -> Self {
        Number(hardware::ex2(self.0))
    }

    /// log₂ self, the unit alone.
    #[inline]
    pub(super) fn lg2(self) -> Self {
        Number(hardware::lg2(self.0))
    }

    /// 1/self, the unit alone.
    #[inline]
    pub(super) fn rcp(self) -> Self {
        Number(hardware::rcp(self.0))
    }

    /// 1/√self, the unit alone.
    #[inline]
    pub(super) fn rsq(self) -> Self {
        Number(hardware::rsq(self.0))
    }

    /// 2^self as this mode's `ex2.approx`.
    #[inline]
    pub(super) fn exp2(self) -> Self {
        Number(hardware::exp2(self.0, FLUSH))
    }

    /// log₂ self as this mode's `lg2.approx`.
    #[inline]
    pub(super) fn log2(self) -> Self {
        Number(hardware::log2(self.0, FLUSH))
    }

    /// 1/√self as this mode's `rsqrt.approx`.
    #[inline]
    pub(super) fn rsqrt(self) -> Self {
        Number(hardware::rsqrt(self.0, FLUSH))
    }

    /// `self / divisor` as this mode's `div.approx`.
    #[inline]
    pub(super) fn divide_approximately(self, divisor: Self) -> Self {
        Number(hardware::divide(self.0, divisor.0, FLUSH))
    }

    /// `self / divisor` as this mode's `div.full`.
    #[inline]
    pub(super) fn divide_full_range(self, divisor: Self) -> Self {
        Number(hardware::divide_full_range(self.0, divisor.0, FLUSH))
    }

    /// `self / divisor`, rounded once.
    #[inline]
    pub(super) fn divide(self, divisor: Self) -> Self {
        Number(flushed::<FLUSH>(self.operand() / divisor.operand()))
    }

    /// √self, rounded once.
    #[inline]
    pub(super) fn sqrt(self) -> Self {
        Number(flushed::<FLUSH>(self.operand().sqrt()))
    }
}

impl<const FLUSH: bool> Add for Number<FLUSH> {
    type Output = Self;
    #[inline]
    fn add(self, other: Self) -> Self {
        Number(flushed::<FLUSH>(self.operand() + other.operand()))
    }
}

impl<const FLUSH: bool> Sub for Number<FLUSH> {
    type Output = Self;
    #[inline]
    fn sub(self, other: Self) -> Self {
        Number(flushed::<FLUSH>(self.operand() - other.operand()))
    }
}

impl<const FLUSH: bool> Mul for Number<FLUSH> {
    type Output = Self;
    #[inline]
    fn mul(self, other: Self) -> Self {
        Number(flushed::<FLUSH>(self.operand() * other.operand()))
    }
}

impl<const FLUSH: bool> Neg for Number<FLUSH> {
    type Output = Self;
    #[inline]
    fn neg(self) -> Self {
        Number(-self.operand())
    }
}
