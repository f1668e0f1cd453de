//! A first spec for a file: a launch for each kernel that can run, with the grid, block and integers of
//! the file's own launch where host code says them, and buffers, sizes and seeds that are sensible until
//! a person has looked at them. The launches are run: buffers that they leave are made larger, outputs
//! are as large as what is written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use port::DeviceCode;
use port_diag::{Finding as _, SourceMap};
use port_float::Profile;
use port_ir::{
    ArgumentFact, Extent, Function, FunctionKind, Handle, LaunchFacts, Parameter, Range,
};
use port_ir::{Scalar, Type, Types};

use crate::arguments::{dtype_of, parameter_name, parameter_type};
use crate::machine::{Checks, Machine, MachineRun, Options};
use crate::machine_findings::OutOfFuel;
use crate::tensor::{DType, Tensor};
use crate::{Case, ParameterSet, Spec};

/// Elements of a buffer.
const ELEMENTS: u64 = 4096;
/// Threads of a block where nothing says how many.
const BLOCK: u64 = 256;
/// Largest block.
const MAX_BLOCK: u64 = 1024;
/// Most kernels that a spec is written for.
const KERNELS: usize = 200;
/// Instructions of a launch that is tried.
const TRY_FUEL: u64 = 500_000;
/// Instructions of all tries.
const TRIES_FUEL: u64 = 4_000_000;
/// A buffer that needs more bytes is left for a person.
const MOST_BYTES: u64 = 1 << 26;
/// All buffers together, in a try.
const TRY_MEMORY: u64 = 1 << 29;

/// A spec's text.
#[derive(Clone, Debug)]
pub struct Written {
    /// TOML.
    pub text: String,
    /// Launches in it.
    pub launches: usize,
}

/// The spec of a file whose kernels are `code`. `profile` is the arithmetic that its launches are tried
/// with.
pub fn spec_text(code: &DeviceCode, file: &str, profile: &Profile) -> Written {
    let mut sizes = Sizes::new();
    let mut problems = BTreeMap::new();
    let machine = Machine::new(code, profile);
    let attempt = |sizes: &Sizes| {
        let case = case_of(&write(code, file, sizes, &BTreeMap::new()).text)?;
        let run = try_launches(&machine, &case, Checks::NONE);
        Some((case, run))
    };
    let mut spent = 0;
    while let Some((case, mut run)) = attempt(&sizes) {
        spent += run.instructions.max(TRIES_FUEL / 100);
        if spent <= TRIES_FUEL && grow(&case, &run, &mut sizes) {
            continue;
        }
        if run.outside.is_empty() {
            run.findings = try_launches(&machine, &case, MEMORY).findings;
        }
        // That a try has no end says little: it may take few instructions.
        for finding in run.findings.iter().filter(|it| it.code != OutOfFuel::METADATA.code) {
            let kernel = finding.kernel.clone().unwrap_or_default();
            let problem = || format!("{}: {}", finding.code, finding.message);
            problems.entry(kernel).or_insert_with(problem);
        }
        let cut = cut(&machine, &case, &run, &sizes);
        // What is read may be more than what is written.
        if attempt(&cut).is_some_and(|(_, after)| after.outside.len() == run.outside.len()) {
            sizes = cut;
        }
        break;
    }
    write(code, file, &sizes, &problems)
}

/// Elements of buffers that have more or fewer than [`ELEMENTS`].
type Sizes = BTreeMap<String, u64>;

fn case_of(text: &str) -> Option<Case> {
    let mut sources = SourceMap::new();
    let spec = sources.add("spec.toml", text);
    let spec = Spec::parse(&sources, spec).ok()?;
    spec.case_within(&ParameterSet::default(), TRY_MEMORY).ok()
}

const MEMORY: Checks = Checks { memory: true, ..Checks::NONE };

/// Runs the launches of a case.
fn try_launches(machine: &Machine<'_>, case: &Case, checks: Checks) -> MachineRun {
    machine.run(case, &Options { checks, fuel: TRY_FUEL, ..Options::default() })
}

