//! Profiles as wholes: names, parts, hybrids, and functions that a machine may ask for.

use port_float::{Evidence, F32Function, PartId, Profile, Side};
use port_ir::{FloatFlags, FragmentElement, MathClass, MathFunction, Rounding, Scalar};

fn named(name: &str) -> Profile {
    Profile::named(name).unwrap()
}

#[test]
fn every_name_gives_a_profile_of_that_name() {
    let names = Profile::names();
    assert_eq!(names.len(), 26);
    for name in &names {
        assert_eq!(named(name).name(), name);
    }
    for name in ["cuda:sm_70", "cuda:sm_100+fast-math", "hip:gfx90a", "hip:gfx936", "ascend:950"] {
        assert!(names.contains(&name.to_string()), "{name}");
    }
    let unknown = Profile::named("cuda:sm_61").unwrap_err();
    assert_eq!(unknown.to_string(), "no float profile is named `cuda:sm_61`; is it `cuda:sm_70`?");
    assert_eq!(Profile::named("cpu+fast-math").unwrap_err().nearest.as_deref(), Some("cpu"));
    assert_eq!(Profile::named("").unwrap_err().nearest, None);
}

#[test]
fn every_part_has_evidence_and_no_envelope_is_claimed_as_bits() {
    for name in Profile::names() {
        let profile = named(&name);
        let parts = profile.parts();
        assert!(parts.len() >= 10, "{name}");
        for part in &parts {
            assert!(!part.source.is_empty() && !part.value.is_empty(), "{name} {}", part.what);
            let bits = part.envelope.is_none();
            assert!(bits || part.evidence < Evidence::Measured, "{name} {}", part.what);
        }
        // A profile that claims all bits of its functions says so in its parts too.
        let claims = MathFunction::ALL.iter().all(|function| profile.envelope(*function).is_none());
        assert_eq!(claims, matches!(profile.side(), Side::Cpu | Side::Exact), "{name}");
    }
}

#[test]
fn every_profile_has_every_function_of_floats() {
    let flags = [
        FloatFlags::STRICT,
        FloatFlags::APPROXIMATE,
        FloatFlags { flush: true, ..FloatFlags::APPROXIMATE },
    ];
    for name in Profile::names() {
        let profile = named(&name);
        for function in MathFunction::ALL {
            let float = matches!(
                function.class(),
                MathClass::Float
                    | MathClass::FloatPredicate
                    | MathClass::FloatToI32
                    | MathClass::FloatWithI32
                    | MathClass::I32WithFloat
            );
            for flags in flags {
                let single = profile.f32_function(*function, flags);
                assert_eq!(single.is_some(), float, "{name} {function:?} {flags:?}");
                if let Some(single) = single {
                    assert_eq!(single.arity(), function.arity(), "{name} {function:?}");
                }
                let double = profile.f64_function(*function, flags);
                let has_double = float && *function != MathFunction::RoundToTf32;
                assert_eq!(double.is_some(), has_double, "{name} {function:?} {flags:?}");
                if let Some(double) = double {
                    assert_eq!(double.arity(), function.arity(), "{name} {function:?}");
                }
            }
        }
    }
}

fn unary(profile: &str, function: MathFunction, flags: FloatFlags) -> fn(f32) -> f32 {
    match named(profile).f32_function(function, flags) {
        Some(F32Function::Unary(unary)) => unary,
        other => panic!("{other:?}"),
    }
}

#[test]
fn functions_are_those_of_their_side() {
    let strict = FloatFlags::STRICT;
    // Huawei's formula loses everything below 2^-24 (1 − 2 / (e^2x + 1)), others do not.
    let small = 2f32.powi(-26);
    assert_eq!(unary("ascend:950", MathFunction::Tanh, strict)(small), 0.0);
    for profile in ["cuda:sm_80", "hip:gfx90a", "cpu", "exact", "ascend:910b"] {
        assert_eq!(unary(profile, MathFunction::Tanh, strict)(small), small, "{profile}");
    }
    // Its root flushes.
    let subnormal = f32::from_bits(1);
    assert_eq!(unary("ascend:950", MathFunction::SquareRoot, strict)(subnormal), 0.0);
    assert_eq!(
        unary("cpu", MathFunction::SquareRoot, strict)(subnormal),
        2f32.powi(-75) * 2f32.sqrt()
    );
    // A direction is kept whoever is asked.
    for profile in ["cuda:sm_80+fast-math", "cpu", "ascend:950"] {
        let root =
            |rounding| unary(profile, MathFunction::SquareRoot, FloatFlags::rounded(rounding))(2.0);
        assert_eq!(root(Rounding::Up), root(Rounding::Down).next_up(), "{profile}");
    }
}

