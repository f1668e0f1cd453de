//! Single operations against `rustc_apfloat`, which computes on its own big integers.

use port_float::arithmetic;
use port_ir::{FloatFlags, Rounding};
use rustc_apfloat::ieee::{BFloat, Double, Half, Single};
use rustc_apfloat::{Float, Round};

const ROUNDINGS: [(Rounding, Round); 5] = [
    (Rounding::NearestEven, Round::NearestTiesToEven),
    (Rounding::TowardZero, Round::TowardZero),
    (Rounding::Up, Round::TowardPositive),
    (Rounding::Down, Round::TowardNegative),
    (Rounding::NearestAway, Round::NearestTiesToAway),
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

    /// A number whose bits lean to what is hard: few fraction bits, extreme exponents, neighbours
    /// of powers of two, zeros and infinities.
    fn number(&mut self, exponent_bits: u32, fraction_bits: u32) -> u64 {
        let word = self.next();
        let choice = word >> 60;
        let fraction_mask = (1u64 << fraction_bits) - 1;
        let largest = (1u64 << exponent_bits) - 1;
        let fraction = match choice & 3 {
            0 => word & fraction_mask,
            1 => (word & fraction_mask) & (self.next() & self.next()),
            2 => fraction_mask - (word & 3),
            _ => word & 3,
        };
        let middle = largest / 2;
        let exponent = match choice >> 2 {
            0 => (word >> 52 & 0xff) % (largest + 1),
            1 => middle + (word >> 52 & 7) - 4,
            2 => (word >> 52 & 3) + (word >> 54 & 1) * (fraction_bits as u64 / 2),
            _ => largest.saturating_sub(word >> 52 & 3),
        };
        let sign = self.next() >> 63;
        sign << (exponent_bits + fraction_bits) | exponent.min(largest) << fraction_bits | fraction
    }
}

fn flags(rounding: Rounding) -> FloatFlags {
    FloatFlags { rounding, ..FloatFlags::STRICT }
}

macro_rules! compared {
    ($name:ident, $reference:ty, $module:ident, $exponent:literal, $fraction:literal, $count:literal,
     $from:expr, $to:expr) => {
        #[test]
        fn $name() {
            let mut random = Random(7);
            for _ in 0..$count {
                let [a, b, c] = [(); 3].map(|()| random.number($exponent, $fraction));
                let [x, y, z] = [a, b, c].map(|bits| <$reference>::from_bits(bits.into()));
                for (ours, theirs) in ROUNDINGS {
                    let operands = [a, b, c].map($from);
                    let flags = flags(ours);
                    use arithmetic::$module as m;
                    let results = [
                        ("add", m::add(operands[0], operands[1], flags), x.add_r(y, theirs).value),
                        ("sub", m::sub(operands[0], operands[1], flags), x.sub_r(y, theirs).value),
                        ("mul", m::mul(operands[0], operands[1], flags), x.mul_r(y, theirs).value),
                        ("div", m::div(operands[0], operands[1], flags), x.div_r(y, theirs).value),
                        (
                            "fma",
                            m::fma(operands[0], operands[1], operands[2], flags),
                            x.mul_add_r(y, z, theirs).value,
                        ),
                    ];
                    for (name, found, expected) in results {
                        let found = <$reference>::from_bits(($to)(found).into());
                        assert!(
                            found.bitwise_eq(expected) || found.is_nan() && expected.is_nan(),
                            "{name} {a:x} {b:x} {c:x} {ours:?}: {found:?} is not {expected:?}"
                        );
                    }
                }
                // Flushing: operands and results, to the zero of the sign.
                let flush = |value: $reference| {
                    if value.is_denormal() { <$reference>::ZERO.copy_sign(value) } else { value }
                };
                use arithmetic::$module as m;
                let flags = FloatFlags { flush: true, ..FloatFlags::STRICT };
                let [p, q, r] = [a, b, c].map($from);
                let [x, y, z] = [x, y, z].map(flush);
                let results = [
                    ("add", m::add(p, q, flags), (x + y).value),
                    ("mul", m::mul(p, q, flags), (x * y).value),
                    ("div", m::div(p, q, flags), (x / y).value),
                    ("fma", m::fma(p, q, r, flags), x.mul_add(y, z).value),
                ];
                for (name, found, expected) in results {
                    let (found, expected) =
                        (<$reference>::from_bits(($to)(found).into()), flush(expected));
                    assert!(
                        found.bitwise_eq(expected) || found.is_nan() && expected.is_nan(),
                        "{name} {a:x} {b:x} {c:x} flushed: {found:?} is not {expected:?}"
                    );
                }
            }
        }
    };
}

