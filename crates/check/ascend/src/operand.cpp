// Walks of vector instructions: the rules of their masks, repeats, addresses and bounds, and their shadow accesses.

#include <port_ascend/operand.h>

#include <algorithm>

namespace port_ascend {

Shape shape_of_count(int64_t count, uint32_t size) {
    Shape shape{};
    shape.counted = true;
    shape.lanes = repeat_bytes / size;
    if (count < 0) count = 0;
    if (count > 1 << 22) count = 1 << 22;  // far beyond any local memory: bounds reports it
    shape.count = uint32_t(count);
    shape.repeats = (shape.count + shape.lanes - 1) / shape.lanes;
    return shape;
}

Shape shape_of_mask(uint64_t mask, const uint64_t* list, bool set, int64_t repeats, uint32_t size) {
    Shape shape{};
    shape.lanes = repeat_bytes / size;
    if (shape.lanes > 128) shape.lanes = 128;
    shape.repeats = uint32_t(std::clamp<int64_t>(repeats, 0, 1 << 20));
    if (!core) return shape;
    if (!set && core->mask_counter) {
        shape.counted = true;
        shape.count = uint32_t(core->mask[0]);
        shape.repeats = (shape.count + shape.lanes - 1) / shape.lanes;
        return shape;
    }
    if (!set) list = core->mask;
    if (list) {
        shape.mask[0] = list[0];
        shape.mask[1] = shape.lanes > 64 ? list[1] : 0;
    } else {
        uint64_t lanes = std::min<uint64_t>(mask, shape.lanes);
        shape.mask[0] = lanes >= 64 ? ~uint64_t(0) : (uint64_t(1) << lanes) - 1;
        shape.mask[1] = lanes > 64 ? (lanes >= 128 ? ~uint64_t(0) : (uint64_t(1) << (lanes - 64)) - 1) : 0;
        // Kept for the report of begin_vector: a mask of more lanes than a repeat has.
        if (mask > shape.lanes) shape.count = uint32_t(std::min<uint64_t>(mask + 1, 1 << 20));
    }
    return shape;
}

uint8_t* lane_flags() {
    static uint8_t flags[1 << 22];
    return flags;
}

void begin_vector(const char* call, Site site, const Shape& shape, double per_repeat) {
    begin(call, site, pipe_v, 16 + per_repeat * shape.repeats);
    Core& c = *core;
    if (c.cube) report("wrong-core", call, site, "a cube core has no vector unit: guard this with ASCEND_IS_AIV");
    ++c.counters.vector_instructions;
    c.counters.vector_repeats += shape.repeats;
    c.counters.vector_lanes_possible += uint64_t(shape.repeats) * shape.lanes;
    c.counters.vector_lanes += shape.counted ? shape.count
        : uint64_t(shape.repeats) * uint64_t(__builtin_popcountll(shape.mask[0]) + __builtin_popcountll(shape.mask[1]));
    if (shape.counted) return;
    if (shape.count) report("parameter-range", call, site, "mask is %u and can be 0 to %u here", shape.count - 1, shape.lanes);
    if (shape.repeats > max_repeat && !shape.many) report("parameter-range", call, site, "repeatTime is %u and can be %u at most: work in several instructions", shape.repeats, max_repeat);
}

namespace {

// Calls f(offset, bytes) for each contiguous run of active lanes.
template <typename F> void each_run(const Operand& o, const Shape& s, F f) {
    if (s.counted && o.whole) {
        if (s.count) f(o.offset, s.count * o.size);
        return;
    }
    uint32_t per = 32 / o.size;
    for (uint32_t repeat = 0; repeat < s.repeats; ++repeat) {
        for (uint32_t lane = 0; lane < s.lanes; lane += per) {
            // Most blocks are whole.
            uint32_t first = lane;
            while (first < lane + per && first < s.lanes) {
                if (!lane_on(s, repeat, first)) { ++first; continue; }
                uint32_t last = first;
                while (last < lane + per && last < s.lanes && lane_on(s, repeat, last)) ++last;
                f(lane_at(o, s, repeat, first), (last - first) * o.size);
                first = last;
            }
        }
    }
}

}  // namespace

bool check_operand(const Operand& o, const Shape& s, bool write, const char* name) {
    if (s.repeats == 0) return true;
    if (o.space != space_ub) {
        report("wrong-position", core->call, core->site, "%s is not in UB, and the vector unit reaches no other memory", name);
        return false;
    }
    if (o.offset % block_bytes) aligned(o.offset, block_bytes, name);
    uint64_t low = ~uint64_t(0), high = 0;
    if (s.counted && o.whole) {
        low = o.offset;
        high = uint64_t(o.offset) + uint64_t(s.count) * o.size;
    } else {
        uint32_t first = s.lanes, last = 0;
        if (s.counted) { first = 0; last = std::min(s.count, s.lanes) - 1; }
        else for (uint32_t lane = 0; lane < s.lanes; ++lane) if (lane_on(s, 0, lane)) { first = std::min(first, lane); last = lane; }
        if (first == s.lanes) return true;
        uint32_t per = o.whole ? 1 : 32 / o.size;
        (void)per;
        uint64_t repeat_span = o.whole ? uint64_t(s.lanes) * o.size : o.repeat_step;
        low = lane_at(o, s, 0, first);
        high = uint64_t(lane_at(o, s, 0, last)) + o.size + (s.repeats - 1) * repeat_span;
        if (s.counted) {
            uint32_t rest = (s.count - 1) % s.lanes;
            high = uint64_t(lane_at(o, s, 0, rest)) + o.size + (s.repeats - 1) * repeat_span;
        }
    }
    return in_bounds(o.space, low, high - low, o.low, o.high, write);
}

bool read_operand(const Operand& o, const Shape& s) {
    bool initialised = true;
    each_run(o, s, [&](uint32_t offset, uint32_t bytes) { initialised &= touch_read(o.space, offset, bytes); });
    return initialised;
}

void write_operand(const Operand& o, const Shape& s) {
    each_run(o, s, [&](uint32_t offset, uint32_t bytes) { touch_write(o.space, offset, bytes); });
}

void use_operand(const Operand& o, const Shape& s, const char* what) {
    each_run(o, s, [&](uint32_t offset, uint32_t bytes) {
        if (!touch_read(o.space, offset, bytes)) uninitialised_use(o.space, offset, bytes, what);
    });
}

}  // namespace port_ascend
