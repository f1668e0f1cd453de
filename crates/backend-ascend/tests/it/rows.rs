//! Rows that threads go over and reduce together: which kernels take the form, and that what does
//! not fit is left to another. What whole ports compute is for the workspace's test `ascend`.

use port_backend_ascend::kernel::Chip;

use crate::common;

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

/// Rows as they are written in the field, each with its launch in the spec.
const FIELD: &str = r#"
#include <cuda_fp16.h>
#include <cuda_bf16.h>
#include <float.h>
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
namespace cg = cooperative_groups;

// Mean and variance by Welford's method, a count of integers, lanes joined crosswise.
__global__ void welford_warp(float* y, float* mean_out, const float* x, int n) {
  const float* row = x + blockIdx.x * n;
  float mean = 0, m2 = 0; int count = 0;
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    float v = row[i]; ++count; float d = v - mean; mean += d / count; m2 += d * (v - mean);
  }
  for (int o = 16; o > 0; o >>= 1) {
    float other = __shfl_xor_sync(~0u, mean, o), more = __shfl_xor_sync(~0u, m2, o);
    int c = __shfl_xor_sync(~0u, count, o), all = count + c;
    if (all > 0) {
      float d = other - mean;
      mean = (mean * count + other * c) / all;
      m2 += more + d * d * count * c / all;
      count = all;
    }
  }
  float r = rsqrtf(m2 / n + 1e-5f);
  if (threadIdx.x == 0) mean_out[blockIdx.x] = mean;
  for (int i = threadIdx.x; i < n; i += blockDim.x) y[blockIdx.x * n + i] = (row[i] - mean) * r;
}

// The same by Chan's formula over shared memory, two elements a load, halves.
struct Moments { float mean, m2, count; };
__device__ Moments joined(Moments a, Moments b) {
  float n = a.count + b.count;
  if (n == 0) return a;
  float d = b.mean - a.mean, share = b.count / n;
  return {a.mean + d * share, a.m2 + b.m2 + d * d * a.count * share, n};
}
__global__ void welford_block(half2* y, const half2* x, int n) {
  __shared__ Moments s[64];
  int pairs = n / 2;
  const half2* row = x + blockIdx.x * pairs;
  Moments m = {0, 0, 0};
  for (int i = threadIdx.x; i < pairs; i += 64) {
    float2 v = __half22float2(row[i]);
    m = joined(m, Moments{v.x, 0, 1});
    m = joined(m, Moments{v.y, 0, 1});
  }
  s[threadIdx.x] = m;
  __syncthreads();
  for (int h = 32; h > 0; h >>= 1) {
    if (threadIdx.x < h) s[threadIdx.x] = joined(s[threadIdx.x], s[threadIdx.x + h]);
    __syncthreads();
  }
  float mean = s[0].mean, r = rsqrtf(s[0].m2 / s[0].count + 1e-5f);
  for (int i = threadIdx.x; i < pairs; i += 64) {
    float2 v = __half22float2(row[i]);
    y[blockIdx.x * pairs + i] = __floats2half2_rn((v.x - mean) * r, (v.y - mean) * r);
  }
}

// A maximum and the sum of exponentials about it in one loop, joined as pairs.
struct Pair { float m, s; };
__device__ Pair higher(Pair a, Pair b) {
  Pair high = a.m > b.m ? a : b, low = a.m > b.m ? b : a;
  return {high.m, high.s + low.s * __expf(low.m - high.m)};
}
__global__ void softmax_pairs(float* y, const float* x, int n) {
  __shared__ Pair s[64];
  const float* row = x + blockIdx.x * n;
  Pair p = {-FLT_MAX, 0};
  for (int i = threadIdx.x; i < n; i += 64) p = higher(p, Pair{row[i], 1});
  s[threadIdx.x] = p;
  __syncthreads();
  for (int h = 32; h > 0; h >>= 1) {
    if (threadIdx.x < h) s[threadIdx.x] = higher(s[threadIdx.x], s[threadIdx.x + h]);
    __syncthreads();
  }
  p = s[0];
  for (int i = threadIdx.x; i < n; i += 64) y[blockIdx.x * n + i] = __expf(row[i] - p.m) / p.s;
}

