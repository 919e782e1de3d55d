// Convolutions in lanes: which algorithm does what.
#include "CKernels.h"
#include "direct.h"
#include "winograd.h"

// Which algorithm is the fastest is told from the shape alone, so that bits depend neither on the processor nor on
// the number of samples. Costs are cycles of a core that multiplies sixteen lanes in each, per block of four; the
// constants are fitted to measurements of 4 to 64 channels on images of 2 to 32 rows.

// Pairs of a position and a tap that falls on the image, along one axis.
static double pairs(size_t destinations, size_t sources, size_t kernel, size_t stride, size_t padding,
                    size_t dilation) {
    double count = 0;
    for (size_t d = 0; d < destinations; d++)
        for (size_t u = 0; u < kernel; u++) {
            const size_t at = d * stride + u * dilation;
            count += at >= padding && at - padding < sources;
        }
    return count;
}

static double products_of(const lanes_convolution *s) {
    return pairs(s->outHeight, s->height, s->kernelHeight, s->strideHeight, s->paddingHeight, s->dilationHeight) *
           pairs(s->outWidth, s->width, s->kernelWidth, s->strideWidth, s->paddingWidth, s->dilationWidth);
}

static int can_use_winograd(const lanes_convolution *s) {
    return s->kernelHeight == 3 && s->kernelWidth == 3 && s->strideHeight == 1 && s->strideWidth == 1 &&
           s->dilationHeight == 1 && s->dilationWidth == 1 && s->paddingHeight <= 2 && s->paddingWidth <= 2;
}

static double tiles(size_t height, size_t width) { return (double)((height + 3) / 4 * ((width + 3) / 4)); }

// Of the pass from `inputs` channels to `outputs` on images of `height` x `width`.
static int prefers_winograd(const lanes_convolution *s, size_t inputs, size_t outputs, size_t height, size_t width) {
    if (!can_use_winograd(s)) return 0;
    const double c = (double)inputs, o = (double)outputs;
    return tiles(height, width) * (36 * c * o + 180 * c + 280 * o) + 5 * c * o < 0.97 * products_of(s) * c * o;
}

typedef enum { DIRECT_GRADIENT, WIDE_GRADIENT, WINOGRAD_GRADIENT } gradient_algorithm;

static gradient_algorithm gradient_of(const lanes_convolution *s) {
    const double c = (double)s->inputs, o = (double)s->outputs, rounded = (double)((s->inputs + 15) / 16 * 16);
    const double products = products_of(s), taps = (double)(s->kernelHeight * s->kernelWidth);
    const double direct = products * c * o * (1 + c / 200) + 11 * taps * c * o;
    const double wide = products * rounded * o * 1.05 + taps * rounded * o +
        8 * (double)(s->height * s->width) * rounded;
    const double winograd = tiles(s->outHeight, s->outWidth) * (40 * rounded * o + 330 * (c + o) + 100 * rounded) +
        10 * rounded * o;
    if (can_use_winograd(s) && winograd < direct && winograd < wide) return WINOGRAD_GRADIENT;
    return wide < direct ? WIDE_GRADIENT : DIRECT_GRADIENT;
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

size_t convolution_scratch(const lanes_convolution *s, size_t blocks) {
    size_t count = larger(direct_scratch(s), direct_gradient_scratch(s));
    const winograd_correlation forward = winograd_forward(s);
    if (can_use_winograd(s)) {
        const winograd_correlation backward = winograd_backward(s);
        count = larger(count, larger(winograd_scratch(&forward, blocks), winograd_scratch(&backward, blocks)));
    }
    switch (gradient_of(s)) {
    case DIRECT_GRADIENT: return count;
    case WIDE_GRADIENT: return larger(count, wide_gradient_scratch(s));
    case WINOGRAD_GRADIENT: return larger(count, winograd_gradient_scratch(&forward, blocks));
    }
}

void convolution_forward(const lanes_convolution *s, size_t blocks, const float *x, const float *weight,
                         const float *bias, float *y, float *scratch) {
    if (prefers_winograd(s, s->inputs, s->outputs, s->outHeight, s->outWidth)) {
        const winograd_correlation w = winograd_forward(s);
        return winograd_correlate(&w, blocks, x, weight, bias, y, scratch);
    }
    const direct_correlation d = direct_forward(s, 1);
    direct_correlate(&d, blocks, x, weight, bias, y, scratch);
}

void convolution_input_gradient(const lanes_convolution *s, size_t blocks, const float *dy, const float *weight,
                                float *dx, float *scratch) {
    if (prefers_winograd(s, s->outputs, s->inputs, s->height, s->width)) {
        const winograd_correlation w = winograd_backward(s);
        return winograd_correlate(&w, blocks, dy, weight, 0, dx, scratch);
    }
    const direct_correlation d = direct_backward(s, 1);
    direct_correlate(&d, blocks, dy, weight, 0, dx, scratch);
}

void convolution_parameter_gradient(const lanes_convolution *s, size_t blocks, const float *x, const float *dy,
                                    float *dw, float *db, float *scratch) {
    if (db) direct_bias_gradient(blocks, s->outputs, s->outHeight * s->outWidth, dy, db);
    const winograd_correlation w = winograd_forward(s);
    switch (gradient_of(s)) {
    case DIRECT_GRADIENT: return direct_parameter_gradient(s, 1, blocks, x, dy, dw, scratch);
    case WIDE_GRADIENT: return wide_parameter_gradient(s, blocks, x, dy, dw, scratch);
    case WINOGRAD_GRADIENT: return winograd_parameter_gradient(&w, blocks, x, dy, dw, scratch);
    }
}
