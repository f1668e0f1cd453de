//! Formats against references that share no code with them: the table of all of a format's numbers,
//! searched; the crate `half`; the C++ compiler's choice of constants where there is one.

use port_float::format::{self, Format, NanToInteger};
use port_ir::{Rounding, Scalar};

const ROUNDINGS: [Rounding; 5] = [
    Rounding::NearestEven,
    Rounding::TowardZero,
    Rounding::Up,
    Rounding::Down,
    Rounding::NearestAway,
];

const NARROW: [(&str, Format); 7] = [
    ("f16", Format::F16),
    ("bf16", Format::BF16),
    ("e4m3", Format::E4M3),
    ("e5m2", Format::E5M2),
    ("e4m3 fnuz", Format::E4M3_FNUZ),
    ("e5m2 fnuz", Format::E5M2_FNUZ),
    ("tf32", Format::TF32),
];

/// xorshift64*
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }
}

/// The positive numbers of a format, smallest first, by the definition of its fields.
fn numbers(format: Format) -> Vec<f64> {
    let Format { exponent_bits, fraction_bits, bias, .. } = format;
    let count = match format {
        Format::E4M3 => 127,
        Format::E4M3_FNUZ | Format::E5M2_FNUZ => 128,
        _ => ((1u64 << exponent_bits) - 1) << fraction_bits,
    };
    (0..count)
        .map(|code| {
            let (field, fraction) = (code >> fraction_bits, code & ((1 << fraction_bits) - 1));
            let scale = 2f64.powi(field.max(1) as i32 - bias - fraction_bits as i32);
            let leading = if field > 0 { 1u64 << fraction_bits } else { 0 };
            (leading + fraction) as f64 * scale
        })
        .collect()
}

#[test]
fn numbers_have_the_published_extremes() {
    // OCP 8-bit Floating Point Specification 1.0, table 1; AMD CDNA 3 ISA, section on FP8.
    let extremes = |format| {
        let all = numbers(format);
        (all[1], all[all.len() - 1])
    };
    assert_eq!(extremes(Format::F16), (2f64.powi(-24), 65504.0));
    assert_eq!(extremes(Format::BF16).1, 3.389_531_389_251_535_5e38);
    assert_eq!(extremes(Format::E4M3), (2f64.powi(-9), 448.0));
    assert_eq!(extremes(Format::E5M2), (2f64.powi(-16), 57344.0));
    assert_eq!(extremes(Format::E4M3_FNUZ), (2f64.powi(-10), 240.0));
    assert_eq!(extremes(Format::E5M2_FNUZ), (2f64.powi(-17), 57344.0));
}

#[test]
fn every_pattern_has_its_value_and_goes_back_to_itself() {
    for (name, format) in NARROW {
        let all = numbers(format);
        let sign = 1u64 << (format.width() - 1);
        for (code, value) in all.iter().enumerate() {
            let code = code as u64;
            assert_eq!(format.to_f64(code), *value, "{name} {code:x}");
            if code == 0 && format.nan() == sign {
                continue;
            }
            assert_eq!(format.to_f64(code | sign).to_bits(), (-value).to_bits());
            for rounding in ROUNDINGS {
                assert_eq!(format.round_f64(*value, rounding, false), code);
                assert_eq!(format.round_f64(-value, rounding, false), code | sign);
            }
        }
        for code in all.len() as u64..sign {
            assert!(!format.to_f64(code).is_finite(), "{name} {code:x}");
        }
        assert!(format.to_f64(format.nan()).is_nan());
        assert!(format.is_nan(format.round_f64(f64::NAN, Rounding::Up, true)));
    }
}

/// What `value` rounds to, by searching the table. Beyond the largest number the next one that the
/// format would have decides, as IEEE 754 says.
fn searched(format: Format, all: &[f64], value: f64, rounding: Rounding, saturate: bool) -> u64 {
    let sign = if value.is_sign_negative() { 1u64 << (format.width() - 1) } else { 0 };
    let magnitude = value.abs();
    let largest = all.len() - 1;
    let step = all[largest] - all[largest - 1];
    let at = |index: usize| all.get(index).copied().unwrap_or(all[largest] + step);
    let above = all.partition_point(|number| *number < magnitude);
    let code = if above > largest + 1 || magnitude >= all[largest] + step {
        largest + 1
    } else if at(above) == magnitude {
        above
    } else {
        let below = above - 1;
        let (down, up) = (magnitude - at(below), at(above) - magnitude);
        let nearest = match down.total_cmp(&up) {
            std::cmp::Ordering::Less => Some(below),
            std::cmp::Ordering::Greater => Some(above),
            std::cmp::Ordering::Equal => None,
        };
        match rounding {
            Rounding::NearestEven => nearest.unwrap_or(if below & 1 == 0 { below } else { above }),
            Rounding::NearestAway => nearest.unwrap_or(above),
            Rounding::TowardZero => below,
            Rounding::Up => {
                if value > 0.0 {
                    above
                } else {
                    below
                }
            }
            Rounding::Down => {
                if value > 0.0 {
                    below
                } else {
                    above
                }
            }
        }
    };
    let inward = match rounding {
        Rounding::TowardZero => true,
        Rounding::Up => value < 0.0,
        Rounding::Down => value > 0.0,
        _ => false,
    };
    let code = if code > largest {
        if saturate || inward { largest as u64 } else { return format.infinity(value < 0.0) }
    } else {
        code as u64
    };
    if code == 0 && format.nan() == 1 << (format.width() - 1) { 0 } else { sign | code }
}

