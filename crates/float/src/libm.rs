//! The C library's functions, and those that it lacks computed from it: the functions of the
//! profiles `cpu` and, until a chip's own are known, of every other one.
//!
//! CPU ports and the oracle call the same library under the same names, and define the missing ones
//! by the same formulas, so that all three agree in every bit on one machine.

use port_ir::MathFunction;

use crate::function::{F32Function, F64Function};

/// The C library's own, bound by name. They are pure but for `errno`, which nothing here reads, and
/// take every bit pattern.
#[allow(unsafe_code)]
mod c {
    macro_rules! bind {
        ($($name:ident($($argument:ident: $ty:ty),*) -> $result:ty;)*) => {
            unsafe extern "C" { $( pub safe fn $name($($argument: $ty),*) -> $result; )* }
        };
    }
    bind! {
        cbrtf(x: f32) -> f32; cbrt(x: f64) -> f64;
        expf(x: f32) -> f32; exp(x: f64) -> f64;
        exp2f(x: f32) -> f32; exp2(x: f64) -> f64;
        exp10f(x: f32) -> f32; exp10(x: f64) -> f64;
        expm1f(x: f32) -> f32; expm1(x: f64) -> f64;
        logf(x: f32) -> f32; log(x: f64) -> f64;
        log2f(x: f32) -> f32; log2(x: f64) -> f64;
        log10f(x: f32) -> f32; log10(x: f64) -> f64;
        log1pf(x: f32) -> f32; log1p(x: f64) -> f64;
        logbf(x: f32) -> f32; logb(x: f64) -> f64;
        sinf(x: f32) -> f32; sin(x: f64) -> f64;
        cosf(x: f32) -> f32; cos(x: f64) -> f64;
        tanf(x: f32) -> f32; tan(x: f64) -> f64;
        asinf(x: f32) -> f32; asin(x: f64) -> f64;
        acosf(x: f32) -> f32; acos(x: f64) -> f64;
        atanf(x: f32) -> f32; atan(x: f64) -> f64;
        atan2f(a: f32, b: f32) -> f32; atan2(a: f64, b: f64) -> f64;
        sinhf(x: f32) -> f32; sinh(x: f64) -> f64;
        coshf(x: f32) -> f32; cosh(x: f64) -> f64;
        tanhf(x: f32) -> f32; tanh(x: f64) -> f64;
        asinhf(x: f32) -> f32; asinh(x: f64) -> f64;
        acoshf(x: f32) -> f32; acosh(x: f64) -> f64;
        atanhf(x: f32) -> f32; atanh(x: f64) -> f64;
        erff(x: f32) -> f32; erf(x: f64) -> f64;
        erfcf(x: f32) -> f32; erfc(x: f64) -> f64;
        tgammaf(x: f32) -> f32; tgamma(x: f64) -> f64;
        lgammaf_r(x: f32, sign: &mut i32) -> f32; lgamma_r(x: f64, sign: &mut i32) -> f64;
        j0f(x: f32) -> f32; j0(x: f64) -> f64;
        j1f(x: f32) -> f32; j1(x: f64) -> f64;
        jnf(n: i32, x: f32) -> f32; jn(n: i32, x: f64) -> f64;
        y0f(x: f32) -> f32; y0(x: f64) -> f64;
        y1f(x: f32) -> f32; y1(x: f64) -> f64;
        ynf(n: i32, x: f32) -> f32; yn(n: i32, x: f64) -> f64;
        powf(a: f32, b: f32) -> f32; pow(a: f64, b: f64) -> f64;
        ldexpf(a: f32, b: i32) -> f32; ldexp(a: f64, b: i32) -> f64;
        ilogbf(a: f32) -> i32; ilogb(a: f64) -> i32;
        fmodf(a: f32, b: f32) -> f32; fmod(a: f64, b: f64) -> f64;
        remainderf(a: f32, b: f32) -> f32; remainder(a: f64, b: f64) -> f64;
        hypotf(a: f32, b: f32) -> f32; hypot(a: f64, b: f64) -> f64;
        fdimf(a: f32, b: f32) -> f32; fdim(a: f64, b: f64) -> f64;
        nextafterf(a: f32, b: f32) -> f32; nextafter(a: f64, b: f64) -> f64;
    }
}

