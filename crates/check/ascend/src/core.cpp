// Cores: fibers that run one after another and change at synchronisation between cores only, so that a program does
// the same at every run. Local memories, their shadows, pipes' clocks and flags.

#include "machine.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <sys/mman.h>

namespace port_ascend {

Core* core = nullptr;
Launch* launch_now = nullptr;

namespace {

constexpr uint32_t capacities[space_count] = {196608, 524288, 65536, 65536, 131072, 1024, 7168};
constexpr size_t stack_bytes = 1 << 20;
const char* const space_names[] = {"UB", "L1", "L0A", "L0B", "L0C", "the bias table", "the fixpipe buffer", "GM"};
const char* const pipe_names[] = {"PIPE_S", "PIPE_V", "PIPE_M", "PIPE_MTE1", "PIPE_MTE2", "PIPE_MTE3", "PIPE_FIX"};
const char* const short_names[] = {"S", "V", "M", "MTE1", "MTE2", "MTE3", "FIX"};

std::vector<CallSite>& call_sites() {
    static auto* sites = new std::vector<CallSite>(1, CallSite{"nothing", Site{"", 0}});
    return *sites;
}

void* reserve(size_t bytes) {
    void* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        std::fprintf(stderr, "port_ascend: no memory for the cores\n");
        std::abort();
    }
    return memory;
}

// Cores of ended launches, for the next one: their memory maps are costly.
std::vector<Core*>& spare_cores() {
    static auto* cores = new std::vector<Core*>();
    return *cores;
}

}  // namespace

const CallSite& call_site(uint32_t id) { return call_sites()[id < call_sites().size() ? id : 0]; }

uint32_t call_id(const char* call, Site site) {
    struct Entry { const char *call, *file; int line; uint32_t id; };
    static Entry cache[1024];
    size_t slot = ((uintptr_t(call) >> 2) ^ (uintptr_t(site.file) >> 2) ^ size_t(site.line) * 37) & 1023;
    Entry& entry = cache[slot];
    if (entry.id && entry.call == call && entry.file == site.file && entry.line == site.line) return entry.id;
    static auto* known = new std::map<std::pair<std::pair<const char*, const char*>, int>, uint32_t>();
    auto [place, fresh] = known->emplace(std::make_pair(std::make_pair(call, site.file), site.line), uint32_t(call_sites().size()));
    if (fresh) call_sites().push_back({call, site});
    entry = {call, site.file, site.line, place->second};
    return place->second;
}

std::string describe_call(uint32_t id) {
    const CallSite& at = call_site(id);
    const char* file = at.site.file ? at.site.file : "";
    const char* name = std::strrchr(file, '/');
    return std::string(at.call) + " (" + (name ? name + 1 : file) + ":" + std::to_string(at.site.line) + ")";
}

const char* pipe_name(Pipe pipe) { return pipe < pipe_count ? pipe_names[pipe] : "PIPE_ALL"; }
Pipe pipe_of(int number) {
    return number >= 0 && number < pipe_count ? Pipe(number) : pipe_s;
}

bool auto_sync() {
    static const bool on = [] {
        const char* value = std::getenv("PORT_ASCEND_AUTO_SYNC");
        return value && (!std::strcmp(value, "on") || !std::strcmp(value, "1"));
    }();
    return on;
}

// ---- digest -----------------------------------------------------------------------------------

namespace {
uint64_t digest_value = 0x9e3779b97f4a7c15;
uint64_t unordered_digest = 0;
}

uint64_t digest() { return digest_value ^ unordered_digest; }

void digest_unordered(uint64_t before, uint64_t now) { unordered_digest += now - before; }

void digest_number(uint64_t value) {
    digest_value = (digest_value ^ value) * 0x2545f4914f6cdd1d;
    digest_value ^= digest_value >> 32;
}

void digest_bytes(const void* data, size_t bytes) {
    auto* at = static_cast<const uint8_t*>(data);
    for (; bytes >= 8; at += 8, bytes -= 8) {
        uint64_t word;
        std::memcpy(&word, at, 8);
        digest_number(word);
    }
    uint64_t rest = bytes;
    for (; bytes; --bytes) rest = rest << 8 | *at++;
    digest_number(rest);
}