// The same by groups of a warp, each with a row; first the maxima meet, then what was scaled by them.
__global__ void log_softmax_groups(float* y, float* lse, const float* x, int rows, int n) {
  cg::thread_block_tile<32> warp = cg::tiled_partition<32>(cg::this_thread_block());
  int at = blockIdx.x * warp.meta_group_size() + warp.meta_group_rank();
  if (at >= rows) return;
  const float* row = x + at * n;
  float largest = -FLT_MAX, sum = 0;
  for (int i = warp.thread_rank(); i < n; i += warp.size()) {
    float before = largest;
    largest = fmaxf(largest, row[i]);
    sum = sum * expf(before - largest) + expf(row[i] - largest);
  }
  float all = cg::reduce(warp, largest, cg::greater<float>());
  sum = cg::reduce(warp, sum * expf(largest - all), cg::plus<float>());
  float offset = all + logf(sum);
  if (warp.thread_rank() == 0) lse[at] = offset;
  for (int i = warp.thread_rank(); i < n; i += warp.size()) y[at * n + i] = row[i] - offset;
}

// The first of the largest, and its value.
__global__ void argmax_block(int* place, half* value, const half* x, int n) {
  __shared__ float sv[4]; __shared__ int si[4];
  const half* row = x + blockIdx.x * n;
  float best = -INFINITY; int at = n;
  for (int i = threadIdx.x; i < n; i += blockDim.x) {
    float v = __half2float(row[i]);
    if (v > best) { best = v; at = i; }
  }
  for (int o = 16; o > 0; o >>= 1) {
    float v = __shfl_down_sync(~0u, best, o); int i = __shfl_down_sync(~0u, at, o);
    if (v > best || (v == best && i < at)) { best = v; at = i; }
  }
  if (threadIdx.x % 32 == 0) { sv[threadIdx.x / 32] = best; si[threadIdx.x / 32] = at; }
  __syncthreads();
  if (threadIdx.x == 0) {
    for (int w = 1; w < 4; ++w)
      if (sv[w] > best || (sv[w] == best && si[w] < at)) { best = sv[w]; at = si[w]; }
    place[blockIdx.x] = at;
    value[blockIdx.x] = __float2half(best);
  }
}

// To bytes by the largest magnitude.
__global__ void quantize(signed char* q, float* scale, const half* x, int n) {
  __shared__ float s[64];
  const half* row = x + blockIdx.x * n;
  float a = 0;
  for (int i = threadIdx.x; i < n; i += 64) a = fmaxf(a, fabsf(__half2float(row[i])));
  s[threadIdx.x] = a;
  __syncthreads();
  for (int h = 32; h > 0; h >>= 1) {
    if (threadIdx.x < h) s[threadIdx.x] = fmaxf(s[threadIdx.x], s[threadIdx.x + h]);
    __syncthreads();
  }
  float by = fmaxf(s[0] / 127.f, 1e-8f);
  if (threadIdx.x == 0) scale[blockIdx.x] = by;
  for (int i = threadIdx.x; i < n; i += 64) {
    int v = __float2int_rn(__half2float(row[i]) / by);
    v = v < -127 ? -127 : (v > 127 ? 127 : v);
    q[blockIdx.x * n + i] = (signed char)v;
  }
}

// To bytes between the smallest and the largest, four at a time where the row allows it.
__global__ void quantize_range(unsigned char* q, float* scale, int* zero, const float* x, int n) {
  const float* row = x + blockIdx.x * n;
  float low = 0, high = 0;
  for (int i = threadIdx.x; i < n; i += 32) { low = fminf(low, row[i]); high = fmaxf(high, row[i]); }
  for (int o = 16; o > 0; o >>= 1) {
    low = fminf(low, __shfl_xor_sync(~0u, low, o));
    high = fmaxf(high, __shfl_xor_sync(~0u, high, o));
  }
  float by = fmaxf((high - low) / 255.f, 1e-8f);
  int z = min(max(__float2int_rn(-low / by), 0), 255);
  if (threadIdx.x == 0) { scale[blockIdx.x] = by; zero[blockIdx.x] = z; }
  if (n % 4 == 0) {
    uchar4* words = reinterpret_cast<uchar4*>(q + blockIdx.x * n);
    for (int i = threadIdx.x; i < n / 4; i += 32) {
      uchar4 w;
      w.x = min(max(__float2int_rn(row[4 * i] / by) + z, 0), 255);
      w.y = min(max(__float2int_rn(row[4 * i + 1] / by) + z, 0), 255);
      w.z = min(max(__float2int_rn(row[4 * i + 2] / by) + z, 0), 255);
      w.w = min(max(__float2int_rn(row[4 * i + 3] / by) + z, 0), 255);
      words[i] = w;
    }
  } else {
    for (int i = threadIdx.x; i < n; i += 32)
      q[blockIdx.x * n + i] = min(max(__float2int_rn(row[i] / by) + z, 0), 255);
  }
}

