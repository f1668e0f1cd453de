//! Conversions, rounding and integer intrinsics against exact arithmetic.

use half::{bf16, f16};
use port_check::oracle::RunOptions;
use port_check::tensor::{DType, Tensor};

use crate::common::{Random, Suite, set_buffer};

/// Operands of the tests with random data.
const COUNT: usize = 20_000;

const SPEC: &str = r#"
ints = [["n", "20000"], ["all", "65536"], ["many", "400000"]]
[buffers]
from_half = { dtype = "f32", shape = ["all"], init = "zeros", out = true }
from_bfloat16 = { dtype = "f32", shape = ["all"], init = "zeros", out = true }
floats = { dtype = "f32", shape = ["many"], init = "zeros" }
narrowed = { dtype = "u16", shape = [8, "many"], init = "zeros", out = true }
a16 = { dtype = "u16", shape = ["n"], init = "ints(0, 65536)", seed = 1 }
b16 = { dtype = "u16", shape = ["n"], init = "ints(0, 65536)", seed = 2 }
c16 = { dtype = "u16", shape = ["n"], init = "ints(0, 65536)", seed = 3 }
half_results = { dtype = "u16", shape = [8, "n"], init = "zeros", out = true }
bfloat16_results = { dtype = "u16", shape = [8, "n"], init = "zeros", out = true }
failures = { dtype = "i32", shape = [1], init = "zeros", out = true }
a = { dtype = "f32", shape = ["n"], init = "zeros" }
b = { dtype = "f32", shape = ["n"], init = "zeros" }
c = { dtype = "f32", shape = ["n"], init = "zeros" }
directed = { dtype = "f32", shape = [10, 4, "n"], init = "zeros", out = true }
wide_a = { dtype = "i64", shape = ["n"], init = "ints(-9007199254740992, 9007199254740992)", seed = 4 }
wide_b = { dtype = "i64", shape = ["n"], init = "ints(-1000000000, 1000000000)", seed = 5 }
directed_double = { dtype = "f64", shape = [4, 4, "n"], init = "zeros", out = true }
to_integers = { dtype = "i64", shape = [4, 4, "n"], init = "zeros", out = true }
words_a = { dtype = "u32", shape = ["n"], init = "ints(0, 4294967296)", seed = 6 }
words_b = { dtype = "u32", shape = ["n"], init = "ints(0, 4294967296)", seed = 7 }
words = { dtype = "u32", shape = [26, "n"], init = "zeros", out = true }
[[launch]]
kernel = "widen"
grid = [4]
block = [256]
args = ["from_half", "from_bfloat16", "all"]
[[launch]]
kernel = "narrow"
grid = [4]
block = [256]
args = ["narrowed", "floats", "many"]
[[launch]]
kernel = "half_operations"
grid = [4]
block = [256]
args = ["half_results", "a16", "b16", "c16", "n"]
[[launch]]
kernel = "bfloat16_operations"
grid = [4]
block = [256]
args = ["bfloat16_results", "a16", "b16", "c16", "n"]
[[launch]]
kernel = "operators"
grid = [4]
block = [256]
args = ["failures", "a16", "b16", "n"]
[[launch]]
kernel = "directed"
grid = [4]
block = [256]
args = ["directed", "a", "b", "c", "n"]
[[launch]]
kernel = "directed_double"
grid = [4]
block = [256]
args = ["directed_double", "wide_a", "wide_b", "n"]
[[launch]]
kernel = "to_integers"
grid = [4]
block = [256]
args = ["to_integers", "a", "n"]
[[launch]]
kernel = "integers"
grid = [4]
block = [256]
args = ["words", "words_a", "words_b", "n"]
"#;

fn suite() -> Suite {
    Suite::new("arithmetic.cu", SPEC)
}

