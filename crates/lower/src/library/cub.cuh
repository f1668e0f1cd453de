// The block and warp primitives of CUB that kernels use most. A reduction's order of operations is
// that of CUB's default algorithm: within a warp by shuffles down, then over the warps in order.

namespace cub {

enum BlockReduceAlgorithm {
  BLOCK_REDUCE_RAKING_COMMUTATIVE_ONLY,
  BLOCK_REDUCE_RAKING,
  BLOCK_REDUCE_WARP_REDUCTIONS
};
enum BlockLoadAlgorithm {
  BLOCK_LOAD_DIRECT,
  BLOCK_LOAD_STRIPED,
  BLOCK_LOAD_VECTORIZE,
  BLOCK_LOAD_TRANSPOSE,
  BLOCK_LOAD_WARP_TRANSPOSE,
  BLOCK_LOAD_WARP_TRANSPOSE_TIMESLICED
};
enum BlockStoreAlgorithm {
  BLOCK_STORE_DIRECT,
  BLOCK_STORE_STRIPED,
  BLOCK_STORE_VECTORIZE,
  BLOCK_STORE_TRANSPOSE,
  BLOCK_STORE_WARP_TRANSPOSE,
  BLOCK_STORE_WARP_TRANSPOSE_TIMESLICED
};
enum BlockScanAlgorithm { BLOCK_SCAN_RAKING, BLOCK_SCAN_RAKING_MEMOIZE, BLOCK_SCAN_WARP_SCANS };

struct Sum {
  template <typename T>
  __host__ __device__ T operator()(const T &a, const T &b) const { return a + b; }
};
struct Max {
  template <typename T>
  __host__ __device__ T operator()(const T &a, const T &b) const { return (b > a) ? b : a; }
};
struct Min {
  template <typename T>
  __host__ __device__ T operator()(const T &a, const T &b) const { return (b < a) ? b : a; }
};

struct Equality {
  template <typename T>
  __host__ __device__ bool operator()(const T &a, const T &b) const { return a == b; }
};
struct Inequality {
  template <typename T>
  __host__ __device__ bool operator()(const T &a, const T &b) const { return !(a == b); }
};
template <typename K, typename V>
struct KeyValuePair {
  K key;
  V value;
  __host__ __device__ KeyValuePair() {}
  __host__ __device__ KeyValuePair(const K &k, const V &v) : key(k), value(v) {}
};
// Of equal values the one with the smaller key.
struct ArgMax {
  template <typename K, typename V>
  __host__ __device__ KeyValuePair<K, V> operator()(const KeyValuePair<K, V> &a,
                                                    const KeyValuePair<K, V> &b) const {
    return (b.value > a.value || (a.value == b.value && b.key < a.key)) ? b : a;
  }
};
struct ArgMin {
  template <typename K, typename V>
  __host__ __device__ KeyValuePair<K, V> operator()(const KeyValuePair<K, V> &a,
                                                    const KeyValuePair<K, V> &b) const {
    return (b.value < a.value || (a.value == b.value && b.key < a.key)) ? b : a;
  }
};

template <typename T, int Threads = 32>
struct WarpReduce {
  struct TempStorage { unsigned char unused; };
  __device__ WarpReduce(TempStorage &) {}
  template <typename Op> __device__ T Reduce(T v, Op op, int valid = Threads) {
    unsigned int lane = __port_lane() & (Threads - 1);
    for (int offset = 1; offset < Threads; offset *= 2) {
      T other = __port_shuffle_down(0xffffffffu, v, offset, Threads);
      if (lane + offset < (unsigned int)valid) v = op(v, other);
    }
    return v;
  }
  __device__ T Sum(T v) { return Reduce(v, cub::Sum()); }
  __device__ T Sum(T v, int valid) { return Reduce(v, cub::Sum(), valid); }
};

template <typename T, int BlockX, BlockReduceAlgorithm Algorithm = BLOCK_REDUCE_WARP_REDUCTIONS,
          int BlockY = 1, int BlockZ = 1>
struct BlockReduce {
  static constexpr int threads = BlockX * BlockY * BlockZ;
  static constexpr int warps = (threads + 31) / 32;
  struct TempStorage { T partial[warps]; };
  TempStorage *storage;
  __device__ BlockReduce(TempStorage &s) : storage(&s) {}
  __device__ static unsigned int rank() {
    return (threadIdx.z * BlockY + threadIdx.y) * BlockX + threadIdx.x;
  }
  template <typename Op> __device__ T Reduce(T v, Op op) { return Reduce(v, op, threads); }
  template <typename Op> __device__ T Reduce(T v, Op op, int valid) {
    unsigned int lane = rank() & 31u;
    unsigned int warp = rank() / 32u;
    int in_warp = valid - (int)(warp * 32u);
    for (int offset = 1; offset < 32; offset *= 2) {
      T other = __port_shuffle_down(0xffffffffu, v, offset);
      if ((int)lane + offset < in_warp && rank() + offset < (unsigned int)threads) v = op(v, other);
    }
    if (lane == 0) storage->partial[warp] = v;
    __syncthreads();
    if (rank() == 0) {
      for (int w = 1; w < warps; ++w) {
        if (w * 32 < valid) v = op(v, storage->partial[w]);
      }
    }
    return v;
  }
  template <int items, typename Op> __device__ T Reduce(T (&values)[items], Op op) {
    T total = values[0];
    for (int i = 1; i < items; ++i) total = op(total, values[i]);
    return Reduce(total, op, threads);
  }
  __device__ T Sum(T v) { return Reduce(v, cub::Sum(), threads); }
  __device__ T Sum(T v, int valid) { return Reduce(v, cub::Sum(), valid); }
  template <int items> __device__ T Sum(T (&values)[items]) { return Reduce(values, cub::Sum()); }
};

template <typename T, int Threads = 32>
struct WarpScan {
  struct TempStorage { unsigned char unused; };
  __device__ WarpScan(TempStorage &) {}
  template <typename Op> __device__ void InclusiveScan(T in, T &out, Op op) {
    unsigned int lane = __port_lane() & (Threads - 1);
    for (int offset = 1; offset < Threads; offset *= 2) {
      T other = __port_shuffle_up(0xffffffffu, in, offset, Threads);
      if (lane >= (unsigned int)offset) in = op(other, in);
    }
    out = in;
  }
  __device__ void InclusiveSum(T in, T &out) { InclusiveScan(in, out, cub::Sum()); }
  __device__ void InclusiveSum(T in, T &out, T &total) {
    InclusiveScan(in, out, cub::Sum());
    total = __port_shuffle(0xffffffffu, out, Threads - 1, Threads);
  }
  template <typename Op> __device__ void ExclusiveScan(T in, T &out, T first, Op op) {
    T inclusive;
    InclusiveScan(in, inclusive, op);
    T before = __port_shuffle_up(0xffffffffu, inclusive, 1, Threads);
    out = (__port_lane() & (Threads - 1)) == 0 ? first : op(first, before);
  }
  __device__ void ExclusiveSum(T in, T &out) {
    T inclusive;
    InclusiveScan(in, inclusive, cub::Sum());
    T before = __port_shuffle_up(0xffffffffu, inclusive, 1, Threads);
    out = (__port_lane() & (Threads - 1)) == 0 ? T() : before;
  }
};

template <typename T, int BlockX, BlockScanAlgorithm Algorithm = BLOCK_SCAN_RAKING, int BlockY = 1,
          int BlockZ = 1>
struct BlockScan {
  static constexpr int threads = BlockX * BlockY * BlockZ;
  static constexpr int warps = (threads + 31) / 32;
  struct TempStorage { T partial[warps]; T prefix; };
  TempStorage *storage;
  __device__ BlockScan(TempStorage &s) : storage(&s) {}
  __device__ static unsigned int rank() {
    return (threadIdx.z * BlockY + threadIdx.y) * BlockX + threadIdx.x;
  }
  // The scan within the warp; `before` is the reduction of the warps in front, if there are any.
  template <typename Op> __device__ T __port_scan(T v, Op op, T &before, T &total) {
    unsigned int lane = rank() & 31u;
    unsigned int warp = rank() / 32u;
    for (int offset = 1; offset < 32; offset *= 2) {
      T other = __port_shuffle_up(0xffffffffu, v, offset);
      if (lane >= (unsigned int)offset) v = op(other, v);
    }
    if (lane == 31u || rank() == (unsigned int)threads - 1u) storage->partial[warp] = v;
    __syncthreads();
    T sum = storage->partial[0];
    before = sum;
    for (int w = 1; w < warps; ++w) {
      if ((unsigned int)w == warp) before = sum;
      sum = op(sum, storage->partial[w]);
    }
    total = sum;
    return v;
  }
  template <typename Op> __device__ void InclusiveScan(T in, T &out, Op op, T &total) {
    T before;
    T own = __port_scan(in, op, before, total);
    out = rank() < 32u ? own : op(before, own);
  }
  template <typename Op> __device__ void InclusiveScan(T in, T &out, Op op) {
    T total;
    InclusiveScan(in, out, op, total);
  }
  __device__ void InclusiveSum(T in, T &out) { InclusiveScan(in, out, cub::Sum()); }
  __device__ void InclusiveSum(T in, T &out, T &total) { InclusiveScan(in, out, cub::Sum(), total); }
  template <typename Op> __device__ void ExclusiveScan(T in, T &out, T first, Op op, T &total) {
    T before;
    T own = __port_scan(in, op, before, total);
    T left = __port_shuffle_up(0xffffffffu, own, 1);
    bool leads = (rank() & 31u) == 0;
    if (rank() < 32u) out = leads ? first : op(first, left);
    else out = leads ? op(first, before) : op(first, op(before, left));
  }
  template <typename Op> __device__ void ExclusiveScan(T in, T &out, T first, Op op) {
    T total;
    ExclusiveScan(in, out, first, op, total);
  }
  __device__ void ExclusiveSum(T in, T &out) { ExclusiveScan(in, out, T(), cub::Sum()); }
  __device__ void ExclusiveSum(T in, T &out, T &total) {
    ExclusiveScan(in, out, T(), cub::Sum(), total);
  }