// ---- what the C library lacks: the formulas of the oracle's and the ports' runtime ---------------

pub(crate) fn rsqrt_f32(x: f32) -> f32 {
    1.0 / x.sqrt()
}
fn rsqrt(x: f64) -> f64 {
    1.0 / x.sqrt()
}
fn rcbrt_f32(x: f32) -> f32 {
    (1.0 / c::cbrt(f64::from(x))) as f32
}
fn rcbrt(x: f64) -> f64 {
    1.0 / c::cbrt(x)
}
fn rhypot_f32(a: f32, b: f32) -> f32 {
    (1.0 / c::hypot(f64::from(a), f64::from(b))) as f32
}
fn rhypot(a: f64, b: f64) -> f64 {
    1.0 / c::hypot(a, b)
}
fn norm3(a: f64, b: f64, c: f64) -> f64 {
    (a * a + b * b + c * c).sqrt()
}
fn norm4(a: f64, b: f64, c: f64, d: f64) -> f64 {
    (a * a + b * b + c * c + d * d).sqrt()
}
fn sinpi(x: f64) -> f64 {
    let r = c::fmod(x, 2.0);
    if r == 0.0 || r == 1.0 || r == -1.0 {
        return 0f64.copysign(x);
    }
    c::sin(std::f64::consts::PI * r)
}
fn cospi(x: f64) -> f64 {
    let r = c::fmod(x, 2.0).abs();
    if r == 0.5 || r == 1.5 {
        return 0.0;
    }
    c::cos(std::f64::consts::PI * r)
}
fn normcdf(x: f64) -> f64 {
    0.5 * c::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)
}
fn erfcx(x: f64) -> f64 {
    if x < 25.0 {
        return c::exp(x * x) * c::erfc(x);
    }
    let s = 1.0 / (x * x);
    (1.0 / (x * std::f64::consts::PI.sqrt())) * (1.0 - s / 2.0 * (1.0 - 1.5 * s * (1.0 - 2.5 * s)))
}
fn erfcinv(y: f64) -> f64 {
    // Of a NaN too.
    if !(0.0..=2.0).contains(&y) {
        return f64::NAN;
    }
    if y == 0.0 {
        return f64::INFINITY;
    }
    if y == 2.0 {
        return f64::NEG_INFINITY;
    }
    if y > 1.0 {
        return -erfcinv(2.0 - y);
    }
    let mut x = if y > 0.5 { 0.25 } else { (-c::log(y)).sqrt() };
    for _ in 0..60 {
        let value = c::erfc(x);
        let slope = -2.0 / std::f64::consts::PI.sqrt() * c::exp(-x * x);
        let step =
            if y > 0.5 { (value - y) / slope } else { (c::log(value) - c::log(y)) * value / slope };
        x -= step;
        if step.abs() <= 1e-17 * x.abs() {
            break;
        }
    }
    x
}
fn erfinv(y: f64) -> f64 {
    // Of a NaN too.
    if !(-1.0..=1.0).contains(&y) {
        return f64::NAN;
    }
    if y.abs() > 0.5 {
        return if y > 0.0 { erfcinv(1.0 - y) } else { -erfcinv(1.0 + y) };
    }
    let mut x = y * 0.886_226_925_452_758;
    for _ in 0..40 {
        let step = (c::erf(x) - y) / (2.0 / std::f64::consts::PI.sqrt() * c::exp(-x * x));
        x -= step;
        if step.abs() <= 1e-17 * x.abs() {
            break;
        }
    }
    x
}
fn normcdfinv(y: f64) -> f64 {
    -std::f64::consts::SQRT_2 * erfcinv(2.0 * y)
}
fn bessel_i0(x: f64) -> f64 {
    let (mut term, mut sum, quarter) = (1.0, 1.0, x * x / 4.0);
    let mut k = 1.0;
    while k < 2000.0 && term > sum * 1e-18 {
        term *= quarter / (k * k);
        sum += term;
        k += 1.0;
    }
    sum
}
fn bessel_i1(x: f64) -> f64 {
    let mut term = x / 2.0;
    let (mut sum, quarter) = (term, x * x / 4.0);
    let mut k = 1.0;
    while k < 2000.0 && term.abs() > sum.abs() * 1e-18 {
        term *= quarter / (k * (k + 1.0));
        sum += term;
        k += 1.0;
    }
    sum
}
fn saturate_f32(x: f32) -> f32 {
    if x.is_nan() || x <= 0.0 {
        0.0
    } else if x >= 1.0 {
        1.0
    } else {
        x
    }
}
fn saturate(x: f64) -> f64 {
    if x.is_nan() || x <= 0.0 {
        0.0
    } else if x >= 1.0 {
        1.0
    } else {
        x
    }
}
/// Fraction in [0.5, 1) and exponent, as C's `frexp`: of 0, infinities and NaN the value itself,
/// and exponent 0.
fn split(x: f64) -> (f64, i32) {
    if x == 0.0 || !x.is_finite() {
        return (x, 0);
    }
    let (x, offset) =
        if x.abs() < f64::MIN_POSITIVE { (x * 18_014_398_509_481_984.0, -54) } else { (x, 0) };
    let bits = x.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32 - 1022;
    (f64::from_bits(bits & !(0x7ff << 52) | 1022 << 52), exponent + offset)
}
fn frexp_fraction_f32(x: f32) -> f32 {
    // The NaN's own bits, which a trip through f64 would make quiet.
    if x.is_nan() { x } else { split(f64::from(x)).0 as f32 }
}
fn frexp_exponent_f32(x: f32) -> i32 {
    split(f64::from(x)).1
}
fn round_to_tf32(x: f32) -> f32 {
    crate::format::round_to_tf32(x)
}