/// Rounds `numerator / 2^shift · 2^scale`, an exact dyadic number, to a format of `mantissa`
/// fraction bits and `exponent` exponent bits. Directions are rn, rz, ru, rd. Written from the
/// definition: the candidates below and above on the format's grid, then the choice between them.
fn round_exact(numerator: i128, power: i32, mantissa: i32, exponent: i32, direction: usize) -> u16 {
    let sign = if numerator < 0 { 1u16 << (mantissa + exponent) } else { 0 };
    let magnitude = numerator.unsigned_abs();
    let bias = (1 << (exponent - 1)) - 1;
    if magnitude == 0 {
        return 0;
    }
    // The grid's step at this magnitude: 2^(e − mantissa), not below the subnormal step.
    let top = 127 - magnitude.leading_zeros() as i32 + power;
    let step = top.max(1 - bias) - mantissa;
    let drop = step - power;
    let (below, rest, half) = if drop <= 0 {
        (magnitude << -drop, 0, 1)
    } else if drop > 126 {
        (0, 1, 2)
    } else {
        (magnitude >> drop, magnitude & ((1 << drop) - 1), 1u128 << (drop - 1))
    };
    let up = match direction {
        0 => rest > half || (rest == half && below & 1 == 1 && drop > 0),
        1 => false,
        2 => rest != 0 && sign == 0,
        _ => rest != 0 && sign != 0,
    };
    let rounded = below + u128::from(up);
    // Steps counted from zero are the bits of the format, when the binade's start is added.
    let binade = (step + mantissa + bias - 1).max(0) as u128;
    let bits = (binade << mantissa) + rounded;
    let infinity = ((1u128 << exponent) - 1) << mantissa;
    let overflow_stays =
        direction == 1 || (direction == 2 && sign != 0) || (direction == 3 && sign == 0);
    let bits =
        if bits >= infinity { if overflow_stays { infinity - 1 } else { infinity } } else { bits };
    sign | bits as u16
}

/// A finite f32 as an integer times a power of two.
fn parts(value: f32) -> (i128, i32) {
    let bits = value.to_bits();
    let fraction = i128::from(bits & 0x7f_ffff);
    let exponent = (bits >> 23 & 0xff) as i32;
    let magnitude = if exponent == 0 { fraction } else { fraction | 0x80_0000 };
    (if value.is_sign_negative() { -magnitude } else { magnitude }, exponent.max(1) - 150)
}

#[test]
fn every_sixteen_bit_value_widens() {
    let run = suite().run("widen");
    let (halves, bfloats) =
        (run.output("from_half").unwrap(), run.output("from_bfloat16").unwrap());
    for bits in 0..=u16::MAX {
        let index = usize::from(bits);
        let (expected, actual) = (f16::from_bits(bits).to_f32(), halves.get_f64(index) as f32);
        let same = expected.to_bits() == halves.bits(index) as u32;
        assert!(same || (expected.is_nan() && actual.is_nan()), "{bits:#x}");
        let expected = bf16::from_bits(bits).to_f32();
        let same = u64::from(expected.to_bits()) == bfloats.bits(index);
        assert!(same || expected.is_nan(), "{bits:#x}");
    }
}

#[test]
fn floats_narrow_in_every_direction() {
    let suite = suite();
    let mut case = suite.only("narrow");
    let count = case.buffer("floats").unwrap().len();
    let mut values = Vec::with_capacity(count);
    // Every half and the middles between them, with their neighbours; then random bits.
    for bits in 0..0x7c00u16 {
        let value = f16::from_bits(bits).to_f32();
        let middle = (value + f16::from_bits(bits + 1).to_f32()) / 2.0;
        let middle = if bits == 0x7bff { 65520.0 } else { middle };
        let next = f32::from_bits(middle.to_bits() + 1);
        let previous = f32::from_bits(middle.to_bits() - 1);
        values.extend([value, -value, middle, -middle, next, -next, previous, -previous]);
    }
    for bits in (0..0x7f80u32).step_by(7) {
        let middle = f32::from_bits(bits << 16 | 0x8000);
        values.extend([middle, -f32::from_bits(middle.to_bits() + 1)]);
        values.push(f32::from_bits(middle.to_bits() - 1));
    }
    values.extend([f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN, f32::MIN_POSITIVE, 1e-45]);
    let mut random = Random(1);
    while values.len() < count {
        let value = f32::from_bits(random.bits() as u32);
        values.push(if value.is_nan() { 0.0 } else { value });
    }
    assert_eq!(values.len(), count);
    set_buffer(&mut case, "floats", Tensor::from_f32(&values));
    let run = suite.run_case(&case, &RunOptions::default()).unwrap();
    let out = run.output("narrowed").unwrap();
    for (i, value) in values.iter().enumerate() {
        for direction in 0..4 {
            let (half, bfloat) = if value.is_infinite() || *value == 0.0 {
                (f16::from_f32(*value).to_bits(), bf16::from_f32(*value).to_bits())
            } else {
                let (numerator, power) = parts(*value);
                (
                    round_exact(numerator, power, 10, 5, direction),
                    round_exact(numerator, power, 7, 8, direction),
                )
            };
            if direction == 0 {
                assert_eq!(half, f16::from_f32(*value).to_bits(), "{value:e}");
                assert_eq!(bfloat, bf16::from_f32(*value).to_bits(), "{value:e}");
            }
            let actual = out.bits(direction * count + i) as u16;
            assert_eq!(actual, half, "half of {value:e}, direction {direction}");
            let actual = out.bits((4 + direction) * count + i) as u16;
            assert_eq!(actual, bfloat, "bfloat16 of {value:e}, direction {direction}");
        }
    }
}

