#pragma once
#include "cuda_runtime.h"

#include <port_oracle/groups.hpp>
