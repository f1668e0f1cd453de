//! What a difference between reference and port is: the same bits, within the rule, a bug of the port,
//! drift of the target, an ill-conditioned kernel, noise of the reference's own order, or not proven.
//! Judges tensors; knows nothing of how they were made.
//!
//! A port is judged on two questions. Does it compute what the reference computes, under the *same*
//! arithmetic? If not, it is a port bug, whatever a tolerance says. If so: how far do the results lie
//! apart under each side's *own* arithmetic, and does the rule accept that?

use crate::metrics::{self, Comparison};
use crate::rules::{Judgement, Rule};
use crate::tensor::{DType, Tensor};

/// A relative error of so many steps of the type is more than the rounding of a result.
const AMPLIFIED: f64 = 8.0;

/// How much further from high precision than the reference's worst element a port may be that adds in
/// another order.
const NEARNESS: f64 = 8.0;

/// The distance from 1 to the next number of a type; 0 for integers.
fn epsilon(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => f64::EPSILON,
        DType::F32 => f64::from(f32::EPSILON),
        DType::F16 => 2f64.powi(-10),
        DType::BF16 => 2f64.powi(-7),
        _ => 0.0,
    }
}

/// What an output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    /// The same bits under each side's own arithmetic.
    Equal,
    /// Different bits; the rule accepts them.
    WithinRule,
    /// Inside what the reference itself does under other orders of blocks and atomics.
    OrderNoise,
    /// The reference is as far from the high-precision result as the port is from the reference.
    IllConditioned,
    /// Something that the verdict needs is missing.
    Unproven,
    /// Equal under the same arithmetic; the target's own arithmetic is further off than the rule
    /// allows.
    TargetDrift,
    /// Unequal under the same arithmetic.
    PortBug,
}

impl Verdict {
    /// As reports spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Verdict::Equal => "equal",
            Verdict::WithinRule => "within-rule",
            Verdict::OrderNoise => "order-noise",
            Verdict::IllConditioned => "ill-conditioned",
            Verdict::Unproven => "unproven",
            Verdict::TargetDrift => "target-drift",
            Verdict::PortBug => "port-bug",
        }
    }

    /// Whether a person has to look: the order of the variants is that of the worry.
    pub const fn needs_a_person(self) -> bool {
        matches!(self, Verdict::Unproven | Verdict::TargetDrift | Verdict::PortBug)
    }
}

/// Reference and port under one arithmetic.
#[derive(Clone, Copy, Debug)]
pub struct SameArithmetic<'a> {
    /// How both were run, for reports.
    pub how: &'a str,
    /// The reference.
    pub reference: &'a Tensor,
    /// The port.
    pub port: &'a Tensor,
    /// Whether the port may round at other places: sums in another order, as the lowering declares,
    /// and functions whose bits the target does not publish. It has to be as near to high precision as
    /// the reference is.
    pub reordered: bool,
}

/// What is known of an output.
#[derive(Clone, Debug, Default)]
pub struct Evidence<'a> {
    /// The reference under its own arithmetic.
    pub reference: Option<&'a Tensor>,
    /// The port under the target's.
    pub port: Option<&'a Tensor>,
    /// Both under the same arithmetic, in one or several ways.
    pub same: Vec<SameArithmetic<'a>>,
    /// What the port does wrong, or where it stops, and the reference does not; a clause.
    pub stopped: Option<String>,
    /// The reference under other schedules.
    pub schedules: Vec<&'a Tensor>,
    /// The reference in high precision.
    pub exact: Option<&'a Tensor>,
}

/// A verdict with what it rests on.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The verdict.
    pub verdict: Verdict,
    /// Why, a sentence.
    pub reason: String,
    /// Port against reference under each side's own arithmetic, where both ran.
    pub comparison: Option<Comparison>,
    /// Reference against high precision, where both ran.
    pub conditioning: Option<Comparison>,
    /// What the rule says.
    pub judgement: Option<Judgement>,
}

