// The machine that kernels see: the indices of the running thread, barriers, warp meetings and
// launches. Declarations only; src/runtime.cpp implements them with fibers, so a text that uses
// them compiles fast and the machine is compiled once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "vectors.hpp"

// The running thread. Plain variables: the scheduler sets them whenever it resumes a thread.
extern uint3 threadIdx;
extern uint3 blockIdx;
extern dim3 blockDim;
extern dim3 gridDim;

namespace port_oracle {

// A place of the user's text, for messages and for telling barriers apart.
struct Site {
    const char* file;
    int line;
    static constexpr Site here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
        return Site{file, line};
    }
};

extern unsigned warp_width;   // lanes of a warp or wave: 32 or 64
extern unsigned lane_index;   // of the running thread in its warp

// Ends the process with an error of the given kind; `format` as for printf.
[[noreturn]] void fail(const char* kind, const char* format, ...)
    __attribute__((format(printf, 2, 3)));
// Remembers something that is not an error, counted by kind, with the first message of each.
void note(const char* kind, const char* format, ...) __attribute__((format(printf, 2, 3)));
// "thread (1,0,0) of block (0,0,0) in kernel k", for messages.
const char* where();
bool in_kernel();
// For tools that watch accesses: what the running block does between two barriers, another number for each
// such part of each block; the running thread's number in its block; whether an address is the block's
// shared memory. `atomic_access`: an atomic operation reads and writes. `phase_ends` is called, if it is set,
// while what such a part has written is there still.
std::uint64_t phase();
unsigned thread_number();
bool is_shared(const void* address);
extern bool atomic_access;
extern void (*phase_ends)();

// Warp operations are meetings: each lane arrives with a record of its own; when all have arrived,
// `complete` runs once over the records and all go on.
struct Meeting {
    std::uint64_t lanes;      // who takes part
    void* const* records;     // by lane; null for lanes that do not take part
    unsigned width;           // lanes of the warp
    const char* what;
    Site site;                // of one of them
};
using Complete = void (*)(const Meeting&);

// Meets the lanes named by `mask`, wherever they call from: complete when each of them has arrived
// with the same mask and the same operation, or has exited. The caller must name itself.
void meet_named(std::uint64_t mask, void* record, Complete complete, const char* what, Site site);

// Meets the lanes that execute the same call (the same chain of return addresses up to the kernel),
// as lanes in lockstep do. Complete when no lane of the warp can run otherwise; of several groups,
// the one whose call comes first in the code goes first, so lanes ahead wait for lanes behind.
// Returns the lanes that met. `Need::all` holds the meeting to expect_lanes; `Need::some` is for
// shuffles, which are right without lanes that nobody reads.
enum class Need : unsigned char { some, all };
std::uint64_t meet_converged(Need need, void* record, Complete complete, const char* what,
                             Site site);

// Names the lanes that must meet the running lane in its next converged operations (those that have
// exited excepted); 0 for no demand. A group that lacks one waits for it as long as other groups can
// go on. When none can, a shuffle goes on without it, as it does on hardware; anything else is an
// error.
void expect_lanes(std::uint64_t lanes);

// Waits for every thread of the block that has not exited; their predicates are combined.
struct BarrierResult {
    int count;   // predicates that are not zero
    int all;
    int any;
};
BarrierResult barrier(int predicate, Site site);
// Waits for every thread of the grid that has not exited.
void grid_barrier(Site site);
// Lets other threads run: a thread that spins must call it (failed compare-and-swaps do).
void yield();
// Operations that a thread may use to poll memory (fences, volatile loads, clocks) call this: after
// many of them in one go the thread yields.
void spin_hint();

// The dynamic shared memory of the block.
char* dynamic_shared();
std::size_t dynamic_shared_size();

struct LaunchConfig {
    dim3 grid, block;
    std::size_t shared = 0;
    const char* kernel = "";
    unsigned max_threads = 1024;   // of a block
};
// Runs `body(context)` once for each thread. Returns 0, or the CUDA error code of a configuration
// that a GPU would refuse.
int run_grid(const LaunchConfig& config, void (*body)(void*), void* context);

// The host API's last error, as a CUDA error code.
void set_last_error(int code);
int peek_last_error();
int take_last_error();
double milliseconds();

template <class Function, class... Arguments>
int launch(const LaunchConfig& config, Function function, Arguments... arguments) {
    // Every thread gets its own copy of the arguments, as kernels may change their parameters.
    auto body = [&] { function(arguments...); };
    int code = run_grid(config, [](void* pointer) { (*static_cast<decltype(body)*>(pointer))(); },
                        &body);
    set_last_error(code);
    return code;
}

// A launch whose arguments lie behind pointers, one for each parameter.
template <class... Parameters, std::size_t... indices>
int launch_packed_at(const LaunchConfig& config, void (*kernel)(Parameters...), void** arguments,
                     std::index_sequence<indices...>) {
    (void)arguments;
    return launch(config, kernel,
                  *static_cast<std::remove_reference_t<Parameters>*>(arguments[indices])...);
}
template <class... Parameters>
int launch_packed(const LaunchConfig& config, void (*kernel)(Parameters...), void** arguments) {
    return launch_packed_at(config, kernel, arguments,
                            std::make_index_sequence<sizeof...(Parameters)>());
}

// Every grid may wait at its barrier here.
inline LaunchConfig cooperative(const LaunchConfig& config) { return config; }
// A pointer without its type does not say how to pass the arguments.
inline int launch_untyped(const LaunchConfig&, const void*, void**) {
    fail("unsupported", "a launch through an untyped kernel pointer");
}

template <class Stream = std::nullptr_t>
LaunchConfig configure(const char* kernel, dim3 grid, dim3 block, std::size_t shared = 0,
                       const Stream& = nullptr) {
    return LaunchConfig{grid, block, shared, kernel};
}

// Memory of the device: bounds are guarded, contents poisoned. `name` appears in messages.
void* allocate(std::size_t bytes, const char* name);
bool release(void* pointer);
// The size of the allocation that holds `pointer`, 0 if none does.
std::size_t allocation_size(const void* pointer, const void** base);

template <class To, class From>
inline To bit_cast(const From& from) {
    static_assert(sizeof(To) == sizeof(From), "sizes differ");
    To to;
    std::memcpy(static_cast<void*>(&to), &from, sizeof to);
    return to;
}

}  // namespace port_oracle
