namespace lanes {
using namespace AscendC;

constexpr int32_t INPUT_BUFFERS = 2;
constexpr int32_t OUTPUT_BUFFERS = 2;
constexpr uint32_t BLOCK_BYTES = 32;
constexpr uint32_t MAX_COPIES = 4095;

template <HardEvent event>
__aicore__ inline void Wait()
{
    const auto id = GetTPipePtr()->FetchEventID(event);
    SetFlag<event>(id);
    WaitFlag<event>(id);
}

__aicore__ inline int64_t Smaller(int64_t a, int64_t b) { return a < b ? a : b; }
__aicore__ inline int64_t Larger(int64_t a, int64_t b) { return a > b ? a : b; }
__aicore__ inline int64_t FloorDivide(int64_t a, int64_t b)
{
    const int64_t quotient = a / b;
    return quotient * b > a ? quotient - 1 : quotient;
}

// Lanes whose x, y, z and number each lie in a range.
struct Box {
    int32_t low[4];
    int32_t high[4];
};
__aicore__ inline bool IsEmpty(const Box& box)
{
    bool empty = false;
    for (int i = 0; i < 4; ++i) empty = empty || box.low[i] >= box.high[i];
    return empty;
}
__aicore__ inline Box Intersect(const Box& a, const Box& b)
{
    Box result;
    for (int i = 0; i < 4; ++i) {
        result.low[i] = a.low[i] > b.low[i] ? a.low[i] : b.low[i];
        result.high[i] = a.high[i] < b.high[i] ? a.high[i] : b.high[i];
    }
    return result;
}

// How an address, or an integer, depends on the lane: base + x * X + y * Y + z * Z + number * N.
struct Form {
    int64_t base;
    int64_t step[4];
};
// Of neighbouring lanes, elements that lie `step` apart.
__aicore__ inline Form Row(int64_t base, int64_t step = 1) { return Form{base, {0, 0, 0, step}}; }

// An unsigned bound as a signed number: there is no lane beyond.
__aicore__ inline int64_t Bound(uint64_t end)
{
    return end >> 63 != 0 ? INT64_MAX : static_cast<int64_t>(end);
}

// In which type a type of memory is computed with.
template <typename T> struct Computed { using Type = int32_t; };
template <> struct Computed<float> { using Type = float; };
template <> struct Computed<half> { using Type = float; };
template <> struct Computed<bfloat16_t> { using Type = float; };

using Mask = LocalTensor<uint8_t>;

// Offsets that 32 bits may not hold: their low halves, and floats that are less than 2^30 away from the whole numbers.
// Together they are the numbers.
struct Far {
    LocalTensor<int32_t> low;
    LocalTensor<float> estimate;
};
// How far a tile's elements lie apart that offsets of 32 bits reach.
constexpr int64_t REACH = int64_t(3) << 29;

// Elements whose place is made of quotient and rest of the lanes' numbers, as those of a matrix's rows and columns:
// base + number / divisor * quotient + number % divisor * rest.
struct Split {
    Form number;
    int64_t divisor;
    int64_t base;
    int64_t quotient;
    int64_t rest;
};
// The same for lanes that follow each other: `length` lanes make a row, whose elements lie `step` apart; lane `from` is
// number `before` of the first row, whose elements would begin at `place`.
struct Rows {
    int64_t place;
    int64_t length;
    int64_t before;
    int64_t step;
    int64_t pitch;    // from row to row
    uint32_t count;   // rows
    int32_t from;
    int32_t to;

    __aicore__ inline int64_t At(uint32_t row) const { return place + pitch * row; }
    // The lanes of a row: its first one's number there, and how many.
    __aicore__ inline int64_t First(uint32_t row) const { return row == 0 ? before : 0; }
    __aicore__ inline int64_t Lanes(uint32_t row) const
    {
        const int64_t end = before + (to - from) - length * row;
        return (end < length ? end : length) - First(row);
    }
};

// Which rows a vector holds.
struct HeldRows {
    Rows rows;
    bool any = false;
};

// What an atomic operation does.
enum class Update { Add, Subtract, Minimum, Maximum, And, Or, Xor, Exchange };

// Which elements a vector holds.
struct Held {
    int64_t base;
    Box box;
    bool any = false;
};

class Block {
public:
    uint32_t extent[3];    // threads in x, y and z
    uint32_t count;        // of the block
    uint32_t padded;       // a multiple of what one instruction handles
    TQue<TPosition::VECIN, INPUT_BUFFERS> inQueue;
    TQue<TPosition::VECOUT, OUTPUT_BUFFERS> outQueue;
    TBuf<TPosition::VECCALC> memory;
    uint32_t next;         // bytes of `memory` that are given away

    // Bytes for each lane: of the input and output buffers and of values.
    __aicore__ inline void Init(TPipe& pipe, uint32_t x, uint32_t y, uint32_t z, uint32_t inBytes, uint32_t outBytes,
                                uint32_t valueBytes, uint32_t fixedBytes, uint8_t inputBuffers = INPUT_BUFFERS,
                                uint8_t outputBuffers = OUTPUT_BUFFERS)
    {
        extent[0] = x;
        extent[1] = y;
        extent[2] = z;
        count = x * y * z;
        padded = (count + 63) / 64 * 64;
        pipe.InitBuffer(inQueue, inputBuffers, inBytes * padded);
        pipe.InitBuffer(outQueue, outputBuffers, outBytes * padded);
        pipe.InitBuffer(memory, (valueBytes + SCRATCH_BYTES) * padded + fixedBytes);
        next = fixedBytes;
        number = Take<int32_t>(4);
        for (auto& tensor : scratch) tensor = Take<float>(4);
        for (auto& tensor : scratchMask) tensor = Take<uint8_t>(1);
        for (auto& tensor : spare) tensor = Take<int32_t>(4);
        // What no lane has written is read for lanes that take no part.
        Duplicate(memory.template Get<int32_t>(), static_cast<int32_t>(0), ((valueBytes + SCRATCH_BYTES) * padded + fixedBytes) / 4);
        CreateVecIndex(number, static_cast<int32_t>(0), padded);
    }
    static constexpr uint32_t SCRATCH_BYTES = 4 + 4 * 4 + 2 + 3 * 4;

    template <typename T>
    __aicore__ inline LocalTensor<T> Take(uint32_t bytesOfLane)
    {
        auto tensor = memory.GetWithOffset<T>(bytesOfLane * padded / sizeof(T), next);
        next += bytesOfLane * padded;
        return tensor;
    }
    // x, y and z of the lanes, for kernels that ask for them.
    __aicore__ inline void Coordinates()
    {
        for (auto& tensor : place) tensor = Take<int32_t>(4);
        Wait<HardEvent::V_S>();
        for (uint32_t lane = 0; lane < padded; ++lane) {
            place[0].SetValue(lane, lane % extent[0]);
            place[1].SetValue(lane, lane / extent[0] % extent[1]);
            place[2].SetValue(lane, lane / extent[0] / extent[1]);
        }
        Wait<HardEvent::S_V>();
    }
    __aicore__ inline Box All() const
    {
        Box box;
        for (int i = 0; i < 4; ++i) {
            box.low[i] = 0;
            box.high[i] = static_cast<int32_t>(i < 3 ? extent[i] : count);
        }
        return box;
    }
    // The first lanes, so many as there are.
    __aicore__ inline Box First(int64_t number) const
    {
        Box box = All();
        box.high[3] = Clamp(number, 3);
        return box;
    }
    __aicore__ inline Box None() const
    {
        Box box = All();
        box.high[3] = 0;
        return box;
    }
    // The lanes where form < 0, for a form in one coordinate.
    __aicore__ inline Box Below(const Form& form, int axis) const
    {
        Box box = All();
        const int64_t step = form.step[axis];
        if (step > 0) {
            // base + step * i < 0: i < ceil(-base / step)
            box.high[axis] = Clamp(-FloorDivide(form.base, step), axis);
        } else if (step < 0) {
            // i > base / -step: i >= floor(base / -step) + 1
            box.low[axis] = Clamp(FloorDivide(form.base, -step) + 1, axis);
        } else if (form.base >= 0) {
            box = None();
        }
        return box;
    }
    __aicore__ inline int32_t Clamp(int64_t value, int axis) const
    {
        const int64_t end = axis < 3 ? extent[axis] : count;
        return static_cast<int32_t>(value < 0 ? 0 : value > end ? end : value);
    }

    // ---- Integers of lanes ----
    __aicore__ inline const LocalTensor<int32_t>& Coordinate(int axis) const { return axis < 3 ? place[axis] : number; }
    __aicore__ inline void Spread(const LocalTensor<int32_t>& result, const Form& form)
    {
        bool first = true;
        for (int axis = 3; axis >= 0; --axis) {
            if (form.step[axis] == 0) continue;
            if (first) {
                Muls(result, Coordinate(axis), static_cast<int32_t>(form.step[axis]), padded);
            } else {
                auto part = scratch[0].ReinterpretCast<int32_t>();
                Muls(part, Coordinate(axis), static_cast<int32_t>(form.step[axis]), padded);
                Add(result, result, part, padded);
            }
            first = false;
        }
        if (first) {
            Duplicate(result, static_cast<int32_t>(form.base), padded);
        } else if (form.base != 0) {
            Adds(result, result, static_cast<int32_t>(form.base), padded);
        }
    }

    // ---- Truth values ----
    template <typename T>
    __aicore__ inline LocalTensor<uint16_t> Halves(const LocalTensor<T>& tensor) const
    {
        return tensor.template ReinterpretCast<uint16_t>();
    }
    __aicore__ inline void MaskAnd(const Mask& result, const Mask& a, const Mask& b)
    {
        And(Halves(result), Halves(a), Halves(b), padded / 16);
    }
    __aicore__ inline void MaskOr(const Mask& result, const Mask& a, const Mask& b)
    {
        Or(Halves(result), Halves(a), Halves(b), padded / 16);
    }
    __aicore__ inline void MaskNot(const Mask& result, const Mask& a) { Not(Halves(result), Halves(a), padded / 16); }
    __aicore__ inline void MaskAndNot(const Mask& result, const Mask& a, const Mask& b)
    {
        MaskNot(scratchMask[1], b);
        MaskAnd(result, a, scratchMask[1]);
    }
    __aicore__ inline void MaskXor(const Mask& result, const Mask& a, const Mask& b)
    {
        MaskAnd(scratchMask[0], a, b);
        MaskOr(scratchMask[1], a, b);
        MaskNot(scratchMask[0], scratchMask[0]);
        MaskAnd(result, scratchMask[0], scratchMask[1]);
    }
    __aicore__ inline void MaskCopy(const Mask& result, const Mask& a) { Or(Halves(result), Halves(a), Halves(a), padded / 16); }
    __aicore__ inline void MaskSet(const Mask& result, bool value)
    {
        Duplicate(Halves(result), static_cast<uint16_t>(value ? 0xffff : 0), padded / 16);
    }
    __aicore__ inline void MaskOf(const Mask& result, const Box& box)
    {
        const bool empty = IsEmpty(box);
        MaskSet(result, !empty);
        if (empty) return;
        for (int axis = 0; axis < 4; ++axis) {
            const int32_t end = static_cast<int32_t>(axis < 3 ? extent[axis] : padded);
            if (box.low[axis] == 0 && box.high[axis] >= end) continue;
            Cast(scratch[0], Coordinate(axis), RoundMode::CAST_NONE, padded);
            if (box.low[axis] > 0) {
                CompareScalar(scratchMask[0], scratch[0], static_cast<float>(box.low[axis]), CMPMODE::GE, padded);
                MaskAnd(result, result, scratchMask[0]);
            }
            if (box.high[axis] < end) {
                CompareScalar(scratchMask[0], scratch[0], static_cast<float>(box.high[axis]), CMPMODE::LT, padded);
                MaskAnd(result, result, scratchMask[0]);
            }
        }
    }
    // Whether a lane of the block is in a mask.
    __aicore__ inline bool Any(const Mask& mask) { return Count(mask) != 0; }
    // The bits of 32 lanes, those beyond the block zero.
    __aicore__ inline uint32_t Word(const LocalTensor<uint32_t>& words, uint32_t word) const
    {
        const uint32_t bits = words.GetValue(word);
        const uint32_t left = count - word * 32;
        return left >= 32 ? bits : bits & ((1u << left) - 1);
    }
    template <typename T>
    __aicore__ inline void Choose(const LocalTensor<T>& result, const Mask& mask, const LocalTensor<T>& accept,
                                  const LocalTensor<T>& reject)
    {
        Select(result.template ReinterpretCast<float>(), mask, accept.template ReinterpretCast<float>(),
               reject.template ReinterpretCast<float>(), SELMODE::VSEL_TENSOR_TENSOR_MODE, padded);
    }
    template <typename T>
    __aicore__ inline void Move(const LocalTensor<T>& result, const LocalTensor<T>& value)
    {
        DataCopy(result, value, padded);
    }
    // Integers of 32 bits: only equality has an instruction; a >= b where the larger is a.
    __aicore__ inline void CompareIntegers(const Mask& result, const LocalTensor<int32_t>& a, const LocalTensor<int32_t>& b,
                                           CMPMODE mode)
    {
        auto larger = scratch[3].ReinterpretCast<int32_t>();
        switch (mode) {
            case CMPMODE::EQ:
            case CMPMODE::NE:
                Compare(result, a, b, CMPMODE::EQ, padded);
                break;
            case CMPMODE::GE:
            case CMPMODE::LT:
                Max(larger, a, b, padded);
                Compare(result, larger, a, CMPMODE::EQ, padded);
                break;
            default:
                Max(larger, a, b, padded);
                Compare(result, larger, b, CMPMODE::EQ, padded);
                break;
        }
        if (mode == CMPMODE::NE || mode == CMPMODE::LT || mode == CMPMODE::GT) MaskNot(result, result);
    }
    __aicore__ inline void CompareUnsigned(const Mask& result, const LocalTensor<int32_t>& a, const LocalTensor<int32_t>& b,
                                           CMPMODE mode)
    {
        // Order is that of signed numbers once the sign bit is turned.
        auto left = scratch[0].ReinterpretCast<int32_t>();
        auto right = scratch[1].ReinterpretCast<int32_t>();
        Adds(left, a, static_cast<int32_t>(0x80000000u), padded);
        Adds(right, b, static_cast<int32_t>(0x80000000u), padded);
        CompareIntegers(result, left, right, mode);
    }

