//@ section ptx-register
// What a register of PTX holds of a value: numbers are converted, other values keep their bits.
template <typename T>
struct port_ptx_is_float {
  static constexpr bool value = false;
};
template <>
struct port_ptx_is_float<float> {
  static constexpr bool value = true;
};
template <>
struct port_ptx_is_float<double> {
  static constexpr bool value = true;
};
template <bool bits>
struct port_ptx_move {
  template <typename To, typename From>
  PORT_DEVICE static To as(From value) {
    return (To)value;
  }
};
template <>
struct port_ptx_move<true> {
  template <typename To, typename From>
  PORT_DEVICE static To as(From value) {
    return port_bits_to<To>(value);
  }
};
template <typename To, typename From>
PORT_DEVICE To port_ptx_register(From value) {
  constexpr bool bits = port_ptx_is_float<To>::value != port_ptx_is_float<From>::value;
  return port_ptx_move<bits>::template as<To>(value);
}

//@ section ptx-warp
// The warp of the block that this thread is in, counted in threads.
PORT_DEVICE unsigned int port_ptx_warp() {
  return (threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) / port_warpSize;
}

//@ section ptx-memory-order
template <typename T>
PORT_DEVICE T port_ptx_load_acquire(const T *place) {
  T value;
  __atomic_load(const_cast<T *>(place), &value, __ATOMIC_ACQUIRE);
  return value;
}
template <typename T>
PORT_DEVICE T port_ptx_load_relaxed(const T *place) {
  T value;
  __atomic_load(const_cast<T *>(place), &value, __ATOMIC_RELAXED);
  return value;
}
template <typename T>
PORT_DEVICE void port_ptx_store_release(T *place, T value) {
  __atomic_store(place, &value, __ATOMIC_RELEASE);
}
template <typename T>
PORT_DEVICE void port_ptx_store_relaxed(T *place, T value) {
  __atomic_store(place, &value, __ATOMIC_RELAXED);
}

//@ section ptx-round-tf32
// The nearest number with 10 bits after the point, ties away from zero.
PORT_DEVICE float port_ptx_round_tf32(float x) {
  unsigned int word = port_bits_to<unsigned int>(x);
  if ((word & 0x7f800000u) == 0x7f800000u) return x;
  word = (word + 0x1000u) & 0xffffe000u;
  return port_bits_to<float>(word);
}

//@ section shared-address
// Addresses of shared memory as numbers: offsets into the block's window.
#ifdef PORT_ORACLE
static thread_local unsigned long long port_shared_window;
inline size_t port_cvta_generic_to_shared(const void *place) {
  port_shared_window = (unsigned long long)place & 0xffffffff00000000ull;
  return (unsigned int)(unsigned long long)place;
}
inline void *port_cvta_shared_to_generic(size_t address) {
  return (void *)(port_shared_window | (unsigned int)address);
}
#else
PORT_DEVICE size_t port_cvta_generic_to_shared(const void *place) {
  return (unsigned int)(unsigned long long)(const __attribute__((address_space(3))) void *)place;
}
PORT_DEVICE void *port_cvta_shared_to_generic(size_t address) {
  return (void *)(__attribute__((address_space(3))) void *)(size_t)(unsigned int)address;
}
#endif

//@ section global-address
// Addresses of global memory are generic addresses.
PORT_DEVICE size_t port_cvta_generic_to_global(const void *place) { return (size_t)place; }
PORT_DEVICE void *port_cvta_global_to_generic(size_t address) { return (void *)address; }
