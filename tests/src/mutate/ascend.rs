//! Faults planted into the device code of Ascend ports, each compiled against the model of the chip
//! and run. A fault is found by the compiler, by a rule of the chip, by how the run ends, or by a
//! result outside the bounds of the reference.
//!
//! Only what is executed can show a fault: a first build tells for each place whether it is. And only
//! what changes the program is one: where nothing shows it, the optimised code of both is compared.
//! What the reference's data do not show, others may: the port with the fault is then held to the port
//! without it, bit for bit, on data with values that are no numbers, infinities, zeros and ties, and on
//! a chip of one core, which finds in its memory what other parts of the work have left.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use port::{Options, Target};
use port_check::ascend::{Executable, Model};
use port_check::oracle::{Language, OracleError, RunOptions, Source};
use port_check::ports::{emitted, renames};
use port_check::{Case, Spec, Tensor};
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
    /// Another type, of the same size or of another.
    Type,
    /// What fills the rest of a block, of a repeat or of a vector is gone.
    Padding,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Kind; 12] = [
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
        Kind::Type,
        Kind::Padding,
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
    (Kind::Padding, "{left != 0, static_cast<uint8_t>(left),", "{false, 0,"),
    (Kind::Padding, "+ BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES", ")"),
    (Kind::Padding, "+ 63) / 64 * 64", ")"),
    (Kind::Padding, "+ 15)", "+ 0)"),
];

/// Types, what takes their place where bits are read as another type, and where a value is converted:
/// there what holds less, since the wider one of two mostly holds the same.
const TYPES: &[(&str, &[&str], &str)] = &[
    ("float", &["int32_t", "half"], "half"),
    ("half", &["bfloat16_t", "float"], "bfloat16_t"),
    ("bfloat16_t", &["half", "float"], "int8_t"),
    ("int8_t", &["uint8_t", "int16_t"], "uint8_t"),
    ("uint8_t", &["int8_t", "uint16_t"], "bool"),
    ("int16_t", &["half", "int32_t"], "int8_t"),
    ("uint16_t", &["half", "uint8_t"], "uint8_t"),
    ("int32_t", &["float", "int16_t"], "int8_t"),
    ("uint32_t", &["float", "uint16_t"], "uint8_t"),
    ("int64_t", &["int32_t"], "int8_t"),
    ("uint64_t", &["uint32_t"], "uint8_t"),
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
    (Kind::Padding, "Duplicate("),
    (Kind::Padding, "FillTail("),
    (Kind::Padding, "Prepare("),
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
    /// The line's text.
    pub text: String,
    /// The file, by its place among the port's.
    file: usize,
    range: Range<usize>,
    replacement: String,
}

impl Mutant {
    /// Whether a comparison takes or leaves out what is equal.
    fn is_limit(&self) -> bool {
        const LIMITS: [&str; 8] = [
            "CMPMODE::LT",
            "CMPMODE::LE",
            "CMPMODE::GT",
            "CMPMODE::GE",
            " < ",
            " <= ",
            " > ",
            " >= ",
        ];
        LIMITS.contains(&self.replacement.as_str())
    }

    /// Whether what lies behind the last element is left as it was.
    fn leaves_tail(&self) -> bool {
        self.kind == Kind::Padding && self.text.contains("FillTail(")
    }

