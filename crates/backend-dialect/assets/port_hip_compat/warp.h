//@ section warp-members
// The lanes of the wave that take part in the operations that follow; 0 says: no more. The hardware
// knows them from its execution mask.
#ifdef PORT_ORACLE
#define PORT_WARP_MEMBERS(lanes) port_oracle_members(lanes)
#else
#define PORT_WARP_MEMBERS(lanes) ((void)0)
#endif

//@ section lanes-logical
//@ provides port_lane_mask port_warpSize port_lane_id
//@ provides port_wave_lanes port_warp_ballot port_shfl_word
//@ needs base
//@ mode logical
// Warps are logical: 32 lanes, whatever the wave of the hardware. A wave of 64 lanes holds two.
typedef unsigned int port_lane_mask;
static constexpr int port_warpSize = 32;

PORT_DEVICE unsigned int port_lane_id() { return __lane_id() & 31u; }

// The lanes of the wave that this mask of the warp names.
PORT_DEVICE unsigned long long port_wave_lanes(port_lane_mask mask) {
  return (unsigned long long)mask << (__lane_id() & 32u);
}

// The lanes of this warp that take part and whose predicate holds.
PORT_DEVICE port_lane_mask port_warp_ballot(bool predicate) {
  return (port_lane_mask)(__ballot(predicate) >> (__lane_id() & 32u));
}

// The word that another lane of this warp gives. It must take part.
PORT_DEVICE int port_shfl_word(int word, int lane) { return __shfl(word, lane, 32); }

//@ section lanes-native
//@ provides port_lane_mask port_warpSize port_lane_id
//@ provides port_wave_lanes port_warp_ballot port_shfl_word
//@ needs base
//@ mode native
// A warp is a wave of the hardware, of 32 or 64 lanes, and a mask has 64 bits.
typedef unsigned long long port_lane_mask;
#define port_warpSize warpSize

PORT_DEVICE unsigned int port_lane_id() { return __lane_id(); }

// The lanes of the wave that this mask of the warp names.
PORT_DEVICE unsigned long long port_wave_lanes(port_lane_mask mask) { return mask; }

// The lanes of this warp that take part and whose predicate holds.
PORT_DEVICE port_lane_mask port_warp_ballot(bool predicate) { return __ballot(predicate); }

// The word that another lane of this warp gives. It must take part.
PORT_DEVICE int port_shfl_word(int word, int lane) { return __shfl(word, lane); }

//@ section full-mask
// Every lane of a warp.
#define PORT_FULL_MASK ((port_lane_mask)~0ull)

//@ section lane-masks
// The lanes of the warp that are equal to, below or above this one.
PORT_DEVICE port_lane_mask port_lanemask_eq() { return (port_lane_mask)1 << port_lane_id(); }
PORT_DEVICE port_lane_mask port_lanemask_lt() { return port_lanemask_eq() - 1; }
PORT_DEVICE port_lane_mask port_lanemask_le() { return port_lanemask_lt() | port_lanemask_eq(); }
PORT_DEVICE port_lane_mask port_lanemask_gt() { return ~port_lanemask_le(); }
PORT_DEVICE port_lane_mask port_lanemask_ge() { return ~port_lanemask_lt(); }

//@ section shuffle
// The value that another lane of this warp gives, word by word.
template <typename T>
PORT_DEVICE T port_shfl_from(T value, int lane) {
  static_assert(__is_trivially_copyable(T), "only plain values pass between lanes");
  int words[(sizeof(T) + 3) / 4] = {};
  __builtin_memcpy(words, &value, sizeof(T));
  for (int i = 0; i < (int)((sizeof(T) + 3) / 4); ++i) words[i] = port_shfl_word(words[i], lane);
  __builtin_memcpy(&value, words, sizeof(T));
  return value;
}

// What a shuffle of a T returns: CUDA's overloads take the integers below int as int.
template <typename T>
struct port_shfl_type {
  typedef T type;
};
template <>
struct port_shfl_type<bool> {
  typedef int type;
};
template <>
struct port_shfl_type<char> {
  typedef int type;
};
template <>
struct port_shfl_type<signed char> {
  typedef int type;
};
template <>
struct port_shfl_type<unsigned char> {
  typedef int type;
};
template <>
struct port_shfl_type<short> {
  typedef int type;
};
template <>
struct port_shfl_type<unsigned short> {
  typedef int type;
};