// ---- instructions -----------------------------------------------------------------------------

void begin(const char* call, Site site, Pipe pipe, double cycles) {
    if (!core) {
        report("outside-kernel", call, site, "this belongs into a kernel, and none runs here");
        stop_core();
    }
    Core& c = *core;
    c.call = call;
    c.site = site;
    c.pipe = pipe;
    c.call_id = call_id(call, site);
    c.sequence = ++c.issued[pipe];
    c.pending_uninitialised = false;
    if (pipe != pipe_s) digest_number(uint64_t(c.index) << 40 ^ uint64_t(pipe) << 32 ^ uint64_t(uint32_t(site.line)));
    Hidden& h = *c.hidden;
    auto& calls = h.calls[pipe];
    if (calls.empty()) calls.push_back(0);
    calls.push_back(c.call_id);
    // The scalar unit hands instructions to the pipes in order: what it waited for is over for all that come later.
    for (int other = 1; other < pipe_count; ++other) {
        uint32_t seen = c.seen[pipe_s][other];
        if (c.seen[pipe][other] < seen) c.seen[pipe][other] = seen;
    }
    // Transfers of a pipe may overlap, or overtake one another; other instructions of a pipe depend in order.
    if (!is_transfer(pipe)) c.seen[pipe][pipe] = c.sequence - 1;
    double issue = c.free_at[pipe_s];
    c.free_at[pipe_s] += pipe == pipe_s ? cycles : 8;  // 8: an instruction's preparation by the scalar unit
    double start = std::max(c.free_at[pipe], issue);
    if (pipe != pipe_s) {
        c.free_at[pipe] = start + cycles;
        auto& busy = h.busy[pipe];
        if (!busy.empty() && busy.back().end >= start) busy.back().end = start + cycles;
        else busy.push_back({start, start + cycles});
    }
    c.busy[pipe] += cycles;
}

void add_cycles(double cycles) {
    Core& c = *core;
    c.free_at[c.pipe] += cycles;
    c.busy[c.pipe] += cycles;
    auto& busy = c.hidden->busy[c.pipe];
    if (c.pipe != pipe_s && !busy.empty()) busy.back().end = c.free_at[c.pipe];
}

namespace {

bool inserts_order(int from, int to) {
    // What the compiler inserts by default on a vector core (--cce-auto-sync=on): order between the scalar unit's
    // accesses to tensors and the other pipes, both ways.
    return auto_sync() && (from == pipe_s || to == pipe_s);
}

void missing_order(Space space, uint32_t offset, int other, bool was_write, bool is_write, uint32_t sequence) {
    Core& c = *core;
    if (inserts_order(other, c.pipe)) {
        ++c.counters.auto_syncs;
        uint32_t done = c.issued[other];
        c.seen[c.pipe][other] = std::max(c.seen[c.pipe][other], done);
        if (c.free_at[c.pipe] < c.free_at[other]) c.free_at[c.pipe] = c.free_at[other];
        return;
    }
    const auto& calls = c.hidden->calls[other];
    std::string before = describe_call(sequence < calls.size() ? calls[sequence] : 0);
    const char* advice =
        other == c.pipe ? "add PipeBarrier between the transfers"
        : other == pipe_s || c.pipe == pipe_s ? "set and wait for a flag of this event, or rely on the compiler's --cce-auto-sync (PORT_ASCEND_AUTO_SYNC=on here)"
        : "pass the tensor through EnQue/DeQue (AllocTensor/FreeTensor) of a queue of the right position, or set and wait for a flag of this event";
    char event[48];
    if (other == c.pipe) std::snprintf(event, sizeof event, "PipeBarrier<%s>", pipe_names[other]);
    else std::snprintf(event, sizeof event, "HardEvent::%s_%s", short_names[other], short_names[c.pipe]);
    report("missing-sync", c.call, c.site,
           "%s %s bytes at 0x%x that %s %s on %s, and nothing makes %s wait for it: %s (%s)",
           is_write ? "writes" : "reads", space_names[space], offset, before.c_str(), was_write ? "writes" : "reads",
           pipe_names[other], pipe_names[c.pipe], advice, event);
}

inline void check_order(BlockShadow& block, Space space, uint32_t offset, uint32_t bytes, bool write) {
    Core& c = *core;
    int pipe = c.pipe;
    for (int other = 0; other < pipe_count; ++other) {
        uint32_t sequence = block.written[other];
        if (sequence && (block.written_bytes[other] & bytes)) {
            // Order within a pipe: vector instructions that depend on one another are ordered for the program, transfers
            // to the same bytes are not.
            if (other == pipe && (!write || !is_transfer(c.pipe) || sequence == c.sequence)) continue;
            if (sequence > c.seen[pipe][other]) missing_order(space, offset, other, true, write, sequence);
        }
        // A scalar read is over when the scalar unit goes on, so no later write can overtake it.
        if (!write || other == pipe || other == pipe_s) continue;
        sequence = block.read[other];
        if (sequence && (block.read_bytes[other] & bytes) && sequence > c.seen[pipe][other]) {
            missing_order(space, offset, other, false, true, sequence);
        }
    }
}

inline uint32_t bytes_mask(uint32_t first, uint32_t count) {
    return count >= 32 ? 0xffffffffu : ((1u << count) - 1) << first;
}

}  // namespace

