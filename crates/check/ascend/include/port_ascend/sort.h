// Sorting: runs of 32 (score, index) pairs of eight bytes, merged by fours; and the arrangement between image formats.
#pragma once

#include <port_ascend/gather.h>

namespace AscendC {

struct MrgSort4Info {
    MrgSort4Info() = default;
    MrgSort4Info(const uint16_t lengths[4], bool suspend, uint16_t valid, uint16_t repeats) : ifExhaustedSuspension(suspend), validBit(valid), repeatTimes(repeats) {
        for (int i = 0; i < 4; ++i) elementLengths[i] = lengths[i];
    }
    uint16_t elementLengths[4] = {};
    bool ifExhaustedSuspension = false;
    uint16_t validBit = 0, repeatTimes = 1;
};
template <typename T> struct MrgSortSrcList {
    MrgSortSrcList() = default;
    MrgSortSrcList(const LocalTensor<T>& a, const LocalTensor<T>& b, const LocalTensor<T>& c, const LocalTensor<T>& d) : src1(a), src2(b), src3(c), src4(d) {}
    LocalTensor<T> src1, src2, src3, src4;
};

}  // namespace AscendC

namespace port_ascend {

struct Ranked { float score; uint8_t bytes[8]; };
void sort_down(Ranked* pairs, uint32_t count);  // stable, larger scores first

template <typename T> inline Ranked ranked_at(Space space, uint32_t offset) {
    Ranked pair;
    std::memcpy(pair.bytes, core->memory[space] + offset, 8);
    T score;
    std::memcpy(&score, pair.bytes, sizeof(T));
    pair.score = float(score);
    return pair;
}
template <typename T> inline bool range_use(const AscendC::LocalTensor<T>& tensor, uint64_t bytes, const char* what) {
    if (!in_bounds(tensor.space, tensor.offset, bytes, tensor.low, tensor.high, false)) return false;
    if (!touch_read(tensor.space, tensor.offset, uint32_t(bytes))) uninitialised_use(tensor.space, tensor.offset, uint32_t(bytes), what);
    return true;
}
template <typename T> inline bool range_write(const AscendC::LocalTensor<T>& tensor, uint64_t bytes) {
    if (!in_bounds(tensor.space, tensor.offset, bytes, tensor.low, tensor.high, true)) return false;
    touch_write(tensor.space, tensor.offset, uint32_t(bytes));
    return true;
}

}  // namespace port_ascend

