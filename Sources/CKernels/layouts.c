#include "CKernels.h"
#include <string.h>

void layout_to_rows(const float *restrict values, float *restrict rows, size_t count, size_t channels,
                    size_t positions, size_t lanes) {
    for (size_t r = 0; r < count; r++)
        for (size_t first = 0; first < channels; first += lanes) {
            const size_t width = channels - first < lanes ? channels - first : lanes;
            for (size_t p = 0; p < positions; p++, values += lanes)
                memcpy(rows + (r * positions + p) * channels + first, values, width * sizeof(float));
        }
}

void layout_from_rows(const float *restrict rows, float *restrict values, size_t count, size_t channels,
                      size_t positions, size_t lanes) {
    for (size_t r = 0; r < count; r++)
        for (size_t first = 0; first < channels; first += lanes) {
            const size_t width = channels - first < lanes ? channels - first : lanes;
            for (size_t p = 0; p < positions; p++, values += lanes) {
                memcpy(values, rows + (r * positions + p) * channels + first, width * sizeof(float));
                memset(values + width, 0, (lanes - width) * sizeof(float));
            }
        }
}
