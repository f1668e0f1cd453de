//! Findings of specs (P0600–P0609) and of the runners (P0610–P0619), and the list of all of this crate:
//! those of the machine and of verdicts are in [`crate::machine_findings`].

use port_macros::Diagnostic;

/// A spec is not valid TOML.
///
/// ## What it means
/// The file beside the kernel could not be read as TOML, so nothing can be run from it.
///
/// ## What to do
/// Correct the place shown. Strings need quotes, arrays square brackets, inline tables braces.
///
/// ## Example
/// ```toml
/// ints = [["rows", 128]]     # numbers are strings here: expressions such as "2 * rows"
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0600", severity = error, message = "the spec is not valid TOML: {reason}")]
pub struct SpecNotToml {
    /// What the TOML reader says.
    pub reason: String,
}

/// A spec has a field that means nothing.
///
/// ## What it means
/// A misspelt field would be ignored silently and the run would not be what its author meant, so
/// unknown fields are errors.
///
/// ## What to do
/// Use one of the fields that the message lists.
///
/// ## Example
/// ```toml
/// [buffers]
/// x = { dtype = "f32", shape = ["n"], initial = "zeros" }    # the field is `init`
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0601",
    severity = error,
    message = "{place} has no field `{field}`",
    help = "the fields are: {known}"
)]
pub struct SpecUnknownField {
    /// The table: "a launch", "buffer `x`" …
    pub place: String,
    /// The field as written.
    pub field: String,
    /// The fields that exist, with commas.
    pub known: String,
}

/// A spec lacks a field.
///
/// ## What it means
/// The field has no default that would be right for every kernel.
///
/// ## What to do
/// Add it.
///
/// ## Example
/// ```toml
/// [[launch]]
/// kernel = "softmax<float>"
/// grid = ["rows"]
/// block = [256]              # a launch needs kernel, grid, block and args
/// args = ["y", "x", "cols"]
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0602", severity = error, message = "{place} lacks `{field}`")]
pub struct SpecMissingField {
    /// The table.
    pub place: String,
    /// The field.
    pub field: String,
}

/// A value of a spec has the wrong form.
///
/// ## What it means
/// The field exists, but its value is not of the kind that the field takes.
///
/// ## What to do
/// Write a value of the kind that the message names.
///
/// ## Example
/// ```toml
/// grid = "rows"      # a grid is an array of one to three integers or expressions: ["rows"]
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0603", severity = error, message = "{what} must be {expected}")]
pub struct SpecBadValue {
    /// The field or place.
    pub what: String,
    /// The kind of value that it takes.
    pub expected: String,
}

/// An expression of a spec cannot be read or evaluated.
///
/// ## What it means
/// Shapes, grids and arguments are expressions over the integers of the spec, defined in order. This
/// one is malformed, uses a name that is not defined before it, divides by zero or leaves 64 bits.
///
/// ## What to do
/// Expressions know `+ - * / %`, parentheses, `min`, `max` and `ceil_div`.
///
/// ## Example
/// ```toml
/// ints = [["blocks", "ceil_div(n, 256)"], ["n", "1000"]]     # `n` is defined too late
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0604", severity = error, message = "in `{expression}`: {reason}")]
pub struct SpecBadExpression {
    /// The text of the expression.
    pub expression: String,
    /// What is wrong, one clause.
    pub reason: String,
}

/// A spec names something that it does not define.
///
/// ## What it means
/// A launch argument, `feedback` or an override refers to a buffer or integer that is not in the
/// spec.
///
/// ## What to do
/// Define it, or correct the name.
///
/// ## Example
/// ```toml
/// feedback = { y = "x" }      # both must be buffers
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0605", severity = error, message = "there is no {kind} called `{name}`")]
pub struct SpecUnknownName {
    /// "buffer", "integer" …
    pub kind: String,
    /// The name as written.
    pub name: String,
}

/// A size of a spec is out of range.
///
/// ## What it means
/// An extent is negative, a grid or block is larger than CUDA allows, or the buffers together need
/// more memory than a run may take.
///
/// ## What to do
/// Choose smaller sizes. Zero is allowed: a launch whose grid has a zero extent is skipped (CUDA
/// would return an error), and a buffer with a zero extent is an empty allocation.
///
/// ## Example
/// ```toml
/// block = [2048]              # a block has at most 1024 threads
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0606", severity = error, message = "{what} is {value}; {limit}")]
pub struct SpecOutOfRange {
    /// The quantity.
    pub what: String,
    /// Its value.
    pub value: String,
    /// The limit, a clause.
    pub limit: String,
}

/// A data file of a spec cannot be used.
///
/// ## What it means
/// `init = 'file "x.npy"'` needs a NumPy file, version 1 or 2, little-endian, C order, whose element
/// type and shape are the buffer's.
///
/// ## What to do
/// Save it again with `numpy.save`, in the buffer's dtype and shape.
///
/// ## Example
/// ```python
/// numpy.save("x.npy", numpy.ascontiguousarray(x, dtype="<f4"))
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0607", severity = error, message = "cannot use `{path}`: {reason}")]
pub struct SpecBadFile {
    /// The path as written.
    pub path: String,
    /// What is wrong.
    pub reason: String,
}

