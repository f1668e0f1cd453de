// TPipe, TQue, TQueBind, TBuf: local memory's buffers and the order that queues give. Events between pipes are kept per
// buffer: EnQue marks what the producer has done, DeQue makes the consumer wait for it; FreeTensor and the next
// AllocTensor of that buffer do the same the other way.
#pragma once

#include <port_ascend/tensor.h>

typedef int pipe_t;
constexpr int PIPE_S = port_ascend::pipe_s, PIPE_V = port_ascend::pipe_v, PIPE_M = port_ascend::pipe_m,
              PIPE_MTE1 = port_ascend::pipe_mte1, PIPE_MTE2 = port_ascend::pipe_mte2, PIPE_MTE3 = port_ascend::pipe_mte3,
              PIPE_FIX = port_ascend::pipe_fix, PIPE_ALL = -1;
typedef int event_t;
typedef int TEventID;
constexpr int EVENT_ID0 = 0, EVENT_ID1 = 1, EVENT_ID2 = 2, EVENT_ID3 = 3, EVENT_ID4 = 4, EVENT_ID5 = 5, EVENT_ID6 = 6, EVENT_ID7 = 7;

namespace AscendC {

using ::TEventID;
using ::event_t;

// An event's number holds its two pipes: from * 8 + to.
#define PORT_ASCEND_EVENT(from_name, from, to_name, to) from_name##_##to_name = from * 8 + to
enum class HardEvent : uint8_t {
    S_V = 1, S_M, S_MTE1, S_MTE2, S_MTE3, S_FIX,
    V_S = 8, V_V, V_M, V_MTE1, V_MTE2, V_MTE3, V_FIX,
    M_S = 16, M_V, M_M, M_MTE1, M_MTE2, M_MTE3, M_FIX,
    MTE1_S = 24, MTE1_V, MTE1_M, MTE1_MTE1, MTE1_MTE2, MTE1_MTE3, MTE1_FIX,
    MTE2_S = 32, MTE2_V, MTE2_M, MTE2_MTE1, MTE2_MTE2, MTE2_MTE3, MTE2_FIX,
    MTE3_S = 40, MTE3_V, MTE3_M, MTE3_MTE1, MTE3_MTE2, MTE3_MTE3, MTE3_FIX,
    FIX_S = 48, FIX_V, FIX_M, FIX_MTE1, FIX_MTE2, FIX_MTE3, FIX_FIX,
    MAX
};
#undef PORT_ASCEND_EVENT

constexpr port_ascend::Pipe port_event_from(HardEvent event) { return port_ascend::Pipe(uint8_t(event) / 8); }
constexpr port_ascend::Pipe port_event_to(HardEvent event) { return port_ascend::Pipe(uint8_t(event) % 8); }

template <HardEvent event> inline void SetFlag(int32_t id, PORT_ASCEND_SITE) {
    port_ascend::set_flag(port_event_from(event), port_event_to(event), id, site);
}
template <HardEvent event> inline void WaitFlag(int32_t id, PORT_ASCEND_SITE) {
    port_ascend::wait_flag(port_event_from(event), port_event_to(event), id, site);
}
template <int pipe> inline void PipeBarrier(PORT_ASCEND_SITE) { port_ascend::pipe_barrier(pipe, site); }

template <int source, int target> class TQueSync {
public:
    void SetFlag(TEventID id, PORT_ASCEND_SITE) { port_ascend::set_flag(port_ascend::pipe_of(source), port_ascend::pipe_of(target), id, site); }
    void WaitFlag(TEventID id, PORT_ASCEND_SITE) { port_ascend::wait_flag(port_ascend::pipe_of(source), port_ascend::pipe_of(target), id, site); }
};

struct TQueConfig {
    bool nd2nz, nz2nd, scmBlockGroup;
    uint32_t bufferLen, bufferNumber, consumerSize;
    TPosition consumer[8];
    bool enableStaticEvtId, enableLoopQueue;
};
constexpr TQueConfig GetTQueConfig(bool nd2nz, bool nz2nd, bool scmBlockGroup, uint32_t bufferLen, uint32_t bufferNumber,
                                   uint32_t consumerSize, const TPosition[] = nullptr, bool enableStaticEvtId = false, bool enableLoopQueue = false) {
    return {nd2nz, nz2nd, scmBlockGroup, bufferLen, bufferNumber, consumerSize, {}, enableStaticEvtId, enableLoopQueue};
}

class TPipe;
template <TPosition position> class TBuf;

}  // namespace AscendC

