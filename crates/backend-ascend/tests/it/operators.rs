//! Constructs of the vector forms that one kernel of the field or another needs, executed on the model
//! against the fiber oracle: each kernel is small, all share one build.

#![allow(clippy::disallowed_methods, reason = "an environment variable asks for more")]

use port_backend_ascend::kernel::Chip;

use crate::common;

const TEXT: &str = r#"
#include <cuda_fp16.h>
#include <cstdint>

// Groups of 16 lanes vote and reduce at once, each among its own.
__global__ void votes(int* out, const int* in) {
    int i = threadIdx.x;
    unsigned mask = 0xffffu << (i & 16);
    int v = in[i];
    int any = __any_sync(mask, v > 5), all = __all_sync(mask, v > 0);
    unsigned odd = __ballot_sync(mask, v & 1);
    int least = __reduce_min_sync(mask, v);
    out[i] = any + 2 * all + 4 * (int)(odd >> (i & 16)) + (least << 20);
}

// Which lanes hold the same.
__global__ void matches(int* out, const int* in) {
    int i = threadIdx.x;
    int predicate;
    unsigned same = __match_any_sync(~0u, in[i] & 3);
    unsigned all = __match_all_sync(~0u, in[i] >> 31, &predicate);
    out[i] = (int)(same ^ all) + predicate;
}

// Bytes and halves of words, by constants, by a loop and by each lane.
__global__ void puns(int* out, const int* in) {
    int i = threadIdx.x;
    uint4 words = *reinterpret_cast<const uint4*>(in + 4 * i);
    unsigned char* bytes = reinterpret_cast<unsigned char*>(&words);
    bytes[i & 15] = (unsigned char)i;
    int sum = 0;
    for (int b = 0; b < 16; ++b) sum = sum * 3 + bytes[b];
    uint2 packed;
    half2* halves = reinterpret_cast<half2*>(&packed);
    for (int h = 0; h < 2; ++h) halves[h] = __floats2half2_rn((float)(in[i] + h), (float)i);
    out[i] = sum + (int)(packed.x ^ packed.y);
}

// References into an array of each thread, and pointers into shared memory that change places.
__global__ void pointers(int* out, const int* in) {
    __shared__ int front[64], back[64];
    int i = threadIdx.x;
    int values[4];
    for (int& value : values) value = in[i];
    int step = 0;
    for (int& value : values) value += ++step;
    front[i] = values[0] + 10 * values[3];
    int *from = front, *to = back;
    for (int distance = 1; distance < 64; distance *= 2) {
        __syncthreads();
        to[i] = i >= distance ? from[i] + from[i - distance] : from[i];
        int* other = from;
        from = to;
        to = other;
    }
    __syncthreads();
    out[i] = from[i];
}

// A reference to one of two memories, and a struct of pointers.
struct Best { int value, index; };
__device__ const Best& better(const Best& a, const Best& b) {
    return a.value > b.value || (a.value == b.value && a.index < b.index) ? a : b;
}
struct View {
    const int* values;
    int* out;
    __device__ int operator[](int i) const { return values[i]; }
};
__device__ void put(View view, int i, int value) { view.out[i] = value; }
__global__ void choices(int* out, const int* in) {
    __shared__ Best all[64];
    int i = threadIdx.x;
    View view{in, out};
    all[i] = Best{view[i], i};
    __syncthreads();
    Best best = all[i];
    for (int k = 0; k < 64; k += 5) best = better(best, all[k]);
    put(view, i, best.value * 100 + best.index);
}

// Atomic operations that no unit has, and those that the transfer unit has for halves.
__global__ void atomics(unsigned long long* most, int* out, half* halves, const int* in) {
    __shared__ unsigned long long sum;
    __shared__ unsigned turn, largest;
    int i = threadIdx.x;
    if (i == 0) { sum = 0; turn = 0; largest = 0; }
    __syncthreads();
    atomicAdd(&sum, (unsigned long long)in[i] << 30);
    atomicInc(&turn, 9u);
    unsigned old = largest;
    while (old < (unsigned)in[i]) old = atomicCAS(&largest, old, (unsigned)in[i]);
    __syncthreads();
    atomicMax(most, ((unsigned long long)in[i] << 32) + i);
    atomicAdd(&halves[i & 7], __float2half(1.0f));
    out[i] = (int)(sum >> 30) + (int)turn * 1000 + (int)largest * 100000;
}

// Functions without an instruction.
__global__ void functions(float* out, int* whole, const int* in) {
    int i = threadIdx.x;
    float x = (in[i] - 4) * 0.7f, u = (in[i] - 4) * 0.2f;
    unsigned a = (unsigned)in[i] * 2654435761u, b = a ^ 0x12345678u;
    unsigned bits = __funnelshift_l(a, b, i) ^ __funnelshift_rc(a, b, i) ^ __brev(a) ^ __byte_perm(a, b, 0x7e31 + i);
    out[i] = atanf(x) + 2 * atan2f(x, u + 0.1f) + asinf(u) * 3 + acosf(u) * 5 + sinhf(x) + coshf(x) + hypotf(x, 2.0f) +
        cbrtf(x) + tanf(u);
    whole[i] = (int)bits + __dp4a((int)a, (int)b, 3) + __mul24((int)a, 3);
}

