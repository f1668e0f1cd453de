//! Operations in integer arithmetic, rounded once in any direction: what the processor's own
//! operations, which round to nearest even, cannot give.

use port_ir::Rounding;

use crate::format::{Format, Parts};

/// The rounded product of two finite numbers of a format.
pub fn multiply(format: Format, a: Parts, b: Parts, rounding: Rounding) -> u64 {
    let product = Parts {
        negative: a.negative != b.negative,
        significand: a.significand * b.significand,
        exponent: a.exponent + b.exponent,
        sticky: false,
    };
    format.round(product, rounding, false)
}

/// The rounded `a · b + c` of finite numbers of a format of at most 53 bits.
pub fn fused_multiply_add(format: Format, a: Parts, b: Parts, c: Parts, rounding: Rounding) -> u64 {
    let product = Parts {
        negative: a.negative != b.negative,
        significand: a.significand * b.significand,
        exponent: a.exponent + b.exponent,
        sticky: false,
    };
    format.round(sum(product, c, rounding), rounding, false)
}

/// The rounded sum of finite numbers of a format of at most 53 bits.
pub fn add(format: Format, a: Parts, b: Parts, rounding: Rounding) -> u64 {
    format.round(sum(a, b, rounding), rounding, false)
}

/// The sum of numbers of at most 106 bits, exact but for the sticky bit. A zero has the sign that
/// IEEE 754 gives it under this rounding.
fn sum(a: Parts, b: Parts, rounding: Rounding) -> Parts {
    let zero = |negative| Parts { negative, significand: 0, exponent: 0, sticky: false };
    match (a.significand == 0, b.significand == 0) {
        (true, true) if a.negative == b.negative => return zero(a.negative),
        (true, true) => return zero(rounding == Rounding::Down),
        (true, false) => return b,
        (false, true) => return a,
        _ => {}
    }
    let top = |parts: &Parts| parts.exponent + 127 - parts.significand.leading_zeros() as i32;
    let (large, small) = if top(&a) >= top(&b) { (a, b) } else { (b, a) };
    // The large one's leading bit at bit 126, so that a carry fits; what the other loses below the
    // last bit is more than 20 bits below either's last bit, unless both fit whole.
    let left = large.significand.leading_zeros() as i32 - 1;
    let large_bits = if left >= 0 { large.significand << left } else { large.significand };
    let base = large.exponent - left.max(0);
    let distance = small.exponent - base;
    let (small_bits, lost) = if distance >= 0 {
        (small.significand << distance.min(127), false)
    } else if distance <= -128 {
        (0, true)
    } else {
        let bits = small.significand >> -distance;
        (bits, bits << -distance != small.significand)
    };
    let negative = large.negative;
    if large.negative == small.negative {
        return Parts {
            negative,
            significand: large_bits + small_bits,
            exponent: base,
            sticky: lost,
        };
    }
    // A loss makes the small one larger than its bits, so the difference is between two integers:
    // the lower one and a sticky bit.
    if large_bits == small_bits && !lost {
        return zero(rounding == Rounding::Down);
    }
    if large_bits >= small_bits {
        let significand = large_bits - small_bits - u128::from(lost);
        return Parts { negative, significand, exponent: base, sticky: lost };
    }
    // Equal leading bits: nothing was lost.
    Parts {
        negative: !negative,
        significand: small_bits - large_bits,
        exponent: base,
        sticky: false,
    }
}

/// The rounded quotient of finite numbers of a format of at most 53 bits; `b` is not zero.
pub fn divide(format: Format, a: Parts, b: Parts, rounding: Rounding) -> u64 {
    let negative = a.negative != b.negative;
    // At least 64 bits of quotient, whatever the two have.
    let shift = a.significand.leading_zeros().saturating_sub(1);
    let numerator = a.significand << shift;
    let (quotient, rest) = match b.significand {
        0 => (0, 0),
        divisor => (numerator / divisor, numerator % divisor),
    };
    let exponent = a.exponent - shift as i32 - b.exponent;
    format.round(
        Parts { negative, significand: quotient, exponent, sticky: rest != 0 },
        rounding,
        false,
    )
}

/// The rounded square root of a finite number that is not below zero.
pub fn square_root(format: Format, a: Parts, rounding: Rounding) -> u64 {
    if a.significand == 0 {
        return format.round(a, rounding, false);
    }
    // An even exponent, and as many bits as fit.
    let mut shift = a.significand.leading_zeros();
    if (a.exponent - shift as i32) % 2 != 0 {
        shift -= 1;
    }
    let radicand = a.significand << shift;
    let root = radicand.isqrt();
    let exponent = (a.exponent - shift as i32) / 2;
    let sticky = root * root != radicand;
    format.round(Parts { negative: false, significand: root, exponent, sticky }, rounding, false)
}