//@ section shfl-sync
// The value of lane `source`, modulo `width`, of this segment of `width` lanes.
template <typename T>
PORT_DEVICE typename port_shfl_type<T>::type port_shfl_sync(port_lane_mask mask, T value,
                                                            int source, int width = port_warpSize) {
  const int lane = (int)port_lane_id();
  PORT_WARP_MEMBERS(port_wave_lanes(mask));
  value = port_shfl_from(value, (lane & -width) | (source & (width - 1)));
  PORT_WARP_MEMBERS(0);
  return value;
}

//@ section shfl-up-sync
// The value of the lane `delta` below; the own value where that is outside the segment.
template <typename T>
PORT_DEVICE typename port_shfl_type<T>::type port_shfl_up_sync(port_lane_mask mask, T value,
                                                               unsigned int delta,
                                                               int width = port_warpSize) {
  const int lane = (int)port_lane_id();
  const int source = lane - (int)(delta & (unsigned int)(port_warpSize - 1));
  PORT_WARP_MEMBERS(port_wave_lanes(mask));
  value = port_shfl_from(value, source < (lane & -width) ? lane : source);
  PORT_WARP_MEMBERS(0);
  return value;
}

//@ section shfl-down-sync
// The value of the lane `delta` above; the own value where that is outside the segment.
template <typename T>
PORT_DEVICE typename port_shfl_type<T>::type port_shfl_down_sync(port_lane_mask mask, T value,
                                                                 unsigned int delta,
                                                                 int width = port_warpSize) {
  const int lane = (int)port_lane_id();
  const int source = lane + (int)(delta & (unsigned int)(port_warpSize - 1));
  PORT_WARP_MEMBERS(port_wave_lanes(mask));
  value = port_shfl_from(value, source > (lane | (width - 1)) ? lane : source);
  PORT_WARP_MEMBERS(0);
  return value;
}

//@ section shfl-xor-sync
// The value of the lane whose number differs in the bits of `bits`; the own value where that is
// above the segment. As in CUDA, segments below may be read.
template <typename T>
PORT_DEVICE typename port_shfl_type<T>::type port_shfl_xor_sync(port_lane_mask mask, T value,
                                                                int bits,
                                                                int width = port_warpSize) {
  const int lane = (int)port_lane_id();
  const int source = lane ^ (bits & (port_warpSize - 1));
  PORT_WARP_MEMBERS(port_wave_lanes(mask));
  value = port_shfl_from(value, source > (lane | (width - 1)) ? lane : source);
  PORT_WARP_MEMBERS(0);
  return value;
}

//@ section ballot-sync
// The lanes of `mask` whose predicate is not zero.
PORT_DEVICE port_lane_mask port_ballot_sync(port_lane_mask mask, int predicate) {
  PORT_WARP_MEMBERS(port_wave_lanes(mask));
  const port_lane_mask lanes = port_warp_ballot(predicate != 0) & mask;
  PORT_WARP_MEMBERS(0);
  return lanes;
}

//@ section any-sync
PORT_DEVICE int port_any_sync(port_lane_mask mask, int predicate) {
  return port_ballot_sync(mask, predicate) != 0;
}

//@ section all-sync
// Lanes that have left the kernel do not count.
PORT_DEVICE int port_all_sync(port_lane_mask mask, int predicate) {
  return port_ballot_sync(mask, predicate == 0) == 0;
}

//@ section uni-sync
PORT_DEVICE int port_uni_sync(port_lane_mask mask, int predicate) {
  const port_lane_mask lanes = port_ballot_sync(mask, predicate);
  return lanes == 0 || port_ballot_sync(mask, predicate == 0) == 0;
}

//@ section activemask
// The lanes of this warp that execute this call together.
PORT_DEVICE port_lane_mask port_activemask() { return port_warp_ballot(true); }

//@ section syncwarp
// The lanes of a wave run in step, so what is left of the barrier is its order of memory accesses:
// no access may be moved across it by the compiler.
PORT_DEVICE void port_syncwarp(port_lane_mask mask = (port_lane_mask)~0ull) {
#ifdef PORT_ORACLE
  port_oracle_syncwarp(port_wave_lanes(mask));
#else
  (void)mask;
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "wavefront");
  __builtin_amdgcn_wave_barrier();
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "wavefront");
#endif
}

