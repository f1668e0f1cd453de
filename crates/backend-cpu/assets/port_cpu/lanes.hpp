// Operations of the lanes of a warp and of the threads of a block, over arrays with an element for
// each thread. A warp is 32 threads in the order of their numbers.
#pragma once

#include "arithmetic.hpp"
#include "launch.hpp"

namespace port_cpu {

// A mask in which everyone takes part.
struct Everyone {
    constexpr bool operator[](std::uint32_t) const { return true; }
};
constexpr Everyone everyone{};

// A value that is the same for every thread.
template <class T> struct Each {
    T value;
    constexpr T operator[](std::uint32_t) const { return value; }
};
template <class T> constexpr Each<T> each(T value) { return Each<T>{value}; }
template <class T> constexpr bool is_each = false;
template <class T> constexpr bool is_each<Each<T>> = true;

inline bool any(const std::uint8_t* mask, std::uint32_t threads) {
    return std::memchr(mask, 1, threads) != nullptr;
}
template <class T> inline void fill(T* values, int value, std::uint32_t threads) {
    for (std::uint32_t t = 0; t < threads; ++t) values[t] = T(value);
}

// The lane and the warp of a thread.
inline std::uint32_t lane_of(std::size_t t) { return std::uint32_t(t % 32); }
inline std::uint32_t warp_of(std::size_t t) { return std::uint32_t(t / 32); }
// The masks of lanes that stand in a relation to the own one.
inline std::uint32_t lanes_equal(std::size_t t) { return 1u << (t % 32); }
inline std::uint32_t lanes_below(std::size_t t) { return (1u << (t % 32)) - 1; }
inline std::uint32_t lanes_to(std::size_t t) { return ~0u >> (31 - t % 32); }
inline std::uint32_t lanes_above(std::size_t t) { return ~lanes_to(t); }
inline std::uint32_t lanes_from(std::size_t t) { return ~lanes_below(t); }

// A barrier in a branch: all threads of the block must have come.
template <class Alive, class Active>
inline void all_together(std::uint32_t threads, const Alive& alive, const Active& active,
                         const char* file, int line) {
    for (std::uint32_t t = 0; t < threads; ++t) {
        if (alive[t] && !active[t]) {
            std::fprintf(stderr, "%s:%d: not all threads of the block come to this barrier\n", file,
                         line);
            std::abort();
        }
    }
}
template <class Active, class Predicate>
inline std::int32_t count_threads(std::uint32_t threads, const Active& active,
                                  const Predicate& predicate) {
    std::int32_t count = 0;
    for (std::uint32_t t = 0; t < threads; ++t) count += active[t] && predicate[t];
    return count;
}
template <class Active, class Predicate>
inline bool all_threads(std::uint32_t threads, const Active& active, const Predicate& predicate) {
    bool result = true;
    for (std::uint32_t t = 0; t < threads; ++t) result &= !active[t] || predicate[t];
    return result;
}
template <class Active, class Predicate>
inline bool any_threads(std::uint32_t threads, const Active& active, const Predicate& predicate) {
    bool result = false;
    for (std::uint32_t t = 0; t < threads; ++t) result |= active[t] && predicate[t];
    return result;
}

// Shuffles. A lane whose source takes no part gets all ones: a GPU leaves open what it gets.
namespace detail {
// How many of the lanes from `warp` on take part: none, some or all 32.
enum class Part { none, some, all };
inline Part part_of(const Everyone&, std::uint32_t, std::uint32_t count) {
    return count == 32 ? Part::all : Part::some;
}
inline Part part_of(const std::uint8_t* active, std::uint32_t warp, std::uint32_t count) {
    std::uint32_t number = 0;
    for (std::uint32_t i = 0; i < count; ++i) number += active[warp + i];
    return number == 0 ? Part::none : number == 32 ? Part::all : Part::some;
}

// Whole warps whose lanes all read at the same distance: copies of runs.
template <class T> inline void copy_run(T* to, const T* from, std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) to[i] = from[i];
}
struct ByIndex {
    static std::uint32_t source(std::uint32_t i, std::uint32_t lane, std::uint32_t width) {
        return (i & ~(width - 1)) + (lane & (width - 1));
    }
    template <class T>
    static bool whole(T* result, const T* values, std::uint32_t lane, std::uint32_t width) {
        for (std::uint32_t s = 0; s < 32; s += width) {
            const T value = values[s + (lane & (width - 1))];
            for (std::uint32_t i = 0; i < width; ++i) result[s + i] = value;
        }
        return true;
    }
};
struct Up {
    static std::uint32_t source(std::uint32_t i, std::uint32_t lane, std::uint32_t width) {
        lane &= 31;
        return lane <= (i & (width - 1)) ? i - lane : i;
    }
    template <class T>
    static bool whole(T* result, const T* values, std::uint32_t lane, std::uint32_t width) {
        lane &= 31;
        const std::uint32_t own = lane < width ? lane : width;
        for (std::uint32_t s = 0; s < 32; s += width) {
            copy_run(result + s, values + s, own);
            copy_run(result + s + own, values + s, width - own);
        }
        return true;
    }
};
struct Down {
    static std::uint32_t source(std::uint32_t i, std::uint32_t lane, std::uint32_t width) {
        lane &= 31;
        return (i & (width - 1)) + lane < width ? i + lane : i;
    }
    template <class T>
    static bool whole(T* result, const T* values, std::uint32_t lane, std::uint32_t width) {
        lane &= 31;
        const std::uint32_t own = lane < width ? lane : width;
        for (std::uint32_t s = 0; s < 32; s += width) {
            copy_run(result + s, values + s + own, width - own);
            copy_run(result + s + width - own, values + s + width - own, own);
        }
        return true;
    }
};
struct Xor {
    static std::uint32_t source(std::uint32_t i, std::uint32_t lane, std::uint32_t width) {
        const std::uint32_t from = i ^ (lane & 31);
        return from < (i & ~(width - 1)) + width ? from : i;
    }
    template <class T>
    static bool whole(T* result, const T* values, std::uint32_t lane, std::uint32_t width) {
        lane &= 31;
        if (lane == 0 || lane >= width || (lane & (lane - 1)) != 0) return false;
        for (std::uint32_t s = 0; s < 32; s += 2 * lane) {
            copy_run(result + s, values + s + lane, lane);
            copy_run(result + s + lane, values + s, lane);
        }
        return true;
    }
};

template <class Kind, class Active, class T, class Values, class Lane, class Width>
inline void shuffle(std::uint32_t threads, const Active& active, T* result, const Values& values,
                    const Lane& lane, const Width& width) {
    for (std::uint32_t warp = 0; warp < threads; warp += 32) {
        const std::uint32_t count = threads - warp < 32 ? threads - warp : 32;
        const Part part = part_of(active, warp, count);
        if (part == Part::none) continue;
        if constexpr (std::is_pointer<Values>::value && is_each<Lane> && is_each<Width>) {
            if (part == Part::all && Kind::whole(result + warp, values + warp, std::uint32_t(lane[0]),
                                                 std::uint32_t(width[0]))) {
                continue;
            }
        }
        for (std::uint32_t i = 0; i < count; ++i) {
            const std::uint32_t t = warp + i;
            if (!active[t]) continue;
            const std::uint32_t from =
                Kind::source(i, std::uint32_t(lane[t]), std::uint32_t(width[t]));
            if (from < count && active[warp + from]) {
                result[t] = values[warp + from];
            } else {
                std::memset(static_cast<void*>(&result[t]), 0xff, sizeof(T));
            }
        }
    }
}
}  // namespace detail

