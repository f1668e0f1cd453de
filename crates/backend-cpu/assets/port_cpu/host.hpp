// Host functions that CUDA alone has.

typedef cudaError_t cudaError;
constexpr cudaError_t cudaErrorMemoryAllocation = cudaErrorOutOfMemory;
constexpr cudaError_t cudaErrorInitializationError = cudaErrorNotInitialized;
constexpr cudaStream_t cudaStreamLegacy = nullptr;
constexpr cudaStream_t cudaStreamPerThread = nullptr;
enum { cudaStreamCaptureModeGlobal, cudaStreamCaptureModeThreadLocal, cudaStreamCaptureModeRelaxed };
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