/// Outputs as large as what is written: what is not would count as right where a rule asks for a part of
/// the elements.
fn cut(machine: &Machine<'_>, case: &Case, run: &MachineRun, sizes: &Sizes) -> Sizes {
    // What is the same after other contents was written, whatever was.
    let mut other = case.clone();
    let is_whole = |name: &String| !run.incomplete.contains(name);
    let outputs =
        || case.buffers.iter().zip(0usize..).filter(|(it, _)| it.output && is_whole(&it.name));
    for (buffer, index) in outputs() {
        let tensor = &buffer.tensor;
        let bytes = tensor.bytes().iter().map(|byte| !byte).collect();
        let tensor = Tensor::from_bytes(tensor.dtype(), tensor.shape(), bytes);
        if let (Some(tensor), Some(place)) = (tensor, other.buffers.get_mut(index)) {
            place.tensor = tensor;
        }
    }
    let again = try_launches(machine, &other, Checks::NONE);
    let mut sizes = sizes.clone();
    for (buffer, index) in outputs() {
        let name = &buffer.name;
        let (Some(one), Some(two)) = (run.result.output(name), again.result.output(name)) else {
            continue;
        };
        let (first, second) = (&buffer.tensor, &other.buffers[index].tensor);
        let is_written =
            |at: &usize| one.bits(*at) != first.bits(*at) || two.bits(*at) != second.bits(*at);
        let Some(last) = (0..first.len()).rev().find(is_written) else { continue };
        let elements = sizes.get(name).copied().unwrap_or(ELEMENTS);
        let width = (first.len() as u64 / elements.max(1)).max(1);
        let cut = (last as u64 + 1).div_ceil(width);
        if cut < elements {
            sizes.insert(name.clone(), cut);
        }
    }
    sizes
}

/// Gives buffers that launches leave more elements, twice as many until it is enough; whether any did.
fn grow(case: &Case, run: &MachineRun, sizes: &mut Sizes) -> bool {
    let mut wanted = Sizes::new();
    for access in &run.outside {
        let buffer = case.buffers.iter().find(|buffer| buffer.name == access.object);
        let (Some(buffer), Ok(offset)) = (buffer, u64::try_from(access.offset)) else { continue };
        let has = buffer.tensor.bytes().len() as u64;
        let needed = offset.saturating_add(access.bytes);
        if needed <= has || needed > MOST_BYTES || has == 0 {
            continue;
        }
        let elements = sizes.get(&buffer.name).copied().unwrap_or(ELEMENTS);
        let elements = elements * needed.div_ceil(has).next_power_of_two();
        let most = wanted.entry(buffer.name.clone()).or_default();
        *most = elements.max(*most);
    }
    let any = !wanted.is_empty();
    sizes.append(&mut wanted);
    any
}

fn write(
    code: &DeviceCode,
    file: &str,
    sizes: &Sizes,
    problems: &BTreeMap<String, String>,
) -> Written {
    let names = BTreeSet::new();
    let mut writer = Writer { code, sizes, problems, names, buffers: String::new(), seed: 0 };
    let mut launches = String::new();
    let mut count = 0;
    let mut skipped = Vec::new();
    for kernel in &code.kernels {
        match kernel.function.filter(|_| kernel.codes.is_empty() && count < KERNELS) {
            Some(handle) => {
                writer.launch(&mut launches, &kernel.name, handle);
                count += 1;
            }
            None => skipped.push(kernel.name.as_str()),
        }
    }
    let mut text = format!(
        "# What `port check {file}` launches. Sizes, values and seeds are a first guess: make them those\n\
         # that the kernels are used with. `out = true` marks what is compared.\n\
         ints = [[\"n\", \"{ELEMENTS}\"]]\n"
    );
    for name in skipped {
        let _ = writeln!(text, "# {} cannot be run: `port run` says why", name.replace('\n', " "));
    }
    let _ = write!(text, "\n[buffers]\n{}{launches}", writer.buffers);
    Written { text, launches: count }
}

struct Writer<'a> {
    code: &'a DeviceCode,
    sizes: &'a Sizes,
    /// What went wrong when launches were tried, by kernel.
    problems: &'a BTreeMap<String, String>,
    names: BTreeSet<String>,
    buffers: String,
    seed: u64,
}