namespace port_ascend {

// The pipe that fills a buffer of a position, and the one that empties it.
constexpr Pipe producer_of(AscendC::TPosition from) {
    using P = AscendC::TPosition;
    switch (from) {
        case P::VECIN: case P::A1: case P::B1: case P::C1: case P::TSCM: case P::GM: return pipe_mte2;
        case P::VECOUT: case P::VECCALC: return pipe_v;
        case P::A2: case P::B2: case P::C2: case P::C2PIPE2GM: return pipe_mte1;
        case P::CO1: return pipe_m;
        case P::CO2: return pipe_fix;
        default: return pipe_v;
    }
}
constexpr Pipe consumer_of(AscendC::TPosition to) {
    using P = AscendC::TPosition;
    switch (to) {
        case P::VECIN: case P::VECCALC: return pipe_v;
        case P::VECOUT: case P::GM: return pipe_mte3;
        case P::A1: case P::B1: case P::C1: case P::TSCM: return pipe_mte1;
        case P::A2: case P::B2: case P::C2: return pipe_m;
        case P::CO1: case P::C2PIPE2GM: return pipe_fix;
        case P::CO2: return pipe_v;
        default: return pipe_v;
    }
}

}  // namespace port_ascend

namespace AscendC {

// What every queue does, whatever its template arguments.
class PortQueue {
public:
    int first = -1, number = 0;
    uint32_t buffer_bytes = 0;
    // Buffers in the order of EnQue; at most 64 buffers exist in a pipe.
    int waiting[64] = {};
    int head = 0, count = 0, next = 0, taken = 0;

