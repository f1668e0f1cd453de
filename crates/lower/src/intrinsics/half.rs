//! Arithmetic, comparisons and functions of `__half`, `__nv_bfloat16` and their pairs.
//!
//! The plain forms are PTX instructions without a rounding modifier, which ptxas may contract; the
//! `_rn` forms keep it from doing so.

use port_ir::{CompareOp, FloatFlags, FloatOp, MathFunction as M};

use super::{Clamp, Comparison, Intrinsic, Table};

const fn op(op: FloatOp) -> Intrinsic {
    Intrinsic::Float(op, FloatFlags::SOURCE, Clamp::None)
}

const fn strict(op: FloatOp) -> Intrinsic {
    Intrinsic::Float(op, FloatFlags::STRICT, Clamp::None)
}

const fn saturated(op: FloatOp) -> Intrinsic {
    Intrinsic::Float(op, FloatFlags::STRICT, Clamp::Unit)
}

const fn fma(clamp: Clamp) -> Intrinsic {
    Intrinsic::Fma(FloatFlags::STRICT, clamp)
}

const fn math(function: M) -> Intrinsic {
    Intrinsic::Math(function, FloatFlags::STRICT)
}

const fn compare(op: CompareOp, unordered: bool, gives: Comparison) -> Intrinsic {
    Intrinsic::Compare { op, unordered, gives }
}

use CompareOp::{Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual};
use Comparison::{All, Bool, Mask, Number};
use FloatOp::{Add, Divide, Maximum, MaximumNan, Minimum, MinimumNan, Multiply, Subtract};