bool touch_read(Space space, uint32_t offset, uint32_t bytes) {
    Core& c = *core;
    bool initialised = true;
    uint32_t end = offset + bytes;
    if (end > c.capacity[space] || end < offset) return false;
    if (c.pipe != pipe_s) {
        digest_number(uint64_t(space) << 32 | offset);
        digest_bytes(c.memory[space] + offset, bytes);
    }
    while (offset < end) {
        BlockShadow& block = c.shadow[space][offset / 32];
        uint32_t first = offset % 32, count = std::min(32 - first, end - offset), mask = bytes_mask(first, count);
        check_order(block, space, offset, mask, false);
        if (block.read[c.pipe] != c.sequence) {
            // Bytes that this pipe read earlier count as read now: later than true, never earlier.
            block.read_bytes[c.pipe] |= mask;
            block.read[c.pipe] = c.sequence;
        } else {
            block.read_bytes[c.pipe] |= mask;
        }
        if (~block.initialised & mask) {
            initialised = false;
            if (!c.pending_uninitialised) {
                c.pending_uninitialised = true;
                c.pending_origin = block.origin ? block.origin : c.call_id;
            }
        }
        offset += count;
    }
    return initialised;
}

void touch_write(Space space, uint32_t offset, uint32_t bytes, bool initialised) {
    Core& c = *core;
    uint32_t end = offset + bytes;
    if (end > c.capacity[space] || end < offset) return;
    digest_number(uint64_t(space) << 32 | offset);
    digest_number(bytes);
    while (offset < end) {
        BlockShadow& block = c.shadow[space][offset / 32];
        uint32_t first = offset % 32, count = std::min(32 - first, end - offset), mask = bytes_mask(first, count);
        check_order(block, space, offset, mask, true);
        // The write takes the place of what it overwrites: whoever is ordered after it is ordered after that too.
        for (int other = 0; other < pipe_count; ++other) {
            block.written_bytes[other] &= ~mask;
            block.read_bytes[other] &= ~mask;
        }
        block.written_bytes[c.pipe] |= mask;
        block.written[c.pipe] = c.sequence;
        if (initialised) {
            block.initialised |= mask;
            if (block.initialised == 0xffffffffu) block.origin = 0;
        } else {
            block.initialised &= ~mask;
            block.origin = c.pending_origin;
        }
        offset += count;
    }
}

bool is_initialised(Space space, uint32_t offset, uint32_t bytes) {
    Core& c = *core;
    uint32_t end = offset + bytes;
    if (end > c.capacity[space]) return false;
    while (offset < end) {
        uint32_t first = offset % 32, count = std::min(32 - first, end - offset);
        if (~c.shadow[space][offset / 32].initialised & bytes_mask(first, count)) return false;
        offset += count;
    }
    return true;
}

