//! Products of matrices on the cube against the fiber oracle, on the model of the 910B. Sums are
//! reassociated, so results agree within a bound and not bit for bit.

#![allow(clippy::disallowed_methods, reason = "an environment variable asks for more")]

use port_backend_ascend::kernel::Chip;

use crate::common;

/// A spec of `k(c, a, b, …)` with square tiles of 16.
fn spec(args: &str, exact: bool) -> String {
    let sweep = if exact {
        "{ m = 16, n = 16, k = 16 }, { m = 32, n = 144, k = 64 }"
    } else {
        "{ m = 1, n = 1, k = 1 }, { m = 7, n = 19, k = 0 }, { m = 130, n = 17, k = 37 }, { m = 16, n = 150, k = 5 }"
    };
    format!(
        "ints = [[\"m\", \"48\"], [\"n\", \"32\"], [\"k\", \"64\"]]\nsweep = [{sweep}]\n\
         [buffers]\n\
         a = {{ dtype = \"f32\", shape = [\"m\", \"k + 1\"], init = \"ints(-4, 5)\", seed = 1 }}\n\
         b = {{ dtype = \"f32\", shape = [\"k + 1\", \"n\"], init = \"ints(-4, 5)\", seed = 2 }}\n\
         c = {{ dtype = \"f32\", shape = [\"m\", \"n\"], init = \"ints(-4, 5)\", seed = 3, out = true }}\n\
         [[launch]]\nkernel = \"product\"\ngrid = [\"ceil_div(n, 16)\", \"ceil_div(m, 16)\"]\n\
         block = [16, 16]\nargs = [{args}]\n"
    )
}

/// Whether the cube multiplies. `PORT_KERNELS` runs the kernels too; the repository's own are always run.
fn on_cube(name: &str, text: &str, args: &str, exact: bool) -> bool {
    if std::env::var_os("PORT_KERNELS").is_none() {
        return common::forms("test.cu", text, Chip::A910b) == ["ported matmul"];
    }
    match common::check_text(name, text, &spec(args, exact), Chip::A910b) {
        Ok(what) => what.contains("matmul"),
        Err(why) => panic!("{name}: {why}"),
    }
}

#[test]
fn products_of_the_textbooks_are_the_cubes() {
    let naive = "__global__ void product(float* c, const float* a, const float* b, int m, int n, int k) {
        int row = blockIdx.y * blockDim.y + threadIdx.y, col = blockIdx.x * blockDim.x + threadIdx.x;
        if (row >= m || col >= n) return;
        float sum = 0;
        for (int i = 0; i < k; ++i) sum += a[row * k + i] * b[i * n + col];
        c[row * n + col] = sum;
    }";
    assert!(on_cube("naive", naive, "\"c\", \"a\", \"b\", \"m\", \"n\", \"k\"", false));
    let tiled = "#define TILE 16
    __global__ void product(float* c, const float* a, const float* b, int m, int n, int k) {
        __shared__ float as[TILE][TILE];
        __shared__ float bs[TILE][TILE];
        int tx = threadIdx.x, ty = threadIdx.y;
        int row = blockIdx.y * TILE + ty, col = blockIdx.x * TILE + tx;
        float sum = 0.0f;
        for (int t = 0; t < (k + TILE - 1) / TILE; ++t) {
            if (row < m && t * TILE + tx < k) as[ty][tx] = a[row * k + t * TILE + tx];
            else as[ty][tx] = 0.0f;
            if (col < n && t * TILE + ty < k) bs[ty][tx] = b[(t * TILE + ty) * n + col];
            else bs[ty][tx] = 0.0f;
            __syncthreads();
            for (int i = 0; i < TILE; ++i) sum += as[ty][i] * bs[i][tx];
            __syncthreads();
        }
        if (row < m && col < n) c[row * n + col] = sum;
    }";
    assert!(on_cube("tiled", tiled, "\"c\", \"a\", \"b\", \"m\", \"n\", \"k\"", false));
    let sample = "template <int TILE> __global__ void product(float* c, const float* a, const float* b, int wa, int wb) {
        int bx = blockIdx.x, by = blockIdx.y, tx = threadIdx.x, ty = threadIdx.y;
        int first = wa * TILE * by, last = first + wa - 1, step = TILE;
        int other = TILE * bx, other_step = TILE * wb;
        float sum = 0;
        for (int i = first, j = other; i <= last; i += step, j += other_step) {
            __shared__ float as[TILE][TILE];
            __shared__ float bs[TILE][TILE];
            as[ty][tx] = a[i + wa * ty + tx];
            bs[ty][tx] = b[j + wb * ty + tx];
            __syncthreads();
            for (int k = 0; k < TILE; ++k) sum += as[ty][k] * bs[k][tx];
            __syncthreads();
        }
        int place = wb * TILE * by + TILE * bx;
        c[place + wb * ty + tx] = sum;
    }";
    let sample = sample.replace("template <int TILE> ", "").replace("TILE", "16");
    assert!(on_cube("sample", &sample, "\"c\", \"a\", \"b\", \"k\", \"n\"", true));
}

