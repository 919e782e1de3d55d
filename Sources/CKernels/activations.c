#ifndef KERNEL
#define KERNEL_FILE "activations.c"
#include "instruction_sets.h"

#define ACTIVATION(NAME, READ)                                                                             \
    DISPATCH(void, activation_##NAME##_forward, (const float *x, float *y, size_t count), (x, y, count))   \
    DISPATCH(void, activation_##NAME##_backward, (const float *READ, const float *dy, float *dx, size_t count), \
             (READ, dy, dx, count))
ACTIVATION(relu, y)
ACTIVATION(selu, x)
ACTIVATION(gelu, x)
ACTIVATION(tanh, x)
#else
#include "elementary.h"

#define SELU_SCALE 1.0507009873554805f
#define SELU_ALPHA 1.6732632423543772f

// y[i] = VALUE of `v` = x[i], and dx[i] = SLOPE of `v` = x[i] (or y[i]) and `d` = dy[i]. Each vector is read before
// it is written, so the output may be an input. Every comparison lets NaN through: a network that diverged must not
// look sound.
#define ACTIVATION_LOOPS(NAME, VALUE, SLOPE)                                                               \
    void KERNEL(activation_##NAME##_forward)(const float *x, float *y, size_t count) {                     \
        for (size_t i = 0; i < count; i++) {                                                               \
            const lanes v = ((const lanes *)x)[i];                                                         \
            ((lanes *)y)[i] = VALUE;                                                                       \
        }                                                                                                  \
    }                                                                                                      \
    void KERNEL(activation_##NAME##_backward)(const float *x, const float *dy, float *dx, size_t count) {  \
        for (size_t i = 0; i < count; i++) {                                                               \
            const lanes v = ((const lanes *)x)[i], d = ((const lanes *)dy)[i];                             \
            ((lanes *)dx)[i] = SLOPE;                                                                      \
        }                                                                                                  \
    }

#define selu KERNEL(selu)
#define selu_slope KERNEL(selu_slope)
#define gelu KERNEL(gelu)
#define gelu_slope KERNEL(gelu_slope)
#define tanh_slope KERNEL(tanh_slope)

INLINE lanes selu(lanes x) {
    const lanes_int positive = x > lanes_all(0);
    const lanes negative = SELU_ALPHA * exponential_minus_one(lanes_select(positive, lanes_all(0), x));
    return SELU_SCALE * lanes_select(positive, x, negative);
}

INLINE lanes selu_slope(lanes x) {
    const lanes_int positive = x > lanes_all(0);
    const lanes negative = SELU_ALPHA * exponential(lanes_select(positive, lanes_all(0), x));
    return SELU_SCALE * lanes_select(positive, lanes_all(1), negative);
}

INLINE lanes gelu(lanes x) {
    lanes density;
    return x * normal_distribution(x, &density);
}

INLINE lanes gelu_slope(lanes x) {
    lanes density;
    const lanes distribution = normal_distribution(x, &density);
    return lanes_fma(x, density, distribution);
}

INLINE lanes tanh_slope(lanes x) {
    const lanes y = hyperbolic_tangent(x);
    return lanes_fma(-y, y, lanes_all(1));
}

// The slope of relu is read off its output, which is positive where the input is.
ACTIVATION_LOOPS(relu, lanes_select(v < lanes_all(0), lanes_all(0), v), lanes_select(v > lanes_all(0), d, lanes_all(0)))
ACTIVATION_LOOPS(selu, selu(v), d *selu_slope(v))
ACTIVATION_LOOPS(gelu, gelu(v), d *gelu_slope(v))
ACTIVATION_LOOPS(tanh, hyperbolic_tangent(v), d *tanh_slope(v))
#undef ACTIVATION_LOOPS
#endif