/// Two things of a spec have the same name.
///
/// ## What it means
/// Integers, buffers and symbols share one space of names: an argument `"n"` would be ambiguous.
///
/// ## What to do
/// Rename one of them.
///
/// ## Example
/// ```toml
/// ints = [["x", "4"]]
/// [buffers]
/// x = { dtype = "f32", shape = ["x"], init = "zeros" }
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0608", severity = error, message = "`{name}` is defined twice")]
pub struct SpecDuplicateName {
    /// The name.
    pub name: String,
}

/// No C++ compiler was found.
///
/// ## What it means
/// Running the original text and its ports on this machine's processor needs a C++17 compiler.
///
/// ## What to do
/// Install g++ (12 or newer) or clang++, or name one in `CXX`.
///
/// ## Example
/// ```sh
/// CXX=clang++-19 port check softmax.cu --target hip
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0610",
    severity = error,
    message = "no C++ compiler found ({tried})",
    help = "install g++ or clang++, or set CXX"
)]
pub struct NoCompiler {
    /// What was looked for.
    pub tried: String,
}

/// The text does not compile against the reference runtime.
///
/// ## What it means
/// The original text, or a port's, was given to the machine's C++ compiler with headers that model
/// the CUDA or HIP names for execution on the processor. The compiler rejects it: the text is not
/// valid, uses a name or header that the model lacks (inline PTX, libraries such as CUB), or the
/// spec's `kernel` or `args` do not fit the kernel.
///
/// ## What to do
/// Read the compiler's first error; correct the spec if it points at the generated driver.
///
/// ## Example
/// ```toml
/// kernel = "softmax<flaot>"       # reported by the C++ compiler, in the driver
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0611",
    severity = error,
    message = "{language} text does not compile against the reference runtime: {first_error}"
)]
pub struct ReferenceCompile {
    /// `CUDA` or `HIP`.
    pub language: String,
    /// The compiler's first error line.
    pub first_error: String,
}

/// A run of the reference runtime ended with an error.
///
/// ## What it means
/// The kernel did something that has no defined result on a GPU (threads of a block waiting at
/// different barriers, a warp operation whose mask names lanes that never come, an access outside
/// every allocation), called `assert` or `__trap`, or ran out of its time or memory.
///
/// ## What to do
/// The message names the kernel, block, thread and, where there is one, the line. The defect is in
/// the text that was run; if only the port fails, it is a defect of the port.
///
/// ## Example
/// ```cuda
/// if (threadIdx.x < 16) value += __shfl_down_sync(0xffffffff, value, 8);   // 16 lanes never come
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0612", severity = error, message = "{kind}: {reason}")]
pub struct ReferenceRun {
    /// The kind of failure: `divergent-barrier`, `mask-violation`, `deadlock` …
    pub kind: String,
    /// The runtime's message.
    pub reason: String,
}

/// Every finding of this crate, by code.
pub const FINDINGS: &[&port_diag::Metadata] = &[
    &<SpecNotToml as port_diag::Finding>::METADATA,
    &<SpecUnknownField as port_diag::Finding>::METADATA,
    &<SpecMissingField as port_diag::Finding>::METADATA,
    &<SpecBadValue as port_diag::Finding>::METADATA,
    &<SpecBadExpression as port_diag::Finding>::METADATA,
    &<SpecUnknownName as port_diag::Finding>::METADATA,
    &<SpecOutOfRange as port_diag::Finding>::METADATA,
    &<SpecBadFile as port_diag::Finding>::METADATA,
    &<SpecDuplicateName as port_diag::Finding>::METADATA,
    &<NoCompiler as port_diag::Finding>::METADATA,
    &<ReferenceCompile as port_diag::Finding>::METADATA,
    &<ReferenceRun as port_diag::Finding>::METADATA,
    &<crate::machine_findings::UnknownKernel as port_diag::Finding>::METADATA,
    &<crate::machine_findings::AmbiguousKernel as port_diag::Finding>::METADATA,
    &<crate::machine_findings::CannotRun as port_diag::Finding>::METADATA,
    &<crate::machine_findings::ArgumentMismatch as port_diag::Finding>::METADATA,
    &<crate::machine_findings::OutOfBounds as port_diag::Finding>::METADATA,
    &<crate::machine_findings::Misaligned as port_diag::Finding>::METADATA,
    &<crate::machine_findings::Uninitialised as port_diag::Finding>::METADATA,
    &<crate::machine_findings::DataRace as port_diag::Finding>::METADATA,
    &<crate::machine_findings::DivergentBarrier as port_diag::Finding>::METADATA,
    &<crate::machine_findings::MissingLanes as port_diag::Finding>::METADATA,
    &<crate::machine_findings::InactiveLane as port_diag::Finding>::METADATA,
    &<crate::machine_findings::DivisionByZero as port_diag::Finding>::METADATA,
    &<crate::machine_findings::KernelAbort as port_diag::Finding>::METADATA,
    &<crate::machine_findings::OutOfFuel as port_diag::Finding>::METADATA,
    &<crate::machine_findings::OutOfMemory as port_diag::Finding>::METADATA,
    &<crate::machine_findings::Deadlock as port_diag::Finding>::METADATA,
    &<crate::machine_findings::InvalidLaunch as port_diag::Finding>::METADATA,
    &<crate::machine_findings::PortBug as port_diag::Finding>::METADATA,
    &<crate::machine_findings::TargetDrift as port_diag::Finding>::METADATA,
    &<crate::machine_findings::IllConditioned as port_diag::Finding>::METADATA,
    &<crate::machine_findings::Unproven as port_diag::Finding>::METADATA,
];
