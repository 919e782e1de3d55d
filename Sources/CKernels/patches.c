#include "CKernels.h"
#include "clones.h"

#include <string.h>

void patches_gather(const float *restrict image, size_t columns, size_t channels, const int32_t *restrict row_sources,
                    size_t row_positions, size_t row_taps, const int32_t *restrict column_sources,
                    size_t column_positions, size_t column_taps, float *restrict out) {
    const size_t bytes = channels * sizeof(float);
    for (size_t u = 0; u < row_positions; u++)
        for (size_t v = 0; v < column_positions; v++)
            for (size_t i = 0; i < row_taps; i++) {
                const int32_t y = row_sources[u * row_taps + i];
                for (size_t j = 0; j < column_taps; j++, out += channels) {
                    const int32_t x = column_sources[v * column_taps + j];
                    if (y < 0 || x < 0)
                        memset(out, 0, bytes);
                    else
                        memcpy(out, image + ((size_t)y * columns + (size_t)x) * channels, bytes);
                }
            }
}

CLONES void vector_multiply_add(const float *restrict x, float factor, float *restrict y, size_t count) {
    for (size_t i = 0; i < count; i++) y[i] += factor * x[i];
}

CLONES double vector_sum_of_squares(const float *restrict x, size_t count) {
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

CLONES void rows_combine(const float *restrict rows, size_t channels, const int32_t *restrict first,
                         const int32_t *restrict second, const float *restrict signs, size_t count,
                         float *restrict out, size_t stride) {
    for (size_t k = 0; k < count; k++) {
        const float *restrict a = rows + (size_t)first[k] * channels, *restrict b = rows + (size_t)second[k] * channels;
        const float sa = signs[2 * k], sb = signs[2 * k + 1];
        for (size_t c = 0; c < channels; c++) out[k * stride + c] = sa * a[c] + sb * b[c];
    }
}
