//! Models of the approximations that NVIDIA's special function unit computes, and the instruction
//! sequences that `ptxas` puts around them.
//!
//! The unit's tables are not public. What is documented of each function (PTX ISA, "Floating Point
//! Instructions": error bound, special values, flushing) is kept exactly; between those points the
//! model returns the correctly rounded value, which lies inside every documented bound. So a result
//! that passes through one of these eight functions is *modelled*: a chip may differ from it by the
//! bound in [`BOUNDS`], and does so in about one result of four for most of them.
//!
//! The sequences (scaling of subnormals without `.ftz`, reduction of angles) are as the SASS of
//! sm_75 to sm_90 shows them.

/// A unit function with its documented error.
#[derive(Clone, Copy, Debug)]
pub struct Bound {
    /// The PTX instruction.
    pub instruction: &'static str,
    /// The documented bound, in words.
    pub bound: &'static str,
}

/// What the PTX ISA promises of each; the envelope of the models.
pub const BOUNDS: &[Bound] = &[
    Bound { instruction: "ex2.approx", bound: "2 ulp" },
    Bound {
        instruction: "lg2.approx",
        bound: "absolute 2^-22 on (0.5, 2), relative 2^-22 elsewhere",
    },
    Bound { instruction: "rcp.approx", bound: "1 ulp" },
    Bound { instruction: "rsqrt.approx", bound: "relative 2^-22.9" },
    Bound { instruction: "sqrt.approx", bound: "1 ulp" },
    Bound { instruction: "sin.approx", bound: "absolute 2^-20.5 on [-2pi, 2pi]" },
    Bound { instruction: "cos.approx", bound: "absolute 2^-20.5 on [-2pi, 2pi]" },
    Bound { instruction: "tanh.approx", bound: "relative 2^-11" },
];

/// The NaN that every float instruction of these chips produces.
pub const NAN: f32 = f32::from_bits(0x7fff_ffff);

const SMALLEST_NORMAL: f32 = f32::MIN_POSITIVE;
/// 2^24.
const UP: f32 = 16_777_216.0;
/// 1/2π rounded to binary32, by which angles become turns.
const TURNS: f32 = f32::from_bits(0x3e22_f983);

/// A subnormal number becomes a zero of its sign.
#[inline]
pub fn flush(x: f32) -> f32 {
    if x.abs() < SMALLEST_NORMAL { 0f32.copysign(x) } else { x }
}

/// Any NaN becomes the one NaN of these chips.
#[inline]
pub fn canonical(x: f32) -> f32 {
    // By bits: a compiler may take any NaN for any other where floats are compared and chosen.
    let bits = x.to_bits();
    f32::from_bits(if bits & 0x7fff_ffff > 0x7f80_0000 { 0x7fff_ffff } else { bits })
}

/// Into [0, 1]; NaN gives 0.
#[inline]
pub fn saturate(x: f32) -> f32 {
    if x >= 1.0 {
        1.0
    } else if x > 0.0 {
        x
    } else {
        0.0
    }
}

/// `a · b` rounded toward zero.
pub fn multiply_toward_zero(a: f32, b: f32) -> f32 {
    // 48 bits at most, inside binary64's range: exact.
    toward_zero(f64::from(a) * f64::from(b))
}

/// `a · b + c` rounded toward zero.
pub fn fma_toward_zero(a: f32, b: f32, c: f32) -> f32 {
    let product = f64::from(a) * f64::from(b);
    let addend = f64::from(c);
    let sum = product + addend;
    if !sum.is_finite() {
        return sum as f32;
    }
    // Truncate the binary64 sum itself first, by its exact error.
    let part = sum - product;
    let error = (product - (sum - part)) + (addend - part);
    let away = (sum > 0.0 && error < 0.0) || (sum < 0.0 && error > 0.0);
    let sum = if away { f64::from_bits(sum.to_bits() - 1) } else { sum };
    toward_zero(sum)
}

fn toward_zero(x: f64) -> f32 {
    let rounded = x as f32;
    if rounded.is_finite() && f64::from(rounded).abs() > x.abs() {
        return f32::from_bits(rounded.to_bits() - 1);
    }
    if rounded.is_infinite() && x.is_finite() {
        return f32::MAX.copysign(rounded);
    }
    rounded
}

// ---- the unit ------------------------------------------------------------------------------------

/// 2^x. Subnormal operands count as zero, subnormal results are flushed.
pub fn ex2(x: f32) -> f32 {
    if x.is_nan() {
        return NAN;
    }
    if x < -126.0 {
        return 0.0;
    }
    if x >= 128.0 {
        return f32::INFINITY;
    }
    f64::from(x).exp2() as f32
}

/// log₂ x. Of a zero or a subnormal number −∞, of a negative one NaN.
pub fn lg2(x: f32) -> f32 {
    let x = flush(x);
    if x.is_nan() || x < 0.0 {
        return NAN;
    }
    if x == 0.0 {
        return f32::NEG_INFINITY;
    }
    f64::from(x).log2() as f32
}

/// 1/x. Subnormal operands count as zero, subnormal results are flushed.
pub fn rcp(x: f32) -> f32 {
    canonical(flush(1.0 / flush(x)))
}

