// Random numbers in kernels: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as
// easy as 1, 2, 3", 2011) and XORWOW (Marsaglia: "Xorshift RNGs", 2003; sequences lie 2^67 steps apart)
// with the state and conversions of cuRAND's documentation: uniform values lie in (0, 1], normal ones
// come from Box and Muller's transform, which gives two at a time: the second is kept for the next call.
#pragma once

#include <cmath>
#include <vector>

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

// 160 bits that a step maps linearly, and a counter. A jump is a product of the step's matrix with
// itself: a row for each bit, what that bit alone becomes.
struct XorwowBits {
    unsigned v[5];

    void step() {
        const unsigned t = v[0] ^ v[0] >> 2, last = v[4];
        for (int i = 0; i < 4; ++i) v[i] = v[i + 1];
        v[4] = last ^ last << 4 ^ t ^ t << 1;
    }
};
struct XorwowJump {
    XorwowBits rows[160];

    XorwowBits apply(const XorwowBits& from) const {
        XorwowBits to = {};
        for (int bit = 0; bit < 160; ++bit) {
            if (from.v[bit / 32] >> bit % 32 & 1) {
                for (int i = 0; i < 5; ++i) to.v[i] ^= rows[bit].v[i];
            }
        }
        return to;
    }
};
// The jump by 2^n steps.
inline const XorwowJump& xorwow_jump(int n) {
    static const std::vector<XorwowJump> jumps = [] {
        std::vector<XorwowJump> made(131);
        for (int bit = 0; bit < 160; ++bit) {
            XorwowBits& row = made[0].rows[bit] = {};
            row.v[bit / 32] = 1u << bit % 32;
            row.step();
        }
        for (std::size_t k = 1; k < made.size(); ++k) {
            for (int bit = 0; bit < 160; ++bit) {
                made[k].rows[bit] = made[k - 1].apply(made[k - 1].rows[bit]);
            }
        }
        return made;
    }();
    return jumps[std::size_t(n)];
}

struct XorwowState {
    XorwowBits bits;
    unsigned count;

    void start(unsigned long long seed, unsigned long long sequence, unsigned long long offset) {
        const unsigned a = 1099087573u * (unsigned(seed) ^ 0xaad26b49u);
        const unsigned b = 2591861531u * (unsigned(seed >> 32) ^ 0xf7dcefddu);
        count = 6615241u + a + b;
        bits = {{123456789u + a, 362436069u ^ a, 521288629u + b, 88675123u ^ b, 5783321u + a}};
        skip_sequences(sequence);
        skip(offset);
    }
    void skip(unsigned long long steps) {
        jump(steps, 0);
        count += 362437u * unsigned(steps);
    }
    // The counter comes round in less than a sequence.
    void skip_sequences(unsigned long long n) { jump(n, 67); }
    void jump(unsigned long long n, int first) {
        for (int bit = 0; n >> bit != 0; ++bit) {
            if (n >> bit & 1) bits = xorwow_jump(first + bit).apply(bits);
            if (bit == 63) break;
        }
    }
    unsigned draw() {
        bits.step();
        count += 362437u;
        return bits.v[4] + count;
    }
};

// A generator with the halves of pairs that were not asked for yet.
template <class Generator> struct RandomState : Generator {
    bool has_normal, has_double;
    float normal;
    double wide;

    void begin(unsigned long long seed, unsigned long long sequence, unsigned long long offset) {
        has_normal = has_double = false;
        normal = 0;
        wide = 0;
        this->start(seed, sequence, offset);
    }
};

inline float unit(unsigned bits) { return float(bits) * 2.3283064e-10f + 2.3283064e-10f / 2; }
inline float2 normal_pair(unsigned a, unsigned b) {
    const float angle = float(b) * 2.3283064e-10f * 6.2831855f + 2.3283064e-10f * 6.2831855f / 2;
    const float size = sqrtf(-2.0f * logf(unit(a)));
    return make_float2(size * sinf(angle), size * cosf(angle));
}

