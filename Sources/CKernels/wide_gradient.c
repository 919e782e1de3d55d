// The gradient of a convolution's weights where there are many inputs: sixteen inputs at a time in place of sixteen
// samples.
//
// x [blocks, C, h, w, 16], dy [blocks, O, h', w', 16], dw [O, C, kh, kw]. Values of x are transposed, so that dw[o,
// c...c + 15, t] += dy[o, position, sample] x[position + t, sample, c...c + 15] is a product without a sum over
// lanes. The sum of a slab (one sample block, some rows of dy) is one chain of fused multiply-adds over rows, columns
// and samples; slabs are added in order. Relative error below 1e-7 sqrt(16 positions of a slab + slabs) of the sum of
// magnitudes.
#ifndef KERNEL
#define KERNEL_FILE "wide_gradient.c"
#include "direct.h"

/// Inputs whose values stand side by side, and floats of a slab's values, which should stay in the second cache.
enum { GROUP = 96, SLAB = 112 << 10 };

/// The slabs of a convolution.
typedef struct {
    /// Rows of dy, and how many rows of x they read at most.
    size_t rows, sources;
} wide_slabs;

static size_t rounded(size_t channels) { return (channels + 15) / 16 * 16; }

static wide_slabs slabs_of(const lanes_convolution *s) {
    const size_t group = s->inputs < GROUP ? rounded(s->inputs) : GROUP, row = s->width * 16 * group + 1;
    const size_t extent = s->dilationHeight * (s->kernelHeight - 1) + 1;
    const size_t fit = SLAB / row;
    size_t rows = fit > extent ? (fit - extent) / s->strideHeight + 1 : 1;
    if (rows > s->outHeight) rows = s->outHeight;
    const size_t sources = (rows - 1) * s->strideHeight + extent;
    return (wide_slabs){rows, sources < s->height ? sources : s->height};
}

#include "instruction_sets.h"

size_t wide_gradient_scratch(const lanes_convolution *s) {
    const size_t group = s->inputs < GROUP ? rounded(s->inputs) : GROUP;
    return slabs_of(s).sources * s->width * 16 * group +
        s->kernelHeight * s->kernelWidth * s->outputs * rounded(s->inputs) +
           64 * s->outWidth;
}

DISPATCH(void, wide_parameter_gradient,
         (const lanes_convolution *shape, size_t blocks, const float *x, const float *dy, float *dw, float *scratch),
         (shape, blocks, x, dy, dw, scratch))
#else
#include "products.h"

#define wide_slab KERNEL(wide_slab)
#define touches KERNEL(touches)
#define reached KERNEL(reached)
#define stage_rows KERNEL(stage_rows)
#define multiply_slab KERNEL(multiply_slab)
#define gather_taps KERNEL(gather_taps)

/// What is worked on: a sample block, rows of dy, rows of x, and inputs whose values stand side by side.
typedef struct {
    size_t block, firstRow, lastRow, firstSource, lastSource, input, inputs, columns;
} wide_slab;

// Whether any tap of any of [first, last) reads `source`, along one axis.
static int touches(size_t source, size_t first, size_t last, size_t kernel, size_t stride, size_t padding,
                   size_t dilation) {
    for (size_t u = 0; u < kernel; u++) {
        const size_t at = source + padding;
        if (at < u * dilation || (at - u * dilation) % stride) continue;
        const size_t destination = (at - u * dilation) / stride;
        if (destination >= first && destination < last) return 1;
    }
    return 0;
}

// rows [source row][column][16 samples][inputs of the slab], as far as they are read
static void stage_rows(const lanes_convolution *s, const wide_slab *slab, const float *x, float *rows) {
    const size_t image = s->height * s->width * LANES;
    float padded[LANES * LANES] __attribute__((aligned(64))) = {0};
    for (size_t r = slab->firstSource; r < slab->lastSource; r++) {
        if (!touches(r, slab->firstRow, slab->lastRow, s->kernelHeight, s->strideHeight, s->paddingHeight,
                     s->dilationHeight))
            continue;
        for (size_t q = 0; q < s->width; q++) {
            if (!touches(q, 0, s->outWidth, s->kernelWidth, s->strideWidth, s->paddingWidth,
                         s->dilationWidth)) continue;
            const float *from = x + (slab->block * s->inputs + slab->input) * image + (r * s->width + q) * LANES;
            float *to = rows + ((r - slab->firstSource) * s->width + q) * LANES * slab->columns;
            for (size_t c = 0; c < slab->inputs; c += LANES, from += LANES * image) {
                const size_t inputs = slab->inputs - c;
                if (inputs >= LANES) {
                    lanes_transpose(from, image, to + c, slab->columns);
                    continue;
                }
                for (size_t i = 0; i < inputs; i++) memcpy(padded + i * LANES, from + i * image, sizeof(lanes));
                lanes_transpose(padded, LANES, to + c, slab->columns);
            }
        }
    }
}