    // ---- Arithmetic without an instruction of its own ----
    __aicore__ inline void BitAnd(const LocalTensor<int32_t>& result, const LocalTensor<int32_t>& a, const LocalTensor<int32_t>& b)
    {
        And(Halves(result), Halves(a), Halves(b), padded * 2);
    }
    __aicore__ inline void BitOr(const LocalTensor<int32_t>& result, const LocalTensor<int32_t>& a, const LocalTensor<int32_t>& b)
    {
        Or(Halves(result), Halves(a), Halves(b), padded * 2);
    }
    __aicore__ inline void BitXor(const LocalTensor<int32_t>& result, const LocalTensor<int32_t>& a, const LocalTensor<int32_t>& b)
    {
        auto both = scratch[0].ReinterpretCast<int32_t>();
        auto either = scratch[1].ReinterpretCast<int32_t>();
        BitAnd(both, a, b);
        Not(Halves(both), Halves(both), padded * 2);
        BitOr(either, a, b);
        BitAnd(result, both, either);
    }
    __aicore__ inline void BitNot(const LocalTensor<int32_t>& result, const LocalTensor<int32_t>& a)
    {
        Not(Halves(result), Halves(a), padded * 2);
    }
    __aicore__ inline void ShiftUp(const LocalTensor<int32_t>& result, const LocalTensor<int32_t>& a, uint32_t amount)
    {
        if (amount >= 32) {
            Duplicate(result, 0, padded);
        } else {
            ShiftLeft(result.ReinterpretCast<uint32_t>(), a.ReinterpretCast<uint32_t>(), amount, padded);
        }
    }
    __aicore__ inline void ShiftDown(const LocalTensor<int32_t>& result, const LocalTensor<int32_t>& a, uint32_t amount)
    {
        if (amount >= 32) {
            Duplicate(result, 0, padded);
        } else {
            ShiftRight(result.ReinterpretCast<uint32_t>(), a.ReinterpretCast<uint32_t>(), amount, padded);
        }
    }
    __aicore__ inline void ShiftDownSigned(const LocalTensor<int32_t>& result, const LocalTensor<int32_t>& a, uint32_t amount)
    {
        ShiftRight(result, a, static_cast<int32_t>(amount >= 32 ? 31 : amount), padded);
    }
    // Shifts by amounts that differ: one step for each bit of the amount. kind: 0 up, 1 down, 2 down with the sign.
    __aicore__ inline void ShiftEach(const LocalTensor<int32_t>& result, const LocalTensor<int32_t>& a,
                                     const LocalTensor<int32_t>& amount, int kind)
    {
        auto value = scratch[0].ReinterpretCast<int32_t>();
        auto moved = scratch[1].ReinterpretCast<int32_t>();
        auto bit = scratch[2].ReinterpretCast<int32_t>();
        auto zero = scratch[3].ReinterpretCast<int32_t>();
        Move(value, a);
        Duplicate(zero, 0, padded);
        for (uint32_t step = 0; step < 6; ++step) {
            // Amounts of 32 and more: the last step moves by 32 where any higher bit is set.
            if (step < 5) {
                ShiftUp(bit, amount, 31 - step);
                ShiftDown(bit, bit, 31);
            } else {
                ShiftDown(bit, amount, 5);
            }
            Compare(scratchMask[0], bit, zero, CMPMODE::EQ, padded);
            if (kind == 0) {
                ShiftUp(moved, value, 1u << step);
            } else if (kind == 1) {
                ShiftDown(moved, value, 1u << step);
            } else {
                ShiftDownSigned(moved, value, 1u << step);
            }
            Choose(value, scratchMask[0], value, moved);
        }
        Move(result, value);
    }
    // The quotient of numbers that are not negative, by positive ones: estimates from below through float, and what
    // is left of them.
    __aicore__ inline void DividePositive(const LocalTensor<int32_t>& quotient, const LocalTensor<int32_t>& rest,
                                          const LocalTensor<int32_t>& a, const LocalTensor<int32_t>& b)
    {
        constexpr float BELOW = 1.0f - 1.0f / 4194304.0f;
        auto part = scratch[1].ReinterpretCast<int32_t>();
        Move(rest, a);
        Duplicate(quotient, 0, padded);
        for (int round = 0; round < 3; ++round) {
            Cast(scratch[0], rest, RoundMode::CAST_RINT, padded);
            Cast(scratch[1], b, RoundMode::CAST_RINT, padded);
            Div(scratch[0], scratch[0], scratch[1], padded);
            Muls(scratch[0], scratch[0], BELOW, padded);
            Cast(part, scratch[0], RoundMode::CAST_TRUNC, padded);
            Add(quotient, quotient, part, padded);
            Mul(part, part, b, padded);
            Sub(rest, rest, part, padded);
        }
        // rest >= b: one more.
        CompareIntegers(scratchMask[0], rest, b, CMPMODE::GE);
        auto one = scratch[0].ReinterpretCast<int32_t>();
        auto zero = scratch[1].ReinterpretCast<int32_t>();
        Duplicate(one, 1, padded);
        Duplicate(zero, 0, padded);
        Choose(one, scratchMask[0], one, zero);
        Add(quotient, quotient, one, padded);
        Mul(one, one, b, padded);
        Sub(rest, rest, one, padded);
    }
    // a / b and a - a / b * b toward zero.
    __aicore__ inline void DivideSigned(const LocalTensor<int32_t>& quotient, const LocalTensor<int32_t>& rest,
                                        const LocalTensor<int32_t>& a, const LocalTensor<int32_t>& b,
                                        const LocalTensor<int32_t>& temporary, const LocalTensor<int32_t>& other)
    {
        auto negative = scratch[0].ReinterpretCast<int32_t>();
        Muls(negative, a, -1, padded);
        Max(temporary, a, negative, padded);
        Muls(negative, b, -1, padded);
        Max(other, b, negative, padded);
        DividePositive(quotient, rest, temporary, other);
        // The signs: all ones where negative.
        auto sign = scratch[2].ReinterpretCast<int32_t>();
        ShiftDownSigned(sign, a, 31);
        BitXor(rest, rest, sign);
        Sub(rest, rest, sign, padded);
        ShiftDownSigned(temporary, b, 31);
        BitXor(temporary, temporary, sign);
        BitXor(quotient, quotient, temporary);
        Sub(quotient, quotient, temporary, padded);
    }
    // The high half of the product of unsigned numbers.
    __aicore__ inline void MultiplyHigh(const LocalTensor<int32_t>& result, const LocalTensor<int32_t>& a,
                                        const LocalTensor<int32_t>& b, const LocalTensor<int32_t>& temporary,
                                        const LocalTensor<int32_t>& other)
    {
        auto lowA = scratch[0].ReinterpretCast<int32_t>();
        auto lowB = scratch[1].ReinterpretCast<int32_t>();
        auto highA = scratch[2].ReinterpretCast<int32_t>();
        auto highB = scratch[3].ReinterpretCast<int32_t>();
        ShiftUp(lowA, a, 16);
        ShiftDown(lowA, lowA, 16);
        ShiftUp(lowB, b, 16);
        ShiftDown(lowB, lowB, 16);
        ShiftDown(highA, a, 16);
        ShiftDown(highB, b, 16);
        Mul(temporary, lowA, lowB, padded);
        ShiftDown(temporary, temporary, 16);
        Mul(other, highA, lowB, padded);
        Add(temporary, temporary, other, padded);   // fits: (2^16 - 1)^2 + 2^16 - 1 < 2^32
        ShiftUp(other, temporary, 16);
        ShiftDown(other, other, 16);
        Mul(lowA, lowA, highB, padded);
        Add(other, other, lowA, padded);
        Mul(result, highA, highB, padded);
        ShiftDown(temporary, temporary, 16);
        ShiftDown(other, other, 16);
        Add(result, result, temporary, padded);
        Add(result, result, other, padded);
    }
    // Unsigned numbers as floats: both halves are exact, their sum is rounded once.
    __aicore__ inline void FloatOfUnsigned(const LocalTensor<float>& result, const LocalTensor<int32_t>& a)
    {
        auto part = scratch[0].ReinterpretCast<int32_t>();
        ShiftDown(part, a, 16);
        Cast(scratch[1], part, RoundMode::CAST_RINT, padded);
        Muls(scratch[1], scratch[1], 65536.0f, padded);
        ShiftUp(part, a, 16);
        ShiftDown(part, part, 16);
        Cast(result, part, RoundMode::CAST_RINT, padded);
        Add(result, result, scratch[1], padded);
    }
    // Floats as integers toward zero; NaN gives 0.
    __aicore__ inline void IntegerOfFloat(const LocalTensor<int32_t>& result, const LocalTensor<float>& a, RoundMode mode)
    {
        Compare(scratchMask[0], a, a, CMPMODE::EQ, padded);
        Duplicate(scratch[0], 0.0f, padded);
        Choose(scratch[0], scratchMask[0], a, scratch[0]);
        Cast(result, scratch[0], mode, padded);
    }
    __aicore__ inline void UnsignedOfFloat(const LocalTensor<int32_t>& result, const LocalTensor<float>& a, RoundMode mode)
    {
        Compare(scratchMask[0], a, a, CMPMODE::EQ, padded);
        Duplicate(scratch[0], 0.0f, padded);
        Choose(scratch[0], scratchMask[0], a, scratch[0]);
        Maxs(scratch[0], scratch[0], 0.0f, padded);
        Mins(scratch[0], scratch[0], 4294967040.0f, padded);
        CompareScalar(scratchMask[0], scratch[0], 2147483648.0f, CMPMODE::GE, padded);
        Adds(scratch[1], scratch[0], -2147483648.0f, padded);
        Choose(scratch[0], scratchMask[0], scratch[1], scratch[0]);
        Cast(result, scratch[0], mode, padded);
        auto high = scratch[0].ReinterpretCast<int32_t>();
        auto moved = scratch[1].ReinterpretCast<int32_t>();
        Duplicate(high, static_cast<int32_t>(0x80000000u), padded);
        Add(moved, result, high, padded);
        Choose(result, scratchMask[0], moved, result);
    }
    // Of a number and a NaN the number.
    __aicore__ inline void MaximumNumber(const LocalTensor<float>& result, const LocalTensor<float>& a, const LocalTensor<float>& b)
    {
        Numbers(a, b);
        Max(result, scratch[0], scratch[1], padded);
    }
    __aicore__ inline void MinimumNumber(const LocalTensor<float>& result, const LocalTensor<float>& a, const LocalTensor<float>& b)
    {
        Numbers(a, b);
        Min(result, scratch[0], scratch[1], padded);
    }
    __aicore__ inline void Numbers(const LocalTensor<float>& a, const LocalTensor<float>& b)
    {
        Compare(scratchMask[0], a, a, CMPMODE::EQ, padded);
        Choose(scratch[0], scratchMask[0], a, b);
        Compare(scratchMask[0], b, b, CMPMODE::EQ, padded);
        Choose(scratch[1], scratchMask[0], b, a);
    }
    // A variable of the lanes that take part.
    template <typename T>
    __aicore__ inline void Assign(const LocalTensor<T>& variable, const LocalTensor<T>& value, const Mask& mask)
    {
        Choose(variable, mask, value, variable);
    }
    template <typename T>
    __aicore__ inline void Assign(const LocalTensor<T>& variable, const LocalTensor<T>& value, const Box& box)
    {
        if (IsAll(box)) {
            Move(variable, value);
            return;
        }
        MaskOf(scratchMask[1], box);
        Choose(variable, scratchMask[1], value, variable);
    }
    __aicore__ inline bool IsAll(const Box& box) const
    {
        bool all = true;
        for (int i = 0; i < 4; ++i) all = all && box.low[i] <= 0 && box.high[i] >= static_cast<int32_t>(i < 3 ? extent[i] : count);
        return all;
    }
    // e^x - e^-x over their sum; near zero, where that cancels, the series.
    __aicore__ inline void HyperbolicTangent(const LocalTensor<float>& result, const LocalTensor<float>& a)
    {
        Abs(scratch[0], a, padded);
        Muls(scratch[0], scratch[0], -2.0f, padded);
        Exp(scratch[0], scratch[0], padded);
        Muls(scratch[1], scratch[0], -1.0f, padded);
        Adds(scratch[1], scratch[1], 1.0f, padded);
        Adds(scratch[0], scratch[0], 1.0f, padded);
        Div(scratch[1], scratch[1], scratch[0], padded);
        Muls(scratch[0], scratch[1], -1.0f, padded);
        CompareScalar(scratchMask[0], a, 0.0f, CMPMODE::LT, padded);
        Choose(scratch[1], scratchMask[0], scratch[0], scratch[1]);
        Mul(scratch[0], a, a, padded);
        Muls(scratch[2], scratch[0], 62.0f / 2835.0f, padded);
        Adds(scratch[2], scratch[2], -17.0f / 315.0f, padded);
        Mul(scratch[2], scratch[2], scratch[0], padded);
        Adds(scratch[2], scratch[2], 2.0f / 15.0f, padded);
        Mul(scratch[2], scratch[2], scratch[0], padded);
        Adds(scratch[2], scratch[2], -1.0f / 3.0f, padded);
        Mul(scratch[2], scratch[2], scratch[0], padded);
        Mul(scratch[2], scratch[2], a, padded);
        Add(scratch[2], scratch[2], a, padded);
        CompareScalar(scratchMask[0], scratch[0], 0.0625f, CMPMODE::LT, padded);
        Choose(result, scratchMask[0], scratch[2], scratch[1]);
    }
    // The error function: near zero its series; elsewhere 1 - (polynomial of t) * e^(-x^2), t = 1 / (1 + p |x|), with an
    // absolute error below 2e-7.
    __aicore__ inline void ErrorFunction(const LocalTensor<float>& result, const LocalTensor<float>& a)
    {
        constexpr float TAIL[] = {1.061405429f, -1.453152027f, 1.421413741f, -0.284496736f, 0.254829592f};
        constexpr float SERIES[] = {1.0f / 9360.0f, -1.0f / 1320.0f, 1.0f / 216.0f, -1.0f / 42.0f, 0.1f, -1.0f / 3.0f, 1.0f};
        Abs(scratch[0], a, padded);
        Muls(scratch[0], scratch[0], 0.3275911f, padded);
        Adds(scratch[0], scratch[0], 1.0f, padded);
        Duplicate(scratch[1], 1.0f, padded);
        Div(scratch[0], scratch[1], scratch[0], padded);
        Duplicate(scratch[1], 0.0f, padded);
        for (const float coefficient : TAIL) {
            Mul(scratch[1], scratch[1], scratch[0], padded);
            Adds(scratch[1], scratch[1], coefficient, padded);
        }
        Mul(scratch[1], scratch[1], scratch[0], padded);
        Mul(scratch[0], a, a, padded);
        Muls(scratch[2], scratch[0], -1.0f, padded);
        Exp(scratch[2], scratch[2], padded);
        Mul(scratch[1], scratch[1], scratch[2], padded);
        Muls(scratch[1], scratch[1], -1.0f, padded);
        Adds(scratch[1], scratch[1], 1.0f, padded);
        Muls(scratch[2], scratch[1], -1.0f, padded);
        CompareScalar(scratchMask[0], a, 0.0f, CMPMODE::LT, padded);
        Choose(scratch[1], scratchMask[0], scratch[2], scratch[1]);
        Duplicate(scratch[2], 0.0f, padded);
        for (const float coefficient : SERIES) {
            Mul(scratch[2], scratch[2], scratch[0], padded);
            Adds(scratch[2], scratch[2], coefficient, padded);
        }
        Mul(scratch[2], scratch[2], a, padded);
        Muls(scratch[2], scratch[2], 1.12837916709551f, padded);
        CompareScalar(scratchMask[0], scratch[0], 0.25f, CMPMODE::LT, padded);
        Choose(result, scratchMask[0], scratch[2], scratch[1]);
    }
    // To a narrower format and back: what a value of that format is after rounding.
    template <typename T>
    __aicore__ inline void RoundTo(const LocalTensor<float>& result, const LocalTensor<float>& a)
    {
        auto narrow = scratch[0].ReinterpretCast<T>();
        Cast(narrow, a, RoundMode::CAST_RINT, padded);
        Cast(result, narrow, RoundMode::CAST_NONE, padded);
    }
    // 1 or 0.
    __aicore__ inline void IntegerOfMask(const LocalTensor<int32_t>& result, const Mask& mask)
    {
        auto one = scratch[0].ReinterpretCast<int32_t>();
        auto zero = scratch[1].ReinterpretCast<int32_t>();
        Duplicate(one, 1, padded);
        Duplicate(zero, 0, padded);
        Choose(result, mask, one, zero);
    }
    __aicore__ inline void MaskOfInteger(const Mask& result, const LocalTensor<int32_t>& value)
    {
        auto zero = scratch[0].ReinterpretCast<int32_t>();
        Duplicate(zero, 0, padded);
        Compare(result, value, zero, CMPMODE::EQ, padded);
        MaskNot(result, result);
    }
    // The low bits, with or without their sign.
    __aicore__ inline void Narrow(const LocalTensor<int32_t>& result, const LocalTensor<int32_t>& value, uint32_t bits, bool isSigned)
    {
        ShiftUp(result, value, 32 - bits);
        if (isSigned) {
            ShiftDownSigned(result, result, 32 - bits);
        } else {
            ShiftDown(result, result, 32 - bits);
        }
    }

