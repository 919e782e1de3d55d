// The heart of convolutions and linear layers: register blocks of outputs x positions; included once per instruction set.
//
// y[m][n] = start + sum over c, t of weight[m][c][t] x[n][c][t], for M outputs and N registers' worth of samples at given
// places. Every sum is one chain of fused multiply-adds over (c, t), c the slower, so that neither blocking nor the width of
// registers changes a bit.
#define products_ KERNEL(products)
#define products_block KERNEL(products_block)
#define products_run KERNEL(products_run)
#define products_blocks KERNEL(products_blocks)

/// Outputs and registers of a block: 24 accumulators where there are 32 registers, 12 where there are 16.
#undef BLOCK_OUTPUTS
#undef BLOCK_PLACES
#define BLOCK_OUTPUTS 4
#if WIDTH == 8
#define BLOCK_PLACES 3
#else
#define BLOCK_PLACES 6
#endif

#ifndef PRODUCTS_H
#define PRODUCTS_H
/// Where one tap reads, in floats from a place and from the weights of a channel.
typedef struct {
    size_t x, weight;
} product_tap;

/// Where a register's worth of samples is read and written, in floats.
typedef struct {
    size_t x, y;
} product_place;

typedef struct {
    size_t channels, taps;
    const product_tap *tap;
    const float *x, *weight;
    /// Floats between channels of x, and between outputs and channels of the weights.
    size_t xChannel, weightOutput, weightChannel;
    float *y;
    size_t yOutput;
    /// Sums start from y itself where `adds`, else from a bias per output, or zero.
    const float *bias;
    int adds;
} products;
#endif

INLINE void products_block(const int M, const int N, const products *p, size_t output, const product_place *place) {
    const float *weight = p->weight + output * p->weightOutput;
    const size_t next = p->weightOutput, channels = p->channels, taps = p->taps;
    const product_tap *tap = p->tap;
    float *y = p->y + output * p->yOutput;
    const float *x[BLOCK_PLACES];
    vec sum[BLOCK_OUTPUTS][BLOCK_PLACES];
#pragma unroll
    for (int n = 0; n < N; n++) x[n] = p->x + place[n].x;
#pragma unroll
    for (int m = 0; m < M; m++)
#pragma unroll
        for (int n = 0; n < N; n++)
            sum[m][n] = p->adds ? *(const vec *)(y + m * p->yOutput + place[n].y) : vec_all(p->bias ? p->bias[output + m] : 0);
    for (size_t c = 0, cx = 0; c < channels; c++, cx += p->xChannel, weight += p->weightChannel)
        for (size_t t = 0; t < taps; t++) {
            const size_t at = cx + tap[t].x;
            const float *w = weight + tap[t].weight;
            vec value[BLOCK_PLACES];
#pragma unroll
            for (int n = 0; n < N; n++) value[n] = *(const vec *)(x[n] + at);
#pragma unroll
            for (int m = 0; m < M; m++) {
                const vec factor = vec_all(w[m * next]);
#pragma unroll
                for (int n = 0; n < N; n++) sum[m][n] = vec_fma(factor, value[n], sum[m][n]);
            }
        }
#pragma unroll
    for (int m = 0; m < M; m++)
#pragma unroll
        for (int n = 0; n < N; n++) *(vec *)(y + m * p->yOutput + place[n].y) = sum[m][n];
}

#define BLOCK(M, N)                                                                                        \
    static void KERNEL(products_block_##M##_##N)(const products *p, size_t output, const product_place *place) { \
        products_block(M, N, p, output, place);                                                            \
    }
#define BLOCKS(N) BLOCK(1, N) BLOCK(2, N) BLOCK(3, N) BLOCK(4, N)
#define ROW(M, N) [M][N] = KERNEL(products_block_##M##_##N)
#define ROWS(N) ROW(1, N), ROW(2, N), ROW(3, N), ROW(4, N)
BLOCKS(1) BLOCKS(2) BLOCKS(3)
#if BLOCK_PLACES == 6
BLOCKS(4) BLOCKS(5) BLOCKS(6)
#endif
static void (*const products_blocks[5][7])(const products *, size_t, const product_place *) = {
    ROWS(1), ROWS(2), ROWS(3),
#if BLOCK_PLACES == 6
    ROWS(4), ROWS(5), ROWS(6),
#endif
};
#undef BLOCK
#undef BLOCKS
#undef ROW
#undef ROWS

/// All outputs at all places, in blocks of nearly equal sizes; a block of outputs meets all places before the next.
INLINE void products_run(const products *p, size_t outputs, const product_place *places, size_t count) {
    const size_t rows = (outputs + BLOCK_OUTPUTS - 1) / BLOCK_OUTPUTS, columns = (count + BLOCK_PLACES - 1) / BLOCK_PLACES;
    for (size_t i = 0, o = 0; i < rows; i++) {
        const size_t M = (outputs - o + rows - i - 1) / (rows - i);
        for (size_t j = 0, n = 0; j < columns; j++) {
            const size_t N = (count - n + columns - j - 1) / (columns - j);
            products_blocks[M][N](p, o, places + n);
            n += N;
        }
        o += M;
    }
}
