//! The operators of `kernels/` lower whole, for all instances that their hosts launch, to valid IR.

mod common;

use std::path::Path;

use common::kernel;

fn whole(path: &str, expected: &[&str]) {
    let lowered = kernel(Path::new(path));
    let messages: Vec<&str> = lowered.diagnostics.iter().map(|d| d.message.as_str()).collect();
    assert!(messages.is_empty(), "{messages:?}");
    assert!(lowered.instances.iter().all(|report| report.is_whole()));
    port_ir::validate(&lowered.module).expect("valid IR");
    let names: Vec<&str> =
        lowered.instances.iter().map(|report| report.instance.name.as_str()).collect();
    for name in expected {
        assert!(names.contains(name), "{name} is not among {names:?}");
    }
}

#[test]
fn rms_norm() {
    whole(
        "norm/rms_norm.cu",
        &[
            "rms_norm_kernel<float, 4>",
            "rms_norm_kernel<half, 8>",
            "rms_norm_kernel<__nv_bfloat16, 1>",
            "fused_add_rms_norm_kernel<half, 8>",
        ],
    );
}

#[test]
fn layer_norm() {
    whole("norm/layer_norm.cu", &["layernorm::layer_norm_forward_kernel<half, 8, true>"]);
}

#[test]
fn softmax() {
    whole(
        "softmax/softmax.cu",
        &[
            "softmax_warp_kernel<float, Probability, 10>",
            "softmax_block_kernel<half, LogProbability, 8>",
            "softmax_online_kernel<__nv_bfloat16, Probability>",
        ],
    );
}

#[test]
fn silu_and_mul() {
    whole("activation/silu_and_mul.cu", &["act_and_mul_kernel<half, 8, silu>"]);
}

#[test]
fn rotary_embedding() {
    whole("rope/rotary_embedding.cu", &[]);
}

#[test]
fn bias_dropout_residual() {
    whole("dropout/bias_dropout_residual.cu", &[]);
}

#[test]
fn quantize_int8_per_token() {
    whole("quant/quantize_int8_per_token.cu", &[]);
}

#[test]
fn sgemm_tiled() {
    whole("gemm/sgemm_tiled.cu", &[]);
}

#[test]
fn wmma_gemm() {
    whole("gemm/wmma_gemm.cu", &["wmma_gemm_kernel<half, row_major>"]);
}

#[test]
fn embedding_gather() {
    whole("embedding/embedding_gather.cu", &[]);
}

#[test]
fn scatter_add() {
    whole("embedding/scatter_add.cu", &[]);
}

#[test]
fn inclusive_scan() {
    whole("scan/inclusive_scan.cu", &["scan_totals_kernel<int, Maximum>"]);
}

#[test]
fn bitonic_sort() {
    whole(
        "sort/bitonic_sort.cu",
        &[
            // Called with explicit arguments and `nullptr`.
            "step_tiles<float, void, Ascending<float>>",
            "step_tiles<unsigned int, int, Descending<unsigned int>>",
        ],
    );
}
