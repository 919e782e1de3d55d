// Convolutions in lanes: which algorithm does what.
#include "CKernels.h"
#include "direct.h"
#include "winograd.h"
#include <stdlib.h>

// Where Winograd's algorithm is the faster one.
static int uses_winograd(const lanes_convolution *s) {
    if (getenv("NOWINO")) return 0;
    return s->kernelHeight == 3 && s->kernelWidth == 3 && s->strideHeight == 1 && s->strideWidth == 1 &&
           s->dilationHeight == 1 && s->dilationWidth == 1 && s->paddingHeight <= 2 && s->paddingWidth <= 2 &&
           s->inputs >= 8 && s->outputs >= 8;
}

// Where sixteen inputs side by side are faster than sixteen samples: where there are many, and few of the last sixteen are missing.
static int has_wide_gradient(const lanes_convolution *s) {
    return s->inputs >= 48 || (s->inputs >= 32 && s->inputs % 16 == 0);
}

static winograd_correlation winograd_forward(const lanes_convolution *s) {
    return (winograd_correlation){s->inputs, s->outputs, s->height, s->width, s->outHeight, s->outWidth,
                                  s->paddingHeight, s->paddingWidth, 0};
}

static winograd_correlation winograd_backward(const lanes_convolution *s) {
    return (winograd_correlation){s->outputs, s->inputs, s->outHeight, s->outWidth, s->height, s->width,
                                  2 - s->paddingHeight, 2 - s->paddingWidth, 1};
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

size_t convolution_scratch(const lanes_convolution *shape, size_t blocks) {
    size_t count = larger(direct_scratch(shape), direct_gradient_scratch(shape));
    if (has_wide_gradient(shape)) count = larger(count, wide_gradient_scratch(shape));
    if (uses_winograd(shape)) {
        const winograd_correlation forward = winograd_forward(shape), backward = winograd_backward(shape);
        count = larger(count, winograd_gradient_scratch(&forward, blocks));
        count = larger(count, larger(winograd_scratch(&forward, blocks), winograd_scratch(&backward, blocks)));
    }
    return count;
}

void convolution_forward(const lanes_convolution *s, size_t blocks, const float *x, const float *weight, const float *bias,
                         float *y, float *scratch) {
    if (uses_winograd(s)) {
        const winograd_correlation w = winograd_forward(s);
        return winograd_correlate(&w, blocks, x, weight, bias, y, scratch);
    }
    const size_t taps = s->kernelHeight * s->kernelWidth;
    const direct_correlation d = {
        s->inputs, s->outputs,
        {s->outHeight, s->height, s->kernelHeight, s->strideHeight, s->paddingHeight, s->dilationHeight, 0},
        {s->outWidth, s->width, s->kernelWidth, s->strideWidth, s->paddingWidth, s->dilationWidth, 0},
        s->inputs * taps, taps};
    direct_correlate(&d, blocks, x, weight, bias, y, scratch);
}

void convolution_input_gradient(const lanes_convolution *s, size_t blocks, const float *dy, const float *weight, float *dx,
                                float *scratch) {
    if (uses_winograd(s)) {
        const winograd_correlation w = winograd_backward(s);
        return winograd_correlate(&w, blocks, dy, weight, 0, dx, scratch);
    }
    const size_t taps = s->kernelHeight * s->kernelWidth;
    const direct_correlation d = {
        s->outputs, s->inputs,
        {s->height, s->outHeight, s->kernelHeight, s->strideHeight, s->paddingHeight, s->dilationHeight, 1},
        {s->width, s->outWidth, s->kernelWidth, s->strideWidth, s->paddingWidth, s->dilationWidth, 1},
        taps, s->inputs * taps};
    direct_correlate(&d, blocks, dy, weight, 0, dx, scratch);
}

void convolution_parameter_gradient(const lanes_convolution *s, size_t blocks, const float *x, const float *dy, float *dw,
                                    float *db, float *scratch) {
    if (db) direct_bias_gradient(blocks, s->outputs, s->outHeight * s->outWidth, dy, db);
    if (uses_winograd(s)) {
        const winograd_correlation w = winograd_forward(s);
        return winograd_parameter_gradient(&w, blocks, x, dy, dw, scratch);
    }
    if (has_wide_gradient(s)) return wide_parameter_gradient(s, blocks, x, dy, dw, scratch);
    direct_parameter_gradient(s, blocks, x, dy, dw, scratch);
}
