//@
// What the host code of this port needs beyond ACL. Made by port: only what the port names is in it.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <type_traits>

#include "acl/acl.h"

#define PORT_ASCEND 1

//@ PORT_DIM3
#ifndef PORT_DIM3
#define PORT_DIM3
// Extents of a grid or a block, as launches give them.
struct dim3 {
    uint32_t x, y, z;
    constexpr dim3(uint32_t x = 1, uint32_t y = 1, uint32_t z = 1) : x(x), y(y), z(z) {}
};
#endif

//@ Session
namespace port_acl {

// ACL for as long as a program runs.
struct Session {
    Session()
    {
        aclInit(nullptr);
        aclrtSetDevice(0);
    }
    ~Session()
    {
        aclrtSynchronizeDevice();
        aclrtResetDevice(0);
        aclFinalize();
    }
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
};

}  // namespace port_acl

//@ Untranslated
namespace port_acl {

// What stands where something could not be ported.
[[noreturn]] inline void Untranslated(const char* what)
{
    std::fprintf(stderr, "not ported to Ascend: %s\n", what);
    std::abort();
}

}  // namespace port_acl

//@ half
// As the device has them; the host only moves them.
struct half {
    uint16_t bits;
};

//@ bfloat16_t
struct bfloat16_t {
    uint16_t bits;
};

//@ AnyPointer
namespace port_acl {

// An address that is a pointer of whatever type is asked for.
struct AnyPointer {
    void* address;
    template <typename T>
    operator T*() const
    {
        return static_cast<T*>(address);
    }
};

}  // namespace port_acl

//@ TilingMemory
#include <vector>
namespace port_acl {

// A copy of a launch's tiling on the device, for as long as the kernel may read it.
template <typename T>
void* TilingMemory(const T& tiling)
{
    static thread_local std::vector<void*> copies;
    if (copies.size() == 256) {
        aclrtSynchronizeDevice();
        for (void* copy : copies) {
            aclrtFree(copy);
        }
        copies.clear();
    }
    void* copy = nullptr;
    if (aclrtMalloc(&copy, sizeof(T), ACL_MEM_MALLOC_HUGE_FIRST) == ACL_SUCCESS) {
        aclrtMemcpy(copy, sizeof(T), &tiling, sizeof(T), ACL_MEMCPY_HOST_TO_DEVICE);
        copies.push_back(copy);
    }
    return copy;
}

}  // namespace port_acl

//@ PORT_INSTANCES_ONLY
// The launcher of a kernel template exists for the instances that the port has; another one is an error
// of the compiler that names it, or ends the program.
#ifdef PORT_ALLOW_MANUAL
#define PORT_INSTANCES_ONLY \
    { \
        port_acl::Untranslated(__PRETTY_FUNCTION__); \
    }
#else
#define PORT_INSTANCES_ONLY = delete
#endif

//@ VectorCores CubeCores
namespace port_acl {

// The cores of the current device; where it does not say, those of the smallest of its kind.
inline uint32_t CoreCount(aclDeviceInfo which, uint32_t smallest)
{
    int32_t device = 0;
    int64_t count = 0;
    if (aclrtGetDevice(&device) != ACL_SUCCESS) {
        return smallest;
    }
    if (aclGetDeviceCapability(static_cast<uint32_t>(device), which, &count) != ACL_SUCCESS || count <= 0) {
        return smallest;
    }
    return static_cast<uint32_t>(count);
}

inline uint32_t VectorCores()
{
    static const uint32_t count = CoreCount(ACL_DEVICE_INFO_VECTOR_CORE_NUM, 40);
    return count;
}

inline uint32_t CubeCores()
{
    static const uint32_t count = CoreCount(ACL_DEVICE_INFO_AI_CORE_NUM, 20);
    return count;
}

}  // namespace port_acl

//@ kUbBytes
namespace port_acl {

// The unified buffer of a vector core.
constexpr uint32_t kUbBytes = PORT_UB_BYTES;

}  // namespace port_acl

//@ Workspace
#include <map>
#include <utility>
namespace port_acl {

// Scratch memory of the launches of a stream, which use it one after the other.
inline uint8_t* Workspace(size_t bytes, aclrtStream stream)
{
    static thread_local std::map<aclrtStream, std::pair<void*, size_t>> buffers;
    std::pair<void*, size_t>& buffer = buffers[stream];
    if (buffer.second < bytes) {
        if (buffer.first != nullptr) {
            aclrtSynchronizeStream(stream);
            aclrtFree(buffer.first);
        }
        buffer.second = bytes;
        if (aclrtMalloc(&buffer.first, bytes, ACL_MEM_MALLOC_HUGE_FIRST) != ACL_SUCCESS) {
            buffer = {nullptr, 0};
        }
    }
    return static_cast<uint8_t*>(buffer.first);
}

}  // namespace port_acl

//@ SymbolAddress
#include <map>
namespace port_acl {

// The device's copy of a variable of the program: made on first use, with the value that the variable
// has then.
inline uint8_t* SymbolMemory(const void* symbol, size_t bytes)
{
    static std::map<const void*, void*> copies;
    void*& copy = copies[symbol];
    if (copy == nullptr && aclrtMalloc(&copy, bytes, ACL_MEM_MALLOC_HUGE_FIRST) == ACL_SUCCESS) {
        aclrtMemcpy(copy, bytes, symbol, bytes, ACL_MEMCPY_HOST_TO_DEVICE);
    }
    return static_cast<uint8_t*>(copy);
}

template <typename T>
uint8_t* SymbolAddress(const T& symbol)
{
    return SymbolMemory(&symbol, sizeof(T));
}

}  // namespace port_acl