/// What looks like a product and is none must not reach the cube; it runs all the same.
#[test]
fn what_is_no_product_is_not() {
    let body = |update: &str, guard: &str, store: &str| {
        format!(
            "__global__ void product(float* c, const float* a, const float* b, int m, int n, int k) {{
                int row = blockIdx.y * blockDim.y + threadIdx.y, col = blockIdx.x * blockDim.x + threadIdx.x;
                if (!({guard})) return;
                float sum = 0;
                for (int i = 0; i < k; ++i) {update}
                {store}
            }}"
        )
    };
    let (guard, store) = ("row < m && col < n", "c[row * n + col] = sum;");
    let arguments = "\"c\", \"a\", \"b\", \"m\", \"n\", \"k\"";
    for (name, update, guard, store) in [
        (
            "conditional",
            "if (a[row * k + i] > 0) sum += a[row * k + i] * b[i * n + col];",
            guard,
            store,
        ),
        (
            "lower",
            "sum += a[row * k + i] * b[i * n + col];",
            "row < m && col < n && col <= row",
            store,
        ),
        ("early", "{ sum += a[row * k + i] * b[i * n + col]; if (sum > 9) break; }", guard, store),
        ("squared", "sum += a[row * k + i] * a[row * k + i];", guard, store),
        ("added", "sum += a[row * k + i] + b[i * n + col];", guard, store),
        ("every_other", "{ sum += a[row * k + i] * b[i * n + col]; ++i; }", guard, store),
        (
            "clamped",
            "sum += a[row * k + i] * b[i * n + col];",
            guard,
            "c[row * n + col] = sum > 0 ? sum : 0;",
        ),
    ] {
        assert!(!on_cube(name, &body(update, guard, store), arguments, false), "{name}");
    }
}

