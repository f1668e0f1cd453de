//! Rows that threads go over and reduce together: which kernels take the form, and that what does
//! not fit is left to another. What whole ports compute is for the workspace's test `ascend`.

mod common;

use port_backend_ascend::kernel::Chip;

fn form(kernel: &str, launch: &str) -> String {
    let text = format!("{kernel}\nvoid run(float* x, float* y, int rows, int n) {{ {launch}; }}\n");
    common::forms("case.cu", &text, Chip::A910b).join(", ")
}

/// A sum of `x` over a block of 256 threads, in the words of the tree given.
fn sums(tree: &str) -> String {
    format!(
        "__global__ void k(float* y, const float* x, int n) {{\n\
         __shared__ float s[256]; int t = threadIdx.x; float v = 0;\n\
         for (int i = t; i < n; i += blockDim.x) v += x[blockIdx.x * n + i];\n\
         s[t] = v; __syncthreads();\n{tree}\n\
         if (t == 0) y[blockIdx.x] = s[0]; }}"
    )
}

#[test]
fn a_reduction_is_known_by_what_it_does() {
    let launch = "k<<<rows, 256>>>(y, x, n)";
    let tree =
        "for (int h = 128; h > 0; h >>= 1) { if (t < h) s[t] += s[t + h]; __syncthreads(); }";
    assert_eq!(form(&sums(tree), launch), "ported rows");
    let serial = "if (t == 0) for (int w = 1; w < 256; ++w) s[0] += s[w]; __syncthreads();";
    assert_eq!(form(&sums(serial), launch), "ported rows");
    // One thread's share is left out, or counts twice.
    let short = "if (t == 0) for (int w = 1; w < 255; ++w) s[0] += s[w]; __syncthreads();";
    assert_eq!(form(&sums(short), launch), "ported block");
    let twice = "if (t == 0) for (int w = 0; w < 256; ++w) s[0] += s[w]; __syncthreads();";
    assert_eq!(form(&sums(twice), launch), "ported block");
    // A tree for powers of two, and a block that is none.
    let text = sums(
        "for (int h = blockDim.x / 2; h > 0; h >>= 1) { if (t < h) s[t] += s[t + h]; __syncthreads(); }",
    );
    assert_eq!(form(&text, "k<<<rows, 192>>>(y, x, n)"), "ported block");
    assert_eq!(form(&text, launch), "ported rows");
}

#[test]
fn a_warp_has_a_row_of_its_own() {
    let text = "__global__ void k(float* y, const float* x, int rows, int n) {\n\
                int row = blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32, lane = threadIdx.x % 32;\n\
                if (row >= rows) return; float m = -INFINITY;\n\
                for (int i = lane; i < n; i += 32) m = fmaxf(m, x[row * n + i]);\n\
                for (int o = 16; o > 0; o /= 2) m = fmaxf(m, __shfl_xor_sync(~0u, m, o));\n\
                for (int i = lane; i < n; i += 32) y[row * n + i] = x[row * n + i] - m; }";
    assert_eq!(form(text, "k<<<rows, 128>>>(y, x, rows, n)"), "ported rows");
    // Half of the warp's lanes.
    let half = text.replace("int o = 16", "int o = 8");
    assert_eq!(form(&half, "k<<<rows, 128>>>(y, x, rows, n)"), "ported block");
}

#[test]
fn a_loop_that_misses_elements_is_no_row() {
    let text =
        sums("for (int h = 128; h > 0; h >>= 1) { if (t < h) s[t] += s[t + h]; __syncthreads(); }");
    let gaps = text.replace("i += blockDim.x", "i += 2 * blockDim.x");
    assert_eq!(form(&gaps, "k<<<rows, 256>>>(y, x, n)"), "ported block");
}