//@ MemcpyToSymbol
namespace port_acl {

template <typename T>
aclError MemcpyToSymbol(const T& symbol, const void* source, size_t bytes, size_t offset = 0,
                        aclrtMemcpyKind kind = ACL_MEMCPY_HOST_TO_DEVICE)
{
    if (offset > sizeof(T) || bytes > sizeof(T) - offset) {
        return ACL_ERROR_INVALID_PARAM;
    }
    aclrtSynchronizeDevice();
    return aclrtMemcpy(SymbolAddress(symbol) + offset, sizeof(T) - offset, source, bytes, kind);
}

}  // namespace port_acl

//@ MemcpyFromSymbol
namespace port_acl {

template <typename T>
aclError MemcpyFromSymbol(void* target, const T& symbol, size_t bytes, size_t offset = 0,
                          aclrtMemcpyKind kind = ACL_MEMCPY_DEVICE_TO_HOST)
{
    if (offset > sizeof(T) || bytes > sizeof(T) - offset) {
        return ACL_ERROR_INVALID_PARAM;
    }
    aclrtSynchronizeDevice();
    return aclrtMemcpy(target, bytes, SymbolAddress(symbol) + offset, bytes, kind);
}

}  // namespace port_acl

//@ MemcpyToSymbolAsync
namespace port_acl {

template <typename T>
aclError MemcpyToSymbolAsync(const T& symbol, const void* source, size_t bytes, size_t offset = 0,
                             aclrtMemcpyKind kind = ACL_MEMCPY_HOST_TO_DEVICE, aclrtStream stream = nullptr)
{
    if (offset > sizeof(T) || bytes > sizeof(T) - offset) {
        return ACL_ERROR_INVALID_PARAM;
    }
    return aclrtMemcpyAsync(SymbolAddress(symbol) + offset, sizeof(T) - offset, source, bytes, kind, stream);
}

}  // namespace port_acl

//@ MemcpyFromSymbolAsync
namespace port_acl {

template <typename T>
aclError MemcpyFromSymbolAsync(void* target, const T& symbol, size_t bytes, size_t offset = 0,
                               aclrtMemcpyKind kind = ACL_MEMCPY_DEVICE_TO_HOST, aclrtStream stream = nullptr)
{
    if (offset > sizeof(T) || bytes > sizeof(T) - offset) {
        return ACL_ERROR_INVALID_PARAM;
    }
    return aclrtMemcpyAsync(target, bytes, SymbolAddress(symbol) + offset, bytes, kind, stream);
}

}  // namespace port_acl

//@ GetSymbolAddress
namespace port_acl {

template <typename P, typename T>
aclError GetSymbolAddress(P** address, const T& symbol)
{
    *address = reinterpret_cast<P*>(SymbolAddress(symbol));
    return *address != nullptr ? ACL_SUCCESS : ACL_ERROR_RT_MEMORY_ALLOCATION;
}

}  // namespace port_acl

//@ GetSymbolSize
namespace port_acl {

template <typename T>
aclError GetSymbolSize(size_t* bytes, const T&)
{
    *bytes = sizeof(T);
    return ACL_SUCCESS;
}

}  // namespace port_acl

