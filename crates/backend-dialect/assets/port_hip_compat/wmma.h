//@ section wmma
//@ needs half
// Fragments of matrices over 32 lanes in plain arithmetic, for every architecture. The 32 lanes are
// half of a wave of 64 lanes; its halves work side by side, on two tiles or twice on the same.
//
// A lane holds `acc` neighbouring elements of a row of C and D, and `sharing` lanes share a row:
// lane l has row l / sharing, from column (l % sharing) * acc on. Of A it holds the same part of
// the same row. Of B it holds elements of the columns that its elements of C need, in row-major order
// within that block of columns, as part l / sharing.
namespace port_nvcuda {
namespace wmma {

struct matrix_a {};
struct matrix_b {};
struct accumulator {};
struct row_major {};
struct col_major {};
enum layout_t { mem_row_major, mem_col_major };
namespace precision {
struct tf32 {};
}  // namespace precision

// How elements of type T are kept and multiplied: products are exact, and each is added with one
// rounding.
template <typename T>
struct port_element {
  typedef T stored;
  typedef int sum;
  PORT_DEVICE static int value(T stored) { return stored; }
  PORT_DEVICE static int add_product(int a, int b, int sum) {
    return (int)((unsigned int)sum + (unsigned int)(a * b));
  }
};
template <>
struct port_element<__half> {
  typedef __half stored;
  typedef float sum;
  PORT_DEVICE static float value(__half stored) { return __half2float(stored); }
  PORT_DEVICE static float add_product(float a, float b, float sum) {
    return __builtin_fmaf(a, b, sum);
  }
};
template <>
struct port_element<precision::tf32> {
  typedef float stored;
  typedef float sum;
  // The hardware leaves out the digits that the format has not.
  PORT_DEVICE static float value(float stored) {
    return port_bits_to<float>(port_bits_to<unsigned int>(stored) & 0xffffe000u);
  }
  PORT_DEVICE static float add_product(float a, float b, float sum) {
    return __builtin_fmaf(a, b, sum);
  }
};
template <>
struct port_element<float> {
  typedef float stored;
  PORT_DEVICE static float value(float stored) { return stored; }
};
template <>
struct port_element<double> {
  typedef double stored;
  typedef double sum;
  PORT_DEVICE static double value(double stored) { return stored; }
  PORT_DEVICE static double add_product(double a, double b, double sum) {
    return __builtin_fma(a, b, sum);
  }
};

template <int m, int n, int k>
struct port_shape {
  enum { acc = m * n / 32, sharing = n / (m * n / 32), a = m * k / 32, b = k * n / 32 };
};

template <typename T, int count>
struct port_elements {
  typedef typename port_element<T>::stored element_type;
  typedef element_type storage_element_type;
  enum { num_elements = count };
  element_type x[count];
};

template <typename Use, int m, int n, int k, typename T, typename Layout = void>
struct fragment;
template <int m, int n, int k, typename T, typename Layout>
struct fragment<matrix_a, m, n, k, T, Layout> : port_elements<T, port_shape<m, n, k>::a> {};
template <int m, int n, int k, typename T, typename Layout>
struct fragment<matrix_b, m, n, k, T, Layout> : port_elements<T, port_shape<m, n, k>::b> {};
template <int m, int n, int k, typename T>
struct fragment<accumulator, m, n, k, T, void> : port_elements<T, port_shape<m, n, k>::acc> {};

PORT_DEVICE int port_fragment_lane() { return (int)(__lane_id() & 31u); }

// The order of memory accesses between the lanes of a tile.
PORT_DEVICE void port_fragment_fence() {
#ifdef PORT_ORACLE
  port_oracle_syncwarp(0xffffffffull << (__lane_id() & 32u));
#else
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "wavefront");
  __builtin_amdgcn_wave_barrier();
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "wavefront");
#endif
}

// The row or column of a matrix in memory that element i of this lane has.
template <int m, int n, int k>
PORT_DEVICE void port_place(matrix_a, int i, int *row, int *column) {
  typedef port_shape<m, n, k> shape;
  *row = port_fragment_lane() / shape::sharing;
  *column = port_fragment_lane() % shape::sharing * shape::a + i;
}
template <int m, int n, int k>
PORT_DEVICE void port_place(matrix_b, int i, int *row, int *column) {
  typedef port_shape<m, n, k> shape;
  const int element = port_fragment_lane() / shape::sharing * shape::b + i;
  *row = element / shape::acc;
  *column = port_fragment_lane() % shape::sharing * shape::acc + element % shape::acc;
}
template <int m, int n, int k>
PORT_DEVICE void port_place(accumulator, int i, int *row, int *column) {
  typedef port_shape<m, n, k> shape;
  *row = port_fragment_lane() / shape::sharing;
  *column = port_fragment_lane() % shape::sharing * shape::acc + i;
}
PORT_DEVICE size_t port_offset(row_major, int row, int column, unsigned int stride) {
  return (size_t)row * stride + (size_t)column;
}
PORT_DEVICE size_t port_offset(col_major, int row, int column, unsigned int stride) {
  return (size_t)column * stride + (size_t)row;
}

template <typename Use, int m, int n, int k, typename T, typename Layout>
PORT_DEVICE void fill_fragment(fragment<Use, m, n, k, T, Layout> &target,
                               const typename port_element<T>::stored &value) {
#pragma unroll
  for (int i = 0; i < (int)target.num_elements; ++i) target.x[i] = value;
}

