// bfloat16 of the SIMT API. `bfloat16_t` itself is a type of the compiler.
#pragma once

#include "asc_simt.h"

inline float __bfloat162float(bfloat16_t value) { return float(value); }
inline bfloat16_t __float2bfloat16(float value) { return bfloat16_t(value); }
