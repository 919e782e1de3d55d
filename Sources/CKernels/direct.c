// Convolutions as they are written down: every output a sum over channels and taps, without a transform.
//
// x [blocks, C, h, w, 16], y [blocks, O, h', w', 16]. A sum starts from the bias and runs over channels, then taps that fall on
// the image. Relative error below 1e-7 sqrt(C taps) of the sum of magnitudes.
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

DISPATCH(void, direct_correlate,
         (const direct_correlation *d, size_t blocks, const float *x, const float *weight, const float *bias, float *y,
          float *scratch),
         (d, blocks, x, weight, bias, y, scratch))
#else
#include "products.h"

#define slab KERNEL(slab)
#define direct_class KERNEL(direct_class)
#define direct_slab KERNEL(direct_slab)
#define direct_taps KERNEL(direct_taps)

/// Destinations that are computed together: sample blocks [firstBlock, lastBlock), rows [firstRow, lastRow).
typedef struct {
    size_t firstBlock, lastBlock, firstRow, lastRow;
} slab;

// The taps of a class of rows and a class of columns.
static size_t direct_taps(const direct_correlation *d, const taps_axis *rows, const taps_axis *columns, size_t r, size_t k,
                          product_tap *tap) {
    size_t count = 0;
    for (int32_t u = 0; u < rows->count[r]; u++)
        for (int32_t v = 0; v < columns->count[k]; v++) {
            const size_t row = rows->offset[r * rows->kernel + u], column = columns->offset[k * columns->kernel + v];
            tap[count].x = (row * d->columns.sources + column) * LANES;
            tap[count++].weight = rows->tap[r * rows->kernel + u] * columns->kernel + columns->tap[k * columns->kernel + v];
        }
    return count;
}

// All destinations of a slab that belong to one class, a list of places at a time.
static void direct_class(const direct_correlation *d, const slab *s, const taps_axis *rows, const taps_axis *columns, size_t r,
                         size_t k, const products *p) {
    const size_t image = d->rows.sources * d->columns.sources * LANES;
    const size_t result = d->rows.destinations * d->columns.destinations * LANES;
    product_place place[LIST];
    size_t count = 0;
    for (size_t b = s->firstBlock; b < s->lastBlock; b++)
        for (int32_t i = rows->begin[r]; i < rows->begin[r + 1]; i++) {
            const size_t row = rows->members[i];
            if (row < s->firstRow || row >= s->lastRow) continue;
            const size_t x = b * d->inputs * image + rows->first[row] * d->columns.sources * LANES;
            const size_t y = b * d->outputs * result + row * d->columns.destinations * LANES;
            for (int32_t j = columns->begin[k]; j < columns->begin[k + 1]; j++) {
                const size_t column = columns->members[j];
                for (int part = 0; part < PARTS; part++) {
                    place[count].x = x + columns->first[column] * LANES + part * WIDTH;
                    place[count++].y = y + column * LANES + part * WIDTH;
                }
                if (count < LIST) continue;
                products_run(p, d->outputs, place, count);
                count = 0;
            }
        }
    if (count) products_run(p, d->outputs, place, count);
}

void KERNEL(direct_correlate)(const direct_correlation *d, size_t blocks, const float *x, const float *weight,
                              const float *bias, float *y, float *scratch) {
    if (!d->outputs || !d->rows.destinations || !d->columns.destinations) return;
    int32_t *words = (int32_t *)scratch;
    const taps_axis rows = taps_make_axis(&d->rows, words);
    words += taps_axis_words(d->rows.destinations, d->rows.kernel);
    const taps_axis columns = taps_make_axis(&d->columns, words);
    words += taps_axis_words(d->columns.destinations, d->columns.kernel);
    product_tap *tap = (product_tap *)(((uintptr_t)words + 15) / 16 * 16);
    const size_t image = d->rows.sources * d->columns.sources * LANES;
    products p = {.tap = tap, .xChannel = image, .weightOutput = d->weightOutput, .weightChannel = d->weightInput, .y = y,
                  .yOutput = d->rows.destinations * d->columns.destinations * LANES, .bias = bias};

    // Rows of a slab, whole images if they fit, and then as many of them as fit.
    const size_t inRow = d->inputs * image / d->rows.destinations + 1;
    size_t slabRows = SLAB_FLOATS / inRow;
    const size_t least = (SLAB_PLACES + d->columns.destinations - 1) / d->columns.destinations;
    if (slabRows < least) slabRows = least;
    if (slabRows > d->rows.destinations) slabRows = d->rows.destinations;
    size_t slabBlocks = 1;
    if (slabRows == d->rows.destinations) {
        slabBlocks = SLAB_FLOATS / (d->inputs * image + 1);
        const size_t least = SLAB_PLACES / (d->rows.destinations * d->columns.destinations);
        if (slabBlocks < least) slabBlocks = least;
        if (slabBlocks < 1) slabBlocks = 1;
    }
    // Channels whose part of a slab fits.
    size_t perChannel = slabBlocks * slabRows * (image / d->rows.destinations) + 1;
    const size_t touched = slabBlocks * slabRows * d->columns.destinations * d->rows.kernel * d->columns.kernel * LANES;
    if (perChannel > touched) perChannel = touched;
    size_t chunk = SLAB_FLOATS / perChannel;
    if (chunk < 8) chunk = 8;
    const size_t chunks = d->inputs ? (d->inputs + chunk - 1) / chunk : 1;

    for (size_t b = 0; b < blocks; b += slabBlocks)
        for (size_t h = 0; h < d->rows.destinations; h += slabRows) {
            const slab s = {b, b + slabBlocks < blocks ? b + slabBlocks : blocks, h,
                            h + slabRows < d->rows.destinations ? h + slabRows : d->rows.destinations};
            for (size_t i = 0, c = 0; i < chunks; i++) {
                const size_t channels = (d->inputs - c + chunks - i - 1) / (chunks - i);
                p.x = x + c * image;
                p.weight = weight + c * d->weightInput;
                p.start = i > 0 ? FROM_Y : FROM_BIAS;
                for (size_t r = 0; r < rows.classes; r++)
                    for (size_t k = 0; k < columns.classes; k++) {
                        p.taps = direct_taps(d, &rows, &columns, r, k, tap);
                        p.channels = p.taps ? channels : 0;
                        direct_class(d, &s, &rows, &columns, r, k, &p);
                    }
                c += channels;
            }
        }
}
#endif
