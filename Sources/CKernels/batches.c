#include "CKernels.h"
#include "clones.h"

CLONES void batch_gather(const uint8_t *restrict images, const int32_t *restrict indices, size_t rows,
                         size_t elements, const float *restrict scale, const float *restrict offset,
                         size_t channels, float *restrict out) {
    for (size_t r = 0; r < rows; r++) {
        const uint8_t *image = images + (size_t)indices[r] * elements;
        float *row = out + r * elements;
        if (channels == 1) {
            const float s = scale[0], o = offset[0];
            for (size_t i = 0; i < elements; i++) row[i] = (float)image[i] * s + o;
        } else {
            for (size_t i = 0; i < elements; i += channels)
                for (size_t c = 0; c < channels; c++) row[i + c] = (float)image[i + c] * scale[c] + offset[c];
        }
    }
}
