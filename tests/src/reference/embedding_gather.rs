//! Rows of a table by identifier, zero for identifiers outside the shard; and the sum of a token's
//! and a position's row. Copies and single correctly rounded additions: exact.

use super::{Expected, Inputs};

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    let (first, last) = (inputs.count("first") as i64, inputs.count("last") as i64);
    let mut outputs = Vec::new();
    for (ids, shard, rows, width) in [
        ("ids_i32", "shard_f32", "rows_f32_wide", "width_wide"),
        ("ids_i64", "shard_f16", "rows_f16", "width"),
    ] {
        let (shard, width) = (inputs.values(shard), inputs.count(width));
        let mut values = Vec::new();
        for id in inputs.integers(ids) {
            if (first..last).contains(&id) {
                let start = (id - first) as usize * width;
                values.extend_from_slice(&shard[start..start + width]);
            } else {
                values.resize(values.len() + width, 0.0);
            }
        }
        outputs.push(Expected::exact(rows, values));
    }

    let (tokens, width) = (inputs.count("tokens"), inputs.count("width_wide"));
    for element in ["f32", "f16"] {
        let [token_rows, position_rows] =
            ["token", "position"].map(|table| inputs.values(&format!("{table}_{element}")));
        let mut values = Vec::new();
        for (index, id) in inputs.integers("ids_batch").into_iter().enumerate() {
            let token = &token_rows[id as usize * width..][..width];
            let position = &position_rows[index % tokens * width..][..width];
            values.extend(token.iter().zip(position).map(|(a, b)| a + b));
        }
        let name = format!("sum_{element}");
        outputs.push(Expected::rounded_once(&name, inputs.dtype(&name), &values));
    }
    outputs
}
