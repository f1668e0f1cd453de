// cuBLAS and the parts of cuBLASLt that matrix products are asked for by, on host memory: matrices by
// columns, sums of 16-bit and binary32 numbers in binary32, of binary64 in binary64, in the order of
// their indices. A scalar may lie anywhere: there is one memory.
#pragma once

#include <cmath>
#include <cstring>
#include <type_traits>

#include "cuda_fp16.h"
#include "cuda_bf16.h"
#include "cuComplex.h"

enum cublasStatus_t {
    CUBLAS_STATUS_SUCCESS = 0,
    CUBLAS_STATUS_NOT_INITIALIZED = 1,
    CUBLAS_STATUS_ALLOC_FAILED = 3,
    CUBLAS_STATUS_INVALID_VALUE = 7,
    CUBLAS_STATUS_ARCH_MISMATCH = 8,
    CUBLAS_STATUS_MAPPING_ERROR = 11,
    CUBLAS_STATUS_EXECUTION_FAILED = 13,
    CUBLAS_STATUS_INTERNAL_ERROR = 14,
    CUBLAS_STATUS_NOT_SUPPORTED = 15,
    CUBLAS_STATUS_LICENSE_ERROR = 16
};
enum cublasOperation_t { CUBLAS_OP_N = 0, CUBLAS_OP_T = 1, CUBLAS_OP_C = 2 };
enum cublasFillMode_t { CUBLAS_FILL_MODE_LOWER = 0, CUBLAS_FILL_MODE_UPPER = 1 };
enum cublasDiagType_t { CUBLAS_DIAG_NON_UNIT = 0, CUBLAS_DIAG_UNIT = 1 };
enum cublasSideMode_t { CUBLAS_SIDE_LEFT = 0, CUBLAS_SIDE_RIGHT = 1 };
enum cublasPointerMode_t { CUBLAS_POINTER_MODE_HOST = 0, CUBLAS_POINTER_MODE_DEVICE = 1 };
enum cublasAtomicsMode_t { CUBLAS_ATOMICS_NOT_ALLOWED = 0, CUBLAS_ATOMICS_ALLOWED = 1 };
enum cublasMath_t {
    CUBLAS_DEFAULT_MATH = 0,
    CUBLAS_TENSOR_OP_MATH = 1,
    CUBLAS_PEDANTIC_MATH = 2,
    CUBLAS_TF32_TENSOR_OP_MATH = 3,
    CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION = 16
};
enum cublasGemmAlgo_t {
    CUBLAS_GEMM_DFALT = -1,
    CUBLAS_GEMM_DEFAULT = -1,
    CUBLAS_GEMM_DEFAULT_TENSOR_OP = 99,
    CUBLAS_GEMM_DFALT_TENSOR_OP = 99
};
enum cublasComputeType_t {
    CUBLAS_COMPUTE_16F = 64,
    CUBLAS_COMPUTE_16F_PEDANTIC = 65,
    CUBLAS_COMPUTE_32F = 68,
    CUBLAS_COMPUTE_32F_PEDANTIC = 69,
    CUBLAS_COMPUTE_64F = 70,
    CUBLAS_COMPUTE_64F_PEDANTIC = 71,
    CUBLAS_COMPUTE_32I = 72,
    CUBLAS_COMPUTE_32I_PEDANTIC = 73,
    CUBLAS_COMPUTE_32F_FAST_16F = 74,
    CUBLAS_COMPUTE_32F_FAST_16BF = 75,
    CUBLAS_COMPUTE_32F_FAST_TF32 = 77
};
enum cudaDataType_t {
    CUDA_R_32F = 0,
    CUDA_R_64F = 1,
    CUDA_R_16F = 2,
    CUDA_R_8I = 3,
    CUDA_C_32F = 4,
    CUDA_C_64F = 5,
    CUDA_C_16F = 6,
    CUDA_R_8U = 8,
    CUDA_R_32I = 10,
    CUDA_R_32U = 12,
    CUDA_R_16BF = 14,
    CUDA_R_64I = 24
};
typedef cudaDataType_t cudaDataType;
typedef cudaDataType_t cublasDataType_t;

struct cublasContext {
    cudaStream_t stream = nullptr;
    cublasPointerMode_t pointers = CUBLAS_POINTER_MODE_HOST;
    cublasMath_t math = CUBLAS_DEFAULT_MATH;
};
typedef cublasContext* cublasHandle_t;

