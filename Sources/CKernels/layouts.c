#ifndef KERNEL
#define KERNEL_FILE "layouts.c"
#include "instruction_sets.h"

DISPATCH(void, lanes_to_rows,
         (const float *restrict values, float *restrict rows, size_t count, size_t channels, size_t positions),
         (values, rows, count, channels, positions))
DISPATCH(void, lanes_from_rows,
         (const float *restrict rows, float *restrict values, size_t count, size_t channels, size_t positions),
         (rows, values, count, channels, positions))
#else
// Runs BODY for every square of up to 16 samples by 16 channels at one position: `value` in lanes, its vectors
// `step` floats apart, and `row`, the samples' rows `stride` floats apart.
#define FOR_EACH_SQUARE(BODY)                                                                              \
    const size_t step = positions * LANES, stride = positions * channels;                                  \
    for (size_t first = 0; first < count; first += LANES) {                                                \
        const size_t height = count - first < LANES ? count - first : LANES;                               \
        for (size_t p = 0; p < positions; p++)                                                             \
            for (size_t c = 0; c < channels; c += LANES) {                                                 \
                const size_t width = channels - c < LANES ? channels - c : LANES;                          \
                const size_t value = ((first / LANES * channels + c) * positions + p) * LANES;             \
                const size_t row = (first * positions + p) * channels + c;                                 \
                BODY                                                                                       \
            }                                                                                              \
    }

void KERNEL(lanes_to_rows)(const float *restrict values, float *restrict rows, size_t count, size_t channels,
                           size_t positions) {
    float part[LANES * LANES] = {0};
    float turned[LANES * LANES];
    FOR_EACH_SQUARE({
        if (width == LANES && height == LANES) {
            lanes_transpose(values + value, step, rows + row, stride);
            continue;
        }
        for (size_t i = 0; i < width; i++) memcpy(part + i * LANES, values + value + i * step, sizeof(lanes));
        lanes_transpose(part, LANES, turned, LANES);
        for (size_t s = 0; s < height; s++)
            memcpy(rows + row + s * stride, turned + s * LANES, width * sizeof(float));
    })
}

void KERNEL(lanes_from_rows)(const float *restrict rows, float *restrict values, size_t count, size_t channels,
                             size_t positions) {
    float part[LANES * LANES];
    float turned[LANES * LANES];
    FOR_EACH_SQUARE({
        if (width == LANES && height == LANES) {
            lanes_transpose(rows + row, stride, values + value, step);
            continue;
        }
        memset(part, 0, sizeof part);
        for (size_t s = 0; s < height; s++)
            memcpy(part + s * LANES, rows + row + s * stride, width * sizeof(float));
        lanes_transpose(part, LANES, turned, LANES);
        for (size_t i = 0; i < width; i++) memcpy(values + value + i * step, turned + i * LANES, sizeof(lanes));
    })
}
#undef FOR_EACH_SQUARE
#endif