/// Blocks that make a tile together: warps' tiles without shared memory, sums in registers.
const WARPS: &str = "#include <mma.h>
using namespace nvcuda;
__global__ void product(float* d, const half* a, const half* b, const float* c, int m, int n, int k, float alpha, float beta) {
    int lda = k, ldb = n, ldc = n;
    int warp_m = (blockIdx.x * blockDim.x + threadIdx.x) / warpSize;
    int warp_n = blockIdx.y * blockDim.y + threadIdx.y;
    wmma::fragment<wmma::matrix_a, 16, 16, 16, half, wmma::row_major> fa;
    wmma::fragment<wmma::matrix_b, 16, 16, 16, half, wmma::row_major> fb;
    wmma::fragment<wmma::accumulator, 16, 16, 16, float> sum, fc;
    wmma::fill_fragment(sum, 0.0f);
    for (int i = 0; i < k; i += 16) {
        int row = warp_m * 16, column = warp_n * 16;
        if (row < m && i < k && column < n) {
            wmma::load_matrix_sync(fa, a + row * lda + i, lda);
            wmma::load_matrix_sync(fb, b + i * ldb + column, ldb);
            wmma::mma_sync(sum, fa, fb, sum);
        }
    }
    int row = warp_m * 16, column = warp_n * 16;
    if (row < m && column < n) {
        wmma::load_matrix_sync(fc, c + row * ldc + column, ldc, wmma::mem_row_major);
        for (int i = 0; i < fc.num_elements; i++) fc.x[i] = alpha * sum.x[i] + beta * fc.x[i];
        wmma::store_matrix_sync(d + row * ldc + column, fc, ldc, wmma::mem_row_major);
    }
}
void run(float* d, const half* a, const half* b, const float* c, int m, int n, int k) {
    product<<<dim3((m + 63) / 64, (n + 63) / 64), dim3(128, 4)>>>(d, a, b, c, m, n, k, 2.0f, -1.0f);
}
";

const REGISTERS: &str = "
template <int BM, int BN, int BK, int TM, int TN>
__global__ void tiles(int M, int N, int K, float alpha, float* A, float* B, float beta, float* C) {
    const unsigned rows = blockIdx.y, columns = blockIdx.x;
    const int column = threadIdx.x % (BN / TN), row = threadIdx.x / (BN / TN);
    __shared__ float as[BM * BK];
    __shared__ float bs[BK * BN];
    A += rows * BM * K;
    B += columns * BN;
    C += rows * BM * N + columns * BN;
    const unsigned row_a = threadIdx.x / (BK / 4), column_a = threadIdx.x % (BK / 4);
    const unsigned row_b = threadIdx.x / (BN / 4), column_b = threadIdx.x % (BN / 4);
    float sums[TM * TN] = {0.0};
    float m[TM] = {0.0}, n[TN] = {0.0};
    for (unsigned start = 0; start < K; start += BK) {
        float4 tmp = reinterpret_cast<float4*>(&A[row_a * K + column_a * 4])[0];
        as[(column_a * 4 + 0) * BM + row_a] = tmp.x;
        as[(column_a * 4 + 1) * BM + row_a] = tmp.y;
        as[(column_a * 4 + 2) * BM + row_a] = tmp.z;
        as[(column_a * 4 + 3) * BM + row_a] = tmp.w;
        reinterpret_cast<float4*>(&bs[row_b * BN + column_b * 4])[0] =
            reinterpret_cast<float4*>(&B[row_b * N + column_b * 4])[0];
        __syncthreads();
        A += BK;
        B += BK * N;
        for (unsigned k = 0; k < BK; ++k) {
            for (unsigned i = 0; i < TM; ++i) m[i] = as[k * BM + row * TM + i];
            for (unsigned i = 0; i < TN; ++i) n[i] = bs[k * BN + column * TN + i];
            for (unsigned i = 0; i < TM; ++i)
                for (unsigned j = 0; j < TN; ++j) sums[i * TN + j] += m[i] * n[j];
        }
        __syncthreads();
    }
    for (unsigned i = 0; i < TM; i += 1)
        for (unsigned j = 0; j < TN; j += 4) {
            float4 tmp = reinterpret_cast<float4*>(&C[(row * TM + i) * N + column * TN + j])[0];
            tmp.x = alpha * sums[i * TN + j] + beta * tmp.x;
            tmp.y = alpha * sums[i * TN + j + 1] + beta * tmp.y;
            tmp.z = alpha * sums[i * TN + j + 2] + beta * tmp.z;
            tmp.w = alpha * sums[i * TN + j + 3] + beta * tmp.w;
            reinterpret_cast<float4*>(&C[(row * TM + i) * N + column * TN + j])[0] = tmp;
        }
}
void run(int M, int N, int K, float* A, float* B, float* C) {
    tiles<64, 64, 8, 4, 8><<<dim3((N + 63) / 64, (M + 63) / 64), 128>>>(M, N, K, 1.0f, A, B, 0.0f, C);
}
";

