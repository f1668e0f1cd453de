#pragma once
#include "cuda_bf16.h"

#include <port_oracle/wmma.hpp>
