//! Faults planted into the device code of Ascend ports, each compiled against the model of the chip
//! and run. A fault is found by the compiler, by a rule of the chip, by how the run ends, or by a
//! result outside the bounds of the reference.

use std::ops::Range;

use port::{Options, Target};
use port_check::ascend::{Executable, Model};
use port_check::oracle::{Language, OracleError, RunOptions, Source};
use port_check::ports::{emitted, renames};
use port_check::{Case, Spec};
use port_diag::FileId;

use super::Random;
use super::text::plain;
use crate::kernels::Kernel;
use crate::originals;
use crate::reference::{Expected, reference};

/// What a fault in device code is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A queue's EnQue, DeQue, AllocTensor or FreeTensor is gone.
    Queue,
    /// An order between units, threads or cores is gone.
    Order,
    /// InitBuffer asks for more than there is.
    Buffer,
    /// Another rounding or comparison.
    Mode,
    /// A copy from or to a place that is not aligned, or of another length.
    Copy,
    /// `+ 1` for `+ 2`, `<` for `<=`.
    OffByOne,
    /// A sum for a product, the smaller for the larger.
    Operation,
    /// Atomic accumulation is not set, or not unset.
    Atomic,
    /// A store or an assignment is gone.
    Store,
    /// Another lane of a shuffle, another index of a thread or block.
    Lane,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 10] = [
        Kind::Queue,
        Kind::Order,
        Kind::Buffer,
        Kind::Mode,
        Kind::Copy,
        Kind::OffByOne,
        Kind::Operation,
        Kind::Atomic,
        Kind::Store,
        Kind::Lane,
    ];
}

/// Words with what takes their place.
const WORDS: &[(Kind, &str, &str)] = &[
    (Kind::Queue, ".DeQue<", ".AllocTensor<"),
    (Kind::Queue, ".AllocTensor<", ".DeQue<"),
    (Kind::Mode, "RoundMode::CAST_RINT", "RoundMode::CAST_FLOOR"),
    (Kind::Mode, "RoundMode::CAST_TRUNC", "RoundMode::CAST_CEIL"),
    (Kind::Mode, "RoundMode::CAST_FLOOR", "RoundMode::CAST_CEIL"),
    (Kind::Mode, "CMPMODE::LT", "CMPMODE::LE"),
    (Kind::Mode, "CMPMODE::GT", "CMPMODE::GE"),
    (Kind::Mode, "CMPMODE::LE", "CMPMODE::LT"),
    (Kind::Mode, "CMPMODE::GE", "CMPMODE::GT"),
    (Kind::Mode, "CMPMODE::EQ", "CMPMODE::NE"),
    (Kind::Copy, "DataCopyPad(input,", "DataCopyPad(input[1],"),
    (Kind::Copy, "DataCopyPad(to,", "DataCopyPad(to[1],"),
    (Kind::Copy, "gm[base", "gm[1 + base"),
    (Kind::Copy, "gm[at", "gm[1 + at"),
    (Kind::Copy, "DataCopyExtParams{1,", "DataCopyExtParams{2,"),
    (Kind::Copy, "+ 31)", "+ 0)"),
    (Kind::OffByOne, "+ 1", "+ 2"),
    (Kind::OffByOne, "- 1", "- 2"),
    (Kind::OffByOne, " < ", " <= "),
    (Kind::OffByOne, " <= ", " < "),
    (Kind::OffByOne, " > ", " >= "),
    (Kind::OffByOne, " >= ", " > "),
    (Kind::Operation, "Add(", "Sub("),
    (Kind::Operation, "Sub(", "Add("),
    (Kind::Operation, "Mul(", "Add("),
    (Kind::Operation, "Div(", "Mul("),
    (Kind::Operation, "Muls(", "Adds("),
    (Kind::Operation, "Adds(", "Muls("),
    (Kind::Operation, "Max(", "Min("),
    (Kind::Operation, "Min(", "Max("),
    (Kind::Operation, "ReduceMax(", "ReduceMin("),
    (Kind::Operation, "asc_atomic_add(", "asc_atomic_exch("),
    (Kind::Operation, "asc_atomic_max(", "asc_atomic_min("),
    (Kind::Operation, " && ", " || "),
    (Kind::Operation, " * ", " + "),
    (Kind::Operation, " += ", " = "),
    (Kind::Lane, "asc_shfl_xor(", "asc_shfl_up("),
    (Kind::Lane, "asc_shfl_down(", "asc_shfl_up("),
    (Kind::Lane, "threadIdx.x", "threadIdx.y"),
    (Kind::Lane, "blockIdx.x", "blockIdx.y"),
    (Kind::Lane, "GetBlockIdx()", "0"),
];