/// The function on binary32 numbers, correctly rounded where IEEE 754 asks for it.
pub fn f32(function: MathFunction) -> Option<F32Function> {
    use F32Function::*;
    use MathFunction as M;
    Some(match function {
        M::SquareRoot => Unary(f32::sqrt),
        M::ReciprocalSquareRoot => Unary(rsqrt_f32),
        M::Reciprocal => Unary(|x| 1.0 / x),
        M::CubeRoot => Unary(|x| c::cbrtf(x)),
        M::ReciprocalCubeRoot => Unary(rcbrt_f32),
        M::Exp => Unary(|x| c::expf(x)),
        M::Exp2 => Unary(|x| c::exp2f(x)),
        M::Exp10 => Unary(|x| c::exp10f(x)),
        M::ExpMinusOne => Unary(|x| c::expm1f(x)),
        M::Log => Unary(|x| c::logf(x)),
        M::Log2 => Unary(|x| c::log2f(x)),
        M::Log10 => Unary(|x| c::log10f(x)),
        M::LogOnePlus => Unary(|x| c::log1pf(x)),
        M::LogBinary => Unary(|x| c::logbf(x)),
        M::Sin => Unary(|x| c::sinf(x)),
        M::Cos => Unary(|x| c::cosf(x)),
        M::Tan => Unary(|x| c::tanf(x)),
        M::SinPi => Unary(|x| sinpi(f64::from(x)) as f32),
        M::CosPi => Unary(|x| cospi(f64::from(x)) as f32),
        M::Asin => Unary(|x| c::asinf(x)),
        M::Acos => Unary(|x| c::acosf(x)),
        M::Atan => Unary(|x| c::atanf(x)),
        M::Atan2 => Binary(|a, b| c::atan2f(a, b)),
        M::Sinh => Unary(|x| c::sinhf(x)),
        M::Cosh => Unary(|x| c::coshf(x)),
        M::Tanh => Unary(|x| c::tanhf(x)),
        M::Asinh => Unary(|x| c::asinhf(x)),
        M::Acosh => Unary(|x| c::acoshf(x)),
        M::Atanh => Unary(|x| c::atanhf(x)),
        M::Erf => Unary(|x| c::erff(x)),
        M::Erfc => Unary(|x| c::erfcf(x)),
        M::ErfcScaled => Unary(|x| erfcx(f64::from(x)) as f32),
        M::ErfInverse => Unary(|x| erfinv(f64::from(x)) as f32),
        M::ErfcInverse => Unary(|x| erfcinv(f64::from(x)) as f32),
        M::NormalCdf => Unary(|x| normcdf(f64::from(x)) as f32),
        M::NormalCdfInverse => Unary(|x| normcdfinv(f64::from(x)) as f32),
        M::Gamma => Unary(|x| c::tgammaf(x)),
        M::LogGamma => Unary(|x| c::lgammaf_r(x, &mut 0)),
        M::BesselJ0 => Unary(|x| c::j0f(x)),
        M::BesselJ1 => Unary(|x| c::j1f(x)),
        M::BesselJn => I32With(|n, x| c::jnf(n, x)),
        M::BesselY0 => Unary(|x| c::y0f(x)),
        M::BesselY1 => Unary(|x| c::y1f(x)),
        M::BesselYn => I32With(|n, x| c::ynf(n, x)),
        M::BesselI0 => Unary(|x| bessel_i0(f64::from(x)) as f32),
        M::BesselI1 => Unary(|x| bessel_i1(f64::from(x)) as f32),
        M::Power => Binary(|a, b| c::powf(a, b)),
        M::PowerInteger => WithI32(|a, b| c::powf(a, b as f32)),
        M::ScaleByPowerOfTwo => WithI32(|a, b| c::ldexpf(a, b)),
        M::FrexpFraction => Unary(frexp_fraction_f32),
        M::FrexpExponent => ToI32(frexp_exponent_f32),
        M::IntegerLogBinary => ToI32(|a| c::ilogbf(a)),
        M::FloatModulo => Binary(|a, b| c::fmodf(a, b)),
        M::FloatRemainder => Binary(|a, b| c::remainderf(a, b)),
        M::Hypot => Binary(|a, b| c::hypotf(a, b)),
        M::ReciprocalHypot => Binary(rhypot_f32),
        M::Norm3 => Ternary(|a, b, c| norm3(a.into(), b.into(), c.into()) as f32),
        M::ReciprocalNorm3 => Ternary(|a, b, c| (1.0 / norm3(a.into(), b.into(), c.into())) as f32),
        M::Norm4 => Quaternary(|a, b, c, d| norm4(a.into(), b.into(), c.into(), d.into()) as f32),
        M::ReciprocalNorm4 => {
            Quaternary(|a, b, c, d| (1.0 / norm4(a.into(), b.into(), c.into(), d.into())) as f32)
        }
        M::PositiveDifference => Binary(|a, b| c::fdimf(a, b)),
        M::CopySign => Binary(f32::copysign),
        M::NextAfter => Binary(|a, b| c::nextafterf(a, b)),
        M::Floor => Unary(f32::floor),
        M::Ceil => Unary(f32::ceil),
        M::Trunc => Unary(f32::trunc),
        M::Round => Unary(f32::round),
        M::RoundEven => Unary(f32::round_ties_even),
        M::Saturate => Unary(saturate_f32),
        M::RoundToTf32 => Unary(round_to_tf32),
        M::IsNan => Predicate(f32::is_nan),
        M::IsInfinite => Predicate(f32::is_infinite),
        M::IsFinite => Predicate(f32::is_finite),
        M::SignBit => Predicate(f32::is_sign_negative),
        _ => return None,
    })
}

