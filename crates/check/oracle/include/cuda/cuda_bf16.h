#pragma once
#include "cuda_fp16.h"

#include <port_oracle/bfloat16.hpp>

PORT_ORACLE_SIXTEEN(__nv_bfloat16, __nv_bfloat162)
