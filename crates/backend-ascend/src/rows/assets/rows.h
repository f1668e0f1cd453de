namespace rows {
using namespace AscendC;

constexpr int32_t BUFFER_NUM = 2;

// Makes one pipe wait for another.
template <HardEvent event>
__aicore__ inline void WaitFor()
{
    const auto id = GetTPipePtr()->FetchEventID(event);
    SetFlag<event>(id);
    WaitFlag<event>(id);
}

// Any number of elements, at most a buffer's.
template <typename T>
__aicore__ inline void CopyRowIn(const LocalTensor<T>& to, const GlobalTensor<T>& from, uint32_t count)
{
    if (count == 0) return;
    const DataCopyExtParams copy{1, static_cast<uint32_t>(count * sizeof(T)), 0, 0, 0};
    DataCopyPad(to, from, copy, DataCopyPadExtParams<T>{false, 0, 0, static_cast<T>(0)});
}
template <typename T>
__aicore__ inline void CopyRowOut(const GlobalTensor<T>& to, const LocalTensor<T>& from, uint32_t count)
{
    if (count == 0) return;
    DataCopyPad(to, from, DataCopyExtParams{1, static_cast<uint32_t>(count * sizeof(T)), 0, 0, 0});
}

__aicore__ inline int64_t Longer(int64_t a, int64_t b) { return a > b ? a : b; }
// The elements of the piece that begins at a place.
__aicore__ inline uint32_t PieceOf(int64_t length, int64_t start, uint32_t piece)
{
    return static_cast<uint32_t>(length - start < static_cast<int64_t>(piece) ? length - start : static_cast<int64_t>(piece));
}

// What the vector unit reduces the first elements of a tensor to, for the scalar unit.
__aicore__ inline float SumOf(const LocalTensor<float>& values, const LocalTensor<float>& work, uint32_t count)
{
    ReduceSum(work, values, work, count);
    WaitFor<HardEvent::V_S>();
    const float sum = work.GetValue(0);
    WaitFor<HardEvent::S_V>();
    return sum;
}
__aicore__ inline float MaximumOf(const LocalTensor<float>& values, const LocalTensor<float>& work, uint32_t count)
{
    ReduceMax(work, values, work, count);
    WaitFor<HardEvent::V_S>();
    const float maximum = work.GetValue(0);
    WaitFor<HardEvent::S_V>();
    return maximum;
}
__aicore__ inline float MinimumOf(const LocalTensor<float>& values, const LocalTensor<float>& work, uint32_t count)
{
    ReduceMin(work, values, work, count);
    WaitFor<HardEvent::V_S>();
    const float minimum = work.GetValue(0);
    WaitFor<HardEvent::S_V>();
    return minimum;
}

// Comparisons read whole repeats: what lies behind the last element becomes a number.
__aicore__ inline void FillTail(const LocalTensor<float>& values, uint32_t count)
{
    const uint32_t rest = count % 64;
    if (rest == 0) return;
    uint64_t mask[2] = {~static_cast<uint64_t>(0) << rest, 0};
    Duplicate(values[count - rest], 0.0f, mask, 1, 1, 8);
}

// Of a number and a NaN the number, as fmaxf and fminf have it.
__aicore__ inline float LargerNumber(float a, float b) { return a != a || b > a ? b : a; }
__aicore__ inline float SmallerNumber(float a, float b) { return a != a || b < a ? b : a; }
__aicore__ inline void LargerNumbers(const LocalTensor<float>& result, const LocalTensor<float>& a, const LocalTensor<float>& b,
                                     const LocalTensor<float>& other, const LocalTensor<uint8_t>& mask, uint32_t count)
{
    const uint32_t padded = (count + 63) / 64 * 64;
    FillTail(a, count);
    FillTail(b, count);
    Compare(mask, b, b, CMPMODE::EQ, padded);
    Select(other, mask, b, a, SELMODE::VSEL_TENSOR_TENSOR_MODE, count);
    Compare(mask, a, a, CMPMODE::EQ, padded);
    Select(result, mask, a, other, SELMODE::VSEL_TENSOR_TENSOR_MODE, count);
    Max(result, result, other, count);
}
__aicore__ inline void SmallerNumbers(const LocalTensor<float>& result, const LocalTensor<float>& a, const LocalTensor<float>& b,
                                      const LocalTensor<float>& other, const LocalTensor<uint8_t>& mask, uint32_t count)
{
    const uint32_t padded = (count + 63) / 64 * 64;
    FillTail(a, count);
    FillTail(b, count);
    Compare(mask, b, b, CMPMODE::EQ, padded);
    Select(other, mask, b, a, SELMODE::VSEL_TENSOR_TENSOR_MODE, count);
    Compare(mask, a, a, CMPMODE::EQ, padded);
    Select(result, mask, a, other, SELMODE::VSEL_TENSOR_TENSOR_MODE, count);
    Min(result, result, other, count);
}

// Truth values of elements, a bit for each.
using Mask = LocalTensor<uint8_t>;
__aicore__ inline void MaskAnd(const Mask& result, const Mask& a, const Mask& b, uint32_t count)
{
    And(result.ReinterpretCast<uint16_t>(), a.ReinterpretCast<uint16_t>(), b.ReinterpretCast<uint16_t>(), (count + 15) / 16);
}
__aicore__ inline void MaskOr(const Mask& result, const Mask& a, const Mask& b, uint32_t count)
{
    Or(result.ReinterpretCast<uint16_t>(), a.ReinterpretCast<uint16_t>(), b.ReinterpretCast<uint16_t>(), (count + 15) / 16);
}
__aicore__ inline void MaskNot(const Mask& result, const Mask& a, uint32_t count)
{
    Not(result.ReinterpretCast<uint16_t>(), a.ReinterpretCast<uint16_t>(), (count + 15) / 16);
}

// The first place of a row at which a mask is set, unless one is known; -1 where there is none.
__aicore__ inline int64_t FirstPlace(int64_t known, int64_t start, const Mask& mask, const LocalTensor<float>& places,
                                     const LocalTensor<float>& values, const LocalTensor<float>& work, uint32_t count)
{
    if (known >= 0) return known;
    Select(values, mask, places, 1.0e9f, SELMODE::VSEL_TENSOR_SCALAR_MODE, count);
    const float first = MinimumOf(values, work, count);
    return first < 1.0e9f ? start + static_cast<int64_t>(first) : -1;
}

// 0, 1, 2 … as floats, for comparisons with places in a row.
__aicore__ inline void CountUp(const LocalTensor<float>& places, uint32_t count)
{
    const auto numbers = places.ReinterpretCast<int32_t>();
    CreateVecIndex(numbers, static_cast<int32_t>(0), count);
    Cast(places, numbers, RoundMode::CAST_NONE, count);
}
// A place as a float, no further away than tells a whole piece from none of it.
__aicore__ inline float PlaceOf(int64_t place, uint32_t length)
{
    return static_cast<float>(place < -1 ? -1 : place > static_cast<int64_t>(length) ? static_cast<int64_t>(length) : place);
}

// Functions that the scalar unit lacks, of one element by the vector unit.
__aicore__ inline float SquareRootOf(const LocalTensor<float>& work, float value)
{
    work.SetValue(0, value);
    WaitFor<HardEvent::S_V>();
    Sqrt(work, work, 1);
    WaitFor<HardEvent::V_S>();
    const float root = work.GetValue(0);
    WaitFor<HardEvent::S_V>();
    return root;
}
__aicore__ inline float ExponentialOf(const LocalTensor<float>& work, float value)
{
    work.SetValue(0, value);
    WaitFor<HardEvent::S_V>();
    Exp(work, work, 1);
    WaitFor<HardEvent::V_S>();
    const float power = work.GetValue(0);
    WaitFor<HardEvent::S_V>();
    return power;
}
__aicore__ inline float LogarithmOf(const LocalTensor<float>& work, float value)
{
    work.SetValue(0, value);
    WaitFor<HardEvent::S_V>();
    Ln(work, work, 1);
    WaitFor<HardEvent::V_S>();
    const float logarithm = work.GetValue(0);
    WaitFor<HardEvent::S_V>();
    return logarithm;
}

// A float as an integer, as the vector unit rounds it.
template <RoundMode mode>
__aicore__ inline int64_t IntegerOf(const LocalTensor<float>& work, float value)
{
    const auto number = work.ReinterpretCast<int32_t>();
    work.SetValue(0, value);
    WaitFor<HardEvent::S_V>();
    Cast(number, work, mode, 1);
    WaitFor<HardEvent::V_S>();
    const int64_t integer = number.GetValue(0);
    WaitFor<HardEvent::S_V>();
    return integer;
}

// What results are collected as: halves are rounded by the vector unit.
template <typename T>
struct Collected {
    using Type = T;
};
template <>
struct Collected<half> {
    using Type = float;
};
template <>
struct Collected<bfloat16_t> {
    using Type = float;
};

// Results of one element a row: neighbours are collected and leave together.
template <typename T>
class RowResults {
public:
    __aicore__ inline void Init(TPipe& pipe, const GlobalTensor<T>& gm)
    {
        gm_ = gm;
        pipe.InitBuffer(buffer_, CAPACITY * (sizeof(T) + sizeof(typename Collected<T>::Type)));
    }
    __aicore__ inline void Put(int64_t place, typename Collected<T>::Type value)
    {
        if (count_ == CAPACITY || (count_ > 0 && place != first_ + count_)) Flush();
        if (count_ == 0) first_ = place;
        buffer_.template Get<typename Collected<T>::Type>().SetValue(count_, value);
        ++count_;
    }
    __aicore__ inline void Flush()
    {
        if (count_ == 0) return;
        if constexpr (IsSameType<T, typename Collected<T>::Type>::value) {
            WaitFor<HardEvent::S_MTE3>();
            CopyRowOut(gm_[first_], buffer_.template Get<T>(), count_);
        } else {
            const auto narrow = buffer_.template GetWithOffset<T>(CAPACITY, CAPACITY * sizeof(float));
            WaitFor<HardEvent::S_V>();
            Cast(narrow, buffer_.template Get<float>(), RoundMode::CAST_RINT, count_);
            WaitFor<HardEvent::V_MTE3>();
            CopyRowOut(gm_[first_], narrow, count_);
        }
        WaitFor<HardEvent::MTE3_S>();
        count_ = 0;
    }
private:
    static constexpr uint32_t CAPACITY = 256;
    GlobalTensor<T> gm_;
    TBuf<TPosition::VECCALC> buffer_;
    int64_t first_ = 0;
    uint32_t count_ = 0;
};
}  // namespace rows
