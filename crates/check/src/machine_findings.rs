//! Findings of the SIMT machine (P0620–P0649): why a kernel cannot run, and what it did wrong while it
//! ran; [`crate::machine`] says where. Findings of verdicts (P0650–P0659): [`crate::judge`] makes them.

use port_macros::Diagnostic;

/// No kernel of this name is in the text.
///
/// ## What it means
/// A launch of a spec, or `--kernel`, names a kernel that the file and its headers do not define.
///
/// ## What to do
/// Use one of the names that the message lists, with its namespace where two are alike, and with
/// template arguments for a template: `--kernel 'softmax<float, 128>'`.
///
/// ## Example
/// ```sh
/// port run softmax.cu --kernel sofmax --grid 1 --block 32
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0620",
    severity = error,
    message = "no kernel is called `{name}`",
    help = "{candidates}"
)]
pub struct UnknownKernel {
    /// The name as written.
    pub name: String,
    /// "the kernels are: …", or that there is none.
    pub candidates: String,
}

/// A name stands for several kernels.
///
/// ## What it means
/// The kernel is a template of which several instances are in view, or kernels of several namespaces
/// have this name. Which one is meant decides what is computed.
///
/// ## What to do
/// Write one of the instances that the message lists.
///
/// ## Example
/// ```sh
/// port run norm.cu --kernel 'rms_norm<float, 4>' …      # not: --kernel rms_norm
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0621",
    severity = error,
    message = "`{name}` may be any of: {instances}",
    help = "name one of them: --kernel '{first}'"
)]
pub struct AmbiguousKernel {
    /// The name as written.
    pub name: String,
    /// The instances, with commas.
    pub instances: String,
    /// The first of them.
    pub first: String,
}

/// A kernel cannot be run.
///
/// ## What it means
/// The kernel, or something that it calls, has a construct that the machine does not execute, or that
/// the front end could not translate. Nothing of it was run.
///
/// ## What to do
/// The other findings of the kernel say what was not understood, and where. A header that was not
/// found is the most frequent cause: `-I` says where to look. Template arguments that do not fit are
/// the second.
///
/// ## Example
/// ```cuda
/// __global__ void k(float* x) { asm volatile("mapa.u32 %0, %1, 1;" : "=r"(x[0]) : "r"(0)); }
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0622", severity = error, message = "`{kernel}` cannot be run: {what}")]
pub struct CannotRun {
    /// The kernel.
    pub kernel: String,
    /// Why.
    pub what: String,
}

/// The arguments of a launch do not fit the kernel.
///
/// ## What it means
/// An argument is missing, there is one too many, or one has a type that the parameter does not take:
/// a number for a pointer, a buffer for a number, a struct without such a field, a buffer whose
/// elements are not as wide as what the parameter points to.
///
/// ## What to do
/// The help lists the parameters with their types. On the command line a scalar is
/// `--arg name=value`, a buffer `--arg 'name=init:dtype[shape]'`, a struct
/// `--arg 'name={field=value, …}'`.
///
/// ## Example
/// ```sh
/// port run saxpy.cu --kernel saxpy --grid 1 --block 32 --arg n=32      # lacks a, x and y
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0623",
    severity = error,
    message = "{problem}",
    help = "`{kernel}` takes: {parameters}"
)]
pub struct ArgumentMismatch {
    /// The kernel.
    pub kernel: String,
    /// What does not fit.
    pub problem: String,
    /// The parameters with their types.
    pub parameters: String,
}

/// A kernel reads or writes outside a buffer.
///
/// ## What it means
/// An address that was made from a buffer, variable or local array leaves it. On a GPU such an access
/// may hit other data, or end the program with an illegal address.
///
/// ## What to do
/// Look at the index on the line shown: a missing `i < n`, an extent that is not the buffer's, a
/// vector access at the end. If the spec's buffer is too small for the launch, correct the spec.
///
/// ## Example
/// ```cuda
/// int i = blockIdx.x * blockDim.x + threadIdx.x;
/// x[i] = 0;          // without `if (i < n)` the last block writes past the end
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0630", severity = error, message = "out of bounds: {access}, {who}")]
pub struct OutOfBounds {
    /// What is accessed, and how far outside.
    pub access: String,
    /// Block and thread.
    pub who: String,
}

/// An access is not aligned as its type.
///
/// ## What it means
/// A load or store of a vector or a wide number is at an address that is not a multiple of its size.
/// GPUs end the program with a misaligned address.
///
/// ## What to do
/// Use the vector access only where rows begin at such multiples, and a scalar one elsewhere.
///
/// ## Example
/// ```cuda
/// float4 v = *reinterpret_cast<const float4*>(x + row * 3);     // rows of three floats
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0631",
    severity = error,
    message = "misaligned: {access} is not at a multiple of {align} bytes, {who}"
)]
pub struct Misaligned {
    /// What is accessed.
    pub access: String,
    /// Bytes that it should be aligned to.
    pub align: u64,
    /// Block and thread.
    pub who: String,
}

