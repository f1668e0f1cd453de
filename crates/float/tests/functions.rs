//! CUDA's functions against the C library in binary64, within the bounds that the CUDA C++
//! Programming Guide gives, and at the values that it and the PTX ISA name.

use port_float::math::{self, F32Function, F64Function, hardware};
use port_ir::{FloatFlags, MathFunction as M};

const DEFAULT: FloatFlags = FloatFlags::STRICT;
const FLUSHED: FloatFlags = FloatFlags { flush: true, ..FloatFlags::STRICT };
const FAST: FloatFlags = FloatFlags { flush: true, approximate: true, ..FloatFlags::STRICT };

/// xorshift64*
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// In [low, high), half of them with evenly spread exponents.
    fn between(&mut self, low: f32, high: f32) -> f32 {
        let unit = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        let (low, high) = (f64::from(low), f64::from(high));
        if self.next() & 1 == 0 {
            return (low + unit * (high - low)) as f32;
        }
        let end = if self.next() & 1 == 0 || low == 0.0 { high } else { low };
        let x = (end * (-unit * 60.0).exp2()) as f32;
        if f64::from(x) >= low && f64::from(x) < high { x } else { (low + unit) as f32 }
    }
}

fn unary(function: M, flags: FloatFlags) -> fn(f32) -> f32 {
    match math::cuda_f32(function, flags) {
        Some(F32Function::Unary(of)) => of,
        other => panic!("{function:?} is {other:?}"),
    }
}

fn binary(function: M, flags: FloatFlags) -> fn(f32, f32) -> f32 {
    match math::cuda_f32(function, flags) {
        Some(F32Function::Binary(of)) => of,
        other => panic!("{function:?} is {other:?}"),
    }
}

fn reference(function: M) -> fn(f64) -> f64 {
    match math::correct_f64(function) {
        Some(F64Function::Unary(of)) => of,
        other => panic!("{function:?} is {other:?}"),
    }
}

/// How far a result lies from the exact value, in units of the exact value's last place.
fn error_in_ulps(result: f32, exact: f64) -> f64 {
    let nearest = exact as f32;
    if result == nearest || (result.is_nan() && nearest.is_nan()) {
        return 0.0;
    }
    if !result.is_finite() || !nearest.is_finite() {
        // One step beyond the largest number is one unit.
        let clamped = |x: f32| f64::from(x).clamp(-(2f64.powi(128)), 2f64.powi(128));
        if result.is_nan() || nearest.is_nan() {
            return f64::INFINITY;
        }
        return (clamped(result) - clamped(nearest)).abs() / 2f64.powi(104);
    }
    let magnitude = exact.abs().max(f64::from(f32::MIN_POSITIVE));
    let unit = (magnitude.log2().floor() - 23.0).exp2();
    (f64::from(result) - exact).abs() / unit
}

/// Function, range, and the guide's bound in units of the last place.
const UNARY: &[(M, f32, f32, f64)] = &[
    (M::Exp, -104.0, 89.0, 2.0),
    (M::Exp2, -150.0, 128.0, 2.0),
    (M::Exp10, -45.0, 38.6, 2.0),
    (M::ExpMinusOne, -30.0, 89.0, 1.0),
    (M::Log, 0.0, 1e6, 1.0),
    (M::Log2, 0.0, 1e6, 1.0),
    (M::Log10, 0.0, 1e6, 2.0),
    (M::LogOnePlus, -0.999, 1e4, 1.0),
    (M::Sin, -40.0, 40.0, 2.0),
    (M::Cos, -40.0, 40.0, 2.0),
    (M::Tan, -40.0, 40.0, 4.0),
    (M::Sin, -3e38, 3e38, 2.0),
    (M::Cos, -3e38, 3e38, 2.0),
    (M::Tan, -3e38, 3e38, 4.0),
    (M::SinPi, -20.0, 20.0, 1.0),
    (M::CosPi, -20.0, 20.0, 1.0),
    (M::Asin, -1.0, 1.0, 2.0),
    (M::Acos, -1.0, 1.0, 2.0),
    (M::Atan, -100.0, 100.0, 2.0),
    (M::Sinh, -89.0, 89.0, 3.0),
    (M::Cosh, -89.0, 89.0, 2.0),
    (M::Tanh, -12.0, 12.0, 2.0),
    (M::Asinh, -1e6, 1e6, 3.0),
    (M::Acosh, 1.0, 1e6, 4.0),
    (M::Atanh, -1.0, 1.0, 3.0),
    (M::Erf, -5.0, 5.0, 2.0),
    (M::Erfc, -5.0, 10.0, 4.0),
    (M::ErfcScaled, -9.0, 100.0, 4.0),
    (M::ErfInverse, -0.999, 0.999, 2.0),
    (M::ErfcInverse, 0.001, 1.999, 4.0),
    (M::NormalCdf, -12.0, 6.0, 5.0),
    (M::Gamma, 0.01, 34.0, 5.0),
    (M::LogGamma, 0.01, 1e4, 6.0),
    (M::CubeRoot, -1e6, 1e6, 1.0),
    (M::ReciprocalCubeRoot, 0.0, 1e6, 1.0),
    (M::ReciprocalSquareRoot, 0.0, 1e6, 2.0),
    (M::BesselI0, -20.0, 20.0, 6.0),
    (M::BesselI1, -20.0, 20.0, 6.0),
];