impl Writer<'_> {
    fn launch(&mut self, text: &mut String, kernel: &str, handle: Handle<Function>) {
        let function = &self.code.module.functions[handle];
        let types = &self.code.module.types;
        let facts = self.code.module.launches.iter().find(|launch| launch.kernel == handle);
        let block = block(function, facts);
        let grid = grid(facts, block[0]);
        let unknown = function.parameters.iter().enumerate();
        let unknown = unknown.filter(|(index, it)| integer(facts, it, *index).is_none());
        let sizes = unknown.filter(|(_, parameter)| is_size(parameter)).count();
        // The product of all sizes is at most a buffer's; none is beyond what the launch says of others.
        let all = function.parameters.iter().enumerate().filter(|(_, it)| is_size(it));
        let known = all.filter_map(|(index, it)| integer(facts, it, index));
        let least =
            known.filter_map(|size| u64::try_from(size).ok()).filter(|size| *size > 0).min();
        let mut size = least.map_or(ELEMENTS, |least| least.min(ELEMENTS));
        while sizes > 1 && size.saturating_pow(sizes as u32) > ELEMENTS {
            size -= 1;
        }
        let mut arguments = Vec::new();
        for (index, parameter) in function.parameters.iter().enumerate() {
            arguments.push(match integer(facts, parameter, index) {
                Some(value) => value.to_string(),
                None => self.argument(types, kernel, parameter, index, size),
            });
        }
        let dynamic = self.code.module.variables.iter().any(|(_, v)| v.extent == Extent::Dynamic);
        let shared = facts.and_then(|facts| facts.dynamic_shared).and_then(Range::single);
        let shared = shared.map_or(if dynamic { 16_384 } else { 0 }, |bytes| bytes.max(0) as u64);
        let list = |extents: &[String]| extents.join(", ");
        let parameters = function.parameters.iter().enumerate().map(|(index, parameter)| {
            format!("{} {}", parameter_type(types, parameter), parameter_name(parameter, index))
        });
        let parameters: Vec<String> = parameters.collect();
        let block = block.map(|extent| extent.to_string());
        let last = block.iter().rposition(|extent| extent != "1").unwrap_or(0);
        let _ = write!(
            text,
            "\n# {}({})\n",
            kernel.replace('\n', " "),
            parameters.join(", ").replace('\n', " ")
        );
        if let Some(problem) = self.problems.get(kernel) {
            let _ = writeln!(text, "# As it is here, {}", problem.replace('\n', " "));
        }
        let _ = write!(
            text,
            "[[launch]]\nkernel = {}\ngrid = [{}]\nblock = [{}]\n",
            quoted(kernel),
            list(&grid),
            list(&block[..=last]),
        );
        if shared > 0 {
            let _ = writeln!(text, "shared = {}", shared.min(232_448));
        }
        let _ = writeln!(text, "args = [{}]", arguments.join(", "));
    }

    fn argument(
        &mut self,
        types: &Types,
        kernel: &str,
        parameter: &Parameter,
        index: usize,
        size: u64,
    ) -> String {
        match parameter.ty {
            Type::Pointer(_) => self.buffer(types, kernel, parameter, index),
            Type::Scalar(Scalar::Bool) => "true".into(),
            Type::Scalar(scalar) if scalar.is_float() => {
                let name = parameter.name.to_ascii_lowercase();
                if name.contains("eps") { "1e-6".into() } else { "0.5".into() }
            }
            Type::Scalar(_) if is_size(parameter) && size == ELEMENTS => quoted("n"),
            Type::Scalar(_) if is_size(parameter) => size.to_string(),
            Type::Scalar(_) => "1".into(),
            // Zero in every field; names that matter are for a person to add.
            _ => "{}".into(),
        }
    }

    fn buffer(
        &mut self,
        types: &Types,
        kernel: &str,
        parameter: &Parameter,
        index: usize,
    ) -> String {
        let mut base: String = match parameter.name.as_str() {
            "" => format!("p{index}"),
            name => name.to_owned(),
        };
        if base == "n" || base == "null" {
            base.push('_');
        }
        let mut name = base.clone();
        if self.names.contains(&name) {
            let plain = port::plain_name(kernel).rsplit("::").next().unwrap_or("k");
            let plain: String =
                plain.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
            name = format!("{plain}_{base}");
        }
        let mut number = 2;
        while !self.names.insert(name.clone()) {
            name = format!("{base}_{number}");
            number += 1;
        }
        self.seed += 1;
        let (dtype, width) = match parameter.pointee {
            Some(ty @ (Type::Scalar(scalar) | Type::Vector(scalar, _))) => {
                let count = if let Type::Vector(_, size) = ty { size.count() } else { 1 };
                (dtype_of(scalar), u64::from(count))
            }
            // Structs and what is not known: bytes.
            Some(ty) => (DType::U8, types.layout(ty).map_or(8, |layout| layout.size.clamp(1, 256))),
            None => (DType::U8, 8),
        };
        let init = match (dtype.is_float(), parameter.attributes.read_only) {
            (true, _) => "normal(0, 1)",
            // Numbers that may be indices stay small.
            (false, true) => "ints(0, 16)",
            (false, false) => "zeros",
        };
        let shape = match (self.sizes.get(&name), width) {
            (Some(elements), _) => (elements * width).to_string(),
            (None, 1) => quoted("n"),
            (None, _) => quoted(&format!("n * {width}")),
        };
        let mut line = format!(
            "{name} = {{ dtype = \"{}\", shape = [{shape}], init = \"{init}\"",
            dtype.name()
        );
        if init != "zeros" {
            let _ = write!(line, ", seed = {}", self.seed);
        }
        if !parameter.attributes.read_only {
            line.push_str(", out = true");
        }
        let _ = writeln!(self.buffers, "{line} }}");
        quoted(&name)
    }
}

