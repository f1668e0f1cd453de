//! What a port to the CPU has to say about the user's text. One struct a finding; its documentation
//! is what `port explain` prints.

#![expect(missing_docs, reason = "the fields are the words that the messages show")]

use port_diag::{Finding, Metadata};
use port_macros::Diagnostic;

/// Every finding of this crate.
pub const FINDINGS: &[&Metadata] = &[
    &RunsOnFibers::METADATA,
    &UnsupportedName::METADATA,
    &UnsupportedHeader::METADATA,
    &InlineAssembly::METADATA,
    &UnreadableKernel::METADATA,
    &HostBranch::METADATA,
    &NotFused::METADATA,
    &ImplicitSynchrony::METADATA,
];

/// A kernel runs thread by thread.
///
/// ## What it means
/// The kernel could not be turned into loops over the threads of a block, for the reason given. Its
/// own text runs instead, once for each thread, each thread on a stack of its own that barriers and
/// warp operations switch between. Results are right; it takes some ten to a hundred times as long
/// as loops, because nothing is vectorised and each barrier switches stacks.
///
/// ## What to do
/// Nothing, if the kernel is not where time goes. Else rewrite what the reason names, or name the
/// instances of a template with `--instantiate` where the reason is that none is in view.
///
/// ## Example
/// ```cuda
/// __global__ void apply(float (*f)(float), float* x) { x[threadIdx.x] = f(x[threadIdx.x]); }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0701",
    severity = note,
    message = "`{kernel}` runs thread by thread, some ten to a hundred times slower than loops, because {reason}"
)]
pub struct RunsOnFibers {
    pub kernel: String,
    pub reason: String,
}

/// A CUDA name has no form on a CPU.
///
/// ## What it means
/// `port_cpu.hpp` gives most of CUDA's runtime and device functions a meaning on a CPU, and what programs
/// use most of cuBLAS, cuRAND, Thrust, CUB and libcu++, but not this name: NVIDIA's other libraries,
/// textures, graphs that no stream captured and the driver's modules are not among them. The text
/// around it is ported. The function that uses the name does not compile until `PORT_ALLOW_MANUAL` is
/// defined; then it ends the program when it is called.
///
/// ## What to do
/// Write this use for the CPU: a library call becomes a call of a CPU's library (cuBLAS: any BLAS,
/// cuFFT: FFTW, thrust: the standard algorithms), a texture becomes an array.
///
/// ## Example
/// ```cuda
/// cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, m, n, k, &alpha, a, m, b, k, &beta, c, m);
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0702",
    severity = error,
    message = "`{name}` has no form on a CPU: {reason}",
    help = "{way}; to build the rest of the file meanwhile, define PORT_ALLOW_MANUAL"
)]
pub struct UnsupportedName {
    pub name: String,
    pub reason: String,
    pub way: String,
}

/// A header of CUDA's libraries has no form on a CPU.
///
/// ## What it means
/// What the header declares is not part of `port_cpu.hpp`. The include is left in place, behind
/// `PORT_ALLOW_MANUAL`; each use of a name of it is reported where it stands.
///
/// ## What to do
/// Include the header of a CPU's library in its place, and rewrite the uses.
///
/// ## Example
/// ```cuda
/// #include <cudnn.h>
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0703",
    severity = error,
    message = "`{header}` has no form on a CPU",
    help = "{way}; to build the rest of the file meanwhile, define PORT_ALLOW_MANUAL"
)]
pub struct UnsupportedHeader {
    pub header: String,
    pub way: String,
}

/// Inline PTX cannot run on a CPU.
///
/// ## What it means
/// The statement is assembly for NVIDIA's GPUs. Where the front end knows the instruction, the
/// kernel is compiled all the same; this place of the text ends the program when it is reached.
///
/// ## What to do
/// Replace the statement by the CUDA function that does the same (`__shfl_sync`, `__ldg`, `__fmaf_rn`
/// …), or keep the PTX under `#ifdef __CUDA_ARCH__` beside a C++ form.
///
/// ## Example
/// ```cuda
/// asm("mov.u32 %0, %%pm0;" : "=r"(count));
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0704",
    severity = error,
    message = "inline PTX `{instruction}` cannot run on a CPU",
    help = "use the CUDA function that does the same, or write it in C++"
)]
pub struct InlineAssembly {
    pub instruction: String,
}

