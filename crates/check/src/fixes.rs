//! What may be done about drift, each proposal with what it does to the outputs: the kernels, or the
//! arithmetic, are changed as it says and run again. Proposes; writes nothing.

use std::collections::BTreeSet;

use port::DeviceCode;
use port_diag::{SourceMap, Span};
use port_float::{PartId, Profile, Side};
use port_ir::{Expression, ExpressionTypes, FloatOp, Function, MathFunction, Scalar, Value};

use crate::attribution::places;
use crate::judge::{Comparison, KernelReport, Runs};
use crate::machine::{self, Machine, MachineRun};
use crate::metrics;
use crate::tensor::Tensor;
use crate::verdict::Verdict;

/// A change of the user's text: bytes, and what stands there instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The bytes.
    pub span: Span,
    /// The new text.
    pub text: String,
}

/// A proposal.
#[derive(Clone, Debug)]
pub struct Fix {
    /// The kernel.
    pub kernel: String,
    /// The cause that it is for, as [`crate::attribution::Cause`] names it.
    pub cause: String,
    /// What to do, a sentence.
    pub advice: String,
    /// The edits of the original's text, in its order; none for a flag.
    pub edits: Vec<Edit>,
    /// What it does to each output that differs.
    pub effects: Vec<Effect>,
}

/// An output without and with the change.
#[derive(Clone, Debug)]
pub struct Effect {
    /// The output.
    pub output: String,
    /// Port against original without it.
    pub before: metrics::Comparison,
    /// With it: the port that is made of the changed text, against the original as it was.
    pub after: metrics::Comparison,
    /// Where the change is one of the original's results too: how far those move.
    pub moved: Option<metrics::Comparison>,
}

/// Reads a changed text as kernels.
pub type Rebuild<'a> = &'a dyn Fn(&SourceMap) -> Option<DeviceCode>;

/// The proposals for the kernels of a report that drift, in its order.
pub fn propose(
    comparison: &Comparison<'_>,
    runs: &Runs,
    kernels: &[KernelReport],
    sources: &SourceMap,
    rebuild: Rebuild<'_>,
) -> Vec<Fix> {
    let proposer = Proposer { comparison, runs, sources, rebuild };
    let mut fixes = Vec::new();
    for kernel in kernels {
        let drifts = |verdict| {
            let drift = [Verdict::WithinRule, Verdict::IllConditioned, Verdict::TargetDrift];
            drift.contains(&verdict)
        };
        let outputs = kernel.outputs.iter().filter(|output| drifts(output.judged.verdict));
        let outputs: Vec<&str> = outputs.map(|output| &*output.name).collect();
        if outputs.is_empty() {
            continue;
        }
        let causes: BTreeSet<&str> =
            kernel.causes.iter().map(|cause| cause.name.as_str()).collect();
        let (reference, target) = (&comparison.reference_profile, &comparison.target_profile);
        for difference in reference.differences(target) {
            if causes.contains(difference.name) {
                let found = proposer.for_part(kernel, difference.part, difference.name, &outputs);
                fixes.extend(found);
            }
        }
    }
    fixes
}

struct Proposer<'a> {
    comparison: &'a Comparison<'a>,
    runs: &'a Runs,
    sources: &'a SourceMap,
    rebuild: Rebuild<'a>,
}

