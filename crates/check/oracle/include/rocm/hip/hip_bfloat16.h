// The bfloat16 of ROCm 5: storage with conversions and arithmetic.
#pragma once
#include "hip_bf16.h"

typedef __nv_bfloat16 hip_bfloat16;
