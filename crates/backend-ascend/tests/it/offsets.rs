//! Offsets that 32 bits do not hold, and quotients of numbers of either sign, executed on the model against the
//! fiber oracle. Memory need not be large for that: what a thread adds is far, and what all add brings it back.

use port_backend_ascend::kernel::Chip;

use crate::common;

const TEXT: &str = r#"
#include <cstdint>

// Rows of a table of more than 2^31 elements, as a table of embeddings has them.
__global__ void rows(float* out, const float* x, const int* ids, long long stride, long long back, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) out[i] = x[ids[i] * stride - back + i] + x[ids[i] * stride + i % 8 - back];
}

// Where rows begin, for each thread.
__global__ void begins(long long* at, const int* other, long long stride, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) at[i] = (other[i] - 4) * stride;
}
__global__ void each(float* out, const float* x, const int* other, const long long* at, long long stride, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        float v = x[(other[i] - 4) * stride - at[i] + (i * 7 + 3) % n];
        out[(other[i] - 4) * stride - at[i] + n - 1 - i] = v;
    }
}

// Bytes, read as what they hold.
__global__ void bytes(unsigned* out, const char* x, const int* ids, long long stride, long long back, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) out[i] = *reinterpret_cast<const unsigned*>(x + ids[i] * (stride * 4) - back * 4 + (i ^ 1) * 4);
}

// A pointer of each thread.
__global__ void walks(float* out, const float* x, const int* ids, long long stride, long long back, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    const float* p = x - back;
    for (int k = 0; k < ids[i]; ++k) p += stride;
    out[i] = p[i] + p[n - 1 - i];
}

// Unsigned numbers of 32 bits.
__global__ void words(float* out, const float* x, const unsigned* high, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    const float* begin = x - 4000000000ULL;
    if (i < n) out[i] = begin[high[i] + (unsigned long long)i];
}

// Updates of memory: by the transfer unit, lane by lane, of 64 bits.
__global__ void updates(float* sums, unsigned* most, unsigned long long* all, const int* ids, long long stride,
                        long long back, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    long long at = ids[i] * stride - back + i % 8;
    atomicAdd(sums + at, 1.0f);
    atomicMax(most + at, (unsigned)i * 3);
    atomicAdd(all + at, (unsigned long long)i << 20);
}

// Steps that no transfer's stride holds, of one thread.
__global__ void steps(float* out, const float* x, long long stride, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i == 0) out[i * stride] = x[i * stride + 1];
    if (i < n && x[i] > 3.f) out[1 + (i & 0)] = x[i & 0];
}

// Quotients toward zero, of what begins below zero, by numbers of either sign and any size.
__global__ void quotients(long long* out, int* small, long long d, int e, unsigned long long u, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    long long a = (long long)i - 37, b = (long long)i * 30000000 - 2000000000LL;
    out[i] = a / 4 * 1000 + a % 4 + a / d * 100000 + a % d * 7 + b / d + b % d;
    small[i] = (int)(a / e + a % e * 1000 + b % e + (long long)((i + 3ULL) / u) + (long long)((i * 5000000000ULL) % u));
}
"#;

const SPEC: &str = r#"
ints = [["n", "200"], ["stride", "5000000000"], ["back", "15000000000"]]
[buffers]
x = { dtype = "f32", shape = ["n"], init = "uniform(0, 9)", seed = 1 }
ids = { dtype = "i32", shape = ["n"], init = "full(3)" }
other = { dtype = "i32", shape = ["n"], init = "ints(0, 9)", seed = 2 }
high = { dtype = "u32", shape = ["n"], values = "VALUES" }
at = { dtype = "i64", shape = ["n"], init = "zeros", out = true }
a = { dtype = "f32", shape = ["n"], init = "zeros", out = true }
b = { dtype = "f32", shape = ["n"], init = "zeros", out = true }
c = { dtype = "u32", shape = ["n"], init = "zeros", out = true }
d = { dtype = "f32", shape = ["n"], init = "zeros", out = true }
w = { dtype = "f32", shape = ["n"], init = "zeros", out = true }
s = { dtype = "f32", shape = ["n"], init = "zeros", out = true }
sums = { dtype = "f32", shape = ["8"], init = "zeros", out = true }
most = { dtype = "u32", shape = ["8"], init = "zeros", out = true }
all = { dtype = "u64", shape = ["8"], init = "zeros", out = true }
q = { dtype = "i64", shape = ["n"], init = "zeros", out = true }
q2 = { dtype = "i64", shape = ["n"], init = "zeros", out = true }
q3 = { dtype = "i64", shape = ["n"], init = "zeros", out = true }
r = { dtype = "i32", shape = ["n"], init = "zeros", out = true }
r2 = { dtype = "i32", shape = ["n"], init = "zeros", out = true }
r3 = { dtype = "i32", shape = ["n"], init = "zeros", out = true }
"#;

/// Kernels and what they are given.
const LAUNCHES: [(&str, &str); 11] = [
    ("rows", r#""a", "x", "ids", "stride", "back", "n""#),
    ("begins", r#""at", "other", "stride", "n""#),
    ("each", r#""b", "x", "other", "at", "stride", "n""#),
    ("bytes", r#""c", "x", "ids", "stride", "back", "n""#),
    ("walks", r#""d", "x", "ids", "stride", "back", "n""#),
    ("words", r#""w", "x", "high", "n""#),
    ("updates", r#""sums", "most", "all", "ids", "stride", "back", "n""#),
    ("steps", r#""s", "x", "stride", "n""#),
    ("quotients", r#""q", "r", 5, 7, 9, "n""#),
    ("quotients", r#""q2", "r2", -3, -6, 6000000000, "n""#),
    ("quotients", r#""q3", "r3", 3000000000, 2147483647, 4000000000, "n""#),
];

#[test]
fn far_offsets_and_quotients_are_right_on_the_model() {
    let mut spec =
        SPEC.replace("values = \"VALUES\"", &format!("values = {:?}", [4_000_000_000_u32; 200]));
    for (kernel, arguments) in LAUNCHES {
        spec += &format!(
            "[[launch]]\nkernel = \"{kernel}\"\ngrid = [2]\nblock = [128]\nargs = [{arguments}]\n"
        );
    }
    match common::check_text("offsets", TEXT, &spec, Chip::A910b) {
        Ok(what) => {
            assert!(what.contains("ported flatten"), "{what}");
            assert!(!what.contains("scalar") && !what.contains("refused"), "{what}");
            assert!(!what.contains("worst"), "{what}");
        }
        Err(why) => panic!("{why}"),
    }
}