impl Proposer<'_> {
    fn for_part(
        &self,
        kernel: &KernelReport,
        part: PartId,
        cause: &str,
        outputs: &[&str],
    ) -> Option<Fix> {
        let Comparison { reference_profile: reference, target_profile: target, .. } =
            self.comparison;
        let fix = |advice: String, edits: Vec<Edit>, effects: Vec<Effect>| {
            let (kernel, cause) = (kernel.name.clone(), cause.to_owned());
            (!effects.is_empty()).then_some(Fix { kernel, cause, advice, edits, effects })
        };
        let flag = |advice: &str| {
            let run = self.run(self.port(), &target.with(part, reference));
            fix(advice.to_owned(), Vec::new(), self.effects(outputs, &run, None))
        };
        match part {
            PartId::Contraction => {
                let edits = self.fusions(&kernel.name);
                let code = self.edited(&edits)?;
                let explicit = "write as `fmaf` what the original's compiler fuses";
                if matches!(target.side(), Side::Cpu | Side::Exact) {
                    let run = self.run(&code, target);
                    let advice = format!("{explicit}, or port with --float cuda, which does it");
                    return fix(advice, edits, self.effects(outputs, &run, None));
                }
                // Nothing else may be fused then.
                let plain = Profile::named("cpu").ok()?;
                let run = self.run(&code, &target.with(part, &plain));
                let advice = format!("{explicit}, and compile the port with -ffp-contract=off");
                fix(advice, edits, self.effects(outputs, &run, None))
            }
            PartId::Function(function) => {
                let edits = self.precise_names(&kernel.name, function);
                if edits.is_empty() {
                    return self.without_fast_math(outputs, fix);
                }
                let code = self.edited(&edits)?;
                let (original, port) = (self.run(&code, reference), self.run(&code, target));
                let advice = "call the function itself, whose error is bounded on every chip, not \
                              the approximation; the original's results move too";
                fix(advice.into(), edits, self.effects(outputs, &port, Some(&original)))
            }
            PartId::Division | PartId::SquareRoot if matches!(target.side(), Side::Hip(_)) => {
                if reference.name().contains("fast-math") {
                    return self.without_fast_math(outputs, fix);
                }
                flag("compile the port with -fhip-fp32-correctly-rounded-divide-sqrt")
            }
            PartId::Division | PartId::SquareRoot => self.without_fast_math(outputs, fix),
            PartId::Subnormals if reference.name().contains("fast-math") => {
                self.without_fast_math(outputs, fix)
            }
            PartId::Subnormals if matches!(target.side(), Side::Hip(_)) => {
                flag("compile the port with -fno-gpu-flush-denormals-to-zero")
            }
            _ => None,
        }
    }

    /// The original without `-use_fast_math`, where it was with it.
    fn without_fast_math(
        &self,
        outputs: &[&str],
        fix: impl Fn(String, Vec<Edit>, Vec<Effect>) -> Option<Fix>,
    ) -> Option<Fix> {
        let comparison = self.comparison;
        let base = comparison.reference_profile.name().strip_suffix("+fast-math")?;
        let width = comparison.reference_profile.warp_width();
        let base = Profile::named(base).ok()?.with_warp_width(width);
        let original = self.run(comparison.reference, &base);
        let advice = "compile the original without -use_fast_math: its results move, and no port \
                      has its approximations";
        let port = &self.runs.target;
        fix(advice.into(), Vec::new(), self.effects(outputs, port, Some(&original)))
    }

    /// What is run for the port.
    fn port(&self) -> &DeviceCode {
        self.comparison.port.unwrap_or(self.comparison.reference)
    }

    fn run(&self, code: &DeviceCode, profile: &Profile) -> MachineRun {
        Machine::new(code, profile).run(self.comparison.case, &self.comparison.options)
    }

    /// Port against original, before and with a change; with `original`, the changed original's.
    fn effects(
        &self,
        outputs: &[&str],
        port: &MachineRun,
        original: Option<&MachineRun>,
    ) -> Vec<Effect> {
        let of = |run: &'_ MachineRun, name: &str| -> Option<Tensor> {
            let complete = !run.incomplete.contains(name);
            run.result.output(name).filter(|_| complete).cloned()
        };
        let effect = |name: &&str| {
            let reference = of(&self.runs.reference, name)?;
            let own = match &self.runs.port {
                Some([_, own]) => of(own, name)?,
                None => of(&self.runs.target, name)?,
            };
            let (original, moved) = match original {
                Some(run) => {
                    let changed = of(run, name)?;
                    let moved = metrics::compare(&changed, &reference)?;
                    (changed, Some(moved))
                }
                None => (reference.clone(), None),
            };
            Some(Effect {
                output: (*name).to_owned(),
                before: metrics::compare(&own, &reference)?,
                after: metrics::compare(&of(port, name)?, &original)?,
                moved,
            })
        };
        outputs.iter().filter_map(effect).collect()
    }

    /// The kernels of the text with edits; `None` where there are none or they make no kernels.
    fn edited(&self, edits: &[Edit]) -> Option<DeviceCode> {
        if edits.is_empty() {
            return None;
        }
        let mut changed = SourceMap::new();
        for id in self.sources.ids() {
            let file = self.sources.file(id);
            let own = edits.iter().filter(|edit| edit.span.file == id);
            changed.add(&file.path, &edited_text(&file.text, own));
        }
        let code = (self.rebuild)(&changed)?;
        let launches = &self.comparison.case.launches;
        let runs =
            |launch: &crate::spec::Launch| machine::find_kernel(&code, &launch.kernel).is_ok();
        launches.iter().all(runs).then_some(code)
    }

    /// Edits that spell a kernel's approximations as the functions themselves.
    fn precise_names(&self, kernel: &str, function: MathFunction) -> Vec<Edit> {
        let code = self.comparison.reference;
        let spans = places(code, &[kernel], PartId::Function(function)).unwrap_or_default();
        let mut edits = Vec::new();
        for span in spans {
            let text = text_of(self.sources, span);
            let name: &str = text.split(|c: char| !is_word(c)).next().unwrap_or_default();
            let precise = match name {
                "__expf" | "__exp10f" | "__logf" | "__log2f" | "__log10f" | "__sinf" | "__cosf"
                | "__tanf" | "__powf" => &name[2..],
                _ => continue,
            };
            let span = Span { end: span.start + name.len() as u32, ..span };
            edits.push(Edit { span, text: precise.to_owned() });
        }
        edits.sort_by_key(|edit| (edit.span.file, edit.span.start));
        edits.dedup();
        edits
    }

    /// Edits that spell what the original's compiler fuses in a kernel.
    fn fusions(&self, kernel: &str) -> Vec<Edit> {
        let code = self.comparison.reference;
        let resolved = port_float::resolve(&code.module, &self.comparison.reference_profile);
        let Ok((_, handle)) = machine::find_kernel(code, kernel) else { return Vec::new() };
        let handles = code.module.functions.iter();
        let others =
            handles.filter(|(_, function)| !function.is_kernel()).map(|(handle, _)| handle);
        let mut fusions: Vec<Fusion> = Vec::new();
        for handle in others.chain([handle]) {
            let (Some(before), Some(after)) =
                (code.module.functions.get(handle), resolved.functions.get(handle))
            else {
                continue;
            };
            let types = ExpressionTypes::of(&code.module, before);
            fusions.extend(fused(code, before, after, &types));
        }
        fusions.sort_by_key(|fusion| (fusion.whole.file, fusion.whole.start, fusion.whole.end));
        fusions.dedup_by_key(|fusion| fusion.whole);
        let edits: Vec<Edit> = fusions
            .iter()
            .filter_map(|fusion| {
                let text = fusion.text(self.sources, &fusions, 0)?;
                Some(Edit { span: fusion.whole, text })
            })
            .collect();
        // What stands inside another is part of its text.
        let inner =
            |edit: &Edit| edits.iter().any(|o| o.span != edit.span && o.span.contains(edit.span));
        edits.iter().filter(|edit| !inner(edit)).cloned().collect()
    }
}

