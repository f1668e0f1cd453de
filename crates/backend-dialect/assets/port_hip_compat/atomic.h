//@ section if-type
// The type T, where the condition holds: an overload for one type that gives way to a native one.
template <bool condition, typename T>
struct port_if {};
template <typename T>
struct port_if<true, T> {
  typedef T type;
};
template <typename T, typename U>
struct port_is_same {
  enum { value = false };
};
template <typename T>
struct port_is_same<T, T> {
  enum { value = true };
};

//@ section atomic-update
// Replaces the value at an address by what `update` makes of it, and returns what it was.
template <typename Update>
PORT_DEVICE unsigned int port_atomic_update(unsigned int *address, Update update) {
  unsigned int seen = *address;
  unsigned int before;
  do {
    before = seen;
    seen = atomicCAS(address, before, update(before));
  } while (seen != before);
  return before;
}
template <typename Update>
PORT_DEVICE unsigned long long port_atomic_update(unsigned long long *address, Update update) {
  unsigned long long seen = *address;
  unsigned long long before;
  do {
    before = seen;
    seen = atomicCAS(address, before, update(before));
  } while (seen != before);
  return before;
}

//@ section atomic-halfword
// The same for 16 bits, within the 32 of the word that holds them.
template <typename Update>
PORT_DEVICE unsigned short port_atomic_update_16(void *address, Update update) {
  const unsigned long long place = (unsigned long long)address;
  unsigned int *word = (unsigned int *)(place & ~3ull);
  const int low = (place & 2) != 0 ? 16 : 0;
  const unsigned int before = port_atomic_update(word, [=](unsigned int bits) {
    const unsigned int changed = update((unsigned short)(bits >> low));
    return (bits & ~(0xffffu << low)) | ((changed & 0xffffu) << low);
  });
  return (unsigned short)(before >> low);
}

//@ section atomicInc
PORT_DEVICE unsigned int port_atomicInc(unsigned int *address, unsigned int limit) {
#ifdef PORT_ORACLE
  return port_atomic_update(address,
                            [=](unsigned int old) { return old >= limit ? 0u : old + 1u; });
#else
  return __builtin_amdgcn_atomic_inc32(address, limit, __ATOMIC_RELAXED, "agent");
#endif
}

//@ section atomicDec
PORT_DEVICE unsigned int port_atomicDec(unsigned int *address, unsigned int limit) {
#ifdef PORT_ORACLE
  return port_atomic_update(
      address, [=](unsigned int old) { return old == 0 || old > limit ? limit : old - 1u; });
#else
  return __builtin_amdgcn_atomic_dec32(address, limit, __ATOMIC_RELAXED, "agent");
#endif
}

//@ section atomicInc-system
PORT_DEVICE unsigned int port_atomicInc_system(unsigned int *address, unsigned int limit) {
#ifdef PORT_ORACLE
  return port_atomicInc(address, limit);
#else
  return __builtin_amdgcn_atomic_inc32(address, limit, __ATOMIC_RELAXED, "");
#endif
}

//@ section atomicDec-system
PORT_DEVICE unsigned int port_atomicDec_system(unsigned int *address, unsigned int limit) {
#ifdef PORT_ORACLE
  return port_atomicDec(address, limit);
#else
  return __builtin_amdgcn_atomic_dec32(address, limit, __ATOMIC_RELAXED, "");
#endif
}

//@ section atomicInc-block
PORT_DEVICE unsigned int port_atomicInc_block(unsigned int *address, unsigned int limit) {
  return port_atomicInc(address, limit);
}

//@ section atomicDec-block
PORT_DEVICE unsigned int port_atomicDec_block(unsigned int *address, unsigned int limit) {
  return port_atomicDec(address, limit);
}

//@ section atomicAdd-half
//@ provides atomicAdd
//@ with half __half
//@ needs half
// Half atomics by compare and swap of the word that holds them.
template <typename T>
PORT_DEVICE typename port_if<port_is_same<T, __half>::value, T>::type atomicAdd(
    T *address, typename port_same<T>::type value) {
  return port_bits_to<__half>(port_atomic_update_16(address, [=](unsigned short bits) {
    const float sum = __half2float(port_bits_to<__half>(bits)) + __half2float(value);
    return port_bits_to<unsigned short>(__float2half(sum));
  }));
}

//@ section atomicAdd-half2
//@ provides atomicAdd
//@ with half2 __half2
//@ needs half
template <typename T>
PORT_DEVICE typename port_if<port_is_same<T, __half2>::value, T>::type atomicAdd(
    T *address, typename port_same<T>::type value) {
  return port_bits_to<__half2>(port_atomic_update((unsigned int *)address, [=](unsigned int bits) {
    const __half2 old = port_bits_to<__half2>(bits);
    const float low = __half2float(__low2half(old)) + __half2float(__low2half(value));
    const float high = __half2float(__high2half(old)) + __half2float(__high2half(value));
    return port_bits_to<unsigned int>(__halves2half2(__float2half(low), __float2half(high)));
  }));
}

