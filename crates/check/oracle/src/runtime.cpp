// The machine behind core.hpp. Blocks run one at a time on one OS thread; each thread of a block is
// a fiber with its own stack. Everything is deterministic: the order of threads is a setting.
//
// Settings come from the environment, so that whole programs take them too:
//   PORT_ORACLE_WARP    32 (default) or 64
//   PORT_ORACLE_ORDER   ascending (default), descending, or shuffled:<seed>: the order in which the
//                       warps of a block and the lanes of a warp run
//   PORT_ORACLE_BLOCKS  the same for the blocks of a grid
//   PORT_ORACLE_REPORT  file for errors and notes; standard error without it
//   PORT_ORACLE_MILLISECONDS, PORT_ORACLE_SECONDS, PORT_ORACLE_BYTES
//                       limits of time, CPU time and address space

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <link.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <port_oracle/core.hpp>

#include "context.hpp"
#include "memory.hpp"

int warpSize = 32;   // the CUDA dialect's variable; HIP's is a constant or port_oracle::warp_width
uint3 threadIdx;
uint3 blockIdx;
dim3 blockDim;
dim3 gridDim;

// The dynamic shared memory, which every `extern __shared__` array of the text starts at. The
// runner defines it, beside those arrays, at the same address.
extern "C" thread_local char port_oracle_dynamic_shared[];
extern "C" const std::size_t port_oracle_dynamic_shared_capacity;

