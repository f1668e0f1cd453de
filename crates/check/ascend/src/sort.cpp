// The order of sorted pairs.

#include <port_ascend/sort.h>

#include <algorithm>

namespace port_ascend {

void sort_down(Ranked* pairs, uint32_t count) {
    // NaN has no place in an order: it counts as the least.
    std::stable_sort(pairs, pairs + count, [](const Ranked& a, const Ranked& b) {
        if (a.score != a.score) return false;
        return b.score != b.score || a.score > b.score;
    });
}

}  // namespace port_ascend
