// The machine that a kernel's own text sees: each thread of a block on a stack of its own (a fiber),
// barriers and warp operations as meetings of fibers. A block runs on one thread of the machine;
// with OpenMP blocks run in parallel.

#if defined(__SANITIZE_ADDRESS__)
#define PORT_CPU_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PORT_CPU_ASAN 1
#endif
#endif

#if (defined(__x86_64__) || defined(__aarch64__)) && defined(__ELF__)
#define PORT_CPU_ASSEMBLY 1
#else
#include <ucontext.h>
#endif

#ifdef PORT_CPU_ASAN
extern "C" {
void __sanitizer_start_switch_fiber(void** save, const void* bottom, size_t size);
void __sanitizer_finish_switch_fiber(void* save, const void** bottom, size_t* size);
void __asan_poison_memory_region(void const volatile* address, size_t size);
void __asan_unpoison_memory_region(void const volatile* address, size_t size);
}
#endif

// The running thread.
inline thread_local uint3 threadIdx{};
inline thread_local uint3 blockIdx{};
inline thread_local dim3 blockDim;
inline thread_local dim3 gridDim;
inline constexpr int warpSize = 32;

namespace port_fibers {

constexpr unsigned warp_width = 32;
// Of the running thread in its warp.
inline thread_local unsigned lane_index = 0;

// A place of the user's text, for messages and for telling converged operations apart.
struct Site {
    const char* file;
    int line;
    static constexpr Site here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
        return Site{file, line};
    }
};

// A warp operation: each lane arrives with a record of its own; when all have arrived, `complete`
// runs once over the records and all go on.
struct Meeting {
    std::uint64_t lanes;      // who takes part
    void* const* records;     // by lane; null for lanes that do not take part
    unsigned width;           // lanes of the warp
    const char* what;
    Site site;                // of one of them
};
using Complete = void (*)(const Meeting&);

struct BarrierResult {
    int count;   // predicates that are not zero
    int all;
    int any;
};

struct LaunchConfig {
    dim3 grid, block;
    std::size_t shared = 0;
    const char* kernel = "";
    bool cooperative = false;
};

template <class To, class From>
inline To bit_cast(const From& from) {
    static_assert(sizeof(To) == sizeof(From), "sizes differ");
    To to;
    std::memcpy(static_cast<void*>(&to), &from, sizeof to);
    return to;
}

// ---- stacks ------------------------------------------------------------------------------------
#ifdef PORT_CPU_ASSEMBLY

// A stopped stack: its stack pointer. The callee-saved registers lie on the stack itself.
struct Context {
    void* stack_pointer = nullptr;
};

