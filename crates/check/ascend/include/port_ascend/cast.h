// Cast: conversions between element types with the round modes that 910B has for each pair.
#pragma once

#include <port_ascend/vector.h>

namespace AscendC {

enum class RoundMode : int { CAST_NONE = 0, CAST_RINT, CAST_FLOOR, CAST_CEIL, CAST_ROUND, CAST_TRUNC, CAST_ODD, CAST_HYBRID };

}  // namespace AscendC

namespace port_ascend {

// Which modes a pair allows, as bits of RoundMode's values; 0: no such pair.
uint32_t cast_modes(const char* from, const char* to);
void check_cast(const char* from, const char* to, AscendC::RoundMode mode, Site site);

inline double round_as(double value, Rounding mode) {
    switch (mode) {
        case Rounding::floor: return std::floor(value);
        case Rounding::ceil: return std::ceil(value);
        case Rounding::round: return std::round(value);
        case Rounding::trunc: return std::trunc(value);
        default: return std::nearbyint(value);
    }
}

template <typename T, typename S> inline T convert(S value, Rounding mode) {
    if constexpr (std::is_same<T, S>::value) {
        if constexpr (std::is_same<T, float>::value) return std::fabs(value) < INFINITY ? std::copysign(float(round_as(value, mode)), value) : value;
        else return value;
    } else if constexpr (std::is_same<T, half>::value || std::is_same<T, bfloat16_t>::value) {
        // Integers of up to 24 bits are exact in float; larger ones go by way of a sticky bit.
        float wide;
        if constexpr (std::is_integral<S>::value) {
            wide = float(value);
        } else {
            wide = float(value);
        }
        if constexpr (std::is_same<T, half>::value) return half::from_bits(float_to_half(wide, mode));
        else return bfloat16_t::from_bits(float_to_bfloat16(wide, mode));
    } else if constexpr (std::is_same<T, float>::value) {
        if constexpr (std::is_integral<S>::value) {
            // To nearest, then a step where the mode asks for the other side; 64-bit values compare exactly as integers.
            float nearest = float(value);
            if (mode == Rounding::none || mode == Rounding::rint || mode == Rounding::round) return nearest;
            if (std::fabs(nearest) >= 9.2233720368547758e18f) return nearest;
            int64_t back = int64_t(nearest), exact = int64_t(value);
            if (back == exact) return nearest;
            bool down = mode == Rounding::floor || (mode == Rounding::trunc && exact > 0);
            if (down && back > exact) return std::nextafter(nearest, -INFINITY);
            if (!down && back < exact) return std::nextafter(nearest, INFINITY);
            return nearest;
        } else {
            return float(value);
        }
    } else if constexpr (std::is_integral<T>::value) {
        if constexpr (std::is_integral<S>::value) {
            // Narrower integers saturate.
            int64_t wide = int64_t(value);
            int64_t least = std::is_unsigned<T>::value ? 0 : -(int64_t(1) << (sizeof(T) * 8 - 1)), most = sizeof(T) == 8 ? INT64_MAX
                : std::is_unsigned<T>::value ? (int64_t(1) << (sizeof(T) * 8)) - 1 : (int64_t(1) << (sizeof(T) * 8 - 1)) - 1;
            return T(sizeof(T) >= sizeof(S) ? wide : wide < least ? least : wide > most ? most : wide);
        } else {
            double wide = double(float(value));
            if (wide != wide) return T(0);
            wide = round_as(wide, mode);
            double most = sizeof(T) == 8 ? 9223372036854775808.0 : double(std::is_unsigned<T>::value ? (uint64_t(1) << (sizeof(T) * 8 % 64)) - 1 : (uint64_t(1) << (sizeof(T) * 8 - 1)) - 1);
            double least = std::is_unsigned<T>::value ? 0 : -double(uint64_t(1) << (sizeof(T) * 8 - 1));
            if (wide >= most) return sizeof(T) == 8 ? T(INT64_MAX) : T(most);
            if (wide <= least) return T(least);
            return T(wide);
        }
    } else {
        return T();
    }
}

template <typename T, typename S> inline auto converter(Rounding mode) {
    return [mode, scale = core ? core->deq_scale : 1.0f](S value) -> T {
        if constexpr (std::is_same<S, int32_t>::value && std::is_same<T, half>::value) return half(float(value) * scale);
        else return convert<T, S>(value, mode);
    };
}

// int4b_t: two lanes a byte, the first in the low half. Strides are in data blocks on both sides.
template <typename T, typename S>
void cast_packed(const AscendC::LocalTensor<T>& dst, const AscendC::LocalTensor<S>& src, Rounding mode, const Shape& shape, uint32_t dst_block, uint32_t dst_repeat,
                 uint32_t src_block, uint32_t src_repeat, Site site) {
    begin_vector("Cast", site, shape, 1);
    if (shape.counted && shape.count % 2) report("parameter-range", "Cast", site, "count is %u and must be even for int4b_t", shape.count);
    auto at = [&](uint32_t offset, uint32_t half_bytes, uint32_t block, uint32_t step, uint32_t repeat, uint32_t lane) {
        uint32_t bytes = lane * half_bytes / 2;  // of the lanes before it in its repeat
        if (shape.counted) return offset + (repeat * shape.lanes + lane) * half_bytes / 2;
        return offset + repeat * step * 32 + bytes / 32 * block * 32 + bytes % 32;
    };
    constexpr uint32_t to_size = std::is_same<T, int4b_t>::value ? 1 : 2 * uint32_t(sizeof(T)), from_size = std::is_same<S, int4b_t>::value ? 1 : 2 * uint32_t(sizeof(S));
    each_lane(shape, [&](uint32_t repeat, uint32_t lane) {
        uint32_t to = at(dst.offset, to_size, dst_block, dst_repeat, repeat, lane), from = at(src.offset, from_size, src_block, src_repeat, repeat, lane);
        uint32_t to_bytes = to_size > 1 ? to_size / 2 : 1, from_bytes = from_size > 1 ? from_size / 2 : 1;
        if (!in_bounds(src.space, from, from_bytes, src.low, src.high, false) || !in_bounds(dst.space, to, to_bytes, dst.low, dst.high, true)) return;
        core->pending_uninitialised = false;
        bool known = touch_read(src.space, from, from_bytes);
        touch_write(dst.space, to, to_bytes, known);
        if constexpr (std::is_same<S, int4b_t>::value) {
            int value = local_at<uint8_t>(src.space, from) >> (4 * (lane % 2)) & 15;
            if constexpr (!std::is_same<T, int4b_t>::value) local_at<T>(dst.space, to) = T(float(value > 7 ? value - 16 : value));
        } else {
            int value = convert<int8_t, S>(local_at<S>(src.space, from), mode);
            value = value > 7 ? 7 : value < -8 ? -8 : value;
            uint8_t& byte = local_at<uint8_t>(dst.space, to);
            byte = uint8_t(lane % 2 ? (byte & 15) | value << 4 : (byte & 240) | (value & 15));
        }
    });
}

}  // namespace port_ascend