    /// Of a vector that is not filled, the same with another value in it.
    fn filled_otherwise(&self, text: &str) -> Option<Mutant> {
        let statement = text.get(self.range.clone())?;
        let open = statement.find("Duplicate(").filter(|_| self.kind == Kind::Padding)? + 10;
        let plain = plain(statement);
        let (mut depth, mut commas) = (0, Vec::new());
        for (at, byte) in plain.bytes().enumerate().skip(open) {
            match byte {
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth -= 1,
                b',' if depth == 0 => commas.push(at),
                _ => {}
            }
        }
        let value = statement.get(commas.first()? + 1..*commas.get(1)?)?.trim();
        let before = &statement[..=commas[0]];
        let replacement = format!("{before} decltype({value})(41){}", &statement[commas[1]..]);
        Some(Mutant { replacement, ..self.clone() })
    }
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
    /// The compiler's optimised code is the same: no change.
    Equivalent,
    /// The chip does the same over all inputs: the same instructions on the same bytes, but for reads of
    /// the scalar unit that decide nothing and stay within memory; what orders them is given without
    /// what was left out.
    Same,
    /// A limit that takes one more or one less, or a fill that is gone, and every bit of every output on
    /// all data stays as it is: work that is done twice, or whose result nobody asks for. Of a tail the
    /// model tells whether anybody asks, since it follows what nothing has written; of a vector that is
    /// filled with a value, another value in its place does.
    Idle,
    /// Nothing shows it.
    Survived,
}

impl Fate {
    /// Whether the mutant is a fault: something that is executed does something else.
    pub fn is_fault(&self) -> bool {
        !matches!(self, Fate::Equivalent | Fate::Same | Fate::Idle)
    }

    /// Whether it is a fault that something found.
    pub fn is_found(&self) -> bool {
        self.is_fault() && *self != Fate::Survived
    }
}