// Doubles that only move.
__global__ void moved(double* out, const double* in, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) out[i] = i % 3 == 0 ? 1.5 : in[n - 1 - i];
}

// Powers, half turns and angles of many turns, each against what it must be: a bit for each that holds. 355 is near
// 113 pi, so that the sine of its multiples is that of a small angle.
__device__ int near(float a, float b) { return fabsf(a - b) <= 4e-6f * fabsf(b) ? 1 : 0; }
__global__ void powers(int* out) {
    int i = threadIdx.x;
    float x = 0.25f * (i + 1), y = 0.125f * (i % 40) - 2.5f, whole = (float)(i % 5 - 2);
    int bits = near(powf(x, 2.5f), x * x * sqrtf(x));
    bits |= near(powf(x, y) * powf(x, -y), 1.f) << 1;
    bits |= near(powf(-x, 3.f), -x * x * x) << 2;
    float product = whole == 0.f ? 1.f : (whole == 1.f || whole == -1.f ? -x : x * x);
    bits |= near(powf(-x, whole), whole < 0.f ? 1.f / product : product) << 3;
    bits |= (isnan(powf(-x, y + 0.01f)) ? 1 : 0) << 4;
    bits |= (powf(x - x, y) == (y < 0.f ? INFINITY : y > 0.f ? 0.f : 1.f) ? 1 : 0) << 5;
    bits |= (sinpif(4.f * x) == 0.f && cospif(4.f * x) == (i % 2 == 0 ? -1.f : 1.f) ? 1 : 0) << 6;
    int turns = i * 350;
    float small = sinf(3.0144353e-5f * turns);
    bits |= (fabsf(sinf(355.f * turns) - (turns % 2 == 0 ? small : -small)) < 2e-6f ? 1 : 0) << 7;
    bits |= near(sinhf(asinhf(y) * 1.f) + 10.f, y + 10.f) << 8;
    bits |= near(coshf(acoshf(1.f + x)), 1.f + x) << 9;
    bits |= near(tanhf(atanhf(0.3f * y)) + 10.f, 0.3f * y + 10.f) << 10;
    out[i] = bits;
}

// A search that reads what other blocks mark.
__global__ void marks(int* seen, const int* next, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n && seen[i] == 1 && seen[next[i] & 63] == 0) seen[next[i] & 63] = 2;
}

// What all threads would read lies far behind the memory's end, and nobody is left to read it.
__global__ void absent(int* out, const int* in, long long far, int limit, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= limit) { out[i] = 1; return; }
    int sum = 0;
    for (int k = 0; k < n; ++k) {
        if (in[i] > -1 - k) { sum += 2; continue; }
        sum += in[far + k];
    }
    if (in[i] >= 0) { out[i] = sum; return; }
    out[i] = in[far] + sum;
}
__global__ void absent_all(int* out, const int* in, long long far, int limit) {
    int i = threadIdx.x;
    if (i >= limit) { out[i] += 7; return; }
    out[i] = in[far];
}

// Numbers that all threads update and nobody reads: the cores keep their own.
__global__ void totals(unsigned long long* sums, long long* least, long long* most, unsigned* first, const int* in) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    long long v = ((long long)in[i] - 4) * 0x123456789LL + i;
    atomicAdd(sums, (unsigned long long)v);
    if (i % 3 == 1) atomicAdd(sums + 1, 0xfffffffffULL);
    atomicMin(least, v);
    if (i & 4) atomicMax(most, v - (1LL << 40));
    atomicMin(first, 0x80000000u + (unsigned)(i ^ 37) - (i == 99 ? 0xc0000000u : 0u));
}
"#;

