// The runtime of ACL on the processor: device memory is memory of the process that kernels may reach, streams run what
// they are given at once, events hold the time. What the real runtime refuses is refused with its error, and reported.
#pragma once

#include <acl/acl_base.h>

#include <algorithm>
#include <chrono>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <set>
#include <port_ascend/core.h>

typedef enum {
    ACL_MEM_MALLOC_HUGE_FIRST,
    ACL_MEM_MALLOC_HUGE_ONLY,
    ACL_MEM_MALLOC_NORMAL_ONLY,
    ACL_MEM_MALLOC_HUGE_FIRST_P2P,
    ACL_MEM_MALLOC_HUGE_ONLY_P2P,
    ACL_MEM_MALLOC_NORMAL_ONLY_P2P,
} aclrtMemMallocPolicy;

typedef enum {
    ACL_MEMCPY_HOST_TO_HOST,
    ACL_MEMCPY_HOST_TO_DEVICE,
    ACL_MEMCPY_DEVICE_TO_HOST,
    ACL_MEMCPY_DEVICE_TO_DEVICE,
    ACL_MEMCPY_DEFAULT,
} aclrtMemcpyKind;

typedef enum { ACL_DDR_MEM, ACL_HBM_MEM } aclrtMemAttr;
typedef enum { ACL_RT_THREAD_LEVEL = 0 } aclrtLastErrLevel;
typedef enum { ACL_DEVICE, ACL_HOST } aclrtRunMode;

typedef enum {
    ACL_EVENT_RECORDED_STATUS_NOT_READY = 0,
    ACL_EVENT_RECORDED_STATUS_COMPLETE = 1,
} aclrtEventRecordedStatus;

typedef enum {
    ACL_STREAM_STATUS_COMPLETE = 0,
    ACL_STREAM_STATUS_NOT_READY = 1,
} aclrtStreamStatus;

typedef enum {
    ACL_DEVICE_INFO_UNDEFINED = -1,
    ACL_DEVICE_INFO_AI_CORE_NUM = 0,
    ACL_DEVICE_INFO_VECTOR_CORE_NUM = 1,
    ACL_DEVICE_INFO_L2_SIZE = 2,
} aclDeviceInfo;

static const uint32_t ACL_EVENT_TIME_LINE = 0x00000008u;
static const uint32_t ACL_EVENT_SYNC = 0x00000001u;
static const uint32_t ACL_STREAM_FAST_LAUNCH = 0x00000001u;
static const uint32_t ACL_STREAM_FAST_SYNC = 0x00000002u;

