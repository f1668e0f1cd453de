#pragma once
#include "hip_runtime.h"

#include <port_oracle/groups.hpp>
