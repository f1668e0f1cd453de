// Movement of elements within local memory: Gather, Gatherb, GatherMask, Brcb, index sequences, transposition, sorting.
#pragma once

#include <port_ascend/vector.h>

namespace AscendC {

struct GatherRepeatParams {
    GatherRepeatParams() = default;
    GatherRepeatParams(uint8_t dstBlk, uint8_t dstRep) : dstBlkStride(dstBlk), dstRepStride(dstRep) {}
    uint32_t blockNumber = 8;
    uint8_t dstBlkStride = 1;
    uint16_t dstRepStride = 8;
    uint8_t src0BlkStride = 1, src1BlkStride = 1, src0RepStride = 8, src1RepStride = 8;
    bool repeatStrideMode = false, strideSizeMode = false;
};
struct BrcbRepeatParams {
    BrcbRepeatParams() = default;
    BrcbRepeatParams(uint16_t dstBlk, uint16_t dstRep) : dstBlkStride(dstBlk), dstRepStride(dstRep) {}
    uint32_t blockNumber = 8;
    uint16_t dstBlkStride = 1, dstRepStride = 8;
};
struct GatherMaskParams {
    GatherMaskParams() = default;
    GatherMaskParams(uint8_t block, uint16_t repeats, uint16_t repeat0, uint8_t repeat1)
        : src0BlockStride(block), repeatTimes(repeats), src0RepeatStride(repeat0), src1RepeatStride(repeat1) {}
    uint8_t src0BlockStride = 1;
    uint16_t repeatTimes = 0, src0RepeatStride = 8;
    uint8_t src1RepeatStride = 8;
};
enum class GatherMaskMode : uint8_t { VERSION_V1 = 0, VERSION_V2 };

}  // namespace AscendC

namespace port_ascend {

template <typename T> inline bool check_gather_type(const char* call, Site site) {
    return check_type<int16_t, uint16_t, half, bfloat16_t, int32_t, uint32_t, float>(call, site, "int16_t, uint16_t, half, bfloat16_t, int32_t, uint32_t and float", static_cast<T*>(nullptr));
}
template <typename T>
inline void gather(Site site, const AscendC::LocalTensor<T>& dst, const AscendC::LocalTensor<T>& src, const AscendC::LocalTensor<uint32_t>& offsets, uint32_t base,
                   const Shape& shape, const Operand& to, const Operand& places) {
    if (!check_gather_type<T>("Gather", site)) return;
    (void)dst;
    begin_vector("Gather", site, shape, 16);
    if (shape.repeats == 0 || !check_operand(places, shape, false, "srcOffset") || !check_operand(to, shape, true, "the destination")) return;
    if (src.offset % block_bytes) aligned(src.offset, block_bytes, "the source");
    use_operand(places, shape, "gathers by");
    bool known = true;
    uint8_t* flags = lane_flags();
    size_t number = 0;
    (void)offsets;
    each_lane(shape, [&](uint32_t repeat, uint32_t lane) {
        uint64_t at = uint64_t(src.offset) + base + local_at<uint32_t>(places.space, lane_at(places, shape, repeat, lane));
        bool fine = false;
        if (at % sizeof(T)) aligned(at, sizeof(T), "a gathered element");
        else if (in_bounds(src.space, at, sizeof(T), src.low, src.high, false)) fine = touch_read(src.space, uint32_t(at), sizeof(T));
        flags[number++] = fine;
        known &= fine;
    });
    number = 0;
    write_operand(to, shape);
    each_lane(shape, [&](uint32_t repeat, uint32_t lane) {
        uint32_t target = lane_at(to, shape, repeat, lane);
        uint64_t at = uint64_t(src.offset) + base + local_at<uint32_t>(places.space, lane_at(places, shape, repeat, lane));
        local_at<T>(to.space, target) = at + sizeof(T) <= core->capacity[src.space] && at % sizeof(T) == 0 ? local_at<T>(src.space, uint32_t(at)) : T();
        if (!flags[number++]) set_initialised(to.space, target, sizeof(T), false);
    });
    (void)known;
}

}  // namespace port_ascend

