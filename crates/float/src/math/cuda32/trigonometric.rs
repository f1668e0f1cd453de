//! Trigonometric functions and their inverses.

use crate::math::hardware;
use crate::math::number::{Number, constant};

/// From here on (105615) the three-part π/2 no longer reduces exactly enough.
const LARGE: u32 = 0x47ce_4780;

/// The bits of 2/π after the binary point, least significant limb first.
const TWO_OVER_PI: [u64; 3] = [0xdb62_9599_3c43_9041, 0xfc27_57d1_f534_ddc0, 0xa2f9_836e_4e44_1529];

/// A large finite angle by the method of Payne and Hanek: the quarter turns modulo 2^32, and what is
/// left in [−π/4, π/4].
fn reduce_large(x: f32) -> (i32, f32) {
    let bits = x.to_bits();
    let mantissa = u64::from((bits << 8) | 0x8000_0000);
    // The whole product of 32 and 192 bits, in four limbs.
    let mut product = [0u64; 4];
    let mut carry = 0u128;
    for (limb, &part) in product.iter_mut().zip(&TWO_OVER_PI) {
        let sum = u128::from(part) * u128::from(mantissa) + carry;
        *limb = sum as u64;
        carry = sum >> 64;
    }
    product[3] = carry as u64;
    // Of its 224 bits, the 64 in which the two highest count quarter turns.
    let exponent = (bits >> 23) & 0xff;
    let from = 288 - exponent;
    let (limb, shift) = ((from / 64) as usize, from % 64);
    let low = product.get(limb).copied().unwrap_or(0);
    let high = product.get(limb + 1).copied().unwrap_or(0);
    let window = if shift == 0 { low } else { (low >> shift) | (high << (64 - shift)) };
    let fraction = window << 2;
    // Above half of a quarter turn: one more, and the rest is negative.
    let above = fraction >> 63;
    let mut quarters = ((window >> 62) + above) as i32;
    let mut negative = bits >> 31 != 0;
    if negative {
        quarters = -quarters;
    }
    let mut fraction = fraction;
    if above != 0 {
        fraction = !fraction;
        negative = !negative;
    }
    // π/2 · 2^-64.
    let rest = (fraction as i64 as f64 * f64::from_bits(0x3bf9_21fb_5444_2d19)) as f32;
    (quarters, if negative { -rest } else { rest })
}

/// An angle as quarter turns and what is left.
pub(super) fn reduce<const F: bool>(x: Number<F>) -> (i32, Number<F>) {
    if x.abs().at_least(constant(LARGE)) {
        if x.raw().is_infinite() {
            return (0, Number::NAN);
        }
        let (quarters, rest) = reduce_large(x.raw());
        return (quarters, Number::new(if F { hardware::flush(rest) } else { rest }));
    }
    let quarters = (x * constant(0x3f22_f983)).to_integer();
    let n = Number::<F>::from_integer(quarters);
    let rest =
        n.fma(constant(0xa7c2_34c5), n.fma(constant(0xb3a2_2168), n.fma(constant(0xbfc9_0fda), x)));
    (quarters, rest)
}

/// sin of `quarters` quarter turns plus `rest`; with one more quarter turn it is the cosine.
pub(super) fn sine_of<const F: bool>(quarters: i32, rest: Number<F>) -> Number<F> {
    let square = rest * rest;
    let result = if quarters & 1 == 0 {
        square
            .polynomial([0xb94d_4153, 0x3c08_85e4, 0xbe2a_aaa8])
            .fma(square.fma(rest, Number::ZERO), rest)
    } else {
        square
            .polynomial([0x37cb_ac00, 0xbab6_07ed, 0x3d2a_aabb, 0xbeff_ffff])
            .fma(square.fma(Number::ONE, Number::ZERO), Number::ONE)
    };
    if quarters & 2 == 0 { result } else { result.fma(constant(0xbf80_0000), Number::ZERO) }
}