//@ section atomicAdd-bfloat16
//@ provides atomicAdd
//@ with port_bfloat16
template <typename T>
PORT_DEVICE typename port_if<port_is_same<T, port_bfloat16>::value, T>::type atomicAdd(
    T *address, typename port_same<T>::type value) {
  return port_bits_to<port_bfloat16>(port_atomic_update_16(address, [=](unsigned short bits) {
    return port_bits_to<unsigned short>(port_bits_to<port_bfloat16>(bits) + value);
  }));
}

//@ section atomicAdd-bfloat162
//@ provides atomicAdd
//@ with port_bfloat162
template <typename T>
PORT_DEVICE typename port_if<port_is_same<T, port_bfloat162>::value, T>::type atomicAdd(
    T *address, typename port_same<T>::type value) {
  return port_bits_to<port_bfloat162>(
      port_atomic_update((unsigned int *)address, [=](unsigned int bits) {
        return port_bits_to<unsigned int>(port_bits_to<port_bfloat162>(bits) + value);
      }));
}

//@ section atomicCAS-halfword
//@ provides atomicCAS
//@ with short ushort uint16_t
template <typename T>
PORT_DEVICE typename port_if<port_is_same<T, unsigned short>::value, T>::type atomicCAS(
    T *address, typename port_same<T>::type compare, typename port_same<T>::type value) {
  return port_atomic_update_16(address,
                               [=](unsigned short old) { return old == compare ? value : old; });
}

//@ section atomicMin-long-long
//@ provides atomicMin
//@ with long int64_t
template <typename T>
PORT_DEVICE typename port_if<port_is_same<T, long long>::value, T>::type atomicMin(
    T *address, typename port_same<T>::type value) {
  return (long long)port_atomic_update((unsigned long long *)address, [=](unsigned long long old) {
    return (long long)old < value ? old : (unsigned long long)value;
  });
}

//@ section atomicMax-long-long
//@ provides atomicMax
//@ with long int64_t
template <typename T>
PORT_DEVICE typename port_if<port_is_same<T, long long>::value, T>::type atomicMax(
    T *address, typename port_same<T>::type value) {
  return (long long)port_atomic_update((unsigned long long *)address, [=](unsigned long long old) {
    return (long long)old > value ? old : (unsigned long long)value;
  });
}

//@ section atomicAnd-long-long
//@ provides atomicAnd
//@ with long int64_t
template <typename T>
PORT_DEVICE typename port_if<port_is_same<T, long long>::value, T>::type atomicAnd(
    T *address, typename port_same<T>::type value) {
  return (long long)port_atomic_update((unsigned long long *)address, [=](unsigned long long old) {
    return old & (unsigned long long)value;
  });
}

//@ section atomicOr-long-long
//@ provides atomicOr
//@ with long int64_t
template <typename T>
PORT_DEVICE typename port_if<port_is_same<T, long long>::value, T>::type atomicOr(
    T *address, typename port_same<T>::type value) {
  return (long long)port_atomic_update((unsigned long long *)address, [=](unsigned long long old) {
    return old | (unsigned long long)value;
  });
}

//@ section atomicXor-long-long
//@ provides atomicXor
//@ with long int64_t
template <typename T>
PORT_DEVICE typename port_if<port_is_same<T, long long>::value, T>::type atomicXor(
    T *address, typename port_same<T>::type value) {
  return (long long)port_atomic_update((unsigned long long *)address, [=](unsigned long long old) {
    return old ^ (unsigned long long)value;
  });
}

//@ section atomic-update-system
template <typename Update>
PORT_DEVICE unsigned long long port_atomic_update_system(unsigned long long *address,
                                                         Update update) {
  unsigned long long seen = *address;
  unsigned long long before;
  do {
    before = seen;
    seen = atomicCAS_system(address, before, update(before));
  } while (seen != before);
  return before;
}

//@ section atomicMin-system-long-long
//@ provides atomicMin_system
//@ with long int64_t
template <typename T>
PORT_DEVICE typename port_if<port_is_same<T, long long>::value, T>::type atomicMin_system(
    T *address, typename port_same<T>::type value) {
  return (long long)port_atomic_update_system(
      (unsigned long long *)address, [=](unsigned long long old) {
        return (long long)old < value ? old : (unsigned long long)value;
      });
}

//@ section atomicMax-system-long-long
//@ provides atomicMax_system
//@ with long int64_t
template <typename T>
PORT_DEVICE typename port_if<port_is_same<T, long long>::value, T>::type atomicMax_system(
    T *address, typename port_same<T>::type value) {
  return (long long)port_atomic_update_system(
      (unsigned long long *)address, [=](unsigned long long old) {
        return (long long)old > value ? old : (unsigned long long)value;
      });
}

