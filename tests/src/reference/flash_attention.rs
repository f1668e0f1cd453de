//! Attention with an optional causal mask that is aligned with the last key. `exp2f` has 2 ulp; the
//! sums of a query are rescaled once for each of the tiles of 16 keys.

use super::attention::{Evaluation, attend};
use super::bounded::Bounded;
use super::{Expected, Inputs};

struct Launch {
    suffix: &'static str,
    causal: bool,
    columns: usize,
    /// Whether sequences come before heads, as in [batch, sequence, heads, columns].
    rows_first: bool,
}

fn outputs(inputs: Inputs<'_>, launch: &Launch) -> [Expected; 2] {
    let Launch { suffix, causal, columns, rows_first } = *launch;
    let [q, k, v] = ["q", "k", "v"].map(|name| inputs.values(&format!("{name}_{suffix}")));
    let (batch, heads, shared) = (inputs.count("batch"), inputs.count("h"), inputs.count("h_k"));
    let (queries, keys) = (inputs.count("seqlen_q"), inputs.count("seqlen_k"));
    let at = |entry: usize, row: usize, rows: usize, head: usize, heads: usize| {
        columns
            * match rows_first {
                true => (entry * rows + row) * heads + head,
                false => (entry * heads + head) * rows + row,
            }
    };
    let evaluation =
        Evaluation { scale: 0.125, exp_ulps: [2.0, 0.0], rescalings: keys.div_ceil(16) as f64 };

    let variant = if causal { "_causal" } else { "" };
    let output_name = format!("o_{suffix}{variant}");
    let mut output = vec![Bounded::exact(0.0); q.len()];
    let mut log_sums = Vec::with_capacity(batch * heads * queries);
    for (entry, head) in (0..batch).flat_map(|entry| (0..heads).map(move |head| (entry, head))) {
        let shared_head = head / (heads / shared);
        for row in 0..queries {
            let visible = if causal { (row + 1 + keys).saturating_sub(queries) } else { keys };
            let seen = (0..visible.min(keys)).map(|key| {
                let at = at(entry, key, keys, shared_head, shared);
                (&k[at..at + columns], &v[at..at + columns], 0.0)
            });
            let at = at(entry, row, queries, head, heads);
            let attended = attend(&q[at..at + columns], seen, evaluation);
            let nothing = Bounded::exact(f64::INFINITY);
            log_sums.push(attended.as_ref().map_or(nothing, |attended| attended.log_sum));
            if let Some(attended) = attended {
                output[at..at + columns].copy_from_slice(&attended.output);
            }
        }
    }
    let log_name = format!("lse_{suffix}{variant}");
    [
        Expected::stored(&output_name, inputs.dtype(&output_name), output),
        Expected::stored(&log_name, inputs.dtype(&log_name), log_sums),
    ]
}

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    let (narrow, wide) = (inputs.count("narrow"), inputs.count("wide"));
    let launches = [
        Launch { suffix: "half", causal: false, columns: narrow, rows_first: true },
        Launch { suffix: "half", causal: true, columns: narrow, rows_first: true },
        Launch { suffix: "float", causal: false, columns: wide, rows_first: false },
        Launch { suffix: "float", causal: true, columns: wide, rows_first: false },
    ];
    launches.iter().flat_map(|launch| outputs(inputs, launch)).collect()
}