/// Calls that are left out with their statement.
const CALLS: &[(Kind, &str)] = &[
    (Kind::Queue, ".EnQue("),
    (Kind::Queue, ".FreeTensor("),
    (Kind::Order, "PipeBarrier<"),
    (Kind::Order, "SetFlag<"),
    (Kind::Order, "WaitFlag<"),
    (Kind::Order, "lanes::Wait<"),
    (Kind::Order, "asc_syncthreads("),
    (Kind::Order, "SyncAll("),
    (Kind::Atomic, "SetAtomicAdd<"),
    (Kind::Atomic, "SetAtomicNone("),
    (Kind::Store, "lanes.Store<"),
    (Kind::Store, "lanes.Assign("),
    (Kind::Store, "DataCopyPad(gm"),
];

/// A fault.
#[derive(Clone, Debug)]
pub struct Mutant {
    /// What it is.
    pub kind: Kind,
    /// The line, from 1.
    pub line: u32,
    /// What was done.
    pub description: String,
    range: Range<usize>,
    replacement: String,
}

/// What became of a mutant.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// It is no program.
    NotCompiled,
    /// A rule of the chip is broken.
    Rule(String),
    /// It stopped, or did not end.
    Ended(String),
    /// An output is outside the reference's bounds.
    Result(String),
    /// What was changed is not executed.
    NotExecuted,
    /// Nothing shows it.
    Survived,
}

/// A kernel with its port to a chip, and what it is run on.
pub struct Bench {
    model: Model,
    spec: Spec,
    files: Vec<(String, String)>,
    renames: Vec<(String, &'static str)>,
    cases: Vec<(String, Case, Vec<Expected>)>,
    /// The device code in the root.
    device: Range<usize>,
}

impl Bench {
    /// Ports a kernel; the port itself must be without a fault.
    pub fn new(kernel: &Kernel, target: &str, model: &Model) -> Result<Bench, String> {
        let (sources, root) = kernel.load();
        let spec = originals::spec(kernel)?;
        let target: Target = target.parse().map_err(|error| format!("{error:?}"))?;
        let instantiate = originals::instances(&sources, &spec);
        let options = Options { instantiate, ..Options::default() };
        let translation = port::translate(&sources, root, &[target], &options).pop();
        let translation = translation.ok_or("no translation")?;
        let own: Vec<FileId> = sources.ids().collect();
        let files = emitted(&sources, &own, root, &translation, "asc");
        let text = &files.first().ok_or("the port has no root")?.1;
        let device = device_code(text).ok_or("the port has no device code")?;
        let mut cases = Vec::new();
        for set in spec.parameter_sets() {
            let case = spec.case(&set).map_err(|_| format!("no case for {}", set.label()))?;
            let expected = reference(&kernel.name, &case).ok_or("the kernel has no reference")?;
            cases.push((set.label(), case, expected));
        }
        let renames = renames(&spec, port::ascend_name);
        let bench = Bench { model: model.clone(), spec, files, renames, cases, device };
        match bench.fate(&bench.files[0].1) {
            Fate::Survived => Ok(bench),
            fate => Err(format!("the port without a fault: {fate:?}")),
        }
    }

    /// The port's root.
    pub fn text(&self) -> &str {
        &self.files[0].1
    }

    /// Every fault that can be planted.
    pub fn mutants(&self) -> Vec<Mutant> {
        let text = self.text();
        let mut found = mutants(text, self.device.clone());
        found.sort_by_key(|mutant| mutant.range.start);
        found
    }

    fn build(&self, text: &str) -> Result<Executable, OracleError> {
        let source = Source::new(Language::Ascend, &self.files[0].0, text);
        let others = self.files.iter().skip(1);
        let source = others.fold(source, |source, (path, text)| source.with_file(path, text));
        let renamed = self.renames.iter();
        let source = renamed.fold(source, |source, (from, to)| source.with_rename(from, to));
        self.model.build(&source, &self.spec)
    }

    fn fate(&self, text: &str) -> Fate {
        let Ok(program) = self.build(text) else { return Fate::NotCompiled };
        for (label, case, expected) in &self.cases {
            let run = match program.run(case, &RunOptions::default()) {
                Ok(run) => run,
                Err(error) => return Fate::Ended(format!("{label}: {error}")),
            };
            if let Some(violation) = run.violations.first() {
                return Fate::Rule(violation.rule.clone());
            }
            for expected in expected {
                let Some(actual) = run.result.output(&expected.name) else {
                    return Fate::Result(format!("{label}: no {}", expected.name));
                };
                if let Err(mismatch) = expected.check(actual) {
                    return Fate::Result(format!("{label}: {mismatch}"));
                }
            }
        }
        Fate::Survived
    }

