// The kernel side, by a place that some programs include.
#pragma once

#include <kernel_operator.h>
