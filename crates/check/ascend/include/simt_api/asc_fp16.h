// Half precision of the SIMT API. `half` itself is a type of the compiler.
#pragma once

#include "asc_simt.h"

inline float __half2float(half value) { return float(value); }
inline half __float2half(float value) { return half(value); }
