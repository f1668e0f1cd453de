//! Every kernel of `kernels/`, to every target: what is written is reviewed (snapshots), accounted
//! for (each hunk has a reason), accepted by the real compiler, and executed.
//!
//! A test reads `kernel::target::property`. One that needs a compiler which is not installed is
//! listed as ignored, with the tool's name; `cargo xtask setup` installs them all.

#![allow(clippy::disallowed_methods, reason = "the tests read the kernels and run compilers")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use libtest_mimic::{Arguments, Failed, Trial};
use port::{FileRole, Options, Severity, Target, Translation, WarpMode};
use port_check::metrics;
use port_check::oracle::{Executable, Language, Order, RunOptions, Source};
use port_diag::render::human;
use port_diag::{FileId, SourceMap};
use port_tests::all_flavours;
use port_tests::compilers::{HipHeaders, HipJob, HipStage, Tools};
use port_tests::kernels::{self, Kernel};
use port_tests::originals;
use port_tests::reference::reference;

/// What every HIP port must compile for.
const ARCHITECTURES: [&str; 4] = ["gfx906", "gfx90a", "gfx942", "gfx1030"];
const HEADERS: [HipHeaders; 2] = [HipHeaders::V5_2, HipHeaders::V7_1];

fn main() {
    let arguments = Arguments::from_args();
    let tools = Arc::new(Tools::locate());
    let mut trials = Vec::new();
    for (index, kernel) in kernels::all().into_iter().enumerate() {
        let kernel = Arc::new(kernel);
        let trial = |name: &str, test: fn(&Kernel) -> Result<(), Failed>| {
            let shared = kernel.clone();
            Trial::test(format!("{}::{name}", kernel.name), move || test(&shared))
        };
        trials.push(trial("ir", ir_snapshot));
        trials.push(trial("hip::text", hip_snapshot));
        trials.push(trial("hip::native::text", hip_native_snapshot));
        trials.push(trial("hip::reasons", every_hunk_has_a_reason));
        trials.push(trial("hip::executed", executed_like_the_original));
        for headers in HEADERS {
            for (place, architecture) in ARCHITECTURES.into_iter().enumerate() {
                let Some(how) = Compilation::of(index, place, headers) else { continue };
                let (shared, tools) = (kernel.clone(), tools.clone());
                let missing = tools.missing_for_hip(headers);
                let name =
                    format!("{}::hip::compiled::{architecture}::{}", kernel.name, headers.name());
                let trial = Trial::test(name, move || {
                    compiled(&shared, &tools, architecture, headers, how)
                });
                trials.push(match missing.is_empty() {
                    true => trial,
                    false => trial
                        .with_ignored_flag(true)
                        .with_kind(format!("needs {}", missing.join(", "))),
                });
            }
        }
    }
    libtest_mimic::run(&arguments, port_tests::in_turns(trials)).exit();
}

/// The HIP port of a kernel, made once for all its tests.
fn hip(kernel: &Kernel) -> Arc<Port> {
    static PORTS: Mutex<BTreeMap<String, Arc<OnceLock<Arc<Port>>>>> = Mutex::new(BTreeMap::new());
    let place = {
        let mut ports = PORTS.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        ports.entry(kernel.name.clone()).or_default().clone()
    };
    place.get_or_init(|| Arc::new(port(kernel, WarpMode::Logical32))).clone()
}

struct Port {
    sources: SourceMap,
    root: FileId,
    translation: Translation,
    ir: String,
}

fn port(kernel: &Kernel, warp: WarpMode) -> Port {
    let (sources, root) = kernel.load();
    let options = Options { warp, ..Options::default() };
    let target: Target = "hip".parse().expect("hip is a target");
    let (translation, ir) = {
        let analysis = port::Analysis::new(&sources, root, &options);
        (analysis.port(&target), analysis.ir_text(&one_instance_a_kernel(&analysis)))
    };
    Port { sources, root, translation, ir }
}