//@ section atomicAnd-system-long-long
//@ provides atomicAnd_system
//@ with long int64_t
template <typename T>
PORT_DEVICE typename port_if<port_is_same<T, long long>::value, T>::type atomicAnd_system(
    T *address, typename port_same<T>::type value) {
  return (long long)port_atomic_update_system(
      (unsigned long long *)address,
      [=](unsigned long long old) { return old & (unsigned long long)value; });
}

//@ section atomicOr-system-long-long
//@ provides atomicOr_system
//@ with long int64_t
template <typename T>
PORT_DEVICE typename port_if<port_is_same<T, long long>::value, T>::type atomicOr_system(
    T *address, typename port_same<T>::type value) {
  return (long long)port_atomic_update_system(
      (unsigned long long *)address,
      [=](unsigned long long old) { return old | (unsigned long long)value; });
}

//@ section atomicXor-system-long-long
//@ provides atomicXor_system
//@ with long int64_t
template <typename T>
PORT_DEVICE typename port_if<port_is_same<T, long long>::value, T>::type atomicXor_system(
    T *address, typename port_same<T>::type value) {
  return (long long)port_atomic_update_system(
      (unsigned long long *)address,
      [=](unsigned long long old) { return old ^ (unsigned long long)value; });
}

//@ section atomicMin-overloads
//@ needs atomicMin-long-long
// CUDA's overloads and no others: the user's own stand beside them.
PORT_DEVICE int port_atomicMin(int *address, int value) {
  return atomicMin(address, value);
}
PORT_DEVICE unsigned int port_atomicMin(unsigned int *address, unsigned int value) {
  return atomicMin(address, value);
}
PORT_DEVICE long long port_atomicMin(long long *address, long long value) {
  return atomicMin(address, value);
}
PORT_DEVICE unsigned long long port_atomicMin(unsigned long long *address, unsigned long long value) {
  return atomicMin(address, value);
}

//@ section atomicMax-overloads
//@ needs atomicMax-long-long
// CUDA's overloads and no others: the user's own stand beside them.
PORT_DEVICE int port_atomicMax(int *address, int value) {
  return atomicMax(address, value);
}
PORT_DEVICE unsigned int port_atomicMax(unsigned int *address, unsigned int value) {
  return atomicMax(address, value);
}
PORT_DEVICE long long port_atomicMax(long long *address, long long value) {
  return atomicMax(address, value);
}
PORT_DEVICE unsigned long long port_atomicMax(unsigned long long *address, unsigned long long value) {
  return atomicMax(address, value);
}

//@ section atomicAdd-block
template <typename T>
PORT_DEVICE T port_atomicAdd_block(T *address, typename port_same<T>::type value) {
  return atomicAdd(address, value);
}

//@ section atomicSub-block
template <typename T>
PORT_DEVICE T port_atomicSub_block(T *address, typename port_same<T>::type value) {
  return atomicSub(address, value);
}

//@ section atomicExch-block
template <typename T>
PORT_DEVICE T port_atomicExch_block(T *address, typename port_same<T>::type value) {
  return atomicExch(address, value);
}

//@ section atomicMin-block
//@ needs atomicMin-long-long
template <typename T>
PORT_DEVICE T port_atomicMin_block(T *address, typename port_same<T>::type value) {
  return atomicMin(address, value);
}

//@ section atomicMax-block
//@ needs atomicMax-long-long
template <typename T>
PORT_DEVICE T port_atomicMax_block(T *address, typename port_same<T>::type value) {
  return atomicMax(address, value);
}

//@ section atomicAnd-block
//@ needs atomicAnd-long-long
template <typename T>
PORT_DEVICE T port_atomicAnd_block(T *address, typename port_same<T>::type value) {
  return atomicAnd(address, value);
}

//@ section atomicOr-block
//@ needs atomicOr-long-long
template <typename T>
PORT_DEVICE T port_atomicOr_block(T *address, typename port_same<T>::type value) {
  return atomicOr(address, value);
}

//@ section atomicXor-block
//@ needs atomicXor-long-long
template <typename T>
PORT_DEVICE T port_atomicXor_block(T *address, typename port_same<T>::type value) {
  return atomicXor(address, value);
}

//@ section atomicAdd-block-vector
//@ provides port_atomicAdd_block
//@ with float2 float4
// Each component on its own.
PORT_DEVICE float2 port_atomicAdd_block(float2 *address, float2 value) {
  return make_float2(atomicAdd(&address->x, value.x), atomicAdd(&address->y, value.y));
}
PORT_DEVICE float4 port_atomicAdd_block(float4 *address, float4 value) {
  return make_float4(atomicAdd(&address->x, value.x), atomicAdd(&address->y, value.y),
                     atomicAdd(&address->z, value.z), atomicAdd(&address->w, value.w));
}

//@ section atomicCAS-block
template <typename T>
PORT_DEVICE T port_atomicCAS_block(T *address, typename port_same<T>::type compare,
                                   typename port_same<T>::type value) {
  return atomicCAS(address, compare, value);
}