#[test]
fn functions_of_one_number_are_within_the_guides_bounds() {
    for &(function, low, high, bound) in UNARY {
        let (of, exact) = (unary(function, DEFAULT), reference(function));
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for _ in 0..4000 {
            let x = random.between(low, high);
            let error = error_in_ulps(of(x), exact(f64::from(x)));
            // The bound is one of the rounded results; half a unit is the exact value's own.
            assert!(error <= bound + 0.5, "{function:?}({x:e}) = {:e}: {error} ulp", of(x));
        }
    }
}

#[test]
fn flushing_changes_only_what_is_subnormal() {
    for &(function, low, high, _) in UNARY {
        let (kept, flushed) = (unary(function, DEFAULT), unary(function, FLUSHED));
        let mut random = Random(7);
        for _ in 0..500 {
            let x = random.between(low, high);
            let result = kept(x);
            if !x.is_normal() || result.is_subnormal() {
                continue;
            }
            let (a, b) = (result.to_bits(), flushed(x).to_bits());
            // A term that vanishes inside can move the last place of what is nearly subnormal.
            let near = result.abs() < 1e-30 && a.abs_diff(b) <= 1;
            assert!(a == b || near, "{function:?}({x:e}): {result:e}, {:e}", flushed(x));
        }
        let tiny = f32::from_bits(0x0000_1000);
        assert_eq!(flushed(tiny).to_bits(), flushed(0.0).to_bits(), "{function:?}");
    }
}

#[test]
fn powers_roots_and_angles_of_two_numbers() {
    type Wide = fn(f64, f64) -> f64;
    let cases: [(M, f64, Wide); 3] =
        [(M::Power, 4.0, f64::powf), (M::Atan2, 3.0, f64::atan2), (M::Hypot, 3.0, f64::hypot)];
    for (function, bound, exact) in cases {
        let of = binary(function, DEFAULT);
        let mut random = Random(99);
        for _ in 0..20_000 {
            let (a, b) = match function {
                M::Power => (random.between(0.0, 100.0), random.between(-20.0, 20.0)),
                _ => (random.between(-1e6, 1e6), random.between(-1e6, 1e6)),
            };
            let error = error_in_ulps(of(a, b), exact(f64::from(a), f64::from(b)));
            assert!(error <= bound + 0.5, "{function:?}({a:e}, {b:e}) = {:e}: {error}", of(a, b));
        }
    }
}

#[test]
fn remainders_are_exact() {
    let (modulo, remainder) = (binary(M::FloatModulo, DEFAULT), binary(M::FloatRemainder, DEFAULT));
    let mut random = Random(5);
    for _ in 0..50_000 {
        let (a, b) = (
            f32::from_bits((random.next() >> 32) as u32),
            f32::from_bits((random.next() >> 32) as u32),
        );
        let expected = a % b;
        let got = modulo(a, b);
        assert!(got.to_bits() == expected.to_bits() || got.is_nan() && expected.is_nan());
        // |r| ≤ |b|/2, and a − r is a multiple of b.
        let rest = remainder(a, b);
        if rest.is_finite() && b.is_finite() {
            assert!(2.0 * f64::from(rest).abs() <= f64::from(b).abs(), "{a:e} {b:e} {rest:e}");
            let other = f64::from(expected) - f64::from(rest);
            assert!(other == 0.0 || other.abs() == f64::from(b).abs(), "{a:e} {b:e} {rest:e}");
        }
    }
}

