//! What lowering has to say: constructs without a form in the IR, names and types that cannot be
//! known, and the choices it made for the user. Codes `P03xx`.

use port_diag::{Finding, Metadata};
use port_macros::Diagnostic;

/// An instruction of inline PTX is not translated.
///
/// ## What it means
/// An `asm` statement holds instructions of NVIDIA's virtual machine, which are text to every other
/// compiler. Straight-line code of common instructions is read and understood: integer and float
/// arithmetic, conversions, special registers, loads, stores and atomics, shuffles, votes, barriers,
/// fences, `cp.async`, `ldmatrix`, and `mma.sync` for 16 × 8 tiles of halves, tf32 and bytes. This
/// instruction is not among them: a branch, a texture access, a bulk copy, `mbarrier`, `wgmma`, or a
/// form that nobody has modelled. The kernel that reaches it is not translated.
///
/// ## What to do
/// Write the operation in CUDA C++: most instructions have an intrinsic.
///
/// ## Example
/// ```cuda
/// asm volatile("wgmma.fence.sync.aligned;");
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0301",
    severity = error,
    message = "inline PTX `{opcode}` is not translated",
    help = "write it with CUDA intrinsics, or keep a form without it for other targets"
)]
pub struct InlineAssembly {
    /// The first instruction.
    pub opcode: String,
}

/// A function of a library has no translation.
///
/// ## What it means
/// The kernel calls a function that CUDA's or another library's headers declare, and the
/// intermediate representation has no operation for it and no model of its body.
///
/// ## What to do
/// Replace the call by code of your own or by another intrinsic, or keep the kernel as it is for
/// this target.
///
/// ## Example
/// ```cuda
/// float v = tex2D<float>(texture, x, y);
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0302",
    severity = error,
    message = "`{name}` has no translation in device code",
    help = "{forward}"
)]
pub struct UnsupportedFunction {
    /// The function.
    pub name: String,
    /// A way forward.
    pub forward: &'static str,
}

impl UnsupportedFunction {
    /// For a function of a library.
    pub(crate) fn new(name: String) -> Self {
        let last = name.rsplit("::").next().unwrap_or(&name);
        let starts = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
        let forward = if last.starts_with("tex") || starts(&["CUtexObject", "cudaBoundaryMode"]) {
            "read a buffer instead: pass its pointer and size, and clamp and interpolate in the kernel"
        } else if last.starts_with("surf") {
            "read and write a buffer instead: pass its pointer and pitch"
        } else if matches!(last, "malloc" | "free" | "calloc" | "realloc") {
            "allocate on the host for all threads and pass the pointer, or use a local array"
        } else if starts(&["cuda::"]) {
            "use barriers, atomics and plain copies: `__syncthreads`, `atomicAdd`, a loop and a barrier"
        } else if last.contains("shared_rank") || name.contains("cluster") {
            "exchange data between blocks through global memory, in two launches"
        } else if starts(&["cub::Device", "thrust::"]) {
            "call it from the host, between launches"
        } else if last.starts_with("cuda") {
            "call the runtime from the host, and pass the kernel what it needs"
        } else {
            "replace the call, or write the function in the kernel's own source"
        };
        UnsupportedFunction { name, forward }
    }
}

/// A name is declared nowhere in view.
///
/// ## What it means
/// Device code uses a name that neither the files in view nor the modelled headers of CUDA and C++
/// declare.
///
/// ## What to do
/// Give the directory of the header with `-I`, or the macro with `-D`.
///
/// ## Example
/// ```cuda
/// __global__ void k(float *x) { x[0] = helper(x[1]); }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0303",
    severity = error,
    message = "`{name}` is not declared in view",
    help = "add the directory of the header that declares it with -I"
)]
pub struct UnknownName {
    /// The name.
    pub name: String,
}

