//! Philox4x32-10 from its definition (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as
//! easy as 1, 2, 3", SC'11, section 3.3), and the uniform numbers made from it.

const MULTIPLIERS: [u64; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// The four words of a counter under a key.
pub fn philox4x32_10(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for round in 0..10 {
        if round > 0 {
            key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        }
        let [first, second] =
            [MULTIPLIERS[0] * u64::from(counter[0]), MULTIPLIERS[1] * u64::from(counter[2])];
        counter = [
            (second >> 32) as u32 ^ counter[1] ^ key[0],
            second as u32,
            (first >> 32) as u32 ^ counter[3] ^ key[1],
            first as u32,
        ];
    }
    counter
}

/// Element `index` of the stream of `seed` that starts at block `offset`: uniform in `[0, 1)`, a
/// multiple of 2⁻²⁴.
pub fn uniform(seed: u64, offset: u64, index: u64) -> f64 {
    let block = offset + index / 4;
    let counter = [block as u32, (block >> 32) as u32, 0, 0];
    let words = philox4x32_10(counter, [seed as u32, (seed >> 32) as u32]);
    f64::from(words[(index % 4) as usize] >> 8) / 16_777_216.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_answers_of_random123() {
        // philox4x32, 10 rounds, from the known-answer file kat_vectors of Random123.
        assert_eq!(
            philox4x32_10([0; 4], [0; 2]),
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
        assert_eq!(
            philox4x32_10([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox4x32_10(
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0]
            ),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn uniform_numbers_fill_the_interval() {
        let numbers: Vec<f64> = (0..4000).map(|i| uniform(5, 9, i)).collect();
        let mean = numbers.iter().sum::<f64>() / 4000.0;
        assert!(numbers.iter().all(|u| (0.0..1.0).contains(u)));
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
        assert_eq!(uniform(5, 9, 4), uniform(5, 10, 0));
    }
}
