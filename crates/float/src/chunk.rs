//! Functions of many numbers at once, with the bits of the C library's.
//!
//! The library's own functions take one number, and a call for each lane is most of the time of a
//! kernel that uses them. Its results are close to the exact value: an error of less than 0.505 units
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
const DOUBT: f64 = 0.01;

/// Below the highest 24 bits of a binary64 number's significand there are so many.
const LOW: u32 = 29;

/// `exp(x)` as the C library rounds it, and a bit for each lane that is in doubt and holds nothing.
#[inline(always)]
pub fn exp<const N: usize>(x: &[f32; N]) -> ([f32; N], u32) {
    // exp(x) = 2^n exp(r) with |r| <= ln(2) / 2. The sum of the series up to r^10 / 10! is exact to
    // 3e-13, the product n ln(2) to 2e-14.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const FACTORIALS: [f64; 11] = [
        1.0,
        1.0,
        1.0 / 2.0,
        1.0 / 6.0,
        1.0 / 24.0,
        1.0 / 120.0,
        1.0 / 720.0,
        1.0 / 5_040.0,
        1.0 / 40_320.0,
        1.0 / 362_880.0,
        1.0 / 3_628_800.0,
    ];
    const WIDTH: u64 = (2.0 * DOUBT * (1u64 << LOW) as f64) as u64;
    let mut results = [0.0; N];
    let mut near = [0u32; N];
    for lane in 0..N {
        let x = f64::from(x[lane]);
        let shifted = x * std::f64::consts::LOG2_E + ROUND;
        let r = x - (shifted - ROUND) * std::f64::consts::LN_2;
        let mut sum = FACTORIALS[10];
        for factor in FACTORIALS[..10].iter().rev() {
            sum = sum * r + factor;
        }
        // From the middle between two numbers of 24 bits, moved so that what is near begins at 0.
        let low = sum.to_bits().wrapping_sub((1 << (LOW - 1)) - WIDTH / 2) & ((1 << LOW) - 1);
        near[lane] = u32::from((low as u32) < WIDTH as u32);
        // The shifted number ends in n: 2^n is a normal number where |x| < 87.
        let scale = (shifted.to_bits() as u32).wrapping_add(127) << 23;
        results[lane] = sum as f32 * f32::from_bits(scale);
    }
    let mut doubt = 0;
    for lane in 0..N {
        let usual = x[lane].abs() < 87.0;
        // So far below the smallest number that everything rounds to 0.
        let vanishes = x[lane] < -105.0;
        results[lane] = if vanishes { 0.0 } else { results[lane] };
        doubt |= u32::from(!(usual & (near[lane] == 0) | vanishes)) << lane;
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
                    let ([value], doubt) = exp(&[x]);
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
            let (values, doubt) = exp(&x);
            for l in 0..16 {
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
