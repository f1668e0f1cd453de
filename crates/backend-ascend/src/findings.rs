//! What a port to Ascend has to say about the user's text. One struct a finding; its documentation
//! is what `port explain` prints.

#![expect(missing_docs, reason = "the fields are the words that the messages show")]

use port_diag::{Finding, Metadata};
use port_macros::Diagnostic;

/// Every finding of this crate.
pub const FINDINGS: &[&Metadata] = &[
    &NoForm::METADATA,
    &ScalarForm::METADATA,
    &NoHostForm::METADATA,
    &NoHeader::METADATA,
    &UnreadableText::METADATA,
    &ManagedMemory::METADATA,
    &LargeAngles::METADATA,
];

/// A kernel has no form on the Ascend chip.
///
/// ## What it means
/// None of the forms that the target knows holds the kernel, for the reason given. The host code
/// around it is ported; the launcher of this instance ends the program, and the file does not compile
/// until `PORT_ALLOW_MANUAL` is defined, so that it cannot be shipped by accident.
///
/// ## What to do
/// Rewrite what the reason names, or write the kernel by hand: its launcher at the end of the file
/// shows what it is given.
///
/// ## Example
/// ```cuda
/// __global__ void k(double* x) { x[threadIdx.x] *= 2.0; }  // the 910B has no double vectors
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0801",
    severity = error,
    message = "`{kernel}` has no form on the {chip}, because {reason}",
    help = "rewrite what the reason names; to build the rest of the file meanwhile, define PORT_ALLOW_MANUAL"
)]
pub struct NoForm {
    pub kernel: String,
    pub chip: String,
    pub reason: String,
}

/// A kernel runs on the scalar unit, or otherwise below what the chip can do.
///
/// ## What it means
/// The port is right and slow: the vector form does not hold the kernel, for the reason given.
///
/// ## What to do
/// Nothing, if the kernel is not where time goes. Else rewrite what the reason names.
///
/// ## Example
/// ```cuda
/// __global__ void k(const int* next, int* x) { for (int i = 0; i >= 0; i = next[i]) x[i]++; }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0802",
    severity = note,
    message = "`{kernel}` is slow on the {chip} ({lowering}), because {reason}"
)]
pub struct ScalarForm {
    pub kernel: String,
    pub chip: String,
    pub lowering: String,
    pub reason: String,
}

/// A CUDA name of the host code has no form on Ascend.
///
/// ## What it means
/// The host code is moved to ACL, but this name has no counterpart there: libraries of NVIDIA's,
/// textures, graphs, the driver's modules. The text around it is ported. The file does not compile
/// until `PORT_ALLOW_MANUAL` is defined; then a function that uses the name ends the program when it
/// is called.
///
/// ## What to do
/// Write this use for Ascend: a library call becomes one of aclnn's operators or a kernel, a texture
/// becomes an array.
///
/// ## Example
/// ```cuda
/// cublasSgemm(handle, CUBLAS_OP_N, CUBLAS_OP_N, m, n, k, &alpha, a, m, b, k, &beta, c, m);
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0803",
    severity = error,
    message = "`{name}` has no form on Ascend: {reason}",
    help = "{way}; to build the rest of the file meanwhile, define PORT_ALLOW_MANUAL"
)]
pub struct NoHostForm {
    pub name: String,
    pub reason: String,
    pub way: String,
}

/// A header of CUDA's libraries has no form on Ascend.
///
/// ## What it means
/// The include is left in place, behind `PORT_ALLOW_MANUAL`; each use of a name of it is reported
/// where it stands.
///
/// ## What to do
/// Include the header of Ascend's library in its place, and rewrite the uses.
///
/// ## Example
/// ```cuda
/// #include <cudnn.h>
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0804",
    severity = error,
    message = "`{header}` has no form on Ascend",
    help = "{way}; to build the rest of the file meanwhile, define PORT_ALLOW_MANUAL"
)]
pub struct NoHeader {
    pub header: String,
    pub way: String,
}

/// A kernel or a launch could not be joined with the port.
///
/// ## What it means
/// The host calls a kernel through a function `launch_<kernel>` that stands where the kernel was
/// declared. Here the declaration or the launch could not be read: a definition that several macros
/// make, a launch whose arguments stand elsewhere.
///
/// ## What to do
/// Write the kernel's head, or the launch with its arguments, in one place.
///
/// ## Example
/// ```cuda
/// #define CONFIGURED(k, n) k<<<n, 256>>>
/// void run(float* x, int n) { CONFIGURED(scale, n)(x, n); }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0806",
    severity = error,
    message = "{what} cannot be read: {reason}",
    help = "write it in one place"
)]
pub struct UnreadableText {
    pub what: String,
    pub reason: String,
}

/// Memory that host and device share becomes two copies.
///
/// ## What it means
/// An Ascend chip does not read the host's memory. What `cudaMallocManaged` gives becomes memory of the
/// host and of the device: a launch that is given its address copies it to the device, waiting for the
/// device (`cudaDeviceSynchronize` …) copies it back. Addresses that stand inside such memory, or in a
/// structure that a kernel is given, stay the host's, which a kernel must not follow.
///
/// ## What to do
/// Nothing, if kernels are given the addresses that they use. Else allocate with `cudaMalloc` and copy,
/// which is faster too.
///
/// ## Example
/// ```cuda
/// cudaMallocManaged(&x, n * sizeof(float));
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0807",
    severity = warning,
    message = "memory that host and device share is copied at each launch and when the host waits",
    help = "allocate with `cudaMalloc` and copy what is needed"
)]
pub struct ManagedMemory {}

/// A sine, cosine or tangent on vectors is not right for angles of any size.
///
/// ## What it means
/// The 910B has no such instruction; vectors compute the function from what the angle leaves of quarter
/// turns, which is exact for 2^24 of them: as far as 2.6e7, where neighbouring floats are 2 apart. CUDA
/// reduces larger angles exactly; here the result means nothing.
///
/// ## What to do
/// Nothing, if angles are smaller. Else reduce them before, in integers or in double.
///
/// ## Example
/// ```cuda
/// __global__ void k(float* x) { x[threadIdx.x] = sinf(x[threadIdx.x] * 1e9f); }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0808",
    severity = warning,
    message = "sines, cosines and tangents of `{kernel}` are right for angles as far as 2.6e7 (2^24 quarter turns)",
    help = "nothing, if angles are smaller; else reduce them before, in integers or in double"
)]
pub struct LargeAngles {
    pub kernel: String,
}
