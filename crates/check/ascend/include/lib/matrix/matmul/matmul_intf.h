// Matrix products, by their older place.
#pragma once

#include <lib/matmul_intf.h>
