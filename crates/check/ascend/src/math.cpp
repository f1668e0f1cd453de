// Functions of the library that the C library does not have.

#include <cmath>

namespace port_ascend {

float round_even(float x) { return std::nearbyint(x); }

// By the recurrence up to 10 and the asymptotic series from there; by reflection below zero.
float digamma(float x) {
    double value = double(x), shift = 0;
    if (value <= 0) {
        if (value == std::floor(value)) return NAN;
        return digamma(1.0f - x) - float(M_PI / std::tan(M_PI * value));
    }
    while (value < 10) shift -= 1 / value++;
    double inverse = 1 / (value * value);
    return float(shift + std::log(value) - 0.5 / value - inverse * (1.0 / 12 - inverse * (1.0 / 120 - inverse / 252)));
}

}  // namespace port_ascend
