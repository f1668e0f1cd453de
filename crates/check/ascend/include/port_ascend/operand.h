// How a vector instruction walks over local memory: repeats of 256 bytes, data blocks with strides, masks; and the check
// of what it touches. The functions are in src/operand.cpp.
#pragma once

#include <port_ascend/pipe.h>

#include <utility>

namespace AscendC {

struct UnaryRepeatParams {
    UnaryRepeatParams() = default;
    UnaryRepeatParams(uint16_t dstBlk, uint16_t srcBlk, uint8_t dstRep, uint8_t srcRep, bool half = false)
        : dstBlkStride(dstBlk), srcBlkStride(srcBlk), dstRepStride(dstRep), srcRepStride(srcRep), halfBlock(half) {}
    uint32_t blockNumber = 8;
    uint16_t dstBlkStride = 1, srcBlkStride = 1;
    uint8_t dstRepStride = 8, srcRepStride = 8;
    bool repeatStrideMode = false, strideSizeMode = false, halfBlock = false;
};
struct BinaryRepeatParams {
    BinaryRepeatParams() = default;
    BinaryRepeatParams(uint8_t dstBlk, uint8_t src0Blk, uint8_t src1Blk, uint8_t dstRep, uint8_t src0Rep, uint8_t src1Rep)
        : dstBlkStride(dstBlk), src0BlkStride(src0Blk), src1BlkStride(src1Blk), dstRepStride(dstRep), src0RepStride(src0Rep), src1RepStride(src1Rep) {}
    uint32_t blockNumber = 8;
    uint8_t dstBlkStride = 1, src0BlkStride = 1, src1BlkStride = 1, dstRepStride = 8, src0RepStride = 8, src1RepStride = 8;
    bool repeatStrideMode = false, strideSizeMode = false;
};
constexpr uint64_t MASK_PLACEHOLDER = 0;
constexpr uint64_t MASK_PLACEHOLDER_LIST[2] = {0, 0};
constexpr int32_t DEFAULT_BLK_NUM = 8, DEFAULT_BLK_STRIDE = 1, DEFAULT_REP_STRIDE = 8, DEFAULT_BLOCK_SIZE = 256, ONE_BLK_SIZE = 32,
                  ONE_REPEAT_BYTE_SIZE = 256, ONE_REPEAT_HALF_SIZE = 128, ONE_REPEAT_FLOAT_SIZE = 64, MAX_REPEAT_TIMES = 255,
                  DEFAULT_C0_SIZE = 32;
enum class MaskMode : uint8_t { NORMAL = 0, COUNTER };

}  // namespace AscendC

namespace port_ascend {

struct Operand {
    Space space;
    uint32_t offset, low, high, size;       // bytes
    uint32_t block_step, repeat_step;       // bytes between data blocks of a repeat, between repeats
    bool whole;                             // contiguous at any count
};

// Which lanes of which repeats compute.
struct Shape {
    bool counted;
    uint32_t count;       // counted: lanes in all
    uint32_t repeats, lanes;
    uint64_t mask[2];
    bool many;            // more than 255 repeats are possible: the API makes several instructions of them
};

template <typename T> Operand operand(const AscendC::LocalTensor<T>& t) {
    return {t.space, t.offset, t.low, t.high, uint32_t(sizeof(T)), 32, 256, true};
}
template <typename T> Operand operand(const AscendC::LocalTensor<T>& t, uint32_t block_stride, uint32_t repeat_stride) {
    return {t.space, t.offset, t.low, t.high, uint32_t(sizeof(T)), block_stride * 32, repeat_stride * 32, false};
}

Shape shape_of_count(int64_t count, uint32_t size);
// `mask`: lanes from the first, or with `list` bits of lanes. `set` false: the mask registers rule.
Shape shape_of_mask(uint64_t mask, const uint64_t* list, bool set, int64_t repeats, uint32_t size);

// Starts a vector instruction; `per_repeat` is its cost in cycles for 256 bytes.
void begin_vector(const char* call, Site site, const Shape& shape, double per_repeat);
// Alignment, bounds; false: do not run it.
bool check_operand(const Operand& operand, const Shape& shape, bool write, const char* name);
bool read_operand(const Operand& operand, const Shape& shape);   // false: some lane was never written
void write_operand(const Operand& operand, const Shape& shape);
void use_operand(const Operand& operand, const Shape& shape, const char* what);  // reads, and reports unwritten lanes

uint8_t* lane_flags();  // room for a flag for each lane of an instruction

inline uint32_t lane_at(const Operand& o, const Shape& s, uint32_t repeat, uint32_t lane) {
    if (o.whole) return o.offset + (repeat * s.lanes + lane) * o.size;
    uint32_t per = 32 / o.size;
    return o.offset + repeat * o.repeat_step + lane / per * o.block_step + lane % per * o.size;
}
inline bool lane_on(const Shape& s, uint32_t repeat, uint32_t lane) {
    if (s.counted) return repeat * s.lanes + lane < s.count;
    return s.mask[lane >> 6] >> (lane & 63) & 1;
}
template <typename F> inline void each_lane(const Shape& s, F f) {
    for (uint32_t repeat = 0; repeat < s.repeats; ++repeat) {
        for (uint32_t lane = 0; lane < s.lanes; ++lane) if (lane_on(s, repeat, lane)) f(repeat, lane);
    }
}
template <typename T> inline T& local_at(Space space, uint32_t offset) { return *reinterpret_cast<T*>(core->memory[space] + offset); }

template <typename D, typename F, typename... S> inline void loop_whole(uint32_t count, D* to, F f, S*... from) {
    for (uint32_t i = 0; i < count; ++i) to[i] = f(from[i]...);
}

// dst = f(sources…), lane by lane; what comes from unwritten bytes counts as unwritten.
template <typename D, typename F, typename... S>
inline void map_lanes(const Shape& shape, const Operand& dst, F f, std::pair<Operand, S*>... sources) {
    bool fine = (check_operand(sources.first, shape, false, "a source") & ... & true);
    if (!(check_operand(dst, shape, true, "the destination") & fine)) return;
    bool initialised = (read_operand(sources.first, shape) & ... & true);
    if (initialised && shape.counted && dst.whole && (sources.first.whole && ... && true)) {
        write_operand(dst, shape);
        D* to = &local_at<D>(dst.space, dst.offset);
        loop_whole(shape.count, to, f, reinterpret_cast<S*>(core->memory[sources.first.space] + sources.first.offset)...);
        return;
    }
    uint8_t* known = lane_flags();
    size_t number = 0;
    if (!initialised) {
        // Before the write: the destination may be a source.
        each_lane(shape, [&]([[maybe_unused]] uint32_t repeat, [[maybe_unused]] uint32_t lane) {
            known[number++] = (is_initialised(sources.first.space, lane_at(sources.first, shape, repeat, lane), sources.first.size) & ... & true);
        });
        number = 0;
    }
    write_operand(dst, shape);
    each_lane(shape, [&]([[maybe_unused]] uint32_t repeat, [[maybe_unused]] uint32_t lane) {
        uint32_t at = lane_at(dst, shape, repeat, lane);
        local_at<D>(dst.space, at) = f(local_at<S>(sources.first.space, lane_at(sources.first, shape, repeat, lane))...);
        if (!initialised && !known[number++]) set_initialised(dst.space, at, dst.size, false);
    });
}

}  // namespace port_ascend
