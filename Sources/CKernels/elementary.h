#ifndef ELEMENTARY_H
#define ELEMENTARY_H

#include "clones.h"
#include <stdint.h>
#include <string.h>

// e^x for x in [-87, 88], clamped outside; relative error below 2e-7.
// Range reduction x = n ln 2 + r, then a degree-6 polynomial in r.
INLINE float exponential(float x) {
    x = x < -87.0f ? -87.0f : x;
    x = x > 88.0f ? 88.0f : x;
    float n = __builtin_floorf(x * 1.44269504f + 0.5f);
    float r = x - n * 0.693359375f;
    r = r - n * -2.12194440e-4f;
    float p = 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    p = p * r + 1.0f;
    int32_t bits = ((int32_t)n + 127) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return p * power;
}

// tanh x; relative error below 5e-7. Odd Taylor-like polynomial near 0, where the exponential form cancels.
INLINE float hyperbolic_tangent(float x) {
    float a = __builtin_fabsf(x);
    float s = x * x;
    float p = -1382.0f / 155925;
    p = p * s + 62.0f / 2835;
    p = p * s - 17.0f / 315;
    p = p * s + 2.0f / 15;
    p = p * s - 1.0f / 3;
    float near = x + x * s * p;
    float far = 1.0f - 2.0f / (exponential(2.0f * a) + 1.0f);
    far = x < 0 ? -far : far;
    return a < 0.3f ? near : far;
}

// The standard normal's distribution function; absolute error below 1e-7
// (Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26).
// density receives e^(-x^2/2) / sqrt(2 pi).
INLINE float normal_distribution(float x, float *density) {
    float a = __builtin_fabsf(x) * 0.70710678f;
    float t = 1.0f / (1.0f + 0.3275911f * a);
    float p = 1.061405429f;
    p = p * t - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    float e = exponential(-a * a);
    float tail = 0.5f * p * t * e;
    *density = 0.39894228f * e;
    return x < 0 ? tail : 1.0f - tail;
}

#endif
