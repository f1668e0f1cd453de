//! Small device functions that emitted text calls where C++ and CUDA differ. Only those that are
//! used are written.

use std::collections::BTreeSet;

/// A function or type: its name, what it needs, its text.
pub(super) struct Helper {
    pub(super) name: &'static str,
    pub(super) needs: &'static [&'static str],
    pub(super) text: &'static str,
}

fn all() -> impl Iterator<Item = &'static Helper> {
    HELPERS
        .iter()
        .chain(super::scalar_math::SCALAR)
        .chain(super::double_math::DOUBLE)
        .chain(super::double_functions::DOUBLE_FUNCTIONS)
}

/// The names of all helpers: no other name may be one.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    all().map(|helper| helper.name)
}

/// The names and texts of some helpers and of what they need; what is needed comes first.
pub(crate) fn texts(wanted: &BTreeSet<&'static str>) -> Vec<(&'static str, &'static str)> {
    let mut texts = Vec::new();
    let mut done = BTreeSet::new();
    for name in wanted {
        add(name, &mut done, &mut texts);
    }
    texts
}

fn add(
    name: &'static str,
    done: &mut BTreeSet<&'static str>,
    texts: &mut Vec<(&'static str, &'static str)>,
) {
    if !done.insert(name) {
        return;
    }
    if let Some(helper) = all().find(|helper| helper.name == name) {
        for needed in helper.needs {
            add(needed, done, texts);
        }
        texts.push((helper.name, helper.text));
    }
}

