#include "CKernels.h"
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