compared!(single, Single, f32, 8, 23, 60_000, |b: u64| f32::from_bits(b as u32), f32::to_bits);
compared!(double, Double, f64, 11, 52, 60_000, f64::from_bits, f64::to_bits);
compared!(half, Half, f16, 5, 10, 60_000, |b: u64| b as u16, |b: u16| b);
compared!(bfloat, BFloat, bf16, 8, 7, 60_000, |b: u64| b as u16, |b: u16| b);

/// `root` is √x rounded: x lies between the squares around it. Exact, in `rustc_apfloat`'s quads.
#[test]
fn square_roots_lie_between_squares() {
    use rustc_apfloat::FloatConvert;
    use rustc_apfloat::ieee::Quad;
    let mut random = Random(9);
    let quad = |value: f64| -> Quad {
        Double::from_bits(value.to_bits().into()).convert(&mut false).value
    };
    for _ in 0..100_000 {
        let x = f64::from_bits(random.number(11, 52) & !(1 << 63));
        if !x.is_finite() {
            continue;
        }
        let root = |rounding| arithmetic::f64::sqrt(x, flags(rounding));
        let (down, up) = (root(Rounding::Down), root(Rounding::Up));
        // Products of two 53-bit numbers are exact in 113 bits.
        let square = |value: f64| (quad(value) * quad(value)).value;
        assert!(square(down) <= quad(x) && quad(x) <= square(up), "{x:e}");
        assert!(down == up || down.next_up() == up, "{x:e}");
        assert_eq!(root(Rounding::TowardZero), down);
        assert_eq!(root(Rounding::NearestEven), x.sqrt());
        assert_eq!(root(Rounding::NearestAway), x.sqrt(), "a root is never a tie");
        let x = f32::from_bits(random.number(8, 23) as u32 & 0x7fff_ffff);
        if !x.is_finite() {
            continue;
        }
        let root = |rounding| arithmetic::f32::sqrt(x, flags(rounding));
        let (down, up) = (root(Rounding::Down), root(Rounding::Up));
        let square = |value: f32| f64::from(value) * f64::from(value);
        assert!(square(down) <= x.into() && f64::from(x) <= square(up), "{x:e}");
        assert!(down == up || down.next_up() == up, "{x:e}");
    }
    for rounding in ROUNDINGS.map(|(rounding, _)| rounding) {
        assert_eq!(arithmetic::f64::sqrt(-0.0, flags(rounding)).to_bits(), (-0.0f64).to_bits());
        assert!(arithmetic::f64::sqrt(-1.0, flags(rounding)).is_nan());
        assert_eq!(arithmetic::f32::sqrt(f32::INFINITY, flags(rounding)), f32::INFINITY);
    }
}

/// Every f16 and every bf16: the root of the table's neighbours.
#[test]
fn narrow_square_roots_are_nearest() {
    for bits in 0..0x7c00u16 {
        let root = arithmetic::f16::sqrt(bits, FloatFlags::STRICT);
        let value = |bits: u16| f64::from(arithmetic::f16::widen(bits));
        assert!(is_nearest(
            value(bits),
            value(root),
            value(root + 1),
            root.checked_sub(1).map(value)
        ));
    }
    for bits in 0..0x7f80u16 {
        let root = arithmetic::bf16::sqrt(bits, FloatFlags::STRICT);
        let value = |bits: u16| f64::from(arithmetic::bf16::widen(bits));
        assert!(is_nearest(
            value(bits),
            value(root),
            value(root + 1),
            root.checked_sub(1).map(value)
        ));
    }
}