/// A kernel reads memory that nobody wrote.
///
/// ## What it means
/// Shared memory and local variables hold what was there before. The result then depends on the chip
/// and on what ran earlier.
///
/// ## What to do
/// Write the bytes first; check that a barrier stands between the write of one thread and the read of
/// another.
///
/// ## Example
/// ```cuda
/// __shared__ float partial[32];
/// if (lane == 0) partial[warp] = sum;
/// __syncthreads();
/// float v = partial[lane];       // with fewer than 32 warps the rest was never written
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0632", severity = error, message = "uninitialised: {access}, {who}")]
pub struct Uninitialised {
    /// What is read.
    pub access: String,
    /// Block and thread.
    pub who: String,
}

/// Two threads access the same memory without an order.
///
/// ## What it means
/// At least one of the two accesses writes, and no barrier or atomic operation stands between them. A
/// GPU may do them in either order, so the result is a matter of luck, and of the width of a warp.
///
/// ## What to do
/// Put a `__syncthreads()` (of one warp: `__syncwarp()`) between the two, or make the access atomic.
/// Between blocks only atomics, or a second launch, order anything.
///
/// ## Example
/// ```cuda
/// s[threadIdx.x] = v;
/// out[threadIdx.x] = s[threadIdx.x ^ 1];       // no __syncthreads() between
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0633", severity = error, message = "data race {between}: {access}, {who}")]
pub struct DataRace {
    /// "in a block" or "between blocks".
    pub between: String,
    /// What is accessed.
    pub access: String,
    /// Both threads.
    pub who: String,
}

/// Not all threads of a block reach a barrier.
///
/// ## What it means
/// `__syncthreads()` under a condition that differs between threads is undefined: a GPU hangs, or
/// goes on with memory half written.
///
/// ## What to do
/// Move the barrier out of the condition; make the condition the same for the whole block.
///
/// ## Example
/// ```cuda
/// if (threadIdx.x < 16) { s[threadIdx.x] = v; __syncthreads(); }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0634",
    severity = error,
    message = "divergent barrier: {arrived} of {expected} threads reach it, {who}"
)]
pub struct DivergentBarrier {
    /// Threads that arrived.
    pub arrived: u32,
    /// Threads that should.
    pub expected: u32,
    /// The block.
    pub who: String,
}

/// A warp operation names lanes that do not take part.
///
/// ## What it means
/// The mask of a `*_sync` operation holds lanes that are elsewhere, or have returned. That is
/// undefined: a GPU hangs or gives garbage.
///
/// ## What to do
/// Compute the mask before the lanes part (`__ballot_sync`, `__activemask()` is not it), or move the
/// operation to where all lanes of the mask are.
///
/// ## Example
/// ```cuda
/// if (i < n) sum += __shfl_down_sync(0xffffffff, sum, 16);      // the last warp is not whole
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0635",
    severity = error,
    message = "the mask {mask} names lanes that take no part (those that do: {active}), {who}"
)]
pub struct MissingLanes {
    /// The mask, in hexadecimal.
    pub mask: String,
    /// The lanes that execute the operation.
    pub active: String,
    /// Block and thread.
    pub who: String,
}

/// A shuffle reads a lane that does not take part.
///
/// ## What it means
/// The value of a lane that does not execute the shuffle is undefined.
///
/// ## What to do
/// Let the lane take part, or read another one.
///
/// ## Example
/// ```cuda
/// if (lane < 16) v = __shfl_sync(0x0000ffff, v, 20);
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0636",
    severity = error,
    message = "a shuffle reads lane {lane}, which takes no part, {who}"
)]
pub struct InactiveLane {
    /// The lane that is read.
    pub lane: u32,
    /// Block and thread.
    pub who: String,
}

/// An integer is divided by zero.
///
/// ## What it means
/// CUDA gives some number and goes on; other chips give another number, and a CPU ends the program.
///
/// ## What to do
/// Guard the division.
///
/// ## Example
/// ```cuda
/// int row = i / cols;       // with cols == 0
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0637", severity = error, message = "integer division by zero, {who}")]
pub struct DivisionByZero {
    /// Block and thread.
    pub who: String,
}

/// A kernel ended its run itself.
///
/// ## What it means
/// `assert` was false, or the kernel called `__trap()`.
///
/// ## What to do
/// The message names the thread; the condition is on the line shown.
///
/// ## Example
/// ```cuda
/// assert(index < size);
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0638", severity = error, message = "{what}, {who}")]
pub struct KernelAbort {
    /// The assertion, or that it was a trap.
    pub what: String,
    /// Block and thread.
    pub who: String,
}

