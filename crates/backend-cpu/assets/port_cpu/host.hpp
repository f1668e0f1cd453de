// Host functions that CUDA alone has.

typedef cudaError_t cudaError;
constexpr cudaError_t cudaErrorMemoryAllocation = cudaErrorOutOfMemory;
constexpr cudaError_t cudaErrorInitializationError = cudaErrorNotInitialized;
constexpr cudaStream_t cudaStreamLegacy = nullptr;
constexpr cudaStream_t cudaStreamPerThread = nullptr;
enum cudaStreamCaptureMode {
    cudaStreamCaptureModeGlobal,
    cudaStreamCaptureModeThreadLocal,
    cudaStreamCaptureModeRelaxed,
};
enum cudaStreamCaptureStatus {
    cudaStreamCaptureStatusNone,
    cudaStreamCaptureStatusActive,
    cudaStreamCaptureStatusInvalidated,
};
enum { cudaOccupancyDefault = 0 };

enum cudaDeviceAttr {
#define PORT_ATTRIBUTE(cuda, hip, number, expression) cudaDevAttr##cuda = number,
#include "attributes.inc"
#undef PORT_ATTRIBUTE
};
inline cudaError_t cudaDeviceGetAttribute(int* value, cudaDeviceAttr attribute, int device) {
    cudaDeviceProp p;
    if (cudaError_t error = cudaGetDeviceProperties(&p, device)) return error;
    switch (attribute) {
#define PORT_ATTRIBUTE(cuda, hip, number, expression) \
        case cudaDevAttr##cuda: *value = int(expression); return cudaSuccess;
#include "attributes.inc"
#undef PORT_ATTRIBUTE
    }
    return cudaErrorInvalidValue;
}

#define make_cudaExtent(w, h, d) cudaExtent{w, h, d}
#define make_cudaPitchedPtr(p, pitch, x, y) cudaPitchedPtr{p, pitch, x, y}
inline cudaError_t cudaMalloc3D(cudaPitchedPtr* pointer, cudaExtent extent) {
    pointer->xsize = extent.width;
    pointer->ysize = extent.height;
    return cudaMallocPitch(&pointer->ptr, &pointer->pitch, extent.width,
                           extent.height * extent.depth);
}
typedef void (*cudaStreamCallback_t)(cudaStream_t, cudaError_t, void*);
inline cudaError_t cudaStreamAddCallback(cudaStream_t stream, cudaStreamCallback_t callback,
                                         void* data, unsigned) {
    callback(stream, cudaSuccess, data);
    return cudaSuccess;
}
// Launches with attributes, which the machine has no use for.
struct cudaLaunchAttributeValue {
    int cooperative;
    int programmaticStreamSerializationAllowed;
    struct { unsigned x, y, z; } clusterDim;
    int priority;
};
enum cudaLaunchAttributeID {
    cudaLaunchAttributeIgnore = 0,
    cudaLaunchAttributeCooperative = 2,
    cudaLaunchAttributeClusterDimension = 4,
    cudaLaunchAttributeProgrammaticStreamSerialization = 6,
    cudaLaunchAttributePriority = 8,
};
struct cudaLaunchAttribute {
    cudaLaunchAttributeID id;
    cudaLaunchAttributeValue val;
};
struct cudaLaunchConfig_t {
    dim3 gridDim, blockDim;
    size_t dynamicSmemBytes;
    cudaStream_t stream;
    cudaLaunchAttribute* attrs;
    unsigned numAttrs;
};
template <class... Parameters, class... Arguments>
inline cudaError_t cudaLaunchKernelEx(const cudaLaunchConfig_t* config,
                                      void (*kernel)(Parameters...), Arguments&&... arguments) {
    bool cooperative = false;
    for (unsigned i = 0; i < config->numAttrs; ++i) {
        cooperative |= config->attrs[i].id == cudaLaunchAttributeCooperative &&
                       config->attrs[i].val.cooperative != 0;
    }
    return cudaError_t(port_fibers::launch(
        port_fibers::LaunchConfig{config->gridDim, config->blockDim, config->dynamicSmemBytes, "",
                               cooperative},
        kernel, static_cast<Parameters>(arguments)...));
}
inline void cudaGridDependencySynchronize() {}
inline void cudaTriggerProgrammaticLaunchCompletion() {}

inline cudaError_t cudaThreadSynchronize() { return cudaSuccess; }
inline cudaError_t cudaThreadExit() { return cudaSuccess; }
inline cudaError_t cudaCtxResetPersistingL2Cache() { return cudaSuccess; }

