#include "CKernels.h"
#include "channels.h"
#include <string.h>

enum { WAYS = 4 };

// sums[l] = sum over positions of x; four running sums hide the latency of an addition.
INLINE void strip_sum(const float *restrict x, size_t count, size_t stride, size_t width, float *restrict sums) {
    float part[WAYS][WIDE] = {{0}};
    size_t p = 0;
    for (; p + WAYS <= count; p += WAYS)
        for (size_t w = 0; w < WAYS; w++)
            for (size_t l = 0; l < width; l++) part[w][l] += x[(p + w) * stride + l];
    for (; p < count; p++)
        for (size_t l = 0; l < width; l++) part[0][l] += x[p * stride + l];
    for (size_t l = 0; l < width; l++) sums[l] = (part[0][l] + part[1][l]) + (part[2][l] + part[3][l]);
}

// rest[l] = sum over positions of (x - centre), squares[l] = sum of (x - centre)^2
INLINE void strip_squares(const float *restrict x, size_t count, size_t stride, size_t width,
                          const float *restrict centre, float *restrict rest, float *restrict squares) {
    float first[WAYS][WIDE] = {{0}}, second[WAYS][WIDE] = {{0}};
    size_t p = 0;
    for (; p + WAYS <= count; p += WAYS)
        for (size_t w = 0; w < WAYS; w++)
            for (size_t l = 0; l < width; l++) {
                const float d = x[(p + w) * stride + l] - centre[l];
                first[w][l] += d;
                second[w][l] += d * d;
            }
    for (; p < count; p++)
        for (size_t l = 0; l < width; l++) {
            const float d = x[p * stride + l] - centre[l];
            first[0][l] += d;
            second[0][l] += d * d;
        }
    for (size_t l = 0; l < width; l++) {
        rest[l] = (first[0][l] + first[1][l]) + (first[2][l] + first[3][l]);
        squares[l] = (second[0][l] + second[1][l]) + (second[2][l] + second[3][l]);
    }
}

// What a rectifier after y = (x - centre) scale + shift lets through of g; y is rounded as it was forward.
INLINE float passed(float g, float x, float centre, float scale, float shift, int rectified) {
    return !rectified || (x - centre) * scale + shift > 0 ? g : 0.0f;
}

// sums[l] += sum of g, products[l] += sum of g (x - centre)
INLINE void strip_gradients(const float *restrict x, const float *restrict g, size_t count, size_t stride,
                            size_t width, const float *restrict centre, const float *restrict scale,
                            const float *restrict shift, int rectified, double *restrict sums,
                            double *restrict products) {
    float first[WAYS][WIDE] = {{0}}, second[WAYS][WIDE] = {{0}};
    size_t p = 0;
    for (; p + WAYS <= count; p += WAYS)
        for (size_t w = 0; w < WAYS; w++)
            for (size_t l = 0; l < width; l++) {
                const float v = x[(p + w) * stride + l];
                const float d = passed(g[(p + w) * stride + l], v, centre[l], scale[l], shift[l], rectified);
                first[w][l] += d;
                second[w][l] += d * (v - centre[l]);
            }
    for (; p < count; p++)
        for (size_t l = 0; l < width; l++) {
            const float v = x[p * stride + l];
            const float d = passed(g[p * stride + l], v, centre[l], scale[l], shift[l], rectified);
            first[0][l] += d;
            second[0][l] += d * (v - centre[l]);
        }
    for (size_t l = 0; l < width; l++) {
        sums[l] += (first[0][l] + first[1][l]) + (first[2][l] + first[3][l]);
        products[l] += (second[0][l] + second[1][l]) + (second[2][l] + second[3][l]);
    }
}

// Chan's rule: n values of mean `mean` and sum of squared deviations `squares` are joined by `count` more. The strip's mean
// is known to single precision first, then what is left of it is added.
INLINE void strip_moments(const float *restrict x, size_t count, size_t stride, size_t width, double before,
                          double *restrict mean, double *restrict squares) {
    float sums[WIDE], centre[WIDE], rest[WIDE], deviations[WIDE];
    strip_sum(x, count, stride, width, sums);
    for (size_t l = 0; l < width; l++) centre[l] = sums[l] / (float)count;
    strip_squares(x, count, stride, width, centre, rest, deviations);
    const double n = (double)count, total = before + n;
    for (size_t l = 0; l < width; l++) {
        const double correction = rest[l] / n;
        const double delta = (double)centre[l] + correction - mean[l];
        mean[l] += delta * n / total;
        squares[l] += deviations[l] - rest[l] * correction + delta * delta * before * n / total;
    }
}

CLONES void channels_moments(const float *restrict x, size_t rows, size_t channels, size_t positions,
                             size_t lanes, double *restrict mean, double *restrict squares) {
    const Extents e = extents(rows, channels, positions, lanes);
    memset(mean, 0, e.blocks * e.lanes * sizeof(double));
    memset(squares, 0, e.blocks * e.lanes * sizeof(double));
    double before = 0;
    FOR_EACH_STRIP(e, {
        before = row_ == 0 && position_ == 0 ? 0 : before;
        if (width == WIDE)
            strip_moments(x + offset, count, e.lanes, WIDE, before, mean + channel, squares + channel);
        else
            strip_moments(x + offset, count, e.lanes, width, before, mean + channel, squares + channel);
        before += (double)count;
    })
}

