//! What a dialect port has to say about the user's text. One struct a finding; its documentation is
//! what `port explain` prints.

#![expect(missing_docs, reason = "the fields are the words that the messages show")]

use port_diag::{Finding, Metadata};
use port_macros::Diagnostic;

/// Every finding of this crate.
pub const FINDINGS: &[&Metadata] = &[
    &UnsupportedName::METADATA,
    &DoubtfulName::METADATA,
    &InlineAssembly::METADATA,
    &UnknownCudaHeader::METADATA,
    &ArchitectureBranch::METADATA,
    &TargetOnlyBranch::METADATA,
    &DifferentBehaviour::METADATA,
    &ImplicitRuntimeHeader::METADATA,
    &UnsupportedHeader::METADATA,
    &UnappliedRule::METADATA,
    &LaunchBounds::METADATA,
    &ProxyArchitecture::METADATA,
    &CompatibilityHeader::METADATA,
    &VectorOperator::METADATA,
    &ClashingOperator::METADATA,
    &PastedName::METADATA,
    &UnknownName::METADATA,
    &TranslatedAssembly::METADATA,
    &WarpWidthConstant::METADATA,
    &LockStep::METADATA,
    &DivergentCollective::METADATA,
    &NarrowMask::METADATA,
    &UncheckedKernel::METADATA,
    &LikelyWarpWidth::METADATA,
    &FullMask::METADATA,
];

/// A CUDA name has no form on the target.
///
/// ## What it means
/// The API tables know the name and know that the target has nothing that does the same. The text
/// around it is ported; this use is left as it is, and an `#error` before the declaration that holds
/// it keeps the file from being built by accident.
///
/// ## What to do
/// Follow the reason in the message. Once the code is rewritten, port again; the `#error` goes away.
/// To build the rest of the file meanwhile, define `PORT_ALLOW_MANUAL`.
///
/// ## Example
/// ```cuda
/// cudaGraphConditionalHandleCreate(&handle, graph, 0, 0); // no conditional nodes on HIP
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0401",
    severity = error,
    message = "`{name}` has no form on {target}: {reason}",
    help = "rewrite this use; to build the rest of the file meanwhile, define PORT_ALLOW_MANUAL"
)]
pub struct UnsupportedName {
    pub name: String,
    pub target: String,
    pub reason: String,
}

/// A token may or may not name the CUDA API.
///
/// ## What it means
/// The spelling is that of a CUDA name, but your own files declare the same name, and this token lies
/// where the front end did not look (an inactive `#if` branch, the body of a macro that is never
/// used) or means different things in different expansions of a macro. The token is left as it is.
///
/// ## What to do
/// If it is meant to be the CUDA name, qualify it (`::name`) or rename your own declaration. If it is
/// yours, there is nothing to do.
///
/// ## Example
/// ```cuda
/// static int min(int a, int b);
/// #if 0
/// x = min(a, b);   // yours or CUDA's?
/// #endif
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0402",
    severity = warning,
    message = "`{name}` is left as it is: it may be CUDA's or {owner}",
    help = "if CUDA's is meant, write `::{name}`; {target} has it as `{form}`"
)]
pub struct DoubtfulName {
    pub name: String,
    pub owner: String,
    pub target: String,
    pub form: String,
}

/// Inline assembly is not translated.
///
/// ## What it means
/// PTX is NVIDIA's instruction set; no other chip assembles it. Most instructions become C++ (P0419);
/// this one has no form there. The kernel that holds it is not ported: the statement becomes a trap, and an `#error` before the function keeps the file from
/// being built by accident.
///
/// ## What to do
/// Write what the instruction does in C++, most often with an intrinsic that has a row in the API
/// tables (`mov.u64 %0, %globaltimer` is `wall_clock64()`). Keep the PTX under
/// `#if defined(__CUDACC__)` if CUDA needs it for speed.
///
/// ## Example
/// ```cuda
/// asm volatile("wgmma.fence.sync.aligned;");
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0403",
    severity = error,
    message = "inline PTX `{instruction}` has no form on {target}",
    help = "write it in C++ or with an intrinsic; see `port explain P0403`"
)]
pub struct InlineAssembly {
    pub instruction: String,
    pub target: String,
}