namespace AscendC {

template <typename T>
inline void Gather(const LocalTensor<T>& dst, const LocalTensor<T>& src, const LocalTensor<uint32_t>& srcOffset, const uint32_t srcBaseAddr, const uint32_t count, PORT_ASCEND_SITE) {
    port_ascend::gather(site, dst, src, srcOffset, srcBaseAddr, port_ascend::shape_of_count(count, 4), port_ascend::operand(dst), port_ascend::operand(srcOffset));
}
#define PORT_ASCEND_GATHER(mask_type, first, second)                                                                                                            \
    template <typename T>                                                                                                                                       \
    inline void Gather(const LocalTensor<T>& dst, const LocalTensor<T>& src, const LocalTensor<uint32_t>& srcOffset, const uint32_t srcBaseAddr, mask_type mask, \
                       const int32_t repeatTime, const uint16_t dstRepStride, PORT_ASCEND_SITE) {                                                               \
        port_ascend::Shape shape = port_ascend::shape_of_mask(first, second, true, repeatTime, sizeof(T));                                                      \
        auto places = port_ascend::operand(srcOffset, 1, shape.lanes / 8);                                                                                      \
        port_ascend::gather(site, dst, src, srcOffset, srcBaseAddr, shape, port_ascend::operand(dst, 1, dstRepStride), places);                                  \
    }
PORT_ASCEND_GATHER(const uint64_t, mask, nullptr)
PORT_ASCEND_GATHER(const uint64_t*, 0, mask)

// Data blocks by byte offsets, eight a repeat.
template <typename T>
inline void Gatherb(const LocalTensor<T>& dst, const LocalTensor<T>& src, const LocalTensor<uint32_t>& offset, const uint8_t repeatTime, const GatherRepeatParams& p, PORT_ASCEND_SITE) {
    using namespace port_ascend;
    if (!PORT_ASCEND_TYPES("Gatherb", T, "uint16_t and uint32_t", uint16_t, uint32_t)) return;
    Shape blocks = shape_of_count(repeatTime * 8, 4);
    begin_vector("Gatherb", site, shape_of_count(int64_t(repeatTime) * 256 / int64_t(sizeof(T)), sizeof(T)), 4);
    if (repeatTime == 0 || !check_operand(operand(offset), blocks, false, "offset")) return;
    use_operand(operand(offset), blocks, "gathers by");
    for (uint32_t i = 0; i < repeatTime * 8u; ++i) {
        uint64_t at = uint64_t(src.offset) + local_at<uint32_t>(offset.space, offset.offset + i * 4);
        uint64_t to = dst.offset + (i / 8 * p.dstRepStride + i % 8 * (p.dstBlkStride ? p.dstBlkStride : 1)) * 32u;
        if (!aligned(at, 32, "a gathered block") || !in_bounds(src.space, at, 32, src.low, src.high, false) || !in_bounds(dst.space, to, 32, dst.low, dst.high, true)) return;
        bool known = touch_read(src.space, uint32_t(at), 32);
        touch_write(dst.space, uint32_t(to), 32, known);
        std::memmove(core->memory[dst.space] + to, core->memory[src.space] + at, 32);
    }
}

}  // namespace AscendC

namespace port_ascend {

// `chosen(repeat, element)` says which elements of a repeat are kept; they go to the destination without gaps.
template <typename T, typename F>
inline uint64_t gather_mask(Site site, const AscendC::LocalTensor<T>& dst, const AscendC::LocalTensor<T>& src, bool counter, uint32_t mask, const AscendC::GatherMaskParams& p, F chosen) {
    uint32_t lanes = repeat_bytes / sizeof(T), elements = counter ? mask : lanes;
    begin_vector("GatherMask", site, shape_of_count(int64_t(p.repeatTimes) * elements, sizeof(T)), 2);
    uint64_t kept = 0;
    uint32_t per = 32 / sizeof(T);
    for (uint32_t repeat = 0; repeat < p.repeatTimes; ++repeat) {
        for (uint32_t i = 0; i < elements; ++i) {
            if (!chosen(repeat, i)) continue;
            // Beyond 256 bytes a repeat of the counter mode goes on by whole repeats of blocks.
            uint64_t at = uint64_t(src.offset) + uint64_t(repeat) * p.src0RepeatStride * 32 + uint64_t(i / per) * p.src0BlockStride * 32 + i % per * sizeof(T);
            uint64_t to = dst.offset + kept * sizeof(T);
            if (!in_bounds(src.space, at, sizeof(T), src.low, src.high, false) || !in_bounds(dst.space, to, sizeof(T), dst.low, dst.high, true)) return kept;
            core->pending_uninitialised = false;
            bool known = touch_read(src.space, uint32_t(at), sizeof(T));
            T value = local_at<T>(src.space, uint32_t(at));
            touch_write(dst.space, uint32_t(to), sizeof(T), known);
            local_at<T>(dst.space, uint32_t(to)) = value;
            ++kept;
        }
    }
    return kept;
}

}  // namespace port_ascend

