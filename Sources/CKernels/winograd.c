// 3 x 3 convolutions by Winograd's algorithm F(4x4, 3x3) (Lavin and Gray, 2016): tiles of 6 x 6 values give 4 x 4 results with
// 36 multiplications per input and output in place of 144.
//
// x [blocks, C, h, w, 16], y [blocks, O, h', w', 16]. Tiles d, weights g:  y = A^T [sum over c of (G g G^T) (B^T d B)] A, each
// sum one chain of fused multiply-adds over channels, the bias added last. Error against Float64, relative to the largest
// result: below 2e-6.
#ifndef KERNEL
#define KERNEL_FILE "winograd.c"
#include "winograd.h"

/// Tiles of sixteen samples that are transformed together, and outputs that they meet together.
enum { TILES = 12, CHUNK = 32 };

// Transforms of the 36 elements stand one line apart beyond a multiple, so that they do not fall on each other in caches.
#define VALUES(CHANNELS) (((CHANNELS) * TILES + 1) * 16)

#include "instruction_sets.h"

size_t winograd_scratch(const winograd_correlation *w, size_t blocks) {
    (void)blocks;
    const size_t weights = 36 * w->inputs * ((w->outputs + 15) / 16 * 16);
    return weights + 36 * VALUES(w->inputs) + 36 * VALUES(CHUNK);
}

DISPATCH(void, winograd_correlate,
         (const winograd_correlation *w, size_t blocks, const float *x, const float *weight, const float *bias, float *y,
          float *scratch),
         (w, blocks, x, weight, bias, y, scratch))
#else
#include "products.h"

#define winograd_tile KERNEL(winograd_tile)
#define six_to_six KERNEL(six_to_six)
#define six_to_four KERNEL(six_to_four)
#define three_to_six KERNEL(three_to_six)
#define input_tile KERNEL(input_tile)
#define output_tile KERNEL(output_tile)
#define filter_tile KERNEL(filter_tile)
#define transform_filters KERNEL(transform_filters)
#define transform_inputs KERNEL(transform_inputs)
#define transform_outputs KERNEL(transform_outputs)
#define multiply_tiles KERNEL(multiply_tiles)
#define tile_at KERNEL(tile_at)

/// Where a tile stands: its sample block, its first row and column of y.
typedef struct {
    size_t block, row, column;
} winograd_tile;

INLINE winograd_tile tile_at(const winograd_correlation *w, size_t index) {
    const size_t across = (w->outWidth + 3) / 4, down = (w->outHeight + 3) / 4;
    return (winograd_tile){index / (across * down), index / across % down * 4, index % across * 4};
}

// B^T d
INLINE void six_to_six(const vec d[6], vec v[6]) {
    const vec p = vec_fma(vec_all(-4), d[2], d[4]), q = vec_fma(vec_all(-4), d[1], d[3]);
    const vec r = d[4] - d[2], s = d[3] - d[1];
    v[0] = vec_fma(vec_all(4), d[0], vec_fma(vec_all(-5), d[2], d[4]));
    v[1] = p + q;
    v[2] = p - q;
    v[3] = vec_fma(vec_all(2), s, r);
    v[4] = vec_fma(vec_all(-2), s, r);
    v[5] = vec_fma(vec_all(4), d[1], vec_fma(vec_all(-5), d[3], d[5]));
}

// A^T m
INLINE void six_to_four(const vec m[6], vec y[4]) {
    const vec a = m[1] + m[2], b = m[1] - m[2], c = m[3] + m[4], d = m[3] - m[4];
    y[0] = m[0] + a + c;
    y[1] = vec_fma(vec_all(2), d, b);
    y[2] = vec_fma(vec_all(4), c, a);
    y[3] = vec_fma(vec_all(8), d, b) + m[5];
}

// G g
INLINE void three_to_six(const vec g[3], vec u[6]) {
    const vec sixth = vec_all(-1.0f / 6), twelfth = vec_all(1.0f / 12);
    const vec ends = g[0] + g[2], outer = vec_fma(vec_all(1.0f / 24), g[0], vec_all(1.0f / 6) * g[2]);
    u[0] = vec_all(0.25f) * g[0];
    u[1] = sixth * (ends + g[1]);
    u[2] = sixth * (ends - g[1]);
    u[3] = vec_fma(twelfth, g[1], outer);
    u[4] = vec_fma(-twelfth, g[1], outer);
    u[5] = g[2];
}

