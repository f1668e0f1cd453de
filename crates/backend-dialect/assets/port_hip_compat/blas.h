//@ section blas-types
//@ provides hipblasComputeType_t HIPBLAS_COMPUTE_16F HIPBLAS_COMPUTE_32F HIPBLAS_COMPUTE_64F
//@ provides HIPBLAS_COMPUTE_32I hipblasMath_t HIPBLAS_DEFAULT_MATH hipblasSetMathMode
//@ needs base
// hipBLAS of ROCm 5 has one enumeration for the types of data and of computation, and no math modes.
#if __has_include(<hipblas/hipblas.h>)
#ifndef HIPBLAS_V2
#define HIPBLAS_V2
#endif
#ifndef HIPBLAS_USE_HIP_HALF
#define HIPBLAS_USE_HIP_HALF
#endif
#include <hipblas/hipblas.h>
#if HIP_VERSION_MAJOR < 6
typedef enum {
  HIPBLAS_COMPUTE_16F = 0,
  HIPBLAS_COMPUTE_32F = 2,
  HIPBLAS_COMPUTE_64F = 7,
  HIPBLAS_COMPUTE_32I = 9
} hipblasComputeType_t;
typedef enum { HIPBLAS_DEFAULT_MATH } hipblasMath_t;
inline hipblasStatus_t hipblasSetMathMode(hipblasHandle_t, hipblasMath_t) {
  return HIPBLAS_STATUS_SUCCESS;
}
inline hipblasDatatype_t port_blas_type(hipDataType type) {
  // By number: ROCm 5.2 has names for the first few alone.
  switch ((int)type) {
    case 0: return HIPBLAS_R_32F;
    case 1: return HIPBLAS_R_64F;
    case 2: return HIPBLAS_R_16F;
    case 3: return HIPBLAS_R_8I;
    case 4: return HIPBLAS_C_32F;
    case 5: return HIPBLAS_C_64F;
    case 6: return HIPBLAS_C_16F;
    case 8: return HIPBLAS_R_8U;
    case 10: return HIPBLAS_R_32I;
    case 14: return HIPBLAS_R_16B;
    default: return (hipblasDatatype_t)0;
  }
}
// Complex products are computed in the complex type, as the data say.
inline hipblasDatatype_t port_blas_type(hipblasComputeType_t type, hipDataType data) {
  const bool is_complex = data == HIP_C_32F || data == HIP_C_64F;
  switch (type) {
    case HIPBLAS_COMPUTE_16F: return HIPBLAS_R_16F;
    case HIPBLAS_COMPUTE_32F: return is_complex ? HIPBLAS_C_32F : HIPBLAS_R_32F;
    case HIPBLAS_COMPUTE_64F: return is_complex ? HIPBLAS_C_64F : HIPBLAS_R_64F;
    default: return HIPBLAS_R_32I;
  }
}
#endif
// cuBLAS takes a type of data for the type of computation as well.
inline hipblasComputeType_t port_blas_compute(hipDataType type) {
  switch (type) {
    case HIP_R_16F: return HIPBLAS_COMPUTE_16F;
    case HIP_R_64F:
    case HIP_C_64F: return HIPBLAS_COMPUTE_64F;
    default: return (int)type == 10 ? HIPBLAS_COMPUTE_32I : HIPBLAS_COMPUTE_32F;
  }
}
#endif

//@ section hipblasGemmEx
//@ provides hipblasGemmEx
#if __has_include(<hipblas/hipblas.h>)
#if HIP_VERSION_MAJOR < 6
inline hipblasStatus_t hipblasGemmEx(hipblasHandle_t handle, hipblasOperation_t a_operation,
                                     hipblasOperation_t b_operation, int m, int n, int k,
                                     const void *alpha, const void *a, hipDataType a_type, int lda,
                                     const void *b, hipDataType b_type, int ldb, const void *beta,
                                     void *c, hipDataType c_type, int ldc,
                                     hipblasComputeType_t compute, hipblasGemmAlgo_t algorithm) {
  return hipblasGemmEx(handle, a_operation, b_operation, m, n, k, alpha, const_cast<void *>(a),
                       port_blas_type(a_type), lda, const_cast<void *>(b), port_blas_type(b_type),
                       ldb, beta, c, port_blas_type(c_type), ldc, port_blas_type(compute, a_type),
                       algorithm);
}
#endif
inline hipblasStatus_t hipblasGemmEx(hipblasHandle_t handle, hipblasOperation_t a_operation,
                                     hipblasOperation_t b_operation, int m, int n, int k,
                                     const void *alpha, const void *a, hipDataType a_type, int lda,
                                     const void *b, hipDataType b_type, int ldb, const void *beta,
                                     void *c, hipDataType c_type, int ldc, hipDataType compute,
                                     hipblasGemmAlgo_t algorithm) {
  return hipblasGemmEx(handle, a_operation, b_operation, m, n, k, alpha, a, a_type, lda, b, b_type,
                       ldb, beta, c, c_type, ldc, port_blas_compute(compute), algorithm);
}
#endif

