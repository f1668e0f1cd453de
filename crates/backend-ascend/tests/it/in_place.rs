//! Kernels whose arrays are the same memory, or overlap: what a launch may do where no pointer is promised to be the
//! only one. Executed on the model against the fiber oracle.

use port_backend_ascend::kernel::Chip;

use crate::common;

const TEXT: &str = r#"
#include <cuda_fp16.h>

// One element for each thread, or all elements in steps of the grid.
__global__ void scaled(float* out, const float* in, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) out[i] = in[i] * 2.0f + 1.0f;
}
__global__ void strided(float* out, const float* in, int n) {
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += blockDim.x * gridDim.x)
        out[i] = in[i] * 2.0f + 1.0f;
}
// Interleaved: every other element is read, those between are written.
__global__ void pairs(float* out, const float* in, int n) {
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += blockDim.x * gridDim.x)
        out[2 * i] = in[2 * i] * 2.0f + 1.0f;
}
// Down a column: what a pass writes the next one may read.
__global__ void columns(float* out, const float* in, int rows, int width) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= width) return;
    for (int row = 0; row < rows; ++row) out[row * width + i] = in[row * width + i] + 1.0f;
}
// All is read before anything is written.
__global__ void moved(float* out, const float* in, int n) {
    int i = threadIdx.x;
    float v = i < n ? in[i] : 0.0f;
    __syncthreads();
    if (i < n) out[i] = v + 1.0f;
}

__device__ float summed(float v) {
    __shared__ float s[2];
    for (int o = 16; o > 0; o >>= 1) v += __shfl_xor_sync(~0u, v, o);
    if (threadIdx.x % 32 == 0) s[threadIdx.x / 32] = v;
    __syncthreads();
    v = s[0] + s[1];
    __syncthreads();
    return v;
}
__global__ void rms_norm(float* out, const float* in, const float* weight, int n) {
    float s = 0;
    for (int i = threadIdx.x; i < n; i += 64) s += in[blockIdx.x * n + i] * in[blockIdx.x * n + i];
    s = rsqrtf(summed(s) / n + 1e-5f);
    for (int i = threadIdx.x; i < n; i += 64) out[blockIdx.x * n + i] = in[blockIdx.x * n + i] * s * weight[i];
}
__global__ void fused_add_rms_norm(half* input, half* residual, const half* weight, int n) {
    float s = 0;
    for (int i = threadIdx.x; i < n; i += 64) {
        float v = __half2float(input[blockIdx.x * n + i]) + __half2float(residual[blockIdx.x * n + i]);
        s += v * v;
        residual[blockIdx.x * n + i] = __float2half(v);
    }
    s = rsqrtf(summed(s) / n + 1e-5f);
    for (int i = threadIdx.x; i < n; i += 64)
        input[blockIdx.x * n + i] = __float2half(__half2float(residual[blockIdx.x * n + i]) * s * __half2float(weight[i]));
}
__global__ void softmax(float* out, const float* in, int n) {
    const float* x = in + blockIdx.x * n;
    float* y = out + blockIdx.x * n;
    float s = 0;
    for (int i = threadIdx.x; i < n; i += 64) { float e = __expf(x[i]); s += e; y[i] = e; }
    s = summed(s);
    for (int i = threadIdx.x; i < n; i += 64) y[i] /= s;
}
// What is written is read again through the other pointer, if that is the same: added up, or stored.
__global__ void sums_after(float* out, float* sums, const float* in, int n) {
    float s = 0;
    for (int i = threadIdx.x; i < n; i += 64) out[blockIdx.x * n + i] = in[blockIdx.x * n + i] * 2.0f;
    for (int i = threadIdx.x; i < n; i += 64) s += in[blockIdx.x * n + i];
    s = summed(s);
    if (threadIdx.x == 0) sums[blockIdx.x] = s;
}
__global__ void scaled_after(float* out, float* more, const float* in, int n) {
    float s = 0;
    for (int i = threadIdx.x; i < n; i += 64) {
        s += in[blockIdx.x * n + i];
        out[blockIdx.x * n + i] = in[blockIdx.x * n + i] * 2.0f;
    }
    s = summed(s);
    for (int i = threadIdx.x; i < n; i += 64) more[blockIdx.x * n + i] = in[blockIdx.x * n + i] + s;
}
"#;

