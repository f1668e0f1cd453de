//! Matrix units from first principles: inputs for which the rule of a unit, and no other, gives the
//! expected number. `cargo xtask external matlab-tensor-core` compares with real chips.

use port_float::format::Format;
use port_float::matrix::{self, MatrixModel, Shape, Unit};
use port_ir::{FragmentElement, Rounding, Scalar};

const F16: FragmentElement = FragmentElement::Scalar(Scalar::F16);
const BF16: FragmentElement = FragmentElement::Scalar(Scalar::Bf16);
const E4M3: FragmentElement = FragmentElement::Scalar(Scalar::F8E4M3);

fn model(unit: Unit, input: FragmentElement, accumulator: Scalar) -> MatrixModel {
    matrix::model(unit, input, accumulator).unwrap()
}

fn bits(element: FragmentElement, value: f64) -> u64 {
    let FragmentElement::Scalar(scalar) = element else {
        return u64::from((value as f32).to_bits());
    };
    let format = Format::of(scalar).unwrap();
    let bits = format.round_f64(value, Rounding::NearestEven, false);
    assert!(format.to_f64(bits) == value || value.is_nan(), "{value} is not a {scalar:?}");
    bits
}

/// `a · b + c` of a row and a column, in f32.
fn dot(unit: Unit, input: FragmentElement, terms: &[(f64, f64)], c: f32) -> f32 {
    let a: Vec<u64> = terms.iter().map(|(a, _)| bits(input, *a)).collect();
    let b: Vec<u64> = terms.iter().map(|(_, b)| bits(input, *b)).collect();
    let shape = Shape { m: 1, n: 1, k: terms.len() };
    let c = [c.to_bits().into()];
    let d = model(unit, input, Scalar::F32).multiply(shape, &a, &b, &c, false);
    f32::from_bits(d[0] as u32)
}

const NVIDIA: [(Unit, usize, i32); 5] = [
    (Unit::Volta, 4, 23),
    (Unit::Turing, 8, 24),
    (Unit::Ampere, 8, 24),
    (Unit::Hopper, 16, 25),
    (Unit::Blackwell, 16, 25),
];

/// A term of which just one bit lies below what the unit keeps of a sum of about 1 is lost; one bit
/// higher it counts.
#[test]
fn nvidia_keeps_so_many_bits() {
    for (unit, terms, fraction) in NVIDIA {
        // 1 − 2·2^-(F+1): each small term is cut off to 0, so nothing is subtracted.
        for (place, counts) in [(fraction + 1, false), (fraction, true)] {
            let small = 2f64.powi(-place);
            let mut row = vec![(0.0, 0.0); terms];
            row[0] = (-small * 2f64.powi(14), 2f64.powi(-14));
            row[1] = row[0];
            let sum = dot(unit, F16, &row, 1.0);
            let expected = if counts { (1.0 - 2.0 * small) as f32 } else { 1.0 };
            // 1 − 2^(1−F) has F − 1 fraction bits below 1/2: cut off toward zero if over 23.
            let expected =
                if fraction > 24 && counts { f32::from_bits(1f32.to_bits() - 1) } else { expected };
            assert_eq!(sum, expected, "{unit:?} 2^-{place}");
        }
    }
}

/// One product more than a step takes is added to a result that is already rounded.
#[test]
fn nvidia_takes_steps() {
    for (unit, terms, fraction) in NVIDIA {
        let half = 2f64.powi(-fraction - 1);
        // 2^-F in two halves: in one step both are cut off beside 1 …
        let mut row = vec![(0.0, 0.0); 2 * terms];
        row[0] = (1.0, 1.0);
        row[terms] = (1.0, -1.0);
        row[terms - 1] = (half * 2f64.powi(14), 2f64.powi(-14));
        row[terms + 1] = row[terms - 1];
        // … and in the second step 1 − 1 leaves the half, whose own exponent is the largest but 1's.
        assert_eq!(dot(unit, F16, &row, 0.0), 0.0, "{unit:?}");
        // With nothing large in the second step, the half counts in full.
        row[0] = (0.0, 0.0);
        row[terms] = (0.0, 0.0);
        assert_eq!(dot(unit, F16, &row, 0.0), (2.0 * half) as f32, "{unit:?}");
    }
}

