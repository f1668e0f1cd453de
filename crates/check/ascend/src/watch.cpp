// Accesses through raw pointers, where the text was compiled to call these functions before each access
// (-fsanitize=thread): where they write goes into the digest, and threads of a block that meet in memory without a
// barrier between them are found. The compiler's own runtime is not linked.

#include "machine.hpp"

// Of the runtime of the 950's threads, where it is linked.
namespace port_oracle {
__attribute__((weak)) uint64_t phase();
__attribute__((weak)) unsigned thread_number();
__attribute__((weak)) bool is_shared(const void* address);
__attribute__((weak)) extern bool atomic_access;
__attribute__((weak)) extern void (*phase_ends)();
}  // namespace port_oracle

namespace {

using namespace port_ascend;

constexpr uint32_t nobody = ~0u;
constexpr uint32_t warp = 32;

// The threads of a block that did something with a byte in a phase: the first, another one of its warp, one of
// another warp.
struct Threads {
    uint64_t phase;
    uint32_t first, beside, other;

    void add(uint64_t now, uint32_t thread) {
        if (phase != now) *this = Threads{now, thread, nobody, nobody};
        else if (thread / warp != first / warp) other = thread;
        else if (thread != first) beside = thread;
    }
    // One that is of another warp than `thread`.
    uint32_t apart(uint64_t now, uint32_t thread) const {
        return phase != now ? nobody : first / warp != thread / warp ? first : other;
    }
    bool has_another(uint64_t now, uint32_t thread) const {
        return phase == now && (first != thread || beside != nobody || other != nobody);
    }
};

struct Byte { Threads reads, writes, atomics; };
struct BytePage { Byte bytes[512]; };

std::unordered_map<uintptr_t, BytePage>& byte_pages() {
    static auto* map = new std::unordered_map<uintptr_t, BytePage>();
    return *map;
}

Byte& byte_at(uintptr_t address) {
    static uintptr_t last_number;
    static BytePage* last;
    if (!last || last_number != address / 512) {
        last_number = address / 512;
        last = &byte_pages()[last_number];
    }
    return last->bytes[address % 512];
}

uint64_t mixed(uint64_t hash, uint64_t value) {
    hash = (hash ^ value) * 0x2545f4914f6cdd1d;
    return hash ^ hash >> 32;
}

// What each thread of the running block has done, in its own order.
void digest_of_thread(uint32_t thread, uint64_t value) {
    static std::vector<uint64_t> chains;
    if (thread >= chains.size()) chains.resize(thread + 1);
    uint64_t before = chains[thread];
    chains[thread] = mixed(before ^ thread, value);
    digest_unordered(before, chains[thread]);
}

// An access by a thread, and of a write what was there before it.
struct ThreadAccess {
    uintptr_t address;
    size_t bytes;
    uint64_t place, size;  // in global memory
    uint64_t phase;
    uint32_t thread;
    bool write, shared, atomic;
    std::vector<uint8_t> before;
};

// Threads that meet without a barrier between them; those of one warp may go in step. Whether it does anything: a write
// of what another thread has just written does not, and either may come first.
bool meet(const ThreadAccess& access) {
    const uint64_t phase = access.phase;
    const uint32_t thread = access.thread;
    const bool write = access.write, shared = access.shared, atomic = access.atomic;
    bool raced = false, met = false, does = false;
    for (size_t i = 0; i < access.bytes; ++i) {
        uintptr_t at = access.address + i;
        Byte& byte = byte_at(at);
        bool known = i < access.before.size() && *reinterpret_cast<const uint8_t*>(at) == access.before[i];
        if (known && byte.writes.has_another(phase, thread)) continue;
        does = true;
        const Threads* before[] = {&byte.writes, write || atomic ? &byte.reads : nullptr, atomic ? nullptr : &byte.atomics};
        for (const Threads* each : before) {
            if (!each) continue;
            met |= each->has_another(phase, thread);
            uint32_t apart = each->apart(phase, thread);
            // Two writes may be of the same value.
            if (!shared || raced || apart == nobody || (write && each == &byte.writes)) continue;
            raced = true;
            report("shared-race", "shared memory", Site{"", 0},
                   "thread %u of a block %s a byte of its shared memory that thread %u %s, and no asc_syncthreads() stands between the two: set one between the write and the read",
                   thread, atomic ? "updates" : write ? "writes" : "reads", apart, each == &byte.reads ? "reads" : each == &byte.atomics ? "updates" : "writes");
        }
        (atomic ? byte.atomics : write ? byte.writes : byte.reads).add(phase, thread);
    }
    if (met) digest_unordered(0, mixed(0x9e3779b97f4a7c15, write));
    return does;
}

// The last write: the compiler tells of it before it happens.
ThreadAccess announced;

void settle() {
    if (!announced.bytes) return;
    if (meet(announced) && announced.write && !announced.shared) {
        digest_of_thread(announced.thread, mixed(mixed(announced.place, announced.size), announced.bytes));
    }
    announced.bytes = 0;
}

void access_by_thread(const void* address, size_t bytes, bool write, bool shared, uint64_t place, uint64_t size) {
    port_oracle::phase_ends = settle;
    auto* data = static_cast<const uint8_t*>(address);
    bool atomic = port_oracle::atomic_access;
    announced.address = uintptr_t(address);
    announced.bytes = bytes;
    announced.place = place;
    announced.size = size;
    announced.phase = port_oracle::phase();
    announced.thread = port_oracle::thread_number();
    announced.write = write;
    announced.shared = shared;
    announced.atomic = atomic;
    announced.before.clear();
    if (write && !atomic) announced.before.assign(data, data + bytes);
    else settle();
}

void access(const void* address, size_t bytes, bool write) {
    bool threads = thread_kernel && port_oracle::phase && port_oracle::phase();
    if (!core && !threads) return;
    settle();
    uint64_t place = 0, size = 0;
    bool shared = threads && port_oracle::is_shared(address);
    if (!shared && !raw_gm(address, bytes, write, place, size)) return;
    if (threads) {
        access_by_thread(address, bytes, write, shared, place, size);
    } else if (write) {
        digest_number(place);
        digest_number(size);
        digest_number(bytes);
    }
}

}  // namespace