namespace AscendC {

template <typename T, GatherMaskMode mode = GatherMaskMode::VERSION_V1>
inline void GatherMask(const LocalTensor<T>& dst, const LocalTensor<T>& src0, const uint8_t src1Pattern, const bool reduceMode, const uint32_t mask, const GatherMaskParams& p,
                       uint64_t& rsvdCnt, PORT_ASCEND_SITE) {
    if (src1Pattern < 1 || src1Pattern > 7) {
        port_ascend::report("parameter-range", "GatherMask", site, "pattern %u: 1 to 7 are possible", src1Pattern);
        return;
    }
    rsvdCnt = port_ascend::gather_mask(site, dst, src0, reduceMode, mask, p, [src1Pattern](uint32_t, uint32_t i) {
        return src1Pattern == 7 || (src1Pattern <= 2 ? i % 2 == uint32_t(src1Pattern - 1) : i % 4 == uint32_t(src1Pattern - 3));
    });
    port_ascend::core->gathered = rsvdCnt;
}
template <typename T, typename U, GatherMaskMode mode = GatherMaskMode::VERSION_V1>
inline void GatherMask(const LocalTensor<T>& dst, const LocalTensor<T>& src0, const LocalTensor<U>& src1Pattern, const bool reduceMode, const uint32_t mask,
                       const GatherMaskParams& p, uint64_t& rsvdCnt, PORT_ASCEND_SITE) {
    static_assert(sizeof(T) == sizeof(U), "the pattern's elements are as wide as the tensor's");
    uint32_t lanes = 256 / sizeof(T);
    port_ascend::begin("GatherMask", site, port_ascend::pipe_v, 0);
    uint32_t elements = reduceMode ? mask : lanes;
    auto at = [&](uint32_t repeat, uint32_t i) { return uint32_t(src1Pattern.offset + repeat * p.src1RepeatStride * 32u + i / 8); };
    for (uint32_t repeat = 0; repeat < p.repeatTimes; ++repeat) {
        uint32_t bytes = (elements + 7) / 8, from = at(repeat, 0);
        if (!port_ascend::in_bounds(src1Pattern.space, from, bytes, src1Pattern.low, src1Pattern.high, false)) return;
        if (!port_ascend::touch_read(src1Pattern.space, from, bytes)) port_ascend::uninitialised_use(src1Pattern.space, from, bytes, "gathers by");
    }
    rsvdCnt = port_ascend::gather_mask(site, dst, src0, reduceMode, mask, p, [&](uint32_t repeat, uint32_t i) {
        return port_ascend::local_at<uint8_t>(src1Pattern.space, at(repeat, i)) >> (i % 8) & 1;
    });
    port_ascend::core->gathered = rsvdCnt;
}
inline int64_t GetGatherMaskRemainCount() { return int64_t(port_ascend::core->gathered); }

// Each of eight elements a repeat fills a data block.
template <typename T> inline void Brcb(const LocalTensor<T>& dst, const LocalTensor<T>& src0, const int32_t repeatTime, const BrcbRepeatParams& p, PORT_ASCEND_SITE) {
    using namespace port_ascend;
    if (!PORT_ASCEND_TYPES("Brcb", T, "int16_t, uint16_t, half, bfloat16_t, int32_t, uint32_t and float", int16_t, uint16_t, half, bfloat16_t, int32_t, uint32_t, float)) return;
    begin_vector("Brcb", site, shape_of_count(int64_t(repeatTime) * 256 / int64_t(sizeof(T)), sizeof(T)), 1);
    if (repeatTime > 255) report("parameter-range", "Brcb", site, "repeatTime is %d and can be 255 at most", repeatTime);
    aligned(src0.offset, 32, "the source");
    aligned(dst.offset, 32, "the destination");
    uint64_t bytes = uint64_t(repeatTime) * 8 * sizeof(T);
    if (repeatTime <= 0 || !in_bounds(src0.space, src0.offset, bytes, src0.low, src0.high, false)) return;
    for (uint32_t i = 0; i < uint32_t(repeatTime) * 8; ++i) {
        uint64_t to = dst.offset + (uint64_t(i / 8) * p.dstRepStride + uint64_t(i % 8) * p.dstBlkStride) * 32;
        if (!in_bounds(dst.space, to, 32, dst.low, dst.high, true)) return;
        uint32_t from = uint32_t(src0.offset + i * sizeof(T));
        core->pending_uninitialised = false;
        bool known = touch_read(src0.space, from, sizeof(T));
        T value = local_at<T>(src0.space, from);
        touch_write(dst.space, uint32_t(to), 32, known);
        for (uint32_t k = 0; k < 32 / sizeof(T); ++k) local_at<T>(dst.space, uint32_t(to + k * sizeof(T))) = value;
    }
}

// first, first + 1, …
template <typename T> inline void port_sequence(const char* call, const LocalTensor<T>& dst, T first, T step, const port_ascend::Shape& shape, const port_ascend::Operand& to, port_ascend::Site site) {
    if (!PORT_ASCEND_TYPES(call, T, "int16_t, int32_t, half and float", int16_t, int32_t, half, float)) return;
    (void)dst;
    port_ascend::begin_vector(call, site, shape, 2);
    if (!port_ascend::check_operand(to, shape, true, "the destination")) return;
    port_ascend::write_operand(to, shape);
    port_ascend::each_lane(shape, [&](uint32_t repeat, uint32_t lane) {
        uint32_t number = repeat * shape.lanes + lane;
        T value;
        if constexpr (std::is_integral<T>::value) value = T(int64_t(first) + int64_t(step) * number);
        else value = T(float(first) + float(step) * float(number));
        port_ascend::local_at<T>(to.space, port_ascend::lane_at(to, shape, repeat, lane)) = value;
    });
}
template <typename T> inline void CreateVecIndex(LocalTensor<T> dst, const ::port_ascend::same_t<T>& firstValue, uint32_t count, PORT_ASCEND_SITE) {
    port_sequence<T>("CreateVecIndex", dst, firstValue, T(1), port_ascend::shape_of_count(count, sizeof(T)), port_ascend::operand(dst), site);
}
template <typename T>
inline void CreateVecIndex(LocalTensor<T>& dst, const ::port_ascend::same_t<T>& firstValue, uint64_t mask, uint8_t repeatTime, uint16_t dstBlkStride, uint8_t dstRepStride, PORT_ASCEND_SITE) {
    port_sequence<T>("CreateVecIndex", dst, firstValue, T(1), port_ascend::shape_of_mask(mask, nullptr, true, repeatTime, sizeof(T)), port_ascend::operand(dst, dstBlkStride, dstRepStride), site);
}
template <typename T>
inline void CreateVecIndex(LocalTensor<T>& dst, const ::port_ascend::same_t<T>& firstValue, const uint64_t* mask, uint8_t repeatTime, uint16_t dstBlkStride, uint8_t dstRepStride, PORT_ASCEND_SITE) {
    port_sequence<T>("CreateVecIndex", dst, firstValue, T(1), port_ascend::shape_of_mask(0, mask, true, repeatTime, sizeof(T)), port_ascend::operand(dst, dstBlkStride, dstRepStride), site);
}
template <typename T>
inline void ArithProgression(const LocalTensor<T>& dst, const ::port_ascend::same_t<T> firstValue, const ::port_ascend::same_t<T> diffValue, const int32_t count, PORT_ASCEND_SITE) {
    port_sequence<T>("ArithProgression", dst, firstValue, diffValue, port_ascend::shape_of_count(count, sizeof(T)), port_ascend::operand(dst), site);
}
template <typename T>
inline void Arange(const LocalTensor<T>& dst, const ::port_ascend::same_t<T> firstValue, const ::port_ascend::same_t<T> diffValue, const int32_t count, PORT_ASCEND_SITE) {
    port_sequence<T>("Arange", dst, firstValue, diffValue, port_ascend::shape_of_count(count, sizeof(T)), port_ascend::operand(dst), site);
}

// 16 rows of 16 elements of two bytes.
template <typename T> inline void Transpose(const LocalTensor<T>& dst, const LocalTensor<T>& src, PORT_ASCEND_SITE) {
    using namespace port_ascend;
    static_assert(sizeof(T) == 2, "Transpose works on elements of two bytes");
    Shape shape = shape_of_count(256, 2);
    begin_vector("Transpose", site, shape, 4);
    if (!check_operand(operand(src), shape, false, "the source") || !check_operand(operand(dst), shape, true, "the destination")) return;
    use_operand(operand(src), shape, "transposes");
    T copy[256];
    std::memcpy(copy, src.raw(), sizeof copy);
    write_operand(operand(dst), shape);
    for (uint32_t i = 0; i < 256; ++i) dst.raw()[i] = copy[i % 16 * 16 + i / 16];
}

}  // namespace AscendC