void set_initialised(Space space, uint32_t offset, uint32_t bytes, bool yes) {
    Core& c = *core;
    uint32_t end = std::min(offset + bytes, c.capacity[space]);
    while (offset < end) {
        uint32_t first = offset % 32, count = std::min(32 - first, end - offset), mask = bytes_mask(first, count);
        BlockShadow& block = c.shadow[space][offset / 32];
        if (yes) block.initialised |= mask;
        else {
            block.initialised &= ~mask;
            block.origin = c.pending_uninitialised ? c.pending_origin : 0;
        }
        offset += count;
    }
}

void leave_unwritten(Space space, uint32_t offset, uint32_t bytes) {
    set_initialised(space, offset, bytes, false);
    uint32_t end = std::min(offset + bytes, core->capacity[space]);
    // No number: what is computed from it shows.
    if (offset < end) std::memset(core->memory[space] + offset, 0xff, end - offset);
}

void uninitialised_use(Space space, uint32_t offset, uint32_t bytes, const char* what) {
    Core& c = *core;
    if (offset + bytes > c.capacity[space]) return;
    uint32_t origin = 0, at = offset;
    for (uint32_t i = offset; i < offset + bytes && i < c.capacity[space]; ++i) {
        const BlockShadow& block = c.shadow[space][i / 32];
        if (!(block.initialised >> (i % 32) & 1)) { origin = block.origin; at = i; break; }
    }
    if (origin && origin != c.call_id) {
        const CallSite& first = call_site(origin);
        report("uninitialised-read", first.call, first.site,
               "reads %s bytes that nothing has written, and %s %s what it computed from them (at 0x%x): copy or Duplicate the whole tile, pad the tail, or lower the count",
               space_names[space], describe_call(c.call_id).c_str(), what, at);
    } else {
        report("uninitialised-read", c.call, c.site,
               "%s %s bytes at 0x%x that nothing has written since they were allocated: copy or Duplicate the whole tile, pad the tail, or lower the count",
               what, space_names[space], at);
    }
    set_initialised(space, offset, bytes, true);  // once is enough
}

void uninitialised_blocks(Space space, uint32_t offset, uint32_t bytes, const char* what) {
    for (uint32_t at = offset; at < offset + bytes && at < core->capacity[space]; at += 32) {
        const BlockShadow& block = core->shadow[space][at / 32];
        if (block.initialised == 0 || (block.origin && ~block.initialised)) return uninitialised_use(space, at, 32, what);
    }
}

bool in_bounds(Space space, uint64_t offset, uint64_t bytes, uint64_t low, uint64_t high, bool write) {
    Core& c = *core;
    if (offset >= low && offset + bytes <= high && offset + bytes <= c.capacity[space]) return true;
    if (high > c.capacity[space]) high = c.capacity[space];
    report("local-out-of-bounds", c.call, c.site,
           "%s %llu bytes at byte %lld of a tensor of %llu bytes in %s: lower the count (or strides), or give InitBuffer more",
           write ? "writes" : "reads", (unsigned long long)bytes, (long long)(offset - low),
           (unsigned long long)(high > low ? high - low : 0), space_names[space]);
    return false;
}

bool aligned(uint64_t offset, uint32_t to, const char* what) {
    if (offset % to == 0) return true;
    report("unaligned-address", core->call, core->site, "%s starts at byte %llu of its memory, which is no multiple of %u: start tensors of a local memory at whole data blocks",
           what, (unsigned long long)offset, to);
    return false;
}

void unsupported_type(const char* call, Site site, const char* type, const char* supported) {
    report("unsupported-type", call, site, "%s is not supported on 910B, only %s: cast first", type, supported);
}

bool scalar_local(Space space, uint64_t offset, uint32_t bytes, uint64_t low, uint64_t high, bool write, const char* call, Site site) {
    begin(call, site, pipe_s, 2);
    ++core->counters.scalar_ub;
    if (!in_bounds(space, offset, bytes, low, high, write)) return false;
    if (write) touch_write(space, uint32_t(offset), bytes);
    else if (!touch_read(space, uint32_t(offset), bytes)) uninitialised_use(space, uint32_t(offset), bytes, "reads");
    return true;
}