extern "C" {

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
void __tsan_read_range(void* address, size_t bytes) { access(address, bytes, false); }
void __tsan_write_range(void* address, size_t bytes) { access(address, bytes, true); }

#define PORT_ASCEND_WATCH(bytes)                                                                \
    void __tsan_read##bytes(void* address) { access(address, bytes, false); }                   \
    void __tsan_write##bytes(void* address) { access(address, bytes, true); }                   \
    void __tsan_unaligned_read##bytes(void* address) { access(address, bytes, false); }         \
    void __tsan_unaligned_write##bytes(void* address) { access(address, bytes, true); }
PORT_ASCEND_WATCH(1)
PORT_ASCEND_WATCH(2)
PORT_ASCEND_WATCH(4)
PORT_ASCEND_WATCH(8)
PORT_ASCEND_WATCH(16)
#undef PORT_ASCEND_WATCH

// Guards of static variables, and what hosts use.
#define PORT_ASCEND_ATOMIC(bits, type)                                                                            \
    type __tsan_atomic##bits##_load(const volatile type* from, int) { return __atomic_load_n(from, __ATOMIC_SEQ_CST); } \
    void __tsan_atomic##bits##_store(volatile type* to, type value, int) { __atomic_store_n(to, value, __ATOMIC_SEQ_CST); }
PORT_ASCEND_ATOMIC(8, uint8_t)
PORT_ASCEND_ATOMIC(16, uint16_t)
PORT_ASCEND_ATOMIC(32, uint32_t)
PORT_ASCEND_ATOMIC(64, uint64_t)
#undef PORT_ASCEND_ATOMIC

}  // extern "C"