/// The sixteen-bit results of one operation, checked where the exact result is finite and not zero.
fn check_operations(kernel: &str, output: &str, mantissa: i32, exponent: i32) {
    let suite = suite();
    let mut case = suite.only(kernel);
    let sign = 1u16 << 15;
    let bias = (1 << (exponent - 1)) - 1;
    let mut random = Random(u64::from(mantissa as u32));
    // Exponents within 2^±20, so that exact sums fit 128 bits; half a range below, to cancel.
    let mut operand = |near: Option<u16>| {
        let bits = random.bits();
        if let (Some(near), 0) = (near, bits >> 62) {
            return near ^ (bits as u16 & 0x8003);
        }
        let reach = bias.min(20) as u64;
        let power = (bits >> 16) % (2 * reach) + bias as u64 - reach;
        (bits as u16 & (sign | ((1 << mantissa) - 1))) | (power as u16) << mantissa
    };
    let mut columns = [Vec::new(), Vec::new(), Vec::new()];
    for _ in 0..COUNT {
        let a = operand(None);
        let b = operand(Some(a));
        let c = operand(Some(a));
        for (column, bits) in columns.iter_mut().zip([a, b, c]) {
            column.extend(bits.to_le_bytes());
        }
    }
    for (name, column) in ["a16", "b16", "c16"].into_iter().zip(columns) {
        set_buffer(&mut case, name, Tensor::from_bytes(DType::U16, &[COUNT], column).unwrap());
    }
    let run = suite.run_case(&case, &RunOptions::default()).unwrap();
    let out = run.output(output).unwrap();
    // Each value is an integer times 2^unit.
    let unit = 1 - bias - mantissa;
    let value = |bits: u16| {
        let power = i32::from(bits >> mantissa) & ((1 << exponent) - 1);
        let fraction = i128::from(bits & ((1 << mantissa) - 1));
        let magnitude = if power == 0 { fraction } else { fraction | 1 << mantissa };
        (if bits & sign != 0 { -magnitude } else { magnitude }, power.max(1) - 1 + unit)
    };
    let align = |(x, p): (i128, i32), to: i32| x << (p - to);
    let round = |numerator, power| round_exact(numerator, power, mantissa, exponent, 0);
    for i in 0..COUNT {
        let bits = ["a16", "b16", "c16"].map(|name| case.buffer(name).unwrap().bits(i) as u16);
        let [a, b, c] = bits.map(value);
        let low = a.1.min(b.1);
        let product = (a.0 * b.0, a.1 + b.1);
        let fused_low = product.1.min(c.1);
        let exact = [
            (align(a, low) + align(b, low), low),
            (align(a, low) - align(b, low), low),
            product,
            // A quotient to 80 bits, odd when it is not exact.
            (((a.0 << 80) / b.0) | i128::from((a.0 << 80) % b.0 != 0), a.1 - b.1 - 80),
            (align(product, fused_low) + align(c, fused_low), fused_low),
        ];
        for (operation, (numerator, power)) in exact.into_iter().enumerate() {
            if numerator == 0 {
                continue;
            }
            let actual = out.bits(operation * COUNT + i) as u16;
            let expected = round(numerator, power);
            assert_eq!(actual, expected, "{kernel} {operation} of {bits:x?}");
        }
        let float = |bits: u16| value(bits).0 as f64 * 2f64.powi(value(bits).1);
        let (x, y) = (float(bits[0]), float(bits[1]));
        let actual = |operation: usize| float(out.bits(operation * COUNT + i) as u16);
        if x > 0.0 {
            let root = actual(5);
            let step = 2f64.powi(root.log2().floor() as i32 - mantissa);
            assert!((root - step / 2.0).powi(2) <= x && x <= (root + step / 2.0).powi(2), "√{x}");
        }
        assert_eq!(actual(6), x.max(y));
        assert_eq!(actual(7), x.min(y));
    }
}