// ---- order ------------------------------------------------------------------------------------

Clock clock_of(Pipe pipe) {
    Clock clock;
    std::memcpy(clock.seen, core->seen[pipe], sizeof clock.seen);
    clock.seen[pipe] = core->issued[pipe];
    clock.time = core->free_at[pipe];
    return clock;
}

void wait_clock(Pipe pipe, const Clock& clock) {
    for (int other = 0; other < pipe_count; ++other) {
        uint32_t& seen = core->seen[pipe][other];
        seen = std::max(seen, clock.seen[other]);
    }
    core->free_at[pipe] = std::max(core->free_at[pipe], clock.time);
}

void set_flag(Pipe from, Pipe to, int id, Site site) {
    ++core->counters.syncs;
    core->free_at[pipe_s] += 2;
    if (id < 0 || id > 7) {
        report("event-id", "SetFlag", site, "event %d: ids are 0 to 7", id);
        return;
    }
    auto& flag = core->hidden->flags[from][to][id];
    if (flag.count) {
        report("flag-twice", "SetFlag", site, "flag %d of HardEvent::%s_%s is set again before a WaitFlag took it: %s set it first", id,
               short_names[from], short_names[to], describe_call(flag.call).c_str());
    }
    flag.count = 1;
    flag.clock = clock_of(from);
    flag.call = call_id("SetFlag", site);
}

void wait_flag(Pipe from, Pipe to, int id, Site site) {
    ++core->counters.syncs;
    core->free_at[pipe_s] += 2;
    if (id < 0 || id > 7) {
        report("event-id", "WaitFlag", site, "event %d: ids are 0 to 7", id);
        return;
    }
    auto& flag = core->hidden->flags[from][to][id];
    if (!flag.count) {
        report("wait-without-set", "WaitFlag", site, "flag %d of HardEvent::%s_%s was not set: the core hangs here; the SetFlag needs the same event and id",
               id, short_names[from], short_names[to]);
        return;
    }
    flag.count = 0;
    wait_clock(to, flag.clock);
}

void pipe_barrier(int pipe, Site) {
    ++core->counters.syncs;
    core->free_at[pipe_s] += 2;
    if (pipe >= 0) {
        core->seen[pipe][pipe] = core->issued[pipe];
        return;
    }
    double time = 0;
    for (int each = 0; each < pipe_count; ++each) time = std::max(time, core->free_at[each]);
    for (int each = 0; each < pipe_count; ++each) {
        core->free_at[each] = time;
        for (int other = 0; other < pipe_count; ++other) core->seen[each][other] = core->issued[other];
    }
}

int fetch_event(Pipe from, Pipe to, bool keep, Site site) {
    auto& taken = core->hidden->event_taken[from][to];
    for (int id = 0; id < 8; ++id) {
        if (taken[id]) continue;
        if (keep) taken[id] = true;
        return id;
    }
    report("event-id", keep ? "AllocEventID" : "FetchEventID", site, "all 8 ids of HardEvent::%s_%s are taken: release one with ReleaseEventID", short_names[from], short_names[to]);
    return 0;
}

void release_event(Pipe from, Pipe to, int id) {
    if (id >= 0 && id < 8) core->hidden->event_taken[from][to][id] = false;
}

// ---- buffers ----------------------------------------------------------------------------------

uint32_t allocated(Space space) { return core->hidden->allocated[space]; }
void set_allocated(Space space, uint32_t bytes) { core->hidden->allocated[space] = bytes; }

uint32_t allocate(Space space, uint32_t bytes, const char* call, Site site) {
    Hidden& h = *core->hidden;
    uint32_t offset = h.allocated[space];
    uint64_t end = uint64_t(offset) + (uint64_t(bytes) + 31) / 32 * 32;
    if (end > core->capacity[space]) {
        report("local-memory-full", call, site, "%llu bytes are needed in %s, which has %u (%u are taken): use smaller tiles or fewer buffers",
               (unsigned long long)end, space_names[space], core->capacity[space], offset);
        stop_core();
    }
    h.allocated[space] = uint32_t(end);
    if (space == space_ub) core->counters.ub_peak = std::max(core->counters.ub_peak, end);
    if (space == space_l1) core->counters.l1_peak = std::max(core->counters.l1_peak, end);
    core->pending_uninitialised = false;
    leave_unwritten(space, offset, uint32_t(end) - offset);
    return offset;
}

