// The kernel side by its newer place.
#pragma once

#include <kernel_operator.h>