/// For review, one instance shows a kernel: that of `float` with the shortest name, else the first.
fn one_instance_a_kernel(analysis: &port::Analysis<'_>) -> Vec<String> {
    let mut shown: BTreeMap<String, String> = BTreeMap::new();
    for instance in analysis.instances() {
        let kernel = instance.split('<').next().unwrap_or(&instance).to_owned();
        let key = |name: &str| (!name.contains("float"), name.len());
        match shown.get(&kernel) {
            Some(known) if key(known) <= key(&instance) => {}
            _ => drop(shown.insert(kernel, instance)),
        }
    }
    shown.into_values().collect()
}

impl Port {
    /// The outputs with their paths relative to a folder that mirrors the workspace.
    fn files(&self) -> Vec<(PathBuf, &str)> {
        let root = PathBuf::from(&*self.sources.file(self.root).path);
        let files = self.translation.ported.files.iter().map(|file| {
            let path = match file.role {
                FileRole::Root => root.with_extension("hip"),
                FileRole::Header(id) => PathBuf::from(&*self.sources.file(id).path),
                FileRole::Generated(name) => root.with_file_name(name),
            };
            (path, &*file.text)
        });
        files.collect()
    }

    fn findings(&self) -> String {
        let findings = self.translation.ported.diagnostics.iter();
        let texts = findings.map(|d| human::render(&self.sources, d, human::Options::default()));
        texts.collect::<Vec<_>>().join("\n")
    }

    /// Everything a user gets: statuses, findings, and the files that differ from the input.
    fn review(&self) -> String {
        let mut text = String::new();
        for kernel in &self.translation.ported.kernels {
            text += &format!("{} {}{}\n", kernel.status.as_str(), kernel.name, kernel.instance);
        }
        text += &format!("\n{}", self.findings());
        for file in &self.translation.ported.files {
            let original = match file.role {
                FileRole::Root => self.root,
                FileRole::Header(id) => id,
                // The header is the same for every kernel; its pieces have tests of their own.
                FileRole::Generated(name) => {
                    text += &format!("\n=== {name}: {} lines\n", file.text.lines().count());
                    continue;
                }
            };
            let source = self.sources.file(original);
            text += &format!("\n=== {}\n", source.path);
            for change in &file.changes {
                let place = source.line_column(change.edit.span.start);
                let old = self.sources.text(change.edit.span);
                text += &format!(
                    "{}:{} {old:?} -> {:?} ({})\n",
                    place.line, place.column, change.edit.text, change.reason
                );
            }
        }
        text
    }
}

fn snapshot(kernel: &Kernel, kind: &str, text: &str) {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots").join(kind));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(kernel.name.replace('/', "__"), text));
}

/// Every instance in view is lowered whole, the IR is valid, and it prints and reads back as itself.
fn ir_snapshot(kernel: &Kernel) -> Result<(), Failed> {
    let (sources, root) = kernel.load();
    let options = Options::default();
    let analysis = port::Analysis::new(&sources, root, &options);
    let findings = analysis.findings();
    if let Some(finding) = findings.iter().find(|finding| finding.severity > Severity::Note) {
        return Err(human::render(&sources, finding, human::Options::default()).into());
    }
    port_ir::validate(analysis.ir()).map_err(|errors| format!("{:?}", errors.first()))?;
    let text = port_ir::print(analysis.ir(), &port_ir::PrintOptions::default());
    let read = port_ir::parse(&text, root).map_err(|error| format!("{error:?}"))?;
    if port_ir::print(&read, &port_ir::PrintOptions::default()) != text {
        return Err("the IR does not read back as it was printed".into());
    }
    snapshot(kernel, "ir", &hip(kernel).ir);
    Ok(())
}

fn hip_snapshot(kernel: &Kernel) -> Result<(), Failed> {
    snapshot(kernel, "hip", &hip(kernel).review());
    Ok(())
}

fn hip_native_snapshot(kernel: &Kernel) -> Result<(), Failed> {
    snapshot(kernel, "hip-native", &port(kernel, WarpMode::Native).review());
    Ok(())
}