#[test]
fn f32_results_are_cut_off_and_f16_results_are_nearest() {
    for (unit, terms, _) in NVIDIA {
        // 1 + 2^-11·1.5 lies above the middle of two f16 and between two f32 that are 2^-23 apart.
        let mut row = vec![(0.0, 0.0); terms];
        row[0] = (1.0, 1.0);
        row[1] = (2f64.powi(-12), 3.0);
        let a: Vec<u64> = row.iter().map(|(a, _)| bits(F16, *a)).collect();
        let b: Vec<u64> = row.iter().map(|(_, b)| bits(F16, *b)).collect();
        let shape = Shape { m: 1, n: 1, k: terms };
        let d = model(unit, F16, Scalar::F16).multiply(shape, &a, &b, &[0], false);
        assert_eq!(Format::F16.to_f64(d[0]), 1.0 + 2f64.powi(-10), "{unit:?}");
        // 3 + 2^-22·1.5 in f32: toward zero, 3 + 2^-22.
        row[0] = (3.0, 1.0);
        row[1] = (2f64.powi(-12), 3.0 * 2f64.powi(-11));
        let sum = dot(unit, F16, &row, 0.0);
        let expected = 3.0 + 2f64.powi(-22);
        assert_eq!(f64::from(sum), expected, "{unit:?}");
        row[0] = (-3.0, 1.0);
        row[1].0 = -row[1].0;
        assert_eq!(f64::from(dot(unit, F16, &row, 0.0)), -expected, "{unit:?}");
    }
}

#[test]
fn what_is_not_finite_spreads() {
    for (unit, ..) in NVIDIA {
        let infinite = f64::INFINITY;
        assert_eq!(dot(unit, F16, &[(infinite, 1.0), (1.0, 1.0)], 0.0), f32::INFINITY);
        assert_eq!(dot(unit, F16, &[(infinite, -1.0)], 1.0), f32::NEG_INFINITY);
        assert_eq!(dot(unit, F16, &[(infinite, 0.0)], 0.0).to_bits(), 0x7fff_ffff);
        assert_eq!(
            dot(unit, F16, &[(infinite, 1.0), (-infinite, 1.0)], 0.0).to_bits(),
            0x7fff_ffff
        );
        assert_eq!(dot(unit, F16, &[(f64::NAN, 1.0)], 0.0).to_bits(), 0x7fff_ffff);
        assert_eq!(dot(unit, F16, &[(1.0, 1.0)], f32::INFINITY), f32::INFINITY);
    }
    // The largest f32 and as much again.
    assert_eq!(
        dot(Unit::Ampere, BF16, &[(2f64.powi(100), 2f64.powi(27))], f32::MAX),
        f32::INFINITY
    );
}

#[test]
fn ada_keeps_13_bits_of_eight_bit_inputs() {
    let row = |small: f64| vec![(1.0, 1.0), (small * 64.0, 1.0 / 64.0)];
    assert_eq!(dot(Unit::Ada, E4M3, &row(2f64.powi(-13)), 0.0), 1.0 + 2f32.powi(-13));
    assert_eq!(dot(Unit::Ada, E4M3, &row(2f64.powi(-14)), 0.0), 1.0);
    // C too, and the result: 4 + 2^-12 has 14 fraction bits.
    assert_eq!(dot(Unit::Ada, E4M3, &[(1.0, 1.0)], 2f32.powi(-14)), 1.0);
    assert_eq!(dot(Unit::Ada, E4M3, &[(2.0, 2.0)], 2f32.powi(-12)), 4.0);
}

#[test]
fn eight_bit_inputs_that_blackwell_makes_f16_meet_c_last() {
    // Beside 2^24 in the sum 1 would be cut off; added last, to the nearest even, it is a tie.
    let sum = dot(Unit::Blackwell, E4M3, &[(1.0, 1.0)], 2f32.powi(24));
    assert_eq!(sum, 2f32.powi(24));
    let sum = dot(Unit::Blackwell, E4M3, &[(1.0, 1.5)], 2f32.powi(24));
    assert_eq!(sum, 2f32.powi(24) + 2.0, "to the nearest, not toward zero");
    // Places 0 and 1 are summed with 4 and 5, 2 and 3 with 6 and 7: 256·256 swallows what is 2^26
    // below it in the same step only.
    let large = (256.0, 256.0);
    let small = (2f64.powi(-5), 2f64.powi(-5));
    let minus = (-256.0, 256.0);
    let zero = (0.0, 0.0);
    let together = [large, small, zero, zero, minus];
    assert_eq!(dot(Unit::Blackwell, E4M3, &together, 0.0), 0.0);
    let apart = [large, zero, small, zero, minus];
    assert_eq!(dot(Unit::Blackwell, E4M3, &apart, 0.0), 2f32.powi(-10));
}

#[test]
fn cdna_2_adds_pairs_and_flushes() {
    // (2^24 + 1) + (−2^24 + 0): the 1 is lost in the first pair.
    let row = [(4096.0, 4096.0), (1.0, 1.0), (-4096.0, 4096.0), (0.0, 0.0)];
    assert_eq!(dot(Unit::Cdna2, F16, &row, 0.0), 0.0);
    // (2^24 − 2^24) + (1 + 0)
    let row = [(4096.0, 4096.0), (-4096.0, 4096.0), (1.0, 1.0), (0.0, 0.0)];
    assert_eq!(dot(Unit::Cdna2, F16, &row, 0.0), 1.0);
    assert_eq!(dot(Unit::Cdna2, F16, &[(2f64.powi(-15), 1.0)], 0.0), 0.0, "a subnormal f16");
    assert_eq!(dot(Unit::Cdna3, F16, &[(2f64.powi(-15), 1.0)], 0.0), 2f32.powi(-15));
    assert_eq!(dot(Unit::Cdna2, F16, &[(0.0, 1.0)], 1e-40), 0.0, "a subnormal C");
}