  // The reduction of all items of the threads in front; there is none in front of the first.
  template <typename Op> __device__ T __port_before(T own, Op op, T &total) {
    T before;
    T scanned = __port_scan(own, op, before, total);
    T left = __port_shuffle_up(0xffffffffu, scanned, 1);
    if (rank() < 32u) return left;
    return (rank() & 31u) == 0 ? before : op(before, left);
  }
  // What a callback of the first warp says comes before the block.
  template <typename Prefix> __device__ T __port_seed(Prefix &prefix, T total) {
    if (rank() < 32u) {
      T seed = prefix(total);
      if (rank() == 0) storage->prefix = seed;
    }
    __syncthreads();
    return storage->prefix;
  }
  template <int items, typename Op> __device__ T __port_own(T (&in)[items], Op op) {
    T own = in[0];
    for (int i = 1; i < items; ++i) own = op(own, in[i]);
    return own;
  }
  template <int items, typename Op>
  __device__ void InclusiveScan(T (&in)[items], T (&out)[items], Op op, T &total) {
    T running = __port_before(__port_own(in, op), op, total);
    for (int i = 0; i < items; ++i) {
      running = rank() == 0 && i == 0 ? in[0] : op(running, in[i]);
      out[i] = running;
    }
  }
  template <int items, typename Op>
  __device__ void InclusiveScan(T (&in)[items], T (&out)[items], Op op) {
    T total;
    InclusiveScan(in, out, op, total);
  }
  template <int items, typename Op, typename Prefix,
            typename = std::enable_if_t<!std::is_same<Prefix, T>::value>>
  __device__ void InclusiveScan(T (&in)[items], T (&out)[items], Op op, Prefix &prefix) {
    T total;
    T running = __port_before(__port_own(in, op), op, total);
    T seed = __port_seed(prefix, total);
    running = rank() == 0 ? seed : op(seed, running);
    for (int i = 0; i < items; ++i) {
      running = op(running, in[i]);
      out[i] = running;
    }
  }
  template <int items, typename Op>
  __device__ void ExclusiveScan(T (&in)[items], T (&out)[items], T first, Op op, T &total) {
    T running = __port_before(__port_own(in, op), op, total);
    running = rank() == 0 ? first : op(first, running);
    for (int i = 0; i < items; ++i) {
      T own = in[i];
      out[i] = running;
      running = op(running, own);
    }
  }
  template <int items, typename Op>
  __device__ void ExclusiveScan(T (&in)[items], T (&out)[items], T first, Op op) {
    T total;
    ExclusiveScan(in, out, first, op, total);
  }
  template <int items> __device__ void InclusiveSum(T (&in)[items], T (&out)[items]) {
    InclusiveScan(in, out, cub::Sum());
  }
  template <int items> __device__ void InclusiveSum(T (&in)[items], T (&out)[items], T &total) {
    InclusiveScan(in, out, cub::Sum(), total);
  }
  template <int items> __device__ void ExclusiveSum(T (&in)[items], T (&out)[items]) {
    ExclusiveScan(in, out, T(), cub::Sum());
  }
  template <int items> __device__ void ExclusiveSum(T (&in)[items], T (&out)[items], T &total) {
    ExclusiveScan(in, out, T(), cub::Sum(), total);
  }
};

// Where a thread's item lies. Items of a thread lie together, however the library moves them, but for
// a striped arrangement.
template <int threads, int items, bool striped, int y, int x> __device__ int __port_place(int i) {
  int thread = (int)((threadIdx.z * y + threadIdx.y) * x + threadIdx.x);
  return striped ? i * threads + thread : thread * items + i;
}

template <typename T, int x, int items, BlockLoadAlgorithm algorithm = BLOCK_LOAD_DIRECT, int y = 1,
          int z = 1>
struct BlockLoad {
  struct TempStorage { unsigned char unused; };
  __device__ BlockLoad() {}
  __device__ BlockLoad(TempStorage &) {}
  __device__ static int __port_item(int i) {
    return __port_place<x * y * z, items, algorithm == BLOCK_LOAD_STRIPED, y, x>(i);
  }
  template <typename From> __device__ void Load(From from, T (&to)[items]) {
    for (int i = 0; i < items; ++i) to[i] = from[__port_item(i)];
  }
  template <typename From> __device__ void Load(From from, T (&to)[items], int valid) {
    for (int i = 0; i < items; ++i) {
      if (__port_item(i) < valid) to[i] = from[__port_item(i)];
    }
  }
  template <typename From, typename V>
  __device__ void Load(From from, T (&to)[items], int valid, V otherwise) {
    for (int i = 0; i < items; ++i) {
      if (__port_item(i) < valid) to[i] = from[__port_item(i)];
      else to[i] = T(otherwise);
    }
  }
};
template <typename T, int x, int items, BlockStoreAlgorithm algorithm = BLOCK_STORE_DIRECT,
          int y = 1, int z = 1>
struct BlockStore {
  struct TempStorage { unsigned char unused; };
  __device__ BlockStore() {}
  __device__ BlockStore(TempStorage &) {}
  __device__ static int __port_item(int i) {
    return __port_place<x * y * z, items, algorithm == BLOCK_STORE_STRIPED, y, x>(i);
  }
  template <typename To> __device__ void Store(To to, T (&from)[items]) {
    for (int i = 0; i < items; ++i) to[__port_item(i)] = from[i];
  }
  template <typename To> __device__ void Store(To to, T (&from)[items], int valid) {
    for (int i = 0; i < items; ++i) {
      if (__port_item(i) < valid) to[__port_item(i)] = from[i];
    }
  }
};

// Items of all threads, by the thread that holds them or by their number.
template <typename T, int x, int items, bool sliced = false, int y = 1, int z = 1>
struct BlockExchange {
  struct TempStorage { T values[x * y * z * items]; };
  TempStorage *storage;
  __device__ BlockExchange(TempStorage &s) : storage(&s) {}
  template <typename U> __device__ void StripedToBlocked(const T (&in)[items], U (&out)[items]) {
    for (int i = 0; i < items; ++i) {
      storage->values[__port_place<x * y * z, items, true, y, x>(i)] = in[i];
    }
    __syncthreads();
    for (int i = 0; i < items; ++i) {
      out[i] = storage->values[__port_place<x * y * z, items, false, y, x>(i)];
    }
  }
  template <typename U> __device__ void BlockedToStriped(const T (&in)[items], U (&out)[items]) {
    for (int i = 0; i < items; ++i) {
      storage->values[__port_place<x * y * z, items, false, y, x>(i)] = in[i];
    }
    __syncthreads();
    for (int i = 0; i < items; ++i) {
      out[i] = storage->values[__port_place<x * y * z, items, true, y, x>(i)];
    }
  }
};

}  // namespace cub