namespace port_oracle {

unsigned warp_width = 32;
unsigned lane_index = 0;

namespace {

constexpr std::size_t stack_size = 256 * 1024;
constexpr std::size_t canary_size = 256;
constexpr unsigned path_limit = 48;
constexpr unsigned polls_before_yield = 256;
constexpr unsigned char poison = 0xff;

enum class Order { ascending, descending, shuffled };

struct Settings {
    Order threads = Order::ascending;
    Order blocks = Order::ascending;
    std::uint64_t thread_seed = 0;
    std::uint64_t block_seed = 0;
    int report = 2;
};

Settings settings;

enum class State : unsigned char { fresh, ready, named, converged, barrier, grid, yielded, done };

struct Lane {
    Context context;
    char* stack = nullptr;
    uint3 thread{};
    unsigned index = 0;             // in its warp
    unsigned warp = 0;
    State state = State::fresh;
    // What it waits for.
    std::uint64_t mask = 0;
    void* record = nullptr;
    Complete complete = nullptr;
    const char* what = "";
    Site site{};
    std::uint64_t met = 0;          // who took part in the meeting that released it
    std::uint64_t expected = 0;     // who must take part in converged operations
    // Return addresses from the call up to the kernel, innermost first.
    std::uintptr_t path[path_limit];
    unsigned path_length = 0;
};

struct Warp {
    Lane* lanes = nullptr;
    unsigned count = 0;
    // By lane, one bit each.
    std::uint64_t live = 0, ready = 0, named = 0, converged = 0, yielded = 0;
};

struct Block {
    uint3 index{};
    std::uint64_t number = 0;
    std::vector<Lane> lanes;
    std::vector<Warp> warps;
    unsigned live = 0;
    unsigned at_barrier = 0;
    unsigned at_grid = 0;
    Site barrier_site{};
    BarrierResult arriving{};
    BarrierResult result{};
    std::vector<char> shared;       // its shared memory while another block runs
    bool started = false;
};

struct Note {
    std::string kind, message;
    std::uint64_t count;
};

// The state of the run; one OS thread, so plain variables.
Context scheduler;
Lane* current = nullptr;
Block* current_block = nullptr;
const LaunchConfig* current_launch = nullptr;
void (*launch_body)(void*) = nullptr;
void* launch_context = nullptr;
unsigned polls = 0;                 // calls of spin_hint since the running lane was resumed
std::vector<char*> free_stacks;
std::vector<Note> notes;
char* shared_begin = nullptr;       // thread-local storage of the executable: all __shared__ variables
char* shared_end = nullptr;

std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

// The order in which `count` things run.
void fill_order(std::vector<unsigned>& order, unsigned count, Order kind, std::uint64_t seed) {
    order.resize(count);
    for (unsigned i = 0; i < count; ++i) {
        order[i] = kind == Order::descending ? count - 1 - i : i;
    }
    if (kind != Order::shuffled) return;
    for (unsigned i = count; i > 1; --i) {
        seed += 0x9E3779B97F4A7C15u;
        std::swap(order[i - 1], order[mix(seed) % i]);
    }
}

void write_all(int file, const char* text, std::size_t length) {
    while (length > 0) {
        ssize_t written = ::write(file, text, length);
        if (written <= 0) return;
        text += written;
        length -= std::size_t(written);
    }
}

// One line of the report: fields separated by tabs, none of which may hold tabs or newlines.
void report(const std::string& line) {
    std::string clean = line;
    for (char& c : clean) {
        if (c == '\n' || c == '\r') c = ' ';
    }
    if (settings.report == 2) {
        for (char& c : clean) {
            if (c == '\t') c = ' ';
        }
        clean = "port oracle: " + clean;
    }
    clean += '\n';
    write_all(settings.report, clean.data(), clean.size());
}

void report_notes() {
    for (const Note& one : notes) {
        report("note\t" + one.kind + "\t" + std::to_string(one.count) + "\t" + one.message);
    }
    notes.clear();
}

std::string format_arguments(const char* format, va_list arguments) {
    char text[2048];
    vsnprintf(text, sizeof text, format, arguments);
    return text;
}

// Lanes of a mask as "0-3, 7".
std::string list_bits(std::uint64_t bits) {
    std::string text;
    for (unsigned i = 0; i < 64; ++i) {
        if (!(bits >> i & 1)) continue;
        unsigned last = i;
        while (last < 63 && (bits >> (last + 1) & 1)) ++last;
        if (!text.empty()) text += ", ";
        text += std::to_string(i);
        if (last > i) text += "-" + std::to_string(last);
        i = last;
    }
    return text;
}

std::string describe(Site site) {
    return std::string(site.file ? site.file : "?") + ":" + std::to_string(site.line);
}

[[noreturn]] void fail_text(const char* kind, const std::string& message) {
    std::fflush(stdout);
    report_notes();
    std::string place = current ? std::string(" [") + where() + "]" : std::string();
    report(std::string("error\t") + kind + "\t" + message + place);
    _exit(70);
}

void read_order(const char* variable, Order& order, std::uint64_t& seed) {
    const char* text = std::getenv(variable);
    if (!text) return;
    if (!std::strcmp(text, "descending")) order = Order::descending;
    if (!std::strncmp(text, "shuffled:", 9)) {
        order = Order::shuffled;
        seed = mix(std::strtoull(text + 9, nullptr, 10) + 1);
    }
}

// Ends the run in time to say where it was, before the runner ends the process.
void start_timer() {
    const char* text = std::getenv("PORT_ORACLE_MILLISECONDS");
    if (!text) return;
    long milliseconds = std::strtol(text, nullptr, 10);
    itimerval timer{};
    timer.it_value.tv_sec = milliseconds / 1000;
    timer.it_value.tv_usec = milliseconds % 1000 * 1000;
    setitimer(ITIMER_REAL, &timer, nullptr);
}

void limit(const char* variable, int resource) {
    const char* text = std::getenv(variable);
    if (!text) return;
    rlim_t value = std::strtoull(text, nullptr, 10);
    // One more second of CPU time than the soft limit, after which the system ends the process.
    rlimit limits{value, resource == RLIMIT_CPU ? value + 1 : value};
    setrlimit(__rlimit_resource(resource), &limits);
}

int find_shared(dl_phdr_info* info, std::size_t, void*) {
    // The first object is the executable. Its thread-local segment holds the __shared__ variables.
    for (int i = 0; i < info->dlpi_phnum; ++i) {
        if (info->dlpi_phdr[i].p_type == PT_TLS && info->dlpi_tls_data) {
            shared_begin = static_cast<char*>(info->dlpi_tls_data);
            shared_end = shared_begin + info->dlpi_phdr[i].p_memsz;
        }
    }
    return 1;
}

void on_fault(int signal, siginfo_t* info, void*) {
    // Not async-signal-safe in general, but the fault is synchronous and in the text, not in here.
    if (signal == SIGXCPU || signal == SIGALRM) {
        fail_text("time-limit",
                  "the time is used up; a loop that waits for another thread by plain or volatile "
                  "reads cannot be run");
    }
    if (signal == SIGABRT) fail_text("abort", "the program called abort (a failed assert does)");
    if (signal == SIGFPE) fail_text("arithmetic", "integer division by zero or overflow");
    if (signal == SIGILL || signal == SIGTRAP) fail_text("trap", "the kernel executed a trap");
    auto* address = static_cast<const char*>(info->si_addr);
    if (current && current->stack && address >= current->stack - page_size() &&
        address < current->stack) {
        fail_text("stack-overflow", "a thread used more than 256 KiB of stack");
    }
    fail_text("illegal-address", describe_address(address));
}

void start() {
    static bool started = false;
    if (started) return;
    started = true;
    if (const char* text = std::getenv("PORT_ORACLE_WARP")) {
        warp_width = std::strtoul(text, nullptr, 10) == 64 ? 64 : 32;
        warpSize = int(warp_width);
    }
    read_order("PORT_ORACLE_ORDER", settings.threads, settings.thread_seed);
    read_order("PORT_ORACLE_BLOCKS", settings.blocks, settings.block_seed);
    limit("PORT_ORACLE_SECONDS", RLIMIT_CPU);
    limit("PORT_ORACLE_BYTES", RLIMIT_AS);
    rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    if (const char* path = std::getenv("PORT_ORACLE_REPORT")) {
        int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (file >= 0) settings.report = file;
    }
    dl_iterate_phdr(find_shared, nullptr);

    static char signal_stack[64 * 1024];
    stack_t stack{};
    stack.ss_sp = signal_stack;
    stack.ss_size = sizeof signal_stack;
    sigaltstack(&stack, nullptr);
    struct sigaction action{};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | int(SA_RESETHAND);
    for (int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGXCPU, SIGALRM}) {
        sigaction(signal, &action, nullptr);
    }
    std::atexit(report_notes);
    start_timer();
}

struct Starter {
    Starter() { start(); }
} starter;

char* take_stack() {
    if (!free_stacks.empty()) {
        char* stack = free_stacks.back();
        free_stacks.pop_back();
        return stack;
    }
    std::size_t guard = page_size();
    void* memory = mmap(nullptr, stack_size + guard, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) fail_text("memory-limit", "no memory for a thread's stack");
    mprotect(memory, guard, PROT_NONE);
    return static_cast<char*>(memory) + guard;
}

Warp& warp_of(const Lane& lane) { return current_block->warps[lane.warp]; }
std::uint64_t bit_of(const Lane& lane) { return std::uint64_t{1} << lane.index; }

void make_ready(Lane& lane) {
    lane.state = State::ready;
    warp_of(lane).ready |= bit_of(lane);
}

// Leaves the running lane in `state` and goes back to the scheduler.
void wait_as(State state) {
    Lane& lane = *current;
    lane.state = state;
    switch_context(lane.context, scheduler);
}

void run_meeting(Warp& warp, std::uint64_t lanes) {
    void* records[64] = {};
    const Lane* some = nullptr;
    for (unsigned i = 0; i < warp.count; ++i) {
        if (!(lanes >> i & 1)) continue;
        records[i] = warp.lanes[i].record;
        if (!some) some = &warp.lanes[i];
    }
    if (some->complete) {
        some->complete(Meeting{lanes, records, warp_width, some->what, some->site});
    }
    for (unsigned i = 0; i < warp.count; ++i) {
        if (!(lanes >> i & 1)) continue;
        warp.lanes[i].met = lanes;
        make_ready(warp.lanes[i]);
    }
    warp.named &= ~lanes;
    warp.converged &= ~lanes;
}

// Completes the meeting that `lane` waits for, if all that it names are there.
void try_named(Warp& warp, const Lane& lane) {
    std::uint64_t wanted = lane.mask & warp.live;
    if (wanted & ~warp.named) return;
    for (unsigned i = 0; i < warp.count; ++i) {
        if (!(wanted >> i & 1)) continue;
        const Lane& other = warp.lanes[i];
        if (other.mask != lane.mask || other.complete != lane.complete) return;
    }
    run_meeting(warp, wanted);
}

// After a lane has exited, meetings that named it may be complete.
void try_all_named(Warp& warp) {
    for (unsigned i = 0; i < warp.count; ++i) {
        if (warp.named >> i & 1) try_named(warp, warp.lanes[i]);
    }
}

// Whether `a`'s call comes before `b`'s: return addresses compared from the kernel inwards.
int compare_paths(const Lane& a, const Lane& b) {
    unsigned length = a.path_length < b.path_length ? a.path_length : b.path_length;
    for (unsigned i = 1; i <= length; ++i) {
        std::uintptr_t x = a.path[a.path_length - i], y = b.path[b.path_length - i];
        if (x != y) return x < y ? -1 : 1;
    }
    return a.path_length == b.path_length ? 0 : a.path_length < b.path_length ? -1 : 1;
}

// The lanes that wait at the same call as `lane`, and those that some of them miss.
struct Group {
    std::uint64_t lanes = 0;
    std::uint64_t missing = 0;
};
Group group_of(const Warp& warp, const Lane& lane) {
    Group group;
    for (std::uint64_t left = warp.converged; left; left &= left - 1) {
        const Lane& other = warp.lanes[__builtin_ctzll(left)];
        if (other.complete == lane.complete && compare_paths(other, lane) == 0) {
            group.lanes |= bit_of(other);
            group.missing |= other.expected;
        }
    }
    group.missing &= warp.live & ~group.lanes;
    return group;
}

[[noreturn]] void fail_deadlock(const Block& block);

// Releases the first, in the order of the code, of the groups that wait for lanes in lockstep with
// them and miss none.
bool settle(const Block& block, Warp& warp) {
    if (warp.converged == 0) return false;
    const Lane* first = nullptr;
    Group chosen;
    for (std::uint64_t left = warp.converged; left;) {
        const Lane& lane = warp.lanes[__builtin_ctzll(left)];
        Group group = group_of(warp, lane);
        left &= ~group.lanes;
        if (group.missing) continue;
        if (!first || compare_paths(lane, *first) < 0) {
            first = &lane;
            chosen = group;
        }
    }
    if (!first) fail_deadlock(block);
    run_meeting(warp, chosen.lanes);
    return true;
}

void try_barrier(Block& block) {
    if (block.at_barrier == 0 || block.at_barrier != block.live) return;
    block.at_barrier = 0;
    block.result = block.arriving;
    block.arriving = BarrierResult{0, 1, 0};
    for (Lane& lane : block.lanes) {
        if (lane.state == State::barrier) make_ready(lane);
    }
}

void lane_main() {
    launch_body(launch_context);
    wait_as(State::done);
    __builtin_unreachable();
}

void resume(Block& block, Warp& warp, Lane& lane) {
    if (lane.state == State::fresh) {
        lane.stack = take_stack();
        prepare(lane.context, lane.stack, stack_size, lane_main);
    }
    warp.ready &= ~bit_of(lane);
    current = &lane;
    threadIdx = lane.thread;
    lane_index = lane.index;
    polls = 0;
    switch_context(scheduler, lane.context);
    current = nullptr;
    if (lane.state == State::yielded) warp.yielded |= bit_of(lane);
    if (lane.state != State::done) return;
    free_stacks.push_back(lane.stack);
    lane.stack = nullptr;
    warp.live &= ~bit_of(lane);
    --block.live;
    if (warp.named) try_all_named(warp);
    try_barrier(block);
}

// Groups the threads of a block that cannot go on by what they wait for.
[[noreturn]] void fail_deadlock(const Block& block) {
    std::string text;
    bool named = false;
    unsigned listed = 0;
    for (std::size_t w = 0; w < block.warps.size() && listed < 6; ++w) {
        const Warp& warp = block.warps[w];
        std::uint64_t left = warp.live;
        while (left && listed < 6) {
            const Lane& lane = warp.lanes[__builtin_ctzll(left)];
            std::uint64_t same = 0;
            for (unsigned i = 0; i < warp.count; ++i) {
                const Lane& other = warp.lanes[i];
                if ((left >> i & 1) && other.state == lane.state && other.mask == lane.mask &&
                    other.site.line == lane.site.line && other.what == lane.what) {
                    same |= std::uint64_t{1} << i;
                }
            }
            left &= ~same;
            text += (listed++ ? "; warp " : "warp ") + std::to_string(w) + " lanes " +
                    list_bits(same) + " wait at " + lane.what + " (" + describe(lane.site) + ")";
            if (lane.state == State::named) {
                named = true;
                char mask[32];
                snprintf(mask, sizeof mask, " with mask %#llx", (unsigned long long)lane.mask);
                text += mask;
            }
            if (lane.state == State::converged && lane.expected) {
                named = true;
                text += " with lanes " + list_bits(lane.expected) + " expected";
            }
        }
    }
    current_block = const_cast<Block*>(&block);
    fail_text(named ? "mask-violation" : "deadlock",
              "no thread of block (" + std::to_string(block.index.x) + "," +
                  std::to_string(block.index.y) + "," + std::to_string(block.index.z) + ") of " +
                  current_launch->kernel + " can go on: " + text);
}

std::size_t used_shared() {
    std::size_t used = current_launch->shared + canary_size;
    std::size_t capacity = port_oracle_dynamic_shared_capacity;
    return used < capacity ? used : capacity;
}

// Calls `action(pointer, size)` for the parts of shared memory that this launch uses.
template <class Action>
void for_shared(Action action) {
    char* dynamic = port_oracle_dynamic_shared;
    char* dynamic_end = dynamic + port_oracle_dynamic_shared_capacity;
    action(shared_begin, std::size_t(dynamic - shared_begin));
    action(dynamic, used_shared());
    action(dynamic_end, std::size_t(shared_end - dynamic_end));
}

void check_canary() {
    const char* end = port_oracle_dynamic_shared + current_launch->shared;
    std::size_t size = used_shared() - current_launch->shared;
    for (std::size_t i = 0; i < size; ++i) {
        if (static_cast<unsigned char>(end[i]) != poison) {
            fail("shared-overflow",
                 "kernel %s writes byte %zu of its dynamic shared memory, which has %zu bytes",
                 current_launch->kernel, current_launch->shared + i, current_launch->shared);
        }
    }
}

void reset(Block& block, std::uint64_t number) {
    const dim3& grid = current_launch->grid;
    const dim3& size = current_launch->block;
    block.number = number;
    block.index = uint3{unsigned(number % grid.x), unsigned(number / grid.x % grid.y),
                        unsigned(number / grid.x / grid.y)};
    unsigned count = size.x * size.y * size.z;
    unsigned warps = (count + warp_width - 1) / warp_width;
    block.lanes.resize(count);
    block.warps.resize(warps);
    for (unsigned w = 0; w < warps; ++w) {
        unsigned begin = w * warp_width;
        unsigned lanes = count - begin < warp_width ? count - begin : warp_width;
        Warp warp;
        warp.lanes = &block.lanes[begin];
        warp.count = lanes;
        warp.live = warp.ready = lanes == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << lanes) - 1;
        block.warps[w] = warp;
    }
    for (unsigned i = 0; i < count; ++i) {
        Lane& lane = block.lanes[i];
        lane.thread = uint3{i % size.x, i / size.x % size.y, i / size.x / size.y};
        lane.index = i % warp_width;
        lane.warp = i / warp_width;
        lane.state = State::fresh;
        lane.what = "";
        lane.mask = 0;
        lane.expected = 0;
        lane.site = Site{};
    }
    block.live = count;
    block.at_barrier = 0;
    block.at_grid = 0;
    block.arriving = BarrierResult{0, 1, 0};
    block.started = false;
}

