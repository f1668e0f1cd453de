//! What the tests of the binary share.
#![allow(dead_code, reason = "each test uses a part of it")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

pub const SCALE: &str = "\
#include <cuda_runtime.h>

__global__ void scale(float *x, int n, float a) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) x[i] *= a;
}

cudaError_t launch(float *x, int n, cudaStream_t stream) {
  scale<<<(n + 255) / 256, 256, 0, stream>>>(x, n, 2.0f);
  return cudaGetLastError();
}
";

/// A kernel that no target has a form for: an address in the shared memory of another block.
pub const REMOTE: &str = "\
__global__ void remote(int *x) { asm volatile(\"mapa.u32 %0, %1, 1;\" : \"=r\"(*x) : \"r\"(0)); }
";

/// Runs the binary in a folder.
pub fn port(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_port"))
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("the binary runs")
}

/// A folder with `scale.cu`.
pub fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    put(folder.path(), "scale.cu", SCALE);
    folder
}

/// Writes a file, and the folders above it.
pub fn put(root: &Path, name: &str, text: impl AsRef<[u8]>) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap_or(root)).expect("a folder");
    fs::write(path, text).expect("a file");
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn status(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("a signal: {output:?}"))
}

/// The paths of all files below a folder, sorted.
pub fn tree(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut pending = vec![root.to_owned()];
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder).expect("readable").flatten() {
            match entry.file_type().expect("a kind") {
                kind if kind.is_dir() => pending.push(entry.path()),
                _ => {
                    let path = entry.path();
                    let path = path.strip_prefix(root).expect("below the root");
                    found.push(path.to_string_lossy().into_owned());
                }
            }
        }
    }
    found.sort();
    found
}
