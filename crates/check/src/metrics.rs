//! How far two tensors are apart. Holds measures; the rules that judge them are elsewhere.

use crate::tensor::{DType, Tensor};

/// The distance of a tensor from its reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// Elements compared.
    pub count: usize,
    /// Elements whose bits differ, any two NaNs counting as equal.
    pub unequal: usize,
    /// The first of them.
    pub first_mismatch: Option<Mismatch>,
    /// Largest distance in units in the last place of the element type, counted through zero, over
    /// elements where neither side is NaN. For integers the absolute difference.
    pub max_ulp: u64,
    /// Largest `|a − b| / |b|`; infinite where only the reference is zero.
    pub max_relative: f64,
    /// Mean of the same over finite elements whose reference is not zero.
    pub mean_relative: f64,
    /// Largest `|a − b|`.
    pub max_absolute: f64,
    /// Elements where exactly one side is NaN.
    pub nan_mismatch: usize,
    /// Elements where the sides differ and at least one is infinite.
    pub infinity_mismatch: usize,
}

/// One differing element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mismatch {
    /// Its flat index.
    pub index: usize,
    /// The value under test.
    pub actual: f64,
    /// The reference's value.
    pub expected: f64,
    /// The bits under test.
    pub actual_bits: u64,
    /// The reference's bits.
    pub expected_bits: u64,
}

impl Comparison {
    /// Whether all elements are equal bit for bit (NaNs of any payload are equal).
    pub fn is_equal(&self) -> bool {
        self.unequal == 0
    }
}

/// Maps the bits of a float to an integer that is monotonic in the value, with −0 and 0 together.
fn ordered(bits: u64, dtype: DType) -> i128 {
    let width = dtype.size() as u32 * 8;
    let sign = 1u64 << (width - 1);
    if bits & sign != 0 { -i128::from(bits & !sign) } else { i128::from(bits) }
}

/// Distance in units in the last place between two elements of a float type.
fn ulp_distance(a: u64, b: u64, dtype: DType) -> u64 {
    let distance = (ordered(a, dtype) - ordered(b, dtype)).unsigned_abs();
    u64::try_from(distance).unwrap_or(u64::MAX)
}

/// Compares `actual` with `expected`. `None` when element types or shapes differ.
pub fn compare(actual: &Tensor, expected: &Tensor) -> Option<Comparison> {
    if actual.dtype() != expected.dtype() || actual.shape() != expected.shape() {
        return None;
    }
    let dtype = actual.dtype();
    let mut comparison = Comparison {
        count: actual.len(),
        unequal: 0,
        first_mismatch: None,
        max_ulp: 0,
        max_relative: 0.0,
        mean_relative: 0.0,
        max_absolute: 0.0,
        nan_mismatch: 0,
        infinity_mismatch: 0,
    };
    let (mut relative_sum, mut relative_count) = (0.0, 0usize);
    for index in 0..actual.len() {
        let (actual_bits, expected_bits) = (actual.bits(index), expected.bits(index));
        let (a, b) = (actual.get_f64(index), expected.get_f64(index));
        if a.is_finite() && b.is_finite() && b != 0.0 {
            relative_sum += ((a - b) / b).abs();
            relative_count += 1;
        }
        if actual_bits == expected_bits || (a.is_nan() && b.is_nan()) {
            continue;
        }
        comparison.unequal += 1;
        comparison.first_mismatch.get_or_insert(Mismatch {
            index,
            actual: a,
            expected: b,
            actual_bits,
            expected_bits,
        });
        if a.is_nan() != b.is_nan() {
            comparison.nan_mismatch += 1;
            continue;
        }
        if a.is_infinite() || b.is_infinite() {
            comparison.infinity_mismatch += 1;
        }
        let ulp = if dtype.is_float() {
            ulp_distance(actual_bits, expected_bits, dtype)
        } else if dtype == DType::U64 {
            actual_bits.abs_diff(expected_bits)
        } else {
            actual.get_i64(index).abs_diff(expected.get_i64(index))
        };
        comparison.max_ulp = comparison.max_ulp.max(ulp);
        let absolute = (a - b).abs();
        if absolute.is_nan() {
            continue;
        }
        comparison.max_absolute = comparison.max_absolute.max(absolute);
        let relative = if absolute == 0.0 { 0.0 } else { absolute / b.abs() };
        comparison.max_relative = comparison.max_relative.max(relative);
    }
    if relative_count > 0 {
        comparison.mean_relative = relative_sum / relative_count as f64;
    }
    Some(comparison)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_counted_in_the_element_type() {
        let a = Tensor::from_f32(&[1.0, f32::from_bits(1), 2.0, f32::NAN, f32::INFINITY]);
        let next = f32::from_bits(1.0f32.to_bits() + 3);
        let b = Tensor::from_f32(&[next, -f32::from_bits(1), 2.0, -f32::NAN, 1.0]);
        let c = compare(&a, &b).unwrap();
        assert_eq!((c.count, c.unequal, c.nan_mismatch, c.infinity_mismatch), (5, 3, 0, 1));
        assert_eq!(c.first_mismatch.unwrap().index, 0);
        assert_eq!(c.max_ulp, u64::from(f32::INFINITY.to_bits() - 1.0f32.to_bits()));
        let c = compare(&Tensor::from_f32(&[1.0]), &Tensor::from_f32(&[next])).unwrap();
        assert_eq!(c.max_ulp, 3);
        let zero = Tensor::from_f64(DType::F16, &[0.0]);
        let negative = Tensor::from_f64(DType::F16, &[-0.0]);
        let c = compare(&zero, &negative).unwrap();
        assert_eq!((c.unequal, c.max_ulp), (1, 0));
    }

    #[test]
    fn nan_on_one_side_is_a_mismatch() {
        let a = Tensor::from_f32(&[f32::NAN, 0.5]);
        let b = Tensor::from_f32(&[1.0, 0.25]);
        let c = compare(&a, &b).unwrap();
        assert_eq!((c.nan_mismatch, c.unequal), (1, 2));
        assert_eq!(c.max_relative, 1.0);
        assert_eq!(c.mean_relative, 1.0);
    }

    #[test]
    fn integers_compare_by_difference() {
        let a = Tensor::from_f64(DType::I8, &[-128.0]);
        let b = Tensor::from_f64(DType::I8, &[127.0]);
        assert_eq!(compare(&a, &b).unwrap().max_ulp, 255);
        assert!(compare(&a, &Tensor::from_f32(&[1.0])).is_none());
        assert!(compare(&a, &Tensor::zeros(DType::I8, &[2])).is_none());
    }
}
