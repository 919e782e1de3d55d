// The gradient of the weights of 3 x 3 convolutions by Winograd's algorithm, the transpose of F(4x4, 3x3):
// dw = G^T [sum over tiles and samples of (A dy A^T) (B^T x B)] G.
//
// x [blocks, C, h, w, 16], dy [blocks, O, h', w', 16], dw [O, C, 3, 3]. The sum of a slab of up to 12 tiles is one
// chain of fused multiply-adds over tiles, then lanes; slabs are added in order. Sixteen inputs are worked on at
// once: values are transposed, so that no sum over lanes is left. Error against Float64, relative to the largest
// gradient: below 2e-6.
#ifndef KERNEL
#define KERNEL_FILE "winograd_gradient.c"
#include "winograd.h"

/// Tiles of a slab, outputs that are summed together where there is one slab, inputs whose values stand side by side.
enum { TILES = 12, CHUNK = 32, GROUP = 96 };

static size_t rounded(size_t channels) { return (channels + 15) / 16 * 16; }

static size_t tiles_of(const winograd_correlation *w, size_t blocks) {
    return blocks * ((w->outHeight + 3) / 4) * ((w->outWidth + 3) / 4);
}

#include "instruction_sets.h"

size_t winograd_gradient_scratch(const winograd_correlation *w, size_t blocks) {
    const size_t chunk = tiles_of(w, blocks) <= TILES && w->outputs > CHUNK ? CHUNK : w->outputs;
    return 36 * 16 * (rounded(w->inputs) * TILES + 1 + w->outputs * TILES + 1) + 36 * chunk * rounded(w->inputs);
}

DISPATCH(void, winograd_parameter_gradient,
         (const winograd_correlation *w, size_t blocks, const float *x, const float *dy, float *dw, float *scratch),
         (w, blocks, x, dy, dw, scratch))
#else
#include "products.h"
#include "winograd_tiles.h"

#define four_to_six KERNEL(four_to_six)
#define six_to_three KERNEL(six_to_three)
#define gradient_tile KERNEL(gradient_tile)
#define gradient_filters KERNEL(gradient_filters)
#define transform_rows KERNEL(transform_rows)
#define transform_gradients KERNEL(transform_gradients)
#define multiply_rows KERNEL(multiply_rows)

// A y
INLINE void four_to_six(const vec y[4], vec m[6]) {
    const vec p = vec_fma(vec_all(AA), y[2], y[0]), q = vec_fma(vec_all(AA * A), y[3], vec_all(A) * y[1]);
    const vec r = vec_fma(vec_all(BB), y[2], y[0]), s = vec_fma(vec_all(BB * B), y[3], vec_all(B) * y[1]);
    m[0] = y[0];
    m[1] = p + q;
    m[2] = p - q;
    m[3] = r + s;
    m[4] = r - s;
    m[5] = y[3];
}

// G^T u
INLINE void six_to_three(const vec u[6], vec g[3]) {
    const float a = 1 / (2 * AA * (AA - BB)), b = 1 / (2 * BB * (BB - AA));
    const vec p = vec_all(a) * (u[1] + u[2]), q = vec_all(b) * (u[3] + u[4]);
    g[0] = vec_fma(vec_all(1 / (AA * BB)), u[0], p + q);
    g[1] = vec_fma(vec_all(a * A), u[1] - u[2], vec_all(b * B) * (u[3] - u[4]));
    g[2] = vec_fma(vec_all(AA), p, vec_fma(vec_all(BB), q, u[5]));
}

// One tile of one output: the 4 x 4 gradients that fall on the image dy, to 36 elements.
INLINE void gradient_tile(const int whole, const winograd_tile *t, const float *dy, size_t row, float *m,
                          size_t element) {
    dy += (size_t)t->row * row + (size_t)t->column * LANES;
    for (int part = 0; part < PARTS; part++, m += WIDTH, dy += WIDTH) {
        vec half[6][4];
#pragma unroll
        for (int j = 0; j < 4; j++) {
            vec column[4], out[6];
#pragma unroll
            for (int i = 0; i < 4; i++)
                column[i] = whole || (i < t->lastRow && j < t->lastColumn) ? *(const vec *)(dy + i * row + j * LANES)
                                                                          : vec_all(0);
            four_to_six(column, out);
#pragma unroll
            for (int i = 0; i < 6; i++) half[i][j] = out[i];
        }
#pragma unroll
        for (int i = 0; i < 6; i++) {
            vec out[6];
            four_to_six(half[i], out);
#pragma unroll
            for (int j = 0; j < 6; j++) *(vec *)(m + (i * 6 + j) * element) = out[j];
        }
    }
}

// rows [36][group of inputs][tile][16 samples][inputs of the group] from `count` tiles of x
static void transform_rows(const winograd_correlation *w, const float *x, size_t first, size_t count, float *rows,
                           size_t element) {
    // One line more than sixteen, so that the elements do not fall on each other in the first cache.
    enum { SQUARE = 17 * LANES };
    float values[36 * SQUARE] __attribute__((aligned(64)));
    const size_t C = w->inputs, image = w->height * w->width * LANES, row = w->width * LANES;
    winograd_tile tile[TILES];
    for (size_t t = 0; t < count; t++)
        tile[t] = tile_at(w, first + t, 6, w->height, w->width, w->paddingHeight, w->paddingWidth);
    for (size_t g = 0; g < C; g += GROUP) {
        const size_t columns = rounded(C - g < GROUP ? C - g : GROUP);
        for (size_t c = g; c < C && c < g + GROUP; c += LANES) {
            const size_t inputs = C - c < LANES ? C - c : LANES;
            if (inputs < LANES) memset(values, 0, sizeof values);
            for (size_t t = 0; t < count; t++) {
                const winograd_tile *at = tile + t;
                const float *from = x + (at->block * C + c) * image;
                const int whole = !at->firstRow && !at->firstColumn && at->lastRow == 6 && at->lastColumn == 6;
                for (size_t i = 0; i < inputs; i++, from += image)
                    if (whole)
                        input_tile(1, at, from, row, values + i * LANES, SQUARE);
                    else
                        input_tile(0, at, from, row, values + i * LANES, SQUARE);
                for (size_t k = 0; k < 36; k++)
                    lanes_transpose(values + k * SQUARE, LANES,
                                    rows + k * element + (g * count + t * columns) * LANES + (c - g), columns);
            }
        }
    }
}

