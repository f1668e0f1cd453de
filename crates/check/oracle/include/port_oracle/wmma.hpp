// nvcuda::wmma: matrix fragments spread over the lanes of a warp.
//
// Element e of a fragment (row-major) lies in lane e % 32, slot e / 32; CUDA leaves that open.
// mma_sync computes each element as c, plus the products in order of k, one rounding for each sum:
//   half and bf16 inputs: products are exact in f32, sums are f32; a half accumulator is rounded once
//   at the end; tf32 inputs keep 10 fraction bits; integers are exact; f64 rounds products too.
// Tensor cores add in another order and precision: this is the order that ports are held to.
#pragma once

#include "bfloat16.hpp"
#include "warp.hpp"

namespace nvcuda {
namespace wmma {

struct matrix_a {};
struct matrix_b {};
struct accumulator {};
struct row_major {};
struct col_major {};
enum layout_t { mem_row_major, mem_col_major };

namespace precision {
struct tf32 {};
struct u4 {};
struct s4 {};
struct b1 {};
}  // namespace precision

namespace detail {

template <class Use, int m, int n, int k> struct Shape;
template <int m, int n, int k> struct Shape<matrix_a, m, n, k> {
    static constexpr int rows = m, columns = k;
};
template <int m, int n, int k> struct Shape<matrix_b, m, n, k> {
    static constexpr int rows = k, columns = n;
};
template <int m, int n, int k> struct Shape<accumulator, m, n, k> {
    static constexpr int rows = m, columns = n;
};

template <class T> struct Storage { using type = T; };
template <> struct Storage<precision::tf32> { using type = float; };

template <class T> struct IsColumns { static constexpr bool value = false; };
template <> struct IsColumns<col_major> { static constexpr bool value = true; };

// The type in which products are summed, and elements converted to it.
inline float value(__half x) { return __half2float(x); }
inline float value(__nv_bfloat16 x) { return __bfloat162float(x); }
inline float value(float x) { return x; }
inline double value(double x) { return x; }
inline int value(signed char x) { return x; }
inline int value(unsigned char x) { return x; }
inline int value(int x) { return x; }

template <class T, class From> inline T narrow(From x) { return T(x); }
template <> inline __half narrow<__half, float>(float x) { return __float2half(x); }

}  // namespace detail

template <class Use, int m, int n, int k, class T, class Layout = void>
class fragment {
public:
    using element_type = T;
    using storage_element_type = typename detail::Storage<T>::type;
    static constexpr int rows = detail::Shape<Use, m, n, k>::rows;
    static constexpr int columns = detail::Shape<Use, m, n, k>::columns;
    static constexpr int num_elements = rows * columns / 32;
    static constexpr int num_storage_elements = num_elements;
    storage_element_type x[num_elements];
};

template <class Use, int m, int n, int k, class T, class Layout, class V>
inline void fill_fragment(fragment<Use, m, n, k, T, Layout>& f, const V& value) {
    for (int i = 0; i < f.num_elements; ++i) {
        f.x[i] = typename detail::Storage<T>::type(value);
    }
}

namespace detail {

template <class Fragment, class Memory, class Action>
inline void for_own(Fragment& f, Memory* memory, unsigned leading, bool by_columns, Action action) {
    for (int i = 0; i < Fragment::num_elements; ++i) {
        unsigned element = unsigned(i) * 32 + port_oracle::lane_index;
        unsigned row = element / Fragment::columns, column = element % Fragment::columns;
        action(f.x[i], memory[by_columns ? column * std::size_t(leading) + row
                                         : row * std::size_t(leading) + column]);
    }
}

}  // namespace detail

template <class Use, int m, int n, int k, class T, class Layout, class M>
inline void load_matrix_sync(fragment<Use, m, n, k, T, Layout>& f, const M* memory, unsigned leading,
                             port_oracle::Site site = port_oracle::Site::here()) {
    port_oracle::synchronise_named(0xffffffffu, "load_matrix_sync", site);
    detail::for_own(f, memory, leading, detail::IsColumns<Layout>::value,
                    [](auto& own, const M& there) { own = there; });
}
template <int m, int n, int k, class T, class M>
inline void load_matrix_sync(fragment<accumulator, m, n, k, T>& f, const M* memory, unsigned leading,
                             layout_t layout, port_oracle::Site site = port_oracle::Site::here()) {
    port_oracle::synchronise_named(0xffffffffu, "load_matrix_sync", site);
    detail::for_own(f, memory, leading, layout == mem_col_major,
                    [](auto& own, const M& there) { own = there; });
}
template <int m, int n, int k, class T, class M>
inline void store_matrix_sync(M* memory, const fragment<accumulator, m, n, k, T>& f, unsigned leading,
                              layout_t layout, port_oracle::Site site = port_oracle::Site::here()) {
    detail::for_own(f, memory, leading, layout == mem_col_major,
                    [](const auto& own, M& there) { there = own; });
    port_oracle::synchronise_named(0xffffffffu, "store_matrix_sync", site);
}

namespace detail {

template <class D, class A, class B, class C> struct Operands {
    D* d;
    const A* a;
    const B* b;
    const C* c;
};

// The element of a fragment whose parts the lanes of a meeting hold.
template <class Part, class Record, class Pick>
inline auto& element(const port_oracle::Meeting& meeting, int row, int column, Pick pick) {
    int index = row * Part::columns + column;
    return pick(static_cast<Record*>(meeting.records[index % 32]))->x[index / 32];
}

template <class T> struct Truncate {
    template <class V> static V apply(V x) { return x; }
};
template <> struct Truncate<precision::tf32> {
    static float apply(float x) {
        return port_oracle::bit_cast<float>(port_oracle::bit_cast<unsigned>(x) & 0xffffe000u);
    }
};

template <class D, class A, class B, class C>
void multiply(const port_oracle::Meeting& meeting) {
    using Record = Operands<D, A, B, C>;
    constexpr int rows = C::rows, columns = C::columns, depth = A::columns;
    using Sum = decltype(value(typename A::storage_element_type()) *
                         value(typename B::storage_element_type()));
    Sum sums[rows][columns];
    for (int i = 0; i < rows; ++i) {
        for (int j = 0; j < columns; ++j) {
            Sum sum = value(element<C, Record>(meeting, i, j, [](Record* r) { return r->c; }));
            for (int l = 0; l < depth; ++l) {
                auto a = element<A, Record>(meeting, i, l, [](Record* r) { return r->a; });
                auto b = element<B, Record>(meeting, l, j, [](Record* r) { return r->b; });
                sum += Truncate<typename A::element_type>::apply(value(a)) *
                       Truncate<typename B::element_type>::apply(value(b));
            }
            sums[i][j] = sum;
        }
    }
    // The result may be the accumulator itself, so it is written last.
    for (int i = 0; i < rows; ++i) {
        for (int j = 0; j < columns; ++j) {
            element<D, Record>(meeting, i, j, [](Record* r) { return r->d; }) =
                narrow<typename D::storage_element_type>(sums[i][j]);
        }
    }
}

}  // namespace detail

template <int m, int n, int k, class TD, class TA, class LA, class TB, class LB, class TC>
inline void mma_sync(fragment<accumulator, m, n, k, TD>& d,
                     const fragment<matrix_a, m, n, k, TA, LA>& a,
                     const fragment<matrix_b, m, n, k, TB, LB>& b,
                     const fragment<accumulator, m, n, k, TC>& c, bool = false,
                     port_oracle::Site site = port_oracle::Site::here()) {
    using D = fragment<accumulator, m, n, k, TD>;
    using A = fragment<matrix_a, m, n, k, TA, LA>;
    using B = fragment<matrix_b, m, n, k, TB, LB>;
    using C = fragment<accumulator, m, n, k, TC>;
    detail::Operands<D, A, B, C> operands{&d, &a, &b, &c};
    port_oracle::meet_named(0xffffffffu, &operands, detail::multiply<D, A, B, C>, "mma_sync", site);
}

// Rounds to 10 fraction bits, ties away from zero (PTX cvt.rna.tf32.f32).
inline float __float_to_tf32(float x) {
    unsigned bits = port_oracle::bit_cast<unsigned>(x);
    if ((bits & 0x7f800000u) != 0x7f800000u) bits += 0x1000u;
    return port_oracle::bit_cast<float>(bits & 0xffffe000u);
}

}  // namespace wmma
}  // namespace nvcuda
