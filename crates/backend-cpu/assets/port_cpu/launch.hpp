// What compiled forms of kernels run on: blocks one after the other on each thread of the machine,
// with memory for what the threads of a block share and for what each of them keeps.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <type_traits>
#ifdef _OPENMP
#include <omp.h>
#endif

// Memory holds bytes: it may be read as another type than it was written as, as on the device.
#define PORT_CPU_ALIAS __attribute__((__may_alias__))
#define PORT_CPU_ALIGNED(bytes) __attribute__((__may_alias__, __aligned__(bytes)))
// No thread of a block depends on another in this loop.
#if defined(_OPENMP)
#define PORT_CPU_SIMD _Pragma("omp simd")
#elif defined(__clang__)
#define PORT_CPU_SIMD _Pragma("clang loop vectorize(assume_safety)")
#else
#define PORT_CPU_SIMD _Pragma("GCC ivdep")
#endif
#if defined(__clang__)
#define PORT_CPU_UNROLL _Pragma("clang loop unroll(enable)")
#else
#define PORT_CPU_UNROLL _Pragma("GCC unroll 16")
#endif
#define PORT_CPU_FALLTHROUGH [[fallthrough]]

// Threads of a row, at most: what `known_width` says, else what a device allows.
#define PORT_CPU_ROW (width_of<known_width>)

namespace port_cpu {

template <std::uint32_t known> constexpr std::uint32_t width_of = known ? known : 1024;

// Scalars in memory.
typedef bool b8 PORT_CPU_ALIAS;
typedef std::int8_t i8 PORT_CPU_ALIAS;
typedef std::int16_t i16 PORT_CPU_ALIAS;
typedef std::int32_t i32 PORT_CPU_ALIAS;
typedef std::int64_t i64 PORT_CPU_ALIAS;
typedef std::uint8_t u8 PORT_CPU_ALIAS;
typedef std::uint16_t u16 PORT_CPU_ALIAS;
typedef std::uint32_t u32 PORT_CPU_ALIAS;
typedef std::uint64_t u64 PORT_CPU_ALIAS;
typedef float f32 PORT_CPU_ALIAS;
typedef double f64 PORT_CPU_ALIAS;
typedef void* pointer PORT_CPU_ALIAS;

struct Launch {
    std::uint32_t grid[3];
    std::uint32_t block[3];
    std::uint32_t shared_bytes;   // dynamic
};

struct Index {
    std::uint32_t x, y, z;
};

// A block while it runs.
struct Block {
    Index index;             // in the grid
    Index size;              // threads
    Index grid;              // blocks
    std::uint32_t threads;
    std::uint32_t dynamic_bytes;
    char* shared;
    char* dynamic_shared;
    char* lane_memory;
    std::size_t capacity;    // threads that lane_memory has room for