    // ---- Numbers of 64 bits: low and high halves ----
    __aicore__ inline void AddWide(const LocalTensor<int32_t>& low, const LocalTensor<int32_t>& high, const LocalTensor<int32_t>& a,
                                   int64_t base)
    {
        Adds(low, a, static_cast<int32_t>(base), padded);
        // What is added to the low half may carry; of a negative number the high half is all ones.
        Duplicate(high, static_cast<int32_t>(base), padded);
        CompareUnsigned(scratchMask[0], low, high, CMPMODE::LT);
        auto one = scratch[0].ReinterpretCast<int32_t>();
        auto zero = scratch[1].ReinterpretCast<int32_t>();
        ShiftDownSigned(zero, a, 31);
        Adds(one, zero, 1, padded);
        Choose(high, scratchMask[0], one, zero);
        Adds(high, high, static_cast<int32_t>(base >> 32), padded);
    }
    // What a form adds over all lanes, at least and at most.
    __aicore__ inline void Reach(const Form& form, int64_t& least, int64_t& most) const
    {
        least = form.base;
        most = form.base;
        for (int axis = 0; axis < 4; ++axis) {
            const int64_t end = axis < 3 ? static_cast<int64_t>(extent[axis]) - 1 : static_cast<int64_t>(padded) - 1;
            (form.step[axis] < 0 ? least : most) += form.step[axis] * end;
        }
    }
    __aicore__ inline void SpreadWide(const LocalTensor<int32_t>& low, const LocalTensor<int32_t>& high, const Form& form)
    {
        // From the smallest value of the form on, nothing is negative.
        int64_t least = 0, most = 0;
        Reach(form, least, most);
        if (most - least > INT32_MAX) {
            Wait<HardEvent::V_S>();
            for (uint32_t lane = 0; lane < count; ++lane) {
                const int64_t value = At(form, lane);
                low.SetValue(lane, static_cast<int32_t>(value));
                high.SetValue(lane, static_cast<int32_t>(value >> 32));
            }
            Wait<HardEvent::S_V>();
            return;
        }
        auto offset = spare[0];
        Form rest = form;
        rest.base = form.base - least;
        Spread(offset, rest);
        AddWide(low, high, offset, least);
    }
    __aicore__ inline void AddLong(const LocalTensor<int32_t>& low, const LocalTensor<int32_t>& high, const LocalTensor<int32_t>& aLow,
                                   const LocalTensor<int32_t>& aHigh, const LocalTensor<int32_t>& bLow, const LocalTensor<int32_t>& bHigh)
    {
        Add(low, aLow, bLow, padded);
        CompareUnsigned(scratchMask[0], low, aLow, CMPMODE::LT);
        IntegerOfMask(high, scratchMask[0]);
        Add(high, high, aHigh, padded);
        Add(high, high, bHigh, padded);
    }
    __aicore__ inline void SubLong(const LocalTensor<int32_t>& low, const LocalTensor<int32_t>& high, const LocalTensor<int32_t>& aLow,
                                   const LocalTensor<int32_t>& aHigh, const LocalTensor<int32_t>& bLow, const LocalTensor<int32_t>& bHigh)
    {
        CompareUnsigned(scratchMask[0], aLow, bLow, CMPMODE::LT);
        IntegerOfMask(high, scratchMask[0]);
        Sub(low, aLow, bLow, padded);
        Sub(high, aHigh, high, padded);
        Sub(high, high, bHigh, padded);
    }
    // how: 0 up, 1 down, 2 down with the sign
    __aicore__ inline void ShiftLong(const LocalTensor<int32_t>& low, const LocalTensor<int32_t>& high, const LocalTensor<int32_t>& aLow,
                                     const LocalTensor<int32_t>& aHigh, uint32_t amount, int how, const LocalTensor<int32_t>& carried)
    {
        if (amount == 0) {
            Move(low, aLow);
            Move(high, aHigh);
        } else if (how == 0) {
            if (amount >= 32) {
                ShiftUp(high, aLow, amount - 32);
                Duplicate(low, 0, padded);
            } else {
                ShiftDown(carried, aLow, 32 - amount);
                ShiftUp(high, aHigh, amount);
                BitOr(high, high, carried);
                ShiftUp(low, aLow, amount);
            }
        } else if (amount >= 32) {
            if (how == 1) {
                ShiftDown(low, aHigh, amount - 32);
                Duplicate(high, 0, padded);
            } else {
                ShiftDownSigned(high, aHigh, 31);
                ShiftDownSigned(low, aHigh, amount - 32);
            }
        } else {
            ShiftUp(carried, aHigh, 32 - amount);
            ShiftDown(low, aLow, amount);
            BitOr(low, low, carried);
            if (how == 1) {
                ShiftDown(high, aHigh, amount);
            } else {
                ShiftDownSigned(high, aHigh, amount);
            }
        }
    }
    // Shifts by amounts that differ, one step for each bit of the amount; `how` as above.
    __aicore__ inline void ShiftLongEach(const LocalTensor<int32_t>& low, const LocalTensor<int32_t>& high,
                                         const LocalTensor<int32_t>& aLow, const LocalTensor<int32_t>& aHigh,
                                         const LocalTensor<int32_t>& amount, int how)
    {
        auto movedLow = scratch[0].ReinterpretCast<int32_t>();
        auto movedHigh = scratch[1].ReinterpretCast<int32_t>();
        auto carried = scratch[2].ReinterpretCast<int32_t>();
        auto bit = scratch[3].ReinterpretCast<int32_t>();
        Move(low, aLow);
        Move(high, aHigh);
        for (uint32_t step = 0; step < 7; ++step) {
            if (step < 6) {
                ShiftUp(bit, amount, 31 - step);
                ShiftDown(bit, bit, 31);
            } else {
                ShiftDown(bit, amount, 6);
            }
            Duplicate(carried, 0, padded);
            Compare(scratchMask[0], bit, carried, CMPMODE::EQ, padded);
            ShiftLong(movedLow, movedHigh, low, high, 1u << step, how, carried);
            Choose(low, scratchMask[0], low, movedLow);
            Choose(high, scratchMask[0], high, movedHigh);
        }
    }
    __aicore__ inline void CompareLong(const Mask& result, const LocalTensor<int32_t>& aLow, const LocalTensor<int32_t>& aHigh,
                                       const LocalTensor<int32_t>& bLow, const LocalTensor<int32_t>& bHigh, CMPMODE mode, bool isSigned,
                                       const Mask& equal)
    {
        Compare(equal, aHigh, bHigh, CMPMODE::EQ, padded);
        if (mode == CMPMODE::EQ || mode == CMPMODE::NE) {
            Compare(result, aLow, bLow, CMPMODE::EQ, padded);
            MaskAnd(result, result, equal);
            if (mode == CMPMODE::NE) MaskNot(result, result);
            return;
        }
        CompareUnsigned(result, aLow, bLow, mode);
        MaskAnd(result, result, equal);
        const bool less = mode == CMPMODE::LT || mode == CMPMODE::LE;
        if (isSigned) {
            CompareIntegers(scratchMask[0], aHigh, bHigh, less ? CMPMODE::LT : CMPMODE::GT);
        } else {
            CompareUnsigned(scratchMask[0], aHigh, bHigh, less ? CMPMODE::LT : CMPMODE::GT);
        }
        MaskOr(result, result, scratchMask[0]);
    }
    // Quotient and rest of a form by a number that 31 bits hold: gives the base's quotient, to which `quotient` is added.
    __aicore__ inline int64_t Decompose(const LocalTensor<int32_t>& quotient, const LocalTensor<int32_t>& rest, const Form& form,
                                        int64_t divisor, const LocalTensor<int32_t>& temporary)
    {
        const int64_t whole = divisor != 0 ? form.base / divisor : 0;
        Form small = form;
        small.base = form.base - whole * divisor;
        int64_t least = 0, most = 0;
        Reach(form, least, most);
        const bool isPositive = divisor > 0 && least >= 0;
        Reach(small, least, most);
        if (!isPositive || least < 0 || most > INT32_MAX) {
            // Toward zero, as C++ divides.
            Wait<HardEvent::V_S>();
            for (uint32_t lane = 0; lane < count; ++lane) {
                const int64_t value = At(form, lane);
                const int64_t own = divisor != 0 ? value / divisor : 0;
                quotient.SetValue(lane, static_cast<int32_t>(own - whole));
                rest.SetValue(lane, static_cast<int32_t>(value - own * divisor));
            }
            Wait<HardEvent::S_V>();
            return whole;
        }
        Spread(temporary, small);
        auto by = scratch[2].ReinterpretCast<int32_t>();
        Duplicate(by, static_cast<int32_t>(divisor), padded);
        DividePositive(quotient, rest, temporary, by);
        return whole;
    }
    // The same by any number, and all bits of both.
    __aicore__ inline void DecomposeLong(const LocalTensor<int32_t>& quotient, const LocalTensor<int32_t>& quotientHigh,
                                         const LocalTensor<int32_t>& rest, const LocalTensor<int32_t>& restHigh, const Form& form,
                                         int64_t divisor, const LocalTensor<int32_t>& temporary)
    {
        int64_t least = 0, most = 0;
        Reach(form, least, most);
        if (divisor > 0 && divisor <= INT32_MAX && least >= 0 && most - least <= INT32_MAX) {
            const int64_t base = Decompose(quotientHigh, rest, form, divisor, temporary);
            AddWide(quotient, restHigh, quotientHigh, base);
            Move(quotientHigh, restHigh);
            Duplicate(restHigh, 0, padded);
            return;
        }
        Wait<HardEvent::V_S>();
        for (uint32_t lane = 0; lane < count; ++lane) {
            const int64_t value = At(form, lane);
            const int64_t own = divisor != 0 ? value / divisor : 0;
            const int64_t left = value - own * divisor;
            quotient.SetValue(lane, static_cast<int32_t>(own));
            quotientHigh.SetValue(lane, static_cast<int32_t>(own >> 32));
            rest.SetValue(lane, static_cast<int32_t>(left));
            restHigh.SetValue(lane, static_cast<int32_t>(left >> 32));
        }
        Wait<HardEvent::S_V>();
    }
    // Numbers of 64 bits: where all fit 31, as those; else lane by lane.
    __aicore__ inline void DivideLong(const LocalTensor<int32_t>& low, const LocalTensor<int32_t>& high, const LocalTensor<int32_t>& aLow,
                                      const LocalTensor<int32_t>& aHigh, const LocalTensor<int32_t>& bLow, const LocalTensor<int32_t>& bHigh,
                                      bool remainder, bool isSigned, const LocalTensor<int32_t>& temporary)
    {
        auto zero = scratch[0].ReinterpretCast<int32_t>();
        BitOr(low, aHigh, bHigh);
        ShiftDown(high, aLow, 31);
        BitOr(low, low, high);
        ShiftDown(high, bLow, 31);
        BitOr(low, low, high);
        Duplicate(zero, 0, padded);
        Compare(scratchMask[0], low, zero, CMPMODE::EQ, padded);
        MaskNot(scratchMask[1], scratchMask[0]);
        if (!Any(scratchMask[1])) {
            if (remainder) {
                DividePositive(temporary, low, aLow, bLow);
            } else {
                DividePositive(low, temporary, aLow, bLow);
            }
            Duplicate(high, 0, padded);
            return;
        }
        Wait<HardEvent::V_S>();
        for (uint32_t lane = 0; lane < count; ++lane) {
            const uint64_t a = Whole(aLow, aHigh, lane);
            const uint64_t b = Whole(bLow, bHigh, lane);
            uint64_t found = 0;
            if (b == 0) {
                found = 0;
            } else if (isSigned && static_cast<int64_t>(b) == -1) {
                found = remainder ? 0 : 0 - a;
            } else if (isSigned) {
                found = static_cast<uint64_t>(remainder ? static_cast<int64_t>(a) % static_cast<int64_t>(b) : static_cast<int64_t>(a) / static_cast<int64_t>(b));
            } else {
                found = remainder ? a % b : a / b;
            }
            low.SetValue(lane, static_cast<int32_t>(found));
            high.SetValue(lane, static_cast<int32_t>(found >> 32));
        }
        Wait<HardEvent::S_V>();
    }
    __aicore__ inline uint64_t Whole(const LocalTensor<int32_t>& low, const LocalTensor<int32_t>& high, uint32_t lane) const
    {
        return static_cast<uint64_t>(static_cast<uint32_t>(high.GetValue(lane))) << 32 | static_cast<uint32_t>(low.GetValue(lane));
    }
    // About how large numbers of 64 bits are, and forms.
    __aicore__ inline void EstimateOf(const LocalTensor<float>& result, const LocalTensor<int32_t>& low, const LocalTensor<int32_t>& high)
    {
        FloatOfUnsigned(result, low);
        Cast(scratch[0], high, RoundMode::CAST_RINT, padded);
        Muls(scratch[0], scratch[0], 4294967296.0f, padded);
        Add(result, result, scratch[0], padded);
    }
    __aicore__ inline void SpreadEstimate(const LocalTensor<float>& result, const Form& form)
    {
        Duplicate(result, static_cast<float>(form.base), padded);
        for (int axis = 0; axis < 4; ++axis) {
            if (form.step[axis] == 0) continue;
            Cast(scratch[0], Coordinate(axis), RoundMode::CAST_RINT, padded);
            Muls(scratch[0], scratch[0], static_cast<float>(form.step[axis]), padded);
            Add(result, result, scratch[0], padded);
        }
    }
    // The high halves of numbers of which the low ones are known, and about how large they are.
    __aicore__ inline void HighOf(const LocalTensor<int32_t>& high, const LocalTensor<int32_t>& low, const LocalTensor<float>& estimate)
    {
        FloatOfUnsigned(scratch[2], low);
        Sub(scratch[2], estimate, scratch[2], padded);
        Muls(scratch[2], scratch[2], 1.0f / 4294967296.0f, padded);
        Cast(high, scratch[2], RoundMode::CAST_RINT, padded);
    }
    // Far offsets by a power of two.
    __aicore__ inline void ShiftFar(const LocalTensor<int32_t>& low, const LocalTensor<float>& estimate,
                                    const LocalTensor<float>& before, uint32_t amount)
    {
        auto high = scratch[3].ReinterpretCast<int32_t>();
        HighOf(high, low, before);
        ShiftDown(low, low, amount);
        ShiftUp(high, high, 32 - amount);
        BitOr(low, low, high);
        Muls(estimate, before, 1.0f / static_cast<float>(1u << amount), padded);
    }
    // Unsigned numbers of 32 bits: half of the dividend is not negative.
    __aicore__ inline void DivideUnsigned(const LocalTensor<int32_t>& quotient, const LocalTensor<int32_t>& rest,
                                          const LocalTensor<int32_t>& a, const LocalTensor<int32_t>& b, const LocalTensor<int32_t>& temporary)
    {
        ShiftDown(temporary, a, 1);
        DividePositive(quotient, rest, temporary, b);
        Add(quotient, quotient, quotient, padded);
        Mul(rest, quotient, b, padded);
        Sub(rest, a, rest, padded);
        CompareUnsigned(scratchMask[0], rest, b, CMPMODE::GE);
        IntegerOfMask(temporary, scratchMask[0]);
        Add(quotient, quotient, temporary, padded);
        // A divisor with the highest bit goes once or not at all.
        auto zero = scratch[2].ReinterpretCast<int32_t>();
        Duplicate(zero, 0, padded);
        CompareUnsigned(scratchMask[1], a, b, CMPMODE::GE);
        IntegerOfMask(rest, scratchMask[1]);
        Duplicate(zero, 0, padded);
        CompareIntegers(scratchMask[1], b, zero, CMPMODE::LT);
        Choose(quotient, scratchMask[1], rest, quotient);
        Mul(rest, quotient, b, padded);
        Sub(rest, a, rest, padded);
    }