#if defined(__x86_64__)
asm(R"(
    .pushsection .text.port_cpu_switch, "axG", @progbits, port_cpu_switch, comdat
    .weak port_cpu_switch
    .type port_cpu_switch, @function
port_cpu_switch:
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq %rsi, %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .size port_cpu_switch, . - port_cpu_switch
    .popsection
)");
#else
asm(R"(
    .pushsection .text.port_cpu_switch, "axG", %progbits, port_cpu_switch, comdat
    .weak port_cpu_switch
    .type port_cpu_switch, %function
port_cpu_switch:
    sub sp, sp, #160
    stp x19, x20, [sp, #0]
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    stp d8, d9, [sp, #96]
    stp d10, d11, [sp, #112]
    stp d12, d13, [sp, #128]
    stp d14, d15, [sp, #144]
    mov x9, sp
    str x9, [x0]
    mov sp, x1
    ldp x19, x20, [sp, #0]
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp d8, d9, [sp, #96]
    ldp d10, d11, [sp, #112]
    ldp d12, d13, [sp, #128]
    ldp d14, d15, [sp, #144]
    add sp, sp, #160
    ret
    .size port_cpu_switch, . - port_cpu_switch
    .popsection
)");
#endif
extern "C" void port_cpu_switch(void** save, void* load);

inline void switch_context(Context& save, Context& load) {
    port_cpu_switch(&save.stack_pointer, load.stack_pointer);
}

// Prepares a stack so that the first switch to it calls `entry`, which must not return.
PORT_CPU_ONCE void prepare(Context& context, char* stack, std::size_t size, void (*entry)()) {
    auto top = reinterpret_cast<std::uintptr_t>(stack + size) & ~std::uintptr_t{15};
    auto* words = reinterpret_cast<std::uintptr_t*>(top);
#if defined(__x86_64__)
    *--words = 0;                                            // the entry's return address
    *--words = reinterpret_cast<std::uintptr_t>(entry);
    for (int i = 0; i < 6; ++i) *--words = 0;                // rbp rbx r12 r13 r14 r15
#else
    words -= 20;                                             // x19-x30, d8-d15
    for (int i = 0; i < 20; ++i) words[i] = 0;
    words[11] = reinterpret_cast<std::uintptr_t>(entry);     // x30
#endif
    context.stack_pointer = words;
}

#else

struct Context {
    ucontext_t state;
};

inline void switch_context(Context& save, Context& load) { swapcontext(&save.state, &load.state); }

PORT_CPU_ONCE void prepare(Context& context, char* stack, std::size_t size, void (*entry)()) {
    getcontext(&context.state);
    context.state.uc_stack.ss_sp = stack;
    context.state.uc_stack.ss_size = size;
    context.state.uc_link = nullptr;
    makecontext(&context.state, entry, 0);
}

#endif

// ---- a block -----------------------------------------------------------------------------------
constexpr std::size_t stack_size = 256 * 1024;
constexpr std::uint64_t stack_end = 0x706f72745f637075;   // at the lower end of each stack
constexpr std::size_t shared_capacity = 227 * 1024;
constexpr unsigned polls_before_yield = 256;
// Rounds in which every thread of a block only spins before other blocks get a turn.
constexpr unsigned spin_rounds = 64;

enum class State : unsigned char { fresh, ready, named, converged, barrier, grid, yielded, done };

struct Lane {
    Context context;
    char* stack = nullptr;
    void* fake_stack = nullptr;     // AddressSanitizer's
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
};

struct Warp {
    Lane* lanes = nullptr;
    unsigned count = 0;
    // By lane, one bit each.
    std::uint64_t live = 0, ready = 0, named = 0, converged = 0, yielded = 0;
};

struct Block {
    uint3 index{};
    std::vector<Lane> lanes;
    std::vector<Warp> warps;
    unsigned live = 0;
    unsigned at_barrier = 0;
    unsigned at_grid = 0;
    BarrierResult arriving{};
    BarrierResult result{};
    std::vector<char> shared;       // its shared memory while another block runs
    bool started = false;
};

// A thread of the machine that runs blocks.
struct Worker {
    Context scheduler;
    void* fake_stack = nullptr;
    const void* stack_bottom = nullptr;
    std::size_t stack_bytes = 0;
    Lane* current = nullptr;
    Block* block = nullptr;
    const LaunchConfig* launch = nullptr;
    void (*body)(void*) = nullptr;
    void* context = nullptr;
    unsigned polls = 0;             // calls of spin_hint since the running lane was resumed
    unsigned pending_outside = 0;   // configurations that were pending when the grid began
    std::vector<char*> free_stacks;
    std::vector<char*> slabs;
    char* dynamic = nullptr;        // dynamic shared memory
    Worker() = default;
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;
    ~Worker();
};

constexpr unsigned stacks_in_slab = 32;

inline Worker::~Worker() {
    for (char* slab : slabs) munmap(slab, stack_size * stacks_in_slab);
    if (dynamic) munmap(dynamic, shared_capacity);
}

inline thread_local Worker* this_worker = nullptr;
// Configurations whose kernel was not called yet; the arguments of one launch may launch another.
inline thread_local unsigned pending_count = 0;

// On the heap: thread-local storage holds the shared memory of blocks, which is put away and back.
PORT_CPU_ONCE Worker& make_worker() {
    static thread_local std::unique_ptr<Worker> own(new Worker);
    this_worker = own.get();
    return *own;
}
inline Worker& worker() { return this_worker ? *this_worker : make_worker(); }

inline bool in_kernel() { return this_worker && this_worker->current; }

// "thread (1,0,0) of block (0,0,0) in kernel k", for messages.
PORT_CPU_ONCE std::string where() {
    if (!in_kernel()) return "host code";
    const Worker& w = *this_worker;
    char text[256];
    snprintf(text, sizeof text, "thread (%u,%u,%u) of block (%u,%u,%u) of %s", w.current->thread.x,
             w.current->thread.y, w.current->thread.z, w.block->index.x, w.block->index.y,
             w.block->index.z, w.launch->kernel);
    return text;
}

// Ends the process: a GPU would have failed, or done something undefined.
[[noreturn]] PORT_CPU_ONCE void fail_text(const char* kind, const std::string& message) {
    std::fflush(stdout);
    fprintf(stderr, "port_cpu: %s: %s [%s]\n", kind, message.c_str(), where().c_str());
    std::fflush(stderr);
    _exit(70);
}
__attribute__((format(printf, 2, 3), noreturn)) PORT_CPU_ONCE void fail(const char* kind,
                                                                        const char* format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    fail_text(kind, text);
}
// Something undefined whose result is usually not used.
inline void note(const char*, const char*, ...) {}

PORT_CPU_ONCE char* take_stack(Worker& w) {
    if (w.free_stacks.empty()) {
        void* memory = mmap(nullptr, stack_size * stacks_in_slab, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) fail_text("memory", "no memory for the stacks of threads");
        w.slabs.push_back(static_cast<char*>(memory));
        for (unsigned i = stacks_in_slab; i-- > 0;) {
            char* stack = static_cast<char*>(memory) + i * stack_size;
            std::memcpy(stack, &stack_end, sizeof stack_end);
            w.free_stacks.push_back(stack);
        }
    }
    char* stack = w.free_stacks.back();
    w.free_stacks.pop_back();
    return stack;
}

inline Warp& warp_of(const Lane& lane) { return this_worker->block->warps[lane.warp]; }
inline std::uint64_t bit_of(const Lane& lane) { return std::uint64_t{1} << lane.index; }

inline void make_ready(Lane& lane) {
    lane.state = State::ready;
    warp_of(lane).ready |= bit_of(lane);
}

// From the running lane to the scheduler.
PORT_CPU_ONCE void leave(Worker& w, Lane& lane) {
#ifdef PORT_CPU_ASAN
    __sanitizer_start_switch_fiber(lane.state == State::done ? nullptr : &lane.fake_stack,
                                   w.stack_bottom, w.stack_bytes);
#endif
    switch_context(lane.context, w.scheduler);
#ifdef PORT_CPU_ASAN
    __sanitizer_finish_switch_fiber(lane.fake_stack, &w.stack_bottom, &w.stack_bytes);
#endif
}

PORT_CPU_ONCE void wait_as(State state) {
    Worker& w = *this_worker;
    w.current->state = state;
    leave(w, *w.current);
}

PORT_CPU_ONCE void run_meeting(Warp& warp, std::uint64_t lanes) {
    void* records[64] = {};
    const Lane* some = nullptr;
    for (unsigned i = 0; i < warp.count; ++i) {
        if (!(lanes >> i & 1)) continue;
        records[i] = warp.lanes[i].record;
        if (!some) some = &warp.lanes[i];
    }
    if (some && some->complete) {
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
PORT_CPU_ONCE void try_named(Warp& warp, const Lane& lane) {
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
PORT_CPU_ONCE void try_all_named(Warp& warp) {
    for (unsigned i = 0; i < warp.count; ++i) {
        if (warp.named >> i & 1) try_named(warp, warp.lanes[i]);
    }
}

// Lets the lanes that wait at the first converged operation, in the order of the text, go on.
PORT_CPU_ONCE bool settle(Warp& warp) {
    if (warp.converged == 0) return false;
    const Lane* first = nullptr;
    for (std::uint64_t left = warp.converged; left; left &= left - 1) {
        const Lane& lane = warp.lanes[__builtin_ctzll(left)];
        if (!first || lane.site.line < first->site.line) first = &lane;
    }
    std::uint64_t group = 0;
    for (std::uint64_t left = warp.converged; left; left &= left - 1) {
        const Lane& lane = warp.lanes[__builtin_ctzll(left)];
        if (lane.complete == first->complete && lane.site.line == first->site.line &&
            std::strcmp(lane.site.file, first->site.file) == 0) {
            group |= bit_of(lane);
        }
    }
    run_meeting(warp, group);
    return true;
}

PORT_CPU_ONCE void try_barrier(Block& block) {
    if (block.at_barrier == 0 || block.at_barrier != block.live) return;
    block.at_barrier = 0;
    block.result = block.arriving;
    block.arriving = BarrierResult{0, 1, 0};
    for (Lane& lane : block.lanes) {
        if (lane.state == State::barrier) make_ready(lane);
    }
}

PORT_CPU_ONCE void lane_main() {
    Worker& w = *this_worker;
#ifdef PORT_CPU_ASAN
    __sanitizer_finish_switch_fiber(nullptr, &w.stack_bottom, &w.stack_bytes);
#endif
    w.body(w.context);
    wait_as(State::done);
    __builtin_unreachable();
}

PORT_CPU_ONCE void resume(Worker& w, Block& block, Warp& warp, Lane& lane) {
    if (lane.state == State::fresh) {
        lane.stack = take_stack(w);
        lane.fake_stack = nullptr;
        prepare(lane.context, lane.stack, stack_size, lane_main);
    }
    warp.ready &= ~bit_of(lane);
    w.current = &lane;
    threadIdx = lane.thread;
    lane_index = lane.index;
    w.polls = 0;
#ifdef PORT_CPU_ASAN
    __sanitizer_start_switch_fiber(&w.fake_stack, lane.stack, stack_size);
#endif
    switch_context(w.scheduler, lane.context);
#ifdef PORT_CPU_ASAN
    __sanitizer_finish_switch_fiber(w.fake_stack, nullptr, nullptr);
#endif
    if (std::memcmp(lane.stack, &stack_end, sizeof stack_end) != 0) {
        fail_text("stack", "a thread used more than 256 KiB of stack");
    }
    w.current = nullptr;
    if (lane.state == State::yielded) warp.yielded |= bit_of(lane);
    if (lane.state != State::done) return;
#ifdef PORT_CPU_ASAN
    __asan_unpoison_memory_region(lane.stack, stack_size);
#endif
    w.free_stacks.push_back(lane.stack);
    lane.stack = nullptr;
    warp.live &= ~bit_of(lane);
    --block.live;
    if (warp.named) try_all_named(warp);
    try_barrier(block);
}

// The first threads of a block that cannot go on, by what they wait for.
[[noreturn]] PORT_CPU_ONCE void fail_deadlock(const Block& block) {
    std::string text;
    unsigned listed = 0;
    for (const Lane& lane : block.lanes) {
        if (lane.state == State::done || lane.state == State::fresh || listed == 4) continue;
        char line[256];
        snprintf(line, sizeof line, "%sthread (%u,%u,%u) waits at %s (%s:%d) with mask %#llx",
                 listed++ ? "; " : "", lane.thread.x, lane.thread.y, lane.thread.z, lane.what,
                 lane.site.file ? lane.site.file : "?", lane.site.line,
                 (unsigned long long)lane.mask);
        text += line;
    }
    fail("deadlock", "no thread of block (%u,%u,%u) of %s can go on: %s", block.index.x,
         block.index.y, block.index.z, this_worker->launch->kernel, text.c_str());
}

PORT_CPU_ONCE void reset(Worker& w, Block& block, std::uint64_t number) {
    const dim3& grid = w.launch->grid;
    const dim3& size = w.launch->block;
    block.index = uint3{unsigned(number % grid.x), unsigned(number / grid.x % grid.y),
                        unsigned(number / grid.x / grid.y)};
    unsigned count = size.x * size.y * size.z;
    unsigned warps = (count + warp_width - 1) / warp_width;
    block.lanes.resize(count);
    block.warps.resize(warps);
    for (unsigned i = 0; i < warps; ++i) {
        unsigned begin = i * warp_width;
        unsigned lanes = count - begin < warp_width ? count - begin : warp_width;
        Warp warp;
        warp.lanes = &block.lanes[begin];
        warp.count = lanes;
        warp.live = warp.ready = (std::uint64_t{1} << lanes) - 1;
        block.warps[i] = warp;
    }
    for (unsigned i = 0; i < count; ++i) {
        Lane& lane = block.lanes[i];
        lane.thread = uint3{i % size.x, i / size.x % size.y, i / size.x / size.y};
        lane.index = i % warp_width;
        lane.warp = i / warp_width;
        lane.state = State::fresh;
        lane.what = "";
        lane.mask = 0;
        lane.site = Site{};
    }
    block.live = count;
    block.at_barrier = 0;
    block.at_grid = 0;
    block.arriving = BarrierResult{0, 1, 0};
    block.started = false;
}

// ---- shared memory of a block that waits for other blocks --------------------------------------
// It lies in this thread's thread-local storage, with everything else that is thread-local here.
struct Segment {
    char* begin = nullptr;
    char* end = nullptr;
    const char* marker = nullptr;
    unsigned objects = 0;
};
#ifdef __linux__
PORT_CPU_ONCE int find_segment(dl_phdr_info* info, std::size_t, void* result) {
    auto* segment = static_cast<Segment*>(result);
    ++segment->objects;
    for (int i = 0; i < info->dlpi_phnum; ++i) {
        if (info->dlpi_phdr[i].p_type != PT_TLS || !info->dlpi_tls_data) continue;
        auto* begin = static_cast<char*>(info->dlpi_tls_data);
        char* end = begin + info->dlpi_phdr[i].p_memsz;
        if (segment->marker >= begin && segment->marker < end) {
            segment->begin = begin;
            segment->end = end;
        }
    }
    return 0;
}
#endif
PORT_CPU_ONCE Segment segment() {
    Segment segment;
#ifdef __linux__
    segment.marker = reinterpret_cast<const char*>(&lane_index);
    dl_iterate_phdr(find_segment, &segment);
#endif
    if (!segment.begin || segment.objects < 2) {
        fail_text("unsupported", "blocks that wait for other blocks need a dynamically linked "
                                 "program on Linux");
    }
    return segment;
}
PORT_CPU_ONCE void save_shared(const Worker& w, Block& block) {
    const Segment found = segment();
    block.shared.assign(found.begin, found.end);
    if (w.dynamic) {
        block.shared.insert(block.shared.end(), w.dynamic, w.dynamic + w.launch->shared);
    }
}
#ifdef PORT_CPU_ASAN
__attribute__((no_sanitize("address")))
#endif
PORT_CPU_ONCE void restore_shared(const Worker& w, const Block& block) {
    const Segment found = segment();
    const std::size_t bytes = std::size_t(found.end - found.begin);
    std::memcpy(found.begin, block.shared.data(), bytes);
    if (w.dynamic && block.shared.size() > bytes) {
        std::memcpy(w.dynamic, block.shared.data() + bytes, w.launch->shared);
    }
}

PORT_CPU_ONCE char* dynamic_memory() {
    Worker& w = worker();
    if (!w.dynamic) {
        void* memory = mmap(nullptr, shared_capacity, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) fail_text("memory", "no memory for dynamic shared memory");
        w.dynamic = static_cast<char*>(memory);
#ifdef PORT_CPU_ASAN
        __asan_poison_memory_region(w.dynamic, shared_capacity);
        if (w.launch) __asan_unpoison_memory_region(w.dynamic, w.launch->shared);
#endif
    }
    return w.dynamic;
}
// What `extern __shared__ T name[];` names.
template <class T> inline T* dynamic_shared() { return reinterpret_cast<T*>(dynamic_memory()); }
inline std::size_t dynamic_shared_size() {
    return this_worker && this_worker->launch ? this_worker->launch->shared : 0;
}

// ---- a grid ------------------------------------------------------------------------------------
// Runs a block until its threads are done (true), or until it can only go on after other blocks.
PORT_CPU_ONCE bool run_block(Worker& w, Block& block) {
    w.block = &block;
    if (block.started) restore_shared(w, block);
    blockIdx = block.index;
    block.started = true;
    unsigned spins = 0;
    while (block.live > 0) {
        bool ran = false, progress = false;
        for (Warp& warp : block.warps) {
            while (warp.ready || (!warp.yielded && settle(warp))) {
                for (std::uint64_t left = warp.ready; left; left &= left - 1) {
                    Lane& lane = warp.lanes[__builtin_ctzll(left)];
                    if (!(warp.ready & bit_of(lane))) continue;
                    resume(w, block, warp, lane);
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
        // Lanes in converged operations may be what the spinning lanes of their warp wait for.
        bool released = false;
        for (Warp& warp : block.warps) released |= settle(warp);
        if (!released) break;
    }
    if (block.live == 0) return true;
    save_shared(w, block);
    return false;
}

using Waiting = std::vector<std::unique_ptr<Block>>;

// Blocks that wait for others take turns. All that have not finished wait at the grid's barrier:
// they go on.
PORT_CPU_ONCE void run_waiting(Worker& w, Waiting& waiting) {
    while (!waiting.empty()) {
        bool all = true;
        for (const auto& block : waiting) all &= block->at_grid == block->live;
        for (const auto& block : waiting) {
            if (!all) break;
            w.block = block.get();
            block->at_grid = 0;
            for (Lane& lane : block->lanes) {
                if (lane.state == State::grid) make_ready(lane);
            }
        }
        Waiting rest;
        for (auto& one : waiting) {
            if (one->at_grid == one->live || !run_block(w, *one)) rest.push_back(std::move(one));
        }
        waiting = std::move(rest);
    }
}

struct Grid {
    const LaunchConfig* config;
    void (*body)(void*);
    void* context;
};

PORT_CPU_ONCE void begin_grid(Worker& w, const Grid& grid) {
    w.launch = grid.config;
    w.body = grid.body;
    w.context = grid.context;
    w.pending_outside = pending_count;
    blockDim = grid.config->block;
    gridDim = grid.config->grid;
#ifdef PORT_CPU_ASAN
    if (w.dynamic) {
        __asan_poison_memory_region(w.dynamic, shared_capacity);
        __asan_unpoison_memory_region(w.dynamic, grid.config->shared);
    }
#endif
}
PORT_CPU_ONCE void run_one(Worker& w, std::uint64_t number, std::unique_ptr<Block>& block,
                    Waiting& waiting) {
    if (!block) block = std::make_unique<Block>();
    reset(w, *block, number);
    if (!run_block(w, *block)) waiting.push_back(std::move(block));
}
PORT_CPU_ONCE void end_grid(Worker& w, Waiting& waiting) {
    run_waiting(w, waiting);
    w.launch = nullptr;
    w.block = nullptr;
}

// Blocks run on the calling thread for this long before other threads are asked to help: small grids
// are done by then.
constexpr double milliseconds_alone = 1;

inline double milliseconds() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return double(now.tv_sec) * 1e3 + double(now.tv_nsec) / 1e6;
}

PORT_CPU_ONCE void run_blocks(const Grid& grid) {
    const dim3& size = grid.config->grid;
    const std::uint64_t count = std::uint64_t(size.x) * size.y * size.z;
    std::uint64_t next = 0;
    Waiting waiting;
    {
        Worker& w = worker();
        begin_grid(w, grid);
        std::unique_ptr<Block> block;
#ifdef _OPENMP
        // The blocks of a cooperative launch wait for each other: one thread holds them all.
        const double start = milliseconds();
        while (next < count && (grid.config->cooperative || !waiting.empty() ||
                                milliseconds() - start < milliseconds_alone)) {
            run_one(w, next++, block, waiting);
        }
#else
        while (next < count) run_one(w, next++, block, waiting);
#endif
        if (next == count) end_grid(w, waiting);
    }
#ifdef _OPENMP
    if (next == count) return;
#pragma omp parallel
    {
        Worker& w = worker();
        begin_grid(w, grid);
        Waiting waiting_here;
        std::unique_ptr<Block> block;
#pragma omp for schedule(dynamic) nowait
        for (std::uint64_t i = next; i < count; ++i) run_one(w, i, block, waiting_here);
        end_grid(w, waiting_here);
    }
#endif
}

// ---- what a thread may do ----------------------------------------------------------------------
PORT_CPU_ONCE void require_kernel(const char* what) {
    if (!in_kernel()) fail("host", "%s is called outside a kernel", what);
}

// Meets the lanes named by `mask`, wherever they call from: complete when each of them has arrived
// with the same mask and the same operation, or has exited.
PORT_CPU_ONCE void meet_named(std::uint64_t mask, void* record, Complete complete, const char* what,
                       Site site) {
    require_kernel(what);
    Worker& w = *this_worker;
    Lane& lane = *w.current;
    Warp& warp = warp_of(lane);
    if (!(mask & bit_of(lane))) {
        fail("mask", "lane %u calls %s with mask %#llx, which does not name it (%s:%d)", lane.index,
             what, (unsigned long long)mask, site.file, site.line);
    }
    lane.mask = mask;
    lane.record = record;
    lane.complete = complete;
    lane.what = what;
    lane.site = site;
    lane.state = State::named;
    warp.named |= bit_of(lane);
    try_named(warp, lane);
    leave(w, lane);
}

// Meets the lanes that execute the same operation of the text: complete when no lane of the warp can
// run otherwise. Returns the lanes that met.
enum class Need : unsigned char { some, all };
inline std::uint64_t meet_converged(Need, void* record, Complete complete, const char* what,
                                    Site site) {
    require_kernel(what);
    Worker& w = *this_worker;
    Lane& lane = *w.current;
    lane.mask = 0;
    lane.record = record;
    lane.complete = complete;
    lane.what = what;
    lane.site = site;
    warp_of(lane).converged |= bit_of(lane);
    wait_as(State::converged);
    return lane.met;
}

// Waits for every thread of the block that has not exited; their predicates are combined.
PORT_CPU_ONCE BarrierResult barrier(int predicate, Site site) {
    require_kernel("__syncthreads");
    Worker& w = *this_worker;
    Block& block = *w.block;
    Lane& lane = *w.current;
    lane.what = "the block's barrier";
    lane.site = site;
    lane.mask = 0;
    block.arriving.count += predicate != 0;
    block.arriving.all &= predicate != 0;
    block.arriving.any |= predicate != 0;
    lane.state = State::barrier;
    ++block.at_barrier;
    try_barrier(block);
    leave(w, lane);
    return block.result;
}

PORT_CPU_ONCE void grid_barrier(Site site) {
    require_kernel("the grid's barrier");
    Worker& w = *this_worker;
    const dim3& grid = w.launch->grid;
    if (!w.launch->cooperative && grid.x * std::uint64_t(grid.y) * grid.z > 1) {
        fail("grid", "the grid's barrier needs a cooperative launch (%s:%d)", site.file, site.line);
    }
    w.current->what = "the grid's barrier";
    w.current->site = site;
    w.current->mask = 0;
    ++w.block->at_grid;
    wait_as(State::grid);
}

// Lets other threads run: what looks like a turn of a loop that waits calls this.
inline void yield() {
    if (!in_kernel()) return;
    this_worker->current->what = "a spin";
    this_worker->current->site = Site{};
    wait_as(State::yielded);
}
inline void spin_hint() {
    if (in_kernel() && ++this_worker->polls > polls_before_yield) yield();
}

// ---- errors ---------------------------------------------------------------------------
inline thread_local int last_error = 0;
inline void set_last_error(int code) {
    if (code != 0) last_error = code;
}
inline int peek_last_error() { return last_error; }
inline int take_last_error() {
    int code = last_error;
    last_error = 0;
    return code;
}

// 0, or the CUDA error code of a configuration that a GPU would refuse.
PORT_CPU_ONCE int check_configuration(const LaunchConfig& config) {
    const int invalid_configuration = 9, invalid_value = 1;
    std::uint64_t threads = std::uint64_t(config.block.x) * config.block.y * config.block.z;
    if (threads == 0 || threads > 1024 || config.block.z > 64 || config.grid.x == 0 ||
        config.grid.y == 0 || config.grid.z == 0 || config.grid.x > 0x7fffffffu ||
        config.grid.y > 65535 || config.grid.z > 65535) {
        return invalid_configuration;
    }
    return config.shared > shared_capacity ? invalid_value : 0;
}

// ---- memory of the device ----------------------------------------------------------------------
struct Allocations {
    std::mutex mutex;
    std::map<const char*, std::size_t> sizes;
};
inline Allocations& allocations() {
    static auto* all = new Allocations;
    return *all;
}
PORT_CPU_ONCE void* allocate(std::size_t bytes, const char* = "") {
    if (bytes > SIZE_MAX / 2) return nullptr;
    void* memory = nullptr;
    if (posix_memalign(&memory, 256, bytes ? bytes : 1) != 0) return nullptr;
    Allocations& all = allocations();
    std::lock_guard<std::mutex> lock(all.mutex);
    all.sizes[static_cast<char*>(memory)] = bytes;
    return memory;
}
PORT_CPU_ONCE bool release(void* pointer) {
    Allocations& all = allocations();
    std::lock_guard<std::mutex> lock(all.mutex);
    auto found = all.sizes.find(static_cast<char*>(pointer));
    if (found == all.sizes.end()) return false;
    all.sizes.erase(found);
    free(pointer);
    return true;
}
// The size of the allocation that holds `pointer`, 0 if none does.
PORT_CPU_ONCE std::size_t allocation_size(const void* pointer, const void** base) {
    Allocations& all = allocations();
    std::lock_guard<std::mutex> lock(all.mutex);
    auto next = all.sizes.upper_bound(static_cast<const char*>(pointer));
    if (next == all.sizes.begin()) return 0;
    --next;
    if (static_cast<const char*>(pointer) >= next->first + next->second) return 0;
    if (base) *base = next->first;
    return next->second;
}

}  // namespace port_fibers

namespace port_cpu {
using port_fibers::dynamic_shared;
}
