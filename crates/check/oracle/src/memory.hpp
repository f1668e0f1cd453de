// Device memory with guards: what runtime.cpp needs of memory.cpp beyond core.hpp.
#pragma once

#include <cstddef>
#include <string>

namespace port_oracle {

std::size_t page_size();
// Says where an address lies: "12 bytes past the end of `x` (400 bytes)".
std::string describe_address(const void* address);
// Ends the run if the bytes between an allocation's end and its guard page were written.
void check_guards();

}  // namespace port_oracle
