// The gradient of a direct convolution's weights: dw[o, c, t] = the sum over samples and positions of dy[o] x[c, t].
//
// x [blocks, C, h, w, 16], dy [blocks, O, h', w', 16], dw [O, C, kh, kw], db [O]. A sum runs in every lane by itself
// over classes of positions (taps.h), in them over sample blocks, rows and columns, and at the end over lanes in one
// tree. Relative error below 1e-7 sqrt(blocks h' w') of the sum of magnitudes.
#ifndef KERNEL
#define KERNEL_FILE "direct_gradient.c"
#include "direct.h"

// Inputs whose gradients are summed at once: enough for three blocks of taps.
static size_t inputs_at_once(const lanes_convolution *s) {
    const size_t taps = s->kernelHeight * s->kernelWidth;
    return taps >= 18 ? 1 : 18 / taps;
}

#include "instruction_sets.h"

DISPATCH(void, direct_parameter_gradient,
         (const lanes_convolution *shape, size_t groups, size_t blocks, const float *x, const float *dy, float *dw,
          float *scratch),
         (shape, groups, blocks, x, dy, dw, scratch))
DISPATCH(void, direct_bias_gradient, (size_t blocks, size_t outputs, size_t positions, const float *dy, float *db),
         (blocks, outputs, positions, dy, db))

size_t direct_gradient_scratch(const lanes_convolution *s) {
    const size_t taps = s->kernelHeight * s->kernelWidth;
    return 4 * inputs_at_once(s) * taps * 16 + taps_axis_words(s->outHeight, s->kernelHeight) +
           taps_axis_words(s->outWidth, s->kernelWidth);
}
#else

#define class_positions KERNEL(class_positions)
#define sums KERNEL(sums)
#define sums_block KERNEL(sums_block)
#define sums_blocks KERNEL(sums_blocks)
#define sums_class KERNEL(sums_class)
#define sums_group KERNEL(sums_group)
#undef OUTPUTS
#undef SOURCES
#if WIDTH == 8
#define OUTPUTS 3
#define SOURCES 4
#else
#define OUTPUTS 4
#define SOURCES 6
#endif

/// Positions of one class, in floats: `outer` times `inner` of each sample block.
typedef struct {
    size_t blocks, outer, inner;
    size_t xBlock, xOuter, xInner, yBlock, yOuter, yInner;
} class_positions;

// sum[m][n] += dy[m] x[n] over positions, for one part of the lanes; sums are `row` floats apart between outputs.
INLINE void sums_block(const int M, const int N, const class_positions *p, const float *dy, size_t yOutput,
                       const float *const *x, float *const *sum, size_t row) {
    vec total[OUTPUTS][SOURCES];
#pragma unroll
    for (int m = 0; m < M; m++)
#pragma unroll
        for (int n = 0; n < N; n++) total[m][n] = *(const vec *)(sum[n] + m * row);
    const float *from[SOURCES];
#pragma unroll
    for (int n = 0; n < N; n++) from[n] = x[n];
    for (size_t b = 0; b < p->blocks; b++)
        for (size_t i = 0; i < p->outer; i++) {
            const float *g = dy + b * p->yBlock + i * p->yOuter;
            size_t at = b * p->xBlock + i * p->xOuter;
            const size_t xInner = p->xInner, yInner = p->yInner;
            for (size_t j = p->inner; j > 0; j--, at += xInner, g += yInner) {
                vec gradient[OUTPUTS], value[SOURCES];
#pragma unroll
                for (int m = 0; m < M; m++) gradient[m] = *(const vec *)(g + m * yOutput);
#pragma unroll
                for (int n = 0; n < N; n++) value[n] = *(const vec *)(from[n] + at);
#pragma unroll
                for (int n = 0; n < N; n++)
#pragma unroll
                    for (int m = 0; m < M; m++) total[m][n] = vec_fma(gradient[m], value[n], total[m][n]);
            }
        }
#pragma unroll
    for (int m = 0; m < M; m++)
#pragma unroll
        for (int n = 0; n < N; n++) *(vec *)(sum[n] + m * row) = total[m][n];
}

