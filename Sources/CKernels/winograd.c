// 3 x 3 convolutions by Winograd's algorithm F(4x4, 3x3) (Lavin and Gray, 2016): tiles of 6 x 6 values give 4 x 4
// results with 36 multiplications per input and output in place of 144.
//
// x [blocks, C, h, w, 16], y [blocks, O, h', w', 16]. Tiles d, weights g:  y = A^T [sum over c of (G g G^T) (B^T d
// B)] A, each sum over channels by chains of 64 fused multiply-adds, these added in order, the bias last. Error
// against Float64, relative to the largest result: below 2e-6.
#ifndef KERNEL
#define KERNEL_FILE "winograd.c"
#include "winograd.h"

/// Tiles of sixteen samples that are transformed together, and outputs that they meet together.
enum { TILES = 12, CHUNK = 32 };
/// Channels of one chain: a longer one has a larger error.
enum { CHAIN = 64 };

// Transforms of the 36 elements stand one line apart beyond a multiple, so that they do not fall on each other in
// caches.
#define VALUES(CHANNELS) (((CHANNELS) * TILES + 1) * 16)

#include "instruction_sets.h"

size_t winograd_scratch(const winograd_correlation *w, size_t blocks) {
    (void)blocks;
    const size_t weights = 36 * w->inputs * ((w->outputs + 15) / 16 * 16);
    return weights + 36 * VALUES(w->inputs) + 36 * VALUES(CHUNK);
}

DISPATCH(void, winograd_correlate,
         (const winograd_correlation *w, size_t blocks, const float *x, const float *weight, const float *bias,
          float *y, float *scratch), (w, blocks, x, weight, bias, y, scratch))
#else
#include "products.h"
#include "winograd_tiles.h"

#define six_to_four KERNEL(six_to_four)
#define three_to_six KERNEL(three_to_six)
#define output_tile KERNEL(output_tile)
#define filter_tile KERNEL(filter_tile)
#define transform_filters KERNEL(transform_filters)
#define transform_inputs KERNEL(transform_inputs)
#define transform_outputs KERNEL(transform_outputs)
#define multiply_tiles KERNEL(multiply_tiles)

// A^T m
INLINE void six_to_four(const vec m[6], vec y[4]) {
    const vec p = m[1] + m[2], q = m[1] - m[2], r = m[3] + m[4], s = m[3] - m[4];
    y[0] = (m[0] + p) + r;
    y[1] = vec_fma(vec_all(B), s, vec_all(A) * q);
    y[2] = vec_fma(vec_all(BB), r, vec_all(AA) * p);
    y[3] = vec_fma(vec_all(BB * B), s, vec_fma(vec_all(AA * A), q, m[5]));
}

// G g
INLINE void three_to_six(const vec g[3], vec u[6]) {
    const float a = 1 / (2 * AA * (AA - BB)), b = 1 / (2 * BB * (BB - AA));
    const vec p = vec_all(a) * vec_fma(vec_all(AA), g[2], g[0]), q = vec_all(b) * vec_fma(vec_all(BB), g[2], g[0]);
    u[0] = vec_all(1 / (AA * BB)) * g[0];
    u[1] = vec_fma(vec_all(a * A), g[1], p);
    u[2] = vec_fma(vec_all(-a * A), g[1], p);
    u[3] = vec_fma(vec_all(b * B), g[1], q);
    u[4] = vec_fma(vec_all(-b * B), g[1], q);
    u[5] = g[2];
}

// The reverse: 36 elements to those of 4 x 4 results that fall on the image y, the bias added.
INLINE void output_tile(const int whole, const winograd_tile *t, const float *m, size_t element, float bias, float *y,
                        size_t row) {
    y += (size_t)t->row * row + (size_t)t->column * LANES;
    for (int part = 0; part < PARTS; part++, m += WIDTH, y += WIDTH) {
        vec half[4][6];
#pragma unroll
        for (int j = 0; j < 6; j++) {
            vec column[6], out[4];
#pragma unroll
            for (int i = 0; i < 6; i++) column[i] = *(const vec *)(m + (i * 6 + j) * element);
            six_to_four(column, out);
#pragma unroll
            for (int i = 0; i < 4; i++) half[i][j] = out[i];
        }
#pragma unroll
        for (int i = 0; i < 4; i++) {
            vec out[4];
            six_to_four(half[i], out);
#pragma unroll
            for (int j = 0; j < 4; j++)
                if (whole || (i < t->lastRow && j < t->lastColumn)) *(vec *)(y + i * row + j * LANES) = out[j] +
                    vec_all(bias);
        }
    }
}

// Weights of sixteen outputs: 9 taps `tap` floats apart, to 36 elements `element` floats apart.
static void filter_tile(const float *g, ptrdiff_t tap, float *u, size_t element) {
    for (int part = 0; part < PARTS; part++, g += WIDTH, u += WIDTH) {
        vec half[6][3];
#pragma unroll
        for (int j = 0; j < 3; j++) {
            vec column[3], out[6];
#pragma unroll
            for (int i = 0; i < 3; i++) column[i] = *(const vec *)(g + (i * 3 + j) * tap);
            three_to_six(column, out);
#pragma unroll
            for (int i = 0; i < 6; i++) half[i][j] = out[i];
        }
#pragma unroll
        for (int i = 0; i < 6; i++) {
            vec out[6];
            three_to_six(half[i], out);
#pragma unroll
            for (int j = 0; j < 6; j++) *(vec *)(u + (i * 6 + j) * element) = out[j];
        }
    }
}