int queue_buffer(Space space, uint32_t offset, uint32_t bytes) {
    QueueBuffer buffer{};
    buffer.offset = offset;
    buffer.bytes = bytes;
    buffer.space = space;
    core->hidden->buffers.push_back(buffer);
    return int(core->hidden->buffers.size()) - 1;
}

QueueBuffer& queue_buffer_at(int index) { return core->hidden->buffers[size_t(index)]; }

namespace {
void check_leaks() {
    for (QueueBuffer& buffer : core->hidden->buffers) {
        if (buffer.state == 0 || !buffer.call) continue;
        const CallSite& at = call_site(buffer.call);
        const char* what = buffer.state == 1 ? "never enqueued or freed" : buffer.state == 2 ? "enqueued and never dequeued" : "dequeued and never freed";
        report("queue-leak", at.call, at.site, "a tensor of %u bytes is %s: every AllocTensor needs its FreeTensor", buffer.bytes, what);
        buffer.state = 0;
    }
}
}  // namespace

void pipe_start() {
    pipe_barrier(-1, Site{"", 0});
    std::memset(core->hidden->allocated, 0, sizeof core->hidden->allocated);
}

void pipe_reset() {
    pipe_barrier(-1, Site{"", 0});
    check_leaks();
    std::memset(core->hidden->allocated, 0, sizeof core->hidden->allocated);
}

// ---- launches ---------------------------------------------------------------------------------

namespace {

struct Run {
    void (*body)(void*);
    void* argument;
    CoreKind wanted;
    bool again;
    ucontext_t scheduler;
} run_now;

void enter() {
    run_now.body(run_now.argument);
    check_leaks();
    for (int from = 0; from < pipe_count; ++from) {
        for (int to = 0; to < pipe_count; ++to) {
            for (auto& flag : core->hidden->flags[from][to]) {
                if (!flag.count) continue;
                const CallSite& at = call_site(flag.call);
                report("set-without-wait", at.call, at.site, "the kernel ends and no WaitFlag took this flag of HardEvent::%s_%s: the next kernel on this core finds it set",
                       short_names[from], short_names[to]);
            }
        }
    }
    core->hidden->finished = true;
    swapcontext(&core->hidden->context, &run_now.scheduler);
}

Core* new_core() {
    auto& spare = spare_cores();
    Core* fresh;
    if (!spare.empty()) {
        fresh = spare.back();
        spare.pop_back();
        char* stack = fresh->hidden->stack;
        delete fresh->hidden;
        fresh->hidden = new Hidden();
        fresh->hidden->stack = stack;
    } else {
        fresh = new Core();
        fresh->hidden = new Hidden();
        fresh->hidden->stack = static_cast<char*>(reserve(stack_bytes));
        for (int space = 0; space < space_count; ++space) {
            fresh->memory[space] = static_cast<uint8_t*>(reserve(capacities[space]));
            fresh->shadow[space] = static_cast<BlockShadow*>(reserve(size_t(capacities[space]) / 32 * sizeof(BlockShadow)));
        }
    }
    Core clean{};
    std::memcpy(clean.memory, fresh->memory, sizeof clean.memory);
    std::memcpy(clean.shadow, fresh->shadow, sizeof clean.shadow);
    std::memcpy(clean.capacity, capacities, sizeof clean.capacity);
    clean.hidden = fresh->hidden;
    *fresh = clean;
    for (int space = 0; space < space_count; ++space) {
        size_t bytes = size_t(capacities[space]) / 32 * sizeof(BlockShadow);
        madvise(fresh->shadow[space], bytes, MADV_DONTNEED);  // back to zeros
        madvise(fresh->memory[space], capacities[space], MADV_DONTNEED);
    }
    fresh->mask[0] = fresh->mask[1] = ~uint64_t(0);
    return fresh;
}

CoreKind kind_of_section(const void* address);

void make_slots(Launch& launch) {
    int cubes = 0, vectors = 1;
    switch (launch.kind) {
        case CoreKind::cube: case CoreKind::mix_1_0: cubes = 1; vectors = 0; break;
        case CoreKind::mix_1_1: cubes = 1; vectors = 1; break;
        case CoreKind::mix_1_2: cubes = 1; vectors = 2; break;
        default: break;
    }
    for (uint32_t block = 0; block < launch.blocks; ++block) {
        for (int i = 0; i < cubes + vectors; ++i) {
            Slot slot{};
            slot.block = int(block);
            slot.cube = i >= vectors;
            slot.sub = slot.cube ? 0 : i;
            launch.slots.push_back(std::move(slot));
        }
    }
}

void start_core(Launch& launch, size_t index) {
    Slot& slot = launch.slots[index];
    Core* fresh = new_core();
    slot.core = fresh;
    fresh->index = int(index);
    fresh->cube = slot.cube;
    fresh->block = slot.block;
    fresh->sub = slot.sub;
    fresh->blocks = int(launch.blocks);
    Hidden& h = *fresh->hidden;
    h.clock.assign(launch.slots.size(), 0);
    h.clock[index] = 1;
    getcontext(&h.context);
    h.context.uc_stack.ss_sp = h.stack;
    h.context.uc_stack.ss_size = stack_bytes;
    h.context.uc_link = nullptr;
    makecontext(&h.context, enter, 0);
}

}  // namespace