//@ MallocManaged ManagedVariable DeviceAddress ManagedMemcpy ManagedMemset ManagedFree DeviceSynchronize StreamSynchronize EventSynchronize
#include <map>
namespace port_acl {

// Memory that host and device share in CUDA: one copy on each side. A launch that is given its address
// brings it to the device, waiting for the device brings it back. Addresses that stand inside such memory
// are the host's.
struct Managed {
    void* device;
    size_t bytes;
    bool onDevice;
};

inline std::map<uintptr_t, Managed>& ManagedMemory()
{
    static std::map<uintptr_t, Managed> memory;
    return memory;
}

inline std::map<uintptr_t, Managed>::iterator FindManaged(const void* address)
{
    std::map<uintptr_t, Managed>& memory = ManagedMemory();
    const uintptr_t at = reinterpret_cast<uintptr_t>(address);
    auto next = memory.upper_bound(at);
    if (next == memory.begin()) {
        return memory.end();
    }
    --next;
    return at < next->first + next->second.bytes ? next : memory.end();
}

template <typename T>
aclError MallocManaged(T** address, size_t bytes, unsigned = 0)
{
    void* host = nullptr;
    void* device = nullptr;
    aclError error = aclrtMallocHost(&host, bytes);
    if (error == ACL_SUCCESS) {
        error = aclrtMalloc(&device, bytes, ACL_MEM_MALLOC_HUGE_FIRST);
    }
    if (error != ACL_SUCCESS) {
        return error;
    }
    std::memset(host, 0, bytes);
    ManagedMemory()[reinterpret_cast<uintptr_t>(host)] = Managed{device, bytes, false};
    *address = static_cast<T*>(host);
    return ACL_SUCCESS;
}

// The device's address of what a launch is given.
template <typename T>
T* DeviceAddress(T* address)
{
    const auto found = FindManaged(address);
    if (found == ManagedMemory().end()) {
        return address;
    }
    Managed& managed = found->second;
    if (!managed.onDevice) {
        const void* host = reinterpret_cast<const void*>(found->first);
        aclrtSynchronizeDevice();
        aclrtMemcpy(managed.device, managed.bytes, host, managed.bytes, ACL_MEMCPY_HOST_TO_DEVICE);
        managed.onDevice = true;
    }
    const uintptr_t offset = reinterpret_cast<uintptr_t>(address) - found->first;
    return reinterpret_cast<T*>(reinterpret_cast<uintptr_t>(managed.device) + offset);
}

template <typename T>
uint8_t* ManagedVariable(T& variable)
{
    if (FindManaged(&variable) == ManagedMemory().end()) {
        void* device = nullptr;
        aclrtMalloc(&device, sizeof(T), ACL_MEM_MALLOC_HUGE_FIRST);
        ManagedMemory()[reinterpret_cast<uintptr_t>(&variable)] = Managed{device, sizeof(T), false};
    }
    return (uint8_t*)DeviceAddress(&variable);
}

// After the device is done, the host has what it computed.
inline aclError ManagedToHost(aclError error)
{
    for (auto& entry : ManagedMemory()) {
        Managed& managed = entry.second;
        if (managed.onDevice && error == ACL_SUCCESS) {
            void* host = reinterpret_cast<void*>(entry.first);
            error = aclrtMemcpy(host, managed.bytes, managed.device, managed.bytes, ACL_MEMCPY_DEVICE_TO_HOST);
            managed.onDevice = false;
        }
    }
    return error;
}

inline aclError DeviceSynchronize()
{
    return ManagedToHost(aclrtSynchronizeDevice());
}

inline aclError StreamSynchronize(aclrtStream stream)
{
    aclError error = aclrtSynchronizeStream(stream);
    return error != ACL_SUCCESS ? error : DeviceSynchronize();
}

inline aclError EventSynchronize(aclrtEvent event)
{
    aclError error = aclrtSynchronizeEvent(event);
    return error != ACL_SUCCESS ? error : DeviceSynchronize();
}

inline aclError ManagedMemcpy(void* target, const void* source, size_t bytes, aclrtMemcpyKind kind, aclrtStream = nullptr)
{
    aclError error = DeviceSynchronize();
    if (error != ACL_SUCCESS) {
        return error;
    }
    // Such memory is the host's here.
    bool toDevice = kind == ACL_MEMCPY_HOST_TO_DEVICE || kind == ACL_MEMCPY_DEVICE_TO_DEVICE;
    bool fromDevice = kind == ACL_MEMCPY_DEVICE_TO_HOST || kind == ACL_MEMCPY_DEVICE_TO_DEVICE;
    if (kind != ACL_MEMCPY_DEFAULT) {
        toDevice = toDevice && FindManaged(target) == ManagedMemory().end();
        fromDevice = fromDevice && FindManaged(source) == ManagedMemory().end();
        kind = toDevice ? (fromDevice ? ACL_MEMCPY_DEVICE_TO_DEVICE : ACL_MEMCPY_HOST_TO_DEVICE)
                        : (fromDevice ? ACL_MEMCPY_DEVICE_TO_HOST : ACL_MEMCPY_HOST_TO_HOST);
    }
    return aclrtMemcpy(target, bytes, source, bytes, kind);
}

inline aclError ManagedMemset(void* target, int value, size_t bytes, aclrtStream = nullptr)
{
    aclError error = DeviceSynchronize();
    if (error == ACL_SUCCESS && FindManaged(target) != ManagedMemory().end()) {
        std::memset(target, value, bytes);
        return ACL_SUCCESS;
    }
    return error != ACL_SUCCESS ? error : aclrtMemset(target, bytes, value, bytes);
}

inline aclError ManagedFree(void* address)
{
    if (address == nullptr) {
        return ACL_SUCCESS;
    }
    aclrtSynchronizeDevice();
    const auto found = FindManaged(address);
    if (found == ManagedMemory().end()) {
        return aclrtFree(address);
    }
    aclrtFree(found->second.device);
    ManagedMemory().erase(found);
    return aclrtFreeHost(address);
}

}  // namespace port_acl

//@ Malloc MallocAsync
namespace port_acl {

template <typename T>
aclError Malloc(T** address, size_t bytes)
{
    return aclrtMalloc((void**)address, bytes, ACL_MEM_MALLOC_HUGE_FIRST);
}

template <typename T>
aclError MallocAsync(T** address, size_t bytes, aclrtStream)
{
    return Malloc(address, bytes);
}

}  // namespace port_acl

//@ Free
namespace port_acl {

// Frees what no kernel uses any more: it waits for those that run.
inline aclError Free(void* address)
{
    if (address == nullptr) {
        return ACL_SUCCESS;
    }
    aclrtSynchronizeDevice();
    return aclrtFree(address);
}

}  // namespace port_acl

//@ FreeAsync
namespace port_acl {

inline aclError FreeAsync(void* address, aclrtStream stream)
{
    aclrtSynchronizeStream(stream);
    return aclrtFree(address);
}

}  // namespace port_acl

//@ MallocHost
namespace port_acl {

template <typename T>
aclError MallocHost(T** address, size_t bytes, unsigned = 0)
{
    return aclrtMallocHost((void**)address, bytes);
}

}  // namespace port_acl

//@ Memcpy
namespace port_acl {

// After the kernels that were launched before it: a copy alone does not wait for them.
inline aclError Memcpy(void* target, const void* source, size_t bytes, aclrtMemcpyKind kind)
{
    aclrtSynchronizeDevice();
    return aclrtMemcpy(target, bytes, source, bytes, kind);
}

}  // namespace port_acl

//@ MemcpyAsync
namespace port_acl {

inline aclError MemcpyAsync(void* target, const void* source, size_t bytes, aclrtMemcpyKind kind,
                            aclrtStream stream = nullptr)
{
    return aclrtMemcpyAsync(target, bytes, source, bytes, kind, stream);
}

}  // namespace port_acl

//@ Memset
namespace port_acl {

inline aclError Memset(void* target, int value, size_t bytes)
{
    aclrtSynchronizeDevice();
    return aclrtMemset(target, bytes, value, bytes);
}

}  // namespace port_acl