inline cublasStatus_t cublasCreate(cublasHandle_t* handle) {
    if (!handle) return CUBLAS_STATUS_NOT_INITIALIZED;
    *handle = new cublasContext;
    return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasDestroy(cublasHandle_t handle) {
    delete handle;
    return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasSetStream(cublasHandle_t handle, cudaStream_t stream) {
    handle->stream = stream;
    return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasGetStream(cublasHandle_t handle, cudaStream_t* stream) {
    *stream = handle->stream;
    return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasSetPointerMode(cublasHandle_t handle, cublasPointerMode_t mode) {
    handle->pointers = mode;
    return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasGetPointerMode(cublasHandle_t handle, cublasPointerMode_t* mode) {
    *mode = handle->pointers;
    return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasSetMathMode(cublasHandle_t handle, cublasMath_t mode) {
    handle->math = mode;
    return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasGetMathMode(cublasHandle_t handle, cublasMath_t* mode) {
    *mode = handle->math;
    return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasSetAtomicsMode(cublasHandle_t, cublasAtomicsMode_t) {
    return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasSetWorkspace(cublasHandle_t, void*, std::size_t) {
    return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasGetVersion(cublasHandle_t, int* version) {
    *version = 110800;
    return CUBLAS_STATUS_SUCCESS;
}
inline const char* cublasGetStatusName(cublasStatus_t status) {
    switch (status) {
        case CUBLAS_STATUS_SUCCESS: return "CUBLAS_STATUS_SUCCESS";
        case CUBLAS_STATUS_NOT_INITIALIZED: return "CUBLAS_STATUS_NOT_INITIALIZED";
        case CUBLAS_STATUS_ALLOC_FAILED: return "CUBLAS_STATUS_ALLOC_FAILED";
        case CUBLAS_STATUS_INVALID_VALUE: return "CUBLAS_STATUS_INVALID_VALUE";
        case CUBLAS_STATUS_ARCH_MISMATCH: return "CUBLAS_STATUS_ARCH_MISMATCH";
        case CUBLAS_STATUS_MAPPING_ERROR: return "CUBLAS_STATUS_MAPPING_ERROR";
        case CUBLAS_STATUS_EXECUTION_FAILED: return "CUBLAS_STATUS_EXECUTION_FAILED";
        case CUBLAS_STATUS_INTERNAL_ERROR: return "CUBLAS_STATUS_INTERNAL_ERROR";
        case CUBLAS_STATUS_NOT_SUPPORTED: return "CUBLAS_STATUS_NOT_SUPPORTED";
        default: return "CUBLAS_STATUS_LICENSE_ERROR";
    }
}
inline const char* cublasGetStatusString(cublasStatus_t status) {
    return cublasGetStatusName(status);
}

// Copies between memories that are one here; strides count elements.
inline cublasStatus_t cublasSetVector(int n, int size, const void* x, int step_x, void* y,
                                      int step_y) {
    for (int i = 0; i < n; ++i) {
        std::memcpy(static_cast<char*>(y) + std::ptrdiff_t(i) * step_y * size,
                    static_cast<const char*>(x) + std::ptrdiff_t(i) * step_x * size,
                    std::size_t(size));
    }
    return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasGetVector(int n, int size, const void* x, int step_x, void* y,
                                      int step_y) {
    return cublasSetVector(n, size, x, step_x, y, step_y);
}
inline cublasStatus_t cublasSetMatrix(int rows, int columns, int size, const void* a, int lda,
                                      void* b, int ldb) {
    for (int j = 0; j < columns; ++j) {
        std::memcpy(static_cast<char*>(b) + std::ptrdiff_t(j) * ldb * size,
                    static_cast<const char*>(a) + std::ptrdiff_t(j) * lda * size,
                    std::size_t(rows) * std::size_t(size));
    }
    return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasGetMatrix(int rows, int columns, int size, const void* a, int lda,
                                      void* b, int ldb) {
    return cublasSetMatrix(rows, columns, size, a, lda, b, ldb);
}

namespace port_cpu {
namespace blas {

// What products are summed in.
template <class T> struct SumOf {
    using type = float;
};
template <> struct SumOf<double> {
    using type = double;
};
template <> struct SumOf<int> {
    using type = int;
};
template <> struct SumOf<signed char> {
    using type = int;
};

template <class Sum, class T> inline Sum load(const T& value) { return Sum(value); }
template <class Sum> inline Sum load(const __half& value) { return Sum(__half2float(value)); }
template <class Sum> inline Sum load(const __nv_bfloat16& value) {
    return Sum(__bfloat162float(value));
}
template <class T, class Sum> inline void store(T& place, Sum value) { place = T(value); }
template <class Sum> inline void store(__half& place, Sum value) {
    place = __float2half_rn(float(value));
}
template <class Sum> inline void store(__nv_bfloat16& place, Sum value) {
    place = __float2bfloat16_rn(float(value));
}

struct Plain {
    template <class Sum> Sum operator()(Sum value, std::int64_t, std::int64_t) const {
        return value;
    }
};

// c = finish(alpha op(a) op(b) + beta c), m × n by k; what beta = 0 multiplies is not read.
template <class Sum, class A, class B, class C, class D, class Finish = Plain>
inline void multiply(bool turn_a, bool turn_b, std::int64_t m, std::int64_t n, std::int64_t k,
                     Sum alpha, const A* a, std::int64_t lda, const B* b, std::int64_t ldb, Sum beta,
                     const C* c, std::int64_t ldc, D* d, std::int64_t ldd,
                     const Finish& finish = Finish()) {
#if defined(_OPENMP)
#pragma omp parallel for schedule(static)
#endif
    for (std::int64_t j = 0; j < n; ++j) {
        for (std::int64_t i = 0; i < m; ++i) {
            Sum sum = Sum(0);
            for (std::int64_t p = 0; p < k; ++p) {
                sum += load<Sum>(turn_a ? a[p + i * lda] : a[i + p * lda]) *
                       load<Sum>(turn_b ? b[j + p * ldb] : b[p + j * ldb]);
            }
            Sum value = alpha * sum;
            if (beta != Sum(0)) value += beta * load<Sum>(c[i + j * ldc]);
            store(d[i + j * ldd], finish(value, i, j));
        }
    }
}

template <class T, class S>
inline cublasStatus_t gemm(cublasOperation_t turn_a, cublasOperation_t turn_b, int m, int n, int k,
                           const S* alpha, const T* a, int lda, const T* b, int ldb, const S* beta,
                           T* c, int ldc) {
    using Sum = typename SumOf<T>::type;
    if (m < 0 || n < 0 || k < 0) return CUBLAS_STATUS_INVALID_VALUE;
    multiply<Sum>(turn_a != CUBLAS_OP_N, turn_b != CUBLAS_OP_N, m, n, k, load<Sum>(*alpha), a, lda, b,
                  ldb, load<Sum>(*beta), c, ldc, c, ldc);
    return CUBLAS_STATUS_SUCCESS;
}

// A function of a type's tag for the types that products take.
template <class Use> inline bool with_type(cudaDataType_t type, const Use& use) {
    switch (type) {
        case CUDA_R_32F: use(float()); return true;
        case CUDA_R_64F: use(double()); return true;
        case CUDA_R_16F: use(__half()); return true;
        case CUDA_R_16BF: use(__nv_bfloat16()); return true;
        case CUDA_R_8I: use((signed char)0); return true;
        case CUDA_R_32I: use(int()); return true;
        default: return false;
    }
}

inline bool is_double(cublasComputeType_t type) {
    return type == CUBLAS_COMPUTE_64F || type == CUBLAS_COMPUTE_64F_PEDANTIC;
}
inline bool is_integer(cublasComputeType_t type) {
    return type == CUBLAS_COMPUTE_32I || type == CUBLAS_COMPUTE_32I_PEDANTIC;
}
inline bool is_half(cublasComputeType_t type) {
    return type == CUBLAS_COMPUTE_16F || type == CUBLAS_COMPUTE_16F_PEDANTIC;
}
inline cudaDataType_t scale_of(cublasComputeType_t type) {
    return is_double(type)    ? CUDA_R_64F
           : is_integer(type) ? CUDA_R_32I
           : is_half(type)    ? CUDA_R_16F
                              : CUDA_R_32F;
}
// Old calls name the type of the sums by a type of data.
inline cublasComputeType_t compute_of(cudaDataType_t type) {
    switch (type) {
        case CUDA_R_64F: return CUBLAS_COMPUTE_64F;
        case CUDA_R_32I: return CUBLAS_COMPUTE_32I;
        case CUDA_R_16F: return CUBLAS_COMPUTE_16F;
        default: return CUBLAS_COMPUTE_32F;
    }
}
inline double scalar(const void* value, cudaDataType_t type) {
    double number = 0;
    with_type(type, [&](auto tag) {
        number = load<double>(*static_cast<const decltype(tag)*>(value));
    });
    return number;
}

template <class Finish>
inline cublasStatus_t multiply_any(bool turn_a, bool turn_b, std::int64_t m, std::int64_t n,
                                   std::int64_t k, double alpha, const void* a,
                                   cudaDataType_t type_a, std::int64_t lda, const void* b,
                                   cudaDataType_t type_b, std::int64_t ldb, double beta,
                                   const void* c, void* d, cudaDataType_t type_c, std::int64_t ldc,
                                   std::int64_t ldd, cublasComputeType_t compute,
                                   const Finish& finish) {
    if (type_a != type_b) return CUBLAS_STATUS_NOT_SUPPORTED;
    bool stored = false;
    const bool known = with_type(type_a, [&](auto in) {
        stored = with_type(type_c, [&](auto out) {
            using In = decltype(in);
            using Out = decltype(out);
            auto run = [&](auto sum) {
                using Sum = decltype(sum);
                multiply<Sum>(turn_a, turn_b, m, n, k, Sum(alpha), static_cast<const In*>(a), lda,
                              static_cast<const In*>(b), ldb, Sum(beta),
                              static_cast<const Out*>(c), ldc, static_cast<Out*>(d), ldd, finish);
            };
            if (is_double(compute)) run(double());
            else if (is_integer(compute)) run(int());
            else run(float());
        });
    });
    return known && stored ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_SUPPORTED;
}

template <class T>
inline cublasStatus_t gemv(cublasOperation_t turn, int m, int n, const T* alpha, const T* a, int lda,
                           const T* x, int step_x, const T* beta, T* y, int step_y) {
    const int rows = turn == CUBLAS_OP_N ? m : n, columns = turn == CUBLAS_OP_N ? n : m;
    auto at = [](int i, int count, int step) {
        return std::int64_t(step > 0 ? i : i - count + 1) * step;
    };
    for (int i = 0; i < rows; ++i) {
        T sum = 0;
        for (int j = 0; j < columns; ++j) {
            const T value = turn == CUBLAS_OP_N ? a[i + std::int64_t(j) * lda]
                                                : a[j + std::int64_t(i) * lda];
            sum += value * x[at(j, columns, step_x)];
        }
        T& place = y[at(i, rows, step_y)];
        place = *alpha * sum + (*beta != 0 ? *beta * place : T(0));
    }
    return CUBLAS_STATUS_SUCCESS;
}

// Element i of a vector whose step may be negative.
template <class T> inline T& element(T* x, int i, int n, int step) {
    return x[std::int64_t(step >= 0 ? i : i - n + 1) * step];
}

template <class T> inline void triangular(bool left, bool upper, bool turn, bool unit, int m, int n,
                                          T alpha, const T* a, int lda, T* b, int ldb) {
    // Solves op(a) x = alpha b, or x op(a) = alpha b, in place: row by row of the triangle.
    const int size = left ? m : n, others = left ? n : m;
    const bool forward = (upper != turn) != left;
    auto value = [&](int i, int j) {
        return turn ? a[j + std::int64_t(i) * lda] : a[i + std::int64_t(j) * lda];
    };
    for (int other = 0; other < others; ++other) {
        auto place = [&](int i) -> T& {
            return left ? b[i + std::int64_t(other) * ldb] : b[other + std::int64_t(i) * ldb];
        };
        for (int step = 0; step < size; ++step) {
            const int i = forward ? step : size - 1 - step;
            T sum = alpha * place(i);
            for (int before = 0; before < step; ++before) {
                const int j = forward ? before : size - 1 - before;
                sum -= (left ? value(i, j) : value(j, i)) * place(j);
            }
            place(i) = unit ? sum : sum / value(i, i);
        }
    }
}

}  // namespace blas
}  // namespace port_cpu

#define PORT_CPU_GEMM(letter, T)                                                                   \
    inline cublasStatus_t cublas##letter##gemm(                                                    \
        cublasHandle_t, cublasOperation_t turn_a, cublasOperation_t turn_b, int m, int n, int k,   \
        const T* alpha, const T* a, int lda, const T* b, int ldb, const T* beta, T* c, int ldc) {  \
        return port_cpu::blas::gemm(turn_a, turn_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc); \
    }                                                                                              \
    inline cublasStatus_t cublas##letter##gemmStridedBatched(                                      \
        cublasHandle_t, cublasOperation_t turn_a, cublasOperation_t turn_b, int m, int n, int k,   \
        const T* alpha, const T* a, int lda, long long step_a, const T* b, int ldb,                \
        long long step_b, const T* beta, T* c, int ldc, long long step_c, int count) {             \
        for (int i = 0; i < count; ++i) {                                                          \
            port_cpu::blas::gemm(turn_a, turn_b, m, n, k, alpha, a + i * step_a, lda,              \
                                 b + i * step_b, ldb, beta, c + i * step_c, ldc);                  \
        }                                                                                          \
        return CUBLAS_STATUS_SUCCESS;                                                              \
    }                                                                                              \
    inline cublasStatus_t cublas##letter##gemmBatched(                                             \
        cublasHandle_t, cublasOperation_t turn_a, cublasOperation_t turn_b, int m, int n, int k,   \
        const T* alpha, const T* const a[], int lda, const T* const b[], int ldb, const T* beta,   \
        T* const c[], int ldc, int count) {                                                        \
        for (int i = 0; i < count; ++i) {                                                          \
            port_cpu::blas::gemm(turn_a, turn_b, m, n, k, alpha, a[i], lda, b[i], ldb, beta, c[i], \
                                 ldc);                                                             \
        }                                                                                          \
        return CUBLAS_STATUS_SUCCESS;                                                              \
    }
PORT_CPU_GEMM(S, float)
PORT_CPU_GEMM(D, double)
PORT_CPU_GEMM(H, __half)

#define PORT_CPU_BLAS(letter, small, T)                                                            \
    inline cublasStatus_t cublas##letter##gemv(                                                    \
        cublasHandle_t, cublasOperation_t turn, int m, int n, const T* alpha, const T* a, int lda, \
        const T* x, int step_x, const T* beta, T* y, int step_y) {                                 \
        return port_cpu::blas::gemv(turn, m, n, alpha, a, lda, x, step_x, beta, y, step_y);        \
    }                                                                                              \
    inline cublasStatus_t cublas##letter##ger(cublasHandle_t, int m, int n, const T* alpha,        \
                                              const T* x, int step_x, const T* y, int step_y,      \
                                              T* a, int lda) {                                     \
        for (int j = 0; j < n; ++j) {                                                              \
            for (int i = 0; i < m; ++i) {                                                          \
                a[i + std::int64_t(j) * lda] += *alpha *                                           \
                                                port_cpu::blas::element(x, i, m, step_x) *         \
                                                port_cpu::blas::element(y, j, n, step_y);          \
            }                                                                                      \
        }                                                                                          \
        return CUBLAS_STATUS_SUCCESS;                                                              \
    }                                                                                              \
    inline cublasStatus_t cublas##letter##axpy(cublasHandle_t, int n, const T* alpha, const T* x,  \
                                               int step_x, T* y, int step_y) {                     \
        for (int i = 0; i < n; ++i) {                                                              \
            port_cpu::blas::element(y, i, n, step_y) +=                                            \
                *alpha * port_cpu::blas::element(x, i, n, step_x);                                 \
        }                                                                                          \
        return CUBLAS_STATUS_SUCCESS;                                                              \
    }                                                                                              \
    inline cublasStatus_t cublas##letter##scal(cublasHandle_t, int n, const T* alpha, T* x,        \
                                               int step) {                                         \
        for (int i = 0; i < n; ++i) x[std::int64_t(i) * step] *= *alpha;                           \
        return CUBLAS_STATUS_SUCCESS;                                                              \
    }                                                                                              \
    inline cublasStatus_t cublas##letter##copy(cublasHandle_t, int n, const T* x, int step_x,      \
                                               T* y, int step_y) {                                 \
        for (int i = 0; i < n; ++i) {                                                              \
            port_cpu::blas::element(y, i, n, step_y) =                                             \
                port_cpu::blas::element(x, i, n, step_x);                                          \
        }                                                                                          \
        return CUBLAS_STATUS_SUCCESS;                                                              \
    }                                                                                              \
    inline cublasStatus_t cublas##letter##swap(cublasHandle_t, int n, T* x, int step_x, T* y,      \
                                               int step_y) {                                       \
        for (int i = 0; i < n; ++i) {                                                              \
            T& a = port_cpu::blas::element(x, i, n, step_x);                                       \
            T& b = port_cpu::blas::element(y, i, n, step_y);                                       \
            const T value = a;                                                                     \
            a = b;                                                                                 \
            b = value;                                                                             \
        }                                                                                          \
        return CUBLAS_STATUS_SUCCESS;                                                              \
    }                                                                                              \
    inline cublasStatus_t cublas##letter##dot(cublasHandle_t, int n, const T* x, int step_x,       \
                                              const T* y, int step_y, T* result) {                 \
        T sum = 0;                                                                                 \
        for (int i = 0; i < n; ++i) {                                                              \
            sum += port_cpu::blas::element(x, i, n, step_x) *                                      \
                   port_cpu::blas::element(y, i, n, step_y);                                       \
        }                                                                                          \
        *result = sum;                                                                             \
        return CUBLAS_STATUS_SUCCESS;                                                              \
    }                                                                                              \
    inline cublasStatus_t cublas##letter##nrm2(cublasHandle_t, int n, const T* x, int step,        \
                                               T* result) {                                        \
        T scale = 0, sum = 1;                                                                      \
        for (int i = 0; i < n; ++i) {                                                              \
            const T value = std::fabs(x[std::int64_t(i) * step]);                                  \
            if (value > scale) {                                                                   \
                sum = 1 + sum * (scale / value) * (scale / value);                                 \
                scale = value;                                                                     \
            } else if (value > 0) {                                                                \
                sum += (value / scale) * (value / scale);                                          \
            } else if (value != value) {                                                           \
                sum = value;                                                                       \
                scale = 1;                                                                         \
            }                                                                                      \
        }                                                                                          \
        *result = scale * std::sqrt(sum);                                                          \
        return CUBLAS_STATUS_SUCCESS;                                                              \
    }                                                                                              \
    inline cublasStatus_t cublas##letter##asum(cublasHandle_t, int n, const T* x, int step,        \
                                               T* result) {                                        \
        T sum = 0;                                                                                 \
        for (int i = 0; i < n; ++i) sum += std::fabs(x[std::int64_t(i) * step]);                   \
        *result = sum;                                                                             \
        return CUBLAS_STATUS_SUCCESS;                                                              \
    }                                                                                              \
    inline cublasStatus_t cublasI##small##amax(cublasHandle_t, int n, const T* x, int step,        \
                                               int* result) {                                      \
        int best = 0;                                                                              \
        for (int i = 1; i < n; ++i) {                                                              \
            if (std::fabs(x[std::int64_t(i) * step]) > std::fabs(x[std::int64_t(best) * step])) {  \
                best = i;                                                                          \
            }                                                                                      \
        }                                                                                          \
        *result = n > 0 ? best + 1 : 0;                                                            \
        return CUBLAS_STATUS_SUCCESS;                                                              \
    }                                                                                              \
    inline cublasStatus_t cublasI##small##amin(cublasHandle_t, int n, const T* x, int step,        \
                                               int* result) {                                      \
        int best = 0;                                                                              \
        for (int i = 1; i < n; ++i) {                                                              \
            if (std::fabs(x[std::int64_t(i) * step]) < std::fabs(x[std::int64_t(best) * step])) {  \
                best = i;                                                                          \
            }                                                                                      \
        }                                                                                          \
        *result = n > 0 ? best + 1 : 0;                                                            \
        return CUBLAS_STATUS_SUCCESS;                                                              \
    }                                                                                              \
    inline cublasStatus_t cublas##letter##geam(                                                    \
        cublasHandle_t, cublasOperation_t turn_a, cublasOperation_t turn_b, int m, int n,          \
        const T* alpha, const T* a, int lda, const T* beta, const T* b, int ldb, T* c, int ldc) {  \
        for (int j = 0; j < n; ++j) {                                                              \
            for (int i = 0; i < m; ++i) {                                                          \
                const std::int64_t at_a = turn_a == CUBLAS_OP_N ? i + std::int64_t(j) * lda        \
                                                                : j + std::int64_t(i) * lda;       \
                const std::int64_t at_b = turn_b == CUBLAS_OP_N ? i + std::int64_t(j) * ldb        \
                                                                : j + std::int64_t(i) * ldb;       \
                const T left = *alpha != 0 ? *alpha * a[at_a] : T(0);                              \
                const T right = *beta != 0 ? *beta * b[at_b] : T(0);                               \
                c[i + std::int64_t(j) * ldc] = left + right;                                       \
            }                                                                                      \
        }                                                                                          \
        return CUBLAS_STATUS_SUCCESS;                                                              \
    }                                                                                              \
    inline cublasStatus_t cublas##letter##trsm(                                                    \
        cublasHandle_t, cublasSideMode_t side, cublasFillMode_t fill, cublasOperation_t turn,      \
        cublasDiagType_t diagonal, int m, int n, const T* alpha, const T* a, int lda, T* b,        \
        int ldb) {                                                                                 \
        port_cpu::blas::triangular(side == CUBLAS_SIDE_LEFT, fill == CUBLAS_FILL_MODE_UPPER,       \
                                   turn != CUBLAS_OP_N, diagonal == CUBLAS_DIAG_UNIT, m, n,        \
                                   *alpha, a, lda, b, ldb);                                        \
        return CUBLAS_STATUS_SUCCESS;                                                              \
    }
