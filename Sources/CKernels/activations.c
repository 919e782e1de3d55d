#include "CKernels.h"
#include "elementary.h"

// Every comparison lets NaN through: a network that diverged must not look sound.

#define SELU_SCALE 1.0507009873554805f
#define SELU_ALPHA 1.6732632423543772f

CLONES void activation_relu_forward(const float *x, float *y, size_t count) {
    VECTORIZE
    for (size_t i = 0; i < count; i++) y[i] = x[i] < 0 ? 0.0f : x[i];
}

CLONES void activation_relu_backward(const float *y, const float *dy, float *dx, size_t count) {
    VECTORIZE
    for (size_t i = 0; i < count; i++) dx[i] = y[i] > 0 ? dy[i] : 0.0f;
}

CLONES void activation_selu_forward(const float *x, float *y, size_t count) {
    VECTORIZE
    for (size_t i = 0; i < count; i++) {
        const float negative = SELU_ALPHA * exponential_minus_one(x[i] > 0 ? 0.0f : x[i]);
        y[i] = SELU_SCALE * (x[i] > 0 ? x[i] : negative);
    }
}

CLONES void activation_selu_backward(const float *x, const float *dy, float *dx,
                                     size_t count) {
    VECTORIZE
    for (size_t i = 0; i < count; i++) {
        const float slope = SELU_ALPHA * exponential(x[i] > 0 ? 0.0f : x[i]);
        dx[i] = dy[i] * SELU_SCALE * (x[i] > 0 ? 1.0f : slope);
    }
}

CLONES void activation_gelu_forward(const float *x, float *y, size_t count) {
    VECTORIZE
    for (size_t i = 0; i < count; i++) {
        float density;
        y[i] = x[i] * normal_distribution(x[i], &density);
    }
}

CLONES void activation_gelu_backward(const float *x, const float *dy, float *dx,
                                     size_t count) {
    VECTORIZE
    for (size_t i = 0; i < count; i++) {
        float density;
        float distribution = normal_distribution(x[i], &density);
        dx[i] = dy[i] * (distribution + x[i] * density);
    }
}

CLONES void activation_tanh_forward(const float *x, float *y, size_t count) {
    VECTORIZE
    for (size_t i = 0; i < count; i++) y[i] = hyperbolic_tangent(x[i]);
}

CLONES void activation_tanh_backward(const float *x, const float *dy, float *dx,
                                     size_t count) {
    VECTORIZE
    for (size_t i = 0; i < count; i++) {
        float y = hyperbolic_tangent(x[i]);
        dx[i] = dy[i] * (1.0f - y * y);
    }
}