//@ MemsetAsync
namespace port_acl {

inline aclError MemsetAsync(void* target, int value, size_t bytes, aclrtStream stream = nullptr)
{
    return aclrtMemsetAsync(target, bytes, value, bytes, stream);
}

}  // namespace port_acl

//@ MallocPitch
namespace port_acl {

// Rows that begin at multiples of 512 bytes.
template <typename T>
aclError MallocPitch(T** address, size_t* pitch, size_t width, size_t height)
{
    *pitch = (width + 511) / 512 * 512;
    return aclrtMalloc((void**)address, *pitch * height, ACL_MEM_MALLOC_HUGE_FIRST);
}

}  // namespace port_acl

//@ Memcpy2D
namespace port_acl {

inline aclError Memcpy2D(void* target, size_t targetPitch, const void* source, size_t sourcePitch, size_t width,
                         size_t height, aclrtMemcpyKind kind)
{
    aclrtSynchronizeDevice();
    return aclrtMemcpy2d(target, targetPitch, source, sourcePitch, width, height, kind);
}

}  // namespace port_acl

//@ Memcpy2DAsync
namespace port_acl {

inline aclError Memcpy2DAsync(void* target, size_t targetPitch, const void* source, size_t sourcePitch, size_t width,
                              size_t height, aclrtMemcpyKind kind, aclrtStream stream = nullptr)
{
    return aclrtMemcpy2dAsync(target, targetPitch, source, sourcePitch, width, height, kind, stream);
}

}  // namespace port_acl

//@ Memset2D
namespace port_acl {

inline aclError Memset2D(void* target, size_t pitch, int value, size_t width, size_t height)
{
    aclrtSynchronizeDevice();
    for (size_t row = 0; row < height; ++row) {
        aclError error = aclrtMemset(static_cast<char*>(target) + row * pitch, width, value, width);
        if (error != ACL_SUCCESS) {
            return error;
        }
    }
    return ACL_SUCCESS;
}

}  // namespace port_acl

//@ MemGetInfo
namespace port_acl {

inline aclError MemGetInfo(size_t* free, size_t* total)
{
    return aclrtGetMemInfo(ACL_HBM_MEM, free, total);
}

}  // namespace port_acl

//@ StreamCreate
namespace port_acl {

inline aclError StreamCreate(aclrtStream* stream, unsigned = 0, int = 0)
{
    return aclrtCreateStream(stream);
}

}  // namespace port_acl

//@ StreamWaitEvent
namespace port_acl {

inline aclError StreamWaitEvent(aclrtStream stream, aclrtEvent event, unsigned = 0)
{
    return aclrtStreamWaitEvent(stream, event);
}

}  // namespace port_acl

//@ EventCreate
namespace port_acl {

inline aclError EventCreate(aclrtEvent* event, unsigned = 0)
{
    return aclrtCreateEvent(event);
}

}  // namespace port_acl

//@ EventRecord
namespace port_acl {

inline aclError EventRecord(aclrtEvent event, aclrtStream stream = nullptr)
{
    return aclrtRecordEvent(event, stream);
}

}  // namespace port_acl

//@ kNotReady EventQuery StreamQuery
namespace port_acl {

// What a query says of work that is not done.
constexpr aclError kNotReady = -1;

inline aclError EventQuery(aclrtEvent event)
{
    aclrtEventRecordedStatus status = ACL_EVENT_RECORDED_STATUS_NOT_READY;
    aclError error = aclrtQueryEventStatus(event, &status);
    if (error != ACL_SUCCESS) {
        return error;
    }
    return status == ACL_EVENT_RECORDED_STATUS_COMPLETE ? ACL_SUCCESS : kNotReady;
}

inline aclError StreamQuery(aclrtStream stream)
{
    aclrtStreamStatus status = ACL_STREAM_STATUS_NOT_READY;
    aclError error = aclrtStreamQuery(stream, &status);
    if (error != ACL_SUCCESS) {
        return error;
    }
    return status == ACL_STREAM_STATUS_COMPLETE ? ACL_SUCCESS : kNotReady;
}

}  // namespace port_acl

//@ GetLastError PeekAtLastError
namespace port_acl {

inline aclError GetLastError()
{
    return aclrtGetLastError(ACL_RT_THREAD_LEVEL);
}

inline aclError PeekAtLastError()
{
    return aclrtPeekAtLastError(ACL_RT_THREAD_LEVEL);
}

}  // namespace port_acl

//@ GetErrorString GetErrorName
namespace port_acl {

inline const char* GetErrorName(aclError error)
{
    switch (error) {
        case ACL_SUCCESS:
            return "ACL_SUCCESS";
        case ACL_ERROR_INVALID_PARAM:
            return "ACL_ERROR_INVALID_PARAM";
        case ACL_ERROR_UNINITIALIZE:
            return "ACL_ERROR_UNINITIALIZE";
        case ACL_ERROR_RT_MEMORY_ALLOCATION:
            return "ACL_ERROR_RT_MEMORY_ALLOCATION";
        case ACL_ERROR_API_NOT_SUPPORT:
            return "ACL_ERROR_API_NOT_SUPPORT";
        case ACL_ERROR_FAILURE:
            return "ACL_ERROR_FAILURE";
        default:
            return "an error of ACL";
    }
}

// What ACL says of its last error; the error's name where it says nothing.
inline const char* GetErrorString(aclError error)
{
    const char* message = error == ACL_SUCCESS ? "no error" : aclGetRecentErrMsg();
    return message != nullptr && *message != '\0' ? message : GetErrorName(error);
}

}  // namespace port_acl