/// Whether √x is nearest to `root` among its neighbours: the middles' squares, exact in f64, are
/// around x.
fn is_nearest(x: f64, root: f64, above: f64, below: Option<f64>) -> bool {
    let upper = (root + above) / 2.0;
    let lower = below.map_or(0.0, |below| (root + below) / 2.0);
    x <= upper * upper && lower * lower <= x
}

#[test]
fn extremes_follow_ieee_754_2019() {
    let mut random = Random(11);
    for _ in 0..100_000 {
        let [a, b] = [(); 2].map(|()| f32::from_bits(random.number(8, 23) as u32));
        let (x, y) = (Single::from_bits(a.to_bits().into()), Single::from_bits(b.to_bits().into()));
        use arithmetic::f32 as m;
        let same = |found: f32, expected: Single| {
            let found = Single::from_bits(found.to_bits().into());
            found.bitwise_eq(expected) || found.is_nan() && expected.is_nan()
        };
        // `minimum` and `maximum` of IEEE 754-2019 order zeros and give NaN; `minNum` gives the number.
        assert!(same(m::min_nan(a, b, FloatFlags::STRICT), x.minimum(y)), "{a:e} {b:e}");
        assert!(same(m::max_nan(a, b, FloatFlags::STRICT), x.maximum(y)), "{a:e} {b:e}");
        let number = |either: Single| {
            if x.is_nan() {
                y
            } else if y.is_nan() {
                x
            } else {
                either
            }
        };
        assert!(same(m::min(a, b, FloatFlags::STRICT), number(x.minimum(y))), "{a:e} {b:e}");
        assert!(same(m::max(a, b, FloatFlags::STRICT), number(x.maximum(y))), "{a:e} {b:e}");
        let [a, b] = [(); 2].map(|()| random.number(5, 10) as u16);
        let (x, y) = (Half::from_bits(a.into()), Half::from_bits(b.into()));
        let number = |either: Half| {
            if x.is_nan() {
                y
            } else if y.is_nan() {
                x
            } else {
                either
            }
        };
        use arithmetic::f16 as n;
        let same = |found: u16, expected: Half| {
            let found = Half::from_bits(found.into());
            found.bitwise_eq(expected) || found.is_nan() && expected.is_nan()
        };
        assert!(same(n::min(a, b, FloatFlags::STRICT), number(x.minimum(y))), "{a:x} {b:x}");
        assert!(same(n::max(a, b, FloatFlags::STRICT), number(x.maximum(y))), "{a:x} {b:x}");
        assert!(same(n::min_nan(a, b, FloatFlags::STRICT), x.minimum(y)), "{a:x} {b:x}");
        assert!(same(n::max_nan(a, b, FloatFlags::STRICT), x.maximum(y)), "{a:x} {b:x}");
    }
}

/// The bits of NaN, however the operations around them are optimised.
#[test]
fn nvidia_has_one_nan() {
    let bits = |x: f32| arithmetic::canonical_f32(x).to_bits();
    for x in [-1.0f32, -2.5, f32::NEG_INFINITY] {
        assert_eq!(bits(x.sqrt()), 0x7fff_ffff);
        assert_eq!(bits(arithmetic::f32::sqrt(x, FloatFlags::STRICT)), 0x7fff_ffff);
    }
    for x in [f32::INFINITY, f32::NEG_INFINITY] {
        assert_eq!(bits(x - x), 0x7fff_ffff);
        assert_eq!(bits(arithmetic::f32::mul(x, 0.0, FloatFlags::STRICT)), 0x7fff_ffff);
        assert_eq!(bits(x), x.to_bits());
    }
    assert_eq!(bits(f32::from_bits(0xff80_0001)), 0x7fff_ffff);
    assert_eq!(arithmetic::canonical_narrow(0xfe00, 0x7c00), 0x7fff);
    assert_eq!(arithmetic::canonical_narrow(0xfc00, 0x7c00), 0xfc00);
}
