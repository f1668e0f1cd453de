// Tiling data: one structure for the host, which sets fields and saves them, and for the kernel, which reads them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#define BEGIN_TILING_DATA_DEF(name) \
    struct name {
#define TILING_DATA_FIELD_DEF(type, name)         \
    type name = {};                               \
    void set_##name(type value) { name = value; } \
    type get_##name() const { return name; }
#define TILING_DATA_FIELD_DEF_ARR(type, size, name)                               \
    type name[size] = {};                                                         \
    void set_##name(const type* values) { std::memcpy(name, values, sizeof name); } \
    type* get_##name() { return name; }
#define TILING_DATA_FIELD_DEF_STRUCT(type, name) type name;
#define END_TILING_DATA_DEF                                                                                            \
    size_t GetDataSize() const { return sizeof(*this); }                                                               \
    void SaveToBuffer(void* to, size_t capacity) const { std::memcpy(to, this, capacity < sizeof(*this) ? capacity : sizeof(*this)); } \
    }
#define REGISTER_TILING_DATA_CLASS(operation, name)