#[test]
fn half_operations_round_once() {
    check_operations("half_operations", "half_results", 10, 5);
}

#[test]
fn bfloat16_operations_round_once() {
    check_operations("bfloat16_operations", "bfloat16_results", 7, 8);
}

#[test]
fn half_operators_are_their_functions() {
    assert_eq!(suite().run("operators").output("failures").unwrap().get_i64(0), 0);
}

/// Whether `result` is the rounding in `direction` of the number that `exact` compares with: it
/// gives the order of an f32 and the exact number.
fn is_rounded(result: f32, direction: usize, exact: impl Fn(f64) -> std::cmp::Ordering) -> bool {
    use std::cmp::Ordering::{Equal, Greater, Less};
    let order = exact(f64::from(result));
    if order == Equal {
        return true;
    }
    let (below, above) = match order {
        Less => (result, result.next_up()),
        _ => (result.next_down(), result),
    };
    // Strictly between two neighbours.
    if exact(f64::from(below)) != Less || exact(f64::from(above)) != Greater {
        return false;
    }
    match direction {
        0 => {
            let middle = (f64::from(below) + f64::from(above)) / 2.0;
            match exact(middle) {
                Less => result == above,
                Greater => result == below,
                Equal => result.to_bits() & 1 == 0,
            }
        }
        1 => result.abs() == below.abs().min(above.abs()),
        2 => result == above,
        _ => result == below,
    }
}

#[test]
fn float_operations_round_in_every_direction() {
    let suite = suite();
    let mut case = suite.only("directed");
    let mut random = Random(3);
    // Magnitudes from 2^-3 to 2^3, so that products and their sums are exact in 128 bits.
    let mut column = || -> Vec<f32> {
        (0..COUNT)
            .map(|_| {
                let bits = random.bits();
                let power = 124 + (bits >> 40) as u32 % 6;
                f32::from_bits((bits as u32 & 0x807f_ffff) | power << 23)
            })
            .collect()
    };
    let (a, b, c) = (column(), column(), column());
    for (name, values) in [("a", &a), ("b", &b), ("c", &c)] {
        set_buffer(&mut case, name, Tensor::from_f32(values));
    }
    let run = suite.run_case(&case, &RunOptions::default()).unwrap();
    let out = run.output("directed").unwrap();
    // Numbers as integers times 2^-60, which products of these operands are.
    let fixed = |value: f64| {
        let scaled = value * 2f64.powi(60);
        assert_eq!(scaled, scaled.trunc(), "{value:e}");
        scaled as i128
    };
    for i in 0..COUNT {
        let (x, y, z) = (f64::from(a[i]), f64::from(b[i]), f64::from(c[i]));
        let integer = |bits: u64| move |v: f64| (v as i128).cmp(&i128::from(bits));
        for direction in 0..4 {
            let at = |operation: usize| {
                f32::from_bits(out.bits((operation * 4 + direction) * COUNT + i) as u32)
            };
            let sum = fixed(x) + fixed(y);
            let difference = fixed(x) - fixed(y);
            let product = fixed(x * y);
            let fused = product + fixed(z);
            let bits = u64::from(a[i].to_bits()) * u64::from(b[i].to_bits());
            let checks: [(&str, bool); 10] = [
                ("add", is_rounded(at(0), direction, |v| fixed(v).cmp(&sum))),
                ("sub", is_rounded(at(1), direction, |v| fixed(v).cmp(&difference))),
                ("mul", is_rounded(at(2), direction, |v| fixed(v).cmp(&product))),
                // v against x / y: v·y against x, turned when y is negative. v·y is exact in f64.
                (
                    "div",
                    is_rounded(at(3), direction, |v| {
                        let order = (v * y).total_cmp(&x);
                        if y < 0.0 { order.reverse() } else { order }
                    }),
                ),
                ("sqrt", is_rounded(at(4), direction, |v| (v * v).total_cmp(&x.abs()))),
                (
                    "rcp",
                    is_rounded(at(5), direction, |v| {
                        let order = (v * x).total_cmp(&1.0);
                        if x < 0.0 { order.reverse() } else { order }
                    }),
                ),
                ("fma", is_rounded(at(6), direction, |v| fixed(v).cmp(&fused))),
                ("double2float", is_rounded(at(7), direction, |v| v.total_cmp(&(x * y)))),
                ("ull2float", is_rounded(at(8), direction, integer(bits))),
                (
                    "int2float",
                    is_rounded(at(9), direction, |v| {
                        (v as i128).cmp(&i128::from(a[i].to_bits() as i32))
                    }),
                ),
            ];
            for (name, good) in checks {
                assert!(good, "{name} of {x:e}, {y:e}, {z:e} in direction {direction}");
            }
        }
    }
}

