#ifndef DIRECT_H
#define DIRECT_H

#include "taps.h"

/// Values of an image's channels that are worked on at once should stay in the second cache, beside weights and
/// results.
enum { SLAB_FLOATS = 96 << 10, SLAB_PLACES = 96, LIST = 96 };

/// Convolutions or their transposes side by side, each from some sources x to some destinations y.
typedef struct {
    /// Inputs and outputs of each group.
    size_t groups, inputs, outputs;
    taps_relation rows, columns;
    /// Floats between the weights of neighbouring groups, outputs and inputs; those of taps are neighbours.
    size_t weightGroup, weightOutput, weightInput;
} direct_correlation;

size_t direct_scratch(const lanes_convolution *shape);
void direct_correlate(const direct_correlation *d, size_t blocks, const float *x, const float *weight,
                      const float *bias, float *y, float *scratch);
size_t direct_gradient_scratch(const lanes_convolution *shape);
/// dw [groups, O, C, kh, kw] of groups side by side, of which `shape` is one
void direct_parameter_gradient(const lanes_convolution *shape, size_t groups, size_t blocks, const float *x,
                               const float *dy, float *dw, float *scratch);
/// The same for one group of many inputs.
size_t wide_gradient_scratch(const lanes_convolution *shape);
void wide_parameter_gradient(const lanes_convolution *shape, size_t blocks, const float *x, const float *dy, float *dw,
                             float *scratch);
/// A convolution, and its transpose, as a correlation of `groups`, of which `shape` is one.
direct_correlation direct_forward(const lanes_convolution *shape, size_t groups);
direct_correlation direct_backward(const lanes_convolution *shape, size_t groups);
/// db = the sums of dy [blocks, outputs, positions, 16]
void direct_bias_gradient(size_t blocks, size_t outputs, size_t positions, const float *dy, float *db);

#endif
