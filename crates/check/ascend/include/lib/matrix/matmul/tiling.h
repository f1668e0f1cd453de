// The tiling that Matmul reads.
#pragma once

#include <kernel_tiling/kernel_tiling.h>