    // An array with an element for each thread, `offset` bytes of each thread's memory in.
    template <class T> T* lanes(std::size_t offset) const {
        return reinterpret_cast<T*>(lane_memory + offset * capacity);
    }
};

// A thread, for functions that kernels call.
struct Thread {
    const Block& block;
    std::uint32_t t, x, y, z;
};

enum class Order { any, ascending };

template <class T> inline T argument(void* const* arguments, int index) {
    T value;
    std::memcpy(static_cast<void*>(&value), arguments[index], sizeof value);
    return value;
}

namespace detail {

// What a thread of the machine needs during a launch, zeros at first. (Thread-local memory is not for
// this: it is where shared variables of kernels on fibers lie.)
class Memory {
public:
    explicit Memory(std::size_t bytes) : base(static_cast<char*>(std::calloc(bytes + 64, 1))) {
        if (base) return;
        std::fprintf(stderr, "port_cpu: no memory for the threads of a block\n");
        std::abort();
    }
    Memory(const Memory&) = delete;
    Memory& operator=(const Memory&) = delete;
    ~Memory() { std::free(base); }
    char* start() const {
        return base + (64 - reinterpret_cast<std::uintptr_t>(base) % 64) % 64;
    }

private:
    char* base;
};

inline std::size_t up(std::size_t bytes) { return (bytes + 127) / 128 * 128; }

}  // namespace detail

// Runs `body` for every block of a grid. `shared_bytes` is what the kernel's shared variables need,
// `lane_bytes` what each thread of a block needs between loops.
PORT_CPU_ONCE void run_blocks(const Launch& launch, void (*body)(const Block&, void* const*),
                       void* const* arguments, std::size_t shared_bytes, std::size_t lane_bytes,
                       Order order) {
    const std::uint64_t threads =
        std::uint64_t(launch.block[0]) * launch.block[1] * launch.block[2];
    const std::uint64_t row = launch.grid[0], layer = row * launch.grid[1];
    const std::int64_t blocks = std::int64_t(layer * launch.grid[2]);
    if (threads == 0 || blocks == 0) return;
    const std::size_t capacity = (std::size_t(threads) + 63) / 64 * 64;
    const std::size_t fixed = detail::up(shared_bytes), dynamic = detail::up(launch.shared_bytes);
    const auto run = [&](char* memory, std::int64_t first, std::int64_t last) {
        Block block{};
        block.size = Index{launch.block[0], launch.block[1], launch.block[2]};
        block.grid = Index{launch.grid[0], launch.grid[1], launch.grid[2]};
        block.threads = std::uint32_t(threads);
        block.dynamic_bytes = launch.shared_bytes;
        block.shared = memory;
        block.dynamic_shared = memory + fixed;
        block.lane_memory = memory + fixed + dynamic;
        block.capacity = capacity;
        const auto n = std::uint64_t(first);
        Index& at = block.index;
        at = Index{std::uint32_t(n % row), std::uint32_t(n % layer / row), std::uint32_t(n / layer)};
        for (std::int64_t number = first; number < last; ++number) {
            body(block, arguments);
            if (++at.x < block.grid.x) continue;
            at.x = 0;
            if (++at.y < block.grid.y) continue;
            at.y = 0;
            ++at.z;
        }
    };
    const std::size_t bytes = fixed + dynamic + lane_bytes * capacity;
#ifdef _OPENMP
    if (order == Order::any && blocks > 1 && omp_get_max_threads() > 1 && !omp_in_parallel()) {
        const std::int64_t parts = std::int64_t(omp_get_max_threads()) * 8;
        const std::int64_t size = (blocks + parts - 1) / parts;
        const std::int64_t count = (blocks + size - 1) / size;
#pragma omp parallel
        {
            const detail::Memory own(bytes);
#pragma omp for schedule(dynamic, 1)
            for (std::int64_t part = 0; part < count; ++part) {
                const std::int64_t first = part * size;
                run(own.start(), first, first + size < blocks ? first + size : blocks);
            }
        }
        return;
    }
#endif
    (void)order;
    const detail::Memory own(bytes);
    run(own.start(), 0, blocks);
}

// An unsigned number to which a thread's is added: one just below 2^32 is a negative one.
inline std::int64_t near_zero(std::uint32_t number) {
    return number < 0xffff0000u ? std::int64_t(number) : std::int64_t(number) - (std::int64_t(1) << 32);
}

// The number of the next row in its layer.
inline std::uint32_t next(std::uint32_t row, std::uint32_t rows) {
    return row + 1 < rows ? row + 1 : 0;
}
// How many of the threads of a row come before a place.
inline std::uint32_t clip(std::int64_t place, std::uint32_t width) {
    return place <= 0 ? 0 : place < std::int64_t(width) ? std::uint32_t(place) : width;
}

// A loop in two forms, of which a condition picks one: in the first, `whole` is true for the compiler.
template <class Loop> inline void by_case(bool whole, const Loop& loop) {
    if (whole) {
        loop(std::true_type());
    } else {
        loop(std::false_type());
    }
}

// What a kernel says on its way out.
[[noreturn]] inline void assertion_failed(const char* text, const char* file, int line) {
    std::fflush(stdout);
    std::fprintf(stderr, "%s:%d: Assertion `%s` failed.\n", file, line, text);
    std::abort();
}
[[noreturn]] inline void trap(const char* file, int line) {
    std::fflush(stdout);
    std::fprintf(stderr, "%s:%d: the kernel traps\n", file, line);
    std::abort();
}
__attribute__((format(printf, 1, 2))) inline int print(const char* format, ...) {
    __builtin_va_list list;
    __builtin_va_start(list, format);
    const int result = std::vprintf(format, list);
    __builtin_va_end(list);
    return result;
}
// Clocks count their own calls: they only ever increase.
inline std::int64_t clock_ticks() {
    static std::int64_t now = 0;
    return __atomic_add_fetch(&now, 64, __ATOMIC_RELAXED);
}
inline void fence() { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

}  // namespace port_cpu
