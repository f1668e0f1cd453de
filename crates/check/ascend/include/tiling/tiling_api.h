// The host's tiling of matrix products: a plain split over cores and into base blocks that fit the cube's memories. The
// real one searches for the fastest; every split that it may give is as right as this.
#pragma once

// The real header brings these to programs that do not include them.
#include <algorithm>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include <kernel_tiling/kernel_tiling.h>
#include <register/tilingdata_base.h>
#include <tiling/platform/platform_ascendc.h>

namespace matmul_tiling {

enum class TPosition : uint8_t { GM = 0, A1, A2, B1, B2, C1, C2, CO1, CO2, VECIN, VECOUT, VECCALC, LCM = VECCALC, SPM, SHM = SPM, TSCM, MAX };
enum class CubeFormat { ND = 0, NZ, ZN, ZZ, NN, ND_ALIGN, SCALAR, VECTOR, COLUMN_MAJOR, ROW_MAJOR };
enum class DataType : int32_t {
    DT_FLOAT = 0, DT_FLOAT16 = 1, DT_INT8 = 2, DT_INT32 = 3, DT_UINT8 = 4, DT_INT16 = 6, DT_UINT16 = 7, DT_UINT32 = 8, DT_INT64 = 9, DT_UINT64 = 10, DT_DOUBLE = 11,
    DT_BOOL = 12, DT_BF16 = 27, DT_BFLOAT16 = 27, DT_INT4 = 29
};
enum class MatrixTraverse : int32_t { NOSET = 0, FIRSTM, FIRSTN };
enum class DequantType : int32_t { SCALAR = 0, TENSOR };
enum class ScheduleType { INNER_PRODUCT = 0, OUTER_PRODUCT, N_BUFFER_33 };

class MatmulApiTilingBase {
public:
    MatmulApiTilingBase() = default;
    explicit MatmulApiTilingBase(const platform_ascendc::PlatformAscendC&) {}
    int32_t SetAType(TPosition, CubeFormat, DataType type, bool trans = false) { (void)trans; element = bytes(type); return 0; }
    int32_t SetBType(TPosition, CubeFormat, DataType, bool = false) { return 0; }
    int32_t SetCType(TPosition, CubeFormat, DataType) { return 0; }
    int32_t SetBiasType(TPosition, CubeFormat, DataType) { return 0; }
    int32_t SetDequantType(DequantType) { return 0; }
    int32_t SetShape(int32_t m, int32_t n, int32_t k) { shape[0] = m; shape[1] = n; shape[2] = k; return 0; }
    int32_t SetOrgShape(int32_t m, int32_t n, int32_t k) { return SetOrgShape(m, n, k, k); }
    int32_t SetOrgShape(int32_t m, int32_t n, int32_t ka, int32_t kb) {
        org[0] = m; org[1] = n; org[2] = ka; org[3] = kb;
        if (!shape[0]) SetShape(m, n, ka);
        return 0;
    }
    int32_t SetSingleShape(int32_t m = -1, int32_t n = -1, int32_t k = -1) { single[0] = m; single[1] = n; single[2] = k; return 0; }
    int32_t SetFixSplit(int32_t m = -1, int32_t n = -1, int32_t k = -1) { base[0] = m; base[1] = n; base[2] = k; return 0; }
    int32_t SetBufferSpace(int32_t = -1, int32_t = -1, int32_t = -1, int32_t = -1) { return 0; }
    int32_t SetTraverse(MatrixTraverse order) { traverse = order; return 0; }
    int32_t EnableBias(bool yes = true) { bias = yes; return 0; }
    int32_t SetBias(bool yes = true) { bias = yes; return 0; }
    int32_t SetMadType(int32_t) { return 0; }
    int32_t SetDoubleBuffer(bool, bool, bool, bool, bool = true, bool = true) { return 0; }
    int32_t SetSparse(bool) { return 0; }
    template <typename... A> int32_t SetMatmulConfigParams(A...) { return 0; }
    template <typename... A> int32_t SetALayout(A...) { return 0; }
    template <typename... A> int32_t SetBLayout(A...) { return 0; }
    template <typename... A> int32_t SetCLayout(A...) { return 0; }
    template <typename... A> int32_t SetBatchInfoForNormal(A...) { return 0; }
    int32_t SetBatchNum(int32_t) { return 0; }
    int32_t GetBaseM() const { return found[0]; }
    int32_t GetBaseN() const { return found[1]; }
    int32_t GetBaseK() const { return found[2]; }
    int64_t GetTiling(TCubeTiling& t) {
        if (org[0] <= 0 || org[1] <= 0 || org[2] <= 0) return -1;
        auto round = [](int32_t value, int32_t to) { return (value + to - 1) / to * to; };
        t = TCubeTiling();
        t.M = org[0]; t.N = org[1]; t.Ka = org[2]; t.Kb = org[3];
        int32_t m = shape[0], n = shape[1], k = shape[2];
        // Rows first, as far as whole fractals of 16 reach, then columns.
        int32_t rows = std::min(cores, (m + 15) / 16), part_m = round((m + rows - 1) / rows, 16);
        rows = (m + part_m - 1) / part_m;
        if (base[1] > 0 && (n + base[1] - 1) / base[1] >= cores) {
            // With a fixed base block that cuts the columns, they go to the cores whole.
            rows = 1;
            part_m = round(m, 16);
        }
        int32_t columns = std::max(1, std::min(cores / rows, (n + 15) / 16)), part_n = round((n + columns - 1) / columns, 16);
        columns = (n + part_n - 1) / part_n;
        t.singleCoreM = single[0] > 0 ? single[0] : rows == 1 ? m : part_m;
        t.singleCoreN = single[1] > 0 ? single[1] : columns == 1 ? n : part_n;
        t.singleCoreK = single[2] > 0 ? single[2] : k;
        rows = (m + t.singleCoreM - 1) / t.singleCoreM;
        columns = (n + t.singleCoreN - 1) / t.singleCoreN;
        t.usedCoreNum = rows * columns;
        split[0] = rows; split[1] = columns;
        t.baseM = base[0] > 0 ? base[0] : std::min(128, round(t.singleCoreM, 16));
        t.baseN = base[1] > 0 ? base[1] : std::min(128, round(t.singleCoreN, 16));
        int32_t c0 = 32 / element;
        t.baseK = base[2] > 0 ? base[2] : std::min(round(t.singleCoreK, c0), 32768 / element / 128);
        t.depthA1 = t.depthB1 = t.stepM = t.stepN = t.stepKa = t.stepKb = 1;
        t.dbL0A = t.dbL0B = 2;
        t.dbL0C = 1;
        t.isBias = bias;
        t.iterateOrder = traverse == MatrixTraverse::FIRSTN ? 1 : 0;
        t.shareL1Size = (t.baseM + t.baseN) * t.baseK * element;
        t.shareL0CSize = t.baseM * t.baseN * 4;
        t.BatchNum = 1;
        found[0] = t.baseM; found[1] = t.baseN; found[2] = t.baseK;
        return 0;
    }

protected:
    static int32_t bytes(DataType type) {
        return type == DataType::DT_FLOAT || type == DataType::DT_INT32 ? 4 : type == DataType::DT_INT8 || type == DataType::DT_UINT8 || type == DataType::DT_INT4 ? 1 : 2;
    }
    int32_t org[4] = {}, shape[3] = {}, single[3] = {-1, -1, -1}, base[3] = {-1, -1, -1}, found[3] = {}, split[2] = {1, 1};
    int32_t cores = 1, element = 2;
    bool bias = false;
    MatrixTraverse traverse = MatrixTraverse::NOSET;
};

class MatmulApiTiling : public MatmulApiTilingBase {
public:
    using MatmulApiTilingBase::MatmulApiTilingBase;
};
class MultiCoreMatmulTiling : public MatmulApiTilingBase {
public:
    using MatmulApiTilingBase::MatmulApiTilingBase;
    int32_t SetDim(int32_t dim) { cores = std::max(1, dim); return 0; }
    int32_t SetSingleRange(int32_t = -1, int32_t = -1, int32_t = -1, int32_t = -1, int32_t = -1, int32_t = -1) { return 0; }
    int32_t GetCoreNum(int32_t& dim, int32_t& m, int32_t& n) {
        m = split[0];
        n = split[1];
        dim = m * n;
        return 0;
    }
    void SetAlignSplit(int32_t, int32_t, int32_t) {}
    int32_t EnableMultiCoreSplitK(bool) { return 0; }
    int32_t SetSplitK(bool) { return 0; }
    int32_t SetSplitRange(int32_t = -1, int32_t = -1, int32_t = -1, int32_t = -1, int32_t = -1, int32_t = -1) { return 0; }
};
class BatchMatmulTiling : public MatmulApiTilingBase {
public:
    using MatmulApiTilingBase::MatmulApiTilingBase;
};

}  // namespace matmul_tiling