/// A kernel with its port to a chip, and what it is run on.
pub struct Bench {
    model: Model,
    spec: Spec,
    files: Vec<(String, String)>,
    renames: Vec<(String, &'static str)>,
    cases: Vec<(String, Case, Vec<Expected>)>,
    /// The longest run of a case of the port itself.
    longest: Duration,
    /// What a watched run of each case did and gave, once it is asked for.
    done: OnceLock<Option<(Fate, Ran)>>,
    /// The port itself on one core, once it is asked for.
    own: OnceLock<Option<Executable>>,
    /// Faults at places that are executed.
    mutants: Vec<Mutant>,
}

/// The digest of a run's instructions, and its outputs.
type Done = (String, Vec<(String, Tensor)>);

/// What the cases gave, up to the first that shows a fault.
#[derive(Default)]
struct Ran {
    /// Where none shows one.
    done: Vec<Done>,
    /// Probes that were met.
    hits: BTreeSet<usize>,
    longest: Duration,
}

/// The longest run of a port without a fault, before one is known.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a port without a fault needs says when one with a fault has no end, whatever else the machine does.
fn limit(longest: Duration) -> RunOptions {
    RunOptions {
        time_limit: RunOptions::default().time_limit + longest * 10,
        ..RunOptions::default()
    }
}

/// Starts the line of a run's output that names a probe.
const HIT: &str = "port-mutants-hit ";

/// Stands before the first file of a probed port.
const PROBE: &str = "extern \"C\" int printf(const char*, ...);\n\
    static inline void port_mutants_hit(int probe) {\n\
    static bool seen[65536];\n\
    if (probe < 65536 && !seen[probe]) { seen[probe] = true; printf(\"port-mutants-hit %d\\n\", probe); }\n\
    }\n\
    #line 1\n";

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
        let mut mutants = Vec::new();
        for (file, (path, text)) in files.iter().enumerate() {
            if let Some(device) = device_code(path, text) {
                mutants.extend(faults(file, text, device));
            }
        }
        mutants.sort_by_key(|mutant| (mutant.file, mutant.range.start));
        if mutants.is_empty() {
            return Err("the port has no device code".into());
        }
        let mut cases = Vec::new();
        for set in spec.parameter_sets() {
            let case = spec.case(&set).map_err(|_| format!("no case for {}", set.label()))?;
            let expected = reference(&kernel.name, &case).ok_or("the kernel has no reference")?;
            cases.push((set.label(), case, expected));
        }
        let renames = renames(&spec, port::ascend_name);
        let model = model.clone();
        let (done, own) = (OnceLock::new(), OnceLock::new());
        let longest = Duration::ZERO;
        let mut bench = Bench { model, spec, files, renames, cases, longest, done, own, mutants };
        let (executed, longest) = bench.executed()?;
        bench.longest = longest;
        let mut place = 0;
        bench.mutants.retain(|_| {
            place += 1;
            executed.contains(&(place - 1))
        });
        Ok(bench)
    }

    /// What watching the accesses of the port itself shows, beyond what running it does.
    pub fn watched_itself(&self) -> Result<(), String> {
        match self.own_watched() {
            Some((Fate::Survived, _)) => Ok(()),
            Some((fate, _)) => Err(format!("the port without a fault, watched: {fate:?}")),
            None => Err("the port does not compile with its accesses watched".into()),
        }
    }

    /// The port's root.
    pub fn text(&self) -> &str {
        &self.files[0].1
    }

    /// A file of the port.
    pub fn file(&self, mutant: &Mutant) -> &str {
        &self.files[mutant.file].0
    }

    /// Every fault that can be planted where something is executed.
    pub fn mutants(&self) -> Vec<Mutant> {
        self.mutants.clone()
    }

    fn source(&self, files: &[(String, String)]) -> Source {
        let (path, text) = &files[0];
        let others = files.iter().skip(1);
        let source = others.fold(Source::new(Language::Ascend, path, text), |source, other| {
            source.with_file(&other.0, &other.1)
        });
        let renamed = self.renames.iter();
        renamed.fold(source, |source, (from, to)| source.with_rename(from, to))
    }

    fn build(&self, files: &[(String, String)]) -> Result<Executable, OracleError> {
        self.model.build(&self.source(files), &self.spec)
    }

    fn fate(&self, program: &Executable, options: &RunOptions) -> (Fate, Ran) {
        let mut ran = Ran::default();
        (self.first_fate(program, options, &mut ran), ran)
    }

    fn first_fate(&self, program: &Executable, options: &RunOptions, ran: &mut Ran) -> Fate {
        for (label, case, expected) in &self.cases {
            let start = Instant::now();
            let run = match program.run(case, options) {
                Ok(run) => run,
                Err(error) => return Fate::Ended(format!("{label}: {error}")),
            };
            ran.longest = start.elapsed().max(ran.longest);
            if let Some(violation) = run.violations.first() {
                return Fate::Rule(violation.rule.clone());
            }
            let said = run.result.stdout.lines();
            ran.hits.extend(said.filter_map(|line| line.strip_prefix(HIT)?.parse::<usize>().ok()));
            for expected in expected {
                let Some(actual) = run.result.output(&expected.name) else {
                    return Fate::Result(format!("{label}: no {}", expected.name));
                };
                if let Err(mismatch) = expected.check(actual) {
                    return Fate::Result(format!("{label}: {mismatch}"));
                }
            }
            ran.done.push((run.digest, run.result.outputs));
        }
        Fate::Survived
    }

    /// The places of the mutants that are executed. The port is run with a probe at each; the compiler
    /// says where none can stand, and what is there counts as executed. And the longest run.
    fn executed(&self) -> Result<(BTreeSet<usize>, Duration), String> {
        let mut probes: BTreeMap<(usize, Place), Vec<usize>> = BTreeMap::new();
        let mut executed = BTreeSet::new();
        let plains: Vec<String> = self.files.iter().map(|(_, text)| plain(text)).collect();
        let scopes: Vec<Vec<Scope>> = plains.iter().map(|plain| scopes(plain)).collect();
        for (place, mutant) in self.mutants.iter().enumerate() {
            let (plain, at) = (&plains[mutant.file], mutant.range.start);
            let operand = operand_at(plain, at).map(|start| (start, CONDITION));
            match operand.or_else(|| probe_at(plain, &scopes[mutant.file], at)) {
                Some(at) => probes.entry((mutant.file, at)).or_default().push(place),
                None => _ = executed.insert(place),
            }
        }
        for _ in 0..8 {
            let keys: Vec<(usize, Place)> = probes.keys().copied().collect();
            let mut files = self.files.clone();
            for (file, (_, text)) in files.iter_mut().enumerate() {
                let mut inserts: Vec<(usize, String)> = Vec::new();
                for (number, (of, (start, end))) in keys.iter().enumerate() {
                    if *of != file {
                        continue;
                    }
                    match *end {
                        0 => inserts.push((*start, format!(" port_mutants_hit({number}); "))),
                        CONDITION => {
                            inserts.push((*start, format!("port_mutants_hit({number}), ")))
                        }
                        end => {
                            inserts.push((*start, format!(" {{ port_mutants_hit({number}); ")));
                            inserts.push((end, " } ".to_owned()));
                        }
                    }
                }
                inserts.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
                for (at, insert) in inserts {
                    text.insert_str(at, &insert);
                }
            }
            files[0].1.insert_str(0, PROBE);
            let program = match self.build(&files) {
                Ok(program) => program,
                Err(OracleError::Compile { output, .. }) => {
                    let places = error_places(&output);
                    let before = probes.len();
                    probes.retain(|(file, (start, _)), of| {
                        let (path, text) = &self.files[*file];
                        let line = super::text::line_of(text, *start);
                        let is_out = places
                            .iter()
                            .any(|(at, number)| path.ends_with(at.as_str()) && *number == line);
                        if is_out {
                            executed.extend(of.iter().copied());
                        }
                        !is_out
                    });
                    match probes.len() < before {
                        true => continue,
                        false => {
                            let errors = output.lines().filter(|line| line.contains("error"));
                            let errors = errors.take(3).collect::<Vec<_>>().join("\n");
                            return Err(format!("probes do not compile: {errors}"));
                        }
                    }
                }
                Err(error) => return Err(format!("probes: {error}")),
            };
            let ran = match self.fate(&program, &limit(PATIENCE)) {
                (Fate::Survived, ran) => ran,
                (fate, _) => return Err(format!("the port without a fault: {fate:?}")),
            };
            for hit in ran.hits {
                executed
                    .extend(keys.get(hit).and_then(|key| probes.get(key)).into_iter().flatten());
            }
            return Ok((executed, ran.longest));
        }
        Err("too many probes do not compile".into())
    }

    fn with(&self, mutant: &Mutant) -> Vec<(String, String)> {
        let mut files = self.files.clone();
        files[mutant.file].1.replace_range(mutant.range.clone(), &mutant.replacement);
        files
    }

    /// Runs a text whose accesses through raw pointers are watched, too.
    fn watched(&self, files: &[(String, String)], longest: Duration) -> Option<(Fate, Ran)> {
        let program = self.model.build_watched(&self.source(files), &self.spec).ok()?;
        Some(self.fate(&program, &limit(longest)))
    }

    fn own_watched(&self) -> Option<&(Fate, Ran)> {
        self.done.get_or_init(|| self.watched(&self.files, PATIENCE)).as_ref()
    }

    /// Compiles and runs a mutant.
    pub fn test(&self, mutant: &Mutant) -> Fate {
        let files = self.with(mutant);
        let Ok(program) = self.build(&files) else { return Fate::NotCompiled };
        let (fate, _) = self.fate(&program, &limit(self.longest));
        if fate != Fate::Survived {
            return fate;
        }
        // What only watching shows counts where the port itself is without it.
        if let Some((Fate::Survived, own)) = self.own_watched() {
            // What orders tiles the model knows; threads that meet without an order are in the digest.
            match self.watched(&files, own.longest) {
                Some((Fate::Survived, other)) if own.done == other.done => return Fate::Same,
                Some((Fate::Survived, _)) | None => {}
                Some((fate, _)) => return fate,
            }
        }
        let code = |files: &[_]| self.model.optimised(&self.source(files), &self.spec).ok();
        let own = code(&self.files);
        if own.is_some() && own == code(&files) {
            return Fate::Equivalent;
        }
        match self.on_other_data(&program) {
            Some(fate) => fate,
            None if mutant.is_limit() || mutant.leaves_tail() => Fate::Idle,
            None if self.nobody_reads(mutant) => Fate::Idle,
            None => Fate::Survived,
        }
    }

    /// Whether nothing tells what a vector is filled with.
    fn nobody_reads(&self, fill: &Mutant) -> bool {
        let Some(other) = fill.filled_otherwise(&self.files[fill.file].1) else { return false };
        let Ok(program) = self.build(&self.with(&other)) else { return false };
        let (fate, _) = self.fate(&program, &limit(self.longest));
        fate == Fate::Survived && self.on_other_data(&program).is_none()
    }

    /// What tells a mutant from the port itself on a chip of one core, and on data that the reference
    /// knows nothing of.
    fn on_other_data(&self, mutant: &Executable) -> Option<Fate> {
        let own = self.own.get_or_init(|| Some(self.build(&self.files).ok()?.on_one_core()));
        let (own, mutant) = (own.as_ref()?, mutant.on_one_core());
        let options = limit(self.longest);
        for (index, (label, case, _)) in self.cases.iter().enumerate() {
            // What holds one value throughout is a place for results.
            let is_data = |tensor: &Tensor| {
                let first = (!tensor.is_empty()).then(|| tensor.bits(0));
                first.is_some_and(|first| (1..tensor.len()).any(|at| tensor.bits(at) != first))
            };
            let tensors = case.buffers.iter().enumerate();
            let data = tensors.filter(|(_, buffer)| is_data(&buffer.tensor));
            // One array at a time: what is no number everywhere hides what goes wrong.
            let changes: Vec<(usize, Change)> = Change::ALL
                .iter()
                .flat_map(|change| data.clone().map(move |(place, _)| (place, *change)))
                .filter(|(place, change)| change.suits(&case.buffers[*place].tensor))
                .collect();
            let count = changes.len().max(VARIANTS).min(changes.len() * 8);
            for variant in 0..=count {
                let mut other = case.clone();
                // The first has the data as they are.
                if let Some(variant) = variant.checked_sub(1) {
                    let (place, change) = changes[variant % changes.len()];
                    let mut random = Random::new((index as u64) << 16 | variant as u64);
                    change.make(&mut other.buffers[place].tensor, &mut random);
                }
                // What the port cannot do itself tells nothing.
                let Ok(before) = own.run(&other, &options) else { continue };
                if !before.violations.is_empty() {
                    continue;
                }
                let label = format!("{label}, other data {variant}");
                let after = match mutant.run(&other, &options) {
                    Ok(after) => after,
                    Err(error) => return Some(Fate::Ended(format!("{label}: {error}"))),
                };
                if let Some(violation) = after.violations.first() {
                    return Some(Fate::Rule(violation.rule.clone()));
                }
                let pairs = before.result.outputs.iter().zip(&after.result.outputs);
                for ((name, left), (_, right)) in pairs {
                    if left.bytes() != right.bytes() {
                        return Some(Fate::Result(format!("{label}: {name}")));
                    }
                }
            }
        }
        None
    }
}