#define PORT_CPU_SHUFFLE(name, Kind)                                                               \
    template <class Active, class T, class Values, class Lane, class Width>                        \
    inline void name(std::uint32_t threads, const Active& active, T* result, const Values& values, \
                     const Lane& lane, const Width& width) {                                       \
        detail::shuffle<detail::Kind>(threads, active, result, values, lane, width);               \
    }
PORT_CPU_SHUFFLE(shuffle_index, ByIndex)
PORT_CPU_SHUFFLE(shuffle_up, Up)
PORT_CPU_SHUFFLE(shuffle_down, Down)
PORT_CPU_SHUFFLE(shuffle_xor, Xor)
#undef PORT_CPU_SHUFFLE

// Whether a shuffle's source lies in the lane's own segment.
template <class Lane, class Width>
inline void shuffle_index_in_range(std::uint32_t threads, bool* result, const Lane& lane,
                                   const Width& width) {
    for (std::uint32_t t = 0; t < threads; ++t) {
        result[t] = std::uint32_t(lane[t]) < std::uint32_t(width[t]);
    }
}
template <class Lane, class Width>
inline void shuffle_up_in_range(std::uint32_t threads, bool* result, const Lane& lane,
                                const Width& width) {
    for (std::uint32_t t = 0; t < threads; ++t) {
        result[t] = (std::uint32_t(lane[t]) & 31) <= (t % 32 & (std::uint32_t(width[t]) - 1));
    }
}
template <class Lane, class Width>
inline void shuffle_down_in_range(std::uint32_t threads, bool* result, const Lane& lane,
                                  const Width& width) {
    for (std::uint32_t t = 0; t < threads; ++t) {
        const std::uint32_t w = std::uint32_t(width[t]);
        result[t] = (t % 32 & (w - 1)) + (std::uint32_t(lane[t]) & 31) < w;
    }
}
template <class Lane, class Width>
inline void shuffle_xor_in_range(std::uint32_t threads, bool* result, const Lane& lane,
                                 const Width& width) {
    for (std::uint32_t t = 0; t < threads; ++t) {
        const std::uint32_t i = t % 32, w = std::uint32_t(width[t]);
        result[t] = (i ^ (std::uint32_t(lane[t]) & 31)) < (i & ~(w - 1)) + w;
    }
}

