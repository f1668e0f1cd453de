// What a kernel asks of its core and its neighbours: numbers, barriers, cache, prints; what is a macro in the tiling and
// kernel headers.
#pragma once

#include <cassert>
#include <cstdarg>
#include <cstdio>
#include <port_ascend/vector.h>
#include <port_ascend/copy.h>

namespace AscendC {

constexpr int32_t AIV = 1, AIC = 0, MIX = 2;
struct PortCoreType {
    operator int32_t() const { return port_ascend::core && port_ascend::core->cube ? AIC : AIV; }
};

// Between launches a block's number counts blocks; on vector cores of a mixed kernel it counts cores.
inline int64_t GetBlockIdx() {
    auto* c = port_ascend::core;
    if (!c) return 0;
    return c->cube ? c->block : int64_t(c->block) * port_ascend::core_ratio() + c->sub;
}
inline int64_t GetBlockNum() { return port_ascend::core ? port_ascend::core->blocks : 0; }
inline int64_t GetSubBlockIdx() { return port_ascend::core ? port_ascend::core->sub : 0; }
inline int64_t GetSubBlockNum() { return port_ascend::core && !port_ascend::core->cube ? port_ascend::core_ratio() : 1; }
inline int64_t GetTaskRation() { return port_ascend::core && !port_ascend::core->cube ? port_ascend::core_ratio() : 1; }
inline int64_t GetTaskRatio() { return GetTaskRation(); }
inline int64_t GetSystemCycle() { return int64_t(port_ascend::system_cycle()); }
inline int64_t GetProgramCounter() { return 0; }
inline uint64_t GetArchVersion(uint32_t& version) { version = 220; return version; }
constexpr uint32_t GetUBSizeInBytes() { return 196608; }
constexpr int32_t GetDataBlockSizeInBytes() { return 32; }
inline void InitSocState() {
    if (port_ascend::core) {
        port_ascend::core->atomic = port_ascend::Atomic::none;
        port_ascend::core->mask[0] = port_ascend::core->mask[1] = ~uint64_t(0);
        port_ascend::core->mask_counter = false;
    }
}
inline void Trap(PORT_ASCEND_SITE) {
    port_ascend::report("trap", "Trap", site, "the kernel stops itself");
    port_ascend::stop_core();
}

template <bool isAIVOnly = true> inline void SyncAll(const GlobalTensor<int32_t>&, const LocalTensor<int32_t>&, const int32_t usedCores = 0, PORT_ASCEND_SITE) {
    port_ascend::sync_all(site, uint64_t(usedCores));
}
template <bool isAIVOnly = true> inline void SyncAll(PORT_ASCEND_SITE) { port_ascend::sync_all(site, 0); }
template <uint8_t mode, int pipe> inline void CrossCoreSetFlag(uint16_t id, PORT_ASCEND_SITE) { port_ascend::cross_core_set(mode, port_ascend::pipe_of(pipe), id, site); }
template <uint8_t mode = 0, int pipe = PIPE_S> inline void CrossCoreWaitFlag(uint16_t id, PORT_ASCEND_SITE) { port_ascend::cross_core_wait(id, port_ascend::pipe_of(pipe), site); }
inline void IBSet(const GlobalTensor<int32_t>&, const LocalTensor<int32_t>&, int32_t block, int32_t event, PORT_ASCEND_SITE) { port_ascend::block_flag_set(block, event, site); }
inline void IBWait(const GlobalTensor<int32_t>&, const LocalTensor<int32_t>&, int32_t block, int32_t event, PORT_ASCEND_SITE) { port_ascend::block_flag_wait(block, event, site); }
// Blocks one after the other: each waits for the one before it.
inline void InitDetermineComputeWorkspace(const GlobalTensor<int32_t>&, const LocalTensor<int32_t>&) {}
inline void WaitPreBlock(const GlobalTensor<int32_t>&, const LocalTensor<int32_t>&, PORT_ASCEND_SITE) {
    if (GetBlockIdx() > 0) port_ascend::block_flag_wait(int32_t(GetBlockIdx()), -1, site);
}
inline void NotifyNextBlock(const GlobalTensor<int32_t>&, const LocalTensor<int32_t>&, PORT_ASCEND_SITE) {
    port_ascend::block_flag_set(int32_t(GetBlockIdx()) + 1, -1, site);
}
inline void SetNextTaskStart() {}
inline void WaitPreTaskEnd() {}
enum class MemDsbT : uint64_t { ALL = 0, DDR, UB, SEQ };
template <MemDsbT kind = MemDsbT::ALL> inline void DataSyncBarrier() {}

enum class CacheLine : uint64_t { SINGLE_CACHE_LINE = 0, ENTIRE_DATA_CACHE };
enum class DcciDst : uint64_t { CACHELINE_ALL = 0, CACHELINE_UB, CACHELINE_OUT, CACHELINE_ATOMIC };
template <typename T, CacheLine line, DcciDst to = DcciDst::CACHELINE_ALL> inline void DataCacheCleanAndInvalid(const GlobalTensor<T>& tensor) {
    port_ascend::gm_clean(tensor.start, 1, line == CacheLine::ENTIRE_DATA_CACHE);
}
template <typename T, CacheLine line, DcciDst to = DcciDst::CACHELINE_ALL> inline void DataCacheCleanAndInvalid(const LocalTensor<T>&) {}
template <typename T> inline void DataCachePreload(const GlobalTensor<uint64_t>&, const T) {}
inline void ICachePreLoad(const int64_t) {}

// A tensor's first elements, as text.
template <typename Tensor> inline void port_dump(const Tensor& tensor, uint32_t desc, uint32_t count, const void* data) {
    using T = typename Tensor::PrimType;
    std::printf("DumpTensor: desc=%u, data_type=%s, block=%lld:", desc, port_ascend::type_name<T>(), (long long)GetBlockIdx());
    const T* values = static_cast<const T*>(data);
    (void)tensor;
    for (uint32_t i = 0; i < count; ++i) {
        if constexpr (std::is_integral<T>::value) std::printf(" %lld", (long long)values[i]);
        else if constexpr (!std::is_same<T, int4b_t>::value) std::printf(" %g", double(float(values[i])));
    }
    std::printf("\n");
}
template <typename T> inline void DumpTensor(const LocalTensor<T>& tensor, uint32_t desc, uint32_t dumpSize) { port_dump(tensor, desc, dumpSize, tensor.raw()); }
template <typename T> inline void DumpTensor(const GlobalTensor<T>& tensor, uint32_t desc, uint32_t dumpSize) { port_dump(tensor, desc, dumpSize, tensor.start); }
template <typename... A> inline void printf(const char* format, A... values) { ::printf(format, values...); }
template <typename... A> inline void PRINTF(const char* format, A... values) { ::printf(format, values...); }
inline void PrintTimeStamp(uint32_t) {}

inline GM_ADDR GetUserWorkspace(GM_ADDR workspace) { return static_cast<GM_ADDR>(port_ascend::user_workspace(workspace)); }
inline GM_ADDR GetSysWorkSpacePtr() { return static_cast<GM_ADDR>(port_ascend::system_workspace()); }
inline void SetSysWorkspace(GM_ADDR) {}
inline bool SetSysWorkspaceForce(GM_ADDR) { return true; }

inline half Float2Half(float value) { return half(value); }
template <typename T, typename U, int mode = 0> inline T ScalarCast(U value) { return T(value); }
inline float ToFloat(const bfloat16_t& value) { return float(value); }
inline bfloat16_t ToBfloat16(const float& value) { return bfloat16_t(value); }
template <int mode = 1> inline int64_t ScalarGetCountOfValue(uint64_t value) { return mode ? __builtin_popcountll(value) : 64 - __builtin_popcountll(value); }
inline int64_t ScalarCountLeadingZero(uint64_t value) { return value ? __builtin_clzll(value) : 64; }
template <int mode = 1> inline int64_t ScalarGetSFFValue(uint64_t value) {
    if (!mode) value = ~value;
    return value ? __builtin_ctzll(value) : -1;
}
inline int64_t CountBitsCntSameAsSignBit(int64_t value) { return __builtin_clrsbll(value); }
template <typename T, typename U> inline auto DivCeil(T value, U by) { return by ? (value + by - 1) / by : value / 1; }
template <typename T, typename U> inline auto CeilDivision(T value, U by) { return DivCeil(value, by); }
template <typename T, typename U> inline auto AlignUp(T value, U to) { return DivCeil(value, to) * to; }
template <typename T, typename U> inline auto Ceil(T value, U by) { return DivCeil(value, by); }

}  // namespace AscendC

