// The heart of convolutions and linear layers: register blocks of outputs x positions; included once per instruction
// set.
//
// y[m][n] = start + sum over c, t of weight[m][c][t] x[n][c][t], for M outputs and N registers' worth of samples at
// given places. Every sum is one chain of fused multiply-adds over (c, t), c the slower, so that neither blocking nor
// the width of registers changes a bit.
#define products_ KERNEL(products)
#define products_block KERNEL(products_block)
#define products_run KERNEL(products_run)
#define products_run_places KERNEL(products_run_places)
#define places KERNEL(places)
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
    /// Sums start from y itself where they go on, else from a bias per output, or zero; or they are added to y when
    /// complete.
    const float *bias;
    enum { FROM_BIAS, FROM_Y, ADD_TO_Y } start;
} products;
#endif

/// As `vec`, anywhere in memory.
typedef float places __attribute__((vector_size(4 * WIDTH), may_alias, aligned(4)));

// One block; with one tap (`single`) the loop over taps is left out.
INLINE void products_block(const int M, const int N, const int single, const products *p, size_t output,
                           const product_place *place) {
    const float *weight = p->weight + output * p->weightOutput;
    const size_t next = p->weightOutput, channels = p->channels, taps = single ? 1 : p->taps;
    const product_tap *tap = p->tap;
    float *y = p->y + output * p->yOutput;
    const float *x[BLOCK_PLACES];
    vec sum[BLOCK_OUTPUTS][BLOCK_PLACES];
#pragma unroll
    for (int n = 0; n < N; n++) x[n] = p->x + place[n].x + (single ? tap[0].x : 0);
    if (single) weight += tap[0].weight;
#pragma unroll
    for (int m = 0; m < M; m++)
#pragma unroll
        for (int n = 0; n < N; n++)
            sum[m][n] = p->start == FROM_Y ? *(const places *)(y + m * p->yOutput + place[n].y)
                                           : vec_all(p->bias ? p->bias[output + m] : 0);
    for (size_t c = 0, cx = 0; c < channels; c++, cx += p->xChannel, weight += p->weightChannel)
        for (size_t t = 0; t < taps; t++) {
            const size_t at = single ? cx : cx + tap[t].x;
            const float *w = single ? weight : weight + tap[t].weight;
            vec value[BLOCK_PLACES];
#pragma unroll
            for (int n = 0; n < N; n++) value[n] = *(const places *)(x[n] + at);
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
        for (int n = 0; n < N; n++) {
            places *to = (places *)(y + m * p->yOutput + place[n].y);
            *to = p->start == ADD_TO_Y ? *to + sum[m][n] : sum[m][n];
        }
}

#define PARAMETERS const products *p, size_t output, const product_place *place
#define BLOCK(M, N)                                                                                        \
    static void KERNEL(products_block_##M##_##N)(PARAMETERS) { products_block(M, N, 0, p, output, place); }  \
    static void KERNEL(products_single_##M##_##N)(PARAMETERS) { products_block(M, N, 1, p, output, place); }
#define BLOCKS(N) BLOCK(1, N) BLOCK(2, N) BLOCK(3, N) BLOCK(4, N)
#define ENTRY(M, N) [M][N] = {KERNEL(products_block_##M##_##N), KERNEL(products_single_##M##_##N)}
#define ENTRIES(N) ENTRY(1, N), ENTRY(2, N), ENTRY(3, N), ENTRY(4, N)
BLOCKS(1) BLOCKS(2) BLOCKS(3)
#if BLOCK_PLACES == 6
BLOCKS(4) BLOCKS(5) BLOCKS(6)
#endif
static void (*const products_blocks[BLOCK_OUTPUTS + 1][BLOCK_PLACES + 1][2])(PARAMETERS) = {
    ENTRIES(1), ENTRIES(2), ENTRIES(3),
#if BLOCK_PLACES == 6
    ENTRIES(4), ENTRIES(5), ENTRIES(6),
#endif
};
#undef PARAMETERS
#undef BLOCK
#undef BLOCKS
#undef ENTRY
#undef ENTRIES

/// All outputs at all places; a block of outputs meets all places before the next, so that its weights stay at hand.
INLINE void products_run(const products *p, size_t outputs, const product_place *place, size_t count) {
    for (size_t o = 0, M; o < outputs; o += M) {
        M = PART(outputs - o, BLOCK_OUTPUTS);
        for (size_t n = 0, N; n < count; n += N) {
            N = PART(count - n, BLOCK_PLACES);
            products_blocks[M][N][p->taps == 1](p, o, place + n);
        }
    }
}

/// The same where a block of places meets all outputs before the next, so that its values stay at hand.
INLINE void products_run_places(const products *p, size_t outputs, const product_place *place, size_t count) {
    for (size_t n = 0, N; n < count; n += N) {
        N = PART(count - n, BLOCK_PLACES);
        for (size_t o = 0, M; o < outputs; o += M) {
            M = PART(outputs - o, BLOCK_OUTPUTS);
            products_blocks[M][N][p->taps == 1](p, o, place + n);
        }
    }
}
