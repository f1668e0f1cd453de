// Conditions on thread numbers that become intervals of a row: with offsets that are negative numbers
// in unsigned sums, with ends inside and outside of a row, and chained by &&.
#include <cstdio>
#include <cuda_runtime.h>

template <int unused>
__global__ void shifted(const int* in, int* out, int n, int offset) {
    int x = blockIdx.x * blockDim.x + threadIdx.x + offset;
    int own = blockIdx.x * blockDim.x + threadIdx.x;
    if (x >= 0 && x < n) out[own] = in[x];
    else out[own] = -1;
}

template <int unused>
__global__ void shifted_unsigned(const int* in, int* out, unsigned n, int offset) {
    unsigned x = blockIdx.x * blockDim.x + threadIdx.x + offset;
    int own = blockIdx.x * blockDim.x + threadIdx.x;
    int value = -1;
    if (x < n) value = in[x];
    out[own] = value;
}

template <int unused>
__global__ void shifted_beyond(const int* in, int* out, unsigned n, int offset) {
    unsigned x = blockIdx.x * blockDim.x + threadIdx.x + offset;
    int own = blockIdx.x * blockDim.x + threadIdx.x;
    out[own] = x >= n ? -1 : in[x];
}

template <int unused>
__global__ void shifted_guard(const int* in, int* out, int n, int offset) {
    int x = blockIdx.x * blockDim.x + threadIdx.x + offset;
    if (x < 0 || x >= n) return;
    out[x - offset] = in[x];
}

template <int unused>
__global__ void shifted_by_one(const int* in, int* out, unsigned n) {
    unsigned x = blockIdx.x * blockDim.x + threadIdx.x + -1;
    int own = blockIdx.x * blockDim.x + threadIdx.x;
    out[own] = x < n ? in[x] : -1;
}

template <int unused>
__global__ void shifted_passes(const int* in, int* out, unsigned n, int offset) {
    for (unsigned x = threadIdx.x + offset; x < n; x += blockDim.x) out[x] = 2 * in[x];
}

// Unsigned numbers that no analysis knows: what is added to them wraps.
template <int unused>
__global__ void wrapped(const int* in, int* out, const unsigned* offsets, unsigned offset, unsigned n) {
    unsigned own = blockIdx.x * blockDim.x + threadIdx.x;
    unsigned x = threadIdx.x + offset, y = threadIdx.x + offsets[blockIdx.x];
    int value = 0;
    if (x < n) value += in[x];
    if (y < n) value += 100 * in[y];
    out[own] = value;
}

template <int unused>
__global__ void wrapped_plane(const int* in, int* out, const unsigned* offsets, unsigned width,
                              unsigned height) {
    unsigned x = blockIdx.x * blockDim.x + threadIdx.x + offsets[0];
    unsigned y = threadIdx.y + offsets[1];
    if (x < width && y < height) out[y * width + x] = in[y * width + x];
}

template <int unused>
__global__ void hashed(int* out, unsigned seed, unsigned limit) {
    unsigned own = blockIdx.x * blockDim.x + threadIdx.x;
    unsigned by_block = blockIdx.x * 1664525u + 1013904223u + threadIdx.x;
    unsigned by_seed = seed * 22695477u + threadIdx.x, by_thread = threadIdx.x * 2654435761u + seed;
    out[own] = (by_block < limit) + 2 * (by_seed < limit) + 4 * (by_thread < limit);
}

template <int unused>
__global__ void tile(const int* in, int* out, int width, int height) {
    __shared__ int t[6][34];
    int x = blockIdx.x * 32 + threadIdx.x, y = blockIdx.y * 4 + threadIdx.y;
    auto at = [&](int yy, int xx) {
        return yy >= 0 && yy < height && xx >= 0 && xx < width ? in[yy * width + xx] : 0;
    };
    t[threadIdx.y + 1][threadIdx.x + 1] = at(y, x);
    if (threadIdx.x == 0) t[threadIdx.y + 1][0] = at(y, x - 1);
    if (threadIdx.x == 31) t[threadIdx.y + 1][33] = at(y, x + 1);
    if (threadIdx.y == 0) t[0][threadIdx.x + 1] = at(y - 1, x);
    if (threadIdx.y == 3) t[5][threadIdx.x + 1] = at(y + 1, x);
    __syncthreads();
    int sum = 0;
    for (int k = 0; k < 3; ++k) sum += t[threadIdx.y + k][threadIdx.x + 1] << k;
    for (int k = 0; k < 3; ++k) sum += t[threadIdx.y + 1][threadIdx.x + k] << (3 * k);
    if (x < width && y < height) out[y * width + x] = sum;
}

// Products of tiles whose sides the passes of 12, 16 and 24 make in whole and in parts.
template <int side>
__global__ void multiply(const int* a, const int* b, int* c, int n) {
    __shared__ int as[16][side], bs[side][16];
    int sum = 0;
    int row = blockIdx.y * 16 + threadIdx.y, column = blockIdx.x * 16 + threadIdx.x;
    for (int first = 0; first < n; first += side) {
        for (int k = threadIdx.x; k < side; k += 16) {
            as[threadIdx.y][k] = row < n && first + k < n ? a[row * n + first + k] : 0;
        }
        for (int k = threadIdx.y; k < side; k += 16) {
            bs[k][threadIdx.x] = first + k < n && column < n ? b[(first + k) * n + column] : 0;
        }
        __syncthreads();
        for (int k = 0; k < side; ++k) sum += as[threadIdx.y][k] * bs[k][threadIdx.x];
        for (int k = side; k > side; --k) sum = -1;
        __syncthreads();
    }
    if (row < n && column < n) c[row * n + column] = sum;
}

