// Operations on the two halves or four bytes of a 32-bit word, written out lane by lane.

template <int Lanes> __device__ inline unsigned int __port_ulane(unsigned int word, int lane) {
  return (word >> (lane * (32 / Lanes))) & ((1u << (32 / Lanes)) - 1u);
}
template <int Lanes> __device__ inline int __port_slane(unsigned int word, int lane) {
  return (int)(word << (32 - (lane + 1) * (32 / Lanes))) >> (32 - 32 / Lanes);
}
template <int Lanes> __device__ inline unsigned int __port_place(int value, int lane) {
  return ((unsigned int)value & ((1u << (32 / Lanes)) - 1u)) << (lane * (32 / Lanes));
}
template <int Lanes> __device__ inline int __port_smax() { return (1 << (32 / Lanes - 1)) - 1; }
template <int Lanes> __device__ inline int __port_umax() { return (1 << (32 / Lanes)) - 1; }
__device__ inline int __port_clamp(int value, int low, int high) {
  return value < low ? low : value > high ? high : value;
}

// x, y: the lanes as NUMBER reads them; N: how many there are.
#define PORT_LANES(NAME, N, READ, VALUE)                                  \
  __device__ inline unsigned int NAME##N(unsigned int a, unsigned int b) { \
    unsigned int word = 0;                                                \
    for (int lane = 0; lane < N; ++lane) {                                \
      int x = (int)READ<N>(a, lane);                                      \
      int y = (int)READ<N>(b, lane);                                      \
      word |= __port_place<N>(VALUE, lane);                               \
    }                                                                     \
    return word;                                                          \
  }
#define PORT_LANES_OF_ONE(NAME, N, READ, VALUE)           \
  __device__ inline unsigned int NAME##N(unsigned int a) { \
    unsigned int word = 0;                                \
    for (int lane = 0; lane < N; ++lane) {                \
      int x = (int)READ<N>(a, lane);                      \
      word |= __port_place<N>(VALUE, lane);               \
    }                                                     \
    return word;                                          \
  }
#define PORT_SUM(NAME, N, READ, VALUE)                                    \
  __device__ inline unsigned int NAME##N(unsigned int a, unsigned int b) { \
    unsigned int sum = 0;                                                 \
    for (int lane = 0; lane < N; ++lane) {                                \
      int x = (int)READ<N>(a, lane);                                      \
      int y = (int)READ<N>(b, lane);                                      \
      sum += (unsigned int)(VALUE);                                       \
    }                                                                     \
    return sum;                                                           \
  }
#define PORT_SIGNED(NAME, VALUE_2, VALUE_4)      \
  PORT_LANES(NAME, 2, __port_slane, VALUE_2)     \
  PORT_LANES(NAME, 4, __port_slane, VALUE_4)
#define PORT_UNSIGNED(NAME, VALUE_2, VALUE_4)    \
  PORT_LANES(NAME, 2, __port_ulane, VALUE_2)     \
  PORT_LANES(NAME, 4, __port_ulane, VALUE_4)
#define PORT_COMPARE(SUFFIX, READ, OPERATOR)                          \
  PORT_LANES(__vcmp##SUFFIX, 2, READ, (x OPERATOR y ? -1 : 0))        \
  PORT_LANES(__vcmp##SUFFIX, 4, READ, (x OPERATOR y ? -1 : 0))        \
  PORT_LANES(__vset##SUFFIX, 2, READ, (x OPERATOR y ? 1 : 0))         \
  PORT_LANES(__vset##SUFFIX, 4, READ, (x OPERATOR y ? 1 : 0))
#define PORT_SATURATED(N, VALUE) __port_clamp(VALUE, -__port_smax<N>() - 1, __port_smax<N>())
#define PORT_UNSIGNED_SATURATED(N, VALUE) __port_clamp(VALUE, 0, __port_umax<N>())

PORT_SIGNED(__vadd, x + y, x + y)
PORT_SIGNED(__vsub, x - y, x - y)
PORT_SIGNED(__vaddss, PORT_SATURATED(2, x + y), PORT_SATURATED(4, x + y))
PORT_SIGNED(__vsubss, PORT_SATURATED(2, x - y), PORT_SATURATED(4, x - y))
PORT_UNSIGNED(__vaddus, PORT_UNSIGNED_SATURATED(2, x + y), PORT_UNSIGNED_SATURATED(4, x + y))
PORT_UNSIGNED(__vsubus, PORT_UNSIGNED_SATURATED(2, x - y), PORT_UNSIGNED_SATURATED(4, x - y))
PORT_UNSIGNED(__vavgu, (x + y + 1) >> 1, (x + y + 1) >> 1)
PORT_UNSIGNED(__vhaddu, (x + y) >> 1, (x + y) >> 1)
PORT_SIGNED(__vabsdiffs, (x < y ? y - x : x - y), (x < y ? y - x : x - y))
PORT_UNSIGNED(__vabsdiffu, (x < y ? y - x : x - y), (x < y ? y - x : x - y))
PORT_SIGNED(__vmaxs, (x < y ? y : x), (x < y ? y : x))
PORT_SIGNED(__vmins, (y < x ? y : x), (y < x ? y : x))
PORT_UNSIGNED(__vmaxu, (x < y ? y : x), (x < y ? y : x))
PORT_UNSIGNED(__vminu, (y < x ? y : x), (y < x ? y : x))
PORT_COMPARE(eq, __port_ulane, ==)
PORT_COMPARE(ne, __port_ulane, !=)
PORT_COMPARE(ges, __port_slane, >=)
PORT_COMPARE(geu, __port_ulane, >=)
PORT_COMPARE(gts, __port_slane, >)
PORT_COMPARE(gtu, __port_ulane, >)
PORT_COMPARE(les, __port_slane, <=)
PORT_COMPARE(leu, __port_ulane, <=)
PORT_COMPARE(lts, __port_slane, <)
PORT_COMPARE(ltu, __port_ulane, <)
PORT_LANES_OF_ONE(__vabs, 2, __port_slane, (x < 0 ? -x : x))
PORT_LANES_OF_ONE(__vabs, 4, __port_slane, (x < 0 ? -x : x))
PORT_LANES_OF_ONE(__vabsss, 2, __port_slane, PORT_SATURATED(2, (x < 0 ? -x : x)))
PORT_LANES_OF_ONE(__vabsss, 4, __port_slane, PORT_SATURATED(4, (x < 0 ? -x : x)))
PORT_LANES_OF_ONE(__vneg, 2, __port_slane, -x)
PORT_LANES_OF_ONE(__vneg, 4, __port_slane, -x)
PORT_LANES_OF_ONE(__vnegss, 2, __port_slane, PORT_SATURATED(2, -x))
PORT_LANES_OF_ONE(__vnegss, 4, __port_slane, PORT_SATURATED(4, -x))
PORT_SUM(__vsads, 2, __port_slane, (x < y ? y - x : x - y))
PORT_SUM(__vsads, 4, __port_slane, (x < y ? y - x : x - y))
PORT_SUM(__vsadu, 2, __port_ulane, (x < y ? y - x : x - y))
PORT_SUM(__vsadu, 4, __port_ulane, (x < y ? y - x : x - y))