/// A sum of a product that a compiler fuses.
struct Fusion {
    whole: Span,
    product: Span,
    factors: [Span; 2],
    addend: Span,
    /// A difference, with the product before the minus or after it.
    subtracts: Option<bool>,
    function: &'static str,
}

/// The sums of a function that are fused operations after resolving.
fn fused(
    code: &DeviceCode,
    before: &Function,
    after: &Function,
    types: &ExpressionTypes,
) -> Vec<Fusion> {
    let place = |function: &Function, value: Value| {
        let origin = function.expressions.origin(value)?;
        // Text of a macro is not the user's line.
        (code.expansions.outermost(origin) == origin.span).then_some(origin.span)
    };
    // Whether each sum is fused, and with the product of which factors, is told by where they stand.
    let fused: BTreeSet<(Option<Span>, Option<Span>, Option<Span>)> = after
        .expressions
        .iter()
        .filter_map(|(value, expression)| match expression {
            Expression::FusedMultiplyAdd { a, b, .. } => {
                let plain = |value: &Value| match after.expressions.get(*value) {
                    Some(Expression::Unary { value, .. }) => place(after, *value),
                    _ => place(after, *value),
                };
                Some((place(after, value), plain(a), plain(b)))
            }
            _ => None,
        })
        .collect();
    let mut found = Vec::new();
    for (value, expression) in before.expressions.iter() {
        let Expression::Float { op, left, right, flags } = expression else { continue };
        if !flags.contract || !matches!(op, FloatOp::Add | FloatOp::Subtract) {
            continue;
        }
        let function = match types.get(value) {
            port_ir::Type::Scalar(Scalar::F32) => "fmaf",
            port_ir::Type::Scalar(Scalar::F64) => "fma",
            _ => continue,
        };
        for (product, addend, first) in [(left, right, true), (right, left, false)] {
            let Some(Expression::Float { op: FloatOp::Multiply, left: x, right: y, .. }) =
                before.expressions.get(*product)
            else {
                continue;
            };
            let parts = (
                place(before, value),
                place(before, *product),
                place(before, *x),
                place(before, *y),
                place(before, *addend),
            );
            if let (Some(whole), Some(product), Some(x), Some(y), Some(addend)) = parts
                && fused.contains(&(Some(whole), Some(x), Some(y)))
            {
                let subtracts = (*op == FloatOp::Subtract).then_some(first);
                let factors = [x, y];
                found.push(Fusion { whole, product, factors, addend, subtracts, function });
                break;
            }
        }
    }
    found
}