    int take(const char* call, int limit, port_ascend::Pipe producer, port_ascend::Site site);
    void enqueue(int buffer, int depth, port_ascend::Pipe producer, port_ascend::Site site);
    int dequeue(port_ascend::Pipe consumer, port_ascend::Site site);
    void release(int buffer, port_ascend::Pipe consumer, port_ascend::Site site);
    void initialise(port_ascend::Space space, uint32_t number, uint32_t bytes, port_ascend::Site site);
};

template <TPosition src, TPosition dst, int32_t depth, auto mask = 0> class TQueBind : public PortQueue {
public:
    static constexpr TPosition srcPosition = src, dstPosition = dst;
    // Which memory: a queue through the vector unit's memory whatever its other end is.
    static constexpr TPosition place = src == TPosition::GM ? dst : src;
    static constexpr bool from_vecin = src == TPosition::VECIN, to_vecout = dst == TPosition::VECOUT || dst == TPosition::GM;

    template <typename T> LocalTensor<T> AllocTensor(PORT_ASCEND_SITE) { return tensor<T>(take("AllocTensor", number, producer, site)); }
    template <typename T> void AllocTensor(LocalTensor<T>& result, PORT_ASCEND_SITE) { result = tensor<T>(take("AllocTensor", number, producer, site)); }
    template <typename T> bool EnQue(const LocalTensor<T>& tensor, PORT_ASCEND_SITE) {
        enqueue(tensor.buffer, depth, producer, site);
        return true;
    }
    template <TPosition from, TPosition to, typename T> bool EnQue(const LocalTensor<T>& tensor, PORT_ASCEND_SITE) {
        enqueue(tensor.buffer, depth, port_ascend::producer_of(from == TPosition::GM ? to : from), site);
        return true;
    }
    template <typename T> LocalTensor<T> DeQue(PORT_ASCEND_SITE) { return tensor<T>(dequeue(consumer, site)); }
    template <typename T> void DeQue(LocalTensor<T>& result, PORT_ASCEND_SITE) { result = tensor<T>(dequeue(consumer, site)); }
    template <TPosition from, TPosition to, typename T> LocalTensor<T> DeQue(PORT_ASCEND_SITE) {
        return tensor<T>(dequeue(from == TPosition::GM ? port_ascend::consumer_of(to) : port_ascend::consumer_of(to), site));
    }
    template <typename T> void FreeTensor(const LocalTensor<T>& tensor, PORT_ASCEND_SITE) { release(tensor.buffer, consumer, site); }
    bool VacantInQue() const { return taken + count < (depth > number ? depth : number) && count < (depth ? depth : 1); }
    bool HasTensorInQue() const { return count > 0; }
    int32_t GetTensorCountInQue() const { return count; }
    bool HasIdleBuffer() const {
        for (int i = 0; i < number; ++i) if (port_ascend::queue_buffer_at(first + i).state == 0) return true;
        return false;
    }
    void FreeAllEvent() {}
    template <typename T> LocalTensor<T> tensor(int buffer) const {
        LocalTensor<T> result;
        if (buffer < 0) return result;
        const port_ascend::QueueBuffer& from = port_ascend::queue_buffer_at(buffer);
        result.space = port_ascend::Space(from.space);
        result.position = place;
        result.offset = result.low = from.offset;
        result.high = from.offset + from.bytes;
        result.elements = uint32_t(from.bytes / sizeof(T) * (std::is_same<T, int4b_t>::value ? 2 : 1));
        result.buffer = buffer;
        return result;
    }
    static constexpr port_ascend::Pipe producer = port_ascend::producer_of(place);
    // A queue from VECIN to VECOUT carries a copy without computation: its consumer is the way out.
    static constexpr port_ascend::Pipe consumer = port_ascend::consumer_of(dst);
};

template <TPosition position> constexpr TPosition port_destination() { return position; }

template <TPosition position, int32_t depth, auto mask = 0> class TQue : public TQueBind<position, position, depth, mask> {};

template <TPosition position = TPosition::LCM> class TBuf {
public:
    template <typename T> LocalTensor<T> Get(PORT_ASCEND_SITE) { return with<T>(0, uint32_t(bytes / sizeof(T)), site); }
    template <typename T> LocalTensor<T> Get(uint32_t elements, PORT_ASCEND_SITE) { return with<T>(0, elements, site); }
    template <typename T> LocalTensor<T> GetWithOffset(uint32_t elements, uint32_t at, PORT_ASCEND_SITE) { return with<T>(at, elements, site); }
    template <typename T> LocalTensor<T> AllocTensor(PORT_ASCEND_SITE) { return Get<T>(site); }
    template <typename T> void FreeTensor(const LocalTensor<T>&) {}
    template <typename T> void EnQue(const LocalTensor<T>&) {}
    template <typename T> LocalTensor<T> DeQue(PORT_ASCEND_SITE) { return Get<T>(site); }
    uint32_t GetBufferLen() const { return bytes; }

    template <typename T> LocalTensor<T> with(uint32_t at, uint32_t elements, port_ascend::Site site) {
        LocalTensor<T> result;
        if (!ready) {
            port_ascend::report("no-init-buffer", "TBuf::Get", site, "InitBuffer was not called for this TBuf");
            port_ascend::stop_core();
        }
        uint64_t wanted = at + port_ascend::bytes_of<T>(elements);
        if (wanted > bytes) {
            port_ascend::report("local-out-of-bounds", "TBuf::Get", site, "a tensor of %llu bytes from a TBuf of %u: give InitBuffer more", (unsigned long long)wanted, bytes);
        }
        result.space = port_ascend::space_of(position);
        result.position = position;
        result.offset = offset + at;
        result.low = offset;
        result.high = offset + (bytes + 31) / 32 * 32;
        result.elements = elements;
        return result;
    }
    uint32_t offset = 0, bytes = 0;
    bool ready = false;
};

class TPipe {
public:
    TPipe() {
        if (port_ascend::core) Init();
    }
    void Init() {
        port_ascend::pipe_start();
        port_ascend::core->pipe_object = this;
    }
    template <class Queue> bool InitBuffer(Queue& queue, uint8_t number, uint32_t bytes, PORT_ASCEND_SITE) {
        queue.initialise(port_ascend::space_of(Queue::place), number, bytes, site);
        buffers += number;
        if (buffers > 64) {
            port_ascend::report("too-many-buffers", "InitBuffer", site, "%u buffers in one TPipe: 64 are possible", buffers);
        }
        return true;
    }
    template <TPosition position> bool InitBuffer(TBuf<position>& buffer, uint32_t bytes, PORT_ASCEND_SITE) {
        if (bytes == 0) port_ascend::report("empty-buffer", "InitBuffer", site, "a buffer of no bytes");
        buffer.offset = port_ascend::allocate(port_ascend::space_of(position), bytes, "InitBuffer", site);
        buffer.bytes = bytes;
        buffer.ready = true;
        return true;
    }
    template <HardEvent event> TEventID AllocEventID(PORT_ASCEND_SITE) { return port_ascend::fetch_event(port_event_from(event), port_event_to(event), true, site); }
    template <HardEvent event> void ReleaseEventID(TEventID id) { port_ascend::release_event(port_event_from(event), port_event_to(event), id); }
    TEventID FetchEventID(HardEvent event, PORT_ASCEND_SITE) { return port_ascend::fetch_event(port_event_from(event), port_event_to(event), false, site); }
    template <HardEvent event> TEventID FetchEventID(PORT_ASCEND_SITE) { return port_ascend::fetch_event(port_event_from(event), port_event_to(event), false, site); }
    void Reset() { port_ascend::pipe_reset(); buffers = 0; }
    void Destroy() { port_ascend::pipe_reset(); buffers = 0; }
    template <TPosition position> uint64_t GetQueueEndAddress() { return port_ascend::allocated(port_ascend::space_of(position)); }
    uint32_t buffers = 0;
};

inline TPipe* GetTPipePtr() {
    return port_ascend::core ? static_cast<TPipe*>(port_ascend::core->pipe_object) : nullptr;
}

}  // namespace AscendC

