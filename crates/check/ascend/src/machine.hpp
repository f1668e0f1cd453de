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
    uint32_t allocated[space_count];
    struct Flag { int count; Clock clock; uint32_t call; } flags[pipe_count][pipe_count][8];
    bool event_taken[pipe_count][pipe_count][8];
    std::map<int, CrossFlag> cross;              // flags of this core's group, by id
    uint64_t barrier;                            // how many SyncAll it has come to
    std::vector<uint32_t> arrived[2];            // its knowledge at the last two of them
    double arrived_at[2];
    bool waiting;
    std::string waits_for;
};

struct CallSite { const char* call; Site site; };
const CallSite& call_site(uint32_t id);
std::string describe_call(uint32_t id);

struct Launch {
    std::string kernel;
    uint32_t blocks;
    CoreKind kind;
    std::vector<Core*> cores;
    uint64_t barriers;
};
extern Launch* launch_now;

void yield_core(const char* why);
void finish_launch(Launch& launch);   // counters and estimates into the report
void forget_gm_accesses();
bool auto_sync();
void reset_local(Core* core);

}  // namespace port_ascend