const int size = 40 * 40;
int *in, *out;
bool good = true;

void clear() {
    for (int i = 0; i < size; ++i) out[i] = -5;
}

template <class Expected> void expect(const char* name, int count, Expected expected) {
    cudaDeviceSynchronize();
    for (int i = 0; i < count; ++i) {
        if (out[i] == expected(i)) continue;
        printf("%s: %d is %d, not %d\n", name, i, out[i], expected(i));
        good = false;
        break;
    }
    clear();
}

template <int side> void products(int n) {
    multiply<side><<<dim3((n + 15) / 16, (n + 15) / 16), dim3(16, 16)>>>(in, in, out, n);
    expect("multiply", n * n, [&](int i) {
        int sum = 0;
        for (int k = 0; k < n; ++k) sum += in[i / n * n + k] * in[k * n + i % n];
        return sum;
    });
}

int main() {
    cudaMallocManaged(&in, size * sizeof *in);
    cudaMallocManaged(&out, size * sizeof *out);
    for (int i = 0; i < size; ++i) in[i] = i * i % 71;
    clear();
    for (int offset : {-40, -33, -32, -3, 0, 5, 33}) {
        for (int n : {1, 31, 60, 64, 96}) {
            auto at = [&](int i) { return i + offset >= 0 && i + offset < n ? in[i + offset] : -1; };
            shifted<0><<<3, 32>>>(in, out, n, offset);
            expect("shifted", 96, at);
            shifted_unsigned<0><<<3, 32>>>(in, out, n, offset);
            expect("shifted_unsigned", 96, at);
            shifted_beyond<0><<<3, 32>>>(in, out, n, offset);
            expect("shifted_beyond", 96, at);
            shifted_guard<0><<<3, 32>>>(in, out, n, offset);
            expect("shifted_guard", 96, [&](int i) { return at(i) == -1 ? -5 : at(i); });
        }
    }
    shifted_by_one<0><<<2, 32>>>(in, out, 60);
    expect("shifted_by_one", 64, [](int i) { return i > 0 && i < 61 ? in[i - 1] : -1; });
    shifted_passes<0><<<1, 32>>>(in, out, 60, -3);
    expect("shifted_passes", 64, [](int i) {
        // Threads 0 to 2 start at huge numbers.
        return i < 60 && (i + 3) % 32 >= 3 ? 2 * in[i] : -5;
    });
    unsigned* offsets;
    cudaMallocManaged(&offsets, 4 * sizeof *offsets);
    for (unsigned offset : {0u, 7u, 0xffffffffu, 0xfffffff0u, 0xfffeffffu, 0x80000000u, 0x7ffffff8u}) {
        for (unsigned block = 0; block < 4; ++block) offsets[block] = offset - 20u * block;
        wrapped<0><<<4, 48>>>(in, out, offsets, offset, 50);
        expect("wrapped", 4 * 48, [&](int i) {
            unsigned x = unsigned(i % 48) + offset, y = unsigned(i % 48) + offsets[i / 48];
            return (x < 50 ? in[x] : 0) + (y < 50 ? 100 * in[y] : 0);
        });
        wrapped_plane<0><<<2, dim3(16, 8)>>>(in, out, offsets, 20, 7);
        expect("wrapped_plane", 20 * 7, [&](int i) {
            unsigned x = unsigned(i % 20) - offsets[0], y = unsigned(i / 20) - offsets[1];
            return x < 32 && y < 8 ? in[i] : -5;
        });
        for (unsigned limit : {1000u, 0x40000000u, 0x80000010u, 0xc0000000u}) {
            hashed<0><<<20, 64>>>(out, offset, limit);
            expect("hashed", 20 * 64, [&](int i) {
                unsigned block = i / 64, thread = i % 64;
                return int(block * 1664525u + 1013904223u + thread < limit) +
                       2 * int(offset * 22695477u + thread < limit) +
                       4 * int(thread * 2654435761u + offset < limit);
            });
        }
    }
    for (int width : {1, 31, 32, 37}) {
        int height = 38 - width / 2;
        tile<0><<<dim3(2, (height + 3) / 4), dim3(32, 4)>>>(in, out, width, height);
        expect("tile", width * height, [&](int i) {
            auto at = [&](int y, int x) {
                return y >= 0 && y < height && x >= 0 && x < width ? in[y * width + x] : 0;
            };
            int y = i / width, x = i % width;
            return at(y - 1, x) + 2 * at(y, x) + 4 * at(y + 1, x) + at(y, x - 1) + 8 * at(y, x) +
                   64 * at(y, x + 1);
        });
    }
    for (int n : {1, 15, 16, 40}) {
        products<1>(n);
        products<3>(n);
        products<12>(n);
        products<16>(n);
        products<24>(n);
        products<37>(n);
    }
    printf("%s\n", good ? "PASS" : "FAIL");
    cudaFree(in);
    cudaFree(out);
}
