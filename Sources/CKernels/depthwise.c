// Convolutions with a kernel of its own for each channel: as many convolutions of one channel side by side.
//
// x [blocks, C, h, w, 16], y [blocks, C, h', w', 16], weights [C, 1, kh, kw]; order of additions and error as in
// direct.c and direct_gradient.c.
#include "direct.h"

static lanes_convolution one_channel(const lanes_convolution *shape) {
    lanes_convolution one = *shape;
    one.inputs = one.outputs = 1;
    return one;
}

size_t depthwise_scratch(const lanes_convolution *shape) {
    const lanes_convolution one = one_channel(shape);
    const size_t pass = direct_scratch(&one), gradient = direct_gradient_scratch(&one);
    return pass > gradient ? pass : gradient;
}

void depthwise_forward(const lanes_convolution *shape, size_t blocks, const float *x, const float *weight,
                       const float *bias, float *y, float *scratch) {
    const lanes_convolution one = one_channel(shape);
    const direct_correlation d = direct_forward(&one, shape->inputs);
    direct_correlate(&d, blocks, x, weight, bias, y, scratch);
}

void depthwise_input_gradient(const lanes_convolution *shape, size_t blocks, const float *dy, const float *weight,
                              float *dx, float *scratch) {
    const lanes_convolution one = one_channel(shape);
    const direct_correlation d = direct_backward(&one, shape->inputs);
    direct_correlate(&d, blocks, dy, weight, 0, dx, scratch);
}

void depthwise_parameter_gradient(const lanes_convolution *shape, size_t blocks, const float *x, const float *dy,
                                  float *dw, float *db, float *scratch) {
    const lanes_convolution one = one_channel(shape);
    direct_parameter_gradient(&one, shape->inputs, blocks, x, dy, dw, scratch);
    if (db) direct_bias_gradient(blocks, shape->inputs, shape->outHeight * shape->outWidth, dy, db);
}