/// A type is not known in device code.
///
/// ## What it means
/// Device code needs the size or the members of a type that is declared nowhere in view, or that
/// belongs to a library without a model.
///
/// ## What to do
/// Give the directory of the header with `-I`. For a type of a library, pass its plain parts
/// (pointers, sizes, strides) to the kernel instead.
///
/// ## Example
/// ```cuda
/// __global__ void k(at::PackedTensorAccessor64<float, 2> a);
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0304",
    severity = error,
    message = "the type `{name}` is not known",
    help = "add the directory of its header with -I, or pass its plain parts"
)]
pub struct UnknownType {
    /// The type.
    pub name: String,
}

/// No function fits the arguments of a call.
///
/// ## What it means
/// Functions of the name are in view, and none of them can be called with arguments of these types.
/// Either the source does not compile, or a type or overload comes from a header that is not in
/// view.
///
/// ## What to do
/// Check the call; add the directory of the missing header with `-I`.
///
/// ## Example
/// ```cuda
/// __device__ float f(float *p);
/// __global__ void k(int n) { f(n); }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0305",
    severity = error,
    message = "no `{name}` can be called with ({arguments})",
    help = "check the argument types; an overload in a header may be out of view (-I)"
)]
pub struct NoOverload {
    /// The function.
    pub name: String,
    /// The types of the arguments.
    pub arguments: String,
}

/// Several functions fit a call equally well.
///
/// ## What it means
/// No overload is better than all others for these arguments. nvcc would reject the call, or it
/// sees a declaration that is not in view here.
///
/// ## What to do
/// Convert an argument explicitly.
///
/// ## Example
/// ```cuda
/// __device__ void f(int, long); __device__ void f(long, int);
/// __global__ void k() { f(1, 1); }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0306",
    severity = error,
    message = "the call of `{name}` with ({arguments}) is ambiguous",
    help = "convert an argument explicitly"
)]
pub struct AmbiguousCall {
    /// The function.
    pub name: String,
    /// The types of the arguments.
    pub arguments: String,
}

/// A value does not convert to the type that is needed.
///
/// ## What it means
/// An argument, an initial value, an operand or a result has a type from which C++ has no (known)
/// conversion to the type that the place asks for.
///
/// ## What to do
/// Convert the value explicitly; add the directory of a header that declares the conversion.
///
/// ## Example
/// ```cuda
/// struct S { int a; };
/// __global__ void k(S s) { float x = s; }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0307",
    severity = error,
    message = "`{from}` does not convert to `{to}`",
    help = "convert the value explicitly"
)]
pub struct NoConversion {
    /// The type of the value.
    pub from: String,
    /// The type that is needed.
    pub to: String,
}

/// A constant is needed and the expression is none.
///
/// ## What it means
/// The size of an array, a template argument, a case label or the condition of `if constexpr` must
/// be known when compiling, and this expression could not be evaluated.
///
/// ## What to do
/// Make the values it uses `constexpr`, or give them with `-D` or `--instantiate`.
///
/// ## Example
/// ```cuda
/// __global__ void k(int n) { float a[n]; }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0308",
    severity = error,
    message = "{what} is not a constant that can be evaluated",
    help = "make the values it uses constexpr"
)]
pub struct NotConstant {
    /// What needs the constant.
    pub what: String,
}

/// A construct of C++ has no translation in device code.
///
/// ## What it means
/// The construct is understood, and the intermediate representation has no form for it: `goto`,
/// virtual functions, exceptions, run-time type information, dynamic memory, calls through pointers
/// that are not constant, kernels that launch kernels.
///
/// ## What to do
/// Rewrite the place without the construct.
///
/// ## Example
/// ```cuda
/// __global__ void k(int n) { again: if (n-- > 0) goto again; }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0309",
    severity = error,
    message = "{what} has no translation in device code",
    help = "{forward}"
)]
pub struct UnsupportedConstruct {
    /// The construct.
    pub what: String,
    /// A way forward.
    pub forward: &'static str,
}

