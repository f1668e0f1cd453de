// The library above the instructions: mathematical functions, activations, normalisations, sums of rows. Each counts as
// one long vector instruction and needs no temporary memory here; results are those of the C library in float, rounded
// once to the element type. The chip's own sequences differ in the last units.
#pragma once

#include <kernel_tiling/kernel_tiling.h>
#include <port_ascend/reduce.h>
#include <port_ascend/sort.h>

namespace port_ascend {

// Functions that are more than a line.
float digamma(float x);
float round_even(float x);

template <typename T, typename F> inline void library_unary(const char* call, Site site, const AscendC::LocalTensor<T>& dst, const AscendC::LocalTensor<T>& src, int64_t count, F f) {
    if (!check_type<half, float>(call, site, "half and float", static_cast<T*>(nullptr))) return;
    unary(call, site, 16, dst, src, count, [f](T a) -> T { return T(f(float(a))); });
}

// rows x columns with a stride of lines, all of it initialised; false: an error was reported.
template <typename T> inline bool rows_use(const AscendC::LocalTensor<T>& t, uint32_t rows, uint32_t stride, uint32_t columns, const char* what) {
    for (uint32_t i = 0; i < rows; ++i) if (!range_use(t[i * stride], uint64_t(columns) * sizeof(T), what)) return false;
    return true;
}

}  // namespace port_ascend