/// The function on binary64 numbers, correctly rounded where IEEE 754 asks for it.
pub fn f64(function: MathFunction) -> Option<F64Function> {
    use F64Function::*;
    use MathFunction as M;
    Some(match function {
        M::SquareRoot => Unary(f64::sqrt),
        M::ReciprocalSquareRoot => Unary(rsqrt),
        M::Reciprocal => Unary(|x| 1.0 / x),
        M::CubeRoot => Unary(|x| c::cbrt(x)),
        M::ReciprocalCubeRoot => Unary(rcbrt),
        M::Exp => Unary(|x| c::exp(x)),
        M::Exp2 => Unary(|x| c::exp2(x)),
        M::Exp10 => Unary(|x| c::exp10(x)),
        M::ExpMinusOne => Unary(|x| c::expm1(x)),
        M::Log => Unary(|x| c::log(x)),
        M::Log2 => Unary(|x| c::log2(x)),
        M::Log10 => Unary(|x| c::log10(x)),
        M::LogOnePlus => Unary(|x| c::log1p(x)),
        M::LogBinary => Unary(|x| c::logb(x)),
        M::Sin => Unary(|x| c::sin(x)),
        M::Cos => Unary(|x| c::cos(x)),
        M::Tan => Unary(|x| c::tan(x)),
        M::SinPi => Unary(sinpi),
        M::CosPi => Unary(cospi),
        M::Asin => Unary(|x| c::asin(x)),
        M::Acos => Unary(|x| c::acos(x)),
        M::Atan => Unary(|x| c::atan(x)),
        M::Atan2 => Binary(|a, b| c::atan2(a, b)),
        M::Sinh => Unary(|x| c::sinh(x)),
        M::Cosh => Unary(|x| c::cosh(x)),
        M::Tanh => Unary(|x| c::tanh(x)),
        M::Asinh => Unary(|x| c::asinh(x)),
        M::Acosh => Unary(|x| c::acosh(x)),
        M::Atanh => Unary(|x| c::atanh(x)),
        M::Erf => Unary(|x| c::erf(x)),
        M::Erfc => Unary(|x| c::erfc(x)),
        M::ErfcScaled => Unary(erfcx),
        M::ErfInverse => Unary(erfinv),
        M::ErfcInverse => Unary(erfcinv),
        M::NormalCdf => Unary(normcdf),
        M::NormalCdfInverse => Unary(normcdfinv),
        M::Gamma => Unary(|x| c::tgamma(x)),
        M::LogGamma => Unary(|x| c::lgamma_r(x, &mut 0)),
        M::BesselJ0 => Unary(|x| c::j0(x)),
        M::BesselJ1 => Unary(|x| c::j1(x)),
        M::BesselJn => I32With(|n, x| c::jn(n, x)),
        M::BesselY0 => Unary(|x| c::y0(x)),
        M::BesselY1 => Unary(|x| c::y1(x)),
        M::BesselYn => I32With(|n, x| c::yn(n, x)),
        M::BesselI0 => Unary(bessel_i0),
        M::BesselI1 => Unary(bessel_i1),
        M::Power => Binary(|a, b| c::pow(a, b)),
        M::PowerInteger => WithI32(|a, b| c::pow(a, f64::from(b))),
        M::ScaleByPowerOfTwo => WithI32(|a, b| c::ldexp(a, b)),
        M::FrexpFraction => Unary(|x| split(x).0),
        M::FrexpExponent => ToI32(|x| split(x).1),
        M::IntegerLogBinary => ToI32(|a| c::ilogb(a)),
        M::FloatModulo => Binary(|a, b| c::fmod(a, b)),
        M::FloatRemainder => Binary(|a, b| c::remainder(a, b)),
        M::Hypot => Binary(|a, b| c::hypot(a, b)),
        M::ReciprocalHypot => Binary(rhypot),
        M::Norm3 => Ternary(norm3),
        M::ReciprocalNorm3 => Ternary(|a, b, c| 1.0 / norm3(a, b, c)),
        M::Norm4 => Quaternary(norm4),
        M::ReciprocalNorm4 => Quaternary(|a, b, c, d| 1.0 / norm4(a, b, c, d)),
        M::PositiveDifference => Binary(|a, b| c::fdim(a, b)),
        M::CopySign => Binary(f64::copysign),
        M::NextAfter => Binary(|a, b| c::nextafter(a, b)),
        M::Floor => Unary(f64::floor),
        M::Ceil => Unary(f64::ceil),
        M::Trunc => Unary(f64::trunc),
        M::Round => Unary(f64::round),
        M::RoundEven => Unary(f64::round_ties_even),
        M::Saturate => Unary(saturate),
        M::IsNan => Predicate(f64::is_nan),
        M::IsInfinite => Predicate(f64::is_infinite),
        M::IsFinite => Predicate(f64::is_finite),
        M::SignBit => Predicate(f64::is_sign_negative),
        _ => return None,
    })
}
