//! Running a case on the SIMT machine: kernels by name, arguments as bytes, buffers and symbols in
//! and out, and faults as findings at the user's lines. Knows nothing of how results are judged.

use std::collections::{BTreeMap, BTreeSet};

use port::{DeviceCode, DeviceKernel};
use port_diag::{Diagnostic, Finding as _, Origin};
use port_float::Profile;
use port_ir::{Function, FunctionKind, Handle, Location, Module, Scalar, Space, Type};
use port_simt::{
    Access, Fault, FaultKind, FindingKind, Memory, Point, Program, Trace, Unsupported,
};

pub use port_simt::{Checks, Options, Schedule, TraceRequest};

use crate::arguments::{self, Binding};
use crate::machine_findings::*;
use crate::oracle::RunResult;
use crate::spec::{Argument, Case, Launch};
use crate::tensor::{DType, Tensor};

/// Kernels under one float profile.
pub struct Machine<'a> {
    code: &'a DeviceCode,
    profile: Profile,
    module: Module,
}

/// What a run of a case gave.
#[derive(Clone, Debug, Default)]
pub struct MachineRun {
    /// Outputs and what was printed, as the oracle gives them. Outputs that a launch failed to
    /// compute are among them, as far as they came.
    pub result: RunResult,
    /// What went wrong, each at its line, in the order of the launches.
    pub findings: Vec<Diagnostic>,
    /// Names of buffers and symbols that are not what the launches would have made them, because one
    /// did not end.
    pub incomplete: BTreeSet<String>,
    /// Accesses outside of the buffer that they began in.
    pub outside: Vec<Access>,
    /// Instructions executed.
    pub instructions: u64,
    /// What launches did, where that was traced.
    pub traces: Vec<LaunchTrace>,
}

impl MachineRun {
    /// Whether a launch used up its budget.
    pub fn has_no_end(&self) -> bool {
        self.findings.iter().any(|finding| finding.code == OutOfFuel::METADATA.code)
    }
}

/// What a launch did.
#[derive(Clone, Debug)]
pub struct LaunchTrace {
    /// Its place among the case's.
    pub launch: usize,
    /// The kernel in the module.
    pub function: Handle<Function>,
    /// Where something is noted.
    pub points: Vec<Point>,
    /// What was.
    pub trace: Trace,
    /// A digest of all buffers after it.
    pub memory: u64,
}

impl MachineRun {
    /// Whether every launch ran to its end.
    pub fn is_complete(&self) -> bool {
        self.incomplete.is_empty() && self.findings.is_empty()
    }
}

