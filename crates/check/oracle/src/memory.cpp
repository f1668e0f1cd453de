// Device memory: each allocation has pages of its own, begins at a multiple of 256 bytes as
// cudaMalloc's do, ends within 255 bytes of an inaccessible page, and is filled with 0xff. The bytes
// between its end and that page are checked at the end of every launch and when it is freed.

#include <cstdint>
#include <cstdio>
#include <map>

#include <sys/mman.h>
#include <unistd.h>

#include <port_oracle/core.hpp>

#include "memory.hpp"

namespace port_oracle {

namespace {

constexpr unsigned char poison = 0xff;
constexpr unsigned char guard_fill = 0xa5;
constexpr std::size_t alignment = 256;

struct Allocation {
    char* start;          // what the user sees
    std::size_t bytes;
    std::size_t padded;   // bytes rounded up to the alignment: the guard page begins there
    char* mapping;
    std::size_t mapped;
    std::string name;
};

std::map<const char*, Allocation>& allocations() {
    static auto* map = new std::map<const char*, Allocation>;
    return *map;
}

void check(const Allocation& one) {
    for (std::size_t i = one.bytes; i < one.padded; ++i) {
        if (static_cast<unsigned char>(one.start[i]) != guard_fill) {
            fail("illegal-address", "byte %zu of %s, which has %zu bytes, was written", i,
                 one.name.c_str(), one.bytes);
        }
    }
}

const Allocation* find(const void* pointer) {
    auto& map = allocations();
    auto next = map.upper_bound(static_cast<const char*>(pointer));
    if (next == map.begin()) return nullptr;
    --next;
    return &next->second;
}

}  // namespace

std::size_t page_size() {
    static const auto size = std::size_t(sysconf(_SC_PAGESIZE));
    return size;
}

void* allocate(std::size_t bytes, const char* name) {
    std::size_t page = page_size();
    std::size_t padded = bytes == 0 ? alignment : (bytes + alignment - 1) / alignment * alignment;
    std::size_t body = (padded + page - 1) / page * page;
    if (bytes > SIZE_MAX / 2) return nullptr;
    void* memory = mmap(nullptr, body + 2 * page, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return nullptr;
    auto* mapping = static_cast<char*>(memory);
    mprotect(mapping, page, PROT_NONE);
    mprotect(mapping + page + body, page, PROT_NONE);
    char* start = mapping + page + body - padded;
    std::memset(start, poison, bytes);
    std::memset(start + bytes, guard_fill, padded - bytes);
    static unsigned count = 0;
    ++count;
    std::string label = name && *name ? std::string("`") + name + "`"
                                      : "allocation " + std::to_string(count);
    allocations()[start] = Allocation{start, bytes, padded, mapping, body + 2 * page, label};
    return start;
}

bool release(void* pointer) {
    auto& map = allocations();
    auto found = map.find(static_cast<const char*>(pointer));
    if (found == map.end()) return false;
    check(found->second);
    munmap(found->second.mapping, found->second.mapped);
    map.erase(found);
    return true;
}

std::size_t allocation_size(const void* pointer, const void** base) {
    const Allocation* one = find(pointer);
    if (!one || static_cast<const char*>(pointer) >= one->start + one->bytes) return 0;
    if (base) *base = one->start;
    return one->bytes;
}

void check_guards() {
    for (const auto& entry : allocations()) check(entry.second);
}

std::string describe_address(const void* address) {
    auto* place = static_cast<const char*>(address);
    char text[256];
    if (place < reinterpret_cast<const char*>(65536)) {
        snprintf(text, sizeof text, "access to address %p, near null", address);
        return text;
    }
    const Allocation* before = find(address);
    if (before && place < before->mapping + before->mapped) {
        snprintf(text, sizeof text, "access %zu bytes past the end of %s (%zu bytes)",
                 std::size_t(place - (before->start + before->bytes)), before->name.c_str(),
                 before->bytes);
        return text;
    }
    auto after = allocations().upper_bound(place);
    if (after != allocations().end() && place >= after->second.mapping) {
        snprintf(text, sizeof text, "access %zu bytes before %s",
                 std::size_t(after->second.start - place), after->second.name.c_str());
        return text;
    }
    snprintf(text, sizeof text, "access to address %p, outside every allocation", address);
    return text;
}

}  // namespace port_oracle