impl UnsupportedConstruct {
    /// For a construct, by the words that describe it.
    pub(crate) fn new(what: String) -> Self {
        let has = |words: &[&str]| words.iter().any(|word| what.contains(word));
        let forward = if has(&["launches kernels"]) {
            "launch the inner kernel from the host, or do its work in a loop of this one"
        } else if has(&["an atomic operation on"]) {
            "use a plain operation: nobody else sees a thread's own memory, and constants do not change"
        } else if has(&["a call of the kernel"]) {
            "move its body into a `__device__` function that both call"
        } else if has(&["`new`", "`delete`"]) {
            "allocate on the host for all threads and pass the pointer, or use a local array"
        } else if has(&["pointer that is not constant", "address of a function"]) {
            "choose the function by an integer and a `switch`, or make it a template argument"
        } else if has(&["virtual"]) {
            "make the class a template argument, or choose by a tag and a `switch`"
        } else if has(&["`goto`"]) {
            "write it as a loop with `break` and `continue`, or as a function with `return`"
        } else if has(&["`try`", "`throw`"]) {
            "return an error code, or stop with `__trap()`"
        } else if has(&["`typeid`", "dynamic_cast"]) {
            "choose by template argument, or by a tag that the object holds"
        } else {
            "rewrite the place without it"
        };
        UnsupportedConstruct { what, forward }
    }
}

/// A type has no member of the name.
///
/// ## What it means
/// The member is declared neither in the type nor in its bases, as far as they are in view.
///
/// ## What to do
/// Check the name; a specialisation of the type may be in a header that is not in view (`-I`).
///
/// ## Example
/// ```cuda
/// struct S { int a; };
/// __global__ void k(S s, int *x) { *x = s.b; }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0310",
    severity = error,
    message = "`{ty}` has no member `{member}`",
    help = "check the name; a specialisation may be out of view (-I)"
)]
pub struct NoMember {
    /// The type.
    pub ty: String,
    /// The member.
    pub member: String,
}

/// Template arguments do not fit the template.
///
/// ## What it means
/// A template is used with arguments of the wrong number or kind, or an argument that has no
/// default is missing.
///
/// ## What to do
/// Give all arguments that cannot be deduced.
///
/// ## Example
/// ```cuda
/// template <typename T, int N> struct A {};
/// __global__ void k() { A<float> a; }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0311",
    severity = error,
    message = "the template arguments of `{name}` do not fit: {why}",
    help = "give all arguments that cannot be deduced"
)]
pub struct TemplateArguments {
    /// The template.
    pub name: String,
    /// What is wrong.
    pub why: String,
}

/// A limit was reached.
///
/// ## What it means
/// Templates that instantiate each other without end, constant evaluation that runs too long, or
/// more instances than a translation unit reasonably has. The place is not translated.
///
/// ## What to do
/// If the code is right, split the file.
///
/// ## Example
/// ```cuda
/// template <int N> struct A { static constexpr int v = A<N + 1>::v; };
/// __global__ void k(int *x) { *x = A<0>::v; }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0312",
    severity = error,
    message = "the limit of {limit} {what} is reached",
    help = "templates or constants that never end are the usual cause"
)]
pub struct LimitExceeded {
    /// What there is too much of.
    pub what: String,
    /// The limit.
    pub limit: u64,
}

/// A `static_assert` fails for an instance.
///
/// ## What it means
/// nvcc would reject this instance of the template.
///
/// ## What to do
/// Ask for another instance with `--instantiate`, or correct the condition.
///
/// ## Example
/// ```cuda
/// template <int N> __global__ void k() { static_assert(N % 32 == 0, "whole warps"); }
/// template __global__ void k<31>();
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0313",
    severity = error,
    message = "static_assert fails: {message}",
    help = "choose other template arguments with --instantiate"
)]
pub struct StaticAssertFails {
    /// The message of the assertion, or its condition.
    pub message: String,
}