void yield_core(const char* why) {
    core->hidden->waiting = true;
    core->hidden->waits_for = why;
    Core* self = core;
    swapcontext(&self->hidden->context, &run_now.scheduler);
    core = self;
    core->hidden->waiting = false;
}

void set_core_kind(CoreKind kind) {
    if (!core || !launch_now || launch_now->kind == kind) return;
    if (kind == CoreKind::mix_0_1 && launch_now->kind == CoreKind::vector) return;
    run_now.wanted = kind;
    run_now.again = true;
    swapcontext(&core->hidden->context, &run_now.scheduler);  // never comes back
}

void cube_needed() {
    if (core->cube || !launch_now) return;
    if (launch_now->kind == CoreKind::automatic) set_core_kind(CoreKind::cube);
    report("wrong-core", core->call, core->site, "a vector core has no cube unit: guard this with ASCEND_IS_AIC, or make the kernel a cube kernel");
}

void mixed_needed() {
    if (launch_now && launch_now->kind == CoreKind::automatic) set_core_kind(CoreKind::mix_1_2);
}

int core_ratio() { return launch_now && launch_now->kind == CoreKind::mix_1_2 ? 2 : 1; }

void run_kernel(const char* name, const void* address, uint32_t blocks, void (*body)(void*), void* argument) {
    std::string kernel;
    if (name && *name) {
        kernel = name;
    } else {
        Dl_info info{};
        kernel = address && dladdr(const_cast<void*>(address), &info) && info.dli_sname ? info.dli_sname : "kernel";
    }
    if (core) {
        report("launch-in-kernel", "<<<>>>", Site{"", 0}, "kernel %s is launched from a kernel", kernel.c_str());
        return;
    }
    CoreKind kind = kind_of_section(address);
    for (int attempt = 0; attempt < 3; ++attempt) {
        Launch launch{};
        launch.kernel = kernel;
        launch.blocks = blocks;
        launch.kind = kind;
        launch_now = &launch;
        run_now.body = body;
        run_now.argument = argument;
        run_now.again = false;
        if (blocks == 0 || blocks > 65535) {
            report("block-count", "<<<>>>", Site{"", 0}, "kernel %s is launched with %u blocks: 1 to 65535 are possible", kernel.c_str(), blocks);
            launch_now = nullptr;
            return;
        }
        make_slots(launch);
        forget_gm_accesses();
        size_t left = launch.slots.size();
        int idle_rounds = 0;
        while (left && !run_now.again) {
            bool moved = false;
            for (size_t i = 0; i < launch.slots.size() && !run_now.again; ++i) {
                if (launch.slots[i].finished) continue;
                if (!launch.slots[i].core) start_core(launch, i);
                Core* each = launch.slots[i].core;
                auto steps = [each] {
                    uint64_t sum = each->counters.core_syncs;
                    for (uint32_t count : each->issued) sum += count;
                    return sum;
                };
                uint64_t before = steps();
                core = each;
                swapcontext(&run_now.scheduler, &each->hidden->context);
                core = nullptr;
                moved |= steps() != before;
                if (!each->hidden->finished) continue;
                finish_core(launch, *each);
                launch.slots[i].finished = true;
                launch.slots[i].core = nullptr;
                spare_cores().push_back(each);
                --left;
                moved = true;
            }
            idle_rounds = moved ? 0 : idle_rounds + 1;
            if (run_now.again || !left || idle_rounds <= 2) continue;
            for (Slot& slot : launch.slots) {
                if (slot.finished) continue;
                core = slot.core;
                report("deadlock", core->hidden->waits_for.c_str(), core->site, "the core waits for ever: other cores ended or wait for something else");
            }
            stop_core();
        }
        core = nullptr;
        if (!run_now.again) finish_launch(launch);
        for (Slot& slot : launch.slots) if (slot.core) spare_cores().push_back(slot.core);
        launch_now = nullptr;
        if (!run_now.again) return;
        kind = run_now.wanted;
    }
}

