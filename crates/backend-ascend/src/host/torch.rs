//! Names of PyTorch's CUDA half in the user's text, and those of its half for NPUs.

use port_diag::Span;
use port_rewrite::Reason;
use port_rewrite::launches::matching;
use port_syntax::TokenKind;

use crate::port::Port;

/// The row that stands for what depends on CUDA's streams.
const REASON: Reason = Reason::Row("cudaStream_t");

/// Headers.
pub(crate) const HEADERS: &[(&str, &str)] = &[
    ("ATen/cuda/CUDAContext.h", "torch_npu/csrc/core/npu/NPUStream.h"),
    ("ATen/cuda/CUDAContextLight.h", "torch_npu/csrc/core/npu/NPUStream.h"),
    ("c10/cuda/CUDAStream.h", "torch_npu/csrc/core/npu/NPUStream.h"),
    ("c10/cuda/CUDAGuard.h", "torch_npu/csrc/core/npu/NPUGuard.h"),
    ("c10/cuda/CUDAException.h", "torch_npu/csrc/core/npu/NPUException.h"),
    ("ATen/cuda/Exceptions.h", "torch_npu/csrc/core/npu/NPUException.h"),
    ("c10/cuda/CUDAFunctions.h", "torch_npu/csrc/core/npu/NPUFunctions.h"),
];

/// Qualified names.
const PATHS: &[(&[&str], &str)] = &[
    (&["at", "cuda", "getCurrentCUDAStream"], "c10_npu::getCurrentNPUStream"),
    (&["c10", "cuda", "getCurrentCUDAStream"], "c10_npu::getCurrentNPUStream"),
    (&["at", "cuda", "getDefaultCUDAStream"], "c10_npu::getDefaultNPUStream"),
    (&["c10", "cuda", "getDefaultCUDAStream"], "c10_npu::getDefaultNPUStream"),
    (&["at", "cuda", "CUDAStream"], "c10_npu::NPUStream"),
    (&["c10", "cuda", "CUDAStream"], "c10_npu::NPUStream"),
    (&["at", "cuda", "CUDAGuard"], "c10_npu::NPUGuard"),
    (&["c10", "cuda", "CUDAGuard"], "c10_npu::NPUGuard"),
    (&["at", "cuda", "OptionalCUDAGuard"], "c10_npu::OptionalNPUGuard"),
    (&["c10", "cuda", "OptionalCUDAGuard"], "c10_npu::OptionalNPUGuard"),
];

/// Names by themselves.
const WORDS: &[(&str, &str)] = &[
    ("AT_CUDA_CHECK", "NPU_CHECK_ERROR"),
    ("C10_CUDA_CHECK", "NPU_CHECK_ERROR"),
    ("kCUDA", "kPrivateUse1"),
    ("is_cuda", "is_privateuseone"),
];

/// Checks that a launch of CUDA needs and a launcher does not: they leave with their line's `;`.
const GONE: &[&str] = &["C10_CUDA_KERNEL_LAUNCH_CHECK", "TORCH_CUDA_KERNEL_LAUNCH_CHECK"];

/// Edits every such name.
pub(crate) fn apply(port: &mut Port<'_>) {
    let mut edits: Vec<(Span, &'static str)> = Vec::new();
    for file in &port.files {
        let word = |at: usize| file.tokens.get(at).map_or("", |token| file.bytes(token));
        for (at, token) in file.tokens.iter().enumerate() {
            if token.kind != TokenKind::Identifier {
                continue;
            }
            let span = file.span(token);
            for (path, own) in PATHS {
                let matches = path.iter().enumerate().all(|(part, name)| {
                    word(at + 2 * part) == *name && (part == 0 || word(at + 2 * part - 1) == "::")
                });
                if matches && let Some(last) = file.tokens.get(at + 2 * (path.len() - 1)) {
                    edits.push((span.to(file.span(last)), own));
                }
            }
            let declared = port.unit.module.declares(word(at));
            if let Some((_, own)) = WORDS.iter().find(|(name, _)| *name == word(at))
                && !declared
            {
                edits.push((span, own));
            } else if GONE.contains(&word(at))
                && !declared
                && let Some(close) = matching(file, at + 1).filter(|_| word(at + 1) == "(")
            {
                let end = if word(close + 1) == ";" { close + 1 } else { close };
                edits.push((span.to(file.span(&file.tokens[end])), ""));
            } else if word(at) == "TORCH_LIBRARY_IMPL" && word(at + 4) == "CUDA" {
                edits.push((file.span(&file.tokens[at + 4]), "PrivateUse1"));
            }
        }
    }
    for (span, text) in edits {
        if !port.is_removed(span) {
            port.changes.replace(span, text, REASON);
        }
    }
}