using AscendC::GetTPipePtr;

namespace AscendC {

// The whole local memory in order of Alloc, without a TPipe.
template <Hardware hardware> class LocalMemAllocator {
public:
    static constexpr port_ascend::Space space = hardware == Hardware::L1 ? port_ascend::space_l1 : hardware == Hardware::L0A ? port_ascend::space_l0a
        : hardware == Hardware::L0B ? port_ascend::space_l0b : hardware == Hardware::L0C ? port_ascend::space_l0c
        : hardware == Hardware::BIAS ? port_ascend::space_bt : hardware == Hardware::FIXBUF ? port_ascend::space_fb : port_ascend::space_ub;
    static constexpr TPosition usual = hardware == Hardware::L1 ? TPosition::A1 : hardware == Hardware::L0A ? TPosition::A2
        : hardware == Hardware::L0B ? TPosition::B2 : hardware == Hardware::L0C ? TPosition::CO1
        : hardware == Hardware::BIAS ? TPosition::C2 : hardware == Hardware::FIXBUF ? TPosition::C2PIPE2GM : TPosition::VECCALC;
    uint32_t GetCurAddr() const { return port_ascend::allocated(space); }
    template <typename T, uint32_t elements> LocalTensor<T> Alloc(PORT_ASCEND_SITE) { return give<T>(usual, elements, site); }
    template <TPosition position, typename T, uint32_t elements> LocalTensor<T> Alloc(PORT_ASCEND_SITE) { return give<T>(position, elements, site); }
    template <typename T> LocalTensor<T> Alloc(uint32_t elements, PORT_ASCEND_SITE) { return give<T>(usual, elements, site); }
    template <TPosition position, typename T> LocalTensor<T> Alloc(uint32_t elements, PORT_ASCEND_SITE) { return give<T>(position, elements, site); }
private:
    template <typename T> LocalTensor<T> give(TPosition position, uint32_t elements, port_ascend::Site site) {
        uint32_t bytes = uint32_t(port_ascend::bytes_of<T>(elements));
        uint32_t at = port_ascend::allocate(space, bytes, "LocalMemAllocator::Alloc", site);
        return LocalTensor<T>(position, at, elements);
    }
};

}  // namespace AscendC
