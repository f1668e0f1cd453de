//! `double` in software: the chips have none. Integers compute what IEEE 754 says, rounded to
//! nearest, ties to even, subnormals and all; slow, and the same bits as the source's.

use super::helpers::Helper;

pub(super) const DOUBLE: &[Helper] = &[
    Helper {
        name: "Float64",
        needs: &["MultiplyHigh"],
        text: "// A double: the chip computes it with integers.
struct Float64 {
    uint64_t bits;
};
constexpr uint64_t FLOAT64_SIGN = 0x8000000000000000u;
constexpr uint64_t FLOAT64_INFINITY = 0x7ff0000000000000u;
constexpr uint64_t FLOAT64_NAN = 0x7ff8000000000000u;

// A shift to the right after which the lowest bit says whether any one was lost.
__aicore__ inline uint64_t ShiftSticky(uint64_t value, int32_t by)
{
    if (by <= 0) {
        return value;
    }
    if (by > 63) {
        return value != 0 ? 1 : 0;
    }
    return value >> by | ((value << (64 - by)) != 0 ? 1u : 0u);
}

// significand / 2^62 * 2^(exponent - 1023), rounded.
__aicore__ inline Float64 RoundFloat64(uint64_t sign, int32_t exponent, uint64_t significand)
{
    if (exponent <= 0) {
        significand = ShiftSticky(significand, 1 - exponent);
        exponent = 1;
    }
    uint64_t rest = significand & 1023u;
    uint64_t kept = significand >> 10;
    kept += rest > 512u || (rest == 512u && (kept & 1u) != 0) ? 1u : 0u;
    if (exponent >= 2047) {
        return Float64{sign | FLOAT64_INFINITY};
    }
    uint64_t bits = (static_cast<uint64_t>(exponent - 1) << 52) + kept;
    return Float64{sign | (bits >= FLOAT64_INFINITY ? FLOAT64_INFINITY : bits)};
}

// A finite number that is not zero as significand (bit 52 set) and exponent.
__aicore__ inline uint64_t SplitFloat64(Float64 value, int32_t& exponent)
{
    uint64_t significand = value.bits & 0x000fffffffffffffu;
    exponent = static_cast<int32_t>(value.bits >> 52 & 2047u);
    if (exponent != 0) {
        return significand | 0x0010000000000000u;
    }
    exponent = 1;
    while (significand < 0x0010000000000000u) {
        significand <<= 1;
        --exponent;
    }
    return significand;
}

__aicore__ inline bool IsNan64(Float64 value)
{
    return (value.bits & ~FLOAT64_SIGN) > FLOAT64_INFINITY;
}
__aicore__ inline bool IsInfinite64(Float64 value)
{
    return (value.bits & ~FLOAT64_SIGN) == FLOAT64_INFINITY;
}
__aicore__ inline bool IsZero64(Float64 value)
{
    return (value.bits & ~FLOAT64_SIGN) == 0;
}

__aicore__ inline Float64 operator-(Float64 value)
{
    return Float64{value.bits ^ FLOAT64_SIGN};
}

__aicore__ inline Float64 operator+(Float64 a, Float64 b)
{
    if (IsNan64(a) || IsNan64(b)) {
        return Float64{FLOAT64_NAN};
    }
    if (IsInfinite64(a)) {
        return IsInfinite64(b) && a.bits != b.bits ? Float64{FLOAT64_NAN} : a;
    }
    if (IsInfinite64(b)) {
        return b;
    }
    if ((a.bits & ~FLOAT64_SIGN) < (b.bits & ~FLOAT64_SIGN)) {
        Float64 other = a;
        a = b;
        b = other;
    }
    uint64_t sign = a.bits & FLOAT64_SIGN;
    int32_t exponent = static_cast<int32_t>(a.bits >> 52 & 2047u);
    int32_t lower = static_cast<int32_t>(b.bits >> 52 & 2047u);
    uint64_t large = (a.bits & 0x000fffffffffffffu) | (exponent != 0 ? 0x0010000000000000u : 0u);
    uint64_t small = (b.bits & 0x000fffffffffffffu) | (lower != 0 ? 0x0010000000000000u : 0u);
    exponent = exponent == 0 ? 1 : exponent;
    lower = lower == 0 ? 1 : lower;
    large <<= 10;
    small = ShiftSticky(small << 10, exponent - lower);
    if ((a.bits & FLOAT64_SIGN) == (b.bits & FLOAT64_SIGN)) {
        uint64_t sum = large + small;
        if (sum >= FLOAT64_SIGN) {
            sum = ShiftSticky(sum, 1);
            ++exponent;
        }
        return RoundFloat64(sign, exponent, sum);
    }
    uint64_t difference = large - small;
    if (difference == 0) {
        return Float64{0};
    }
    while (difference < 0x4000000000000000u && exponent > 1) {
        difference <<= 1;
        --exponent;
    }
    return RoundFloat64(sign, exponent, difference);
}

__aicore__ inline Float64 operator-(Float64 a, Float64 b)
{
    return a + (-b);
}

__aicore__ inline Float64 operator*(Float64 a, Float64 b)
{
    uint64_t sign = (a.bits ^ b.bits) & FLOAT64_SIGN;
    if (IsNan64(a) || IsNan64(b)) {
        return Float64{FLOAT64_NAN};
    }
    if (IsInfinite64(a) || IsInfinite64(b)) {
        return IsZero64(a) || IsZero64(b) ? Float64{FLOAT64_NAN} : Float64{sign | FLOAT64_INFINITY};
    }
    if (IsZero64(a) || IsZero64(b)) {
        return Float64{sign};
    }
    int32_t exponentA, exponentB;
    uint64_t left = SplitFloat64(a, exponentA) << 10;
    uint64_t right = SplitFloat64(b, exponentB) << 11;
    uint64_t product = MultiplyHigh(left, right) | (left * right != 0 ? 1u : 0u);
    int32_t exponent = exponentA + exponentB - 1023;
    if (product >= 0x4000000000000000u) {
        ++exponent;
    } else {
        product <<= 1;
    }
    return RoundFloat64(sign, exponent, product);
}

__aicore__ inline Float64 operator/(Float64 a, Float64 b)
{
    uint64_t sign = (a.bits ^ b.bits) & FLOAT64_SIGN;
    if (IsNan64(a) || IsNan64(b) || (IsInfinite64(a) && IsInfinite64(b)) || (IsZero64(a) && IsZero64(b))) {
        return Float64{FLOAT64_NAN};
    }
    if (IsInfinite64(a) || IsZero64(b)) {
        return Float64{sign | FLOAT64_INFINITY};
    }
    if (IsInfinite64(b) || IsZero64(a)) {
        return Float64{sign};
    }
    int32_t exponentA, exponentB;
    uint64_t rest = SplitFloat64(a, exponentA);
    uint64_t by = SplitFloat64(b, exponentB);
    int32_t exponent = exponentA - exponentB + 1023;
    if (rest < by) {
        rest <<= 1;
        --exponent;
    }
    uint64_t quotient = 0;
    for (int32_t i = 0; i < 63; ++i) {
        quotient <<= 1;
        if (rest >= by) {
            rest -= by;
            quotient |= 1u;
        }
        rest <<= 1;
    }
    return RoundFloat64(sign, exponent, quotient | (rest != 0 ? 1u : 0u));
}

__aicore__ inline bool operator<(Float64 a, Float64 b)
{
    if (IsNan64(a) || IsNan64(b) || (IsZero64(a) && IsZero64(b))) {
        return false;
    }
    bool negativeA = (a.bits & FLOAT64_SIGN) != 0, negativeB = (b.bits & FLOAT64_SIGN) != 0;
    if (negativeA != negativeB) {
        return negativeA;
    }
    return negativeA ? a.bits > b.bits : a.bits < b.bits;
}
__aicore__ inline bool operator==(Float64 a, Float64 b)
{
    return !IsNan64(a) && !IsNan64(b) && (a.bits == b.bits || (IsZero64(a) && IsZero64(b)));
}
__aicore__ inline bool operator!=(Float64 a, Float64 b)
{
    return !(a == b);
}
__aicore__ inline bool operator>(Float64 a, Float64 b)
{
    return b < a;
}
__aicore__ inline bool operator<=(Float64 a, Float64 b)
{
    return a < b || a == b;
}
__aicore__ inline bool operator>=(Float64 a, Float64 b)
{
    return b < a || a == b;
}
",
    },
    Helper {
        name: "ToFloat64",
        needs: &["Float64", "BitCast"],
        text: "__aicore__ inline Float64 ToFloat64(uint64_t value)
{
    if (value == 0) {
        return Float64{0};
    }
    int32_t exponent = 1023 + 62;
    if (value >= FLOAT64_SIGN) {
        return RoundFloat64(0, exponent + 1, ShiftSticky(value, 1));
    }
    while (value < 0x4000000000000000u) {
        value <<= 1;
        --exponent;
    }
    return RoundFloat64(0, exponent, value);
}
__aicore__ inline Float64 ToFloat64(int64_t value)
{
    uint64_t size = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
    Float64 result = ToFloat64(size);
    return value < 0 ? -result : result;
}
__aicore__ inline Float64 ToFloat64(float value)
{
    uint32_t bits = BitCast<uint32_t>(value);
    uint64_t sign = static_cast<uint64_t>(bits >> 31) << 63;
    uint32_t exponent = bits >> 23 & 255u;
    uint64_t fraction = bits & 0x7fffffu;
    if (exponent == 255u) {
        return Float64{sign | FLOAT64_INFINITY | fraction << 29 | (fraction != 0 ? FLOAT64_NAN : 0u)};
    }
    if (exponent == 0) {
        // fraction * 2^-149
        Float64 small = ToFloat64(fraction);
        return Float64{sign | (fraction == 0 ? 0u : small.bits - (static_cast<uint64_t>(149) << 52))};
    }
    return Float64{sign | static_cast<uint64_t>(exponent + 896u) << 52 | fraction << 29};
}
",
    },
    Helper {
        name: "NarrowFloat64",
        needs: &["Float64", "BitCast"],
        text: "// As float, rounded to nearest, or to odd for what is rounded again.
__aicore__ inline float NarrowFloat64(Float64 value, bool toOdd)
{
    uint32_t sign = static_cast<uint32_t>(value.bits >> 32) & 0x80000000u;
    if (IsNan64(value)) {
        return BitCast<float>(sign | 0x7fc00000u);
    }
    if (IsInfinite64(value) || IsZero64(value)) {
        return BitCast<float>(sign | (IsZero64(value) ? 0u : 0x7f800000u));
    }
    int32_t exponent;
    uint64_t significand = SplitFloat64(value, exponent);
    exponent -= 896;
    uint64_t guarded = ShiftSticky(significand, 27 + (exponent <= 0 ? 1 - exponent : 0));
    uint32_t rest = static_cast<uint32_t>(guarded) & 3u;
    uint32_t kept = static_cast<uint32_t>(guarded >> 2);
    if (toOdd) {
        kept |= rest != 0 ? 1u : 0u;
    } else {
        kept += rest > 2u || (rest == 2u && (kept & 1u) != 0) ? 1u : 0u;
    }
    if (exponent > 254) {
        return BitCast<float>(sign | 0x7f800000u);
    }
    uint32_t bits = (exponent > 0 ? static_cast<uint32_t>(exponent - 1) << 23 : 0u) + kept;
    return BitCast<float>(sign | (bits > 0x7f800000u ? 0x7f800000u : bits));
}
",
    },
    Helper {
        name: "ToInteger64",
        needs: &["Float64"],
        text: "// Towards zero; NaN gives 0, what does not fit the nearest that does.
template <typename To>
__aicore__ inline To ToInteger64(Float64 value)
{
    constexpr bool isSigned = static_cast<To>(-1) < static_cast<To>(1);
    constexpr uint64_t top = static_cast<uint64_t>(1) << (8 * sizeof(To) - 1);
    bool isNegative = (value.bits & FLOAT64_SIGN) != 0;
    uint64_t limit = isSigned ? (isNegative ? top : top - 1) : (isNegative ? 0 : top - 1 + top);
    if (IsNan64(value) || IsZero64(value)) {
        return 0;
    }
    int32_t exponent = static_cast<int32_t>(value.bits >> 52 & 2047u) - 1023;
    uint64_t size = limit;
    if (exponent < 0) {
        size = 0;
    } else if (exponent < 64) {
        uint64_t significand = (value.bits & 0x000fffffffffffffu) | 0x0010000000000000u;
        size = exponent < 52 ? significand >> (52 - exponent) : significand << (exponent - 52);
        size = size > limit ? limit : size;
    }
    return static_cast<To>(isNegative ? 0 - size : size);
}
",
    },
    Helper {
        name: "SquareRoot64",
        needs: &["Float64"],
        text: "// Digit by digit.
__aicore__ inline Float64 SquareRoot64(Float64 value)
{
    if (IsNan64(value) || IsZero64(value) || value.bits == FLOAT64_INFINITY) {
        return value;
    }
    if ((value.bits & FLOAT64_SIGN) != 0) {
        return Float64{FLOAT64_NAN};
    }
    int32_t exponent;
    uint64_t radicand = SplitFloat64(value, exponent);
    exponent -= 1023;
    if ((exponent & 1) != 0) {
        radicand <<= 1;
        --exponent;
    }
    uint64_t root = 0, rest = 0;
    for (int32_t i = 26; i > -30; --i) {
        rest = rest << 2 | (i >= 0 ? radicand >> (2 * i) & 3u : 0u);
        uint64_t next = root << 2 | 1u;
        root <<= 1;
        if (rest >= next) {
            rest -= next;
            root |= 1u;
        }
    }
    return RoundFloat64(0, exponent / 2 + 1023, root << 7 | (rest != 0 ? 1u : 0u));
}
",
    },
    Helper {
        name: "AbsoluteValue64",
        needs: &["Float64"],
        text: "__aicore__ inline Float64 AbsoluteValue64(Float64 value)
{
    return Float64{value.bits & ~FLOAT64_SIGN};
}
",
    },
    Helper {
        name: "CopySign64",
        needs: &["Float64"],
        text: "__aicore__ inline Float64 CopySign64(Float64 value, Float64 sign)
{
    return Float64{(value.bits & ~FLOAT64_SIGN) | (sign.bits & FLOAT64_SIGN)};
}
",
    },
    Helper {
        name: "Truncate64",
        needs: &["Float64"],
        text: "__aicore__ inline Float64 Truncate64(Float64 value)
{
    int32_t exponent = static_cast<int32_t>(value.bits >> 52 & 2047u) - 1023;
    if (exponent >= 52) {
        return value;
    }
    if (exponent < 0) {
        return Float64{value.bits & FLOAT64_SIGN};
    }
    return Float64{value.bits & ~(0x000fffffffffffffu >> exponent)};
}
",
    },
    Helper {
        name: "Floor64",
        needs: &["Truncate64", "ToFloat64"],
        text: "__aicore__ inline Float64 Floor64(Float64 value)
{
    Float64 whole = Truncate64(value);
    return whole > value ? whole - ToFloat64(1.0f) : whole;
}
",
    },
    Helper {
        name: "Ceil64",
        needs: &["Truncate64", "ToFloat64", "CopySign64"],
        text: "__aicore__ inline Float64 Ceil64(Float64 value)
{
    Float64 whole = Truncate64(value);
    return whole < value ? CopySign64(whole + ToFloat64(1.0f), value) : whole;
}
",
    },
    Helper {
        name: "RoundAway64",
        needs: &["Truncate64", "ToFloat64", "CopySign64", "AbsoluteValue64"],
        text: "__aicore__ inline Float64 RoundAway64(Float64 value)
{
    Float64 whole = Truncate64(value);
    Float64 rest = AbsoluteValue64(value - whole);
    return rest >= ToFloat64(0.5f) ? whole + CopySign64(ToFloat64(1.0f), value) : whole;
}
",
    },
    Helper {
        name: "RoundEven64",
        needs: &["Truncate64", "ToFloat64", "CopySign64", "AbsoluteValue64", "ToInteger64"],
        text: "__aicore__ inline Float64 RoundEven64(Float64 value)
{
    Float64 whole = Truncate64(value);
    Float64 rest = AbsoluteValue64(value - whole);
    bool isOdd = (ToInteger64<int64_t>(whole) & 1) != 0;
    bool up = rest > ToFloat64(0.5f) || (rest == ToFloat64(0.5f) && isOdd);
    return up ? whole + CopySign64(ToFloat64(1.0f), value) : whole;
}
",
    },
    Helper {
        name: "MinimumNumber64",
        needs: &["Float64"],
        text: "__aicore__ inline Float64 MinimumNumber64(Float64 a, Float64 b)
{
    if (IsNan64(a)) {
        return b;
    }
    return IsNan64(b) || a < b || (a == b && (a.bits & FLOAT64_SIGN) != 0) ? a : b;
}
",
    },
    Helper {
        name: "MaximumNumber64",
        needs: &["Float64"],
        text: "__aicore__ inline Float64 MaximumNumber64(Float64 a, Float64 b)
{
    if (IsNan64(a)) {
        return b;
    }
    return IsNan64(b) || a > b || (a == b && (b.bits & FLOAT64_SIGN) != 0) ? a : b;
}
",
    },
    Helper {
        name: "FusedMultiplyAdd64",
        needs: &["Float64"],
        text: "// a * b + c rounded once: the exact product of 106 bits, and the sum in two words.
__aicore__ inline Float64 FusedMultiplyAdd64(Float64 a, Float64 b, Float64 c)
{
    Float64 plain = a * b;
    if (IsInfinite64(c) && !IsInfinite64(a) && !IsInfinite64(b) && !IsNan64(plain)) {
        return c;
    }
    if (IsNan64(plain) || IsNan64(c) || IsInfinite64(a) || IsInfinite64(b) || IsInfinite64(c) ||
        IsZero64(a) || IsZero64(b)) {
        return plain + c;
    }
    uint64_t sign = (a.bits ^ b.bits) & FLOAT64_SIGN;
    int32_t exponentA, exponentB;
    uint64_t left = SplitFloat64(a, exponentA) << 10;
    uint64_t right = SplitFloat64(b, exponentB) << 10;
    // high:low / 2^124 * 2^(exponent - 1023), with 2 bits of room above and the rest below.
    uint64_t high = MultiplyHigh(left, right), low = left * right;
    int32_t exponent = exponentA + exponentB - 1023;
    if (!IsZero64(c)) {
        int32_t exponentC;
        uint64_t otherHigh = SplitFloat64(c, exponentC) << 8, otherLow = 0;
        int32_t by = exponent - exponentC;
        // The smaller one is shifted; bits that fall out stick to the lowest.
        uint64_t& shiftedHigh = by >= 0 ? otherHigh : high;
        uint64_t& shiftedLow = by >= 0 ? otherLow : low;
        exponent = by >= 0 ? exponent : exponentC;
        by = by >= 0 ? by : -by;
        if (by > 0) {
            uint64_t lost;
            if (by >= 128) {
                lost = shiftedHigh | shiftedLow;
                shiftedHigh = shiftedLow = 0;
            } else if (by >= 64) {
                lost = shiftedLow | (by > 64 ? shiftedHigh << (128 - by) : 0u);
                shiftedLow = shiftedHigh >> (by - 64);
                shiftedHigh = 0;
            } else {
                lost = shiftedLow << (64 - by);
                shiftedLow = shiftedLow >> by | shiftedHigh << (64 - by);
                shiftedHigh >>= by;
            }
            shiftedLow |= lost != 0 ? 1u : 0u;
        }
        if (sign == (c.bits & FLOAT64_SIGN)) {
            low += otherLow;
            high += otherHigh + (low < otherLow ? 1u : 0u);
        } else {
            bool swap = high < otherHigh || (high == otherHigh && low < otherLow);
            uint64_t largeHigh = swap ? otherHigh : high, largeLow = swap ? otherLow : low;
            uint64_t smallHigh = swap ? high : otherHigh, smallLow = swap ? low : otherLow;
            sign = swap ? c.bits & FLOAT64_SIGN : sign;
            high = largeHigh - smallHigh - (largeLow < smallLow ? 1u : 0u);
            low = largeLow - smallLow;
            if ((high | low) == 0) {
                return Float64{0};
            }
        }
    }
    // To bit 62 of the high word; there the number is high / 2^62 * 2^(exponent + 2 - 1023).
    exponent += 2;
    while (high < 0x4000000000000000u) {
        high = high << 1 | low >> 63;
        low <<= 1;
        --exponent;
    }
    return RoundFloat64(sign, exponent, high | (low != 0 ? 1u : 0u));
}
",
    },
    Helper {
        name: "AtomicUpdate64",
        needs: &["Float64"],
        text: "// A double in global memory is updated by comparing and swapping its bits.
template <typename Word, typename Update>
__aicore__ inline Float64 AtomicUpdate64(Word* word, Update update)
{
    uint64_t seen = *word;
    while (true) {
        uint64_t found = asc_atomic_cas(word, seen, update(Float64{seen}).bits);
        if (found == seen) {
            return Float64{seen};
        }
        seen = found;
    }
}
",
    },
];
