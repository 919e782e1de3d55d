// Which taps of a kernel reach which positions, along one axis and over an image; the same for every instruction set.
//
// Positions whose taps all fall on the image at the same distances form a class: of a 3 x 3 convolution with padding
// the first row, the rows between and the last row, and the same of columns. Within a class every position is
// computed alike, so no zeros are stored or multiplied around an image, and strides, dilations and gradients need no
// kernels of their own.
#ifndef TAPS_H
#define TAPS_H

#include "CKernels.h"

/// Destinations along one axis, sorted into classes.
typedef struct {
    size_t extent, kernel, classes;
    /// [extent] the source that the first tap of each destination reads
    int32_t *first;
    /// [extent] destinations, class by class, ascending within a class; class k starts at begin[k], [classes + 1]
    int32_t *members, *begin;
    /// [classes] how many taps; [classes][kernel] which, ascending, and how far from the first they read
    int32_t *count, *tap, *offset;
} taps_axis;

/// How destinations follow from sources: source = destination stride + tap dilation - padding, or, transposed, the
/// reverse.
typedef struct {
    size_t destinations, sources, kernel, stride, padding, dilation;
    int transposed;
} taps_relation;

/// 32-bit words for the tables of an axis.
size_t taps_axis_words(size_t destinations, size_t kernel);
/// Sorts destinations into classes, in `words`.
taps_axis taps_make_axis(const taps_relation *relation, int32_t *words);

#endif
