//! Acceptance rules: when a port's output counts as right. Each is data with its source; the
//! measures are [`crate::metrics`]'. A rule judges one output and knows nothing of how it was made.

use std::fmt;

use crate::metrics::{self, Comparison};
use crate::tensor::{DType, Tensor};

/// A rule that users know by name, or one with numbers of their own.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    name: String,
    /// What is asked of an output of each element type; the first entry that holds it counts.
    criteria: Vec<(Types, Criterion)>,
}

/// The element types that a criterion is for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Types {
    One(DType),
    /// Every other type.
    Rest,
}

/// What is asked of one output. `a` is the port's element, `g` the reference's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Criterion {
    /// The same bits (any two NaNs are the same).
    Bits,
    /// At most so many units in the last place.
    Ulp(u64),
    /// `|a − g| ≤ atol + rtol·|g|` everywhere.
    Close {
        /// Relative part.
        rtol: f64,
        /// Absolute part.
        atol: f64,
    },
    /// `|a − g| ≤ atol + rtol·|g|` for a share of the elements, and no element is both further than
    /// `cap` and further than 32 ulp.
    Mostly {
        /// Relative part.
        rtol: f64,
        /// Absolute part.
        atol: f64,
        /// The least share of elements inside.
        share: f64,
        /// No error may be larger, unless it is below 32 ulp.
        cap: f64,
    },
    /// Mean of `|a − g| / (|g| + 1e-7)` below the bound, its maximum below ten times the bound.
    MeanAndMax(f64),
    /// At most a share `bound` of the elements has a relative error above `bound`.
    Double(f64),
    /// Fails where (cosine < 0.99 and the largest error > 1e-3), cosine < 0.9, or the largest error
    /// > 1.
    Framework,
    /// Cosine above 0.99; then passes where every error is below 1e-3, or where the share of elements
    /// with a relative error above `error` is below `error`.
    CosineSteps {
        /// Relative error and share.
        error: f64,
    },
    /// The port's errors against the high-precision result are at most twice the reference's (the
    /// largest relative error ten times).
    ErrorRatio,
    /// `Σ|a − g| / Σ|g|` and `√(Σ(a − g)² / Σg²)` are at most the bound.
    RelativeSums(f64),
    /// The means differ by at most this share.
    Mean(f64),
    /// The largest relative error is at most the bound.
    MaxRelative(f64),
}

/// A rule's opinion of an output.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Whether the output is accepted; `None` where the rule needs what is not there.
    pub pass: Option<bool>,
    /// What was measured against what, in one line.
    pub reason: String,
}

/// A named rule for the list of rules.
#[derive(Clone, Copy, Debug)]
pub struct Listed {
    /// What `--rule` and a spec's `rule` take.
    pub name: &'static str,
    /// One line.
    pub summary: &'static str,
    /// Who uses it.
    pub source: &'static str,
}

