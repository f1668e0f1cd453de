// The process around the machine: settings, limits, the report and faults.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <port_oracle/core.hpp>

namespace port_oracle {

// An order of things that have none.
enum class Order { ascending, descending, shuffled };

struct Settings {
    Order threads = Order::ascending;
    Order blocks = Order::ascending;
    std::uint64_t thread_seed = 0;
    std::uint64_t block_seed = 0;
    int report = 2;   // file descriptor
};

// Read once, before the program's main.
const Settings& settings();

std::uint64_t mix(std::uint64_t bits);
// The numbers below `count` in the given order.
void fill_order(std::vector<unsigned>& order, unsigned count, Order kind, std::uint64_t seed);

// Writes what was noted and the error to the report and ends the process.
[[noreturn]] void fail_text(const char* kind, const std::string& message);

// Of the machine: whether the address is just below the running thread's stack.
bool is_below_stack(const char* address);

}  // namespace port_oracle