#define PARAMETERS                                                                                         \
    const class_positions *p, const float *dy, size_t yOutput, const float *const *x, float *const *sum, size_t row
#define BLOCK(M, N)                                                                                        \
    static void KERNEL(sums_block_##M##_##N)(PARAMETERS) { sums_block(M, N, p, dy, yOutput, x, sum, row); }
#define ROW(M, N) [M][N] = KERNEL(sums_block_##M##_##N)
#if OUTPUTS == 4
#define BLOCKS(N) BLOCK(1, N) BLOCK(2, N) BLOCK(3, N) BLOCK(4, N)
#define ROWS(N) ROW(1, N), ROW(2, N), ROW(3, N), ROW(4, N)
#else
#define BLOCKS(N) BLOCK(1, N) BLOCK(2, N) BLOCK(3, N)
#define ROWS(N) ROW(1, N), ROW(2, N), ROW(3, N)
#endif
BLOCKS(1) BLOCKS(2) BLOCKS(3) BLOCKS(4)
#if SOURCES == 6
BLOCKS(5) BLOCKS(6)
#endif
static void (*const sums_blocks[OUTPUTS + 1][SOURCES + 1])(PARAMETERS) = {
    ROWS(1), ROWS(2), ROWS(3), ROWS(4),
#if SOURCES == 6
    ROWS(5), ROWS(6),
#endif
};
#undef PARAMETERS
#undef BLOCK
#undef BLOCKS
#undef ROW
#undef ROWS

// The part of `outputs` outputs and `inputs` inputs that one class of positions adds to sum [outputs][inputs][taps].
static void sums_class(const lanes_convolution *s, const class_positions *p, const taps_axis *rows,
                       const taps_axis *columns, size_t r, size_t k, const float *x, const float *dy, size_t inputs,
                       size_t outputs, float *sum) {
    const size_t image = s->height * s->width * LANES, result = s->outHeight * s->outWidth * LANES;
    const size_t taps = s->kernelHeight * s->kernelWidth;
    const float *from[SOURCES];
    float *to[SOURCES];
    const size_t count = inputs * rows->count[r] * columns->count[k];
    size_t blocks = (count + SOURCES - 1) / SOURCES, done = 0, filled = 0;
    for (size_t c = 0; c < inputs; c++)
        for (int32_t u = 0; u < rows->count[r]; u++)
            for (int32_t v = 0; v < columns->count[k]; v++) {
                const size_t row = rows->offset[r * rows->kernel + u];
                const size_t column = columns->offset[k * columns->kernel + v];
                const size_t tap = rows->tap[r * rows->kernel + u] * s->kernelWidth +
                    columns->tap[k * columns->kernel + v];
                from[filled] = x + c * image + (row * s->width + column) * LANES;
                to[filled++] = sum + (c * taps + tap) * LANES;
                if (filled < (count - done + blocks - 1) / blocks) continue;
                for (int part = 0; part < PARTS; part++) {
                    sums_blocks[outputs][filled](p, dy + part * WIDTH, result, from, to, inputs * taps * LANES);
                    for (size_t n = 0; n < filled; n++) from[n] += WIDTH, to[n] += WIDTH;
                }
                done += filled;
                filled = 0;
                blocks--;
            }
}

// dw of `outputs` outputs and `inputs` inputs, whose x and dy start at the given ones; blocks of them are so many
// floats apart.
static void sums_group(const lanes_convolution *s, const taps_axis *rows, const taps_axis *columns, size_t blocks,
                       size_t xBlock, size_t yBlock, const float *x, const float *dy, size_t inputs, size_t outputs,
                       float *sum, float *dw) {
    const size_t taps = s->kernelHeight * s->kernelWidth;
    memset(sum, 0, outputs * inputs * taps * sizeof(lanes));
    for (size_t r = 0; r < rows->classes; r++)
        for (size_t k = 0; k < columns->classes; k++) {
            // Destinations of a class without transposition are neighbours.
            const size_t row = rows->members[rows->begin[r]], column = columns->members[columns->begin[k]];
            class_positions p = {blocks,
                                 rows->begin[r + 1] - rows->begin[r],
                                 columns->begin[k + 1] - columns->begin[k],
                                 xBlock,
                                 s->strideHeight * s->width * LANES,
                                 s->strideWidth * LANES,
                                 yBlock,
                                 s->outWidth * LANES,
                                 LANES};
            if (p.inner == 1) {
                p.inner = p.outer, p.xInner = p.xOuter, p.yInner = p.yOuter;
                p.outer = 1;
            }
            sums_class(s, &p, rows, columns, r, k, x + (rows->first[row] * s->width + columns->first[column]) * LANES,
                       dy + (row * s->outWidth + column) * LANES, inputs, outputs, sum);
        }
    for (size_t m = 0; m < outputs; m++)
        for (size_t t = 0; t < inputs * taps; t++)
            dw[m * s->inputs * taps + t] = lanes_sum(((const lanes *)sum)[m * inputs * taps + t]);
}

void KERNEL(direct_parameter_gradient)(const lanes_convolution *s, size_t groups, size_t blocks, const float *x,
                                       const float *dy, float *dw, float *scratch) {
    const taps_relation down = {s->outHeight, s->height, s->kernelHeight, s->strideHeight, s->paddingHeight,
                                s->dilationHeight, 0};
    const taps_relation across = {s->outWidth, s->width, s->kernelWidth, s->strideWidth, s->paddingWidth,
                                  s->dilationWidth, 0};
    const size_t taps = s->kernelHeight * s->kernelWidth, most = inputs_at_once(s);
    int32_t *words = (int32_t *)(scratch + OUTPUTS * most * taps * LANES);
    const taps_axis rows = taps_make_axis(&down, words);
    const taps_axis columns = taps_make_axis(&across, words + taps_axis_words(down.destinations, down.kernel));
    const size_t image = s->height * s->width * LANES, result = s->outHeight * s->outWidth * LANES;
    for (size_t g = 0; g < groups; g++)
        for (size_t o = 0, M; o < s->outputs; o += M) {
            M = PART(s->outputs - o, OUTPUTS);
            for (size_t c = 0; c < s->inputs; c += most)
                sums_group(s, &rows, &columns, blocks, groups * s->inputs * image, groups * s->outputs * result,
                           x + (g * s->inputs + c) * image, dy + (g * s->outputs + o) * result,
                           s->inputs - c < most ? s->inputs - c : most, M, scratch,
                           dw + ((g * s->outputs + o) * s->inputs + c) * taps);
        }
}

// db [outputs] = the sum of dy over samples and positions, four outputs at a time to hide the latency of additions.
void KERNEL(direct_bias_gradient)(size_t blocks, size_t outputs, size_t positions, const float *dy, float *db) {
    for (size_t o = 0; o < outputs; o += OUTPUTS) {
        const size_t M = outputs - o < OUTPUTS ? outputs - o : OUTPUTS;
        lanes sum[OUTPUTS];
        for (size_t m = 0; m < OUTPUTS; m++) sum[m] = lanes_all(0);
        for (size_t b = 0; b < blocks; b++) {
            const lanes *g = (const lanes *)dy + (b * outputs + o) * positions;
            for (size_t q = 0; q < positions; q++)
#pragma unroll
                for (size_t m = 0; m < OUTPUTS; m++) sum[m] += g[(m < M ? m : 0) * positions + q];
        }
        for (size_t m = 0; m < M; m++) db[o + m] = lanes_sum(sum[m]);
    }
}
#endif