impl Evidence<'_> {
    /// The verdict under a rule.
    pub fn judge(&self, rule: &Rule) -> Judged {
        let mut judged = Judged {
            verdict: Verdict::Unproven,
            reason: String::new(),
            comparison: None,
            conditioning: None,
            judgement: None,
        };
        let Some(reference) = self.reference else {
            judged.reason = "the reference did not run".into();
            return judged;
        };
        judged.conditioning = self.exact.and_then(|exact| metrics::compare(reference, exact));
        let comparison = self.port.and_then(|port| metrics::compare(port, reference));
        let judgement = self.port.map(|port| rule.judge(port, reference, self.exact));
        judged.comparison = comparison.clone();
        judged.judgement = judgement.clone();

        if let Some(stopped) = &self.stopped {
            judged.verdict = Verdict::PortBug;
            judged.reason = stopped.clone();
            return judged;
        }
        for same in &self.same {
            let Some(difference) = metrics::compare(same.port, same.reference) else {
                judged.verdict = Verdict::PortBug;
                judged.reason = "the port's output has another type or shape".into();
                return judged;
            };
            if difference.is_equal() || self.is_noise(same.port, same.reference) {
                continue;
            }
            if same.reordered && self.is_as_near(same.port, same.reference, rule) {
                continue;
            }
            judged.verdict = Verdict::PortBug;
            judged.reason = format!("{}: {}", same.how, first_difference(&difference));
            return judged;
        }
        let (Some(port), Some(comparison)) = (self.port, comparison) else {
            judged.reason = "the port did not run under the target's arithmetic".into();
            return judged;
        };
        if self.same.is_empty() {
            judged.reason = "reference and port were not run under the same arithmetic".into();
            return judged;
        }
        if comparison.is_equal() {
            judged.verdict = Verdict::Equal;
            judged.reason = format!("all {} elements have the same bits", comparison.count);
            return judged;
        }
        let rule_says = judgement.as_ref().map_or("", |judgement| &judgement.reason);
        if self.is_noise(port, reference) {
            judged.verdict = Verdict::OrderNoise;
            judged.reason =
                "inside the spread of the reference's own results in other orders".into();
            return judged;
        }
        match judgement.as_ref().and_then(|judgement| judgement.pass) {
            Some(true) => {
                judged.verdict = Verdict::WithinRule;
                judged.reason = rule_says.to_owned();
                return judged;
            }
            None => {
                judged.reason = rule_says.to_owned();
                return judged;
            }
            Some(false) => {}
        }
        let rmse = |c: &Comparison| (c.rmse, c.nan_mismatch + c.infinity_mismatch);
        if let Some(conditioning) = &judged.conditioning {
            let ((drift, broken), (own, _)) = (rmse(&comparison), rmse(conditioning));
            // NaN on one side only is no rounding; and the rounding of the result itself is no
            // amplification.
            let amplified = conditioning.relative_sums[1] > AMPLIFIED * epsilon(reference.dtype());
            if broken == 0 && amplified && own >= drift {
                judged.verdict = Verdict::IllConditioned;
                judged.reason = format!(
                    "the reference itself is {own:.3e} (rms) from the high-precision result, the port {drift:.3e} from the reference"
                );
                return judged;
            }
        }
        judged.verdict = Verdict::TargetDrift;
        judged.reason = rule_says.to_owned();
        judged
    }

    /// Whether the port is about as near to high precision as the reference is. Errors count by the
    /// size of the element and of the whole output, so that what cancels is not held to its own size.
    /// Whole numbers have no precision: the rule says.
    fn is_as_near(&self, port: &Tensor, reference: &Tensor, rule: &Rule) -> bool {
        let Some(exact) = self.exact.filter(|exact| exact.len() == port.len()) else {
            return rule.judge(port, reference, None).pass == Some(true);
        };
        let step = epsilon(port.dtype());
        if step == 0.0 {
            return rule.judge(port, reference, self.exact).pass == Some(true);
        }
        let finite = || (0..exact.len()).map(|i| exact.get_f64(i)).filter(|x| x.is_finite());
        let rms = (finite().map(|x| x * x).sum::<f64>() / finite().count().max(1) as f64).sqrt();
        let error = |of: &Tensor, index: usize| {
            let (own, exact) = (of.get_f64(index), exact.get_f64(index));
            (own - exact).abs() / (exact.abs() + rms).max(f64::MIN_POSITIVE)
        };
        let is_number = |index: &usize| reference.get_f64(*index).is_finite();
        let own = (0..exact.len()).filter(is_number).map(|i| error(reference, i));
        let own = own.filter(|error| error.is_finite()).fold(0.0, f64::max);
        (0..exact.len()).all(|index| {
            let (a, b) = (port.get_f64(index), reference.get_f64(index));
            let same = port.bits(index) == reference.bits(index) || (a.is_nan() && b.is_nan());
            same || (is_number(&index) && error(port, index) <= NEARNESS * (own + 2.0 * step))
        })
    }

    /// Whether every difference lies inside twice the spread of the reference's own schedules. Few
    /// schedules do not move every element as far as another order would, so an element that moves at
    /// all may move as far as any, and one that happens not to as far as the most sensitive one by its
    /// size; where most elements move, all count as moving.
    fn is_noise(&self, port: &Tensor, reference: &Tensor) -> bool {
        let Some(base) = self.reference else { return false };
        let runs: Vec<&Tensor> = self
            .schedules
            .iter()
            .copied()
            .filter(|run| run.dtype() == base.dtype() && run.len() == base.len())
            .collect();
        if runs.iter().all(|run| *run == base) || base.len() != port.len() {
            return false;
        }
        let spread = |index: usize| {
            let values = || runs.iter().map(|run| run.get_f64(index)).chain([base.get_f64(index)]);
            let low = values().fold(f64::INFINITY, f64::min);
            let high = values().fold(f64::NEG_INFINITY, f64::max);
            if high >= low && (high - low).is_finite() { high - low } else { 0.0 }
        };
        let (mut relative, mut absolute, mut moving) = (0.0f64, 0.0f64, 0usize);
        for index in 0..base.len() {
            let (spread, size) = (spread(index), base.get_f64(index).abs());
            if spread > 0.0 {
                moving += 1;
                absolute = absolute.max(spread);
                if size > 0.0 {
                    relative = relative.max(spread / size);
                }
            }
        }
        let most_move = moving * 2 > base.len();
        (0..base.len()).all(|index| {
            let (a, b) = (port.get_f64(index), reference.get_f64(index));
            if port.bits(index) == reference.bits(index) || (a.is_nan() && b.is_nan()) {
                return true;
            }
            let moves = most_move || spread(index) > 0.0;
            let allowed = 2.0 * if moves { absolute } else { relative * b.abs() };
            (a - b).abs() <= allowed
        })
    }
}

