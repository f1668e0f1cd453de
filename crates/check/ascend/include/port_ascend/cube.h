// The cube unit by its instructions: matrices into L1 as fractals, fractals into L0A and L0B, Mmad, and the way out.
// A fractal is 512 bytes: 16 rows of 32 bytes. L0A holds rows of fractals (row by row inside), L0B rows of fractals
// (column by column inside), L0C columns of fractals of 16 x 16.
#pragma once

#include <port_ascend/copy.h>
#include <port_ascend/sort.h>

enum QuantMode_t { NoQuant = 0, F322F16, F322BF16, DEQF16, VDEQF16, QF322B8_PRE, VQF322B8_PRE, REQ8, VREQ8 };

namespace AscendC {

struct LoadData2DParams {
    LoadData2DParams() = default;
    LoadData2DParams(uint16_t start, uint8_t repeats, uint16_t stride, uint8_t sid = 0, uint16_t gap = 0, bool transpose = false, uint8_t mode = 0)
        : startIndex(start), dstGap(gap), srcStride(stride), ifTranspose(transpose), repeatTimes(repeats), sid(sid), addrMode(mode) {}
    uint16_t startIndex = 0, dstGap = 0, srcStride = 0;
    bool ifTranspose = false;
    uint8_t repeatTimes = 0, sid = 0, addrMode = 0;
};
struct LoadData2dTransposeParams {
    LoadData2dTransposeParams() = default;
    LoadData2dTransposeParams(uint16_t start, uint8_t repeats, uint16_t stride, uint16_t gap, uint16_t fractalGap, uint8_t mode = 0)
        : startIndex(start), repeatTimes(repeats), srcStride(stride), dstGap(gap), dstFracGap(fractalGap), addrMode(mode) {}
    uint16_t startIndex = 0;
    uint8_t repeatTimes = 0;
    uint16_t srcStride = 0, dstGap = 0, dstFracGap = 0, srcFracGap = 0;
    uint8_t addrMode = 0;
};
struct MmadParams {
    MmadParams() = default;
    MmadParams(uint16_t m, uint16_t n, uint16_t k, bool isBias, int32_t = 0, bool = false, bool = false, bool = false) : m(m), n(n), k(k), isBias(isBias), cmatrixInitVal(!isBias) {}
    MmadParams(uint16_t m, uint16_t n, uint16_t k, uint8_t unitFlag, bool source, bool init) : m(m), n(n), k(k), unitFlag(unitFlag), cmatrixSource(source), cmatrixInitVal(init) {}
    uint16_t m = 0, n = 0, k = 0;
    bool isBias = false;
    int32_t fmOffset = 0;
    bool enSsparse = false, enWinogradA = false, enWinogradB = false;
    uint8_t unitFlag = 0;
    bool kDirectionAlign = false, cmatrixSource = false, cmatrixInitVal = true;
};
enum class CO2Layout : uint8_t { NZ = 0, ROW_MAJOR, COLUMN_MAJOR };
struct FixpipeConfig { CO2Layout format; bool isToUB = false; };
constexpr FixpipeConfig CFG_NZ{CO2Layout::NZ}, CFG_ROW_MAJOR{CO2Layout::ROW_MAJOR};
struct FixpipeParamsV220 {
    FixpipeParamsV220() = default;
    FixpipeParamsV220(uint16_t n, uint16_t m, uint16_t src, uint32_t dst, bool relu = false) : nSize(n), mSize(m), srcStride(src), dstStride(dst), reluEn(relu) {}
    FixpipeParamsV220(uint16_t n, uint16_t m, uint16_t src, uint32_t dst, bool relu, QuantMode_t quant, int64_t scale, uint16_t matrices, uint16_t srcNd, uint16_t dstNd, uint8_t flag)
        : nSize(n), mSize(m), srcStride(src), dstStride(dst), quantPre(quant), deqScalar(uint64_t(scale)), ndNum(matrices), srcNdStride(srcNd), dstNdStride(dstNd), reluEn(relu), unitFlag(flag) {}
    uint16_t nSize = 0, mSize = 0, srcStride = 0;
    uint32_t dstStride = 0;
    QuantMode_t quantPre = QuantMode_t::NoQuant;
    uint64_t deqScalar = 0;
    uint16_t ndNum = 1, srcNdStride = 0, dstNdStride = 0;
    bool reluEn = false;
    uint8_t unitFlag = 0;
    bool isChannelSplit = false;
};

}  // namespace AscendC

