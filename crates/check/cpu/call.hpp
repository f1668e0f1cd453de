// Kernels called as a port calls them. Included after the port, whose header defines the CUDA names and
// port_cpu::configure.
#pragma once

#include <tuple>
#include <utility>

#include "port_check_driver.hpp"

namespace port_check {
namespace driver {

template <class... Parameters, class... Fill, std::size_t... indices>
int call_at(const Launch& launch, void (*kernel)(Parameters...), std::index_sequence<indices...>,
            const Fill&... fill) {
    std::tuple<Slot<std::remove_cv_t<std::remove_reference_t<Parameters>>>...> slots;
    (fill(std::get<indices>(slots).get(), launch.arguments[indices]), ...);
    // As the port writes a launch.
    const unsigned(&grid)[3] = launch.grid, (&block)[3] = launch.block;
    (port_cpu::configure(dim3(grid[0], grid[1], grid[2]), dim3(block[0], block[1], block[2]),
                         launch.shared),
     kernel(std::get<indices>(slots).get()...));
    return int(cudaGetLastError());
}

template <class... Parameters, class... Fill>
int call(const Launch& launch, void (*kernel)(Parameters...), const Fill&... fill) {
    static_assert(sizeof...(Parameters) == sizeof...(Fill),
                  "the spec's `args` needs one entry for each parameter of the kernel");
    if constexpr (sizeof...(Parameters) == sizeof...(Fill)) {
        return call_at(launch, kernel, std::make_index_sequence<sizeof...(Parameters)>(), fill...);
    }
    return 0;
}

}  // namespace driver
}  // namespace port_check
