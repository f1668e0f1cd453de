#pragma once
#include "../cuda_runtime.h"

#include <algorithm>
#include <limits>
#include <vector>

#include <port_oracle/warp.hpp>

#define PORT_CUB cub
#define PORT_CUB_ERROR cudaError_t
#define PORT_CUB_STREAM cudaStream_t
namespace cub {
#include <port_oracle/cub.inc>
}
#undef PORT_CUB
#undef PORT_CUB_ERROR
#undef PORT_CUB_STREAM