impl<'a> Machine<'a> {
    /// Prepares the kernels for a profile.
    pub fn new(code: &'a DeviceCode, profile: &Profile) -> Machine<'a> {
        let module = port_float::resolve(&code.module, profile);
        Machine { code, profile: profile.clone(), module }
    }

    /// The profile.
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The module as it is run.
    pub(crate) fn module(&self) -> &Module {
        &self.module
    }

    /// Runs the launches of a case in order. A launch that fails is reported; later ones run unless
    /// they need its buffers.
    pub fn run(&self, case: &Case, options: &Options) -> MachineRun {
        self.run_launches(case, options, |_| None, Program::new, false)
    }

    /// As [`Machine::run`], with the outputs that the same computation gives if nothing is rounded until
    /// it ends: each float carries a twin in double-double, through memory too, while control flow is
    /// that of the profile.
    pub fn run_exact(&self, case: &Case, options: &Options) -> MachineRun {
        self.run_launches(case, options, |_| None, Program::twinned, true)
    }

    /// As [`Machine::run`]; `request` says what to trace of each launch, by its place.
    pub fn run_traced(
        &self,
        case: &Case,
        options: &Options,
        request: impl Fn(usize) -> Option<TraceRequest>,
    ) -> MachineRun {
        self.run_launches(case, options, request, Program::traced, false)
    }

    fn run_launches(
        &self,
        case: &Case,
        options: &Options,
        request: impl Fn(usize) -> Option<TraceRequest>,
        compile: impl Fn(&Module, Handle<Function>, &Profile) -> Result<Program, Unsupported>,
        twins: bool,
    ) -> MachineRun {
        let mut run = MachineRun::default();
        let mut memory = Memory::new();
        let ids: Vec<_> = case
            .buffers
            .iter()
            .map(|buffer| memory.add(&buffer.name, buffer.tensor.bytes().to_vec()))
            .collect();
        for symbol in &case.symbols {
            let name = self.symbol_name(&symbol.name);
            memory.set_symbol(name, symbol.tensor.bytes().to_vec());
        }
        let mut programs: BTreeMap<usize, Result<Program, Box<Diagnostic>>> = BTreeMap::new();
        for (index, launch) in case.launches.iter().enumerate() {
            if launch.grid.contains(&0) {
                continue;
            }
            let touched = buffers_of(&launch.arguments, case);
            if touched.iter().any(|name| run.incomplete.contains(name)) {
                run.incomplete.extend(touched);
                continue;
            }
            let outcome = find_kernel(self.code, &launch.kernel).and_then(|(kernel, handle)| {
                let program = programs.entry(handle.index()).or_insert_with(|| {
                    compile(&self.module, handle, &self.profile)
                        .map_err(|problem| Box::new(self.cannot_run(kernel, &problem)))
                });
                let program = program.as_ref().map_err(|problem| vec![(**problem).clone()])?;
                let options = &Options { trace: request(index), ..options.clone() };
                let mut ended =
                    self.launch(program, handle, kernel, launch, case, &ids, &mut memory, options)?;
                if let Some(trace) = ended.outcome.trace.take() {
                    let points = program.points().to_vec();
                    let memory = digest(ids.iter().map(|id| memory.bytes(*id)));
                    let function = handle;
                    run.traces.push(LaunchTrace { launch: index, function, points, trace, memory });
                }
                Ok(ended)
            });
            match outcome {
                Ok(outcome) => {
                    self.collect(&mut run, launch, &outcome.outcome);
                    run.outside.extend(outcome.outside);
                    if let Some(finding) = outcome.fault {
                        run.findings.push(finding);
                        self.taint(&mut run, case, touched);
                    }
                }
                Err(findings) => {
                    run.findings.extend(findings);
                    self.taint(&mut run, case, touched);
                }
            }
        }
        for (buffer, id) in case.buffers.iter().zip(&ids).filter(|(buffer, _)| buffer.output) {
            let exact = if twins { exact_bytes(&memory, *id, &buffer.tensor) } else { None };
            let bytes = exact.as_deref().unwrap_or(memory.bytes(*id));
            push_output(&mut run, &buffer.name, &buffer.tensor, bytes);
        }
        for symbol in case.symbols.iter().filter(|symbol| symbol.output) {
            let id = memory.symbol(&self.symbol_name(&symbol.name));
            let exact = id.filter(|_| twins);
            let exact = exact.and_then(|id| exact_bytes(&memory, id, &symbol.tensor));
            let bytes = id.map_or(symbol.tensor.bytes(), |id| memory.bytes(id));
            let bytes = exact.as_deref().unwrap_or(bytes);
            push_output(&mut run, &symbol.name, &symbol.tensor, bytes);
        }
        run
    }

    /// What a failed launch would have written is not known; it may have written any symbol.
    fn taint(&self, run: &mut MachineRun, case: &Case, touched: Vec<String>) {
        run.incomplete.extend(touched);
        let symbols = case.symbols.iter().filter(|symbol| symbol.output);
        run.incomplete.extend(symbols.map(|symbol| symbol.name.clone()));
    }

    /// The module's name of a symbol of the spec.
    fn symbol_name(&self, name: &str) -> String {
        let name = name.trim_start_matches("::");
        let names = || self.module.variables.iter().map(|(_, variable)| &variable.name);
        let inner = format!("::{name}");
        let found = names().find(|known| *known == name).or_else(|| {
            let mut inside = names().filter(|known| known.ends_with(&inner));
            inside.next().filter(|_| inside.next().is_none())
        });
        found.cloned().unwrap_or_else(|| name.to_owned())
    }

    #[allow(clippy::too_many_arguments, reason = "what a launch is")]
    fn launch(
        &self,
        program: &Program,
        handle: Handle<Function>,
        kernel: &DeviceKernel,
        launch: &Launch,
        case: &Case,
        ids: &[port_simt::BufferId],
        memory: &mut Memory,
        options: &Options,
    ) -> Result<Ended, Vec<Diagnostic>> {
        let function = &self.module.functions[handle];
        let types = &self.module.types;
        let mismatch = |problem: String| {
            let parameters = arguments::signature(types, function);
            let kernel_name = kernel.name.clone();
            let finding = ArgumentMismatch { kernel: kernel_name, problem, parameters };
            vec![finding.nowhere().in_kernel(&kernel.name)]
        };
        let count = function.parameters.len();
        if launch.arguments.len() != count {
            let (given, plural) = (launch.arguments.len(), if count == 1 { "" } else { "s" });
            return Err(mismatch(format!(
                "`{}` takes {count} argument{plural}, {given} given",
                kernel.name
            )));
        }
        if let FunctionKind::Kernel(bounds) = &function.kind
            && let Some(most) = bounds.max_threads
        {
            let threads: u64 = launch.block.iter().map(|extent| u64::from(*extent)).product();
            if threads > u64::from(most) {
                let what =
                    format!("a block of {threads} threads; its `__launch_bounds__` say {most}");
                let finding = InvalidLaunch { kernel: kernel.name.clone(), what };
                let at = function_place(&self.module, handle);
                return Err(vec![self.place(finding, kernel, None, at)]);
            }
        }
        let binding = Binding { types, case, ids, memory };
        let mut arguments = Vec::new();
        for (index, (parameter, argument)) in
            function.parameters.iter().zip(&launch.arguments).enumerate()
        {
            let value = binding.argument(parameter, argument);
            let name = arguments::parameter_name(parameter, index);
            arguments.push(value.map_err(|problem| mismatch(format!("`{name}`: {problem}")))?);
        }
        let machine_launch = port_simt::Launch {
            grid: launch.grid,
            block: launch.block,
            cluster: None,
            dynamic_shared: u64::from(launch.shared),
            arguments,
        };
        match program.run(memory, &machine_launch, options) {
            Ok(outcome) => Ok(Ended { outcome, fault: None, outside: None }),
            Err(fault) => {
                let finding = self.fault(kernel, handle, &fault, options);
                let outside = match fault.kind {
                    FaultKind::OutOfBounds(access) => Some(access),
                    _ => None,
                };
                Ok(Ended { outcome: fault.outcome, fault: Some(finding), outside })
            }
        }
    }

    fn collect(&self, run: &mut MachineRun, launch: &Launch, outcome: &port_simt::Outcome) {
        run.result.stdout.push_str(&String::from_utf8_lossy(&outcome.printed));
        run.instructions += outcome.counters.instructions;
        let Ok((kernel, handle)) = find_kernel(self.code, &launch.kernel) else { return };
        for finding in &outcome.findings {
            run.findings.push(self.finding(kernel, handle, finding));
            if let FindingKind::OutOfBounds(access) = &finding.kind {
                run.outside.push(access.clone());
            }
        }
    }

    fn cannot_run(&self, kernel: &DeviceKernel, problem: &port_simt::Unsupported) -> Diagnostic {
        let what = match problem.code.as_str() {
            "" => problem.what.clone(),
            code => format!("{} ({code})", problem.what),
        };
        self.place(CannotRun { kernel: kernel.name.clone(), what }, kernel, None, problem.location)
    }

    /// A finding at a statement, with the calls that inlining took away.
    fn place(
        &self,
        finding: impl port_diag::Finding,
        kernel: &DeviceKernel,
        handle: Option<Handle<Function>>,
        location: Option<Location>,
    ) -> Diagnostic {
        let Some(location) = location else { return finding.nowhere().in_kernel(&kernel.name) };
        let mut diagnostic = finding.at(location.origin, &self.code.expansions);
        let function = handle.and_then(|handle| self.module.functions.get(handle));
        let mut next = location.inlined;
        // Longer chains say no more.
        for _ in 0..8 {
            let Some(frame) = next.zip(function).and_then(|(f, of)| of.inlined.get(f)) else {
                break;
            };
            let span = self.code.expansions.outermost(frame.call.origin);
            diagnostic = diagnostic.with_label(span, format!("in this call of `{}`", frame.callee));
            next = frame.call.inlined;
        }
        diagnostic.in_kernel(&kernel.name)
    }

    fn span(&self, origin: Origin) -> port_diag::Span {
        self.code.expansions.outermost(origin)
    }

    fn fault(
        &self,
        kernel: &DeviceKernel,
        handle: Handle<Function>,
        fault: &Fault,
        options: &Options,
    ) -> Diagnostic {
        let who = thread_text(fault.block, fault.thread, fault.threads);
        let at = |diagnostic: Diagnostic| diagnostic;
        let (handle, location) = (Some(handle), fault.location);
        match &fault.kind {
            FaultKind::OutOfBounds(access) => {
                let finding = OutOfBounds { access: access_text(access), who };
                at(self.place(finding, kernel, handle, location))
            }
            FaultKind::Assertion(what) => {
                let what = format!("assertion failed: {what}");
                self.place(KernelAbort { what, who }, kernel, handle, location)
            }
            FaultKind::Trap => {
                let what = "the kernel trapped".to_owned();
                self.place(KernelAbort { what, who }, kernel, handle, location)
            }
            FaultKind::Fuel => {
                let who = if fault.block.is_some() { format!(", {who}") } else { String::new() };
                self.place(OutOfFuel { fuel: options.fuel, who }, kernel, handle, location)
            }
            FaultKind::MemoryLimit(bytes) => {
                self.place(OutOfMemory { bytes: *bytes }, kernel, handle, location)
            }
            FaultKind::StackOverflow => {
                let what = "its calls are nested too deep".to_owned();
                let finding = CannotRun { kernel: kernel.name.clone(), what };
                self.place(finding, kernel, handle, location)
            }
            FaultKind::Deadlock(what) => {
                self.place(Deadlock { what: what.clone(), who }, kernel, handle, location)
            }
            FaultKind::InvalidLaunch(what) => {
                let finding = InvalidLaunch { kernel: kernel.name.clone(), what: what.clone() };
                self.place(finding, kernel, handle, location)
            }
            FaultKind::Unsupported(what) => {
                let finding = CannotRun { kernel: kernel.name.clone(), what: what.clone() };
                self.place(finding, kernel, handle, location)
            }
        }
    }

    fn finding(
        &self,
        kernel: &DeviceKernel,
        handle: Handle<Function>,
        finding: &port_simt::Finding,
    ) -> Diagnostic {
        use port_simt::FindingKind;
        let who = &finding.who;
        let thread = thread_text(Some(who.block), Some(who.thread), finding.threads);
        let place = Some(who.location);
        let handle = Some(handle);
        match &finding.kind {
            FindingKind::OutOfBounds(access) => {
                let finding = OutOfBounds { access: access_text(access), who: thread };
                self.place(finding, kernel, handle, place)
            }
            FindingKind::Misaligned(access, align) => {
                let access = access_text(access);
                let finding = Misaligned { access, align: *align, who: thread };
                self.place(finding, kernel, handle, place)
            }
            FindingKind::Uninitialised(access) => {
                let finding = Uninitialised { access: access_text(access), who: thread };
                self.place(finding, kernel, handle, place)
            }
            FindingKind::Race(access) => self.race(kernel, handle, finding, access),
            FindingKind::DivergentBarrier { arrived, expected } => {
                let who = format!("block {}", triple(who.block));
                let finding = DivergentBarrier { arrived: *arrived, expected: *expected, who };
                self.place(finding, kernel, handle, place)
            }
            FindingKind::MissingLanes { mask, active } => {
                let (mask, active) = (format!("{mask:#x}"), format!("{active:#x}"));
                let finding = MissingLanes { mask, active, who: thread };
                self.place(finding, kernel, handle, place)
            }
            FindingKind::InactiveLane { lane } => {
                let finding = InactiveLane { lane: *lane, who: thread };
                self.place(finding, kernel, handle, place)
            }
            FindingKind::DivisionByZero => {
                self.place(DivisionByZero { who: thread }, kernel, handle, place)
            }
        }
    }

    fn race(
        &self,
        kernel: &DeviceKernel,
        handle: Option<Handle<Function>>,
        finding: &port_simt::Finding,
        access: &port_simt::Access,
    ) -> Diagnostic {
        let who = &finding.who;
        let other = finding.other.as_ref();
        let same_block = other.is_none_or(|other| other.block == who.block);
        let between = if same_block { "in a block" } else { "between blocks" }.to_owned();
        let person = |p: &port_simt::Participant| match same_block {
            true => format!("thread {}", triple(p.thread)),
            false => format!("thread {} of block {}", triple(p.thread), triple(p.block)),
        };
        let verb = |writes: bool| if writes { "writes" } else { "reads" };
        let mut text = format!("{} {} here", person(who), verb(who.writes));
        if let Some(other) = other {
            text = format!("{text}, {} {} it too", person(other), verb(other.writes));
        }
        if same_block {
            text = format!("{text} (block {})", triple(who.block));
        }
        let finding = DataRace { between, access: access_text(access), who: text };
        let diagnostic = self.place(finding, kernel, handle, Some(who.location));
        match other {
            Some(other) => {
                let label = format!("{} {} it here", person(other), verb(other.writes));
                diagnostic.with_label(self.span(other.location.origin), label)
            }
            None => diagnostic,
        }
    }
}

/// A digest of bytes.
fn digest<'b>(buffers: impl Iterator<Item = &'b [u8]>) -> u64 {
    use std::hash::{DefaultHasher, Hasher};
    let mut hasher = DefaultHasher::new();
    for bytes in buffers {
        hasher.write(bytes);
        hasher.write_usize(bytes.len());
    }
    hasher.finish()
}

