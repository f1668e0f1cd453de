//! One query against the keys that it sees: `softmax(s·q·k + bias) v`, and the logarithm of the sum
//! of exponentials. Shared by the attention operators, which differ in where keys and values lie.

use super::bounded::{Bounded, F32};

/// How an operator evaluates its exponentials.
#[derive(Clone, Copy)]
pub(super) struct Evaluation {
    /// Factor of the scores.
    pub scale: f64,
    /// Error of one exponential in ulp: a constant, and for each unit of the argument.
    pub exp_ulps: [f64; 2],
    /// How often a term is multiplied by a rescaling exponential at most.
    pub rescalings: f64,
}

/// A query's result.
pub(super) struct Attended {
    /// The weighted mean of the values, in single precision.
    pub output: Vec<Bounded>,
    /// The logarithm of the sum of exponentials of the scores.
    pub log_sum: Bounded,
    /// The largest score.
    pub maximum: Bounded,
    /// The sum of exponentials, relative to the largest score.
    pub sum: Bounded,
}

/// Attends to (key, value, bias) triples; `None` where there are none.
pub(super) fn attend<'data>(
    query: &[f64],
    seen: impl IntoIterator<Item = (&'data [f64], &'data [f64], f64)>,
    evaluation: Evaluation,
) -> Option<Attended> {
    let Evaluation { scale, exp_ulps: [constant, slope], rescalings } = evaluation;
    let scores = seen.into_iter().map(|(key, value, bias)| {
        let products = query.iter().zip(key).map(|(q, k)| Bounded::exact(*q) * Bounded::exact(*k));
        let score = Bounded::exact(scale) * Bounded::sum(products, F32);
        (if bias == 0.0 { score } else { score + Bounded::exact(bias) }, value)
    });
    let scores: Vec<(Bounded, &[f64])> = scores.collect();
    let largest = scores.iter().map(|(score, _)| score.value).reduce(f64::max)?;
    // The computed maximum errs as the scores do.
    let error = scores.iter().fold(0.0_f64, |most, (score, _)| most.max(score.error));
    let maximum = Bounded::new(largest, error);
    let magnitude = scores.iter().fold(0.0_f64, |most, (score, _)| most.max(score.value.abs()));

    // Exponentials of differences of rounded products: each of the two may be off by an ulp of the
    // largest score. A rescaling is one more exponential and a product; the arguments of all add up
    // to the term's own distance from the maximum.
    let exponentials = scores.iter().map(|(score, value)| {
        let distance = largest - score.value;
        let argument = 2.0 * magnitude * (1.0 + rescalings);
        let ulps = (constant + 0.5) * (1.0 + rescalings) + slope * distance + argument;
        ((*score - maximum).exp(ulps), *value)
    });
    let exponentials: Vec<(Bounded, &[f64])> = exponentials.collect();
    let sum = Bounded::sum(exponentials.iter().map(|(term, _)| *term), F32);
    let inverse = Bounded::exact(1.0) / sum;
    let columns = exponentials[0].1.len();
    let output = (0..columns).map(|column| {
        let terms = exponentials.iter().map(|(term, value)| *term * Bounded::exact(value[column]));
        Bounded::sum(terms, F32) * inverse
    });
    Some(Attended { output: output.collect(), log_sum: maximum + sum.ln(), maximum, sum })
}
