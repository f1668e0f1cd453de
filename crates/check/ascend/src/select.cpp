// Rules of comparisons.

#include <port_ascend/select.h>

namespace port_ascend {

bool whole_repeats(const char* call, Site site, uint32_t count, uint32_t size) {
    if (uint64_t(count) * size % repeat_bytes == 0) return true;
    report("unaligned-length", call, site, "%u elements of %u bytes are no multiple of %u bytes: the rest is not compared; round the count up and give the tensors room", count, size,
           repeat_bytes);
    return false;
}

}  // namespace port_ascend