/// "3 of 4096 elements differ; the first at [17]: 1.5 for 2 (12 ulp at most)".
pub fn first_difference(comparison: &Comparison) -> String {
    let (unequal, count) = (comparison.unequal, comparison.count);
    match comparison.first_mismatch {
        Some(first) => format!(
            "{unequal} of {count} elements differ; the first at [{}]: {:?} for {:?} ({} ulp at most)",
            first.index, first.actual, first.expected, comparison.max_ulp
        ),
        None => format!("all {count} elements are equal"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(values: &[f32]) -> Tensor {
        Tensor::from_f32(values)
    }

    fn same<'a>(reference: &'a Tensor, port: &'a Tensor) -> Vec<SameArithmetic<'a>> {
        vec![SameArithmetic { how: "under `cpu`", reference, port, reordered: false }]
    }

    fn torch() -> Rule {
        Rule::named("torch").unwrap()
    }

    #[test]
    fn a_port_bug_wins_over_every_tolerance() {
        let reference = tensor(&[1.0, 2.0]);
        let near = tensor(&[1.0, f32::from_bits(2f32.to_bits() + 1)]);
        let evidence = Evidence {
            reference: Some(&reference),
            port: Some(&reference),
            same: same(&reference, &near),
            ..Evidence::default()
        };
        let judged = evidence.judge(&torch());
        assert_eq!(judged.verdict, Verdict::PortBug);
        assert!(
            judged.reason.contains("[1]") && judged.reason.contains("1 ulp"),
            "{}",
            judged.reason
        );
    }

    #[test]
    fn a_declared_order_excuses_rounding_and_nothing_else() {
        let (reference, exact) = (tensor(&[1.0, 100.0, 1e-3]), tensor(&[1.0, 100.0, 1e-3]));
        let judge = |port: &Tensor| {
            let same = SameArithmetic { how: "", reference: &reference, port, reordered: true };
            let evidence = Evidence {
                reference: Some(&reference),
                port: Some(port),
                same: vec![same],
                exact: Some(&exact),
                ..Evidence::default()
            };
            evidence.judge(&torch()).verdict
        };
        assert_eq!(judge(&tensor(&[1.0, 100.000_01, 1e-3])), Verdict::WithinRule);
        assert_eq!(judge(&tensor(&[1.0, 100.01, 1e-3])), Verdict::PortBug);
        assert_eq!(judge(&tensor(&[1.001, 100.0, 1e-3])), Verdict::PortBug);
        assert_eq!(judge(&tensor(&[1.0, f32::NAN, 1e-3])), Verdict::PortBug);
    }

    #[test]
    fn drift_is_judged_by_the_rule() {
        let reference = tensor(&[1.0, 2.0]);
        let near = tensor(&[1.0, 2.000_001]);
        let far = tensor(&[1.0, 2.1]);
        let exact = tensor(&[1.0, 2.0]);
        let judge = |port: &Tensor, rule: &str| {
            let evidence = Evidence {
                reference: Some(&reference),
                port: Some(port),
                same: same(&reference, &reference),
                exact: Some(&exact),
                ..Evidence::default()
            };
            evidence.judge(&Rule::named(rule).unwrap()).verdict
        };
        assert_eq!(judge(&reference, "bits"), Verdict::Equal);
        assert_eq!(judge(&near, "torch"), Verdict::WithinRule);
        assert_eq!(judge(&near, "bits"), Verdict::TargetDrift);
        assert_eq!(judge(&far, "torch"), Verdict::TargetDrift);
    }

    #[test]
    fn a_reference_that_is_as_far_from_the_truth_is_ill_conditioned() {
        let reference = tensor(&[1.0, 2.0]);
        let port = tensor(&[1.0, 2.1]);
        let exact = tensor(&[1.0, 1.9]);
        let evidence = Evidence {
            reference: Some(&reference),
            port: Some(&port),
            same: same(&reference, &reference),
            exact: Some(&exact),
            ..Evidence::default()
        };
        assert_eq!(evidence.judge(&torch()).verdict, Verdict::IllConditioned);
        // A reference that is as good as its type has nothing to excuse.
        let (port, exact) = (tensor(&[1.0, 2.000_000_2]), tensor(&[1.0, 1.999_999_9]));
        let close = Evidence { port: Some(&port), exact: Some(&exact), ..evidence.clone() };
        let bits = Rule::named("bits").unwrap();
        assert_eq!(close.judge(&bits).verdict, Verdict::TargetDrift);
        // A NaN is no rounding error.
        let broken = tensor(&[1.0, f32::NAN]);
        let evidence = Evidence { port: Some(&broken), ..evidence };
        assert_eq!(evidence.judge(&torch()).verdict, Verdict::TargetDrift);
    }

    #[test]
    fn what_other_orders_do_too_is_noise() {
        let reference = tensor(&[1.0, 100.0, 5.0, 7.0]);
        let reversed = tensor(&[1.1, 100.0, 5.0, 7.0]);
        let judge = |port: &Tensor, schedules: Vec<&Tensor>| {
            let evidence = Evidence {
                reference: Some(&reference),
                port: Some(port),
                same: same(&reference, port),
                schedules,
                ..Evidence::default()
            };
            evidence.judge(&Rule::named("bits").unwrap()).verdict
        };
        let port = tensor(&[0.9, 110.0, 5.0, 7.0]);
        assert_eq!(judge(&port, vec![&reversed]), Verdict::OrderNoise);
        assert_eq!(judge(&port, vec![&reference]), Verdict::PortBug);
        // Ten per cent move; doubling is something else.
        assert_eq!(judge(&tensor(&[2.0, 100.0, 5.0, 7.0]), vec![&reversed]), Verdict::PortBug);
    }

    #[test]
    fn a_port_that_stops_where_the_reference_does_not_is_a_bug() {
        let x = tensor(&[1.0]);
        let stopped = || Some("the port stops where the reference does not: P0642: …".to_owned());
        let evidence = Evidence { reference: Some(&x), stopped: stopped(), ..Evidence::default() };
        assert_eq!(evidence.judge(&torch()).verdict, Verdict::PortBug);
        // Where the reference did not run either, nothing is known.
        let evidence = Evidence { stopped: stopped(), ..Evidence::default() };
        assert_eq!(evidence.judge(&torch()).verdict, Verdict::Unproven);
    }

    #[test]
    fn without_evidence_nothing_is_proven() {
        let x = tensor(&[1.0]);
        let rule = torch();
        assert_eq!(Evidence::default().judge(&rule).verdict, Verdict::Unproven);
        let evidence = Evidence { reference: Some(&x), ..Evidence::default() };
        assert_eq!(evidence.judge(&rule).verdict, Verdict::Unproven);
        // Equal results of a machine that never saw the port's text prove nothing of the port.
        let evidence = Evidence { reference: Some(&x), port: Some(&x), ..Evidence::default() };
        assert_eq!(evidence.judge(&rule).verdict, Verdict::Unproven);
        assert!(Verdict::Unproven.needs_a_person() && !Verdict::OrderNoise.needs_a_person());
    }
}
