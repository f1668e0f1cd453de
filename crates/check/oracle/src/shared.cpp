// Shared memory by the executable's thread-local segment.

#include <link.h>

#include "shared.hpp"

// The dynamic shared memory, which every `extern __shared__` array of the text starts at. The
// runner defines it, beside those arrays, at the same address.
extern "C" thread_local char port_oracle_dynamic_shared[];
extern "C" const std::size_t port_oracle_dynamic_shared_capacity;

namespace port_oracle {

namespace {

constexpr std::size_t margin = 256;
constexpr unsigned char poison = 0xff;

struct Segment {
    char* begin = nullptr;
    char* end = nullptr;
};

int find_segment(dl_phdr_info* info, std::size_t, void* result) {
    // The first object is the executable.
    auto* segment = static_cast<Segment*>(result);
    for (int i = 0; i < info->dlpi_phnum; ++i) {
        if (info->dlpi_phdr[i].p_type == PT_TLS && info->dlpi_tls_data) {
            segment->begin = static_cast<char*>(info->dlpi_tls_data);
            segment->end = segment->begin + info->dlpi_phdr[i].p_memsz;
        }
    }
    return 1;
}

const Segment& segment() {
    static const Segment found = [] {
        Segment segment;
        dl_iterate_phdr(find_segment, &segment);
        return segment;
    }();
    return found;
}

std::size_t used(std::size_t dynamic_bytes) {
    std::size_t wanted = dynamic_bytes + margin, capacity = port_oracle_dynamic_shared_capacity;
    return wanted < capacity ? wanted : capacity;
}

// Calls `action(pointer, size)` for the parts of the segment that a launch uses.
template <class Action>
void for_parts(std::size_t dynamic_bytes, Action action) {
    char* dynamic = port_oracle_dynamic_shared;
    char* dynamic_end = dynamic + port_oracle_dynamic_shared_capacity;
    action(segment().begin, std::size_t(dynamic - segment().begin));
    action(dynamic, used(dynamic_bytes));
    action(dynamic_end, std::size_t(segment().end - dynamic_end));
}

}  // namespace

bool shared_fits(std::size_t dynamic_bytes) {
    return dynamic_bytes <= port_oracle_dynamic_shared_capacity - margin;
}

void poison_shared(std::size_t dynamic_bytes) {
    for_parts(dynamic_bytes,
              [](char* memory, std::size_t size) { std::memset(memory, poison, size); });
}

void check_shared(std::size_t dynamic_bytes, const char* kernel) {
    for (std::size_t i = dynamic_bytes; i < used(dynamic_bytes); ++i) {
        if (static_cast<unsigned char>(port_oracle_dynamic_shared[i]) != poison) {
            fail("shared-overflow",
                 "kernel %s writes byte %zu of its dynamic shared memory, which has %zu bytes",
                 kernel, i, dynamic_bytes);
        }
    }
}

void save_shared(std::size_t dynamic_bytes, std::vector<char>& to) {
    to.clear();
    for_parts(dynamic_bytes, [&](char* memory, std::size_t size) {
        to.insert(to.end(), memory, memory + size);
    });
}

void restore_shared(std::size_t dynamic_bytes, const std::vector<char>& from) {
    const char* saved = from.data();
    for_parts(dynamic_bytes, [&](char* memory, std::size_t size) {
        std::memcpy(memory, saved, size);
        saved += size;
    });
}

bool is_shared(const void* address) {
    return address >= segment().begin && address < segment().end;
}

char* dynamic_shared() { return port_oracle_dynamic_shared; }

}  // namespace port_oracle