namespace port_ascend {

// The state of the runtime.
struct Acl {
    bool initialised = false;
    aclError last_error = ACL_SUCCESS;
    char message[256] = "";
    std::map<uintptr_t, size_t> device_memory, host_memory;
    std::set<void*> streams, events;
};

inline Acl& acl() {
    static Acl* state = new Acl;  // programs free memory while statics are destroyed
    return *state;
}

struct AclEvent {
    std::chrono::steady_clock::time_point time;
    bool recorded;
};

// A refused call: its error, kept for aclrtGetLastError and told in the report.
__attribute__((format(printf, 4, 5))) inline aclError acl_fail(aclError error, const char* call, Site site,
                                                               const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    std::vsnprintf(acl().message, sizeof acl().message, format, arguments);
    va_end(arguments);
    acl().last_error = error;
    report("acl", call, site, "%s", acl().message);
    return error;
}

// A failure that programs look for, such as memory that is not there: kept, and no mistake.
inline aclError acl_error(aclError error, const char* message) {
    std::snprintf(acl().message, sizeof acl().message, "%s", message);
    return acl().last_error = error;
}

// The allocation that holds an address: its beginning, or null.
inline const std::pair<const uintptr_t, size_t>* acl_find(const std::map<uintptr_t, size_t>& in, const void* address) {
    const uintptr_t at = reinterpret_cast<uintptr_t>(address);
    auto next = in.upper_bound(at);
    if (next == in.begin()) return nullptr;
    --next;
    return at < next->first + next->second ? &*next : nullptr;
}

// Checks one end of a transfer.
inline aclError acl_range(const void* address, size_t bytes, bool device, const char* what, const char* call, Site site) {
    const auto* found = acl_find(acl().device_memory, address);
    if (device && found == nullptr) {
        return acl_fail(ACL_ERROR_INVALID_PARAM, call, site, "%s %p is not memory of the device", what, address);
    }
    if (!device && found != nullptr) {
        return acl_fail(ACL_ERROR_INVALID_PARAM, call, site, "%s %p is memory of the device", what, address);
    }
    if (found != nullptr && reinterpret_cast<uintptr_t>(address) + bytes > found->first + found->second) {
        return acl_fail(ACL_ERROR_INVALID_PARAM, call, site, "%zu bytes from %s %p pass the end of its %zu bytes", bytes,
                        what, address, found->second);
    }
    return ACL_SUCCESS;
}

inline aclError acl_copy(void* target, size_t room, const void* source, size_t bytes, aclrtMemcpyKind kind,
                         const char* call, Site site) {
    aclError error = ACL_SUCCESS;
    if (bytes == 0) return ACL_SUCCESS;
    if (target == nullptr || source == nullptr) {
        return acl_fail(ACL_ERROR_INVALID_PARAM, call, site, "a null pointer");
    }
    if (bytes > room) {
        return acl_fail(ACL_ERROR_INVALID_PARAM, call, site, "%zu bytes for a destination of %zu", bytes, room);
    }
    bool to_device = kind == ACL_MEMCPY_HOST_TO_DEVICE || kind == ACL_MEMCPY_DEVICE_TO_DEVICE;
    bool from_device = kind == ACL_MEMCPY_DEVICE_TO_HOST || kind == ACL_MEMCPY_DEVICE_TO_DEVICE;
    if (kind == ACL_MEMCPY_DEFAULT) {
        to_device = acl_find(acl().device_memory, target) != nullptr;
        from_device = acl_find(acl().device_memory, source) != nullptr;
    }
    error = acl_range(target, bytes, to_device, "destination", call, site);
    if (error == ACL_SUCCESS) error = acl_range(source, bytes, from_device, "source", call, site);
    if (error == ACL_SUCCESS) std::memmove(target, source, bytes);
    return error;
}

inline aclError acl_set(void* target, size_t room, int32_t value, size_t bytes, const char* call, Site site) {
    aclError error = ACL_SUCCESS;
    if (bytes == 0) return ACL_SUCCESS;
    if (target == nullptr) return acl_fail(ACL_ERROR_INVALID_PARAM, call, site, "a null pointer");
    if (bytes > room) {
        return acl_fail(ACL_ERROR_INVALID_PARAM, call, site, "%zu bytes for a destination of %zu", bytes, room);
    }
    if (acl_find(acl().host_memory, target) == nullptr) {
        error = acl_range(target, bytes, true, "destination", call, site);
    }
    if (error == ACL_SUCCESS) std::memset(target, value, bytes);
    return error;
}

// The chip's AI cores, each with two vector cores: PORT_ASCEND_CORES, or those of a 910B3. Where there are few, each has
// several parts of the work, and finds in its memory what the part before has left.
inline int64_t acl_cores() {
    const char* cores = std::getenv("PORT_ASCEND_CORES");
    const int64_t count = cores ? std::atoll(cores) : 0;
    return count > 0 ? count : 20;
}

// The bytes of an allocation with what lies beyond its end, where nothing else is: what is read there should not look
// right either.
inline size_t acl_room(size_t bytes) { return (bytes + 511) / 512 * 512 + 512; }

// Memory of a size that exists: 64 GB a device, as far as the machine has it.
inline void* acl_allocate(size_t bytes) {
    if (bytes > (size_t(64) << 30)) return nullptr;
    const size_t whole = acl_room(bytes);
    void* memory = std::aligned_alloc(512, whole);
    // What was never written should not look right.
    if (memory != nullptr) std::memset(memory, 0xcb, whole);
    return memory;
}

inline aclError acl_malloc(void** address, size_t bytes, const char* call, Site site) {
    if (address == nullptr || bytes == 0) {
        return acl_fail(ACL_ERROR_INVALID_PARAM, call, site, address == nullptr ? "a null pointer" : "a size of 0");
    }
    *address = acl_allocate(bytes);
    if (*address == nullptr) return acl_error(ACL_ERROR_RT_MEMORY_ALLOCATION, "not enough memory");
    acl().device_memory[reinterpret_cast<uintptr_t>(*address)] = bytes;
    register_gm(*address, bytes, "", acl_room(bytes));
    return ACL_SUCCESS;
}

}  // namespace port_ascend

