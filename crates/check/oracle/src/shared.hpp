// The shared memory of the block that runs: the executable's thread-local segment, in which every
// __shared__ variable lies, with the dynamic part among them.
#pragma once

#include <vector>

#include <port_oracle/core.hpp>

namespace port_oracle {

// Whether a block may have this much dynamic shared memory.
bool shared_fits(std::size_t dynamic_bytes);

// `dynamic_bytes` is what the launch asks for. What lies behind it is poisoned too, and checked: a
// block must not write there.
void poison_shared(std::size_t dynamic_bytes);
void check_shared(std::size_t dynamic_bytes, const char* kernel);
void save_shared(std::size_t dynamic_bytes, std::vector<char>& to);
void restore_shared(std::size_t dynamic_bytes, const std::vector<char>& from);

}  // namespace port_oracle
