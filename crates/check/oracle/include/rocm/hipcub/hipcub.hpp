#pragma once
#include "../hip/hip_runtime.h"

#include <algorithm>
#include <limits>
#include <vector>

#include <port_oracle/warp.hpp>

#define PORT_CUB hipcub
#define PORT_CUB_ERROR hipError_t
#define PORT_CUB_STREAM hipStream_t
namespace hipcub {
#include <port_oracle/cub.inc>
}
#undef PORT_CUB
#undef PORT_CUB_ERROR
#undef PORT_CUB_STREAM