    // ---- Bits and functions ----
    template <typename T>
    __aicore__ inline void BitsOf(const LocalTensor<int32_t>& result, const LocalTensor<float>& a)
    {
        auto narrow = scratch[1].ReinterpretCast<T>();
        Cast(narrow, a, RoundMode::CAST_RINT, padded);
        Convert<uint16_t>(result, narrow.template ReinterpretCast<uint16_t>(), padded);
    }
    template <typename T>
    __aicore__ inline void OfBits(const LocalTensor<float>& result, const LocalTensor<int32_t>& a)
    {
        auto wide = scratch[1].ReinterpretCast<int32_t>();
        auto narrow = scratch[0].ReinterpretCast<int16_t>();
        Narrow(wide, a, 16, true);
        Cast(narrow, wide, RoundMode::CAST_NONE, padded);
        Cast(result, narrow.template ReinterpretCast<T>(), RoundMode::CAST_NONE, padded);
    }
    __aicore__ inline void IsNegative(const Mask& result, const LocalTensor<float>& a)
    {
        auto sign = scratch[1].ReinterpretCast<int32_t>();
        ShiftDown(sign, a.ReinterpretCast<int32_t>(), 31);
        MaskOfInteger(result, sign);
    }
    __aicore__ inline void IsInfinite(const Mask& result, const LocalTensor<float>& a)
    {
        Abs(scratch[0], a, padded);
        CompareScalar(result, scratch[0], __builtin_inff(), CMPMODE::EQ, padded);
    }
    __aicore__ inline void IsFinite(const Mask& result, const LocalTensor<float>& a)
    {
        Abs(scratch[0], a, padded);
        CompareScalar(result, scratch[0], __builtin_inff(), CMPMODE::LT, padded);
    }
    __aicore__ inline void Invert(const LocalTensor<float>& result, const LocalTensor<float>& a)
    {
        Duplicate(scratch[0], 1.0f, padded);
        Div(result, scratch[0], a, padded);
    }
    __aicore__ inline void ReciprocalRoot(const LocalTensor<float>& result, const LocalTensor<float>& a)
    {
        Sqrt(scratch[1], a, padded);
        Invert(result, scratch[1]);
    }
    // 2^a as 2^n e^(f ln 2): the power of two from its bits, in two factors.
    __aicore__ inline void PowerOfTwo(const LocalTensor<float>& result, const LocalTensor<float>& a)
    {
        auto power = scratch[1].ReinterpretCast<int32_t>();
        auto half = scratch[2].ReinterpretCast<int32_t>();
        Mins(scratch[0], a, 130.0f, padded);
        Maxs(scratch[0], scratch[0], -160.0f, padded);
        Cast(scratch[3], scratch[0], RoundMode::CAST_RINT, padded);
        Sub(scratch[0], scratch[0], scratch[3], padded);
        Muls(scratch[0], scratch[0], 0.693147180559945f, padded);
        Exp(scratch[0], scratch[0], padded);
        Cast(power, scratch[3], RoundMode::CAST_RINT, padded);
        ShiftDownSigned(half, power, 1);
        Sub(power, power, half, padded);
        Adds(half, half, 127, padded);
        Adds(power, power, 127, padded);
        ShiftUp(half, half, 23);
        ShiftUp(power, power, 23);
        Mul(scratch[0], scratch[0], scratch[1], padded);
        Mul(scratch[0], scratch[0], scratch[2], padded);
        Compare(scratchMask[0], a, a, CMPMODE::EQ, padded);
        Choose(result, scratchMask[0], scratch[0], a);
    }
    // With u = e^a: (u - 1) a / ln u, which is right where u - 1 cancels.
    __aicore__ inline void ExpMinusOne(const LocalTensor<float>& result, const LocalTensor<float>& a)
    {
        Exp(scratch[0], a, padded);
        Ln(scratch[1], scratch[0], padded);
        Adds(scratch[2], scratch[0], -1.0f, padded);
        Mul(scratch[3], scratch[2], a, padded);
        Div(scratch[3], scratch[3], scratch[1], padded);
        Abs(scratch[1], a, padded);
        CompareScalar(scratchMask[0], scratch[1], 1.0f, CMPMODE::LT, padded);
        Choose(scratch[2], scratchMask[0], scratch[3], scratch[2]);
        CompareScalar(scratchMask[0], scratch[0], 1.0f, CMPMODE::EQ, padded);
        Choose(result, scratchMask[0], a, scratch[2]);
    }
    // With u = 1 + a: a ln u / (u - 1).
    __aicore__ inline void LogOnePlus(const LocalTensor<float>& result, const LocalTensor<float>& a)
    {
        Adds(scratch[0], a, 1.0f, padded);
        Ln(scratch[1], scratch[0], padded);
        Adds(scratch[2], scratch[0], -1.0f, padded);
        Mul(scratch[3], scratch[1], a, padded);
        Div(scratch[3], scratch[3], scratch[2], padded);
        CompareScalar(scratchMask[0], scratch[2], 0.0f, CMPMODE::EQ, padded);
        Choose(scratch[3], scratchMask[0], a, scratch[3]);
        // Infinity over infinity.
        CompareScalar(scratchMask[0], a, __builtin_inff(), CMPMODE::EQ, padded);
        Choose(result, scratchMask[0], a, scratch[3]);
    }
    // Sine (or, with quarter = 1, cosine): a less the nearest multiple of pi / 2, in parts of 12 bits whose products with
    // the upper and the lower half of the multiple are exact, as far as 2^24 quarter turns, where the
    // numbers themselves are 2 apart.
    __aicore__ inline void Sine(const LocalTensor<float>& result, const LocalTensor<float>& a, int32_t quarter)
    {
        constexpr float PARTS[] = {-1.57080078125f, 4.453584551811218e-6f, 8.706138032721356e-10f, -6.222800053024002e-14f};
        auto turns = scratch[3].ReinterpretCast<int32_t>();
        const auto& high = scratch[1];
        auto low = spare[0].ReinterpretCast<float>();
        Muls(scratch[0], a, 0.636619772367581f, padded);
        Cast(low, scratch[0], RoundMode::CAST_RINT, padded);
        Cast(turns, low, RoundMode::CAST_RINT, padded);
        Muls(high, low, 1.0f / 4096.0f, padded);
        Cast(high, high, RoundMode::CAST_RINT, padded);
        Muls(high, high, 4096.0f, padded);
        Sub(low, low, high, padded);
        Move(scratch[0], a);
        for (const float piece : PARTS) {
            Muls(scratch[2], high, piece, padded);
            Add(scratch[0], scratch[0], scratch[2], padded);
            Muls(scratch[2], low, piece, padded);
            Add(scratch[0], scratch[0], scratch[2], padded);
        }
        SineFrom(result, scratch[0], turns, quarter);
    }
    // Of an angle in [-pi / 4, pi / 4] and so many quarter turns: the series of the quarter.
    __aicore__ inline void SineFrom(const LocalTensor<float>& result, const LocalTensor<float>& angle,
                                    const LocalTensor<int32_t>& turns, int32_t quarter)
    {
        Adds(turns, turns, quarter, padded);
        Mul(scratch[1], angle, angle, padded);
        // sine
        Muls(scratch[2], scratch[1], 2.7557319e-6f, padded);
        Adds(scratch[2], scratch[2], -1.9841270e-4f, padded);
        Mul(scratch[2], scratch[2], scratch[1], padded);
        Adds(scratch[2], scratch[2], 8.3333333e-3f, padded);
        Mul(scratch[2], scratch[2], scratch[1], padded);
        Adds(scratch[2], scratch[2], -1.6666667e-1f, padded);
        Mul(scratch[2], scratch[2], scratch[1], padded);
        Mul(scratch[2], scratch[2], angle, padded);
        Add(scratch[2], scratch[2], angle, padded);
        // cosine
        Muls(scratch[0], scratch[1], -2.7557319e-7f, padded);
        Adds(scratch[0], scratch[0], 2.4801587e-5f, padded);
        Mul(scratch[0], scratch[0], scratch[1], padded);
        Adds(scratch[0], scratch[0], -1.3888889e-3f, padded);
        Mul(scratch[0], scratch[0], scratch[1], padded);
        Adds(scratch[0], scratch[0], 4.1666667e-2f, padded);
        Mul(scratch[0], scratch[0], scratch[1], padded);
        Adds(scratch[0], scratch[0], -0.5f, padded);
        Mul(scratch[0], scratch[0], scratch[1], padded);
        Adds(scratch[0], scratch[0], 1.0f, padded);
        auto bit = spare[0];
        Narrow(bit, turns, 1, false);
        auto zero = scratch[1].ReinterpretCast<int32_t>();
        Duplicate(zero, 0, padded);
        Compare(scratchMask[0], bit, zero, CMPMODE::EQ, padded);
        Choose(scratch[2], scratchMask[0], scratch[2], scratch[0]);
        Muls(scratch[0], scratch[2], -1.0f, padded);
        Narrow(bit, turns, 2, false);
        ShiftDown(bit, bit, 1);
        Compare(scratchMask[0], bit, zero, CMPMODE::EQ, padded);
        Choose(result, scratchMask[0], scratch[2], scratch[0]);
    }
    __aicore__ inline void Saturate(const LocalTensor<float>& result, const LocalTensor<float>& a)
    {
        Compare(scratchMask[0], a, a, CMPMODE::EQ, padded);
        Duplicate(scratch[0], 0.0f, padded);
        Choose(scratch[0], scratchMask[0], a, scratch[0]);
        Maxs(scratch[0], scratch[0], 0.0f, padded);
        Mins(result, scratch[0], 1.0f, padded);
    }
    __aicore__ inline void CopySign(const LocalTensor<float>& result, const LocalTensor<float>& a, const LocalTensor<float>& b)
    {
        IsNegative(scratchMask[1], b);
        Abs(scratch[2], a, padded);
        Muls(scratch[3], scratch[2], -1.0f, padded);
        Choose(result, scratchMask[1], scratch[3], scratch[2]);
    }
    // Sums of neighbouring bits, of pairs, of fours ...
    __aicore__ inline void PopulationCount(const LocalTensor<int32_t>& result, const LocalTensor<int32_t>& a, const LocalTensor<int32_t>& temporary)
    {
        auto pattern = scratch[0].ReinterpretCast<int32_t>();
        Duplicate(pattern, 0x55555555, padded);
        ShiftDown(temporary, a, 1);
        BitAnd(temporary, temporary, pattern);
        Sub(result, a, temporary, padded);
        Duplicate(pattern, 0x33333333, padded);
        ShiftDown(temporary, result, 2);
        BitAnd(temporary, temporary, pattern);
        BitAnd(result, result, pattern);
        Add(result, result, temporary, padded);
        ShiftDown(temporary, result, 4);
        Add(result, result, temporary, padded);
        Duplicate(pattern, 0x0f0f0f0f, padded);
        BitAnd(result, result, pattern);
        Muls(result, result, 0x01010101, padded);
        ShiftDown(result, result, 24);
    }
    __aicore__ inline void LeadingZeros(const LocalTensor<int32_t>& result, const LocalTensor<int32_t>& a, const LocalTensor<int32_t>& temporary)
    {
        // All bits below the highest one set: what is missing are the zeros.
        Move(temporary, a);
        for (uint32_t step = 1; step < 32; step *= 2) {
            ShiftDown(result, temporary, step);
            BitOr(temporary, temporary, result);
        }
        BitNot(temporary, temporary);
        auto value = spare[0];
        Move(value, temporary);
        PopulationCount(result, value, temporary);
    }
    __aicore__ inline void FirstSet(const LocalTensor<int32_t>& result, const LocalTensor<int32_t>& a, const LocalTensor<int32_t>& temporary)
    {
        // a ^ (a - 1) has the lowest bit and all below it; of 0 all, which is 32 too many.
        auto value = spare[0];
        Adds(value, a, -1, padded);
        BitXor(value, value, a);
        PopulationCount(result, value, temporary);
        Duplicate(temporary, 0, padded);
        Compare(scratchMask[0], a, temporary, CMPMODE::EQ, padded);
        Choose(result, scratchMask[0], temporary, result);
    }
    // Integers of 64 bits as floats: rounded once where they fit 32, else lane by lane.
    __aicore__ inline void FloatOfLong(const LocalTensor<float>& result, const LocalTensor<int32_t>& low, const LocalTensor<int32_t>& high,
                                       bool isSigned)
    {
        auto sign = scratch[1].ReinterpretCast<int32_t>();
        ShiftDownSigned(sign, low, 31);
        Compare(scratchMask[1], sign, high, CMPMODE::EQ, padded);
        MaskNot(scratchMask[1], scratchMask[1]);
        if (!Any(scratchMask[1])) {
            Cast(result, low, RoundMode::CAST_RINT, padded);
            return;
        }
        Wait<HardEvent::V_S>();
        for (uint32_t lane = 0; lane < count; ++lane) {
            const uint64_t value = Whole(low, high, lane);
            result.SetValue(lane, isSigned ? static_cast<float>(static_cast<int64_t>(value)) : static_cast<float>(value));
        }
        Wait<HardEvent::S_V>();
    }
    // Lanes of the block in a mask: so few that a sum of floats is exact.
    __aicore__ inline int32_t Count(const Mask& mask)
    {
        Duplicate(scratch[0], 1.0f, padded);
        Select(scratch[0], mask, scratch[0], 0.0f, SELMODE::VSEL_TENSOR_SCALAR_MODE, padded);
        ReduceSum(scratch[0], scratch[0], scratch[1], count);
        Wait<HardEvent::V_S>();
        return static_cast<int32_t>(scratch[0].GetValue(0));
    }
    // The least and the largest of the active lanes' numbers, which a float holds exactly; nothing changes if there
    // are none. The numbers may be `scratch[0]`.
    __aicore__ inline void Extremes(const LocalTensor<float>& values, const Mask& mask, int64_t& least, int64_t& largest)
    {
        constexpr float BEYOND = 1.0e30f;
        Select(scratch[1], mask, values, BEYOND, SELMODE::VSEL_TENSOR_SCALAR_MODE, padded);
        Select(scratch[2], mask, values, -BEYOND, SELMODE::VSEL_TENSOR_SCALAR_MODE, padded);
        ReduceMin(scratch[1], scratch[1], scratch[3], static_cast<int32_t>(count));
        ReduceMax(scratch[2], scratch[2], scratch[3], static_cast<int32_t>(count));
        Wait<HardEvent::V_S>();
        const float low = scratch[1].GetValue(0);
        const float high = scratch[2].GetValue(0);
        if (low == BEYOND) return;
        least = static_cast<int64_t>(low);
        largest = static_cast<int64_t>(high);
    }

