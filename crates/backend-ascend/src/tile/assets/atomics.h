namespace lanes {

template <uint32_t bytes> struct Unsigned { using Type = uint32_t; };
template <> struct Unsigned<8> { using Type = uint64_t; };

// What an atomic operation does that goes lane by lane: 64 bits, or one with a condition.
enum class Step { Add, Subtract, Minimum, Maximum, And, Or, Xor, Exchange, CompareExchange, Increment, Decrement };

template <typename T, Step step>
__aicore__ inline T Follow(T old, T value, T expected)
{
    using U = typename Unsigned<sizeof(T)>::Type;
    const auto a = static_cast<U>(old);
    const auto b = static_cast<U>(value);
    if constexpr (step == Step::Add) return static_cast<T>(a + b);
    if constexpr (step == Step::Subtract) return static_cast<T>(a - b);
    if constexpr (step == Step::Minimum) return value < old ? value : old;
    if constexpr (step == Step::Maximum) return value > old ? value : old;
    if constexpr (step == Step::And) return static_cast<T>(a & b);
    if constexpr (step == Step::Or) return static_cast<T>(a | b);
    if constexpr (step == Step::Xor) return static_cast<T>(a ^ b);
    if constexpr (step == Step::CompareExchange) return old == expected ? value : old;
    if constexpr (step == Step::Increment) return a >= b ? static_cast<T>(0) : static_cast<T>(a + 1);
    if constexpr (step == Step::Decrement) return a == 0 || a > b ? value : static_cast<T>(a - 1);
    return value;
}

// Elements of the block's shared memory.
template <typename T>
struct SharedElements {
    LocalTensor<uint8_t> memory;
    __aicore__ inline T Get(Block&, int64_t at) const { return memory.ReinterpretCast<T>().GetValue(static_cast<uint32_t>(at)); }
    __aicore__ inline void Set(Block&, int64_t at, T value) const
    {
        memory.ReinterpretCast<T>().SetValue(static_cast<uint32_t>(at), value);
    }
};

// Elements of global memory.
template <typename T>
struct GlobalElements {
    GlobalTensor<T> memory;
    __aicore__ inline T Get(Block& block, int64_t at) const { return block.LoadOne(memory, at); }
    __aicore__ inline void Set(Block& block, int64_t at, T value) const
    {
        block.StoreOne(memory, at, value);
        Wait<HardEvent::MTE3_MTE2>();
    }
};

// Numbers of lanes: one vector, or two halves.
template <typename T>
struct Numbers {
    LocalTensor<int32_t> low;
    LocalTensor<int32_t> high;
    __aicore__ inline T Get(uint32_t lane) const
    {
        const auto bits = static_cast<uint32_t>(low.GetValue(lane));
        if constexpr (sizeof(T) == 8) return static_cast<T>(static_cast<uint64_t>(static_cast<uint32_t>(high.GetValue(lane))) << 32 | bits);
        return static_cast<T>(bits);
    }
    __aicore__ inline void Set(uint32_t lane, T value) const
    {
        low.SetValue(lane, static_cast<int32_t>(value));
        if constexpr (sizeof(T) == 8) high.SetValue(lane, static_cast<int32_t>(static_cast<uint64_t>(value) >> 32));
    }
};

// One active lane after the other; `before` takes the values from before if they are asked for.
template <typename T, Step step, bool asks, typename Elements, typename Offsets>
__aicore__ inline void UpdateEach(Block& block, const Elements& elements, int64_t base, const Offsets& offsets,
                                  const Numbers<T>& value, const Numbers<T>& expected, const Mask& mask, const Numbers<T>& before)
{
    auto words = mask.ReinterpretCast<uint32_t>();
    Wait<HardEvent::V_S>();
    for (uint32_t lane = 0; lane < block.count; ++lane) {
        if (!block.IsActive(words, lane)) continue;
        const int64_t at = base + block.At(offsets, lane);
        const T old = elements.Get(block, at);
        elements.Set(block, at, Follow<T, step>(old, value.Get(lane), expected.Get(lane)));
        if constexpr (asks) before.Set(lane, old);
    }
    Wait<HardEvent::S_V>();
}

// Two vectors of 32 bits as one.
template <Step step>
__aicore__ inline void Join(const LocalTensor<int32_t>& result, const LocalTensor<int32_t>& other, uint32_t count)
{
    if constexpr (step == Step::Add) Add(result, result, other, count);
    if constexpr (step == Step::Minimum) Min(result, result, other, count);
    if constexpr (step == Step::Maximum) Max(result, result, other, count);
}

// A vector of all lanes as one number; the vector is used up.
template <Step step>
__aicore__ inline int32_t Together(Block& block, const LocalTensor<int32_t>& value)
{
    constexpr uint32_t ROW = 64;
    constexpr uint32_t LEAST = BLOCK_BYTES / sizeof(int32_t);
    for (uint32_t row = ROW; row < block.padded; row += ROW) Join<step>(value, value[row], ROW);
    for (uint32_t half = ROW / 2; half >= LEAST; half /= 2) Join<step>(value, value[half], half);
    Wait<HardEvent::V_S>();
    int32_t result = value.GetValue(0);
    for (uint32_t i = 1; i < LEAST; ++i) result = Follow<int32_t, step>(result, value.GetValue(i), 0);
    Wait<HardEvent::S_V>();
    return result;
}

// The sum of the active lanes' words: of halves, that no sum of lanes is too large for 32 bits.
__aicore__ inline uint64_t SumOf(Block& block, const LocalTensor<int32_t>& words, const Mask& mask)
{
    auto low = block.scratch[0].ReinterpretCast<int32_t>();
    auto high = block.scratch[1].ReinterpretCast<int32_t>();
    auto shifted = block.scratch[2].ReinterpretCast<int32_t>();
    Duplicate(shifted, 0, block.padded);
    block.Choose(low, mask, words, shifted);
    block.ShiftDown(high, low, 16);
    block.ShiftUp(shifted, high, 16);
    Sub(low, low, shifted, block.padded);
    const uint64_t upper = static_cast<uint32_t>(Together<Step::Add>(block, high));
    return (upper << 16) + static_cast<uint32_t>(Together<Step::Add>(block, low));
}

// The smallest or largest of the active lanes' words, signed or not; what is the least or most where there is none.
template <Step step, bool isSigned>
__aicore__ inline uint32_t ExtremeOf(Block& block, const LocalTensor<int32_t>& words, const Mask& mask)
{
    // Order is that of signed numbers once the sign bit is turned.
    constexpr uint32_t TURN = isSigned ? 0 : 0x80000000u;
    auto turned = block.scratch[0].ReinterpretCast<int32_t>();
    auto none = block.scratch[1].ReinterpretCast<int32_t>();
    auto chosen = block.scratch[2].ReinterpretCast<int32_t>();
    Adds(turned, words, static_cast<int32_t>(TURN), block.padded);
    Duplicate(none, step == Step::Maximum ? INT32_MIN : INT32_MAX, block.padded);
    block.Choose(chosen, mask, turned, none);
    return static_cast<uint32_t>(Together<step>(block, chosen)) - TURN;
}

// The active lanes' numbers, put to what the core has.
template <typename T, Step step>
__aicore__ inline void Fold(Block& block, T& own, const Numbers<T>& value, const Mask& mask)
{
    constexpr bool IS_SIGNED = static_cast<T>(-1) < static_cast<T>(0);
    if constexpr (step == Step::Add || step == Step::Subtract) {
        uint64_t sum = SumOf(block, value.low, mask);
        if constexpr (sizeof(T) == 8) sum += SumOf(block, value.high, mask) << 32;
        own = Follow<T, step>(own, static_cast<T>(sum), 0);
    } else if constexpr (sizeof(T) == 4) {
        own = Follow<T, step>(own, static_cast<T>(ExtremeOf<step, IS_SIGNED>(block, value.low, mask)), 0);
    } else {
        // The extreme upper half, and among the lanes that have it the extreme lower one.
        const uint32_t high = ExtremeOf<step, IS_SIGNED>(block, value.high, mask);
        auto equal = block.scratch[0].template ReinterpretCast<int32_t>();
        Duplicate(equal, static_cast<int32_t>(high), block.padded);
        Compare(block.scratchMask[0], value.high, equal, CMPMODE::EQ, block.padded);
        block.MaskAnd(block.scratchMask[0], block.scratchMask[0], mask);
        const uint32_t low = ExtremeOf<step, false>(block, value.low, block.scratchMask[0]);
        own = Follow<T, step>(own, static_cast<T>(static_cast<uint64_t>(high) << 32 | low), 0);
    }
}

// What the cores have, put together by the first core: no unit updates such a number atomically.
template <typename T, Step step>
__aicore__ inline void Merge(Block& block, const GlobalTensor<T>& gm, int64_t at, T own, GM_ADDR workspace)
{
    constexpr int64_t PITCH = BLOCK_BYTES / sizeof(T);
    GlobalTensor<T> parts;
    parts.SetGlobalBuffer(reinterpret_cast<__gm__ T*>(workspace));
    Wait<HardEvent::MTE3_S>();
    block.StoreOne(parts, GetBlockIdx() * PITCH, own);
    PipeBarrier<PIPE_ALL>();
    SyncAll();
    if (GetBlockIdx() != 0) return;
    // Differences have been counted from zero.
    constexpr Step JOINED = step == Step::Subtract ? Step::Add : step;
    T all = block.LoadOne(gm, at);
    for (int64_t core = 0; core < GetBlockNum(); ++core) {
        all = Follow<T, JOINED>(all, block.LoadOne(parts, core * PITCH), 0);
    }
    Wait<HardEvent::MTE3_S>();
    block.StoreOne(gm, at, all);
}

}  // namespace lanes
