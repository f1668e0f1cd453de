//! Which part of the arithmetic makes a difference: the reference is run again with one part of the
//! target's profile at a time (contraction, subnormals, division, each function, the width of a warp),
//! and how far that alone moves the outputs is the part's share.

use std::collections::BTreeMap;

use port::DeviceCode;
use port_diag::Span;
use port_float::{PartId, Side};
use port_ir::{Expression, FloatOp, Function, MathFunction};

use crate::judge::{Comparison, OutputReport, Runs};
use crate::machine::{self, Machine, MachineRun};
use crate::metrics;
use crate::verdict::Verdict;

/// Most places that a cause names.
const PLACES: usize = 8;

/// A part of the arithmetic that moves outputs.
#[derive(Clone, Debug)]
pub struct Cause {
    /// The part: `contraction`, `exp`, `division` …
    pub name: String,
    /// Its share of all that moved, 0 to 1.
    pub share: f64,
    /// Where the kernel does what the part concerns, in the order of the text; not all, if many.
    pub places: Vec<Span>,
}

/// Runs with one part of the target's arithmetic each, made when they are first asked for.
pub(crate) struct Ablation<'a> {
    comparison: &'a Comparison<'a>,
    runs: &'a Runs,
    parts: BTreeMap<PartId, MachineRun>,
    /// Without fusing at one place.
    places: BTreeMap<Span, MachineRun>,
}

impl<'a> Ablation<'a> {
    pub(crate) fn new(comparison: &'a Comparison<'a>, runs: &'a Runs) -> Self {
        Ablation { comparison, runs, parts: BTreeMap::new(), places: BTreeMap::new() }
    }

    /// The causes of a kernel's differences, largest first. Outputs without a difference have none.
    pub(crate) fn causes(&mut self, kernel: &str, outputs: &[OutputReport]) -> Vec<Cause> {
        let differs = |output: &&OutputReport| {
            !matches!(output.judged.verdict, Verdict::Equal | Verdict::PortBug | Verdict::Unproven)
        };
        let names: Vec<&str> = outputs.iter().filter(differs).map(|o| &*o.name).collect();
        if names.is_empty() {
            return Vec::new();
        }
        let comparison = self.comparison;
        let (reference, target) = (&comparison.reference_profile, &comparison.target_profile);
        let all: Vec<&str> = comparison.case.launches.iter().map(|l| l.kernel.as_str()).collect();
        let mut found: Vec<Cause> = Vec::new();
        for difference in reference.differences(target) {
            // What the kernels do not use cannot move them.
            let used = places(comparison.reference, &all, difference.part);
            if used.is_some_and(|places| places.is_empty()) {
                continue;
            }
            let run = self.parts.entry(difference.part).or_insert_with(|| {
                let hybrid = reference.with(difference.part, target);
                Machine::new(comparison.reference, &hybrid)
                    .run(comparison.case, &comparison.options)
            });
            let moved = moved(run, &self.runs.reference, &names);
            if moved <= 0.0 {
                continue;
            }
            let own = places(comparison.reference, &[kernel], difference.part);
            let mut own = own.unwrap_or_default();
            own.truncate(PLACES);
            let name = difference.name.to_owned();
            let lines: Vec<f64> = match difference.part {
                // Nothing is fused on such a target, so one place may be taken out of it at a time.
                PartId::Contraction
                    if own.len() > 1 && matches!(target.side(), Side::Cpu | Side::Exact) =>
                {
                    own.iter().map(|place| self.moved_by_fusing(&names, *place)).collect()
                }
                _ => Vec::new(),
            };
            let sum: f64 = lines.iter().sum();
            if sum > 0.0 {
                for (place, alone) in own.into_iter().zip(lines).filter(|(_, alone)| *alone > 0.0) {
                    let share = moved * alone / sum;
                    found.push(Cause { name: name.clone(), share, places: vec![place] });
                }
            } else {
                found.push(Cause { name, share: moved, places: own });
            }
        }
        let all: f64 = found.iter().map(|cause| cause.share).sum();
        for cause in &mut found {
            cause.share /= all;
        }
        found.sort_by(|a, b| b.share.total_cmp(&a.share).then_with(|| a.name.cmp(&b.name)));
        found
    }

