//! `port run`: executes the launches of a spec, or one given by flags, on the SIMT machine.

use std::fmt::Write;
use std::path::PathBuf;

use port_check::machine::{Checks, Machine, MachineRun, Options, Schedule, TraceRequest};
use port_check::traced::{self, Traced};
use port_check::{DType, Tensor, npy};
use port_diag::Diagnostic;
use port_diag::render::json;
use serde_json::{Value, json};

use crate::arguments::{CommonArguments, MessageFormat, RunArguments};
use crate::subject::{self, Refusal, Subject};
use crate::write::{self, Planned};
use crate::{CLEAN, FINDINGS, parallel, pipeline, print, print_error, report};

/// Values of an output that JSON shows; more are in the files of `--dump`.
const SHOWN_VALUES: usize = 64;

/// Events that a trace keeps, and those that are shown to people.
const MOST_EVENTS: usize = 1_000_000;
const SHOWN_EVENTS: usize = 200;

/// Runs the command; the exit status.
pub fn run(arguments: &RunArguments, common: &CommonArguments) -> Result<u8, String> {
    let profile = subject::profile(&arguments.profile)?;
    let profile = subject::with_warps(&profile, arguments.reading.warp);
    let options = machine_options(&arguments.machine)?;
    let options = Options { checks: checks(arguments.sanitize), ..options };
    // A panic is a defect of ours; it is said as one.
    let settings = parallel::Settings { jobs: std::num::NonZeroUsize::new(1), progress: None };
    let mut results = parallel::map(&[()], &settings, |()| {
        let data = &arguments.data;
        let subject = Subject::load(&arguments.input, &arguments.reading, data, &profile)?;
        let machine = Machine::new(&subject.code, &profile);
        let Some(line) = arguments.trace else {
            let run = machine.run(&subject.case, &options);
            return Ok((subject, run, Vec::new()));
        };
        let (block, thread) = arguments.trace_thread;
        let request = TraceRequest { block: Some(block), thread, limit: MOST_EVENTS };
        let run = machine.run_traced(&subject.case, &options, |_| Some(request));
        let (sources, root) = (&subject.unit.sources, subject.unit.root);
        let values = traced::at_line(&machine, &run, &subject.code, sources, root, line);
        Ok((subject, run, values))
    });
    let defect = |message: String| {
        let name = arguments.input.display().to_string();
        pipeline::defect(name, &message).to_string()
    };
    let result = match results.pop() {
        Some(Ok(result)) => result,
        Some(Err(message)) => return Err(defect(message)),
        None => return Err(defect("nothing was done".into())),
    };
    let (subject, run, values) = match result {
        Ok(done) => done,
        Err(Refusal::Usage(message)) => return Err(message),
        Err(Refusal::Findings(sources, findings)) => {
            subject::show(&sources, &findings, common)?;
            if common.message_format == MessageFormat::Json {
                let findings: Vec<Value> =
                    findings.iter().map(|finding| json::value(&sources, finding)).collect();
                let document = json!({
                    "schema": 1, "profile": profile.name(), "launches": [], "stdout": "",
                    "outputs": [], "diagnostics": findings,
                });
                print(&report::pretty(&document)?)?;
            }
            return Ok(FINDINGS);
        }
    };
    let files = dumped(arguments, &run)?;
    let sources = &subject.unit.sources;
    let mut findings: Vec<Diagnostic> = run.findings.clone();
    if common.verbose {
        findings.extend(subject.code.diagnostics.iter().cloned());
    }
    match common.message_format {
        MessageFormat::Json => {
            let mut document = document(&subject, &run, &findings, profile.name(), &files);
            if arguments.trace.is_some() {
                document["trace"] = values.iter().map(traced_json).collect();
            }
            print(&report::pretty(&document)?)?;
        }
        format => {
            if format == MessageFormat::Human {
                // As the kernel printed it; bytes that are no text are replaced.
                print(&run.result.stdout)?;
            }
            report::print_findings(sources, &findings, common)?;
            if !common.quiet && format == MessageFormat::Human {
                print_error(&summary(&run, &files));
                if let Some(line) = arguments.trace {
                    print_error(&trace_text(line, arguments.trace_thread, &values));
                }
            }
        }
    }
    Ok(if subject::has_errors(&run.findings) { FINDINGS } else { CLEAN })
}

