//! Sorted keys, and sorted (key, value) pairs. Exact.

use super::{Expected, Inputs};

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    let mut keys = inputs.values("keys_f32");
    keys.sort_by(f64::total_cmp);

    let values = inputs.integers("values");
    let mut pairs: Vec<(i64, i64)> = inputs.integers("keys_u32").into_iter().zip(values).collect();
    // Keys fall; values rise where keys are equal.
    pairs.sort_by_key(|(key, value)| (-key, *value));
    vec![
        Expected::exact("keys_f32", keys),
        Expected::integers("keys_u32", pairs.iter().map(|(key, _)| *key)),
        Expected::integers("values", pairs.iter().map(|(_, value)| *value)),
    ]
}
