// Four-bit weights in blocks of 32 with one half-precision scale, back to floating point:
//
//   x = d * (q - 8),  q in [0, 15]
//
// The low nibbles of a block's 16 bytes are its first 16 values, the high nibbles the other 16. A
// block has 18 bytes, so it starts on an even address and no better.

#include <stdint.h>

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#define QK4_0 32
#define WARP_SIZE 32
#define CUDA_DEQUANTIZE_BLOCK_SIZE 256
#define BLOCKS_PER_WARP (WARP_SIZE / 4)

typedef struct {
  half d;
  uint8_t qs[QK4_0 / 2];
} block_q4_0;
static_assert(sizeof(block_q4_0) == sizeof(half) + QK4_0 / 2, "no padding in block_q4_0");

typedef float dfloat;
typedef float2 dfloat2;

// Unpacks the pair of values that byte `iqs` of block `ib` holds.
typedef void (*dequantize_pair_t)(const void* vx, const int64_t ib, const int iqs, dfloat2& v);

static __device__ __forceinline__ void dequantize_q4_0(const void* vx, const int64_t ib,
                                                       const int iqs, dfloat2& v) {
  const block_q4_0* x = (const block_q4_0*)vx;
  const dfloat d = __half2float(x[ib].d);
  const int vui = x[ib].qs[iqs];

  v.x = vui & 0xF;
  v.y = vui >> 4;

  v.x = (v.x - 8.0f) * d;
  v.y = (v.y - 8.0f) * d;
}

template <typename dst_t>
static __device__ __forceinline__ dst_t convert_to(float x) {
  return x;
}
template <>
__device__ __forceinline__ half convert_to<half>(float x) {
  return __float2half(x);
}
template <>
__device__ __forceinline__ __nv_bfloat16 convert_to<__nv_bfloat16>(float x) {
  return __float2bfloat16(x);
}

// One thread a byte, of `nbytes` quantised bytes.
template <int qk, dequantize_pair_t dequantize_pair, typename dst_t>
static __global__ void dequantize_block(const void* __restrict__ vx, dst_t* __restrict__ y,
                                        const int64_t nbytes) {
  const int64_t i = (int64_t)blockDim.x * blockIdx.x + threadIdx.x;
  if (i >= nbytes) {
    return;
  }

  constexpr int half_block = qk / 2;
  const int64_t ib = i / half_block;
  const int iqs = i % half_block;

  dfloat2 v;
  dequantize_pair(vx, ib, iqs, v);

  dst_t* yb = y + ib * qk + iqs;
  yb[0] = convert_to<dst_t>(v.x);
  yb[half_block] = convert_to<dst_t>(v.y);
}

// Two 16-bit loads: the bytes of a block are only aligned to two.
static __device__ __forceinline__ uint32_t get_word_aligned2(const uint8_t* qs, const int word) {
  const uint16_t* x16 = (const uint16_t*)(qs + sizeof(uint32_t) * word);
  uint32_t x32 = 0;
  x32 |= (uint32_t)x16[0] << 0;
  x32 |= (uint32_t)x16[1] << 16;
  return x32;
}

// The nibbles at bits 0-3 and 16-19 as two halves, less 8. 0x6400 is 1024 in half precision, where
// neighbouring numbers are one apart: or-ing a nibble into it adds the nibble.
static __device__ __forceinline__ half2 nibbles_minus_8(const uint32_t word) {
  const uint32_t biased = (word & 0x000F000Fu) | 0x64006400u;
  const uint32_t bias = 0x64086408u;  // 1032
  return __hsub2(*reinterpret_cast<const half2*>(&biased),
                 *reinterpret_cast<const half2*>(&bias));
}

// Eight blocks a warp, four lanes a block: each lane turns four bytes into two groups of four
// halves, in half arithmetic, and stores each group at once. blockDim.x is a multiple of WARP_SIZE.
static __global__ void __launch_bounds__(CUDA_DEQUANTIZE_BLOCK_SIZE)
dequantize_q4_0_f16_packed(const block_q4_0* __restrict__ x, half* __restrict__ y,
                           const int nblocks) {
  const int warps_per_block = blockDim.x / WARP_SIZE;
  const int lane = threadIdx.x % WARP_SIZE;
  const int warp = blockIdx.x * warps_per_block + threadIdx.x / WARP_SIZE;
  const int ib = warp * BLOCKS_PER_WARP + lane / 4;
  const int word = lane % 4;

  if (ib >= nblocks) {
    return;
  }

  const uint32_t q = get_word_aligned2(x[ib].qs, word);
  const half2 d = __half2half2(x[ib].d);

  uint2 packed[2];
#pragma unroll
  for (int part = 0; part < 2; ++part) {
    // Bytes 0 and 2, then bytes 1 and 3.
    const half2 even = __hmul2(nibbles_minus_8(q >> (4 * part)), d);
    const half2 odd = __hmul2(nibbles_minus_8(q >> (4 * part + 8)), d);
    half2* out = reinterpret_cast<half2*>(&packed[part]);
    out[0] = __lows2half2(even, odd);
    out[1] = __highs2half2(even, odd);
  }

  half* yb = y + (int64_t)ib * QK4_0 + 4 * word;
  *(uint2*)(yb) = packed[0];
  *(uint2*)(yb + QK4_0 / 2) = packed[1];
}

