// Cooperative groups: tiles of every size, coalesced groups, partitions, reductions and scans.
#include <cuda_runtime.h>
#include <cooperative_groups.h>
#include <cooperative_groups/memcpy_async.h>
#include <cooperative_groups/reduce.h>
#include <cooperative_groups/scan.h>

namespace cg = cooperative_groups;

template <typename T>
__device__ unsigned long long bits_of(T value) {
  unsigned long long bits = 0;
  memcpy(&bits, &value, sizeof(T));
  return bits;
}

__device__ unsigned int scramble(unsigned int value) {
  value ^= value >> 16;
  value *= 0x7feb352du;
  value ^= value >> 15;
  return value * 0x846ca68bu;
}

struct digest {
  unsigned long long sum;
  __device__ void add(unsigned long long value) {
    sum = (sum ^ value) * 0x100000001b3ull + 0x9e3779b97f4a7c15ull;
  }
};

struct larger {
  template <typename T>
  __device__ T operator()(T a, T b) const {
    return a > b ? a : b;
  }
};

template <typename Tile>
__device__ void use_tile(Tile tile, unsigned int id, digest *d) {
  const unsigned int value = scramble(id);
  const float real = (float)(value % 1000) / 7.0f;
  d->add(tile.thread_rank());
  d->add(tile.size());
  d->add(bits_of(tile.shfl(value, 1)));
  d->add(bits_of(tile.shfl_up(real, 1)));
  d->add(bits_of(tile.shfl_down(real, 2)));
  d->add(bits_of(tile.shfl_xor((double)real, 1)));
  d->add(tile.any((int)(value % 5 == 0)));
  d->add(tile.all((int)(value % 5 != 0)));
  d->add(tile.ballot((int)(value & 4)));
  d->add(tile.match_any(value % 3));
  int all;
  d->add(tile.match_all(value % 2, all));
  d->add(all);
  d->add(bits_of(cg::reduce(tile, real, cg::plus<float>())));
  d->add(cg::reduce(tile, value, cg::plus<unsigned int>()));
  d->add(cg::reduce(tile, (int)value, cg::less<int>()));
  d->add(cg::reduce(tile, (int)value, cg::greater<int>()));
  d->add(cg::reduce(tile, value, cg::bit_xor<unsigned int>()));
  d->add(cg::reduce(tile, value, larger()));
  d->add(bits_of(cg::inclusive_scan(tile, real, cg::plus<float>())));
  d->add(cg::exclusive_scan(tile, value));
  tile.sync();
}

extern "C" __global__ void tiles(unsigned long long *out) {
  cg::thread_block block = cg::this_thread_block();
  const unsigned int id = blockIdx.x * block.size() + block.thread_rank();
  digest d = {id};
  d.add(block.group_index().x);
  d.add(block.thread_index().y);
  d.add(block.num_threads());
  auto tile32 = cg::tiled_partition<32>(block);
  use_tile(tile32, id, &d);
  d.add(tile32.meta_group_rank());
  d.add(tile32.meta_group_size());
  use_tile(cg::tiled_partition<16>(block), id, &d);
  use_tile(cg::tiled_partition<8>(tile32), id, &d);
  auto tile4 = cg::tiled_partition<4>(block);
  use_tile(tile4, id, &d);
  cg::thread_group group = cg::tiled_partition(block, 8);
  d.add(group.size());
  d.add(group.thread_rank());
  group.sync();
  block.sync();
  cg::sync(block);
  out[id] = d.sum;
}

extern "C" __global__ void coalesced(unsigned long long *out) {
  const unsigned int id = blockIdx.x * blockDim.x + threadIdx.x;
  digest d = {id};
  auto warp = cg::tiled_partition<32>(cg::this_thread_block());
  const unsigned int value = scramble(id);
  if (value % 3 != 0) {
    cg::coalesced_group active = cg::coalesced_threads();
    const float real = (float)(value % 100) / 3.0f;
    d.add(active.size());
    d.add(active.thread_rank());
    d.add(active.shfl(value, 0));
    d.add(active.shfl_up(value, 1));
    d.add(active.shfl_down(value, 2));
    d.add(active.any((int)(value & 1)));
    d.add(active.all((int)(value & 1)));
    d.add(active.ballot((int)(value & 1)));
    d.add(active.match_any(value % 2));
    d.add(bits_of(cg::reduce(active, real, cg::plus<float>())));
    d.add(cg::inclusive_scan(active, value));
    d.add(bits_of(cg::exclusive_scan(active, real, cg::plus<float>())));
    active.sync();
  }
  warp.sync();
  auto label = cg::labeled_partition(warp, value % 4);
  d.add(label.size());
  d.add(label.thread_rank());
  d.add(cg::reduce(label, value, cg::plus<unsigned int>()));
  auto part = cg::binary_partition(warp, value % 5 == 0);
  d.add(part.size());
  d.add(part.thread_rank());
  d.add(cg::reduce(part, (float)value, cg::plus<float>()) > 0);
  out[id] = d.sum;
}

extern "C" __global__ void copies(unsigned long long *out, const float *in) {
  __shared__ float staged[96];
  cg::thread_block block = cg::this_thread_block();
  cg::memcpy_async(block, staged, in + blockIdx.x * 96, sizeof(float) * 96);
  cg::wait(block);
  digest d = {block.thread_rank()};
  for (int i = 0; i < 96; ++i) d.add(bits_of(staged[i]));
  out[blockIdx.x * blockDim.x + threadIdx.x] = d.sum;
}
