// The machine under the API: cores with their pipes and local memories, the shadow of every local byte (who wrote it,
// who read it, whether it was ever written), global memory's allocations, counters, the report. The functions are in
// src/core.cpp; nothing here is a template.
#pragma once

#include <cstddef>
#include <cstdint>
#include <port_ascend/types.h>

namespace port_ascend {

// Where in the kernel's source a call stands. `Site::here()` as a default argument is the caller's place.
struct Site {
    const char* file;
    int line;
    static constexpr Site here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
        return Site{file, line};
    }
};

enum Pipe : uint8_t { pipe_s, pipe_v, pipe_m, pipe_mte1, pipe_mte2, pipe_mte3, pipe_fix, pipe_count };
enum Space : uint8_t { space_ub, space_l1, space_l0a, space_l0b, space_l0c, space_bt, space_fb, space_count, space_gm };

constexpr uint32_t block_bytes = 32;      // a data block: the unit of alignment of local memory
constexpr uint32_t repeat_bytes = 256;    // what a vector instruction handles at once
constexpr uint32_t max_repeat = 255;
constexpr uint32_t gm_line_bytes = 64;    // the scalar unit's data cache writes back whole lines

// What all pipes had finished at a point of a core's program.
struct Clock { uint32_t seen[pipe_count]; double time; };

// A data block of local memory.
struct BlockShadow {
    uint32_t written[pipe_count], read[pipe_count];            // number of the pipe's last instruction that did it
    uint32_t written_bytes[pipe_count], read_bytes[pipe_count];  // which of the 32 bytes
    uint32_t initialised;  // a bit a byte
    uint32_t origin;       // call that left uninitialised bytes here by computing with such; 0 = never written
};

struct Counters {
    uint64_t gm_to_ub, ub_to_gm, gm_to_l1, l1_to_gm, ub_to_ub, ub_to_l1, l1_to_l0, l0c_out;  // bytes
    // Bytes of GM that are read or written at least once; of what is read, once for each core that does.
    uint64_t gm_distinct_read, gm_distinct_written, gm_core_read;
    uint64_t transfers, vector_instructions, vector_repeats, vector_lanes, vector_lanes_possible;
    uint64_t scalar_gm, scalar_ub, cube_macs, syncs, auto_syncs, core_syncs, atomic_bytes, ub_peak, l1_peak;
};

enum class Atomic : uint8_t { none, add, max, min };

struct QueueBuffer {
    uint32_t offset, bytes;
    uint8_t space, state;  // 0 free, 1 allocated, 2 queued, 3 dequeued
    bool was_freed, was_queued;
    Clock freed, queued;
    uint32_t call;         // the AllocTensor
};

struct Core {
    int index, block, sub, blocks;
    bool cube;
    uint8_t* memory[space_count];
    BlockShadow* shadow[space_count];
    uint32_t capacity[space_count];
    uint32_t issued[pipe_count];
    uint32_t seen[pipe_count][pipe_count];
    double free_at[pipe_count], busy[pipe_count];
    uint64_t mask[2];
    bool mask_counter;
    Atomic atomic;
    const char* atomic_type;
    uint64_t pad_value;
    bool pad_value_set;
    float deq_scale;
    // The instruction that runs now.
    const char* call;
    Site site;
    Pipe pipe;
    uint32_t call_id, sequence;
    bool pending_uninitialised;
    uint32_t pending_origin;
    Counters counters;
    uint64_t compare_mask[2];
    uint64_t sort_counts;
    uint64_t gathered;
    double reduce_sum;
    uint64_t reduce_pair[2];
    bool hardware_loop;
    void* pipe_object;  // the TPipe in force
    struct Hidden* hidden;
};

extern Core* core;  // the core that runs now

// ---- report -----------------------------------------------------------------------------------
void report(const char* rule, const char* call, Site site, const char* format, ...)
    __attribute__((format(printf, 4, 5)));
[[noreturn]] void stop_core();  // after an error with no way on: the core ends
uint32_t call_id(const char* call, Site site);