    /// Compiles and runs a mutant.
    pub fn test(&self, mutant: &Mutant) -> Fate {
        let mut text = self.text().to_owned();
        text.replace_range(mutant.range.clone(), &mutant.replacement);
        match self.fate(&text) {
            // A statement that would end the program, were it executed.
            Fate::Survived => {
                let mut probe = self.text().to_owned();
                let start = statement_start(&plain(&probe), mutant.range.start);
                probe.insert_str(start, "__builtin_trap(); ");
                match self.fate(&probe) {
                    Fate::Survived => Fate::NotExecuted,
                    _ => Fate::Survived,
                }
            }
            fate => fate,
        }
    }
}

/// Where the device code of a port stands.
fn device_code(text: &str) -> Option<Range<usize>> {
    let end = text.rfind("}  // namespace ").filter(|_| text.contains("_kernels {"));
    let start = text.find("_kernels {")?;
    Some(start..end?).filter(|range| range.start < range.end)
}

fn statement_start(plain: &str, at: usize) -> usize {
    let ends = |byte: &u8| matches!(byte, b';' | b'{' | b'}');
    let bytes = plain.as_bytes();
    let begin = bytes[..at].iter().rposition(ends).map_or(0, |end| end + 1);
    begin + bytes[begin..at].iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

fn mutants(text: &str, device: Range<usize>) -> Vec<Mutant> {
    let plain = plain(text);
    let mut found = Vec::new();
    let mut plant = |kind: Kind, range: Range<usize>, replacement: String| {
        let line = super::text::line_of(text, range.start);
        let from = text[range.clone()].split_whitespace().collect::<Vec<_>>().join(" ");
        let description = format!("`{from}` becomes `{}`", replacement.trim());
        found.push(Mutant { kind, line, description, range, replacement });
    };
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let inside = |at: usize, word: &str| {
        let bytes = plain.as_bytes();
        let starts = word.as_bytes().first().copied().is_some_and(is_word);
        let ends = word.as_bytes().last().copied().is_some_and(is_word);
        starts && at > 0 && is_word(bytes[at - 1])
            || ends && bytes.get(at + word.len()).copied().is_some_and(|b| is_word(b) || b == b'.')
    };
    let places = |word: &'static str| {
        let all = plain[device.clone()].match_indices(word);
        all.map(|(at, _)| at + device.start).filter(|at| !inside(*at, word)).collect::<Vec<_>>()
    };
    for (kind, from, to) in WORDS {
        for at in places(from) {
            plant(*kind, at..at + from.len(), (*to).to_owned());
        }
    }
    for (kind, call) in CALLS {
        for at in places(call) {
            let start = statement_start(&plain, at);
            let Some(end) = plain[at..].find(';').map(|end| at + end + 1) else { continue };
            // Heads of `if` and `for` stay.
            let head = plain[start..at].rfind(") ").map_or(start, |paren| start + paren + 2);
            plant(*kind, head..end, ";".to_owned());
        }
    }
    for at in places("InitBuffer(") {
        let Some(end) = plain[at..].find(");").map(|end| at + end) else { continue };
        plant(Kind::Buffer, end..end, " + 196608".to_owned());
    }
    found
}

/// A choice of `count` mutants: the kinds in turn, each one's in an order that the seed decides.
pub fn sample(mutants: Vec<Mutant>, count: usize, seed: u64) -> Vec<Mutant> {
    let mut random = Random::new(seed);
    let of = |kind| mutants.iter().filter(move |m| m.kind == kind).cloned().collect();
    let mut by_kind: Vec<Vec<Mutant>> = Kind::ALL.iter().map(|kind| of(*kind)).collect();
    let turn = random.below(by_kind.len());
    by_kind.rotate_left(turn);
    let mut chosen = Vec::new();
    while chosen.len() < count && by_kind.iter().any(|list| !list.is_empty()) {
        for list in by_kind.iter_mut().filter(|list| !list.is_empty()) {
            let at = random.below(list.len());
            chosen.push(list.swap_remove(at));
            if chosen.len() == count {
                break;
            }
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_left_out_with_their_statement_and_heads_stay() {
        let text = "x_kernels {\nif (a) q.FreeTensor(t);\nSetFlag<e>(i);\n// SetFlag<f>(i);\n}  // namespace x_kernels";
        let device = device_code(text).expect("device code");
        let found: Vec<(Kind, u32, String)> =
            mutants(text, device).into_iter().map(|m| (m.kind, m.line, m.description)).collect();
        assert_eq!(
            found,
            [
                (Kind::Queue, 2, "`q.FreeTensor(t);` becomes `;`".to_owned()),
                (Kind::Order, 3, "`SetFlag<e>(i);` becomes `;`".to_owned()),
            ]
        );
    }
}
