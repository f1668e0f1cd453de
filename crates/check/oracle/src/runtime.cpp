// The machine behind core.hpp. Blocks run one at a time on one OS thread; each thread of a block is
// a fiber with its own stack. Everything is deterministic: the order of threads is a setting.

#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include <sys/mman.h>

#include <port_oracle/core.hpp>

#include "context.hpp"
#include "memory.hpp"
#include "process.hpp"
#include "shared.hpp"

uint3 threadIdx;
uint3 blockIdx;
dim3 blockDim;
dim3 gridDim;

namespace port_oracle {

unsigned lane_index = 0;
bool atomic_access = false;
void (*phase_ends)() = nullptr;

namespace {

constexpr std::size_t stack_size = 256 * 1024;
constexpr unsigned path_limit = 48;
constexpr unsigned polls_before_yield = 256;

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
    Need need = Need::all;          // whether it can do without some of them
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
    std::uint64_t phase = 0;
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

// The state of the run; one OS thread, so plain variables.
Context scheduler;
Lane* current = nullptr;
Block* current_block = nullptr;
const LaunchConfig* current_launch = nullptr;
void (*launch_body)(void*) = nullptr;
void* launch_context = nullptr;
unsigned polls = 0;                 // calls of spin_hint since the running lane was resumed
std::uint64_t phases = 0;           // parts between barriers, of all blocks
std::vector<char*> free_stacks;

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
// them and miss none; else the first that can do without.
bool settle(const Block& block, Warp& warp) {
    if (warp.converged == 0) return false;
    const Lane* first = nullptr;
    Group chosen;
    for (std::uint64_t left = warp.converged; left;) {
        const Lane& lane = warp.lanes[__builtin_ctzll(left)];
        Group group = group_of(warp, lane);
        left &= ~group.lanes;
        if (group.missing && lane.need == Need::all) continue;
        const bool complete = group.missing == 0;
        const bool better = !first || (complete && chosen.missing != 0) ||
                            (complete == (chosen.missing == 0) && compare_paths(lane, *first) < 0);
        if (better) {
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
    if (phase_ends) phase_ends();
    block.phase = ++phases;
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
    block.phase = ++phases;
    block.at_barrier = 0;
    block.at_grid = 0;
    block.arriving = BarrierResult{0, 1, 0};
    block.started = false;
}

void enter(Block& block) {
    current_block = &block;
    blockIdx = block.index;
    if (block.started) restore_shared(current_launch->shared, block.shared);
    else poison_shared(current_launch->shared);
    block.started = true;
}

// Rounds in which every thread of a block only spins before other blocks get a turn.
constexpr unsigned spin_rounds = 64;

// Runs a block until its threads are done (true), or until it can only go on after other blocks.
bool run_block(Block& block) {
    enter(block);
    static std::vector<unsigned> warp_order, lane_order;
    std::uint64_t seed = settings().thread_seed + block.number * 0x9E3779B97F4A7C15u;
    fill_order(warp_order, unsigned(block.warps.size()), settings().threads, seed);
    fill_order(lane_order, warp_width, settings().threads, mix(seed + 1));

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
    if (phase_ends) phase_ends();
    check_shared(current_launch->shared, current_launch->kernel);
    if (block.live == 0) return true;
    save_shared(current_launch->shared, block.shared);
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
        block->phase = ++phases;
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
    if (settings().blocks == Order::shuffled) {
        if (count > 1u << 24) fail("unsupported", "a grid this large cannot be shuffled");
        fill_order(order, unsigned(count), Order::shuffled, settings().block_seed);
    }
    std::vector<std::unique_ptr<Block>> waiting;
    auto block = std::make_unique<Block>();
    for (std::uint64_t i = 0; i < count; ++i) {
        std::uint64_t number = settings().blocks == Order::ascending ? i
                               : settings().blocks == Order::descending ? count - 1 - i : order[i];
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

std::uint64_t phase() { return current ? current_block->phase : 0; }
unsigned thread_number() { return current ? current->warp * warp_width + current->index : 0; }

bool is_below_stack(const char* address) {
    return current && current->stack && address >= current->stack - page_size() &&
           address < current->stack;
}

const char* where() {
    static char text[256];
    if (!current) return "host";
    snprintf(text, sizeof text, "thread (%u,%u,%u) of block (%u,%u,%u) in %s", current->thread.x,
             current->thread.y, current->thread.z, current_block->index.x, current_block->index.y,
             current_block->index.z, current_launch->kernel);
    return text;
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

std::uint64_t meet_converged(Need need, void* record, Complete complete, const char* what,
                             Site site) {
    require_kernel(what);
    Lane& lane = *current;
    lane.need = need;
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
    if (current) fail("unsupported", "a kernel launches a kernel (dynamic parallelism)");
    const int invalid_configuration = 9, invalid_value = 1;
    std::uint64_t threads = std::uint64_t(config.block.x) * config.block.y * config.block.z;
    if (threads == 0 || threads > config.max_threads || config.block.z > 64 || config.grid.x == 0 ||
        config.grid.y == 0 || config.grid.z == 0 || config.grid.x > 0x7fffffffu ||
        config.grid.y > 65535 || config.grid.z > 65535) {
        return invalid_configuration;
    }
    if (!shared_fits(config.shared)) return invalid_value;
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