fn function_place(module: &Module, handle: Handle<Function>) -> Option<Location> {
    module.functions.location(handle)
}

/// A launch that was run.
struct Ended {
    outcome: port_simt::Outcome,
    fault: Option<Diagnostic>,
    /// The access that was the fault.
    outside: Option<Access>,
}

/// The twins of a buffer's floats, rounded once to its type.
fn exact_bytes(memory: &Memory, id: port_simt::BufferId, initial: &Tensor) -> Option<Vec<u8>> {
    let scalar = match initial.dtype() {
        DType::F16 => Scalar::F16,
        DType::BF16 => Scalar::Bf16,
        DType::F32 => Scalar::F32,
        DType::F64 => Scalar::F64,
        _ => return None,
    };
    let values: Vec<f64> = memory.twins(id, scalar)?.into_iter().map(|(hi, _)| hi).collect();
    Some(Tensor::from_f64(initial.dtype(), &values).bytes().to_vec())
}

fn push_output(run: &mut MachineRun, name: &str, initial: &Tensor, bytes: &[u8]) {
    // A symbol may be larger in the module than the spec knows.
    let own = bytes.get(..initial.bytes().len()).unwrap_or(initial.bytes());
    if let Some(tensor) = Tensor::from_bytes(initial.dtype(), initial.shape(), own.to_vec()) {
        run.result.outputs.push((name.to_owned(), tensor));
    }
}

