#ifndef KERNEL
#define KERNEL_FILE "vectors.c"
#include "instruction_sets.h"

DISPATCH(void, rows_add_bias, (float *restrict matrix, const float *restrict bias, size_t rows, size_t columns),
         (matrix, bias, rows, columns))
DISPATCH(void, rows_sum, (const float *restrict matrix, float *restrict sums, size_t rows, size_t columns),
         (matrix, sums, rows, columns))
DISPATCH(void, optimizer_sgd,
         (float *restrict weight, float *restrict velocity, const float *restrict gradient, size_t count, float rate,
          float momentum, float decay, int nesterov),
         (weight, velocity, gradient, count, rate, momentum, decay, nesterov))
DISPATCH(void, optimizer_adamw,
         (float *restrict weight, float *restrict first, float *restrict second, const float *restrict gradient,
          size_t count, float rate, float beta1, float beta2, float epsilon, float decay, float correction1,
          float correction2),
         (weight, first, second, gradient, count, rate, beta1, beta2, epsilon, decay, correction1, correction2))
DISPATCH(void, vector_add, (float *restrict total, const float *restrict part, size_t count), (total, part, count))
DISPATCH(void, vector_add_to_double, (double *restrict total, const float *restrict part, size_t count),
         (total, part, count))
DISPATCH(void, vector_sum, (const float *a, const float *b, float *sum, size_t count), (a, b, sum, count))
DISPATCH(void, vector_multiply, (const float *x, const float *restrict mask, float *y, size_t count),
         (x, mask, y, count))
DISPATCH(void, vector_multiply_add, (const float *restrict x, float factor, float *restrict y, size_t count),
         (x, factor, y, count))
DISPATCH(double, vector_sum_of_squares, (const float *restrict x, size_t count), (x, count))
DISPATCH(void, rows_combine,
         (const float *restrict rows, size_t channels, const int32_t *restrict first, const int32_t *restrict second,
          const float *restrict signs, size_t count, float *restrict out, size_t stride),
         (rows, channels, first, second, signs, count, out, stride))
#else
// Elements are independent, so the compiler may take as many at a time as it likes: the bits stay the same. The
// pragma says so where pointers may be equal, to work in place.
#define VECTORIZE _Pragma("clang loop vectorize(assume_safety)")
#define FMA __builtin_fmaf

void KERNEL(rows_add_bias)(float *restrict matrix, const float *restrict bias, size_t rows, size_t columns) {
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++) matrix[r * columns + c] += bias[c];
}

void KERNEL(rows_sum)(const float *restrict matrix, float *restrict sums, size_t rows, size_t columns) {
    for (size_t c = 0; c < columns; c++) sums[c] = 0;
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++) sums[c] += matrix[r * columns + c];
}

void KERNEL(optimizer_sgd)(float *restrict weight, float *restrict velocity, const float *restrict gradient,
                           size_t count, float rate, float momentum, float decay, int nesterov) {
    const float direct = nesterov ? 1.0f : 0.0f, own = nesterov ? momentum : 1.0f;
    for (size_t i = 0; i < count; i++) {
        const float g = FMA(decay, weight[i], gradient[i]);
        const float v = FMA(momentum, velocity[i], g);
        velocity[i] = v;
        weight[i] = FMA(-rate, FMA(own, v, direct * g), weight[i]);
    }
}

void KERNEL(optimizer_adamw)(float *restrict weight, float *restrict first, float *restrict second,
                             const float *restrict gradient, size_t count, float rate, float beta1, float beta2,
                             float epsilon, float decay, float correction1, float correction2) {
    const float inverse1 = 1.0f / correction1, inverse2 = 1.0f / correction2;
    for (size_t i = 0; i < count; i++) {
        const float g = gradient[i];
        const float m = FMA(beta1, first[i], (1.0f - beta1) * g);
        const float v = FMA(beta2, second[i], (1.0f - beta2) * g * g);
        first[i] = m;
        second[i] = v;
        // The elementwise root sets no errno, which would keep the loop scalar.
        const float root = __builtin_elementwise_sqrt(v * inverse2);
        weight[i] = FMA(-rate, FMA(decay, weight[i], m * inverse1 / (root + epsilon)), weight[i]);
    }
}

void KERNEL(vector_add)(float *restrict total, const float *restrict part, size_t count) {
    for (size_t i = 0; i < count; i++) total[i] += part[i];
}

void KERNEL(vector_add_to_double)(double *restrict total, const float *restrict part, size_t count) {
    for (size_t i = 0; i < count; i++) total[i] += (double)part[i];
}

void KERNEL(vector_sum)(const float *a, const float *b, float *sum, size_t count) {
    VECTORIZE
    for (size_t i = 0; i < count; i++) sum[i] = a[i] + b[i];
}

void KERNEL(vector_multiply)(const float *x, const float *restrict mask, float *y, size_t count) {
    VECTORIZE
    for (size_t i = 0; i < count; i++) y[i] = x[i] * mask[i];
}

void KERNEL(vector_multiply_add)(const float *restrict x, float factor, float *restrict y, size_t count) {
    for (size_t i = 0; i < count; i++) y[i] = FMA(factor, x[i], y[i]);
}

double KERNEL(vector_sum_of_squares)(const float *restrict x, size_t count) {
    // Sixteen sums of their own, so that the order of additions is the same for every instruction set.
    double sums[16] = {0};
    size_t i = 0;
    for (; i + 16 <= count; i += 16)
        for (size_t k = 0; k < 16; k++) sums[k] += (double)x[i + k] * (double)x[i + k];
    for (size_t k = 0; i + k < count; k++) sums[k] += (double)x[i + k] * (double)x[i + k];
    double sum = 0;
    for (size_t k = 0; k < 16; k++) sum += sums[k];
    return sum;
}

void KERNEL(rows_combine)(const float *restrict rows, size_t channels, const int32_t *restrict first,
                          const int32_t *restrict second, const float *restrict signs, size_t count,
                          float *restrict out, size_t stride) {
    for (size_t k = 0; k < count; k++) {
        const float *restrict a = rows + (size_t)first[k] * channels, *restrict b = rows + (size_t)second[k] * channels;
        const float sa = signs[2 * k], sb = signs[2 * k + 1];
        for (size_t c = 0; c < channels; c++) out[k * stride + c] = FMA(sb, b[c], sa * a[c]);
    }
}
#undef FMA
#endif
