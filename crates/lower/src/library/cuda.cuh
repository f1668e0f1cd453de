// Barriers, pipelines and atomics of libcu++, in terms of the block's barrier and CUDA's atomic
// functions. An asynchronous copy is done at once, which is one of the times that it may take.

namespace cuda {

enum thread_scope { thread_scope_system, thread_scope_device, thread_scope_block, thread_scope_thread };

template <unsigned long N> struct aligned_size_t {
  unsigned long value;
  __host__ __device__ explicit aligned_size_t(unsigned long n) : value(n) {}
  __host__ __device__ operator unsigned long() const { return value; }
};

template <typename T>
__device__ void __port_copy(T *to, const T *from, unsigned long bytes, unsigned long rank,
                            unsigned long size) {
  unsigned long count = bytes / sizeof(T);
  for (unsigned long i = rank; i < count; i += size) to[i] = from[i];
  for (unsigned long i = count * sizeof(T) + rank; i < bytes; i += size) {
    ((char *)to)[i] = ((const char *)from)[i];
  }
}
__device__ inline void __port_copy(void *to, const void *from, unsigned long bytes,
                                   unsigned long rank, unsigned long size) {
  for (unsigned long i = rank; i < bytes; i += size) ((char *)to)[i] = ((const char *)from)[i];
}

// Of all threads of a block: whoever waits for fewer would wait for ever, so that stops.
template <thread_scope Scope> struct barrier;
template <> struct barrier<thread_scope_block> {
  unsigned long long expected;
  using arrival_token = unsigned long long;
  __device__ arrival_token arrive() { return expected; }
  __device__ void wait(arrival_token) { __syncthreads(); }
  __device__ void arrive_and_wait() { __syncthreads(); }
};
__device__ inline void __port_expect_block(unsigned long long count) {
  if (count != (unsigned long long)blockDim.x * blockDim.y * blockDim.z) __trap();
}
__device__ inline void init(barrier<thread_scope_block> *b, unsigned long long count) {
  __port_expect_block(count);
  b->expected = count;
}

template <thread_scope Scope, unsigned char Stages> struct pipeline_shared_state {
  unsigned char stages[Stages];
};

template <thread_scope Scope> struct pipeline {
  __device__ void producer_acquire() { if (Scope != thread_scope_thread) __syncthreads(); }
  __device__ void producer_commit() {}
  __device__ void consumer_wait() { if (Scope != thread_scope_thread) __syncthreads(); }
  __device__ void consumer_release() {}
  __device__ bool quit() { return true; }
};
__device__ inline pipeline<thread_scope_thread> make_pipeline() {
  return pipeline<thread_scope_thread>();
}
// With one role for all threads of the group, which must be the block.
template <typename Group, thread_scope Scope, unsigned char Stages>
__device__ pipeline<Scope> make_pipeline(const Group &group,
                                         pipeline_shared_state<Scope, Stages> *) {
  __port_expect_block(group.size());
  return pipeline<Scope>();
}
template <unsigned char Prior, thread_scope Scope>
__device__ void pipeline_consumer_wait_prior(pipeline<Scope> &p) { p.consumer_wait(); }

template <typename T, typename Size, thread_scope Scope>
__device__ void memcpy_async(T *to, const T *from, Size bytes, pipeline<Scope> &) {
  __port_copy(to, from, (unsigned long)bytes, 0ul, 1ul);
}
template <typename Group, typename T, typename Size, thread_scope Scope>
__device__ void memcpy_async(const Group &group, T *to, const T *from, Size bytes,
                             pipeline<Scope> &) {
  __port_copy(to, from, (unsigned long)bytes, group.thread_rank(), group.size());
}
template <typename T, typename Size>
__device__ void memcpy_async(T *to, const T *from, Size bytes, barrier<thread_scope_block> &) {
  __port_copy(to, from, (unsigned long)bytes, 0ul, 1ul);
}
template <typename Group, typename T, typename Size>
__device__ void memcpy_async(const Group &group, T *to, const T *from, Size bytes,
                             barrier<thread_scope_block> &) {
  __port_copy(to, from, (unsigned long)bytes, group.thread_rank(), group.size());
}

enum memory_order {
  memory_order_relaxed,
  memory_order_consume,
  memory_order_acquire,
  memory_order_release,
  memory_order_acq_rel,
  memory_order_seq_cst
};
__device__ inline void __port_before(memory_order order) {
  if (order >= memory_order_release) __threadfence();
}
__device__ inline void __port_after(memory_order order) {
  if (order != memory_order_relaxed && order != memory_order_release) __threadfence();
}

// What both forms of an atomic object do, to the value at `p`.
#define PORT_ATOMIC_MEMBERS                                                                       \
  __device__ T load(memory_order order = memory_order_seq_cst) const {                            \
    T v = *(const volatile T *)__port_at();                                                       \
    __port_after(order);                                                                          \
    return v;                                                                                     \
  }                                                                                               \
  __device__ void store(T v, memory_order order = memory_order_seq_cst) {                         \
    __port_before(order);                                                                         \
    *(volatile T *)__port_at() = v;                                                               \
  }                                                                                               \
  __device__ operator T() const { return load(); }                                                \
  __device__ T operator=(T v) { store(v); return v; }                                             \
  PORT_ATOMIC(fetch_add, atomicAdd)                                                               \
  PORT_ATOMIC(fetch_min, atomicMin)                                                               \
  PORT_ATOMIC(fetch_max, atomicMax)                                                               \
  PORT_ATOMIC(fetch_and, atomicAnd)                                                               \
  PORT_ATOMIC(fetch_or, atomicOr)                                                                 \
  PORT_ATOMIC(fetch_xor, atomicXor)                                                               \
  PORT_ATOMIC(exchange, atomicExch)                                                               \
  __device__ T fetch_sub(T v, memory_order order = memory_order_seq_cst) {                        \
    return fetch_add((T)(0 - v), order);                                                          \
  }                                                                                               \
  __device__ bool compare_exchange_strong(T &expected, T desired,                                 \
                                          memory_order order = memory_order_seq_cst,              \
                                          memory_order = memory_order_seq_cst) {                  \
    __port_before(order);                                                                         \
    T old = atomicCAS(__port_at(), expected, desired);                                            \
    __port_after(order);                                                                          \
    bool same = old == expected;                                                                  \
    expected = old;                                                                               \
    return same;                                                                                  \
  }                                                                                               \
  __device__ bool compare_exchange_weak(T &expected, T desired,                                   \
                                        memory_order order = memory_order_seq_cst,                \
                                        memory_order other = memory_order_seq_cst) {              \
    return compare_exchange_strong(expected, desired, order, other);                              \
  }                                                                                               \
  __device__ T operator++() { return fetch_add((T)1) + (T)1; }                                    \
  __device__ T operator++(int) { return fetch_add((T)1); }                                        \
  __device__ T operator--() { return fetch_sub((T)1) - (T)1; }                                    \
  __device__ T operator--(int) { return fetch_sub((T)1); }                                        \
  __device__ T operator+=(T v) { return fetch_add(v) + v; }                                       \
  __device__ T operator-=(T v) { return fetch_sub(v) - v; }
#define PORT_ATOMIC(NAME, FUNCTION)                                          \
  __device__ T NAME(T v, memory_order order = memory_order_seq_cst) {        \
    __port_before(order);                                                    \
    T old = FUNCTION(__port_at(), v);                                        \
    __port_after(order);                                                     \
    return old;                                                              \
  }

template <typename T, thread_scope Scope = thread_scope_system> struct atomic {
  T value;
  __host__ __device__ atomic() {}
  __host__ __device__ atomic(T v) : value(v) {}
  __device__ T *__port_at() const { return (T *)&value; }
  PORT_ATOMIC_MEMBERS
};
template <typename T, thread_scope Scope = thread_scope_system> struct atomic_ref {
  T *at;
  __host__ __device__ explicit atomic_ref(T &v) : at(&v) {}
  __device__ T *__port_at() const { return at; }
  PORT_ATOMIC_MEMBERS
};
__device__ inline void atomic_thread_fence(memory_order, thread_scope = thread_scope_system) {
  __threadfence();
}

}  // namespace cuda
