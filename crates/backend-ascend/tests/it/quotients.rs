//! Elements that lanes find by quotient and rest of their number, and elements that lie side by side in pairs and
//! triples: executed on the model against the fiber oracle, for rows of many lengths.

use port_backend_ascend::kernel::Chip;

use crate::common;

const TEXT: &str = r#"
#include <cuda_fp16.h>

// Rows of two matrices, a row that all share, a number for each row.
template <typename T>
__global__ void matrix(T* out, const T* __restrict__ in, const T* __restrict__ row, const T* __restrict__ column,
                       int n, int d, int pitch, int to) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        int r = i / d, c = i % d;
        out[r * to + c] = (T)((int)in[r * pitch + c] + (int)row[c] + (int)column[r]);
    }
}
// In steps of the grid, by numbers of 64 bits, in place.
__global__ void wide(float* a, const float* row, long long n, int d, int pitch) {
    for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < n; i += (long long)gridDim.x * blockDim.x)
        a[i / d * pitch + i % d] += row[i % d];
}
// Four elements a thread, of rows that are whole.
__global__ void fours(float* out, const float* __restrict__ in, const float* __restrict__ row, int n, int d, int pitch) {
    int i = 4 * (blockIdx.x * blockDim.x + threadIdx.x);
    if (i >= n) return;
    float4 v = *reinterpret_cast<const float4*>(in + i / d * pitch + i % d);
    float4 w = *reinterpret_cast<const float4*>(row + i % d);
    *reinterpret_cast<float4*>(out + i) = make_float4(v.x + w.x, v.y + w.y, v.z + w.z, v.w + w.w);
}
// Pairs turn in place, a block for each group of rows; the angles are the same for all of them.
template <bool kNeighbours>
__global__ void turn(float* a, const float* __restrict__ cosine, const float* __restrict__ sine, int rows, int d, int pitch) {
    float* own = a + blockIdx.x * rows * pitch;
    for (int i = threadIdx.x; i < rows * d; i += blockDim.x) {
        int r = i / d, c = i % d;
        int at = kNeighbours ? 2 * c : c, other = kNeighbours ? 2 * c + 1 : d + c;
        float x = own[r * pitch + at], y = own[r * pitch + other];
        own[r * pitch + at] = x * cosine[c] - y * sine[c];
        own[r * pitch + other] = y * cosine[c] + x * sine[c];
    }
}
// Three numbers for each element, one after the other.
__global__ void triples(half* out, const half* in, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    half z = in[3 * i + 2], x = in[3 * i], y = in[3 * i + 1];
    out[3 * i] = y; out[3 * i + 1] = z; out[3 * i + 2] = x;
}
// Two of three: what lies between is not read together, nor written.
__global__ void two_of_three(half* out, const half* in, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    out[3 * i] = in[3 * i + 1]; out[3 * i + 1] = in[3 * i];
}
// From the right, and below zero.
__global__ void turned(int* out, const int* in, int n, int d) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int k = n - 1 - i, m = i - 40;
    out[i] = in[k / d * d + k % d] + 1000 * in[n + m / d] + 7 * in[n + m % d];
}
"#;

