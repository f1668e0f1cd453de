// Functions of the runtime that device code may call and that do nothing where kernels of a stream
// run one after the other.

__device__ inline void cudaGridDependencySynchronize() {}
__device__ inline void cudaTriggerProgrammaticLaunchCompletion() {}