namespace AscendC {

template <typename T> inline void Sort32(const LocalTensor<T>& dst, const LocalTensor<T>& src0, const LocalTensor<uint32_t>& src1, const int32_t repeatTime, PORT_ASCEND_SITE) {
    using namespace port_ascend;
    if (!PORT_ASCEND_TYPES("Sort32", T, "half and float", half, float)) return;
    begin_vector("Sort32", site, shape_of_count(int64_t(repeatTime) * 32, sizeof(T)), 32);
    if (repeatTime > 255) report("parameter-range", "Sort32", site, "repeatTime is %d and can be 255 at most", repeatTime);
    uint32_t count = uint32_t(repeatTime < 0 ? 0 : repeatTime) * 32;
    if (!aligned(dst.offset, 32, "the destination") || !aligned(src0.offset, 32, "the scores") || !aligned(src1.offset, 32, "the indices")) return;
    if (count == 0 || !range_use(src0, uint64_t(count) * sizeof(T), "sorts") || !range_use(src1, uint64_t(count) * 4, "sorts") || !range_write(dst, uint64_t(count) * 8)) return;
    for (uint32_t first = 0; first < count; first += 32) {
        Ranked pairs[32];
        for (uint32_t i = 0; i < 32; ++i) {
            T score = src0.raw()[first + i];
            std::memset(pairs[i].bytes, 0, 8);
            std::memcpy(pairs[i].bytes, &score, sizeof(T));
            std::memcpy(pairs[i].bytes + 4, &src1.raw()[first + i], 4);
            pairs[i].score = float(score);
        }
        sort_down(pairs, 32);
        for (uint32_t i = 0; i < 32; ++i) std::memcpy(core->memory[dst.space] + dst.offset + (first + i) * 8, pairs[i].bytes, 8);
    }
}

template <typename T> inline void MrgSort(const LocalTensor<T>& dst, const MrgSortSrcList<T>& src, const MrgSort4Info& p, PORT_ASCEND_SITE) {
    using namespace port_ascend;
    const LocalTensor<T>* lists[4] = {&src.src1, &src.src2, &src.src3, &src.src4};
    uint32_t queues = p.validBit == 3 ? 2 : p.validBit == 7 ? 3 : 4, all = 0;
    for (uint32_t i = 0; i < queues; ++i) all += p.elementLengths[i];
    begin_vector("MrgSort", site, shape_of_count(int64_t(all) * p.repeatTimes * 2, 4), 8);
    if (p.validBit != 3 && p.validBit != 7 && p.validBit != 15) {
        report("parameter-range", "MrgSort", site, "validBit is %u: 3, 7 or 15 are possible", p.validBit);
        return;
    }
    uint32_t repeats = p.repeatTimes > 1 ? p.repeatTimes : p.repeatTimes;
    for (uint32_t repeat = 0; repeat < repeats; ++repeat) {
        uint32_t at[4] = {}, base = repeat * all * 8, out = 0;
        for (uint32_t i = 0; i < queues; ++i) {
            if (p.elementLengths[i] > 4095) report("parameter-range", "MrgSort", site, "elementLengths[%u] is %u and can be 4095 at most", i, p.elementLengths[i]);
            if (!range_use((*lists[i])[base / sizeof(T)], uint64_t(p.elementLengths[i]) * 8, "merges")) return;
        }
        if (!range_write(dst[base / sizeof(T)], uint64_t(all) * 8)) return;
        while (out < all) {
            int best = -1;
            Ranked chosen{};
            bool exhausted = false;
            for (uint32_t i = 0; i < queues; ++i) {
                if (at[i] >= p.elementLengths[i]) { exhausted = true; continue; }
                Ranked pair = ranked_at<T>(lists[i]->space, lists[i]->offset + base + at[i] * 8);
                if (best < 0 || pair.score > chosen.score) { best = int(i); chosen = pair; }
            }
            if (best < 0 || (exhausted && p.ifExhaustedSuspension)) break;
            std::memcpy(core->memory[dst.space] + dst.offset + base + out * 8, chosen.bytes, 8);
            ++at[best];
            ++out;
        }
        core->sort_counts = at[0] | uint64_t(at[1]) << 16 | uint64_t(at[2]) << 32 | uint64_t(at[3]) << 48;
    }
}
template <typename T, bool suspend = false>
inline void MrgSort(const LocalTensor<T>& dst, const MrgSortSrcList<T>& src, const uint16_t elementCountList[4], uint32_t sortedNum[4], uint16_t validBit, const int32_t repeatTime, PORT_ASCEND_SITE) {
    MrgSort<T>(dst, src, MrgSort4Info(elementCountList, suspend, validBit, uint16_t(repeatTime)), site);
    for (int i = 0; i < 4; ++i) sortedNum[i] = uint16_t(port_ascend::core->sort_counts >> (16 * i));
}
inline void GetMrgSortResult(uint16_t& a, uint16_t& b, uint16_t& c, uint16_t& d) {
    uint64_t counts = port_ascend::core->sort_counts;
    a = uint16_t(counts);
    b = uint16_t(counts >> 16);
    c = uint16_t(counts >> 32);
    d = uint16_t(counts >> 48);
}
// Scores and indices out of the pairs, 32 a repeat.
template <typename T> inline void Extract(const LocalTensor<T>& value, const LocalTensor<uint32_t>& index, const LocalTensor<T>& sorted, const int32_t repeatTime, PORT_ASCEND_SITE) {
    using namespace port_ascend;
    uint32_t count = uint32_t(repeatTime < 0 ? 0 : repeatTime) * 32;
    begin_vector("Extract", site, shape_of_count(int64_t(count) * 2, 4), 2);
    if (count == 0 || !range_use(sorted, uint64_t(count) * 8, "extracts from") || !range_write(value, uint64_t(count) * sizeof(T)) || !range_write(index, uint64_t(count) * 4)) return;
    for (uint32_t i = 0; i < count; ++i) {
        Ranked pair = ranked_at<T>(sorted.space, sorted.offset + i * 8);
        std::memcpy(&value.raw()[i], pair.bytes, sizeof(T));
        std::memcpy(&index.raw()[i], pair.bytes + 4, 4);
    }
}
// On this chip pairs are made by Sort32, and Concat has nothing to do but name its source.
template <typename T> inline void Concat(LocalTensor<T>& concat, const LocalTensor<T>& src, const LocalTensor<T>&, const int32_t) { concat = src; }
template <typename T, bool isFullSort>
inline void Sort(const LocalTensor<T>& dst, const LocalTensor<T>& concat, const LocalTensor<uint32_t>& index, const LocalTensor<T>& tmp, const int32_t repeatTime, PORT_ASCEND_SITE) {
    (void)tmp;
    Sort32(dst, concat, index, repeatTime, site);
    if (!isFullSort || repeatTime <= 1) return;
    using namespace port_ascend;
    begin_vector("Sort", site, shape_of_count(int64_t(repeatTime) * 64, 4), 32);
    uint32_t count = uint32_t(repeatTime) * 32;
    if (!range_use(dst, uint64_t(count) * 8, "sorts")) return;
    Ranked* pairs = new Ranked[count];
    for (uint32_t i = 0; i < count; ++i) pairs[i] = ranked_at<T>(dst.space, dst.offset + i * 8);
    sort_down(pairs, count);
    for (uint32_t i = 0; i < count; ++i) std::memcpy(core->memory[dst.space] + dst.offset + i * 8, pairs[i].bytes, 8);
    delete[] pairs;
}
template <typename T> inline uint32_t GetSortLen(const uint32_t count) { return count * 8 / uint32_t(sizeof(T)); }
template <typename T> inline uint32_t GetSortOffset(const uint32_t count) { return count * 8 / uint32_t(sizeof(T)); }

// Rows of blocks of 32 bytes become columns: 16 blocks a repeat.
constexpr int32_t NCHW_CONV_ADDR_LIST_SIZE = 16;
struct TransDataTo5HDParams {
    TransDataTo5HDParams() = default;
    TransDataTo5HDParams(bool dstHigh, bool srcHigh, uint8_t repeats, uint16_t dstRep, uint16_t srcRep)
        : dstHighHalf(dstHigh), srcHighHalf(srcHigh), repeatTimes(repeats), dstRepStride(dstRep), srcRepStride(srcRep) {}
    bool dstHighHalf = false, srcHighHalf = false;
    uint8_t repeatTimes = 1;
    uint16_t dstRepStride = 0, srcRepStride = 0;
};
template <typename T> inline void port_to_5hd(const uint32_t* dst, const uint32_t* src, const TransDataTo5HDParams& p, port_ascend::Site site) {
    using namespace port_ascend;
    begin_vector("TransDataTo5HD", site, shape_of_count(int64_t(p.repeatTimes) * 512 / int64_t(sizeof(T)), sizeof(T)), 4);
    Core& c = *core;
    for (uint32_t repeat = 0; repeat < p.repeatTimes; ++repeat) {
        // A single repeat starts one stride on, as the documentation says; several start at the addresses.
        uint32_t steps = p.repeatTimes == 1 ? 1 : repeat;
        uint8_t rows[16][32];
        for (int i = 0; i < 16; ++i) {
            uint64_t at = src[i] + uint64_t(steps) * p.srcRepStride * 32;
            if (!aligned(at, 32, "a source block") || !in_bounds(space_ub, at, 32, 0, c.capacity[space_ub], false)) return;
            if (!touch_read(space_ub, uint32_t(at), 32)) uninitialised_use(space_ub, uint32_t(at), 32, "transposes");
            std::memcpy(rows[i], c.memory[space_ub] + at, 32);
        }
        for (int i = 0; i < 16; ++i) {
            uint64_t at = dst[i] + uint64_t(steps) * p.dstRepStride * 32;
            if (!aligned(at, 32, "a destination block") || !in_bounds(space_ub, at, 32, 0, c.capacity[space_ub], true)) return;
            uint8_t* to = c.memory[space_ub] + at;
            if constexpr (sizeof(T) == 1) {
                touch_write(space_ub, uint32_t(at) + p.dstHighHalf * 16u, 16);
                for (int k = 0; k < 16; ++k) to[p.dstHighHalf * 16 + k] = rows[k][p.srcHighHalf * 16 + i];
            } else if constexpr (sizeof(T) == 2) {
                touch_write(space_ub, uint32_t(at), 32);
                for (int k = 0; k < 16; ++k) std::memcpy(to + 2 * k, rows[k] + 2 * i, 2);
            } else {
                touch_write(space_ub, uint32_t(at), 32);
                for (int k = 0; k < 8; ++k) std::memcpy(to + 4 * k, rows[(i % 2) * 8 + k] + 4 * (i / 2), 4);
            }
        }
    }
}
template <typename T> inline void TransDataTo5HD(const LocalTensor<T> (&dstList)[16], const LocalTensor<T> (&srcList)[16], const TransDataTo5HDParams& p, PORT_ASCEND_SITE) {
    uint32_t dst[16], src[16];
    for (int i = 0; i < 16; ++i) { dst[i] = dstList[i].offset; src[i] = srcList[i].offset; }
    port_to_5hd<T>(dst, src, p, site);
}
template <typename T> inline void TransDataTo5HD(uint64_t dstList[16], uint64_t srcList[16], const TransDataTo5HDParams& p, PORT_ASCEND_SITE) {
    uint32_t dst[16], src[16];
    uint64_t base = uint64_t(uintptr_t(port_ascend::core->memory[port_ascend::space_ub]));
    for (int i = 0; i < 16; ++i) { dst[i] = uint32_t(dstList[i] - base); src[i] = uint32_t(srcList[i] - base); }
    port_to_5hd<T>(dst, src, p, site);
}

enum class TransposeType : uint8_t {
    TRANSPOSE_TYPE_NONE, TRANSPOSE_NZ2ND_0213, TRANSPOSE_NZ2NZ_0213, TRANSPOSE_NZ2NZ_012_WITH_N, TRANSPOSE_NZ2ND_012_WITH_N, TRANSPOSE_NZ2ND_012_WITHOUT_N,
    TRANSPOSE_NZ2NZ_012_WITHOUT_N, TRANSPOSE_ND2ND_ONLY, TRANSPOSE_ND_UB_GM, TRANSPOSE_GRAD_ND_UB_GM, TRANSPOSE_ND2ND_B16, TRANSPOSE_NCHW2NHWC, TRANSPOSE_NHWC2NCHW
};
struct TransposeParamsExt {
    TransposeParamsExt() = default;
    TransposeParamsExt(uint16_t n, uint16_t c, uint16_t h, uint16_t w, TransposeType type) : nSize(n), cSize(c), hSize(h), wSize(w), transposeType(type) {}
    uint16_t nSize = 0, cSize = 0, hSize = 0, wSize = 0;
    TransposeType transposeType = TransposeType::TRANSPOSE_ND2ND_B16;
};
template <typename T> inline void Transpose(const LocalTensor<T>& dst, const LocalTensor<T>& src, const LocalTensor<uint8_t>& tmp, const TransposeParamsExt& p, PORT_ASCEND_SITE) {
    using namespace port_ascend;
    if (p.transposeType == TransposeType::TRANSPOSE_ND2ND_B16) { Transpose(dst, src, site); return; }
    (void)tmp;
    bool out = p.transposeType == TransposeType::TRANSPOSE_NCHW2NHWC;
    uint32_t image = uint32_t(p.hSize) * p.wSize, count = p.nSize * p.cSize * image;
    begin_vector("Transpose", site, shape_of_count(count, sizeof(T)), 4);
    if (!out && p.transposeType != TransposeType::TRANSPOSE_NHWC2NCHW) { report("not-modelled", "Transpose", site, "this transposeType has no implementation on 910B"); return; }
    if (count == 0 || !range_use(src, uint64_t(count) * sizeof(T), "transposes") || !range_write(dst, uint64_t(count) * sizeof(T))) return;
    for (uint32_t n = 0; n < p.nSize; ++n)
        for (uint32_t ch = 0; ch < p.cSize; ++ch)
            for (uint32_t at = 0; at < image; ++at) {
                uint32_t nchw = (n * p.cSize + ch) * image + at, nhwc = (n * image + at) * p.cSize + ch;
                dst.raw()[out ? nhwc : nchw] = src.raw()[out ? nchw : nhwc];
            }
}

}  // namespace AscendC