#define PORT_ACL_SITE port_ascend::Site site = port_ascend::Site::here()

inline aclError aclrtSetDevice(int32_t device, PORT_ACL_SITE) {
    if (device != 0) {
        return port_ascend::acl_fail(ACL_ERROR_RT_INVALID_DEVICEID, "aclrtSetDevice", site, "there is one device, 0");
    }
    return ACL_SUCCESS;
}

inline aclError aclrtResetDevice(int32_t) { return ACL_SUCCESS; }

inline aclError aclrtGetDevice(int32_t* device) {
    *device = 0;
    return ACL_SUCCESS;
}

inline aclError aclrtGetDeviceCount(uint32_t* count) {
    *count = 1;
    return ACL_SUCCESS;
}

inline aclError aclrtSynchronizeDevice() { return ACL_SUCCESS; }

inline aclError aclrtSynchronizeDeviceWithTimeout(int32_t) { return ACL_SUCCESS; }

inline aclError aclrtCreateContext(aclrtContext* context, int32_t) {
    *context = &port_ascend::acl();
    return ACL_SUCCESS;
}

inline aclError aclrtDestroyContext(aclrtContext) { return ACL_SUCCESS; }

inline aclError aclrtSetCurrentContext(aclrtContext) { return ACL_SUCCESS; }

inline aclError aclrtGetCurrentContext(aclrtContext* context) {
    *context = &port_ascend::acl();
    return ACL_SUCCESS;
}

inline const char* aclrtGetSocName() {
#if __NPU_ARCH__ == 3510
    return "Ascend950";
#else
    return "Ascend910B3";
#endif
}

inline aclError aclrtGetRunMode(aclrtRunMode* mode) {
    *mode = ACL_HOST;
    return ACL_SUCCESS;
}

inline aclError aclGetDeviceCapability(uint32_t, aclDeviceInfo which, int64_t* value) {
    switch (which) {
        case ACL_DEVICE_INFO_AI_CORE_NUM: *value = port_ascend::acl_cores(); return ACL_SUCCESS;
        case ACL_DEVICE_INFO_VECTOR_CORE_NUM: *value = 2 * port_ascend::acl_cores(); return ACL_SUCCESS;
        case ACL_DEVICE_INFO_L2_SIZE: *value = int64_t(192) << 20; return ACL_SUCCESS;
        default: return port_ascend::acl_error(ACL_ERROR_INVALID_PARAM, "no such property");
    }
}

// ---- memory -----------------------------------------------------------------------------------

inline aclError aclrtMalloc(void** address, size_t bytes, aclrtMemMallocPolicy, PORT_ACL_SITE) {
    return port_ascend::acl_malloc(address, bytes, "aclrtMalloc", site);
}

inline aclError aclrtMallocAlign32(void** address, size_t bytes, aclrtMemMallocPolicy, PORT_ACL_SITE) {
    return port_ascend::acl_malloc(address, bytes, "aclrtMallocAlign32", site);
}

inline aclError aclrtMallocCached(void** address, size_t bytes, aclrtMemMallocPolicy, PORT_ACL_SITE) {
    return port_ascend::acl_malloc(address, bytes, "aclrtMallocCached", site);
}

inline aclError aclrtFree(void* address, PORT_ACL_SITE) {
    auto& memory = port_ascend::acl().device_memory;
    if (address == nullptr) return port_ascend::acl_error(ACL_ERROR_INVALID_PARAM, "a null pointer");
    if (memory.erase(reinterpret_cast<uintptr_t>(address)) == 0) {
        return port_ascend::acl_fail(ACL_ERROR_INVALID_PARAM, "aclrtFree", site, "%p is no allocation of the device", address);
    }
    port_ascend::unregister_gm(address);
    std::free(address);
    return ACL_SUCCESS;
}