/// A kernel does not end within its budget.
///
/// ## What it means
/// The kernel executed as many instructions as a run may, and was still running: a loop that never
/// ends, threads that wait for something that never comes, or simply a large launch.
///
/// ## What to do
/// Look at the loop shown. For a large launch take smaller sizes, or `--fuel` for a larger budget.
///
/// ## Example
/// ```cuda
/// while (atomicAdd(flag, 0) == 0) { }       // and nobody sets the flag
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0640", severity = error, message = "no end after {fuel} instructions{who}")]
pub struct OutOfFuel {
    /// The budget.
    pub fuel: u64,
    /// Block and thread, after a comma.
    pub who: String,
}

/// A kernel needs more memory than a run may take.
///
/// ## What it means
/// Registers, shared and local memory of the threads that run together do not fit the limit.
///
/// ## What to do
/// Take smaller blocks or local arrays.
///
/// ## Example
/// ```cuda
/// float scratch[1 << 24];       // for each thread
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0641", severity = error, message = "the kernel needs {bytes} bytes, more than the limit")]
pub struct OutOfMemory {
    /// Bytes needed.
    pub bytes: u64,
}

/// Threads wait for each other for ever.
///
/// ## What it means
/// Every thread that has not ended waits, and none of those that run can free another.
///
/// ## What to do
/// Look at the places shown: two barriers for one set of threads, a lock taken by a lane whose warp
/// waits for it.
///
/// ## Example
/// ```cuda
/// while (atomicCAS(lock, 0, 1) != 0) { }
/// __syncwarp();                 // the lane with the lock waits for those that spin
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0642", severity = error, message = "deadlock: {what}, {who}")]
pub struct Deadlock {
    /// What is waited for.
    pub what: String,
    /// Block and thread.
    pub who: String,
}

/// A launch is not one that a kernel takes.
///
/// ## What it means
/// The block has more threads than the kernel's `__launch_bounds__`, or a cluster does not divide the
/// grid.
///
/// ## What to do
/// Correct the launch.
///
/// ## Example
/// ```cuda
/// __global__ void __launch_bounds__(128) k() {}      // launched with 256 threads
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0643", severity = error, message = "`{kernel}` cannot be launched so: {what}")]
pub struct InvalidLaunch {
    /// The kernel.
    pub kernel: String,
    /// Why.
    pub what: String,
}

/// A port computes something else than its original.
///
/// ## What it means
/// Original and port were run under the same arithmetic, so no rounding of any chip excuses the
/// difference: the port's text does something else.
///
/// ## What to do
/// The message names the output and the first element that differs. If the port was edited by hand,
/// look there; otherwise please report it with the kernel and the spec.
///
/// ## Example
/// ```sh
/// port check softmax.cu --target hip      # exit status 1
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0650", severity = error, message = "port bug: `{output}`: {reason}")]
pub struct PortBug {
    /// The output.
    pub output: String,
    /// How it differs.
    pub reason: String,
}

/// The target's arithmetic takes an output further off than the rule allows.
///
/// ## What it means
/// Under the same arithmetic original and port agree. Under each side's own (contraction, subnormals,
/// functions, the order of reductions) they are further apart than the acceptance rule allows.
///
/// ## What to do
/// The report says which part of the arithmetic makes the difference and on which lines. Pin it there
/// (`__fmul_rn`, `fmaf`, an explicit conversion, a compensated sum), or choose the rule that fits what
/// the output is used for (`--rule`).
///
/// ## Example
/// ```sh
/// port check gelu.cu --target hip:gfx90a --rule bits
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0651",
    severity = error,
    message = "target drift: `{output}` fails `{rule}`: {reason}"
)]
pub struct TargetDrift {
    /// The output.
    pub output: String,
    /// The rule.
    pub rule: String,
    /// What it measured.
    pub reason: String,
}

/// A kernel amplifies rounding more than the target drifts.
///
/// ## What it means
/// The output fails the rule, but the reference itself is at least as far from the high-precision
/// result: cancellation, or a sum of many terms, makes the last digits meaningless on every chip.
///
/// ## What to do
/// Sum in a wider type, compensate, or reorder; then both sides agree. Or accept the output by a rule
/// at its scale.
///
/// ## Example
/// ```cuda
/// y[i] = (x[i] + 1e8f) - 1e8f;       // what is left of x is rounding
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0652", severity = warning, message = "ill-conditioned: `{output}`: {reason}")]
pub struct IllConditioned {
    /// The output.
    pub output: String,
    /// The distances.
    pub reason: String,
}

/// A verdict lacks evidence.
///
/// ## What it means
/// The port was not run in a way that shows that it computes what the original computes: a C++
/// compiler is missing, the port has kernels that a person must write, or a launch did not end.
///
/// ## What to do
/// The report lists what was done and what is missing.
///
/// ## Example
/// ```sh
/// CXX=/opt/bin/g++-12 port check softmax.cu --target cpu
/// ```
#[derive(Diagnostic)]
#[diagnostic(code = "P0653", severity = error, message = "unproven: `{output}`: {reason}")]
pub struct Unproven {
    /// The output, or the kernel.
    pub output: String,
    /// What is missing.
    pub reason: String,
}
