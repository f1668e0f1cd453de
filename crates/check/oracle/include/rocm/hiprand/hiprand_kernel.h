#pragma once
#include "../hip/hip_runtime.h"

#include <port_oracle/philox.hpp>

PORT_ORACLE_RANDOM(hiprand)
