//! Functions of `double` in software: series on integers' arithmetic, within an ulp or two of the
//! exact value. Constants are the bits of doubles.

use super::helpers::Helper;

pub(super) const DOUBLE_FUNCTIONS: &[Helper] = &[
    Helper {
        name: "Float64Functions",
        needs: &["Float64", "FusedMultiplyAdd64"],
        text: "// coefficients[0] + x * (coefficients[1] + ...), the bits of doubles.
template <int count>
__aicore__ inline Float64 Polynomial64(Float64 x, const uint64_t (&coefficients)[count])
{
    Float64 sum{coefficients[count - 1]};
    for (int i = count - 2; i >= 0; --i) {
        sum = FusedMultiplyAdd64(sum, x, Float64{coefficients[i]});
    }
    return sum;
}

// value * 2^power, rounded once.
__aicore__ inline Float64 Scale64(Float64 value, int32_t power)
{
    if (IsNan64(value) || IsInfinite64(value) || IsZero64(value)) {
        return value;
    }
    int32_t exponent = 0;
    uint64_t significand = SplitFloat64(value, exponent);
    power = power > 5000 ? 5000 : power < -5000 ? -5000 : power;
    return RoundFloat64(value.bits & FLOAT64_SIGN, exponent + power, significand << 10);
}
",
    },
    Helper {
        name: "Exp64",
        needs: &["Float64Functions", "ToInteger64", "RoundEven64"],
        text: "// e^(x + low), for a small `low`.
__aicore__ inline Float64 ExpOfSum64(Float64 x, Float64 low)
{
    if (IsNan64(x)) {
        return Float64{FLOAT64_NAN};
    }
    if (x > Float64{0x4086300000000000u}) {
        return Float64{FLOAT64_INFINITY};
    }
    if (x < Float64{0xc087500000000000u}) {
        return Float64{0};
    }
    // x = k ln 2 + r; k times the high part of ln 2 is exact.
    Float64 k = RoundEven64(x * Float64{0x3ff71547652b82feu});
    Float64 high = FusedMultiplyAdd64(-k, Float64{0x3fe62e42fee00000u}, x);
    low = FusedMultiplyAdd64(-k, Float64{0x3dea39ef35793c76u}, low);
    Float64 r = high + low;
    Float64 rest = (high - r) + low;
    // e^r = 1 + r + r^2 / 2! + ...
    const uint64_t terms[] = {
        0x3fe0000000000000u, 0x3fc5555555555555u, 0x3fa5555555555555u, 0x3f81111111111111u,
        0x3f56c16c16c16c17u, 0x3f2a01a01a01a01au, 0x3efa01a01a01a01au, 0x3ec71de3a556c734u,
        0x3e927e4fb7789f5cu, 0x3e5ae64567f544e4u, 0x3e21eed8eff8d898u, 0x3de6124613a86d09u};
    Float64 more = FusedMultiplyAdd64(r * r, Polynomial64(r, terms), rest);
    return Scale64(Float64{0x3ff0000000000000u} + (r + more), ToInteger64<int32_t>(k));
}
__aicore__ inline Float64 Exp64(Float64 x)
{
    return ExpOfSum64(x, Float64{0});
}
",
    },
    Helper {
        name: "ExpMinusOne64",
        needs: &["Exp64", "AbsoluteValue64"],
        text: "__aicore__ inline Float64 ExpMinusOne64(Float64 x)
{
    if (AbsoluteValue64(x) < Float64{0x3ff0000000000000u}) {
        const uint64_t terms[] = {
        0x3fe0000000000000u, 0x3fc5555555555555u, 0x3fa5555555555555u, 0x3f81111111111111u,
        0x3f56c16c16c16c17u, 0x3f2a01a01a01a01au, 0x3efa01a01a01a01au, 0x3ec71de3a556c734u,
        0x3e927e4fb7789f5cu, 0x3e5ae64567f544e4u, 0x3e21eed8eff8d898u, 0x3de6124613a86d09u,
        0x3da93974a8c07c9du, 0x3d6ae7f3e733b81fu, 0x3d2ae7f3e733b81fu, 0x3ce952c77030ad4au,
        0x3ca6827863b97d97u, 0x3c62f49b46814157u};
        return FusedMultiplyAdd64(x * x, Polynomial64(x, terms), x);
    }
    return Exp64(x) - Float64{0x3ff0000000000000u};
}
",
    },
    Helper {
        name: "Log64",
        needs: &["Float64Functions", "ToFloat64"],
        text: "// The natural logarithm as high + low; x is finite and above zero.
__aicore__ inline Float64 LogOf64(Float64 x, Float64& low)
{
    int32_t exponent = 0;
    uint64_t significand = SplitFloat64(x, exponent);
    exponent -= 1023;
    Float64 m{(significand & 0x000fffffffffffffu) | 0x3ff0000000000000u};
    if (m > Float64{0x3ff6a09e667f3bcdu}) {
        m = m * Float64{0x3fe0000000000000u};
        ++exponent;
    }
    // log m = 2 (s + s^3 / 3 + s^5 / 5 ...) with s = (m - 1) / (m + 1), as high and low part.
    Float64 above = m - Float64{0x3ff0000000000000u};
    Float64 below = m + Float64{0x3ff0000000000000u};
    Float64 back = below - Float64{0x3ff0000000000000u};
    Float64 belowRest = (Float64{0x3ff0000000000000u} - (below - back)) + (m - back);
    Float64 s = above / below;
    Float64 error = FusedMultiplyAdd64(-s, below, above);
    Float64 sLow = FusedMultiplyAdd64(-s, belowRest, error) / below;
    Float64 z = s * s;
    Float64 zLow = FusedMultiplyAdd64(s, s, -z) + (s + s) * sLow;
    const uint64_t terms[] = {
        0x3fd5555555555555u, 0x3fc999999999999au, 0x3fc2492492492492u, 0x3fbc71c71c71c71cu,
        0x3fb745d1745d1746u, 0x3fb3b13b13b13b14u, 0x3fb1111111111111u, 0x3fae1e1e1e1e1e1eu,
        0x3faaf286bca1af28u, 0x3fa8618618618618u, 0x3fa642c8590b2164u, 0x3fa47ae147ae147bu};
    // The first term needs more bits than a double has.
    const uint64_t rest[] = {
        0x3fc999999999999au, 0x3fc2492492492492u, 0x3fbc71c71c71c71cu, 0x3fb745d1745d1746u,
        0x3fb3b13b13b13b14u, 0x3fb1111111111111u, 0x3fae1e1e1e1e1e1eu, 0x3faaf286bca1af28u,
        0x3fa8618618618618u, 0x3fa642c8590b2164u, 0x3fa47ae147ae147bu};
    Float64 third{terms[0]};
    Float64 thirdLow = Float64{0x3c75555555555555u};
    Float64 tail = Polynomial64(z, rest) * z;
    Float64 q = third + tail;
    Float64 qLow = ((third - q) + tail) + thirdLow;
    Float64 p = z * q;
    Float64 pLow = FusedMultiplyAdd64(z, q, -p) + (z * qLow + zLow * q);
    Float64 t = s * p;
    Float64 tLow = FusedMultiplyAdd64(s, p, -t) + (s * pLow + sLow * p);
    Float64 sum = s + t;
    Float64 sumLow = ((s - sum) + t) + (sLow + tLow);
    sum = sum + sum;
    sumLow = sumLow + sumLow;
    Float64 e = ToFloat64(static_cast<int64_t>(exponent));
    Float64 whole = e * Float64{0x3fe62e42fee00000u};
    Float64 high = whole + sum;
    low = ((whole - high) + sum) + FusedMultiplyAdd64(e, Float64{0x3dea39ef35793c76u}, sumLow);
    Float64 result = high + low;
    low = (high - result) + low;
    return result;
}
__aicore__ inline Float64 Log64(Float64 x)
{
    if (IsNan64(x) || (x.bits >> 63 != 0 && !IsZero64(x))) {
        return Float64{FLOAT64_NAN};
    }
    if (IsZero64(x)) {
        return Float64{FLOAT64_SIGN | FLOAT64_INFINITY};
    }
    if (IsInfinite64(x)) {
        return x;
    }
    Float64 low{0};
    return LogOf64(x, low);
}
",
    },
    Helper {
        name: "Log2Of64",
        needs: &["Log64"],
        text: "// log x times 1 / log base, with the low part.
__aicore__ inline Float64 LogTo64(Float64 x, Float64 factor, Float64 factorLow)
{
    if (IsNan64(x) || x.bits >> 63 != 0 || IsZero64(x) || IsInfinite64(x)) {
        return Log64(x);
    }
    Float64 low{0};
    Float64 high = LogOf64(x, low);
    Float64 product = high * factor;
    Float64 rest = FusedMultiplyAdd64(high, factor, -product);
    return product + (rest + FusedMultiplyAdd64(high, factorLow, low * factor));
}
__aicore__ inline Float64 Log2Of64(Float64 x)
{
    return LogTo64(x, Float64{0x3ff71547652b82feu}, Float64{0x3c7777d0ffda0d24u});
}
",
    },
    Helper {
        name: "Log10Of64",
        needs: &["Log2Of64"],
        text: "__aicore__ inline Float64 Log10Of64(Float64 x)
{
    return LogTo64(x, Float64{0x3fdbcb7b1526e50eu}, Float64{0x3c695355baaafad3u});
}
",
    },
    Helper {
        name: "LogOnePlus64",
        needs: &["Log64", "AbsoluteValue64"],
        text: "__aicore__ inline Float64 LogOnePlus64(Float64 x)
{
    Float64 sum = Float64{0x3ff0000000000000u} + x;
    if (IsNan64(sum) || IsInfinite64(sum) || IsZero64(sum) || sum.bits >> 63 != 0) {
        return Log64(sum);
    }
    if (AbsoluteValue64(x) < Float64{0x3c670ef54646d497u}) {
        return x;
    }
    // What the sum has lost.
    Float64 lost = x > Float64{0x3ff0000000000000u} ? Float64{0x3ff0000000000000u} - (sum - x) : x - (sum - Float64{0x3ff0000000000000u});
    Float64 low{0};
    Float64 high = LogOf64(sum, low);
    return high + (low + lost / sum);
}
",
    },
    Helper {
        name: "Power64",
        needs: &["Exp64", "Log64", "Truncate64", "AbsoluteValue64"],
        text: "__aicore__ inline Float64 Power64(Float64 x, Float64 y)
{
    const Float64 one = Float64{0x3ff0000000000000u};
    if (IsZero64(y) || x == one) {
        return one;
    }
    if (IsNan64(x) || IsNan64(y)) {
        return Float64{FLOAT64_NAN};
    }
    const bool isWhole = IsInfinite64(y) || Truncate64(y) == y;
    const Float64 half = y * Float64{0x3fe0000000000000u};
    const bool isOdd = isWhole && !IsInfinite64(y) && Truncate64(half) != half;
    const uint64_t sign = x.bits >> 63 != 0 && isOdd ? FLOAT64_SIGN : 0;
    const Float64 magnitude = AbsoluteValue64(x);
    const bool falls = y.bits >> 63 != 0;
    if (IsInfinite64(y)) {
        if (magnitude == one) {
            return one;
        }
        return Float64{(magnitude > one) != falls ? FLOAT64_INFINITY : 0};
    }
    if (IsZero64(x) || IsInfinite64(x)) {
        return Float64{sign | (IsZero64(x) == falls ? FLOAT64_INFINITY : 0)};
    }
    if (x.bits >> 63 != 0 && !isWhole) {
        return Float64{FLOAT64_NAN};
    }
    Float64 low{0};
    Float64 high = LogOf64(magnitude, low);
    Float64 product = y * high;
    if (IsInfinite64(product) || AbsoluteValue64(product) > Float64{0x4089000000000000u}) {
        return Float64{sign | (product.bits >> 63 != 0 ? 0 : FLOAT64_INFINITY)};
    }
    Float64 rest = FusedMultiplyAdd64(y, high, -product) + y * low;
    return Float64{sign | ExpOfSum64(product, rest).bits};
}
",
    },
    Helper {
        name: "CubeRoot64",
        needs: &["Power64", "CopySign64"],
        text: "__aicore__ inline Float64 CubeRoot64(Float64 x)
{
    if (IsNan64(x) || IsInfinite64(x) || IsZero64(x)) {
        return x;
    }
    // Small numbers would lose bits.
    const bool isSmall = AbsoluteValue64(x) < Float64{0x07b0000000000000u};
    Float64 cube = Scale64(AbsoluteValue64(x), isSmall ? 600 : 0);
    Float64 root = Power64(cube, Float64{0x3fd5555555555555u});
    // One step of Newton's method.
    Float64 square = root * root;
    Float64 error = FusedMultiplyAdd64(-square, root, cube);
    root = root + error / (square * Float64{0x4008000000000000u});
    return CopySign64(Scale64(root, isSmall ? -200 : 0), x);
}
",
    },
    Helper {
        name: "Sine64",
        needs: &[
            "Float64Functions",
            "ToFloat64",
            "ToInteger64",
            "RoundEven64",
            "AbsoluteValue64",
            "MultiplyHigh",
        ],
        text: "// x - k pi / 2 as high + low, at most pi / 4; k modulo 4.
__aicore__ inline Float64 Quarter64(Float64 x, int32_t& quarter, Float64& low)
{
    if (AbsoluteValue64(x) < Float64{0x412e848000000000u}) {
        Float64 k = RoundEven64(x * Float64{0x3fe45f306dc9c883u});
        quarter = ToInteger64<int32_t>(k) & 3;
        // The first two products are exact.
        Float64 first = FusedMultiplyAdd64(-k, Float64{0x3ff921fb54400000u}, x);
        Float64 second = k * Float64{0x3dd0b4611a600000u};
        Float64 difference = first - second;
        Float64 rest = (first - difference) - second;
        low = FusedMultiplyAdd64(-k, Float64{0x3ba3198a2e037073u}, rest);
        Float64 high = difference + low;
        low = (difference - high) + low;
        return high;
    }
    // Of 2 / pi only the bits count that make neither whole turns nor nothing.
    const uint64_t bits[] = {
        0xa2f9836e4e441529u, 0xfc2757d1f534ddc0u, 0xdb6295993c439041u, 0xfe5163abdebbc561u,
        0xb7246e3a424dd2e0u, 0x06492eea09d1921cu, 0xfe1deb1cb129a73eu, 0xe88235f52ebb4484u,
        0xe99c7026b45f7e41u, 0x3991d639835339f4u, 0x9c845f8bbdf9283bu, 0x1ff897ffde05980fu,
        0xef2f118b5a0a6d1fu, 0x6d367ecf27cb09b7u, 0x4f463f669e5fea2du, 0x7527bac7ebe5f17bu,
        0x3d0739f78a5292eau, 0x6bfb5fb11f8d5d08u, 0x56033046fc7b6babu, 0xf0cfbc209af4361du};
    int32_t exponent = 0;
    const uint64_t significand = SplitFloat64(x, exponent);
    const int32_t skip = exponent - 1023 - 52 - 3 > 0 ? exponent - 1023 - 52 - 3 : 0;
    uint64_t words[3];
    for (int i = 0; i < 3; ++i) {
        const int32_t at = skip / 64 + i;
        const int32_t by = skip % 64;
        words[i] = by == 0 ? bits[at] : bits[at] << by | bits[at + 1] >> (64 - by);
    }
    // significand * words: a whole part, and 192 bits below the point that `skip` moved.
    uint64_t last = significand * words[2];
    const uint64_t carry = MultiplyHigh(significand, words[2]);
    uint64_t next = significand * words[1] + carry;
    const uint64_t over = MultiplyHigh(significand, words[1]) + (next < carry ? 1u : 0u);
    uint64_t fraction = significand * words[0] + over;
    uint64_t above = MultiplyHigh(significand, words[0]) + (fraction < over ? 1u : 0u);
    const int32_t shift = exponent - 1023 - 52 - skip;
    if (shift > 0) {
        above = above << shift | fraction >> (64 - shift);
        fraction = fraction << shift | next >> (64 - shift);
        next = next << shift | last >> (64 - shift);
    } else if (shift < 0) {
        next = next >> -shift | fraction << (64 + shift);
        fraction = fraction >> -shift | above << (64 + shift);
        above >>= -shift;
    }
    int32_t whole = static_cast<int32_t>(above & 3u);
    uint64_t sign = 0;
    if (fraction >> 63 != 0) {
        ++whole;
        sign = FLOAT64_SIGN;
        next = ~next;
        fraction = ~fraction;
    }
    Float64 turn = Scale64(ToFloat64(fraction >> 11 << 11), -64);
    Float64 more = Scale64(ToFloat64(fraction << 53 >> 53), -64) + Scale64(ToFloat64(next), -128);
    const Float64 halfPi = Float64{0x3ff921fb54442d18u};
    Float64 high = turn * halfPi;
    low = FusedMultiplyAdd64(turn, halfPi, -high) + FusedMultiplyAdd64(turn, Float64{0x3c91a62633145c07u}, more * halfPi);
    Float64 sum = high + low;
    low = (high - sum) + low;
    high = Float64{sum.bits ^ sign};
    low = Float64{low.bits ^ sign};
    quarter = whole;
    if (x.bits >> 63 != 0) {
        high = -high;
        low = -low;
        quarter = -whole;
    }
    quarter &= 3;
    return high;
}
// sin(x + ahead pi / 2).
__aicore__ inline Float64 SineOfSum64(Float64 x, Float64 low, int32_t quarter)
{
    Float64 z = x * x;
    Float64 result{0};
    if ((quarter & 1) == 0) {
        const uint64_t terms[] = {
        0xbfc5555555555555u, 0x3f81111111111111u, 0xbf2a01a01a01a01au, 0x3ec71de3a556c734u,
        0xbe5ae64567f544e4u, 0x3de6124613a86d09u, 0xbd6ae7f3e733b81fu, 0x3ce952c77030ad4au};
        Float64 cube = z * x;
        result = x + (FusedMultiplyAdd64(cube, Polynomial64(z, terms), low));
    } else {
        const uint64_t terms[] = {
        0x3fa5555555555555u, 0xbf56c16c16c16c17u, 0x3efa01a01a01a01au, 0xbe927e4fb7789f5cu,
        0x3e21eed8eff8d898u, 0xbda93974a8c07c9du, 0x3d2ae7f3e733b81fu, 0xbca6827863b97d97u};
        Float64 half = z * Float64{0x3fe0000000000000u};
        Float64 one = Float64{0x3ff0000000000000u} - half;
        Float64 rest = (Float64{0x3ff0000000000000u} - one) - half;
        result = one + FusedMultiplyAdd64(z * z, Polynomial64(z, terms), FusedMultiplyAdd64(-x, low, rest));
    }
    return (quarter & 2) != 0 ? -result : result;
}
__aicore__ inline Float64 Sine64(Float64 x, int32_t ahead)
{
    if (IsNan64(x) || IsInfinite64(x)) {
        return Float64{FLOAT64_NAN};
    }
    if (ahead == 0 && IsZero64(x)) {
        return x;
    }
    int32_t quarter = 0;
    Float64 low{0};
    Float64 high = Quarter64(x, quarter, low);
    return SineOfSum64(high, low, quarter + ahead);
}
",
    },
    Helper {
        name: "SineOfPi64",
        needs: &["Sine64"],
        text: "// sin(pi (x + ahead / 2)).
__aicore__ inline Float64 SineOfPi64(Float64 x, int32_t ahead)
{
    if (IsNan64(x) || IsInfinite64(x)) {
        return Float64{FLOAT64_NAN};
    }
    if (AbsoluteValue64(x) >= Float64{0x4340000000000000u}) {
        return ahead == 0 ? Float64{x.bits & FLOAT64_SIGN} : Float64{0x3ff0000000000000u};
    }
    Float64 k = RoundEven64(x + x);
    Float64 rest = FusedMultiplyAdd64(-k, Float64{0x3fe0000000000000u}, x);
    if (IsZero64(rest) && ((ToInteger64<int64_t>(k) + ahead) & 1) == 0 && ahead == 0) {
        return Float64{x.bits & FLOAT64_SIGN};
    }
    Float64 high = rest * Float64{0x400921fb54442d18u};
    Float64 low = FusedMultiplyAdd64(rest, Float64{0x400921fb54442d18u}, -high) + rest * Float64{0x3ca1a62633145c07u};
    return SineOfSum64(high, low, static_cast<int32_t>((ToInteger64<int64_t>(k) + ahead) & 3));
}
",
    },
    Helper {
        name: "ArcTangent64",
        needs: &["Float64Functions", "AbsoluteValue64", "CopySign64"],
        text: "__aicore__ inline Float64 ArcTangent64(Float64 x)
{
    if (IsNan64(x) || IsZero64(x)) {
        return x;
    }
    const Float64 one = Float64{0x3ff0000000000000u};
    Float64 t = AbsoluteValue64(x);
    // atan t = pi / 2 - atan 1 / t; then around multiples of a quarter.
    const bool turned = t > one;
    Float64 tLow{0};
    if (turned) {
        Float64 inverse = one / t;
        tLow = IsInfinite64(t) ? Float64{0} : FusedMultiplyAdd64(-inverse, t, one) / t;
        t = inverse;
    }
    const uint64_t centres[] = {
        0x0000000000000000u, 0x3fd0000000000000u, 0x3fe0000000000000u, 0x3fe8000000000000u,
        0x3ff0000000000000u};
    const uint64_t angles[] = {
        0x0000000000000000u, 0x3fcf5b75f92c80ddu, 0x3fddac670561bb4fu, 0x3fe4978fa3269ee1u,
        0x3fe921fb54442d18u};
    const uint64_t anglesLow[] = {
        0x0000000000000000u, 0x3c68ab6e3cf7afbdu, 0x3c7a2b7f222f65e2u, 0x3c72419a87f2a458u,
        0x3c81a62633145c07u};
    int32_t nearest = 0;
    while (nearest < 4 && t > Float64{centres[nearest]} + Float64{0x3fc0000000000000u}) {
        ++nearest;
    }
    Float64 centre{centres[nearest]};
    Float64 above = t - centre;
    Float64 below = FusedMultiplyAdd64(t, centre, one);
    Float64 r = above / below;
    Float64 error = FusedMultiplyAdd64(-r, below, above) + tLow;
    Float64 rLow = error / below;
    Float64 z = r * r;
    const uint64_t terms[] = {
        0xbfd5555555555555u, 0x3fc999999999999au, 0xbfc2492492492492u, 0x3fbc71c71c71c71cu,
        0xbfb745d1745d1746u, 0x3fb3b13b13b13b14u, 0xbfb1111111111111u, 0x3fae1e1e1e1e1e1eu,
        0xbfaaf286bca1af28u};
    Float64 low = FusedMultiplyAdd64(z * r, Polynomial64(z, terms), rLow + Float64{anglesLow[nearest]});
    Float64 angle{angles[nearest]};
    Float64 high = angle + r;
    low = ((angle - high) + r) + low;
    if (turned) {
        const Float64 halfPi = Float64{0x3ff921fb54442d18u};
        Float64 rest = halfPi - high;
        low = ((halfPi - rest) - high) + (Float64{0x3c91a62633145c07u} - low);
        high = rest;
    }
    return CopySign64(high + low, x);
}
",
    },
    Helper {
        name: "ArcTangent2Of64",
        needs: &["ArcTangent64"],
        text: "__aicore__ inline Float64 ArcTangent2Of64(Float64 y, Float64 x)
{
    if (IsNan64(x) || IsNan64(y)) {
        return Float64{FLOAT64_NAN};
    }
    const Float64 pi = Float64{0x400921fb54442d18u};
    const bool left = x.bits >> 63 != 0;
    if (IsZero64(y)) {
        return CopySign64(left ? pi : Float64{0}, y);
    }
    if (IsZero64(x) || (IsInfinite64(y) && !IsInfinite64(x))) {
        return CopySign64(Float64{0x3ff921fb54442d18u}, y);
    }
    if (IsInfinite64(x)) {
        if (IsInfinite64(y)) {
            return CopySign64(left ? Float64{0x4002d97c7f3321d2u} : Float64{0x3fe921fb54442d18u}, y);
        }
        return CopySign64(left ? pi : Float64{0}, y);
    }
    Float64 angle = ArcTangent64(AbsoluteValue64(y) / AbsoluteValue64(x));
    if (left) {
        angle = pi - (angle - Float64{0x3ca1a62633145c07u});
    }
    return CopySign64(angle, y);
}
",
    },
    Helper {
        name: "ArcSine64",
        needs: &["ArcTangent64", "SquareRoot64"],
        text: "__aicore__ inline Float64 ArcSine64(Float64 x)
{
    const Float64 one = Float64{0x3ff0000000000000u};
    if (AbsoluteValue64(x) == one) {
        return CopySign64(Float64{0x3ff921fb54442d18u}, x);
    }
    return ArcTangent64(x / SquareRoot64((one - x) * (one + x)));
}
",
    },
    Helper {
        name: "ArcCosine64",
        needs: &["ArcTangent64", "SquareRoot64"],
        text: "__aicore__ inline Float64 ArcCosine64(Float64 x)
{
    const Float64 one = Float64{0x3ff0000000000000u};
    if (x == -one) {
        return Float64{0x400921fb54442d18u};
    }
    Float64 angle = ArcTangent64(SquareRoot64((one - x) / (one + x)));
    return angle + angle;
}
",
    },
    Helper {
        name: "HyperbolicSine64",
        needs: &["ExpMinusOne64", "CopySign64"],
        text: "__aicore__ inline Float64 HyperbolicSine64(Float64 x)
{
    Float64 t = AbsoluteValue64(x);
    if (t > Float64{0x4044000000000000u}) {
        Float64 root = Exp64(t * Float64{0x3fe0000000000000u});
        return CopySign64(root * Float64{0x3fe0000000000000u} * root, x);
    }
    Float64 e = ExpMinusOne64(t);
    return CopySign64(Float64{0x3fe0000000000000u} * (e + e / (e + Float64{0x3ff0000000000000u})), x);
}
",
    },
    Helper {
        name: "HyperbolicCosine64",
        needs: &["Exp64", "AbsoluteValue64"],
        text: "__aicore__ inline Float64 HyperbolicCosine64(Float64 x)
{
    Float64 t = AbsoluteValue64(x);
    if (t > Float64{0x4044000000000000u}) {
        Float64 root = Exp64(t * Float64{0x3fe0000000000000u});
        return root * Float64{0x3fe0000000000000u} * root;
    }
    Float64 e = Exp64(t);
    return Float64{0x3fe0000000000000u} * (e + Float64{0x3ff0000000000000u} / e);
}
",
    },
    Helper {
        name: "HyperbolicTangent64",
        needs: &["ExpMinusOne64", "CopySign64"],
        text: "__aicore__ inline Float64 HyperbolicTangent64(Float64 x)
{
    Float64 t = AbsoluteValue64(x);
    if (t > Float64{0x4036000000000000u}) {
        return CopySign64(Float64{0x3ff0000000000000u}, x);
    }
    Float64 e = ExpMinusOne64(t + t);
    return CopySign64(e / (e + Float64{0x4000000000000000u}), x);
}
",
    },
    Helper {
        name: "Hypotenuse64",
        needs: &["Float64Functions", "SquareRoot64", "AbsoluteValue64"],
        text: "__aicore__ inline Float64 Hypotenuse64(Float64 x, Float64 y)
{
    x = AbsoluteValue64(x);
    y = AbsoluteValue64(y);
    if (IsInfinite64(x) || IsInfinite64(y)) {
        return Float64{FLOAT64_INFINITY};
    }
    if (x < y) {
        Float64 other = x;
        x = y;
        y = other;
    }
    if (IsNan64(x) || IsNan64(y) || IsZero64(x)) {
        return x + y;
    }
    const int32_t power = static_cast<int32_t>(x.bits >> 52) - 1023;
    x = Scale64(x, -power);
    y = Scale64(y, -power);
    return Scale64(SquareRoot64(FusedMultiplyAdd64(x, x, y * y)), power);
}
",
    },
    Helper {
        name: "Modulo64",
        needs: &["Float64Functions", "AbsoluteValue64"],
        text: "__aicore__ inline Float64 Modulo64(Float64 x, Float64 y)
{
    if (IsNan64(x) || IsNan64(y) || IsInfinite64(x) || IsZero64(y)) {
        return Float64{FLOAT64_NAN};
    }
    if (IsInfinite64(y) || AbsoluteValue64(x) < AbsoluteValue64(y) || IsZero64(x)) {
        return x;
    }
    int32_t exponent = 0;
    int32_t lower = 0;
    uint64_t rest = SplitFloat64(x, exponent);
    const uint64_t divisor = SplitFloat64(y, lower);
    for (; exponent > lower; --exponent) {
        rest = (rest >= divisor ? rest - divisor : rest) << 1;
    }
    rest = rest >= divisor ? rest - divisor : rest;
    if (rest == 0) {
        return Float64{x.bits & FLOAT64_SIGN};
    }
    while (rest < 0x0010000000000000u) {
        rest <<= 1;
        --lower;
    }
    return RoundFloat64(x.bits & FLOAT64_SIGN, lower, rest << 10);
}
",
    },
];