/// A kernel template is lowered for default arguments.
///
/// ## What it means
/// Nothing in view launches or instantiates this kernel template with arguments that are known, so
/// default ones were chosen: `float` for a type, and for a value by its type and name 256 for a block
/// size, 4 for a vector width, 32 for a warp size, 16 for a tile, `false` for a flag, else 1.
///
/// ## What to do
/// Say which instances matter: `--instantiate 'k<half, 128>'`.
///
/// ## Example
/// ```cuda
/// template <typename T> __global__ void k(T *x) { x[0] = 0; }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0314",
    severity = note,
    message = "no launch in view says for which arguments `{kernel}` is used; lowered as `{instance}`",
    help = "choose others with --instantiate"
)]
pub struct DefaultInstance {
    /// The kernel.
    pub kernel: String,
    /// The instance that was chosen.
    pub instance: String,
}

/// An instance that was asked for cannot be made.
///
/// ## What it means
/// The text after `--instantiate` names no kernel of the file, or its template arguments cannot be
/// read or do not fit the kernel.
///
/// ## What to do
/// Write the kernel's name and all template arguments that have no default, with types and constants
/// that the file declares: `ns::k<float, 128, true>`.
///
/// ## Example
/// ```cuda
/// template <typename T> __global__ void k(T *x);   // --instantiate 'k<float, 3>'
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0315",
    severity = error,
    message = "cannot instantiate `{text}`: {why}",
    help = "write the kernel's name with its template arguments, as in `k<float, 128>`"
)]
pub struct BadInstance {
    /// What was asked for.
    pub text: String,
    /// What is wrong.
    pub why: String,
}

/// A function is called whose definition is not in view.
///
/// ## What it means
/// Device code calls a function that is declared in view and defined elsewhere. What it does to
/// memory, and whether it waits for other threads, is not known.
///
/// ## What to do
/// Give the file that defines it, or add the directory of the header with `-I`.
///
/// ## Example
/// ```cuda
/// __device__ float f(float x);
/// __global__ void k(float *x) { x[0] = f(x[0]); }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0316",
    severity = error,
    message = "`{name}` is called, and its definition is not in view",
    help = "give the file that defines it"
)]
pub struct NoDefinition {
    /// The function.
    pub name: String,
}

/// Device code needs something that could not be read.
///
/// ## What it means
/// The front end reported this place before; whatever uses it is not translated.
///
/// ## What to do
/// See the finding at the place itself.
///
/// ## Example
/// ```cuda
/// __global__ void k(float *x) { x[0] = 08; }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0317",
    severity = error,
    message = "{what} could not be read",
    help = "see the finding at the place itself"
)]
pub struct Unreadable {
    /// What.
    pub what: String,
}

/// Device code uses something of the host.
///
/// ## What it means
/// A variable that lives in the host's memory has no value on the device unless it is a constant.
///
/// ## What to do
/// Pass it to the kernel, or make it `constexpr`, `__constant__` or `__device__`.
///
/// ## Example
/// ```cuda
/// int n = 3;
/// __global__ void k(int *x) { *x = n; }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0318",
    severity = error,
    message = "`{name}` is a variable of the host",
    help = "pass it to the kernel, or make it constexpr, __constant__ or __device__"
)]
pub struct HostVariable {
    /// The variable.
    pub name: String,
}

/// A kernel template is not lowered.
///
/// ## What it means
/// Nothing in view instantiates the kernel template, and no default arguments make it valid: it takes
/// a template, a pack or a functor.
///
/// ## What to do
/// Say which instance matters: `--instantiate 'k<float, MyFunctor>'`.
///
/// ## Example
/// ```cuda
/// template <template <typename> class F> __global__ void k(float *x);
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0319",
    severity = warning,
    message = "nothing in view says for which arguments `{kernel}` is used, and it has no default instance",
    help = "choose one with --instantiate"
)]
pub struct NoInstance {
    /// The kernel.
    pub kernel: String,
}

/// An operator has no meaning for its operands.
///
/// ## What it means
/// Neither C++ nor an operator function in view defines the operator for operands of these types.
///
/// ## What to do
/// Convert an operand; add the directory of the header that declares the operator with `-I`.
///
/// ## Example
/// ```cuda
/// struct S {};
/// __global__ void k(S a, S b) { a + b; }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0320",
    severity = error,
    message = "`{operator}` has no meaning for ({operands})",
    help = "convert an operand, or bring the operator's header into view (-I)"
)]
pub struct InvalidOperands {
    /// The operator.
    pub operator: String,
    /// The types of the operands.
    pub operands: String,
}

