// Vector instructions, lane by lane: arithmetic, logic, conversion, comparison and selection. Each has the three forms of
// the API: a count of elements, a mask of the first lanes with repeats and strides, a mask of bits.
#pragma once

#include <cmath>
#include <port_ascend/operand.h>

namespace port_ascend {

// The arithmetic of an element type: half computes in float and rounds once.
template <typename T> struct Arithmetic { typedef T wide; };
template <> struct Arithmetic<half> { typedef float wide; };
template <> struct Arithmetic<bfloat16_t> { typedef float wide; };
template <typename T> inline typename Arithmetic<T>::wide widen(T value) { return typename Arithmetic<T>::wide(value); }

template <typename T> inline T wrap_add(T a, T b) {
    if constexpr (std::is_integral<T>::value) return T(std::make_unsigned_t<T>(a) + std::make_unsigned_t<T>(b));
    else return T(widen(a) + widen(b));
}
template <typename T> inline T wrap_sub(T a, T b) {
    if constexpr (std::is_integral<T>::value) return T(std::make_unsigned_t<T>(a) - std::make_unsigned_t<T>(b));
    else return T(widen(a) - widen(b));
}
template <typename T> inline T wrap_mul(T a, T b) {
    if constexpr (std::is_integral<T>::value) return T(uint64_t(int64_t(a)) * uint64_t(int64_t(b)));
    else return T(widen(a) * widen(b));
}
template <typename T> inline T larger(T a, T b) {
    if constexpr (!std::is_integral<T>::value) { if (a != a) return a; }
    return b > a || b != b ? b : a;
}
template <typename T> inline T smaller(T a, T b) {
    if constexpr (!std::is_integral<T>::value) { if (a != a) return a; }
    return b < a || b != b ? b : a;
}
template <typename T> inline T divide(T a, T b) {
    if constexpr (std::is_integral<T>::value) return b == 0 ? T(-1) : T(a / b);
    else return T(widen(a) / widen(b));
}
// 1/x and 1/sqrt(x) of the vector unit are approximations that miss 1e-4 (float) and 1e-3 (half): here the exact value
// keeps 12 (9) bits of its fraction.
template <typename T> inline T coarse(float value) {
    if (!(std::fabs(value) < INFINITY) || value == 0) return T(value);
    uint32_t drop = std::is_same<T, half>::value ? 14 : 11;
    uint32_t bits = bits_of_float(value);
    bits = (bits + (1u << (drop - 1))) >> drop << drop;
    return T(float_of_bits(bits));
}

template <typename... Of, typename T> inline bool check_type(const char* call, Site site, const char* names, T*) {
    if (is_one_of<T, Of...>::value) return true;
    unsupported_type(call, site, type_name<T>(), names);
    return false;
}
#define PORT_ASCEND_TYPES(call, T, names, ...) ::port_ascend::check_type<__VA_ARGS__>(call, site, names, static_cast<T*>(nullptr))

template <typename T> inline std::pair<Operand, T*> from(Operand o, const AscendC::LocalTensor<T>&) { return {o, nullptr}; }

template <typename D, typename S0, typename S1, typename F>
inline void binary(const char* call, Site site, double cost, const AscendC::LocalTensor<D>& d, const AscendC::LocalTensor<S0>& a, const AscendC::LocalTensor<S1>& b,
                   int64_t count, F f) {
    Shape shape = shape_of_count(count, sizeof(D) > sizeof(S0) ? sizeof(D) : sizeof(S0));
    begin_vector(call, site, shape, cost);
    map_lanes<D>(shape, operand(d), f, from(operand(a), a), from(operand(b), b));
}
template <typename D, typename S0, typename S1, typename F>
inline void binary(const char* call, Site site, double cost, const AscendC::LocalTensor<D>& d, const AscendC::LocalTensor<S0>& a, const AscendC::LocalTensor<S1>& b,
                   const Shape& shape, const AscendC::BinaryRepeatParams& p, F f) {
    begin_vector(call, site, shape, cost);
    map_lanes<D>(shape, operand(d, p.dstBlkStride, p.dstRepStride), f, from(operand(a, p.src0BlkStride, p.src0RepStride), a),
                 from(operand(b, p.src1BlkStride, p.src1RepStride), b));
}
template <typename D, typename S, typename F>
inline void unary(const char* call, Site site, double cost, const AscendC::LocalTensor<D>& d, const AscendC::LocalTensor<S>& a, int64_t count, F f) {
    Shape shape = shape_of_count(count, sizeof(D) > sizeof(S) ? sizeof(D) : sizeof(S));
    begin_vector(call, site, shape, cost);
    map_lanes<D>(shape, operand(d), f, from(operand(a), a));
}
template <typename D, typename S, typename F>
inline void unary(const char* call, Site site, double cost, const AscendC::LocalTensor<D>& d, const AscendC::LocalTensor<S>& a, const Shape& shape,
                  const AscendC::UnaryRepeatParams& p, F f) {
    begin_vector(call, site, shape, cost);
    map_lanes<D>(shape, operand(d, p.dstBlkStride, p.dstRepStride), f, from(operand(a, p.srcBlkStride, p.srcRepStride), a));
}
// The destination is a source, too.
template <typename D, typename S0, typename S1, typename F>
inline void ternary(const char* call, Site site, double cost, const AscendC::LocalTensor<D>& d, const AscendC::LocalTensor<S0>& a, const AscendC::LocalTensor<S1>& b,
                    int64_t count, F f) {
    Shape shape = shape_of_count(count, sizeof(D) > sizeof(S0) ? sizeof(D) : sizeof(S0));
    begin_vector(call, site, shape, cost);
    map_lanes<D>(shape, operand(d), f, from(operand(d), d), from(operand(a), a), from(operand(b), b));
}
template <typename D, typename S0, typename S1, typename F>
inline void ternary(const char* call, Site site, double cost, const AscendC::LocalTensor<D>& d, const AscendC::LocalTensor<S0>& a, const AscendC::LocalTensor<S1>& b,
                    const Shape& shape, const AscendC::BinaryRepeatParams& p, F f) {
    begin_vector(call, site, shape, cost);
    Operand to = operand(d, p.dstBlkStride, p.dstRepStride);
    map_lanes<D>(shape, to, f, from(to, d), from(operand(a, p.src0BlkStride, p.src0RepStride), a), from(operand(b, p.src1BlkStride, p.src1RepStride), b));
}

}  // namespace port_ascend

