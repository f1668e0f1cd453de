// printf in a kernel.
#pragma once

#include <port_ascend/system.h>
