// The Matmul object: C = A x B + bias, with A and B in global or local memory, as rows (ND) or in fractals (NZ). Products
// are accumulated in float (int32 for int8) in the order of k; the chip's own order inside a block is not documented. A
// call computes to its end at once: what is asynchronous on the chip is over when the call returns.
#pragma once

#include <kernel_tiling/kernel_tiling.h>
#include <port_ascend/copy.h>
#include <utility>

enum class CubeFormat { ND = 0, NZ, ZN, ZZ, NN, ND_ALIGN, SCALAR, VECTOR, COLUMN_MAJOR, ROW_MAJOR };
enum class LayoutMode { NONE = 0, BSNGD, SBNGD, BNGS1S2, NORMAL };
enum class IterateOrder { ORDER_M = 0, ORDER_N, UNDEF };

namespace port_ascend {

// A matrix of `rows` x `columns` elements in memory of `stride` elements a line (ND) or `lines` lines (NZ).
struct MatrixView {
    Space space;
    const uint8_t* gm;
    const uint8_t* limit;
    LocalPart local;
    uint32_t element;
    bool fractal, transposed;
    uint64_t stride, lines;
};
// Checks and fetches a row-major rows x columns part into `out` (elements of the matrix's own type).
bool fetch_matrix(const char* call, Site site, const MatrixView& view, uint64_t row, uint64_t column, uint64_t rows, uint64_t columns, uint8_t* out);
// Writes one; `combine` with the atomic in force.
bool store_matrix(const char* call, Site site, const MatrixView& view, uint64_t row, uint64_t column, uint64_t rows, uint64_t columns, const uint8_t* in, const char* type,
                  Combine combine, bool add);
uint8_t* matrix_room(int which, size_t bytes);
void matrix_done(uint64_t macs);  // counts, and orders all that follows after the product

template <typename T> struct Accumulator { typedef float type; };
template <> struct Accumulator<int8_t> { typedef int32_t type; };
template <> struct Accumulator<uint8_t> { typedef int32_t type; };

}  // namespace port_ascend