PORT_CPU_BLAS(S, s, float)
PORT_CPU_BLAS(D, d, double)

// Products whose types are arguments.
inline cublasStatus_t cublasGemmStridedBatchedEx(
    cublasHandle_t, cublasOperation_t turn_a, cublasOperation_t turn_b, int m, int n, int k,
    const void* alpha, const void* a, cudaDataType_t type_a, int lda, long long step_a,
    const void* b, cudaDataType_t type_b, int ldb, long long step_b, const void* beta, void* c,
    cudaDataType_t type_c, int ldc, long long step_c, int count, cublasComputeType_t compute,
    cublasGemmAlgo_t) {
    using namespace port_cpu::blas;
    const cudaDataType_t scale = scale_of(compute);
    const double factor = scalar(alpha, scale), keep = scalar(beta, scale);
    cublasStatus_t status = CUBLAS_STATUS_SUCCESS;
    auto size = [](cudaDataType_t type) {
        long long bytes = 0;
        with_type(type, [&](auto tag) { bytes = (long long)sizeof(tag); });
        return bytes;
    };
    for (int i = 0; i < count && status == CUBLAS_STATUS_SUCCESS; ++i) {
        char* to = static_cast<char*>(c) + i * step_c * size(type_c);
        status = multiply_any(turn_a != CUBLAS_OP_N, turn_b != CUBLAS_OP_N, m, n, k, factor,
                              static_cast<const char*>(a) + i * step_a * size(type_a), type_a, lda,
                              static_cast<const char*>(b) + i * step_b * size(type_b), type_b, ldb,
                              keep, to, to, type_c, ldc, ldc, compute, Plain());
    }
    return status;
}
inline cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t turn_a,
                                   cublasOperation_t turn_b, int m, int n, int k,
                                   const void* alpha, const void* a, cudaDataType_t type_a, int lda,
                                   const void* b, cudaDataType_t type_b, int ldb, const void* beta,
                                   void* c, cudaDataType_t type_c, int ldc,
                                   cublasComputeType_t compute, cublasGemmAlgo_t algorithm) {
    return cublasGemmStridedBatchedEx(handle, turn_a, turn_b, m, n, k, alpha, a, type_a, lda, 0, b,
                                      type_b, ldb, 0, beta, c, type_c, ldc, 0, 1, compute,
                                      algorithm);
}
inline cublasStatus_t cublasGemmEx(cublasHandle_t handle, cublasOperation_t turn_a,
                                   cublasOperation_t turn_b, int m, int n, int k,
                                   const void* alpha, const void* a, cudaDataType_t type_a, int lda,
                                   const void* b, cudaDataType_t type_b, int ldb, const void* beta,
                                   void* c, cudaDataType_t type_c, int ldc, cudaDataType_t compute,
                                   cublasGemmAlgo_t algorithm) {
    return cublasGemmEx(handle, turn_a, turn_b, m, n, k, alpha, a, type_a, lda, b, type_b, ldb, beta,
                        c, type_c, ldc, port_cpu::blas::compute_of(compute), algorithm);
}
inline cublasStatus_t cublasSgemmEx(cublasHandle_t handle, cublasOperation_t turn_a,
                                    cublasOperation_t turn_b, int m, int n, int k,
                                    const float* alpha, const void* a, cudaDataType_t type_a,
                                    int lda, const void* b, cudaDataType_t type_b, int ldb,
                                    const float* beta, void* c, cudaDataType_t type_c, int ldc) {
    return cublasGemmEx(handle, turn_a, turn_b, m, n, k, alpha, a, type_a, lda, b, type_b, ldb, beta,
                        c, type_c, ldc, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT);
}
inline cublasStatus_t cublasDotEx(cublasHandle_t, int n, const void* x, cudaDataType_t type_x,
                                  int step_x, const void* y, cudaDataType_t type_y, int step_y,
                                  void* result, cudaDataType_t type_result,
                                  cudaDataType_t compute) {
    using namespace port_cpu::blas;
    if (type_x != type_y || type_result != type_x) return CUBLAS_STATUS_NOT_SUPPORTED;
    const bool known = with_type(type_x, [&](auto tag) {
        using T = decltype(tag);
        auto run = [&](auto zero) {
            auto sum = zero;
            for (int i = 0; i < n; ++i) {
                sum += load<decltype(zero)>(element(static_cast<const T*>(x), i, n, step_x)) *
                       load<decltype(zero)>(element(static_cast<const T*>(y), i, n, step_y));
            }
            store(*static_cast<T*>(result), sum);
        };
        if (compute == CUDA_R_64F) run(0.0);
        else run(0.0f);
    });
    return known ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_NOT_SUPPORTED;
}