/// A kernel has more instances than are lowered.
///
/// ## What it means
/// The launches in view use one kernel template with very many combinations of arguments. The first
/// of them are checked and stand for the others; the translated source keeps all of them.
///
/// ## What to do
/// Name the instances that matter with `--instantiate 'k<float, 128>'`: those are always lowered.
///
/// ## Example
/// ```cuda
/// template <int N> void run() { k<N><<<1, 1>>>(); run<N - 1>(); }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0321",
    severity = note,
    message = "`{kernel}` has {limit} instances that are checked and {left} more that are not",
    help = "name the instances that matter with --instantiate"
)]
pub struct InstancesLeftOut {
    /// The kernel.
    pub kernel: String,
    /// The number of those that are lowered.
    pub limit: u64,
    /// The number of the others.
    pub left: u64,
}

/// Templates instantiate each other without end.
///
/// ## What it means
/// A class, alias or function template needs another instance of itself, that one the next, and so
/// on: 200 deep, or 900 deep in host code. nvcc rejects such a file, too. What reaches the place is
/// not translated.
///
/// ## What to do
/// Give the recursion an end: a specialisation, or `if constexpr`.
///
/// ## Example
/// ```cuda
/// template <int N> struct A { static constexpr int v = A<N + 1>::v; };
/// __global__ void k(int *x) { *x = A<0>::v; }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0322",
    severity = error,
    message = "templates instantiate each other more than {limit} deep: the recursion has no end",
    help = "give it one: a specialisation for the last step, or `if constexpr`"
)]
pub struct EndlessTemplates {
    /// How deep.
    pub limit: u64,
}

/// `warpSize` is used where a constant is needed.
///
/// ## What it means
/// The size of an array, a template argument or a `constexpr` variable depends on `warpSize`. That is
/// no constant: nvcc gives it a value when the kernel runs, and other devices have other warps, of 64
/// or 128 lanes.
///
/// ## What to do
/// Take the largest width that any target has (64, or 128) for sizes of memory, and keep `warpSize` for
/// what is computed; or make the width a template parameter of the kernel.
///
/// ## Example
/// ```cuda
/// __global__ void k(float *x) { __shared__ float partial[1024 / warpSize]; }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0323",
    severity = error,
    message = "{what} depends on `warpSize`, which is no constant",
    help = "use the largest width of all targets for sizes, or a template parameter"
)]
pub struct WarpSizeConstant {
    /// What needs the constant.
    pub what: String,
}

/// Every finding of this crate.
pub const FINDINGS: &[&Metadata] = &[
    &InlineAssembly::METADATA,
    &UnsupportedFunction::METADATA,
    &UnknownName::METADATA,
    &UnknownType::METADATA,
    &NoOverload::METADATA,
    &AmbiguousCall::METADATA,
    &NoConversion::METADATA,
    &NotConstant::METADATA,
    &UnsupportedConstruct::METADATA,
    &NoMember::METADATA,
    &TemplateArguments::METADATA,
    &LimitExceeded::METADATA,
    &StaticAssertFails::METADATA,
    &DefaultInstance::METADATA,
    &BadInstance::METADATA,
    &NoDefinition::METADATA,
    &Unreadable::METADATA,
    &HostVariable::METADATA,
    &NoInstance::METADATA,
    &InvalidOperands::METADATA,
    &InstancesLeftOut::METADATA,
    &EndlessTemplates::METADATA,
    &WarpSizeConstant::METADATA,
];

/// The code of [`UnknownType`], for what follows from one that was already reported.
pub(crate) const UNKNOWN_TYPE: &str = UnknownType::METADATA.code;
/// The code of [`NotConstant`], likewise.
pub(crate) const NOT_CONSTANT: &str = NotConstant::METADATA.code;
