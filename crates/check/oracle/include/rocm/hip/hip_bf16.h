// bfloat16 under the names of ROCm 5.7 and newer, for texts that include it themselves.
#pragma once
#include "hip_fp16.h"

#include <port_oracle/bfloat16.hpp>

typedef __nv_bfloat16 __hip_bfloat16;
typedef __nv_bfloat162 __hip_bfloat162;
typedef __nv_bfloat16_raw __hip_bfloat16_raw;
typedef __nv_bfloat162_raw __hip_bfloat162_raw;
