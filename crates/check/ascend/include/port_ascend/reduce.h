// Reductions. The order of additions is the chip's as its documentation gives it: a binary tree over neighbours within a
// repeat of 256 bytes; the count form of ReduceSum adds the repeats' results one after the other, the form with repeats
// makes a tree of them, too.
#pragma once

#include <port_ascend/vector.h>

namespace AscendC {

enum class ReduceOrder { ORDER_VALUE_INDEX = 0, ORDER_INDEX_VALUE, ORDER_ONLY_VALUE, ORDER_ONLY_INDEX };

}  // namespace AscendC

namespace port_ascend {

// Lanes that are off count as nothing: their partner passes as it is.
template <typename T> inline bool tree_sum(T* values, bool* on, uint32_t count) {
    for (uint32_t width = count; width > 1; width = (width + 1) / 2) {
        for (uint32_t i = 0; i < width / 2; ++i) {
            bool left = on[2 * i], right = on[2 * i + 1];
            values[i] = left && right ? wrap_add(values[2 * i], values[2 * i + 1]) : left ? values[2 * i] : values[2 * i + 1];
            on[i] = left || right;
        }
        if (width % 2) { values[width / 2] = values[width - 1]; on[width / 2] = on[width - 1]; }
    }
    return count && on[0];
}

// The extreme of the active lanes and its place among all lanes; the first of equals. NaN does not compare.
template <typename T> struct Extreme { T value; uint32_t index; bool any; };
template <typename T> inline void meet(Extreme<T>& best, T value, uint32_t index, bool max) {
    if (!best.any || (max ? value > best.value : value < best.value)) best = {value, index, true};
}

// An index in the bits of the element type: half holds 16 bits of it, float 32.
template <typename T> inline T index_bits(uint32_t index) {
    T result;
    if constexpr (sizeof(T) == 2) { uint16_t low = uint16_t(index); std::memcpy(&result, &low, 2); }
    else { std::memcpy(&result, &index, 4); }
    return result;
}

template <typename T> inline bool reduce_start(const char* call, Site site, const Shape& shape, const Operand& src, double cost) {
    begin_vector(call, site, shape, cost);
    if (!is_one_of<T, half, float>::value) { unsupported_type(call, site, type_name<T>(), "half and float"); return false; }
    if (shape.repeats == 0) return false;
    if (!check_operand(src, shape, false, "the source")) return false;
    use_operand(src, shape, "reduces");
    return true;
}
template <typename T> inline bool reduce_store(const AscendC::LocalTensor<T>& dst, uint32_t index, T value, uint32_t align = sizeof(T)) {
    uint32_t at = uint32_t(dst.offset + index * sizeof(T));
    if (at % align) aligned(at, align, "the destination");
    if (!in_bounds(dst.space, at, sizeof(T), dst.low, dst.high, true)) return false;
    touch_write(dst.space, at, sizeof(T));
    local_at<T>(dst.space, at) = value;
    return true;
}

template <typename T> inline T repeat_sum(const Operand& src, const Shape& shape, uint32_t repeat) {
    T values[256];
    bool on[256];
    for (uint32_t lane = 0; lane < shape.lanes; ++lane) {
        on[lane] = lane_on(shape, repeat, lane);
        values[lane] = on[lane] ? local_at<T>(src.space, lane_at(src, shape, repeat, lane)) : T(0);
    }
    return tree_sum(values, on, shape.lanes) ? values[0] : T(0);
}

// The results of the repeats go to the temporary tensor before they are reduced in turn: it holds one for each at least.
template <typename T> inline void check_temporary(const char* call, Site site, const AscendC::LocalTensor<T>& temporary, const Shape& shape) {
    uint64_t needed = (uint64_t(shape.repeats) * sizeof(T) + 31) / 32 * 32, room = temporary.high > temporary.offset ? temporary.high - temporary.offset : 0;
    if (shape.repeats <= 1 || room >= needed) return;
    report("temporary-too-small", call, site, "sharedTmpBuffer has %llu bytes and needs %llu at least for %u repeats", (unsigned long long)room, (unsigned long long)needed, shape.repeats);
}

template <typename T>
inline void reduce_sum(const char* call, Site site, const AscendC::LocalTensor<T>& dst, const Operand& src, const Shape& shape, bool tree) {
    if (!reduce_start<T>(call, site, shape, src, 4)) return;
    T sum;
    if (!tree) {
        sum = repeat_sum<T>(src, shape, 0);
        for (uint32_t repeat = 1; repeat < shape.repeats; ++repeat) sum = wrap_add(sum, repeat_sum<T>(src, shape, repeat));
    } else {
        // Repeats' sums are reduced like any tensor, until one is left.
        T* parts = reinterpret_cast<T*>(lane_flags());
        uint32_t count = shape.repeats;
        for (uint32_t repeat = 0; repeat < count; ++repeat) parts[repeat] = repeat_sum<T>(src, shape, repeat);
        while (count > 1) {
            uint32_t next = 0;
            for (uint32_t first = 0; first < count; first += shape.lanes) {
                T values[256];
                bool on[256];
                for (uint32_t lane = 0; lane < shape.lanes; ++lane) { on[lane] = first + lane < count; values[lane] = on[lane] ? parts[first + lane] : T(0); }
                tree_sum(values, on, shape.lanes);
                parts[next++] = values[0];
            }
            count = next;
        }
        sum = parts[0];
    }
    core->reduce_sum = double(float(sum));
    reduce_store(dst, 0, sum);
}

template <typename T>
inline void reduce_extreme(const char* call, Site site, const AscendC::LocalTensor<T>& dst, const AscendC::LocalTensor<T>& temporary, const Operand& src, Shape shape,
                           bool max, bool index) {
    shape.many = true;
    check_temporary(call, site, temporary, shape);
    if (!reduce_start<T>(call, site, shape, src, 4)) return;
    Extreme<T> best{};
    each_lane(shape, [&](uint32_t repeat, uint32_t lane) {
        // The index counts elements of the source from its first.
        uint32_t at = lane_at(src, shape, repeat, lane);
        meet(best, local_at<T>(src.space, at), uint32_t((at - src.offset) / sizeof(T)), max);
    });
    if (!best.any) return;
    reduce_store(dst, 0, best.value);
    if (index) reduce_store(dst, 1, index_bits<T>(best.index));
}

template <typename T> inline Operand repeats_of(const AscendC::LocalTensor<T>& src, uint32_t block_stride, int32_t repeat_stride) {
    return operand(src, block_stride, uint32_t(repeat_stride));
}

}  // namespace port_ascend