    // ---- Memory ----
    __aicore__ inline bool Inside(uint32_t lane, const Box& box) const
    {
        const int32_t at[4] = {static_cast<int32_t>(lane % extent[0]), static_cast<int32_t>(lane / extent[0] % extent[1]),
                               static_cast<int32_t>(lane / extent[0] / extent[1]), static_cast<int32_t>(lane)};
        for (int i = 0; i < 4; ++i) {
            if (at[i] < box.low[i] || at[i] >= box.high[i]) return false;
        }
        return true;
    }
    __aicore__ inline int64_t At(const Form& form, uint32_t lane) const
    {
        return form.base + form.step[0] * (lane % extent[0]) + form.step[1] * (lane / extent[0] % extent[1]) +
               form.step[2] * (lane / extent[0] / extent[1]) + form.step[3] * lane;
    }
    // An offset of a lane, for the scalar unit.
    __aicore__ inline int64_t At(const LocalTensor<int32_t>& offsets, uint32_t lane) const { return offsets.GetValue(lane); }
    __aicore__ inline int64_t At(const Far& offsets, uint32_t lane) const
    {
        const auto about = static_cast<int64_t>(offsets.estimate.GetValue(lane));
        return about + static_cast<int32_t>(static_cast<uint32_t>(offsets.low.GetValue(lane)) - static_cast<uint32_t>(about));
    }
    __aicore__ static inline const LocalTensor<int32_t>& LowOf(const LocalTensor<int32_t>& offsets) { return offsets; }
    __aicore__ static inline const LocalTensor<int32_t>& LowOf(const Far& offsets) { return offsets.low; }
    __aicore__ inline int64_t At(const Split& split, uint32_t lane) const
    {
        const int64_t value = At(split.number, lane);
        const int64_t quotient = split.divisor != 0 ? value / split.divisor : 0;
        return split.base + quotient * split.quotient + (value - quotient * split.divisor) * split.rest;
    }
    // Whether the lanes of a box are whole rows but for the first and the last one.
    __aicore__ inline bool IsRows(const Split& split, const Box& box, Rows& rows) const
    {
        int64_t step = 0;
        if (!IsRow(split.number, box, step, rows.from, rows.to) || rows.from >= rows.to) return false;
        const int64_t first = split.number.base + step * rows.from;
        if (step <= 0 || first < 0 || split.divisor <= 0 || split.divisor % step != 0 || first % step != 0) return false;
        rows.length = split.divisor / step;
        rows.before = first / step % rows.length;
        rows.step = step * split.rest;
        rows.pitch = split.quotient;
        rows.place = split.base + first / split.divisor * split.quotient;
        rows.count = static_cast<uint32_t>((rows.before + (rows.to - rows.from) - 1) / rows.length + 1);
        return true;
    }
    // Whether the lanes' elements lie evenly: in one row, or in rows that follow each other.
    __aicore__ static inline bool IsEven(const Rows& rows) { return rows.count == 1 || rows.pitch == rows.length * rows.step; }
    // Whether elements that lie so far apart can be copied at once, by strides of a transfer.
    template <typename T, uint32_t parts>
    __aicore__ static inline bool IsStride(int64_t step)
    {
        return step == 0 || (step >= static_cast<int64_t>(parts) && (step - parts) * static_cast<int64_t>(sizeof(T)) <= UINT32_MAX);
    }
    // Whether a form's offsets have 32 bits.
    __aicore__ inline bool IsNear(const Form& form) const
    {
        int64_t least = 0, most = 0;
        Reach(form, least, most);
        return most - least <= INT32_MAX;
    }
    // Whether the lanes of a box are all lanes in a range, and a form is one in their number.
    __aicore__ inline bool IsRow(const Form& form, const Box& box, int64_t& step, int32_t& from, int32_t& to) const
    {
        from = box.low[3];
        to = box.high[3];
        if (extent[1] * extent[2] == 1) {
            step = form.step[0] + form.step[3];
            from = static_cast<int32_t>(Larger(from, box.low[0]));
            to = static_cast<int32_t>(Smaller(to, box.high[0]));
            return true;
        }
        step = form.step[3];
        bool whole = form.step[0] == 0 && form.step[1] == 0 && form.step[2] == 0;
        for (int i = 0; i < 3; ++i) whole = whole && box.low[i] == 0 && box.high[i] == static_cast<int32_t>(extent[i]);
        return whole;
    }
    // The first active lane, and one past the last.
    __aicore__ inline void Range(const Mask& mask, int32_t& from, int32_t& to, bool& dense)
    {
        int64_t first = 0, last = -1;
        Cast(scratch[0], number, RoundMode::CAST_RINT, padded);
        Extremes(scratch[0], mask, first, last);
        from = static_cast<int32_t>(first);
        to = static_cast<int32_t>(last + 1);
        dense = from >= to || Count(mask) == to - from;
    }
    __aicore__ inline bool IsActive(const LocalTensor<uint32_t>& words, uint32_t lane) const
    {
        return (words.GetValue(lane / 32) >> (lane % 32) & 1) != 0;
    }