/// A header of the CUDA toolkit is not known to the API tables.
///
/// ## What it means
/// The include looks like a CUDA library's header, but there is no row that says what the target has
/// in its place. The line is left as it is.
///
/// ## What to do
/// Replace the include and the calls that need it by the target's own library.
///
/// ## Example
/// ```cuda
/// #include <cudss.h>
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0404",
    severity = warning,
    message = "no form of `{header}` is known on {target}; the include is left as it is",
    help = "replace the include and what it declares by the target's own library"
)]
pub struct UnknownCudaHeader {
    pub header: String,
    pub target: String,
}

/// A branch on the CUDA architecture was fixed to the reference's side.
///
/// ## What it means
/// `__CUDA_ARCH__` does not exist on the target. Left alone, the preprocessor would take it for 0 and
/// silently compile another branch than CUDA does. The port tests `PORT_CUDA_ARCH` instead, which has
/// the value of the reference in device code, so that the same branch compiles.
///
/// ## What to do
/// Nothing, when the branch is right on the target. To port another branch, choose its compute
/// capability with `--cuda-arch`. To write code of its own for the target, test `__HIPCC__` first.
///
/// ## Example
/// ```cuda
/// #if __CUDA_ARCH__ >= 800      // becomes PORT_CUDA_ARCH >= 800
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0405",
    severity = note,
    message = "`{name}` is taken as {value} on {target}, as in the reference",
    help = "choose another branch with `--cuda-arch`"
)]
pub struct ArchitectureBranch {
    pub name: String,
    pub value: String,
    pub target: String,
}

/// A branch compiles on the target that CUDA never compiles.
///
/// ## What it means
/// The condition tests a macro that only the target's compiler defines (`__HIPCC__`,
/// `__HIP_PLATFORM_AMD__`, `USE_ROCM`), so the target compiles text that the reference does not. That
/// text is yours, it is kept as it is, and nothing is known about whether it does the same.
///
/// ## What to do
/// If the branch was written for the target, check it as you would check a port. If it is stale,
/// delete it, and port again: then the CUDA branch is what compiles.
///
/// ## Example
/// ```cuda
/// #ifdef __HIP_PLATFORM_AMD__
///   x = my_shuffle(x);          // compiled on HIP
/// #else
///   x = __shfl_down_sync(~0u, x, 1);
/// #endif
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0406",
    severity = warning,
    message = "{target} compiles another branch here than CUDA does; that branch was not analysed",
    help = "check it by hand, or delete it to have the CUDA branch ported"
)]
pub struct TargetOnlyBranch {
    pub target: String,
}

/// The target's form of a name behaves differently in a way that users should know.
///
/// ## What it means
/// The name is ported, and most uses need nothing more. The message names the difference.
///
/// ## What to do
/// Check that your use does not rest on the difference.
///
/// ## Example
/// ```cuda
/// cudaFuncSetCacheConfig(k, cudaFuncCachePreferL1);  // accepted and ignored on AMD
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0407",
    severity = note,
    message = "`{name}` differs on {target}: {difference}"
)]
pub struct DifferentBehaviour {
    pub name: String,
    pub target: String,
    pub difference: String,
}

/// A header that nvcc includes by itself was added.
///
/// ## What it means
/// nvcc includes `cuda_runtime.h`, and with it `math.h`, `string.h` and `assert.h`, at the top of every
/// `.cu` file. Other compilers do not, so the port includes the target's runtime header explicitly, and
/// those of the others that its names come from.
///
/// ## What to do
/// Nothing.
///
/// ## Example
/// ```cuda
/// __global__ void k() {}       // the whole file: no include at all
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0408",
    severity = note,
    message = "`#include <{header}>` is added: nvcc includes it, or its like, by itself"
)]
pub struct ImplicitRuntimeHeader {
    pub header: String,
}