/// A TOML string.
fn quoted(text: &str) -> String {
    let escaped: String = text
        .chars()
        .map(|c| match c {
            '"' => "\\\"".to_owned(),
            '\\' => "\\\\".to_owned(),
            c if c.is_control() => " ".to_owned(),
            c => c.to_string(),
        })
        .collect();
    format!("\"{escaped}\"")
}

/// Whether an integer is an extent, by its name.
fn is_size(parameter: &Parameter) -> bool {
    let Type::Scalar(scalar) = parameter.ty else { return false };
    if !scalar.is_integer() || scalar.size() < 4 {
        return false;
    }
    let name = parameter.name.to_ascii_lowercase();
    const WORDS: [&str; 19] = [
        "size", "num", "len", "count", "row", "col", "width", "height", "dim", "hidden", "batch",
        "token", "vocab", "total", "elem", "head", "channel", "seq", "stride",
    ];
    matches!(
        name.as_str(),
        "n" | "m" | "k" | "h" | "w" | "b" | "c" | "t" | "oc" | "nx" | "ny" | "nz"
    ) || WORDS.iter().any(|word| name.contains(word))
}

/// What the file's own launch gives for an integer.
fn integer(facts: Option<&LaunchFacts>, parameter: &Parameter, index: usize) -> Option<i64> {
    let Type::Scalar(scalar) = parameter.ty else { return None };
    let is_it = |fact: &ArgumentFact| match *fact {
        ArgumentFact::Range { parameter, range } if parameter as usize == index => range.single(),
        _ => None,
    };
    let value = facts?.arguments.iter().find_map(is_it)?;
    let fits = scalar != Scalar::Bool && (value >= 0 || scalar.is_signed());
    fits.then_some(value)
}

fn known(range: Option<Range>) -> Option<u64> {
    range.and_then(Range::single).and_then(|value| u64::try_from(value).ok()).filter(|v| *v > 0)
}

fn block(function: &Function, facts: Option<&LaunchFacts>) -> [u64; 3] {
    let most = match &function.kind {
        FunctionKind::Kernel(bounds) => bounds.max_threads.map_or(MAX_BLOCK, u64::from),
        FunctionKind::Device => MAX_BLOCK,
    };
    let mut block = [BLOCK.min(most), 1, 1];
    if let Some(facts) = facts {
        for (extent, fact) in block.iter_mut().zip(facts.block) {
            *extent = known(fact).unwrap_or(*extent);
        }
    }
    if block.iter().product::<u64>() > most { [BLOCK.min(most), 1, 1] } else { block }
}

fn grid(facts: Option<&LaunchFacts>, threads: u64) -> Vec<String> {
    let extent = |axis: usize| facts.and_then(|facts| known(facts.grid[axis]));
    let first = match extent(0).filter(|blocks| *blocks <= 65_536) {
        Some(blocks) => blocks.to_string(),
        None => quoted(&format!("ceil_div(n, {threads})")),
    };
    let mut grid = vec![first];
    for axis in 1..3 {
        grid.push(extent(axis).filter(|blocks| *blocks <= 64).unwrap_or(1).to_string());
    }
    while grid.len() > 1 && grid.last().is_some_and(|extent| extent == "1") {
        grid.pop();
    }
    grid
}