//@ GetDeviceCount
namespace port_acl {

inline aclError GetDeviceCount(int* count)
{
    uint32_t devices = 0;
    aclError error = aclrtGetDeviceCount(&devices);
    *count = static_cast<int>(devices);
    return error;
}

}  // namespace port_acl

//@ DeviceReset
namespace port_acl {

inline aclError DeviceReset()
{
    int32_t device = 0;
    aclError error = aclrtGetDevice(&device);
    return error != ACL_SUCCESS ? error : aclrtResetDevice(device);
}

}  // namespace port_acl

//@ GetVersion
namespace port_acl {

// The release of CUDA that the program was written for.
inline aclError GetVersion(int* version)
{
    *version = 12000;
    return ACL_SUCCESS;
}

}  // namespace port_acl

//@ Hint
namespace port_acl {

template <typename... Arguments>
aclError Hint(Arguments&&...)
{
    return ACL_SUCCESS;
}

}  // namespace port_acl

//@ DeviceProperties GetDeviceProperties
namespace port_acl {

// What programs ask of a device: limits of a block as on the device that the program was written for,
// as many multiprocessors as there are vector cores.
struct DeviceProperties {
    char name[256];
    size_t totalGlobalMem, sharedMemPerBlock, sharedMemPerBlockOptin, sharedMemPerMultiprocessor, totalConstMem, memPitch;
    int regsPerBlock, regsPerMultiprocessor, warpSize, maxThreadsPerBlock, maxThreadsPerMultiProcessor, maxThreadsDim[3],
        maxGridSize[3], clockRate, memoryClockRate, memoryBusWidth, l2CacheSize, major, minor, multiProcessorCount,
        concurrentKernels, cooperativeLaunch, integrated, canMapHostMemory, unifiedAddressing, managedMemory,
        asyncEngineCount, maxBlocksPerMultiProcessor, pciBusID, pciDeviceID, computeMode, ECCEnabled;
};

inline aclError GetDeviceProperties(DeviceProperties* properties, int)
{
    *properties = DeviceProperties{};
    const char* name = aclrtGetSocName();
    std::snprintf(properties->name, sizeof properties->name, "%s", name != nullptr ? name : "Ascend");
    size_t free = 0;
    aclrtGetMemInfo(ACL_HBM_MEM, &free, &properties->totalGlobalMem);
    properties->sharedMemPerBlock = 49152;
    properties->sharedMemPerBlockOptin = 166912;
    properties->sharedMemPerMultiprocessor = 167936;
    properties->totalConstMem = 65536;
    properties->memPitch = 2147483647;
    properties->regsPerBlock = properties->regsPerMultiprocessor = 65536;
    properties->warpSize = 32;
    properties->maxThreadsPerBlock = 1024;
    properties->maxThreadsPerMultiProcessor = 2048;
    properties->maxThreadsDim[0] = properties->maxThreadsDim[1] = 1024;
    properties->maxThreadsDim[2] = 64;
    properties->maxGridSize[0] = 2147483647;
    properties->maxGridSize[1] = properties->maxGridSize[2] = 65535;
    properties->clockRate = 1850000;
    properties->memoryClockRate = 1600000;
    properties->memoryBusWidth = 4096;
    properties->l2CacheSize = 192 << 20;
    properties->major = 8;
    properties->multiProcessorCount = static_cast<int>(VectorCores());
    properties->concurrentKernels = properties->cooperativeLaunch = 1;
    properties->asyncEngineCount = 1;
    properties->maxBlocksPerMultiProcessor = 32;
    return ACL_SUCCESS;
}

}  // namespace port_acl

//@ DeviceGetAttribute kDeviceAttributeMaxThreadsPerBlock kDeviceAttributeMultiProcessorCount kDeviceAttributeMaxSharedMemoryPerBlock kDeviceAttributeMaxSharedMemoryPerBlockOptin kDeviceAttributeWarpSize
namespace port_acl {

enum DeviceAttribute {
    kDeviceAttributeMaxThreadsPerBlock,
    kDeviceAttributeMaxBlockDimX,
    kDeviceAttributeMaxBlockDimY,
    kDeviceAttributeMaxBlockDimZ,
    kDeviceAttributeMaxGridDimX,
    kDeviceAttributeMaxGridDimY,
    kDeviceAttributeMaxGridDimZ,
    kDeviceAttributeMaxSharedMemoryPerBlock,
    kDeviceAttributeMaxSharedMemoryPerBlockOptin,
    kDeviceAttributeMaxSharedMemoryPerMultiprocessor,
    kDeviceAttributeMaxThreadsPerMultiProcessor,
    kDeviceAttributeMultiProcessorCount,
    kDeviceAttributeWarpSize,
    kDeviceAttributeClockRate,
    kDeviceAttributeL2CacheSize,
    kDeviceAttributeCooperativeLaunch,
    kDeviceAttributeComputeCapabilityMajor,
    kDeviceAttributeComputeCapabilityMinor,
};

inline aclError DeviceGetAttribute(int* value, DeviceAttribute attribute, int device)
{
    DeviceProperties properties;
    aclError error = GetDeviceProperties(&properties, device);
    switch (attribute) {
        case kDeviceAttributeMaxThreadsPerBlock: *value = properties.maxThreadsPerBlock; break;
        case kDeviceAttributeMaxBlockDimX: *value = properties.maxThreadsDim[0]; break;
        case kDeviceAttributeMaxBlockDimY: *value = properties.maxThreadsDim[1]; break;
        case kDeviceAttributeMaxBlockDimZ: *value = properties.maxThreadsDim[2]; break;
        case kDeviceAttributeMaxGridDimX: *value = properties.maxGridSize[0]; break;
        case kDeviceAttributeMaxGridDimY: *value = properties.maxGridSize[1]; break;
        case kDeviceAttributeMaxGridDimZ: *value = properties.maxGridSize[2]; break;
        case kDeviceAttributeMaxSharedMemoryPerBlock: *value = static_cast<int>(properties.sharedMemPerBlock); break;
        case kDeviceAttributeMaxSharedMemoryPerBlockOptin:
            *value = static_cast<int>(properties.sharedMemPerBlockOptin);
            break;
        case kDeviceAttributeMaxSharedMemoryPerMultiprocessor:
            *value = static_cast<int>(properties.sharedMemPerMultiprocessor);
            break;
        case kDeviceAttributeMaxThreadsPerMultiProcessor: *value = properties.maxThreadsPerMultiProcessor; break;
        case kDeviceAttributeMultiProcessorCount: *value = properties.multiProcessorCount; break;
        case kDeviceAttributeWarpSize: *value = properties.warpSize; break;
        case kDeviceAttributeClockRate: *value = properties.clockRate; break;
        case kDeviceAttributeL2CacheSize: *value = properties.l2CacheSize; break;
        case kDeviceAttributeCooperativeLaunch: *value = properties.cooperativeLaunch; break;
        case kDeviceAttributeComputeCapabilityMajor: *value = properties.major; break;
        case kDeviceAttributeComputeCapabilityMinor: *value = properties.minor; break;
    }
    return error;
}

}  // namespace port_acl

