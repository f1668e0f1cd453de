// The tiling of a matrix product and of normalisations, as the host computes and the kernel reads it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace AscendC {
namespace tiling {

struct TCubeTiling {
#define PORT_ASCEND_FIELD(name)                      \
    int32_t name = 0;                                \
    void set_##name(int32_t value) { name = value; } \
    int32_t get_##name() const { return name; }
    PORT_ASCEND_FIELD(usedCoreNum) PORT_ASCEND_FIELD(M) PORT_ASCEND_FIELD(N) PORT_ASCEND_FIELD(Ka) PORT_ASCEND_FIELD(Kb)
    PORT_ASCEND_FIELD(singleCoreM) PORT_ASCEND_FIELD(singleCoreN) PORT_ASCEND_FIELD(singleCoreK)
    PORT_ASCEND_FIELD(baseM) PORT_ASCEND_FIELD(baseN) PORT_ASCEND_FIELD(baseK)
    PORT_ASCEND_FIELD(depthA1) PORT_ASCEND_FIELD(depthB1) PORT_ASCEND_FIELD(stepM) PORT_ASCEND_FIELD(stepN)
    PORT_ASCEND_FIELD(isBias) PORT_ASCEND_FIELD(transLength) PORT_ASCEND_FIELD(iterateOrder)
    PORT_ASCEND_FIELD(shareMode) PORT_ASCEND_FIELD(shareL1Size) PORT_ASCEND_FIELD(shareL0CSize) PORT_ASCEND_FIELD(shareUbSize)
    PORT_ASCEND_FIELD(batchM) PORT_ASCEND_FIELD(batchN) PORT_ASCEND_FIELD(singleBatchM) PORT_ASCEND_FIELD(singleBatchN)
    PORT_ASCEND_FIELD(stepKa) PORT_ASCEND_FIELD(stepKb) PORT_ASCEND_FIELD(depthAL1CacheUB) PORT_ASCEND_FIELD(depthBL1CacheUB)
    PORT_ASCEND_FIELD(dbL0A) PORT_ASCEND_FIELD(dbL0B) PORT_ASCEND_FIELD(dbL0C)
    PORT_ASCEND_FIELD(ALayoutInfoB) PORT_ASCEND_FIELD(ALayoutInfoS) PORT_ASCEND_FIELD(ALayoutInfoN) PORT_ASCEND_FIELD(ALayoutInfoG) PORT_ASCEND_FIELD(ALayoutInfoD)
    PORT_ASCEND_FIELD(BLayoutInfoB) PORT_ASCEND_FIELD(BLayoutInfoS) PORT_ASCEND_FIELD(BLayoutInfoN) PORT_ASCEND_FIELD(BLayoutInfoG) PORT_ASCEND_FIELD(BLayoutInfoD)
    PORT_ASCEND_FIELD(CLayoutInfoB) PORT_ASCEND_FIELD(CLayoutInfoS1) PORT_ASCEND_FIELD(CLayoutInfoN) PORT_ASCEND_FIELD(CLayoutInfoG) PORT_ASCEND_FIELD(CLayoutInfoS2)
    PORT_ASCEND_FIELD(BatchNum) PORT_ASCEND_FIELD(mxTypePara)
    size_t GetDataSize() const { return sizeof(*this); }
    void SaveToBuffer(void* to, size_t capacity) const { std::memcpy(to, this, capacity < sizeof(*this) ? capacity : sizeof(*this)); }
};
struct SoftMaxTiling {
    uint32_t srcM = 0, srcK = 0, srcSize = 0, outMaxM = 0, outMaxK = 0, outMaxSize = 0, splitM = 0, splitK = 0, splitSize = 0, reduceM = 0, reduceK = 0, reduceSize = 0,
             rangeM = 0, tailM = 0, tailSplitSize = 0, tailReduceSize = 0;
};
struct LayerNormTiling {
    uint32_t bLength = 0, sLength = 0, hLength = 0, originalHLength = 0, inputXSize = 0, meanVarSize = 0, numberOfTmpBuf = 0, oneTmpSize = 0;
    float lastDimValueBack = 0, lastDimValueBackMulTwo = 0;
    uint32_t rest[32] = {};
};
struct RmsNormTiling {
    uint32_t bLength = 0, sLength = 0, hLength = 0, originalHLength = 0;
    float reciprocalOfHLength = 0;
    uint32_t mainBshLength = 0, mainBsLength = 0, rest[16] = {};
};
#undef PORT_ASCEND_FIELD

}  // namespace tiling
}  // namespace AscendC

using AscendC::tiling::LayerNormTiling;
using AscendC::tiling::RmsNormTiling;
using AscendC::tiling::SoftMaxTiling;
using AscendC::tiling::TCubeTiling;
namespace optiling {
using AscendC::tiling::LayerNormTiling;
using AscendC::tiling::RmsNormTiling;
using AscendC::tiling::SoftMaxTiling;
using AscendC::tiling::TCubeTiling;
}  // namespace optiling
