#ifndef DIRECT_H
#define DIRECT_H

#include "taps.h"

/// Values of an image's channels that are worked on at once should stay in the second cache, beside weights and results.
enum { SLAB_FLOATS = 96 << 10, SLAB_PLACES = 96, LIST = 96 };

/// A convolution or its transpose, from the sources x to the destinations y.
typedef struct {
    size_t inputs, outputs;
    taps_relation rows, columns;
    /// Floats between the weights of neighbouring outputs and inputs; those of taps are neighbours.
    size_t weightOutput, weightInput;
} direct_correlation;

size_t direct_scratch(const lanes_convolution *shape);
void direct_correlate(const direct_correlation *d, size_t blocks, const float *x, const float *weight, const float *bias,
                      float *y, float *scratch);
/// Inputs whose gradients are summed at once.
size_t direct_gradient_inputs(const lanes_convolution *shape);
size_t direct_gradient_scratch(const lanes_convolution *shape);
void direct_parameter_gradient(const lanes_convolution *shape, size_t blocks, const float *x, const float *dy, float *dw,
                               float *scratch);
/// The same for many inputs.
size_t wide_gradient_scratch(const lanes_convolution *shape);
void wide_parameter_gradient(const lanes_convolution *shape, size_t blocks, const float *x, const float *dy, float *dw,
                             float *scratch);
/// db = the sums of dy [blocks, outputs, positions, 16]
void direct_bias_gradient(size_t blocks, size_t outputs, size_t positions, const float *dy, float *db);

#endif