/// The kernel that a spec's text names, and its function; findings where there is none that can run.
pub fn find_kernel<'c>(
    code: &'c DeviceCode,
    text: &str,
) -> Result<(&'c DeviceKernel, Handle<Function>), Vec<Diagnostic>> {
    let found = code.kernels_named(text);
    let kernel = match found[..] {
        [kernel] => kernel,
        [] => return Err(unknown(code, text)),
        _ => {
            let names: Vec<&str> = found.iter().map(|kernel| kernel.name.as_str()).collect();
            let finding = AmbiguousKernel {
                name: text.to_owned(),
                instances: names.join("; "),
                first: names[0].to_owned(),
            };
            return Err(vec![finding.nowhere()]);
        }
    };
    match kernel.function {
        Some(function) if kernel.codes.is_empty() => Ok((kernel, function)),
        _ => {
            let mut findings = code.errors_of(kernel);
            let codes = kernel.codes.join(", ");
            let what = if codes.is_empty() { "it was not translated".into() } else { codes };
            let finding = CannotRun { kernel: kernel.name.clone(), what };
            findings.push(finding.nowhere().in_kernel(&kernel.name));
            Err(findings)
        }
    }
}

fn unknown(code: &DeviceCode, text: &str) -> Vec<Diagnostic> {
    // Arguments that do not fit a template have a finding of their own, which says why.
    let asked = |d: &&Diagnostic| d.primary.is_none() && d.message.contains(text);
    let mut findings: Vec<Diagnostic> = code.diagnostics.iter().filter(asked).cloned().collect();
    let plain = port::plain_name(text);
    let known =
        code.names.iter().any(|name| name == plain || name.rsplit("::").next() == Some(plain));
    if known && !findings.is_empty() {
        return findings;
    }
    let mut names: Vec<&str> = code.names.iter().map(String::as_str).collect();
    let more = names.len().saturating_sub(16);
    names.truncate(16);
    let mut candidates = match names.is_empty() {
        true => "the file and its headers define no kernel".to_owned(),
        false => format!("the kernels are: {}", names.join(", ")),
    };
    if known {
        candidates = format!("it is a template: name an instance, such as '{plain}<float>'");
    } else if more > 0 {
        candidates = format!("{candidates} and {more} more");
    }
    findings.push(UnknownKernel { name: text.to_owned(), candidates }.nowhere());
    findings
}

