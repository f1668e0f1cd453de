// Accesses through raw pointers into global memory, where the text was compiled to call these functions before each
// access (-fsanitize=thread): they go into the digest. The compiler's own runtime is not linked.

#include "machine.hpp"

namespace {

void access(const void* address, size_t bytes, bool write) {
    if (port_ascend::core || port_ascend::thread_kernel) port_ascend::digest_gm(address, bytes, write);
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