template <typename Use, int m, int n, int k, typename T, typename Layout>
PORT_DEVICE void load_matrix_sync(fragment<Use, m, n, k, T, Layout> &target,
                                  const typename port_element<T>::stored *source,
                                  unsigned int stride) {
  port_fragment_fence();
#pragma unroll
  for (int i = 0; i < (int)target.num_elements; ++i) {
    int row, column;
    port_place<m, n, k>(Use(), i, &row, &column);
    target.x[i] = source[port_offset(Layout(), row, column, stride)];
  }
}
template <int m, int n, int k, typename T>
PORT_DEVICE void load_matrix_sync(fragment<accumulator, m, n, k, T> &target,
                                  const typename port_element<T>::stored *source,
                                  unsigned int stride, layout_t layout) {
  port_fragment_fence();
#pragma unroll
  for (int i = 0; i < (int)target.num_elements; ++i) {
    int row, column;
    port_place<m, n, k>(accumulator(), i, &row, &column);
    target.x[i] = source[layout == mem_row_major ? port_offset(row_major(), row, column, stride)
                                                 : port_offset(col_major(), row, column, stride)];
  }
}

template <int m, int n, int k, typename T>
PORT_DEVICE void store_matrix_sync(typename port_element<T>::stored *target,
                                   const fragment<accumulator, m, n, k, T> &source,
                                   unsigned int stride, layout_t layout) {
#pragma unroll
  for (int i = 0; i < (int)source.num_elements; ++i) {
    int row, column;
    port_place<m, n, k>(accumulator(), i, &row, &column);
    target[layout == mem_row_major ? port_offset(row_major(), row, column, stride)
                                   : port_offset(col_major(), row, column, stride)] = source.x[i];
  }
  port_fragment_fence();
}

// The elements of another lane of the 32.
template <typename T, int count>
PORT_DEVICE port_elements<T, count> port_elements_from(port_elements<T, count> elements, int lane) {
  int words[(sizeof(elements) + 3) / 4] = {};
  __builtin_memcpy(words, (const void *)&elements, sizeof(elements));
#pragma unroll
  for (int i = 0; i < (int)((sizeof(elements) + 3) / 4); ++i) words[i] = __shfl(words[i], lane, 32);
  __builtin_memcpy((void *)&elements, words, sizeof(elements));
  return elements;
}

// D = A B + C. The products of an element are added in the order of k, each with one rounding.
template <int m, int n, int k, typename T, typename LayoutA, typename LayoutB, typename D,
          typename C>
PORT_DEVICE void mma_sync(fragment<accumulator, m, n, k, D> &d,
                          const fragment<matrix_a, m, n, k, T, LayoutA> &a,
                          const fragment<matrix_b, m, n, k, T, LayoutB> &b,
                          const fragment<accumulator, m, n, k, C> &c, bool saturate = false) {
  typedef port_shape<m, n, k> shape;
  typedef port_element<T> element;
  typedef typename element::sum sum_type;
  (void)saturate;  // Of CUDA's types only integers of fewer bits than these could saturate.
  const int lane = port_fragment_lane();
  const int first = lane / shape::sharing * shape::sharing;
  PORT_WARP_MEMBERS(0xffffffffull << (__lane_id() & 32u));
  sum_type row[k];
#pragma unroll
  for (int part = 0; part < (int)shape::sharing; ++part) {
    const port_elements<T, shape::a> elements = port_elements_from<T, shape::a>(a, first + part);
#pragma unroll
    for (int i = 0; i < (int)shape::a; ++i)
      row[part * shape::a + i] = element::value(elements.x[i]);
  }
  sum_type sums[shape::acc];
#pragma unroll
  for (int i = 0; i < (int)shape::acc; ++i) sums[i] = (sum_type)port_element<C>::value(c.x[i]);
#pragma unroll
  for (int part = 0; part < 32 / (int)shape::sharing; ++part) {
    const int holder = part * shape::sharing + lane % shape::sharing;
    const port_elements<T, shape::b> elements = port_elements_from<T, shape::b>(b, holder);
#pragma unroll
    for (int i = 0; i < (int)shape::b; ++i) {
      const int place = part * shape::b + i;
      const int column = place % shape::acc;
      sums[column] = element::add_product(row[place / shape::acc], element::value(elements.x[i]),
                                          sums[column]);
    }
  }
  PORT_WARP_MEMBERS(0);
#pragma unroll
  for (int i = 0; i < (int)shape::acc; ++i) d.x[i] = (typename port_element<D>::stored)sums[i];
}

// To the nearest number of 11 digits, away from zero where two are as near.
PORT_DEVICE float __float_to_tf32(float value) {
  const unsigned int bits = port_bits_to<unsigned int>(value);
  if ((bits & 0x7f800000u) == 0x7f800000u) return value;
  return port_bits_to<float>((bits + 0x1000u) & 0xffffe000u);
}

}  // namespace wmma
}  // namespace port_nvcuda

namespace port_wmma = port_nvcuda::wmma;

//@ section wmma-bfloat16
//@ provides port_nvcuda port_wmma
//@ with port_bfloat16 port_bfloat162
//@ needs wmma bfloat16
namespace port_nvcuda {
namespace wmma {

template <>
struct port_element<port_bfloat16> {
  typedef port_bfloat16 stored;
  typedef float sum;
  PORT_DEVICE static float value(port_bfloat16 stored) { return (float)stored; }
  PORT_DEVICE static float add_product(float a, float b, float sum) {
    return __builtin_fmaf(a, b, sum);
  }
};

}  // namespace wmma
}  // namespace port_nvcuda
