//! One query a sequence against keys and values in pages, in one piece and in partitions.
//!
//! `__expf` has `2 + |1.173·x|` ulp, and the weights are normalised by `__fdividef` (2 ulp) before
//! they meet the values, which is one more rounding of each. The sum that they are divided by has
//! 1e-6 added to it: an error of 1e-6 in proportion, as no sum is below one. In partitions that
//! happens twice, and the outputs of the partitions are rounded to the storage type.

use super::attention::{Attended, Evaluation, attend};
use super::bounded::{Bounded, F32, Format};
use super::{Expected, Inputs};

const EVALUATION: Evaluation =
    Evaluation { scale: 0.125, exp_ulps: [3.0 + 3.0, 1.173], rescalings: 0.0 };
const PARTITION: usize = 128;

struct Form {
    name: &'static str,
    columns: usize,
    page_tokens: usize,
    /// Elements in 16 bytes.
    packed: usize,
    alibi: bool,
    partitioned: bool,
}

fn with_epsilon(value: Bounded) -> Bounded {
    Bounded::new(value.value, value.error + 1e-6 * (value.value.abs() + value.error))
}

/// The partitions' outputs weighted by their sums.
fn combined(partitions: &[Attended], format: Format) -> Vec<Bounded> {
    let outputs = partitions.iter().map(|partition| {
        let stored = partition.output.iter().map(|value| with_epsilon(*value).rounded(format));
        stored.collect::<Vec<_>>()
    });
    let outputs: Vec<Vec<Bounded>> = outputs.collect();
    if let [only] = &outputs[..] {
        return only.clone();
    }
    let maxima = partitions.iter().map(|partition| partition.maximum);
    let maximum = maxima.fold(Bounded::exact(f64::NEG_INFINITY), Bounded::max);
    let weights =
        partitions.iter().map(|partition| partition.sum * (partition.maximum - maximum).exp(2.0));
    let weights: Vec<Bounded> = weights.collect();
    let total = Bounded::sum(weights.iter().copied(), F32);
    let inverse = Bounded::exact(1.0).over(total);
    let inverse = with_epsilon(Bounded::function(inverse.value, inverse.error, 2.0));
    let columns = (0..outputs[0].len()).map(|column| {
        let terms = outputs.iter().zip(&weights);
        Bounded::sum(terms.map(|(output, weight)| output[column] * *weight * inverse), F32)
    });
    columns.collect()
}

fn output(inputs: Inputs<'_>, form: &Form) -> Expected {
    let Form { name, columns, page_tokens, packed, alibi, partitioned } = *form;
    let named = |prefix: &str| format!("{prefix}_{name}");
    let [q, k, v] = ["q", "k", "v"].map(|prefix| inputs.values(&named(prefix)));
    let table = inputs.integers(&named("table"));
    let (heads, shared) = (inputs.count("heads"), inputs.count("kv_heads"));
    let pages_a_sequence = inputs.count("longest").div_ceil(page_tokens);
    let slopes = inputs.values("slopes");
    let dtype = inputs.dtype(&named("y"));

    let mut result = Vec::new();
    for (sequence, length) in inputs.integers("lengths").into_iter().enumerate() {
        let length = length as usize;
        for (head, slope) in slopes.iter().copied().enumerate().take(heads) {
            let from = sequence * (heads * columns + 8) + head * columns;
            let query = &q[from..from + columns];
            let shared_head = head / (heads / shared);
            let entries = (0..length).map(|token| {
                let page = table[sequence * pages_a_sequence + token / page_tokens] as usize;
                let (base, at) = ((page * shared + shared_head) * columns, token % page_tokens);
                let key = (0..columns).map(|column| {
                    let group = base / packed + column / packed;
                    k[(group * page_tokens + at) * packed + column % packed]
                });
                let value = (0..columns).map(|column| v[(base + column) * page_tokens + at]);
                let slope = if alibi { slope } else { 0.0 };
                let bias = slope * (token as f64 - length as f64 + 1.0);
                (key.collect(), value.collect(), bias)
            });
            let entries: Vec<(Vec<f64>, Vec<f64>, f64)> = entries.collect();
            let attended = |entries: &[(Vec<f64>, Vec<f64>, f64)]| {
                let seen = entries.iter().map(|(key, value, bias)| (&key[..], &value[..], *bias));
                attend(query, seen, EVALUATION).expect("a sequence has a token")
            };
            if partitioned {
                let partitions: Vec<Attended> = entries.chunks(PARTITION).map(attended).collect();
                result.extend(combined(&partitions, Format::of(dtype)));
            } else {
                result.extend(attended(&entries).output.into_iter().map(with_epsilon));
            }
        }
    }
    Expected::stored(&named("y"), dtype, result)
}

pub(super) fn reference(inputs: Inputs<'_>) -> Vec<Expected> {
    let plain = Form {
        name: "80",
        columns: 80,
        page_tokens: 16,
        packed: 8,
        alibi: false,
        partitioned: false,
    };
    let forms = [
        Form { name: "64", columns: 64, alibi: true, ..plain },
        Form { name: "f32", columns: 32, page_tokens: 8, packed: 4, ..plain },
        Form { name: "bf16", columns: 64, page_tokens: 32, partitioned: true, ..plain },
        plain,
    ];
    forms.iter().map(|form| output(inputs, form)).collect()
}
