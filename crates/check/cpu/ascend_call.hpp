// Launchers of an Ascend port, called for a launch of a spec. Included after the port.
#pragma once

#include <tuple>
#include <utility>

#include "acl/acl.h"
#include "port_ascend/core.h"
#include "port_check_driver.hpp"

// The driver's buffers are the device's memory.
extern "C" void* port_check_allocate(std::size_t bytes) {
    void* memory = port_ascend::acl_allocate(bytes);
    port_ascend::register_gm(memory, bytes, "", port_ascend::acl_room(bytes));
    return memory;
}

namespace port_check {
namespace driver {

template <class Grid, class Block, class Shared, class... Parameters, class... Fill,
          std::size_t... indices>
int call_at(const Launch& launch,
            void (*launcher)(Grid, Block, Shared, aclrtStream, Parameters...),
            std::index_sequence<indices...>, const Fill&... fill) {
    std::tuple<Slot<std::remove_cv_t<std::remove_reference_t<Parameters>>>...> slots;
    (fill(std::get<indices>(slots).get(), launch.arguments[indices]), ...);
    const unsigned(&grid)[3] = launch.grid, (&block)[3] = launch.block;
    launcher(Grid(grid[0], grid[1], grid[2]), Block(block[0], block[1], block[2]),
             Shared(launch.shared), nullptr, std::get<indices>(slots).get()...);
    return int(aclrtSynchronizeDevice());
}

template <class Grid, class Block, class Shared, class... Parameters, class... Fill>
int call(const Launch& launch,
         void (*launcher)(Grid, Block, Shared, aclrtStream, Parameters...), const Fill&... fill) {
    static_assert(sizeof...(Parameters) == sizeof...(Fill),
                  "the spec's `args` needs one entry for each parameter of the kernel");
    if constexpr (sizeof...(Parameters) == sizeof...(Fill)) {
        return call_at(launch, launcher, std::make_index_sequence<sizeof...(Parameters)>(), fill...);
    }
    return 0;
}

}  // namespace driver
}  // namespace port_check