// Calls `action(warp, lanes)` for each warp with the bits of the lanes that take part.
namespace detail {
template <class Active, class Action>
inline void for_warps(std::uint32_t threads, const Active& active, Action action) {
    for (std::uint32_t warp = 0; warp < threads; warp += 32) {
        const std::uint32_t count = threads - warp < 32 ? threads - warp : 32;
        std::uint32_t lanes = 0;
        for (std::uint32_t i = 0; i < count; ++i) lanes |= std::uint32_t(active[warp + i] != 0) << i;
        if (lanes) action(warp, lanes);
    }
}
template <class Active, class Result, class Mask, class Predicate, class Answer>
inline void vote(std::uint32_t threads, const Active& active, Result* result, const Mask& mask,
                 const Predicate& predicate, Answer answer) {
    for_warps(threads, active, [&](std::uint32_t warp, std::uint32_t lanes) {
        std::uint32_t holds = 0;
        for (std::uint32_t left = lanes; left; left &= left - 1) {
            const std::uint32_t i = std::uint32_t(__builtin_ctz(left));
            holds |= std::uint32_t(predicate[warp + i] != 0) << i;
        }
        for (std::uint32_t left = lanes; left; left &= left - 1) {
            const std::uint32_t i = std::uint32_t(__builtin_ctz(left));
            const std::uint32_t named = std::uint32_t(mask[warp + i]) & lanes;
            result[warp + i] = Result(answer(holds & named, named));
        }
    });
}
}  // namespace detail

#define PORT_CPU_VOTE(name, answer)                                                                \
    template <class Active, class Result, class Mask, class Predicate>                             \
    inline void name(std::uint32_t threads, const Active& active, Result* result, const Mask& mask, \
                     const Predicate& predicate) {                                                 \
        detail::vote(threads, active, result, mask, predicate,                                     \
                     [](std::uint32_t holds, std::uint32_t named) {                                \
                         (void)named;                                                              \
                         return answer;                                                            \
                     });                                                                           \
    }
PORT_CPU_VOTE(vote_any, holds != 0)
PORT_CPU_VOTE(vote_all, holds == named)
PORT_CPU_VOTE(vote_uniform, holds == named || holds == 0)
PORT_CPU_VOTE(vote_ballot, holds)
#undef PORT_CPU_VOTE