/// sin x
pub fn sin<const F: bool>(x: f32) -> f32 {
    let (quarters, rest) = reduce::<F>(Number::new(x));
    sine_of(quarters, rest).result()
}

/// cos x
pub fn cos<const F: bool>(x: f32) -> f32 {
    let (quarters, rest) = reduce::<F>(Number::new(x));
    sine_of(quarters.wrapping_add(1), rest).result()
}

/// tan x
pub fn tan<const F: bool>(x: f32) -> f32 {
    let (quarters, rest) = reduce::<F>(Number::new(x));
    let square = rest * rest;
    let series = square.polynomial([
        0x3c19_0000,
        0x3b56_0000,
        0x3cc7_0000,
        0x3d5b_0000,
        0x3e08_9438,
        0x3eaa_aa88,
    ]);
    let tangent = if rest.abs().equals(constant(0x3a00_b43c)) {
        rest
    } else {
        series.fma(square * rest, rest)
    };
    if quarters & 1 == 0 { tangent.result() } else { (-tangent).rcp().result() }
}

/// sin of `halves` half turns of π plus `rest`·π.
pub(super) fn sine_of_half_turns<const F: bool>(halves: i32, rest: Number<F>) -> Number<F> {
    let square = rest * rest;
    let result = if halves & 1 == 0 {
        let series = square.polynomial([0xbf17_acc9, 0x4023_3590, 0xc0a5_5df6]);
        let cubic = series.fma(square.fma(rest, Number::ZERO), Number::ZERO);
        constant::<F>(0x4049_0fdb).fma(rest, cubic)
    } else {
        let series = square.polynomial([0x3e68_4e12, 0xbfaa_d2e0, 0x4081_e0cf, 0xc09d_e9e6]);
        series.fma(square.fma(Number::ONE, Number::ZERO), Number::ONE)
    };
    if halves & 2 == 0 { result } else { Number::ZERO - result }
}

/// sin πx
pub fn sinpi<const F: bool>(x: f32) -> f32 {
    let x = Number::<F>::new(x);
    if x.truncated().equals(x) {
        return (x * Number::ZERO).result();
    }
    let doubled = (x + x).rounded();
    let rest = (-doubled).fma(Number::HALF, x);
    sine_of_half_turns(doubled.raw() as i32, rest).result()
}

/// cos πx
pub fn cospi<const F: bool>(x: f32) -> f32 {
    let x = Number::<F>::new(x);
    let x = if x.abs().greater(constant(0x4b80_0000)) { x * Number::ZERO } else { x };
    let doubled = (x + x).rounded();
    let rest = (-doubled).fma(Number::HALF, x);
    sine_of_half_turns((doubled.raw() as i32).wrapping_add(1), rest).result()
}

// ---- inverses ------------------------------------------------------------------------------------

/// π/2 is the product of these two, more exactly than any one number.
const HALF_PI: (u32, u32) = (0x3f6e_e581, 0x3fd7_74eb);

/// √((1 − a)/2) for the arcs near ±1, by one correction.
fn half_complement_root<const F: bool>(magnitude: Number<F>) -> Number<F> {
    if magnitude.equals(Number::ONE) {
        return Number::ZERO;
    }
    let half = Number::<F>::HALF.fma(-magnitude, Number::HALF);
    let inverse = half.rsq();
    let root = half * inverse;
    let correction = (-root).fma(inverse * Number::HALF, Number::HALF);
    root.fma(correction, root)
}

/// Above this magnitude the half-angle form is used.
const ARC_LIMIT: u32 = 0x3f0f_5c29;