// ---- global memory ----------------------------------------------------------------------------
// `whole`: up to where the memory behind the pointer holds nothing else, if that is beyond `bytes`.
void register_gm(void* pointer, size_t bytes, const char* name = "", size_t whole = 0);
void unregister_gm(void* pointer);
// Checks an access of the running instruction; false: do not do it.
// `written`: what it writes. Two writes of the same bytes do not disturb one another.
bool gm_access(const void* pointer, size_t bytes, bool write, const void* written = nullptr);
void gm_scalar(const void* pointer, size_t bytes, const void* written, const char* call, Site site);  // `written` null: a read
void gm_clean(const void* pointer, size_t bytes, bool all);

// ---- instructions -----------------------------------------------------------------------------
// A new instruction of a pipe starts; `cycles` is its estimated length. Needs a running kernel.
void begin(const char* call, Site site, Pipe pipe, double cycles);
void add_cycles(double cycles);
// Local memory accesses of the instruction. They check bounds of the memory, order against other pipes, and, for reads,
// whether the bytes were ever written (the answer). `limit`: end of the tensor's bytes; 0 = unknown.
bool touch_read(Space space, uint32_t offset, uint32_t bytes);
void touch_write(Space space, uint32_t offset, uint32_t bytes, bool initialised = true);
bool in_bounds(Space space, uint64_t offset, uint64_t bytes, uint64_t low, uint64_t high, bool write);
bool aligned(uint64_t offset, uint32_t to, const char* what);
bool is_initialised(Space space, uint32_t offset, uint32_t bytes);
void set_initialised(Space space, uint32_t offset, uint32_t bytes, bool yes);
void leave_unwritten(Space space, uint32_t offset, uint32_t bytes);  // newly allocated: neither written nor a number
// Reports a use of uninitialised bytes that matters (they leave the core, or decide something).
void uninitialised_use(Space space, uint32_t offset, uint32_t bytes, const char* what);
// The same for whole data blocks: beside written bytes the rest of a block may be unwritten, as lengths are whole blocks.
void uninitialised_blocks(Space space, uint32_t offset, uint32_t bytes, const char* what);
void unsupported_type(const char* call, Site site, const char* type, const char* supported);
// A scalar access to local memory.
bool scalar_local(Space space, uint64_t offset, uint32_t bytes, uint64_t low, uint64_t high, bool write,
                  const char* call, Site site);

// ---- order ------------------------------------------------------------------------------------
Clock clock_of(Pipe pipe);
void wait_clock(Pipe pipe, const Clock& clock);
void set_flag(Pipe from, Pipe to, int id, Site site);
void wait_flag(Pipe from, Pipe to, int id, Site site);
void pipe_barrier(int pipe, Site site);  // -1: all
void sync_all(Site site, uint64_t members);
void cross_core_set(int mode, Pipe pipe, int id, Site site);
void cross_core_wait(int id, Pipe pipe, Site site);
void block_flag_set(int32_t block, int32_t event, Site site);
void block_flag_wait(int32_t block, int32_t event, Site site);
int fetch_event(Pipe from, Pipe to, bool keep, Site site);
void release_event(Pipe from, Pipe to, int id);
Pipe pipe_of(int number);
const char* pipe_name(Pipe pipe);

// ---- buffers ----------------------------------------------------------------------------------
void pipe_start();
void pipe_reset();
uint32_t allocate(Space space, uint32_t bytes, const char* call, Site site);
int queue_buffer(Space space, uint32_t offset, uint32_t bytes);
QueueBuffer& queue_buffer_at(int index);
uint32_t allocated(Space space);
void set_allocated(Space space, uint32_t bytes);

// ---- launches ---------------------------------------------------------------------------------
enum class CoreKind : uint8_t { automatic, vector, cube, mix_1_0, mix_0_1, mix_1_1, mix_1_2 };
void run_kernel(const char* name, const void* address, uint32_t blocks, void (*body)(void*), void* argument);
void set_core_kind(CoreKind kind);  // from inside a kernel: starts it again where the cores differ
void cube_needed();                 // a cube instruction on a vector core: the kernel is a cube kernel
void mixed_needed();                // products asked for by vector cores: a kernel of no stated kind is a mixed one, 1 to 2
int core_ratio();
// Threads of the 950: the kernel whose threads run, the bound of a kernel (0: none is known), a launch of them.
extern const char* thread_kernel;
uint32_t thread_bound(const void* kernel);
void count_thread_launch(const char* name, uint32_t blocks);
uint64_t system_cycle();
void* system_workspace();
void* user_workspace(void* workspace);

}  // namespace port_ascend
