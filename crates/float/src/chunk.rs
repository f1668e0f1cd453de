//! Functions of many numbers at once, with the bits of the C library's.
//!
//! The library's own functions take one number, and a call for each lane is most of the time of a
//! kernel that uses them. Its results are close to the exact value: an error of less than 0.503 units
//! in the last place, of which rounding makes 0.5. So wherever the exact value, computed here with far
//! more bits, is not nearly in the middle between two numbers, both round to the same one; the few
//! lanes that are in doubt are left to the library. Whether the library of this machine is as close
//! as that is tried once, before the first use.

use std::sync::OnceLock;

use crate::function::F32Function;

/// A function that has a form for many numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkFunction {
    /// The exponential function.
    Exp,
    /// One over the square root, in two operations that are each rounded once.
    ReciprocalSquareRoot,
}

/// How near to the middle between two numbers a value is in doubt, in units of the last place.
const DOUBT: f64 = 0.006;

/// Below the highest 24 bits of a binary64 number's significand there are so many.
const LOW: u32 = 29;

/// `a b + c`; `FUSED` says that the processor does this at once, and that it may be done so.
#[inline(always)]
fn product_and<const FUSED: bool>(a: f64, b: f64, c: f64) -> f64 {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// `exp(x)` as the C library rounds it, and a bit for each lane that is in doubt and holds nothing.
/// `FUSED` is for callers that are compiled for processors with fused multiplication: else it is slow.
#[inline(always)]
pub fn exp<const N: usize, const FUSED: bool>(x: &[f32; N]) -> ([f32; N], u32) {
    // exp(x) = 2^n exp(r) with |r| <= ln(2) / 2. The polynomial has the values of exp(r) at the eight
    // Chebyshev nodes of that range, and is off by a factor of at most 1 + 5e-11 (0.001 units in
    // the last place) between them; the product n ln(2) is exact to 2e-14.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const FACTORS: [f64; 8] = [
        0.999_999_999_959_561_5,
        0.999_999_999_995_509,
        0.500_000_010_772_978_2,
        0.166_666_667_863_092_73,
        0.041_666_218_317_579_58,
        0.008_333_283_538_518_388,
        0.001_394_857_844_051_740_4,
        0.000_199_075_694_374_945_13,
    ];
    const WIDTH: u32 = (2.0 * DOUBT * (1u64 << LOW) as f64) as u32;
    const MOST: u32 = 87.0f32.to_bits();
    const VANISHES: u32 = (-105.0f32).to_bits();
    const INFINITE: u32 = f32::NEG_INFINITY.to_bits();
    let mut sums = [0.0; N];
    let (mut lows, mut powers) = ([0u32; N], [0u32; N]);
    for lane in 0..N {
        let x = f64::from(x[lane]);
        let shifted = product_and::<FUSED>(x, std::f64::consts::LOG2_E, ROUND);
        let r = product_and::<FUSED>(shifted - ROUND, -std::f64::consts::LN_2, x);
        let mut sum = FACTORS[7];
        for factor in FACTORS[..7].iter().rev() {
            sum = product_and::<FUSED>(sum, r, *factor);
        }
        sums[lane] = sum as f32;
        lows[lane] = sum.to_bits() as u32;
        powers[lane] = shifted.to_bits() as u32;
    }
    // Words from here on, without a branch.
    let mut results = [0.0; N];
    let mut bad = [0u32; N];
    for lane in 0..N {
        // From the middle between two numbers of 24 bits, moved so that what is near begins at 0.
        let low = lows[lane].wrapping_sub((1 << (LOW - 1)) - WIDTH / 2) & ((1 << LOW) - 1);
        // The shifted number ends in n: 2^n is a normal number where |x| < 87.
        let scale = f32::from_bits(powers[lane].wrapping_add(127) << 23);
        let bits = x[lane].to_bits();
        let unusual = u32::from(bits & 0x7fff_ffff >= MOST);
        // So far below the smallest number that everything rounds to 0.
        let vanishes = u32::from(bits > VANISHES) & u32::from(bits <= INFINITE);
        let value = (sums[lane] * scale).to_bits();
        results[lane] = f32::from_bits(value & vanishes.wrapping_sub(1));
        bad[lane] = (u32::from(low < WIDTH) | unusual) & !vanishes;
    }
    let mut doubt = 0;
    for (lane, bad) in bad.iter().enumerate() {
        doubt |= bad << lane;
    }
    (results, doubt)
}

impl ChunkFunction {
    /// Whether the C library's function is as close to the exact one as the forms here need.
    pub(crate) fn agrees(self, library: F32Function) -> bool {
        static EXP: OnceLock<bool> = OnceLock::new();
        let F32Function::Unary(library) = library else { return false };
        match self {
            ChunkFunction::ReciprocalSquareRoot => {
                std::ptr::fn_addr_eq(library, crate::libm::rsqrt_f32 as fn(f32) -> f32)
            }
            ChunkFunction::Exp => *EXP.get_or_init(|| {
                // Steps of a prime number of bit patterns, with both signs.
                let operands = (0..0x42ae_0000u32).step_by(1_048_573).chain(
                    // Where most arguments are.
                    (0..4096).map(|step| (step as f32 * 0.004).to_bits()),
                );
                operands.flat_map(|bits| [bits, bits | 0x8000_0000]).all(|bits| {
                    let x = f32::from_bits(bits);
                    let ([value], doubt) = exp::<1, false>(&[x]);
                    doubt != 0 || value.to_bits() == library(x).to_bits()
                })
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods, reason = "asks how long it may take")]
    fn exponentials_have_the_bits_of_the_library() {
        let Some(F32Function::Unary(library)) = crate::libm::f32(port_ir::MathFunction::Exp) else {
            panic!()
        };
        assert!(ChunkFunction::Exp.agrees(F32Function::Unary(library)));
        // All patterns with PORT_EXHAUSTIVE set, else some of each exponent.
        let step = if std::env::var_os("PORT_EXHAUSTIVE").is_some() { 16 } else { 16 * 4093 };
        let (mut lanes, mut doubts) = (0u64, 0u64);
        for first in (0..=u32::MAX).step_by(step) {
            let x: [f32; 16] = std::array::from_fn(|l| f32::from_bits(first | l as u32));
            let (values, doubt) = exp::<16, false>(&x);
            let (fused, fused_doubt) = exp::<16, true>(&x);
            for l in 0..16 {
                if fused_doubt >> l & 1 == 0 {
                    assert_eq!(fused[l].to_bits(), library(x[l]).to_bits(), "exp({:e})", x[l]);
                }
                let usual = x[l].abs() < 87.0;
                lanes += u64::from(usual);
                doubts += u64::from(usual && doubt >> l & 1 == 1);
                if doubt >> l & 1 == 0 {
                    assert_eq!(values[l].to_bits(), library(x[l]).to_bits(), "exp({:e})", x[l]);
                }
            }
        }
        assert!(doubts * 20 < lanes, "{doubts} of {lanes} lanes are in doubt");
    }
}