/// The fewest sets of other data for each case, where it has data.
const VARIANTS: usize = 24;

/// What is done to an array: values that tell.
#[derive(Clone, Copy, Debug)]
enum Change {
    /// Few numbers, so that many are equal, and zeros.
    Few,
    /// Numbers that are there already at other places: ties of what a kernel expects.
    Copies,
    /// An element that is no number.
    Nan,
    /// One that is infinite.
    Infinity,
}

impl Change {
    const ALL: [Change; 4] = [Change::Few, Change::Copies, Change::Nan, Change::Infinity];

    /// Whether an array can hold it. Integers may be places in memory, so that only those are given
    /// that are there.
    fn suits(self, tensor: &Tensor) -> bool {
        tensor.dtype().is_float() || matches!(self, Change::Copies)
    }

    fn make(self, tensor: &mut Tensor, random: &mut Random) {
        let count = tensor.len();
        let at = random.below(count);
        match self {
            Change::Nan => tensor.set_f64(at, f64::NAN),
            Change::Infinity => {
                let sign = if random.below(2) == 0 { 1.0 } else { -1.0 };
                tensor.set_f64(at, sign * f64::INFINITY);
            }
            Change::Few => {
                (0..count).for_each(|at| tensor.set_f64(at, random.below(4) as f64 - 1.0))
            }
            Change::Copies => {
                let few: Vec<u64> = (0..4).map(|_| tensor.bits(random.below(count))).collect();
                for at in (0..count).filter(|_| random.below(2) == 0).collect::<Vec<_>>() {
                    tensor.set_bits(at, few[random.below(few.len())]);
                }
            }
        }
    }
}

