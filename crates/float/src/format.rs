//! Float formats by their bits: f16, bf16, the 8-bit formats of OCP and of AMD's FNUZ kind, tf32,
//! f32 and f64, and the conversions between them and integers.
//!
//! Every conversion rounds the exact value once ([`Format::round`]); there is no way through a
//! format between. The few that inner loops need have forms without branches, which tests compare
//! with the general one over every 16-bit value, and over samples of f32.

use port_ir::{Rounding, Scalar};

/// What the patterns of a format beyond its numbers mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Specials {
    /// The largest exponent holds infinities and NaNs, as in IEEE 754.
    Ieee,
    /// No infinities; only the pattern of all ones is NaN (OCP E4M3).
    AllOnesNan,
    /// No infinities and no −0, whose pattern is the only NaN (FNUZ).
    NegativeZeroNan,
}

/// A binary format: sign, exponent and fraction, from the highest bit down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Format {
    /// Bits of the exponent.
    pub exponent_bits: u32,
    /// Bits of the fraction; the leading one is not among them.
    pub fraction_bits: u32,
    /// What is subtracted from the exponent field of a normal number.
    pub bias: i32,
    /// What the remaining patterns mean.
    pub specials: Specials,
}

/// A number in parts: `significand · 2^exponent`, negative or not, and whether something smaller
/// than a unit of the significand, and greater than zero, is missing from the magnitude.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Whether it is below zero.
    pub negative: bool,
    /// The significand; 0 for zero.
    pub significand: u128,
    /// The power of two of the significand's last bit.
    pub exponent: i32,
    /// Whether the magnitude is a little more than this.
    pub sticky: bool,
}

impl Format {
    /// IEEE 754 binary16.
    pub const F16: Format = Format::ieee(5, 10);
    /// bfloat16.
    pub const BF16: Format = Format::ieee(8, 7);
    /// IEEE 754 binary32.
    pub const F32: Format = Format::ieee(8, 23);
    /// IEEE 754 binary64.
    pub const F64: Format = Format::ieee(11, 52);
    /// OCP E4M3: largest number 448.
    pub const E4M3: Format =
        Format { exponent_bits: 4, fraction_bits: 3, bias: 7, specials: Specials::AllOnesNan };
    /// OCP E5M2.
    pub const E5M2: Format = Format::ieee(5, 2);
    /// E4M3 of the FNUZ kind (CDNA 3): largest number 240.
    pub const E4M3_FNUZ: Format =
        Format { exponent_bits: 4, fraction_bits: 3, bias: 8, specials: Specials::NegativeZeroNan };
    /// E5M2 of the FNUZ kind (CDNA 3): largest number 57344.
    pub const E5M2_FNUZ: Format = Format {
        exponent_bits: 5,
        fraction_bits: 2,
        bias: 16,
        specials: Specials::NegativeZeroNan,
    };
    /// tf32, in 19 bits of its own; in memory it lies in the upper bits of an f32.
    pub const TF32: Format = Format::ieee(8, 10);

    const fn ieee(exponent_bits: u32, fraction_bits: u32) -> Format {
        let bias = (1 << (exponent_bits - 1)) - 1;
        Format { exponent_bits, fraction_bits, bias, specials: Specials::Ieee }
    }

    /// The format of a scalar of the IR, whose 8-bit formats are OCP's.
    pub fn of(scalar: Scalar) -> Option<Format> {
        Some(match scalar {
            Scalar::F16 => Format::F16,
            Scalar::Bf16 => Format::BF16,
            Scalar::F8E4M3 => Format::E4M3,
            Scalar::F8E5M2 => Format::E5M2,
            Scalar::F32 => Format::F32,
            Scalar::F64 => Format::F64,
            _ => return None,
        })
    }

    /// Bits of a value.
    pub fn width(self) -> u32 {
        1 + self.exponent_bits + self.fraction_bits
    }

    fn sign_bit(self) -> u64 {
        1 << (self.width() - 1)
    }

    fn fraction_mask(self) -> u64 {
        (1 << self.fraction_bits) - 1
    }

    fn largest_field(self) -> u64 {
        (1 << self.exponent_bits) - 1
    }

