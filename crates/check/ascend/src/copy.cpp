// Transfers: which bytes go where, alignment and range rules, what they cost.

#include <port_ascend/copy.h>

#include <algorithm>

namespace port_ascend {
namespace {

// Cycles of a transfer: its start, and what a core gets of the memory's bandwidth. Not measured on a chip.
double transfer_cycles(const Pieces& pieces) {
    uint64_t length = std::max<uint64_t>(pieces.length, 64);
    return 200 + double(pieces.count) * (4 + double(length) / 32);
}

bool local_range(LocalPart part, const Pieces& pieces, uint64_t extra, bool write) {
    if (pieces.count == 0 || pieces.length == 0) return false;
    uint64_t bytes = (pieces.count - 1) * pieces.local_step + pieces.length + extra;
    return in_bounds(part.space, part.offset, bytes, part.low, part.high, write);
}

bool gm_inside(const uint8_t* gm, const uint8_t* limit, uint64_t bytes, bool write) {
    if (!limit || gm + bytes <= limit) return true;
    report("gm-tensor-out-of-bounds", core->call, core->site,
           "%s %llu bytes past the length that SetGlobalBuffer was told: lower the count of the last tile or use DataCopyPad",
           write ? "writes" : "reads", (unsigned long long)(gm + bytes - limit));
    return false;
}

}  // namespace

bool check_count(const char* call, Site site, uint64_t count, uint64_t most, const char* what) {
    if (most == 0) {
        if (count % block_bytes == 0) return true;
        report("unaligned-length", call, site, "%llu bytes are no multiple of %u: the rest is not copied; use DataCopyPad for the tail", (unsigned long long)count, block_bytes);
        return false;
    }
    if (count <= most) return true;
    report("parameter-range", call, site, "%s is %llu and can be %llu at most: copy in several steps", what, (unsigned long long)count, (unsigned long long)most);
    return false;
}

void copy_in(const char* call, Site site, LocalPart to, const uint8_t* gm, const uint8_t* limit, const Pieces& pieces, const Padding& padding) {
    begin(call, site, pipe_mte2, transfer_cycles(pieces));
    Core& c = *core;
    if (pieces.count == 0 || pieces.length == 0) return;
    ++c.counters.transfers;
    uint64_t total = pieces.count * pieces.length;
    if (to.space == space_l1) c.counters.gm_to_l1 += total;
    else c.counters.gm_to_ub += total;
    aligned(to.offset, block_bytes, "the destination");
    if (padding.left > 32 || padding.right > 32) {
        report("parameter-range", call, site, "paddings of %u and %u bytes: each can be 32 bytes at most", padding.left, padding.right);
        return;
    }
    uint64_t used = padding.left + pieces.length + padding.right, padded = padding.given ? (used + 31) / 32 * 32 : used;
    Pieces local = pieces;
    local.length = padded;
    if (!local_range(to, local, 0, true)) return;
    if (!gm_inside(gm, limit, (pieces.count - 1) * pieces.gm_step + pieces.length, false)) return;
    uint64_t fill = c.pad_value_set ? c.pad_value : 0;
    if (padding.fill) fill = padding.value;
    // Without a padding value the tail of a block gets the block's first element, where no padding was asked for.
    bool known = padding.fill || c.pad_value_set || (padding.left == 0 && padding.right == 0);
    for (uint32_t piece = 0; piece < pieces.count; ++piece) {
        const uint8_t* from = gm + piece * pieces.gm_step;
        uint32_t at = uint32_t(to.offset + piece * pieces.local_step);
        if (!gm_access(from, pieces.length, false)) return;
        if (known || padded == pieces.length) {
            touch_write(to.space, at, uint32_t(padded));
        } else {
            c.pending_uninitialised = true;
            c.pending_origin = c.call_id;
            touch_write(to.space, at, uint32_t(padded), false);
            set_initialised(to.space, at + padding.left, uint32_t(pieces.length), true);
        }
        uint8_t* target = c.memory[to.space] + at;
        std::memcpy(target + padding.left, from, pieces.length);
        if (padded == pieces.length) continue;
        if (!padding.fill && !c.pad_value_set) std::memcpy(&fill, from, std::min<uint64_t>(padding.size, 8));
        for (uint64_t i = 0; i < padded; ++i) {
            if (i == padding.left) i += pieces.length;
            if (i >= padded) break;
            uint64_t element = (i < padding.left ? i : i - padding.left - pieces.length) % padding.size;
            target[i] = uint8_t(fill >> (8 * element));
        }
    }
}

void copy_out(const char* call, Site site, uint8_t* gm, const uint8_t* limit, LocalPart from, const Pieces& pieces, const char* type, Combine combine) {
    begin(call, site, from.space == space_l0c ? pipe_fix : pipe_mte3, transfer_cycles(pieces));
    Core& c = *core;
    if (pieces.count == 0 || pieces.length == 0) return;
    ++c.counters.transfers;
    uint64_t total = pieces.count * pieces.length;
    if (from.space == space_l1) c.counters.l1_to_gm += total;
    else if (from.space == space_l0c) c.counters.l0c_out += total;
    else c.counters.ub_to_gm += total;
    aligned(from.offset, block_bytes, "the source");
    if (!local_range(from, pieces, 0, false)) return;
    if (!gm_inside(gm, limit, (pieces.count - 1) * pieces.gm_step + pieces.length, true)) return;
    Combine how = nullptr;
    if (c.atomic != Atomic::none) {
        c.counters.atomic_bytes += total;
        if (c.atomic_type && std::strcmp(c.atomic_type, type)) {
            report("atomic-type", call, site, "SetAtomic… was told %s, and the tensors are of %s", c.atomic_type, type);
        }
        how = combine;
    }
    for (uint32_t piece = 0; piece < pieces.count; ++piece) {
        uint8_t* to = gm + piece * pieces.gm_step;
        uint32_t at = uint32_t(from.offset + piece * pieces.local_step);
        if (!gm_access(to, pieces.length, true, how ? nullptr : c.memory[from.space] + at)) return;
        if (!touch_read(from.space, at, uint32_t(pieces.length))) {
            if (pieces.length % 32 == 0) uninitialised_blocks(from.space, at, uint32_t(pieces.length), "copies to GM");
            else uninitialised_use(from.space, at, uint32_t(pieces.length), "copies to GM");
        }
        const uint8_t* source = c.memory[from.space] + at;
        if (how) how(to, source, pieces.length, c.atomic);
        else std::memcpy(to, source, pieces.length);
    }
}

void copy_local(const char* call, Site site, LocalPart to, LocalPart from, uint32_t count, uint64_t length, uint64_t to_step, uint64_t from_step) {
    Pipe pipe = pipe_v;
    if (from.space == space_l1) pipe = to.space == space_fb ? pipe_fix : pipe_mte1;
    else if (from.space == space_l0c) pipe = to.space == space_ub ? pipe_v : pipe_fix;
    else if (to.space != space_ub) pipe = pipe_mte3;
    begin(call, site, pipe, 20 + double(count) * double(length) / 64);
    Core& c = *core;
    if (count == 0 || length == 0) return;
    ++c.counters.transfers;
    if (from.space == space_l1) c.counters.l1_to_l0 += count * length;
    else if (to.space == space_l1) c.counters.ub_to_l1 += count * length;
    else if (from.space == space_l0c) c.counters.l0c_out += count * length;
    else c.counters.ub_to_ub += count * length;
    aligned(to.offset, block_bytes, "the destination");
    aligned(from.offset, block_bytes, "the source");
    if (!local_range(to, {count, length, 0, to_step}, 0, true) || !local_range(from, {count, length, 0, from_step}, 0, false)) return;
    for (uint32_t piece = 0; piece < count; ++piece) {
        uint32_t source = uint32_t(from.offset + piece * from_step), target = uint32_t(to.offset + piece * to_step);
        c.pending_uninitialised = false;
        bool fine = touch_read(from.space, source, uint32_t(length));
        touch_write(to.space, target, uint32_t(length));
        if (!fine) {
            for (uint32_t i = 0; i < length; i += 1) {
                if (!is_initialised(from.space, source + i, 1)) set_initialised(to.space, target + i, 1, false);
            }
        }
        std::memmove(c.memory[to.space] + target, c.memory[from.space] + source, length);
    }
}

}  // namespace port_ascend
