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
    /// How the magnitudes drift: `Σ sign(b)·(a − b) / Σ |b|` over elements finite on both sides. A
    /// sum that always rounds toward zero is negative here, however small each error is.
    pub bias: f64,
    /// Signed mean error over the mean magnitude: `Σ (a − b) / Σ |b|`.
    pub offset: f64,
    /// Cosine of the angle between the sides as vectors, over elements finite on both; 1 where both
    /// are zero, 0 where one is.
    pub cosine: f64,
    /// Root of the mean squared error over elements finite on both sides.
    pub rmse: f64,
    /// Largest `|a − b|` over the largest `|b|`: the error at the scale of the whole tensor.
    pub scale_error: f64,
    /// How many elements are how far apart: entry 0 counts 0 ulp, entry `i` the distances above
    /// 2^(i−2) up to 2^(i−1): 1, 2, 3–4, 5–8 … Elements with a NaN on one side are in no entry.
    pub ulp_histogram: Vec<usize>,
    /// `Σ |a − b| / Σ |b|`, and `√(Σ (a − b)² / Σ b²)`, over elements finite on both sides.
    pub relative_sums: [f64; 2],
}

/// The sums behind the averages of a comparison.
#[derive(Default)]
struct Sums {
    finite: usize,
    signed: f64,
    magnitude_signed: f64,
    absolute: f64,
    magnitudes: f64,
    squared_error: f64,
    squared_actual: f64,
    squared_expected: f64,
    product: f64,
    largest_expected: f64,
}

impl Sums {
    fn add(&mut self, a: f64, b: f64) {
        if !a.is_finite() || !b.is_finite() {
            return;
        }
        let error = a - b;
        self.finite += 1;
        self.signed += error;
        self.magnitude_signed += if b < 0.0 { -error } else { error };
        self.absolute += error.abs();
        self.magnitudes += b.abs();
        self.squared_error += error * error;
        self.squared_actual += a * a;
        self.squared_expected += b * b;
        self.product += a * b;
        self.largest_expected = self.largest_expected.max(b.abs());
    }

    fn finish(&self, comparison: &mut Comparison) {
        // Of nothing against zero there is no ratio, unless there is no error either.
        let ratio = |error: f64, scale: f64| match (error == 0.0, scale == 0.0) {
            (true, _) => 0.0,
            (false, true) => f64::INFINITY.copysign(error),
            (false, false) => error / scale,
        };
        comparison.bias = ratio(self.magnitude_signed, self.magnitudes);
        comparison.offset = ratio(self.signed, self.magnitudes);
        comparison.rmse = match self.finite {
            0 => 0.0,
            count => (self.squared_error / count as f64).sqrt(),
        };
        comparison.relative_sums = [
            ratio(self.absolute, self.magnitudes),
            ratio(self.squared_error.sqrt(), self.squared_expected.sqrt()),
        ];
        comparison.scale_error = ratio(comparison.max_absolute, self.largest_expected);
        let length = self.squared_actual.sqrt() * self.squared_expected.sqrt();
        comparison.cosine = if length > 0.0 {
            // Rounding may put it a little past 1.
            (self.product / length).clamp(-1.0, 1.0)
        } else if self.squared_actual == self.squared_expected {
            1.0
        } else {
            0.0
        };
    }
}

/// The entry of [`Comparison::ulp_histogram`] for a distance.
fn bucket(ulp: u64) -> usize {
    match ulp {
        0 => 0,
        distance => 65 - (distance - 1).leading_zeros() as usize,
    }
}