/// Every named rule, in the order in which they are listed.
pub const RULES: &[Listed] = &[
    Listed {
        name: "bits",
        summary: "the same bits; NaNs of any payload are the same",
        source: "IEEE 754",
    },
    Listed {
        name: "torch",
        summary: "|a - g| <= atol + rtol |g| everywhere: f16 1e-3/1e-5, bf16 1.6e-2/1e-5, f32 1.3e-6/1e-5, f64 1e-7/1e-7",
        source: "torch.testing.assert_close",
    },
    Listed {
        name: "ecosystem",
        summary: "99 % of elements within atol + rtol |g|, none beyond cap and 32 ulp: fp16 2^-9, bf16 2^-6, fp32 2^-10/2^-16",
        source: "Ascend ecosystem standard; by the output's type",
    },
    Listed {
        name: "ecosystem-fp16",
        summary: "`ecosystem` at fp16's numbers; narrower types by their own",
        source: "Ascend ecosystem standard",
    },
    Listed {
        name: "ecosystem-bf16",
        summary: "`ecosystem` at bf16's numbers",
        source: "Ascend ecosystem standard",
    },
    Listed {
        name: "ecosystem-fp32",
        summary: "`ecosystem` at fp32's numbers; narrower types by their own",
        source: "Ascend ecosystem standard",
    },
    Listed {
        name: "ecosystem-hf32",
        summary: "`ecosystem` at HF32's numbers (rtol 2^-9, atol 2^-10, cap 0.1)",
        source: "Ascend ecosystem standard",
    },
    Listed {
        name: "mere-mare",
        summary: "mean relative error < T, largest < 10 T: T = 2^-10 fp16, 2^-7 bf16, 2^-13 fp32",
        source: "Ascend operator acceptance",
    },
    Listed {
        name: "double-thousandth",
        summary: "at most 1e-3 of the elements with a relative error above 1e-3",
        source: "Ascend operator acceptance",
    },
    Listed {
        name: "double-ten-thousandth",
        summary: "at most 1e-4 of the elements with a relative error above 1e-4",
        source: "Ascend operator acceptance",
    },
    Listed {
        name: "framework",
        summary: "cosine >= 0.99 or largest error <= 1e-3; cosine >= 0.9; largest error <= 1",
        source: "Ascend framework comparison",
    },
    Listed {
        name: "msprobe",
        summary: "cosine > 0.99, then every error < 1e-3, or the share of relative errors above 1e-2 (fp16, bf16) or 1e-3 below the same",
        source: "msprobe run_ut, steps 1 to 3",
    },
    Listed {
        name: "msprobe-ratio",
        summary: "errors against high precision at most twice the reference's (largest relative error 10 times)",
        source: "msprobe api_precision_compare",
    },
    Listed {
        name: "free-benchmark",
        summary: "largest relative error 2e-3 (fp16), 4e-3 (bf16), 2e-4 (fp32)",
        source: "msprobe free_benchmark",
    },
    Listed {
        name: "mlu-exact",
        summary: "no difference in value",
        source: "mlu-ops accuracy standard: arithmetic and pure IO",
    },
    Listed {
        name: "mlu-conv",
        summary: "diff1 and diff2 <= 1e-5",
        source: "mlu-ops accuracy standard: fp32 convolution",
    },
    Listed {
        name: "mlu-composite",
        summary: "diff1 and diff2 <= 3e-3 (sum |e| / sum |g|, rms ratio)",
        source: "mlu-ops accuracy standard: sums, activations, composites, atomics",
    },
    Listed {
        name: "loss",
        summary: "the means differ by at most 2 %",
        source: "verl practice on NPUs",
    },
];

/// (type, rtol, atol) of torch.testing.assert_close.
const TORCH: [(DType, f64, f64); 4] = [
    (DType::F16, 1e-3, 1e-5),
    (DType::BF16, 1.6e-2, 1e-5),
    (DType::F32, 1.3e-6, 1e-5),
    (DType::F64, 1e-7, 1e-7),
];

/// A row of the ecosystem standard.
fn ecosystem(row: &str) -> Criterion {
    let power = |exponent: i32| 2f64.powi(exponent);
    let (rtol, atol, cap) = match row {
        "fp16" => (power(-9), power(-9), 0.1),
        "bf16" => (power(-6), power(-6), 1.0),
        "hf32" => (power(-9), power(-10), 0.1),
        _ => (power(-10), power(-16), 0.01),
    };
    Criterion::Mostly { rtol, atol, share: 0.99, cap }
}

/// The types whose outputs are whole numbers are compared as such, whatever a rule says of floats.
const INTEGERS: [DType; 9] = [
    DType::I8,
    DType::I16,
    DType::I32,
    DType::I64,
    DType::U8,
    DType::U16,
    DType::U32,
    DType::U64,
    DType::Bool,
];