#[test]
fn values_round_as_a_search_of_all_numbers_says() {
    let mut random = Random(1);
    for (name, format) in NARROW {
        let all = numbers(format);
        let mut values = Vec::new();
        let stride = (all.len() / 4000).max(1);
        for index in (0..all.len()).step_by(stride) {
            let next =
                all.get(index + 1).copied().unwrap_or_else(|| 2.0 * all[index] - all[index - 1]);
            let middle = (all[index] + next) / 2.0;
            let random =
                all[index] + (next - all[index]) * (random.next() >> 11) as f64 * 2f64.powi(-53);
            values.extend([middle, middle.next_down(), middle.next_up(), random, next.next_down()]);
            values.extend([all[index].next_up(), next]);
        }
        values.extend([f64::MAX, f64::MIN_POSITIVE, 5e-324, 1e300]);
        for value in values {
            for rounding in ROUNDINGS {
                for (value, saturate) in
                    [(value, false), (-value, false), (value, true), (-value, true)]
                {
                    let expected = searched(format, &all, value, rounding, saturate);
                    let found = format.round_f64(value, rounding, saturate);
                    assert_eq!(found, expected, "{name} {value:e} {rounding:?} {saturate}");
                }
            }
        }
    }
}

#[test]
fn infinities_saturate_or_stay() {
    for (_, format) in NARROW {
        for rounding in ROUNDINGS {
            let largest = format.largest();
            assert_eq!(format.round_f64(f64::INFINITY, rounding, true), largest);
            let infinite = format.round_f64(f64::INFINITY, rounding, false);
            assert_eq!(infinite, format.infinity(false));
        }
    }
}

#[test]
fn inner_conversions_equal_the_general_ones_and_those_of_another_author() {
    for bits in 0..=u16::MAX {
        let (ours, theirs) = (format::f16_to_f32(bits), half::f16::from_bits(bits).to_f32());
        assert!(ours.to_bits() == theirs.to_bits() || ours.is_nan() && theirs.is_nan());
        assert!(f64::from(ours) == Format::F16.to_f64(bits.into()) || ours.is_nan());
        let (ours, theirs) = (format::bf16_to_f32(bits), half::bf16::from_bits(bits).to_f32());
        assert!(ours.to_bits() == theirs.to_bits() || ours.is_nan() && theirs.is_nan());
    }
    let mut random = Random(2);
    let near = (0..=u16::MAX).flat_map(|bits| {
        let value = half::f16::from_bits(bits).to_f32().to_bits();
        let wide = u32::from(bits) << 16;
        [
            value,
            value + 0xfff,
            value + 0x1000,
            value + 0x1001,
            wide,
            wide + 0x7fff,
            wide + 0x8000,
            wide + 0x8001,
        ]
    });
    let values: Vec<u32> = near.chain((0..400_000).map(|_| (random.next() >> 32) as u32)).collect();
    for word in values {
        let value = f32::from_bits(word);
        let (ours, theirs) = (format::f32_to_f16(value), half::f16::from_f32(value).to_bits());
        assert!(ours == theirs || value.is_nan() && ours == 0x7fff, "{word:x}");
        let general = Format::F16.round_f64(value.into(), Rounding::NearestEven, false);
        assert_eq!(u64::from(ours), general, "{word:x}");
        let (ours, theirs) = (format::f32_to_bf16(value), half::bf16::from_f32(value).to_bits());
        assert!(ours == theirs || value.is_nan() && ours == 0x7fff, "{word:x}");
        let general = Format::BF16.round_f64(value.into(), Rounding::NearestEven, false);
        assert_eq!(u64::from(ours), general, "{word:x}");
        if value.is_finite() {
            let tf32 = Format::TF32.round_f64(value.into(), Rounding::NearestAway, false);
            assert_eq!(u64::from(format::round_to_tf32(value).to_bits()), tf32 << 13, "{word:x}");
        }
    }
}

