//! How drift grows when a kernel is applied again and again: outputs become inputs of the next step,
//! on each side its own. A bias that one step hides below every tolerance shows here.

use crate::judge::Comparison;
use crate::machine::{Machine, MachineRun};
use crate::metrics;
use crate::spec::Case;
use crate::tensor::Tensor;

/// An output's drift over steps.
#[derive(Clone, Debug)]
pub struct Growth {
    /// The output.
    pub output: String,
    /// After each step.
    pub steps: Vec<Step>,
    /// How the error grows with the number of steps `t`, as `t^exponent`: about 0.5 for errors that
    /// cancel each other, 1 for a bias, more for a kernel that amplifies. `None` where it does not grow
    /// from anything.
    pub exponent: Option<f64>,
}

/// The drift after a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// From 1.
    pub step: u32,
    /// `√(Σ(a − b)² / Σb²)`.
    pub relative_rms: f64,
    /// Of the magnitudes; see [`metrics::Comparison::bias`].
    pub bias: f64,
}

/// Applies the launches `steps` times under each side's own arithmetic. `feedback` says which output
/// becomes which input. The error is one clause.
pub fn grow(
    comparison: &Comparison<'_>,
    feedback: &[(String, String)],
    steps: u32,
) -> Result<Vec<Growth>, String> {
    if feedback.is_empty() {
        return Err("the spec has no `feedback`: say which output is the next step's input".into());
    }
    let machines = [
        Machine::new(comparison.reference, &comparison.reference_profile),
        Machine::new(comparison.port.unwrap_or(comparison.reference), &comparison.target_profile),
    ];
    let mut cases = [comparison.case.clone(), comparison.case.clone()];
    let mut growth: Vec<Growth> = Vec::new();
    for step in 1..=steps {
        let mut runs: Vec<MachineRun> = Vec::new();
        for (machine, case) in machines.iter().zip(&mut cases) {
            let run = machine.run(case, &comparison.options);
            if !run.is_complete() {
                let what =
                    run.findings.first().map_or("it did not end".into(), |f| f.message.clone());
                return Err(format!("step {step}: {what}"));
            }
            feed(case, &run, feedback)?;
            runs.push(run);
        }
        let [reference, port] = &runs[..] else { return Err("a side did not run".into()) };
        for (name, expected) in &reference.result.outputs {
            let actual = port.result.output(name);
            let Some(c) = actual.and_then(|actual| metrics::compare(actual, expected)) else {
                continue;
            };
            let entry = Step { step, relative_rms: c.relative_sums[1], bias: c.bias };
            match growth.iter_mut().find(|known| known.output == *name) {
                Some(known) => known.steps.push(entry),
                None => {
                    growth.push(Growth { output: name.clone(), steps: vec![entry], exponent: None })
                }
            }
        }
    }
    for known in &mut growth {
        known.exponent = exponent(&known.steps);
    }
    Ok(growth)
}

/// Outputs become inputs.
fn feed(case: &mut Case, run: &MachineRun, feedback: &[(String, String)]) -> Result<(), String> {
    for (from, to) in feedback {
        let output: &Tensor =
            run.result.output(from).ok_or_else(|| format!("`{from}` is no output"))?;
        let input = case.buffers.iter_mut().find(|buffer| buffer.name == *to);
        let input = input.ok_or_else(|| format!("there is no buffer `{to}`"))?;
        let (a, b) = (output, &input.tensor);
        if (a.dtype(), a.len()) != (b.dtype(), b.len()) {
            return Err(format!("`{from}` and `{to}` have not one type and size"));
        }
        let bytes = output.bytes().to_vec();
        if let Some(tensor) = Tensor::from_bytes(b.dtype(), b.shape(), bytes) {
            input.tensor = tensor;
        }
    }
    Ok(())
}

/// The slope of log(error) over log(step), by least squares.
fn exponent(steps: &[Step]) -> Option<f64> {
    let points: Vec<(f64, f64)> = steps
        .iter()
        .filter(|step| step.relative_rms > 0.0 && step.relative_rms.is_finite())
        .map(|step| (f64::from(step.step).ln(), step.relative_rms.ln()))
        .collect();
    if points.len() < 3 {
        return None;
    }
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let covariance: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    let variance: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
    (variance > 0.0).then(|| covariance / variance)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(error: impl Fn(f64) -> f64) -> Vec<Step> {
        (1..=32)
            .map(|step| Step { step, relative_rms: error(f64::from(step)), bias: 0.0 })
            .collect()
    }

    #[test]
    fn exponents_are_those_of_the_growth() {
        let near = |found: Option<f64>, wanted: f64| {
            assert!(found.is_some_and(|found| (found - wanted).abs() < 1e-9), "{found:?}");
        };
        near(exponent(&steps(|t| 1e-7 * t)), 1.0);
        near(exponent(&steps(|t| 3e-7 * t.sqrt())), 0.5);
        near(exponent(&steps(|_| 1e-7)), 0.0);
        assert_eq!(exponent(&steps(|_| 0.0)), None);
        assert_eq!(exponent(&steps(|t| t)[..2]), None);
    }
}