void enter(Block& block) {
    current_block = &block;
    blockIdx = block.index;
    if (!block.started) {
        block.started = true;
        for_shared([](char* memory, std::size_t size) { std::memset(memory, poison, size); });
    } else {
        const char* saved = block.shared.data();
        for_shared([&](char* memory, std::size_t size) {
            std::memcpy(memory, saved, size);
            saved += size;
        });
    }
}

void leave(Block& block) {
    block.shared.clear();
    for_shared([&](char* memory, std::size_t size) {
        block.shared.insert(block.shared.end(), memory, memory + size);
    });
}

// Rounds in which every thread of a block only spins before other blocks get a turn.
constexpr unsigned spin_rounds = 64;

// Runs a block until its threads are done (true), or until it can only go on after other blocks.
bool run_block(Block& block) {
    enter(block);
    static std::vector<unsigned> warp_order, lane_order;
    std::uint64_t seed = settings.thread_seed + block.number * 0x9E3779B97F4A7C15u;
    fill_order(warp_order, unsigned(block.warps.size()), settings.threads, seed);
    fill_order(lane_order, warp_width, settings.threads, mix(seed + 1));

    unsigned spins = 0;
    while (block.live > 0) {
        bool ran = false, progress = false;
        for (unsigned w : warp_order) {
            Warp& warp = block.warps[w];
            while (warp.ready || (!(warp.yielded) && settle(block, warp))) {
                for (unsigned l : lane_order) {
                    if (!(warp.ready >> l & 1)) continue;
                    Lane& lane = warp.lanes[l];
                    resume(block, warp, lane);
                    ran = true;
                    progress |= lane.state != State::yielded;
                }
            }
        }
        for (Warp& warp : block.warps) {
            for (; warp.yielded; warp.yielded &= warp.yielded - 1) {
                make_ready(warp.lanes[__builtin_ctzll(warp.yielded)]);
            }
        }
        if (progress) {
            spins = 0;
            continue;
        }
        if (!ran) {
            if (block.at_grid > 0 && block.at_grid == block.live) break;
            fail_deadlock(block);
        }
        if (++spins < spin_rounds) continue;
        spins = 0;
        // Lanes in lockstep operations may be what the spinning lanes of their warp wait for.
        bool released = false;
        for (Warp& warp : block.warps) released |= settle(block, warp);
        if (!released) break;
    }
    check_canary();
    if (block.live == 0) return true;
    leave(block);
    return false;
}