// cuBLASLt: descriptions of products and of matrices.
typedef cublasContext* cublasLtHandle_t;
enum cublasLtMatmulDescAttributes_t {
    CUBLASLT_MATMUL_DESC_COMPUTE_TYPE = 0,
    CUBLASLT_MATMUL_DESC_SCALE_TYPE = 1,
    CUBLASLT_MATMUL_DESC_POINTER_MODE = 2,
    CUBLASLT_MATMUL_DESC_TRANSA = 3,
    CUBLASLT_MATMUL_DESC_TRANSB = 4,
    CUBLASLT_MATMUL_DESC_TRANSC = 5,
    CUBLASLT_MATMUL_DESC_FILL_MODE = 6,
    CUBLASLT_MATMUL_DESC_EPILOGUE = 7,
    CUBLASLT_MATMUL_DESC_BIAS_POINTER = 8,
    CUBLASLT_MATMUL_DESC_BIAS_BATCH_STRIDE = 10,
    CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER = 11,
    CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD = 12,
    CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_BATCH_STRIDE = 13,
    CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE = 26
};
enum cublasLtEpilogue_t {
    CUBLASLT_EPILOGUE_DEFAULT = 1,
    CUBLASLT_EPILOGUE_RELU = 2,
    CUBLASLT_EPILOGUE_BIAS = 4,
    CUBLASLT_EPILOGUE_RELU_BIAS = 6,
    CUBLASLT_EPILOGUE_GELU = 32,
    CUBLASLT_EPILOGUE_GELU_BIAS = 36,
    CUBLASLT_EPILOGUE_GELU_AUX = 160,
    CUBLASLT_EPILOGUE_GELU_AUX_BIAS = 164,
    CUBLASLT_EPILOGUE_DGELU = 192,
    CUBLASLT_EPILOGUE_BGRADA = 256,
    CUBLASLT_EPILOGUE_BGRADB = 512
};
enum cublasLtMatrixLayoutAttribute_t {
    CUBLASLT_MATRIX_LAYOUT_TYPE = 0,
    CUBLASLT_MATRIX_LAYOUT_ORDER = 1,
    CUBLASLT_MATRIX_LAYOUT_ROWS = 2,
    CUBLASLT_MATRIX_LAYOUT_COLS = 3,
    CUBLASLT_MATRIX_LAYOUT_LD = 4,
    CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT = 5,
    CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET = 6
};
enum cublasLtOrder_t { CUBLASLT_ORDER_COL = 0, CUBLASLT_ORDER_ROW = 1 };
enum cublasLtMatmulPreferenceAttributes_t {
    CUBLASLT_MATMUL_PREF_SEARCH_MODE = 0,
    CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES = 1
};