INLINE void gradient_sums(const float *restrict x, const float *restrict g, Extents e, const float *restrict centre,
                          const float *restrict scale, const float *restrict shift, int rectified,
                          double *restrict sums, double *restrict products) {
    memset(sums, 0, e.blocks * e.lanes * sizeof(double));
    memset(products, 0, e.blocks * e.lanes * sizeof(double));
    FOR_EACH_STRIP(e, {
        if (width == WIDE)
            strip_gradients(x + offset, g + offset, count, e.lanes, WIDE, centre + channel, scale + channel,
                            shift + channel, rectified, sums + channel, products + channel);
        else
            strip_gradients(x + offset, g + offset, count, e.lanes, width, centre + channel, scale + channel,
                            shift + channel, rectified, sums + channel, products + channel);
    })
}

CLONES void channels_gradient_sums(const float *restrict x, const float *restrict g, size_t rows, size_t channels,
                                   size_t positions, size_t lanes, const float *restrict centre,
                                   double *restrict sums, double *restrict products) {
    gradient_sums(x, g, extents(rows, channels, positions, lanes), centre, centre, centre, 0, sums, products);
}

CLONES void channels_gradient_sums_relu(const float *restrict x, const float *restrict g, size_t rows,
                                        size_t channels, size_t positions, size_t lanes,
                                        const float *restrict centre, const float *restrict scale,
                                        const float *restrict shift, double *restrict sums,
                                        double *restrict products) {
    gradient_sums(x, g, extents(rows, channels, positions, lanes), centre, scale, shift, 1, sums, products);
}

// In place where y is x: each value is read before it is written.
INLINE void strip_affine(const float *x, float *y, size_t count, size_t stride, size_t width, const float *centre,
                         const float *scale, const float *shift, int rectified) {
    for (size_t p = 0; p < count; p++)
        VECTORIZE for (size_t l = 0; l < width; l++) {
            const float v = (x[p * stride + l] - centre[l]) * scale[l] + shift[l];
            y[p * stride + l] = rectified && v < 0 ? 0.0f : v;
        }
}

INLINE void affine(const float *x, float *y, Extents e, const float *centre, const float *scale, const float *shift,
                   int rectified) {
    FOR_EACH_STRIP(e, {
        if (width == WIDE)
            strip_affine(x + offset, y + offset, count, e.lanes, WIDE, centre + channel, scale + channel,
                         shift + channel, rectified);
        else
            strip_affine(x + offset, y + offset, count, e.lanes, width, centre + channel, scale + channel,
                         shift + channel, rectified);
    })
}

CLONES void channels_affine(const float *x, float *y, size_t rows, size_t channels, size_t positions, size_t lanes,
                            const float *centre, const float *scale, const float *shift) {
    affine(x, y, extents(rows, channels, positions, lanes), centre, scale, shift, 0);
}

CLONES void channels_affine_relu(const float *x, float *y, size_t rows, size_t channels, size_t positions,
                                 size_t lanes, const float *centre, const float *scale, const float *shift) {
    affine(x, y, extents(rows, channels, positions, lanes), centre, scale, shift, 1);
}

INLINE void strip_gradient(const float *x, const float *g, float *dx, size_t count, size_t stride, size_t width,
                           const float *centre, const float *scale, const float *slope, const float *offset,
                           const float *shift, int rectified) {
    for (size_t p = 0; p < count; p++)
        VECTORIZE for (size_t l = 0; l < width; l++) {
            const float v = x[p * stride + l];
            const float d = passed(g[p * stride + l], v, centre[l], scale[l], shift[l], rectified);
            dx[p * stride + l] = d * scale[l] + ((v - centre[l]) * slope[l] + offset[l]);
        }
}

INLINE void gradient(const float *x, const float *g, float *dx, Extents e, const float *centre, const float *scale,
                     const float *slope, const float *added, const float *shift, int rectified) {
    FOR_EACH_STRIP(e, {
        if (width == WIDE)
            strip_gradient(x + offset, g + offset, dx + offset, count, e.lanes, WIDE, centre + channel,
                           scale + channel, slope + channel, added + channel, shift + channel, rectified);
        else
            strip_gradient(x + offset, g + offset, dx + offset, count, e.lanes, width, centre + channel,
                           scale + channel, slope + channel, added + channel, shift + channel, rectified);
    })
}

CLONES void channels_gradient(const float *x, const float *g, float *dx, size_t rows, size_t channels,
                              size_t positions, size_t lanes, const float *centre, const float *scale,
                              const float *slope, const float *added) {
    gradient(x, g, dx, extents(rows, channels, positions, lanes), centre, scale, slope, added, centre, 0);
}

CLONES void channels_gradient_relu(const float *x, const float *g, float *dx, size_t rows, size_t channels,
                                   size_t positions, size_t lanes, const float *centre, const float *scale,
                                   const float *slope, const float *added, const float *shift) {
    gradient(x, g, dx, extents(rows, channels, positions, lanes), centre, scale, slope, added, shift, 1);
}