// Every block that has not finished waits at the grid's barrier: release them.
bool release_grid(std::vector<std::unique_ptr<Block>>& waiting) {
    for (const auto& block : waiting) {
        if (block->at_grid != block->live) return false;
    }
    for (const auto& block : waiting) {
        current_block = block.get();
        block->at_grid = 0;
        for (Lane& lane : block->lanes) {
            if (lane.state == State::grid) make_ready(lane);
        }
    }
    return true;
}

void run_blocks() {
    const dim3& grid = current_launch->grid;
    std::uint64_t count = std::uint64_t(grid.x) * grid.y * grid.z;
    std::vector<unsigned> order;
    if (settings.blocks == Order::shuffled) {
        if (count > 1u << 24) fail("unsupported", "a grid this large cannot be shuffled");
        fill_order(order, unsigned(count), Order::shuffled, settings.block_seed);
    }
    std::vector<std::unique_ptr<Block>> waiting;
    auto block = std::make_unique<Block>();
    for (std::uint64_t i = 0; i < count; ++i) {
        std::uint64_t number = settings.blocks == Order::ascending ? i
                               : settings.blocks == Order::descending ? count - 1 - i : order[i];
        reset(*block, number);
        if (!run_block(*block)) {
            waiting.push_back(std::move(block));
            block = std::make_unique<Block>();
        }
    }
    // Blocks that wait for others take turns; a round without a finished block or a released
    // barrier only goes on while some thread does more than spin, until the time is up.
    while (!waiting.empty()) {
        release_grid(waiting);
        std::vector<std::unique_ptr<Block>> rest;
        for (auto& one : waiting) {
            if (one->at_grid == one->live || !run_block(*one)) rest.push_back(std::move(one));
        }
        waiting = std::move(rest);
    }
}