template <class Active, class Result>
inline void active_mask(std::uint32_t threads, const Active& active, Result* result) {
    vote_ballot(threads, active, result, each(~0u), each(true));
}
template <class Active, class Mask>
inline void elect(std::uint32_t threads, const Active& active, bool* result, const Mask& mask) {
    detail::for_warps(threads, active, [&](std::uint32_t warp, std::uint32_t lanes) {
        for (std::uint32_t left = lanes; left; left &= left - 1) {
            const std::uint32_t i = std::uint32_t(__builtin_ctz(left));
            const std::uint32_t named = std::uint32_t(mask[warp + i]) & lanes;
            result[warp + i] = named && std::uint32_t(__builtin_ctz(named)) == i;
        }
    });
}

// Which lanes hold the same bits.
namespace detail {
template <class Values>
inline std::uint32_t same_lanes(const Values& values, std::uint32_t warp, std::uint32_t i,
                                std::uint32_t lanes) {
    const auto own = values[warp + i];
    std::uint32_t same = 0;
    for (std::uint32_t left = lanes; left; left &= left - 1) {
        const std::uint32_t other = std::uint32_t(__builtin_ctz(left));
        const auto theirs = values[warp + other];
        same |= std::uint32_t(std::memcmp(&own, &theirs, sizeof own) == 0) << other;
    }
    return same;
}
template <class Active, class Result, class Mask, class Values, class Answer>
inline void match(std::uint32_t threads, const Active& active, Result* result, const Mask& mask,
                  const Values& values, Answer answer) {
    for_warps(threads, active, [&](std::uint32_t warp, std::uint32_t lanes) {
        for (std::uint32_t left = lanes; left; left &= left - 1) {
            const std::uint32_t i = std::uint32_t(__builtin_ctz(left));
            const std::uint32_t named = std::uint32_t(mask[warp + i]) & lanes;
            result[warp + i] = Result(answer(same_lanes(values, warp, i, named), named));
        }
    });
}
}  // namespace detail

#define PORT_CPU_MATCH(name, answer)                                                               \
    template <class Active, class Result, class Mask, class Values>                                \
    inline void name(std::uint32_t threads, const Active& active, Result* result, const Mask& mask, \
                     const Values& values) {                                                       \
        detail::match(threads, active, result, mask, values,                                       \
                      [](std::uint32_t same, std::uint32_t named) {                                \
                          (void)named;                                                             \
                          return answer;                                                           \
                      });                                                                          \
    }
PORT_CPU_MATCH(match_any, same)
PORT_CPU_MATCH(match_all, same == named ? same : 0u)
PORT_CPU_MATCH(match_all_same, same == named)
#undef PORT_CPU_MATCH

// Reductions over the lanes of a mask, in the order of the lanes.
namespace detail {
template <class Active, class T, class Mask, class Values, class Combine>
inline void reduce(std::uint32_t threads, const Active& active, T* result, const Mask& mask,
                   const Values& values, Combine combine) {
    for_warps(threads, active, [&](std::uint32_t warp, std::uint32_t lanes) {
        std::uint32_t known = 0;
        T total{};
        for (std::uint32_t left = lanes; left; left &= left - 1) {
            const std::uint32_t i = std::uint32_t(__builtin_ctz(left));
            const std::uint32_t named = std::uint32_t(mask[warp + i]) & lanes;
            if (named != known) {
                known = named;
                bool first = true;
                for (std::uint32_t rest = named; rest; rest &= rest - 1) {
                    const T value = values[warp + std::uint32_t(__builtin_ctz(rest))];
                    total = first ? value : T(combine(total, value));
                    first = false;
                }
            }
            result[warp + i] = total;
        }
    });
}
}  // namespace detail

#define PORT_CPU_REDUCE(name, expression)                                                          \
    template <class Active, class T, class Mask, class Values>                                     \
    inline void name(std::uint32_t threads, const Active& active, T* result, const Mask& mask,     \
                     const Values& values) {                                                       \
        detail::reduce(threads, active, result, mask, values,                                      \
                       [](T a, T b) { return expression; });                                       \
    }
PORT_CPU_REDUCE(reduce_add, add(a, b))
PORT_CPU_REDUCE(reduce_minimum, minimum(a, b))
PORT_CPU_REDUCE(reduce_maximum, maximum(a, b))
PORT_CPU_REDUCE(reduce_and, a & b)
PORT_CPU_REDUCE(reduce_or, a | b)
PORT_CPU_REDUCE(reduce_xor, a ^ b)
#undef PORT_CPU_REDUCE