inline aclError aclrtMallocHost(void** address, size_t bytes, PORT_ACL_SITE) {
    if (address == nullptr || bytes == 0) {
        return port_ascend::acl_fail(ACL_ERROR_INVALID_PARAM, "aclrtMallocHost", site, "a null pointer, or a size of 0");
    }
    *address = port_ascend::acl_allocate(bytes);
    if (*address == nullptr) return port_ascend::acl_error(ACL_ERROR_RT_MEMORY_ALLOCATION, "not enough memory");
    port_ascend::acl().host_memory[reinterpret_cast<uintptr_t>(*address)] = bytes;
    return ACL_SUCCESS;
}

inline aclError aclrtFreeHost(void* address, PORT_ACL_SITE) {
    if (address == nullptr) return port_ascend::acl_error(ACL_ERROR_INVALID_PARAM, "a null pointer");
    if (port_ascend::acl().host_memory.erase(reinterpret_cast<uintptr_t>(address)) == 0) {
        return port_ascend::acl_fail(ACL_ERROR_INVALID_PARAM, "aclrtFreeHost", site, "%p is no allocation of aclrtMallocHost", address);
    }
    std::free(address);
    return ACL_SUCCESS;
}

inline aclError aclrtMemcpy(void* target, size_t room, const void* source, size_t bytes, aclrtMemcpyKind kind, PORT_ACL_SITE) {
    return port_ascend::acl_copy(target, room, source, bytes, kind, "aclrtMemcpy", site);
}

inline aclError aclrtMemcpyAsync(void* target, size_t room, const void* source, size_t bytes, aclrtMemcpyKind kind,
                                 aclrtStream, PORT_ACL_SITE) {
    return port_ascend::acl_copy(target, room, source, bytes, kind, "aclrtMemcpyAsync", site);
}

inline aclError aclrtMemset(void* target, size_t room, int32_t value, size_t bytes, PORT_ACL_SITE) {
    return port_ascend::acl_set(target, room, value, bytes, "aclrtMemset", site);
}

inline aclError aclrtMemsetAsync(void* target, size_t room, int32_t value, size_t bytes, aclrtStream, PORT_ACL_SITE) {
    return port_ascend::acl_set(target, room, value, bytes, "aclrtMemsetAsync", site);
}

inline aclError aclrtMemcpy2d(void* target, size_t target_pitch, const void* source, size_t source_pitch, size_t width,
                              size_t height, aclrtMemcpyKind kind, PORT_ACL_SITE) {
    if (width > target_pitch || width > source_pitch) {
        return port_ascend::acl_fail(ACL_ERROR_INVALID_PARAM, "aclrtMemcpy2d", site, "rows of %zu bytes with pitches of %zu and %zu",
                                     width, target_pitch, source_pitch);
    }
    for (size_t row = 0; row < height; ++row) {
        aclError error = port_ascend::acl_copy(static_cast<char*>(target) + row * target_pitch, width,
                                               static_cast<const char*>(source) + row * source_pitch, width, kind,
                                               "aclrtMemcpy2d", site);
        if (error != ACL_SUCCESS) return error;
    }
    return ACL_SUCCESS;
}

inline aclError aclrtMemcpy2dAsync(void* target, size_t target_pitch, const void* source, size_t source_pitch, size_t width,
                                   size_t height, aclrtMemcpyKind kind, aclrtStream, PORT_ACL_SITE) {
    return aclrtMemcpy2d(target, target_pitch, source, source_pitch, width, height, kind, site);
}

inline aclError aclrtGetMemInfo(aclrtMemAttr, size_t* free, size_t* total) {
    *total = size_t(64) << 30;
    size_t used = 0;
    for (const auto& allocation : port_ascend::acl().device_memory) used += allocation.second;
    *free = *total - std::min(*total, used);
    return ACL_SUCCESS;
}

// ---- streams and events -----------------------------------------------------------------------

inline aclError aclrtCreateStream(aclrtStream* stream) {
    *stream = new char;
    port_ascend::acl().streams.insert(*stream);
    return ACL_SUCCESS;
}

inline aclError aclrtCreateStreamWithConfig(aclrtStream* stream, uint32_t, uint32_t) {
    return aclrtCreateStream(stream);
}

inline aclError aclrtDestroyStream(aclrtStream stream, PORT_ACL_SITE) {
    if (port_ascend::acl().streams.erase(stream) == 0) {
        return port_ascend::acl_fail(ACL_ERROR_INVALID_PARAM, "aclrtDestroyStream", site, "%p is no stream", stream);
    }
    delete static_cast<char*>(stream);
    return ACL_SUCCESS;
}

