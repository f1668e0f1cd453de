// The kernel side of order between cores, by its newer place.
#pragma once

#include <kernel_operator.h>
