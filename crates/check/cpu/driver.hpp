// What the two parts of a driver share: driver.cpp, compiled once for all ports, and the calls of a
// port's kernels.
#pragma once

#include <cstddef>
#include <new>
#include <type_traits>

namespace port_check {
namespace driver {

// Ends the run with a line of the report: kind and message between tabs.
[[noreturn]] void fail(const char* kind, const char* format, ...);

#include "port_check_arguments.inc"

struct Launch {
    // x, y, z
    unsigned grid[3], block[3];
    std::size_t shared;
    const Argument* arguments;
};

// The main program: `port_check_driver PLAN`.
int main(int argc, char** argv, const Entry* entries, const Symbol* symbols);

}  // namespace driver
}  // namespace port_check
