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
template <typename T, Step step, bool asks, typename Elements>
__aicore__ inline void UpdateEach(Block& block, const Elements& elements, int64_t base, const LocalTensor<int32_t>& offsets,
                                  const Numbers<T>& value, const Numbers<T>& expected, const Mask& mask, const Numbers<T>& before)
{
    auto words = mask.ReinterpretCast<uint32_t>();
    Wait<HardEvent::V_S>();
    for (uint32_t lane = 0; lane < block.count; ++lane) {
        if (!block.IsActive(words, lane)) continue;
        const int64_t at = base + offsets.GetValue(lane);
        const T old = elements.Get(block, at);
        elements.Set(block, at, Follow<T, step>(old, value.Get(lane), expected.Get(lane)));
        if constexpr (asks) before.Set(lane, old);
    }
    Wait<HardEvent::S_V>();
}

}  // namespace lanes