#[test]
fn hybrids_take_one_part_at_a_time() {
    let (cuda, hip) = (named("cuda:sm_80+fast-math"), named("hip:gfx90a"));
    let differences = cuda.differences(&hip);
    let names: Vec<&str> = differences.iter().map(|difference| difference.name).collect();
    for name in ["contraction", "subnormals", "division", "square root", "warp width", "exp"] {
        assert!(names.contains(&name), "{name} of {names:?}");
    }
    // Part by part, one becomes the other.
    let mut hybrid = cuda.clone();
    for (taken, difference) in differences.iter().enumerate() {
        assert_eq!(hybrid.differences(&hip).len(), differences.len() - taken);
        hybrid = hybrid.with(difference.part, &hip);
    }
    assert!(hybrid.differences(&hip).is_empty());
    let division = named("cuda:sm_80").with(PartId::Division, &cuda);
    assert_eq!(division.name(), "cuda:sm_80 with division of cuda:sm_80+fast-math");
    assert_eq!(named("hip:gfx90a").with_warp_width(32).warp_width(), 32);
    assert_eq!(named("hip:gfx1100").with_warp_width(32).name(), "hip:gfx1100");
}

#[test]
fn chips_have_the_matrix_operations_that_they_have() {
    let f16 = FragmentElement::Scalar(Scalar::F16);
    let bf16 = FragmentElement::Scalar(Scalar::Bf16);
    let f64 = FragmentElement::Scalar(Scalar::F64);
    let has = |profile: &str, input, accumulator| {
        named(profile).matrix_model(input, accumulator).is_some()
    };
    assert!(has("cuda:sm_70", f16, Scalar::F32) && has("cuda:sm_70", f16, Scalar::F16));
    assert!(!has("cuda:sm_70", bf16, Scalar::F32) && has("cuda:sm_80", bf16, Scalar::F32));
    assert!(!has("cuda:sm_75", f64, Scalar::F64) && has("cuda:sm_80", f64, Scalar::F64));
    assert!(!has("cuda:sm_75", FragmentElement::Tf32, Scalar::F32));
    for profile in Profile::names() {
        assert!(has(&profile, f16, Scalar::F32), "{profile}");
        let int8 = FragmentElement::Scalar(Scalar::I8);
        assert!(has(&profile, int8, Scalar::I32), "{profile}");
    }
    assert!(named("ascend:910b").matrix_envelope().is_some());
    assert!(named("cuda:sm_90").matrix_envelope().is_none());
}

/// Of every f16: the nearest to the exact root and reciprocal, by exact comparisons in f64.
#[test]
fn functions_of_half_types_are_rounded_once() {
    use port_float::format::{f16_to_f32, f32_to_f16};
    let function = |name: &str, function| match named(name).narrow_function(
        Scalar::F16,
        function,
        FloatFlags::STRICT,
    ) {
        Some(F32Function::Unary(unary)) => move |bits: u16| f32_to_f16(unary(f16_to_f32(bits))),
        other => panic!("{other:?}"),
    };
    let (root, reciprocal) = (
        function("cuda:sm_80", MathFunction::ReciprocalSquareRoot),
        function("cuda:sm_80", MathFunction::Reciprocal),
    );
    let value = |bits: u16| f64::from(f16_to_f32(bits));
    for bits in 1..0x7c00u16 {
        let x = value(bits);
        // Middles to the neighbours; their products with x are exact in f64.
        let middles = |result: u16| {
            let below = if result == 0 { 0.0 } else { value(result - 1) };
            ((below + value(result)) / 2.0, (value(result) + value(result + 1)) / 2.0)
        };
        let result = root(bits);
        let (low, high) = middles(result);
        assert!(low * low * x <= 1.0 && 1.0 <= high * high * x, "rsqrt {bits:x}");
        let result = reciprocal(bits);
        if result < 0x7c00 {
            let (low, high) = middles(result.min(0x7bfe));
            assert!(low * x <= 1.0 && (1.0 <= high * x || result == 0x7bff), "rcp {bits:x}");
        }
    }
    // 10^x where it is a number of the format.
    let power = function("cuda:sm_80", MathFunction::Exp10);
    for (x, expected) in [(0.0, 1.0), (1.0, 10.0), (4.0, 10000.0), (-1.0, 0.1)] {
        assert_eq!(power(f32_to_f16(x)), f32_to_f16(expected));
    }
    // `cpu` computes in f32 and rounds again, as the oracle does.
    let library = function("cpu", MathFunction::Exp);
    let nearest = function("cuda:sm_80", MathFunction::Exp);
    let differ = (0..0x7c00u16).filter(|bits| library(*bits) != nearest(*bits)).count();
    assert!(differ < 8, "{differ}");
}