//@ OccupancyMaxActiveBlocks OccupancyMaxPotentialBlockSize
namespace port_acl {

// A core runs one block after the other.
template <typename Kernel>
aclError OccupancyMaxActiveBlocks(int* blocks, Kernel&&, int, size_t)
{
    *blocks = 1;
    return ACL_SUCCESS;
}

template <typename Kernel>
aclError OccupancyMaxPotentialBlockSize(int* grid, int* block, Kernel&&, size_t = 0, int limit = 0)
{
    *block = limit > 0 && limit < 256 ? limit : 256;
    *grid = static_cast<int>(VectorCores());
    return ACL_SUCCESS;
}

}  // namespace port_acl

//@ LaunchKernel
#include <utility>
namespace port_acl {

template <typename... Parameters, size_t... Index>
void LaunchWith(void (*launch)(dim3, dim3, size_t, aclrtStream, Parameters...), dim3 grid, dim3 block, void** arguments,
                size_t shared, aclrtStream stream, std::index_sequence<Index...>)
{
    launch(grid, block, shared, stream, *static_cast<std::decay_t<Parameters>*>(arguments[Index])...);
}

// A kernel by its launcher, its arguments by their addresses.
template <typename... Parameters>
aclError LaunchKernel(void (*launch)(dim3, dim3, size_t, aclrtStream, Parameters...), dim3 grid, dim3 block,
                      void** arguments, size_t shared = 0, aclrtStream stream = nullptr)
{
    LaunchWith(launch, grid, block, arguments, shared, stream, std::index_sequence_for<Parameters...>());
    return ACL_SUCCESS;
}

}  // namespace port_acl

//@ HalfToFloat FloatToHalf BfloatToFloat FloatToBfloat
namespace port_acl {

// Conversions on the host, by the bits: rounded to nearest, ties to even.
inline float HalfToFloat(half value)
{
    uint16_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    const uint32_t sign = static_cast<uint32_t>(bits >> 15) << 31;
    const uint32_t exponent = bits >> 10 & 31;
    const uint32_t fraction = bits & 1023;
    if (exponent == 0) {
        const float magnitude = std::ldexp(static_cast<float>(fraction), -24);
        return sign != 0 ? -magnitude : magnitude;
    }
    const uint32_t wide = sign | (exponent == 31 ? 255 : exponent + 112) << 23 | fraction << 13;
    float result;
    std::memcpy(&result, &wide, sizeof result);
    return result;
}

inline half FloatToHalf(float value)
{
    uint32_t wide;
    std::memcpy(&wide, &value, sizeof wide);
    const uint16_t sign = static_cast<uint16_t>(wide >> 16 & 0x8000);
    const uint32_t magnitude = wide & 0x7fffffff;
    uint32_t bits;
    if (magnitude > 0x7f800000) {
        bits = 0x7fff;
    } else if (magnitude >= 0x477ff000) {
        bits = 0x7c00;
    } else if (magnitude >= 0x38800000) {
        const uint32_t shifted = magnitude - (112u << 23);
        bits = (shifted + 0xfff + (shifted >> 13 & 1)) >> 13;
    } else {
        bits = static_cast<uint32_t>(std::nearbyint(std::ldexp(std::fabs(value), 24)));
    }
    bits |= sign;
    const uint16_t narrow = static_cast<uint16_t>(bits);
    half result;
    std::memcpy(&result, &narrow, sizeof narrow);
    return result;
}

inline float BfloatToFloat(bfloat16_t value)
{
    uint16_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    const uint32_t wide = static_cast<uint32_t>(bits) << 16;
    float result;
    std::memcpy(&result, &wide, sizeof result);
    return result;
}

inline bfloat16_t FloatToBfloat(float value)
{
    uint32_t wide;
    std::memcpy(&wide, &value, sizeof wide);
    const bool isNan = (wide & 0x7fffffff) > 0x7f800000;
    const uint16_t bits =
        static_cast<uint16_t>(isNan ? 0x7fff : (wide + 0x7fff + (wide >> 16 & 1)) >> 16);
    bfloat16_t result;
    std::memcpy(&result, &bits, sizeof bits);
    return result;
}

}  // namespace port_acl