/// arcsin x
pub fn asin<const F: bool>(x: f32) -> f32 {
    let x = Number::<F>::new(x);
    let magnitude = x.abs();
    let outer = magnitude.greater(constant(ARC_LIMIT));
    let a = if outer { half_complement_root(magnitude) } else { magnitude };
    let square = a * a;
    let series =
        square.polynomial([0x3d4d_d2f7, 0x3c99_ca97, 0x3d3f_90e8, 0x3d99_3ccf, 0x3e2a_ac04]);
    let arc = (square * series).fma(a, a);
    let result = if outer {
        constant::<F>(HALF_PI.0).fma(constant(HALF_PI.1), arc * constant(0xc000_0000))
    } else {
        arc
    };
    if result.at_most(Number::INFINITY) { result.with_sign_of(x).result() } else { result.result() }
}

/// arccos x
pub fn acos<const F: bool>(x: f32) -> f32 {
    let x = Number::<F>::new(x);
    let magnitude = x.abs();
    let outer = magnitude.greater(constant(ARC_LIMIT));
    let a = if outer { half_complement_root(magnitude) } else { magnitude };
    let a = a.with_sign_of(x);
    let square = a * a;
    let series = square.polynomial([
        0x3d10_ecef,
        0x3c8b_1abb,
        0x3cfc_028c,
        0x3d37_2139,
        0x3d99_93db,
        0x3e2a_aac6,
    ]);
    let arc = (square * series).fma(a, a);
    let signed = if outer { arc } else { -arc };
    let result = if x.greater(constant(ARC_LIMIT)) {
        arc
    } else {
        constant::<F>(HALF_PI.0).fma(constant(HALF_PI.1), signed)
    };
    if outer { (result + result).result() } else { result.result() }
}

/// arctan x
pub fn atan<const F: bool>(x: f32) -> f32 {
    let x = Number::<F>::new(x);
    let magnitude = x.abs();
    let outer = magnitude.greater(Number::ONE);
    let a = if outer { magnitude.rcp() } else { magnitude };
    let square = a * a;
    let series = square.polynomial([
        0x3b20_90aa,
        0xbc6b_e14f,
        0x3d23_397e,
        0xbd94_8a7a,
        0x3dd7_6b21,
        0xbe11_1e88,
        0x3e4c_af60,
        0xbeaa_aa27,
    ]);
    let arc = (square * series).fma(a, a);
    let result = if outer { constant::<F>(HALF_PI.0).fma(constant(HALF_PI.1), -arc) } else { arc };
    if magnitude.is_nan() { result.result() } else { result.with_sign_of(x).result() }
}

/// The angle of the point (x, y).
pub fn atan2<const F: bool>(y: f32, x: f32) -> f32 {
    let (y, x) = (Number::<F>::new(y), Number::<F>::new(x));
    let (width, height) = (x.abs(), y.abs());
    let steep = height.greater(width);
    let (large, small) = if steep { (height, width) } else { (width, height) };
    // Two quadrants lie to the left; the sign bit decides, of a zero too.
    let left = x.raw().is_sign_negative();
    let angle = if large.equals(Number::ZERO) {
        constant(if left { 0x4049_0fdb } else { 0 })
    } else if width.equals(height) {
        constant(if left { 0x4016_cbe4 } else { 0x3f49_0fdb })
    } else {
        let a = small.divide(large);
        let square = a * a;
        let series = square.polynomial([
            0x3b33_710b,
            0xbc80_7748,
            0x3d2c_dab2,
            0xbd99_2d10,
            0x3dd9_ea6c,
            0xbe11_7cb1,
            0x3e4c_bce0,
            0xbeaa_aa7d,
        ]);
        let arc = (square * series).fma(a, a);
        let turn = |bits, arc| constant::<F>(bits).fma(constant(HALF_PI.1), arc);
        match (steep, left) {
            (true, true) => turn(HALF_PI.0, arc),
            (true, false) => turn(HALF_PI.0, -arc),
            (false, true) => turn(0x3fee_e581, -arc),
            (false, false) => arc,
        }
    };
    let sum = width + height;
    if sum.is_nan() { sum.result() } else { angle.with_sign_of(y).result() }
}