/// What a line computed, for people.
fn trace_text(line: u32, (block, thread): (u64, u32), values: &[Traced]) -> String {
    let mut text = format!("line {line}, thread {thread} of block {block}:\n");
    if values.is_empty() {
        text.push_str("  nothing was computed there\n");
    }
    for value in values.iter().take(SHOWN_EVENTS) {
        let name = value.name.as_deref().unwrap_or("");
        let ty = value.scalar.map_or("", |scalar| scalar.name());
        let _ = writeln!(
            text,
            "  {:>4}  {:<18} {:<8} {ty:<5} {}  ({} threads)",
            value.column,
            value.what,
            name,
            value.text(),
            value.threads
        );
    }
    if values.len() > SHOWN_EVENTS {
        let _ = writeln!(
            text,
            "  … {} more; `--message-format json` lists them",
            values.len() - SHOWN_EVENTS
        );
    }
    text
}

fn traced_json(value: &Traced) -> Value {
    json!({
        "launch": value.launch,
        "column": value.column,
        "what": value.what,
        "name": value.name,
        "dtype": value.scalar.map(|scalar| scalar.name()),
        "value": value.text(),
        "bits": format!("{:#x}", value.bits),
        "threads": value.threads,
    })
}

/// All checks of the machine, or none.
pub fn checks(sanitize: bool) -> Checks {
    if sanitize { Checks::ALL } else { Checks::NONE }
}

/// The machine's options from flags.
pub fn machine_options(machine: &crate::arguments::MachineArguments) -> Result<Options, String> {
    // One thread runs several blocks at once, which is worth two or three threads that do not
    // (`cargo xtask bench simt`).
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if cores < 4 { 1 } else { cores };
    let schedule = schedule(&machine.schedule)?;
    Ok(Options { schedule, fuel: machine.fuel, threads, ..Options::default() })
}

fn schedule(text: &str) -> Result<Schedule, String> {
    match text {
        "in-order" => Ok(Schedule::InOrder),
        "reversed" => Ok(Schedule::Reversed),
        seed => seed.parse().map(Schedule::Seeded).map_err(|_| {
            format!("--schedule {text}: it is `in-order`, `reversed` or a number that shuffles")
        }),
    }
}

/// Writes the outputs as NumPy files; their paths, in the order of the outputs.
fn dumped(arguments: &RunArguments, run: &MachineRun) -> Result<Vec<PathBuf>, String> {
    let Some(folder) = &arguments.dump else { return Ok(Vec::new()) };
    let planned: Vec<Planned> = run
        .result
        .outputs
        .iter()
        .map(|(name, tensor)| Planned {
            path: folder.join(format!("{}.npy", name.replace("::", "__"))),
            bytes: npy::write(tensor),
            replace: false,
        })
        .collect();
    write::write_all(&planned, arguments.force, std::slice::from_ref(&arguments.input))?;
    Ok(planned.into_iter().map(|file| file.path).collect())
}

/// The outputs for people: a line each.
fn summary(run: &MachineRun, files: &[PathBuf]) -> String {
    let mut text = String::new();
    for (index, (name, tensor)) in run.result.outputs.iter().enumerate() {
        let _ = write!(text, "{}", describe(name, tensor));
        if run.incomplete.contains(name) {
            text.push_str("  (incomplete: a launch did not end)");
        }
        if let Some(file) = files.get(index) {
            let _ = write!(text, " -> {}", file.display());
        }
        text.push('\n');
    }
    text
}