// Temporary memory of the library's functions: none is needed here; these are sizes that hold for the chip's functions
// too, as multiples of the source.
namespace AscendC {

class TensorShape {
public:
    TensorShape() = default;
    TensorShape(std::initializer_list<int64_t> sizes) : sizes(sizes) {}
    TensorShape(const std::vector<int64_t>& sizes) : sizes(sizes) {}
    size_t GetDimNum() const { return sizes.size(); }
    int64_t GetDim(size_t i) const { return i < sizes.size() ? sizes[i] : 0; }
    int64_t GetShapeSize() const {
        int64_t all = 1;
        for (int64_t size : sizes) all *= size;
        return all;
    }
private:
    std::vector<int64_t> sizes;
};

template <typename Shape> inline uint32_t port_temporary(const Shape& shape, uint32_t size, uint32_t factor) {
    return uint32_t((std::max<int64_t>(shape.GetShapeSize(), 256 / int64_t(size ? size : 1)) * int64_t(size ? size : 1) * factor + 31) / 32 * 32);
}
#define PORT_ASCEND_TEMPORARY(Name, factor)                                                                                                  \
    template <typename Shape> inline void Get##Name##MaxMinTmpSize(const Shape& shape, const uint32_t size, const bool, uint32_t& most, uint32_t& least) { \
        least = port_temporary(shape, size, 1);                                                                                              \
        most = port_temporary(shape, size, factor);                                                                                          \
    }