// One tile of one channel: 6 x 6 values whose rows are `row` floats apart, to 36 elements `element` floats apart.
static void input_tile(const float *d, size_t row, float *v, size_t element) {
    for (int part = 0; part < PARTS; part++, d += WIDTH, v += WIDTH) {
        vec half[6][6];
#pragma unroll
        for (int j = 0; j < 6; j++) {
            vec column[6], out[6];
#pragma unroll
            for (int i = 0; i < 6; i++) column[i] = *(const vec *)(d + i * row + j * LANES);
            six_to_six(column, out);
#pragma unroll
            for (int i = 0; i < 6; i++) half[i][j] = out[i];
        }
#pragma unroll
        for (int i = 0; i < 6; i++) {
            vec out[6];
            six_to_six(half[i], out);
#pragma unroll
            for (int j = 0; j < 6; j++) *(vec *)(v + (i * 6 + j) * element) = out[j];
        }
    }
}

// The reverse: 36 elements to 4 x 4 results, the bias added.
static void output_tile(const float *m, size_t element, float bias, float *y, size_t row) {
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
            for (int j = 0; j < 4; j++) *(vec *)(y + i * row + j * LANES) = out[j] + vec_all(bias);
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
    const size_t image = w->height * w->width * LANES;
    for (size_t t = 0; t < count; t++) {
        const winograd_tile tile = tile_at(w, first + t);
        const float *from = x + tile.block * w->inputs * image;
        float *to = v + t * LANES;
        const ptrdiff_t top = (ptrdiff_t)tile.row - (ptrdiff_t)w->paddingHeight, left = (ptrdiff_t)tile.column - (ptrdiff_t)w->paddingWidth;
        const ptrdiff_t bottom = (ptrdiff_t)w->height - top, right = (ptrdiff_t)w->width - left;
        if (top >= 0 && left >= 0 && bottom >= 6 && right >= 6) {
            from += (top * w->width + left) * LANES;
            for (size_t c = 0; c < w->inputs; c++, from += image, to += count * LANES)
                input_tile(from, w->width * LANES, to, element);
            continue;
        }
        // Beyond the image there are zeros, at the same places for all channels.
        lanes values[6][6];
        memset(values, 0, sizeof values);
        const ptrdiff_t i0 = top < 0 ? -top : 0, j0 = left < 0 ? -left : 0;
        const ptrdiff_t i1 = bottom < 6 ? bottom : 6, j1 = right < 6 ? right : 6;
        for (size_t c = 0; c < w->inputs; c++, from += image, to += count * LANES) {
            for (ptrdiff_t i = i0; i < i1; i++)
                for (ptrdiff_t j = j0; j < j1; j++)
                    values[i][j] = *(const lanes *)(from + ((top + i) * (ptrdiff_t)w->width + left + j) * LANES);
            input_tile((const float *)values, 6 * LANES, to, element);
        }
    }
}

// `outputs` outputs of y from m [36][outputs][count]
static void transform_outputs(const winograd_correlation *w, const float *m, size_t element, size_t first, size_t count,
                              size_t output, size_t outputs, const float *bias, float *y) {
    const size_t image = w->outHeight * w->outWidth * LANES, row = w->outWidth * LANES;
    for (size_t t = 0; t < count; t++) {
        const winograd_tile tile = tile_at(w, first + t);
        const size_t rows = w->outHeight - tile.row, columns = w->outWidth - tile.column;
        float *to = y + (tile.block * w->outputs + output) * image + tile.row * row + tile.column * LANES;
        const float *from = m + t * LANES;
        for (size_t o = 0; o < outputs; o++, to += image, from += count * LANES) {
            const float added = bias ? bias[output + o] : 0;
            if (rows >= 4 && columns >= 4) {
                output_tile(from, element, added, to, row);
                continue;
            }
            lanes values[4][4];
            output_tile(from, element, added, (float *)values, 4 * LANES);
            for (size_t i = 0; i < 4 && i < rows; i++)
                for (size_t j = 0; j < 4 && j < columns; j++) *(lanes *)(to + i * row + j * LANES) = values[i][j];
        }
    }
}

// m [36][outputs][count] = u v
static void multiply_tiles(size_t inputs, size_t outputs, size_t count, const float *u, const float *v, size_t vElement,
                           float *m, size_t mElement) {
    const product_tap tap = {0, 0};
    product_place place[TILES * PARTS];
    for (size_t i = 0; i < count * PARTS; i++) place[i] = (product_place){i * WIDTH, i * WIDTH};
    products p = {.channels = inputs, .taps = 1, .tap = &tap, .xChannel = count * LANES, .weightOutput = 1,
                  .weightChannel = LANES, .yOutput = count * LANES};
    for (size_t k = 0; k < 36; k++)
        for (size_t o = 0; o < outputs; o += LANES) {
            p.x = v + k * vElement;
            p.y = m + k * mElement + o * count * LANES;
            p.weight = u + (o * 36 + k * LANES) * inputs;
            products_run(&p, outputs - o < LANES ? outputs - o : LANES, place, count * PARTS);
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
