//@ section cudaHostGetDevicePointer
// Forms of the runtime's functions that take pointers of any type, as CUDA's headers have them.
template <typename T>
inline hipError_t port_cudaHostGetDevicePointer(T **device, void *host, unsigned int flags) {
  return hipHostGetDevicePointer(reinterpret_cast<void **>(device), host, flags);
}

//@ section cudaMallocPitch
template <typename T>
inline hipError_t port_cudaMallocPitch(T **device, size_t *pitch, size_t width, size_t height) {
  return hipMallocPitch(reinterpret_cast<void **>(device), pitch, width, height);
}

//@ section memory-location
// The device that a location names.
#if HIP_VERSION_MAJOR >= 6
inline int port_device_of(hipMemLocation location) {
  return location.type == hipMemLocationTypeDevice ? location.id : hipCpuDeviceId;
}
#endif

//@ section cudaMemAdvise
inline hipError_t port_cudaMemAdvise(const void *pointer, size_t count, hipMemoryAdvise advice,
                                     int device) {
  return hipMemAdvise(pointer, count, advice, device);
}
#if HIP_VERSION_MAJOR >= 6
inline hipError_t port_cudaMemAdvise(const void *pointer, size_t count, hipMemoryAdvise advice,
                                     hipMemLocation location) {
  return hipMemAdvise(pointer, count, advice, port_device_of(location));
}
#endif

//@ section cudaMemPrefetchAsync
inline hipError_t port_cudaMemPrefetchAsync(const void *pointer, size_t count, int device,
                                            hipStream_t stream = nullptr) {
  return hipMemPrefetchAsync(pointer, count, device, stream);
}
#if HIP_VERSION_MAJOR >= 6
inline hipError_t port_cudaMemPrefetchAsync(const void *pointer, size_t count,
                                            hipMemLocation location, unsigned int,
                                            hipStream_t stream = nullptr) {
  return hipMemPrefetchAsync(pointer, count, port_device_of(location), stream);
}
#endif

//@ section cudaGraphInstantiate
inline hipError_t port_cudaGraphInstantiate(hipGraphExec_t *executable, hipGraph_t graph,
                                            unsigned long long flags = 0) {
  return hipGraphInstantiateWithFlags(executable, graph, flags);
}
inline hipError_t port_cudaGraphInstantiate(hipGraphExec_t *executable, hipGraph_t graph,
                                            hipGraphNode_t *error_node, char *log, size_t size) {
  return hipGraphInstantiate(executable, graph, error_node, log, size);
}

//@ section cudaGraphExecUpdate
inline hipError_t port_cudaGraphExecUpdate(hipGraphExec_t executable, hipGraph_t graph,
                                           hipGraphNode_t *error_node,
                                           hipGraphExecUpdateResult *result) {
  return hipGraphExecUpdate(executable, graph, error_node, result);
}

//@ section carveout
enum {
  port_cudaSharedmemCarveoutDefault = -1,
  port_cudaSharedmemCarveoutMaxL1 = 0,
  port_cudaSharedmemCarveoutMaxShared = 100
};

//@ section peer-access
enum { port_cudaPeerAccessDefault = 0 };

//@ section launch-configuration
// What a launch by configuration is given. AMD hardware has no clusters; of the attributes, one asks
// for a cooperative launch, and the others permit or advise what HIP does not do.
typedef int port_cudaLaunchAttributeID;
enum {
  port_cudaLaunchAttributeIgnore = 0,
  port_cudaLaunchAttributeCooperative = 2,
  port_cudaLaunchAttributeProgrammaticStreamSerialization = 6
};
union port_cudaLaunchAttributeValue {
  hipAccessPolicyWindow accessPolicyWindow;
  int cooperative;
  int priority;
  int programmaticStreamSerializationAllowed;
};
struct port_cudaLaunchAttribute_st {
  port_cudaLaunchAttributeID id;
  port_cudaLaunchAttributeValue val;
};
typedef port_cudaLaunchAttribute_st port_cudaLaunchAttribute;
struct port_cudaLaunchConfig_st {
  dim3 gridDim;
  dim3 blockDim;
  size_t dynamicSmemBytes;
  hipStream_t stream;
  port_cudaLaunchAttribute *attrs;
  unsigned int numAttrs;
};
typedef port_cudaLaunchConfig_st port_cudaLaunchConfig_t;

//@ section launch-by-configuration
inline hipError_t port_cudaLaunchKernelExC(const port_cudaLaunchConfig_t *config,
                                           const void *kernel, void **arguments) {
  bool cooperative = false;
  for (unsigned int i = 0; i < config->numAttrs; ++i) {
    const port_cudaLaunchAttribute &attribute = config->attrs[i];
    if (attribute.id == port_cudaLaunchAttributeCooperative) {
      cooperative = attribute.val.cooperative != 0;
    }
  }
  return cooperative
             ? hipLaunchCooperativeKernel(kernel, config->gridDim, config->blockDim, arguments,
                                          (unsigned int)config->dynamicSmemBytes, config->stream)
             : hipLaunchKernel(kernel, config->gridDim, config->blockDim, arguments,
                               config->dynamicSmemBytes, config->stream);
}
template <typename... Parameters>
inline hipError_t port_launch_converted(const port_cudaLaunchConfig_t *config,
                                        void (*kernel)(Parameters...), Parameters... arguments) {
  void *addresses[sizeof...(Parameters) + 1] = {(void *)&arguments...};
  return port_cudaLaunchKernelExC(config, reinterpret_cast<const void *>(kernel), addresses);
}
template <typename... Parameters, typename... Arguments>
inline hipError_t port_cudaLaunchKernelEx(const port_cudaLaunchConfig_t *config,
                                          void (*kernel)(Parameters...), Arguments &&...arguments) {
  return port_launch_converted<Parameters...>(config, kernel,
                                              static_cast<Arguments &&>(arguments)...);
}

//@ section programmatic-launch
PORT_DEVICE void port_cudaGridDependencySynchronize() {}
PORT_DEVICE void port_cudaTriggerProgrammaticLaunchCompletion() {}

//@ section labels
inline void port_nvtxNameCudaDeviceA(int, const char *) {}
inline void port_nvtxNameCudaEventA(hipEvent_t, const char *) {}
inline void port_nvtxNameCudaStreamA(hipStream_t, const char *) {}
inline void port_nvtxNameOsThreadA(unsigned int, const char *) {}