// ---- what there is one of ----------------------------------------------------------------------
enum cudaComputeMode {
    cudaComputeModeDefault = 0,
    cudaComputeModeExclusive = 1,
    cudaComputeModeProhibited = 2,
    cudaComputeModeExclusiveProcess = 3,
};
enum {
    cudaDeviceBlockingSync = 4,
    cudaDeviceLmemResizeToMax = 16,
    cudaDeviceMask = 31,
    cudaHostRegisterIoMemory = 4,
    cudaHostRegisterReadOnly = 8,
    cudaMemAttachSingle = 4,
    cudaEventInterprocess = 4,
    cudaEventRecordDefault = 0,
    cudaEventWaitDefault = 0,
    cudaOccupancyDisableCachingOverride = 1,
    cudaIpcMemLazyEnablePeerAccess = 1,
};
constexpr cudaDeviceAttr cudaDevAttrGpuOverlap = cudaDeviceAttr(15);
enum cudaDeviceP2PAttr {
    cudaDevP2PAttrPerformanceRank = 1,
    cudaDevP2PAttrAccessSupported = 2,
    cudaDevP2PAttrNativeAtomicSupported = 3,
    cudaDevP2PAttrCudaArrayAccessSupported = 4,
};
inline cudaError_t cudaDeviceGetP2PAttribute(int*, cudaDeviceP2PAttr, int, int) {
    return cudaPortResult(cudaErrorInvalidDevice);
}
inline cudaError_t cudaDeviceDisablePeerAccess(int) { return cudaPortResult(cudaErrorInvalidDevice); }
inline cudaError_t cudaGetDeviceFlags(unsigned* flags) {
    *flags = cudaDeviceMapHost;
    return cudaSuccess;
}
inline cudaError_t cudaChooseDevice(int* device, const cudaDeviceProp*) {
    *device = 0;
    return cudaSuccess;
}
inline cudaError_t cudaSetValidDevices(int*, int) { return cudaSuccess; }
inline cudaError_t cudaDeviceGetPCIBusId(char* text, int length, int device) {
    if (device != 0 || length < 13) return cudaPortResult(cudaErrorInvalidValue);
    strcpy(text, "0000:01:00.0");
    return cudaSuccess;
}
inline cudaError_t cudaDeviceGetByPCIBusId(int* device, const char*) {
    *device = 0;
    return cudaSuccess;
}
inline cudaError_t cudaStreamGetFlags(cudaStream_t, unsigned* flags) {
    *flags = cudaStreamDefault;
    return cudaSuccess;
}
inline cudaError_t cudaStreamGetPriority(cudaStream_t, int* priority) {
    *priority = 0;
    return cudaSuccess;
}
inline cudaError_t cudaStreamAttachMemAsync(cudaStream_t, void*, size_t = 0, unsigned = 4) {
    return cudaSuccess;
}
inline cudaError_t cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream = 0, unsigned = 0) {
    return cudaEventRecord(event, stream);
}
inline cudaError_t cudaHostGetFlags(unsigned* flags, void*) {
    *flags = cudaHostAllocMapped;
    return cudaSuccess;
}
template <class Function>
inline cudaError_t cudaOccupancyAvailableDynamicSMemPerBlock(size_t* bytes, Function, int, int) {
    *bytes = 49152;
    return cudaSuccess;
}
template <class Function, class Bytes>
inline cudaError_t cudaOccupancyMaxPotentialBlockSizeVariableSMem(int* grid, int* block,
                                                                  Function function, Bytes,
                                                                  int limit = 0) {
    return cudaOccupancyMaxPotentialBlockSize(grid, block, function, 0, limit);
}

// ---- pools: every allocation is its own --------------------------------------------------------
struct cudaPortPool { int device; };
typedef cudaPortPool* cudaMemPool_t;
enum cudaMemPoolAttr {
    cudaMemPoolReuseFollowEventDependencies = 1,
    cudaMemPoolReuseAllowOpportunistic = 2,
    cudaMemPoolReuseAllowInternalDependencies = 3,
    cudaMemPoolAttrReleaseThreshold = 4,
    cudaMemPoolAttrReservedMemCurrent = 5,
    cudaMemPoolAttrReservedMemHigh = 6,
    cudaMemPoolAttrUsedMemCurrent = 7,
    cudaMemPoolAttrUsedMemHigh = 8,
};
inline cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t* pool, int) {
    static cudaPortPool only{0};
    *pool = &only;
    return cudaSuccess;
}
inline cudaError_t cudaDeviceGetMemPool(cudaMemPool_t* pool, int device) {
    return cudaDeviceGetDefaultMemPool(pool, device);
}
inline cudaError_t cudaDeviceSetMemPool(int, cudaMemPool_t) { return cudaSuccess; }
inline cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) {
    return cudaSuccess;
}
inline cudaError_t cudaMemPoolTrimTo(cudaMemPool_t, size_t) { return cudaSuccess; }
template <class T>
inline cudaError_t cudaMallocFromPoolAsync(T** pointer, size_t bytes, cudaMemPool_t, cudaStream_t) {
    return cudaMalloc(pointer, bytes);
}

