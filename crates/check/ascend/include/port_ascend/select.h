// Compare and Select: results and choices are one bit a lane.
#pragma once

#include <port_ascend/vector.h>

namespace AscendC {

enum class CMPMODE : uint8_t { LT = 0, GT, EQ, LE, GE, NE };
enum class SELMODE : uint8_t { VSEL_CMPMASK_SPR = 0, VSEL_TENSOR_SCALAR_MODE, VSEL_TENSOR_TENSOR_MODE };

}  // namespace AscendC

namespace port_ascend {

template <typename T> inline bool compare(T a, T b, AscendC::CMPMODE mode) {
    using M = AscendC::CMPMODE;
    switch (mode) {
        case M::LT: return a < b;
        case M::GT: return a > b;
        case M::EQ: return a == b;
        case M::LE: return a <= b;
        case M::GE: return a >= b;
        default: return a != b;
    }
}

template <typename T> inline bool check_compare(const char* call, AscendC::CMPMODE mode, Site site) {
    if (is_one_of<T, half, float>::value || (std::is_same<T, int32_t>::value && mode == AscendC::CMPMODE::EQ)) return true;
    unsupported_type(call, site, type_name<T>(), "half and float (all modes) and int32_t (EQ)");
    return false;
}

// Whether the lanes of an operand are whole repeats: a comparison of a count computes no part of one.
bool whole_repeats(const char* call, Site site, uint32_t count, uint32_t size);
// Writes the bit of a lane: bits go on from repeat to repeat, with no gap.
void write_bits(const Operand& dst, const Shape& shape);

template <typename T, typename U, typename F>
inline void compare_lanes(const char* call, Site site, const AscendC::LocalTensor<U>& dst, Shape shape, const Operand& a, const Operand& b, bool two, F f) {
    begin_vector(call, site, shape, 1);
    if (!check_operand(a, shape, false, "a source") || (two && !check_operand(b, shape, false, "a source"))) return;
    bool known = read_operand(a, shape);
    if (two) known &= read_operand(b, shape);
    Operand to = operand(dst);
    uint32_t lanes = shape.repeats * shape.lanes, bytes = shape.counted ? (shape.count + 7) / 8 : lanes / 8;
    if (!in_bounds(to.space, to.offset, bytes, to.low, to.high, true)) return;
    if (to.offset % block_bytes) aligned(to.offset, block_bytes, "the destination");
    touch_write(to.space, to.offset, bytes, known);
    uint8_t* out = core->memory[to.space] + to.offset;
    std::memset(out, 0, bytes);
    each_lane(shape, [&](uint32_t repeat, uint32_t lane) {
        T left = local_at<T>(a.space, lane_at(a, shape, repeat, lane));
        bool yes = f(left, two ? local_at<T>(b.space, lane_at(b, shape, repeat, lane)) : left);
        uint32_t at = repeat * shape.lanes + lane;
        if (yes) out[at / 8] |= uint8_t(1u << (at % 8));
    });
    if (known) return;
    // A byte of the result is known where its eight lanes are.
    uint32_t at = 0;
    each_lane(shape, [&](uint32_t repeat, uint32_t lane) {
        at = repeat * shape.lanes + lane;
        if (at % 8 == 0) set_initialised(to.space, to.offset + at / 8, 1, true);
    });
    each_lane(shape, [&](uint32_t repeat, uint32_t lane) {
        at = repeat * shape.lanes + lane;
        if (!is_initialised(a.space, lane_at(a, shape, repeat, lane), a.size) || (two && !is_initialised(b.space, lane_at(b, shape, repeat, lane), b.size))) {
            set_initialised(to.space, to.offset + at / 8, 1, false);
        }
    });
}

}  // namespace port_ascend

