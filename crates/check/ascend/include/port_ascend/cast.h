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
        return T(value);
    }
}

template <typename T, typename S> inline auto converter(Rounding mode) {
    return [mode, scale = core ? core->deq_scale : 1.0f](S value) -> T {
        if constexpr (std::is_same<S, int32_t>::value && std::is_same<T, half>::value) return half(float(value) * scale);
        else return convert<T, S>(value, mode);
    };
}

// int4b_t: two lanes a byte, the first in the low half.
template <typename T, typename S> void cast_packed(const AscendC::LocalTensor<T>& dst, const AscendC::LocalTensor<S>& src, Rounding mode, int64_t count, Site site) {
    begin_vector("Cast", site, shape_of_count(count, 2), 1);
    if (count % 2) report("parameter-range", "Cast", site, "count is %lld and must be even for int4b_t", (long long)count);
    uint32_t pairs = uint32_t(count / 2);
    uint64_t from_bytes = bytes_of<S>(count), to_bytes = bytes_of<T>(count);
    if (!in_bounds(src.space, src.offset, from_bytes, src.low, src.high, false) || !in_bounds(dst.space, dst.offset, to_bytes, dst.low, dst.high, true)) return;
    if (!touch_read(src.space, src.offset, uint32_t(from_bytes))) uninitialised_use(src.space, src.offset, uint32_t(from_bytes), "converts");
    touch_write(dst.space, dst.offset, uint32_t(to_bytes));
    for (uint32_t i = 0; i < pairs; ++i) {
        if constexpr (std::is_same<S, int4b_t>::value) {
            uint8_t byte = local_at<uint8_t>(src.space, src.offset + i);
            for (int k = 0; k < 2; ++k) {
                int value = byte >> (4 * k) & 15;
                local_at<T>(dst.space, uint32_t(dst.offset + (2 * i + uint32_t(k)) * sizeof(T))) = T(float(value > 7 ? value - 16 : value));
            }
        } else {
            uint8_t byte = 0;
            for (int k = 0; k < 2; ++k) {
                int8_t value = convert<int8_t, S>(local_at<S>(src.space, uint32_t(src.offset + (2 * i + uint32_t(k)) * sizeof(S))), mode);
                value = value > 7 ? 7 : value < -8 ? -8 : value;
                byte |= uint8_t((value & 15) << (4 * k));
            }
            local_at<uint8_t>(dst.space, dst.offset + i) = byte;
        }
    }
}

}  // namespace port_ascend

namespace AscendC {

template <typename T, typename U> constexpr uint32_t port_wider() { return sizeof(T) > sizeof(U) ? sizeof(T) : sizeof(U); }

template <typename T, typename U> inline void Cast(const LocalTensor<T>& dst, const LocalTensor<U>& src, const RoundMode& roundMode, const uint32_t count, PORT_ASCEND_SITE) {
    port_ascend::check_cast(port_ascend::type_name<U>(), port_ascend::type_name<T>(), roundMode, site);
    auto mode = port_ascend::Rounding(int(roundMode));
    if constexpr (std::is_same<T, int4b_t>::value || std::is_same<U, int4b_t>::value) port_ascend::cast_packed(dst, src, mode, count, site);
    else port_ascend::unary("Cast", site, 1, dst, src, count, port_ascend::converter<T, U>(mode));
}
template <typename T, typename U, bool isSetMask = true>
inline void Cast(const LocalTensor<T>& dst, const LocalTensor<U>& src, const RoundMode& roundMode, const uint64_t mask, const int32_t repeatTime, const UnaryRepeatParams& p,
                 PORT_ASCEND_SITE) {
    port_ascend::check_cast(port_ascend::type_name<U>(), port_ascend::type_name<T>(), roundMode, site);
    port_ascend::unary("Cast", site, 1, dst, src, port_ascend::shape_of_mask(mask, nullptr, isSetMask, repeatTime, port_wider<T, U>()), p,
                       port_ascend::converter<T, U>(port_ascend::Rounding(int(roundMode))));
}
template <typename T, typename U, bool isSetMask = true>
inline void Cast(const LocalTensor<T>& dst, const LocalTensor<U>& src, const RoundMode& roundMode, const uint64_t* mask, const int32_t repeatTime, const UnaryRepeatParams& p,
                 PORT_ASCEND_SITE) {
    port_ascend::check_cast(port_ascend::type_name<U>(), port_ascend::type_name<T>(), roundMode, site);
    port_ascend::unary("Cast", site, 1, dst, src, port_ascend::shape_of_mask(0, mask, isSetMask, repeatTime, port_wider<T, U>()), p,
                       port_ascend::converter<T, U>(port_ascend::Rounding(int(roundMode))));
}
inline void SetDeqScale(half scale) { port_ascend::core->deq_scale = float(scale); }
inline void SetDeqScale(float scale, int16_t = 0, bool = false) { port_ascend::core->deq_scale = scale; }

}  // namespace AscendC
