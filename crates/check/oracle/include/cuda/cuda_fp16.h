#pragma once
#include "cuda_runtime.h"

#include <port_oracle/half.hpp>

#include "port_cuda_sixteen.h"
PORT_ORACLE_SIXTEEN(__half, __half2)