// u [outputs / 16][36][inputs][16] from the weights: sixteen outputs, sixteen inputs at a time.
static void transform_filters(const winograd_correlation *w, const float *weight, float *u) {
    const size_t C = w->inputs, O = w->outputs;
    float rows[LANES][9 * LANES] __attribute__((aligned(64))), taps[9 * LANES][LANES] __attribute__((aligned(64)));
    for (size_t o = 0; o < O; o += LANES, u += 36 * C * LANES)
        for (size_t c = 0; c < C; c += LANES) {
            const size_t outputs = O - o < LANES ? O - o : LANES, inputs = C - c < LANES ? C - c : LANES;
            if (outputs < LANES) memset(rows, 0, sizeof rows);
            // rows [output][input][tap], from weights whose outputs come first or second
            if (!w->transposed)
                for (size_t i = 0; i < outputs; i++)
                    memcpy(rows[i], weight + ((o + i) * C + c) * 9, inputs * 9 * sizeof(float));
            else
                for (size_t j = 0; j < inputs; j++)
                    for (size_t i = 0; i < outputs; i++)
                        memcpy(rows[i] + j * 9, weight + ((c + j) * O + o + i) * 9, 9 * sizeof(float));
            for (size_t t = 0; t < inputs * 9; t += LANES) lanes_transpose(rows[0] + t, 9 * LANES, taps[t], LANES);
            for (size_t j = 0; j < inputs; j++)
                filter_tile(w->transposed ? taps[j * 9 + 8] : taps[j * 9], w->transposed ? -LANES : LANES,
                            u + (c + j) * LANES, C * LANES);
        }
}

// v [36][inputs][count] from `count` tiles of x
static void transform_inputs(const winograd_correlation *w, const float *x, size_t first, size_t count, float *v,
                             size_t element) {
    const size_t image = w->height * w->width * LANES, row = w->width * LANES;
    winograd_tile tile[TILES];
    for (size_t t = 0; t < count; t++)
        tile[t] = tile_at(w, first + t, 6, w->height, w->width, w->paddingHeight, w->paddingWidth);
    for (size_t c = 0; c < w->inputs; c++)
        for (size_t t = 0; t < count; t++, v += LANES) {
            const winograd_tile *at = tile + t;
            const float *from = x + (at->block * w->inputs + c) * image;
            if (!at->firstRow && !at->firstColumn && at->lastRow == 6 && at->lastColumn == 6)
                input_tile(1, at, from, row, v, element);
            else
                input_tile(0, at, from, row, v, element);
        }
}

// `outputs` outputs of y from m [36][outputs][count]
static void transform_outputs(const winograd_correlation *w, const float *m, size_t element, size_t first,
                              size_t count, size_t output, size_t outputs, const float *bias, float *y) {
    const size_t image = w->outHeight * w->outWidth * LANES, row = w->outWidth * LANES;
    winograd_tile tile[TILES];
    for (size_t t = 0; t < count; t++) tile[t] = tile_at(w, first + t, 4, w->outHeight, w->outWidth, 0, 0);
    for (size_t o = 0; o < outputs; o++)
        for (size_t t = 0; t < count; t++, m += LANES) {
            const winograd_tile *at = tile + t;
            float *to = y + (at->block * w->outputs + output + o) * image;
            const float added = bias ? bias[output + o] : 0;
            if (at->lastRow == 4 && at->lastColumn == 4)
                output_tile(1, at, m, element, added, to, row);
            else
                output_tile(0, at, m, element, added, to, row);
        }
}

// m [36][outputs][count] = u v
static void multiply_tiles(size_t inputs, size_t outputs, size_t count, const float *u, const float *v,
                           size_t vElement, float *m, size_t mElement) {
    const product_tap tap = {0, 0};
    product_place place[TILES * PARTS];
    for (size_t i = 0; i < count * PARTS; i++) place[i] = (product_place){i * WIDTH, i * WIDTH};
    products p = {.taps = 1, .tap = &tap, .xChannel = count * LANES, .weightOutput = 1,
                  .weightChannel = LANES, .yOutput = count * LANES};
    for (size_t k = 0; k < 36; k++)
        for (size_t o = 0; o < outputs; o += LANES) {
            p.y = m + k * mElement + o * count * LANES;
            for (size_t c = 0; c < inputs; c += CHAIN) {
                p.channels = inputs - c < CHAIN ? inputs - c : CHAIN;
                p.x = v + k * vElement + c * count * LANES;
                p.weight = u + (o * 36 + k * LANES) * inputs + c * LANES;
                p.start = c > 0 ? ADD_TO_Y : FROM_BIAS;
                products_run(&p, outputs - o < LANES ? outputs - o : LANES, place, count * PARTS);
            }
        }
}

void KERNEL(winograd_correlate)(const winograd_correlation *w, size_t blocks, const float *x, const float *weight,
                                const float *bias, float *y, float *scratch) {
    const size_t C = w->inputs, O = w->outputs;
    const size_t tiles = blocks * ((w->outHeight + 3) / 4) * ((w->outWidth + 3) / 4);
    float *u = scratch, *v = u + 36 * C * ((O + LANES - 1) / LANES * LANES), *m = v + 36 * VALUES(C);
    transform_filters(w, weight, u);
    for (size_t first = 0, count; first < tiles; first += count) {
        count = PART(tiles - first, TILES);
        const size_t vElement = (C * count + 1) * LANES, mElement = (CHUNK * count + 1) * LANES;
        transform_inputs(w, x, first, count, v, vElement);
        for (size_t o = 0; o < O; o += CHUNK) {
            const size_t outputs = O - o < CHUNK ? O - o : CHUNK;
            multiply_tiles(C, outputs, count, u + o * 36 * C, v, vElement, m, mElement);
            transform_outputs(w, m, mElement, first, count, o, outputs, bias, y);
        }
    }
}
#endif
