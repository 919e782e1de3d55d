// Convolutions in lanes: which algorithm does what.
#include "CKernels.h"
#include "direct.h"

size_t convolution_scratch(const lanes_convolution *shape, size_t blocks) {
    (void)blocks;
    const size_t pass = direct_scratch(shape), gradient = direct_gradient_scratch(shape);
    return pass > gradient ? pass : gradient;
}

void convolution_forward(const lanes_convolution *s, size_t blocks, const float *x, const float *weight, const float *bias,
                         float *y, float *scratch) {
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
    const size_t taps = s->kernelHeight * s->kernelWidth;
    const direct_correlation d = {
        s->outputs, s->inputs,
        {s->height, s->outHeight, s->kernelHeight, s->strideHeight, s->paddingHeight, s->dilationHeight, 1},
        {s->width, s->outWidth, s->kernelWidth, s->strideWidth, s->paddingWidth, s->dilationWidth, 1},
        taps, s->inputs * taps};
    direct_correlate(&d, blocks, dy, weight, 0, dx, scratch);
}

void convolution_parameter_gradient(const lanes_convolution *shape, size_t blocks, const float *x, const float *dy, float *dw,
                                    float *db, float *scratch) {
    direct_parameter_gradient(shape, blocks, x, dy, dw, db, scratch);
}