/// Taking every change back gives the input, byte for byte; and every change names a row of the API
/// tables or a finding that exists.
fn every_hunk_has_a_reason(kernel: &Kernel) -> Result<(), Failed> {
    let port = hip(kernel);
    for file in &port.translation.ported.files {
        let original = match file.role {
            FileRole::Root => port.root,
            FileRole::Header(id) => id,
            FileRole::Generated(_) => continue,
        };
        let original = &port.sources.file(original).text;
        let mut rebuilt = String::new();
        let mut at = 0;
        let mut done = 0;
        for change in &file.changes {
            let range = change.edit.span.range();
            let kept = &original[done..range.start];
            if file.text.get(at..at + kept.len()) != Some(kept) {
                return Err(format!("text before {range:?} changed without a reason").into());
            }
            at += kept.len();
            if !file.text[at..].starts_with(&change.edit.text) {
                return Err(format!("the change at {range:?} is not in the text").into());
            }
            at += change.edit.text.len();
            rebuilt += kept;
            rebuilt += &original[range.clone()];
            done = range.end;
            let known = match change.reason {
                port::Reason::Row(name) => {
                    port_api::find(name).is_some() || port_api::header(name).is_some()
                }
                port::Reason::Finding(code) => port::explain(code).is_some(),
            };
            if !known {
                return Err(format!("{} is no row and no finding", change.reason).into());
            }
        }
        rebuilt += &original[done..];
        if rebuilt != **original || file.text[at..] != original[done..] {
            return Err("the text after the last change differs".into());
        }
    }
    Ok(())
}

/// HIP's header for the device pass on a chip, compiled once for all kernels.
fn precompiled_hip(
    tools: &Tools,
    architecture: &'static str,
    headers: HipHeaders,
) -> Result<PathBuf, Failed> {
    type Made = BTreeMap<(&'static str, HipHeaders), Result<PathBuf, String>>;
    static MADE: Mutex<Made> = Mutex::new(BTreeMap::new());
    // Kept with the build, and written again by every run.
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hip-headers");
    let mut made = MADE.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let path = made.entry((architecture, headers)).or_insert_with(|| {
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        tools.precompile_hip(architecture, headers, &folder).map_err(|failure| failure.to_string())
    });
    Ok(path.clone()?)
}

/// How a port is compiled for a chip against a header set. The newest headers see it for every other chip,
/// by turns, the old ones, which differ in names and types, for one by turns; code is made for one of
/// them.
/// `PORT_TEST_ALL_FLAVOURS=1` asks for code with every header set on every chip.
#[derive(Clone, Copy)]
struct Compilation {
    stage: HipStage,
    /// Half of a compilation is HIP's own header, which is compiled once for all kernels. On one chip
    /// the port is compiled as it is, with one header set or the other, which shows that it includes
    /// what it needs.
    precompiled: bool,
}

impl Compilation {
    /// The `place` is that of the chip in [`ARCHITECTURES`].
    fn of(kernel: usize, place: usize, headers: HipHeaders) -> Option<Compilation> {
        let newest = headers == HipHeaders::V7_1;
        let turn = |step: usize| (kernel / step) % ARCHITECTURES.len() == place;
        let (is_compiled, makes_code) = match (newest, all_flavours()) {
            (_, true) => (true, true),
            (true, false) => (kernel % 2 == place % 2, turn(1)),
            (false, false) => (turn(2), kernel.is_multiple_of(2)),
        };
        let stage = if makes_code { HipStage::Device } else { HipStage::DeviceCheck };
        let precompiled = place != 0 || newest != kernel.is_multiple_of(2);
        is_compiled.then_some(Compilation { stage, precompiled })
    }
}

fn compiled(
    kernel: &Kernel,
    tools: &Tools,
    architecture: &'static str,
    headers: HipHeaders,
    how: Compilation,
) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let port = hip(kernel);
    for (path, text) in port.files() {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(folder.path()))?;
        std::fs::write(path, text)?;
    }
    let source = folder.path().join(&*port.sources.file(port.root).path).with_extension("hip");
    let output = folder.path().join("kernel.co");
    let precompiled = match how.precompiled {
        true => Some(precompiled_hip(tools, architecture, headers)?),
        false => None,
    };
    let job = HipJob {
        source: &source,
        architecture,
        headers,
        stage: how.stage,
        include_folders: &[],
        extra: &["-Werror=return-type"],
        output: Some(&output),
        precompiled: precompiled.as_deref(),
    };
    tools.compile_hip(&job).map_err(|failure| Failed::from(failure.output))?;
    Ok(())
}