// The frame chain from `frame` up to the bottom of the running lane's stack.
void record_path(Lane& lane, void** frame) {
    lane.path_length = 0;
    char* low = lane.stack;
    char* high = lane.stack + stack_size;
    while (lane.path_length < path_limit) {
        auto* place = reinterpret_cast<char*>(frame);
        if (place < low || place + 2 * sizeof(void*) > high) break;
        lane.path[lane.path_length++] = reinterpret_cast<std::uintptr_t>(frame[1]);
        auto** next = static_cast<void**>(frame[0]);
        if (next <= frame) break;
        frame = next;
    }
}

void require_kernel(const char* what) {
    if (!current) fail_text("host-call", std::string(what) + " is called outside a kernel");
}

}  // namespace

bool in_kernel() { return current != nullptr; }

const char* where() {
    static char text[256];
    if (!current) return "host";
    snprintf(text, sizeof text, "thread (%u,%u,%u) of block (%u,%u,%u) in %s", current->thread.x,
             current->thread.y, current->thread.z, current_block->index.x, current_block->index.y,
             current_block->index.z, current_launch->kernel);
    return text;
}

void fail(const char* kind, const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fail_text(kind, format_arguments(format, arguments));
}

void note(const char* kind, const char* format, ...) {
    for (Note& one : notes) {
        if (one.kind == kind) {
            ++one.count;
            return;
        }
    }
    va_list arguments;
    va_start(arguments, format);
    notes.push_back(Note{kind, format_arguments(format, arguments), 1});
    va_end(arguments);
}