//@ rsqrtf rsqrt
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }
inline double rsqrt(double x) { return 1.0 / std::sqrt(x); }

//@ min max
// CUDA's functions of all scopes.
template <typename A, typename B>
constexpr std::common_type_t<A, B> min(A a, B b)
{
    using T = std::common_type_t<A, B>;
    return static_cast<T>(b) < static_cast<T>(a) ? static_cast<T>(b) : static_cast<T>(a);
}
template <typename A, typename B>
constexpr std::common_type_t<A, B> max(A a, B b)
{
    using T = std::common_type_t<A, B>;
    return static_cast<T>(a) < static_cast<T>(b) ? static_cast<T>(b) : static_cast<T>(a);
}

//@ CUDART_INF_F CUDART_NAN_F CUDART_PI_F CUDART_INF CUDART_NAN CUDART_PI
#include <limits>
#define CUDART_INF_F std::numeric_limits<float>::infinity()
#define CUDART_NAN_F std::numeric_limits<float>::quiet_NaN()
#define CUDART_PI_F 3.141592654f
#define CUDART_INF std::numeric_limits<double>::infinity()
#define CUDART_NAN std::numeric_limits<double>::quiet_NaN()
#define CUDART_PI 3.1415926535897931

//@ nvcuda
// Names that choose an instance of a kernel of matrix products; what they stood for is in the kernels.
namespace nvcuda {
namespace wmma {
struct row_major;
struct col_major;
struct matrix_a;
struct matrix_b;
struct accumulator;
}  // namespace wmma
}  // namespace nvcuda

//@ half2
struct alignas(4) half2 {
    half x, y;
};

//@ bfloat162_t
struct alignas(4) bfloat162_t {
    bfloat16_t x, y;
};

//@ char1 make_char1
struct alignas(1) char1 {
    signed char x;
};
inline char1 make_char1(signed char x)
{
    return {x};
}

//@ char2 make_char2
struct alignas(2) char2 {
    signed char x, y;
};
inline char2 make_char2(signed char x, signed char y)
{
    return {x, y};
}

//@ char3 make_char3
struct alignas(1) char3 {
    signed char x, y, z;
};
inline char3 make_char3(signed char x, signed char y, signed char z)
{
    return {x, y, z};
}

//@ char4 make_char4
struct alignas(4) char4 {
    signed char x, y, z, w;
};
inline char4 make_char4(signed char x, signed char y, signed char z, signed char w)
{
    return {x, y, z, w};
}

//@ uchar1 make_uchar1
struct alignas(1) uchar1 {
    unsigned char x;
};
inline uchar1 make_uchar1(unsigned char x)
{
    return {x};
}

//@ uchar2 make_uchar2
struct alignas(2) uchar2 {
    unsigned char x, y;
};
inline uchar2 make_uchar2(unsigned char x, unsigned char y)
{
    return {x, y};
}

//@ uchar3 make_uchar3
struct alignas(1) uchar3 {
    unsigned char x, y, z;
};
inline uchar3 make_uchar3(unsigned char x, unsigned char y, unsigned char z)
{
    return {x, y, z};
}

//@ uchar4 make_uchar4
struct alignas(4) uchar4 {
    unsigned char x, y, z, w;
};
inline uchar4 make_uchar4(unsigned char x, unsigned char y, unsigned char z, unsigned char w)
{
    return {x, y, z, w};
}

//@ short1 make_short1
struct alignas(2) short1 {
    short x;
};
inline short1 make_short1(short x)
{
    return {x};
}

//@ short2 make_short2
struct alignas(4) short2 {
    short x, y;
};
inline short2 make_short2(short x, short y)
{
    return {x, y};
}

//@ short3 make_short3
struct alignas(2) short3 {
    short x, y, z;
};
inline short3 make_short3(short x, short y, short z)
{
    return {x, y, z};
}

//@ short4 make_short4
struct alignas(8) short4 {
    short x, y, z, w;
};
inline short4 make_short4(short x, short y, short z, short w)
{
    return {x, y, z, w};
}

//@ ushort1 make_ushort1
struct alignas(2) ushort1 {
    unsigned short x;
};
inline ushort1 make_ushort1(unsigned short x)
{
    return {x};
}

//@ ushort2 make_ushort2
struct alignas(4) ushort2 {
    unsigned short x, y;
};
inline ushort2 make_ushort2(unsigned short x, unsigned short y)
{
    return {x, y};
}

//@ ushort3 make_ushort3
struct alignas(2) ushort3 {
    unsigned short x, y, z;
};
inline ushort3 make_ushort3(unsigned short x, unsigned short y, unsigned short z)
{
    return {x, y, z};
}

//@ ushort4 make_ushort4
struct alignas(8) ushort4 {
    unsigned short x, y, z, w;
};
inline ushort4 make_ushort4(unsigned short x, unsigned short y, unsigned short z, unsigned short w)
{
    return {x, y, z, w};
}

//@ int1 make_int1
struct alignas(4) int1 {
    int x;
};
inline int1 make_int1(int x)
{
    return {x};
}

//@ int2 make_int2
struct alignas(8) int2 {
    int x, y;
};
inline int2 make_int2(int x, int y)
{
    return {x, y};
}

//@ int3 make_int3
struct alignas(4) int3 {
    int x, y, z;
};
inline int3 make_int3(int x, int y, int z)
{
    return {x, y, z};
}

//@ int4 make_int4
struct alignas(16) int4 {
    int x, y, z, w;
};
inline int4 make_int4(int x, int y, int z, int w)
{
    return {x, y, z, w};
}