const HELPERS: &[Helper] = &[
    Helper {
        name: "BitCast",
        needs: &[],
        text: "// The same bits as another type of the same size.
template <typename To, typename From>
__aicore__ inline To BitCast(From from)
{
    static_assert(sizeof(To) == sizeof(From), \"the sizes differ\");
    To to;
    __builtin_memcpy(&to, &from, sizeof(To));
    return to;
}
",
    },
    Helper {
        name: "Array",
        needs: &[],
        text: "template <typename T, uint64_t N>
struct Array {
    T values[N];
};
",
    },
    Helper {
        name: "Part",
        needs: &[],
        text: "// The unsigned integer of so many bytes that may read any memory.
template <uint32_t BYTES>
struct Part {
    typedef uint64_t __attribute__((may_alias)) type;
};
template <>
struct Part<1> {
    typedef uint8_t __attribute__((may_alias)) type;
};
template <>
struct Part<2> {
    typedef uint16_t __attribute__((may_alias)) type;
};
template <>
struct Part<4> {
    typedef uint32_t __attribute__((may_alias)) type;
};
",
    },
    Helper {
        name: "LoadGm",
        needs: &["Part"],
        text: "// Several words at once, from global memory.
template <typename T>
__aicore__ inline T LoadGm(const __gm__ T* from)
{
    using Word = typename Part<alignof(T)>::type;
    T value;
    for (uint32_t i = 0; i < sizeof(T) / sizeof(Word); ++i) {
        reinterpret_cast<Word*>(&value)[i] = reinterpret_cast<const __gm__ Word*>(from)[i];
    }
    return value;
}
",
    },
    Helper {
        name: "StoreGm",
        needs: &["Part"],
        text: "template <typename T>
__aicore__ inline void StoreGm(__gm__ T* to, T value)
{
    using Word = typename Part<alignof(T)>::type;
    for (uint32_t i = 0; i < sizeof(T) / sizeof(Word); ++i) {
        reinterpret_cast<__gm__ Word*>(to)[i] = reinterpret_cast<Word*>(&value)[i];
    }
}
",
    },
    Helper {
        name: "LoadUb",
        needs: &["Part"],
        text: "// Several words at once, from the unified buffer.
template <typename T>
__aicore__ inline T LoadUb(const __ubuf__ T* from)
{
    using Word = typename Part<alignof(T)>::type;
    T value;
    for (uint32_t i = 0; i < sizeof(T) / sizeof(Word); ++i) {
        reinterpret_cast<Word*>(&value)[i] = reinterpret_cast<const __ubuf__ Word*>(from)[i];
    }
    return value;
}
",
    },
    Helper {
        name: "StoreUb",
        needs: &["Part"],
        text: "template <typename T>
__aicore__ inline void StoreUb(__ubuf__ T* to, T value)
{
    using Word = typename Part<alignof(T)>::type;
    for (uint32_t i = 0; i < sizeof(T) / sizeof(Word); ++i) {
        reinterpret_cast<__ubuf__ Word*>(to)[i] = reinterpret_cast<Word*>(&value)[i];
    }
}
",
    },
    Helper {
        name: "CopyBytes",
        needs: &[],
        text: "template <typename To, typename From>
__aicore__ inline void CopyBytes(To to, From from, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes; ++i) {
        to[i] = from[i];
    }
}
",
    },
    Helper {
        name: "FillBytes",
        needs: &[],
        text: "template <typename To>
__aicore__ inline void FillBytes(To to, uint8_t byte, uint64_t bytes)
{
    for (uint64_t i = 0; i < bytes; ++i) {
        to[i] = byte;
    }
}
",
    },
    Helper {
        name: "ReadPart",
        needs: &[],
        text: "// A part of a struct that C++ cannot lay out.
template <typename T, typename Whole>
__aicore__ inline T ReadPart(const Whole& whole, uint32_t offset)
{
    T part;
    __builtin_memcpy(&part, reinterpret_cast<const uint8_t*>(&whole) + offset, sizeof(T));
    return part;
}
",
    },
    Helper {
        name: "WithPart",
        needs: &[],
        text: "// The same value with a part replaced.
template <typename Whole, typename T>
__aicore__ inline Whole WithPart(Whole whole, uint32_t offset, T part)
{
    __builtin_memcpy(reinterpret_cast<uint8_t*>(&whole) + offset, &part, sizeof(T));
    return whole;
}
",
    },
    Helper {
        name: "ToFloat",
        needs: &["BitCast"],
        text: "__aicore__ inline float ToFloat(float value)
{
    return value;
}
__aicore__ inline float ToFloat(half value)
{
    return static_cast<float>(value);
}
__aicore__ inline float ToFloat(bfloat16_t value)
{
    return BitCast<float>(static_cast<uint32_t>(BitCast<uint16_t>(value)) << 16);
}
",
    },
    Helper {
        name: "ToHalf",
        needs: &[],
        text: "__aicore__ inline half ToHalf(float value)
{
    return static_cast<half>(value);
}
",
    },
    Helper {
        name: "ToBfloat16",
        needs: &["BitCast"],
        text: "// Rounded to nearest, ties to even.
__aicore__ inline bfloat16_t ToBfloat16(float value)
{
    uint32_t bits = BitCast<uint32_t>(value);
    uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    if ((bits & 0x7fffffffu) > 0x7f800000u) {
        rounded = 0x7fffu;  // NaN
    }
    return BitCast<bfloat16_t>(static_cast<uint16_t>(rounded));
}
",
    },
    Helper {
        name: "FusedToOdd",
        needs: &["BitCast"],
        text: "// a * b + c of 16-bit floats: the product is exact; the sum is rounded to odd, so that rounding it
// to 16 bits afterwards rounds once.
__aicore__ inline float FusedToOdd(float a, float b, float c)
{
    float product = a * b;
    float sum = product + c;
    float added = sum - product;
    float lost = (product - (sum - added)) + (c - added);
    uint32_t bits = BitCast<uint32_t>(sum);
    if ((lost < 0.0f || lost > 0.0f) && (bits & 1u) == 0) {
        bits = (lost > 0.0f) == (sum > 0.0f) ? bits + 1 : bits - 1;
    }
    return BitCast<float>(bits);
}
",
    },
    Helper {
        name: "ToInteger",
        needs: &[],
        text: "// Towards zero; NaN gives 0, what does not fit the nearest that does.
template <typename To>
__aicore__ inline To ToInteger(float value)
{
    constexpr bool isSigned = static_cast<To>(-1) < static_cast<To>(1);
    constexpr uint64_t top = static_cast<uint64_t>(1) << (8 * sizeof(To) - 1);
    constexpr float limit = static_cast<float>(top) * (isSigned ? 1.0f : 2.0f);
    constexpr uint64_t low = isSigned ? static_cast<uint64_t>(0) - top : 0;
    constexpr uint64_t high = isSigned ? top - 1 : top - 1 + top;
    if (!(value == value)) {
        return 0;
    }
    if (value >= limit) {
        return static_cast<To>(high);
    }
    if (isSigned ? value < -limit : value <= -1.0f) {
        return static_cast<To>(low);
    }
    return static_cast<To>(value);
}
",
    },
    Helper {
        name: "ShiftLeft",
        needs: &[],
        text: "// Shifts as CUDA has them: an amount that is not below the width leaves nothing.
template <typename T, typename By>
__aicore__ inline T ShiftLeft(T value, By by)
{
    bool fits = by >= 0 && static_cast<uint64_t>(by) < 8 * sizeof(T);
    return fits ? static_cast<T>(static_cast<uint64_t>(value) << by) : static_cast<T>(0);
}
",
    },
    Helper {
        name: "ShiftRight",
        needs: &[],
        text: "template <typename T, typename By>
__aicore__ inline T ShiftRight(T value, By by)
{
    bool fits = by >= 0 && static_cast<uint64_t>(by) < 8 * sizeof(T);
    return fits ? static_cast<T>(value >> by) : static_cast<T>(value < 0 ? -1 : 0);
}
",
    },
    Helper {
        name: "Minimum",
        needs: &[],
        text: "template <typename T>
__aicore__ inline T Minimum(T a, T b)
{
    return a < b ? a : b;
}
",
    },
    Helper {
        name: "Maximum",
        needs: &[],
        text: "template <typename T>
__aicore__ inline T Maximum(T a, T b)
{
    return a > b ? a : b;
}
",
    },
    Helper {
        name: "IsNegative",
        needs: &["BitCast"],
        text: "__aicore__ inline bool IsNegative(float value)
{
    return (BitCast<uint32_t>(value) >> 31) != 0;
}
",
    },
    Helper {
        name: "MinimumNumber",
        needs: &["IsNegative"],
        text: "// The smaller; of a number and a NaN the number.
__aicore__ inline float MinimumNumber(float a, float b)
{
    if (a != a) {
        return b;
    }
    return b != b || a < b || (a == b && IsNegative(a)) ? a : b;
}
",
    },
    Helper {
        name: "MaximumNumber",
        needs: &["IsNegative"],
        text: "// The larger; of a number and a NaN the number.
__aicore__ inline float MaximumNumber(float a, float b)
{
    if (a != a) {
        return b;
    }
    return b != b || a > b || (a == b && IsNegative(b)) ? a : b;
}
",
    },
    Helper {
        name: "MinimumOrNan",
        needs: &["MinimumNumber"],
        text: "__aicore__ inline float MinimumOrNan(float a, float b)
{
    return a != a ? a : b != b ? b : MinimumNumber(a, b);
}
",
    },
    Helper {
        name: "MaximumOrNan",
        needs: &["MaximumNumber"],
        text: "__aicore__ inline float MaximumOrNan(float a, float b)
{
    return a != a ? a : b != b ? b : MaximumNumber(a, b);
}
",
    },
    Helper {
        name: "AbsoluteValue",
        needs: &["BitCast"],
        text: "template <typename T>
__aicore__ inline T AbsoluteValue(T value)
{
    return value < 0 ? static_cast<T>(0 - value) : value;
}
template <>
__aicore__ inline float AbsoluteValue<float>(float value)
{
    return BitCast<float>(BitCast<uint32_t>(value) & 0x7fffffffu);
}
",
    },
    Helper {
        name: "CopySign",
        needs: &["BitCast"],
        text: "__aicore__ inline float CopySign(float value, float sign)
{
    uint32_t bits = BitCast<uint32_t>(value) & 0x7fffffffu;
    return BitCast<float>(bits | (BitCast<uint32_t>(sign) & 0x80000000u));
}
",
    },
    Helper {
        name: "Truncate",
        needs: &["AbsoluteValue", "CopySign"],
        text: "__aicore__ inline float Truncate(float value)
{
    // From 2^23 on, and for NaN, nothing is behind the point.
    if (!(AbsoluteValue(value) < 8388608.0f)) {
        return value;
    }
    return CopySign(static_cast<float>(static_cast<int32_t>(value)), value);
}
",
    },
    Helper {
        name: "Floor",
        needs: &["Truncate"],
        text: "__aicore__ inline float Floor(float value)
{
    float whole = Truncate(value);
    return whole > value ? whole - 1.0f : whole;
}
",
    },
    Helper {
        name: "Ceil",
        needs: &["Truncate"],
        text: "__aicore__ inline float Ceil(float value)
{
    float whole = Truncate(value);
    return whole < value ? CopySign(whole + 1.0f, value) : whole;
}
",
    },
    Helper {
        name: "RoundAway",
        needs: &["Truncate"],
        text: "// To the nearest, ties away from zero.
__aicore__ inline float RoundAway(float value)
{
    float whole = Truncate(value);
    float rest = AbsoluteValue(value - whole);
    return rest >= 0.5f ? whole + CopySign(1.0f, value) : whole;
}
",
    },
    Helper {
        name: "RoundEven",
        needs: &["Truncate"],
        text: "// To the nearest, ties to even.
__aicore__ inline float RoundEven(float value)
{
    float whole = Truncate(value);
    float rest = AbsoluteValue(value - whole);
    bool isOdd = AbsoluteValue(value) < 8388608.0f && (static_cast<int32_t>(whole) & 1) != 0;
    bool up = rest > 0.5f || (rest == 0.5f && isOdd);
    return up ? whole + CopySign(1.0f, value) : whole;
}
",
    },
    Helper {
        name: "IsNan",
        needs: &[],
        text: "__aicore__ inline bool IsNan(float value)
{
    return value != value;
}
",
    },
    Helper {
        name: "IsInfinite",
        needs: &["BitCast"],
        text: "__aicore__ inline bool IsInfinite(float value)
{
    return (BitCast<uint32_t>(value) & 0x7fffffffu) == 0x7f800000u;
}
",
    },
    Helper {
        name: "IsFinite",
        needs: &["BitCast"],
        text: "__aicore__ inline bool IsFinite(float value)
{
    return (BitCast<uint32_t>(value) & 0x7fffffffu) < 0x7f800000u;
}
",
    },
    Helper {
        name: "PopulationCount",
        needs: &[],
        text: "template <typename T>
__aicore__ inline int32_t PopulationCount(T value)
{
    int32_t count = 0;
    for (uint64_t bits = static_cast<uint64_t>(value); bits != 0; bits &= bits - 1) {
        ++count;
    }
    return count;
}
",
    },
    Helper {
        name: "LeadingZeros",
        needs: &[],
        text: "template <typename T>
__aicore__ inline int32_t LeadingZeros(T value)
{
    int32_t zeros = 0;
    for (uint64_t bit = static_cast<uint64_t>(1) << (8 * sizeof(T) - 1);
         bit != 0 && (static_cast<uint64_t>(value) & bit) == 0; bit >>= 1) {
        ++zeros;
    }
    return zeros;
}
",
    },
    Helper {
        name: "FirstSet",
        needs: &[],
        text: "// The position of the lowest bit, from 1; 0 if there is none.
template <typename T>
__aicore__ inline int32_t FirstSet(T value)
{
    uint64_t bits = static_cast<uint64_t>(value);
    for (int32_t i = 0; i < static_cast<int32_t>(8 * sizeof(T)); ++i) {
        if ((bits >> i & 1) != 0) {
            return i + 1;
        }
    }
    return 0;
}
",
    },
    Helper {
        name: "ReverseBits",
        needs: &[],
        text: "template <typename T>
__aicore__ inline T ReverseBits(T value)
{
    uint64_t from = static_cast<uint64_t>(value);
    uint64_t to = 0;
    for (uint32_t i = 0; i < 8 * sizeof(T); ++i) {
        to = to << 1 | (from >> i & 1);
    }
    return static_cast<T>(to);
}
",
    },
    Helper {
        name: "MultiplyHigh",
        needs: &[],
        text: "// The high half of the product.
__aicore__ inline uint32_t MultiplyHigh(uint32_t a, uint32_t b)
{
    return static_cast<uint32_t>(static_cast<uint64_t>(a) * b >> 32);
}
__aicore__ inline int32_t MultiplyHigh(int32_t a, int32_t b)
{
    return static_cast<int32_t>(static_cast<int64_t>(a) * b >> 32);
}
__aicore__ inline uint64_t MultiplyHigh(uint64_t a, uint64_t b)
{
    uint64_t lowA = a & 0xffffffffu, highA = a >> 32, lowB = b & 0xffffffffu, highB = b >> 32;
    uint64_t middle = highA * lowB + (lowA * lowB >> 32);
    uint64_t other = lowA * highB + (middle & 0xffffffffu);
    return highA * highB + (middle >> 32) + (other >> 32);
}
__aicore__ inline int64_t MultiplyHigh(int64_t a, int64_t b)
{
    uint64_t high = MultiplyHigh(static_cast<uint64_t>(a), static_cast<uint64_t>(b));
    high -= (a < 0 ? static_cast<uint64_t>(b) : 0) + (b < 0 ? static_cast<uint64_t>(a) : 0);
    return static_cast<int64_t>(high);
}
",
    },
    Helper {
        name: "BytePermute",
        needs: &[],
        text: "__aicore__ inline uint32_t BytePermute(uint32_t low, uint32_t high, uint32_t selector)
{
    uint64_t bytes = static_cast<uint64_t>(high) << 32 | low;
    uint32_t result = 0;
    for (uint32_t i = 0; i < 4; ++i) {
        uint32_t choice = selector >> (4 * i) & 15u;
        uint32_t byte = static_cast<uint32_t>(bytes >> (8 * (choice & 7u))) & 0xffu;
        if (choice & 8u) {
            byte = byte & 0x80u ? 0xffu : 0u;
        }
        result |= byte << (8 * i);
    }
    return result;
}
",
    },
    Helper {
        name: "FunnelLeft",
        needs: &[],
        text: "__aicore__ inline uint32_t FunnelLeft(uint32_t low, uint32_t high, uint32_t by)
{
    uint64_t both = static_cast<uint64_t>(high) << 32 | low;
    return static_cast<uint32_t>(both << (by & 31u) >> 32);
}
",
    },
    Helper {
        name: "FunnelRight",
        needs: &[],
        text: "__aicore__ inline uint32_t FunnelRight(uint32_t low, uint32_t high, uint32_t by)
{
    uint64_t both = static_cast<uint64_t>(high) << 32 | low;
    return static_cast<uint32_t>(both >> (by & 31u));
}
",
    },
    Helper {
        name: "FunnelRightClamped",
        needs: &[],
        text: "__aicore__ inline uint32_t FunnelRightClamped(uint32_t low, uint32_t high, uint32_t by)
{
    return by >= 32u ? high : static_cast<uint32_t>((static_cast<uint64_t>(high) << 32 | low) >> by);
}
",
    },
    Helper {
        name: "FunnelLeftClamped",
        needs: &[],
        text: "__aicore__ inline uint32_t FunnelLeftClamped(uint32_t low, uint32_t high, uint32_t by)
{
    return by >= 32u ? low : static_cast<uint32_t>(((static_cast<uint64_t>(high) << 32 | low) << by) >> 32);
}
",
    },
    Helper {
        name: "DotFourBytes",
        needs: &[],
        text: "template <typename A, typename B, typename C>
__aicore__ inline C DotFourBytes(A a, B b, C sum)
{
    for (uint32_t i = 0; i < 4; ++i) {
        int32_t left = static_cast<int32_t>(static_cast<uint32_t>(a) >> (8 * i) & 0xffu);
        int32_t right = static_cast<int32_t>(static_cast<uint32_t>(b) >> (8 * i) & 0xffu);
        left -= static_cast<A>(-1) < 0 && left > 127 ? 256 : 0;
        right -= static_cast<B>(-1) < 0 && right > 127 ? 256 : 0;
        sum += static_cast<C>(left * right);
    }
    return sum;
}
",
    },
    Helper {
        name: "LaneId",
        needs: &[],
        text: "// The number of the thread in its warp.
__aicore__ inline uint32_t LaneId()
{
    return (threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) % 32u;
}
",
    },
    Helper {
        name: "WarpId",
        needs: &[],
        text: "// The number of the warp in its block.
__aicore__ inline uint32_t WarpId()
{
    return (threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z)) / 32u;
}
",
    },
    Helper {
        name: "ShuffleWords",
        needs: &[],
        text: "template <typename T>
struct ShuffleWords {
    static constexpr uint32_t COUNT = (sizeof(T) + 3) / 4;
    uint32_t word[COUNT];
    __aicore__ inline void Set(const T& value)
    {
        word[COUNT - 1] = 0;
        __builtin_memcpy(word, &value, sizeof(T));
    }
    __aicore__ inline T Get() const
    {
        T value;
        __builtin_memcpy(&value, word, sizeof(T));
        return value;
    }
};
",
    },
    Helper {
        name: "Shuffle",
        needs: &["ShuffleWords"],
        text: "// The value of another lane, for any type: word by word.
template <typename T>
__aicore__ inline T Shuffle(T value, uint32_t lane)
{
    ShuffleWords<T> words;
    words.Set(value);
    for (uint32_t i = 0; i < ShuffleWords<T>::COUNT; ++i) {
        words.word[i] = asc_shfl(words.word[i], static_cast<int32_t>(lane));
    }
    return words.Get();
}
",
    },
    Helper {
        name: "MatchAny",
        needs: &["Shuffle"],
        text: "// The lanes of a mask whose value is the own one.
template <typename T>
__aicore__ inline uint32_t MatchAny(uint32_t mask, T value)
{
    uint32_t same = 0;
    for (uint32_t lane = 0; lane < 32; ++lane) {
        if ((mask >> lane & 1u) != 0 && Shuffle(value, lane) == value) {
            same |= 1u << lane;
        }
    }
    return same;
}
",
    },
    Helper {
        name: "ReduceLanes",
        needs: &["Shuffle"],
        text: "// Combines the values of the lanes of a mask.
template <typename T, typename Combine>
__aicore__ inline T ReduceLanes(uint32_t mask, T value, Combine combine)
{
    bool first = true;
    T all = value;
    for (uint32_t lane = 0; lane < 32; ++lane) {
        if ((mask >> lane & 1u) != 0) {
            T other = Shuffle(value, lane);
            all = first ? other : combine(all, other);
            first = false;
        }
    }
    return all;
}
",
    },
    Helper {
        name: "AtomicUpdate16",
        needs: &["BitCast"],
        text: "// A 16-bit value is updated through the 32-bit word that holds it.
template <typename T, typename Word, typename Update>
__aicore__ inline T AtomicUpdate16(Word* word, uint32_t shift, Update update)
{
    uint32_t seen = *word;
    while (true) {
        T old = BitCast<T>(static_cast<uint16_t>(seen >> shift));
        uint32_t bits = BitCast<uint16_t>(static_cast<T>(update(old)));
        uint32_t wanted = (seen & ~(0xffffu << shift)) | bits << shift;
        uint32_t found = asc_atomic_cas(word, seen, wanted);
        if (found == seen) {
            return old;
        }
        seen = found;
    }
}
",
    },
    Helper {
        name: "Fragment",
        needs: &[],
        text: "// The elements of a matrix tile that one of 32 lanes holds: those whose number, row by row, is the
// lane's modulo 32.
template <typename T, uint32_t N>
struct Fragment {
    T values[N];
};
",
    },
    Helper {
        name: "SplatFragment",
        needs: &["Fragment"],
        text: "template <typename T, uint32_t N>
__aicore__ inline Fragment<T, N> SplatFragment(T value)
{
    Fragment<T, N> fragment;
    for (uint32_t i = 0; i < N; ++i) {
        fragment.values[i] = value;
    }
    return fragment;
}
",
    },
    Helper {
        name: "LoadFragment",
        needs: &["Fragment"],
        text: "template <uint32_t COLUMNS, bool BY_ROWS, typename T, uint32_t N, typename Pointer>
__aicore__ inline Fragment<T, N> LoadFragment(Pointer from, uint32_t stride, uint32_t lane)
{
    Fragment<T, N> fragment;
    for (uint32_t i = 0; i < N; ++i) {
        uint32_t row = (i * 32 + lane) / COLUMNS, column = (i * 32 + lane) % COLUMNS;
        fragment.values[i] = from[BY_ROWS ? row * stride + column : column * stride + row];
    }
    return fragment;
}
",
    },
    Helper {
        name: "StoreFragment",
        needs: &["Fragment"],
        text: "template <uint32_t COLUMNS, bool BY_ROWS, typename Pointer, typename T, uint32_t N>
__aicore__ inline void StoreFragment(Pointer to, const Fragment<T, N>& fragment, uint32_t stride,
                                     uint32_t lane)
{
    for (uint32_t i = 0; i < N; ++i) {
        uint32_t row = (i * 32 + lane) / COLUMNS, column = (i * 32 + lane) % COLUMNS;
        to[BY_ROWS ? row * stride + column : column * stride + row] = fragment.values[i];
    }
}
",
    },
    Helper {
        name: "Widen",
        needs: &["ToFloat"],
        text: "// As products of matrix elements are summed.
__aicore__ inline float Widen(float value)
{
    return value;
}
__aicore__ inline float Widen(half value)
{
    return ToFloat(value);
}
__aicore__ inline float Widen(bfloat16_t value)
{
    return ToFloat(value);
}
__aicore__ inline int32_t Widen(int8_t value)
{
    return value;
}
__aicore__ inline int32_t Widen(uint8_t value)
{
    return value;
}
__aicore__ inline int32_t Widen(int32_t value)
{
    return value;
}
",
    },
    Helper {
        name: "MultiplyFragments",
        needs: &["Fragment", "Widen"],
        text: "// An element of a fragment that another lane holds; those asked for lie in slots `first` to `last`.
template <typename T, uint32_t N>
__aicore__ inline auto FragmentElement(const Fragment<T, N>& fragment, uint32_t element,
                                       uint32_t first, uint32_t last)
{
    auto result = asc_shfl(Widen(fragment.values[first]), static_cast<int32_t>(element % 32));
    for (uint32_t slot = first + 1; slot <= last; ++slot) {
        auto other = asc_shfl(Widen(fragment.values[slot]), static_cast<int32_t>(element % 32));
        result = element / 32 == slot ? other : result;
    }
    return result;
}

// a * b + c of tiles; all 32 lanes of the warp take part.
template <uint32_t M, uint32_t N, uint32_t K, typename C, uint32_t COUNT, typename A, typename B>
__aicore__ inline Fragment<C, COUNT> MultiplyFragments(const A& a, const B& b,
                                                       const Fragment<C, COUNT>& c, uint32_t lane)
{
    Fragment<C, COUNT> result;
    for (uint32_t i = 0; i < COUNT; ++i) {
        uint32_t row = (i * 32 + lane) / N, column = (i * 32 + lane) % N;
        uint32_t firstRow = i * 32 / N, lastRow = (i * 32 + 31) / N;
        uint32_t firstColumn = N < 32 ? 0 : i * 32 % N, lastColumn = N < 32 ? N - 1 : firstColumn + 31;
        auto sum = Widen(c.values[i]);
        for (uint32_t k = 0; k < K; ++k) {
            sum += FragmentElement(a, row * K + k, (firstRow * K + k) / 32, (lastRow * K + k) / 32) *
                   FragmentElement(b, k * N + column, (k * N + firstColumn) / 32,
                                   (k * N + lastColumn) / 32);
        }
        result.values[i] = static_cast<C>(sum);
    }
    return result;
}
",
    },
];