//@ section match-any-sync
// The lanes of `mask` that give the same bits: one ballot for each bit, so any mask will do.
template <typename T>
PORT_DEVICE port_lane_mask port_match_any_sync(port_lane_mask mask, T value) {
  static_assert(sizeof(T) % 4 == 0, "CUDA matches values of 32 and 64 bits");
  unsigned int words[sizeof(T) / 4];
  __builtin_memcpy(words, &value, sizeof(T));
  PORT_WARP_MEMBERS(port_wave_lanes(mask));
  port_lane_mask same = port_warp_ballot(true) & mask;
  for (int i = 0; i < (int)(sizeof(T) / 4); ++i) {
    for (int bit = 0; bit < 32; ++bit) {
      const bool set = (words[i] >> bit) & 1u;
      const port_lane_mask lanes = port_warp_ballot(set);
      same &= set ? lanes : ~lanes;
    }
  }
  PORT_WARP_MEMBERS(0);
  return same;
}

//@ section match-all-sync
// `mask` where all its lanes give the same bits, else 0.
template <typename T>
PORT_DEVICE port_lane_mask port_match_all_sync(port_lane_mask mask, T value, int *predicate) {
  const port_lane_mask same = port_match_any_sync(mask, value);
  const bool all = port_all_sync(mask, same == port_ballot_sync(mask, 1));
  *predicate = all;
  return all ? mask : 0;
}

//@ section reduce-ballot
// The lanes of `mask` whose value has this bit. Reductions by one ballot for each bit are exact and
// right for any mask.
PORT_DEVICE port_lane_mask port_reduce_ballot(port_lane_mask mask, unsigned int value, int bit) {
  return port_warp_ballot((value >> bit) & 1u) & mask;
}

//@ section reduce-add-sync
PORT_DEVICE unsigned int port_reduce_add_sync(port_lane_mask mask, unsigned int value) {
  PORT_WARP_MEMBERS(port_wave_lanes(mask));
  unsigned int sum = 0;
  for (int bit = 0; bit < 32; ++bit) {
    sum += (unsigned int)__builtin_popcountll(port_reduce_ballot(mask, value, bit)) << bit;
  }
  PORT_WARP_MEMBERS(0);
  return sum;
}
PORT_DEVICE int port_reduce_add_sync(port_lane_mask mask, int value) {
  return (int)port_reduce_add_sync(mask, (unsigned int)value);
}

//@ section reduce-or-sync
PORT_DEVICE unsigned int port_reduce_or_sync(port_lane_mask mask, unsigned int value) {
  PORT_WARP_MEMBERS(port_wave_lanes(mask));
  unsigned int result = 0;
  for (int bit = 0; bit < 32; ++bit) {
    result |= (unsigned int)(port_reduce_ballot(mask, value, bit) != 0) << bit;
  }
  PORT_WARP_MEMBERS(0);
  return result;
}

//@ section reduce-and-sync
PORT_DEVICE unsigned int port_reduce_and_sync(port_lane_mask mask, unsigned int value) {
  return ~port_reduce_or_sync(mask, ~value);
}

//@ section reduce-xor-sync
PORT_DEVICE unsigned int port_reduce_xor_sync(port_lane_mask mask, unsigned int value) {
  PORT_WARP_MEMBERS(port_wave_lanes(mask));
  unsigned int result = 0;
  for (int bit = 0; bit < 32; ++bit) {
    const port_lane_mask lanes = port_reduce_ballot(mask, value, bit);
    result |= ((unsigned int)__builtin_popcountll(lanes) & 1u) << bit;
  }
  PORT_WARP_MEMBERS(0);
  return result;
}

//@ section reduce-max-sync
// From the highest bit down: the lanes that have it, where there are any, are the ones left.
PORT_DEVICE unsigned int port_reduce_max_sync(port_lane_mask mask, unsigned int value) {
  PORT_WARP_MEMBERS(port_wave_lanes(mask));
  port_lane_mask left = mask;
  unsigned int result = 0;
  for (int bit = 31; bit >= 0; --bit) {
    const port_lane_mask lanes = port_reduce_ballot(left, value, bit);
    if (lanes != 0) {
      left = lanes;
      result |= 1u << bit;
    }
  }
  PORT_WARP_MEMBERS(0);
  return result;
}
PORT_DEVICE int port_reduce_max_sync(port_lane_mask mask, int value) {
  return (int)(port_reduce_max_sync(mask, (unsigned int)value ^ 0x80000000u) ^ 0x80000000u);
}

//@ section reduce-min-sync
PORT_DEVICE unsigned int port_reduce_min_sync(port_lane_mask mask, unsigned int value) {
  return ~port_reduce_max_sync(mask, ~value);
}
PORT_DEVICE int port_reduce_min_sync(port_lane_mask mask, int value) {
  return ~port_reduce_max_sync(mask, ~value);
}
