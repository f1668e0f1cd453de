// What the host asks of the chip: an Ascend 910B1's numbers.
#pragma once

#include <cstdint>

namespace fe {
class PlatFormInfos {};
}  // namespace fe

namespace platform_ascendc {

enum class CoreMemType { L0_A = 0, L0_B = 1, L0_C = 2, L1 = 3, L2 = 4, UB = 5, HBM = 6, RESERVED };
enum class SocVersion { ASCEND910 = 0, ASCEND910B, ASCEND310P, ASCEND310B, ASCEND910_95, ASCEND950, RESERVED_VERSION = 99999 };

class PlatformAscendC {
public:
    PlatformAscendC() = default;
    explicit PlatformAscendC(fe::PlatFormInfos*) {}
    uint32_t GetCoreNum() const { return 24; }
    uint32_t GetCoreNumAic() const { return 24; }
    uint32_t GetCoreNumAiv() const { return 48; }
    uint32_t GetCoreNumVector() const { return 0; }
    SocVersion GetSocVersion() const { return SocVersion::ASCEND910B; }
    uint32_t CalcTschBlockDim(uint32_t sliceNum, uint32_t aicCoreNum, uint32_t aivCoreNum) const {
        if (aicCoreNum == 0 || aivCoreNum == 0 || aicCoreNum > aivCoreNum) return sliceNum;
        uint32_t ratio = aivCoreNum / aicCoreNum;
        return (sliceNum + ratio - 1) / ratio;
    }
    uint32_t CalcTschNumBlocks(uint32_t sliceNum, uint32_t aicCoreNum, uint32_t aivCoreNum) const { return CalcTschBlockDim(sliceNum, aicCoreNum, aivCoreNum); }
    void GetCoreMemSize(const CoreMemType& type, uint64_t& size) const {
        switch (type) {
            case CoreMemType::L0_A: case CoreMemType::L0_B: size = 65536; break;
            case CoreMemType::L0_C: size = 131072; break;
            case CoreMemType::L1: size = 524288; break;
            case CoreMemType::L2: size = 192ull << 20; break;
            case CoreMemType::UB: size = 196608; break;
            case CoreMemType::HBM: size = 64ull << 30; break;
            default: size = 0; break;
        }
    }
    void GetCoreMemBw(const CoreMemType& type, uint64_t& bandwidth) const { bandwidth = type == CoreMemType::L2 ? 110 : 32; }
    uint32_t GetLibApiWorkSpaceSize() const { return 16u << 20; }
    uint32_t GetResCubeGroupWorkSpaceSize() const { return 1u << 20; }
    uint32_t GetResGroupBarrierWorkSpaceSize() const { return 1u << 20; }
};

class PlatformAscendCManager {
public:
    static PlatformAscendC* GetInstance() {
        static PlatformAscendC chip;
        return &chip;
    }
    static PlatformAscendC* GetInstance(const char*) { return GetInstance(); }
};

}  // namespace platform_ascendc