// A row of a length that the program knows, and halves as results.
template <int N> __global__ void norms(__nv_bfloat16* norm, float* y, const float* x) {
  float s = 0;
  for (int i = threadIdx.x; i < N; i += 32) s += x[blockIdx.x * N + i] * x[blockIdx.x * N + i];
  for (int o = 16; o > 0; o >>= 1) s += __shfl_xor_sync(~0u, s, o);
  s = fmaxf(sqrtf(s), 1e-12f);
  if (threadIdx.x == 0) norm[blockIdx.x] = __float2bfloat16(s);
  for (int i = threadIdx.x; i < N; i += 32) y[blockIdx.x * N + i] = x[blockIdx.x * N + i] / s;
}

// A row in the registers of a warp, which is shorter than they are.
template <int N> __global__ void softmax_registers(float* y, const float* x, int rows, int n) {
  int at = blockIdx.x * blockDim.y + threadIdx.y, lane = threadIdx.x;
  if (at >= rows) return;
  float v[N / 32], largest = -INFINITY, sum = 0;
#pragma unroll
  for (int i = 0; i < N / 32; ++i) {
    int c = lane + i * 32;
    v[i] = c < n ? x[at * n + c] : -INFINITY;
    largest = fmaxf(largest, v[i]);
  }
  for (int o = 16; o > 0; o >>= 1) largest = fmaxf(largest, __shfl_xor_sync(~0u, largest, o));
#pragma unroll
  for (int i = 0; i < N / 32; ++i) { v[i] = expf(v[i] - largest); sum += v[i]; }
  for (int o = 16; o > 0; o >>= 1) sum += __shfl_xor_sync(~0u, sum, o);
#pragma unroll
  for (int i = 0; i < N / 32; ++i)
    if (lane + i * 32 < n) y[at * n + lane + i * 32] = v[i] / sum;
}

// All rows are stored, some are added up.
template <int N> __global__ void double_registers(float* y, float* s, const float* x, int kept) {
  int lane = threadIdx.x;
  float v[N / 32], sum = 0;
#pragma unroll
  for (int i = 0; i < N / 32; ++i) {
    v[i] = x[blockIdx.x * N + i * 32 + lane];
    y[blockIdx.x * N + i * 32 + lane] = 2.0f * v[i];
    sum += v[i];
  }
  if (blockIdx.x >= kept) return;
  for (int o = 16; o > 0; o >>= 1) sum += __shfl_xor_sync(~0u, sum, o);
  if (lane == 0) s[blockIdx.x] = sum;
}

// What is read under a condition may lie anywhere where that does not hold.
__global__ void picked_rows(float* y, const float* x, const long* picks, const float* scale, int n) {
  __shared__ float parts[2];
  float sum = 0;
  for (int i = threadIdx.x; i < n; i += 64) sum += x[blockIdx.x * n + i];
  for (int o = 16; o > 0; o >>= 1) sum += __shfl_xor_sync(~0u, sum, o);
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x == 0) {
    sum = parts[0] + parts[1];
    long pick = picks[blockIdx.x] * 1000000;
    if (scale != nullptr) sum *= scale[blockIdx.x];
    y[blockIdx.x] = pick < 0 ? sum : sum - x[blockIdx.x * n + pick];
  }
}

// What does not say by itself how many threads a block has.
void run(float* f, half* h, int* i, signed char* q, int rows, int n) {
  welford_warp<<<rows, 32>>>(f, f, f, n);
  argmax_block<<<rows, 128>>>(i, h, h, n);
  softmax_registers<128><<<rows, dim3(32, 2)>>>(f, f, rows, n);
  double_registers<64><<<rows, 32>>>(f, f, f, n);
  picked_rows<<<rows, 64>>>(f, f, (long*)i, f, n);
}
"#;