/// The names of the buffers among arguments.
pub(crate) fn buffers_of(arguments: &[Argument], case: &Case) -> Vec<String> {
    let mut names = Vec::new();
    for argument in arguments {
        match argument {
            Argument::Buffer { index, .. } => {
                names.extend(case.buffers.get(*index).map(|buffer| buffer.name.clone()));
            }
            Argument::Struct(fields) => {
                let fields: Vec<Argument> = fields.iter().map(|(_, field)| field.clone()).collect();
                names.extend(buffers_of(&fields, case));
            }
            Argument::Null | Argument::Integer(_) | Argument::Real(_) => {}
        }
    }
    names
}

/// The buffers that a launch may write, by the kernel's parameters: pointers to what is not const.
pub fn written_by<'c>(code: &DeviceCode, launch: &Launch, case: &'c Case) -> Vec<&'c str> {
    let Ok((_, handle)) = find_kernel(code, &launch.kernel) else { return Vec::new() };
    let function = &code.module.functions[handle];
    let mut names = Vec::new();
    for (parameter, argument) in function.parameters.iter().zip(&launch.arguments) {
        let pointer = matches!(parameter.ty, Type::Pointer(Space::Global | Space::Generic));
        if pointer && parameter.attributes.read_only {
            continue;
        }
        for name in buffers_of(std::slice::from_ref(argument), case) {
            names.extend(case.buffers.iter().map(|b| b.name.as_str()).find(|known| *known == name));
        }
    }
    names
}