#[test]
fn double_operations_round_in_every_direction() {
    let suite = suite();
    let run = suite.run("directed_double");
    let out = run.output("directed_double").unwrap();
    let (a, b) = (suite.case.buffer("wide_a").unwrap(), suite.case.buffer("wide_b").unwrap());
    for i in 0..COUNT {
        let (x, y) = (i128::from(a.get_i64(i)), i128::from(b.get_i64(i)));
        let unsigned = i128::from((a.get_i64(i) as u64).wrapping_mul(4095));
        for (operation, exact) in [x + y, x * y, x * y - x, unsigned].into_iter().enumerate() {
            for direction in 0..4 {
                let result = out.get_f64((operation * 4 + direction) * COUNT + i);
                // All candidates are integers here.
                let value = result as i128;
                let good = match value.cmp(&exact) {
                    std::cmp::Ordering::Equal => true,
                    order => {
                        let other =
                            if order.is_lt() { result.next_up() } else { result.next_down() };
                        let other = other as i128;
                        let nearer = (value - exact).abs() <= (other - exact).abs();
                        let between = (value < exact) != (other < exact);
                        between
                            && match direction {
                                0 => nearer,
                                1 => value.abs() < exact.abs(),
                                2 => value > exact,
                                _ => value < exact,
                            }
                    }
                };
                assert!(good, "{operation} of {x}, {y} in direction {direction}: {result:e}");
            }
        }
    }
}

#[test]
fn floats_become_integers_with_saturation() {
    let suite = suite();
    let mut case = suite.only("to_integers");
    let mut values = vec![
        f32::NAN,
        f32::INFINITY,
        f32::NEG_INFINITY,
        0.5,
        1.5,
        2.5,
        -0.5,
        -1.5,
        -2.5,
        2147483648.0,
        -2147483648.0,
        -2147483904.0,
        4294967296.0,
        4294967040.0,
        9223372036854775808.0,
        1e30,
        -1e30,
        -0.75,
        0.99999994,
        18446744073709551616.0,
        -9223372036854775808.0,
        f32::MIN_POSITIVE,
    ];
    let mut random = Random(9);
    while values.len() < COUNT {
        let value = f32::from_bits(random.bits() as u32);
        values.push(if value.is_nan() { 0.0 } else { value });
    }
    set_buffer(&mut case, "a", Tensor::from_f32(&values));
    let run = suite.run_case(&case, &RunOptions::default()).unwrap();
    let out = run.output("to_integers").unwrap();
    for (i, value) in values.iter().enumerate() {
        let value = f64::from(*value);
        let rounded = [value.round_ties_even(), value.trunc(), value.ceil(), value.floor()];
        for (direction, rounded) in rounded.into_iter().enumerate() {
            // Rust's casts saturate. NaN: 0 for 32 bits, 2^63 for 64 bits (PTX cvt).
            let nan = i64::MIN;
            let expected = [
                i64::from(rounded as i32),
                i64::from(rounded as u32),
                if value.is_nan() { nan } else { rounded as i64 },
                if value.is_nan() { nan } else { rounded as u64 as i64 },
            ];
            for (kind, expected) in expected.into_iter().enumerate() {
                let actual = out.get_i64((kind * 4 + direction) * COUNT + i);
                assert_eq!(actual, expected, "{value:e} to kind {kind}, direction {direction}");
            }
        }
    }
}

