//@ section base
#include <hip/hip_runtime.h>

#define PORT_DEVICE __device__ inline __attribute__((always_inline))
#define PORT_HOST_DEVICE __host__ __device__ inline __attribute__((always_inline))

//@ section cuda-arch
// What __CUDA_ARCH__ was when the CUDA original was analysed. As in CUDA, it is defined only while
// device code is compiled.
#if defined(__HIP_DEVICE_COMPILE__) && __HIP_DEVICE_COMPILE__
#define PORT_CUDA_ARCH CUDA_ARCH_OF_THE_ORIGINAL
#endif

//@ section bits
// The bits of a value as a value of another type of the same size.
template <typename To, typename From>
PORT_HOST_DEVICE To port_bits_to(From value) {
  static_assert(sizeof(To) == sizeof(From), "a change of type keeps the bits");
  To result;
  __builtin_memcpy((void *)&result, &value, sizeof(To));
  return result;
}

//@ section manual
//@ provides port_manual
// Stands where something was left to a person: such a file builds only with PORT_ALLOW_MANUAL.
PORT_DEVICE void port_manual() { __builtin_trap(); }