const SPEC: &str = r#"
ints = [["n", "256"]]
[buffers]
in = { dtype = "i32", shape = ["n"], init = "ints(0, 9)", seed = 1 }
doubles = { dtype = "f64", shape = ["n"], init = "uniform(-2, 2)", seed = 2 }
a = { dtype = "i32", shape = ["n"], init = "zeros", out = true }
b = { dtype = "i32", shape = ["n"], init = "zeros", out = true }
c = { dtype = "i32", shape = ["n"], init = "zeros", out = true }
d = { dtype = "i32", shape = ["n"], init = "zeros", out = true }
e = { dtype = "i32", shape = ["n"], init = "zeros", out = true }
f = { dtype = "i32", shape = ["n"], init = "zeros", out = true }
g = { dtype = "i32", shape = ["n"], init = "ints(0, 2)", seed = 3, out = true }
most = { dtype = "u64", shape = ["1"], init = "zeros", out = true }
halves = { dtype = "f16", shape = ["8"], init = "zeros", out = true }
w = { dtype = "i32", shape = ["n"], init = "zeros", out = true }
h = { dtype = "f32", shape = ["n"], init = "zeros", out = true }
moved = { dtype = "f64", shape = ["n"], init = "zeros", out = true }
p = { dtype = "i32", shape = ["n"], init = "zeros", out = true }
sums = { dtype = "u64", shape = ["2"], init = "zeros", out = true }
least = { dtype = "i64", shape = ["1"], values = [4], out = true }
largest = { dtype = "i64", shape = ["1"], values = [-9223372036854775807], out = true }
first = { dtype = "u32", shape = ["1"], values = [4294967295], out = true }
z = { dtype = "i32", shape = ["n"], init = "zeros", out = true }
[[launch]]
kernel = "absent"
grid = [2]
block = [128]
args = ["z", "in", 1000000000, 100, 3]
[[launch]]
kernel = "absent_all"
grid = [1]
block = [64]
args = ["z", "in", 1000000000, 0]
[[launch]]
kernel = "totals"
grid = [2]
block = [128]
args = ["sums", "least", "largest", "first", "in"]
[[launch]]
kernel = "powers"
grid = [1]
block = [64]
args = ["p"]
[[launch]]
kernel = "votes"
grid = [1]
block = [64]
args = ["a", "in"]
[[launch]]
kernel = "matches"
grid = [1]
block = [64]
args = ["b", "in"]
[[launch]]
kernel = "puns"
grid = [1]
block = [64]
args = ["c", "in"]
[[launch]]
kernel = "pointers"
grid = [1]
block = [64]
args = ["d", "in"]
[[launch]]
kernel = "choices"
grid = [1]
block = [64]
args = ["e", "in"]
[[launch]]
kernel = "atomics"
grid = [2]
block = [64]
args = ["most", "f", "halves", "in"]
[[launch]]
kernel = "functions"
grid = [1]
block = [64]
args = ["h", "w", "in"]
[[launch]]
kernel = "moved"
grid = [3]
block = [96]
args = ["moved", "doubles", "n"]
"#;

#[test]
fn constructs_of_the_vector_forms_are_right_on_the_model() {
    match common::check_text("operators", TEXT, SPEC, Chip::A910b) {
        Ok(what) => {
            assert!(what.contains("ported block") && what.contains("ported flatten"), "{what}");
            assert!(!what.contains("scalar") && !what.contains("refused"), "{what}");
        }
        Err(why) => panic!("{why}"),
    }
}

#[test]
fn blocks_that_meet_in_global_memory_take_one_core() {
    let found = common::forms(
        "case.cu",
        &format!("{TEXT}\nvoid run(int* x, const int* y) {{ marks<<<4, 64>>>(x, y, 256); }}\n"),
        Chip::A910b,
    );
    assert!(found.iter().any(|form| form.starts_with("ported-slow")), "{found:?}");
    // A lock is no loop of lanes that go on together.
    let lock = "__global__ void k(int* lock, float* x) {\n\
                bool done = false;\n\
                while (!done) { if (atomicCAS(lock, 0, 1) == 0) { x[0] += 1; done = true; atomicExch(lock, 0); } } }\n\
                void run(int* i, float* x) { k<<<2, 64>>>(i, x); }";
    assert_eq!(common::forms("case.cu", lock, Chip::A910b), ["ported-slow scalar"]);
}

#[test]
fn functions_of_doubles_are_near_the_exact_values() {
    let text = "#include <cmath>
    __global__ void k(double* out, const double* x, int n) {
        for (int i = threadIdx.x; i < n; i += blockDim.x) {
            double v = x[i], a = fabs(v) + 1e-3;
            out[i] = exp(v) + log(a) + sin(v * 40.0) * cos(v) + pow(a, v) + atan2(v, 2.0) + tanh(v) + cbrt(v) + hypot(v, 3.0) + 20.0;
        }
    }";
    let spec = "ints = [[\"n\", \"37\"]]\n[buffers]\n\
        x = { dtype = \"f64\", shape = [\"n\"], init = \"uniform(-8, 8)\", seed = 1 }\n\
        out = { dtype = \"f64\", shape = [\"n\"], init = \"zeros\", out = true }\n\
        [[launch]]\nkernel = \"k\"\ngrid = [1]\nblock = [32]\nargs = [\"out\", \"x\", \"n\"]\n";
    let what = common::check_text("doubles", text, spec, Chip::A910b)
        .unwrap_or_else(|why| panic!("{why}"));
    assert!(what.contains("ported-slow scalar"), "{what}");
    let worst = what.split("worst relative difference ").nth(1).and_then(|rest| {
        rest.split([',', ' ']).next().and_then(|number| number.parse::<f64>().ok())
    });
    assert!(worst.is_none_or(|worst| worst < 1e-14), "{what}");
}