const SPEC: &str = r#"
ints = [["d", "7"], ["n", "1000"], ["rows", "ceil_div(n, d) + 1"], ["half_pitch", "2 * d + 5"], ["fours", "n / (4 * d) * 4 * d"]]
sweep = [{ d = 1 }, { d = 2 }, { d = 3 }, { d = 8 }, { d = 16 }, { d = 33 }, { d = 61 }, { d = 64 }, { d = 100 }, { d = 250 }, { d = 999 }, { d = 5000 }]
[buffers]
x = { dtype = "f32", shape = ["rows * (d + 5)"], init = "ints(-8,9)", seed = 1 }
row = { dtype = "f32", shape = ["4 * d"], init = "ints(-8,9)", seed = 2 }
column = { dtype = "f32", shape = ["n"], init = "ints(-8,9)", seed = 3 }
h = { dtype = "f16", shape = ["rows * (2 * d) + 3 * n"], init = "ints(-8,9)", seed = 4 }
h_row = { dtype = "f16", shape = ["d"], init = "ints(-8,9)", seed = 5 }
h_column = { dtype = "f16", shape = ["n"], init = "ints(-8,9)", seed = 6 }
b = { dtype = "u8", shape = ["rows * (d + 1)"], init = "ints(0,9)", seed = 7 }
b_row = { dtype = "u8", shape = ["d"], init = "ints(0,9)", seed = 8 }
b_column = { dtype = "u8", shape = ["n"], init = "ints(0,9)", seed = 9 }
whole = { dtype = "i32", shape = ["2 * n + d"], init = "ints(-99,99)", seed = 10 }
y1 = { dtype = "f32", shape = ["rows * (d + 3)"], init = "zeros", out = true }
y2 = { dtype = "f16", shape = ["rows * d"], init = "zeros", out = true }
y3 = { dtype = "u8", shape = ["rows * (d + 40)"], init = "zeros", out = true }
y4 = { dtype = "f32", shape = ["rows * (d + 4)"], init = "ints(-8,9)", seed = 11, out = true }
q = { dtype = "f32", shape = ["(rows + 4) * (4 * d + 8)"], init = "ints(-8,9)", seed = 12 }
y5 = { dtype = "f32", shape = ["n + 4 * d"], init = "zeros", out = true }
y6 = { dtype = "f32", shape = ["3 * 5 * half_pitch"], init = "ints(-8,9)", seed = 13, out = true }
y7 = { dtype = "f32", shape = ["3 * 5 * half_pitch"], init = "ints(-8,9)", seed = 14, out = true }
y8 = { dtype = "f16", shape = ["3 * n"], init = "zeros", out = true }
y9 = { dtype = "f16", shape = ["3 * n"], init = "zeros", out = true }
y10 = { dtype = "i32", shape = ["n"], init = "zeros", out = true }
[[launch]]
kernel = "matrix<float>"
grid = ["ceil_div(n, 96)"]
block = [96]
args = ["y1", "x", "row", "column", "n", "d", "d + 5", "d + 3"]
[[launch]]
kernel = "matrix<half>"
grid = ["ceil_div(n, 96)"]
block = [96]
args = ["y2", "h", "h_row", "h_column", "n", "d", "2 * d", "d"]
[[launch]]
kernel = "matrix<unsigned char>"
grid = ["ceil_div(n, 64)"]
block = [64]
args = ["y3", "b", "b_row", "b_column", "n", "d", "d + 1", "d + 40"]
[[launch]]
kernel = "wide"
grid = [2]
block = [32]
args = ["y4", "row", "n", "d", "d + 4"]
[[launch]]
kernel = "fours"
grid = ["ceil_div(n, 128)"]
block = [32]
args = ["y5", "q", "row", "n / 4 * 4", "4 * d", "4 * d + 8"]
[[launch]]
kernel = "turn<false>"
grid = [3]
block = [64]
args = ["y6", "row", "column", 5, "min(d, 300)", "half_pitch"]
[[launch]]
kernel = "turn<true>"
grid = [3]
block = [64]
args = ["y7", "row", "column", 5, "min(d, 300)", "half_pitch"]
[[launch]]
kernel = "triples"
grid = ["ceil_div(n, 64)"]
block = [64]
args = ["y8", "h", "n"]
[[launch]]
kernel = "two_of_three"
grid = ["ceil_div(n, 64)"]
block = [64]
args = ["y9", "h", "n"]
[[launch]]
kernel = "turned"
grid = ["ceil_div(n, 64)"]
block = [64]
args = ["y10", "whole", "n", "max(d, 2)"]
"#;

#[test]
fn rows_of_a_matrix_by_quotient_and_rest() {
    match common::check_text("splits", TEXT, SPEC, Chip::A910b) {
        Ok(what) => {
            assert!(what.contains("{\"ported flatten\"}") && !what.contains("worst"), "{what}")
        }
        Err(why) => panic!("{why}"),
    }
}