const char* thread_kernel = nullptr;

uint64_t system_cycle() { return core ? uint64_t(core->free_at[pipe_s]) : 0; }

void* system_workspace() {
    static void* memory = reserve(16 << 20);
    return memory;
}
void* user_workspace(void* workspace) { return workspace; }

}  // namespace port_ascend

// The linker gives the ends of sections whose names are identifiers.
#define PORT_ASCEND_SECTION(name) \
    extern "C" __attribute__((weak)) const char __start_##name[]; \
    extern "C" __attribute__((weak)) const char __stop_##name[];
PORT_ASCEND_SECTION(port_ascend_vector)
PORT_ASCEND_SECTION(port_ascend_cube)
PORT_ASCEND_SECTION(port_ascend_mix_1_0)
PORT_ASCEND_SECTION(port_ascend_mix_0_1)
PORT_ASCEND_SECTION(port_ascend_mix_1_1)
PORT_ASCEND_SECTION(port_ascend_mix_1_2)
PORT_ASCEND_SECTION(__patchable_function_entries)

namespace port_ascend {
namespace {
CoreKind kind_of_section(const void* address) {
    auto within = [&](const char* start, const char* stop) {
        const char* at = static_cast<const char*>(address);
        return start && at >= start && at < stop;
    };
    if (within(__start_port_ascend_vector, __stop_port_ascend_vector)) return CoreKind::vector;
    if (within(__start_port_ascend_cube, __stop_port_ascend_cube)) return CoreKind::cube;
    if (within(__start_port_ascend_mix_1_0, __stop_port_ascend_mix_1_0)) return CoreKind::mix_1_0;
    if (within(__start_port_ascend_mix_0_1, __stop_port_ascend_mix_0_1)) return CoreKind::mix_0_1;
    if (within(__start_port_ascend_mix_1_1, __stop_port_ascend_mix_1_1)) return CoreKind::mix_1_1;
    if (within(__start_port_ascend_mix_1_2, __stop_port_ascend_mix_1_2)) return CoreKind::mix_1_2;
    return CoreKind::automatic;
}
}  // namespace

// `__launch_bounds__` puts empty instructions before a function, and the compiler lists where they begin.
uint32_t thread_bound(const void* kernel) {
    auto* entry = static_cast<const unsigned char*>(kernel);
    uint32_t bound = 0;
    auto* first = reinterpret_cast<const unsigned char* const*>(__start___patchable_function_entries);
    auto* last = reinterpret_cast<const unsigned char* const*>(__stop___patchable_function_entries);
    for (; first && first < last; ++first) {
        if (*first >= entry || entry - *first > 65536) continue;
        uint32_t length = uint32_t(entry - *first);
        bool empty = std::all_of(*first, entry, [](unsigned char byte) { return byte == 0x90; });
        if (empty) bound = std::max(bound, length);
    }
    return bound;
}
}  // namespace port_ascend