#[test]
fn cdna_3_rounds_the_lower_of_two_sums_down() {
    // C = 1 and a product of −2^-60: rounded down it is −2^-31, and the sum the f32 below 1 … whose
    // distance is 2^-24, so that 1 is nearer.
    assert_eq!(dot(Unit::Cdna3, BF16, &[(-(2f64.powi(-60)), 1.0)], 1.0), 1.0);
    // C = −2^-60 and a product of 2^24: 2^24 − 1, as C is rounded down to −1.
    let sum = dot(Unit::Cdna3, BF16, &[(2f64.powi(24), 1.0)], -(2f32.powi(-60)));
    assert_eq!(sum, 2f32.powi(24) - 1.0);
    assert_eq!(dot(Unit::Cdna3, BF16, &[(2f64.powi(24), 1.0)], 2f32.powi(-60)), 2f32.powi(24));
    // Products are cut off toward zero among each other.
    let row = [(2f64.powi(24), 1.0), (-(2f64.powi(-60)), 1.0)];
    assert_eq!(dot(Unit::Cdna3, BF16, &row, 0.0), 2f32.powi(24));
}

#[test]
fn plain_units_round_each_sum_or_once() {
    let row = [(4096.0, 4096.0), (1.0, 1.0), (1.0, 1.0)];
    assert_eq!(dot(Unit::Ordered, F16, &row, 0.0), 2f32.powi(24));
    assert_eq!(dot(Unit::Exact, F16, &row, 0.0), 2f32.powi(24) + 2.0);
    // Far below a middle, and on either side of it.
    let middle = [(4096.0, 4096.0), (1.0, 1.0)];
    let tiny = 2f64.powi(-24);
    let with = |sign: f64| [middle[0], middle[1], (sign * tiny, tiny)];
    assert_eq!(dot(Unit::Exact, F16, &middle, 0.0), 2f32.powi(24));
    assert_eq!(dot(Unit::Exact, F16, &with(1.0), 0.0), 2f32.powi(24) + 2.0);
    assert_eq!(dot(Unit::Exact, F16, &with(-1.0), 0.0), 2f32.powi(24));
    assert_eq!(
        dot(Unit::Exact, BF16, &[(1.0, 1.0), (2f64.powi(-130), 0.5)], -1.0),
        2f32.powi(-131)
    );
    assert_eq!(
        dot(Unit::Exact, BF16, &[(2f64.powi(120), 1.0), (2f64.powi(-120), -1.0)], 0.0),
        2f32.powi(120)
    );
}

#[test]
fn integers_wrap_or_saturate() {
    let model = model(Unit::Ampere, FragmentElement::Scalar(Scalar::I8), Scalar::I32);
    let shape = Shape { m: 1, n: 2, k: 2 };
    let a = [0x80, 0x7f];
    let b = [0x80, 1, 0x7f, 2];
    // (−128)(−128) + 127·127 and −128 + 254, row by row of B.
    assert_eq!(model.multiply(shape, &a, &b, &[0, 0], false), [32513, 126]);
    let largest = u64::from(i32::MAX as u32);
    assert_eq!(model.multiply(shape, &a, &b, &[largest, 0], true), [largest, 126]);
    let wrapped = u64::from((i32::MAX.wrapping_add(32513)) as u32);
    assert_eq!(model.multiply(shape, &a, &b, &[largest, 0], false), [wrapped, 126]);
}

#[test]
fn rows_and_columns_are_where_they_should_be() {
    // 2×3 by 3×2, of small integers: every unit is exact.
    let a: Vec<u64> = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0].map(|x| bits(F16, x)).to_vec();
    let b: Vec<u64> = [7.0, 8.0, 9.0, 10.0, 11.0, 12.0].map(|x| bits(F16, x)).to_vec();
    let c: Vec<u64> = [1f32, 2.0, 3.0, 4.0].map(|x| x.to_bits().into()).to_vec();
    let units = [Unit::Ordered, Unit::Exact, Unit::Volta, Unit::Hopper, Unit::Cdna2, Unit::Cdna3];
    for unit in units {
        let shape = Shape { m: 2, n: 2, k: 3 };
        let d = model(unit, F16, Scalar::F32).multiply(shape, &a, &b, &c, false);
        let d: Vec<f32> = d.iter().map(|bits| f32::from_bits(*bits as u32)).collect();
        assert_eq!(d, [59.0, 66.0, 142.0, 158.0], "{unit:?}");
    }
}