inline double wide_unit(unsigned a, unsigned b) {
    return double(a ^ (unsigned long long)(b) << 21) * 0x1p-53 + 0x1p-54;
}
inline double2 wide_normal_pair(const unsigned (&draws)[4]) {
    const double angle = wide_unit(draws[2], draws[3]) * 6.283185307179586;
    const double size = std::sqrt(-2.0 * std::log(wide_unit(draws[0], draws[1])));
    return make_double2(size * std::sin(angle), size * std::cos(angle));
}
template <class State> float next_normal(State* state) {
    if (state->has_normal) {
        state->has_normal = false;
        return state->normal;
    }
    const unsigned a = state->draw(), b = state->draw();
    const float2 pair = normal_pair(a, b);
    state->normal = pair.y;
    state->has_normal = true;
    return pair.x;
}
template <class State> double2 next_wide_normals(State* state) {
    unsigned draws[4];
    for (unsigned& draw : draws) draw = state->draw();
    return wide_normal_pair(draws);
}
template <class State> double next_wide_normal(State* state) {
    if (state->has_double) {
        state->has_double = false;
        return state->wide;
    }
    const double2 pair = next_wide_normals(state);
    state->wide = pair.y;
    state->has_double = true;
    return pair.x;
}

}  // namespace port_oracle

// What every state has.
#define PORT_ORACLE_RANDOM_STATE(prefix, State)                                                    \
    inline void prefix##_init(unsigned long long seed, unsigned long long sequence,                \
                              unsigned long long offset, State* state) {                           \
        state->begin(seed, sequence, offset);                                                      \
    }                                                                                              \
    inline unsigned prefix(State* state) { return state->draw(); }                                 \
    inline float prefix##_uniform(State* state) { return port_oracle::unit(state->draw()); }       \
    inline double prefix##_uniform_double(State* state) {                                          \
        const unsigned a = state->draw(), b = state->draw();                                       \
        return port_oracle::wide_unit(a, b);                                                       \
    }                                                                                              \
    inline float prefix##_normal(State* state) { return port_oracle::next_normal(state); }         \
    inline float2 prefix##_normal2(State* state) {                                                 \
        const unsigned a = state->draw(), b = state->draw();                                       \
        return port_oracle::normal_pair(a, b);                                                     \
    }                                                                                              \
    inline double prefix##_normal_double(State* state) {                                           \
        return port_oracle::next_wide_normal(state);                                               \
    }                                                                                              \
    inline double2 prefix##_normal2_double(State* state) {                                         \
        return port_oracle::next_wide_normals(state);                                              \
    }                                                                                              \
    inline float prefix##_log_normal(State* state, float mean, float deviation) {                  \
        return expf(mean + deviation * port_oracle::next_normal(state));                           \
    }                                                                                              \
    inline double prefix##_log_normal_double(State* state, double mean, double deviation) {        \
        return std::exp(mean + deviation * port_oracle::next_wide_normal(state));                  \
    }

#define PORT_ORACLE_RANDOM(prefix)                                                                 \
    struct prefix##StatePhilox4_32_10_t : port_oracle::RandomState<port_oracle::PhiloxState> {};   \
    typedef prefix##StatePhilox4_32_10_t prefix##StatePhilox4_32_10;                               \
    PORT_ORACLE_RANDOM_STATE(prefix, prefix##StatePhilox4_32_10_t)                                 \
    inline void skipahead(unsigned long long n, prefix##StatePhilox4_32_10_t* state) {             \
        for (; n % 4 != 0; --n) state->draw();                                                     \
        state->skip(n / 4);                                                                        \
        state->output = port_oracle::philox(state->counter, state->key);                           \
    }                                                                                              \
    inline uint4 prefix##4(prefix##StatePhilox4_32_10_t* state) { return state->draw4(); }         \
    inline float4 prefix##_uniform4(prefix##StatePhilox4_32_10_t* state) {                         \
        uint4 v = state->draw4();                                                                  \
        return make_float4(port_oracle::unit(v.x), port_oracle::unit(v.y), port_oracle::unit(v.z), \
                           port_oracle::unit(v.w));                                                \
    }                                                                                              \
    inline float4 prefix##_normal4(prefix##StatePhilox4_32_10_t* state) {                          \
        float2 a = prefix##_normal2(state), b = prefix##_normal2(state);                           \
        return make_float4(a.x, a.y, b.x, b.y);                                                    \
    }                                                                                              \
    struct prefix##StateXORWOW : port_oracle::RandomState<port_oracle::XorwowState> {};            \
    typedef prefix##StateXORWOW prefix##StateXORWOW_t;                                             \
    typedef prefix##StateXORWOW prefix##State_t;                                                   \
    typedef prefix##StateXORWOW prefix##State;                                                     \
    PORT_ORACLE_RANDOM_STATE(prefix, prefix##StateXORWOW)                                          \
    inline void skipahead(unsigned long long n, prefix##StateXORWOW* state) { state->skip(n); }    \
    inline void skipahead_sequence(unsigned long long n, prefix##StateXORWOW* state) {             \
        state->skip_sequences(n);                                                                  \
    }
