//! Helper functions of the scalar unit of the 910B: what it computes through the vector unit, one
//! element at a time, and the classical formulas on top of that.

use super::helpers::Helper;

pub(super) const SCALAR: &[Helper] = &[
    Helper {
        name: "ExpOf",
        needs: &[],
        text: "// One element through the vector unit, which has what the scalar unit lacks.
__aicore__ inline float ExpOf(AscendC::LocalTensor<float>& scratch, float value)
{
    scratch.SetValue(0, value);
    AscendC::SetFlag<AscendC::HardEvent::S_V>(EVENT_ID0);
    AscendC::WaitFlag<AscendC::HardEvent::S_V>(EVENT_ID0);
    AscendC::Exp(scratch, scratch, 8);
    AscendC::SetFlag<AscendC::HardEvent::V_S>(EVENT_ID0);
    AscendC::WaitFlag<AscendC::HardEvent::V_S>(EVENT_ID0);
    float result = scratch.GetValue(0);
    scratch.SetValue(0, 0.0f);
    return result;
}
",
    },
    Helper {
        name: "LogOf",
        needs: &[],
        text: "__aicore__ inline float LogOf(AscendC::LocalTensor<float>& scratch, float value)
{
    scratch.SetValue(0, value);
    AscendC::SetFlag<AscendC::HardEvent::S_V>(EVENT_ID0);
    AscendC::WaitFlag<AscendC::HardEvent::S_V>(EVENT_ID0);
    AscendC::Ln(scratch, scratch, 8);
    AscendC::SetFlag<AscendC::HardEvent::V_S>(EVENT_ID0);
    AscendC::WaitFlag<AscendC::HardEvent::V_S>(EVENT_ID0);
    float result = scratch.GetValue(0);
    scratch.SetValue(0, 1.0f);
    return result;
}
",
    },
    Helper {
        name: "SquareRootOf",
        needs: &[],
        text: "__aicore__ inline float SquareRootOf(AscendC::LocalTensor<float>& scratch, float value)
{
    scratch.SetValue(0, value);
    AscendC::SetFlag<AscendC::HardEvent::S_V>(EVENT_ID0);
    AscendC::WaitFlag<AscendC::HardEvent::S_V>(EVENT_ID0);
    AscendC::Sqrt(scratch, scratch, 8);
    AscendC::SetFlag<AscendC::HardEvent::V_S>(EVENT_ID0);
    AscendC::WaitFlag<AscendC::HardEvent::V_S>(EVENT_ID0);
    float result = scratch.GetValue(0);
    scratch.SetValue(0, 0.0f);
    return result;
}
",
    },
    Helper {
        name: "ScaleByTwo",
        needs: &["BitCast"],
        text: "// value * 2^power, in steps that do not round twice but below the normal numbers.
__aicore__ inline float ScaleByTwo(float value, int32_t power)
{
    power = power > 300 ? 300 : power < -300 ? -300 : power;
    while (power > 127) {
        value *= 1.7014118e38f;  // 2^127
        power -= 127;
    }
    while (power < -126) {
        value *= 1.1754944e-38f;  // 2^-126
        power += 126;
    }
    return value * BitCast<float>(static_cast<uint32_t>(power + 127) << 23);
}
",
    },
    Helper {
        name: "Exp2Of",
        needs: &["ExpOf", "ScaleByTwo", "RoundEven"],
        text: "__aicore__ inline float Exp2Of(AscendC::LocalTensor<float>& scratch, float value)
{
    if (!(value > -200.0f && value < 200.0f)) {
        return ExpOf(scratch, value);
    }
    float whole = RoundEven(value);
    float part = ExpOf(scratch, (value - whole) * 0.69314718f);
    return ScaleByTwo(part, static_cast<int32_t>(whole));
}
",
    },
    Helper {
        name: "Exp10Of",
        needs: &["Exp2Of"],
        text: "__aicore__ inline float Exp10Of(AscendC::LocalTensor<float>& scratch, float value)
{
    // log2(10) in two parts.
    float high = value * 3.3219280f;
    float whole = value > -100.0f && value < 100.0f ? RoundEven(high) : 0.0f;
    float rest = (value * 3.3219280f - whole) + value * 7.0595370e-08f;
    return whole == 0.0f ? Exp2Of(scratch, high) : ScaleByTwo(Exp2Of(scratch, rest), static_cast<int32_t>(whole));
}
",
    },
    Helper {
        name: "Log2Of",
        needs: &["LogOf"],
        text: "__aicore__ inline float Log2Of(AscendC::LocalTensor<float>& scratch, float value)
{
    return LogOf(scratch, value) * 1.44269504f;
}
",
    },
    Helper {
        name: "Log10Of",
        needs: &["LogOf"],
        text: "__aicore__ inline float Log10Of(AscendC::LocalTensor<float>& scratch, float value)
{
    return LogOf(scratch, value) * 0.434294482f;
}
",
    },
    Helper {
        name: "ExpMinusOneOf",
        needs: &["ExpOf", "LogOf"],
        text: "// The error of exp is divided out by its own logarithm.
__aicore__ inline float ExpMinusOneOf(AscendC::LocalTensor<float>& scratch, float value)
{
    float power = ExpOf(scratch, value);
    if (power == 1.0f || power != power) {
        return value;
    }
    float less = power - 1.0f;
    if (less == -1.0f || power > 3.0e38f) {
        return less;
    }
    return less * value / LogOf(scratch, power);
}
",
    },
    Helper {
        name: "LogOnePlusOf",
        needs: &["LogOf"],
        text: "__aicore__ inline float LogOnePlusOf(AscendC::LocalTensor<float>& scratch, float value)
{
    float more = 1.0f + value;
    if (more == 1.0f) {
        return value;
    }
    float logarithm = LogOf(scratch, more);
    return more > 3.0e38f ? logarithm : logarithm * value / (more - 1.0f);
}
",
    },
    Helper {
        name: "TanhOf",
        needs: &["ExpOf", "AbsoluteValue", "CopySign"],
        text: "__aicore__ inline float TanhOf(AscendC::LocalTensor<float>& scratch, float value)
{
    float size = AbsoluteValue(value);
    if (size < 0.35f) {
        float square = value * value;
        float series = -0.053968254f + square * (0.021869489f + square * (-0.0088632355f + square * 0.0035921280f));
        series = square * (-0.33333333f + square * (0.13333333f + square * series));
        return value + value * series;
    }
    float rest = 2.0f / (ExpOf(scratch, 2.0f * size) + 1.0f);
    return value != value ? value : CopySign(1.0f - rest, value);
}
",
    },
    Helper {
        name: "ErfOf",
        needs: &["ExpOf", "AbsoluteValue", "CopySign"],
        text: "// By its series near zero, by a continued fraction of its complement elsewhere.
__aicore__ inline float ErfOf(AscendC::LocalTensor<float>& scratch, float value)
{
    float size = AbsoluteValue(value);
    if (value != value) {
        return value;
    }
    if (size < 1.5f) {
        float square = value * value;
        float term = value;
        float sum = value;
        for (int32_t n = 1; n < 22; ++n) {
            term *= -square / static_cast<float>(n);
            sum += term / static_cast<float>(2 * n + 1);
        }
        return sum * 1.12837917f;
    }
    if (size > 4.0f) {
        return CopySign(1.0f, value);
    }
    float fraction = size;
    for (int32_t n = 40; n > 0; --n) {
        fraction = size + 0.5f * static_cast<float>(n) / fraction;
    }
    float complement = 0.56418958f * ExpOf(scratch, -size * size) / fraction;
    return CopySign(1.0f - complement, value);
}
",
    },
    Helper {
        name: "ErfcOf",
        needs: &["ErfOf"],
        text: "__aicore__ inline float ErfcOf(AscendC::LocalTensor<float>& scratch, float value)
{
    if (!(value > 0.5f)) {
        return 1.0f - ErfOf(scratch, value);
    }
    if (value > 10.5f) {
        return 0.0f;
    }
    int32_t steps = value < 1.5f ? 200 : 40;
    float fraction = value;
    for (int32_t n = steps; n > 0; --n) {
        fraction = value + 0.5f * static_cast<float>(n) / fraction;
    }
    return 0.56418958f * ExpOf(scratch, -value * value) / fraction;
}
",
    },
    Helper {
        name: "SineOf",
        needs: &["RoundEven", "Sine64", "ToFloat64", "NarrowFloat64"],
        text: "// sin(value + quarters * pi / 2): pi / 2 is taken away in three parts, then series.
__aicore__ inline float SineOf(float value, int32_t quarters)
{
    if (!(value > -10000.0f && value < 10000.0f)) {
        // The parts would be too coarse.
        return NarrowFloat64(Sine64(ToFloat64(value), quarters), false);
    }
    float turns = RoundEven(value * 0.636619772f);
    float angle = value - turns * 1.5703125f;
    angle -= turns * 4.83751297e-04f;
    angle -= turns * 7.54978942e-08f;
    int32_t quadrant = (static_cast<int32_t>(turns) + quarters) & 3;
    float square = angle * angle;
    float sine = angle + angle * square *
        (-0.166666667f + square * (8.33333333e-03f + square * (-1.98412698e-04f + square * 2.75573192e-06f)));
    float cosine = 1.0f + square *
        (-0.5f + square * (4.16666667e-02f + square * (-1.38888889e-03f +
        square * (2.48015873e-05f - square * 2.75573192e-07f))));
    float result = (quadrant & 1) != 0 ? cosine : sine;
    return (quadrant & 2) != 0 ? -result : result;
}
",
    },
    Helper {
        name: "SineOfPi",
        needs: &["SineOf"],
        text: "// sin(pi * (value + quarters / 2)): whole and half turns are taken away exactly.
__aicore__ inline float SineOfPi(float value, int32_t quarters)
{
    if (!(value > -8388608.0f && value < 8388608.0f)) {
        // Whole numbers, even ones from twice that on; what is not finite has no sine.
        float odd = value - 2.0f * RoundEven(value * 0.5f);
        return quarters == 0 ? odd * 0.0f : (odd == 0.0f ? 1.0f : odd - odd == 0.0f ? -1.0f : odd);
    }
    float halves = RoundEven(value + value);
    float angle = (value - 0.5f * halves) * 3.14159265f;
    float result = SineOf(angle, ((static_cast<int32_t>(halves) & 3) + quarters) & 3);
    return result == 0.0f ? value * 0.0f : result;
}
",
    },
    Helper {
        name: "PowerOf",
        needs: &["ExpOf", "LogOf", "Truncate", "AbsoluteValue", "ScaleByTwo", "RoundEven", "BitCast"],
        text: "__aicore__ inline float PowerOf(AscendC::LocalTensor<float>& scratch, float base, float exponent)
{
    if (exponent == 0.0f || base == 1.0f) {
        return 1.0f;
    }
    float size = AbsoluteValue(base);
    bool isWhole = Truncate(exponent) == exponent;
    bool isOdd = isWhole && AbsoluteValue(exponent) < 16777216.0f &&
        (static_cast<int32_t>(exponent) & 1) != 0;
    float result;
    if (isWhole && AbsoluteValue(exponent) <= 64.0f && size > 0.0f) {
        // Small whole powers by multiplication.
        int32_t count = static_cast<int32_t>(AbsoluteValue(exponent));
        float factor = size;
        result = 1.0f;
        for (; count > 0; count >>= 1) {
            result = (count & 1) != 0 ? result * factor : result;
            factor *= factor;
        }
        result = exponent < 0.0f ? 1.0f / result : result;
    } else if (size > 0.0f && size < 3.0e38f) {
        // The binary exponent apart, so that the logarithm keeps its digits.
        int32_t power = static_cast<int32_t>(BitCast<uint32_t>(size) >> 23) - 127;
        float fraction = ScaleByTwo(size, -power);
        float logarithm = LogOf(scratch, fraction) * 1.44269504f;
        float whole = static_cast<float>(power) * exponent;
        float rest = logarithm * exponent;
        float turns = RoundEven(whole + rest);
        if (!(turns > -400.0f && turns < 400.0f)) {
            result = ExpOf(scratch, turns);
        } else {
            float part = ((whole - turns) + rest) * 0.69314718f;
            result = ScaleByTwo(ExpOf(scratch, part), static_cast<int32_t>(turns));
        }
    } else {
        result = ExpOf(scratch, exponent * LogOf(scratch, size));
    }
    if (base < 0.0f) {
        return isWhole ? (isOdd ? -result : result) : (base - base) / 0.0f;
    }
    return result;
}
",
    },
    Helper {
        name: "ArcTangentOf",
        needs: &["AbsoluteValue", "CopySign"],
        text: "__aicore__ inline float ArcTangentOf(float value)
{
    float size = AbsoluteValue(value);
    float offset = 0.0f;
    float x = size;
    if (size > 2.41421356f) {
        offset = 1.57079633f;
        x = -1.0f / size;
    } else if (size > 0.41421356f) {
        offset = 0.785398163f;
        x = (size - 1.0f) / (size + 1.0f);
    }
    float square = x * x;
    float series = (((8.05374449538e-2f * square - 1.38776856032e-1f) * square + 1.99777106478e-1f) *
        square - 3.33329491539e-1f) * square * x + x;
    return value != value ? value : CopySign(offset + series, value);
}
",
    },
    Helper {
        name: "ModuloOf",
        needs: &["AbsoluteValue", "CopySign", "BitCast"],
        text: "// The exact remainder, bit by bit.
__aicore__ inline float ModuloOf(float value, float by)
{
    float rest = AbsoluteValue(value);
    float step = AbsoluteValue(by);
    if (!(rest < 3.4028236e38f) || !(step > 0.0f)) {
        return (value - value) / 0.0f * 0.0f;
    }
    if (!(step < 3.4028236e38f)) {
        return value;
    }
    float scaled = step;
    while (scaled <= rest * 0.5f) {
        scaled *= 2.0f;
    }
    for (; scaled >= step; scaled *= 0.5f) {
        rest = rest >= scaled ? rest - scaled : rest;
        if (scaled == step) {
            break;
        }
    }
    return CopySign(rest, value);
}
",
    },
    Helper {
        name: "FusedMultiplyAdd",
        needs: &["BitCast", "AbsoluteValue", "ToFloat64", "NarrowFloat64"],
        text: "// a * b + c rounded once: the exact product as two numbers, the exact sums, the last one rounded to
// odd (Boldo and Melquiond).
__aicore__ inline float FusedMultiplyAdd(float a, float b, float c)
{
    float product = a * b;
    float size = AbsoluteValue(product);
    bool fits = size < 1.0e30f && size > 1.0e-30f && AbsoluteValue(a) < 1.0e30f &&
        AbsoluteValue(b) < 1.0e30f && AbsoluteValue(c) < 1.0e37f;
    if (!fits) {
        // Near the ends of the range, through doubles: their product is exact, and the sum is
        // rounded to odd before it becomes a float.
        Float64 exact = ToFloat64(a) * ToFloat64(b);
        Float64 added = ToFloat64(c);
        Float64 total = exact + added;
        Float64 shown = total - exact;
        Float64 gone = (exact - (total - shown)) + (added - shown);
        if (!IsZero64(gone) && !IsNan64(gone) && (total.bits & 1u) == 0) {
            bool outwards = (gone.bits >> 63) == (total.bits >> 63);
            total.bits = outwards ? total.bits + 1 : total.bits - 1;
        }
        return NarrowFloat64(total, false);
    }
    float splitA = a * 4097.0f, splitB = b * 4097.0f;
    float highA = splitA - (splitA - a), highB = splitB - (splitB - b);
    float lowA = a - highA, lowB = b - highB;
    float rest = ((highA * highB - product) + highA * lowB + lowA * highB) + lowA * lowB;
    float sum = c + rest;
    float back = sum - c;
    float lost = (c - (sum - back)) + (rest - back);
    float high = product + sum;
    float other = high - product;
    float low = (product - (high - other)) + (sum - other);
    float tail = lost + low;
    float part = tail - lost;
    float error = (lost - (tail - part)) + (low - part);
    uint32_t bits = BitCast<uint32_t>(tail);
    if ((error < 0.0f || error > 0.0f) && (bits & 1u) == 0) {
        bits = (error > 0.0f) == (tail > 0.0f) ? bits + 1 : bits - 1;
    }
    return high + BitCast<float>(bits);
}
",
    },
    // What lanes do together, on arrays of all threads.
    Helper {
        name: "AnyThread",
        needs: &[],
        text: "template <typename Mask>
__aicore__ inline bool AnyThread(Mask mask, uint32_t threads)
{
    for (uint32_t t = 0; t < threads; ++t) {
        if (mask[t] != 0) {
            return true;
        }
    }
    return false;
}
",
    },
    Helper {
        name: "WarpBallot",
        needs: &[],
        text: "// In which active lanes of a thread's warp a truth value holds.
template <typename Mask, typename Predicate>
__aicore__ inline uint32_t WarpBallot(Mask active, Predicate predicate, uint32_t t, uint32_t threads)
{
    uint32_t votes = 0;
    for (uint32_t lane = 0, other = t & ~31u; lane < 32 && other < threads; ++lane, ++other) {
        if (active[other] != 0 && predicate[other] != 0) {
            votes |= 1u << lane;
        }
    }
    return votes;
}
",
    },
    Helper {
        name: "WarpMatch",
        needs: &[],
        text: "// The active lanes of a mask that hold what the thread holds.
template <typename Mask, typename Values>
__aicore__ inline uint32_t WarpMatch(Mask active, Values values, uint32_t mask, uint32_t t,
                                     uint32_t threads)
{
    uint32_t same = 0;
    for (uint32_t lane = 0, other = t & ~31u; lane < 32 && other < threads; ++lane, ++other) {
        if (active[other] != 0 && (mask >> lane & 1u) != 0 && values[other] == values[t]) {
            same |= 1u << lane;
        }
    }
    return same;
}
",
    },
    Helper {
        name: "WarpReduce",
        needs: &[],
        text: "// Combines what the active lanes of a mask hold.
template <typename T, typename Mask, typename Values, typename Combine>
__aicore__ inline T WarpReduce(Mask active, Values values, uint32_t mask, uint32_t t,
                               uint32_t threads, Combine combine)
{
    bool first = true;
    T all = values[t];
    for (uint32_t lane = 0, other = t & ~31u; lane < 32 && other < threads; ++lane, ++other) {
        if (active[other] != 0 && (mask >> lane & 1u) != 0) {
            all = first ? static_cast<T>(values[other]) : combine(all, values[other]);
            first = false;
        }
    }
    return all;
}
",
    },
    Helper {
        name: "ShuffleIndex",
        needs: &[],
        text: "// The thread that a shuffle reads.
__aicore__ inline uint32_t ShuffleIndex(uint32_t t, uint32_t lane, uint32_t width)
{
    return (t & ~(width - 1u)) + (lane & (width - 1u));
}
",
    },
    Helper {
        name: "ShuffleUp",
        needs: &[],
        text: "__aicore__ inline uint32_t ShuffleUp(uint32_t t, uint32_t by, uint32_t width)
{
    return (by & 31u) <= (t & (width - 1u)) ? t - (by & 31u) : t;
}
",
    },
    Helper {
        name: "ShuffleDown",
        needs: &[],
        text: "__aicore__ inline uint32_t ShuffleDown(uint32_t t, uint32_t by, uint32_t width)
{
    return (t & (width - 1u)) + (by & 31u) < width ? t + (by & 31u) : t;
}
",
    },
    Helper {
        name: "ShuffleXor",
        needs: &[],
        text: "__aicore__ inline uint32_t ShuffleXor(uint32_t t, uint32_t by, uint32_t width)
{
    uint32_t source = t ^ (by & 31u);
    return source < (t & ~(width - 1u)) + width ? source : t;
}
",
    },
    Helper {
        name: "MultiplyTiles",
        needs: &["Fragment", "Widen"],
        text: "// a * b + c of tiles whose parts the 32 lanes of a warp hold, for one lane.
template <uint32_t M, uint32_t N, uint32_t K, typename C, uint32_t COUNT, typename A, typename B>
__aicore__ inline Fragment<C, COUNT> MultiplyTiles(A a, B b, const Fragment<C, COUNT>& c, uint32_t t)
{
    Fragment<C, COUNT> result;
    uint32_t warp = t & ~31u;
    for (uint32_t i = 0; i < COUNT; ++i) {
        uint32_t row = (i * 32 + t % 32) / N, column = (i * 32 + t % 32) % N;
        auto sum = Widen(c.values[i]);
        for (uint32_t k = 0; k < K; ++k) {
            uint32_t left = row * K + k, right = k * N + column;
            sum += Widen(a[warp + left % 32].values[left / 32]) *
                   Widen(b[warp + right % 32].values[right / 32]);
        }
        result.values[i] = static_cast<C>(sum);
    }
    return result;
}
",
    },
];