impl Fusion {
    /// The sum with the fused operation spelled out; `None` where the text has another form.
    fn text(&self, sources: &SourceMap, others: &[Fusion], depth: usize) -> Option<String> {
        // Deeper sums are not written by hand.
        if depth > 16 {
            return None;
        }
        let inner = |span: Span| -> String {
            let own = others
                .iter()
                .filter(|other| span.contains(other.whole) && other.whole != self.whole);
            let outer: Vec<&Fusion> = own.collect();
            let edits: Vec<Edit> = outer
                .iter()
                .filter(|fusion| {
                    !outer.iter().any(|o| o.whole != fusion.whole && o.whole.contains(fusion.whole))
                })
                .filter_map(|fusion| {
                    let text = fusion.text(sources, others, depth + 1)?;
                    Some(Edit { span: fusion.whole, text })
                })
                .collect();
            let file = sources.file(span.file);
            let (start, end) = (span.start as usize, span.end as usize);
            let Some(text) = file.text.get(start..end) else { return String::new() };
            let moved: Vec<Edit> = edits
                .into_iter()
                .map(|edit| Edit {
                    span: Span {
                        start: edit.span.start - span.start,
                        end: edit.span.end - span.start,
                        ..edit.span
                    },
                    text: edit.text,
                })
                .collect();
            edited_text(text, moved.iter())
        };
        let [x, y] = self.factors.map(inner);
        if x.is_empty() || y.is_empty() || !self.whole.contains(self.product) {
            return None;
        }
        let function = self.function;
        let whole = text_of(sources, self.whole);
        let product_at = (self.product.start - self.whole.start) as usize;
        let sign = |negative: bool, text: &str| match negative {
            true => format!("-({text})"),
            false => text.to_owned(),
        };
        if self.addend != self.whole && self.whole.contains(self.addend) {
            let z = inner(self.addend);
            let (x, z) = match self.subtracts {
                None => (x, z),
                Some(true) => (x, sign(true, &z)),
                Some(false) => (sign(true, &x), z),
            };
            return Some(format!("{function}({x}, {y}, {z})"));
        }
        // `target += x * y`, where the target is read at the whole statement.
        let (target, operator) = whole.get(..product_at).and_then(|head| {
            let head = head.trim_end().trim_end_matches('(').trim_end();
            let at = head.strip_suffix('=')?;
            let operator = at.chars().last().filter(|c| matches!(c, '+' | '-'))?;
            Some((at[..at.len() - 1].trim(), operator))
        })?;
        let repeatable = !target.contains("++") && !target.contains("--") && !target.contains('(');
        if target.is_empty() || !repeatable {
            return None;
        }
        let x = sign(operator == '-', &x);
        Some(format!("{target} = {function}({x}, {y}, {target})"))
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn text_of(sources: &SourceMap, span: Span) -> &str {
    let text = &sources.file(span.file).text;
    text.get(span.start as usize..span.end as usize).unwrap_or_default()
}

/// A text with edits that do not overlap; one that does is left out.
pub fn edited_text<'e>(text: &str, edits: impl Iterator<Item = &'e Edit>) -> String {
    let mut edits: Vec<&Edit> = edits.collect();
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let (mut out, mut at) = (String::new(), 0usize);
    for edit in edits {
        let (start, end) = (edit.span.start as usize, edit.span.end as usize);
        if let (true, Some(between)) = (start >= at && start <= end, text.get(at..start)) {
            out.push_str(between);
            out.push_str(&edit.text);
            at = end;
        }
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

/// The edits as lines taken out and put in, as `diff` writes them.
pub fn patch(sources: &SourceMap, edits: &[Edit]) -> String {
    let mut out = String::new();
    let files: BTreeSet<_> = edits.iter().map(|edit| edit.span.file).collect();
    for id in files {
        let file = sources.file(id);
        let own = edits.iter().filter(|edit| edit.span.file == id);
        let changed = edited_text(&file.text, own);
        let (before, after): (Vec<&str>, Vec<&str>) =
            (file.text.lines().collect(), changed.lines().collect());
        out += &format!("--- {0}\n+++ {0}\n", file.path);
        // Edits may take line ends away: then the file is one piece.
        if before.len() != after.len() {
            let (old, new) = (before.len(), after.len());
            out += &format!("@@ -1,{old} +1,{new} @@\n");
            before.iter().for_each(|line| out += &format!("-{line}\n"));
            after.iter().for_each(|line| out += &format!("+{line}\n"));
            continue;
        }
        let lines: Vec<(&str, &str)> = before.into_iter().zip(after).collect();
        let mut at = 0;
        while at < lines.len() {
            if lines[at].0 == lines[at].1 {
                at += 1;
                continue;
            }
            let end = (at..lines.len()).find(|i| lines[*i].0 == lines[*i].1).unwrap_or(lines.len());
            out += &format!("@@ -{0},{1} +{0},{1} @@\n", at + 1, end - at);
            lines[at..end].iter().for_each(|(line, _)| out += &format!("-{line}\n"));
            lines[at..end].iter().for_each(|(_, line)| out += &format!("+{line}\n"));
            at = end;
        }
    }
    out
}
