#ifndef IMAGES_H
#define IMAGES_H

#include "CKernels.h"
#include "clones.h"

// Interleaved bytes to interleaved floats: value x of channel c becomes x * scale[c] + offset[c].
INLINE void normalize_interleaved(const uint8_t *restrict image, size_t elements, const float *restrict scale,
                                  const float *restrict offset, size_t channels, float *restrict out) {
    if (channels == 1) {
        const float s = scale[0], o = offset[0];
        for (size_t i = 0; i < elements; i++) out[i] = (float)image[i] * s + o;
    } else {
        for (size_t i = 0; i < elements; i += channels)
            for (size_t c = 0; c < channels; c++) out[i + c] = (float)image[i + c] * scale[c] + offset[c];
    }
}

// Interleaved bytes to planes of floats, one per channel. Three channels are read together: vector units take bytes
// apart by threes, but not by a number that they learn only when they run.
INLINE void normalize_planes(const uint8_t *restrict image, size_t pixels, const float *restrict scale,
                             const float *restrict offset, size_t channels, float *restrict out) {
    if (channels == 3) {
        const float s0 = scale[0], s1 = scale[1], s2 = scale[2];
        const float o0 = offset[0], o1 = offset[1], o2 = offset[2];
        float *restrict red = out, *restrict green = out + pixels, *restrict blue = out + 2 * pixels;
        for (size_t i = 0; i < pixels; i++) {
            red[i] = (float)image[3 * i] * s0 + o0;
            green[i] = (float)image[3 * i + 1] * s1 + o1;
            blue[i] = (float)image[3 * i + 2] * s2 + o2;
        }
    } else {
        for (size_t c = 0; c < channels; c++) {
            const float s = scale[c], o = offset[c];
            float *restrict plane = out + c * pixels;
            for (size_t i = 0; i < pixels; i++) plane[i] = (float)image[i * channels + c] * s + o;
        }
    }
}

#endif