/// A CUDA header has no form on the target.
///
/// ## What it means
/// The API tables know the header, and know that the target has nothing in its place. The include is
/// left as it is, so that the port does not compile by accident.
///
/// ## What to do
/// Follow the reason in the message.
///
/// ## Example
/// ```cuda
/// #include <cuda/barrier>
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0409",
    severity = error,
    message = "`{header}` has no form on {target}: {reason}",
    help = "remove the include and rewrite what needs it"
)]
pub struct UnsupportedHeader {
    pub header: String,
    pub target: String,
    pub reason: String,
}

/// A use of a name needs an edit that could not be made here.
///
/// ## What it means
/// On the target the name is used in another way (another argument, a cast), and this use is not of
/// the form that the rule can edit: the name is passed through a macro or its address is taken. The
/// name itself was changed; the rest was not.
///
/// ## What to do
/// Make the edit that the message describes by hand.
///
/// ## Example
/// ```cuda
/// #define COPY cudaMemcpyToSymbol
/// COPY(table, host, bytes);     // the first argument must become HIP_SYMBOL(table)
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0410",
    severity = error,
    message = "this use of `{name}` was not edited: {rule}",
    help = "make this edit by hand"
)]
pub struct UnappliedRule {
    pub name: String,
    pub rule: String,
}

/// The second argument of `__launch_bounds__` means something else on AMD.
///
/// ## What it means
/// CUDA's second argument is the least number of blocks on a multiprocessor; HIP's is the least
/// number of warps on an execution unit. The number is kept as it is: it never changes results, only
/// how many registers the compiler may use.
///
/// ## What to do
/// Tune it on the target. HIP's value for the same occupancy is blocks × threads ÷ (wave size × units
/// of a compute unit).
///
/// ## Example
/// ```cuda
/// __global__ void __launch_bounds__(256, 4) k();
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0412",
    severity = note,
    message = "`__launch_bounds__` has a second argument: CUDA counts blocks per multiprocessor, {target} warps per execution unit",
    help = "tune it on the target; results do not depend on it"
)]
pub struct LaunchBounds {
    pub target: String,
}

/// The architecture cannot be checked by a public compiler; another stands in.
///
/// ## What it means
/// The port itself does not depend on it. What was compiled and analysed to prove this tool's
/// output was the stand-in.
///
/// ## What to do
/// Build with the vendor's compiler and run your tests on the device.
///
/// ## Example
/// ```text
/// port k.cu --target hip:gfx936
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0413",
    severity = note,
    message = "{architecture}: {note}"
)]
pub struct ProxyArchitecture {
    pub architecture: String,
    pub note: String,
}

/// The compatibility header is included.
///
/// ## What it means
/// Some names have no form that is right on ROCm 5, 6 and 7 alike. `port_hip_compat.h`, written
/// beside the port, defines them, and only those that the port uses.
///
/// ## What to do
/// Keep the header beside the port. It is plain HIP and yours to edit.
///
/// ## Example
/// ```cuda
/// x += __shfl_down_sync(0xffffffffu, x, 16);   // becomes port_shfl_down_sync(…)
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0414",
    severity = note,
    message = "`{header}` is included for {names}"
)]
pub struct CompatibilityHeader {
    pub header: String,
    pub names: String,
}

/// An operator of yours is left out, because the target's vector types have it.
///
/// ## What it means
/// CUDA's vector types are plain structs, so your code defines operators for them. HIP's vector types
/// come with operators that work element by element, and with both a use would be ambiguous. Your
/// definition does the same as HIP's; it stands under `#if 0` in the port.
///
/// ## What to do
/// Nothing.
///
/// ## Example
/// ```cuda
/// inline __device__ float2 operator*(float2 a, float2 b) {
///   return make_float2(a.x * b.x, a.y * b.y);
/// }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0415",
    severity = note,
    message = "this `operator{operator}` is left out: {target}'s vector types have the same one"
)]
pub struct VectorOperator {
    pub operator: String,
    pub target: String,
}

