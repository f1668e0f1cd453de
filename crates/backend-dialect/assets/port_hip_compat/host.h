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
