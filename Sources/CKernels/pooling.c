#include "CKernels.h"
#include "clones.h"
#include <string.h>

// The part of a window that lies in the image: [begin, end) along one axis.
INLINE void inside(size_t position, size_t stride, size_t padding, size_t kernel, size_t extent, size_t *begin,
                   size_t *end) {
    const size_t first = position * stride;
    const size_t last = first + kernel > padding ? first + kernel - padding : 0;
    *begin = first > padding ? first - padding : 0;
    *end = last < extent ? last : extent;
}

// Runs BODY for every output position with its index `o` and its window [top, bottom) x [left, right).
#define FOR_EACH_WINDOW(W, BODY)                                                                               \
    for (size_t y_ = 0, o = 0; y_ < (W)->outHeight; y_++) {                                                    \
        size_t top, bottom;                                                                                    \
        inside(y_, (W)->strideHeight, (W)->paddingHeight, (W)->kernelHeight, (W)->height, &top, &bottom);      \
        for (size_t x_ = 0; x_ < (W)->outWidth; x_++, o++) {                                                   \
            size_t left, right;                                                                                \
            inside(x_, (W)->strideWidth, (W)->paddingWidth, (W)->kernelWidth, (W)->width, &left, &right);      \
            BODY                                                                                               \
        }                                                                                                      \
    }

CLONES void pooling_max_forward(const float *restrict x, float *restrict y, int32_t *restrict places, size_t count,
                                size_t lanes, const PoolingWindow *window) {
    const size_t image = window->height * window->width, out = window->outHeight * window->outWidth;
    for (size_t n = 0; n < count; n++, x += image * lanes, y += out * lanes, places += out * lanes)
        FOR_EACH_WINDOW(window, {
            float *best = y + o * lanes;
            int32_t *place = places + o * lanes;
            const size_t origin = top * window->width + left;
            for (size_t l = 0; l < lanes; l++) {
                best[l] = x[origin * lanes + l];
                place[l] = (int32_t)origin;
            }
            for (size_t i = top; i < bottom; i++)
                for (size_t j = left; j < right; j++) {
                    const size_t p = i * window->width + j;
                    for (size_t l = 0; l < lanes; l++) {
                        const float v = x[p * lanes + l];
                        // A NaN replaces any number, and nothing replaces a NaN.
                        const int larger = !(v <= best[l]) & (best[l] == best[l]);
                        best[l] = larger ? v : best[l];
                        place[l] = larger ? (int32_t)p : place[l];
                    }
                }
        })
}

CLONES void pooling_max_backward(const float *restrict dy, const int32_t *restrict places, float *restrict dx,
                                 size_t count, size_t lanes, const PoolingWindow *window) {
    const size_t image = window->height * window->width, out = window->outHeight * window->outWidth;
    memset(dx, 0, count * image * lanes * sizeof(float));
    for (size_t n = 0; n < count; n++, dx += image * lanes, dy += out * lanes, places += out * lanes)
        for (size_t o = 0; o < out; o++)
            for (size_t l = 0; l < lanes; l++)
                dx[(size_t)places[o * lanes + l] * lanes + l] += dy[o * lanes + l];
}

CLONES void pooling_average_forward(const float *restrict x, float *restrict y, size_t count, size_t lanes,
                                    const PoolingWindow *window) {
    const size_t image = window->height * window->width, out = window->outHeight * window->outWidth;
    const float scale = 1.0f / (float)(window->kernelHeight * window->kernelWidth);
    for (size_t n = 0; n < count; n++, x += image * lanes, y += out * lanes)
        FOR_EACH_WINDOW(window, {
            float *sum = y + o * lanes;
            for (size_t l = 0; l < lanes; l++) sum[l] = 0;
            for (size_t i = top; i < bottom; i++)
                for (size_t j = left; j < right; j++)
                    for (size_t l = 0; l < lanes; l++) sum[l] += x[(i * window->width + j) * lanes + l];
            for (size_t l = 0; l < lanes; l++) sum[l] *= scale;
        })
}

CLONES void pooling_average_backward(const float *restrict dy, float *restrict dx, size_t count, size_t lanes,
                                     const PoolingWindow *window) {
    const size_t image = window->height * window->width, out = window->outHeight * window->outWidth;
    const float scale = 1.0f / (float)(window->kernelHeight * window->kernelWidth);
    memset(dx, 0, count * image * lanes * sizeof(float));
    for (size_t n = 0; n < count; n++, dx += image * lanes, dy += out * lanes)
        FOR_EACH_WINDOW(window, {
            for (size_t i = top; i < bottom; i++)
                for (size_t j = left; j < right; j++)
                    for (size_t l = 0; l < lanes; l++)
                        dx[(i * window->width + j) * lanes + l] += scale * dy[o * lanes + l];
        })
}

CLONES void pooling_global_forward(const float *restrict x, float *restrict y, size_t rows, size_t channels,
                                   size_t positions, size_t lanes) {
    const float scale = 1.0f / (float)positions;
    for (size_t r = 0; r < rows; r++, y += channels)
        for (size_t first = 0; first < channels; first += lanes, x += positions * lanes) {
            const size_t width = channels - first < lanes ? channels - first : lanes;
            for (size_t l = 0; l < width; l++) y[first + l] = 0;
            for (size_t p = 0; p < positions; p++)
                for (size_t l = 0; l < width; l++) y[first + l] += x[p * lanes + l];
            for (size_t l = 0; l < width; l++) y[first + l] *= scale;
        }
}

CLONES void pooling_global_backward(const float *restrict dy, float *restrict dx, size_t rows, size_t channels,
                                    size_t positions, size_t lanes) {
    const float scale = 1.0f / (float)positions;
    for (size_t r = 0; r < rows; r++, dy += channels)
        for (size_t first = 0; first < channels; first += lanes, dx += positions * lanes) {
            const size_t width = channels - first < lanes ? channels - first : lanes;
            for (size_t p = 0; p < positions; p++) {
                for (size_t l = 0; l < width; l++) dx[p * lanes + l] = scale * dy[first + l];
                for (size_t l = width; l < lanes; l++) dx[p * lanes + l] = 0;
            }
        }
}