/// The port computes what the original computes, bit for bit: for every parameter set of the spec,
/// on waves of 32 and 64 lanes, and whatever the order in which threads run. Only where the original
/// itself gives other bits in another order (float atomics) do the reference's bounds decide.
fn executed_like_the_original(kernel: &Kernel) -> Result<(), Failed> {
    let oracle = originals::oracle()?;
    let spec = originals::spec(kernel)?;

    let port = hip(kernel);
    let path = |id: FileId| port.sources.file(id).path.to_string();
    let mut original =
        Source::new(Language::Cuda, &path(port.root), &port.sources.file(port.root).text);
    let mut ported: Option<Source> = None;
    for (file, (place, text)) in port.translation.ported.files.iter().zip(port.files()) {
        match (file.role, ported.take()) {
            (FileRole::Root, _) => {
                ported = Some(Source::new(Language::Hip, &place.to_string_lossy(), text));
            }
            (_, so_far) => {
                ported = so_far.map(|source| source.with_file(&place.to_string_lossy(), text));
            }
        }
        if let FileRole::Header(id) = file.role {
            original = original.with_file(&path(id), &port.sources.file(id).text);
        }
    }
    // The spec names instances as the CUDA text does.
    let mut ported = ported.ok_or("the port has no root")?;
    for launch in &spec.launches {
        let words = launch.kernel.split(|c: char| !c.is_alphanumeric() && c != '_');
        for word in words.filter(|word| !word.is_empty()) {
            let form = port_api::find(word).and_then(|row| row.hip_name());
            if let Some(form) = form.filter(|form| *form != word) {
                ported = ported.with_rename(word, form);
            }
        }
    }
    let original = oracle.build(&original, &spec).map_err(|e| e.to_string())?;
    let ported = oracle.build(&ported, &spec).map_err(|e| e.to_string())?;

    let mut compared = 0;
    for set in spec.parameter_sets() {
        let case = spec.case(&set).map_err(|_| format!("no case for {set:?}"))?;
        let bounds = reference(&kernel.name, &case).ok_or("the kernel has no reference")?;
        let options = |warp, order| RunOptions { warp, order, ..RunOptions::default() };
        let run = |program: &Executable, warp, order| {
            program.run(&case, &options(warp, order)).map_err(|e| Failed::from(e.to_string()))
        };
        let orders = [Order::Ascending, Order::Shuffled(7)];
        let originals = [run(&original, 32, orders[0])?, run(&original, 32, orders[1])?];
        for (order, expected) in orders.into_iter().zip(&originals) {
            for warp in [32, 64] {
                let actual = run(&ported, warp, order)?;
                for (name, expected) in &expected.outputs {
                    let place = format!("{name} at {set:?}, wave {warp}, {order:?}");
                    let actual = actual.output(name).ok_or_else(|| format!("{place}: missing"))?;
                    // Float atomics: the original itself depends on the order in which threads run.
                    let by_order = originals[0].output(name) != originals[1].output(name);
                    if by_order && (warp, order) != (32, Order::Ascending) {
                        let bound = bounds.iter().find(|bound| bound.name == *name);
                        let bound = bound.ok_or_else(|| format!("{place}: no reference"))?;
                        bound.check(actual).map_err(|mismatch| format!("{place}: {mismatch}"))?;
                    } else {
                        let comparison = metrics::compare(actual, expected)
                            .ok_or_else(|| format!("{place}: shapes or types differ"))?;
                        if !comparison.is_equal() {
                            let (first, ulp) = (comparison.first_mismatch, comparison.max_ulp);
                            return Err(format!("{place}: {first:?}, {ulp} ulp at most").into());
                        }
                    }
                    compared += expected.len();
                }
            }
        }
    }
    if compared == 0 {
        return Err("the spec compares nothing".into());
    }
    Ok(())
}