struct cublasLtMatmulDescOpaque_t {
    cublasComputeType_t compute;
    cudaDataType_t scale;
    int turn_a, turn_b, turn_c, epilogue, bias_type;
    const void* bias;
    void* auxiliary;
    std::int64_t auxiliary_ld;
};
typedef cublasLtMatmulDescOpaque_t* cublasLtMatmulDesc_t;
struct cublasLtMatrixLayoutOpaque_t {
    cudaDataType_t type;
    int order, count;
    std::uint64_t rows, columns;
    std::int64_t ld, step;
};
typedef cublasLtMatrixLayoutOpaque_t* cublasLtMatrixLayout_t;
struct cublasLtMatmulPreferenceOpaque_t {
    std::uint64_t workspace;
};
typedef cublasLtMatmulPreferenceOpaque_t* cublasLtMatmulPreference_t;
struct cublasLtMatmulAlgo_t {
    std::uint64_t data[8];
};
struct cublasLtMatmulHeuristicResult_t {
    cublasLtMatmulAlgo_t algo;
    std::size_t workspaceSize;
    cublasStatus_t state;
    float wavesCount;
    int reserved[4];
};

inline cublasStatus_t cublasLtCreate(cublasLtHandle_t* handle) { return cublasCreate(handle); }
inline cublasStatus_t cublasLtDestroy(cublasLtHandle_t handle) { return cublasDestroy(handle); }
inline cublasStatus_t cublasLtMatmulDescInit(cublasLtMatmulDesc_t desc,
                                             cublasComputeType_t compute, cudaDataType_t scale) {
    *desc = {compute, scale, CUBLAS_OP_N, CUBLAS_OP_N, CUBLAS_OP_N, CUBLASLT_EPILOGUE_DEFAULT, -1,
             nullptr, nullptr, 0};
    return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* desc,
                                               cublasComputeType_t compute, cudaDataType_t scale) {
    *desc = new cublasLtMatmulDescOpaque_t;
    return cublasLtMatmulDescInit(*desc, compute, scale);
}
inline cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t desc) {
    delete desc;
    return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t desc,
                                                     cublasLtMatmulDescAttributes_t attribute,
                                                     const void* value, std::size_t size) {
    auto take = [&](auto& place) {
        if (size != sizeof place) return CUBLAS_STATUS_INVALID_VALUE;
        std::memcpy(&place, value, sizeof place);
        return CUBLAS_STATUS_SUCCESS;
    };
    switch (attribute) {
        case CUBLASLT_MATMUL_DESC_COMPUTE_TYPE: return take(desc->compute);
        case CUBLASLT_MATMUL_DESC_SCALE_TYPE: return take(desc->scale);
        case CUBLASLT_MATMUL_DESC_POINTER_MODE: return CUBLAS_STATUS_SUCCESS;
        case CUBLASLT_MATMUL_DESC_TRANSA: return take(desc->turn_a);
        case CUBLASLT_MATMUL_DESC_TRANSB: return take(desc->turn_b);
        case CUBLASLT_MATMUL_DESC_TRANSC: return take(desc->turn_c);
        case CUBLASLT_MATMUL_DESC_EPILOGUE: return take(desc->epilogue);
        case CUBLASLT_MATMUL_DESC_BIAS_POINTER: return take(desc->bias);
        case CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_POINTER: return take(desc->auxiliary);
        case CUBLASLT_MATMUL_DESC_EPILOGUE_AUX_LD: return take(desc->auxiliary_ld);
        case CUBLASLT_MATMUL_DESC_BIAS_DATA_TYPE: return take(desc->bias_type);
        default: return CUBLAS_STATUS_NOT_SUPPORTED;
    }
}
inline cublasStatus_t cublasLtMatrixLayoutInit(cublasLtMatrixLayout_t layout, cudaDataType_t type,
                                               std::uint64_t rows, std::uint64_t columns,
                                               std::int64_t ld) {
    *layout = {type, CUBLASLT_ORDER_COL, 1, rows, columns, ld, 0};
    return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* layout,
                                                 cudaDataType_t type, std::uint64_t rows,
                                                 std::uint64_t columns, std::int64_t ld) {
    *layout = new cublasLtMatrixLayoutOpaque_t;
    return cublasLtMatrixLayoutInit(*layout, type, rows, columns, ld);
}
inline cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t layout) {
    delete layout;
    return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t layout,
                                                       cublasLtMatrixLayoutAttribute_t attribute,
                                                       const void* value, std::size_t size) {
    auto take = [&](auto& place) {
        if (size != sizeof place) return CUBLAS_STATUS_INVALID_VALUE;
        std::memcpy(&place, value, sizeof place);
        return CUBLAS_STATUS_SUCCESS;
    };
    switch (attribute) {
        case CUBLASLT_MATRIX_LAYOUT_TYPE: return take(layout->type);
        case CUBLASLT_MATRIX_LAYOUT_ORDER: return take(layout->order);
        case CUBLASLT_MATRIX_LAYOUT_ROWS: return take(layout->rows);
        case CUBLASLT_MATRIX_LAYOUT_COLS: return take(layout->columns);
        case CUBLASLT_MATRIX_LAYOUT_LD: return take(layout->ld);
        case CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT: return take(layout->count);
        case CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET: return take(layout->step);
        default: return CUBLAS_STATUS_NOT_SUPPORTED;
    }
}
inline cublasStatus_t cublasLtMatmulPreferenceInit(cublasLtMatmulPreference_t preference) {
    *preference = {};
    return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* preference) {
    *preference = new cublasLtMatmulPreferenceOpaque_t();
    return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t preference) {
    delete preference;
    return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t,
                                                           cublasLtMatmulPreferenceAttributes_t,
                                                           const void*, std::size_t) {
    return CUBLAS_STATUS_SUCCESS;
}
inline cublasStatus_t cublasLtMatmulAlgoGetHeuristic(
    cublasLtHandle_t, cublasLtMatmulDesc_t, cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,
    cublasLtMatrixLayout_t, cublasLtMatrixLayout_t, cublasLtMatmulPreference_t, int requested,
    cublasLtMatmulHeuristicResult_t* results, int* found) {
    *found = requested > 0 ? 1 : 0;
    if (requested > 0) results[0] = {};
    return requested > 0 ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_INVALID_VALUE;
}