impl Rule {
    /// The rule of a name, or `close(rtol, atol)`, or `ulp(n)`. The error lists what there is.
    pub fn named(text: &str) -> Result<Rule, String> {
        let text = text.trim();
        if let Some(criterion) = Rule::parameterised(text)? {
            return Ok(Rule::of(text, vec![(Types::Rest, criterion)]));
        }
        let name = if text == "exact" { "bits" } else { text };
        if !RULES.iter().any(|rule| rule.name == name) {
            let known: Vec<&str> = RULES.iter().map(|rule| rule.name).collect();
            return Err(format!(
                "no rule `{text}`; there are: {}, close(rtol, atol), ulp(n)",
                known.join(", ")
            ));
        }
        let one = |dtype, criterion| (Types::One(dtype), criterion);
        let rest = |criterion| (Types::Rest, criterion);
        let both_halves = |half, brain, rest_of| {
            vec![one(DType::F16, half), one(DType::BF16, brain), rest(rest_of)]
        };
        let criteria = match name {
            "torch" => TORCH
                .iter()
                .map(|(dtype, rtol, atol)| {
                    one(*dtype, Criterion::Close { rtol: *rtol, atol: *atol })
                })
                .collect(),
            "ecosystem" | "ecosystem-fp32" => {
                both_halves(ecosystem("fp16"), ecosystem("bf16"), ecosystem("fp32"))
            }
            "ecosystem-hf32" => {
                both_halves(ecosystem("fp16"), ecosystem("bf16"), ecosystem("hf32"))
            }
            "ecosystem-fp16" => {
                both_halves(ecosystem("fp16"), ecosystem("bf16"), ecosystem("fp16"))
            }
            "ecosystem-bf16" => vec![rest(ecosystem("bf16"))],
            "mere-mare" => {
                let bound = |exponent: i32| Criterion::MeanAndMax(2f64.powi(exponent));
                both_halves(bound(-10), bound(-7), bound(-13))
            }
            "double-thousandth" => vec![rest(Criterion::Double(1e-3))],
            "double-ten-thousandth" => vec![rest(Criterion::Double(1e-4))],
            "framework" => vec![rest(Criterion::Framework)],
            "msprobe" => {
                let halves = Criterion::CosineSteps { error: 1e-2 };
                both_halves(halves, halves, Criterion::CosineSteps { error: 1e-3 })
            }
            "msprobe-ratio" => vec![rest(Criterion::ErrorRatio)],
            "free-benchmark" => both_halves(
                Criterion::MaxRelative(2e-3),
                Criterion::MaxRelative(4e-3),
                Criterion::MaxRelative(2e-4),
            ),
            "mlu-exact" => vec![rest(Criterion::Close { rtol: 0.0, atol: 0.0 })],
            "mlu-conv" => vec![rest(Criterion::RelativeSums(1e-5))],
            "mlu-composite" => vec![rest(Criterion::RelativeSums(3e-3))],
            "loss" => vec![rest(Criterion::Mean(0.02))],
            _ => vec![rest(Criterion::Bits)],
        };
        Ok(Rule::of(name, criteria))
    }

    fn of(name: &str, mut criteria: Vec<(Types, Criterion)>) -> Rule {
        let integers = INTEGERS.iter().map(|dtype| (Types::One(*dtype), Criterion::Bits));
        // A tolerance of the user's own is for integers too: quantised outputs may differ by one.
        if !criteria.iter().any(|(_, c)| matches!(c, Criterion::Ulp(_))) && !name.contains('(') {
            criteria.splice(0..0, integers);
        }
        Rule { name: name.to_owned(), criteria }
    }

    fn parameterised(text: &str) -> Result<Option<Criterion>, String> {
        let Some((name, rest)) = text.split_once('(') else { return Ok(None) };
        let wrong = || format!("`{text}` is no rule; write `close(1e-3, 1e-5)` or `ulp(4)`");
        let inner = rest.trim_end().strip_suffix(')').ok_or_else(wrong)?;
        let numbers: Option<Vec<f64>> = inner
            .split(',')
            .map(|part| part.trim().parse().ok().filter(|v: &f64| v.is_finite() && *v >= 0.0))
            .collect();
        match (name.trim(), numbers.as_deref()) {
            ("close", Some([rtol, atol])) => {
                Ok(Some(Criterion::Close { rtol: *rtol, atol: *atol }))
            }
            ("ulp", Some([ulp])) if ulp.fract() == 0.0 => Ok(Some(Criterion::Ulp(*ulp as u64))),
            _ => Err(wrong()),
        }
    }

    /// The rule's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is asked of an output of this type.
    pub fn criterion(&self, dtype: DType) -> Criterion {
        let holds = |types: Types| types == Types::Rest || types == Types::One(dtype);
        let found = self.criteria.iter().find(|(types, _)| holds(*types));
        found.map_or(Criterion::Bits, |(_, criterion)| *criterion)
    }