void meet_named(std::uint64_t mask, void* record, Complete complete, const char* what, Site site) {
    require_kernel(what);
    Lane& lane = *current;
    Warp& warp = warp_of(lane);
    if (!(mask & bit_of(lane))) {
        fail("mask-violation", "lane %u calls %s with mask %#llx, which does not name it (%s:%d)",
             lane.index, what, (unsigned long long)mask, site.file, site.line);
    }
    lane.mask = mask;
    lane.record = record;
    lane.complete = complete;
    lane.what = what;
    lane.site = site;
    lane.state = State::named;
    warp.named |= bit_of(lane);
    try_named(warp, lane);
    switch_context(lane.context, scheduler);
}

std::uint64_t meet_converged(void* record, Complete complete, const char* what, Site site) {
    require_kernel(what);
    Lane& lane = *current;
    lane.mask = 0;
    lane.record = record;
    lane.complete = complete;
    lane.what = what;
    lane.site = site;
    record_path(lane, static_cast<void**>(__builtin_frame_address(0)));
    warp_of(lane).converged |= bit_of(lane);
    wait_as(State::converged);
    return lane.met;
}

BarrierResult barrier(int predicate, Site site) {
    require_kernel("__syncthreads");
    Block& block = *current_block;
    Lane& lane = *current;
    if (block.at_barrier == 0) {
        block.barrier_site = site;
    } else if (block.barrier_site.line != site.line ||
               std::strcmp(block.barrier_site.file, site.file) != 0) {
        fail("divergent-barrier",
             "threads of one block wait at different barriers: %s:%d and %s:%d",
             block.barrier_site.file, block.barrier_site.line, site.file, site.line);
    }
    lane.what = "the block's barrier";
    lane.site = site;
    lane.mask = 0;
    block.arriving.count += predicate != 0;
    block.arriving.all &= predicate != 0;
    block.arriving.any |= predicate != 0;
    lane.state = State::barrier;
    ++block.at_barrier;
    try_barrier(block);
    switch_context(lane.context, scheduler);
    return block.result;
}

