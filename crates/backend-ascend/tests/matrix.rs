//! Products of matrices on the cube against the fiber oracle, on the model of the 910B. Sums are
//! reassociated, so results agree within a bound and not bit for bit.

#![allow(clippy::disallowed_methods, reason = "an environment variable asks for more")]

mod common;

use port_backend_ascend::kernel::Chip;

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

/// Whether the cube multiplies. Only some kernels are run too; `PORT_KERNELS` runs all.
fn on_cube(name: &str, text: &str, args: &str, exact: bool) -> bool {
    if name != "tiled" && std::env::var_os("PORT_KERNELS").is_none() {
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