namespace AscendC {

#define PORT_ASCEND_BINARY(Name, cost, names, expression, ...)                                                                                                  \
    template <typename T, bool isSetMask = true>                                                                                                                \
    inline void Name(const LocalTensor<T>& dst, const LocalTensor<T>& src0, const LocalTensor<T>& src1, const int32_t& count, PORT_ASCEND_SITE) {               \
        if (!PORT_ASCEND_TYPES(#Name, T, names, __VA_ARGS__)) return;                                                                                           \
        ::port_ascend::binary(#Name, site, cost, dst, src0, src1, count, [](T a, T b) -> T { return expression; });                                             \
    }                                                                                                                                                           \
    template <typename T, bool isSetMask = true>                                                                                                                \
    inline void Name(const LocalTensor<T>& dst, const LocalTensor<T>& src0, const LocalTensor<T>& src1, uint64_t mask, const int32_t repeatTime,                \
                     const BinaryRepeatParams& p, PORT_ASCEND_SITE) {                                                                                           \
        if (!PORT_ASCEND_TYPES(#Name, T, names, __VA_ARGS__)) return;                                                                                           \
        ::port_ascend::binary(#Name, site, cost, dst, src0, src1, ::port_ascend::shape_of_mask(mask, nullptr, isSetMask, repeatTime, sizeof(T)), p,              \
                              [](T a, T b) -> T { return expression; });                                                                                        \
    }                                                                                                                                                           \
    template <typename T, bool isSetMask = true>                                                                                                                \
    inline void Name(const LocalTensor<T>& dst, const LocalTensor<T>& src0, const LocalTensor<T>& src1, const uint64_t* mask, const int32_t repeatTime,         \
                     const BinaryRepeatParams& p, PORT_ASCEND_SITE) {                                                                                           \
        if (!PORT_ASCEND_TYPES(#Name, T, names, __VA_ARGS__)) return;                                                                                           \
        ::port_ascend::binary(#Name, site, cost, dst, src0, src1, ::port_ascend::shape_of_mask(0, mask, isSetMask, repeatTime, sizeof(T)), p,                    \
                              [](T a, T b) -> T { return expression; });                                                                                        \
    }

#define PORT_ASCEND_ARITHMETIC "int16_t, half, int32_t and float"
#define PORT_ASCEND_FLOATS "half and float"
PORT_ASCEND_BINARY(Add, 1, PORT_ASCEND_ARITHMETIC, ::port_ascend::wrap_add(a, b), int16_t, half, int32_t, float)
PORT_ASCEND_BINARY(Sub, 1, PORT_ASCEND_ARITHMETIC, ::port_ascend::wrap_sub(a, b), int16_t, half, int32_t, float)
PORT_ASCEND_BINARY(Mul, 1, PORT_ASCEND_ARITHMETIC, ::port_ascend::wrap_mul(a, b), int16_t, half, int32_t, float)
PORT_ASCEND_BINARY(Max, 1, PORT_ASCEND_ARITHMETIC, ::port_ascend::larger(a, b), int16_t, half, int32_t, float)
PORT_ASCEND_BINARY(Min, 1, PORT_ASCEND_ARITHMETIC, ::port_ascend::smaller(a, b), int16_t, half, int32_t, float)
PORT_ASCEND_BINARY(Div, 4, PORT_ASCEND_FLOATS, ::port_ascend::divide(a, b), half, float)
PORT_ASCEND_BINARY(And, 1, "int16_t and uint16_t", T(a & b), int16_t, uint16_t)
PORT_ASCEND_BINARY(Or, 1, "int16_t and uint16_t", T(a | b), int16_t, uint16_t)
PORT_ASCEND_BINARY(AddRelu, 1, "int16_t, half and float", ::port_ascend::larger(::port_ascend::wrap_add(a, b), T(0)), int16_t, half, float)
PORT_ASCEND_BINARY(SubRelu, 1, "int16_t, half and float", ::port_ascend::larger(::port_ascend::wrap_sub(a, b), T(0)), int16_t, half, float)

#define PORT_ASCEND_UNARY(Name, cost, names, expression, ...)                                                                                                  \
    template <typename T, bool isSetMask = true>                                                                                                                \
    inline void Name(const LocalTensor<T>& dst, const LocalTensor<T>& src, const int32_t& count, PORT_ASCEND_SITE) {                                            \
        if (!PORT_ASCEND_TYPES(#Name, T, names, __VA_ARGS__)) return;                                                                                           \
        ::port_ascend::unary(#Name, site, cost, dst, src, count, [](T a) -> T { return expression; });                                                          \
    }                                                                                                                                                           \
    template <typename T, bool isSetMask = true>                                                                                                                \
    inline void Name(const LocalTensor<T>& dst, const LocalTensor<T>& src, uint64_t mask, const int32_t repeatTime, const UnaryRepeatParams& p,                 \
                     PORT_ASCEND_SITE) {                                                                                                                        \
        if (!PORT_ASCEND_TYPES(#Name, T, names, __VA_ARGS__)) return;                                                                                           \
        ::port_ascend::unary(#Name, site, cost, dst, src, ::port_ascend::shape_of_mask(mask, nullptr, isSetMask, repeatTime, sizeof(T)), p,                      \
                             [](T a) -> T { return expression; });                                                                                              \
    }                                                                                                                                                           \
    template <typename T, bool isSetMask = true>                                                                                                                \
    inline void Name(const LocalTensor<T>& dst, const LocalTensor<T>& src, const uint64_t* mask, const int32_t repeatTime, const UnaryRepeatParams& p,          \
                     PORT_ASCEND_SITE) {                                                                                                                        \
        if (!PORT_ASCEND_TYPES(#Name, T, names, __VA_ARGS__)) return;                                                                                           \
        ::port_ascend::unary(#Name, site, cost, dst, src, ::port_ascend::shape_of_mask(0, mask, isSetMask, repeatTime, sizeof(T)), p,                            \
                             [](T a) -> T { return expression; });                                                                                              \
    }
PORT_ASCEND_UNARY(Abs, 1, PORT_ASCEND_FLOATS, T(std::fabs(float(a))), half, float)
PORT_ASCEND_UNARY(Exp, 4, PORT_ASCEND_FLOATS, T(std::exp(float(a))), half, float)
PORT_ASCEND_UNARY(Ln, 4, PORT_ASCEND_FLOATS, T(std::log(float(a))), half, float)
PORT_ASCEND_UNARY(Sqrt, 4, PORT_ASCEND_FLOATS, T(std::sqrt(float(a))), half, float)
PORT_ASCEND_UNARY(Rsqrt, 2, PORT_ASCEND_FLOATS, ::port_ascend::coarse<T>(float(1.0 / std::sqrt(double(float(a))))), half, float)
PORT_ASCEND_UNARY(Reciprocal, 2, PORT_ASCEND_FLOATS, ::port_ascend::coarse<T>(1.0f / float(a)), half, float)
PORT_ASCEND_UNARY(Relu, 1, "half, int32_t and float", ::port_ascend::larger(a, T(0)), half, int32_t, float)
PORT_ASCEND_UNARY(Not, 1, "int16_t and uint16_t", T(~a), int16_t, uint16_t)

#define PORT_ASCEND_SCALAR(Name, cost, names, expression, ...)                                                                                                 \
    template <typename T, bool isSetMask = true>                                                                                                                \
    inline void Name(const LocalTensor<T>& dst, const LocalTensor<T>& src, const ::port_ascend::same_t<T>& scalar, const int32_t& count, PORT_ASCEND_SITE) {    \
        if (!PORT_ASCEND_TYPES(#Name, T, names, __VA_ARGS__)) return;                                                                                           \
        ::port_ascend::unary(#Name, site, cost, dst, src, count, [b = scalar](T a) -> T { return expression; });                                                \
    }                                                                                                                                                           \
    template <typename T, bool isSetMask = true>                                                                                                                \
    inline void Name(const LocalTensor<T>& dst, const LocalTensor<T>& src, const ::port_ascend::same_t<T>& scalar, uint64_t mask, const int32_t repeatTime,     \
                     const UnaryRepeatParams& p, PORT_ASCEND_SITE) {                                                                                            \
        if (!PORT_ASCEND_TYPES(#Name, T, names, __VA_ARGS__)) return;                                                                                           \
        ::port_ascend::unary(#Name, site, cost, dst, src, ::port_ascend::shape_of_mask(mask, nullptr, isSetMask, repeatTime, sizeof(T)), p,                      \
                             [b = scalar](T a) -> T { return expression; });                                                                                    \
    }                                                                                                                                                           \
    template <typename T, bool isSetMask = true>                                                                                                                \
    inline void Name(const LocalTensor<T>& dst, const LocalTensor<T>& src, const ::port_ascend::same_t<T>& scalar, const uint64_t* mask,                        \
                     const int32_t repeatTime, const UnaryRepeatParams& p, PORT_ASCEND_SITE) {                                                                  \
        if (!PORT_ASCEND_TYPES(#Name, T, names, __VA_ARGS__)) return;                                                                                           \
        ::port_ascend::unary(#Name, site, cost, dst, src, ::port_ascend::shape_of_mask(0, mask, isSetMask, repeatTime, sizeof(T)), p,                            \
                             [b = scalar](T a) -> T { return expression; });                                                                                    \
    }
PORT_ASCEND_SCALAR(Adds, 1, PORT_ASCEND_ARITHMETIC, ::port_ascend::wrap_add(a, b), int16_t, half, int32_t, float)
PORT_ASCEND_SCALAR(Muls, 1, PORT_ASCEND_ARITHMETIC, ::port_ascend::wrap_mul(a, b), int16_t, half, int32_t, float)
PORT_ASCEND_SCALAR(Maxs, 1, PORT_ASCEND_ARITHMETIC, ::port_ascend::larger(a, b), int16_t, half, int32_t, float)
PORT_ASCEND_SCALAR(Mins, 1, PORT_ASCEND_ARITHMETIC, ::port_ascend::smaller(a, b), int16_t, half, int32_t, float)
PORT_ASCEND_SCALAR(LeakyRelu, 1, PORT_ASCEND_FLOATS, a >= T(0) || a != a ? a : T(float(a) * float(b)), half, float)
PORT_ASCEND_SCALAR(ShiftLeft, 1, "int16_t, uint16_t, int32_t and uint32_t", T(uint64_t(a) << (int64_t(b) & 63)), int16_t, uint16_t, int32_t, uint32_t)

#define PORT_ASCEND_SHIFTS "int16_t, uint16_t, int32_t and uint32_t"
// `round`: adds what is half a unit of the result first (int16_t and int32_t).
template <typename T> inline T port_shift_right(T a, T by, bool round) {
    int64_t value = int64_t(a), shift = int64_t(by);
    if (shift < 0) shift = 0;
    if (shift > 62) shift = 62;
    if (round && shift > 0) value += int64_t(1) << (shift - 1);
    return T(value >> shift);
}
template <typename T, bool isSetMask = true>
inline void ShiftRight(const LocalTensor<T>& dst, const LocalTensor<T>& src, const ::port_ascend::same_t<T>& scalar, const int32_t& count, PORT_ASCEND_SITE) {
    if (!PORT_ASCEND_TYPES("ShiftRight", T, PORT_ASCEND_SHIFTS, int16_t, uint16_t, int32_t, uint32_t)) return;
    ::port_ascend::unary("ShiftRight", site, 1, dst, src, count, [scalar](T a) -> T { return port_shift_right(a, scalar, false); });
}
template <typename T, bool isSetMask = true>
inline void ShiftRight(const LocalTensor<T>& dst, const LocalTensor<T>& src, const ::port_ascend::same_t<T>& scalar, uint64_t mask, const int32_t repeatTime,
                       const UnaryRepeatParams& p, bool roundEn = false, PORT_ASCEND_SITE) {
    if (!PORT_ASCEND_TYPES("ShiftRight", T, PORT_ASCEND_SHIFTS, int16_t, uint16_t, int32_t, uint32_t)) return;
    ::port_ascend::unary("ShiftRight", site, 1, dst, src, ::port_ascend::shape_of_mask(mask, nullptr, isSetMask, repeatTime, sizeof(T)), p,
                         [scalar, roundEn](T a) -> T { return port_shift_right(a, scalar, roundEn); });
}
template <typename T, bool isSetMask = true>
inline void ShiftRight(const LocalTensor<T>& dst, const LocalTensor<T>& src, const ::port_ascend::same_t<T>& scalar, const uint64_t* mask, const int32_t repeatTime,
                       const UnaryRepeatParams& p, bool roundEn = false, PORT_ASCEND_SITE) {
    if (!PORT_ASCEND_TYPES("ShiftRight", T, PORT_ASCEND_SHIFTS, int16_t, uint16_t, int32_t, uint32_t)) return;
    ::port_ascend::unary("ShiftRight", site, 1, dst, src, ::port_ascend::shape_of_mask(0, mask, isSetMask, repeatTime, sizeof(T)), p,
                         [scalar, roundEn](T a) -> T { return port_shift_right(a, scalar, roundEn); });
}

// dst += src * scalar: whether 910B rounds between is not documented; two roundings here.
#define PORT_ASCEND_AXPY_TYPES "half, float, and half into float"
template <typename T, typename U> inline T port_axpy(T d, U s, U scalar) { return T(float(T(float(s) * float(scalar))) + float(d)); }
template <typename T, typename U, bool isSetMask = true>
inline void Axpy(const LocalTensor<T>& dst, const LocalTensor<U>& src, const ::port_ascend::same_t<U>& scalar, const int32_t& count, PORT_ASCEND_SITE) {
    if (!PORT_ASCEND_TYPES("Axpy", U, PORT_ASCEND_AXPY_TYPES, half, float)) return;
    ::port_ascend::ternary("Axpy", site, 1, dst, src, src, count, [scalar](T d, U s, U) -> T { return port_axpy(d, s, scalar); });
}
template <typename T, typename U, bool isSetMask = true>
inline void Axpy(const LocalTensor<T>& dst, const LocalTensor<U>& src, const ::port_ascend::same_t<U>& scalar, uint64_t mask, const int32_t repeatTime,
                 const UnaryRepeatParams& p, PORT_ASCEND_SITE) {
    if (!PORT_ASCEND_TYPES("Axpy", U, PORT_ASCEND_AXPY_TYPES, half, float)) return;
    BinaryRepeatParams b(uint8_t(p.dstBlkStride), uint8_t(p.srcBlkStride), uint8_t(p.srcBlkStride), p.dstRepStride, p.srcRepStride, p.srcRepStride);
    ::port_ascend::ternary("Axpy", site, 1, dst, src, src, ::port_ascend::shape_of_mask(mask, nullptr, isSetMask, repeatTime, sizeof(T) > sizeof(U) ? sizeof(T) : sizeof(U)), b,
                           [scalar](T d, U s, U) -> T { return port_axpy(d, s, scalar); });
}
template <typename T, typename U, bool isSetMask = true>
inline void Axpy(const LocalTensor<T>& dst, const LocalTensor<U>& src, const ::port_ascend::same_t<U>& scalar, const uint64_t* mask, const int32_t repeatTime,
                 const UnaryRepeatParams& p, PORT_ASCEND_SITE) {
    if (!PORT_ASCEND_TYPES("Axpy", U, PORT_ASCEND_AXPY_TYPES, half, float)) return;
    BinaryRepeatParams b(uint8_t(p.dstBlkStride), uint8_t(p.srcBlkStride), uint8_t(p.srcBlkStride), p.dstRepStride, p.srcRepStride, p.srcRepStride);
    ::port_ascend::ternary("Axpy", site, 1, dst, src, src, ::port_ascend::shape_of_mask(0, mask, isSetMask, repeatTime, sizeof(T) > sizeof(U) ? sizeof(T) : sizeof(U)), b,
                           [scalar](T d, U s, U) -> T { return port_axpy(d, s, scalar); });
}

#define PORT_ASCEND_TERNARY(Name, names, expression)                                                                                                           \
    template <typename T, typename U = T, bool isSetMask = true>                                                                                                \
    inline void Name(const LocalTensor<T>& dst, const LocalTensor<U>& src0, const LocalTensor<U>& src1, const int32_t& count, PORT_ASCEND_SITE) {               \
        if (!PORT_ASCEND_TYPES(#Name, U, names, half, float)) return;                                                                                           \
        ::port_ascend::ternary(#Name, site, 1, dst, src0, src1, count, [](T d, U a, U b) -> T { return expression; });                                          \
    }                                                                                                                                                           \
    template <typename T, typename U = T, bool isSetMask = true>                                                                                                \
    inline void Name(const LocalTensor<T>& dst, const LocalTensor<U>& src0, const LocalTensor<U>& src1, const uint64_t mask, const int32_t repeatTime,          \
                     const BinaryRepeatParams& p, PORT_ASCEND_SITE) {                                                                                           \
        if (!PORT_ASCEND_TYPES(#Name, U, names, half, float)) return;                                                                                           \
        ::port_ascend::ternary(#Name, site, 1, dst, src0, src1,                                                                                                 \
                               ::port_ascend::shape_of_mask(mask, nullptr, isSetMask, repeatTime, sizeof(T) > sizeof(U) ? sizeof(T) : sizeof(U)), p,            \
                               [](T d, U a, U b) -> T { return expression; });                                                                                  \
    }                                                                                                                                                           \
    template <typename T, typename U = T, bool isSetMask = true>                                                                                                \
    inline void Name(const LocalTensor<T>& dst, const LocalTensor<U>& src0, const LocalTensor<U>& src1, const uint64_t* mask, const int32_t repeatTime,         \
                     const BinaryRepeatParams& p, PORT_ASCEND_SITE) {                                                                                           \
        if (!PORT_ASCEND_TYPES(#Name, U, names, half, float)) return;                                                                                           \
        ::port_ascend::ternary(#Name, site, 1, dst, src0, src1,                                                                                                 \
                               ::port_ascend::shape_of_mask(0, mask, isSetMask, repeatTime, sizeof(T) > sizeof(U) ? sizeof(T) : sizeof(U)), p,                  \
                               [](T d, U a, U b) -> T { return expression; });                                                                                  \
    }
// Two roundings, as 910B's documentation says nothing of one.
PORT_ASCEND_TERNARY(MulAddDst, "half, float, and half into float", T(float(T(float(a) * float(b))) + float(d)))
PORT_ASCEND_TERNARY(FusedMulAdd, "half and float", T(float(T(float(a) * float(d))) + float(b)))
PORT_ASCEND_TERNARY(FusedMulAddRelu, "half and float", ::port_ascend::larger(T(float(T(float(a) * float(d))) + float(b)), T(0)))
PORT_ASCEND_TERNARY(MulAddRelu, "half and float", ::port_ascend::larger(T(float(T(float(a) * float(d))) + float(b)), T(0)))

// A scalar into all lanes.
template <typename T, typename S> inline void port_duplicate(const LocalTensor<T>& dst, S scalar, const ::port_ascend::Shape& shape, const ::port_ascend::Operand& to,
                                                             port_ascend::Site site) {
    if (!PORT_ASCEND_TYPES("Duplicate", T, "int16_t, uint16_t, half, bfloat16_t, int32_t, uint32_t and float", int16_t, uint16_t, half, bfloat16_t, int32_t, uint32_t, float)) return;
    ::port_ascend::begin_vector("Duplicate", site, shape, 1);
    (void)dst;
    ::port_ascend::map_lanes<T>(shape, to, [value = T(scalar)]() { return value; });
}
template <typename T, bool isSetMask = true> inline void Duplicate(const LocalTensor<T>& dst, const ::port_ascend::same_t<T>& scalar, const int32_t& count, PORT_ASCEND_SITE) {
    port_duplicate(dst, scalar, ::port_ascend::shape_of_count(count, sizeof(T)), ::port_ascend::operand(dst), site);
}
template <typename T, bool isSetMask = true>
inline void Duplicate(const LocalTensor<T>& dst, const ::port_ascend::same_t<T>& scalar, uint64_t mask, const int32_t repeatTime, const uint16_t dstBlockStride,
                      const uint8_t dstRepeatStride, PORT_ASCEND_SITE) {
    port_duplicate(dst, scalar, ::port_ascend::shape_of_mask(mask, nullptr, isSetMask, repeatTime, sizeof(T)), ::port_ascend::operand(dst, dstBlockStride, dstRepeatStride), site);
}
template <typename T, bool isSetMask = true>
inline void Duplicate(const LocalTensor<T>& dst, const ::port_ascend::same_t<T>& scalar, const uint64_t* mask, const int32_t repeatTime, const uint16_t dstBlockStride,
                      const uint8_t dstRepeatStride, PORT_ASCEND_SITE) {
    port_duplicate(dst, scalar, ::port_ascend::shape_of_mask(0, mask, isSetMask, repeatTime, sizeof(T)), ::port_ascend::operand(dst, dstBlockStride, dstRepeatStride), site);
}

struct CopyRepeatParams {
    CopyRepeatParams() = default;
    CopyRepeatParams(uint16_t dst, uint16_t src, uint16_t dstRep, uint16_t srcRep) : dstStride(dst), srcStride(src), dstRepeatSize(dstRep), srcRepeatSize(srcRep) {}
    uint16_t dstStride = 1, srcStride = 1, dstRepeatSize = 8, srcRepeatSize = 8;
};
#define PORT_ASCEND_COPY(mask_type, first, second)                                                                                                              \
    template <typename T, bool isSetMask = true>                                                                                                                \
    inline void Copy(const LocalTensor<T>& dst, const LocalTensor<T>& src, mask_type mask, const int32_t repeatTime, const CopyRepeatParams& p, PORT_ASCEND_SITE) { \
        ::port_ascend::Shape shape = ::port_ascend::shape_of_mask(first, second, isSetMask, repeatTime, sizeof(T));                                             \
        ::port_ascend::begin_vector("Copy", site, shape, 1);                                                                                                    \
        ::port_ascend::map_lanes<T>(shape, ::port_ascend::operand(dst, p.dstStride, p.dstRepeatSize), [](T a) { return a; },                                     \
                                    ::port_ascend::from(::port_ascend::operand(src, p.srcStride, p.srcRepeatSize), src));                                        \
    }
PORT_ASCEND_COPY(uint64_t, mask, nullptr)
PORT_ASCEND_COPY(const uint64_t*, 0, mask)

// Masks for instructions that are told not to set one.
template <typename T = uint64_t, MaskMode mode = MaskMode::NORMAL> inline void SetVectorMask(const uint64_t high, const uint64_t low) {
    port_ascend::core->mask[1] = high;
    port_ascend::core->mask[0] = low;
}
template <typename T = uint64_t, MaskMode mode = MaskMode::NORMAL> inline void SetVectorMask(int32_t lanes) {
    uint64_t n = uint64_t(lanes < 0 ? 0 : lanes);
    if (mode == MaskMode::COUNTER) {
        port_ascend::core->mask[0] = n;
        port_ascend::core->mask[1] = 0;
        return;
    }
    port_ascend::core->mask[0] = n >= 64 ? ~uint64_t(0) : (uint64_t(1) << n) - 1;
    port_ascend::core->mask[1] = n <= 64 ? 0 : n >= 128 ? ~uint64_t(0) : (uint64_t(1) << (n - 64)) - 1;
}
inline void ResetMask() { port_ascend::core->mask[0] = port_ascend::core->mask[1] = ~uint64_t(0); }
inline void SetMaskCount() { port_ascend::core->mask_counter = true; }
inline void SetMaskNorm() { port_ascend::core->mask_counter = false; }

}  // namespace AscendC