// ---- copies in three dimensions ----------------------------------------------------------------
struct cudaPos { size_t x, y, z; };
struct cudaArray;
typedef cudaArray* cudaArray_t;
struct cudaMemcpy3DParms {
    cudaArray_t srcArray;
    cudaPos srcPos;
    cudaPitchedPtr srcPtr;
    cudaArray_t dstArray;
    cudaPos dstPos;
    cudaPitchedPtr dstPtr;
    cudaExtent extent;
    cudaMemcpyKind kind;
};
#define make_cudaPos(x, y, z) cudaPos{size_t(x), size_t(y), size_t(z)}
inline cudaError_t cudaMemcpy3D(const cudaMemcpy3DParms* p) {
    if (p->srcArray || p->dstArray) return cudaPortResult(cudaErrorNotSupported);
    for (size_t z = 0; z < p->extent.depth; ++z) {
        for (size_t y = 0; y < p->extent.height; ++y) {
            const auto row = [&](const cudaPitchedPtr& of, const cudaPos& at) {
                return static_cast<char*>(of.ptr) + ((at.z + z) * of.ysize + at.y + y) * of.pitch +
                       at.x;
            };
            memmove(row(p->dstPtr, p->dstPos), row(p->srcPtr, p->srcPos), p->extent.width);
        }
    }
    return cudaSuccess;
}
inline cudaError_t cudaMemcpy3DAsync(const cudaMemcpy3DParms* p, cudaStream_t = 0) {
    return cudaMemcpy3D(p);
}
inline cudaError_t cudaMemset3D(cudaPitchedPtr pointer, int value, cudaExtent extent) {
    for (size_t z = 0; z < extent.depth; ++z) {
        for (size_t y = 0; y < extent.height; ++y) {
            memset(static_cast<char*>(pointer.ptr) + (z * pointer.ysize + y) * pointer.pitch, value,
                   extent.width);
        }
    }
    return cudaSuccess;
}
inline cudaError_t cudaMemset2DAsync(void* to, size_t pitch, int value, size_t width, size_t height,
                                     cudaStream_t = 0) {
    return cudaMemset2D(to, pitch, value, width, height);
}

// ---- graphs, as streams capture them -----------------------------------------------------------
typedef port_cpu::Graph* cudaGraph_t;
typedef port_cpu::Graph* cudaGraphExec_t;
struct cudaPortGraphNode;
typedef cudaPortGraphNode* cudaGraphNode_t;
inline cudaError_t cudaStreamBeginCapture(cudaStream_t,
                                          cudaStreamCaptureMode = cudaStreamCaptureModeGlobal) {
    if (port_cpu::capturing()) return cudaPortResult(cudaErrorNotSupported);
    port_cpu::capturing() = new port_cpu::Graph;
    return cudaSuccess;
}
inline cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t* graph) {
    *graph = port_cpu::capturing();
    port_cpu::capturing() = nullptr;
    return *graph ? cudaSuccess : cudaPortResult(cudaErrorInvalidValue);
}
inline cudaError_t cudaStreamIsCapturing(cudaStream_t, cudaStreamCaptureStatus* status) {
    *status = port_cpu::capturing() ? cudaStreamCaptureStatusActive : cudaStreamCaptureStatusNone;
    return cudaSuccess;
}
// The numbers and places of errors that releases of CUDA have had here differ.
template <class... Rest>
inline cudaError_t cudaGraphInstantiate(cudaGraphExec_t* launched, cudaGraph_t graph, Rest...) {
    *launched = new port_cpu::Graph(*graph);
    return cudaSuccess;
}
inline cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t* launched, cudaGraph_t graph,
                                                 unsigned long long = 0) {
    return cudaGraphInstantiate(launched, graph);
}
inline cudaError_t cudaGraphLaunch(cudaGraphExec_t graph, cudaStream_t) {
    for (const auto& call : graph->calls) call->run();
    return cudaError_t(port_fibers::peek_last_error());
}
inline cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t) { return cudaSuccess; }
// The number of nodes; what they are is not told.
inline cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, size_t* count) {
    *count = graph->calls.size();
    return nodes ? cudaPortResult(cudaErrorNotSupported) : cudaSuccess;
}
inline cudaError_t cudaGraphExecDestroy(cudaGraphExec_t graph) {
    delete graph;
    return cudaSuccess;
}
inline cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
    delete graph;
    return cudaSuccess;
}
