// Output and assertions in a kernel.
#pragma once

#include <kernel_operator.h>