/// (file, line) of each error of a compiler's output.
fn error_places(output: &str) -> BTreeSet<(String, u32)> {
    let error = |line: &str| {
        let (place, _) = line.split_once(" error: ").or_else(|| line.split_once(" note: "))?;
        let mut words = place.trim_end_matches(':').rsplitn(3, ':');
        let (_, number) = (words.next()?, words.next()?);
        let file = words.next()?.rsplit('/').next()?;
        Some((file.to_owned(), number.parse().ok()?))
    };
    output.lines().filter_map(error).collect()
}

/// The device code of a port's file: the kernels' namespace of the root, all of the code for kernels
/// beside it.
fn device_code(path: &str, text: &str) -> Option<Range<usize>> {
    if path.ends_with("_lanes.h") {
        return Some(0..text.len());
    }
    let end = text.rfind("}  // namespace ").filter(|_| text.contains("_kernels {"));
    let start = text.find("_kernels {")?;
    Some(start..end?).filter(|range| range.start < range.end)
}

/// Where a statement starts, and where it ends if it is the body of a head; 0 if it stands alone,
/// [`CONDITION`] if it is the condition of a head.
type Place = (usize, usize);

const CONDITION: usize = 1;

/// A bracket that is open somewhere: its place, and whether statements stand in it.
#[derive(Clone, Copy)]
struct Scope {
    end: usize,
    start: usize,
    statements: bool,
}