fn triple([x, y, z]: [u32; 3]) -> String {
    match (y, z) {
        (0, 0) => x.to_string(),
        _ => format!("({x}, {y}, {z})"),
    }
}

/// "thread 3 of block 0 (and 4 more threads)".
fn thread_text(block: Option<[u32; 3]>, thread: Option<[u32; 3]>, threads: u32) -> String {
    let mut text = match (block, thread) {
        (Some(block), Some(thread)) => {
            format!("thread {} of block {}", triple(thread), triple(block))
        }
        (Some(block), None) => format!("block {}", triple(block)),
        _ => "before the first block".to_owned(),
    };
    match threads {
        0 | 1 => {}
        2 => text.push_str(" and 1 more thread"),
        more => text = format!("{text} and {} more threads", more - 1),
    }
    text
}

/// "writes 4 bytes at byte 400 of `x`, which has 400 bytes".
fn access_text(access: &port_simt::Access) -> String {
    let verb = if access.writes { "writes" } else { "reads" };
    let bytes = access.bytes;
    if access.object.is_empty() {
        let address = match access.address {
            0 => "the null pointer".to_owned(),
            address => format!("address {address:#x}, which belongs to no buffer"),
        };
        return format!("{verb} {bytes} bytes at {address}");
    }
    let (object, offset, size, space) = (&access.object, access.offset, access.size, access.space);
    format!("{verb} {bytes} bytes at byte {offset} of `{object}` ({space}, {size} bytes)")
}
