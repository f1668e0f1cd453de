// A kernel for each rule of the model that breaks it, and its mended twin. `rules NAME bad|ok` runs one of them; the line
// that the report has to name ends in the comment `//! RULE`, and tests/ascend_model.rs looks it up here.

#include "kernel_operator.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

using namespace AscendC;

namespace {

bool bad;  // which twin runs

struct Memory {
    explicit Memory(size_t bytes) : bytes(bytes), data(static_cast<uint8_t*>(std::aligned_alloc(512, (bytes + 511) / 512 * 512))) {
        std::memset(data, 0, bytes);
        port_ascend::register_gm(data, bytes);
    }
    size_t bytes;
    uint8_t* data;
};

template <typename T> GlobalTensor<T> global(GM_ADDR address, uint32_t count) {
    GlobalTensor<T> tensor;
    tensor.SetGlobalBuffer(reinterpret_cast<__gm__ T*>(address), count);
    return tensor;
}

// x in, x + 1 out, with queues; what the rules' kernels vary.
struct Queues {
    Queues() {
        pipe.InitBuffer(in, 2, 1024);
        pipe.InitBuffer(out, 2, 1024);
        pipe.InitBuffer(buffer, 1024);
    }
    TPipe pipe;
    TQue<QuePosition::VECIN, 2> in;
    TQue<QuePosition::VECOUT, 2> out;
    TBuf<QuePosition::VECCALC> buffer;
};

void load(Queues& q, const GlobalTensor<float>& x, uint32_t count) {
    LocalTensor<float> tensor = q.in.AllocTensor<float>();
    DataCopy(tensor, x, count);
    q.in.EnQue(tensor);
}
void store(Queues& q, const GlobalTensor<float>& y, uint32_t count) {
    LocalTensor<float> tensor = q.out.DeQue<float>();
    DataCopy(y, tensor, count);
    q.out.FreeTensor(tensor);
}

void unsupported_type(GM_ADDR x, GM_ADDR y) {
    Queues q;
    load(q, global<float>(x, 64), 64);
    auto a = q.in.DeQue<float>();
    auto b = q.out.AllocTensor<float>();
    if (bad) Exp(b.ReinterpretCast<int32_t>(), a.ReinterpretCast<int32_t>(), 64);  //! unsupported-type
    else Exp(b, a, 64);
    if (bad) Duplicate(b, 0.0f, 64);
    q.in.FreeTensor(a);
    q.out.EnQue(b);
    store(q, global<float>(y, 64), 64);
}

void unaligned_address(GM_ADDR x, GM_ADDR y) {
    Queues q;
    load(q, global<float>(x, 64), 64);
    auto a = q.in.DeQue<float>();
    auto b = q.out.AllocTensor<float>();
    Duplicate(b, 0.0f, 64);
    if (bad) Adds(b, a[1], 1.0f, 8);  //! unaligned-address
    else Adds(b, a[8], 1.0f, 8);
    q.in.FreeTensor(a);
    q.out.EnQue(b);
    store(q, global<float>(y, 64), 64);
}

void unaligned_length(GM_ADDR x, GM_ADDR y) {
    Queues q;
    auto a = q.in.AllocTensor<float>();
    if (bad) DataCopy(a, global<float>(x, 61), 61);  //! unaligned-length
    else DataCopyPad(a, global<float>(x, 61), DataCopyExtParams{1, 61 * 4, 0, 0, 0}, DataCopyPadExtParams<float>{true, 0, 3, 0.0f});
    q.in.EnQue(a);
    a = q.in.DeQue<float>();
    auto b = q.out.AllocTensor<float>();
    Adds(b, a, 1.0f, 56);
    q.in.FreeTensor(a);
    q.out.EnQue(b);
    store(q, global<float>(y, 64), 56);
}

void local_memory_full(GM_ADDR, GM_ADDR) {
    TPipe pipe;
    TQue<QuePosition::VECIN, 2> in;
    TBuf<> rest;
    pipe.InitBuffer(in, 2, 80 * 1024);
    pipe.InitBuffer(rest, bad ? 40 * 1024 : 32 * 1024);  //! local-memory-full
}

void queue_leak(GM_ADDR x, GM_ADDR) {
    Queues q;
    auto a = q.in.AllocTensor<float>();  //! queue-leak
    DataCopy(a, global<float>(x, 64), 64);
    q.in.EnQue(a);
    a = q.in.DeQue<float>();
    if (!bad) q.in.FreeTensor(a);
}

void queue_full(GM_ADDR x, GM_ADDR) {
    Queues q;
    for (int i = 0; i < 3; ++i) {
        auto a = q.in.AllocTensor<float>();  //! queue-full
        DataCopy(a, global<float>(x, 64), 64);
        q.in.EnQue(a);
        a = q.in.DeQue<float>();
        if (!bad) q.in.FreeTensor(a);
    }
}

void queue_discipline(GM_ADDR x, GM_ADDR) {
    Queues q;
    auto a = q.in.AllocTensor<float>();
    DataCopy(a, global<float>(x, 64), 64);
    q.in.EnQue(a);
    a = q.in.DeQue<float>();
    q.in.FreeTensor(a);
    if (bad) q.in.FreeTensor(a);  //! queue-discipline
}

void empty_queue(GM_ADDR x, GM_ADDR) {
    Queues q;
    if (!bad) load(q, global<float>(x, 64), 64);
    auto a = q.in.DeQue<float>();  //! queue-discipline
    q.in.FreeTensor(a);
}

void parameter_repeat(GM_ADDR x, GM_ADDR y) {
    TPipe pipe;
    TBuf<> buffer;
    pipe.InitBuffer(buffer, 80 * 1024);
    auto a = buffer.Get<float>();
    Duplicate(a, 1.0f, 20480);
    UnaryRepeatParams p;
    if (bad) {
        Adds(a, a, 1.0f, 64, 256, p);  //! parameter-range
    } else {
        Adds(a, a, 1.0f, 64, 255, p);
        Adds(a[64 * 255], a[64 * 255], 1.0f, 64, 1, p);
    }
    (void)x;
    (void)y;
}

void parameter_block_count(GM_ADDR x, GM_ADDR) {
    TPipe pipe;
    TBuf<QuePosition::VECIN> buffer;
    pipe.InitBuffer(buffer, 5000 * 32);
    auto a = buffer.Get<float>();
    DataCopyParams p(bad ? 4096 : 4095, 1, 0, 0);
    DataCopy(a, global<float>(x, 40000), p);  //! parameter-range
}

void uninitialised(GM_ADDR x, GM_ADDR y) {
    Queues q;
    load(q, global<float>(x, 64), bad ? 56 : 64);
    auto a = q.in.DeQue<float>();
    auto b = q.out.AllocTensor<float>();
    Adds(b, a, 1.0f, 64);  //! uninitialised-read
    q.in.FreeTensor(a);
    q.out.EnQue(b);
    store(q, global<float>(y, 64), 64);
}

void uninitialised_reduction(GM_ADDR x, GM_ADDR y) {
    Queues q;
    auto a = q.in.AllocTensor<float>();
    // Seven elements in eight: a padded eighth is as good as written.
    DataCopyPad(a, global<float>(x, 7), DataCopyExtParams{1, 28, 0, 0, 0}, DataCopyPadExtParams<float>{true, 0, 1, 0.0f});
    q.in.EnQue(a);
    a = q.in.DeQue<float>();
    auto b = q.out.AllocTensor<float>();
    auto t = q.buffer.Get<float>();
    ReduceSum(b, a, t, bad ? 9 : 8);  //! uninitialised-read
    q.in.FreeTensor(a);
    q.out.EnQue(b);
    b = q.out.DeQue<float>();
    DataCopyPad(global<float>(y, 1), b, DataCopyExtParams{1, 4, 0, 0, 0});
    q.out.FreeTensor(b);
}

// Lanes past the tail may hold anything as long as nothing that leaves the core depends on them.
void uninitialised_lanes_dropped(GM_ADDR x, GM_ADDR y) {
    Queues q;
    load(q, global<float>(x, 64), 56);
    auto a = q.in.DeQue<float>();
    auto b = q.out.AllocTensor<float>();
    Adds(b, a, 1.0f, 64);  //! uninitialised-read
    q.in.FreeTensor(a);
    q.out.EnQue(b);
    store(q, global<float>(y, 64), bad ? 64 : 56);
}

void local_bounds(GM_ADDR x, GM_ADDR y) {
    Queues q;
    load(q, global<float>(x, 64), 64);
    auto a = q.in.DeQue<float>();
    auto b = q.out.AllocTensor<float>();
    Duplicate(b, 0.0f, bad ? 257 : 256);  //! local-out-of-bounds
    if (bad) Duplicate(b, 0.0f, 256);
    q.in.FreeTensor(a);
    q.out.EnQue(b);
    store(q, global<float>(y, 64), 64);
}

void gm_bounds(GM_ADDR x, GM_ADDR) {
    Queues q;
    GlobalTensor<float> all;
    all.SetGlobalBuffer(reinterpret_cast<__gm__ float*>(x));
    auto a = q.in.AllocTensor<float>();
    DataCopy(a, all[bad ? 64 * 1024 - 8 : 64 * 1024 - 16], 16);  //! gm-out-of-bounds
    q.in.EnQue(a);
    a = q.in.DeQue<float>();
    q.in.FreeTensor(a);
}

void gm_tensor_bounds(GM_ADDR x, GM_ADDR) {
    Queues q;
    auto a = q.in.AllocTensor<float>();
    DataCopy(a, global<float>(x, 60), bad ? 64 : 56);  //! gm-tensor-out-of-bounds
    q.in.EnQue(a);
    a = q.in.DeQue<float>();
    q.in.FreeTensor(a);
}

void sync_mte2_v(GM_ADDR x, GM_ADDR y) {
    TPipe pipe;
    TBuf<QuePosition::VECIN> buffer;
    pipe.InitBuffer(buffer, 1024);
    auto a = buffer.Get<float>();
    DataCopy(a, global<float>(x, 64), 64);
    if (!bad) {
        SetFlag<HardEvent::MTE2_V>(EVENT_ID0);
        WaitFlag<HardEvent::MTE2_V>(EVENT_ID0);
    }
    Adds(a, a, 1.0f, 64);  //! missing-sync
    SetFlag<HardEvent::V_MTE3>(EVENT_ID0);
    WaitFlag<HardEvent::V_MTE3>(EVENT_ID0);
    DataCopy(global<float>(y, 64), a, 64);
}

void sync_v_mte3(GM_ADDR, GM_ADDR y) {
    TPipe pipe;
    TBuf<> buffer;
    pipe.InitBuffer(buffer, 1024);
    auto a = buffer.Get<float>();
    Duplicate(a, 1.0f, 64);
    if (!bad) PipeBarrier<PIPE_ALL>();
    DataCopy(global<float>(y, 64), a, 64);  //! missing-sync
}

// The write after the read: the next tile may not come in before the vector unit has read the last.
void sync_v_mte2(GM_ADDR x, GM_ADDR y) {
    Queues q;
    auto a = q.buffer.Get<float>();
    auto b = q.out.AllocTensor<float>();
    Duplicate(b, 0.0f, 64);
    for (int i = 0; i < 2; ++i) {
        DataCopy(a, global<float>(x, 128)[i * 64], 64);  //! missing-sync
        SetFlag<HardEvent::MTE2_V>(EVENT_ID0);
        WaitFlag<HardEvent::MTE2_V>(EVENT_ID0);
        Add(b, b, a, 64);
        if (!bad) {
            SetFlag<HardEvent::V_MTE2>(EVENT_ID0);
            WaitFlag<HardEvent::V_MTE2>(EVENT_ID0);
        }
    }
    q.out.EnQue(b);
    store(q, global<float>(y, 64), 64);
}

void sync_v_s(GM_ADDR x, GM_ADDR y) {
    Queues q;
    load(q, global<float>(x, 64), 64);
    auto a = q.in.DeQue<float>();
    auto t = q.buffer.Get<float>();
    auto b = q.out.AllocTensor<float>();
    ReduceMax(t, a, b, 64);
    if (!bad) {
        SetFlag<HardEvent::V_S>(EVENT_ID0);
        WaitFlag<HardEvent::V_S>(EVENT_ID0);
    }
    float most = t.GetValue(0);  //! missing-sync
    Adds(b, a, -most, 64);
    q.in.FreeTensor(a);
    q.out.EnQue(b);
    store(q, global<float>(y, 64), 64);
}

void sync_s_mte3(GM_ADDR, GM_ADDR y) {
    TPipe pipe;
    TBuf<> buffer;
    pipe.InitBuffer(buffer, 32);
    auto a = buffer.Get<float>();
    for (int i = 0; i < 8; ++i) a.SetValue(i, float(i));
    if (!bad) {
        SetFlag<HardEvent::S_MTE3>(EVENT_ID0);
        WaitFlag<HardEvent::S_MTE3>(EVENT_ID0);
    }
    DataCopy(global<float>(y, 8), a, 8);  //! missing-sync
}

void wait_without_set(GM_ADDR, GM_ADDR) {
    if (!bad) SetFlag<HardEvent::V_S>(EVENT_ID1);
    WaitFlag<HardEvent::V_S>(EVENT_ID1);  //! wait-without-set
}

void set_without_wait(GM_ADDR, GM_ADDR) {
    SetFlag<HardEvent::V_S>(EVENT_ID1);  //! set-without-wait
    if (!bad) WaitFlag<HardEvent::V_S>(EVENT_ID1);
}

void flag_twice(GM_ADDR, GM_ADDR) {
    SetFlag<HardEvent::V_S>(EVENT_ID1);
    if (!bad) WaitFlag<HardEvent::V_S>(EVENT_ID1);
    SetFlag<HardEvent::V_S>(EVENT_ID1);  //! flag-twice
    WaitFlag<HardEvent::V_S>(EVENT_ID1);
}

void event_id(GM_ADDR, GM_ADDR) {
    TPipe pipe;
    TEventID id = 0;
    for (int i = 0; i < 9; ++i) {
        id = pipe.AllocEventID<HardEvent::V_S>();  //! event-id
        if (!bad) pipe.ReleaseEventID<HardEvent::V_S>(id);
    }
}

void line_conflict(GM_ADDR, GM_ADDR y) {
    auto out = global<float>(y, 1024);
    out.SetValue(bad ? GetBlockIdx() : GetBlockIdx() * 16, 1.0f);  //! gm-line-conflict
}

void write_conflict(GM_ADDR, GM_ADDR y) {
    Queues q;
    auto b = q.out.AllocTensor<float>();
    Duplicate(b, float(GetBlockIdx()), 64);
    q.out.EnQue(b);
    b = q.out.DeQue<float>();
    DataCopy(global<float>(y, 1024)[bad ? 0 : GetBlockIdx() * 64], b, 64);  //! gm-write-conflict
    q.out.FreeTensor(b);
}

void atomic_add(GM_ADDR, GM_ADDR y) {
    Queues q;
    auto b = q.out.AllocTensor<float>();
    Duplicate(b, 1.0f + float(GetBlockIdx()), 64);
    q.out.EnQue(b);
    b = q.out.DeQue<float>();
    if (!bad) SetAtomicAdd<float>();
    DataCopy(global<float>(y, 64), b, 64);  //! gm-write-conflict
    SetAtomicNone();
    q.out.FreeTensor(b);
}

void atomic_type(GM_ADDR, GM_ADDR y) {
    Queues q;
    auto b = q.out.AllocTensor<float>();
    Duplicate(b, 1.0f, 64);
    q.out.EnQue(b);
    b = q.out.DeQue<float>();
    if (bad) SetAtomicAdd<int32_t>();
    else SetAtomicAdd<float>();
    DataCopy(global<float>(y, 64), b, 64);  //! atomic-type
    SetAtomicNone();
    q.out.FreeTensor(b);
}

// Each core writes its part, then reads its neighbour's.
void read_after_write(GM_ADDR x, GM_ADDR y) {
    Queues q;
    auto part = global<float>(x, 1024);
    auto b = q.out.AllocTensor<float>();
    Duplicate(b, float(GetBlockIdx()), 64);
    q.out.EnQue(b);
    b = q.out.DeQue<float>();
    DataCopy(part[GetBlockIdx() * 64], b, 64);  //! gm-write-after-read
    q.out.FreeTensor(b);
    if (!bad) SyncAll();
    else PipeBarrier<PIPE_ALL>();
    auto a = q.in.AllocTensor<float>();
    DataCopy(a, part[(GetBlockIdx() + GetBlockNum() - 1) % GetBlockNum() * 64], 64);  //! gm-read-after-write
    q.in.EnQue(a);
    a = q.in.DeQue<float>();
    b = q.out.AllocTensor<float>();
    Adds(b, a, 0.0f, 64);
    q.in.FreeTensor(a);
    q.out.EnQue(b);
    store(q, global<float>(y, 1024)[GetBlockIdx() * 64], 64);
}

// GM between the pipes of one core.
void gm_sync(GM_ADDR, GM_ADDR y) {
    Queues q;
    auto b = q.out.AllocTensor<float>();
    Duplicate(b, 1.0f, 64);
    q.out.EnQue(b);
    store(q, global<float>(y, 64), 64);
    if (!bad) {
        SetFlag<HardEvent::MTE3_MTE2>(EVENT_ID0);
        WaitFlag<HardEvent::MTE3_MTE2>(EVENT_ID0);
    }
    auto a = q.in.AllocTensor<float>();
    DataCopy(a, global<float>(y, 64), 64);  //! missing-sync
    q.in.EnQue(a);
    a = q.in.DeQue<float>();
    q.in.FreeTensor(a);
}

// Transfers of one pipe to the same bytes may overtake one another.
void transfers_to_gm(GM_ADDR, GM_ADDR y) {
    Queues q;
    for (int i = 0; i < 2; ++i) {
        auto b = q.out.AllocTensor<float>();
        Duplicate(b, float(i + 1), 64);
        q.out.EnQue(b);
        if (!bad) PipeBarrier<PIPE_MTE3>();
        b = q.out.DeQue<float>();
        DataCopy(global<float>(y, 128)[i * 56], b, 64);  //! missing-sync
        q.out.FreeTensor(b);
    }
}

void transfers_to_ub(GM_ADDR x, GM_ADDR) {
    Queues q;
    auto a = q.in.AllocTensor<float>();
    DataCopy(a, global<float>(x, 128), 64);
    if (!bad) PipeBarrier<PIPE_MTE2>();
    DataCopy(a[56], global<float>(x, 128)[64], 64);  //! missing-sync
    q.in.EnQue(a);
    a = q.in.DeQue<float>();
    q.in.FreeTensor(a);
}

// What overlaps needs no order where each order gives the same: sums, and bytes that are there already.
void transfers_that_agree(GM_ADDR x, GM_ADDR y) {
    Queues q;
    for (int i = 0; i < 3; ++i) {
        auto b = q.out.AllocTensor<float>();
        Duplicate(b, 1.0f, 64);
        q.out.EnQue(b);
        b = q.out.DeQue<float>();
        DataCopy(global<float>(x, 128)[i * 8], b, 64);
        SetAtomicAdd<float>();
        DataCopy(global<float>(y, 128)[i * 8], b, 64);
        SetAtomicNone();
        q.out.FreeTensor(b);
    }
    auto b = q.out.AllocTensor<float>();
    Duplicate(b, 2.0f, 64);
    q.out.EnQue(b);
    if (!bad) PipeBarrier<PIPE_MTE3>();
    b = q.out.DeQue<float>();
    DataCopy(global<float>(y, 128), b, 64);  //! missing-sync
    q.out.FreeTensor(b);
}

// All cores read what the last one writes.
void write_after_many_reads(GM_ADDR x, GM_ADDR) {
    Queues q;
    load(q, global<float>(x, 64), 64);
    auto a = q.in.DeQue<float>();
    auto b = q.out.AllocTensor<float>();
    Adds(b, a, 1.0f, 64);
    q.in.FreeTensor(a);
    q.out.EnQue(b);
    if (!bad) SyncAll();
    else PipeBarrier<PIPE_ALL>();
    b = q.out.DeQue<float>();
    if (GetBlockIdx() + 1 == GetBlockNum()) DataCopy(global<float>(x, 64), b, 64);  //! gm-write-after-read
    q.out.FreeTensor(b);
}

// Neighbours in a block of 32 bytes have orders of their own.
void gm_neighbours(GM_ADDR, GM_ADDR y) {
    Queues q;
    auto out = global<float>(y, 64);
    auto b = q.out.AllocTensor<float>();
    Duplicate(b, 1.0f, 64);
    q.out.EnQue(b);
    b = q.out.DeQue<float>();
    DataCopyPad(out[8], b, DataCopyExtParams{1, 4, 0, 0, 0});
    out.SetValue(9, 1.0f);
    DataCacheCleanAndInvalid<float, CacheLine::SINGLE_CACHE_LINE, DcciDst::CACHELINE_OUT>(out);
    SetFlag<HardEvent::S_MTE2>(EVENT_ID0);
    WaitFlag<HardEvent::S_MTE2>(EVENT_ID0);
    if (!bad) {
        SetFlag<HardEvent::MTE3_MTE2>(EVENT_ID0);
        WaitFlag<HardEvent::MTE3_MTE2>(EVENT_ID0);
    }
    q.out.FreeTensor(b);
    auto a = q.in.AllocTensor<float>();
    DataCopy(a, out[8], 8);  //! missing-sync
    q.in.EnQue(a);
    a = q.in.DeQue<float>();
    q.in.FreeTensor(a);
}

void gm_cache(GM_ADDR, GM_ADDR y) {
    Queues q;
    auto out = global<float>(y, 64);
    for (int i = 0; i < 8; ++i) out.SetValue(i, float(i));
    if (!bad) DataCacheCleanAndInvalid<float, CacheLine::SINGLE_CACHE_LINE, DcciDst::CACHELINE_OUT>(out);
    SetFlag<HardEvent::S_MTE2>(EVENT_ID0);
    WaitFlag<HardEvent::S_MTE2>(EVENT_ID0);
    auto a = q.in.AllocTensor<float>();
    DataCopy(a, out, 8);  //! gm-cache
    q.in.EnQue(a);
    a = q.in.DeQue<float>();
    q.in.FreeTensor(a);
}

void deadlock(GM_ADDR, GM_ADDR) {
    if (!bad || GetBlockIdx() == 0) SyncAll();  //! deadlock
}

void round_mode(GM_ADDR x, GM_ADDR y) {
    Queues q;
    load(q, global<float>(x, 64), 64);
    auto a = q.in.DeQue<float>();
    auto b = q.out.AllocTensor<bfloat16_t>();
    Cast(b, a, bad ? RoundMode::CAST_NONE : RoundMode::CAST_RINT, 64);  //! round-mode
    q.in.FreeTensor(a);
    q.out.EnQue(b);
    b = q.out.DeQue<bfloat16_t>();
    DataCopy(global<bfloat16_t>(y, 64), b, 64);
    q.out.FreeTensor(b);
}

void gather_bounds(GM_ADDR x, GM_ADDR y) {
    Queues q;
    load(q, global<float>(x, 64), 64);
    auto a = q.in.DeQue<float>();
    auto b = q.out.AllocTensor<float>();
    auto places = q.buffer.Get<int32_t>();
    CreateVecIndex(places, bad ? 250 : 0, 64);
    Muls(places, places, 4, 64);
    Duplicate(b, 0.0f, 64);
    Gather(b, a, places.ReinterpretCast<uint32_t>(), 0, 64);  //! local-out-of-bounds
    q.in.FreeTensor(a);
    q.out.EnQue(b);
    if (bad) Duplicate(b, 0.0f, 64);
    b = q.out.DeQue<float>();
    q.out.FreeTensor(b);
    (void)y;
}

void compare_length(GM_ADDR x, GM_ADDR) {
    Queues q;
    load(q, global<float>(x, 64), 64);
    auto a = q.in.DeQue<float>();
    auto bits = q.buffer.Get<uint8_t>();
    CompareScalar(bits, a, 0.5f, CMPMODE::GT, bad ? 40 : 64);  //! unaligned-length
    q.in.FreeTensor(a);
}

void wrong_position(GM_ADDR x, GM_ADDR) {
    Queues q;
    TQue<QuePosition::A1, 1> matrix;
    q.pipe.InitBuffer(matrix, 1, 1024);
    if (bad) {
        auto a = matrix.AllocTensor<float>();
        Duplicate(a, 0.0f, 64);  //! wrong-position
        matrix.FreeTensor(a);
    }
    (void)x;
}

void assertion(GM_ADDR, GM_ADDR) {
    ASSERT(!bad);  //! assertion
}

// Scalars of GM through plain pointers work and are not watched.
void raw_pointer(GM_ADDR x, GM_ADDR y) {
    __gm__ float* from = reinterpret_cast<__gm__ float*>(x);
    __gm__ float* to = reinterpret_cast<__gm__ float*>(y);
    to[GetBlockIdx()] = from[GetBlockIdx()] + 1.0f;
    if (bad) global<float>(y, 0).SetValue(1 << 20, 0.0f);  //! gm-out-of-bounds
}

void temporary(GM_ADDR x, GM_ADDR y) {
    TPipe pipe;
    TBuf<> a, b, c;
    pipe.InitBuffer(a, 80 * 1024);
    pipe.InitBuffer(b, 32);
    pipe.InitBuffer(c, bad ? 1024 : 2048);
    auto f = a.Get<float>(), out = b.Get<float>(), t = c.Get<float>();
    Duplicate(f, 1.0f, 64 * 300);
    // More than 255 repeats are no error here.
    ReduceMax(out, f, t, 64, 300, 8);  //! temporary-too-small
    (void)x;
    (void)y;
}

struct Case { const char* name; void (*kernel)(GM_ADDR, GM_ADDR); uint32_t blocks; };
#define CASE(name, blocks) {#name, name, blocks}
const Case cases[] = {
    CASE(unsupported_type, 1), CASE(unaligned_address, 1), CASE(unaligned_length, 1), CASE(local_memory_full, 1), CASE(queue_leak, 1), CASE(queue_full, 1),
    CASE(queue_discipline, 1), CASE(empty_queue, 1), CASE(parameter_repeat, 1), CASE(parameter_block_count, 1), CASE(uninitialised, 1), CASE(uninitialised_reduction, 1),
    CASE(uninitialised_lanes_dropped, 1), CASE(local_bounds, 1), CASE(gm_bounds, 1), CASE(gm_tensor_bounds, 1), CASE(sync_mte2_v, 1), CASE(sync_v_mte3, 1), CASE(sync_v_mte2, 1),
    CASE(sync_v_s, 1), CASE(sync_s_mte3, 1), CASE(wait_without_set, 1), CASE(set_without_wait, 1), CASE(flag_twice, 1), CASE(event_id, 1), CASE(line_conflict, 4),
    CASE(write_conflict, 4), CASE(atomic_add, 4), CASE(atomic_type, 1), CASE(read_after_write, 4), CASE(gm_sync, 1), CASE(gm_cache, 1), CASE(transfers_to_gm, 1),
    CASE(transfers_to_ub, 1), CASE(transfers_that_agree, 1), CASE(write_after_many_reads, 4), CASE(gm_neighbours, 1), CASE(deadlock, 4), CASE(round_mode, 1),
    CASE(gather_bounds, 1), CASE(compare_length, 1), CASE(wrong_position, 1), CASE(temporary, 1), CASE(assertion, 1), CASE(raw_pointer, 4),
};

}  // namespace

int main(int argc, char** argv) {
    if (argc == 2 && !std::strcmp(argv[1], "list")) {
        for (const Case& each : cases) std::puts(each.name);
        return 0;
    }
    if (argc != 3) return 2;
    bad = !std::strcmp(argv[2], "bad");
    Memory x(256 * 1024), y(256 * 1024);
    for (const Case& each : cases) {
        if (std::strcmp(each.name, argv[1])) continue;
        port_ascend::launch(each.name, each.kernel, each.blocks)(x.data, y.data);
        return 0;
    }
    return 2;
}
