// printf in a kernel.
#pragma once

#include <kernel_operator.h>
