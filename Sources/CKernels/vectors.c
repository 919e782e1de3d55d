#include "CKernels.h"
#include "clones.h"

CLONES void rows_add_bias(float *restrict matrix, const float *restrict bias, size_t rows, size_t columns) {
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++) matrix[r * columns + c] += bias[c];
}

CLONES void rows_sum(const float *restrict matrix, float *restrict sums, size_t rows, size_t columns) {
    for (size_t c = 0; c < columns; c++) sums[c] = 0;
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++) sums[c] += matrix[r * columns + c];
}

CLONES void optimizer_sgd(float *restrict weight, float *restrict velocity, const float *restrict gradient,
                          size_t count, float rate, float momentum, float decay, int nesterov) {
    const float ahead = nesterov ? momentum : 0.0f, direct = nesterov ? 1.0f : 0.0f;
    const float own = nesterov ? ahead : 1.0f;
    for (size_t i = 0; i < count; i++) {
        const float g = gradient[i] + decay * weight[i];
        const float v = momentum * velocity[i] + g;
        velocity[i] = v;
        weight[i] -= rate * (direct * g + own * v);
    }
}

CLONES void optimizer_adamw(float *restrict weight, float *restrict first, float *restrict second,
                            const float *restrict gradient, size_t count, float rate, float beta1, float beta2,
                            float epsilon, float decay, float correction1, float correction2) {
    const float inverse1 = 1.0f / correction1, inverse2 = 1.0f / correction2;
    for (size_t i = 0; i < count; i++) {
        const float g = gradient[i];
        const float m = beta1 * first[i] + (1.0f - beta1) * g;
        const float v = beta2 * second[i] + (1.0f - beta2) * g * g;
        first[i] = m;
        second[i] = v;
        // The elementwise root sets no errno, which would keep the loop scalar.
        const float root = __builtin_elementwise_sqrt(v * inverse2);
        weight[i] -= rate * (m * inverse1 / (root + epsilon) + decay * weight[i]);
    }
}

CLONES void vector_add(float *restrict total, const float *restrict part, size_t count) {
    for (size_t i = 0; i < count; i++) total[i] += part[i];
}

CLONES void vector_add_to_double(double *restrict total, const float *restrict part, size_t count) {
    for (size_t i = 0; i < count; i++) total[i] += (double)part[i];
}

CLONES void vector_sum(const float *a, const float *b, float *sum, size_t count) {
    VECTORIZE
    for (size_t i = 0; i < count; i++) sum[i] = a[i] + b[i];
}

CLONES void vector_multiply(const float *x, const float *restrict mask, float *y, size_t count) {
    VECTORIZE
    for (size_t i = 0; i < count; i++) y[i] = x[i] * mask[i];
}
