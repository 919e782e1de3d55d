#ifndef WINOGRAD_H
#define WINOGRAD_H

#include "CKernels.h"

/// A 3 x 3 correlation of stride 1 from images x [C, h, w] to y [O, h', w'], with so many zeros around x.
typedef struct {
    size_t inputs, outputs, height, width, outHeight, outWidth, paddingHeight, paddingWidth;
    /// Whether weights are [inputs, outputs, 3, 3] and turned by half a turn: an input gradient.
    int transposed;
} winograd_correlation;

size_t winograd_scratch(const winograd_correlation *w, size_t blocks);
void winograd_correlate(const winograd_correlation *w, size_t blocks, const float *x, const float *weight,
                        const float *bias, float *y, float *scratch);
size_t winograd_gradient_scratch(const winograd_correlation *w, size_t blocks);
/// dw [O, C, 3, 3] of such a correlation that is not transposed
void winograd_parameter_gradient(const winograd_correlation *w, size_t blocks, const float *x, const float *dy,
                                 float *dw, float *scratch);

#endif