//@ section hipblasGemmBatchedEx
//@ provides hipblasGemmBatchedEx
#if __has_include(<hipblas/hipblas.h>)
#if HIP_VERSION_MAJOR < 6
inline hipblasStatus_t hipblasGemmBatchedEx(
    hipblasHandle_t handle, hipblasOperation_t a_operation, hipblasOperation_t b_operation, int m,
    int n, int k, const void *alpha, const void *const a[], hipDataType a_type, int lda,
    const void *const b[], hipDataType b_type, int ldb, const void *beta, void *const c[],
    hipDataType c_type, int ldc, int count, hipblasComputeType_t compute,
    hipblasGemmAlgo_t algorithm) {
  return hipblasGemmBatchedEx(handle, a_operation, b_operation, m, n, k, alpha,
                              const_cast<const void **>(a), port_blas_type(a_type), lda,
                              const_cast<const void **>(b), port_blas_type(b_type), ldb, beta,
                              const_cast<void **>(c), port_blas_type(c_type), ldc, count,
                              port_blas_type(compute, a_type), algorithm);
}
#else
// cuBLAS takes arrays of constant pointers.
inline hipblasStatus_t hipblasGemmBatchedEx(
    hipblasHandle_t handle, hipblasOperation_t a_operation, hipblasOperation_t b_operation, int m,
    int n, int k, const void *alpha, const void *const a[], hipDataType a_type, int lda,
    const void *const b[], hipDataType b_type, int ldb, const void *beta, void *const c[],
    hipDataType c_type, int ldc, int count, hipblasComputeType_t compute,
    hipblasGemmAlgo_t algorithm) {
  return hipblasGemmBatchedEx(handle, a_operation, b_operation, m, n, k, alpha,
                              const_cast<const void **>(a), a_type, lda,
                              const_cast<const void **>(b), b_type, ldb, beta,
                              const_cast<void **>(c), c_type, ldc, count, compute, algorithm);
}
#endif
inline hipblasStatus_t hipblasGemmBatchedEx(
    hipblasHandle_t handle, hipblasOperation_t a_operation, hipblasOperation_t b_operation, int m,
    int n, int k, const void *alpha, const void *const a[], hipDataType a_type, int lda,
    const void *const b[], hipDataType b_type, int ldb, const void *beta, void *const c[],
    hipDataType c_type, int ldc, int count, hipDataType compute, hipblasGemmAlgo_t algorithm) {
  return hipblasGemmBatchedEx(handle, a_operation, b_operation, m, n, k, alpha, a, a_type, lda, b,
                              b_type, ldb, beta, c, c_type, ldc, count, port_blas_compute(compute),
                              algorithm);
}
#endif

//@ section hipblasGemmStridedBatchedEx
//@ provides hipblasGemmStridedBatchedEx
#if __has_include(<hipblas/hipblas.h>)
#if HIP_VERSION_MAJOR < 6
inline hipblasStatus_t hipblasGemmStridedBatchedEx(
    hipblasHandle_t handle, hipblasOperation_t a_operation, hipblasOperation_t b_operation, int m,
    int n, int k, const void *alpha, const void *a, hipDataType a_type, int lda, long long a_stride,
    const void *b, hipDataType b_type, int ldb, long long b_stride, const void *beta, void *c,
    hipDataType c_type, int ldc, long long c_stride, int count, hipblasComputeType_t compute,
    hipblasGemmAlgo_t algorithm) {
  return hipblasGemmStridedBatchedEx(
      handle, a_operation, b_operation, m, n, k, alpha, const_cast<void *>(a),
      port_blas_type(a_type), lda, a_stride, const_cast<void *>(b), port_blas_type(b_type), ldb,
      b_stride, beta, c, port_blas_type(c_type), ldc, c_stride, count,
      port_blas_type(compute, a_type), algorithm);
}
#endif
inline hipblasStatus_t hipblasGemmStridedBatchedEx(
    hipblasHandle_t handle, hipblasOperation_t a_operation, hipblasOperation_t b_operation, int m,
    int n, int k, const void *alpha, const void *a, hipDataType a_type, int lda, long long a_stride,
    const void *b, hipDataType b_type, int ldb, long long b_stride, const void *beta, void *c,
    hipDataType c_type, int ldc, long long c_stride, int count, hipDataType compute,
    hipblasGemmAlgo_t algorithm) {
  return hipblasGemmStridedBatchedEx(handle, a_operation, b_operation, m, n, k, alpha, a, a_type,
                                     lda, a_stride, b, b_type, ldb, b_stride, beta, c, c_type, ldc,
                                     c_stride, count, port_blas_compute(compute), algorithm);
}
#endif