    /// The positive pattern of the largest finite number.
    pub fn largest(self) -> u64 {
        match self.specials {
            Specials::Ieee => (self.largest_field() << self.fraction_bits) - 1,
            Specials::AllOnesNan => self.sign_bit() - 2,
            Specials::NegativeZeroNan => self.sign_bit() - 1,
        }
    }

    /// The pattern of an infinity; in a format without infinities the NaN.
    pub fn infinity(self, negative: bool) -> u64 {
        let sign = if negative { self.sign_bit() } else { 0 };
        match self.specials {
            Specials::Ieee => sign | self.largest_field() << self.fraction_bits,
            Specials::AllOnesNan => sign | (self.sign_bit() - 1),
            Specials::NegativeZeroNan => self.sign_bit(),
        }
    }

    /// The canonical NaN: all ones but the sign, as CUDA's is; of FNUZ formats the one there is.
    pub fn nan(self) -> u64 {
        match self.specials {
            Specials::NegativeZeroNan => self.sign_bit(),
            _ => self.sign_bit() - 1,
        }
    }

    /// Whether it is a NaN.
    pub fn is_nan(self, bits: u64) -> bool {
        let magnitude = bits & (self.sign_bit() - 1);
        match self.specials {
            Specials::Ieee => magnitude > self.largest_field() << self.fraction_bits,
            Specials::AllOnesNan => magnitude == self.sign_bit() - 1,
            Specials::NegativeZeroNan => bits & (2 * self.sign_bit() - 1) == self.sign_bit(),
        }
    }

    /// Whether it is an infinity.
    pub fn is_infinite(self, bits: u64) -> bool {
        self.specials == Specials::Ieee
            && bits & (self.sign_bit() - 1) == self.largest_field() << self.fraction_bits
    }

    /// The number in parts; `None` for infinities and NaNs.
    pub fn parts(self, bits: u64) -> Option<Parts> {
        if self.is_nan(bits) || self.is_infinite(bits) {
            return None;
        }
        let field = (bits >> self.fraction_bits & self.largest_field()) as i32;
        let fraction = bits & self.fraction_mask();
        let leading = u64::from(field != 0) << self.fraction_bits;
        Some(Parts {
            negative: bits & self.sign_bit() != 0,
            significand: u128::from(fraction | leading),
            exponent: field.max(1) - self.bias - self.fraction_bits as i32,
            sticky: false,
        })
    }

    /// The pattern of the number that the parts round to. A zero keeps its sign, where the format
    /// has two. What is too large becomes infinity (NaN where there is none), or the largest number
    /// if the rounding goes there or `saturate` asks for it.
    pub fn round(self, parts: Parts, rounding: Rounding, saturate: bool) -> u64 {
        let Parts { negative, significand, exponent, sticky } = parts;
        let sign = if negative { self.sign_bit() } else { 0 };
        let signed = |magnitude: u64| match self.specials {
            Specials::NegativeZeroNan if magnitude == 0 => 0,
            _ => sign | magnitude,
        };
        if significand == 0 && !sticky {
            return signed(0);
        }
        let away = match rounding {
            Rounding::Up => !negative,
            Rounding::Down => negative,
            _ => false,
        };
        let nearest = matches!(rounding, Rounding::NearestEven | Rounding::NearestAway);
        let too_large = || {
            if saturate || !(nearest || away) {
                signed(self.largest())
            } else {
                self.infinity(negative)
            }
        };
        let fraction_bits = self.fraction_bits as i32;
        let smallest = 1 - self.bias;
        // The power of two of the leading bit.
        let top = exponent.saturating_add(127 - significand.leading_zeros() as i32);
        if significand != 0 && top > self.bias + 2 {
            return too_large();
        }
        // The power of two of a unit of the result.
        let unit = top.max(smallest).min(self.bias + 2) - fraction_bits;
        let shift = i64::from(unit) - i64::from(exponent);
        let (kept, rest, half) = if significand == 0 || shift > 127 {
            (0, significand, u128::MAX)
        } else if shift > 0 {
            let half = 1u128 << (shift - 1);
            (significand >> shift, significand & (half | (half - 1)), half)
        } else {
            // Not wider than the fraction, so the leading bit stays inside.
            (significand << -shift, 0, u128::MAX)
        };
        let inexact = rest != 0 || sticky;
        let increment = match rounding {
            Rounding::NearestEven => rest > half || rest == half && (sticky || kept & 1 == 1),
            Rounding::NearestAway => rest >= half,
            Rounding::TowardZero => false,
            Rounding::Up | Rounding::Down => away && inexact,
        };
        let units = kept as u64 + u64::from(increment);
        // The leading bit raises the exponent field by one, and a carry by one more.
        let field = (unit + fraction_bits - smallest) as u64;
        let magnitude = (field << self.fraction_bits) + units;
        if magnitude > self.largest() { too_large() } else { signed(magnitude) }
    }

