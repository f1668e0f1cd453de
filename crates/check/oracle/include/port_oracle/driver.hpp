// What a generated driver needs: kernel arguments from a plan, converted to the kernel's parameter
// types, and the tables that src/driver.cpp runs.
#pragma once

#include <new>
#include <tuple>

#include "core.hpp"

namespace port_oracle {
namespace driver {

#include "arguments.inc"

struct Launch {
    LaunchConfig config;
    const Argument* arguments;
};

template <class... Parameters, class... Fill, std::size_t... indices>
int call_at(const Launch& launch, void (*kernel)(Parameters...), std::index_sequence<indices...>,
            const Fill&... fill) {
    std::tuple<Slot<std::remove_cv_t<std::remove_reference_t<Parameters>>>...> slots;
    (fill(std::get<indices>(slots).get(), launch.arguments[indices]), ...);
    return port_oracle::launch(launch.config, kernel, std::get<indices>(slots).get()...);
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
}  // namespace port_oracle

// Defined by the generated driver, ended by entries with a null name.
extern const port_oracle::driver::Entry port_oracle_entries[];
extern const port_oracle::driver::Symbol port_oracle_symbols[];
