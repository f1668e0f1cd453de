#pragma once
#include "cuda_runtime.h"

#include <port_oracle/philox.hpp>

PORT_ORACLE_RANDOM(curand)