//@ uint1 make_uint1
struct alignas(4) uint1 {
    unsigned int x;
};
inline uint1 make_uint1(unsigned int x)
{
    return {x};
}

//@ uint2 make_uint2
struct alignas(8) uint2 {
    unsigned int x, y;
};
inline uint2 make_uint2(unsigned int x, unsigned int y)
{
    return {x, y};
}

//@ uint3 make_uint3
struct alignas(4) uint3 {
    unsigned int x, y, z;
};
inline uint3 make_uint3(unsigned int x, unsigned int y, unsigned int z)
{
    return {x, y, z};
}

//@ uint4 make_uint4
struct alignas(16) uint4 {
    unsigned int x, y, z, w;
};
inline uint4 make_uint4(unsigned int x, unsigned int y, unsigned int z, unsigned int w)
{
    return {x, y, z, w};
}

//@ long1 make_long1
struct alignas(8) long1 {
    long x;
};
inline long1 make_long1(long x)
{
    return {x};
}

//@ long2 make_long2
struct alignas(16) long2 {
    long x, y;
};
inline long2 make_long2(long x, long y)
{
    return {x, y};
}

//@ long3 make_long3
struct alignas(8) long3 {
    long x, y, z;
};
inline long3 make_long3(long x, long y, long z)
{
    return {x, y, z};
}

//@ long4 make_long4
struct alignas(16) long4 {
    long x, y, z, w;
};
inline long4 make_long4(long x, long y, long z, long w)
{
    return {x, y, z, w};
}

//@ ulong1 make_ulong1
struct alignas(8) ulong1 {
    unsigned long x;
};
inline ulong1 make_ulong1(unsigned long x)
{
    return {x};
}

//@ ulong2 make_ulong2
struct alignas(16) ulong2 {
    unsigned long x, y;
};
inline ulong2 make_ulong2(unsigned long x, unsigned long y)
{
    return {x, y};
}

//@ ulong3 make_ulong3
struct alignas(8) ulong3 {
    unsigned long x, y, z;
};
inline ulong3 make_ulong3(unsigned long x, unsigned long y, unsigned long z)
{
    return {x, y, z};
}

//@ ulong4 make_ulong4
struct alignas(16) ulong4 {
    unsigned long x, y, z, w;
};
inline ulong4 make_ulong4(unsigned long x, unsigned long y, unsigned long z, unsigned long w)
{
    return {x, y, z, w};
}

//@ longlong1 make_longlong1
struct alignas(8) longlong1 {
    long long x;
};
inline longlong1 make_longlong1(long long x)
{
    return {x};
}

//@ longlong2 make_longlong2
struct alignas(16) longlong2 {
    long long x, y;
};
inline longlong2 make_longlong2(long long x, long long y)
{
    return {x, y};
}

//@ longlong3 make_longlong3
struct alignas(8) longlong3 {
    long long x, y, z;
};
inline longlong3 make_longlong3(long long x, long long y, long long z)
{
    return {x, y, z};
}

//@ longlong4 make_longlong4
struct alignas(16) longlong4 {
    long long x, y, z, w;
};
inline longlong4 make_longlong4(long long x, long long y, long long z, long long w)
{
    return {x, y, z, w};
}

//@ ulonglong1 make_ulonglong1
struct alignas(8) ulonglong1 {
    unsigned long long x;
};
inline ulonglong1 make_ulonglong1(unsigned long long x)
{
    return {x};
}

//@ ulonglong2 make_ulonglong2
struct alignas(16) ulonglong2 {
    unsigned long long x, y;
};
inline ulonglong2 make_ulonglong2(unsigned long long x, unsigned long long y)
{
    return {x, y};
}

//@ ulonglong3 make_ulonglong3
struct alignas(8) ulonglong3 {
    unsigned long long x, y, z;
};
inline ulonglong3 make_ulonglong3(unsigned long long x, unsigned long long y, unsigned long long z)
{
    return {x, y, z};
}

//@ ulonglong4 make_ulonglong4
struct alignas(16) ulonglong4 {
    unsigned long long x, y, z, w;
};
inline ulonglong4 make_ulonglong4(unsigned long long x, unsigned long long y, unsigned long long z, unsigned long long w)
{
    return {x, y, z, w};
}

//@ float1 make_float1
struct alignas(4) float1 {
    float x;
};
inline float1 make_float1(float x)
{
    return {x};
}

//@ float2 make_float2
struct alignas(8) float2 {
    float x, y;
};
inline float2 make_float2(float x, float y)
{
    return {x, y};
}

//@ float3 make_float3
struct alignas(4) float3 {
    float x, y, z;
};
inline float3 make_float3(float x, float y, float z)
{
    return {x, y, z};
}

//@ float4 make_float4
struct alignas(16) float4 {
    float x, y, z, w;
};
inline float4 make_float4(float x, float y, float z, float w)
{
    return {x, y, z, w};
}

//@ double1 make_double1
struct alignas(8) double1 {
    double x;
};
inline double1 make_double1(double x)
{
    return {x};
}

//@ double2 make_double2
struct alignas(16) double2 {
    double x, y;
};
inline double2 make_double2(double x, double y)
{
    return {x, y};
}

//@ double3 make_double3
struct alignas(8) double3 {
    double x, y, z;
};
inline double3 make_double3(double x, double y, double z)
{
    return {x, y, z};
}

//@ double4 make_double4
struct alignas(16) double4 {
    double x, y, z, w;
};
inline double4 make_double4(double x, double y, double z, double w)
{
    return {x, y, z, w};
}