namespace AscendC {

using ::CubeFormat;
using ::IterateOrder;
using ::LayoutMode;

template <TPosition place, CubeFormat cubeFormat, typename Type, bool trans = false, LayoutMode layoutMode = LayoutMode::NONE, bool share = false, TPosition source = TPosition::GM>
struct MatmulType {
    static constexpr TPosition pos = place, srcPos = source;
    static constexpr CubeFormat format = cubeFormat;
    static constexpr bool isTrans = trans, ibShare = share;
    static constexpr LayoutMode layout = layoutMode;
    using T = Type;
};

struct MatmulConfig {
    bool doNorm = true, doBasicBlock = false, doMultiDataLoad = false;
    uint32_t basicM = 0, basicN = 0, basicK = 0;
    bool intrinsicsCheck = false, isNBatch = false, enVecND2NZ = false, doSpecialBasicBlock = false;
    uint32_t doMTE2Preload = 0, singleCoreM = 0, singleCoreN = 0, singleCoreK = 0, stepM = 0, stepN = 0, baseMN = 0, singleCoreMN = 0;
    bool enUnitFlag = true, isPerTensor = false, hasAntiQuantOffset = false, doIBShareNorm = false, doSpecialMDL = false, enableInit = true;
    int batchMode = 0;
    bool enableEnd = true, enableGetTensorC = true, enableSetOrgShape = true, enableSetBias = true, enableSetTail = true, enableQuantVector = true, enableSetDefineData = true;
    uint8_t iterateMode = 0;
    bool enableReuse = true, enableUBReuse = false, enableL1CacheUB = false, intraBlockPartSum = false;
    IterateOrder iterateOrder = IterateOrder::UNDEF;
    int scheduleType = 0;
    bool enableDoubleCache = false, isBiasBatch = true, enableStaticPadZeros = false, isPartialOutput = false, enableMixDualMaster = false, isA2B2Shared = false;
    bool isEnableChannelSplit = false, enableKdimReorderLoad = false, isCO1Shared = false;
    uint32_t sharedCO1BufferSize = 0;
    bool enableL1BankConflictOptimise = false;
};
constexpr MatmulConfig CFG_NORM{}, CFG_MDL{}, CFG_IBSHARE_NORM{}, MM_CFG_BB{};
constexpr MatmulConfig GetNormalConfig(bool = false, bool = false, bool = false, int = 0, bool = true, IterateOrder = IterateOrder::UNDEF, int = 0, bool = true, bool = false) { return {}; }
constexpr MatmulConfig GetMDLConfig(bool = false, bool = false, uint32_t = 0, bool = false, bool = false, bool = true, bool = true, bool = false, bool = true, bool = false) { return {}; }
constexpr MatmulConfig GetSpecialMDLConfig(bool = false, bool = false, uint32_t = 0, bool = false, bool = true) { return {}; }
constexpr MatmulConfig GetIBShareNormConfig(bool = false, bool = false, bool = false, int = 0, bool = true) { return {}; }
constexpr MatmulConfig GetBasicConfig(uint32_t = 0, uint32_t = 0, uint32_t = 0, bool = false, bool = false, int = 0, bool = true) { return {}; }
template <class A = void, class B = void, class C = void> struct MatmulCallBackFunc {};

template <class A_TYPE, class B_TYPE, class C_TYPE, class BIAS_TYPE = C_TYPE, const auto& MM_CFG = CFG_NORM, class... Rest> class MatmulImpl {
public:
    using SrcT = typename A_TYPE::T;
    using SrcBT = typename B_TYPE::T;
    using DstT = typename C_TYPE::T;
    using BiasT = typename BIAS_TYPE::T;

    MatmulImpl() = default;
    template <typename Tiling> void Init(const Tiling* given, TPipe* = nullptr) {
        if (!given) return;
        std::memcpy(static_cast<void*>(&tiling), given, sizeof tiling);
        SetOrgShape(tiling.M, tiling.N, tiling.Ka, tiling.Kb);
        single[0] = tiling.singleCoreM;
        single[1] = tiling.singleCoreN;
        single[2] = tiling.singleCoreK;
    }
    void SetSubBlockIdx(uint8_t) {}
    void SetOrgShape(int m, int n, int k) { SetOrgShape(m, n, k, k, 0); }
    void SetOrgShape(int m, int n, int ka, int kb, int nc = 0) { org[0] = m; org[1] = n; org[2] = ka; org[3] = kb; org[4] = nc; }
    void SetSingleShape(int m, int n, int k) { single[0] = m; single[1] = n; single[2] = k; restart(); }
    void SetTail(int m = -1, int n = -1, int k = -1) {
        if (m != -1) single[0] = m;
        if (n != -1) single[1] = n;
        if (k != -1) single[2] = k;
        restart();
    }
    void SetTensorA(const GlobalTensor<SrcT>& t, bool trans = false) { a = view(t, trans, A_TYPE::format); restart(); }
    void SetTensorA(const LocalTensor<SrcT>& t, bool trans = false) { a = view(t, trans, A_TYPE::format); restart(); }
    void SetTensorB(const GlobalTensor<SrcBT>& t, bool trans = false) { b = view(t, trans, B_TYPE::format); restart(); }
    void SetTensorB(const LocalTensor<SrcBT>& t, bool trans = false) { b = view(t, trans, B_TYPE::format); restart(); }
    void SetBias(const GlobalTensor<BiasT>& t) { bias = view(t, false, CubeFormat::ND); has_bias = true; }
    void SetBias(const LocalTensor<BiasT>& t) { bias = view(t, false, CubeFormat::ND); has_bias = true; }
    void ClearBias() { has_bias = false; }
    void DisableBias() { has_bias = false; }
    void SetHF32(bool = false, int32_t = 0) {}
    void SetBatchNum(int32_t, int32_t) {}
    void SetLocalWorkspace(const LocalTensor<uint8_t>&) {}
    template <typename W> void SetWorkspace(W&&, int = 0) {}
    template <typename W> void SetUserDefInfo(const W&) {}
    template <typename W> void SetSelfDefineData(const W&) {}
    void End() { started = false; }
    void WaitIterateAll() {}
    void WaitGetTensorC() {}
    void WaitIterateBatch() {}

    template <bool sync = true> bool Iterate(bool enPartialSum = false, PORT_ASCEND_SITE) {
        (void)enPartialSum;
        (void)site;
        if (tiling.baseM <= 0 || tiling.baseN <= 0) return false;
        int m = (single[0] + tiling.baseM - 1) / tiling.baseM, n = (single[1] + tiling.baseN - 1) / tiling.baseN;
        at = started ? at + 1 : 0;
        started = true;
        if (at >= m * n) { started = false; return false; }
        // 0: along the rows first.
        block_m = tiling.iterateOrder == 1 ? at / n : at % m;
        block_n = tiling.iterateOrder == 1 ? at % n : at / m;
        return true;
    }
    template <bool sync = true> void IterateAll(const GlobalTensor<DstT>& c, uint8_t enAtomic = 0, bool enSequentialWrite = false, bool waitIterateAll = false, bool fakeMsg = false, PORT_ASCEND_SITE) {
        (void)enSequentialWrite; (void)waitIterateAll; (void)fakeMsg;
        compute("Matmul::IterateAll", view(c, false, C_TYPE::format), 0, 0, single[0], single[1], 0, 0, c_stride(), enAtomic, site);
    }
    template <bool sync = true> void IterateAll(const LocalTensor<DstT>& c, uint8_t enAtomic = 0, PORT_ASCEND_SITE) {
        compute("Matmul::IterateAll", view(c, false, C_TYPE::format), 0, 0, single[0], single[1], 0, 0, local_stride(single[1]), enAtomic, site);
    }
    template <bool sync = true, bool doPad = false> void GetTensorC(const GlobalTensor<DstT>& c, uint8_t enAtomic = 0, bool enSequentialWrite = false, PORT_ASCEND_SITE) {
        int rows = rows_now(), columns = columns_now();
        int row = block_m * tiling.baseM, column = block_n * tiling.baseN;
        if (enSequentialWrite) compute("Matmul::GetTensorC", view(c, false, C_TYPE::format), row, column, rows, columns, 0, 0, tiling.baseN, enAtomic, site);
        else compute("Matmul::GetTensorC", view(c, false, C_TYPE::format), row, column, rows, columns, row, column, c_stride(), enAtomic, site);
    }
    template <bool sync = true, bool doPad = false> void GetTensorC(const LocalTensor<DstT>& c, uint8_t enAtomic = 0, bool enSequentialWrite = false, PORT_ASCEND_SITE) {
        int rows = rows_now(), columns = columns_now(), row = block_m * tiling.baseM, column = block_n * tiling.baseN;
        if (enSequentialWrite) compute("Matmul::GetTensorC", view(c, false, C_TYPE::format), row, column, rows, columns, 0, 0, local_stride(tiling.baseN), enAtomic, site);
        else compute("Matmul::GetTensorC", view(c, false, C_TYPE::format), row, column, rows, columns, row, column, local_stride(single[1]), enAtomic, site);
    }
    struct MatrixOffset { int32_t offset, row, col, height, width; };
    MatrixOffset GetOffsetC() const { return {block_m * tiling.baseM * c_stride() + block_n * tiling.baseN, block_m * tiling.baseM, block_n * tiling.baseN, rows_now(), columns_now()}; }

private:
    template <typename T> static port_ascend::MatrixView view(const GlobalTensor<T>& t, bool trans, CubeFormat format) {
        return {port_ascend::space_gm, port_start(t), port_limit(t), {}, uint32_t(sizeof(T)), format == CubeFormat::NZ, trans, 0, 0};
    }
    template <typename T> static port_ascend::MatrixView view(const LocalTensor<T>& t, bool trans, CubeFormat format) {
        return {t.space, nullptr, nullptr, port_ascend::part_of(t), uint32_t(sizeof(T)), format == CubeFormat::NZ, trans, 0, 0};
    }
    int c_stride() const { return org[4] ? org[4] : org[1]; }
    // Rows in local memory start at whole data blocks.
    static int local_stride(int columns) {
        int per = 32 / int(sizeof(DstT));
        return (columns + per - 1) / per * per;
    }
    int rows_now() const { int left = single[0] - block_m * tiling.baseM; return left < tiling.baseM ? left : tiling.baseM; }
    int columns_now() const { int left = single[1] - block_n * tiling.baseN; return left < tiling.baseN ? left : tiling.baseN; }
    void restart() { started = false; }

    void compute(const char* call, port_ascend::MatrixView c, int row, int column, int rows, int columns, int to_row, int to_column, int stride, uint8_t add, port_ascend::Site site) {
        using namespace port_ascend;
        using Wide = typename Accumulator<SrcT>::type;
        if (!check_product(call, site)) return;
        int depth = single[2];
        if (rows <= 0 || columns <= 0 || depth <= 0) return;
        MatrixView left = a, right = b;
        bool local_a = left.space != space_gm, local_b = right.space != space_gm;
        left.stride = uint64_t(left.transposed ? (local_a ? single[0] : org[0]) : (local_a ? pad(depth, left.element) : org[2]));
        left.lines = uint64_t(up16(left.transposed ? (local_a ? depth : org[2]) : (local_a ? single[0] : org[0])));
        right.stride = uint64_t(right.transposed ? (local_b ? pad(depth, right.element) : org[3]) : (local_b ? pad(single[1], right.element) : org[1]));
        right.lines = uint64_t(up16(right.transposed ? (local_b ? single[1] : org[1]) : (local_b ? depth : org[3])));
        auto* x = reinterpret_cast<SrcT*>(matrix_room(0, sizeof(SrcT) * size_t(rows) * size_t(depth)));
        auto* y = reinterpret_cast<SrcBT*>(matrix_room(1, sizeof(SrcBT) * size_t(depth) * size_t(columns)));
        auto* z = reinterpret_cast<DstT*>(matrix_room(2, sizeof(DstT) * size_t(rows) * size_t(columns)));
        auto* bias_row = reinterpret_cast<BiasT*>(matrix_room(3, sizeof(BiasT) * size_t(columns)));
        if (!fetch_matrix(call, site, left, uint64_t(row), 0, uint64_t(rows), uint64_t(depth), reinterpret_cast<uint8_t*>(x))) return;
        if (!fetch_matrix(call, site, right, 0, uint64_t(column), uint64_t(depth), uint64_t(columns), reinterpret_cast<uint8_t*>(y))) return;
        if (has_bias) {
            MatrixView line = bias;
            line.stride = uint64_t(single[1]);
            if (!fetch_matrix(call, site, line, 0, uint64_t(column), 1, uint64_t(columns), reinterpret_cast<uint8_t*>(bias_row))) return;
        }
        auto* sums = reinterpret_cast<Wide*>(matrix_room(4, sizeof(Wide) * size_t(columns)));
        for (int i = 0; i < rows; ++i) {
            for (int j = 0; j < columns; ++j) sums[j] = has_bias ? Wide(float(bias_row[j])) : Wide(0);
            for (int k = 0; k < depth; ++k) {
                Wide value = Wide(wide(x[size_t(i) * size_t(depth) + size_t(k)]));
                const SrcBT* line = y + size_t(k) * size_t(columns);
                for (int j = 0; j < columns; ++j) sums[j] += value * Wide(wide(line[j]));
            }
            for (int j = 0; j < columns; ++j) z[size_t(i) * size_t(columns) + size_t(j)] = DstT(sums[j]);
        }
        c.stride = uint64_t(stride);
        c.lines = uint64_t(up16(c.space == space_gm ? org[0] : single[0]));
        store_matrix(call, site, c, uint64_t(to_row), uint64_t(to_column), uint64_t(rows), uint64_t(columns), reinterpret_cast<uint8_t*>(z), type_name<DstT>(), combiner<DstT>(), add == 1);
        matrix_done(uint64_t(rows) * uint64_t(columns) * uint64_t(depth));
    }
    template <typename T> static auto wide(T value) {
        if constexpr (std::is_integral<T>::value) return int32_t(value);
        else return float(value);
    }
    static int up16(int value) { return (value + 15) / 16 * 16; }
    static int pad(int value, uint32_t element) { int per = 32 / int(element); return (value + per - 1) / per * per; }
    bool check_product(const char* call, port_ascend::Site site) const {
        if (org[0] <= 0 || org[1] <= 0 || single[0] <= 0) {
            port_ascend::report("matmul-use", call, site, "no shape is known: Init with the tiling (REGIST_MATMUL_OBJ) or SetOrgShape and SetSingleShape come first");
            return false;
        }
        if ((!a.gm && a.space == port_ascend::space_gm) || (!b.gm && b.space == port_ascend::space_gm)) {
            port_ascend::report("matmul-use", call, site, "SetTensorA and SetTensorB come first");
            return false;
        }
        return true;
    }

    TCubeTiling tiling;
    int org[5] = {}, single[3] = {};
    port_ascend::MatrixView a{port_ascend::space_gm, nullptr, nullptr, {}, 2, false, false, 0, 0}, b = a, bias = a;
    bool has_bias = false, started = false;
    int at = 0, block_m = 0, block_n = 0;
};

template <class A_TYPE, class B_TYPE, class C_TYPE, class BIAS_TYPE = C_TYPE, const auto& MM_CFG = CFG_NORM, class... Rest>
using Matmul = MatmulImpl<A_TYPE, B_TYPE, C_TYPE, BIAS_TYPE, MM_CFG, Rest...>;

inline void port_init_matmul() {}
template <typename M, typename T, typename... Rest> inline void port_init_matmul(M& object, T* tiling, Rest&&... rest);
template <typename M, typename... Rest> inline void port_init_matmul(M& object, std::nullptr_t, Rest&&... rest);
template <typename M, typename T, typename... Rest> inline void port_init_matmul(M& object, T* tiling, Rest&&... rest) {
    object.Init(tiling);
    port_init_matmul(std::forward<Rest>(rest)...);
}
template <typename M, typename... Rest> inline void port_init_matmul(M&, std::nullptr_t, Rest&&... rest) { port_init_matmul(std::forward<Rest>(rest)...); }
// Without a tiling the object is initialised later.
template <typename M> inline void port_init_matmul(M&) {}

}  // namespace AscendC

namespace matmul {
using namespace AscendC;
}  // namespace matmul
// These the headers offer without their namespace, too.
using AscendC::CFG_IBSHARE_NORM;
using AscendC::CFG_MDL;
using AscendC::CFG_NORM;
using AscendC::GetBasicConfig;
using AscendC::GetIBShareNormConfig;
using AscendC::GetMDLConfig;
using AscendC::GetNormalConfig;
using AscendC::GetSpecialMDLConfig;
using AscendC::MatmulConfig;

// In a mixed kernel the cube core serves the vector cores' products, which compute at once here: it has nothing to do.
#ifdef ASCENDC_CUBE_ONLY
#define REGIST_MATMUL_OBJ(pipe, workspace, ...)      \
    do {                                             \
        (void)(pipe);                                \
        (void)(workspace);                           \
        ::AscendC::port_init_matmul(__VA_ARGS__);    \
    } while (false)
#else
#define REGIST_MATMUL_OBJ(pipe, workspace, ...)      \
    ::port_ascend::mixed_needed();                   \
    if (ASCEND_IS_AIC) return;                       \
    (void)(pipe);                                    \
    (void)(workspace);                               \
    ::AscendC::port_init_matmul(__VA_ARGS__)
#endif
