// Which conversions 910B has, and their round modes: the table of the Cast page for Atlas A2.

#include <port_ascend/cast.h>

#include <string>

namespace port_ascend {
namespace {

constexpr uint32_t none = 1, rint = 2, floor_ = 4, ceil_ = 8, round_ = 16, trunc_ = 32, odd = 64;
constexpr uint32_t five = rint | floor_ | ceil_ | round_ | trunc_, all = five | none;

struct Pair { const char *from, *to; uint32_t modes; };
const Pair pairs[] = {
    {"int4b_t", "half", none},       {"int8_t", "half", none},         {"uint8_t", "half", none},     {"int16_t", "half", all},
    {"int16_t", "float", none},      {"half", "int4b_t", all},         {"half", "int8_t", all},       {"half", "uint8_t", all},
    {"half", "int16_t", five},       {"half", "int32_t", five},        {"half", "float", none},       {"bfloat16_t", "int32_t", five},
    {"bfloat16_t", "float", none},   {"int32_t", "int16_t", none},     {"int32_t", "half", ~0u},      {"int32_t", "float", all},
    {"int32_t", "int64_t", none},    {"float", "int16_t", five},       {"float", "half", all | odd},  {"float", "bfloat16_t", five},
    {"float", "int32_t", five},      {"float", "float", five},         {"float", "int64_t", five},    {"int64_t", "int32_t", none},
    {"int64_t", "float", five},
};
const char* const mode_names[] = {"CAST_NONE", "CAST_RINT", "CAST_FLOOR", "CAST_CEIL", "CAST_ROUND", "CAST_TRUNC", "CAST_ODD", "CAST_HYBRID"};

}  // namespace

uint32_t cast_modes(const char* from, const char* to) {
    for (const Pair& pair : pairs) if (!std::strcmp(pair.from, from) && !std::strcmp(pair.to, to)) return pair.modes;
    return 0;
}

void check_cast(const char* from, const char* to, AscendC::RoundMode mode, Site site) {
    uint32_t modes = cast_modes(from, to);
    if (!modes) {
        report("unsupported-type", "Cast", site, "910B has no conversion from %s to %s: go by way of float or half", from, to);
        return;
    }
    int number = int(mode);
    if (number >= 0 && number < 8 && (modes >> number & 1)) return;
    std::string names;
    for (int i = 0; i < 8; ++i) if (modes >> i & 1) names += (names.empty() ? "" : ", ") + std::string(mode_names[i]);
    report("round-mode", "Cast", site, "910B converts %s to %s with %s, not with %s", from, to, names.c_str(), number >= 0 && number < 8 ? mode_names[number] : "this mode");
}

}  // namespace port_ascend
