#ifndef KERNEL
#define KERNEL_FILE "normalizations.c"
#include "instruction_sets.h"

DISPATCH(void, channels_moments,
         (const float *x, size_t rows, size_t channels, size_t positions, double *mean, double *squares),
         (x, rows, channels, positions, mean, squares))
DISPATCH(void, channels_affine,
         (const float *x, float *y, size_t rows, size_t channels, size_t positions, int rectified,
          const float *centre, const float *scale, const float *shift),
         (x, y, rows, channels, positions, rectified, centre, scale, shift))
DISPATCH(void, channels_gradient_sums,
         (const float *x, const float *g, size_t rows, size_t channels, size_t positions, int rectified,
          const float *centre, const float *scale, const float *shift, double *sums, double *products),
         (x, g, rows, channels, positions, rectified, centre, scale, shift, sums, products))
DISPATCH(void, channels_gradient,
         (const float *x, const float *g, float *dx, size_t rows, size_t channels, size_t positions, int rectified,
          const float *centre, const float *scale, const float *shift, const float *slope, const float *added),
         (x, g, dx, rows, channels, positions, rectified, centre, scale, shift, slope, added))
#else
#include "strips.h"

#define blocks_of KERNEL(blocks_of)
#define valid_lanes KERNEL(valid_lanes)
#define only KERNEL(only)
#define passed KERNEL(passed)
#define affine KERNEL(affine)
#define gradient_sums KERNEL(gradient_sums)
#define gradient KERNEL(gradient)

INLINE size_t blocks_of(size_t rows) { return (rows + LANES - 1) / LANES; }
/// The lanes of a block that hold samples.
INLINE lanes_int valid_lanes(size_t rows, size_t block) {
    return lanes_first(rows - block * LANES < LANES ? rows - block * LANES : LANES);
}
INLINE lanes_double only(lanes_int mask, lanes_double x) {
    typedef int64_t wide __attribute__((vector_size(128)));
    return (lanes_double)(__builtin_convertvector(mask, wide) & (wide)x);
}

void KERNEL(channels_moments)(const float *x, size_t rows, size_t channels, size_t positions, double *mean,
                              double *squares) {
    const double n = (double)(rows * positions);
    for (size_t c = 0; c < channels; c++) {
        // The mean is known to single precision first, then what is left of it is added.
        lanes_double sum = {0}, rest = {0}, second = {0};
        for (size_t b = 0; b < blocks_of(rows); b++)
            sum += only(valid_lanes(rows, b), strip_sum((const lanes *)x + (b * channels + c) * positions, positions));
        const float centre = (float)(lanes_sum_double(sum) / n);
        for (size_t b = 0; b < blocks_of(rows); b++) {
            lanes_double r, s;
            strip_squares((const lanes *)x + (b * channels + c) * positions, positions, lanes_all(centre), &r, &s);
            rest += only(valid_lanes(rows, b), r);
            second += only(valid_lanes(rows, b), s);
        }
        const double left = lanes_sum_double(rest), correction = left / n;
        mean[c] = (double)centre + correction;
        squares[c] = lanes_sum_double(second) - left * correction;
    }
}

// What a rectifier after y = (x - centre) scale + shift lets through of g; y is rounded as it was forward.
INLINE lanes passed(lanes g, lanes deviation, lanes scale, lanes shift, int rectified) {
    return rectified ? lanes_select(lanes_fma(deviation, scale, shift) > lanes_all(0), g, lanes_all(0)) : g;
}

INLINE void affine(const float *x, float *y, size_t rows, size_t channels, size_t positions, int rectified,
                   const float *centre, const float *scale, const float *shift) {
    for (size_t i = 0; i < blocks_of(rows) * channels; i++) {
        const lanes m = lanes_all(centre[i % channels]), s = lanes_all(scale[i % channels]);
        const lanes t = lanes_all(shift[i % channels]), zero = lanes_all(0);
        for (size_t p = i * positions; p < (i + 1) * positions; p++) {
            const lanes v = lanes_fma(((const lanes *)x)[p] - m, s, t);
            ((lanes *)y)[p] = rectified ? lanes_select(v < zero, zero, v) : v;
        }
    }
}

void KERNEL(channels_affine)(const float *x, float *y, size_t rows, size_t channels, size_t positions, int rectified,
                             const float *centre, const float *scale, const float *shift) {
    if (rectified)
        affine(x, y, rows, channels, positions, 1, centre, scale, shift);
    else
        affine(x, y, rows, channels, positions, 0, centre, scale, shift);
}

INLINE void gradient_sums(const float *x, const float *g, size_t rows, size_t channels, size_t positions,
                          int rectified, const float *centre, const float *scale, const float *shift, double *sums,
                          double *products) {
    for (size_t c = 0; c < channels; c++) {
        const lanes m = lanes_all(centre[c]), s = lanes_all(scale[c]), t = lanes_all(shift[c]);
        lanes_double sum = {0}, product = {0};
        for (size_t b = 0; b < blocks_of(rows); b++) {
            const lanes *v = (const lanes *)x + (b * channels + c) * positions;
            const lanes *d = (const lanes *)g + (b * channels + c) * positions;
            FOR_EACH_STRIP(
                positions, lanes first[4] = {{0}}; lanes second[4] = {{0}}, const lanes deviation = v[p] - m;
                const lanes through = passed(d[p], deviation, s, t, rectified); first[w] += through;
                second[w] = lanes_fma(through, deviation, second[w]);
                , sum += JOINED(first); product += JOINED(second))
        }
        sums[c] = lanes_sum_double(sum);
        products[c] = lanes_sum_double(product);
    }
}

void KERNEL(channels_gradient_sums)(const float *x, const float *g, size_t rows, size_t channels, size_t positions,
                                    int rectified, const float *centre, const float *scale, const float *shift,
                                    double *sums, double *products) {
    if (rectified)
        gradient_sums(x, g, rows, channels, positions, 1, centre, scale, shift, sums, products);
    else
        gradient_sums(x, g, rows, channels, positions, 0, centre, scale, shift, sums, products);
}

INLINE void gradient(const float *x, const float *g, float *dx, size_t rows, size_t channels, size_t positions,
                     int rectified, const float *centre, const float *scale, const float *shift, const float *slope,
                     const float *added) {
    for (size_t i = 0; i < blocks_of(rows) * channels; i++) {
        const size_t c = i % channels;
        const lanes m = lanes_all(centre[c]), s = lanes_all(scale[c]), t = lanes_all(shift[c]);
        // Padding stays without gradient.
        const lanes_int valid = valid_lanes(rows, i / channels);
        const lanes k = lanes_select(valid, lanes_all(slope[c]), lanes_all(0));
        const lanes a = lanes_select(valid, lanes_all(added[c]), lanes_all(0));
        for (size_t p = i * positions; p < (i + 1) * positions; p++) {
            const lanes deviation = ((const lanes *)x)[p] - m;
            const lanes through = passed(((const lanes *)g)[p], deviation, s, t, rectified);
            ((lanes *)dx)[p] = lanes_fma(through, s, lanes_fma(deviation, k, a));
        }
    }
}

void KERNEL(channels_gradient)(const float *x, const float *g, float *dx, size_t rows, size_t channels,
                               size_t positions, int rectified, const float *centre, const float *scale,
                               const float *shift, const float *slope, const float *added) {
    if (rectified)
        gradient(x, g, dx, rows, channels, positions, 1, centre, scale, shift, slope, added);
    else
        gradient(x, g, dx, rows, channels, positions, 0, centre, scale, shift, slope, added);
}
#endif