// Rows of a quantised table: dst[i] = dequantize(table[rows[i]]). Strides in bytes (table) and in
// elements (dst); a negative index gives a row of zeros.
template <int qk, dequantize_pair_t dequantize_pair, typename dst_t>
static __global__ void k_get_rows(const void* __restrict__ table, const int32_t* __restrict__ rows,
                                  dst_t* __restrict__ dst, const int64_t ncols, const size_t nb1,
                                  const size_t s1) {
  const int i0 = 2 * (blockIdx.x * blockDim.x + threadIdx.x);
  const int i1 = blockIdx.y;

  if (i0 >= ncols) {
    return;
  }

  dst_t* dst_row = dst + i1 * s1;
  const int ib = i0 / qk;           // block in the row
  const int iqs = (i0 % qk) / 2;    // byte in the block
  const int iy = i0 - i0 % qk;      // first value of the block

  const int r = rows[i1];
  dfloat2 v = make_float2(0.0f, 0.0f);
  if (r >= 0) {
    const void* row = (const char*)table + r * nb1;
    dequantize_pair(row, ib, iqs, v);
  }

  dst_row[iy + iqs] = convert_to<dst_t>(v.x);
  dst_row[iy + iqs + qk / 2] = convert_to<dst_t>(v.y);
}

template <int qk, dequantize_pair_t dequantize_pair, typename dst_t>
static void dequantize_block_cuda(const void* vx, dst_t* y, const int64_t k, cudaStream_t stream) {
  const int64_t nbytes = k / 2;
  const int num_blocks =
      (int)((nbytes + CUDA_DEQUANTIZE_BLOCK_SIZE - 1) / CUDA_DEQUANTIZE_BLOCK_SIZE);
  dequantize_block<qk, dequantize_pair>
      <<<num_blocks, CUDA_DEQUANTIZE_BLOCK_SIZE, 0, stream>>>(vx, y, nbytes);
}

// `k` is a multiple of QK4_0.
void dequantize_row_q4_0_f32(const void* vx, float* y, const int64_t k, cudaStream_t stream) {
  if (k == 0) return;
  dequantize_block_cuda<QK4_0, dequantize_q4_0>(vx, y, k, stream);
}

void dequantize_row_q4_0_bf16(const void* vx, __nv_bfloat16* y, const int64_t k,
                              cudaStream_t stream) {
  if (k == 0) return;
  dequantize_block_cuda<QK4_0, dequantize_q4_0>(vx, y, k, stream);
}

void dequantize_row_q4_0_f16(const void* vx, half* y, const int64_t k, cudaStream_t stream) {
  if (k == 0) return;
  // Groups of four halves need 8-byte alignment.
  if ((uintptr_t)y % sizeof(uint2) != 0) {
    dequantize_block_cuda<QK4_0, dequantize_q4_0>(vx, y, k, stream);
    return;
  }
  const int nblocks = (int)(k / QK4_0);
  const int blocks_per_cta = CUDA_DEQUANTIZE_BLOCK_SIZE / WARP_SIZE * BLOCKS_PER_WARP;
  const dim3 grid((nblocks + blocks_per_cta - 1) / blocks_per_cta, 1, 1);
  dequantize_q4_0_f16_packed<<<grid, CUDA_DEQUANTIZE_BLOCK_SIZE, 0, stream>>>(
      (const block_q4_0*)vx, y, nblocks);
}

template <typename dst_t>
static void get_rows_q4_0_cuda(const void* table, const int32_t* rows, dst_t* dst,
                               const int64_t ncols, const int64_t nrows, cudaStream_t stream) {
  if (ncols == 0 || nrows == 0) return;
  const dim3 block_dims(CUDA_DEQUANTIZE_BLOCK_SIZE, 1, 1);
  const int block_num_x = (int)((ncols / 2 + block_dims.x - 1) / block_dims.x);
  const dim3 block_nums(block_num_x, (unsigned)nrows, 1);
  const size_t nb1 = ncols / QK4_0 * sizeof(block_q4_0);
  k_get_rows<QK4_0, dequantize_q4_0><<<block_nums, block_dims, 0, stream>>>(table, rows, dst,
                                                                           ncols, nb1, ncols);
}

void get_rows_q4_0_f32(const void* table, const int32_t* rows, float* dst, const int64_t ncols,
                       const int64_t nrows, cudaStream_t stream) {
  get_rows_q4_0_cuda(table, rows, dst, ncols, nrows, stream);
}
