#ifndef ELEMENTARY_H
#define ELEMENTARY_H

#include "clones.h"
#include <stdint.h>
#include <string.h>

// e^x = 2^n (1 + excess) for x in [-87, 88], clamped outside: x = n ln 2 + r, |r| <= ln 2 / 2, and a polynomial in r.
// Adding 1.5 * 2^23 rounds to an integer n and leaves it in the low bits: no conversion, and NaN stays NaN.
INLINE float exponential_parts(float x, float *excess) {
    x = x < -87.0f ? -87.0f : x;
    x = x > 88.0f ? 88.0f : x;
    const float rounder = 12582912.0f;
    const float shifted = x * 1.44269504f + rounder;
    const float n = shifted - rounder;
    // ln 2 in two parts, the first short enough for n times it to be exact.
    float r = x - n * 0.693359375f;
    r = r - n * -2.12194440e-4f;
    float p = 1.0f / 5040;
    p = p * r + 1.0f / 720;
    p = p * r + 1.0f / 120;
    p = p * r + 1.0f / 24;
    p = p * r + 1.0f / 6;
    p = p * r + 0.5f;
    p = p * r + 1.0f;
    *excess = p * r;
    uint32_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits - 0x4B400000u + 127u) << 23;
    float power;
    memcpy(&power, &bits, sizeof power);
    return power;
}

// e^x, 0 below -87 (where it would soon be denormal), e^88 above 88.
INLINE float exponential(float x) {
    float excess;
    const float power = exponential_parts(x, &excess);
    return x < -87.0f ? 0.0f : power + power * excess;
}

// e^x - 1, x clamped to [-87, 88], without cancellation near 0.
INLINE float exponential_minus_one(float x) {
    float excess;
    const float power = exponential_parts(x, &excess);
    return (power - 1.0f) + power * excess;
}

// tanh |x| = (e^2|x| - 1) / (e^2|x| + 1), with the sign of x.
INLINE float hyperbolic_tangent(float x) {
    const float e = exponential_minus_one(2.0f * __builtin_fabsf(x));
    return __builtin_copysignf(e / (e + 2.0f), x);
}

// The standard normal's distribution function (Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26);
// density receives e^(-x^2/2) / sqrt(2 pi).
INLINE float normal_distribution(float x, float *density) {
    const float a = __builtin_fabsf(x) * 0.70710678f;
    const float t = 1.0f / (1.0f + 0.3275911f * a);
    float p = 1.061405429f;
    p = p * t - 1.453152027f;
    p = p * t + 1.421413741f;
    p = p * t - 0.284496736f;
    p = p * t + 0.254829592f;
    const float e = exponential(-a * a);
    const float tail = 0.5f * p * t * e;
    *density = 0.39894228f * e;
    return x < 0 ? tail : 1.0f - tail;
}

#endif