namespace AscendC {

template <typename T, typename U>
inline void Compare(const LocalTensor<U>& dst, const LocalTensor<T>& src0, const LocalTensor<T>& src1, CMPMODE mode, uint32_t count, PORT_ASCEND_SITE) {
    if (!port_ascend::check_compare<T>("Compare", mode, site)) return;
    if (!port_ascend::whole_repeats("Compare", site, count, sizeof(T))) count = uint32_t(count * sizeof(T) / 256 * 256 / sizeof(T));
    port_ascend::compare_lanes<T>("Compare", site, dst, port_ascend::shape_of_count(count, sizeof(T)), port_ascend::operand(src0), port_ascend::operand(src1), true,
                                  [mode](T a, T b) { return port_ascend::compare(a, b, mode); });
}
// On 910B the mask has no effect here: all lanes compare.
#define PORT_ASCEND_COMPARE(mask_type)                                                                                                                         \
    template <typename T, typename U, bool isSetMask = true>                                                                                                    \
    inline void Compare(const LocalTensor<U>& dst, const LocalTensor<T>& src0, const LocalTensor<T>& src1, CMPMODE mode, mask_type, const int32_t repeatTime,   \
                        const BinaryRepeatParams& p, PORT_ASCEND_SITE) {                                                                                        \
        if (!port_ascend::check_compare<T>("Compare", mode, site)) return;                                                                                      \
        port_ascend::compare_lanes<T>("Compare", site, dst, port_ascend::shape_of_mask(256 / sizeof(T), nullptr, true, repeatTime, sizeof(T)),                   \
                                      port_ascend::operand(src0, p.src0BlkStride, p.src0RepStride),                                                             \
                                      port_ascend::operand(src1, p.src1BlkStride, p.src1RepStride), true,                                                       \
                                      [mode](T a, T b) { return port_ascend::compare(a, b, mode); });                                                           \
    }
PORT_ASCEND_COMPARE(const uint64_t)
PORT_ASCEND_COMPARE(const uint64_t*)

#define PORT_ASCEND_COMPARES(Name)                                                                                                                             \
    template <typename T, typename U, bool isSetMask = true>                                                                                                    \
    inline void Name(const LocalTensor<U>& dst, const LocalTensor<T>& src0, const ::port_ascend::same_t<T> scalar, CMPMODE mode, uint32_t count, PORT_ASCEND_SITE) { \
        if (!port_ascend::check_compare<T>(#Name, mode, site)) return;                                                                                          \
        if (!port_ascend::whole_repeats(#Name, site, count, sizeof(T))) count = uint32_t(count * sizeof(T) / 256 * 256 / sizeof(T));                             \
        port_ascend::compare_lanes<T>(#Name, site, dst, port_ascend::shape_of_count(count, sizeof(T)), port_ascend::operand(src0), port_ascend::operand(src0), false, \
                                      [mode, scalar](T a, T) { return port_ascend::compare(a, T(scalar), mode); });                                             \
    }                                                                                                                                                           \
    template <typename T, typename U, bool isSetMask = true>                                                                                                    \
    inline void Name(const LocalTensor<U>& dst, const LocalTensor<T>& src0, const ::port_ascend::same_t<T> scalar, CMPMODE mode, const uint64_t,                \
                     const int32_t repeatTime, const UnaryRepeatParams& p, PORT_ASCEND_SITE) {                                                                  \
        if (!port_ascend::check_compare<T>(#Name, mode, site)) return;                                                                                          \
        auto from = port_ascend::operand(src0, p.srcBlkStride, p.srcRepStride);                                                                                 \
        port_ascend::compare_lanes<T>(#Name, site, dst, port_ascend::shape_of_mask(256 / sizeof(T), nullptr, true, repeatTime, sizeof(T)), from, from, false,    \
                                      [mode, scalar](T a, T) { return port_ascend::compare(a, T(scalar), mode); });                                             \
    }                                                                                                                                                           \
    template <typename T, typename U, bool isSetMask = true>                                                                                                    \
    inline void Name(const LocalTensor<U>& dst, const LocalTensor<T>& src0, const ::port_ascend::same_t<T> scalar, CMPMODE mode, const uint64_t*,               \
                     const int32_t repeatTime, const UnaryRepeatParams& p, PORT_ASCEND_SITE) {                                                                  \
        Name<T, U, isSetMask>(dst, src0, scalar, mode, uint64_t(1), repeatTime, p, site);                                                                       \
    }
PORT_ASCEND_COMPARES(CompareScalar)
PORT_ASCEND_COMPARES(Compares)

// The form that keeps its bits in a register.
#define PORT_ASCEND_COMPARE_REGISTER(mask_type, first, second)                                                                                                 \
    template <typename T, bool isSetMask = true>                                                                                                                \
    inline void Compare(const LocalTensor<T>& src0, const LocalTensor<T>& src1, CMPMODE mode, mask_type mask, const BinaryRepeatParams& p, PORT_ASCEND_SITE) {   \
        if (!port_ascend::check_compare<T>("Compare", mode, site)) return;                                                                                      \
        port_ascend::Shape shape = port_ascend::shape_of_mask(first, second, isSetMask, 1, sizeof(T));                                                          \
        auto a = port_ascend::operand(src0, p.src0BlkStride, p.src0RepStride), b = port_ascend::operand(src1, p.src1BlkStride, p.src1RepStride);                \
        port_ascend::begin_vector("Compare", site, shape, 1);                                                                                                   \
        if (!port_ascend::check_operand(a, shape, false, "a source") || !port_ascend::check_operand(b, shape, false, "a source")) return;                       \
        port_ascend::use_operand(a, shape, "compares");                                                                                                         \
        port_ascend::use_operand(b, shape, "compares");                                                                                                         \
        port_ascend::core->compare_mask[0] = port_ascend::core->compare_mask[1] = 0;                                                                            \
        port_ascend::each_lane(shape, [&](uint32_t repeat, uint32_t lane) {                                                                                     \
            bool yes = port_ascend::compare(port_ascend::local_at<T>(a.space, port_ascend::lane_at(a, shape, repeat, lane)),                                     \
                                            port_ascend::local_at<T>(b.space, port_ascend::lane_at(b, shape, repeat, lane)), mode);                              \
            if (yes) port_ascend::core->compare_mask[lane / 64] |= uint64_t(1) << (lane % 64);                                                                  \
        });                                                                                                                                                     \
    }
PORT_ASCEND_COMPARE_REGISTER(const uint64_t, mask, nullptr)
PORT_ASCEND_COMPARE_REGISTER(const uint64_t*, 0, mask)

template <typename T> inline void GetCmpMask(const LocalTensor<T>& dst, PORT_ASCEND_SITE) {
    port_ascend::begin("GetCmpMask", site, port_ascend::pipe_v, 16);
    if (!port_ascend::in_bounds(dst.space, dst.offset, 16, dst.low, dst.high, true)) return;
    port_ascend::touch_write(dst.space, dst.offset, 16);
    std::memcpy(port_ascend::core->memory[dst.space] + dst.offset, port_ascend::core->compare_mask, 16);
}
template <typename T> inline void SetCmpMask(const LocalTensor<T>& src, PORT_ASCEND_SITE) {
    port_ascend::begin("SetCmpMask", site, port_ascend::pipe_v, 16);
    if (!port_ascend::in_bounds(src.space, src.offset, 16, src.low, src.high, false)) return;
    if (!port_ascend::touch_read(src.space, src.offset, 16)) port_ascend::uninitialised_use(src.space, src.offset, 16, "reads");
    std::memcpy(port_ascend::core->compare_mask, port_ascend::core->memory[src.space] + src.offset, 16);
}

}  // namespace AscendC

namespace port_ascend {

// `bits`: where lane i's bit lies; one row of bits for all repeats in mode 0.
template <typename T>
inline void select_lanes(Site site, const Operand& dst, const Operand& bits, const Operand& a, const Operand* b, T scalar, bool one_row, Shape shape) {
    if (!is_one_of<T, half, float>::value) {
        unsupported_type("Select", site, type_name<T>(), "half and float");
        return;
    }
    begin_vector("Select", site, shape, 1);
    if (shape.repeats == 0) return;
    if (!check_operand(a, shape, false, "a source") || (b && !check_operand(*b, shape, false, "a source")) || !check_operand(dst, shape, true, "the destination")) return;
    uint32_t bit_lanes = one_row ? shape.lanes : shape.counted ? shape.count : shape.repeats * shape.lanes, bytes = (bit_lanes + 7) / 8;
    if (bits.offset % block_bytes) aligned(bits.offset, block_bytes, "selMask");
    if (!in_bounds(bits.space, bits.offset, bytes, bits.low, bits.high, false)) return;
    read_operand(a, shape);
    if (b) read_operand(*b, shape);
    touch_read(bits.space, bits.offset, bytes);
    uint8_t* known = lane_flags();
    size_t number = 0;
    auto yes = [&](uint32_t repeat, uint32_t lane) {
        uint32_t at = one_row ? lane : repeat * shape.lanes + lane;
        return local_at<uint8_t>(bits.space, bits.offset + at / 8) >> (at % 8) & 1;
    };
    each_lane(shape, [&](uint32_t repeat, uint32_t lane) {
        uint32_t at = one_row ? lane : repeat * shape.lanes + lane;
        bool first = yes(repeat, lane);
        bool fine = is_initialised(bits.space, bits.offset + at / 8, 1);
        if (first) fine &= is_initialised(a.space, lane_at(a, shape, repeat, lane), a.size);
        else if (b) fine &= is_initialised(b->space, lane_at(*b, shape, repeat, lane), b->size);
        known[number++] = fine;
    });
    number = 0;
    write_operand(dst, shape);
    each_lane(shape, [&](uint32_t repeat, uint32_t lane) {
        uint32_t at = lane_at(dst, shape, repeat, lane);
        T value = yes(repeat, lane) ? local_at<T>(a.space, lane_at(a, shape, repeat, lane)) : b ? local_at<T>(b->space, lane_at(*b, shape, repeat, lane)) : scalar;
        local_at<T>(dst.space, at) = value;
        if (!known[number++]) set_initialised(dst.space, at, dst.size, false);
    });
}

}  // namespace port_ascend

namespace AscendC {

template <typename T, typename U>
inline void Select(const LocalTensor<T>& dst, const LocalTensor<U>& selMask, const LocalTensor<T>& src0, const ::port_ascend::same_t<T> src1, SELMODE, uint32_t count, PORT_ASCEND_SITE) {
    port_ascend::select_lanes<T>(site, port_ascend::operand(dst), port_ascend::operand(selMask), port_ascend::operand(src0), nullptr, src1, false,
                                 port_ascend::shape_of_count(count, sizeof(T)));
}
template <typename T, typename U>
inline void Select(const LocalTensor<T>& dst, const LocalTensor<U>& selMask, const LocalTensor<T>& src0, const LocalTensor<T>& src1, SELMODE selMode, uint32_t count, PORT_ASCEND_SITE) {
    auto b = port_ascend::operand(src1);
    port_ascend::select_lanes<T>(site, port_ascend::operand(dst), port_ascend::operand(selMask), port_ascend::operand(src0), &b, T(0),
                                 selMode == SELMODE::VSEL_CMPMASK_SPR, port_ascend::shape_of_count(count, sizeof(T)));
}
#define PORT_ASCEND_SELECT(mask_type, first, second)                                                                                                           \
    template <typename T, typename U, bool isSetMask = true>                                                                                                    \
    inline void Select(const LocalTensor<T>& dst, const LocalTensor<U>& selMask, const LocalTensor<T>& src0, const ::port_ascend::same_t<T> src1, SELMODE,       \
                       mask_type mask, const int32_t repeatTime, const BinaryRepeatParams& p, PORT_ASCEND_SITE) {                                               \
        port_ascend::select_lanes<T>(site, port_ascend::operand(dst, p.dstBlkStride, p.dstRepStride), port_ascend::operand(selMask),                            \
                                     port_ascend::operand(src0, p.src0BlkStride, p.src0RepStride), nullptr, src1, false,                                        \
                                     port_ascend::shape_of_mask(first, second, isSetMask, repeatTime, sizeof(T)));                                              \
    }                                                                                                                                                           \
    template <typename T, typename U, bool isSetMask = true>                                                                                                    \
    inline void Select(const LocalTensor<T>& dst, const LocalTensor<U>& selMask, const LocalTensor<T>& src0, const LocalTensor<T>& src1, SELMODE selMode,       \
                       mask_type mask, const int32_t repeatTime, const BinaryRepeatParams& p, PORT_ASCEND_SITE) {                                               \
        auto b = port_ascend::operand(src1, p.src1BlkStride, p.src1RepStride);                                                                                  \
        port_ascend::select_lanes<T>(site, port_ascend::operand(dst, p.dstBlkStride, p.dstRepStride), port_ascend::operand(selMask),                            \
                                     port_ascend::operand(src0, p.src0BlkStride, p.src0RepStride), &b, T(0), selMode == SELMODE::VSEL_CMPMASK_SPR,              \
                                     port_ascend::shape_of_mask(first, second, isSetMask, repeatTime, sizeof(T)));                                              \
    }
PORT_ASCEND_SELECT(uint64_t, mask, nullptr)
PORT_ASCEND_SELECT(const uint64_t*, 0, mask)

// Operators on whole tensors: the instruction runs when the result is assigned, over the destination's elements.
#define PORT_ASCEND_OPERATOR(symbol, Name, Call, ...)                                                                    \
    template <typename T> struct Port##Name##Expression {                                                                 \
        typedef void PortExpression;                                                                                      \
        LocalTensor<T> a, b;                                                                                              \
        template <typename D> void into(const LocalTensor<D>& dst) const { Call(dst, a, b, __VA_ARGS__ int32_t(a.GetSize()), port_ascend::Site{"operator " #symbol, 0}); } \
    };                                                                                                                    \
    template <typename T> inline Port##Name##Expression<T> operator symbol(const LocalTensor<T>& a, const LocalTensor<T>& b) { return {a, b}; }
PORT_ASCEND_OPERATOR(+, Plus, Add, )
PORT_ASCEND_OPERATOR(-, Minus, Sub, )
PORT_ASCEND_OPERATOR(*, Times, Mul, )
PORT_ASCEND_OPERATOR(/, Over, Div, )
PORT_ASCEND_OPERATOR(&, Both, And, )
PORT_ASCEND_OPERATOR(|, Either, Or, )
PORT_ASCEND_OPERATOR(<, Less, Compare, CMPMODE::LT,)
PORT_ASCEND_OPERATOR(>, Greater, Compare, CMPMODE::GT,)
PORT_ASCEND_OPERATOR(<=, LessEqual, Compare, CMPMODE::LE,)
PORT_ASCEND_OPERATOR(>=, GreaterEqual, Compare, CMPMODE::GE,)
PORT_ASCEND_OPERATOR(==, Equal, Compare, CMPMODE::EQ,)
PORT_ASCEND_OPERATOR(!=, Unequal, Compare, CMPMODE::NE,)
#undef PORT_ASCEND_OPERATOR

}  // namespace AscendC