namespace port_ascend {

inline void begin_cube(const char* call, Site site, Pipe pipe, double cycles) {
    begin(call, site, pipe, cycles);
    if (!core->cube) cube_needed();
}
// A fractal: element (row, column) of 16 x (32 / size).
void load_fractals(Site site, LocalPart to, LocalPart from, const uint8_t* gm, const uint8_t* limit, uint32_t start, uint32_t repeats, uint32_t stride, uint32_t gap, bool transpose,
                   bool backwards, uint32_t size);

}  // namespace port_ascend

namespace AscendC {

// Rows of global memory into columns of fractals (NZ): in blocks of 32 bytes the column goes on every dstNzC0Stride.
template <typename T> inline void DataCopy(const LocalTensor<T>& dst, const GlobalTensor<T>& src, const Nd2NzParams& p, PORT_ASCEND_SITE) {
    using namespace port_ascend;
    uint32_t c0 = 32 / uint32_t(sizeof(T)), blocks = (p.dValue + c0 - 1) / c0;
    begin("DataCopy", site, pipe_mte2, 200 + double(p.ndNum) * p.nValue * p.dValue * sizeof(T) / 32);
    aligned(dst.offset, 32, "the destination");
    for (uint32_t matrix = 0; matrix < p.ndNum; ++matrix) {
        for (uint32_t row = 0; row < p.nValue; ++row) {
            uint64_t from = uint64_t(matrix) * p.srcNdMatrixStride + uint64_t(row) * p.srcDValue;
            if (p.dValue == 0 || !src.check(from, p.dValue, "DataCopy", false) || !gm_access(src.start + from, p.dValue * sizeof(T), false)) return;
            if (dst.space == space_l1) core->counters.gm_to_l1 += p.dValue * sizeof(T);
            else core->counters.gm_to_ub += p.dValue * sizeof(T);
            for (uint32_t block = 0; block < blocks; ++block) {
                uint64_t to = dst.offset + (uint64_t(matrix) * p.dstNzMatrixStride * sizeof(T)) + (uint64_t(block) * p.dstNzC0Stride + uint64_t(row) * p.dstNzNStride) * 32;
                if (!in_bounds(dst.space, to, 32, dst.low, dst.high, true)) return;
                touch_write(dst.space, uint32_t(to), 32);
                uint8_t* target = core->memory[dst.space] + to;
                uint32_t count = p.dValue - block * c0 < c0 ? p.dValue - block * c0 : c0;
                std::memset(target, 0, 32);
                std::memcpy(target, src.start + from + block * c0, count * sizeof(T));
            }
        }
    }
}

template <typename T> inline void LoadData(const LocalTensor<T>& dst, const LocalTensor<T>& src, const LoadData2DParams& p, PORT_ASCEND_SITE) {
    port_ascend::begin_cube("LoadData", site, port_ascend::pipe_mte1, 10 + p.repeatTimes * 4.0);
    port_ascend::load_fractals(site, port_ascend::part_of(dst), port_ascend::part_of(src), nullptr, nullptr, p.startIndex, p.repeatTimes, p.srcStride, p.dstGap, p.ifTranspose, p.addrMode == 1, sizeof(T));
}
template <typename T> inline void LoadData(const LocalTensor<T>& dst, const GlobalTensor<T>& src, const LoadData2DParams& p, PORT_ASCEND_SITE) {
    port_ascend::begin_cube("LoadData", site, port_ascend::pipe_mte2, 200 + p.repeatTimes * 16.0);
    port_ascend::load_fractals(site, port_ascend::part_of(dst), {}, port_start(src), port_limit(src), p.startIndex, p.repeatTimes, p.srcStride, p.dstGap, false, p.addrMode == 1, sizeof(T));
}
// For two-byte elements each repeat transposes a square of 16 x 16.
template <typename T> inline void LoadDataWithTranspose(const LocalTensor<T>& dst, const LocalTensor<T>& src, const LoadData2dTransposeParams& p, PORT_ASCEND_SITE) {
    if (sizeof(T) != 2) {
        port_ascend::report("not-modelled", "LoadDataWithTranspose", site, "only elements of two bytes are modelled");
        return;
    }
    port_ascend::begin_cube("LoadDataWithTranspose", site, port_ascend::pipe_mte1, 10 + p.repeatTimes * 8.0);
    port_ascend::load_fractals(site, port_ascend::part_of(dst), port_ascend::part_of(src), nullptr, nullptr, p.startIndex, p.repeatTimes, p.srcStride, p.dstGap, true, p.addrMode == 1, sizeof(T));
}

template <typename T, typename U, typename S>
inline void port_mmad(const LocalTensor<T>& dst, const LocalTensor<U>& a, const LocalTensor<S>& b, const LocalTensor<T>* bias, const MmadParams& p, port_ascend::Site site) {
    using namespace port_ascend;
    begin_cube("Mmad", site, pipe_m, 10 + double(p.m) * p.n * p.k / 4096);
    uint32_t m16 = (p.m + 15u) / 16, n16 = (p.n + 15u) / 16, k0 = 32 / uint32_t(sizeof(U)), k1 = (p.k + k0 - 1) / k0;
    if (p.m > 4095 || p.n > 4095 || p.k > 4095) {
        report("parameter-range", "Mmad", site, "m, n and k are %u, %u and %u and can be 4095 at most", p.m, p.n, p.k);
        return;
    }
    if (a.space != space_l0a || b.space != space_l0b || dst.space != space_l0c) {
        report("wrong-position", "Mmad", site, "the factors belong into A2 and B2, the result into CO1");
        return;
    }
    aligned(a.offset, 512, "the left factor");
    aligned(b.offset, 512, "the right factor");
    aligned(dst.offset, 1024, "the result");
    if (!m16 || !n16 || !k1) return;
    if (!range_use(a, uint64_t(m16) * k1 * 512, "multiplies") || !range_use(b, uint64_t(n16) * k1 * 512, "multiplies")) return;
    bool add = !p.cmatrixInitVal && !p.cmatrixSource && !bias;
    if (add && !range_use(dst, uint64_t(m16) * n16 * 256 * sizeof(T), "adds to")) return;
    if (bias && !range_use(*bias, uint64_t(p.n) * sizeof(T), "adds")) return;
    if (!range_write(dst, uint64_t(m16) * n16 * 256 * sizeof(T))) return;
    core->counters.cube_macs += uint64_t(p.m) * p.n * p.k;
    auto wide = [](auto value) {
        if constexpr (std::is_integral<decltype(value)>::value) return T(value);
        else return T(float(value));
    };
    for (uint32_t i = 0; i < p.m; ++i) {
        for (uint32_t j = 0; j < p.n; ++j) {
            T& c = dst.raw()[(j / 16 * m16 * 16 + i) * 16 + j % 16];
            T sum = add ? c : bias ? bias->raw()[j] : T(0);
            for (uint32_t k = 0; k < p.k; ++k) {
                U left = a.raw()[((i / 16 * k1 + k / k0) * 16 + i % 16) * k0 + k % k0];
                S right = b.raw()[((k / k0 * n16 + j / 16) * 16 + j % 16) * k0 + k % k0];
                sum += wide(left) * wide(right);
            }
            c = sum;
        }
    }
}
template <typename T, typename U, typename S> inline void Mmad(const LocalTensor<T>& dst, const LocalTensor<U>& fm, const LocalTensor<S>& filter, const MmadParams& p, PORT_ASCEND_SITE) {
    port_mmad<T, U, S>(dst, fm, filter, nullptr, p, site);
}
template <typename T, typename U, typename S>
inline void Mmad(const LocalTensor<T>& dst, const LocalTensor<U>& fm, const LocalTensor<S>& filter, const LocalTensor<T>& bias, const MmadParams& p, PORT_ASCEND_SITE) {
    port_mmad<T, U, S>(dst, fm, filter, &bias, p, site);
}

// Out of L0C to global memory, as rows or as fractals, converted on the way.
template <typename T, typename U, const FixpipeConfig& config = CFG_ROW_MAJOR>
inline void Fixpipe(const GlobalTensor<T>& dst, const LocalTensor<U>& src, const FixpipeParamsV220& p, PORT_ASCEND_SITE) {
    using namespace port_ascend;
    begin_cube("Fixpipe", site, pipe_fix, 200 + double(p.mSize) * p.nSize * sizeof(T) / 32);
    if (src.space != space_l0c) {
        report("wrong-position", "Fixpipe", site, "the source belongs into CO1");
        return;
    }
    bool fits = std::is_same<T, U>::value ? p.quantPre == NoQuant : std::is_same<T, half>::value ? p.quantPre == F322F16 : std::is_same<T, bfloat16_t>::value ? p.quantPre == F322BF16 : false;
    if (!fits) {
        report("unsupported-type", "Fixpipe", site, "%s to %s with this quantPre: F322F16 gives half, F322BF16 bfloat16_t, NoQuant the same type", type_name<U>(), type_name<T>());
        return;
    }
    constexpr bool rows = config.format == CO2Layout::ROW_MAJOR;
    for (uint32_t matrix = 0; matrix < (rows ? p.ndNum : 1u); ++matrix) {
        for (uint32_t i = 0; i < p.mSize; ++i) {
            for (uint32_t j = 0; j < p.nSize; ++j) {
                uint64_t from = src.offset + (uint64_t(matrix) * p.srcNdStride * 256 + (uint64_t(j / 16) * p.srcStride + i) * 16 + j % 16) * sizeof(U);
                if (!in_bounds(src.space, from, sizeof(U), src.low, src.high, false)) return;
                if (!touch_read(src.space, uint32_t(from), sizeof(U))) uninitialised_use(src.space, uint32_t(from), sizeof(U), "copies to GM");
                float value = float(local_at<U>(src.space, uint32_t(from)));
                U exact = local_at<U>(src.space, uint32_t(from));
                if (p.reluEn && !(value > 0)) { value = 0; exact = U(0); }
                uint64_t to = rows ? uint64_t(matrix) * p.dstNdStride + uint64_t(i) * p.dstStride + j : uint64_t(j / 16) * p.dstStride * 32 / sizeof(T) + i * 16 + j % 16;
                T result;
                if constexpr (std::is_same<T, U>::value) result = exact;
                else result = T(value);
                bool atomic = core->atomic != Atomic::none && combiner<T>();
                if (!dst.check(to, 1, "Fixpipe", true) || !gm_access(dst.start + to, sizeof(T), true, atomic ? nullptr : &result)) return;
                if (atomic) combiner<T>()(reinterpret_cast<uint8_t*>(dst.start + to), reinterpret_cast<const uint8_t*>(&result), sizeof(T), core->atomic);
                else dst.start[to] = result;
            }
        }
    }
    core->counters.l0c_out += uint64_t(p.mSize) * p.nSize * sizeof(T);
}
inline void SetFixpipeNz2ndFlag(uint16_t, uint16_t, uint16_t) {}
inline void SetHF32Mode(bool) {}
inline void SetHF32TransMode(bool) {}

// Fractals in UB to rows of global memory.
template <typename T> inline void DataCopy(const GlobalTensor<T>& dst, const LocalTensor<T>& src, const Nz2NdParamsFull& p, PORT_ASCEND_SITE) {
    using namespace port_ascend;
    begin("DataCopy", site, pipe_mte3, 200 + double(p.ndNum) * p.nValue * p.dValue * sizeof(T) / 32);
    constexpr uint32_t c0 = 16;
    for (uint32_t matrix = 0; matrix < p.ndNum; ++matrix) {
        for (uint32_t row = 0; row < p.nValue; ++row) {
            for (uint32_t column = 0; column < p.dValue; column += c0) {
                uint32_t count = p.dValue - column < c0 ? p.dValue - column : c0;
                uint64_t from = src.offset + (uint64_t(matrix) * p.srcNdMatrixStride * 256 + uint64_t(column / c0) * p.srcNStride * c0 + uint64_t(row) * c0) * sizeof(T);
                uint64_t to = uint64_t(matrix) * p.dstNdMatrixStride + uint64_t(row) * p.dstDStride + column;
                if (!in_bounds(src.space, from, count * sizeof(T), src.low, src.high, false)) return;
                if (!touch_read(src.space, uint32_t(from), uint32_t(count * sizeof(T)))) uninitialised_use(src.space, uint32_t(from), uint32_t(count * sizeof(T)), "copies to GM");
                if (!dst.check(to, count, "DataCopy", true) || !gm_access(dst.start + to, count * sizeof(T), true, core->memory[src.space] + from)) return;
                std::memcpy(dst.start + to, core->memory[src.space] + from, count * sizeof(T));
                core->counters.ub_to_gm += count * sizeof(T);
            }
        }
    }
}

}  // namespace AscendC