    /// The value; NaN payloads are lost.
    pub fn to_f64(self, bits: u64) -> f64 {
        if self == Format::F64 {
            return f64::from_bits(bits);
        }
        match self.parts(bits) {
            Some(parts) => {
                // Exact: no format but f64 itself has more bits or a wider exponent.
                let magnitude = parts.significand as u64 as f64 * power_of_two(parts.exponent);
                if parts.negative { -magnitude } else { magnitude }
            }
            None if self.is_nan(bits) => f64::NAN,
            None if bits & self.sign_bit() != 0 => f64::NEG_INFINITY,
            None => f64::INFINITY,
        }
    }

    /// The pattern that a value rounds to. NaN becomes [`Format::nan`], with its sign where the
    /// format is E4M3.
    pub fn round_f64(self, value: f64, rounding: Rounding, saturate: bool) -> u64 {
        match Format::F64.parts(value.to_bits()) {
            Some(parts) => self.round(parts, rounding, saturate),
            None if value.is_nan() => {
                if self.specials == Specials::AllOnesNan && value.is_sign_negative() {
                    self.nan() | self.sign_bit()
                } else {
                    self.nan()
                }
            }
            None if saturate => self.largest() | if value < 0.0 { self.sign_bit() } else { 0 },
            None => self.infinity(value < 0.0),
        }
    }

    /// The pattern that an integer rounds to.
    pub fn round_integer(self, value: i128, rounding: Rounding) -> u64 {
        let significand = value.unsigned_abs();
        let parts = Parts { negative: value < 0, significand, exponent: 0, sticky: false };
        self.round(parts, rounding, false)
    }
}

/// `2^power`, 0 or infinity where that does not fit.
fn power_of_two(power: i32) -> f64 {
    match power {
        -1022..=1023 => f64::from_bits(((power + 1023) as u64) << 52),
        -1074..-1022 => f64::from_bits(1 << (power + 1074)),
        1024.. => f64::INFINITY,
        _ => 0.0,
    }
}

// ---- the conversions of inner loops -------------------------------------------------------------

/// An f16 as f32, exactly; NaN keeps its payload.
#[inline]
pub fn f16_to_f32(bits: u16) -> f32 {
    // Moved to its place, the exponent is 112 too small, which a product repairs, of subnormal
    // numbers too; infinity and NaN have the largest exponent of either format.
    let magnitude = u32::from(bits & 0x7fff) << 13;
    let number = (f32::from_bits(magnitude) * f32::from_bits(0x7780_0000)).to_bits();
    let word = if magnitude >= 0x0f80_0000 { magnitude | 0x7f80_0000 } else { number };
    f32::from_bits(word | u32::from(bits & 0x8000) << 16)
}

/// A bf16 as f32, exactly.
#[inline]
pub fn bf16_to_f32(bits: u16) -> f32 {
    f32::from_bits(u32::from(bits) << 16)
}

/// An f32 as the nearest f16, ties to even; NaN becomes 0x7fff.
#[inline]
pub fn f32_to_f16(value: f32) -> u16 {
    let word = value.to_bits();
    let sign = word >> 16 & 0x8000;
    let magnitude = word & 0x7fff_ffff;
    // Half a unit less one, and one more if the last bit that stays is set.
    let rounded = magnitude.wrapping_add(0xfff + (magnitude >> 13 & 1));
    let normal = rounded.wrapping_sub(0x3800_0000) >> 13;
    let normal = if rounded >= 0x4780_0000 { 0x7c00 } else { normal };
    // At one half, a unit of f32 is the smallest f16.
    let small = (f32::from_bits(magnitude) + 0.5).to_bits().wrapping_sub(0x3f00_0000);
    let result = sign | if magnitude < 0x3880_0000 { small } else { normal };
    if magnitude > 0x7f80_0000 { 0x7fff } else { result as u16 }
}