#[test]
fn integer_intrinsics_are_their_definitions() {
    let suite = suite();
    let run = suite.run("integers");
    let out = run.output("words").unwrap();
    let (a, b) = (suite.case.buffer("words_a").unwrap(), suite.case.buffer("words_b").unwrap());
    for i in 0..COUNT {
        let (x, y) = (a.bits(i) as u32, b.bits(i) as u32);
        let (sx, sy) = (x as i32, y as i32);
        let wide = u64::from(x) << 32 | u64::from(y);
        let pair = u64::from(y) << 32 | u64::from(x);
        let bytes = |v: u32| v.to_le_bytes();
        let by_byte = |f: &dyn Fn(u8, u8) -> u8| {
            let (p, q) = (bytes(x), bytes(y));
            u32::from_le_bytes([f(p[0], q[0]), f(p[1], q[1]), f(p[2], q[2]), f(p[3], q[3])])
        };
        let by_half = |f: &dyn Fn(i16, i16) -> i16| {
            let low = f(x as i16, y as i16) as u16;
            let high = f((x >> 16) as i16, (y >> 16) as i16) as u16;
            u32::from(high) << 16 | u32::from(low)
        };
        let picked = pair.to_le_bytes();
        let signed_dot: i32 =
            (0..4).map(|k| i32::from(bytes(x)[k] as i8) * i32::from(bytes(y)[k] as i8)).sum();
        let dot: u32 = (0..4).map(|k| u32::from(bytes(x)[k]) * u32::from(bytes(y)[k])).sum();
        let sads: u32 = (0..4)
            .map(|k| i32::from(bytes(x)[k] as i8).abs_diff(i32::from(bytes(y)[k] as i8)))
            .sum();
        let low24 = |v: i32| v << 8 >> 8;
        let clamped = (y % 40).min(32);
        let expected = [
            x.leading_zeros(),
            if x == 0 { 0 } else { x.trailing_zeros() + 1 },
            x.count_ones(),
            x.reverse_bits(),
            wide.leading_zeros(),
            wide.count_ones(),
            u32::from_le_bytes([picked[2], picked[4], picked[1], picked[6]]),
            ((i64::from(sx) * i64::from(sy)) >> 32) as u32,
            ((u64::from(x) * u64::from(y)) >> 32) as u32,
            low24(sx).wrapping_mul(low24(sy)) as u32,
            (pair << (y & 31) >> 32) as u32,
            (pair >> (x & 31)) as u32,
            ((u128::from(pair) << clamped) >> 32) as u32,
            signed_dot.wrapping_sub(7) as u32,
            dot.wrapping_add(9),
            by_byte(&u8::wrapping_sub),
            by_half(&i16::saturating_add),
            by_byte(&|p, q| if p > q { 0xff } else { 0 }),
            sads,
            x.abs_diff(y).wrapping_add(5),
            ((i64::from(sx) + i64::from(sy)) >> 1) as u32,
            by_half(&i16::max),
            by_byte(&|p, q| (u16::from(p) + u16::from(q)).div_ceil(2) as u8),
            (((u128::from(wide) * u128::from(wide)) >> 64) as u64 >> 7) as u32,
            sx.min(sy) as u32,
            x.max(y),
        ];
        for (operation, expected) in expected.into_iter().enumerate() {
            let actual = out.bits(operation * COUNT + i) as u32;
            assert_eq!(actual, expected, "operation {operation} of {x:#x}, {y:#x}");
        }
    }
}
