// What Winograd's forward and gradient passes share: tiles, and the transform of their values. Included once per set.
#ifndef WINOGRAD_TILES_H
#define WINOGRAD_TILES_H

// The transforms interpolate at 0, A, -A, B, -B and infinity. These points, which are exact, have a tenth of the
// error of the usual 1 and 2.
#define A 0.625f
#define B 1.5f
#define AA (A * A)
#define BB (B * B)

#endif

#define winograd_tile KERNEL(winograd_tile)
#define tile_at KERNEL(tile_at)
#define six_to_six KERNEL(six_to_six)
#define input_tile KERNEL(input_tile)

/// Where a tile stands: its sample block, the image row and column of its first value, and which of its rows and
/// columns fall on the image.
typedef struct {
    size_t block;
    ptrdiff_t row, column;
    int firstRow, lastRow, firstColumn, lastColumn;
} winograd_tile;

// The `extent` x `extent` values of tile `index` on an image of `height` x `width`, `up` and `left` of its 4 x 4
// results.
INLINE winograd_tile tile_at(const winograd_correlation *w, size_t index, int extent, size_t height, size_t width,
                             size_t up, size_t left) {
    const size_t across = (w->outWidth + 3) / 4, down = (w->outHeight + 3) / 4;
    winograd_tile t = {.block = index / (across * down)};
    t.row = (ptrdiff_t)(index / across % down * 4) - (ptrdiff_t)up;
    t.column = (ptrdiff_t)(index % across * 4) - (ptrdiff_t)left;
    const ptrdiff_t rows = (ptrdiff_t)height - t.row, columns = (ptrdiff_t)width - t.column;
    t.firstRow = t.row < 0 ? (int)-t.row : 0;
    t.firstColumn = t.column < 0 ? (int)-t.column : 0;
    t.lastRow = rows < extent ? (int)rows : extent;
    t.lastColumn = columns < extent ? (int)columns : extent;
    return t;
}

// B^T d
INLINE void six_to_six(const vec d[6], vec v[6]) {
    const vec p = vec_fma(vec_all(-BB), d[2], d[4]), q = vec_fma(vec_all(-BB), d[1], d[3]);
    const vec r = vec_fma(vec_all(-AA), d[2], d[4]), s = vec_fma(vec_all(-AA), d[1], d[3]);
    v[0] = vec_fma(vec_all(AA * BB), d[0], vec_fma(vec_all(-AA - BB), d[2], d[4]));
    v[1] = vec_fma(vec_all(A), q, p);
    v[2] = vec_fma(vec_all(-A), q, p);
    v[3] = vec_fma(vec_all(B), s, r);
    v[4] = vec_fma(vec_all(-B), s, r);
    v[5] = vec_fma(vec_all(AA * BB), d[1], vec_fma(vec_all(-AA - BB), d[3], d[5]));
}

// One tile of one channel, whose image starts at x with rows `row` floats apart, to 36 elements `element` floats
// apart; beyond the image there are zeros.
INLINE void input_tile(const int whole, const winograd_tile *t, const float *x, size_t row, float *v, size_t element) {
    static const float zeros[6 * LANES] __attribute__((aligned(64)));
    const float *from[6];
#pragma unroll
    for (int i = 0; i < 6; i++)
        from[i] = whole || (i >= t->firstRow && i < t->lastRow)
                      ? x + (t->row + i) * (ptrdiff_t)row + t->column * LANES
                      : zeros;
    for (int part = 0; part < PARTS; part++, v += WIDTH) {
        vec half[6][6];
#pragma unroll
        for (int j = 0; j < 6; j++) {
            vec column[6], out[6];
            if (whole || (j >= t->firstColumn && j < t->lastColumn)) {
#pragma unroll
                for (int i = 0; i < 6; i++) column[i] = *(const vec *)(from[i] + j * LANES + part * WIDTH);
                six_to_six(column, out);
            } else {
#pragma unroll
                for (int i = 0; i < 6; i++) out[i] = vec_all(0);
            }
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
