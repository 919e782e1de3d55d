// Convolutions as they are written down: every output a sum over channels and taps, without a transform.
//
// x [blocks, C, h, w, 16], y [blocks, O, h', w', 16]. A sum starts from the bias and runs over channels, then taps
// that fall on the image. Relative error below 1e-7 sqrt(C taps) of the sum of magnitudes.
#ifndef KERNEL
#define KERNEL_FILE "direct.c"
#include "direct.h"
#include "instruction_sets.h"
#include "taps.h"

size_t direct_scratch(const lanes_convolution *s) {
    const size_t kernel = s->kernelHeight > s->kernelWidth ? s->kernelHeight : s->kernelWidth;
    const size_t extent = s->height + s->width + s->outHeight + s->outWidth;
    return 2 * taps_axis_words(extent, kernel) + 4 * s->kernelHeight * s->kernelWidth + 64;
}

direct_correlation direct_forward(const lanes_convolution *s, size_t groups) {
    const size_t taps = s->kernelHeight * s->kernelWidth;
    return (direct_correlation){
        groups, s->inputs, s->outputs,
        {s->outHeight, s->height, s->kernelHeight, s->strideHeight, s->paddingHeight, s->dilationHeight, 0},
        {s->outWidth, s->width, s->kernelWidth, s->strideWidth, s->paddingWidth, s->dilationWidth, 0},
        s->outputs * s->inputs * taps, s->inputs * taps, taps};
}

direct_correlation direct_backward(const lanes_convolution *s, size_t groups) {
    const size_t taps = s->kernelHeight * s->kernelWidth;
    return (direct_correlation){
        groups, s->outputs, s->inputs,
        {s->height, s->outHeight, s->kernelHeight, s->strideHeight, s->paddingHeight, s->dilationHeight, 1},
        {s->width, s->outWidth, s->kernelWidth, s->strideWidth, s->paddingWidth, s->dilationWidth, 1},
        s->outputs * s->inputs * taps, taps, s->inputs * taps};
}

DISPATCH(void, direct_correlate,
         (const direct_correlation *d, size_t blocks, const float *x, const float *weight, const float *bias, float *y,
          float *scratch),
         (d, blocks, x, weight, bias, y, scratch))
#else
#include "products.h"

#define slab KERNEL(slab)
#define direct_slab KERNEL(direct_slab)
#define direct_taps KERNEL(direct_taps)
#define direct_groups KERNEL(direct_groups)
#define direct_class KERNEL(direct_class)

/// Destinations that are computed together: sample blocks [firstBlock, lastBlock), rows [firstRow, lastRow).
typedef struct {
    size_t firstBlock, lastBlock, firstRow, lastRow;
} slab;

// How many blocks, rows and channels are worked on at once: as many rows as fit, whole images if they do, and then as
// many of them as fit; of the channels those whose part fits.
static void direct_slab(const direct_correlation *d, size_t *blocks, size_t *rows, size_t *channels) {
    const size_t image = d->rows.sources * d->columns.sources * LANES;
    const size_t down = d->rows.destinations, across = d->columns.destinations;
    const size_t leastRows = (SLAB_PLACES + across - 1) / across, leastBlocks = SLAB_PLACES / (down * across);
    *rows = SLAB_FLOATS / (d->inputs * image / down + 1);
    if (*rows < leastRows) *rows = leastRows;
    if (*rows > down) *rows = down;
    *blocks = 1;
    if (*rows == down) {
        *blocks = SLAB_FLOATS / (d->inputs * image + 1);
        if (*blocks < leastBlocks) *blocks = leastBlocks;
        if (*blocks < 1) *blocks = 1;
    }
    const size_t whole = *blocks * *rows * (image / down) + 1;
    const size_t touched = *blocks * *rows * across * d->rows.kernel * d->columns.kernel * LANES;
    *channels = SLAB_FLOATS / (whole < touched ? whole : touched);
    if (*channels < 8) *channels = 8;
}