/// A spec of one launch on an array of its own.
fn spec(kernel: &str, grid: u32, block: u32, args: &str) -> String {
    let dtype = if kernel.starts_with("fused") { "f16" } else { "f32" };
    format!(
        "ints = [[\"n\", \"61\"], [\"rows\", \"7\"]]\nsweep = [{{ n = 17000, rows = 2 }}]\n[buffers]\n\
         x = {{ dtype = \"{dtype}\", shape = [\"rows * n + 512\"], init = \"uniform(-1,1)\", seed = 1, out = true }}\n\
         r = {{ dtype = \"{dtype}\", shape = [\"rows * n + 512\"], init = \"uniform(-1,1)\", seed = 2, out = true }}\n\
         w = {{ dtype = \"{dtype}\", shape = [\"n\"], init = \"uniform(-1,1)\", seed = 3 }}\n\
         [[launch]]\nkernel = \"{kernel}\"\ngrid = [{grid}]\nblock = [{block}]\nargs = [{args}]\n"
    )
}

/// What becomes of launches one after the other.
fn launched(name: &str, launches: &[(&str, u32, u32, &str)]) -> Result<String, String> {
    let mut text = String::new();
    for (index, (kernel, grid, block, args)) in launches.iter().enumerate() {
        let own = spec(kernel, *grid, *block, args);
        match index {
            0 => text = own,
            _ => text.push_str(own.split_once("[[launch]]").map_or("", |(_, rest)| rest)),
        }
        if index + 1 < launches.len() {
            text.push_str("[[launch]]");
        }
    }
    common::check_text(name, TEXT, &text, Chip::A910b)
}

#[test]
fn results_may_take_the_place_of_what_they_are_made_of() {
    let same = [
        ("scaled", 2, 64, "\"x\", \"x\", 100"),
        ("strided", 2, 32, "\"x\", \"x\", \"rows * n\""),
        ("pairs", 2, 32, "\"&x[1]\", \"x\", \"rows * n / 2\""),
        ("columns", 1, 64, "\"&x[61]\", \"x\", \"rows\", 61"),
        ("columns", 1, 64, "\"x\", \"x\", \"rows\", 61"),
        ("moved", 1, 128, "\"&x[1]\", \"x\", 100"),
        ("moved", 1, 128, "\"x\", \"&x[3]\", 100"),
        ("rms_norm", 7, 64, "\"x\", \"x\", \"w\", 61"),
        ("rms_norm", 2, 64, "\"x\", \"x\", \"w\", \"n\""),
        ("softmax", 7, 64, "\"x\", \"x\", 61"),
        ("softmax", 2, 64, "\"r\", \"r\", \"n\""),
    ];
    match launched("in_place", &same) {
        Ok(what) => assert!(what.contains("ported rows") && what.contains("flatten"), "{what}"),
        Err(why) => panic!("{why}"),
    }
    let halves = [
        ("fused_add_rms_norm", 7, 64, "\"x\", \"r\", \"w\", 61"),
        ("fused_add_rms_norm", 2, 64, "\"x\", \"r\", \"w\", \"n\""),
    ];
    match launched("in_place_halves", &halves) {
        Ok(what) => assert!(what.contains("{\"ported rows\"}"), "{what}"),
        Err(why) => panic!("{why}"),
    }
}

#[test]
fn what_was_written_is_read_through_another_pointer() {
    // A row is copied in once, so that such a launch is refused; that of other memory is right.
    for kernel in ["sums_after", "scaled_after"] {
        let made = launched(kernel, &[(kernel, 7, 64, "\"x\", \"r\", \"x\", 61")]);
        assert!(made.as_ref().is_err_and(|why| why.contains("overlap")), "{made:?}");
    }
    let apart = [("scaled_after", 7, 64, "\"x\", \"r\", \"&x[512]\", 61")];
    launched("apart", &apart).unwrap_or_else(|why| panic!("{why}"));
}

#[test]
fn elements_that_threads_hand_on_are_no_lanes() {
    // One thread, which reads what it has just written; several, each of which reads what it wrote a pass before.
    for (block, args) in [(1, "\"&x[1]\", \"x\", 100"), (32, "\"&x[32]\", \"x\", 100")] {
        let why = launched("handed_on", &[("strided", 1, block, args)]).err().unwrap_or_default();
        assert!(why.contains("overlap"), "{why}");
    }
}
