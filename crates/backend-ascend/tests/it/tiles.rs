//! Vectors of lanes: which form small kernels take. What they compute is for the workspace's test
//! `ascend`, which runs whole ports.

use port_backend_ascend::kernel::Chip;

use crate::common;

fn form(kernel: &str, launch: &str) -> String {
    let text = format!("{kernel}\nvoid run(float* x, int* i, int n) {{ {launch}; }}\n");
    common::forms("case.cu", &text, Chip::A910b).join(", ")
}

#[test]
fn independent_threads_are_one_range_of_lanes() {
    // Whatever the user's blocks are.
    let text = "__global__ void k(float* x, int n) {\n\
                int i = blockIdx.x * blockDim.x + threadIdx.x; if (i < n) x[i] *= 2; }";
    assert_eq!(form(text, "k<<<n, 32>>>(x, n)"), "ported flatten");
    // Each block has a row of its own, its threads have nothing to do with each other.
    let text = "__global__ void k(float* x, int n) {\n\
                for (int i = threadIdx.x; i < n; i += blockDim.x) x[blockIdx.x * n + i] += 1; }";
    assert_eq!(form(text, "k<<<n, 256>>>(x, n)"), "ported flatten");
}

#[test]
fn threads_that_work_together_are_the_lanes_of_a_block() {
    let text = "__global__ void k(float* x) {\n\
                float v = x[threadIdx.x]; v += __shfl_xor_sync(~0u, v, 16); x[threadIdx.x] = v; }";
    assert_eq!(form(text, "k<<<1, 32>>>(x)"), "ported block");
    let text = "__global__ void k(float* x) {\n\
                __shared__ float s[64]; s[threadIdx.x] = x[threadIdx.x]; __syncthreads();\n\
                x[threadIdx.x] = s[63 - threadIdx.x]; }";
    assert_eq!(form(text, "k<<<1, 64>>>(x)"), "ported block");
}

#[test]
fn an_old_value_that_is_asked_for_takes_one_core() {
    let text = "__global__ void k(int* i, float* x) { x[atomicAdd(i, 1)] = threadIdx.x; }";
    assert_eq!(form(text, "k<<<2, 64>>>(i, x)"), "ported-slow flatten");
}
