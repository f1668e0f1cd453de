#pragma once
#ifdef __HIP_NO_HALF_CONVERSIONS__
#define __CUDA_NO_HALF_CONVERSIONS__ 1
#endif
#ifdef __HIP_NO_HALF_OPERATORS__
#define __CUDA_NO_HALF_OPERATORS__ 1
#define __CUDA_NO_HALF2_OPERATORS__ 1
#endif
#include "hip_runtime.h"

#include <port_oracle/half.hpp>
