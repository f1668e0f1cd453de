// Kernels of the usual shapes, checked against plain arithmetic on the host. Prints what is wrong and returns 1.

#include "kernel_operator.h"
#include "lib/matmul_intf.h"
#include "tiling/tiling_api.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

using namespace AscendC;

namespace {

template <typename T> struct Buffer {
    explicit Buffer(size_t count) : count(count), data(static_cast<T*>(std::aligned_alloc(512, (count * sizeof(T) + 511) / 512 * 512))) {
        std::memset(static_cast<void*>(data), 0, count * sizeof(T));
        port_ascend::register_gm(data, count * sizeof(T));
    }
    ~Buffer() {
        port_ascend::unregister_gm(data);
        std::free(data);
    }
    Buffer(const Buffer&) = delete;
    GM_ADDR gm() const { return reinterpret_cast<GM_ADDR>(data); }
    T& operator[](size_t i) const { return data[i]; }
    size_t count;
    T* data;
};

int failures = 0;
template <typename... A> void expect(bool yes, const char* format, A... values) {
    if (yes) return;
    ++failures;
    std::printf(format, values...);
    std::printf("\n");
}

uint32_t state = 12345;
float random_float() {
    state = state * 1664525u + 1013904223u;
    return float(int32_t(state >> 8) - (1 << 23)) / float(1 << 22);
}

// ---- z = x + y over several cores, tails by DataCopyPad -----------------------------------------

template <int buffers> class KernelAdd {
public:
    __aicore__ inline void Init(GM_ADDR x, GM_ADDR y, GM_ADDR z, uint32_t total) {
        uint32_t part = (total / uint32_t(GetBlockNum()) + 7) / 8 * 8, first = part * uint32_t(GetBlockIdx());
        length = first >= total ? 0 : GetBlockIdx() + 1 == GetBlockNum() ? total - first : part;
        xGm.SetGlobalBuffer(reinterpret_cast<__gm__ float*>(x) + first, length);
        yGm.SetGlobalBuffer(reinterpret_cast<__gm__ float*>(y) + first, length);
        zGm.SetGlobalBuffer(reinterpret_cast<__gm__ float*>(z) + first, length);
        pipe.InitBuffer(inX, buffers, tile * sizeof(float));
        pipe.InitBuffer(inY, buffers, tile * sizeof(float));
        pipe.InitBuffer(outZ, buffers, tile * sizeof(float));
    }
    __aicore__ inline void Process() {
        for (uint32_t at = 0; at < length; at += tile) {
            uint32_t count = length - at < tile ? length - at : tile;
            CopyIn(at, count);
            Compute(count);
            CopyOut(at, count);
        }
    }

private:
    __aicore__ inline void CopyIn(uint32_t at, uint32_t count) {
        LocalTensor<float> x = inX.template AllocTensor<float>(), y = inY.template AllocTensor<float>();
        DataCopyExtParams p{1, uint32_t(count * sizeof(float)), 0, 0, 0};
        DataCopyPadExtParams<float> pad{false, 0, 0, 0.0f};
        DataCopyPad(x, xGm[at], p, pad);
        DataCopyPad(y, yGm[at], p, pad);
        inX.EnQue(x);
        inY.EnQue(y);
    }
    __aicore__ inline void Compute(uint32_t count) {
        LocalTensor<float> x = inX.template DeQue<float>(), y = inY.template DeQue<float>(), z = outZ.template AllocTensor<float>();
        Add(z, x, y, count);
        outZ.EnQue(z);
        inX.FreeTensor(x);
        inY.FreeTensor(y);
    }
    __aicore__ inline void CopyOut(uint32_t at, uint32_t count) {
        LocalTensor<float> z = outZ.template DeQue<float>();
        DataCopyPad(zGm[at], z, DataCopyExtParams{1, uint32_t(count * sizeof(float)), 0, 0, 0});
        outZ.FreeTensor(z);
    }
    static constexpr uint32_t tile = 1024;
    TPipe pipe;
    TQue<QuePosition::VECIN, buffers> inX, inY;
    TQue<QuePosition::VECOUT, buffers> outZ;
    GlobalTensor<float> xGm, yGm, zGm;
    uint32_t length;
};
template <int buffers> __global__ __aicore__ void add(GM_ADDR x, GM_ADDR y, GM_ADDR z, uint32_t total) {
    KernelAdd<buffers> op;
    op.Init(x, y, z, total);
    op.Process();
}
void test_add() {
    const uint32_t total = 100003;
    Buffer<float> x(total), y(total), z(total);
    for (uint32_t i = 0; i < total; ++i) { x[i] = random_float(); y[i] = random_float(); }
    port_ascend::launch("add", add<2>, 8, nullptr, nullptr)(x.gm(), y.gm(), z.gm(), total);
    for (uint32_t i = 0; i < total; ++i) expect(z[i] == x[i] + y[i], "add: element %u", i);
    port_ascend::launch("add_single", add<1>, 8, nullptr, nullptr)(x.gm(), y.gm(), z.gm(), total);
}

// ---- softmax of rows in half, computed in float -------------------------------------------------

__global__ __aicore__ void softmax(GM_ADDR x, GM_ADDR y, uint32_t rows, uint32_t columns) {
    TPipe pipe;
    TQue<QuePosition::VECIN, 1> in;
    TQue<QuePosition::VECOUT, 1> out;
    TBuf<> wide, work;
    uint32_t padded = (columns + 15) / 16 * 16;
    pipe.InitBuffer(in, 1, padded * sizeof(half));
    pipe.InitBuffer(out, 1, padded * sizeof(half));
    pipe.InitBuffer(wide, padded * sizeof(float));
    pipe.InitBuffer(work, padded * sizeof(float));
    GlobalTensor<half> xGm, yGm;
    xGm.SetGlobalBuffer(reinterpret_cast<__gm__ half*>(x), rows * columns);
    yGm.SetGlobalBuffer(reinterpret_cast<__gm__ half*>(y), rows * columns);
    for (uint32_t row = uint32_t(GetBlockIdx()); row < rows; row += uint32_t(GetBlockNum())) {
        auto a = in.AllocTensor<half>();
        DataCopyPad(a, xGm[row * columns], DataCopyExtParams{1, uint32_t(columns * sizeof(half)), 0, 0, 0}, DataCopyPadExtParams<half>{true, 0, uint8_t(padded - columns), half(-65504.0f)});
        in.EnQue(a);
        a = in.DeQue<half>();
        auto f = wide.Get<float>(), t = work.Get<float>();
        Cast(f, a, RoundMode::CAST_NONE, padded);
        in.FreeTensor(a);
        ReduceMax(t, f, t, padded);
        TEventID id = GetTPipePtr()->FetchEventID(HardEvent::V_S);
        SetFlag<HardEvent::V_S>(id);
        WaitFlag<HardEvent::V_S>(id);
        float most = t.GetValue(0);
        Adds(f, f, -most, padded);
        Exp(f, f, padded);
        ReduceSum(t, f, t, padded);
        SetFlag<HardEvent::V_S>(id);
        WaitFlag<HardEvent::V_S>(id);
        float sum = t.GetValue(0);
        Duplicate(t, sum, padded);
        Div(f, f, t, padded);
        auto b = out.AllocTensor<half>();
        Cast(b, f, RoundMode::CAST_RINT, padded);
        out.EnQue(b);
        b = out.DeQue<half>();
        DataCopyPad(yGm[row * columns], b, DataCopyExtParams{1, uint32_t(columns * sizeof(half)), 0, 0, 0});
        out.FreeTensor(b);
    }
}
void test_softmax() {
    const uint32_t rows = 13, columns = 203;
    Buffer<half> x(rows * columns), y(rows * columns);
    for (uint32_t i = 0; i < rows * columns; ++i) x[i] = half(random_float() * 3);
    port_ascend::launch("softmax", softmax, 4, nullptr, nullptr)(x.gm(), y.gm(), rows, columns);
    for (uint32_t r = 0; r < rows; ++r) {
        double most = -1e9, sum = 0;
        for (uint32_t c = 0; c < columns; ++c) most = std::fmax(most, double(float(x[r * columns + c])));
        for (uint32_t c = 0; c < columns; ++c) sum += std::exp(double(float(x[r * columns + c])) - most);
        for (uint32_t c = 0; c < columns; ++c) {
            double exact = std::exp(double(float(x[r * columns + c])) - most) / sum, got = double(float(y[r * columns + c]));
            expect(std::fabs(got - exact) <= exact * 0x1p-10 + 0x1p-24, "softmax: row %u column %u: %g is not %g", r, c, got, exact);
        }
    }
}

// ---- the order of additions ---------------------------------------------------------------------

__global__ __aicore__ void sums(GM_ADDR x, GM_ADDR y, uint32_t repeats) {
    TPipe pipe;
    TBuf<> a, b;
    pipe.InitBuffer(a, 8192);
    pipe.InitBuffer(b, 8192);
    GlobalTensor<float> xGm, yGm;
    xGm.SetGlobalBuffer(reinterpret_cast<__gm__ float*>(x), repeats * 64);
    yGm.SetGlobalBuffer(reinterpret_cast<__gm__ float*>(y), 64);
    auto f = a.Get<float>(), t = b.Get<float>();
    DataCopy(f, xGm, repeats * 64);
    PipeBarrier<PIPE_ALL>();
    ReduceSum(t, f, t[128], int32_t(repeats * 64));
    ReduceSum(t[8], f, t[128], 64, int32_t(repeats), 8);
    BlockReduceSum(t[16], f, 1, 64, 1, 1, 8);
    WholeReduceMax(t[24], f, 64, 1, 1, 1, 8);
    PairReduceSum(t[32], f, 1, 64, 1, 1, 8);
    PipeBarrier<PIPE_ALL>();
    DataCopy(yGm, t, 64);
}
float tree(const float* from, uint32_t count) {
    std::vector<float> v(from, from + count);
    while (v.size() > 1) {
        std::vector<float> next;
        for (size_t i = 0; i + 1 < v.size(); i += 2) next.push_back(v[i] + v[i + 1]);
        if (v.size() % 2) next.push_back(v.back());
        v = next;
    }
    return v[0];
}
void test_sums() {
    const uint32_t repeats = 11;
    Buffer<float> x(repeats * 64), y(64);
    for (uint32_t i = 0; i < repeats * 64; ++i) x[i] = random_float() * (i % 7 ? 1.0f : 10000.0f);
    port_ascend::launch("sums", sums, 1, nullptr, nullptr)(x.gm(), y.gm(), repeats);
    std::vector<float> parts;
    for (uint32_t r = 0; r < repeats; ++r) parts.push_back(tree(x.data + r * 64, 64));
    float sequential = parts[0];
    for (uint32_t r = 1; r < repeats; ++r) sequential += parts[r];
    expect(y[0] == sequential, "sums: by count %.9g is not %.9g", double(y[0]), double(sequential));
    float all = tree(parts.data(), repeats);
    expect(y[8] == all, "sums: by repeats %.9g is not %.9g", double(y[8]), double(all));
    for (uint32_t i = 0; i < 8; ++i) expect(y[16 + i] == tree(x.data + i * 8, 8), "sums: block %u", i);
    uint32_t best = 0;
    for (uint32_t i = 1; i < 64; ++i) if (x[i] > x[best]) best = i;
    uint32_t index;
    std::memcpy(&index, &y[25], 4);
    expect(y[24] == x[best] && index == best, "sums: largest %g at %u", double(y[24]), index);
    for (uint32_t i = 0; i < 32; ++i) expect(y[32 + i] == x[2 * i] + x[2 * i + 1], "sums: pair %u", i);
}

// ---- gather, masks, compare and select ----------------------------------------------------------

__global__ __aicore__ void movement(GM_ADDR x, GM_ADDR y) {
    TPipe pipe;
    TBuf<> a, b, c, d, e;
    pipe.InitBuffer(a, 1024);
    pipe.InitBuffer(b, 2048);
    pipe.InitBuffer(c, 1024);
    pipe.InitBuffer(d, 1024);
    pipe.InitBuffer(e, 8 * 1024);
    GlobalTensor<float> xGm, yGm;
    xGm.SetGlobalBuffer(reinterpret_cast<__gm__ float*>(x), 128);
    yGm.SetGlobalBuffer(reinterpret_cast<__gm__ float*>(y), 1024);
    auto f = a.Get<float>(), out = b.Get<float>(), t = d.Get<float>();
    auto places = c.Get<int32_t>();
    auto bits = e.Get<uint8_t>();
    DataCopy(f, xGm, 128);
    PipeBarrier<PIPE_ALL>();
    // Backwards.
    CreateVecIndex(places, 0, 128);
    Muls(places, places, -4, 128);
    Adds(places, places, 127 * 4, 128);
    Gather(out, f, places.ReinterpretCast<uint32_t>(), 0, 128);
    // max(x, 0) by comparison and selection.
    CompareScalar(bits, f, 0.0f, CMPMODE::GT, 128);
    Select(out[128], bits, f, 0.0f, SELMODE::VSEL_TENSOR_SCALAR_MODE, 128);
    // Odd elements together, then the data block of each of the first eight.
    uint64_t kept = 0;
    Duplicate(t, 0.0f, 128);
    GatherMask(t, f, 2, false, 0, GatherMaskParams(1, 2, 8, 0), kept);
    Adds(out[256], t, 0.0f, 64);
    Brcb(out[320], f, 1, BrcbRepeatParams(1, 8));
    // Every other block of x by strides: two repeats of four blocks.
    UnaryRepeatParams strides(1, 2, 4, 8);
    Muls(out[384], f, 2.0f, 32, 2, strides);
    // Bits of lanes: the first, third, … of one repeat.
    uint64_t mask[2] = {0x5555555555555555ull, 0};
    Duplicate(out[448], 0.0f, 64);
    Adds(out[448], f, 1.0f, mask, 1, UnaryRepeatParams(1, 1, 8, 8));
    SetFlag<HardEvent::V_MTE3>(EVENT_ID0);
    WaitFlag<HardEvent::V_MTE3>(EVENT_ID0);
    DataCopy(yGm, out, 512);
    yGm.SetValue(512, float(kept));
}
void test_movement() {
    Buffer<float> x(128), y(1024);
    for (uint32_t i = 0; i < 128; ++i) x[i] = random_float();
    port_ascend::launch("movement", movement, 1, nullptr, nullptr)(x.gm(), y.gm());
    for (uint32_t i = 0; i < 128; ++i) expect(y[i] == x[127 - i], "movement: gathered %u", i);
    for (uint32_t i = 0; i < 128; ++i) expect(y[128 + i] == (x[i] > 0 ? x[i] : 0), "movement: selected %u", i);
    for (uint32_t i = 0; i < 64; ++i) expect(y[256 + i] == x[2 * i + 1], "movement: odd %u", i);
    for (uint32_t i = 0; i < 64; ++i) expect(y[320 + i] == x[i / 8], "movement: block %u", i);
    for (uint32_t i = 0; i < 64; ++i) {
        uint32_t repeat = i / 32, block = i / 8 % 4;
        expect(y[384 + i] == 2 * x[repeat * 64 + block * 16 + i % 8], "movement: strided %u", i);
    }
    for (uint32_t i = 0; i < 64; ++i) expect(y[448 + i] == (i % 2 ? 0 : x[i] + 1), "movement: masked %u", i);
    expect(y[512] == 64, "movement: %g kept", double(y[512]));
}

// ---- conversions --------------------------------------------------------------------------------

__global__ __aicore__ void casts(GM_ADDR x, GM_ADDR y, int mode) {
    TPipe pipe;
    TBuf<> a, b;
    pipe.InitBuffer(a, 256);
    pipe.InitBuffer(b, 1024);
    GlobalTensor<float> xGm;
    GlobalTensor<int32_t> yGm;
    xGm.SetGlobalBuffer(reinterpret_cast<__gm__ float*>(x), 64);
    yGm.SetGlobalBuffer(reinterpret_cast<__gm__ int32_t*>(y), 128);
    auto f = a.Get<float>();
    auto n = b.Get<int32_t>();
    auto h = b.GetWithOffset<half>(64, 256);
    auto g = b.GetWithOffset<bfloat16_t>(64, 384);
    DataCopy(f, xGm, 64);
    PipeBarrier<PIPE_ALL>();
    Cast(n, f, RoundMode(mode), 64);
    Cast(h, f, RoundMode(mode), 64);
    Cast(g, f, RoundMode(mode), 64);
    PipeBarrier<PIPE_ALL>();
    DataCopy(yGm, n, 128);
}
void test_casts() {
    Buffer<float> x(64);
    Buffer<int32_t> y(128);
    const float special[] = {0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 3e9f, -3e9f, 65519.0f, 65520.0f, 1e-8f, 6.1e-5f, 1.0009765f, 0.1f, INFINITY, -0.0f};
    for (uint32_t i = 0; i < 64; ++i) x[i] = i < 16 ? special[i] : random_float() * 100;
    for (int mode = 1; mode <= 5; ++mode) {
        port_ascend::launch("casts", casts, 1, nullptr, nullptr)(x.gm(), y.gm(), mode);
        const half* h = reinterpret_cast<const half*>(&y[64]);
        const bfloat16_t* g = reinterpret_cast<const bfloat16_t*>(&y[96]);
        for (uint32_t i = 0; i < 64; ++i) {
            double v = double(x[i]), r = mode == 1 ? std::nearbyint(v) : mode == 2 ? std::floor(v) : mode == 3 ? std::ceil(v) : mode == 4 ? std::round(v) : std::trunc(v);
            r = std::fmax(-2147483648.0, std::fmin(2147483647.0, r));
            expect(y[i] == int32_t(r), "casts: mode %d: %g to %d", mode, v, y[i]);
            // The result and its neighbours enclose the value; the mode says on which side the result lies.
            auto sided = [&](double got, double ulp, double most) {
                if (!(std::fabs(v) <= most)) return true;
                double error = got - v;
                if (mode == 2) return error <= 0 && -error < ulp;
                if (mode == 3) return error >= 0 && error < ulp;
                if (mode == 5) return std::fabs(got) <= std::fabs(v) && std::fabs(error) < ulp;
                return std::fabs(error) <= ulp / 2;
            };
            int exponent = 0;
            std::frexp(v, &exponent);
            expect(sided(double(float(h[i])), std::ldexp(1.0, std::max(exponent - 11, -24)), 65504), "casts: mode %d: %g to half %g", mode, v, double(float(h[i])));
            expect(sided(double(float(g[i])), std::ldexp(1.0, exponent - 8), 3e38), "casts: mode %d: %g to bfloat16 %g", mode, v, double(float(g[i])));
        }
        expect(float(h[8]) == 65504.0f || mode == 3, "casts: 65519 in mode %d", mode);
        expect(mode == 2 || mode == 5 ? float(h[9]) == 65504.0f : std::isinf(float(h[9])), "casts: 65520 in mode %d", mode);
    }
}

// ---- atomics over cores, and an exchange between them ---------------------------------------------

__global__ __aicore__ void histogram(GM_ADDR y) {
    TPipe pipe;
    TBuf<> a;
    pipe.InitBuffer(a, 256);
    auto t = a.Get<int32_t>();
    GlobalTensor<int32_t> yGm;
    yGm.SetGlobalBuffer(reinterpret_cast<__gm__ int32_t*>(y), 64);
    Duplicate(t, int32_t(GetBlockIdx()) + 1, 64);
    SetFlag<HardEvent::V_MTE3>(EVENT_ID0);
    WaitFlag<HardEvent::V_MTE3>(EVENT_ID0);
    SetAtomicAdd<int32_t>();
    DataCopy(yGm, t, 32);
    SetAtomicNone();
    SetAtomicMax<int32_t>();
    DataCopy(yGm[32], t[32], 32);
    SetAtomicNone();
}
__global__ __aicore__ void ring(GM_ADDR x, GM_ADDR y) {
    GlobalTensor<int32_t> xGm, yGm;
    xGm.SetGlobalBuffer(reinterpret_cast<__gm__ int32_t*>(x), 1024);
    yGm.SetGlobalBuffer(reinterpret_cast<__gm__ int32_t*>(y), 1024);
    int64_t me = GetBlockIdx(), all = GetBlockNum();
    for (int round = 0; round < 3; ++round) {
        xGm.SetValue(uint64_t(me) * 16, int32_t(me * 10 + round));
        DataCacheCleanAndInvalid<int32_t, CacheLine::SINGLE_CACHE_LINE, DcciDst::CACHELINE_OUT>(xGm[uint64_t(me) * 16]);
        SyncAll();
        int32_t next = xGm.GetValue(uint64_t((me + 1) % all) * 16);
        yGm.SetValue(uint64_t(me) * 16, yGm.GetValue(uint64_t(me) * 16) + next);
        SyncAll();
    }
}
void test_cores() {
    Buffer<int32_t> y(64);
    port_ascend::launch("histogram", histogram, 10, nullptr, nullptr)(y.gm());
    for (uint32_t i = 0; i < 32; ++i) expect(y[i] == 55 && y[32 + i] == 10, "cores: atomics give %d and %d", y[i], y[32 + i]);
    Buffer<int32_t> a(1024), b(1024);
    port_ascend::launch("ring", ring, 5, nullptr, nullptr)(a.gm(), b.gm());
    for (int i = 0; i < 5; ++i) expect(b[size_t(i) * 16] == (i + 1) % 5 * 30 + 3, "cores: the neighbour of %d gives %d", i, b[size_t(i) * 16]);
}

// ---- two buffers by hand, with flags ----------------------------------------------------------------

__global__ __vector__ void ping_pong(GM_ADDR x, GM_ADDR y, uint32_t tiles) {
    constexpr uint32_t tile = 256;
    LocalMemAllocator<Hardware::UB> memory;
    LocalTensor<float> in[2] = {memory.Alloc<float, tile>(), memory.Alloc<float, tile>()};
    LocalTensor<float> out[2] = {memory.Alloc<float, tile>(), memory.Alloc<float, tile>()};
    GlobalTensor<float> xGm, yGm;
    xGm.SetGlobalBuffer(reinterpret_cast<__gm__ float*>(x), tiles * tile);
    yGm.SetGlobalBuffer(reinterpret_cast<__gm__ float*>(y), tiles * tile);
    for (int i = 0; i < 2; ++i) {
        SetFlag<HardEvent::V_MTE2>(i);
        SetFlag<HardEvent::MTE3_V>(i);
    }
    for (uint32_t i = 0; i < tiles; ++i) {
        int k = int(i % 2);
        WaitFlag<HardEvent::V_MTE2>(k);
        DataCopy(in[k], xGm[i * tile], tile);
        SetFlag<HardEvent::MTE2_V>(k);
        WaitFlag<HardEvent::MTE2_V>(k);
        WaitFlag<HardEvent::MTE3_V>(k);
        Muls(out[k], in[k], 3.0f, tile);
        SetFlag<HardEvent::V_MTE2>(k);
        SetFlag<HardEvent::V_MTE3>(k);
        WaitFlag<HardEvent::V_MTE3>(k);
        DataCopy(yGm[i * tile], out[k], tile);
        SetFlag<HardEvent::MTE3_V>(k);
    }
    for (int i = 0; i < 2; ++i) {
        WaitFlag<HardEvent::V_MTE2>(i);
        WaitFlag<HardEvent::MTE3_V>(i);
    }
}
void test_ping_pong() {
    const uint32_t tiles = 9;
    Buffer<float> x(tiles * 256), y(tiles * 256);
    for (uint32_t i = 0; i < x.count; ++i) x[i] = random_float();
    port_ascend::launch("ping_pong", ping_pong, 1, nullptr, nullptr)(x.gm(), y.gm(), tiles);
    for (uint32_t i = 0; i < x.count; ++i) expect(y[i] == x[i] * 3.0f, "ping_pong: element %u", i);
}

// ---- sorting ------------------------------------------------------------------------------------------

__global__ __aicore__ void sorting(GM_ADDR x, GM_ADDR y, GM_ADDR z) {
    TPipe pipe;
    TBuf<> a, b, c, d, e;
    pipe.InitBuffer(a, 512);
    pipe.InitBuffer(b, 512);
    pipe.InitBuffer(c, 1024);
    pipe.InitBuffer(d, 1024);
    pipe.InitBuffer(e, 512);
    GlobalTensor<float> xGm, yGm;
    GlobalTensor<uint32_t> zGm;
    xGm.SetGlobalBuffer(reinterpret_cast<__gm__ float*>(x), 128);
    yGm.SetGlobalBuffer(reinterpret_cast<__gm__ float*>(y), 128);
    zGm.SetGlobalBuffer(reinterpret_cast<__gm__ uint32_t*>(z), 128);
    auto scores = a.Get<float>(), runs = c.Get<float>(), merged = d.Get<float>();
    auto index = b.Get<int32_t>();
    auto places = e.Get<uint32_t>();
    DataCopy(scores, xGm, 128);
    CreateVecIndex(index, 0, 128);
    PipeBarrier<PIPE_ALL>();
    Sort32(runs, scores, index.ReinterpretCast<uint32_t>(), 4);
    MrgSortSrcList<float> lists(runs, runs[64], runs[128], runs[192]);
    const uint16_t lengths[4] = {32, 32, 32, 32};
    MrgSort(merged, lists, MrgSort4Info(lengths, false, 15, 1));
    Extract(scores, places, merged, 4);
    PipeBarrier<PIPE_ALL>();
    DataCopy(yGm, scores, 128);
    DataCopy(zGm, places, 128);
}
void test_sorting() {
    Buffer<float> x(128), y(128);
    Buffer<uint32_t> z(128);
    for (uint32_t i = 0; i < 128; ++i) x[i] = random_float();
    port_ascend::launch("sorting", sorting, 1, nullptr, nullptr)(x.gm(), y.gm(), z.gm());
    for (uint32_t i = 0; i < 128; ++i) {
        expect(i == 0 || y[i - 1] >= y[i], "sorting: order at %u", i);
        expect(z[i] < 128 && x[z[i]] == y[i], "sorting: index at %u", i);
    }
}

// ---- matrix products ----------------------------------------------------------------------------------

using Product = Matmul<MatmulType<TPosition::GM, CubeFormat::ND, half>, MatmulType<TPosition::GM, CubeFormat::ND, half>, MatmulType<TPosition::GM, CubeFormat::ND, float>,
                       MatmulType<TPosition::GM, CubeFormat::ND, float>>;

__global__ __aicore__ void product(GM_ADDR a, GM_ADDR b, GM_ADDR bias, GM_ADDR c, TCubeTiling tiling, bool trans) {
    TPipe pipe;
    Product mm;
    REGIST_MATMUL_OBJ(&pipe, GetSysWorkSpacePtr(), mm, &tiling);
    if (GetBlockIdx() >= tiling.usedCoreNum) return;
    GlobalTensor<half> aGm, bGm;
    GlobalTensor<float> cGm, biasGm;
    aGm.SetGlobalBuffer(reinterpret_cast<__gm__ half*>(a), uint64_t(tiling.M) * tiling.Ka);
    bGm.SetGlobalBuffer(reinterpret_cast<__gm__ half*>(b), uint64_t(tiling.Kb) * tiling.N);
    cGm.SetGlobalBuffer(reinterpret_cast<__gm__ float*>(c), uint64_t(tiling.M) * tiling.N);
    biasGm.SetGlobalBuffer(reinterpret_cast<__gm__ float*>(bias), uint64_t(tiling.N));
    int rows = (tiling.M + tiling.singleCoreM - 1) / tiling.singleCoreM;
    int m = int(GetBlockIdx()) % rows * tiling.singleCoreM, n = int(GetBlockIdx()) / rows * tiling.singleCoreN;
    mm.SetTail(std::min(tiling.singleCoreM, tiling.M - m), std::min(tiling.singleCoreN, tiling.N - n));
    mm.SetTensorA(aGm[m * tiling.Ka]);
    mm.SetTensorB(bGm[trans ? n * tiling.Kb : n], trans);
    mm.SetBias(biasGm[n]);
    if (trans) {
        while (mm.Iterate()) mm.GetTensorC(cGm[m * tiling.N + n]);
    } else {
        mm.IterateAll(cGm[m * tiling.N + n]);
    }
    mm.End();
}
void test_product() {
    const int m = 67, n = 83, k = 45;
    for (bool trans : {false, true}) {
        Buffer<half> a(m * k), b(k * n);
        Buffer<float> bias(n), c(m * n);
        for (int i = 0; i < m * k; ++i) a[size_t(i)] = half(random_float());
        for (int i = 0; i < k * n; ++i) b[size_t(i)] = half(random_float());
        for (int i = 0; i < n; ++i) bias[size_t(i)] = random_float();
        matmul_tiling::MultiCoreMatmulTiling api(*platform_ascendc::PlatformAscendCManager::GetInstance());
        api.SetDim(6);
        api.SetAType(matmul_tiling::TPosition::GM, matmul_tiling::CubeFormat::ND, matmul_tiling::DataType::DT_FLOAT16);
        api.SetBType(matmul_tiling::TPosition::GM, matmul_tiling::CubeFormat::ND, matmul_tiling::DataType::DT_FLOAT16, trans);
        api.SetCType(matmul_tiling::TPosition::GM, matmul_tiling::CubeFormat::ND, matmul_tiling::DataType::DT_FLOAT);
        api.SetShape(m, n, k);
        api.SetOrgShape(m, n, k);
        if (trans) api.SetFixSplit(16, 16, 16);
        api.EnableBias(true);
        TCubeTiling tiling;
        expect(api.GetTiling(tiling) == 0, "product: no tiling");
        port_ascend::launch("product", product, (tiling.usedCoreNum + 1) / 2, nullptr, nullptr)(a.gm(), b.gm(), bias.gm(), c.gm(), tiling, trans);
        for (int i = 0; i < m; ++i) {
            for (int j = 0; j < n; ++j) {
                double sum = double(bias[size_t(j)]);
                for (int x = 0; x < k; ++x) sum += double(float(a[size_t(i * k + x)])) * double(float(b[size_t(trans ? j * k + x : x * n + j)]));
                double got = double(c[size_t(i * n + j)]);
                expect(std::fabs(got - sum) < 1e-4, "product: transposed %d, row %d column %d: %g is not %g", int(trans), i, j, got, sum);
            }
        }
    }
}

// C (32 x 48) = A (32 x 64) x B (64 x 48) by the cube's own instructions.
__global__ __cube__ void mmad(GM_ADDR a, GM_ADDR b, GM_ADDR c) {
    constexpr uint16_t m = 32, n = 48, k = 64;
    TPipe pipe;
    TQue<QuePosition::A1, 1> a1;
    TQue<QuePosition::B1, 1> b1;
    TQue<QuePosition::A2, 1> a2;
    TQue<QuePosition::B2, 1> b2;
    TQue<QuePosition::CO1, 1> co1;
    pipe.InitBuffer(a1, 1, m * k * 2);
    pipe.InitBuffer(b1, 1, k * n * 2);
    pipe.InitBuffer(a2, 1, m * k * 2);
    pipe.InitBuffer(b2, 1, k * n * 2);
    pipe.InitBuffer(co1, 1, m * n * 4);
    GlobalTensor<half> aGm, bGm;
    GlobalTensor<float> cGm;
    aGm.SetGlobalBuffer(reinterpret_cast<__gm__ half*>(a), m * k);
    bGm.SetGlobalBuffer(reinterpret_cast<__gm__ half*>(b), k * n);
    cGm.SetGlobalBuffer(reinterpret_cast<__gm__ float*>(c), m * n);
    auto x = a1.AllocTensor<half>(), y = b1.AllocTensor<half>();
    DataCopy(x, aGm, Nd2NzParams(1, m, k, 0, k, m, 1, 0));
    DataCopy(y, bGm, Nd2NzParams(1, k, n, 0, n, k, 1, 0));
    a1.EnQue(x);
    b1.EnQue(y);
    x = a1.DeQue<half>();
    y = b1.DeQue<half>();
    auto u = a2.AllocTensor<half>(), v = b2.AllocTensor<half>();
    // Columns of fractals become rows of fractals; those of B are transposed inside, too.
    for (int i = 0; i < m / 16; ++i) LoadData(u[i * k * 16], x[i * 256], LoadData2DParams(0, k / 16, m / 16, 0, 0, false, 0));
    for (int i = 0; i < k / 16; ++i) LoadData(v[i * n * 16], y[i * 256], LoadData2DParams(0, n / 16, k / 16, 0, 0, true, 0));
    a1.FreeTensor(x);
    b1.FreeTensor(y);
    a2.EnQue(u);
    b2.EnQue(v);
    u = a2.DeQue<half>();
    v = b2.DeQue<half>();
    auto w = co1.AllocTensor<float>();
    Mmad(w, u, v, MmadParams(m, n, k, 0, false, true));
    a2.FreeTensor(u);
    b2.FreeTensor(v);
    co1.EnQue(w);
    w = co1.DeQue<float>();
    Fixpipe<float, float, CFG_ROW_MAJOR>(cGm, w, FixpipeParamsV220(n, m, m, n, false));
    co1.FreeTensor(w);
}
void test_mmad() {
    const size_t m = 32, n = 48, k = 64;
    Buffer<half> a(m * k), b(k * n);
    Buffer<float> c(m * n);
    for (size_t i = 0; i < m * k; ++i) a[i] = half(random_float());
    for (size_t i = 0; i < k * n; ++i) b[i] = half(random_float());
    port_ascend::launch("mmad", mmad, 1, nullptr, nullptr)(a.gm(), b.gm(), c.gm());
    for (size_t i = 0; i < m; ++i) {
        for (size_t j = 0; j < n; ++j) {
            double sum = 0;
            for (size_t x = 0; x < k; ++x) sum += double(float(a[i * k + x])) * double(float(b[x * n + j]));
            expect(std::fabs(double(c[i * n + j]) - sum) < 1e-4, "mmad: row %zu column %zu: %g is not %g", i, j, double(c[i * n + j]), sum);
        }
    }
}

// ---- the library ----------------------------------------------------------------------------------------

__global__ __aicore__ void library(GM_ADDR x, GM_ADDR y) {
    TPipe pipe;
    TBuf<> a, b, c;
    pipe.InitBuffer(a, 1024);
    pipe.InitBuffer(b, 4096);
    pipe.InitBuffer(c, 1024);
    GlobalTensor<float> xGm, yGm;
    xGm.SetGlobalBuffer(reinterpret_cast<__gm__ float*>(x), 256);
    yGm.SetGlobalBuffer(reinterpret_cast<__gm__ float*>(y), 1024);
    auto f = a.Get<float>(), out = b.Get<float>(), t = c.Get<float>();
    DataCopy(f, xGm, 256);
    PipeBarrier<PIPE_ALL>();
    Tanh(out, f, 64);
    Sigmoid(out[64], f, c.Get<uint8_t>(), 64);
    Gelu(out[128], f, 64);
    Erf<float, false>(out[192], f, 64);
    SoftMaxTiling tiling;
    SoftMax<float>(out[256], f, tiling, SoftMaxShapeInfo{4, 64, 4, 64});
    Duplicate(t, 2.0f, 64);
    RmsNormTiling rms;
    rms.bLength = 1;
    rms.sLength = 4;
    rms.hLength = rms.originalHLength = 64;
    RmsNorm(out[512], f, t, 1e-5f, rms);
    Sum(out[768], f, SumParams{4, 64, 64});
    Power(out[776], f, 2.0f, 64);
    PipeBarrier<PIPE_ALL>();
    DataCopy(yGm, out, 840);
}
void test_library() {
    Buffer<float> x(256), y(1024);
    for (uint32_t i = 0; i < 256; ++i) x[i] = random_float();
    port_ascend::launch("library", library, 1, nullptr, nullptr)(x.gm(), y.gm());
    auto near = [&](uint32_t at, double exact, const char* what) { expect(std::fabs(double(y[at]) - exact) < 1e-5 * (1 + std::fabs(exact)), "library: %s: %g is not %g", what, double(y[at]), exact); };
    for (uint32_t i = 0; i < 64; ++i) {
        double v = double(x[i]);
        near(i, std::tanh(v), "tanh");
        near(64 + i, 1 / (1 + std::exp(-v)), "sigmoid");
        near(128 + i, 0.5 * v * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v))), "gelu");
        near(192 + i, std::erf(v), "erf");
        near(776 + i, v * v, "power");
    }
    for (uint32_t row = 0; row < 4; ++row) {
        double sum = 0, squares = 0, plain = 0;
        for (uint32_t k = 0; k < 64; ++k) {
            double v = double(x[row * 64 + k]);
            sum += std::exp(v);
            squares += v * v;
            plain += v;
        }
        near(768 + row, plain, "sum");
        for (uint32_t k = 0; k < 64; ++k) {
            double v = double(x[row * 64 + k]);
            near(256 + row * 64 + k, std::exp(v) / sum, "softmax");
            near(512 + row * 64 + k, 2 * v / std::sqrt(squares / 64 + 1e-5), "rmsnorm");
        }
    }
}

}  // namespace

int main() {
    test_product();
    test_mmad();
    test_library();
    test_add();
    test_softmax();
    test_sums();
    test_movement();
    test_casts();
    test_cores();
    test_ping_pong();
    test_sorting();
    if (failures) std::printf("%d failures\n", failures);
    return failures ? 1 : 0;
}
