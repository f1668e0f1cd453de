// cuRAND's generators on the host, of the default kind (XORWOW): number n of a generator is number
// n / 4096 of sequence n mod 4096, as the documentation has it. Normal numbers come in pairs.
#pragma once
#include "cuda_runtime.h"

#include <vector>

#include "curand_kernel.h"

enum curandStatus {
    CURAND_STATUS_SUCCESS = 0,
    CURAND_STATUS_VERSION_MISMATCH = 100,
    CURAND_STATUS_NOT_INITIALIZED = 101,
    CURAND_STATUS_ALLOCATION_FAILED = 102,
    CURAND_STATUS_TYPE_ERROR = 103,
    CURAND_STATUS_OUT_OF_RANGE = 104,
    CURAND_STATUS_LENGTH_NOT_MULTIPLE = 105,
    CURAND_STATUS_DOUBLE_PRECISION_REQUIRED = 106,
    CURAND_STATUS_LAUNCH_FAILURE = 201,
    CURAND_STATUS_PREEXISTING_FAILURE = 202,
    CURAND_STATUS_INITIALIZATION_FAILED = 203,
    CURAND_STATUS_ARCH_MISMATCH = 204,
    CURAND_STATUS_INTERNAL_ERROR = 999
};
typedef curandStatus curandStatus_t;
enum curandRngType {
    CURAND_RNG_TEST = 0,
    CURAND_RNG_PSEUDO_DEFAULT = 100,
    CURAND_RNG_PSEUDO_XORWOW = 101
};
typedef curandRngType curandRngType_t;

struct curandPortGenerator {
    unsigned long long seed = 0, offset = 0, done = 0;
    std::vector<curandStateXORWOW> sequences;

    unsigned draw() {
        constexpr unsigned long long count = 4096;
        if (sequences.empty()) {
            done = offset;
            for (unsigned long long i = 0; i < count; ++i) {
                // What is left out at the beginning.
                const unsigned long long skipped = offset / count + (i < offset % count);
                curandStateXORWOW state;
                curand_init(seed, i, skipped, &state);
                sequences.push_back(state);
            }
        }
        return curand(&sequences[std::size_t(done++ % count)]);
    }
    void begin_again() { sequences.clear(); }
};
typedef curandPortGenerator* curandGenerator_t;

inline curandStatus_t curandCreateGenerator(curandGenerator_t* generator, curandRngType_t type) {
    if (type != CURAND_RNG_PSEUDO_DEFAULT && type != CURAND_RNG_PSEUDO_XORWOW) {
        return CURAND_STATUS_TYPE_ERROR;
    }
    *generator = new curandPortGenerator;
    return CURAND_STATUS_SUCCESS;
}
inline curandStatus_t curandCreateGeneratorHost(curandGenerator_t* generator, curandRngType_t type) {
    return curandCreateGenerator(generator, type);
}
inline curandStatus_t curandDestroyGenerator(curandGenerator_t generator) {
    delete generator;
    return CURAND_STATUS_SUCCESS;
}
inline curandStatus_t curandSetPseudoRandomGeneratorSeed(curandGenerator_t generator,
                                                         unsigned long long seed) {
    generator->seed = seed;
    generator->begin_again();
    return CURAND_STATUS_SUCCESS;
}
inline curandStatus_t curandSetGeneratorOffset(curandGenerator_t generator,
                                               unsigned long long offset) {
    generator->offset = offset;
    generator->begin_again();
    return CURAND_STATUS_SUCCESS;
}
inline curandStatus_t curandSetStream(curandGenerator_t, cudaStream_t) {
    return CURAND_STATUS_SUCCESS;
}
inline curandStatus_t curandGenerateSeeds(curandGenerator_t) { return CURAND_STATUS_SUCCESS; }
inline curandStatus_t curandGenerate(curandGenerator_t generator, unsigned* to, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) to[i] = generator->draw();
    return CURAND_STATUS_SUCCESS;
}
inline curandStatus_t curandGenerateUniform(curandGenerator_t generator, float* to,
                                            std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) to[i] = port_oracle::unit(generator->draw());
    return CURAND_STATUS_SUCCESS;
}
inline curandStatus_t curandGenerateUniformDouble(curandGenerator_t generator, double* to,
                                                  std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const unsigned a = generator->draw(), b = generator->draw();
        to[i] = port_oracle::wide_unit(a, b);
    }
    return CURAND_STATUS_SUCCESS;
}
inline curandStatus_t curandGenerateNormal(curandGenerator_t generator, float* to, std::size_t count,
                                           float mean, float deviation) {
    if (count % 2 != 0) return CURAND_STATUS_LENGTH_NOT_MULTIPLE;
    for (std::size_t i = 0; i < count; i += 2) {
        const unsigned a = generator->draw(), b = generator->draw();
        const float2 pair = port_oracle::normal_pair(a, b);
        to[i] = mean + deviation * pair.x;
        to[i + 1] = mean + deviation * pair.y;
    }
    return CURAND_STATUS_SUCCESS;
}
inline curandStatus_t curandGenerateNormalDouble(curandGenerator_t generator, double* to,
                                                 std::size_t count, double mean, double deviation) {
    if (count % 2 != 0) return CURAND_STATUS_LENGTH_NOT_MULTIPLE;
    for (std::size_t i = 0; i < count; i += 2) {
        unsigned draws[4];
        for (unsigned& draw : draws) draw = generator->draw();
        const double2 pair = port_oracle::wide_normal_pair(draws);
        to[i] = mean + deviation * pair.x;
        to[i + 1] = mean + deviation * pair.y;
    }
    return CURAND_STATUS_SUCCESS;
}
inline curandStatus_t curandGenerateLogNormal(curandGenerator_t generator, float* to,
                                              std::size_t count, float mean, float deviation) {
    const curandStatus_t status = curandGenerateNormal(generator, to, count, mean, deviation);
    for (std::size_t i = 0; status == CURAND_STATUS_SUCCESS && i < count; ++i) to[i] = expf(to[i]);
    return status;
}