/// A kernel whose definition could not be read.
///
/// ## What it means
/// A kernel needs a first statement that runs the grid when the host calls it. This one's parameters
/// could not be told: a parameter without a name whose declarator has brackets, or a definition that
/// is made by several macros.
///
/// ## What to do
/// Give each parameter and each template parameter a name, and write the kernel's head in one place.
///
/// ## Example
/// ```cuda
/// __global__ void k(float*, int (*)[4]) {}
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0705",
    severity = error,
    message = "the definition of kernel `{kernel}` cannot be read: {reason}",
    help = "name each parameter, and write the kernel's head in one place"
)]
pub struct UnreadableKernel {
    pub kernel: String,
    pub reason: String,
}

/// A function for host and device takes its host branch where a kernel runs thread by thread.
///
/// ## What it means
/// The text is compiled once, so a condition on `__CUDA_ARCH__` in a function that the host calls too
/// has one value: the host's. Kernels in loops have the device's branch; one that runs thread by
/// thread has the host's.
///
/// ## What to do
/// Make sure that both branches compute the same, or give the device a function of its own.
///
/// ## Example
/// ```cuda
/// __host__ __device__ float root(float x) {
/// #ifdef __CUDA_ARCH__
///   return __fsqrt_rn(x);
/// #else
///   return std::sqrt(x);
/// #endif
/// }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0706",
    severity = warning,
    message = "`{function}` takes its host branch here where `{kernel}` runs thread by thread",
    help = "make sure that both branches compute the same"
)]
pub struct HostBranch {
    pub function: String,
    pub kernel: String,
}

/// A kernel on fibers is not fused as nvcc fuses it.
///
/// ## What it means
/// `--float cuda` was asked for: products and sums become `fmaf` where nvcc makes one operation of them.
/// This kernel has no compiled form: its own text runs thread by thread, and there each operation is
/// rounded by itself. Its results are right, and differ from NVIDIA's as without the flag.
///
/// ## What to do
/// Rewrite what keeps the kernel from its compiled form (P0701 says what does), or write `fmaf` where
/// it matters: `port check --fix` shows the places.
///
/// ## Example
/// ```cuda
/// __global__ void apply(float (*f)(float), float* x) { x[threadIdx.x] = f(x[threadIdx.x]) * 2.0f + 1.0f; }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0707",
    severity = warning,
    message = "`{kernel}` runs thread by thread, where `--float cuda` fuses nothing",
    help = "write `fmaf` where it matters; `port check --fix` shows the places"
)]
pub struct NotFused {
    pub kernel: String,
}

/// A kernel that counts on the lanes of a warp to go in step runs thread by thread.
///
/// ## What it means
/// Between accesses to volatile shared memory stands no barrier: the code counts on the lanes of a warp
/// to execute each statement together, as GPUs before Volta did. Where a kernel has a compiled form, a
/// port keeps that step. This one has none (P0701 says why), and thread by thread a lane would be through
/// before the next begins: its results would be wrong, so it does not run.
///
/// ## What to do
/// Write `__syncwarp()` between the accesses, which NVIDIA asks for since Volta, or use warp shuffles.
///
/// ## Example
/// ```cuda
/// __shared__ volatile float s[64];
/// if (threadIdx.x < 32) { s[threadIdx.x] += s[threadIdx.x + 32]; s[threadIdx.x] += s[threadIdx.x + 16]; }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0708",
    severity = error,
    message = "`{name}` is shared without barriers by lanes that go in step, which they do not where a kernel runs thread by thread",
    help = "write `__syncwarp()` between the accesses"
)]
pub struct ImplicitSynchrony {
    pub name: String,
}
