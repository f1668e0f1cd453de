// Rounding: doubles to small formats in any direction, and floats to integers.
#pragma once

#include <cstdint>

#include "directed.hpp"

namespace port_oracle {

// The bits of a binary format with `mantissa` fraction bits and `exponent` exponent bits that
// `value` rounds to, once. NaN becomes the positive NaN with all fraction bits set, as CUDA's do.
template <int mantissa, int exponent>
inline unsigned round_to_bits(double value, Rounding rounding) {
    constexpr int bias = (1 << (exponent - 1)) - 1;
    constexpr unsigned infinity = ((1u << exponent) - 1) << mantissa;
    constexpr unsigned sign_bit = 1u << (mantissa + exponent);
    const auto bits = bit_cast<std::uint64_t>(value);
    const bool negative = bits >> 63;
    const unsigned sign = negative ? sign_bit : 0;
    const int biased = int(bits >> 52 & 0x7ff);
    std::uint64_t significand = bits & 0xfffffffffffffu;
    if (biased == 0x7ff) return significand ? sign_bit - 1 : sign | infinity;
    if (biased == 0 && significand == 0) return sign;
    int power = biased - 1023;
    if (biased == 0) power = -1022;
    else significand |= std::uint64_t{1} << 52;

    const bool away = rounding == Rounding::up ? !negative
                    : rounding == Rounding::down ? negative : false;
    if (power > bias) {
        bool overflows = rounding == Rounding::nearest || away;
        return sign | (overflows ? infinity : infinity - 1);
    }
    int shift = 52 - mantissa;
    unsigned base = 0;
    if (power >= 1 - bias) base = unsigned(power + bias - 1) << mantissa;
    else shift += 1 - bias - power;
    std::uint64_t kept = 0, rest = significand, half = ~std::uint64_t{0};
    if (shift < 64) {
        kept = significand >> shift;
        rest = significand & ((std::uint64_t{1} << shift) - 1);
        half = std::uint64_t{1} << (shift - 1);
    }
    bool increment = rounding == Rounding::nearest
                         ? rest > half || (rest == half && (kept & 1)) : away && rest != 0;
    // A carry out of the fraction moves into the exponent, up to infinity, as it should.
    return sign | unsigned(base + kept + increment);
}

// The double nearest to a·b + c whose last bit is odd when the result is not exact ("rounded to
// odd"): rounding it again to a format of at most 50 bits gives what rounding a·b + c once gives.
// The product must be exact in f64, which it is for factors of up to 26 bits.
inline double fused_to_odd(double a, double b, double c) {
    const double product = a * b;
    double sum = product + c;
    if (!(sum - sum == 0)) return sum;
    const double part = sum - product;
    const double error = (product - (sum - part)) + (c - part);
    auto bits = bit_cast<std::uint64_t>(sum);
    if (error != 0 && (bits & 1) == 0) {
        // One step toward the exact value.
        bits += (error > 0) == (sum > 0) ? 1 : -1;
        sum = bit_cast<double>(bits);
    }
    return sum;
}

// Float to integer as CUDA converts: NaN is 0 (the most negative value for 64 bits, and 2^63 for
// unsigned ones, per PTX cvt), out of range saturates.
template <class Integer>
inline Integer to_integer(double value, Rounding rounding) {
    constexpr bool wide = sizeof(Integer) == 8;
    constexpr bool is_signed = Integer(-1) < Integer(0);
    if (value != value) return wide ? Integer(std::uint64_t{1} << 63) : Integer(0);
    const double integral = to_integral(value, rounding);
    constexpr double span = double(std::uint64_t{1} << (sizeof(Integer) * 8 - 1));
    constexpr double low = is_signed ? -span : 0, high = is_signed ? span : 2 * span;
    if (integral >= high) {
        return is_signed ? Integer(~(std::uint64_t{1} << (sizeof(Integer) * 8 - 1)))
                         : Integer(-1);
    }
    if (integral < low) return is_signed ? Integer(std::uint64_t{1} << (sizeof(Integer) * 8 - 1))
                                         : Integer(0);
    return Integer(integral);
}

}  // namespace port_oracle