void expect_lanes(std::uint64_t lanes) {
    if (current) current->expected = lanes;
}

void grid_barrier(Site site) {
    require_kernel("the grid's barrier");
    current->what = "the grid's barrier";
    current->site = site;
    current->mask = 0;
    ++current_block->at_grid;
    wait_as(State::grid);
}

void spin_hint() {
    if (++polls > polls_before_yield) yield();
}

void yield() {
    if (!current) return;
    current->what = "a spin";
    current->site = Site{};
    wait_as(State::yielded);
}

char* dynamic_shared() { return port_oracle_dynamic_shared; }
std::size_t dynamic_shared_size() { return current_launch ? current_launch->shared : 0; }

namespace {
int last_error = 0;
}

void set_last_error(int code) {
    if (code != 0) last_error = code;
}
int peek_last_error() { return last_error; }
int take_last_error() {
    int code = last_error;
    last_error = 0;
    return code;
}

double milliseconds() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return double(now.tv_sec) * 1e3 + double(now.tv_nsec) / 1e6;
}

int run_grid(const LaunchConfig& config, void (*body)(void*), void* context) {
    start();
    if (current) fail("unsupported", "a kernel launches a kernel (dynamic parallelism)");
    const int invalid_configuration = 9, invalid_value = 1;
    std::uint64_t threads = std::uint64_t(config.block.x) * config.block.y * config.block.z;
    if (threads == 0 || threads > 1024 || config.block.z > 64 || config.grid.x == 0 ||
        config.grid.y == 0 || config.grid.z == 0 || config.grid.x > 0x7fffffffu ||
        config.grid.y > 65535 || config.grid.z > 65535) {
        return invalid_configuration;
    }
    if (config.shared + canary_size > port_oracle_dynamic_shared_capacity) return invalid_value;
    current_launch = &config;
    launch_body = body;
    launch_context = context;
    blockDim = config.block;
    gridDim = config.grid;
    run_blocks();
    check_guards();
    current_launch = nullptr;
    current_block = nullptr;
    return 0;
}

}  // namespace port_oracle
