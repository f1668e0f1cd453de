// Fetching and storing matrices for the Matmul object.

#include <port_ascend/matmul.h>

#include <algorithm>
#include <vector>

namespace port_ascend {

uint8_t* matrix_room(int which, size_t bytes) {
    static std::vector<uint8_t> rooms[5];
    auto& room = rooms[which < 0 || which > 4 ? 0 : which];
    if (room.size() < bytes) room.resize(bytes);
    return room.data();
}

namespace {

// Elements from the start of the matrix to one of its elements, in its own orientation.
uint64_t place(const MatrixView& view, uint64_t row, uint64_t column) {
    if (view.transposed) std::swap(row, column);
    if (!view.fractal) return row * view.stride + column;
    uint64_t c0 = 32 / view.element;
    return column / c0 * (view.lines * c0) + row * c0 + column % c0;
}

// Calls f(place, index of the first element, elements, step in the index) for each contiguous run.
template <typename F> bool runs(const MatrixView& view, uint64_t row, uint64_t column, uint64_t rows, uint64_t columns, F f) {
    uint64_t c0 = view.fractal ? 32 / view.element : ~uint64_t(0);
    // Runs go along the memory's lines: rows, or columns where it is transposed.
    uint64_t lines = view.transposed ? columns : rows, length = view.transposed ? rows : columns;
    for (uint64_t line = 0; line < lines; ++line) {
        for (uint64_t at = 0; at < length;) {
            uint64_t r = row + (view.transposed ? at : line), c = column + (view.transposed ? line : at);
            uint64_t along = view.transposed ? r : c, count = std::min(length - at, c0 == ~uint64_t(0) ? length : c0 - along % c0);
            uint64_t index = view.transposed ? at * columns + line : line * columns + at;
            if (!f(place(view, r, c), index, count, view.transposed ? columns : 1)) return false;
            at += count;
        }
    }
    return true;
}

}  // namespace

bool fetch_matrix(const char* call, Site site, const MatrixView& view, uint64_t row, uint64_t column, uint64_t rows, uint64_t columns, uint8_t* out) {
    bool gm = view.space == space_gm;
    begin(call, site, gm ? pipe_mte2 : pipe_mte3, 200 + double(rows * columns * view.element) / 64);
    uint64_t size = view.element;
    if (gm) core->counters.gm_to_l1 += rows * columns * size;
    else core->counters.ub_to_l1 += rows * columns * size;
    return runs(view, row, column, rows, columns, [&](uint64_t from, uint64_t index, uint64_t count, uint64_t step) {
        const uint8_t* source;
        if (gm) {
            source = view.gm + from * size;
            if (view.limit && source + count * size > view.limit) {
                report("gm-tensor-out-of-bounds", call, site, "reads %llu bytes past the length that SetGlobalBuffer was told: SetTail for the last block, or correct the shapes",
                       (unsigned long long)(source + count * size - view.limit));
                return false;
            }
            if (!gm_access(source, count * size, false)) return false;
        } else {
            uint64_t at = view.local.offset + from * size;
            if (!in_bounds(view.space, at, count * size, view.local.low, view.local.high, false)) return false;
            if (!touch_read(view.space, uint32_t(at), uint32_t(count * size))) uninitialised_use(view.space, uint32_t(at), uint32_t(count * size), "multiplies");
            source = core->memory[view.space] + at;
        }
        for (uint64_t i = 0; i < count; ++i) std::memcpy(out + (index + i * step) * size, source + i * size, size);
        return true;
    });
}

bool store_matrix(const char* call, Site site, const MatrixView& view, uint64_t row, uint64_t column, uint64_t rows, uint64_t columns, const uint8_t* in, const char* type,
                  Combine combine, bool add) {
    bool gm = view.space == space_gm;
    begin(call, site, gm ? pipe_fix : pipe_mte2, 200 + double(rows * columns * view.element) / 64);
    uint64_t size = view.element;
    core->counters.l0c_out += rows * columns * size;
    Atomic before = core->atomic;
    if (add) { core->atomic = Atomic::add; core->atomic_type = type; }
    bool fine = runs(view, row, column, rows, columns, [&](uint64_t to, uint64_t index, uint64_t count, uint64_t) {
        const uint8_t* source = in + index * size;
        if (gm) {
            uint8_t* target = const_cast<uint8_t*>(view.gm) + to * size;
            if (view.limit && target + count * size > view.limit) {
                report("gm-tensor-out-of-bounds", call, site, "writes %llu bytes past the length that SetGlobalBuffer was told: SetTail for the last block, or correct the shapes",
                       (unsigned long long)(target + count * size - view.limit));
                return false;
            }
            bool atomic = core->atomic != Atomic::none && combine;
            if (!gm_access(target, count * size, true, atomic ? nullptr : source)) return false;
            if (atomic) combine(target, source, count * size, core->atomic);
            else std::memcpy(target, source, count * size);
        } else {
            uint64_t at = view.local.offset + to * size;
            if (!in_bounds(view.space, at, count * size, view.local.low, view.local.high, true)) return false;
            touch_write(view.space, uint32_t(at), uint32_t(count * size));
            std::memcpy(core->memory[view.space] + at, source, count * size);
        }
        return true;
    });
    core->atomic = before;
    return fine;
}

void matrix_done(uint64_t macs) {
    core->counters.cube_macs += macs;
    // The call returns when the product is there.
    core->pipe = pipe_m;
    core->free_at[pipe_m] = std::max(core->free_at[pipe_m], core->free_at[pipe_mte2]) + double(macs) / 4096;
    core->busy[pipe_m] += double(macs) / 4096;
    pipe_barrier(-1, core->site);
}

}  // namespace port_ascend