PORT_ASCEND_TEMPORARY(Tanh, 3) PORT_ASCEND_TEMPORARY(Sin, 6) PORT_ASCEND_TEMPORARY(Cos, 6) PORT_ASCEND_TEMPORARY(Tan, 8) PORT_ASCEND_TEMPORARY(Sinh, 4)
PORT_ASCEND_TEMPORARY(Cosh, 4) PORT_ASCEND_TEMPORARY(Asin, 6) PORT_ASCEND_TEMPORARY(Acos, 6) PORT_ASCEND_TEMPORARY(Atan, 6) PORT_ASCEND_TEMPORARY(Asinh, 6)
PORT_ASCEND_TEMPORARY(Acosh, 4) PORT_ASCEND_TEMPORARY(Atanh, 6) PORT_ASCEND_TEMPORARY(Erf, 4) PORT_ASCEND_TEMPORARY(Erfc, 8) PORT_ASCEND_TEMPORARY(Floor, 3)
PORT_ASCEND_TEMPORARY(Ceil, 3) PORT_ASCEND_TEMPORARY(Trunc, 3) PORT_ASCEND_TEMPORARY(Round, 3) PORT_ASCEND_TEMPORARY(Frac, 4) PORT_ASCEND_TEMPORARY(Sign, 3)
PORT_ASCEND_TEMPORARY(Lgamma, 8) PORT_ASCEND_TEMPORARY(Digamma, 8) PORT_ASCEND_TEMPORARY(Exp, 4) PORT_ASCEND_TEMPORARY(Fmod, 3) PORT_ASCEND_TEMPORARY(Xor, 3)
PORT_ASCEND_TEMPORARY(Axpy, 4) PORT_ASCEND_TEMPORARY(Clamp, 1) PORT_ASCEND_TEMPORARY(Sigmoid, 3) PORT_ASCEND_TEMPORARY(GeGLU, 4) PORT_ASCEND_TEMPORARY(LayerNorm, 4)
PORT_ASCEND_TEMPORARY(RmsNorm, 4) PORT_ASCEND_TEMPORARY(Mean, 1) PORT_ASCEND_TEMPORARY(CumSum, 3)
#undef PORT_ASCEND_TEMPORARY
template <typename Shape> inline void GetSiluTmpSize(const Shape& shape, const uint32_t size, const bool, uint32_t& most, uint32_t& least) { most = least = port_temporary(shape, size, 1); }
template <typename Shape> inline void GetSwishTmpSize(const Shape& shape, const uint32_t size, const bool, uint32_t& most, uint32_t& least) { most = least = port_temporary(shape, size, 1); }
template <typename Shape> inline void GetSwiGLUMaxMinTmpSize(const Shape& shape, const uint32_t size, uint32_t& most, uint32_t& least, const bool) { most = least = port_temporary(shape, size, 4); }
template <typename Shape> inline uint32_t GetGeluMinTmpSize(const Shape& shape, const uint32_t size) { return port_temporary(shape, size, 2); }
template <typename Shape> inline uint32_t GetGeluMaxTmpSize(const Shape& shape, const uint32_t size) { return port_temporary(shape, size, 4); }
template <typename Shape> inline uint32_t GetSoftMaxMinTmpSize(const Shape& shape, const uint32_t size, const bool) { return port_temporary(shape, size, 1); }
template <typename Shape> inline uint32_t GetSoftMaxMaxTmpSize(const Shape& shape, const uint32_t size, const bool) { return port_temporary(shape, size, 2); }
inline void GetSumMaxMinTmpSize(const uint32_t n, const uint32_t size, const bool, uint32_t& most, uint32_t& least) { most = least = (n * size + 31) / 32 * 32; }
template <typename Shape> inline void GetPowerMaxMinTmpSize(const Shape& a, const Shape& b, const bool, const uint32_t size, const bool, uint32_t& most, uint32_t& least) {
    most = least = std::max(port_temporary(a, size, 8), port_temporary(b, size, 8));
}
template <typename Shape> inline void SoftMaxTilingFunc(const Shape& shape, const uint32_t size, const uint32_t, SoftMaxTiling& tiling) {
    tiling = SoftMaxTiling();
    size_t last = shape.GetDimNum();
    tiling.srcK = last ? uint32_t(shape.GetDim(last - 1)) : 0;
    tiling.srcM = tiling.srcK ? uint32_t(shape.GetShapeSize() / tiling.srcK) : 0;
    tiling.srcSize = tiling.srcM * tiling.srcK;
    tiling.outMaxM = tiling.srcM;
    tiling.outMaxK = size ? 32 / size : 0;
    tiling.outMaxSize = tiling.outMaxM * tiling.outMaxK;
}
template <typename Shape> inline void GetLayerNormNDTilingInfo(const Shape& shape, const uint32_t, const uint32_t, const bool, LayerNormTiling& tiling) {
    tiling = LayerNormTiling();
    tiling.bLength = uint32_t(shape.GetDim(0));
    tiling.sLength = uint32_t(shape.GetDim(1));
    tiling.hLength = uint32_t(shape.GetDim(2));
    tiling.originalHLength = shape.GetDimNum() > 3 ? uint32_t(shape.GetDim(3)) : tiling.hLength;
}
template <typename Shape> inline bool GetRmsNormTilingInfo(const Shape& shape, const Shape& original, uint32_t, uint32_t, RmsNormTiling& tiling, const bool = false) {
    tiling = RmsNormTiling();
    tiling.bLength = uint32_t(shape.GetDim(0));
    tiling.sLength = uint32_t(shape.GetDim(1));
    tiling.hLength = uint32_t(shape.GetDim(2));
    tiling.originalHLength = uint32_t(original.GetDim(2));
    return true;
}

}  // namespace AscendC
