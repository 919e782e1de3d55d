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
#define transpose KERNEL(transpose)

// to[j][i] = from[i][j]: four times, the first half of the vectors is shuffled into the second like a deck of cards.
INLINE void transpose(lanes square[LANES]) {
    for (int round = 0; round < 4; round++) {
        lanes next[LANES];
        for (int i = 0; i < LANES / 2; i++) {
            const lanes a = square[i], b = square[i + LANES / 2];
            next[2 * i] = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            next[2 * i + 1] =
                __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        }
        for (int i = 0; i < LANES; i++) square[i] = next[i];
    }
}

typedef float unaligned_lanes __attribute__((vector_size(64), may_alias, aligned(4)));

// Runs BODY for every square of up to 16 samples by 16 channels at one position: `value` in lanes, its vectors
// `positions` apart, and `row`, the samples' rows `positions * channels` apart.
#define FOR_EACH_SQUARE(BODY)                                                                              \
    for (size_t first = 0; first < count; first += LANES) {                                                \
        const size_t height = count - first < LANES ? count - first : LANES;                               \
        for (size_t p = 0; p < positions; p++)                                                             \
            for (size_t c = 0; c < channels; c += LANES) {                                                 \
                const size_t width = channels - c < LANES ? channels - c : LANES;                          \
                const size_t value = (first / LANES * channels + c) * positions + p;                       \
                const size_t row = (first * positions + p) * channels + c;                                 \
                lanes square[LANES];                                                                       \
                BODY                                                                                       \
            }                                                                                              \
    }

void KERNEL(lanes_to_rows)(const float *restrict values, float *restrict rows, size_t count, size_t channels,
                           size_t positions) {
    const size_t stride = positions * channels;
    FOR_EACH_SQUARE({
        for (size_t i = 0; i < width; i++) square[i] = ((const lanes *)values)[value + i * positions];
        for (size_t i = width; i < LANES; i++) square[i] = lanes_all(0);
        transpose(square);
        if (width == LANES)
            for (size_t s = 0; s < height; s++) *(unaligned_lanes *)(rows + row + s * stride) = square[s];
        else
            for (size_t s = 0; s < height; s++) memcpy(rows + row + s * stride, &square[s], width * sizeof(float));
    })
}

void KERNEL(lanes_from_rows)(const float *restrict rows, float *restrict values, size_t count, size_t channels,
                             size_t positions) {
    const size_t stride = positions * channels;
    FOR_EACH_SQUARE({
        if (width == LANES) {
            for (size_t s = 0; s < height; s++) square[s] = *(const unaligned_lanes *)(rows + row + s * stride);
        } else {
            for (size_t s = 0; s < height; s++) {
                square[s] = lanes_all(0);
                memcpy(&square[s], rows + row + s * stride, width * sizeof(float));
            }
        }
        for (size_t s = height; s < LANES; s++) square[s] = lanes_all(0);
        transpose(square);
        for (size_t i = 0; i < width; i++) ((lanes *)values)[value + i * positions] = square[i];
    })
}
#undef FOR_EACH_SQUARE
#endif