#[test]
fn special_values() {
    let nan = f32::NAN;
    let infinity = f32::INFINITY;
    let same = |a: f32, b: f32| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan();
    let cases: &[(M, f32, f32)] = &[
        (M::Exp, -infinity, 0.0),
        (M::Exp, infinity, infinity),
        (M::Exp, -0.0, 1.0),
        (M::Log, 0.0, -infinity),
        (M::Log, -0.0, -infinity),
        (M::Log, -1.0, nan),
        (M::Log, 1.0, 0.0),
        (M::Log, infinity, infinity),
        (M::LogOnePlus, -1.0, -infinity),
        (M::LogOnePlus, -0.0, -0.0),
        (M::Sin, infinity, nan),
        (M::Sin, -0.0, -0.0),
        (M::Cos, 0.0, 1.0),
        (M::Tan, -0.0, -0.0),
        (M::Asin, 1.5, nan),
        (M::Acos, 1.0, 0.0),
        (M::Tanh, infinity, 1.0),
        (M::Tanh, -0.0, -0.0),
        (M::Atanh, 1.0, infinity),
        (M::Acosh, 0.5, nan),
        (M::Erf, -infinity, -1.0),
        (M::Erfc, -infinity, 2.0),
        (M::Gamma, -3.0, nan),
        (M::Gamma, 0.0, infinity),
        (M::Gamma, -0.0, -infinity),
        (M::LogGamma, -2.0, infinity),
        (M::CubeRoot, -27.0, -3.0),
        (M::ReciprocalSquareRoot, -0.0, -infinity),
        (M::ErfInverse, 1.0, infinity),
        (M::ErfInverse, 2.0, nan),
    ];
    for &(function, x, expected) in cases {
        let got = unary(function, DEFAULT)(x);
        assert!(same(got, expected), "{function:?}({x}) = {got}, not {expected}");
        let got = unary(function, DEFAULT)(nan);
        assert_eq!(got.to_bits(), 0x7fff_ffff, "{function:?} of NaN is the one NaN of the chip");
    }
    let powers: &[(f32, f32, f32)] = &[
        (0.0, -3.0, infinity),
        (-0.0, -3.0, -infinity),
        (-0.0, 3.0, -0.0),
        (-1.0, infinity, 1.0),
        (1.0, nan, 1.0),
        (nan, 0.0, 1.0),
        (-2.0, 3.0, -8.0),
        (-2.0, 0.5, nan),
        (-infinity, -3.0, -0.0),
        (0.5, -infinity, infinity),
    ];
    for &(a, b, expected) in powers {
        let got = binary(M::Power, DEFAULT)(a, b);
        assert!(same(got, expected), "{a}^{b} = {got}, not {expected}");
    }
}

#[test]
fn fast_math_is_two_approximations() {
    // 2^(b·log₂ a) has no special cases: a negative base is NaN, whatever the power.
    assert!(binary(M::Power, FAST)(-2.0, 2.0).is_nan());
    assert_eq!(unary(M::Exp, FAST)(-200.0), 0.0);
    assert_eq!(unary(M::Log, FAST)(1e-40), f32::NEG_INFINITY, "a subnormal operand counts as zero");
    assert!(unary(M::Log, FAST)(-1.0).is_nan());
    // The guide's bounds of the intrinsics.
    let mut random = Random(3);
    for _ in 0..5000 {
        let x = random.between(-3.1, 3.1);
        let wide = f64::from(x);
        let sine = f64::from(unary(M::Sin, FAST)(x)) - wide.sin();
        let cosine = f64::from(unary(M::Cos, FAST)(x)) - wide.cos();
        assert!(sine.abs() <= 2f64.powf(-21.41), "{x:e}: {sine:e}");
        assert!(cosine.abs() <= 2f64.powf(-21.19), "{x:e}: {cosine:e}");
        let exponential = error_in_ulps(unary(M::Exp, FAST)(x), wide.exp());
        assert!(exponential <= 2.5 + (1.173 * wide.abs()).floor(), "{x:e}: {exponential}");
    }
}