// m [36][outputs][count] from `count` tiles of dy
static void transform_gradients(const winograd_correlation *w, const float *dy, size_t first, size_t count, float *m,
                                size_t element) {
    const size_t image = w->outHeight * w->outWidth * LANES, row = w->outWidth * LANES;
    winograd_tile tile[TILES];
    for (size_t t = 0; t < count; t++) tile[t] = tile_at(w, first + t, 4, w->outHeight, w->outWidth, 0, 0);
    for (size_t o = 0; o < w->outputs; o++)
        for (size_t t = 0; t < count; t++, m += LANES) {
            const winograd_tile *at = tile + t;
            const float *from = dy + (at->block * w->outputs + o) * image;
            if (at->lastRow == 4 && at->lastColumn == 4)
                gradient_tile(1, at, from, row, m, element);
            else
                gradient_tile(0, at, from, row, m, element);
        }
}

// u [36][outputs][rounded inputs] = or += m rows, over the samples of `count` tiles
static void multiply_rows(size_t inputs, size_t outputs, size_t count, const float *m, size_t mElement,
                          const float *rows, size_t element, float *u, size_t uElement, int adds) {
    const product_tap tap = {0, 0};
    product_place place[GROUP];
    for (size_t i = 0; i < GROUP / WIDTH; i++) place[i] = (product_place){i * WIDTH, i * WIDTH};
    products p = {.channels = count * LANES, .taps = 1, .tap = &tap, .weightOutput = count * LANES, .weightChannel = 1,
                  .yOutput = rounded(inputs), .start = adds ? ADD_TO_Y : FROM_BIAS};
    for (size_t k = 0; k < 36; k++)
        for (size_t g = 0; g < inputs; g += GROUP) {
            const size_t columns = rounded(inputs - g < GROUP ? inputs - g : GROUP);
            p.weight = m + k * mElement;
            p.x = rows + k * element + g * count * LANES;
            p.xChannel = columns;
            p.y = u + k * uElement + g;
            products_run(&p, outputs, place, columns / WIDTH);
        }
}

// dw [outputs][inputs][3][3] from u [36][outputs][rounded inputs]
static void gradient_filters(size_t inputs, size_t outputs, const float *u, size_t element, float *dw) {
    float taps[LANES][LANES] __attribute__((aligned(64))) = {0}, rows[LANES][LANES] __attribute__((aligned(64)));
    for (size_t o = 0; o < outputs; o++)
        for (size_t c = 0; c < inputs; c += LANES) {
            for (int part = 0; part < PARTS; part++) {
                const float *from = u + o * rounded(inputs) + c + part * WIDTH;
                vec half[3][6];
#pragma unroll
                for (int j = 0; j < 6; j++) {
                    vec column[6], out[3];
#pragma unroll
                    for (int i = 0; i < 6; i++) column[i] = *(const vec *)(from + (i * 6 + j) * element);
                    six_to_three(column, out);
#pragma unroll
                    for (int i = 0; i < 3; i++) half[i][j] = out[i];
                }
#pragma unroll
                for (int i = 0; i < 3; i++) {
                    vec out[3];
                    six_to_three(half[i], out);
#pragma unroll
                    for (int j = 0; j < 3; j++) *(vec *)(taps[i * 3 + j] + part * WIDTH) = out[j];
                }
            }
            lanes_transpose(taps[0], LANES, rows[0], LANES);
            for (size_t i = 0; i < LANES && c + i < inputs; i++) memcpy(dw + (o * inputs + c + i) * 9, rows[i],
                9 * sizeof(float));
        }
}

void KERNEL(winograd_parameter_gradient)(const winograd_correlation *w, size_t blocks, const float *x,
                                         const float *dy, float *dw, float *scratch) {
    const size_t C = w->inputs, O = w->outputs, tiles = tiles_of(w, blocks);
    const size_t chunk = tiles <= TILES && O > CHUNK ? CHUNK : O, uElement = chunk * rounded(C);
    float *rows = scratch, *m = rows + 36 * 16 * (rounded(C) * TILES + 1), *u = m + 36 * 16 * (O * TILES + 1);
    for (size_t first = 0, count; first < tiles; first += count) {
        count = PART(tiles - first, TILES);
        const size_t element = (rounded(C) * count + 1) * LANES, mElement = (O * count + 1) * LANES;
        transform_rows(w, x, first, count, rows, element);
        transform_gradients(w, dy, first, count, m, mElement);
        for (size_t o = 0; o < O; o += chunk) {
            const size_t outputs = O - o < chunk ? O - o : chunk;
            multiply_rows(C, outputs, count, m + o * count * LANES, mElement, rows, element, u, uElement, first > 0);
            if (first + count == tiles) gradient_filters(C, outputs, u, uElement, dw + o * C * 9);
        }
    }
}
#endif