    /// How far outputs move when the operations of one place are not fused.
    fn moved_by_fusing(&mut self, names: &[&str], place: Span) -> f64 {
        let comparison = self.comparison;
        let run = self.places.entry(place).or_insert_with(|| {
            let mut code = comparison.reference.clone();
            for handle in code.module.functions.handles() {
                let function = &mut code.module.functions[handle];
                for value in function.expressions.handles() {
                    let origin = function.expressions.origin(value);
                    if origin.is_some_and(|at| code.expansions.outermost(at) == place)
                        && let Expression::Float { flags, .. } = &mut function.expressions[value]
                    {
                        flags.contract = false;
                    }
                }
            }
            Machine::new(&code, &comparison.reference_profile)
                .run(comparison.case, &comparison.options)
        });
        moved(run, &self.runs.reference, names)
    }
}

/// How far outputs moved: for each the root mean square error at the scale of the tensor, summed.
fn moved(run: &MachineRun, reference: &MachineRun, names: &[&str]) -> f64 {
    let of = |name: &&str| -> Option<f64> {
        let (actual, expected) = (run.result.output(name)?, reference.result.output(name)?);
        let comparison = metrics::compare(actual, expected)?;
        if comparison.is_equal() {
            return Some(0.0);
        }
        // Where NaN or infinity comes or goes, a part moves everything.
        let broken = comparison.nan_mismatch + comparison.infinity_mismatch;
        let [_, relative] = comparison.relative_sums;
        let relative = if relative.is_finite() { relative } else { 1.0 };
        // Zeros of another sign are a difference without a distance.
        Some((relative + broken as f64 / comparison.count.max(1) as f64).max(f64::MIN_POSITIVE))
    };
    names.iter().filter_map(of).sum()
}

/// Where kernels do what a part concerns; `None` for parts that concern everything.
pub(crate) fn places(code: &DeviceCode, kernels: &[&str], part: PartId) -> Option<Vec<Span>> {
    let concerned = |function: &Function, expression: &Expression| match part {
        PartId::Contraction | PartId::NarrowContraction => match expression {
            Expression::Float { op: FloatOp::Add | FloatOp::Subtract, left, right, flags } => {
                let product = |value| {
                    let of = function.expressions.get(value);
                    matches!(of, Some(Expression::Float { op: FloatOp::Multiply, flags, .. }) if flags.contract)
                };
                flags.contract && (product(*left) || product(*right))
            }
            _ => false,
        },
        PartId::Division => {
            let reciprocal = MathFunction::Reciprocal;
            matches!(expression, Expression::Float { op: FloatOp::Divide, .. })
                || matches!(expression, Expression::Math { function, .. } if *function == reciprocal)
        }
        PartId::SquareRoot => {
            let root = MathFunction::SquareRoot;
            matches!(expression, Expression::Math { function, .. } if *function == root)
        }
        PartId::Function(wanted) => {
            matches!(expression, Expression::Math { function, .. } if *function == wanted)
        }
        _ => false,
    };
    match part {
        PartId::Contraction
        | PartId::NarrowContraction
        | PartId::Division
        | PartId::SquareRoot
        | PartId::Function(_) => {}
        _ => return None,
    }
    let mut handles: Vec<_> = kernels
        .iter()
        .filter_map(|kernel| machine::find_kernel(code, kernel).ok())
        .map(|(_, handle)| handle)
        .collect();
    // What could not be inlined may be called from any of them.
    let functions = code.module.functions.iter();
    handles.extend(functions.filter(|(_, f)| !f.is_kernel()).map(|(handle, _)| handle));
    handles.sort();
    handles.dedup();
    let mut spans: Vec<Span> = Vec::new();
    for handle in handles {
        let function = &code.module.functions[handle];
        for (value, expression) in function.expressions.iter() {
            if concerned(function, expression)
                && let Some(origin) = function.expressions.origin(value)
            {
                spans.push(code.expansions.outermost(origin));
            }
        }
    }
    spans.sort();
    spans.dedup();
    Some(spans)
}