#[test]
fn divisors_beyond_two_to_the_126() {
    let big = 2f32.powi(127);
    // The reciprocal is subnormal and flushed: 0, and NaN of an infinite dividend.
    assert_eq!(hardware::divide(8.0, big, true), 0.0);
    assert!(hardware::divide(f32::INFINITY, big, true).is_nan());
    assert_eq!(hardware::divide_full_range(8.0, big, false), 2f32.powi(-124));
    // A subnormal divisor is scaled without -ftz, and counts as zero with it.
    let tiny = 2f32.powi(-140);
    assert_eq!(hardware::divide(2f32.powi(-20), tiny, false), 2f32.powi(120));
    assert_eq!(hardware::divide(2f32.powi(-20), tiny, true), f32::INFINITY);
}

#[test]
fn the_unit_at_the_values_that_are_documented() {
    let tiny = f32::from_bits(1);
    type Unit = fn(f32) -> f32;
    let cases: &[(Unit, f32, f32)] = &[
        (hardware::ex2, f32::NEG_INFINITY, 0.0),
        (hardware::ex2, -127.0, 0.0),
        (hardware::ex2, tiny, 1.0),
        (hardware::ex2, 128.0, f32::INFINITY),
        (hardware::ex2, 5.0, 32.0),
        (hardware::lg2, tiny, f32::NEG_INFINITY),
        (hardware::lg2, -0.0, f32::NEG_INFINITY),
        (hardware::lg2, 8.0, 3.0),
        (hardware::lg2, f32::INFINITY, f32::INFINITY),
        (hardware::rcp, -tiny, f32::NEG_INFINITY),
        (hardware::rcp, f32::NEG_INFINITY, -0.0),
        (hardware::rcp, 4.0, 0.25),
        (hardware::rsq, -tiny, f32::NEG_INFINITY),
        (hardware::rsq, f32::INFINITY, 0.0),
        (hardware::rsq, 16.0, 0.25),
        (hardware::sqrt, -0.0, -0.0),
        (hardware::sin, -0.0, -0.0),
        (hardware::sin, 0.25, 1.0),
        (hardware::cos, tiny, 1.0),
        (hardware::tanh, f32::NEG_INFINITY, -1.0),
        (hardware::tanh, -0.0, -0.0),
    ];
    for &(of, x, expected) in cases {
        assert_eq!(of(x).to_bits(), expected.to_bits(), "of {x:e}: {:e}", of(x));
    }
    for of in [hardware::lg2 as fn(f32) -> f32, hardware::rsq, hardware::sqrt] {
        assert_eq!(of(-1.0).to_bits(), 0x7fff_ffff);
    }
    assert!(hardware::sin(f32::INFINITY).is_nan() && hardware::cos(f32::NEG_INFINITY).is_nan());
}

#[test]
fn products_are_cut_toward_zero() {
    let mut random = Random(11);
    for _ in 0..20_000 {
        let [a, b] = [(); 2].map(|()| f32::from_bits((random.next() >> 32) as u32));
        let product = f64::from(a) * f64::from(b);
        if !product.is_finite() || product.abs() > 1e38 || product == 0.0 {
            continue;
        }
        let truncated = hardware::multiply_toward_zero(a, b);
        assert!(f64::from(truncated).abs() <= product.abs());
        assert!(f64::from(truncated.abs().next_up()) > product.abs());
    }
}

/// Function, range, and the guide's bound in units of the last place; the reference has one of its
/// own.
const UNARY_F64: &[(M, f64, f64, f64)] = &[
    (M::Exp, -745.0, 709.0, 1.0),
    (M::Exp2, -1074.0, 1024.0, 1.0),
    (M::Exp10, -323.0, 308.0, 1.0),
    (M::Log, 0.0, 1e9, 1.0),
    (M::Log2, 0.0, 1e9, 1.0),
    (M::Log10, 0.0, 1e9, 1.0),
    (M::Sin, -100.0, 100.0, 2.0),
    (M::Cos, -100.0, 100.0, 2.0),
    (M::Tan, -100.0, 100.0, 2.0),
    (M::Sin, -1e300, 1e300, 2.0),
    (M::Cos, -1e12, 1e12, 2.0),
    (M::Tan, -1e60, 1e60, 2.0),
    (M::Tanh, -20.0, 20.0, 1.0),
    (M::ReciprocalSquareRoot, 0.0, 1e9, 1.0),
    (M::CubeRoot, -1e9, 1e9, 1.0),
    (M::ReciprocalCubeRoot, -1e9, 1e9, 1.0),
    (M::ExpMinusOne, -40.0, 709.0, 1.0),
    (M::LogOnePlus, -0.999, 1e9, 1.0),
    (M::SinPi, -0.25, 0.25, 2.0),
    (M::Asin, -1.0, 1.0, 2.0),
    (M::Acos, -1.0, 1.0, 2.0),
    (M::Atan, -1e3, 1e3, 2.0),
    (M::Sinh, -710.0, 710.0, 2.0),
    (M::Cosh, -710.0, 710.0, 1.0),
    (M::Asinh, -1e9, 1e9, 3.0),
    (M::Acosh, 1.0, 1e9, 3.0),
    (M::Atanh, -1.0, 1.0, 2.0),
    (M::Erf, -6.0, 6.0, 2.0),
    (M::Erfc, -6.0, 26.0, 5.0),
];