namespace AscendC {

#define PORT_ASCEND_LIBRARY(Name, expression)                                                                                                                   \
    template <typename T, bool isReuseSource = false, const auto&... config>                                                                                    \
    inline void Name(const LocalTensor<T>& dst, const LocalTensor<T>& src, const uint32_t count, PORT_ASCEND_SITE) {                                            \
        port_ascend::library_unary(#Name, site, dst, src, count, [](float x) -> float { return float(expression); });                                           \
    }                                                                                                                                                           \
    template <typename T, bool isReuseSource = false, const auto&... config>                                                                                    \
    inline void Name(const LocalTensor<T>& dst, const LocalTensor<T>& src, const LocalTensor<uint8_t>& tmp, const uint32_t count, PORT_ASCEND_SITE) {           \
        (void)tmp;                                                                                                                                              \
        Name<T, isReuseSource, config...>(dst, src, count, site);                                                                                               \
    }                                                                                                                                                           \
    template <typename T, bool isReuseSource = false, const auto&... config>                                                                                    \
    inline void Name(const LocalTensor<T>& dst, const LocalTensor<T>& src, const LocalTensor<uint8_t>& tmp, PORT_ASCEND_SITE) {                                 \
        (void)tmp;                                                                                                                                              \
        Name<T, isReuseSource, config...>(dst, src, src.GetSize(), site);                                                                                       \
    }                                                                                                                                                           \
    template <typename T, bool isReuseSource = false, const auto&... config>                                                                                    \
    inline void Name(const LocalTensor<T>& dst, const LocalTensor<T>& src, PORT_ASCEND_SITE) {                                                                  \
        Name<T, isReuseSource, config...>(dst, src, src.GetSize(), site);                                                                                       \
    }
PORT_ASCEND_LIBRARY(Tanh, std::tanh(x))
PORT_ASCEND_LIBRARY(Sin, std::sin(x))
PORT_ASCEND_LIBRARY(Cos, std::cos(x))
PORT_ASCEND_LIBRARY(Tan, std::tan(x))
PORT_ASCEND_LIBRARY(Sinh, std::sinh(x))
PORT_ASCEND_LIBRARY(Cosh, std::cosh(x))
PORT_ASCEND_LIBRARY(Asin, std::asin(x))
PORT_ASCEND_LIBRARY(Acos, std::acos(x))
PORT_ASCEND_LIBRARY(Atan, std::atan(x))
PORT_ASCEND_LIBRARY(Asinh, std::asinh(x))
PORT_ASCEND_LIBRARY(Acosh, std::acosh(x))
PORT_ASCEND_LIBRARY(Atanh, std::atanh(x))
PORT_ASCEND_LIBRARY(Erf, std::erf(x))
PORT_ASCEND_LIBRARY(Erfc, std::erfc(x))
PORT_ASCEND_LIBRARY(Floor, std::floor(x))
PORT_ASCEND_LIBRARY(Ceil, std::ceil(x))
PORT_ASCEND_LIBRARY(Trunc, std::trunc(x))
PORT_ASCEND_LIBRARY(Rint, port_ascend::round_even(x))
PORT_ASCEND_LIBRARY(Round, port_ascend::round_even(x))
PORT_ASCEND_LIBRARY(Frac, x - std::trunc(x))
PORT_ASCEND_LIBRARY(Sign, x > 0 ? 1.0f : x < 0 ? -1.0f : 0.0f)
PORT_ASCEND_LIBRARY(Lgamma, std::lgamma(x))
PORT_ASCEND_LIBRARY(Digamma, port_ascend::digamma(x))
PORT_ASCEND_LIBRARY(Log, std::log(x))
PORT_ASCEND_LIBRARY(Log2, std::log2(x))
PORT_ASCEND_LIBRARY(Log10, std::log10(x))
PORT_ASCEND_LIBRARY(Sigmoid, 1.0f / (1.0f + std::exp(-x)))
PORT_ASCEND_LIBRARY(Silu, x / (1.0f + std::exp(-x)))
// Gelu by the tanh form, as its page gives it; FasterGelu by x * sigmoid(1.702 x).
#define PORT_ASCEND_GELU(Name, expression)                                                                                                                      \
    template <typename T, bool highPrecision = false, bool highPerformance = false>                                                                             \
    inline void Name(const LocalTensor<T>& dst, const LocalTensor<T>& src, const uint32_t count, PORT_ASCEND_SITE) {                                            \
        port_ascend::library_unary(#Name, site, dst, src, count, [](float x) -> float { return float(expression); });                                           \
    }                                                                                                                                                           \
    template <typename T, bool highPrecision = false, bool highPerformance = false>                                                                             \
    inline void Name(const LocalTensor<T>& dst, const LocalTensor<T>& src, const LocalTensor<uint8_t>& tmp, const uint32_t count, PORT_ASCEND_SITE) {           \
        (void)tmp;                                                                                                                                              \
        Name<T, highPrecision, highPerformance>(dst, src, count, site);                                                                                         \
    }
PORT_ASCEND_GELU(Gelu, x / (1.0f + std::exp(-1.5957691216057308f * (x + 0.044715f * x * x * x))))
PORT_ASCEND_GELU(FasterGelu, x / (1.0f + std::exp(-1.702f * x)))
PORT_ASCEND_GELU(FasterGeluV2, x / (1.0f + std::exp(-1.702f * x)))
template <typename T, uint8_t taylorExpandLevel, bool isReuseSource = false>
inline void Exp(const LocalTensor<T>& dst, const LocalTensor<T>& src, const LocalTensor<uint8_t>& tmp, const uint32_t count, PORT_ASCEND_SITE) {
    (void)tmp;
    port_ascend::library_unary("Exp", site, dst, src, count, [](float x) { return std::exp(x); });
}
template <typename T, bool isReuseSource = false>
inline void Swish(const LocalTensor<T>& dst, const LocalTensor<T>& src, uint32_t count, const ::port_ascend::same_t<T> scalar, PORT_ASCEND_SITE) {
    port_ascend::library_unary("Swish", site, dst, src, count, [scalar](float x) { return x / (1.0f + std::exp(-float(scalar) * x)); });
}

#define PORT_ASCEND_LIBRARY2(Name, expression)                                                                                                                  \
    template <typename T, bool isReuseSource = false, const auto&... config>                                                                                    \
    inline void Name(const LocalTensor<T>& dst, const LocalTensor<T>& src0, const LocalTensor<T>& src1, uint32_t count, PORT_ASCEND_SITE) {                     \
        port_ascend::binary(#Name, site, 16, dst, src0, src1, count, [](T a, T b) -> T { (void)a; (void)b; return T(expression); });                            \
    }                                                                                                                                                           \
    template <typename T, bool isReuseSource = false, const auto&... config>                                                                                    \
    inline void Name(const LocalTensor<T>& dst, const LocalTensor<T>& src0, const LocalTensor<T>& src1, const LocalTensor<uint8_t>& tmp, uint32_t count, PORT_ASCEND_SITE) { \
        (void)tmp;                                                                                                                                              \
        Name<T, isReuseSource, config...>(dst, src0, src1, count, site);                                                                                        \
    }                                                                                                                                                           \
    template <typename T, bool isReuseSource = false, const auto&... config>                                                                                    \
    inline void Name(const LocalTensor<T>& dst, const LocalTensor<T>& src0, const LocalTensor<T>& src1, const LocalTensor<uint8_t>& tmp, PORT_ASCEND_SITE) {     \
        (void)tmp;                                                                                                                                              \
        Name<T, isReuseSource, config...>(dst, src0, src1, src0.GetSize(), site);                                                                               \
    }                                                                                                                                                           \
    template <typename T, bool isReuseSource = false, const auto&... config>                                                                                    \
    inline void Name(const LocalTensor<T>& dst, const LocalTensor<T>& src0, const LocalTensor<T>& src1, PORT_ASCEND_SITE) {                                     \
        Name<T, isReuseSource, config...>(dst, src0, src1, src0.GetSize(), site);                                                                               \
    }
template <typename T> inline T port_power(T a, T b) {
    if constexpr (std::is_integral<T>::value) return T(std::llround(std::pow(double(a), double(b))));
    else return T(std::pow(float(a), float(b)));
}
template <typename T> inline T port_xor(T a, T b) {
    if constexpr (std::is_integral<T>::value) return T(a ^ b);
    else return a;
}
PORT_ASCEND_LIBRARY2(Power, port_power(a, b))
PORT_ASCEND_LIBRARY2(Xor, port_xor(a, b))
PORT_ASCEND_LIBRARY2(Fmod, std::fmod(float(a), float(b)))
PORT_ASCEND_LIBRARY2(Hypot, std::hypot(float(a), float(b)))
template <typename T, bool isReuseSource = false, const auto&... config>
inline void Power(const LocalTensor<T>& dst, const LocalTensor<T>& src, const T& scalar, uint32_t count, PORT_ASCEND_SITE) {
    port_ascend::unary("Power", site, 16, dst, src, count, [scalar](T a) -> T { return port_power(a, scalar); });
}
template <typename T, bool isReuseSource = false, const auto&... config>
inline void Power(const LocalTensor<T>& dst, const LocalTensor<T>& src, const T& scalar, const LocalTensor<uint8_t>& tmp, uint32_t count, PORT_ASCEND_SITE) {
    (void)tmp;
    Power<T, isReuseSource, config...>(dst, src, scalar, count, site);
}
template <typename T, bool isReuseSource = false, const auto&... config>
inline void Power(const LocalTensor<T>& dst, const T& scalar, const LocalTensor<T>& src, uint32_t count, PORT_ASCEND_SITE) {
    port_ascend::unary("Power", site, 16, dst, src, count, [scalar](T a) -> T { return port_power(scalar, a); });
}
template <typename T, bool isReuseSource = false, const auto&... config>
inline void Power(const LocalTensor<T>& dst, const T& scalar, const LocalTensor<T>& src, const LocalTensor<uint8_t>& tmp, uint32_t count, PORT_ASCEND_SITE) {
    (void)tmp;
    Power<T, isReuseSource, config...>(dst, scalar, src, count, site);
}
#define PORT_ASCEND_CLAMP(Name, expression)                                                                                                                     \
    template <typename T, bool isReuseSource = false>                                                                                                           \
    inline void Name(const LocalTensor<T>& dst, const LocalTensor<T>& src, const ::port_ascend::same_t<T> scalar, const uint32_t count, PORT_ASCEND_SITE) {      \
        port_ascend::unary(#Name, site, 2, dst, src, count, [b = scalar](T a) -> T { return expression; });                                                     \
    }                                                                                                                                                           \
    template <typename T, bool isReuseSource = false>                                                                                                           \
    inline void Name(const LocalTensor<T>& dst, const LocalTensor<T>& src, const LocalTensor<uint8_t>& tmp, const ::port_ascend::same_t<T> scalar,               \
                     const uint32_t count, PORT_ASCEND_SITE) {                                                                                                  \
        (void)tmp;                                                                                                                                              \
        Name<T, isReuseSource>(dst, src, scalar, count, site);                                                                                                  \
    }
PORT_ASCEND_CLAMP(ClampMax, port_ascend::smaller(a, b))
PORT_ASCEND_CLAMP(ClampMin, port_ascend::larger(a, b))
// dst = src0 * swish(src1): the pages' definitions of the gated units.
#define PORT_ASCEND_GATED(Name, gate)                                                                                                                           \
    template <typename T, bool isReuseSource = false>                                                                                                           \
    inline void Name(const LocalTensor<T>& dst, const LocalTensor<T>& src0, const LocalTensor<T>& src1, uint32_t count, PORT_ASCEND_SITE) {                     \
        port_ascend::binary(#Name, site, 16, dst, src0, src1, count, [](T a, T b) -> T { float x = float(b); return T(float(a) * float(gate)); });               \
    }                                                                                                                                                           \
    template <typename T, bool isReuseSource = false>                                                                                                           \
    inline void Name(const LocalTensor<T>& dst, const LocalTensor<T>& src0, const LocalTensor<T>& src1, const LocalTensor<uint8_t>& tmp, uint32_t count, PORT_ASCEND_SITE) { \
        (void)tmp;                                                                                                                                              \
        Name<T, isReuseSource>(dst, src0, src1, count, site);                                                                                                   \
    }
PORT_ASCEND_GATED(ReGlu, x > 0 ? x : 0.0f)
PORT_ASCEND_GATED(GeGLU, x / (1.0f + std::exp(-1.5957691216057308f * (x + 0.044715f * x * x * x))))
template <typename T, bool isReuseSource = false>
inline void SwiGLU(LocalTensor<T>& dst, LocalTensor<T>& src0, LocalTensor<T>& src1, const float& beta, uint32_t count, PORT_ASCEND_SITE) {
    port_ascend::binary("SwiGLU", site, 16, dst, src0, src1, count, [beta](T a, T b) -> T { float x = float(b); return T(float(a) * (x / (1.0f + std::exp(-beta * x)))); });
}
template <typename T, bool isReuseSource = false>
inline void SwiGLU(LocalTensor<T>& dst, LocalTensor<T>& src0, LocalTensor<T>& src1, const float& beta, const LocalTensor<uint8_t>& tmp, uint32_t count, PORT_ASCEND_SITE) {
    (void)tmp;
    SwiGLU<T, isReuseSource>(dst, src0, src1, beta, count, site);
}
template <typename T, bool isReuseSource = false>
inline void SwiGLU(LocalTensor<T>& dst, LocalTensor<T>& src0, LocalTensor<T>& src1, const float& beta, PORT_ASCEND_SITE) {
    SwiGLU<T, isReuseSource>(dst, src0, src1, beta, src0.GetSize(), site);
}
template <typename T, bool isReuseSource = false>
inline void SwiGLU(LocalTensor<T>& dst, LocalTensor<T>& src0, LocalTensor<T>& src1, const float& beta, const LocalTensor<uint8_t>& tmp, PORT_ASCEND_SITE) {
    (void)tmp;
    SwiGLU<T, isReuseSource>(dst, src0, src1, beta, src0.GetSize(), site);
}

// ---- rows ---------------------------------------------------------------------------------------

struct SumParams { uint32_t outter = 1, inner = 0, n = 0; };
struct MeanParams { uint32_t outter = 1, inner = 0, n = 0; };
template <typename T, typename P> inline void port_row_sums(const char* call, const LocalTensor<T>& dst, const LocalTensor<T>& src, const P& p, float divisor, port_ascend::Site site) {
    using namespace port_ascend;
    for (uint32_t row = 0; row < p.outter; ++row) {
        Shape shape = shape_of_count(p.n, sizeof(T));
        Operand from = operand(src[row * p.inner]);
        if (!reduce_start<T>(call, site, shape, from, 4)) return;
        T sum = repeat_sum<T>(from, shape, 0);
        for (uint32_t repeat = 1; repeat < shape.repeats; ++repeat) sum = wrap_add(sum, repeat_sum<T>(from, shape, repeat));
        if (!reduce_store(dst, row, divisor == 1 ? sum : T(float(sum) / divisor))) return;
    }
}
template <typename T, int32_t reduceDim = -1, bool isReuseSource = false, bool isBasicBlock = false>
inline void Sum(const LocalTensor<T>& dst, const LocalTensor<T>& src, const SumParams& p, PORT_ASCEND_SITE) { port_row_sums("Sum", dst, src, p, 1, site); }
template <typename T, int32_t reduceDim = -1, bool isReuseSource = false, bool isBasicBlock = false>
inline void Sum(const LocalTensor<T>& dst, const LocalTensor<T>& src, const LocalTensor<uint8_t>& tmp, const SumParams& p, PORT_ASCEND_SITE) {
    (void)tmp;
    port_row_sums("Sum", dst, src, p, 1, site);
}
template <typename T, typename accType = T, bool isReuseSource = false, bool isBasicBlock = false, int32_t reduceDim = -1>
inline void Mean(const LocalTensor<T>& dst, const LocalTensor<T>& src, const MeanParams& p, PORT_ASCEND_SITE) { port_row_sums("Mean", dst, src, p, float(p.n), site); }
template <typename T, typename accType = T, bool isReuseSource = false, bool isBasicBlock = false, int32_t reduceDim = -1>
inline void Mean(const LocalTensor<T>& dst, const LocalTensor<T>& src, const LocalTensor<uint8_t>& tmp, const MeanParams& p, PORT_ASCEND_SITE) {
    (void)tmp;
    port_row_sums("Mean", dst, src, p, float(p.n), site);
}

struct SoftMaxShapeInfo { uint32_t srcM = 0, srcK = 0, oriSrcM = 0, oriSrcK = 0; };
struct SoftmaxConfig { bool isCheckTiling = true; uint32_t oriSrcM = 0, oriSrcK = 0; };
constexpr SoftmaxConfig SOFTMAX_DEFAULT_CFG{};
// exp(x - max) / sum of each row; `given`: sum and max are inputs. They hold a data block of one value a row.
template <typename T, typename S>
inline void port_softmax(const char* call, const LocalTensor<T>& dst, const LocalTensor<S>* sum, const LocalTensor<S>* max, const LocalTensor<T>& src, const tiling::SoftMaxTiling& tiling,
                         SoftMaxShapeInfo shape, bool given, bool logarithm, port_ascend::Site site) {
    using namespace port_ascend;
    if (!shape.srcM) { shape.srcM = tiling.srcM; shape.srcK = tiling.srcK; shape.oriSrcM = tiling.srcM; shape.oriSrcK = tiling.srcK; }
    if (!shape.srcK && src.shape.shapeDim == 2) shape = {src.shape.shape[0], src.shape.shape[1], src.shape.originalShape[0], src.shape.originalShape[1]};
    if (!shape.oriSrcM) shape.oriSrcM = shape.srcM;
    if (!shape.oriSrcK) shape.oriSrcK = shape.srcK;
    begin_vector(call, site, shape_of_count(int64_t(shape.srcM) * shape.srcK, sizeof(T)), 24);
    if (!check_type<half, float>(call, site, "half and float", static_cast<T*>(nullptr))) return;
    if (!shape.srcK || !rows_use(src, shape.oriSrcM, shape.srcK, shape.oriSrcK, "takes the softmax of")) return;
    uint32_t per = 32 / sizeof(S);
    for (uint32_t row = 0; row < shape.oriSrcM; ++row) {
        float most = -INFINITY, total = 0;
        T* line = src.raw() + size_t(row) * shape.srcK;
        if (given) {
            if (!range_use((*max)[row * per], 32, "reads") || !range_use((*sum)[row * per], 32, "reads")) return;
            most = float(max->raw()[row * per]);
            total = float(sum->raw()[row * per]);
        } else {
            for (uint32_t k = 0; k < shape.oriSrcK; ++k) most = larger(most, float(line[k]));
            for (uint32_t k = 0; k < shape.oriSrcK; ++k) total += std::exp(float(line[k]) - most);
            for (uint32_t k = 0; sum && k < per; ++k) if (!reduce_store(*sum, row * per + k, S(total)) || !reduce_store(*max, row * per + k, S(most))) return;
        }
        for (uint32_t k = 0; k < shape.oriSrcK; ++k) {
            float e = std::exp(float(line[k]) - most) / total;
            if (!reduce_store(dst, row * shape.srcK + k, T(logarithm ? std::log10(e) : e))) return;
        }
    }
}
#define PORT_ASCEND_SOFTMAX(Name, given)                                                                                                                        \
    template <typename T, bool isReuseSource = false, bool isBasicBlock = false, bool isDataFormatNZ = false, const auto&... config, typename D, typename S>     \
    inline void Name(const LocalTensor<D>& dst, const LocalTensor<S>& sum, const LocalTensor<S>& max, const LocalTensor<D>& src,                                 \
                     const tiling::SoftMaxTiling& tiling, const SoftMaxShapeInfo& shape = {}, PORT_ASCEND_SITE) {                                               \
        port_softmax(#Name, dst, &sum, &max, src, tiling, shape, given, false, site);                                                                           \
    }                                                                                                                                                           \
    template <typename T, bool isReuseSource = false, bool isBasicBlock = false, bool isDataFormatNZ = false, const auto&... config, typename D, typename S>     \
    inline void Name(const LocalTensor<D>& dst, const LocalTensor<S>& sum, const LocalTensor<S>& max, const LocalTensor<D>& src,                                 \
                     const LocalTensor<uint8_t>& tmp, const tiling::SoftMaxTiling& tiling, const SoftMaxShapeInfo& shape = {}, PORT_ASCEND_SITE) {               \
        (void)tmp;                                                                                                                                              \
        port_softmax(#Name, dst, &sum, &max, src, tiling, shape, given, false, site);                                                                           \
    }
PORT_ASCEND_SOFTMAX(SoftMax, false)
PORT_ASCEND_SOFTMAX(SimpleSoftMax, true)
template <typename T, bool isReuseSource = false, bool isBasicBlock = false, const auto&... config>
inline void SoftMax(const LocalTensor<T>& dst, const LocalTensor<T>& src, const tiling::SoftMaxTiling& tiling, const SoftMaxShapeInfo& shape = {}, PORT_ASCEND_SITE) {
    port_softmax<T, T>("SoftMax", dst, nullptr, nullptr, src, tiling, shape, false, false, site);
}
template <typename T, bool isReuseSource = false, bool isBasicBlock = false, const auto&... config>
inline void SoftMax(const LocalTensor<T>& dst, const LocalTensor<T>& src, const LocalTensor<uint8_t>& tmp, const tiling::SoftMaxTiling& tiling, const SoftMaxShapeInfo& shape = {}, PORT_ASCEND_SITE) {
    (void)tmp;
    port_softmax<T, T>("SoftMax", dst, nullptr, nullptr, src, tiling, shape, false, false, site);
}

template <typename T, bool isReuseSource = false>
inline void LayerNorm(const LocalTensor<T>& output, const LocalTensor<T>& mean, const LocalTensor<T>& variance, const LocalTensor<T>& x, const LocalTensor<T>& gamma,
                      const LocalTensor<T>& beta, const T epsilon, tiling::LayerNormTiling& tiling, PORT_ASCEND_SITE) {
    using namespace port_ascend;
    uint32_t rows = tiling.bLength * tiling.sLength, columns = tiling.hLength, used = tiling.originalHLength ? tiling.originalHLength : columns;
    begin_vector("LayerNorm", site, shape_of_count(int64_t(rows) * columns, sizeof(T)), 24);
    if (!rows_use(x, rows, columns, used, "normalises") || !range_use(gamma, uint64_t(used) * sizeof(T), "reads") || !range_use(beta, uint64_t(used) * sizeof(T), "reads")) return;
    for (uint32_t row = 0; row < rows; ++row) {
        const T* line = x.raw() + size_t(row) * columns;
        float sum = 0, square = 0;
        for (uint32_t k = 0; k < used; ++k) sum += float(line[k]);
        float middle = sum / float(used);
        for (uint32_t k = 0; k < used; ++k) square += (float(line[k]) - middle) * (float(line[k]) - middle);
        float spread = square / float(used), scale = 1.0f / std::sqrt(spread + float(epsilon));
        if (!reduce_store(mean, row, T(middle)) || !reduce_store(variance, row, T(spread))) return;
        for (uint32_t k = 0; k < used; ++k) if (!reduce_store(output, row * columns + k, T((float(line[k]) - middle) * scale * float(gamma.raw()[k]) + float(beta.raw()[k])))) return;
    }
}
template <typename T, bool isReuseSource = false>
inline void LayerNorm(const LocalTensor<T>& output, const LocalTensor<T>& mean, const LocalTensor<T>& variance, const LocalTensor<T>& x, const LocalTensor<T>& gamma,
                      const LocalTensor<T>& beta, const LocalTensor<uint8_t>& tmp, const T epsilon, tiling::LayerNormTiling& tiling, PORT_ASCEND_SITE) {
    (void)tmp;
    LayerNorm<T, isReuseSource>(output, mean, variance, x, gamma, beta, epsilon, tiling, site);
}
template <typename T, bool isBasicBlock = false>
inline void RmsNorm(const LocalTensor<T>& output, const LocalTensor<T>& x, const LocalTensor<T>& gamma, const T epsilon, const tiling::RmsNormTiling& tiling, PORT_ASCEND_SITE) {
    using namespace port_ascend;
    uint32_t rows = tiling.bLength * tiling.sLength, columns = tiling.hLength, used = tiling.originalHLength ? tiling.originalHLength : columns;
    begin_vector("RmsNorm", site, shape_of_count(int64_t(rows) * columns, sizeof(T)), 24);
    if (!rows_use(x, rows, columns, used, "normalises") || !range_use(gamma, uint64_t(used) * sizeof(T), "reads")) return;
    for (uint32_t row = 0; row < rows; ++row) {
        const T* line = x.raw() + size_t(row) * columns;
        float square = 0;
        for (uint32_t k = 0; k < used; ++k) square += float(line[k]) * float(line[k]);
        float scale = 1.0f / std::sqrt(square / float(used) + float(epsilon));
        for (uint32_t k = 0; k < used; ++k) if (!reduce_store(output, row * columns + k, T(float(line[k]) * scale * float(gamma.raw()[k])))) return;
    }
}
template <typename T, bool isBasicBlock = false>
inline void RmsNorm(const LocalTensor<T>& output, const LocalTensor<T>& x, const LocalTensor<T>& gamma, const LocalTensor<uint8_t>& tmp, const T epsilon, const tiling::RmsNormTiling& tiling, PORT_ASCEND_SITE) {
    (void)tmp;
    RmsNorm<T, isBasicBlock>(output, x, gamma, epsilon, tiling, site);
}

struct CumSumInfo { uint32_t outter = 0, inner = 0; };
struct CumSumConfig { bool isLastAxis = true, isReuseSource = false, outputLastRow = false; };
constexpr CumSumConfig defaultCumSumConfig{};
template <typename T, const CumSumConfig& config = defaultCumSumConfig>
inline void CumSum(const LocalTensor<T>& dst, const LocalTensor<T>& lastRow, const LocalTensor<T>& src, const CumSumInfo& info, PORT_ASCEND_SITE) {
    using namespace port_ascend;
    uint32_t rows = info.outter, columns = info.inner;
    begin_vector("CumSum", site, shape_of_count(int64_t(rows) * columns, sizeof(T)), 24);
    if (!rows_use(src, rows, columns, columns, "sums")) return;
    for (uint32_t i = 0; i < rows; ++i) {
        for (uint32_t k = 0; k < columns; ++k) {
            uint32_t at = i * columns + k;
            bool first = config.isLastAxis ? k == 0 : i == 0;
            float before = first ? 0.0f : float(dst.raw()[config.isLastAxis ? at - 1 : at - columns]);
            if (!reduce_store(dst, at, T(before + float(src.raw()[at])))) return;
        }
    }
    if (config.outputLastRow && rows) for (uint32_t k = 0; k < columns; ++k) if (!reduce_store(lastRow, k, dst.raw()[(rows - 1) * columns + k])) return;
}
template <typename T, const CumSumConfig& config = defaultCumSumConfig>
inline void CumSum(const LocalTensor<T>& dst, const LocalTensor<T>& lastRow, const LocalTensor<T>& src, const LocalTensor<uint8_t>& tmp, const CumSumInfo& info, PORT_ASCEND_SITE) {
    (void)tmp;
    CumSum<T, config>(dst, lastRow, src, info, site);
}

// A row into all rows, or a column into all columns.
template <typename T, int32_t dim, int32_t axis, bool isReuseSource = false>
inline void BroadCast(const LocalTensor<T>& dst, const LocalTensor<T>& src, const uint32_t* dstShape, const uint32_t* srcShape, PORT_ASCEND_SITE) {
    using namespace port_ascend;
    uint32_t rows = dim == 1 ? 1 : dstShape[0], columns = dim == 1 ? dstShape[0] : dstShape[1];
    uint32_t from_rows = dim == 1 ? 1 : srcShape[0], from_columns = dim == 1 ? srcShape[0] : srcShape[1];
    begin_vector("BroadCast", site, shape_of_count(int64_t(rows) * columns, sizeof(T)), 2);
    if (!range_use(src, uint64_t(from_rows) * from_columns * sizeof(T), "reads") || !range_write(dst, uint64_t(rows) * columns * sizeof(T))) return;
    for (uint32_t i = 0; i < rows; ++i)
        for (uint32_t k = 0; k < columns; ++k) dst.raw()[i * columns + k] = src.raw()[(from_rows == 1 ? 0 : i) * from_columns + (from_columns == 1 ? 0 : k)];
}
template <typename T, int32_t dim, int32_t axis, bool isReuseSource = false>
inline void BroadCast(const LocalTensor<T>& dst, const LocalTensor<T>& src, const uint32_t* dstShape, const uint32_t* srcShape, LocalTensor<uint8_t>& tmp, PORT_ASCEND_SITE) {
    (void)tmp;
    BroadCast<T, dim, axis, isReuseSource>(dst, src, dstShape, srcShape, site);
}
template <typename T, int32_t dim, int32_t axis, bool isReuseSource = false, typename... A>
inline void Broadcast(const LocalTensor<T>& dst, const LocalTensor<T>& src, const uint32_t* dstShape, const uint32_t* srcShape, A&&...) {
    BroadCast<T, dim, axis, isReuseSource>(dst, src, dstShape, srcShape);
}

}  // namespace AscendC
