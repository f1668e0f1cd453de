// The kernel side of the Ascend C API, modelled on a CPU from its public documentation: docs/ascend-model.md.
#pragma once

#include <port_ascend/cast.h>
#include <port_ascend/copy.h>
#include <port_ascend/cube.h>
#include <port_ascend/gather.h>
#include <port_ascend/launch.h>
#include <port_ascend/names.h>
#include <port_ascend/math.h>
#include <port_ascend/reduce.h>
#include <port_ascend/select.h>
#include <port_ascend/sort.h>
#include <port_ascend/system.h>
#include <port_ascend/vector.h>