namespace port_cpu {
namespace blas {

// What stands behind a product: the bias of the row, then the function.
struct Epilogue {
    const cublasLtMatmulDescOpaque_t* desc;
    cudaDataType_t type;  // of the result
    template <class Sum> Sum operator()(Sum value, std::int64_t i, std::int64_t j) const {
        const int kind = desc->epilogue;
        if (kind & CUBLASLT_EPILOGUE_BIAS) {
            const cudaDataType_t own = desc->bias_type < 0 ? type : cudaDataType_t(desc->bias_type);
            with_type(own, [&](auto tag) {
                value += load<Sum>(static_cast<const decltype(tag)*>(desc->bias)[i]);
            });
        }
        if (kind & CUBLASLT_EPILOGUE_RELU) value = value > Sum(0) ? value : Sum(0);
        if (kind == CUBLASLT_EPILOGUE_GELU_AUX || kind == CUBLASLT_EPILOGUE_GELU_AUX_BIAS) {
            with_type(type, [&](auto tag) {
                store(static_cast<decltype(tag)*>(desc->auxiliary)[i + j * desc->auxiliary_ld],
                      value);
            });
        }
        if (kind == CUBLASLT_EPILOGUE_DGELU) {
            Sum x = 0;
            with_type(type, [&](auto tag) {
                x = load<Sum>(
                    static_cast<const decltype(tag)*>(desc->auxiliary)[i + j * desc->auxiliary_ld]);
            });
            const double cube = 0.044715 * double(x) * x * x;
            const double t = std::tanh(0.7978845608028654 * (x + cube));
            const double slope = 0.7978845608028654 * (1.0 + 3.0 * 0.044715 * double(x) * x);
            return Sum(value * (0.5 * (1.0 + t) + 0.5 * x * (1.0 - t * t) * slope));
        }
        if (kind & CUBLASLT_EPILOGUE_GELU) {
            const double x = double(value);
            value = Sum(0.5 * x *
                        (1.0 + std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x))));
        }
        return value;
    }
};

}  // namespace blas
}  // namespace port_cpu

