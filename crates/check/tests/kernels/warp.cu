// Warp operations, one construct a kernel; the expected values are computed by the test.
#include <cooperative_groups.h>
#include <cooperative_groups/reduce.h>
#include <cooperative_groups/scan.h>

namespace cg = cooperative_groups;

// out[kind][argument][lane] for arguments -2..37.
template <typename T>
__global__ void shuffles(T* out, const T* in, int width) {
  const int lane = threadIdx.x;
  const T value = in[lane];
  for (int i = 0; i < 40; ++i) {
    const int argument = i - 2;
    T* to = out + i * 32 + lane;
    to[0 * 40 * 32] = __shfl_sync(0xffffffffu, value, argument, width);
    to[1 * 40 * 32] = __shfl_up_sync(0xffffffffu, value, (unsigned)argument, width);
    to[2 * 40 * 32] = __shfl_down_sync(0xffffffffu, value, (unsigned)argument, width);
    to[3 * 40 * 32] = __shfl_xor_sync(0xffffffffu, value, argument, width);
  }
}

// Two groups of lanes in different branches, each with its own mask. out[operation][lane].
__global__ void votes(unsigned* out, const int* in) {
  const int lane = threadIdx.x;
  const int value = in[lane];
  unsigned results[12];
  int all = 0;
  if (lane % 3 == 0) {
    const unsigned mask = 0x49249249u;
    results[0] = __ballot_sync(mask, value & 1);
    results[1] = __any_sync(mask, value > 6);
    results[2] = __all_sync(mask, value >= 0);
    results[3] = __uni_sync(mask, value > 100);
    results[4] = __match_any_sync(mask, value);
    results[5] = __match_all_sync(mask, value, &all);
    results[6] = all;
  } else {
    const unsigned mask = ~0x49249249u;
    results[0] = __ballot_sync(mask, value & 1);
    results[1] = __any_sync(mask, value > 6);
    results[2] = __all_sync(mask, value >= 0);
    results[3] = __uni_sync(mask, value > 3);
    results[4] = __match_any_sync(mask, value);
    results[5] = __match_all_sync(mask, 7, &all);
    results[6] = all;
  }
  results[7] = __reduce_add_sync(0xffffffffu, (unsigned)value * 1000003u);
  results[8] = (unsigned)__reduce_min_sync(0xffffffffu, value - 5);
  results[9] = __reduce_max_sync(0xffffffffu, (unsigned)(value - 5));
  results[10] = __reduce_xor_sync(0xffffffffu, 1u << value);
  results[11] = __reduce_or_sync(0xffffffffu, 1u << value) & __reduce_and_sync(0xffffffffu, ~0u);
  for (int i = 0; i < 12; ++i) out[i * 32 + lane] = results[i];
}

// Who runs together in branches, loops of different lengths, and after them.
__global__ void active(unsigned* out) {
  const int lane = threadIdx.x;
  if (lane < 10) {
    out[lane] = __activemask();
  } else {
    out[lane] = __activemask();
  }
  unsigned sizes = 0;
  for (int i = 0; i < lane / 8; ++i) sizes = sizes * 64 + __popc(__activemask());
  out[32 + lane] = sizes;
  out[64 + lane] = __activemask();
  if (lane == 3) return;
  out[96 + lane] = __activemask();
}

// Lanes exchange through shared memory, each order of lanes with a barrier of the warp in between.
__global__ void exchange(int* out) {
  __shared__ int values[64];
  const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  values[threadIdx.x] = threadIdx.x * 3;
  __syncwarp();
  const int next = values[warp * 32 + (lane + 1) % 32];
  __syncwarp();
  values[threadIdx.x] = next;
  __syncwarp();
  out[threadIdx.x] = values[warp * 32 + (lane + 1) % 32];
}

// A tree over a warp that is not full: lanes beyond the block never existed.
__global__ void partial_warp(float* out, const float* in) {
  float value = in[threadIdx.x];
  const unsigned mask = __ballot_sync(0xffffffffu, 1);
  for (int offset = 16; offset > 0; offset /= 2) {
    const float other = __shfl_down_sync(0xffffffffu, value, offset);
    if (threadIdx.x + offset < blockDim.x) value += other;
  }
  if (threadIdx.x == 0) {
    out[0] = value;
    out[1] = (float)__popc(mask);
  }
}

__global__ void groups(float* out, const float* in) {
  cg::thread_block block = cg::this_thread_block();
  auto tile = cg::tiled_partition<8>(block);
  auto pair = cg::tiled_partition<2>(tile);
  const int i = block.thread_rank();
  float* to = out + i;
  to[0 * 64] = cg::reduce(tile, in[i], cg::plus<float>());
  to[1 * 64] = cg::reduce(tile, in[i], cg::greater<float>());
  to[2 * 64] = tile.shfl_down(in[i], 3);
  to[3 * 64] = tile.shfl(in[i], 5);
  to[4 * 64] = pair.shfl_xor(in[i], 1);
  to[5 * 64] = tile.meta_group_rank() * 100 + tile.thread_rank();
  to[6 * 64] = tile.ballot(in[i] > 0);
  to[7 * 64] = cg::inclusive_scan(tile, (float)tile.thread_rank());
  to[8 * 64] = cg::exclusive_scan(tile, (float)tile.thread_rank());
  float branch = -1;
  if (i % 4 == 1) {
    cg::coalesced_group active = cg::coalesced_threads();
    branch = active.size() * 1000 + active.thread_rank() * 10 + active.shfl((float)i, 1);
  }
  to[9 * 64] = branch;
  auto labelled = cg::labeled_partition(tile, i % 3);
  to[10 * 64] = labelled.size() * 10 + labelled.thread_rank();
  cg::sync(block);
  to[11 * 64] = cg::reduce(cg::tiled_partition<32>(block), (int)i, cg::plus<int>());
}

// A lock that lanes of one warp contend for, which needs lanes to progress independently.
__global__ void locked(int* counter, int* lock) {
  bool done = false;
  while (!done) {
    if (atomicCAS(lock, 0, 1) == 0) {
      *counter += threadIdx.x + 1;
      __threadfence();
      atomicExch(lock, 0);
      done = true;
    }
  }
}