// These the headers offer without their namespace, too.
using AscendC::GetSysWorkSpacePtr;

static const AscendC::PortCoreType g_coreType __attribute__((unused)) = {};
#define ASCEND_IS_AIV (!(::port_ascend::core && ::port_ascend::core->cube))
#define ASCEND_IS_AIC (::port_ascend::core && ::port_ascend::core->cube)
#define ASCEND_IS_NOT_AIV ASCEND_IS_AIC
#define ASCEND_IS_NOT_AIC ASCEND_IS_AIV

#define KERNEL_TYPE_AIV_ONLY ::port_ascend::CoreKind::vector
#define KERNEL_TYPE_AIC_ONLY ::port_ascend::CoreKind::cube
#define KERNEL_TYPE_MIX_AIV_1_0 ::port_ascend::CoreKind::mix_0_1
#define KERNEL_TYPE_MIX_AIC_1_0 ::port_ascend::CoreKind::mix_1_0
#define KERNEL_TYPE_MIX_AIC_1_1 ::port_ascend::CoreKind::mix_1_1
#define KERNEL_TYPE_MIX_AIC_1_2 ::port_ascend::CoreKind::mix_1_2
#define KERNEL_TASK_TYPE_DEFAULT(kind) ::port_ascend::set_core_kind(kind)
#define KERNEL_TASK_TYPE(key, kind)