/// An operator of yours clashes with one of the target's, which does something else.
///
/// ## What it means
/// HIP's vector types come with this operator, element by element. Yours is for the same types and was
/// not recognised as doing the same, so a use of it would be ambiguous, and leaving either out might
/// change results.
///
/// ## What to do
/// Make it a named function and call that.
///
/// ## Example
/// ```cuda
/// inline __device__ float3 operator*(float3 a, float3 b) {   // a cross product
///   return make_float3(a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x);
/// }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0416",
    severity = error,
    message = "this `operator{operator}` clashes with that of {target}'s vector types",
    help = "make it a named function and call that"
)]
pub struct ClashingOperator {
    pub operator: String,
    pub target: String,
}

/// A macro makes a CUDA name by `##`, and the operand cannot be changed for all of its uses.
///
/// ## What it means
/// The name stands nowhere in the text: it is put together when the macro is expanded. The port
/// changes the part that is written in the macro's body where that gives every name its form on the
/// target; here it does not, so the macro still makes the CUDA name.
///
/// ## What to do
/// Write the names out, or pass the whole name to the macro.
///
/// ## Example
/// ```cuda
/// #define JOIN(a, b) a##b
/// JOIN(cuda, Free)(p);   // pass `cudaFree` instead
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0417",
    severity = error,
    message = "`{name}` is made by `##` and stays; on {target} it is `{form}`",
    help = "write the name out, or pass it whole to the macro"
)]
pub struct PastedName {
    pub name: String,
    pub target: String,
    pub form: String,
}

/// A name is spelled like one of CUDA's, and nothing is known of it.
///
/// ## What it means
/// Neither the API tables nor your files know the name. It may belong to a newer release of CUDA or
/// to a library that has no rows yet. The port leaves it as it is.
///
/// ## What to do
/// Look for the target's form in its documentation and write it in; or, where a header of yours
/// declares the name, give its folder with `-I`.
///
/// ## Example
/// ```cuda
/// cudaFrobnicate(x);
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0418",
    severity = warning,
    message = "`{name}` is spelled like a name of CUDA's and is not known: it stays as it is",
    help = "look for its form on {target}; if a header of yours declares it, give the folder with -I"
)]
pub struct UnknownName {
    pub name: String,
    pub target: String,
}

/// Inline assembly is translated.
///
/// ## What it means
/// The statement becomes a call of a function in C++ that computes what its PTX instructions do; the
/// function stands before the code of the file. Lanes are those of a warp of 32.
///
/// ## What to do
/// Nothing. Approximate instructions (`ex2.approx`, `rcp.approx`) become the functions that HIP has
/// for them, whose last bits may differ.
///
/// ## Example
/// ```cuda
/// asm volatile("bfe.u32 %0, %1, 4, 8;" : "=r"(field) : "r"(word));
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0419",
    severity = note,
    message = "inline PTX `{instruction}` becomes the function `{function}`"
)]
pub struct TranslatedAssembly {
    pub instruction: String,
    pub function: String,
}

/// A constant stands for the width of a warp.
///
/// ## What it means
/// With `--warp native` a warp of the port has as many lanes as the hardware's wave, 64 on CDNA and
/// Hygon chips. The constant is used where a lane or warp number is computed or exchanged, so the
/// code is right for 32 lanes only.
///
/// ## What to do
/// Compute it from `warpSize`, or port with the default `--warp 32`, which keeps logical warps of 32
/// lanes on any hardware.
///
/// ## Example
/// ```cuda
/// int lane = threadIdx.x % 32;
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0501",
    severity = error,
    message = "`{constant}` assumes that a warp has 32 lanes: it is {reason}",
    help = "use `warpSize`, or port with `--warp 32`"
)]
pub struct WarpWidthConstant {
    pub constant: String,
    pub reason: String,
}

