// Random numbers in kernels: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as
// easy as 1, 2, 3", 2011) with the state and conversions of cuRAND's documentation: uniform values
// lie in (0, 1], normal ones come from Box and Muller's transform.
#pragma once

#include <cmath>

#include "core.hpp"

namespace port_oracle {

inline uint4 philox(uint4 counter, uint2 key) {
    for (int round = 0; round < 10; ++round) {
        const unsigned long long a = 0xD2511F53ull * counter.x, b = 0xCD9E8D57ull * counter.z;
        counter = make_uint4(unsigned(b >> 32) ^ counter.y ^ key.x, unsigned(b),
                             unsigned(a >> 32) ^ counter.w ^ key.y, unsigned(a));
        key.x += 0x9E3779B9u;
        key.y += 0xBB67AE85u;
    }
    return counter;
}

// Four numbers a step; the counter's upper half is the sequence, the lower half counts steps.
struct PhiloxState {
    uint4 counter;
    uint4 output;
    uint2 key;
    unsigned next;

    void start(unsigned long long seed, unsigned long long sequence, unsigned long long offset) {
        key = make_uint2(unsigned(seed), unsigned(seed >> 32));
        counter = make_uint4(0, 0, unsigned(sequence), unsigned(sequence >> 32));
        skip(offset / 4);
        next = unsigned(offset % 4);
        output = philox(counter, key);
    }
    void skip(unsigned long long steps) {
        unsigned long long low = (unsigned long long)counter.y << 32 | counter.x, old = low;
        low += steps;
        counter.x = unsigned(low);
        counter.y = unsigned(low >> 32);
        if (low < old && ++counter.z == 0) ++counter.w;
    }
    unsigned draw() {
        const unsigned values[4] = {output.x, output.y, output.z, output.w};
        unsigned value = values[next];
        if (++next == 4) {
            skip(1);
            output = philox(counter, key);
            next = 0;
        }
        return value;
    }
    uint4 draw4() {
        unsigned values[4];
        for (unsigned& value : values) value = draw();
        return make_uint4(values[0], values[1], values[2], values[3]);
    }
};

inline float unit(unsigned bits) { return float(bits) * 2.3283064e-10f + 2.3283064e-10f / 2; }
inline float2 normal_pair(unsigned a, unsigned b) {
    const float angle = float(b) * 2.3283064e-10f * 6.2831855f + 2.3283064e-10f * 6.2831855f / 2;
    const float size = sqrtf(-2.0f * logf(unit(a)));
    return make_float2(size * sinf(angle), size * cosf(angle));
}

}  // namespace port_oracle

#define PORT_ORACLE_RANDOM(prefix)                                                                 \
    struct prefix##StatePhilox4_32_10_t : port_oracle::PhiloxState {};                             \
    typedef prefix##StatePhilox4_32_10_t prefix##StatePhilox4_32_10;                               \
    inline void prefix##_init(unsigned long long seed, unsigned long long sequence,                \
                              unsigned long long offset, prefix##StatePhilox4_32_10_t* state) {    \
        state->start(seed, sequence, offset);                                                      \
    }                                                                                              \
    inline void skipahead(unsigned long long n, prefix##StatePhilox4_32_10_t* state) {             \
        for (; n % 4 != 0; --n) state->draw();                                                     \
        state->skip(n / 4);                                                                        \
        state->output = port_oracle::philox(state->counter, state->key);                           \
    }                                                                                              \
    inline unsigned prefix(prefix##StatePhilox4_32_10_t* state) { return state->draw(); }          \
    inline uint4 prefix##4(prefix##StatePhilox4_32_10_t* state) { return state->draw4(); }         \
    inline float prefix##_uniform(prefix##StatePhilox4_32_10_t* state) {                           \
        return port_oracle::unit(state->draw());                                                   \
    }                                                                                              \
    inline float4 prefix##_uniform4(prefix##StatePhilox4_32_10_t* state) {                         \
        uint4 v = state->draw4();                                                                  \
        return make_float4(port_oracle::unit(v.x), port_oracle::unit(v.y), port_oracle::unit(v.z), \
                           port_oracle::unit(v.w));                                                \
    }                                                                                              \
    inline float2 prefix##_normal2(prefix##StatePhilox4_32_10_t* state) {                          \
        unsigned a = state->draw(), b = state->draw();                                             \
        return port_oracle::normal_pair(a, b);                                                     \
    }                                                                                              \
    inline float4 prefix##_normal4(prefix##StatePhilox4_32_10_t* state) {                          \
        float2 a = prefix##_normal2(state), b = prefix##_normal2(state);                           \
        return make_float4(a.x, a.y, b.x, b.y);                                                    \
    }                                                                                              \
    inline float prefix##_normal(prefix##StatePhilox4_32_10_t* state) {                            \
        return prefix##_normal2(state).x;                                                          \
    }
