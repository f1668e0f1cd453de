//@ section wide-volatile
// A load and a store that go past the caches of the compute unit, in one access where the size of T
// has a register form.
template <int size>
struct port_access {
  typedef unsigned char type;
};
template <>
struct port_access<2> {
  typedef unsigned short type;
};
template <>
struct port_access<4> {
  typedef unsigned int type;
};
template <>
struct port_access<8> {
  typedef unsigned long long type;
};
template <>
struct port_access<16> {
  typedef unsigned int __attribute__((vector_size(16))) type;
};

template <typename T>
PORT_DEVICE T port_load_past_cache(const T *pointer) {
  typedef typename port_access<sizeof(T)>::type access;
  access parts[sizeof(T) / sizeof(access)];
  for (int i = 0; i < (int)(sizeof(T) / sizeof(access)); ++i) {
    parts[i] = reinterpret_cast<const volatile access *>(pointer)[i];
  }
  T value;
  __builtin_memcpy((void *)&value, parts, sizeof(T));
  return value;
}

template <typename T>
PORT_DEVICE void port_store_past_cache(T *pointer, T value) {
  typedef typename port_access<sizeof(T)>::type access;
  access parts[sizeof(T) / sizeof(access)];
  __builtin_memcpy(parts, (const void *)&value, sizeof(T));
  for (int i = 0; i < (int)(sizeof(T) / sizeof(access)); ++i) {
    reinterpret_cast<volatile access *>(pointer)[i] = parts[i];
  }
}

//@ section same-type
// A parameter of this type takes no part in the deduction of T.
template <typename T>
struct port_same {
  typedef T type;
};

//@ section ldca
// Hints about caches do not change values; what AMD hardware has no form of is a plain access.
template <typename T>
PORT_DEVICE T port_ldca(const T *pointer) {
  return *pointer;
}

//@ section ldcs
template <typename T>
PORT_DEVICE T port_ldcs(const T *pointer) {
  return *pointer;
}

//@ section ldlu
template <typename T>
PORT_DEVICE T port_ldlu(const T *pointer) {
  return *pointer;
}

//@ section ldcg
// Sees what other blocks have written.
template <typename T>
PORT_DEVICE T port_ldcg(const T *pointer) {
  return port_load_past_cache(pointer);
}

//@ section ldcv
// Is repeated whenever it is written.
template <typename T>
PORT_DEVICE T port_ldcv(const T *pointer) {
  return port_load_past_cache(pointer);
}

//@ section stwb
template <typename T>
PORT_DEVICE void port_stwb(T *pointer, typename port_same<T>::type value) {
  *pointer = value;
}

//@ section stcs
template <typename T>
PORT_DEVICE void port_stcs(T *pointer, typename port_same<T>::type value) {
  *pointer = value;
}

//@ section stcg
template <typename T>
PORT_DEVICE void port_stcg(T *pointer, typename port_same<T>::type value) {
  *pointer = value;
}

//@ section stwt
// Reaches system memory.
template <typename T>
PORT_DEVICE void port_stwt(T *pointer, typename port_same<T>::type value) {
  port_store_past_cache(pointer, value);
}

//@ section address-space
// Where a generic pointer points. Constants are in global memory on AMD hardware.
PORT_DEVICE unsigned int port_isShared(const void *pointer) {
#ifdef PORT_ORACLE
  return port_oracle_is_shared(pointer);
#else
  return __builtin_amdgcn_is_shared((const __attribute__((address_space(0))) void *)pointer);
#endif
}
PORT_DEVICE unsigned int port_isLocal(const void *pointer) {
#ifdef PORT_ORACLE
  return port_oracle_is_local(pointer);
#else
  return __builtin_amdgcn_is_private((const __attribute__((address_space(0))) void *)pointer);
#endif
}
PORT_DEVICE unsigned int port_isGlobal(const void *pointer) {
  return !port_isShared(pointer) && !port_isLocal(pointer);
}

//@ section pipeline
// The copies of a pipeline, done when they are asked for: AMD hardware has no copy that runs beside
// the thread. So nothing is left to wait for; a thread waits for its own copies alone.
template <int size>
PORT_DEVICE void port_copy_aligned(void *target, const void *source) {
  __builtin_memcpy(__builtin_assume_aligned(target, size), __builtin_assume_aligned(source, size),
                   size);
}
PORT_DEVICE void port_pipeline_memcpy_async(void *target, const void *source, size_t size,
                                            size_t zeros = 0) {
  if (zeros != 0) {
    for (size_t i = 0; i < size; ++i) {
      ((char *)target)[i] = i < size - zeros ? ((const char *)source)[i] : 0;
    }
  } else if (size == 16) {
    port_copy_aligned<16>(target, source);
  } else if (size == 8) {
    port_copy_aligned<8>(target, source);
  } else {
    port_copy_aligned<4>(target, source);
  }
}
PORT_DEVICE void port_pipeline_commit() {}
PORT_DEVICE void port_pipeline_wait_prior(size_t) {}