    // What lies in local memory as T becomes what is computed with.
    template <typename T>
    __aicore__ inline void Convert(const LocalTensor<typename Computed<T>::Type>& result, const LocalTensor<T>& value, uint32_t length)
    {
        if constexpr (sizeof(T) == 4) {
            // Whole blocks: what lies beyond the last element is of no lane.
            DataCopy(result, value.template ReinterpretCast<typename Computed<T>::Type>(), (length + 7) / 8 * 8);
        } else if constexpr (IsSameType<T, half>::value || IsSameType<T, bfloat16_t>::value) {
            Cast(result, value, RoundMode::CAST_NONE, length);
        } else if constexpr (sizeof(T) == 2) {
            Cast(scratch[0], value.template ReinterpretCast<int16_t>(), RoundMode::CAST_NONE, length);
            Cast(result, scratch[0], RoundMode::CAST_RINT, length);
            if constexpr (IsSameType<T, uint16_t>::value) Narrow(result, result, 16, false);
        } else {
            auto narrow = scratch[0].ReinterpretCast<half>();
            Cast(narrow, value, RoundMode::CAST_NONE, length);
            Cast(result, narrow, RoundMode::CAST_RINT, length);
        }
    }
    // Elements at byte offsets of local memory, of the first `length` lanes; member `part` of what lies there.
    template <typename T>
    __aicore__ inline void ConvertAt(const LocalTensor<typename Computed<T>::Type>& result, const LocalTensor<T>& from,
                                     const LocalTensor<int32_t>& offsets, uint32_t part, uint32_t length)
    {
        auto bytes = offsets.ReinterpretCast<uint32_t>();
        if constexpr (sizeof(T) == 4) {
            Gather(result, from.template ReinterpretCast<typename Computed<T>::Type>(), bytes, part * 4, length);
        } else if constexpr (sizeof(T) == 2) {
            auto found = scratch[1].ReinterpretCast<T>();
            Gather(found, from, bytes, part * 2, length);
            Convert(result, found, length);
        } else {
            // There is no Gather of bytes: the half word that holds it, and of that the half.
            auto at = scratch[2].ReinterpretCast<int32_t>();
            auto odd = scratch[3].ReinterpretCast<int32_t>();
            Adds(at, offsets, static_cast<int32_t>(part), padded);
            ShiftUp(odd, at, 31);
            ShiftDown(at, at, 1);
            ShiftUp(at, at, 1);
            auto found = scratch[1].ReinterpretCast<uint16_t>();
            Gather(found, from.template ReinterpretCast<uint16_t>(), at.ReinterpretCast<uint32_t>(), 0, length);
            Convert<uint16_t>(result, found, length);
            Duplicate(at, 0, padded);
            Compare(scratchMask[0], odd, at, CMPMODE::EQ, padded);
            ShiftDown(at, result, 8);
            Choose(result, scratchMask[0], result, at);
            Narrow(result, result, 8, IsSameType<T, int8_t>::value);
        }
    }
    // The parts of the first `length` lanes, which lie `pitch` bytes apart.
    template <typename T, uint32_t parts>
    __aicore__ inline void ConvertParts(const LocalTensor<typename Computed<T>::Type>& result, const LocalTensor<T>& from,
                                        uint32_t pitch, uint32_t length)
    {
        if (parts == 1 && pitch == sizeof(T)) {
            Convert(result, from, length);
            return;
        }
        auto offsets = spare[0];
        Muls(offsets, number, static_cast<int32_t>(pitch), padded);
        for (uint32_t part = 0; part < parts; ++part) ConvertAt(result[part * padded], from, offsets, part, length);
    }
    template <typename T>
    __aicore__ inline void Prepare(const LocalTensor<T>& tensor, uint32_t bytesOfLane)
    {
        Duplicate(tensor.template ReinterpretCast<int16_t>(), static_cast<int16_t>(0), padded * bytesOfLane / 2);
        Wait<HardEvent::V_MTE2>();
    }
    // Bytes of a lane in a buffer where each lane begins a block of its own.
    template <typename T, uint32_t parts>
    __aicore__ inline static constexpr uint32_t Apart()
    {
        return (parts * sizeof(T) + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
    }

    // Loads `parts` neighbours for each lane of a box.
    template <typename T, uint32_t parts>
    __aicore__ inline void Load(const LocalTensor<typename Computed<T>::Type>& result, const GlobalTensor<T>& gm, const Form& form,
                                const Box& box)
    {
        if (IsEmpty(box)) return;
        int64_t step = 0;
        int32_t from = 0, to = 0;
        if (IsRow(form, box, step, from, to) && IsStride<T, parts>(step)) {
            LoadRow<T, parts>(result, gm, form.base, step, from, to);
            return;
        }
        if (form.step[3] == 0 && form.step[0] == static_cast<int64_t>(parts) && extent[0] * parts * sizeof(T) % BLOCK_BYTES == 0 &&
            box.low[3] == 0 && box.high[3] == static_cast<int32_t>(count)) {
            // Row by row.
            auto input = inQueue.template AllocTensor<T>();
            Prepare(input, parts * sizeof(T));
            const uint32_t before = static_cast<uint32_t>(box.low[0]) * parts;
            const uint32_t left = before % (BLOCK_BYTES / sizeof(T));
            const uint32_t length = static_cast<uint32_t>(box.high[0] - box.low[0]) * parts;
            for (int32_t z = box.low[2]; z < box.high[2]; ++z) {
                for (int32_t y = box.low[1]; y < box.high[1]; ++y) {
                    const uint32_t row = (static_cast<uint32_t>(z) * extent[1] + static_cast<uint32_t>(y)) * extent[0] * parts;
                    DataCopyPad(input[row + before - left], gm[form.base + form.step[1] * y + form.step[2] * z + before],
                                DataCopyExtParams{1, static_cast<uint32_t>(length * sizeof(T)), 0, 0, 0},
                                DataCopyPadExtParams<T>{left != 0, static_cast<uint8_t>(left), 0, static_cast<T>(0)});
                }
            }
            inQueue.EnQue(input);
            input = inQueue.template DeQue<T>();
            ConvertParts<T, parts>(result, input, parts * sizeof(T), padded);
            inQueue.FreeTensor(input);
            return;
        }
        LoadInside<T, parts>(result, gm, form, box);
    }
    // Lane by lane.
    template <typename T, uint32_t parts, typename Places>
    __aicore__ inline void LoadInside(const LocalTensor<typename Computed<T>::Type>& result, const GlobalTensor<T>& gm,
                                      const Places& places, const Box& box)
    {
        constexpr uint32_t PITCH = Apart<T, parts>() / sizeof(T);
        auto input = inQueue.template AllocTensor<T>();
        Prepare(input, Apart<T, parts>());
        for (uint32_t lane = 0; lane < count; ++lane) {
            if (Inside(lane, box)) CopyOne<T, parts>(input[lane * PITCH], gm, At(places, lane));
        }
        inQueue.EnQue(input);
        input = inQueue.template DeQue<T>();
        ConvertParts<T, parts>(result, input, PITCH * sizeof(T), padded);
        inQueue.FreeTensor(input);
    }
    // The bytes of a row from its first lane's element to the last one's end.
    template <typename T, uint32_t parts>
    __aicore__ static inline int64_t BytesOf(const Rows& rows, int64_t lanes)
    {
        return ((lanes - 1) * rows.step + static_cast<int64_t>(parts)) * static_cast<int64_t>(sizeof(T));
    }
    __aicore__ static inline int64_t InBlocks(int64_t bytes) { return (bytes + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES; }
    // Loads rows of a matrix: each row is copied from a block of 32 bytes on, rows that are whole at once.
    template <typename T, uint32_t parts>
    __aicore__ inline void Load(const LocalTensor<typename Computed<T>::Type>& result, const GlobalTensor<T>& gm, const Split& split,
                                const Box& box, bool exact = false)
    {
        if (IsEmpty(box)) return;
        Rows rows = {};
        const bool isRows = IsRows(split, box, rows) &&
            (rows.step == 0 || rows.step == static_cast<int64_t>(parts) || (rows.step > static_cast<int64_t>(parts) && !exact));
        if (isRows && IsEven(rows) && IsStride<T, parts>(rows.step)) {
            LoadRow<T, parts>(result, gm, rows.place + rows.step * (rows.before - rows.from), rows.step, rows.from, rows.to);
            return;
        }
        auto input = inQueue.template AllocTensor<T>();
        const int64_t room = static_cast<int64_t>(input.GetSize()) * static_cast<int64_t>(sizeof(T));
        const int64_t apart = rows.step * static_cast<int64_t>(sizeof(T));
        const int64_t rowBytes = InBlocks(BytesOf<T, parts>(rows, rows.length));
        // All lanes may ask for the same row, the last ones at least for what the first ones leave of it.
        const bool isShared = isRows && rows.pitch == 0 && rowBytes <= room && (rows.count > 2 || rows.Lanes(1) >= rows.before);
        const int64_t between = rows.pitch * static_cast<int64_t>(sizeof(T)) - BytesOf<T, parts>(rows, rows.length);
        // Where hardly anything lies between rows, one copy takes all.
        const bool isOne = between == 0 || (!exact && between > 0 && between * 8 <= BytesOf<T, parts>(rows, rows.length));
        // The first row begins with its first lane, as far into a block as the others ask for.
        const int64_t start = isShared || isOne ? 0 : rows.before * apart % BLOCK_BYTES;
        const int64_t second = start + rowBytes - rows.before * apart;
        const int64_t others = static_cast<int64_t>(rows.count) - 1;
        const int64_t span = others * rows.pitch * static_cast<int64_t>(sizeof(T)) - rows.before * apart +
            BytesOf<T, parts>(rows, rows.Lanes(rows.count - 1));
        const int64_t used = isShared ? rowBytes : isOne ? InBlocks(span) : second + others * rowBytes;
        if (!isRows || rows.count == 1 || used > room) {
            inQueue.FreeTensor(input);
            LoadInside<T, parts>(result, gm, split, box);
            return;
        }
        const auto copy = [&](int64_t to, int64_t at, int64_t lanes, uint32_t copies) {
            const int64_t left = to % BLOCK_BYTES;
            DataCopyPad(input[static_cast<uint32_t>((to - left) / static_cast<int64_t>(sizeof(T)))], gm[at],
                        DataCopyExtParams{static_cast<uint16_t>(copies), static_cast<uint32_t>(BytesOf<T, parts>(rows, lanes)),
                                          copies == 1 ? 0 : static_cast<uint32_t>(between), 0, 0},
                        DataCopyPadExtParams<T>{left != 0, static_cast<uint8_t>(left / static_cast<int64_t>(sizeof(T))), 0, static_cast<T>(0)});
        };
        if (isShared) {
            copy(0, rows.place, rows.length, 1);
        } else if (isOne) {
            DataCopyPad(input, gm[rows.At(0) + rows.before * rows.step],
                        DataCopyExtParams{1, static_cast<uint32_t>(span), 0, 0, 0},
                        DataCopyPadExtParams<T>{false, 0, 0, static_cast<T>(0)});
        } else {
            copy(start, rows.At(0) + rows.before * rows.step, rows.Lanes(0), 1);
            uint32_t row = 1;
            while (row < rows.count) {
                // The last row may be cut.
                const uint32_t whole = rows.count - 1 - row;
                const bool isAtOnce = whole > 1 && between >= 0 && between <= UINT32_MAX;
                const uint32_t copies = isAtOnce ? static_cast<uint32_t>(Smaller(whole, MAX_COPIES)) : 1;
                copy(second + (row - 1) * rowBytes, rows.At(row), rows.Lanes(row), copies);
                row += copies;
            }
        }
        inQueue.EnQue(input);
        input = inQueue.template DeQue<T>();
        const int64_t next = isShared ? 0 : isOne ? rows.pitch * static_cast<int64_t>(sizeof(T)) : rowBytes;
        const int64_t further = next - rows.length * apart;
        const int64_t first = (isShared ? rows.before * apart : start) - rows.from * apart;
        if (first == 0 && further == 0 && rows.step == static_cast<int64_t>(parts)) {
            ConvertParts<T, parts>(result, input, parts * sizeof(T), static_cast<uint32_t>(rows.to));
        } else {
            auto at = spare[0];
            Muls(at, number, static_cast<int32_t>(apart), padded);
            Adds(at, at, static_cast<int32_t>(first), padded);
            if (further != 0) {
                RowOfLanes(rows);
                auto moved = scratch[0].ReinterpretCast<int32_t>();
                Muls(moved, moved, static_cast<int32_t>(further), padded);
                Add(at, at, moved, padded);
            }
            if (rows.from > 0 || rows.to < static_cast<int32_t>(padded)) {
                Box own = All();
                own.low[3] = rows.from;
                own.high[3] = rows.to;
                MaskOf(scratchMask[1], own);
                auto zero = scratch[0].ReinterpretCast<int32_t>();
                Duplicate(zero, 0, padded);
                Choose(at, scratchMask[1], at, zero);
            }
            for (uint32_t part = 0; part < parts; ++part) ConvertAt(result[part * padded], input, at, part, padded);
        }
        inQueue.FreeTensor(input);
    }
    // For each lane in `scratch[0]` the number of its row, as an integer.
    __aicore__ inline void RowOfLanes(const Rows& rows)
    {
        Cast(scratch[0], number, RoundMode::CAST_RINT, padded);
        if (rows.count == 2) {
            // Rows may be longer than floats count.
            CompareScalar(scratchMask[0], scratch[0], static_cast<float>(rows.from + rows.Lanes(0)), CMPMODE::GE, padded);
            IntegerOfMask(scratch[0].ReinterpretCast<int32_t>(), scratchMask[0]);
            return;
        }
        RowsOf(static_cast<float>(rows.before - rows.from), static_cast<float>(rows.length));
    }
    // Whole numbers in `scratch[0]` plus `first` by `length`, without the rest: both are so small that half a number
    // more than they are lies between two results.
    __aicore__ inline void RowsOf(float first, float length)
    {
        Adds(scratch[0], scratch[0], first + 0.5f, padded);
        Muls(scratch[0], scratch[0], 1.0f / length, padded);
        Cast(scratch[0].ReinterpretCast<int32_t>(), scratch[0], RoundMode::CAST_FLOOR, padded);
    }
    // Loads into a vector that nothing else is put into, where it does not hold these elements already: rows, or by a form.
    template <typename T, uint32_t parts>
    __aicore__ inline void LoadHeld(const LocalTensor<typename Computed<T>::Type>& result, const GlobalTensor<T>& gm, const Split& split,
                                    const Box& box, HeldRows& held)
    {
        if (IsEmpty(box)) return;
        Rows rows = {};
        const bool isRows = IsRows(split, box, rows);
        if (isRows && held.any && IsSame(rows, held.rows)) return;
        Load<T, parts>(result, gm, split, box);
        held.any = isRows;
        held.rows = rows;
    }
    __aicore__ static inline bool IsSame(const Rows& a, const Rows& b)
    {
        return a.place == b.place && a.length == b.length && a.before == b.before && a.step == b.step && a.pitch == b.pitch &&
               a.count == b.count && a.from == b.from && a.to == b.to;
    }
    template <typename T, uint32_t parts>
    __aicore__ inline void LoadHeld(const LocalTensor<typename Computed<T>::Type>& result, const GlobalTensor<T>& gm, const Form& form,
                                    const Box& box, Held& held)
    {
        if (IsEmpty(box)) return;
        bool same = held.any && held.base == form.base;
        for (int i = 0; i < 4; ++i) same = same && held.box.low[i] == box.low[i] && held.box.high[i] == box.high[i];
        if (same) return;
        Load<T, parts>(result, gm, form, box);
        held.any = true;
        held.base = form.base;
        held.box = box;
    }
    template <typename T, uint32_t parts>
    __aicore__ inline void CopyOne(const LocalTensor<T>& to, const GlobalTensor<T>& gm, int64_t at)
    {
        DataCopyPad(to, gm[at], DataCopyExtParams{1, static_cast<uint32_t>(parts * sizeof(T)), 0, 0, 0},
                    DataCopyPadExtParams<T>{false, 0, 0, static_cast<T>(0)});
    }
    template <typename T, uint32_t parts>
    __aicore__ inline void LoadRow(const LocalTensor<typename Computed<T>::Type>& result, const GlobalTensor<T>& gm, int64_t base,
                                   int64_t step, int32_t from, int32_t to)
    {
        if (from >= to) return;
        auto input = inQueue.template AllocTensor<T>();
        if (step == static_cast<int64_t>(parts)) {
            // The lanes before the first one that takes part, in its block of 32 bytes, are not read.
            const uint32_t before = static_cast<uint32_t>(from) * parts;
            const uint32_t left = before % (BLOCK_BYTES / sizeof(T));
            const uint32_t length = static_cast<uint32_t>(to - from) * parts;
            if (from > 0) Prepare(input, parts * sizeof(T));
            DataCopyPad(input[before - left], gm[base + before],
                        DataCopyExtParams{1, static_cast<uint32_t>(length * sizeof(T)), 0, 0, 0},
                        DataCopyPadExtParams<T>{left != 0, static_cast<uint8_t>(left), 0, static_cast<T>(0)});
            inQueue.EnQue(input);
            input = inQueue.template DeQue<T>();
            ConvertParts<T, parts>(result, input, parts * sizeof(T), static_cast<uint32_t>(to));
        } else if (step == 0) {
            CopyOne<T, parts>(input, gm, base);
            inQueue.EnQue(input);
            input = inQueue.template DeQue<T>();
            auto offsets = spare[0];
            Duplicate(offsets, 0, padded);
            for (uint32_t part = 0; part < parts; ++part) ConvertAt(result[part * padded], input, offsets, part, padded);
        } else {
            constexpr uint32_t PITCH = Apart<T, parts>() / sizeof(T);
            if (from > 0) Prepare(input, Apart<T, parts>());
            for (int32_t first = from; first < to; first += MAX_COPIES) {
                const auto copies = static_cast<uint16_t>(Smaller(to - first, MAX_COPIES));
                DataCopyPad(input[first * PITCH], gm[base + step * first],
                            DataCopyExtParams{copies, static_cast<uint32_t>(parts * sizeof(T)),
                                              static_cast<uint32_t>((step - parts) * sizeof(T)), 0, 0},
                            DataCopyPadExtParams<T>{false, 0, 0, static_cast<T>(0)});
            }
            inQueue.EnQue(input);
            input = inQueue.template DeQue<T>();
            ConvertParts<T, parts>(result, input, PITCH * sizeof(T), static_cast<uint32_t>(to));
        }
        inQueue.FreeTensor(input);
    }
    template <typename T, uint32_t parts>
    __aicore__ inline void Load(const LocalTensor<typename Computed<T>::Type>& result, const GlobalTensor<T>& gm, const Form& form,
                                const Mask& mask, bool exact = false)
    {
        int32_t from = 0, to = 0;
        bool dense = false;
        Range(mask, from, to, dense);
        Box box = All();
        int64_t step = 0;
        int32_t first = 0, last = 0;
        if ((dense || !exact) && IsRow(form, box, step, first, last) && IsStride<T, parts>(step)) {
            // What lies between two elements that are read can be read, unless somebody writes it.
            LoadRow<T, parts>(result, gm, form.base, step, from, to);
            return;
        }
        if (!IsNear(form)) {
            LoadEach<T, parts>(result, gm, 0, form, mask);
            return;
        }
        Spread(spare[1], Form{0, {form.step[0], form.step[1], form.step[2], form.step[3]}});
        LoadAt<T, parts>(result, gm, form.base, spare[1], mask, exact);
    }
    // Lane by lane.
    template <typename T, uint32_t parts, typename Offsets>
    __aicore__ inline void LoadEach(const LocalTensor<typename Computed<T>::Type>& result, const GlobalTensor<T>& gm, int64_t base,
                                    const Offsets& offsets, const Mask& mask)
    {
        constexpr uint32_t PITCH = Apart<T, parts>() / sizeof(T);
        auto input = inQueue.template AllocTensor<T>();
        Prepare(input, Apart<T, parts>());
        auto words = mask.ReinterpretCast<uint32_t>();
        Wait<HardEvent::V_S>();
        for (uint32_t lane = 0; lane < count; ++lane) {
            if (IsActive(words, lane)) CopyOne<T, parts>(input[lane * PITCH], gm, base + At(offsets, lane));
        }
        inQueue.EnQue(input);
        input = inQueue.template DeQue<T>();
        ConvertParts<T, parts>(result, input, PITCH * sizeof(T), padded);
        inQueue.FreeTensor(input);
    }
    // Loads from offsets that differ, in elements from `base`.
    template <typename T, uint32_t parts, typename Offsets>
    __aicore__ inline void LoadAt(const LocalTensor<typename Computed<T>::Type>& result, const GlobalTensor<T>& gm, int64_t base,
                                  const Offsets& offsets, const Mask& mask, bool exact = false)
    {
        // From close below the least offset on, the others are small enough for floats.
        constexpr bool IS_FAR = IsSameType<Offsets, Far>::value;
        int64_t near = 0, beyond = -1;
        if constexpr (IS_FAR) {
            Extremes(offsets.estimate, mask, near, beyond);
        } else {
            Cast(scratch[0], offsets, RoundMode::CAST_FLOOR, padded);
            Extremes(scratch[0], mask, near, beyond);
        }
        if (beyond < near) return;
        const bool reaches = !IS_FAR || beyond - near < REACH;
        auto at = spare[0];
        int64_t low = 0, high = 0;
        Adds(at, LowOf(offsets), static_cast<int32_t>(-near), padded);
        Cast(scratch[0], at, IS_FAR ? RoundMode::CAST_FLOOR : RoundMode::CAST_RINT, padded);
        Extremes(scratch[0], mask, low, high);
        if (IS_FAR && low < 0) {
            // The estimate was above the least offset.
            Adds(at, at, static_cast<int32_t>(-low), padded);
            near += low;
            high -= low;
            low = 0;
        }
        const int64_t span = high - low + parts;
        auto input = inQueue.template AllocTensor<T>();
        const bool fits = !exact && reaches && low >= 0 &&
            static_cast<uint64_t>(span) * sizeof(T) <= static_cast<uint64_t>(input.GetSize()) * sizeof(T) - BLOCK_BYTES;
        // Runs of neighbours that lie apart are copied without what lies between them.
        const bool apart = low >= 0 && (!fits || span > static_cast<int64_t>(count) * parts);
        const uint32_t runs = !apart ? count : reaches ? Runs(at, mask, parts) : Runs(offsets, mask, parts);
        if (runs * 16 <= count) {
            if (reaches) {
                LoadRuns<T, parts>(input, gm, base + near, at, runs);
            } else {
                LoadRuns<T, parts>(input, gm, base, offsets, runs);
            }
            inQueue.EnQue(input);
            input = inQueue.template DeQue<T>();
            auto first = scratch[0].ReinterpretCast<int32_t>();
            Duplicate(first, 0, padded);
            Choose(at, mask, at, first);
            Within(at);
            for (uint32_t part = 0; part < parts; ++part) ConvertAt(result[part * padded], input, at, part, padded);
        } else if (fits) {
            // All that is asked for fits: one copy, and the elements from there.
            DataCopyPad(input, gm[base + near + low], DataCopyExtParams{1, static_cast<uint32_t>(span * sizeof(T)), 0, 0, 0},
                        DataCopyPadExtParams<T>{false, 0, 0, static_cast<T>(0)});
            inQueue.EnQue(input);
            input = inQueue.template DeQue<T>();
            Adds(at, at, static_cast<int32_t>(-low), padded);
            Muls(at, at, static_cast<int32_t>(sizeof(T)), padded);
            auto first = scratch[0].ReinterpretCast<int32_t>();
            Duplicate(first, 0, padded);
            Choose(at, mask, at, first);
            Within(at);
            for (uint32_t part = 0; part < parts; ++part) ConvertAt(result[part * padded], input, at, part, padded);
        } else {
            inQueue.FreeTensor(input);
            LoadEach<T, parts>(result, gm, base, offsets, mask);
            return;
        }
        inQueue.FreeTensor(input);
    }
    // Lanes whose elements follow each other, or that take no part, are a run: gives how many runs follow the first,
    // where each begins in `scratch[2]`, and for each lane in `spare[2]` its offset less that of so many neighbours, or
    // `NONE`, which no offset is.
    static constexpr int32_t NONE = INT32_MIN;
    template <typename Offsets>
    __aicore__ inline uint32_t Runs(const Offsets& offsets, const Mask& mask, uint32_t parts)
    {
        auto own = spare[2];
        auto other = scratch[0].ReinterpretCast<int32_t>();
        auto before = scratch[1].ReinterpretCast<int32_t>();
        auto starts = scratch[2].ReinterpretCast<int32_t>();
        Muls(own, number, -static_cast<int32_t>(parts), padded);
        Add(own, own, LowOf(offsets), padded);
        Duplicate(other, NONE, padded);
        Choose(own, mask, own, other);
        Adds(other, number, -1, padded);
        Maxs(other, other, 0, padded);
        Muls(other, other, 4, padded);
        Gather(before, own, other.ReinterpretCast<uint32_t>(), 0, padded);
        Compare(scratchMask[0], own, before, CMPMODE::EQ, padded);
        MaskNot(scratchMask[0], scratchMask[0]);
        if constexpr (IsSameType<Offsets, Far>::value) {
            // The same low halves, and other high ones.
            Select(scratch[3], mask, offsets.estimate, 0.0f, SELMODE::VSEL_TENSOR_SCALAR_MODE, padded);
            Gather(scratch[1], scratch[3], other.ReinterpretCast<uint32_t>(), 0, padded);
            Sub(scratch[1], scratch[1], scratch[3], padded);
            Abs(scratch[1], scratch[1], padded);
            CompareScalar(scratchMask[1], scratch[1], 2147483648.0f, CMPMODE::GE, padded);
            MaskOr(scratchMask[0], scratchMask[0], scratchMask[1]);
        }
        uint64_t runs = 0;
        GatherMask(starts, number, scratchMask[0].ReinterpretCast<uint32_t>(), true, count, GatherMaskParams{1, 1, 8, 8}, runs);
        return static_cast<uint32_t>(runs);
    }
    // Stores what `Runs` found, so few that the scalar unit keeps them.
    static constexpr uint32_t MOST_RUNS = 64;
    template <typename T, uint32_t parts, typename Offsets>
    __aicore__ inline void StoreRuns(const GlobalTensor<T>& gm, int64_t base, const Offsets& offsets,
                                     const LocalTensor<typename Computed<T>::Type>& value, uint32_t runs)
    {
        uint32_t begins[MOST_RUNS + 1];
        int64_t places[MOST_RUNS];
        Wait<HardEvent::V_S>();
        begins[0] = 0;
        for (uint32_t run = 0; run <= runs; ++run) {
            const bool isLast = run == runs;
            begins[run + 1] = isLast ? count : static_cast<uint32_t>(scratch[2].ReinterpretCast<int32_t>().GetValue(run));
            places[run] = PlaceOfRun(offsets, begins[run], parts);
        }
        for (uint32_t run = 0; run <= runs; ++run) {
            if (places[run] == INT64_MIN) continue;
            StoreRow<T, parts>(gm, base + places[run], value, static_cast<int32_t>(begins[run]), static_cast<int32_t>(begins[run + 1]));
        }
    }
    // The offset of a run's first lane less that of so many neighbours; the least number for lanes that take no part.
    template <typename Offsets>
    __aicore__ inline int64_t PlaceOfRun(const Offsets& offsets, uint32_t lane, uint32_t parts) const
    {
        const int32_t own = spare[2].GetValue(lane);
        if (own == NONE) return INT64_MIN;
        if constexpr (IsSameType<Offsets, Far>::value) return At(offsets, lane) - static_cast<int64_t>(lane) * parts;
        return own;
    }
    // Copies what `Runs` found, each run from a block of 32 bytes on; in `spare[0]`, where the lanes' elements lie then.
    template <typename T, uint32_t parts, typename Offsets>
    __aicore__ inline void LoadRuns(const LocalTensor<T>& input, const GlobalTensor<T>& gm, int64_t base, const Offsets& offsets, uint32_t runs)
    {
        constexpr int32_t PITCH = parts * sizeof(T);
        auto at = spare[0];
        auto moved = scratch[0].ReinterpretCast<int32_t>();
        Muls(at, number, PITCH, padded);
        Cast(scratch[1], number, RoundMode::CAST_RINT, padded);
        int32_t used = 0, gap = 0;
        uint32_t from = 0;
        Wait<HardEvent::V_S>();
        for (uint32_t run = 0; run <= runs; ++run) {
            const uint32_t to = run < runs ? static_cast<uint32_t>(scratch[2].ReinterpretCast<int32_t>().GetValue(run)) : count;
            const int64_t place = PlaceOfRun(offsets, from, parts);
            if (place != INT64_MIN) {
                const int32_t bytes = static_cast<int32_t>(to - from) * PITCH;
                DataCopyPad(input[used / sizeof(T)], gm[base + place + static_cast<int64_t>(from) * parts],
                            DataCopyExtParams{1, static_cast<uint32_t>(bytes), 0, 0, 0},
                            DataCopyPadExtParams<T>{false, 0, 0, static_cast<T>(0)});
                const int32_t further = used - static_cast<int32_t>(from) * PITCH - gap;
                if (further != 0) {
                    CompareScalar(scratchMask[0], scratch[1], static_cast<float>(from), CMPMODE::GE, padded);
                    Adds(moved, at, further, padded);
                    Choose(at, scratchMask[0], moved, at);
                    gap += further;
                }
                used += (bytes + 31) / 32 * 32;
            }
            from = to;
        }
    }
    // Offsets of the lanes beyond the block become 0.
    __aicore__ inline void Within(const LocalTensor<int32_t>& offsets)
    {
        if (count == padded) return;
        Box box = All();
        MaskOf(scratchMask[1], box);
        auto zero = scratch[0].ReinterpretCast<int32_t>();
        Duplicate(zero, 0, padded);
        Choose(offsets, scratchMask[1], offsets, zero);
    }

    // What is computed with becomes T.
    template <typename T>
    __aicore__ inline void ConvertBack(const LocalTensor<T>& result, const LocalTensor<typename Computed<T>::Type>& value, uint32_t length)
    {
        if constexpr (sizeof(T) == 4) {
            DataCopy(result, value.template ReinterpretCast<T>(), length);
        } else if constexpr (IsSameType<T, half>::value || IsSameType<T, bfloat16_t>::value) {
            Cast(result, value, RoundMode::CAST_RINT, length);
        } else {
            // Piece by piece: the scratch is as long as the lanes.
            for (uint32_t at = 0; at < length; at += padded) {
                auto wide = scratch[1].ReinterpretCast<int32_t>();
                Narrow(wide, value[at], sizeof(T) * 8, sizeof(T) == 2 || IsSameType<T, int8_t>::value);
                if constexpr (sizeof(T) == 2) {
                    Cast(result.template ReinterpretCast<int16_t>()[at], wide, RoundMode::CAST_NONE, padded);
                } else {
                    auto narrow = scratch[0].ReinterpretCast<half>();
                    Cast(scratch[1], wide, RoundMode::CAST_NONE, padded);
                    Cast(narrow, scratch[1], RoundMode::CAST_RINT, padded);
                    Cast(result[at], narrow, RoundMode::CAST_RINT, padded);
                }
            }
        }
    }
    // The parts of each lane side by side, as memory has them, beginning with lane `from`.
    template <typename T, uint32_t parts, uint32_t pitch = parts>
    __aicore__ inline void Join(const LocalTensor<T>& result, const LocalTensor<typename Computed<T>::Type>& value, uint32_t from)
    {
        if (pitch == 1 && from == 0) {
            ConvertBack(result, value, padded);
            return;
        }
        auto at = spare[0];
        auto quotient = spare[1];
        auto part = spare[2];
        // Element k of the result is part k % pitch of lane from + k / pitch.
        for (uint32_t piece = 0; piece < pitch; ++piece) {
            Adds(at, number, static_cast<int32_t>(piece * padded), padded);
            if constexpr (pitch == 1) {
                Move(quotient, at);
                Duplicate(part, 0, padded);
            } else if constexpr ((pitch & (pitch - 1)) == 0) {
                constexpr uint32_t SHIFT = pitch == 2 ? 1 : pitch == 4 ? 2 : pitch == 8 ? 3 : pitch == 16 ? 4 : 5;
                static_assert(pitch <= 32, "the parts of a lane");
                ShiftDown(quotient, at, SHIFT);
                Muls(part, quotient, -static_cast<int32_t>(pitch), padded);
                Add(part, at, part, padded);
            } else {
                auto divisor = scratch[2].ReinterpretCast<int32_t>();
                Duplicate(divisor, static_cast<int32_t>(pitch), padded);
                DividePositive(quotient, part, at, divisor);
            }
            // What lies between the lanes is anything.
            if constexpr (pitch != parts) Mins(part, part, static_cast<int32_t>(parts - 1), padded);
            Adds(quotient, quotient, static_cast<int32_t>(from), padded);
            Mins(quotient, quotient, static_cast<int32_t>(padded - 1), padded);
            Muls(part, part, static_cast<int32_t>(padded), padded);
            Add(at, quotient, part, padded);
            Muls(at, at, 4, padded);
            auto joined = quotient.template ReinterpretCast<typename Computed<T>::Type>();
            Gather(joined, value, at.template ReinterpretCast<uint32_t>(), 0, padded);
            ConvertBack(result[piece * padded], joined, padded);
        }
    }
    template <typename T, uint32_t parts>
    __aicore__ inline void Store(const GlobalTensor<T>& gm, const Form& form, const LocalTensor<typename Computed<T>::Type>& value,
                                 const Box& box)
    {
        if (IsEmpty(box)) return;
        int64_t step = 0;
        int32_t from = 0, to = 0;
        if (IsRow(form, box, step, from, to) && step == static_cast<int64_t>(parts)) {
            StoreRow<T, parts>(gm, form.base, value, from, to);
            return;
        }
        if (form.step[3] == 0 && form.step[0] == static_cast<int64_t>(parts) && extent[0] * parts * sizeof(T) % BLOCK_BYTES == 0 &&
            static_cast<uint32_t>(box.low[0]) * parts * sizeof(T) % BLOCK_BYTES == 0 && box.low[3] == 0 &&
            box.high[3] == static_cast<int32_t>(count)) {
            // Row by row.
            auto output = outQueue.template AllocTensor<T>();
            Join<T, parts>(output, value, 0);
            outQueue.EnQue(output);
            output = outQueue.template DeQue<T>();
            const uint32_t before = static_cast<uint32_t>(box.low[0]) * parts;
            const uint32_t length = static_cast<uint32_t>(box.high[0] - box.low[0]) * parts;
            for (int32_t z = box.low[2]; z < box.high[2]; ++z) {
                for (int32_t y = box.low[1]; y < box.high[1]; ++y) {
                    const uint32_t row = (static_cast<uint32_t>(z) * extent[1] + static_cast<uint32_t>(y)) * extent[0] * parts;
                    const auto target = gm[form.base + form.step[1] * y + form.step[2] * z + before];
                    AfterOverlapping(target, length);
                    DataCopyPad(target, output[row + before],
                                DataCopyExtParams{1, static_cast<uint32_t>(length * sizeof(T)), 0, 0, 0});
                }
            }
            outQueue.FreeTensor(output);
            return;
        }
        StoreInside<T, parts>(gm, form, value, box);
    }
    // Lane by lane.
    template <typename T, uint32_t parts, typename Places>
    __aicore__ inline void StoreInside(const GlobalTensor<T>& gm, const Places& places,
                                       const LocalTensor<typename Computed<T>::Type>& value, const Box& box)
    {
        constexpr uint32_t PITCH = Apart<T, parts>() / sizeof(T);
        auto output = outQueue.template AllocTensor<T>();
        if (output.GetSize() < count * PITCH) {
            // The buffer holds a row, and the lanes are none.
            outQueue.FreeTensor(output);
            for (uint32_t lane = 0; lane < count; ++lane) {
                if (Inside(lane, box)) StoreLane<T, parts>(gm, At(places, lane), value, lane);
            }
            return;
        }
        Spaced<T, parts>(output, value);
        for (uint32_t lane = 0; lane < count; ++lane) {
            if (Inside(lane, box)) WriteOne<T, parts>(gm, At(places, lane), output[lane * PITCH]);
        }
        outQueue.FreeTensor(output);
    }
    // Stores rows of a matrix: each row begins a block of 32 bytes, rows that are whole are copied at once.
    template <typename T, uint32_t parts>
    __aicore__ inline void Store(const GlobalTensor<T>& gm, const Split& split, const LocalTensor<typename Computed<T>::Type>& value,
                                 const Box& box)
    {
        if (IsEmpty(box)) return;
        Rows rows = {};
        if (!IsRows(split, box, rows) || rows.step != static_cast<int64_t>(parts)) {
            StoreInside<T, parts>(gm, split, value, box);
            return;
        }
        if (IsEven(rows)) {
            StoreRow<T, parts>(gm, rows.place + rows.step * (rows.before - rows.from), value, rows.from, rows.to);
            return;
        }
        auto output = outQueue.template AllocTensor<T>();
        constexpr int64_t LANE = parts * sizeof(T);
        // Rows of whole blocks lie in the buffer as the lanes do.
        const bool isPacked = rows.from == 0 && rows.length * LANE % BLOCK_BYTES == 0 && rows.before * LANE % BLOCK_BYTES == 0;
        const int64_t rowBytes = InBlocks(rows.length * LANE);
        const int64_t filled = (rows.count * rowBytes / static_cast<int64_t>(sizeof(T)) + padded - 1) / padded * padded;
        if (!isPacked && filled > static_cast<int64_t>(output.GetSize())) {
            outQueue.FreeTensor(output);
            StoreInside<T, parts>(gm, split, value, box);
            return;
        }
        if (isPacked) {
            Join<T, parts>(output, value, 0);
        } else {
            JoinRows<T, parts>(output, value, rows, static_cast<uint32_t>(filled));
        }
        outQueue.EnQue(output);
        output = outQueue.template DeQue<T>();
        const int64_t between = (rows.pitch - rows.length * rows.step) * static_cast<int64_t>(sizeof(T));
        uint32_t row = 0;
        while (row < rows.count) {
            const uint32_t whole = row == 0 && rows.before > 0 ? 1 : rows.count - 1 - row;
            const bool isAtOnce = whole > 1 && between >= 0 && between <= UINT32_MAX;
            const uint32_t copies = isAtOnce ? static_cast<uint32_t>(Smaller(whole, MAX_COPIES)) : 1;
            const int64_t bytes = rows.Lanes(row) * LANE;
            const int64_t from = isPacked ? (row * rows.length - (row == 0 ? 0 : rows.before)) * LANE : row * rowBytes;
            const auto target = gm[rows.At(row) + rows.First(row) * rows.step];
            AfterOverlapping(target, static_cast<uint64_t>((copies - 1) * rows.pitch + rows.Lanes(row) * parts));
            DataCopyPad(target, output[static_cast<uint32_t>(from / static_cast<int64_t>(sizeof(T)))],
                        DataCopyExtParams{static_cast<uint16_t>(copies), static_cast<uint32_t>(bytes), 0,
                                          copies == 1 ? 0 : static_cast<uint32_t>(between), 0});
            row += copies;
        }
        outQueue.FreeTensor(output);
    }
    // The parts of each lane side by side, each row from a block of 32 bytes on.
    template <typename T, uint32_t parts>
    __aicore__ inline void JoinRows(const LocalTensor<T>& result, const LocalTensor<typename Computed<T>::Type>& value,
                                    const Rows& rows, uint32_t filled)
    {
        const auto pitch = static_cast<int32_t>(InBlocks(rows.length * static_cast<int64_t>(parts * sizeof(T))) / static_cast<int64_t>(sizeof(T)));
        auto at = spare[0];
        auto lane = spare[1];
        auto part = spare[2];
        auto row = scratch[0].ReinterpretCast<int32_t>();
        for (uint32_t piece = 0; piece < filled; piece += padded) {
            // Element `at` of the result belongs to row at / pitch; there it is the lane (at % pitch) / parts.
            Adds(at, number, static_cast<int32_t>(piece), padded);
            Cast(scratch[0], at, RoundMode::CAST_RINT, padded);
            RowsOf(0.0f, static_cast<float>(pitch));
            Muls(part, row, -pitch, padded);
            Add(part, at, part, padded);
            Muls(lane, row, static_cast<int32_t>(rows.length), padded);
            // The first row begins with the lane that is first.
            Mins(at, row, 1, padded);
            Muls(at, at, -static_cast<int32_t>(rows.before), padded);
            Add(lane, lane, at, padded);
            if constexpr (parts > 1) {
                Cast(scratch[0], part, RoundMode::CAST_RINT, padded);
                RowsOf(0.0f, static_cast<float>(parts));
                Add(lane, lane, row, padded);
                Muls(at, row, -static_cast<int32_t>(parts), padded);
                Add(part, part, at, padded);
            } else {
                Add(lane, lane, part, padded);
                Duplicate(part, 0, padded);
            }
            Adds(lane, lane, rows.from, padded);
            Mins(lane, lane, static_cast<int32_t>(padded - 1), padded);
            Muls(part, part, static_cast<int32_t>(padded), padded);
            Add(at, lane, part, padded);
            Muls(at, at, 4, padded);
            auto joined = lane.template ReinterpretCast<typename Computed<T>::Type>();
            Gather(joined, value, at.template ReinterpretCast<uint32_t>(), 0, padded);
            ConvertBack(result[piece], joined, padded);
        }
    }
    // Transfers to the same bytes may overtake one another: one to bytes between those that were stored to waits.
    template <typename T>
    __aicore__ inline void AfterOverlapping(const GlobalTensor<T>& to, uint64_t elements)
    {
        const auto low = reinterpret_cast<uint64_t>(to.GetPhyAddr());
        const auto high = low + elements * sizeof(T);
        if (low < storedEnd && high > storedBegin) {
            PipeBarrier<PIPE_MTE3>();
            storedBegin = low;
            storedEnd = high;
            return;
        }
        if (low < storedBegin) storedBegin = low;
        if (high > storedEnd) storedEnd = high;
    }
    template <typename T, uint32_t parts>
    __aicore__ inline void WriteOne(const GlobalTensor<T>& gm, int64_t at, const LocalTensor<T>& value)
    {
        AfterOverlapping(gm[at], parts);
        DataCopyPad(gm[at], value, DataCopyExtParams{1, static_cast<uint32_t>(parts * sizeof(T)), 0, 0, 0});
    }
    // Each lane in a block of 32 bytes of its own, ready for the way out.
    template <typename T, uint32_t parts>
    __aicore__ inline void Spaced(LocalTensor<T>& output, const LocalTensor<typename Computed<T>::Type>& value)
    {
        Join<T, parts, Apart<T, parts>() / sizeof(T)>(output, value, 0);
        outQueue.EnQue(output);
        output = outQueue.template DeQue<T>();
    }
    template <typename T, uint32_t parts>
    __aicore__ inline void StoreRow(const GlobalTensor<T>& gm, int64_t base, const LocalTensor<typename Computed<T>::Type>& value,
                                    int32_t from, int32_t to)
    {
        if (from >= to) return;
        auto output = outQueue.template AllocTensor<T>();
        // Where the first lane does not begin a block of 32 bytes, the lanes move down.
        const bool aligned = static_cast<uint32_t>(from) * parts * sizeof(T) % BLOCK_BYTES == 0;
        Join<T, parts>(output, value, aligned ? 0 : static_cast<uint32_t>(from));
        outQueue.EnQue(output);
        output = outQueue.template DeQue<T>();
        const auto target = gm[base + static_cast<int64_t>(from) * parts];
        AfterOverlapping(target, static_cast<uint32_t>(to - from) * parts);
        DataCopyPad(target, output[aligned ? static_cast<uint32_t>(from) * parts : 0],
                    DataCopyExtParams{1, static_cast<uint32_t>((to - from) * parts * sizeof(T)), 0, 0, 0});
        outQueue.FreeTensor(output);
    }
    template <typename T, uint32_t parts>
    __aicore__ inline void Store(const GlobalTensor<T>& gm, const Form& form, const LocalTensor<typename Computed<T>::Type>& value,
                                 const Mask& mask)
    {
        int32_t from = 0, to = 0;
        bool dense = false;
        Range(mask, from, to, dense);
        if (from >= to) return;
        int64_t step = 0;
        int32_t first = 0, last = 0;
        if (dense && IsRow(form, All(), step, first, last) && step == static_cast<int64_t>(parts)) {
            StoreRow<T, parts>(gm, form.base, value, from, to);
            return;
        }
        if (IsNear(form)) {
            Spread(spare[1], Form{0, {form.step[0], form.step[1], form.step[2], form.step[3]}});
            const uint32_t runs = Runs(spare[1], mask, parts);
            if (runs * 16 <= count && runs < MOST_RUNS) {
                StoreRuns<T, parts>(gm, form.base, spare[1], value, runs);
                return;
            }
        }
        StoreEach<T, parts>(gm, 0, form, value, mask);
    }
    // Lane by lane.
    template <typename T, uint32_t parts, typename Offsets>
    __aicore__ inline void StoreEach(const GlobalTensor<T>& gm, int64_t base, const Offsets& offsets,
                                     const LocalTensor<typename Computed<T>::Type>& value, const Mask& mask)
    {
        auto output = outQueue.template AllocTensor<T>();
        constexpr uint32_t PITCH = Apart<T, parts>() / sizeof(T);
        Spaced<T, parts>(output, value);
        auto words = mask.ReinterpretCast<uint32_t>();
        Wait<HardEvent::V_S>();
        for (uint32_t lane = 0; lane < count; ++lane) {
            if (IsActive(words, lane)) WriteOne<T, parts>(gm, base + At(offsets, lane), output[lane * PITCH]);
        }
        outQueue.FreeTensor(output);
    }
    // Stores from the first lane that takes part to the last one.
    template <typename T, uint32_t parts>
    __aicore__ inline void StoreRange(const GlobalTensor<T>& gm, const Form& form, const LocalTensor<typename Computed<T>::Type>& value,
                                      const Mask& mask)
    {
        int32_t from = 0, to = 0;
        bool dense = false;
        Range(mask, from, to, dense);
        StoreRow<T, parts>(gm, form.base, value, from, to);
    }
    template <typename T, uint32_t parts, typename Offsets>
    __aicore__ inline void StoreAt(const GlobalTensor<T>& gm, int64_t base, const Offsets& offsets,
                                   const LocalTensor<typename Computed<T>::Type>& value, const Mask& mask)
    {
        const uint32_t runs = Runs(offsets, mask, parts);
        if (runs * 16 <= count && runs < MOST_RUNS) {
            StoreRuns<T, parts>(gm, base, offsets, value, runs);
            return;
        }
        StoreEach<T, parts>(gm, base, offsets, value, mask);
    }
    // One element that all lanes read or write.
    template <typename T>
    __aicore__ inline T LoadOne(const GlobalTensor<T>& gm, int64_t at)
    {
        auto input = inQueue.template AllocTensor<T>();
        CopyOne<T, 1>(input, gm, at);
        inQueue.EnQue(input);
        input = inQueue.template DeQue<T>();
        Wait<HardEvent::MTE2_S>();
        const T value = input.GetValue(0);
        Wait<HardEvent::S_MTE2>();
        inQueue.FreeTensor(input);
        return value;
    }
    template <typename T>
    __aicore__ inline void StoreOne(const GlobalTensor<T>& gm, int64_t at, T value)
    {
        auto output = outQueue.template AllocTensor<T>();
        output.SetValue(0, value);
        Wait<HardEvent::S_MTE3>();
        outQueue.EnQue(output);
        output = outQueue.template DeQue<T>();
        WriteOne<T, 1>(gm, at, output);
        outQueue.FreeTensor(output);
    }

    // All active lanes store to one place: the first one's value stands.
    template <typename T, uint32_t parts>
    __aicore__ inline void StoreSame(const GlobalTensor<T>& gm, int64_t at, const LocalTensor<typename Computed<T>::Type>& value, const Box& box)
    {
        if (IsEmpty(box)) return;
        uint32_t lane = 0;
        while (lane < count && !Inside(lane, box)) ++lane;
        if (lane < count) StoreLane<T, parts>(gm, at, value, lane);
    }
    template <typename T, uint32_t parts>
    __aicore__ inline void StoreSame(const GlobalTensor<T>& gm, int64_t at, const LocalTensor<typename Computed<T>::Type>& value, const Mask& mask)
    {
        int32_t from = 0, to = 0;
        bool dense = false;
        Range(mask, from, to, dense);
        if (from < to) StoreLane<T, parts>(gm, at, value, static_cast<uint32_t>(from));
    }
    template <typename T, uint32_t parts>
    __aicore__ inline void StoreLane(const GlobalTensor<T>& gm, int64_t at, const LocalTensor<typename Computed<T>::Type>& value, uint32_t lane)
    {
        auto output = outQueue.template AllocTensor<T>();
        auto narrow = spare[0].template ReinterpretCast<T>();
        for (uint32_t part = 0; part < parts; ++part) {
            ConvertBack(narrow, value[part * padded], padded);
            Wait<HardEvent::V_S>();
            output.SetValue(part, narrow.GetValue(lane));
            Wait<HardEvent::S_V>();
        }
        Wait<HardEvent::S_MTE3>();
        outQueue.EnQue(output);
        output = outQueue.template DeQue<T>();
        WriteOne<T, parts>(gm, at, output);
        outQueue.FreeTensor(output);
    }

    // ---- Atomic operations ----
    template <typename T, Update update>
    __aicore__ inline void Begin()
    {
        if constexpr (update == Update::Add) {
            SetAtomicAdd<T>();
        } else if constexpr (update == Update::Minimum) {
            SetAtomicMin<T>();
        } else {
            SetAtomicMax<T>();
        }
    }
    template <typename T, Update update, typename Active>
    __aicore__ inline void Accumulate(const GlobalTensor<T>& gm, const Form& form, const LocalTensor<typename Computed<T>::Type>& value,
                                      const Active& active)
    {
        Begin<T, update>();
        Store<T, 1>(gm, form, value, active);
        SetAtomicNone();
    }
    template <typename T, Update update, typename Offsets>
    __aicore__ inline void AccumulateAt(const GlobalTensor<T>& gm, int64_t base, const Offsets& offsets,
                                        const LocalTensor<typename Computed<T>::Type>& value, const Mask& mask)
    {
        Begin<T, update>();
        StoreAt<T, 1>(gm, base, offsets, value, mask);
        SetAtomicNone();
    }
    template <typename T, Update update>
    __aicore__ inline T Updated(T old, T value) const
    {
        if constexpr (IsSameType<T, float>::value) {
            if constexpr (update == Update::Add) return old + value;
            if constexpr (update == Update::Subtract) return old - value;
            if constexpr (update == Update::Minimum) return value < old ? value : old;
            if constexpr (update == Update::Maximum) return value > old ? value : old;
            return value;
        } else {
            const auto a = static_cast<uint32_t>(old);
            const auto b = static_cast<uint32_t>(value);
            if constexpr (update == Update::Add) return static_cast<T>(a + b);
            if constexpr (update == Update::Subtract) return static_cast<T>(a - b);
            if constexpr (update == Update::And) return static_cast<T>(a & b);
            if constexpr (update == Update::Or) return static_cast<T>(a | b);
            if constexpr (update == Update::Xor) return static_cast<T>(a ^ b);
            if constexpr (update == Update::Minimum) return value < old ? value : old;
            if constexpr (update == Update::Maximum) return value > old ? value : old;
            return value;
        }
    }
    template <typename T, Update update, bool asks>
    __aicore__ inline void UpdateShared(const LocalTensor<uint8_t>& shared, const LocalTensor<int32_t>& offsets,
                                        const LocalTensor<typename Computed<T>::Type>& value, const Mask& mask,
                                        const LocalTensor<typename Computed<T>::Type>& before)
    {
        auto place = shared.template ReinterpretCast<T>();
        auto operand = value.template ReinterpretCast<T>();
        auto words = mask.ReinterpretCast<uint32_t>();
        Wait<HardEvent::V_S>();
        for (uint32_t word = 0; word * 32 < count; ++word) {
            uint64_t bits = Word(words, word);
            while (bits != 0) {
                const uint32_t lane = word * 32 + static_cast<uint32_t>(ScalarGetSFFValue<1>(bits));
                bits &= bits - 1;
                const auto at = static_cast<uint32_t>(offsets.GetValue(lane)) / static_cast<uint32_t>(sizeof(T));
                const T old = place.GetValue(at);
                place.SetValue(at, Updated<T, update>(old, operand.GetValue(lane)));
                if constexpr (asks) before.template ReinterpretCast<T>().SetValue(lane, old);
            }
        }
        Wait<HardEvent::S_V>();
    }
    template <typename T, Update update, bool asks, typename Offsets>
    __aicore__ inline void UpdateGlobal(const GlobalTensor<T>& gm, int64_t base, const Offsets& offsets,
                                        const LocalTensor<typename Computed<T>::Type>& value, const Mask& mask,
                                        const LocalTensor<typename Computed<T>::Type>& before)
    {
        auto operand = value.template ReinterpretCast<T>();
        auto words = mask.ReinterpretCast<uint32_t>();
        Wait<HardEvent::V_S>();
        for (uint32_t lane = 0; lane < count; ++lane) {
            if (!IsActive(words, lane)) continue;
            const int64_t at = base + At(offsets, lane);
            const T old = LoadOne(gm, at);
            StoreOne(gm, at, Updated<T, update>(old, operand.GetValue(lane)));
            Wait<HardEvent::MTE3_MTE2>();
            if constexpr (asks) before.template ReinterpretCast<T>().SetValue(lane, old);
        }
        Wait<HardEvent::S_V>();
    }

    // ---- The block's shared memory ----
    template <typename T, uint32_t parts>
    __aicore__ inline void LoadShared(const LocalTensor<typename Computed<T>::Type>& result, const LocalTensor<uint8_t>& shared,
                                      const LocalTensor<int32_t>& offsets, const Mask& mask)
    {
        auto at = spare[0];
        auto zero = scratch[0].ReinterpretCast<int32_t>();
        Duplicate(zero, 0, padded);
        Choose(at, mask, offsets, zero);
        Within(at);
        for (uint32_t part = 0; part < parts; ++part) {
            ConvertAt(result[part * padded], shared.template ReinterpretCast<T>(), at, part, padded);
        }
    }
    template <typename T, uint32_t parts>
    __aicore__ inline void StoreShared(const LocalTensor<uint8_t>& shared, const LocalTensor<int32_t>& offsets,
                                       const LocalTensor<typename Computed<T>::Type>& value, const Mask& mask)
    {
        auto to = shared.template ReinterpretCast<T>();
        auto narrow = spare[0].template ReinterpretCast<T>();
        auto words = mask.ReinterpretCast<uint32_t>();
        for (uint32_t part = 0; part < parts; ++part) {
            ConvertBack(narrow, value[part * padded], padded);
            Wait<HardEvent::V_S>();
            for (uint32_t word = 0; word * 32 < count; ++word) {
                uint64_t bits = Word(words, word);
                while (bits != 0) {
                    const uint32_t lane = word * 32 + static_cast<uint32_t>(ScalarGetSFFValue<1>(bits));
                    bits &= bits - 1;
                    to.SetValue(offsets.GetValue(lane) / sizeof(T) + part, narrow.GetValue(lane));
                }
            }
            Wait<HardEvent::S_V>();
        }
    }

    // ---- Lanes of a warp ----
    // mode: 0 lane of the segment, 1 up, 2 down, 3 xor
    __aicore__ inline void ShuffleFrom(const LocalTensor<int32_t>& bytes, int mode, const LocalTensor<int32_t>& lane, int32_t width)
    {
        auto own = spare[1];
        auto other = spare[2];
        auto end = scratch[2].ReinterpretCast<int32_t>();
        Duplicate(end, width - 1, padded);
        BitAnd(own, number, end);                       // place in the segment
        if (mode == 0) {
            BitAnd(other, lane, end);
            Sub(bytes, number, own, padded);
            Add(bytes, bytes, other, padded);
        } else if (mode == 1) {
            CompareIntegers(scratchMask[0], own, lane, CMPMODE::GE);
            Sub(other, number, lane, padded);
            Choose(bytes, scratchMask[0], other, number);
        } else if (mode == 2) {
            Add(other, own, lane, padded);
            CompareIntegers(scratchMask[0], other, end, CMPMODE::LE);
            Add(other, number, lane, padded);
            Choose(bytes, scratchMask[0], other, number);
        } else {
            // A lane of a later segment is not in reach.
            BitXor(other, number, lane);
            Duplicate(end, width - 1, padded);
            BitOr(own, number, end);
            CompareIntegers(scratchMask[0], other, own, CMPMODE::LE);
            Choose(bytes, scratchMask[0], other, number);
        }
        Maxs(bytes, bytes, 0, padded);
        Mins(bytes, bytes, static_cast<int32_t>(padded - 1), padded);
        Muls(bytes, bytes, 4, padded);
    }
    template <typename T>
    __aicore__ inline void Shuffle(const LocalTensor<T>& result, const LocalTensor<T>& value, int mode, const LocalTensor<int32_t>& lane,
                                   int32_t width)
    {
        auto bytes = spare[0];
        ShuffleFrom(bytes, mode, lane, width);
        Gather(result, value, bytes.ReinterpretCast<uint32_t>(), 0, padded);
    }
    template <typename T>
    __aicore__ inline void Shuffle(const LocalTensor<T>& result, const LocalTensor<T>& value, int mode, int32_t lane, int32_t width)
    {
        auto lanes = spare[0];
        Duplicate(lanes, lane, padded);
        Shuffle(result, value, mode, lanes, width);
    }
    // The bits of the own warp.
    __aicore__ inline void Ballot(const LocalTensor<int32_t>& result, const Mask& mask)
    {
        auto bytes = spare[0];
        ShiftDown(bytes, number, 5);
        Muls(bytes, bytes, 4, padded);
        Gather(result, mask.ReinterpretCast<int32_t>(), bytes.ReinterpretCast<uint32_t>(), 0, padded);
    }

    uint64_t storedBegin = UINT64_MAX;  // bytes of global memory that may be on their way out
    uint64_t storedEnd = 0;
    LocalTensor<int32_t> number;
    LocalTensor<int32_t> place[3];
    LocalTensor<float> scratch[4];
    LocalTensor<int32_t> spare[3];
    Mask scratchMask[2];
};

}  // namespace lanes
