#pragma once
#include "cuda_runtime.h"

#include <port_oracle/complex.hpp>

PORT_ORACLE_COMPLEX(cu)