/// 1/√x. Of ±0 and subnormal numbers ±∞, of a negative one NaN.
pub fn rsq(x: f32) -> f32 {
    let x = flush(x);
    if x == 0.0 {
        return f32::INFINITY.copysign(x);
    }
    canonical((1.0 / f64::from(x).sqrt()) as f32)
}

/// √x. Subnormal operands count as zero.
pub fn sqrt(x: f32) -> f32 {
    canonical(flush(x).sqrt())
}

/// sin of an angle in turns.
pub fn sin(turns: f32) -> f32 {
    let turns = flush(turns);
    if !turns.is_finite() {
        return NAN;
    }
    let part = f64::from(turns) - f64::from(turns).round_ties_even();
    if part == 0.0 {
        return 0f32.copysign(turns);
    }
    flush((std::f64::consts::TAU * part).sin() as f32)
}

/// cos of an angle in turns.
pub fn cos(turns: f32) -> f32 {
    let turns = flush(turns);
    if !turns.is_finite() {
        return NAN;
    }
    let part = f64::from(turns) - f64::from(turns).round_ties_even();
    if part.abs() == 0.25 {
        return 0.0;
    }
    (std::f64::consts::TAU * part).cos() as f32
}

/// tanh x.
pub fn tanh(x: f32) -> f32 {
    canonical(f64::from(x).tanh() as f32)
}

// ---- the sequences around it ---------------------------------------------------------------------

/// `ex2.approx`.
pub fn exp2(x: f32, flush: bool) -> f32 {
    if flush || x >= -126.0 || x.is_nan() {
        return ex2(x);
    }
    // Half of the exponent, squared: the unit itself has no subnormal results.
    let root = ex2(x * 0.5);
    root * root
}

/// `lg2.approx`.
pub fn log2(x: f32, flush: bool) -> f32 {
    if flush || x.is_nan() || x.abs() >= SMALLEST_NORMAL {
        return lg2(x);
    }
    lg2(x * UP) - 24.0
}

/// `rsqrt.approx`.
pub fn rsqrt(x: f32, flush: bool) -> f32 {
    if flush || x.is_nan() || x.abs() >= SMALLEST_NORMAL {
        return rsq(x);
    }
    rsq(x * UP) * 4096.0
}

/// `sqrt.approx`.
pub fn square_root(x: f32, flush: bool) -> f32 {
    if flush || x.is_nan() || x.abs() >= SMALLEST_NORMAL {
        return sqrt(x);
    }
    sqrt(x * UP) * (1.0 / 4096.0)
}

/// `rcp.approx`.
pub fn reciprocal(x: f32, flush: bool) -> f32 {
    if flush {
        return rcp(x);
    }
    let scale = if x.abs() < SMALLEST_NORMAL {
        UP
    } else if x.abs() > f32::from_bits(0x7e80_0000) {
        0.25
    } else {
        1.0
    };
    canonical(scale * rcp(x * scale))
}

/// `div.approx`: what `__fdividef` and, under fast math, `/` become. Beyond 2^126 the reciprocal is
/// flushed, so that the quotient is 0, or NaN of an infinite dividend.
pub fn divide(a: f32, b: f32, flush_to_zero: bool) -> f32 {
    if flush_to_zero {
        return canonical(flush(flush(a) * rcp(b)));
    }
    if b.abs() < SMALLEST_NORMAL {
        return canonical(rcp(b * UP) * (a * UP));
    }
    canonical(rcp(b) * a)
}

/// `div.full`: divisors beyond 2^126 are scaled too.
pub fn divide_full_range(a: f32, b: f32, flush_to_zero: bool) -> f32 {
    if b.abs() > f32::from_bits(0x7e80_0000) {
        let (a, b) = (a * 0.25, b * 0.25);
        let quotient = rcp(b) * if flush_to_zero { flush(a) } else { a };
        return canonical(if flush_to_zero { flush(quotient) } else { quotient });
    }
    divide(a, b, flush_to_zero)
}

/// `sin.approx`, of radians.
pub fn sine(x: f32) -> f32 {
    sin(multiply_toward_zero(x, TURNS))
}

/// `cos.approx`, of radians.
pub fn cosine(x: f32) -> f32 {
    cos(multiply_toward_zero(x, TURNS))
}

// ---- the high halves of binary64 -----------------------------------------------------------------

/// The high word of 1/x from the high word of x, to about 20 bits: the start of Newton's iteration.
pub fn rcp64h(high: u32) -> u32 {
    half_word(1.0 / widened(high))
}

/// The high word of 1/√x from the high word of x.
pub fn rsq64h(high: u32) -> u32 {
    half_word(1.0 / widened(high).sqrt())
}

/// A binary64 number by its high word, subnormal ones as zeros.
fn widened(high: u32) -> f64 {
    let x = f64::from_bits(u64::from(high) << 32);
    if x.abs() < f64::MIN_POSITIVE { 0f64.copysign(x) } else { x }
}

fn half_word(x: f64) -> u32 {
    if x.is_nan() {
        return 0x7fff_ffff;
    }
    if x.abs() < f64::MIN_POSITIVE {
        return if x.is_sign_negative() { 0x8000_0000 } else { 0 };
    }
    if x.is_infinite() {
        return (x.to_bits() >> 32) as u32;
    }
    // To the nearest.
    (x.to_bits().wrapping_add(0x8000_0000) >> 32) as u32
}