inline cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t desc, const void* alpha,
                                     const void* a, cublasLtMatrixLayout_t layout_a, const void* b,
                                     cublasLtMatrixLayout_t layout_b, const void* beta,
                                     const void* c, cublasLtMatrixLayout_t layout_c, void* d,
                                     cublasLtMatrixLayout_t layout_d, const cublasLtMatmulAlgo_t*,
                                     void*, std::size_t, cudaStream_t) {
    using namespace port_cpu::blas;
    const bool by_columns = layout_a->order == CUBLASLT_ORDER_COL &&
                            layout_b->order == CUBLASLT_ORDER_COL &&
                            layout_c->order == CUBLASLT_ORDER_COL &&
                            layout_d->order == CUBLASLT_ORDER_COL;
    const bool known = desc->epilogue == CUBLASLT_EPILOGUE_DEFAULT ||
                       desc->epilogue < CUBLASLT_EPILOGUE_BGRADA;
    if (!by_columns || !known || desc->turn_c != CUBLAS_OP_N || layout_c->type != layout_d->type) {
        return CUBLAS_STATUS_NOT_SUPPORTED;
    }
    const std::int64_t m = std::int64_t(layout_d->rows), n = std::int64_t(layout_d->columns);
    const std::int64_t k =
        std::int64_t(desc->turn_a == CUBLAS_OP_N ? layout_a->columns : layout_a->rows);
    const double factor = scalar(alpha, desc->scale), keep = scalar(beta, desc->scale);
    auto at = [](const void* base, const cublasLtMatrixLayoutOpaque_t* layout, int i) {
        std::size_t size = 0;
        with_type(layout->type, [&](auto tag) { size = sizeof(tag); });
        return static_cast<const char*>(base) + i * layout->step * std::int64_t(size);
    };
    cublasStatus_t status = CUBLAS_STATUS_SUCCESS;
    for (int i = 0; i < layout_d->count && status == CUBLAS_STATUS_SUCCESS; ++i) {
        status = multiply_any(desc->turn_a != CUBLAS_OP_N, desc->turn_b != CUBLAS_OP_N, m, n, k,
                              factor, at(a, layout_a, i), layout_a->type, layout_a->ld,
                              at(b, layout_b, i), layout_b->type, layout_b->ld, keep,
                              at(c, layout_c, i), const_cast<char*>(at(d, layout_d, i)),
                              layout_d->type, layout_c->ld, layout_d->ld, desc->compute,
                              Epilogue{desc, layout_d->type});
    }
    return status;
}