pub(super) const TABLE: Table = &[
    ("__hadd", op(Add)),
    ("__hadd2", op(Add)),
    ("__hsub", op(Subtract)),
    ("__hsub2", op(Subtract)),
    ("__hmul", op(Multiply)),
    ("__hmul2", op(Multiply)),
    ("__hdiv", strict(Divide)),
    ("__h2div", strict(Divide)),
    ("__hadd_rn", strict(Add)),
    ("__hadd2_rn", strict(Add)),
    ("__hsub_rn", strict(Subtract)),
    ("__hsub2_rn", strict(Subtract)),
    ("__hmul_rn", strict(Multiply)),
    ("__hmul2_rn", strict(Multiply)),
    ("__hadd_sat", saturated(Add)),
    ("__hadd2_sat", saturated(Add)),
    ("__hsub_sat", saturated(Subtract)),
    ("__hsub2_sat", saturated(Subtract)),
    ("__hmul_sat", saturated(Multiply)),
    ("__hmul2_sat", saturated(Multiply)),
    ("__hfma", fma(Clamp::None)),
    ("__hfma2", fma(Clamp::None)),
    ("__hfma_sat", fma(Clamp::Unit)),
    ("__hfma2_sat", fma(Clamp::Unit)),
    ("__hfma_relu", fma(Clamp::Positive)),
    ("__hfma2_relu", fma(Clamp::Positive)),
    ("__hneg", Intrinsic::Negate),
    ("__hneg2", Intrinsic::Negate),
    ("__habs", Intrinsic::Absolute),
    ("__habs2", Intrinsic::Absolute),
    ("__hmax", strict(Maximum)),
    ("__hmax2", strict(Maximum)),
    ("__hmin", strict(Minimum)),
    ("__hmin2", strict(Minimum)),
    ("__hmax_nan", strict(MaximumNan)),
    ("__hmax2_nan", strict(MaximumNan)),
    ("__hmin_nan", strict(MinimumNan)),
    ("__hmin2_nan", strict(MinimumNan)),
    ("__hisnan", Intrinsic::MathOfOperand(M::IsNan, FloatFlags::STRICT)),
    ("__hisinf", Intrinsic::HalfIsInfinite),
    // Comparisons: false with a NaN.
    ("__heq", compare(Equal, false, Bool)),
    ("__hne", compare(NotEqual, false, Bool)),
    ("__hlt", compare(Less, false, Bool)),
    ("__hle", compare(LessEqual, false, Bool)),
    ("__hgt", compare(Greater, false, Bool)),
    ("__hge", compare(GreaterEqual, false, Bool)),
    ("__heq2", compare(Equal, false, Number)),
    ("__hne2", compare(NotEqual, false, Number)),
    ("__hlt2", compare(Less, false, Number)),
    ("__hle2", compare(LessEqual, false, Number)),
    ("__hgt2", compare(Greater, false, Number)),
    ("__hge2", compare(GreaterEqual, false, Number)),
    ("__hbeq2", compare(Equal, false, All)),
    ("__hbne2", compare(NotEqual, false, All)),
    ("__hblt2", compare(Less, false, All)),
    ("__hble2", compare(LessEqual, false, All)),
    ("__hbgt2", compare(Greater, false, All)),
    ("__hbge2", compare(GreaterEqual, false, All)),
    ("__heq2_mask", compare(Equal, false, Mask)),
    ("__hne2_mask", compare(NotEqual, false, Mask)),
    ("__hlt2_mask", compare(Less, false, Mask)),
    ("__hle2_mask", compare(LessEqual, false, Mask)),
    ("__hgt2_mask", compare(Greater, false, Mask)),
    ("__hge2_mask", compare(GreaterEqual, false, Mask)),
    // Unordered comparisons: true with a NaN.
    ("__hequ", compare(Equal, true, Bool)),
    ("__hneu", compare(NotEqual, true, Bool)),
    ("__hltu", compare(Less, true, Bool)),
    ("__hleu", compare(LessEqual, true, Bool)),
    ("__hgtu", compare(Greater, true, Bool)),
    ("__hgeu", compare(GreaterEqual, true, Bool)),
    ("__hequ2", compare(Equal, true, Number)),
    ("__hneu2", compare(NotEqual, true, Number)),
    ("__hltu2", compare(Less, true, Number)),
    ("__hleu2", compare(LessEqual, true, Number)),
    ("__hgtu2", compare(Greater, true, Number)),
    ("__hgeu2", compare(GreaterEqual, true, Number)),
    ("__hbequ2", compare(Equal, true, All)),
    ("__hbneu2", compare(NotEqual, true, All)),
    ("__hbltu2", compare(Less, true, All)),
    ("__hbleu2", compare(LessEqual, true, All)),
    ("__hbgtu2", compare(Greater, true, All)),
    ("__hbgeu2", compare(GreaterEqual, true, All)),
    ("__hequ2_mask", compare(Equal, true, Mask)),
    ("__hneu2_mask", compare(NotEqual, true, Mask)),
    ("__hltu2_mask", compare(Less, true, Mask)),
    ("__hleu2_mask", compare(LessEqual, true, Mask)),
    ("__hgtu2_mask", compare(Greater, true, Mask)),
    ("__hgeu2_mask", compare(GreaterEqual, true, Mask)),
    // Functions.
    ("hceil", math(M::Ceil)),
    ("hcos", math(M::Cos)),
    ("hexp", math(M::Exp)),
    ("hexp10", math(M::Exp10)),
    ("hexp2", math(M::Exp2)),
    ("hfloor", math(M::Floor)),
    ("hlog", math(M::Log)),
    ("hlog10", math(M::Log10)),
    ("hlog2", math(M::Log2)),
    ("hrcp", math(M::Reciprocal)),
    ("hrint", math(M::RoundEven)),
    ("hrsqrt", math(M::ReciprocalSquareRoot)),
    ("hsin", math(M::Sin)),
    ("hsqrt", math(M::SquareRoot)),
    ("htanh", math(M::Tanh)),
    ("htanh_approx", Intrinsic::Math(M::Tanh, FloatFlags::APPROXIMATE)),
    ("htrunc", math(M::Trunc)),
    ("h2ceil", math(M::Ceil)),
    ("h2cos", math(M::Cos)),
    ("h2exp", math(M::Exp)),
    ("h2exp10", math(M::Exp10)),
    ("h2exp2", math(M::Exp2)),
    ("h2floor", math(M::Floor)),
    ("h2log", math(M::Log)),
    ("h2log10", math(M::Log10)),
    ("h2log2", math(M::Log2)),
    ("h2rcp", math(M::Reciprocal)),
    ("h2rint", math(M::RoundEven)),
    ("h2rsqrt", math(M::ReciprocalSquareRoot)),
    ("h2sin", math(M::Sin)),
    ("h2sqrt", math(M::SquareRoot)),
    ("h2tanh", math(M::Tanh)),
    ("h2tanh_approx", Intrinsic::Math(M::Tanh, FloatFlags::APPROXIMATE)),
    ("h2trunc", math(M::Trunc)),
];