namespace AscendC {

template <typename T, bool isSetMask = true>
inline void ReduceSum(const LocalTensor<T>& dst, const LocalTensor<T>& src, const LocalTensor<T>& sharedTmpBuffer, const int32_t count, PORT_ASCEND_SITE) {
    (void)sharedTmpBuffer;
    port_ascend::reduce_sum("ReduceSum", site, dst, port_ascend::operand(src),
                            isSetMask ? port_ascend::shape_of_count(count, sizeof(T)) : port_ascend::shape_of_mask(0, nullptr, false, 1, sizeof(T)), false);
}
template <typename T>
inline void ReduceSum(const LocalTensor<T>& dst, const LocalTensor<T>& src, const LocalTensor<T>& sharedTmpBuffer, const int32_t mask, const int32_t repeatTime,
                      const int32_t srcRepStride, PORT_ASCEND_SITE) {
    port_ascend::Shape shape = port_ascend::shape_of_mask(uint64_t(mask), nullptr, true, repeatTime, sizeof(T));
    shape.many = true;
    port_ascend::check_temporary("ReduceSum", site, sharedTmpBuffer, shape);
    port_ascend::reduce_sum("ReduceSum", site, dst, port_ascend::repeats_of(src, 1, srcRepStride), shape, true);
}
template <typename T>
inline void ReduceSum(const LocalTensor<T>& dst, const LocalTensor<T>& src, const LocalTensor<T>& sharedTmpBuffer, const uint64_t* mask, const int32_t repeatTime,
                      const int32_t srcRepStride, PORT_ASCEND_SITE) {
    port_ascend::Shape shape = port_ascend::shape_of_mask(0, mask, true, repeatTime, sizeof(T));
    shape.many = true;
    port_ascend::check_temporary("ReduceSum", site, sharedTmpBuffer, shape);
    port_ascend::reduce_sum("ReduceSum", site, dst, port_ascend::repeats_of(src, 1, srcRepStride), shape, true);
}

#define PORT_ASCEND_EXTREME(Name, max)                                                                                                                         \
    template <typename T>                                                                                                                                       \
    inline void Name(const LocalTensor<T>& dst, const LocalTensor<T>& src, const LocalTensor<T>& sharedTmpBuffer, const int32_t count, bool calIndex = 0,        \
                     PORT_ASCEND_SITE) {                                                                                                                        \
        port_ascend::reduce_extreme(#Name, site, dst, sharedTmpBuffer, port_ascend::operand(src), port_ascend::shape_of_count(count, sizeof(T)), max, calIndex); \
    }                                                                                                                                                           \
    template <typename T>                                                                                                                                       \
    inline void Name(const LocalTensor<T>& dst, const LocalTensor<T>& src, const LocalTensor<T>& sharedTmpBuffer, const int32_t mask, const int32_t repeatTime,  \
                     const int32_t srcRepStride, bool calIndex = 0, PORT_ASCEND_SITE) {                                                                         \
        port_ascend::reduce_extreme(#Name, site, dst, sharedTmpBuffer, port_ascend::repeats_of(src, 1, srcRepStride),                                            \
                                    port_ascend::shape_of_mask(uint64_t(mask), nullptr, true, repeatTime, sizeof(T)), max, calIndex);                            \
    }                                                                                                                                                           \
    template <typename T>                                                                                                                                       \
    inline void Name(const LocalTensor<T>& dst, const LocalTensor<T>& src, const LocalTensor<T>& sharedTmpBuffer, const uint64_t* mask,                          \
                     const int32_t repeatTime, const int32_t srcRepStride, bool calIndex = 0, PORT_ASCEND_SITE) {                                               \
        port_ascend::reduce_extreme(#Name, site, dst, sharedTmpBuffer, port_ascend::repeats_of(src, 1, srcRepStride),                                            \
                                    port_ascend::shape_of_mask(0, mask, true, repeatTime, sizeof(T)), max, calIndex);                                            \
    }
PORT_ASCEND_EXTREME(ReduceMax, true)
PORT_ASCEND_EXTREME(ReduceMin, false)

}  // namespace AscendC

namespace port_ascend {

// One result a repeat; `dst_stride` in results (sums) or in pairs.
template <typename T>
inline void whole_sum(const char* call, Site site, const AscendC::LocalTensor<T>& dst, const Operand& src, const Shape& shape, int32_t dst_stride) {
    if (!reduce_start<T>(call, site, shape, src, 2)) return;
    for (uint32_t repeat = 0; repeat < shape.repeats; ++repeat) {
        T sum = repeat_sum<T>(src, shape, repeat);
        if (!reduce_store(dst, uint32_t(repeat * uint32_t(dst_stride)), sum)) return;
        core->reduce_sum = double(float(sum));
    }
}
template <typename T>
inline void whole_extreme(const char* call, Site site, const AscendC::LocalTensor<T>& dst, const Operand& src, const Shape& shape, int32_t dst_stride, bool max,
                          AscendC::ReduceOrder order) {
    if (!reduce_start<T>(call, site, shape, src, 2)) return;
    using O = AscendC::ReduceOrder;
    for (uint32_t repeat = 0; repeat < shape.repeats; ++repeat) {
        Extreme<T> best{};
        for (uint32_t lane = 0; lane < shape.lanes; ++lane) {
            if (lane_on(shape, repeat, lane)) meet(best, local_at<T>(src.space, lane_at(src, shape, repeat, lane)), lane, max);
        }
        T index = index_bits<T>(best.index);
        uint32_t at = repeat * uint32_t(dst_stride);
        if (order == O::ORDER_ONLY_VALUE) reduce_store(dst, at, best.value);
        else if (order == O::ORDER_ONLY_INDEX) reduce_store(dst, at, index);
        else {
            reduce_store(dst, 2 * at, order == O::ORDER_VALUE_INDEX ? best.value : index);
            reduce_store(dst, 2 * at + 1, order == O::ORDER_VALUE_INDEX ? index : best.value);
        }
        core->reduce_pair[0] = 0;
        std::memcpy(&core->reduce_pair[0], &best.value, sizeof(T));
        core->reduce_pair[1] = best.index;
    }
}
// One result for each data block of each repeat.
template <typename T>
inline void block_reduce(const char* call, Site site, const AscendC::LocalTensor<T>& dst, const Operand& src, const Shape& shape, int32_t dst_stride, int kind) {
    if (!reduce_start<T>(call, site, shape, src, 2)) return;
    constexpr uint32_t per = 32 / sizeof(T);
    for (uint32_t repeat = 0; repeat < shape.repeats; ++repeat) {
        for (uint32_t block = 0; block < 8; ++block) {
            T values[per];
            bool on[per], any = false;
            Extreme<T> best{};
            for (uint32_t i = 0; i < per; ++i) {
                uint32_t lane = block * per + i;
                on[i] = lane_on(shape, repeat, lane);
                any |= on[i];
                values[i] = on[i] ? local_at<T>(src.space, lane_at(src, shape, repeat, lane)) : T(0);
                if (on[i] && kind) meet(best, values[i], i, kind > 0);
            }
            // A block of which no lane is on leaves its result as it was.
            if (!any) continue;
            if (!kind) tree_sum(values, on, per);
            if (!reduce_store(dst, repeat * uint32_t(dst_stride) * 8 + block, kind ? best.value : values[0])) return;
        }
    }
}
template <typename T> inline void pair_sum(Site site, const AscendC::LocalTensor<T>& dst, const Operand& src, const Shape& shape, int32_t dst_stride) {
    if (!reduce_start<T>("PairReduceSum", site, shape, src, 2)) return;
    for (uint32_t repeat = 0; repeat < shape.repeats; ++repeat) {
        for (uint32_t pair = 0; pair < shape.lanes / 2; ++pair) {
            bool left = lane_on(shape, repeat, 2 * pair), right = lane_on(shape, repeat, 2 * pair + 1);
            if (!left && !right) continue;
            T a = left ? local_at<T>(src.space, lane_at(src, shape, repeat, 2 * pair)) : T(0), b = right ? local_at<T>(src.space, lane_at(src, shape, repeat, 2 * pair + 1)) : T(0);
            if (!reduce_store(dst, repeat * uint32_t(dst_stride) * (shape.lanes / 2) + pair, left && right ? wrap_add(a, b) : left ? a : b)) return;
        }
    }
}

}  // namespace port_ascend

namespace AscendC {

#define PORT_ASCEND_REPEAT_REDUCE(mask_type, first, second)                                                                                                     \
    template <typename T, bool isSetMask = true>                                                                                                                \
    inline void WholeReduceSum(const LocalTensor<T>& dst, const LocalTensor<T>& src, mask_type mask, const int32_t repeatTime, const int32_t dstRepStride,       \
                               const int32_t srcBlkStride, const int32_t srcRepStride, PORT_ASCEND_SITE) {                                                      \
        port_ascend::whole_sum("WholeReduceSum", site, dst, port_ascend::repeats_of(src, uint32_t(srcBlkStride), srcRepStride),                                  \
                               port_ascend::shape_of_mask(first, second, isSetMask, repeatTime, sizeof(T)), dstRepStride);                                       \
    }                                                                                                                                                           \
    template <typename T, bool isSetMask = true>                                                                                                                \
    inline void WholeReduceMax(const LocalTensor<T>& dst, const LocalTensor<T>& src, mask_type mask, const int32_t repeatTime, const int32_t dstRepStride,       \
                               const int32_t srcBlkStride, const int32_t srcRepStride, ReduceOrder order = ReduceOrder::ORDER_VALUE_INDEX, PORT_ASCEND_SITE) {   \
        port_ascend::whole_extreme("WholeReduceMax", site, dst, port_ascend::repeats_of(src, uint32_t(srcBlkStride), srcRepStride),                              \
                                   port_ascend::shape_of_mask(first, second, isSetMask, repeatTime, sizeof(T)), dstRepStride, true, order);                      \
    }                                                                                                                                                           \
    template <typename T, bool isSetMask = true>                                                                                                                \
    inline void WholeReduceMin(const LocalTensor<T>& dst, const LocalTensor<T>& src, mask_type mask, const int32_t repeatTime, const int32_t dstRepStride,       \
                               const int32_t srcBlkStride, const int32_t srcRepStride, ReduceOrder order = ReduceOrder::ORDER_VALUE_INDEX, PORT_ASCEND_SITE) {   \
        port_ascend::whole_extreme("WholeReduceMin", site, dst, port_ascend::repeats_of(src, uint32_t(srcBlkStride), srcRepStride),                              \
                                   port_ascend::shape_of_mask(first, second, isSetMask, repeatTime, sizeof(T)), dstRepStride, false, order);                     \
    }                                                                                                                                                           \
    template <typename T, bool isSetMask = true>                                                                                                                \
    inline void BlockReduceSum(const LocalTensor<T>& dst, const LocalTensor<T>& src, const int32_t repeatTime, mask_type mask, const int32_t dstRepStride,       \
                               const int32_t srcBlkStride, const int32_t srcRepStride, PORT_ASCEND_SITE) {                                                      \
        port_ascend::block_reduce("BlockReduceSum", site, dst, port_ascend::repeats_of(src, uint32_t(srcBlkStride), srcRepStride),                               \
                                  port_ascend::shape_of_mask(first, second, isSetMask, repeatTime, sizeof(T)), dstRepStride, 0);                                 \
    }                                                                                                                                                           \
    template <typename T, bool isSetMask = true>                                                                                                                \
    inline void BlockReduceMax(const LocalTensor<T>& dst, const LocalTensor<T>& src, const int32_t repeatTime, mask_type mask, const int32_t dstRepStride,       \
                               const int32_t srcBlkStride, const int32_t srcRepStride, PORT_ASCEND_SITE) {                                                      \
        port_ascend::block_reduce("BlockReduceMax", site, dst, port_ascend::repeats_of(src, uint32_t(srcBlkStride), srcRepStride),                               \
                                  port_ascend::shape_of_mask(first, second, isSetMask, repeatTime, sizeof(T)), dstRepStride, 1);                                 \
    }                                                                                                                                                           \
    template <typename T, bool isSetMask = true>                                                                                                                \
    inline void BlockReduceMin(const LocalTensor<T>& dst, const LocalTensor<T>& src, const int32_t repeatTime, mask_type mask, const int32_t dstRepStride,       \
                               const int32_t srcBlkStride, const int32_t srcRepStride, PORT_ASCEND_SITE) {                                                      \
        port_ascend::block_reduce("BlockReduceMin", site, dst, port_ascend::repeats_of(src, uint32_t(srcBlkStride), srcRepStride),                               \
                                  port_ascend::shape_of_mask(first, second, isSetMask, repeatTime, sizeof(T)), dstRepStride, -1);                                \
    }                                                                                                                                                           \
    template <typename T, bool isSetMask = true>                                                                                                                \
    inline void PairReduceSum(const LocalTensor<T>& dst, const LocalTensor<T>& src, const int32_t repeatTime, mask_type mask, const int32_t dstRepStride,        \
                              const int32_t srcBlkStride, const int32_t srcRepStride, PORT_ASCEND_SITE) {                                                       \
        port_ascend::pair_sum(site, dst, port_ascend::repeats_of(src, uint32_t(srcBlkStride), srcRepStride),                                                     \
                              port_ascend::shape_of_mask(first, second, isSetMask, repeatTime, sizeof(T)), dstRepStride);                                        \
    }                                                                                                                                                           \
    template <typename T, bool isSetMask = true>                                                                                                                \
    inline void RepeatReduceSum(const LocalTensor<T>& dst, const LocalTensor<T>& src, const int32_t repeatTime, mask_type mask, const int32_t dstBlkStride,      \
                                const int32_t srcBlkStride, const int32_t dstRepStride, const int32_t srcRepStride, PORT_ASCEND_SITE) {                         \
        (void)dstBlkStride;                                                                                                                                     \
        port_ascend::whole_sum("RepeatReduceSum", site, dst, port_ascend::repeats_of(src, uint32_t(srcBlkStride), srcRepStride),                                 \
                               port_ascend::shape_of_mask(first, second, isSetMask, repeatTime, sizeof(T)), dstRepStride);                                       \
    }
PORT_ASCEND_REPEAT_REDUCE(const int32_t, uint64_t(mask), nullptr)
PORT_ASCEND_REPEAT_REDUCE(const uint64_t*, 0, mask)

template <typename T> inline T GetAccVal() { return T(float(port_ascend::core->reduce_sum)); }
template <typename T> inline void GetReduceMaxMinCount(T& value, T& index) {
    std::memcpy(&value, &port_ascend::core->reduce_pair[0], sizeof(T));
    index = port_ascend::index_bits<T>(uint32_t(port_ascend::core->reduce_pair[1]));
}

// The same by their newer names.
enum class ReduceType : uint8_t { SUM, MAX, MIN };
#define PORT_ASCEND_REDUCE_TYPED(mask_type)                                                                                                                     \
    template <ReduceType kind, typename T, typename U, bool isSetMask = true>                                                                                   \
    inline void ReduceRepeat(const LocalTensor<T>& dst, const LocalTensor<U>& src, mask_type mask, const int32_t repeatTime, const int32_t dstRepStride,         \
                             const int32_t srcBlkStride, const int32_t srcRepStride, ReduceOrder order = ReduceOrder::ORDER_VALUE_INDEX, PORT_ASCEND_SITE) {     \
        if constexpr (kind == ReduceType::SUM) WholeReduceSum<T, isSetMask>(dst, src, mask, repeatTime, dstRepStride, srcBlkStride, srcRepStride, site);          \
        else if constexpr (kind == ReduceType::MAX) WholeReduceMax<T, isSetMask>(dst, src, mask, repeatTime, dstRepStride, srcBlkStride, srcRepStride, order, site); \
        else WholeReduceMin<T, isSetMask>(dst, src, mask, repeatTime, dstRepStride, srcBlkStride, srcRepStride, order, site);                                    \
    }                                                                                                                                                           \
    template <ReduceType kind, typename T, typename U, bool isSetMask = true>                                                                                   \
    inline void ReduceDataBlock(const LocalTensor<T>& dst, const LocalTensor<U>& src, mask_type mask, const int32_t repeatTime, const int32_t dstRepStride,      \
                                const int32_t srcBlkStride, const int32_t srcRepStride, PORT_ASCEND_SITE) {                                                     \
        if constexpr (kind == ReduceType::SUM) BlockReduceSum<T, isSetMask>(dst, src, repeatTime, mask, dstRepStride, srcBlkStride, srcRepStride, site);          \
        else if constexpr (kind == ReduceType::MAX) BlockReduceMax<T, isSetMask>(dst, src, repeatTime, mask, dstRepStride, srcBlkStride, srcRepStride, site);     \
        else BlockReduceMin<T, isSetMask>(dst, src, repeatTime, mask, dstRepStride, srcBlkStride, srcRepStride, site);                                           \
    }                                                                                                                                                           \
    template <ReduceType kind, typename T, typename U, bool isSetMask = true>                                                                                   \
    inline void ReducePairElem(const LocalTensor<T>& dst, const LocalTensor<U>& src, mask_type mask, const int32_t repeatTime, const int32_t dstRepStride,       \
                               const int32_t srcBlkStride, const int32_t srcRepStride, PORT_ASCEND_SITE) {                                                      \
        PairReduceSum<T, isSetMask>(dst, src, repeatTime, mask, dstRepStride, srcBlkStride, srcRepStride, site);                                                 \
    }
PORT_ASCEND_REDUCE_TYPED(const int32_t)
PORT_ASCEND_REDUCE_TYPED(const uint64_t*)
template <typename T> inline T GetReduceRepeatSumSpr() { return GetAccVal<T>(); }
template <typename T> inline void GetReduceRepeatMaxMinSpr(T& value, T& index) { GetReduceMaxMinCount(value, index); }
template <typename T> inline void GetReduceRepeatMaxMinSpr(T& value) { std::memcpy(&value, &port_ascend::core->reduce_pair[0], sizeof(T)); }

}  // namespace AscendC