/// A loop waits for another thread of the same wave.
///
/// ## What it means
/// Since Volta the lanes of a CUDA warp make progress independently, so a lane may spin until its
/// neighbour releases a lock. AMD waves run in lock step: the spinning lanes keep the releasing lane
/// from running, and the kernel hangs.
///
/// ## What to do
/// Take the lock by one lane of the warp, or move the critical section inside the branch that got
/// the lock (`if (atomicCAS(…) == 0) { …; release; done = true; }` in the loop).
///
/// ## Example
/// ```cuda
/// while (atomicCAS(&lock, 0, 1) != 0) { }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0502",
    severity = error,
    message = "this loop needs lanes that progress independently: {reason}",
    help = "take the lock by one lane, or release it inside the branch that took it; see `port explain P0502`"
)]
pub struct LockStep {
    pub reason: String,
}

/// A warp or block operation may be reached by a part of its threads only.
///
/// ## What it means
/// It could not be shown that all threads that must take part in the operation reach it together. A
/// condition that is the same for all of them at run time, which no analysis can see, is no fault.
/// Otherwise CUDA makes the result undefined, and on other hardware the same code may behave
/// differently from the way it happens to behave on NVIDIA's.
///
/// ## What to do
/// Move the operation out of the branch, or make the condition the same for the whole warp (block).
///
/// ## Example
/// ```cuda
/// if (threadIdx.x < n) { __syncthreads(); }
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0503",
    severity = note,
    message = "`{operation}` may be reached by a part of the {scope} only",
    help = "move it out of the branch, or make the condition the same for the whole {scope}"
)]
pub struct DivergentCollective {
    pub operation: String,
    pub scope: String,
}

/// A mask of lanes is kept in 32 bits.
///
/// ## What it means
/// With `--warp native` a mask has one bit for each lane of the wave, 64 on CDNA and Hygon chips. The
/// value is kept in 32 bits, which loses the upper lanes.
///
/// ## What to do
/// Keep masks in `unsigned long long`, or port with the default `--warp 32`.
///
/// ## Example
/// ```cuda
/// unsigned active = __ballot_sync(0xffffffffu, p);
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0504",
    severity = error,
    message = "the lane mask of `{operation}` is kept in 32 bits",
    help = "keep masks in `unsigned long long`, or port with `--warp 32`"
)]
pub struct NarrowMask {
    pub operation: String,
}

/// A kernel was ported as text; its semantics were not analysed.
///
/// ## What it means
/// The edits are certain: every token that they touch has a known meaning. But the kernel holds
/// something that the analysis does not model, so it could not be searched for code that behaves
/// differently on the target.
///
/// ## What to do
/// Look at the place named, and test the kernel on the target.
///
/// ## Example
/// A kernel that calls a function of a library whose source is not in view.
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0505",
    severity = warning,
    message = "`{kernel}` is ported, but was not analysed for the target: {why}",
    help = "the edits are certain, the semantics are not proven; test this kernel on the target"
)]
pub struct UncheckedKernel {
    pub kernel: String,
    pub why: String,
}

/// A constant probably stands for the width of a warp.
///
/// ## What it means
/// As for P0501, but the constant does not reach a warp operation by data flow: it is the shape of the
/// code (a thread number modulo 32, a number of threads divided by 32) in a kernel that has warp
/// operations.
///
/// ## What to do
/// If it is the width of a warp, compute it from `warpSize`, or port with the default `--warp 32`.
///
/// ## Example
/// ```cuda
/// __shared__ float partial[32];       // one place for each warp?
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0506",
    severity = warning,
    message = "`{constant}` may assume that a warp has 32 lanes: it looks like {reason}",
    help = "use `warpSize` if it does, or port with `--warp 32`"
)]
pub struct LikelyWarpWidth {
    pub constant: String,
    pub reason: String,
}

/// A mask of all lanes was widened.
///
/// ## What it means
/// With `--warp native` a mask of all lanes has as many bits as the wave has lanes. The constant
/// reaches the mask of a warp operation by data flow, so the port writes `PORT_FULL_MASK` for it.
///
/// ## What to do
/// Nothing.
///
/// ## Example
/// ```cuda
/// x += __shfl_xor_sync(0xffffffffu, x, 1);
/// ```
#[derive(Diagnostic)]
#[diagnostic(
    code = "P0507",
    severity = note,
    message = "`{constant}` is widened to all lanes of the wave"
)]
pub struct FullMask {
    pub constant: String,
}
