#pragma once
#include "hip_runtime.h"

#include <port_oracle/complex.hpp>

PORT_ORACLE_COMPLEX(hip)