// The taps of a class of rows and a class of columns.
static size_t direct_taps(const direct_correlation *d, const taps_axis *rows, const taps_axis *columns, size_t r,
                          size_t k, product_tap *tap) {
    size_t count = 0;
    for (int32_t u = 0; u < rows->count[r]; u++)
        for (int32_t v = 0; v < columns->count[k]; v++) {
            const size_t row = rows->offset[r * rows->kernel + u], column = columns->offset[k * columns->kernel + v];
            tap[count].x = (row * d->columns.sources + column) * LANES;
            tap[count++].weight = rows->tap[r * rows->kernel + u] * columns->kernel +
                columns->tap[k * columns->kernel + v];
        }
    return count;
}

// The outputs of every group at some places.
INLINE void direct_groups(const direct_correlation *d, const products *p, const product_place *place, size_t count) {
    products group = *p;
    for (size_t g = 0; g < d->groups; g++) {
        products_run(&group, d->outputs, place, count);
        group.x += d->inputs * p->xChannel;
        group.y += d->outputs * p->yOutput;
        group.weight += d->weightGroup;
        if (group.bias) group.bias += d->outputs;
    }
}

// All destinations of a slab that belong to one class, a list of places at a time.
static void direct_class(const direct_correlation *d, const slab *s, const taps_axis *rows, const taps_axis *columns,
                         size_t r, size_t k, const products *p) {
    product_place place[LIST];
    size_t count = 0;
    for (size_t b = s->firstBlock; b < s->lastBlock; b++)
        for (int32_t i = rows->begin[r]; i < rows->begin[r + 1]; i++) {
            const size_t row = rows->members[i];
            if (row < s->firstRow || row >= s->lastRow) continue;
            const size_t x = b * d->groups * d->inputs * p->xChannel + rows->first[row] * d->columns.sources * LANES;
            const size_t y = b * d->groups * d->outputs * p->yOutput + row * d->columns.destinations * LANES;
            for (int32_t j = columns->begin[k]; j < columns->begin[k + 1]; j++) {
                const size_t column = columns->members[j];
                for (int part = 0; part < PARTS; part++) {
                    place[count].x = x + columns->first[column] * LANES + part * WIDTH;
                    place[count++].y = y + column * LANES + part * WIDTH;
                }
                if (count < LIST) continue;
                direct_groups(d, p, place, count);
                count = 0;
            }
        }
    if (count) direct_groups(d, p, place, count);
}

void KERNEL(direct_correlate)(const direct_correlation *d, size_t blocks, const float *x, const float *weight,
                              const float *bias, float *y, float *scratch) {
    if (!d->groups || !d->outputs || !d->rows.destinations || !d->columns.destinations) return;
    int32_t *words = (int32_t *)scratch;
    const taps_axis rows = taps_make_axis(&d->rows, words);
    words += taps_axis_words(d->rows.destinations, d->rows.kernel);
    const taps_axis columns = taps_make_axis(&d->columns, words);
    words += taps_axis_words(d->columns.destinations, d->columns.kernel);
    product_tap *tap = (product_tap *)(((uintptr_t)words + 15) / 16 * 16);
    const size_t image = d->rows.sources * d->columns.sources * LANES, down = d->rows.destinations;
    products p = {.tap = tap, .xChannel = image, .weightOutput = d->weightOutput, .weightChannel = d->weightInput,
        .y = y, .yOutput = down * d->columns.destinations * LANES, .bias = bias};
    size_t slabBlocks, slabRows, most;
    direct_slab(d, &slabBlocks, &slabRows, &most);
    for (size_t b = 0; b < blocks; b += slabBlocks)
        for (size_t h = 0; h < down; h += slabRows) {
            const slab s = {b, b + slabBlocks < blocks ? b + slabBlocks : blocks, h,
                            h + slabRows < down ? h + slabRows : down};
            size_t c = 0;
            do {
                const size_t channels = d->inputs ? PART(d->inputs - c, most) : 0;
                p.x = x + c * image;
                p.weight = weight + c * d->weightInput;
                p.start = c > 0 ? FROM_Y : FROM_BIAS;
                for (size_t r = 0; r < rows.classes; r++)
                    for (size_t k = 0; k < columns.classes; k++) {
                        p.taps = direct_taps(d, &rows, &columns, r, k, tap);
                        p.channels = p.taps ? channels : 0;
                        direct_class(d, &s, &rows, &columns, r, k, &p);
                    }
                c += channels;
            } while (c < d->inputs);
        }
}
#endif