/// `y: f32[4, 8]  0.5 1.25 … (min 0.5, max 2, mean 1.1)`.
fn describe(name: &str, tensor: &Tensor) -> String {
    let shape: Vec<String> = tensor.shape().iter().map(usize::to_string).collect();
    let mut text = format!("{name}: {}[{}]", tensor.dtype().name(), shape.join(", "));
    if tensor.is_empty() {
        return text + "  (empty)";
    }
    text.push(' ');
    for index in 0..tensor.len().min(8) {
        let _ = write!(text, " {}", element(tensor, index));
    }
    if tensor.len() <= 8 {
        return text;
    }
    let (mut low, mut high, mut sum, mut nans) = (f64::INFINITY, f64::NEG_INFINITY, 0.0, 0usize);
    for value in (0..tensor.len()).map(|index| tensor.get_f64(index)) {
        if value.is_nan() {
            nans += 1;
            continue;
        }
        low = low.min(value);
        high = high.max(value);
        sum += value;
    }
    let numbers = tensor.len() - nans;
    text.push_str(" …");
    if numbers > 0 {
        let mean = sum / numbers as f64;
        let _ = write!(text, " (min {}, max {}, mean {})", short(low), short(high), short(mean));
    }
    if nans > 0 {
        let _ = write!(text, " ({nans} NaN)");
    }
    text
}

fn short(value: f64) -> String {
    if value == 0.0 || (1e-4..1e7).contains(&value.abs()) {
        let text = format!("{value:.6}");
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        format!("{value:e}")
    }
}

/// An element with as many digits as tell it from its neighbours.
fn element(tensor: &Tensor, index: usize) -> String {
    match tensor.dtype() {
        DType::F64 => format!("{:?}", tensor.get_f64(index)),
        DType::F32 | DType::F16 | DType::BF16 => format!("{:?}", tensor.get_f64(index) as f32),
        DType::U64 => tensor.bits(index).to_string(),
        DType::Bool => (tensor.bits(index) != 0).to_string(),
        _ => tensor.get_i64(index).to_string(),
    }
}

/// An element as JSON; what JSON has no number for is a string.
fn json_element(tensor: &Tensor, index: usize) -> Value {
    match tensor.dtype() {
        DType::U64 => json!(tensor.bits(index)),
        DType::Bool => json!(tensor.bits(index) != 0),
        dtype if dtype.is_float() => {
            let value = tensor.get_f64(index);
            match value.is_finite() {
                true => json!(value),
                false => json!(value.to_string()),
            }
        }
        _ => json!(tensor.get_i64(index)),
    }
}

fn document(
    subject: &Subject,
    run: &MachineRun,
    findings: &[Diagnostic],
    profile: &str,
    files: &[PathBuf],
) -> Value {
    let outputs = run.result.outputs.iter().enumerate().map(|(index, (name, tensor))| {
        let shown = tensor.len().min(SHOWN_VALUES);
        let values: Vec<Value> = (0..shown).map(|at| json_element(tensor, at)).collect();
        let bits: Vec<String> = (0..shown)
            .map(|at| {
                format!("{:#0width$x}", tensor.bits(at), width = 2 + 2 * tensor.dtype().size())
            })
            .collect();
        json!({
            "name": name,
            "dtype": tensor.dtype().name(),
            "shape": tensor.shape(),
            "complete": !run.incomplete.contains(name),
            "values": values,
            "bits": bits,
            "truncated": shown < tensor.len(),
            "digest": format!("{:016x}", digest(tensor.bytes())),
            "file": files.get(index).map(|path| path.to_string_lossy().into_owned()),
        })
    });
    let outputs: Vec<Value> = outputs.collect();
    let launches: Vec<Value> = subject
        .case
        .launches
        .iter()
        .map(|launch| json!({"kernel": launch.kernel, "grid": launch.grid, "block": launch.block}))
        .collect();
    let sources = &subject.unit.sources;
    let findings: Vec<Value> =
        findings.iter().map(|finding| json::value(sources, finding)).collect();
    json!({
        "schema": 1,
        "profile": profile,
        "launches": launches,
        "stdout": run.result.stdout,
        "outputs": outputs,
        "instructions": run.instructions,
        "diagnostics": findings,
    })
}

/// FNV-1a: tells outputs apart that are too long to show.
fn digest(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}