#[test]
fn f64_to_f32_is_the_processors() {
    let mut random = Random(3);
    for _ in 0..300_000 {
        let word = random.next();
        // Exponents near those of f32, and all others.
        let value = f64::from_bits(if word & 1 == 0 {
            word
        } else {
            word & !(0x7ff << 52) | (0x360 + (word >> 1 & 0x11f)) << 52
        });
        if value.is_nan() {
            continue;
        }
        let ours = Format::F32.round_f64(value, Rounding::NearestEven, false);
        assert_eq!(ours, u64::from((value as f32).to_bits()), "{value:e}");
        let odd = format::f64_to_f32_odd(value);
        let (down, up) = (
            Format::F32.round_f64(value, Rounding::Down, false),
            Format::F32.round_f64(value, Rounding::Up, false),
        );
        if down == up {
            assert_eq!(u64::from(odd.to_bits()), down);
        } else if value.abs() < f32::MAX.into() {
            assert_eq!(odd.to_bits() & 1, 1, "{value:e}");
            assert!([down, up].contains(&odd.to_bits().into()), "{value:e}");
        }
    }
}

#[test]
fn integers_round_to_floats_as_the_processor_has_them() {
    let mut random = Random(4);
    for _ in 0..200_000 {
        let word = random.next() >> (random.next() & 63);
        let signed = word as i64;
        let of = |value: i128, to| format::integer_to_float(value, to, Rounding::NearestEven);
        assert_eq!(of(word.into(), Scalar::F32), Some((word as f32).to_bits().into()));
        assert_eq!(of(word.into(), Scalar::F64), Some((word as f64).to_bits()));
        assert_eq!(of(signed.into(), Scalar::F32), Some((signed as f32).to_bits().into()));
        assert_eq!(of(signed.into(), Scalar::F64), Some((signed as f64).to_bits()));
        // In a direction: the neighbours of the exact integer, by comparing integers.
        for (to, value) in [(Scalar::F32, i128::from(signed)), (Scalar::F64, i128::from(signed))] {
            let exactly = |bits: Option<u64>| match to {
                Scalar::F32 => f32::from_bits(bits.unwrap() as u32) as i128,
                _ => f64::from_bits(bits.unwrap()) as i128,
            };
            let down = exactly(format::integer_to_float(value, to, Rounding::Down));
            let up = exactly(format::integer_to_float(value, to, Rounding::Up));
            let zero = exactly(format::integer_to_float(value, to, Rounding::TowardZero));
            assert!(down <= value && value <= up && zero.abs() <= value.abs());
            assert!(zero == down || zero == up);
            let nearest = exactly(of(value, to));
            assert!(nearest == down || nearest == up);
        }
    }
}

#[test]
fn floats_become_the_nearest_integers_that_fit() {
    let to = |value: f64, from, to, rounding| {
        format::float_to_integer(value, from, to, rounding, NanToInteger::TopBitIfAny64)
    };
    use Rounding::*;
    let cases = [
        (2.5, NearestEven, 2i64),
        (3.5, NearestEven, 4),
        (-2.5, NearestEven, -2),
        (2.5, NearestAway, 3),
        (-2.5, NearestAway, -3),
        (2.7, TowardZero, 2),
        (-2.7, TowardZero, -2),
        (2.1, Up, 3),
        (-2.1, Up, -2),
        (2.9, Down, 2),
        (-2.1, Down, -3),
        (1e-45, Up, 1),
    ];
    for (value, rounding, expected) in cases {
        assert_eq!(to(value, Scalar::F64, Scalar::I64, rounding), expected as u64);
        assert_eq!(
            to(value, Scalar::F32, Scalar::I32, rounding),
            u64::from(expected as i32 as u32)
        );
        assert_eq!(to(value, Scalar::F32, Scalar::I8, rounding), u64::from(expected as i8 as u8));
        assert_eq!(to(value, Scalar::F32, Scalar::U16, rounding), expected.max(0) as u64);
    }
    assert_eq!(to(1e30, Scalar::F32, Scalar::I32, TowardZero), 0x7fff_ffff);
    assert_eq!(to(-1e30, Scalar::F32, Scalar::I32, TowardZero), 0x8000_0000);
    assert_eq!(to(-1.0, Scalar::F32, Scalar::U32, TowardZero), 0);
    assert_eq!(to(1e30, Scalar::F32, Scalar::U64, TowardZero), u64::MAX);
    assert_eq!(to(300.0, Scalar::F32, Scalar::U8, TowardZero), 255);
    assert_eq!(to(-300.0, Scalar::F32, Scalar::I8, TowardZero), 0x80);
    // PTX ISA, `cvt`: NaN.
    assert_eq!(to(f64::NAN, Scalar::F32, Scalar::I32, TowardZero), 0);
    assert_eq!(to(f64::NAN, Scalar::F64, Scalar::I32, TowardZero), 0x8000_0000);
    assert_eq!(to(f64::NAN, Scalar::F32, Scalar::U64, TowardZero), 1 << 63);
}