    /// Judges a port's output. `exact` is the high-precision result, which some rules need. Tensors of
    /// different types or shapes fail.
    pub fn judge(&self, actual: &Tensor, expected: &Tensor, exact: Option<&Tensor>) -> Judgement {
        let Some(comparison) = metrics::compare(actual, expected) else {
            return Judgement { pass: Some(false), reason: "types or shapes differ".into() };
        };
        self.criterion(actual.dtype()).judge(actual, expected, exact, &comparison)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

fn judged(pass: bool, reason: String) -> Judgement {
    Judgement { pass: Some(pass), reason }
}

/// Shares of the elements: how many of those that are finite on both sides satisfy `beyond`.
fn count(actual: &Tensor, expected: &Tensor, beyond: impl Fn(usize, f64, f64) -> bool) -> usize {
    let pairs = (0..actual.len()).map(|i| (i, actual.get_f64(i), expected.get_f64(i)));
    pairs.filter(|(i, a, g)| a.is_finite() && g.is_finite() && beyond(*i, *a, *g)).count()
}

fn relative(a: f64, g: f64) -> f64 {
    let error = (a - g).abs();
    if error == 0.0 { 0.0 } else { error / g.abs() }
}

impl Criterion {
    fn judge(
        self,
        actual: &Tensor,
        expected: &Tensor,
        exact: Option<&Tensor>,
        comparison: &Comparison,
    ) -> Judgement {
        let c = comparison;
        if self == Criterion::Bits {
            return judged(c.is_equal(), format!("{} of {} elements differ", c.unequal, c.count));
        }
        let mismatch = c.nan_mismatch + c.infinity_mismatch;
        if mismatch > 0 {
            let reason = format!("{mismatch} elements are NaN or infinite on one side only");
            return judged(false, reason);
        }
        let share = |number: usize| number as f64 / c.count.max(1) as f64;
        let outside = |rtol: f64, atol: f64| {
            count(actual, expected, |_, a, g| (a - g).abs() > atol + rtol * g.abs())
        };
        match self {
            Criterion::Bits => judged(c.is_equal(), String::new()),
            Criterion::Ulp(bound) => {
                judged(c.max_ulp <= bound, format!("{} ulp at most, {bound} allowed", c.max_ulp))
            }
            Criterion::Close { rtol, atol } => {
                let beyond = outside(rtol, atol);
                let of = c.count;
                let reason = format!("{beyond} of {of} elements beyond {atol:e} + {rtol:e}*|g|");
                judged(beyond == 0, reason)
            }
            Criterion::Mostly { rtol, atol, share: least, cap } => {
                let inside = 1.0 - share(outside(rtol, atol));
                let far = count(actual, expected, |i, a, g| {
                    (a - g).abs() > cap && metrics::distance(actual, expected, i) > 32
                });
                let reason = format!(
                    "{:.4} % of elements within {atol:e} + {rtol:e}*|g| ({:.0} % asked), {far} beyond {cap} and 32 ulp",
                    inside * 100.0,
                    least * 100.0
                );
                judged(inside >= least && far == 0, reason)
            }
            Criterion::MeanAndMax(bound) => {
                let (mut sum, mut largest, mut number) = (0.0f64, 0.0f64, 0usize);
                for index in 0..actual.len() {
                    let (a, g) = (actual.get_f64(index), expected.get_f64(index));
                    if a.is_finite() && g.is_finite() {
                        let error = (a - g).abs() / (g.abs() + 1e-7);
                        sum += error;
                        largest = largest.max(error);
                        number += 1;
                    }
                }
                let mean = sum / number.max(1) as f64;
                let reason = format!(
                    "mean relative error {mean:.3e} (< {bound:.3e}), largest {largest:.3e} (< {:.3e})",
                    10.0 * bound
                );
                judged(mean < bound && largest < 10.0 * bound, reason)
            }
            Criterion::Double(bound) => {
                let beyond = share(count(actual, expected, |_, a, g| relative(a, g) > bound));
                let reason = format!("a share {beyond:.3e} has a relative error above {bound:e}");
                judged(beyond <= bound, reason)
            }
            Criterion::Framework => {
                let bad = (c.cosine < 0.99 && c.max_absolute > 1e-3)
                    || c.cosine < 0.9
                    || c.max_absolute > 1.0;
                judged(
                    !bad,
                    format!("cosine {:.6}, largest error {:.3e}", c.cosine, c.max_absolute),
                )
            }
            Criterion::CosineSteps { error } => {
                let beyond = share(count(actual, expected, |_, a, g| relative(a, g) > error));
                let reason = format!(
                    "cosine {:.6}, largest error {:.3e}, a share {beyond:.3e} has a relative error above {error:e}",
                    c.cosine, c.max_absolute
                );
                judged(c.cosine > 0.99 && (c.max_absolute < 1e-3 || beyond < error), reason)
            }
            Criterion::ErrorRatio => error_ratio(actual, expected, exact),
            Criterion::RelativeSums(bound) => {
                let [diff1, diff2] = c.relative_sums;
                let reason = format!("diff1 {diff1:.3e}, diff2 {diff2:.3e}, {bound:e} allowed");
                judged(diff1 <= bound && diff2 <= bound, reason)
            }
            Criterion::Mean(bound) => {
                let mean = |tensor: &Tensor| {
                    let finite =
                        (0..tensor.len()).map(|i| tensor.get_f64(i)).filter(|v| v.is_finite());
                    finite.sum::<f64>() / tensor.len().max(1) as f64
                };
                let difference = relative(mean(actual), mean(expected));
                let reason = format!("the means differ by {:.4} %", difference * 100.0);
                judged(difference <= bound, reason)
            }
            Criterion::MaxRelative(bound) => {
                let reason =
                    format!("largest relative error {:.3e}, {bound:e} allowed", c.max_relative);
                judged(c.max_relative <= bound, reason)
            }
        }
    }
}

fn error_ratio(actual: &Tensor, expected: &Tensor, exact: Option<&Tensor>) -> Judgement {
    let compared = exact.and_then(|exact| {
        Some((metrics::compare(actual, exact)?, metrics::compare(expected, exact)?))
    });
    let Some((port, reference)) = compared else {
        let reason = "there is no high-precision result to measure both sides against".into();
        return Judgement { pass: None, reason };
    };
    // Where the reference is exact, so must the port be.
    let ratio = |a: f64, b: f64| if a == 0.0 { 0.0 } else { a / b };
    let mean = ratio(port.mean_relative, reference.mean_relative);
    let rmse = ratio(port.rmse, reference.rmse);
    let largest = ratio(port.max_relative, reference.max_relative);
    let reason = format!(
        "error over the reference's: mean {mean:.2}, rms {rmse:.2} (2 allowed), largest {largest:.2} (10 allowed)"
    );
    judged(mean <= 2.0 && rmse <= 2.0 && largest <= 10.0, reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(name: &str, a: &Tensor, g: &Tensor) -> Option<bool> {
        Rule::named(name).unwrap().judge(a, g, None).pass
    }

    fn f32s(values: &[f64]) -> Tensor {
        Tensor::from_f64(DType::F32, values)
    }

    #[test]
    fn every_listed_rule_can_be_made_and_takes_equal_outputs() {
        let x = f32s(&[1.0, -2.0, 0.0, 3.5]);
        for listed in RULES {
            let rule = Rule::named(listed.name).unwrap();
            assert_eq!(rule.name(), listed.name);
            let judgement = rule.judge(&x, &x, Some(&x));
            assert_eq!(judgement.pass, Some(true), "{}: {}", listed.name, judgement.reason);
            // A NaN on one side is no agreement under any rule.
            let broken = f32s(&[1.0, f64::NAN, 0.0, 3.5]);
            assert_eq!(rule.judge(&broken, &x, None).pass, Some(false), "{}", listed.name);
        }
        assert!(Rule::named("nope").unwrap_err().contains("torch"));
        assert!(Rule::named("close(1)").unwrap_err().contains("close(1e-3, 1e-5)"));
        assert!(Rule::named("ulp(-1)").is_err());
        assert_eq!(Rule::named("exact").unwrap().name(), "bits");
    }

    #[test]
    fn tolerances_are_those_of_the_element_type() {
        // One step of bf16 at 1 is 2^-7: within bf16's 1.6e-2, far outside f32's 1.3e-6.
        let (g, a) = ([1.0], [1.0078125]);
        assert_eq!(judge("torch", &f32s(&a), &f32s(&g)), Some(false));
        let bf16 = |v: &[f64]| Tensor::from_f64(DType::BF16, v);
        assert_eq!(judge("torch", &bf16(&a), &bf16(&g)), Some(true));
        assert_eq!(judge("close(0.01, 0)", &f32s(&a), &f32s(&g)), Some(true));
        assert_eq!(judge("ulp(1)", &bf16(&a), &bf16(&g)), Some(true));
        assert_eq!(judge("bits", &bf16(&a), &bf16(&g)), Some(false));
        let i8 = |v: &[f64]| Tensor::from_f64(DType::I8, v);
        assert_eq!(judge("torch", &i8(&[4.0]), &i8(&[5.0])), Some(false));
        assert_eq!(judge("ulp(1)", &i8(&[4.0]), &i8(&[5.0])), Some(true));
    }

    #[test]
    fn the_ecosystem_rule_forgives_one_percent_but_no_outlier() {
        let g = vec![1.0; 200];
        let mut a = g.clone();
        a[0] = 1.005;
        a[1] = 1.005;
        assert_eq!(judge("ecosystem", &f32s(&a), &f32s(&g)), Some(true));
        a[2] = 1.005;
        assert_eq!(judge("ecosystem", &f32s(&a), &f32s(&g)), Some(false));
        let mut a = g.clone();
        a[0] = 1.5;
        assert_eq!(judge("ecosystem", &f32s(&a), &f32s(&g)), Some(false));
        // Large numbers: 32 ulp are more than the cap, and allowed.
        let large = vec![1e9; 100];
        let mut near = large.clone();
        near[0] = 1e9 + 640.0;
        assert_eq!(judge("ecosystem", &f32s(&near), &f32s(&large)), Some(true));
    }

    #[test]
    fn shares_and_means() {
        let g = vec![1.0; 2000];
        let mut a = g.clone();
        a[0] = 1.01;
        a[1] = 1.01;
        assert_eq!(judge("double-thousandth", &f32s(&a), &f32s(&g)), Some(true));
        a[2] = 1.01;
        assert_eq!(judge("double-thousandth", &f32s(&a), &f32s(&g)), Some(false));
        assert_eq!(judge("loss", &f32s(&a), &f32s(&g)), Some(true));
        assert_eq!(judge("loss", &f32s(&[1.03]), &f32s(&[1.0])), Some(false));
        assert_eq!(judge("mlu-composite", &f32s(&[1.002]), &f32s(&[1.0])), Some(true));
        assert_eq!(judge("mlu-conv", &f32s(&[1.002]), &f32s(&[1.0])), Some(false));
        assert_eq!(judge("framework", &f32s(&[1.0, -1.0]), &f32s(&[1.0, 1.0])), Some(false));
        assert_eq!(judge("mere-mare", &f32s(&[1.0001]), &f32s(&[1.0])), Some(true));
        assert_eq!(judge("mere-mare", &f32s(&[1.001]), &f32s(&[1.0])), Some(false));
        assert_eq!(judge("msprobe", &f32s(&[1000.0, 1.0]), &f32s(&[1002.0, 1.0])), Some(false));
        assert_eq!(judge("msprobe", &f32s(&[1000.5, 1.0]), &f32s(&[1000.0, 1.0])), Some(true));
    }

    #[test]
    fn errors_are_measured_against_high_precision_where_a_rule_says_so() {
        let rule = Rule::named("msprobe-ratio").unwrap();
        let exact = f32s(&[1.0, 2.0]);
        let reference = f32s(&[1.001, 2.0]);
        assert_eq!(rule.judge(&f32s(&[0.9985, 2.0]), &reference, Some(&exact)).pass, Some(true));
        assert_eq!(rule.judge(&f32s(&[0.99, 2.0]), &reference, Some(&exact)).pass, Some(false));
        assert_eq!(rule.judge(&reference, &reference, None).pass, None);
    }
}
