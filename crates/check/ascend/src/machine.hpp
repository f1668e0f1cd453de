// What the sources of the machine share and the headers for kernels need not see.
#pragma once

#include <port_ascend/core.h>

#include <cstdio>
#include <map>
#include <string>
#include <ucontext.h>
#include <unordered_map>
#include <vector>

namespace port_ascend {

struct Interval { double start, end; };

struct CrossFlag { unsigned count, need; std::vector<uint32_t> clock; double time; };

// Parts of a core that only the machine's sources use.
struct Hidden {
    ucontext_t context;
    char* stack;
    bool started, finished;
    std::vector<uint32_t> calls[pipe_count];     // call of each instruction, by its number
    std::vector<Interval> busy[pipe_count];
    std::vector<uint32_t> clock;                 // of the cores: what this core knows of each
    std::vector<QueueBuffer> buffers;
    std::vector<uintptr_t> dirty;                // lines of GM that its scalar unit wrote and did not clean
    uint32_t allocated[space_count];
    struct Flag { int count; Clock clock; uint32_t call; } flags[pipe_count][pipe_count][8];
    bool event_taken[pipe_count][pipe_count][8];
    bool waiting;
    std::string waits_for;
};

struct CallSite { const char* call; Site site; };
const CallSite& call_site(uint32_t id);
std::string describe_call(uint32_t id);

// A core of a launch: its memory exists from its start to its end only, what others ask of it always.
struct Slot {
    int block, sub;
    bool cube, finished;
    Core* core;
    std::map<int, CrossFlag> cross;    // flags that were set for it, by id
    uint64_t barrier;                  // how many SyncAll it has come to
    std::vector<uint32_t> arrived[2];  // what it knew at the last two of them
    double arrived_at[2];
};

struct Launch {
    std::string kernel;
    uint32_t blocks;
    CoreKind kind;
    std::vector<Slot> slots;
    Counters counters;
    double cycles, busy[pipe_count], overlapped, moving;
};
extern Launch* launch_now;

// All instructions that were executed, where they read and write, and what they read, without what the scalar unit
// only reads: two programs whose digests agree do the same to memory.
uint64_t digest();
void digest_number(uint64_t value);
// A part of the digest that does not depend on the order of the parts: `now` takes the place of `before`.
void digest_unordered(uint64_t before, uint64_t now);
void digest_bytes(const void* data, size_t bytes);
// An access through a raw pointer. Whether it lies in an allocation, at which place of one of which size.
bool raw_gm(const void* pointer, size_t bytes, bool write, uint64_t& place, uint64_t& size);

// Pipes whose instructions are transfers between memories.
inline bool is_transfer(Pipe pipe) { return pipe == pipe_mte1 || pipe == pipe_mte2 || pipe == pipe_mte3 || pipe == pipe_fix; }

void yield_core(const char* why);
void finish_core(Launch& launch, const Core& core);  // its counters into the launch's
void finish_launch(Launch& launch);                  // the launch's counters and estimates into the report
void forget_gm_accesses();
bool auto_sync();

}  // namespace port_ascend