namespace AscendC {

template <typename T, typename U> constexpr uint32_t port_wider() { return sizeof(T) > sizeof(U) ? sizeof(T) : sizeof(U); }

template <typename T, typename U> inline void Cast(const LocalTensor<T>& dst, const LocalTensor<U>& src, const RoundMode& roundMode, const uint32_t count, PORT_ASCEND_SITE) {
    port_ascend::check_cast(port_ascend::type_name<U>(), port_ascend::type_name<T>(), roundMode, site);
    auto mode = port_ascend::Rounding(int(roundMode));
    if constexpr (std::is_same<T, int4b_t>::value || std::is_same<U, int4b_t>::value) port_ascend::cast_packed(dst, src, mode, port_ascend::shape_of_count(count, 2), 1, 8, 1, 8, site);
    else port_ascend::unary("Cast", site, 1, dst, src, count, port_ascend::converter<T, U>(mode));
}
template <typename T, typename U, bool isSetMask = true>
inline void Cast(const LocalTensor<T>& dst, const LocalTensor<U>& src, const RoundMode& roundMode, const uint64_t mask, const int32_t repeatTime, const UnaryRepeatParams& p,
                 PORT_ASCEND_SITE) {
    port_ascend::check_cast(port_ascend::type_name<U>(), port_ascend::type_name<T>(), roundMode, site);
    port_ascend::Shape shape = port_ascend::shape_of_mask(mask, nullptr, isSetMask, repeatTime, port_wider<T, U>());
    auto mode = port_ascend::Rounding(int(roundMode));
    if constexpr (std::is_same<T, int4b_t>::value || std::is_same<U, int4b_t>::value) {
        port_ascend::cast_packed(dst, src, mode, shape, p.dstBlkStride, p.dstRepStride, p.srcBlkStride, p.srcRepStride, site);
    } else {
        port_ascend::unary("Cast", site, 1, dst, src, shape, p, port_ascend::converter<T, U>(mode));
    }
}
template <typename T, typename U, bool isSetMask = true>
inline void Cast(const LocalTensor<T>& dst, const LocalTensor<U>& src, const RoundMode& roundMode, const uint64_t* mask, const int32_t repeatTime, const UnaryRepeatParams& p,
                 PORT_ASCEND_SITE) {
    port_ascend::check_cast(port_ascend::type_name<U>(), port_ascend::type_name<T>(), roundMode, site);
    port_ascend::Shape shape = port_ascend::shape_of_mask(0, mask, isSetMask, repeatTime, port_wider<T, U>());
    auto mode = port_ascend::Rounding(int(roundMode));
    if constexpr (std::is_same<T, int4b_t>::value || std::is_same<U, int4b_t>::value) {
        port_ascend::cast_packed(dst, src, mode, shape, p.dstBlkStride, p.dstRepStride, p.srcBlkStride, p.srcRepStride, site);
    } else {
        port_ascend::unary("Cast", site, 1, dst, src, shape, p, port_ascend::converter<T, U>(mode));
    }
}
inline void SetDeqScale(half scale) { port_ascend::core->deq_scale = float(scale); }
inline void SetDeqScale(float scale, int16_t = 0, bool = false) { port_ascend::core->deq_scale = scale; }

}  // namespace AscendC