inline aclError aclrtSynchronizeStream(aclrtStream stream, PORT_ACL_SITE) {
    if (stream != nullptr && port_ascend::acl().streams.count(stream) == 0) {
        return port_ascend::acl_fail(ACL_ERROR_INVALID_PARAM, "aclrtSynchronizeStream", site, "%p is no stream", stream);
    }
    return ACL_SUCCESS;
}

inline aclError aclrtSynchronizeStreamWithTimeout(aclrtStream stream, int32_t, PORT_ACL_SITE) {
    return aclrtSynchronizeStream(stream, site);
}

inline aclError aclrtStreamQuery(aclrtStream, aclrtStreamStatus* status) {
    *status = ACL_STREAM_STATUS_COMPLETE;
    return ACL_SUCCESS;
}

inline aclError aclrtCreateEvent(aclrtEvent* event) {
    *event = new port_ascend::AclEvent{{}, false};
    port_ascend::acl().events.insert(*event);
    return ACL_SUCCESS;
}

inline aclError aclrtCreateEventWithFlag(aclrtEvent* event, uint32_t) {
    return aclrtCreateEvent(event);
}

inline aclError aclrtDestroyEvent(aclrtEvent event, PORT_ACL_SITE) {
    if (port_ascend::acl().events.erase(event) == 0) {
        return port_ascend::acl_fail(ACL_ERROR_INVALID_PARAM, "aclrtDestroyEvent", site, "%p is no event", event);
    }
    delete static_cast<port_ascend::AclEvent*>(event);
    return ACL_SUCCESS;
}

inline aclError aclrtRecordEvent(aclrtEvent event, aclrtStream, PORT_ACL_SITE) {
    if (port_ascend::acl().events.count(event) == 0) {
        return port_ascend::acl_fail(ACL_ERROR_INVALID_PARAM, "aclrtRecordEvent", site, "%p is no event", event);
    }
    *static_cast<port_ascend::AclEvent*>(event) = {std::chrono::steady_clock::now(), true};
    return ACL_SUCCESS;
}

inline aclError aclrtSynchronizeEvent(aclrtEvent event, PORT_ACL_SITE) {
    if (port_ascend::acl().events.count(event) == 0) {
        return port_ascend::acl_fail(ACL_ERROR_INVALID_PARAM, "aclrtSynchronizeEvent", site, "%p is no event", event);
    }
    return ACL_SUCCESS;
}

inline aclError aclrtQueryEventStatus(aclrtEvent, aclrtEventRecordedStatus* status) {
    *status = ACL_EVENT_RECORDED_STATUS_COMPLETE;
    return ACL_SUCCESS;
}

inline aclError aclrtStreamWaitEvent(aclrtStream, aclrtEvent event, PORT_ACL_SITE) {
    return aclrtSynchronizeEvent(event, site);
}

inline aclError aclrtEventElapsedTime(float* milliseconds, aclrtEvent start, aclrtEvent end, PORT_ACL_SITE) {
    const auto& events = port_ascend::acl().events;
    const bool known = events.count(start) != 0 && events.count(end) != 0;
    if (!known || !static_cast<port_ascend::AclEvent*>(start)->recorded || !static_cast<port_ascend::AclEvent*>(end)->recorded) {
        return port_ascend::acl_fail(ACL_ERROR_INVALID_PARAM, "aclrtEventElapsedTime", site, "an event that was not recorded");
    }
    const auto time = static_cast<port_ascend::AclEvent*>(end)->time - static_cast<port_ascend::AclEvent*>(start)->time;
    *milliseconds = std::chrono::duration<float, std::milli>(time).count();
    return ACL_SUCCESS;
}

// ---- errors -----------------------------------------------------------------------------------

inline aclError aclrtGetLastError(aclrtLastErrLevel) {
    aclError error = port_ascend::acl().last_error;
    port_ascend::acl().last_error = ACL_SUCCESS;
    return error;
}

inline aclError aclrtPeekAtLastError(aclrtLastErrLevel) { return port_ascend::acl().last_error; }

inline const char* aclGetRecentErrMsg() {
    return port_ascend::acl().message[0] != '\0' ? port_ascend::acl().message : nullptr;
}