/// What an entry of [`Comparison::ulp_histogram`] counts: `0`, `1`, `2`, `3-4`, `5-8` …
pub fn bucket_label(entry: usize) -> String {
    match entry {
        0..=2 => entry.to_string(),
        66.. => "more".into(),
        _ => format!("{}-{}", (1u128 << (entry - 2)) + 1, 1u128 << (entry - 1)),
    }
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
        bias: 0.0,
        offset: 0.0,
        cosine: 1.0,
        rmse: 0.0,
        scale_error: 0.0,
        ulp_histogram: vec![0],
        relative_sums: [0.0; 2],
    };
    let mut sums = Sums::default();
    let (mut relative_sum, mut relative_count) = (0.0, 0usize);
    for index in 0..actual.len() {
        let (actual_bits, expected_bits) = (actual.bits(index), expected.bits(index));
        let (a, b) = (actual.get_f64(index), expected.get_f64(index));
        sums.add(a, b);
        if a.is_finite() && b.is_finite() && b != 0.0 {
            relative_sum += ((a - b) / b).abs();
            relative_count += 1;
        }
        if actual_bits == expected_bits || (a.is_nan() && b.is_nan()) {
            comparison.ulp_histogram[0] += 1;
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
        let ulp = distance(actual, expected, index);
        comparison.max_ulp = comparison.max_ulp.max(ulp);
        let entry = bucket(ulp);
        if comparison.ulp_histogram.len() <= entry {
            comparison.ulp_histogram.resize(entry + 1, 0);
        }
        comparison.ulp_histogram[entry] += 1;
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
    sums.finish(&mut comparison);
    Some(comparison)
}

/// The distance of one element, in units in the last place; for integers the absolute difference.
/// Both tensors are of one type, and neither element is a NaN. Panics past the end.
pub fn distance(actual: &Tensor, expected: &Tensor, index: usize) -> u64 {
    let (a, b) = (actual.bits(index), expected.bits(index));
    match actual.dtype() {
        dtype if dtype.is_float() => ulp_distance(a, b, dtype),
        DType::U64 => a.abs_diff(b),
        _ => actual.get_i64(index).abs_diff(expected.get_i64(index)),
    }
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
    fn a_truncation_that_every_tolerance_passes_is_a_bias() {
        // Symmetric data, each magnitude a little smaller: the signed mean sees nothing of it.
        let expected = Tensor::from_f64(DType::F64, &[1.0, -1.0, 2.0, -2.0]);
        let actual = Tensor::from_f64(DType::F64, &[0.999, -0.999, 1.998, -1.998]);
        let c = compare(&actual, &expected).unwrap();
        assert!((c.bias + 1e-3).abs() < 1e-12, "{}", c.bias);
        assert!(c.offset.abs() < 1e-12, "{}", c.offset);
        assert!(c.cosine > 0.999_999);
        // All shifted the same way: the signed mean sees it, the magnitudes do not.
        let actual = Tensor::from_f64(DType::F64, &[1.5, -0.5, 2.5, -1.5]);
        let c = compare(&actual, &expected).unwrap();
        assert_eq!((c.bias, c.offset), (0.0, 2.0 / 6.0));
        assert_eq!((c.rmse, c.max_absolute, c.scale_error), (0.5, 0.5, 0.25));
        assert_eq!(c.relative_sums[0], 2.0 / 6.0);
        assert!((c.relative_sums[1] - (1.0f64 / 10.0).sqrt()).abs() < 1e-15);
    }

    #[test]
    fn the_histogram_has_powers_of_two() {
        let base = 1.0f32.to_bits();
        let steps = [0u32, 1, 2, 3, 4, 5, 8, 9, 1 << 20];
        let actual: Vec<f32> = steps.iter().map(|step| f32::from_bits(base + step)).collect();
        let c = compare(&Tensor::from_f32(&actual), &Tensor::from_f32(&[1.0; 9])).unwrap();
        assert_eq!(c.ulp_histogram[..6], [1, 1, 1, 2, 2, 1]);
        assert_eq!((c.ulp_histogram.len(), c.ulp_histogram[21]), (22, 1));
        assert_eq!(c.ulp_histogram.iter().sum::<usize>(), 9);
        let labels: Vec<String> = (0..6).map(bucket_label).collect();
        assert_eq!(labels, ["0", "1", "2", "3-4", "5-8", "9-16"]);
        assert_eq!(
            (bucket(u64::MAX), bucket_label(bucket(1 << 20))),
            (65, "524289-1048576".into())
        );
    }

    #[test]
    fn zeros_have_no_ratio() {
        let zero = Tensor::from_f32(&[0.0, 0.0]);
        let c = compare(&zero, &zero).unwrap();
        assert_eq!((c.bias, c.cosine, c.scale_error), (0.0, 1.0, 0.0));
        let c = compare(&Tensor::from_f32(&[0.0, 1.0]), &zero).unwrap();
        assert_eq!((c.bias, c.cosine, c.scale_error), (f64::INFINITY, 0.0, f64::INFINITY));
        let empty = Tensor::zeros(DType::F32, &[0]);
        let c = compare(&empty, &empty).unwrap();
        assert_eq!((c.cosine, c.rmse, c.max_ulp), (1.0, 0.0, 0));
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