const FIELD_SPEC: &str = r#"
ints = [["rows", "5"], ["n", "256"], ["short", "min(n, 61)"], ["rows_of_registers", "3"]]
sweep = [{ n = 1 }, { n = 2 }, { n = 62 }, { n = 1009 }, { n = 17000 }]
[buffers]
x = { dtype = "f32", shape = ["rows * n + 128"], init = "ints(-8,9)", seed = 1 }
h = { dtype = "f16", shape = ["rows * n + 128"], init = "normal(0,1)", seed = 2 }
ties = { dtype = "f16", shape = ["rows * n + 128"], init = "ints(-3,4)", seed = 3 }
y1 = { dtype = "f32", shape = ["rows * n"], init = "zeros", out = true }
m1 = { dtype = "f32", shape = ["rows"], init = "zeros", out = true }
y2 = { dtype = "f16", shape = ["rows * n"], init = "zeros", out = true }
y3 = { dtype = "f32", shape = ["rows * n"], init = "zeros", out = true }
y4 = { dtype = "f32", shape = ["rows * n"], init = "zeros", out = true }
m4 = { dtype = "f32", shape = ["rows"], init = "zeros", out = true }
i5 = { dtype = "i32", shape = ["rows"], init = "zeros", out = true }
v5 = { dtype = "f16", shape = ["rows"], init = "zeros", out = true }
q6 = { dtype = "i8", shape = ["rows * n"], init = "zeros", out = true }
s6 = { dtype = "f32", shape = ["rows"], init = "zeros", out = true }
q7 = { dtype = "u8", shape = ["rows * n"], init = "zeros", out = true }
s7 = { dtype = "f32", shape = ["rows"], init = "zeros", out = true }
z7 = { dtype = "i32", shape = ["rows"], init = "zeros", out = true }
y9 = { dtype = "f32", shape = ["rows * 61"], init = "zeros", out = true }
y10 = { dtype = "f32", shape = ["128"], init = "zeros", out = true }
s10 = { dtype = "f32", shape = ["2"], init = "zeros", out = true }
y11 = { dtype = "f32", shape = ["rows"], init = "zeros", out = true }
picks = { dtype = "i64", shape = ["rows"], init = "ints(-1,1)", seed = 4 }
m8 = { dtype = "bf16", shape = ["1"], init = "zeros", out = true }
y8 = { dtype = "f32", shape = ["100"], init = "zeros", out = true }
[[launch]]
kernel = "welford_warp"
grid = ["rows"]
block = [32]
args = ["y1", "m1", "x", "n"]
[[launch]]
kernel = "welford_block"
grid = ["rows"]
block = [64]
args = ["y2", "h", "n"]
[[launch]]
kernel = "softmax_pairs"
grid = ["rows"]
block = [64]
args = ["y3", "x", "n"]
[[launch]]
kernel = "log_softmax_groups"
grid = ["3"]
block = [64]
args = ["y4", "m4", "x", "rows", "n"]
[[launch]]
kernel = "argmax_block"
grid = ["rows"]
block = [128]
args = ["i5", "v5", "ties", "n"]
[[launch]]
kernel = "quantize"
grid = ["rows"]
block = [64]
args = ["q6", "s6", "h", "n"]
[[launch]]
kernel = "quantize_range"
grid = ["rows"]
block = [32]
args = ["q7", "s7", "z7", "x", "n"]
[[launch]]
kernel = "norms<100>"
grid = ["1"]
block = [32]
args = ["m8", "y8", "x"]
[[launch]]
kernel = "softmax_registers<128>"
grid = ["2"]
block = [32, 2]
args = ["y9", "x", "rows_of_registers", "short"]
[[launch]]
kernel = "double_registers<64>"
grid = ["2"]
block = [32]
args = ["y10", "s10", "x", 1]
[[launch]]
kernel = "picked_rows"
grid = ["rows"]
block = [64]
args = ["y11", "x", "picks", "null", "n"]
"#;

/// Running values of several parts, bytes and halves as results: as rows, and right, for rows of one
/// element, of less than a block, of no whole tiles, and of more than the buffer holds.
#[test]
fn rows_of_the_field() {
    match common::check_text("field", FIELD, FIELD_SPEC, Chip::A910b) {
        Ok(what) => assert!(what.contains("{\"ported rows\"}"), "{what}"),
        Err(why) => panic!("{why}"),
    }
}