/// An f32 as the nearest bf16, ties to even; NaN becomes 0x7fff.
#[inline]
pub fn f32_to_bf16(value: f32) -> u16 {
    let word = value.to_bits();
    let rounded = word.wrapping_add(0x7fff + (word >> 16 & 1)) >> 16;
    if word & 0x7fff_ffff > 0x7f80_0000 { 0x7fff } else { rounded as u16 }
}

/// An f32 to 10 fraction bits, to the nearest, ties away from zero (PTX `cvt.rna.tf32.f32`);
/// infinities stay, NaNs lose their low bits.
#[inline]
pub fn round_to_tf32(value: f32) -> f32 {
    let word = value.to_bits();
    let carry = if word & 0x7f80_0000 == 0x7f80_0000 { 0 } else { 0x1000 };
    f32::from_bits(word.wrapping_add(carry) & 0xffff_e000)
}

/// An f64 as the f32 beside it whose last bit is odd, unless it is exact: rounding that to a format
/// of at most 22 bits is rounding the f64 once.
#[inline]
pub fn f64_to_f32_odd(value: f64) -> f32 {
    let nearest = value as f32;
    let back = f64::from(nearest);
    let word = nearest.to_bits();
    let exact = back == value || back.is_nan() || word & 1 == 1;
    let outward = (value > back) == (value > 0.0);
    let odd = if outward { word.wrapping_add(1) } else { word.wrapping_sub(1) };
    f32::from_bits(if exact { word } else { odd })
}

// ---- any format to any other --------------------------------------------------------------------

/// What a NaN becomes that is converted to an integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NanToInteger {
    /// 0 always.
    Zero,
    /// 0; of 64-bit integers the top bit alone.
    TopBitIf64,
    /// The top bit alone if the float or the integer has 64 bits, else 0 (PTX ISA, `cvt`).
    TopBitIfAny64,
}

/// A float of one format by its bits, as another.
pub fn float_to_float(
    bits: u64,
    from: Scalar,
    to: Scalar,
    rounding: Rounding,
    saturate: bool,
) -> Option<u64> {
    let (source, target) = (Format::of(from)?, Format::of(to)?);
    if source == target && !saturate {
        return Some(bits);
    }
    // Between these the processor's own conversion keeps the payload of NaN.
    if source == Format::F32 && target == Format::F64 {
        return Some(f64::from(f32::from_bits(bits as u32)).to_bits());
    }
    if source == Format::F64 && target == Format::F32 && f64::from_bits(bits).is_nan() {
        return Some(u64::from((f64::from_bits(bits) as f32).to_bits()));
    }
    Some(target.round_f64(source.to_f64(bits), rounding, saturate))
}

/// An integer as a float of the given format, by its bits.
pub fn integer_to_float(value: i128, to: Scalar, rounding: Rounding) -> Option<u64> {
    Some(Format::of(to)?.round_integer(value, rounding))
}

/// A float as an integer of the given type, by its bits: rounded as said, and what does not fit
/// becomes the nearest that does. `from` is the format that the value came in.
pub fn float_to_integer(
    value: f64,
    from: Scalar,
    to: Scalar,
    rounding: Rounding,
    nan: NanToInteger,
) -> u64 {
    let width = to.bits();
    let mask = if width >= 64 { u64::MAX } else { (1 << width) - 1 };
    if value.is_nan() {
        let top = match nan {
            NanToInteger::Zero => false,
            NanToInteger::TopBitIf64 => width == 64,
            NanToInteger::TopBitIfAny64 => width == 64 || from == Scalar::F64,
        };
        return if top { 1 << (width - 1) } else { 0 };
    }
    let whole = match rounding {
        Rounding::NearestEven => value.round_ties_even(),
        Rounding::TowardZero => value.trunc(),
        Rounding::Up => value.ceil(),
        Rounding::Down => value.floor(),
        Rounding::NearestAway => value.round(),
    };
    // `as` saturates.
    let bits = if to.is_signed() {
        let (low, high) = (i64::MIN >> (64 - width), i64::MAX >> (64 - width));
        (whole as i64).clamp(low, high) as u64
    } else {
        (whole as u64).min(mask)
    };
    bits & mask
}