// The destinations in [first, last) whose tap at `offset` falls on an image of `extent`.
static void reached(size_t *first, size_t *last, size_t offset, size_t stride, size_t padding, size_t extent) {
    while (*first < *last && *first * stride + offset < padding) ++*first;
    while (*first < *last && (*last - 1) * stride + offset >= padding + extent) --*last;
}

// u [taps][outputs][rounded inputs] += dy rows
static void multiply_slab(const lanes_convolution *s, const wide_slab *slab, const float *rows, const float *dy,
                          float *u, const product_tap *tap) {
    product_place place[GROUP];
    for (size_t i = 0; i < GROUP / WIDTH; i++) place[i] = (product_place){i * WIDTH, i * WIDTH};
    const size_t position = LANES * slab->columns, result = s->outHeight * s->outWidth * LANES;
    products p = {.tap = tap, .xChannel = s->strideHeight * s->width * position, .weightOutput = result,
                  .weightChannel = s->outWidth * LANES, .yOutput = rounded(s->inputs), .start = ADD_TO_Y};
    for (size_t i = 0; i < s->kernelHeight; i++)
        for (size_t j = 0; j < s->kernelWidth; j++) {
            size_t h = slab->firstRow, lastRow = slab->lastRow, q = 0, lastColumn = s->outWidth;
            reached(&h, &lastRow, i * s->dilationHeight, s->strideHeight, s->paddingHeight, s->height);
            reached(&q, &lastColumn, j * s->dilationWidth, s->strideWidth, s->paddingWidth, s->width);
            if (h >= lastRow || q >= lastColumn) continue;
            const size_t row = h * s->strideHeight + i * s->dilationHeight - s->paddingHeight - slab->firstSource;
            const size_t column = q * s->strideWidth + j * s->dilationWidth - s->paddingWidth;
            p.channels = lastRow - h;
            p.taps = (lastColumn - q) * LANES;
            p.x = rows + (row * s->width + column) * position;
            p.weight = dy + slab->block * s->outputs * result + (h * s->outWidth + q) * LANES;
            p.y = u + (i * s->kernelWidth + j) * s->outputs * rounded(s->inputs) + slab->input;
            products_run(&p, s->outputs, place, slab->columns / WIDTH);
        }
}

// dw [outputs][inputs][taps] from u [taps][outputs][rounded inputs]
static void gather_taps(const lanes_convolution *s, const float *u, float *dw) {
    const size_t taps = s->kernelHeight * s->kernelWidth, row = rounded(s->inputs);
    for (size_t o = 0; o < s->outputs; o++)
        for (size_t c = 0; c < s->inputs; c++)
            for (size_t t = 0; t < taps; t++) *dw++ = u[(t * s->outputs + o) * row + c];
}

void KERNEL(wide_parameter_gradient)(const lanes_convolution *s, size_t blocks, const float *x, const float *dy,
                                     float *dw, float *scratch) {
    const wide_slabs slabs = slabs_of(s);
    const size_t taps = s->kernelHeight * s->kernelWidth, group = s->inputs < GROUP ? rounded(s->inputs) : GROUP;
    const size_t extent = s->dilationHeight * (s->kernelHeight - 1) + 1, count =
        taps * s->outputs * rounded(s->inputs);
    float *rows = scratch, *u = rows + slabs.sources * s->width * LANES * group;
    product_tap *tap = (product_tap *)(u + count);
    memset(u, 0, count * sizeof *u);
    for (size_t g = 0; g < s->inputs; g += GROUP) {
        const size_t inputs = s->inputs - g < GROUP ? s->inputs - g : GROUP, columns = rounded(inputs);
        for (size_t q = 0; q < s->outWidth; q++)
            for (size_t lane = 0; lane < LANES; lane++)
                tap[q * LANES + lane] = (product_tap){(q * s->strideWidth * LANES + lane) * columns, q * LANES + lane};
        for (size_t b = 0; b < blocks; b++)
            for (size_t h = 0; h < s->outHeight; h += slabs.rows) {
                const size_t last = h + slabs.rows < s->outHeight ? h + slabs.rows : s->outHeight;
                const size_t top = h * s->strideHeight, bottom = (last - 1) * s->strideHeight + extent;
                const wide_slab slab = {b, h, last, top < s->paddingHeight ? 0 : top - s->paddingHeight,
                                        bottom < s->paddingHeight ? 0
                                        : bottom - s->paddingHeight < s->height ?
                                            bottom - s->paddingHeight : s->height, g, inputs, columns};
                stage_rows(s, &slab, x, rows);
                multiply_slab(s, &slab, rows, dy, u, tap);
            }
    }
    gather_taps(s, u, dw);
}
#endif
