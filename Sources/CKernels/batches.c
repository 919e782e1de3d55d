#include "CKernels.h"
#include "clones.h"
#include "images.h"

CLONES void batch_gather(const uint8_t *restrict images, const int32_t *restrict indices, size_t rows,
                         size_t elements, const float *restrict scale, const float *restrict offset,
                         size_t channels, float *restrict out) {
    for (size_t r = 0; r < rows; r++)
        normalize_interleaved(images + (size_t)indices[r] * elements, elements, scale, offset, channels,
                              out + r * elements);
}

CLONES void batch_gather_planes(const uint8_t *restrict images, const int32_t *restrict indices, size_t rows,
                                size_t elements, const float *restrict scale, const float *restrict offset,
                                size_t channels, float *restrict out) {
    for (size_t r = 0; r < rows; r++)
        normalize_planes(images + (size_t)indices[r] * elements, elements / channels, scale, offset, channels,
                         out + r * elements);
}