/// All brackets of a text without comments, in the order of their starts. Statements stand in braces
/// after a parenthesis, another statement or a word that a statement follows.
fn scopes(plain: &str) -> Vec<Scope> {
    let bytes = plain.as_bytes();
    let (mut open, mut found): (Vec<usize>, Vec<Scope>) = (Vec::new(), Vec::new());
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'(' | b'[' | b'{' => {
                let before = plain[..at].trim_end();
                let word = ["else", "do", "const", "try", "mutable", "noexcept", "override"];
                let statements = *byte == b'{'
                    && (before.ends_with([')', ';', '{', '}'])
                        || word.iter().any(|word| before.ends_with(word)));
                open.push(found.len());
                found.push(Scope { start: at, end: bytes.len(), statements });
            }
            b')' | b']' | b'}' => {
                if let Some(of) = open.pop() {
                    found[of].end = at;
                }
            }
            _ => {}
        }
    }
    found
}

/// Where a probe tells that the statement around a byte is executed.
fn probe_at(plain: &str, scopes: &[Scope], at: usize) -> Option<Place> {
    let bytes = plain.as_bytes();
    let around = |scope: &&Scope| scope.start < at && at < scope.end;
    let inner = scopes.iter().rev().find(|scope| around(scope) && scope.statements)?;
    // Its statements: what brackets in it hold is skipped.
    let mut start = inner.start + 1;
    let mut next = scopes.partition_point(|scope| scope.start <= inner.start);
    let mut byte = start;
    while byte < at {
        match scopes.get(next) {
            Some(scope) if scope.start == byte => {
                if scope.end >= at {
                    break;
                }
                byte = scope.end;
                if scope.statements {
                    start = byte + 1;
                }
                next = scopes.partition_point(|other| other.start <= byte);
            }
            _ if bytes[byte] == b';' => start = byte + 1,
            _ => {}
        }
        byte += 1;
    }
    let skip = |from: usize| {
        from + bytes[from..].iter().take_while(|byte| byte.is_ascii_whitespace()).count()
    };
    start = skip(start);
    let mut is_body = false;
    loop {
        let rest = &plain[start..at.max(start)];
        let head = ["if constexpr (", "if (", "for (", "while ("];
        if let Some(word) = head.iter().find(|word| plain[start..].starts_with(**word)) {
            let open = start + word.len() - 1;
            let end = scopes.iter().find(|scope| scope.start == open)?.end;
            if end >= at {
                return match (is_body, *word) {
                    (false, _) => Some((start, 0)),
                    (true, "if (" | "while (") => Some((open + 1, CONDITION)),
                    _ => None,
                };
            }
            start = skip(end + 1);
            is_body = true;
        } else if rest.starts_with("else ") {
            start = skip(start + 5);
            is_body = true;
        } else if rest.starts_with("case ") || rest.starts_with("default:") {
            start = skip(start + rest.find(':')? + 1);
        } else {
            break;
        }
        if start > at {
            return None;
        }
    }
    if plain[start..].starts_with("else") || plain[start..].starts_with("using ") {
        return None;
    }
    match is_body {
        false => Some((start, 0)),
        // Up to the semicolon outside brackets.
        true => {
            let mut byte = start;
            while bytes.get(byte)? != &b';' {
                if matches!(bytes[byte], b'(' | b'[' | b'{') {
                    byte = scopes.iter().find(|scope| scope.start == byte)?.end;
                }
                byte += 1;
            }
            Some((start, byte + 1))
        }
    }
}