#[test]
fn tiles_of_blocks_are_the_cubes() {
    let forms = |text: &str| common::forms("test.cu", text, Chip::A910b);
    assert_eq!(forms(WARPS), ["ported matmul"]);
    assert_eq!(forms(REGISTERS), ["ported matmul"]);
    // A tile that a guard leaves whole is stored whole: 20 rows are 32.
    let spec = "ints = [[\"m\", \"80\"], [\"n\", \"48\"], [\"k\", \"64\"]]\n\
         sweep = [{ m = 16, n = 16, k = 16 }, { m = 20, n = 144, k = 48 }, { m = 64, n = 16, k = 0 }]\n\
         rule = \"ecosystem-fp16\"\n[buffers]\n\
         a = { dtype = \"f16\", shape = [\"m + 16\", \"k\"], init = \"ints(-4, 5)\", seed = 1 }\n\
         b = { dtype = \"f16\", shape = [\"k + 1\", \"n\"], init = \"ints(-4, 5)\", seed = 2 }\n\
         c = { dtype = \"f32\", shape = [\"m + 16\", \"n\"], init = \"ints(-4, 5)\", seed = 3 }\n\
         d = { dtype = \"f32\", shape = [\"m + 16\", \"n\"], init = \"ints(-4, 5)\", seed = 4, out = true }\n\
         [[launch]]\nkernel = \"product\"\ngrid = [\"ceil_div(m, 64)\", \"ceil_div(n, 64)\"]\n\
         block = [128, 4]\nargs = [\"d\", \"a\", \"b\", \"c\", \"m\", \"n\", \"k\", 2.0, -1.0]\n";
    match common::check_text("warps", WARPS, spec, Chip::A910b) {
        Ok(what) => assert!(what.contains("matmul"), "{what}"),
        Err(why) => panic!("{why}"),
    }
}

/// What is nearly a product of tiles is none.
#[test]
fn tiles_that_are_no_product_are_not() {
    let changes = [
        ("wrong tile", WARPS, "b + i * ldb + column", "b + i * ldb + row"),
        ("not all", WARPS, "i < k; i += 16", "i < k; i += 32"),
        ("some elements", WARPS, "alpha * sum.x[i]", "(threadIdx.x % 2 ? alpha : beta) * sum.x[i]"),
        (
            "below the diagonal",
            WARPS,
            "row < m && column < n) {\n        wmma::load",
            "row < m && column < n && column <= row) {\n        wmma::load",
        ),
        ("starts with others", WARPS, "fill_fragment(sum, 0.0f)", "fill_fragment(sum, 1.0f)"),
        (
            "another element",
            REGISTERS,
            "m[i] = as[k * BM + row * TM + i]",
            "m[i] = as[k * BM + row * TM + (i ^ 1)]",
        ),
        ("a k twice", REGISTERS, "n[i] = bs[k * BN", "n[i] = bs[(k / 2) * BN"),
        ("half of the block", REGISTERS, "j < TN; j += 4", "j < TN / 2; j += 4"),
        ("squares", REGISTERS, "+= m[i] * n[j]", "+= m[i] * m[i]"),
        ("a break", REGISTERS, "A += BK;\n", "A += BK;\n        if (sums[0] > 9) break;\n"),
        ("the wrong row", REGISTERS, "A += rows * BM * K", "A += rows * BK * K"),
    ];
    for (name, text, from, to) in changes {
        assert!(text.contains(from), "{name}");
        let forms = common::forms("test.cu", &text.replace(from, to), Chip::A910b);
        assert!(!forms.iter().any(|form| form.contains("matmul")), "{name}: {forms:?}");
    }
}
