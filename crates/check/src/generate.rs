//! Deterministic data: the same bytes for the same spec on every platform. Holds the generators and
//! their formulas; knows nothing of spec syntax.
//!
//! Every value depends on the seed and its own index alone (a counter-based generator), so a longer
//! buffer begins with the values of a shorter one. The random bits of index `i`, draw `d` are
//!
//! ```text
//! bits(seed, i, d) = mix(mix(seed) + (16·i + d + 1)·0x9E3779B97F4A7C15)      (wrapping u64)
//! mix(z): z = (z ^ z>>30)·0xBF58476D1CE4E5B9; z = (z ^ z>>27)·0x94D049BB133111EB; z ^ z>>31
//! ```
//!
//! (the output function of SplitMix64; Steele, Lea and Flood 2014). Then, in f64, rounding once into
//! the element type at the end:
//!
//! - `uniform(a, b)`: `a + (b − a)·u` with `u = (bits >> 11)·2⁻⁵³`, in `[0, 1)`;
//! - `normal(m, s)`: `m + s·n` where `n` is the sum of twelve 32-bit uniforms (the halves of draws
//!   0–5, each centred by half a step) minus 6: mean 0, variance 1 within 2⁻⁶⁰, bounded by ±6, and,
//!   unlike methods that use logarithms, free of any library function;
//! - `ints(a, b)`: `a + ⌊bits·(b − a)/2⁶⁴⌋`, integers in `[a, b)`.

use crate::tensor::{DType, Tensor};

/// How a buffer is filled.
#[derive(Clone, Debug, PartialEq)]
pub enum Generator {
    /// Each element the same value.
    Full(f64),
    /// 0, 1, 2 … (integer types wrap, floats round).
    Iota,
    /// Uniform in `[low, high)` before rounding to the element type.
    Uniform {
        /// Lower end.
        low: f64,
        /// Upper end.
        high: f64,
    },
    /// Approximately normal; see the module's documentation.
    Normal {
        /// Mean.
        mean: f64,
        /// Standard deviation.
        deviation: f64,
    },
    /// Uniform integers in `[low, high)`; an empty range gives `low`.
    Integers {
        /// Lower end.
        low: i64,
        /// Upper end, exclusive.
        high: i64,
    },
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The random bits of an index and draw (0–15) under a seed.
pub fn bits(seed: u64, index: u64, draw: u64) -> u64 {
    let counter = index.wrapping_mul(16).wrapping_add(draw).wrapping_add(1);
    mix(mix(seed).wrapping_add(counter.wrapping_mul(0x9E37_79B9_7F4A_7C15)))
}

fn standard_normal(seed: u64, index: u64) -> f64 {
    let mut sum = 0u64;
    for draw in 0..6 {
        let word = bits(seed, index, draw);
        sum += (word >> 32) + (word & 0xffff_ffff);
    }
    // Exact: the sum has at most 36 bits; twelve half steps are 6·2⁻³².
    (sum as f64 + 6.0) / 4_294_967_296.0 - 6.0
}

/// A tensor filled by `generator`.
pub fn generate(generator: &Generator, dtype: DType, shape: &[usize], seed: u64) -> Tensor {
    let mut tensor = Tensor::zeros(dtype, shape);
    for index in 0..tensor.len() {
        let counter = index as u64;
        match *generator {
            Generator::Full(value) => tensor.set_f64(index, value),
            Generator::Iota => tensor.set_i64(index, index as i64),
            Generator::Uniform { low, high } => {
                let unit = (bits(seed, counter, 0) >> 11) as f64 / 9_007_199_254_740_992.0;
                tensor.set_f64(index, low + (high - low) * unit);
            }
            Generator::Normal { mean, deviation } => {
                tensor.set_f64(index, mean + deviation * standard_normal(seed, counter));
            }
            Generator::Integers { low, high } => {
                let span = i128::from(high) - i128::from(low);
                let offset = if span <= 0 {
                    0
                } else {
                    (u128::from(bits(seed, counter, 0)) * span as u128) >> 64
                };
                tensor.set_i64(index, low.wrapping_add(offset as i64));
            }
        }
    }
    tensor
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mix_is_the_published_splitmix64() {
        // The first outputs of SplitMix64 for state 1234567, as published with the algorithm.
        let outputs: Vec<u64> = (1..=3u64)
            .map(|n| mix(1_234_567u64.wrapping_add(n.wrapping_mul(0x9E37_79B9_7F4A_7C15))))
            .collect();
        assert_eq!(
            outputs,
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]
        );
    }

    #[test]
    fn a_longer_buffer_begins_with_the_shorter_one() {
        let generator = Generator::Normal { mean: 0.0, deviation: 1.0 };
        let short = generate(&generator, DType::F32, &[10], 3).to_f64();
        let long = generate(&generator, DType::F32, &[100], 3).to_f64();
        assert_eq!(short, long[..10]);
        assert_ne!(short, generate(&generator, DType::F32, &[10], 4).to_f64());
    }

    #[test]
    fn normal_has_its_moments() {
        let generator = Generator::Normal { mean: 2.0, deviation: 3.0 };
        let values = generate(&generator, DType::F64, &[40_000], 7).to_f64();
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64;
        assert!((mean - 2.0).abs() < 0.06, "{mean}");
        assert!((variance - 9.0).abs() < 0.3, "{variance}");
        // A normal variable is below −1 with probability 0.158655.
        let below = values.iter().filter(|v| **v < -1.0).count() as f64 / values.len() as f64;
        assert!((below - 0.1587).abs() < 0.01, "{below}");
    }

    #[test]
    fn ranges_are_half_open() {
        let values =
            generate(&Generator::Integers { low: -2, high: 3 }, DType::I32, &[2000], 1).to_i64();
        for wanted in -2..3 {
            assert!(values.contains(&wanted));
        }
        assert!(values.iter().all(|v| (-2..3).contains(v)));
        let values =
            generate(&Generator::Uniform { low: -1.0, high: 2.0 }, DType::F64, &[2000], 1).to_f64();
        assert!(values.iter().all(|v| (-1.0..2.0).contains(v)));
        let empty =
            generate(&Generator::Integers { low: 5, high: 5 }, DType::I32, &[2], 1).to_i64();
        assert_eq!(empty, [5, 5]);
    }
}