#[test]
fn functions_on_f64_are_within_the_guides_bounds() {
    for &(function, low, high, bound) in UNARY_F64 {
        let Some(F64Function::Unary(of)) = math::cuda_f64(function) else {
            panic!("{function:?} is missing")
        };
        let exact = reference(function);
        let mut random = Random(42);
        for index in 0..4000 {
            let unit = (random.next() >> 11) as f64 / (1u64 << 53) as f64;
            let x = match index % 3 {
                0 => low + unit * (high - low),
                1 => high * (-unit * 60.0).exp2(),
                _ if low < 0.0 => low * (-unit * 900.0).exp2(),
                _ => high * (-unit * 900.0).exp2(),
            };
            if x < low {
                continue;
            }
            let (got, expected) = (of(x), exact(x));
            let steps = got.to_bits().abs_diff(expected.to_bits());
            assert!(steps as f64 <= bound + 1.0, "{function:?}({x:e}) = {got:e}, not {expected:e}");
        }
        assert!(of(f64::NAN).is_nan(), "{function:?}");
    }
    let Some(F64Function::Binary(power)) = math::cuda_f64(M::Power) else {
        panic!("no power on f64")
    };
    let mut random = Random(17);
    for _ in 0..20_000 {
        let unit = |random: &mut Random| (random.next() >> 11) as f64 / (1u64 << 53) as f64;
        let (a, b) = (unit(&mut random) * 100.0, unit(&mut random) * 200.0 - 100.0);
        let (got, expected) = (power(a, b), a.powf(b));
        let steps = got.to_bits().abs_diff(expected.to_bits());
        assert!(steps <= 3, "{a:e}^{b:e} = {got:e}, not {expected:e}");
    }
    for (a, b) in [(-0.0, -3.0), (-2.0, 3.0), (-2.0, 0.5), (f64::NEG_INFINITY, 3.0), (-1.0, 1e300)]
    {
        let (got, expected) = (power(a, b), f64::powf(a, b));
        assert!(got.to_bits() == expected.to_bits() || got.is_nan() && expected.is_nan());
    }
}

#[test]
fn lengths_on_f64_neither_overflow_nor_vanish() {
    let (Some(F64Function::Ternary(length)), Some(F64Function::Ternary(inverse))) =
        (math::cuda_f64(M::Norm3), math::cuda_f64(M::ReciprocalNorm3))
    else {
        panic!("no lengths on f64")
    };
    let mut random = Random(23);
    for _ in 0..5000 {
        let mut unit = || (random.next() >> 11) as f64 / (1u64 << 53) as f64 - 0.5;
        let [a, b, c] = [unit(), unit(), unit()];
        let exact = (a * a + b * b + c * c).sqrt();
        for scale in [1.0, 2f64.powi(1000), 2f64.powi(-1000)] {
            let got = length(a * scale, b * scale, c * scale) / scale;
            assert!((got / exact - 1.0).abs() < 1e-15, "{a} {b} {c} {scale:e}: {got:e}");
            let got = inverse(a * scale, b * scale, c * scale) * scale;
            assert!((got * exact - 1.0).abs() < 1e-15, "{a} {b} {c} {scale:e}: {got:e}");
        }
    }
    assert_eq!(length(f64::NAN, f64::INFINITY, 0.0), f64::INFINITY);
    assert!(length(f64::NAN, 1.0, 0.0).is_nan());
    assert_eq!(inverse(0.0, 0.0, -0.0), f64::INFINITY);
}
