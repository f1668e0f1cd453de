// Global memory: allocations, who accessed which bytes since cores last agreed, and agreement between cores.

#include "machine.hpp"

#include <algorithm>
#include <cstring>
#include <memory>

namespace port_ascend {
namespace {

struct Allocation { size_t bytes, whole; std::string name; };

std::map<uintptr_t, Allocation>& allocations() {
    static auto* map = new std::map<uintptr_t, Allocation>();
    return *map;
}

// Accesses of some of a block's bytes: the last that a core made of them on a pipe.
struct GmAccess {
    uint32_t call, clock, sequence, bytes;
    int32_t core;
    uint8_t pipe;
    bool atomic, dirty;  // dirty: in the scalar unit's cache still
};

// Nobody else's access of a block is the usual case: it has its place without an allocation.
class GmAccesses {
public:
    template <typename F> void each(F visit) {
        if (!bytes()) return;
        if (first_.bytes) visit(first_);
        if (!more_) return;
        for (GmAccess& access : *more_) if (access.bytes) visit(access);
    }
    // The bytes of an access are its own from now on, where `passes` says that it comes after another access for
    // whoever comes after it.
    template <typename F> void put(const GmAccess& access, F passes) {
        each([&](GmAccess& other) {
            if ((other.bytes & access.bytes) && passes(other)) other.bytes &= ~access.bytes;
        });
        bool merged = false;
        each([&](GmAccess& other) {
            if (merged || other.core != access.core || other.pipe != access.pipe || other.sequence != access.sequence ||
                other.clock != access.clock || other.dirty != access.dirty) return;
            other.bytes |= access.bytes;
            merged = true;
        });
        if (merged) return;
        if (!first_.bytes) {
            first_ = access;
            return;
        }
        if (!more_) more_ = std::make_unique<std::vector<GmAccess>>();
        auto& more = *more_;
        more.erase(std::remove_if(more.begin(), more.end(), [](const GmAccess& other) { return !other.bytes; }), more.end());
        // So many cores read the same: the first of them and the last tell enough.
        if (more.size() >= 64) more.pop_back();
        more.push_back(access);
    }

private:
    bool bytes() const { return first_.bytes || more_; }
    GmAccess first_{};
    std::unique_ptr<std::vector<GmAccess>> more_;
};

// A block of 32 bytes in the running launch.
struct GmBlock {
    GmAccesses writes, reads;
    uint32_t ever_written, ever_read;  // by any core
    uint64_t readers;                  // a bit for each core
    uint32_t last_read;                // by the core that read last
    int last_reader;
};

struct Page { GmBlock blocks[128]; };

std::unordered_map<uintptr_t, Page>& pages() {
    static auto* map = new std::unordered_map<uintptr_t, Page>();
    return *map;
}

uintptr_t last_page_number;
Page* last_page;

GmBlock& gm_block(uintptr_t address) {
    uintptr_t number = address >> 12;
    if (!last_page || number != last_page_number) {
        auto place = pages().try_emplace(number).first;
        last_page = &place->second;
        last_page_number = number;
    }
    return last_page->blocks[(address >> 5) & 127];
}

bool knows(int other, uint32_t clock) {
    return core->index == other || core->hidden->clock[size_t(other)] >= clock;
}

std::string name_of(uintptr_t address) {
    auto& all = allocations();
    auto after = all.upper_bound(address);
    char text[64];
    if (after != all.begin()) {
        auto it = std::prev(after);
        if (address < it->first + it->second.bytes) {
            std::snprintf(text, sizeof text, "byte %llu of ", (unsigned long long)(address - it->first));
            return std::string(text) + (it->second.name.empty() ? "its buffer" : it->second.name);
        }
    }
    std::snprintf(text, sizeof text, "address 0x%llx", (unsigned long long)address);
    return text;
}

// The order of two accesses by one core, of which one writes.
void order_within(const GmAccess& before, uintptr_t address, bool was_write, bool write) {
    Core& c = *core;
    int pipe = before.pipe;
    if (before.sequence <= c.seen[c.pipe][pipe]) return;
    if (auto_sync() && (pipe == pipe_s || c.pipe == pipe_s)) {
        ++c.counters.auto_syncs;
        c.seen[c.pipe][pipe] = std::max(c.seen[c.pipe][pipe], c.issued[pipe]);
        return;
    }
    static const char* const names[] = {"S", "V", "M", "MTE1", "MTE2", "MTE3", "FIX"};
    if (pipe == c.pipe) {
        report("missing-sync", c.call, c.site, "writes GM at %s, which %s writes on %s too, and nothing makes the second transfer wait for the first: PipeBarrier<%s> between them",
               name_of(address).c_str(), describe_call(before.call).c_str(), pipe_name(Pipe(pipe)), pipe_name(Pipe(pipe)));
        return;
    }
    report("missing-sync", c.call, c.site, "%s GM at %s, which %s %s on %s, and nothing makes %s wait for it: set and wait for a flag (HardEvent::%s_%s)",
           write ? "writes" : "reads", name_of(address).c_str(), describe_call(before.call).c_str(), was_write ? "writes" : "reads",
           pipe_name(Pipe(pipe)), pipe_name(c.pipe), names[pipe], names[c.pipe]);
}

void line_conflict(const GmAccess& before, uintptr_t address) {
    report("gm-line-conflict", core->call, core->site,
           "writes a cache line of %u bytes (%s) in which core %d writes too (%s): the scalar unit writes lines back whole, so one write may be lost; give each core whole lines, or collect in UB and use DataCopyPad",
           gm_line_bytes, name_of(address).c_str(), before.core, describe_call(before.call).c_str());
}

// The accesses of one instruction to `bytes` bytes; `written`: what it puts there, if that is known.
void record(uintptr_t address, size_t bytes, bool write, const uint8_t* written) {
    Core& c = *core;
    bool atomic = write && c.atomic != Atomic::none && (c.pipe == pipe_mte3 || c.pipe == pipe_fix);
    uint32_t clock = c.hidden->clock[size_t(c.index)];
    uintptr_t end = address + bytes;
    while (address < end) {
        GmBlock& block = gm_block(address);
        uint32_t first = uint32_t(address & 31), count = uint32_t(std::min<uintptr_t>(32 - first, end - address));
        uint32_t mask = count >= 32 ? ~0u : ((1u << count) - 1) << first;
        bool same = written && !std::memcmp(reinterpret_cast<const void*>(address), written + (bytes - (end - address)), count);
        // Writes of which either order gives the same.
        auto commute = [&](const GmAccess& before) { return write && (same || (atomic && before.atomic)); };
        block.writes.each([&](GmAccess& before) {
            bool meets = before.bytes & mask;
            if (before.core == c.index) {
                if (!meets) return;
                bool in_order = before.pipe == c.pipe && (!write || !is_transfer(c.pipe) || commute(before));
                if (!in_order) order_within(before, address, true, write);
            } else if (!knows(before.core, before.clock)) {
                if (meets && !commute(before)) {
                    report(write ? "gm-write-conflict" : "gm-read-after-write", c.call, c.site,
                           write ? "writes GM at %s, which core %d writes too (%s), with no order between the two cores: give each core its own part, use SetAtomicAdd, or SyncAll between them"
                                 : "reads GM at %s, which core %d writes (%s), with no order between the two cores: SyncAll (or a flag between the cores) before the read",
                           name_of(address).c_str(), before.core, describe_call(before.call).c_str());
                } else if (!meets && write && c.pipe != pipe_s && before.pipe == pipe_s) {
                    line_conflict(before, address);
                }
            }
            if (!write && meets && before.dirty && c.pipe != pipe_s && before.core == c.index) {
                report("gm-cache", c.call, c.site, "reads GM at %s, where %s of this core lies in the scalar unit's cache still: DataCacheCleanAndInvalid after the scalar write",
                       name_of(address).c_str(), describe_call(before.call).c_str());
                before.dirty = false;
            }
        });
        if (write) {
            block.reads.each([&](GmAccess& before) {
                if (!(before.bytes & mask)) return;
                if (before.core == c.index) {
                    // A scalar read is over when the scalar unit goes on.
                    if (before.pipe != c.pipe && before.pipe != pipe_s) order_within(before, address, false, true);
                } else if (!knows(before.core, before.clock)) {
                    report("gm-write-after-read", c.call, c.site, "writes GM at %s, which core %d reads (%s), with no order between the two cores: SyncAll between them",
                           name_of(address).c_str(), before.core, describe_call(before.call).c_str());
                }
            });
        }
        uint32_t& ever = write ? block.ever_written : block.ever_read;
        (write ? c.counters.gm_distinct_written : c.counters.gm_distinct_read) += unsigned(__builtin_popcount(mask & ~ever));
        ever |= mask;
        if (!write) {
            uint64_t reader = uint64_t(1) << (unsigned(c.index) & 63);
            // What a core reads anew after another one has read counts once, too.
            uint32_t known = block.readers & reader ? ~0u : 0u;
            if (block.readers != 0 && block.last_reader == int(c.index)) known = block.last_read;
            c.counters.gm_core_read += unsigned(__builtin_popcount(mask & ~known));
            block.last_read = (block.last_reader == int(c.index) && block.readers != 0 ? block.last_read : 0u) | mask;
            block.last_reader = int(c.index);
            block.readers |= reader;
        }
        bool scalar_write = write && c.pipe == pipe_s;
        GmAccess access{c.call_id, clock, c.sequence, mask, c.index, uint8_t(c.pipe), atomic, scalar_write};
        auto ordered = [&](const GmAccess& before) {
            if (before.core != c.index) return knows(before.core, before.clock);
            return before.pipe == c.pipe || before.sequence <= c.seen[c.pipe][before.pipe];
        };
        if (write) {
            if (scalar_write) c.hidden->dirty.push_back(address);
            // Of a conflict, which is reported, the later one stays.
            block.writes.put(access, [&](const GmAccess& before) { return !commute(before) || ordered(before); });
            block.reads.each([&](GmAccess& before) { before.bytes &= ~mask; });
        } else {
            block.reads.put(access, ordered);
        }
        address += count;
    }
}

}  // namespace

namespace {
std::map<std::pair<int, int>, CrossFlag>& block_flags() {
    static auto* flags = new std::map<std::pair<int, int>, CrossFlag>();
    return *flags;
}
}  // namespace

void forget_gm_accesses() {
    pages().clear();
    block_flags().clear();
    last_page = nullptr;
}

void register_gm(void* pointer, size_t bytes, const char* name, size_t whole) {
    if (pointer) allocations()[uintptr_t(pointer)] = {bytes, std::max(bytes, whole), name ? name : ""};
}

void unregister_gm(void* pointer) { allocations().erase(uintptr_t(pointer)); }

bool raw_gm(const void* pointer, size_t bytes, bool write, uint64_t& place, uint64_t& size) {
    uintptr_t address = uintptr_t(pointer);
    auto after = allocations().upper_bound(address);
    if (after == allocations().begin()) return false;
    auto found = std::prev(after);
    size = found->second.bytes;
    place = address - found->first;
    if (place < size && bytes <= size - place) return true;
    // Beyond the room that was kept free after it, memory may be anybody's, as that of the model itself.
    if (place < found->second.whole) {
        report("gm-out-of-bounds", "a pointer", Site{"", 0}, "%s %zu bytes at byte %llu of a GM buffer of %llu bytes", write ? "writes" : "reads",
               bytes, (unsigned long long)place, (unsigned long long)size);
    }
    return false;
}

bool gm_access(const void* pointer, size_t bytes, bool write, const void* written) {
    uintptr_t address = uintptr_t(pointer);
    auto& all = allocations();
    if (!all.empty()) {
        static uintptr_t last_start, last_end;
        static size_t last_count;
        if (last_count != all.size() || address < last_start || address + bytes > last_end) {
            auto after = all.upper_bound(address);
            bool inside = false;
            if (after != all.begin()) {
                auto it = std::prev(after);
                if (address + bytes <= it->first + it->second.bytes) {
                    inside = true;
                    last_start = it->first;
                    last_end = it->first + it->second.bytes;
                    last_count = all.size();
                } else if (address < it->first + it->second.bytes || address - it->first < it->second.bytes + (1 << 20)) {
                    report("gm-out-of-bounds", core->call, core->site, "%s %zu bytes at byte %llu of a GM buffer%s%s of %zu bytes: lower the count of the last tile or use DataCopyPad",
                           write ? "writes" : "reads", bytes, (unsigned long long)(address - it->first), it->second.name.empty() ? "" : " ",
                           it->second.name.c_str(), it->second.bytes);
                    return false;
                }
            }
            if (!inside) {
                uintptr_t workspace = uintptr_t(system_workspace());
                if (address < workspace || address + bytes > workspace + (16 << 20)) {
                    report("gm-out-of-bounds", core->call, core->site, "%s %zu bytes at 0x%llx, which lies in no GM buffer", write ? "writes" : "reads", bytes,
                           (unsigned long long)address);
                    return false;
                }
            }
        }
    } else if (!pointer) {
        report("gm-out-of-bounds", core->call, core->site, "%s %zu bytes at a null pointer: SetGlobalBuffer was not called", write ? "writes" : "reads", bytes);
        return false;
    }
    if (write || core->pipe != pipe_s) {
        // Where a buffer lies differs from run to run.
        auto after = all.upper_bound(address);
        if (after != all.begin()) {
            auto place = std::prev(after);
            digest_number(address - place->first);
            digest_number(place->second.bytes);
        }
        digest_number(bytes << 1 | write);
        if (!write) digest_bytes(pointer, bytes);
        else if (written) digest_bytes(written, bytes);
    }
    record(address, bytes, write, static_cast<const uint8_t*>(written));
    return true;
}

void gm_scalar(const void* pointer, size_t bytes, const void* written, const char* call, Site site) {
    bool write = written != nullptr;
    begin(call, site, pipe_s, write ? 30 : 200);
    ++core->counters.scalar_gm;
    Atomic saved = core->atomic;
    core->atomic = Atomic::none;
    if (write) {
        // The whole line goes back to memory: another core that wrote in it, too, loses its bytes or brings back old ones.
        uintptr_t line = uintptr_t(pointer) / gm_line_bytes * gm_line_bytes;
        for (uintptr_t at = line; at < line + gm_line_bytes; at += 32) {
            bool said = false;
            gm_block(at).writes.each([&](GmAccess& before) {
                if (said || knows(before.core, before.clock)) return;
                line_conflict(before, uintptr_t(pointer));
                said = true;
            });
        }
    }
    bool fine = gm_access(pointer, bytes, write, written);
    core->atomic = saved;
    if (!fine) stop_core();
}

namespace {
void clean_block(uintptr_t address) {
    gm_block(address).writes.each([](GmAccess& write) { write.dirty = false; });
}
}  // namespace

void gm_clean(const void* pointer, size_t bytes, bool all) {
    if (all) {
        for (uintptr_t at : core->hidden->dirty) clean_block(at);
        core->hidden->dirty.clear();
        return;
    }
    uintptr_t line = uintptr_t(pointer) / gm_line_bytes * gm_line_bytes;
    for (uintptr_t at = line; at < uintptr_t(pointer) + bytes; at += 32) clean_block(at);
    clean_block(line + 32);
}

// ---- between cores ----------------------------------------------------------------------------

namespace {
void learn(const std::vector<uint32_t>& from) {
    auto& mine = core->hidden->clock;
    for (size_t i = 0; i < mine.size() && i < from.size(); ++i) mine[i] = std::max(mine[i], from[i]);
}
}  // namespace

void sync_all(Site site, uint64_t) {
    pipe_barrier(-1, site);
    core->call = "SyncAll";
    core->site = site;
    ++core->counters.core_syncs;
    Slot& mine = launch_now->slots[size_t(core->index)];
    uint64_t round = ++mine.barrier;
    mine.arrived[round & 1] = core->hidden->clock;
    mine.arrived_at[round & 1] = core->free_at[pipe_s];
    ++core->hidden->clock[size_t(core->index)];
    auto all_here = [&] {
        for (const Slot& each : launch_now->slots) {
            if (each.cube == core->cube && each.barrier < round) return false;
        }
        return true;
    };
    while (!all_here()) yield_core("SyncAll");
    double time = 0;
    for (const Slot& each : launch_now->slots) {
        if (each.cube != core->cube) continue;
        learn(each.arrived[round & 1]);
        time = std::max(time, each.arrived_at[round & 1]);
    }
    // 800 cycles: what an agreement of all cores costs, roughly.
    for (double& at : core->free_at) at = std::max(at, time) + 800;
}

void cross_core_set(int mode, Pipe pipe, int id, Site site) {
    core->call = "CrossCoreSetFlag";
    core->site = site;
    ++core->counters.syncs;
    unsigned vectors = launch_now->kind == CoreKind::mix_1_2 ? 2 : 1;
    unsigned same_kind = 0;
    for (const Slot& each : launch_now->slots) same_kind += each.cube == core->cube;
    for (Slot& each : launch_now->slots) {
        bool reached = mode == 0 ? each.cube == core->cube : each.block == core->block && (mode == 1) == (each.cube == core->cube);
        if (!reached) continue;
        CrossFlag& flag = each.cross[id];
        ++flag.count;
        // Mode 0 gathers all cores of a kind, mode 1 the vector cores of a group, mode 2 the other kind of the group.
        flag.need = mode == 0 ? same_kind : mode == 1 ? vectors : core->cube ? 1 : vectors;
        flag.clock.resize(launch_now->slots.size());
        for (size_t i = 0; i < flag.clock.size(); ++i) flag.clock[i] = std::max(flag.clock[i], core->hidden->clock[i]);
        flag.time = std::max(flag.time, core->free_at[pipe]);
    }
    ++core->hidden->clock[size_t(core->index)];
}

void cross_core_wait(int id, Pipe pipe, Site site) {
    core->call = "CrossCoreWaitFlag";
    core->site = site;
    ++core->counters.syncs;
    CrossFlag& flag = launch_now->slots[size_t(core->index)].cross[id];
    // A flag that only the other kind of core can set: the kernel is a mixed one.
    if (!flag.count) mixed_needed();
    while (!flag.need || flag.count < flag.need) yield_core("CrossCoreWaitFlag");
    flag.count -= flag.need;
    learn(flag.clock);
    core->free_at[pipe] = std::max(core->free_at[pipe], flag.time);
    ++core->counters.core_syncs;
}

void block_flag_set(int32_t block, int32_t event, Site site) {
    core->call = "IBSet";
    core->site = site;
    CrossFlag& flag = block_flags()[{block, event}];
    flag.count = 1;
    flag.clock = core->hidden->clock;
    flag.time = core->free_at[pipe_s];
    ++core->hidden->clock[size_t(core->index)];
    ++core->counters.syncs;
}

void block_flag_wait(int32_t block, int32_t event, Site site) {
    core->call = "IBWait";
    core->site = site;
    CrossFlag& flag = block_flags()[{block, event}];
    while (!flag.count) yield_core("IBWait");
    flag.count = 0;
    learn(flag.clock);
    ++core->counters.syncs;
    ++core->counters.core_syncs;
}

}  // namespace port_ascend
