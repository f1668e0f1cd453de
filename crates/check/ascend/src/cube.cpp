// Fractals on their way into the cube's memories.

#include <port_ascend/cube.h>

namespace port_ascend {

void load_fractals(Site site, LocalPart to, LocalPart from, const uint8_t* gm, const uint8_t* limit, uint32_t start, uint32_t repeats, uint32_t stride, uint32_t gap, bool transpose,
                   bool backwards, uint32_t size) {
    Core& c = *core;
    if (transpose && size != 2) {
        report("unsupported-type", c.call, site, "fractals are transposed on the way for elements of two bytes only");
        return;
    }
    aligned(to.offset, to.space == space_l1 ? 32 : 512, "the destination");
    for (uint32_t i = 0; i < repeats; ++i) {
        int64_t index = int64_t(start) + (backwards ? -int64_t(stride) : int64_t(stride)) * i;
        uint64_t target = to.offset + uint64_t(i) * (1 + gap) * 512;
        if (index < 0 || !in_bounds(to.space, target, 512, to.low, to.high, true)) return;
        uint8_t fractal[512];
        if (gm) {
            const uint8_t* source = gm + index * 512;
            if (limit && source + 512 > limit) {
                report("gm-tensor-out-of-bounds", c.call, site, "reads past the length that SetGlobalBuffer was told");
                return;
            }
            if (!gm_access(source, 512, false)) return;
            std::memcpy(fractal, source, 512);
            c.counters.gm_to_l1 += 512;
        } else {
            uint64_t source = from.offset + uint64_t(index) * 512;
            if (!in_bounds(from.space, source, 512, from.low, from.high, false)) return;
            if (!touch_read(from.space, uint32_t(source), 512)) uninitialised_use(from.space, uint32_t(source), 512, "loads");
            std::memcpy(fractal, c.memory[from.space] + source, 512);
            c.counters.l1_to_l0 += 512;
        }
        touch_write(to.space, uint32_t(target), 512);
        uint8_t* out = c.memory[to.space] + target;
        if (!transpose) {
            std::memcpy(out, fractal, 512);
            continue;
        }
        for (int row = 0; row < 16; ++row) for (int column = 0; column < 16; ++column) std::memcpy(out + (column * 16 + row) * 2, fractal + (row * 16 + column) * 2, 2);
    }
}

}  // namespace port_ascend