#ifndef ASSERT
#define ASSERT(condition)                                                                                                                \
    do {                                                                                                                                  \
        if (!(condition)) {                                                                                                               \
            ::port_ascend::report("assertion", "ASSERT", ::port_ascend::Site{__FILE__, __LINE__}, "%s does not hold", #condition);        \
            ::port_ascend::stop_core();                                                                                                   \
        }                                                                                                                                 \
    } while (false)
#endif
#define ASCENDC_ASSERT(condition, behaviour) do { if (!(condition)) { ::port_ascend::report("assertion", "ASCENDC_ASSERT", ::port_ascend::Site{__FILE__, __LINE__}, "%s does not hold", #condition); ::port_ascend::stop_core(); } } while (false)
#define ascendc_assert(...) ASSERT((__VA_ARGS__))

// The number of the block, as a name of its own; a kernel's variable of this name hides it.
struct PortBlockNumber { operator int64_t() const { return port_ascend::core ? port_ascend::core->block : 0; } };
struct PortBlockCount { operator int64_t() const { return AscendC::GetBlockNum(); } };
static const PortBlockNumber block_idx __attribute__((unused)) = {};
static const PortBlockCount block_num __attribute__((unused)) = {};

// The same by the names of the compiler's own functions.
inline int64_t get_block_idx() { return port_ascend::core ? port_ascend::core->block : 0; }
inline int64_t get_block_num() { return AscendC::GetBlockNum(); }
inline int64_t get_subblockid() { return AscendC::GetSubBlockIdx(); }
inline int64_t get_subblockdim() { return AscendC::GetSubBlockNum(); }
inline void pipe_barrier(int pipe, port_ascend::Site site = port_ascend::Site::here()) { port_ascend::pipe_barrier(pipe, site); }
inline void set_flag(int from, int to, int id, port_ascend::Site site = port_ascend::Site::here()) {
    port_ascend::set_flag(port_ascend::pipe_of(from), port_ascend::pipe_of(to), id, site);
}
inline void wait_flag(int from, int to, int id, port_ascend::Site site = port_ascend::Site::here()) {
    port_ascend::wait_flag(port_ascend::pipe_of(from), port_ascend::pipe_of(to), id, site);
}
inline void set_mask_norm() { AscendC::SetMaskNorm(); }
inline void set_mask_count() { AscendC::SetMaskCount(); }
inline void set_vector_mask(uint64_t high, uint64_t low) { AscendC::SetVectorMask(high, low); }
inline void set_atomic_none() { AscendC::SetAtomicNone(); }
inline int64_t get_imm(int64_t value) { return value; }

#ifndef likely
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#endif

// Tiling data in the kernel: a copy of what the host put into global memory.
#define REGISTER_TILING_DEFAULT(type) using PortTilingDefault = type
#define REGISTER_TILING_FOR_TILINGKEY(key, type)
#define GET_TILING_DATA(data, address) PortTilingDefault data; ::std::memcpy(static_cast<void*>(&data), (address), sizeof(data))
#define GET_TILING_DATA_WITH_STRUCT(type, data, address) type data; ::std::memcpy(static_cast<void*>(&data), (address), sizeof(data))
#define GET_TILING_DATA_MEMBER(type, member, data, address) decltype(type::member) data = reinterpret_cast<const type*>(address)->member
#define GET_TILING_DATA_PTR_WITH_STRUCT(type, data, address) const type* data = reinterpret_cast<const type*>(address)
#define COPY_TILING_WITH_STRUCT(type, from, to) const type* to = reinterpret_cast<const type*>(from)
#define COPY_TILING_WITH_ARRAY(type, count, from, to) const type* to = reinterpret_cast<const type*>(from)
namespace port_ascend {
inline uint64_t& tiling_key() {
    static uint64_t key = 0;
    return key;
}
}  // namespace port_ascend
#define TILING_KEY_IS(key) (::port_ascend::tiling_key() == uint64_t(key))
#define TILING_KEY_VAR (::port_ascend::tiling_key())