// Matrix fragments: element e of a tile, counted by rows, lies in lane e % 32, place e / 32.
enum class MatrixOrder { rows, columns };

template <class T, int length> struct fragment {
    T values[length];
};

template <int rows, int columns, MatrixOrder layout, class T, int length, class Memory>
inline void load_fragment(fragment<T, length>& tile, const Memory* memory, std::size_t stride,
                          std::uint32_t lane) {
    static_assert(rows * columns == length * 32, "a tile is spread over 32 lanes");
    for (int i = 0; i < length; ++i) {
        const std::size_t element = std::size_t(i) * 32 + lane;
        const std::size_t row = element / columns, column = element % columns;
        tile.values[i] = layout == MatrixOrder::rows ? memory[row * stride + column]
                                                : memory[column * stride + row];
    }
}
template <int rows, int columns, MatrixOrder layout, class T, int length, class Memory>
inline void store_fragment(const fragment<T, length>& tile, Memory* memory, std::size_t stride,
                           std::uint32_t lane) {
    static_assert(rows * columns == length * 32, "a tile is spread over 32 lanes");
    for (int i = 0; i < length; ++i) {
        const std::size_t element = std::size_t(i) * 32 + lane;
        const std::size_t row = element / columns, column = element % columns;
        (layout == MatrixOrder::rows ? memory[row * stride + column] : memory[column * stride + row]) =
            tile.values[i];
    }
}

namespace detail {
inline float element(f16 x) { return widen(x); }
inline float element(bf16 x) { return widen(x); }
inline float element(float x) { return x; }
inline double element(double x) { return x; }
inline std::int32_t element(std::int8_t x) { return x; }
inline std::int32_t element(std::uint8_t x) { return x; }
inline std::int32_t element(std::int32_t x) { return x; }

template <class T> struct Store {
    template <class Sum> static T from(Sum sum) { return T(sum); }
};
template <> struct Store<f16> {
    static f16 from(float sum) { return convert<f16, Rounding::nearest>(sum); }
};

inline float to_tf32(float x) { return bits<float>(bits<std::uint32_t>(x) & 0xffffe000u); }
template <class T> T to_tf32(T x) { return x; }
}  // namespace detail

// d = a · b + c by warps: each element of d is c plus the products in order, each sum rounded once.
template <int m, int n, int k, bool tf32, class Active, class D, int ld, class A, int la, class B,
          int lb, class C, int lc>
inline void multiply_fragments(std::uint32_t threads, const Active& active, fragment<D, ld>* d,
                               const fragment<A, la>* a, const fragment<B, lb>* b,
                               const fragment<C, lc>* c) {
    using detail::element;
    using Sum = decltype(element(A()) * element(B()));
    for (std::uint32_t warp = 0; warp + 32 <= threads; warp += 32) {
        if (!active[warp]) continue;
        Sum left[m][k], right[k][n], sums[m][n];
        for (int i = 0; i < m * k; ++i) {
            const Sum value = element(a[warp + std::uint32_t(i % 32)].values[i / 32]);
            left[i / k][i % k] = tf32 ? detail::to_tf32(value) : value;
        }
        for (int i = 0; i < k * n; ++i) {
            const Sum value = element(b[warp + std::uint32_t(i % 32)].values[i / 32]);
            right[i / n][i % n] = tf32 ? detail::to_tf32(value) : value;
        }
        for (int i = 0; i < m * n; ++i) {
            sums[i / n][i % n] = Sum(element(c[warp + std::uint32_t(i % 32)].values[i / 32]));
        }
        for (int i = 0; i < m; ++i) {
            for (int l = 0; l < k; ++l) {
                for (int j = 0; j < n; ++j) {
                    sums[i][j] = add(sums[i][j], mul(left[i][l], right[l][j]));
                }
            }
        }
        for (int i = 0; i < m * n; ++i) {
            d[warp + std::uint32_t(i % 32)].values[i / 32] =
                detail::Store<D>::from(sums[i / n][i % n]);
        }
    }
}

}  // namespace port_cpu