/// Where the second operand of a choice begins that a byte is in: it may not be computed where its
/// statement is executed.
fn operand_at(plain: &str, at: usize) -> Option<usize> {
    let bytes = plain.as_bytes();
    let (mut closed, mut others) = (0, 0);
    for place in (0..at).rev() {
        match bytes[place] {
            b';' | b'{' | b'}' => return None,
            b')' | b']' => closed += 1,
            b'(' | b'[' if closed > 0 => closed -= 1,
            b'(' | b'[' => others = 0,
            _ if closed > 0 => {}
            b':' if place == 0 || (bytes[place - 1] != b':' && bytes[place + 1] != b':') => {
                others += 1
            }
            b'?' if others > 0 => others -= 1,
            b'?' => return Some(place + 1),
            _ => {}
        }
    }
    None
}

fn statement_start(plain: &str, at: usize) -> usize {
    let ends = |byte: &u8| matches!(byte, b';' | b'{' | b'}');
    let bytes = plain.as_bytes();
    let begin = bytes[..at].iter().rposition(ends).map_or(0, |end| end + 1);
    begin + bytes[begin..at].iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

fn faults(file: usize, text: &str, device: Range<usize>) -> Vec<Mutant> {
    let plain = plain(text);
    let mut found = Vec::new();
    let mut plant = |kind: Kind, range: Range<usize>, replacement: String| {
        let line = super::text::line_of(text, range.start);
        let from = text[range.clone()].split_whitespace().collect::<Vec<_>>().join(" ");
        let description = format!("`{from}` becomes `{}`", replacement.trim());
        let start = text[..range.start].rfind('\n').map_or(0, |at| at + 1);
        let whole = text[start..].lines().next().unwrap_or_default().trim().to_owned();
        found.push(Mutant { kind, line, description, text: whole, file, range, replacement });
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
    for at in places("sizeof(T)") {
        for other in ["uint8_t", "uint64_t"] {
            plant(Kind::Type, at..at + "sizeof(T)".len(), format!("sizeof({other})"));
        }
    }
    for (name, others, narrower) in TYPES {
        for at in places(name) {
            let range = at..at + name.len();
            match type_use(&plain, range.clone()) {
                Some(TypeUse::Bits) => {
                    others.iter().for_each(|o| plant(Kind::Type, range.clone(), (*o).to_owned()))
                }
                Some(TypeUse::Value) => plant(Kind::Type, range, (*narrower).to_owned()),
                None => {}
            }
        }
    }
    found
}

/// What a type's name is there for.
enum TypeUse {
    /// How bits are read or how many they are.
    Bits,
    /// What a value becomes.
    Value,
}

/// Of a type's name in a conversion, in `sizeof` or as the first argument of a function template that is
/// called there; none of one that declares something.
fn type_use(plain: &str, range: Range<usize>) -> Option<TypeUse> {
    let mut before = &plain[..range.start];
    while let Some(word) = ["const ", "__gm__ ", "__ubuf__ "].iter().find(|w| before.ends_with(**w))
    {
        before = &before[..before.len() - word.len()];
    }
    let after = &plain[range.end..];
    if before.ends_with("sizeof(") {
        return after.starts_with(')').then_some(TypeUse::Bits);
    }
    if after.starts_with('(') {
        let is_value = before.ends_with(['(', ' ', '-', '!', '~', '*', ',', '[']);
        return is_value.then_some(TypeUse::Value);
    }
    let head = before.strip_suffix('<')?;
    let end = after.find(['<', '>', ';', '(']).filter(|end| after[*end..].starts_with(">("))?;
    match (head.ends_with("static_cast"), after[..end].contains('*')) {
        (true, false) => Some(TypeUse::Value),
        _ => Some(TypeUse::Bits),
    }
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
    fn a_choice_computes_one_operand() {
        let text = "x = f(1 + 2) ? a::b - (3 + c) : d + 4;";
        let after = text.find('?').map(|at| at + 1);
        assert_eq!(operand_at(text, text.find("- (").expect("minus")), after);
        assert_eq!(operand_at(text, text.find("+ c").expect("plus")), after);
        assert_eq!(operand_at(text, text.find("+ 2").expect("plus")), None);
        assert_eq!(operand_at(text, text.find("+ 4").expect("plus")), None);
    }

    #[test]
    fn calls_are_left_out_with_their_statement_and_heads_stay() {
        let text = "x_kernels {\nif (a) q.FreeTensor(t);\nSetFlag<e>(i);\n// SetFlag<f>(i);\n}  // namespace x_kernels";
        let device = device_code("x.asc", text).expect("device code");
        let found: Vec<(Kind, u32, String)> =
            faults(0, text, device).into_iter().map(|m| (m.kind, m.line, m.description)).collect();
        assert_eq!(
            found,
            [
                (Kind::Queue, 2, "`q.FreeTensor(t);` becomes `;`".to_owned()),
                (Kind::Order, 3, "`SetFlag<e>(i);` becomes `;`".to_owned()),
            ]
        );
    }

    #[test]
    fn a_vector_is_filled_with_another_value() {
        let text = "x_kernels {\nDuplicate(a[f(1, 2)], static_cast<float>(-1), n);\n}  // namespace x_kernels";
        let device = device_code("x.asc", text).expect("device code");
        let found = faults(0, text, device);
        let fill = found.iter().find(|mutant| mutant.kind == Kind::Padding).expect("a fill");
        let other = fill.filled_otherwise(text).expect("another value");
        assert_eq!(
            other.replacement,
            "Duplicate(a[f(1, 2)], decltype(static_cast<float>(-1))(41), n);"
        );
    }

    #[test]
    fn types_are_exchanged_where_they_are_used_and_not_where_they_declare() {
        let text = "x_kernels {\nLocalTensor<half> a = b.ReinterpretCast<int16_t>();\nf(x, sizeof(float), int64_t(i));\n\
            auto c = reinterpret_cast<__gm__ half*>(g) + static_cast<uint32_t>(n);\n}  // namespace x_kernels";
        let device = device_code("x.asc", text).expect("device code");
        let mut found: Vec<(u32, String)> =
            faults(0, text, device).into_iter().map(|m| (m.line, m.description)).collect();
        found.sort();
        let expected = [
            (2, "`int16_t` becomes `half`"),
            (2, "`int16_t` becomes `int32_t`"),
            (3, "`float` becomes `half`"),
            (3, "`float` becomes `int32_t`"),
            (3, "`int64_t` becomes `int8_t`"),
            (4, "`half` becomes `bfloat16_t`"),
            (4, "`half` becomes `float`"),
            (4, "`uint32_t` becomes `uint8_t`"),
        ];
        assert_eq!(found, expected.map(|(line, what)| (line, what.to_owned())));
    }
}
