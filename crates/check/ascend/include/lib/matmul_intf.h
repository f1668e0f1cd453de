// Matrix products.
#pragma once

#include <kernel_operator.h>
#include <port_ascend/matmul.h>
