#ifndef KERNEL
#define KERNEL_FILE "pooling.c"
#include "instruction_sets.h"

DISPATCH(void, pooling_max_forward,
         (const float *restrict x, float *restrict y, int32_t *restrict places, size_t count,
          const PoolingWindow *window),
         (x, y, places, count, window))
DISPATCH(void, pooling_max_backward,
         (const float *restrict dy, const int32_t *restrict places, float *restrict dx, size_t count,
          const PoolingWindow *window),
         (dy, places, dx, count, window))
DISPATCH(void, pooling_average_forward,
         (const float *restrict x, float *restrict y, size_t count, const PoolingWindow *window),
         (x, y, count, window))
DISPATCH(void, pooling_average_backward,
         (const float *restrict dy, float *restrict dx, size_t count, const PoolingWindow *window),
         (dy, dx, count, window))
DISPATCH(void, pooling_global_forward, (const float *restrict x, float *restrict y, size_t count, size_t positions),
         (x, y, count, positions))
DISPATCH(void, pooling_global_backward,
         (const float *restrict dy, float *restrict dx, size_t count, size_t positions), (dy, dx, count, positions))
#else
#include "strips.h"

#define inside KERNEL(inside)

// The part of a window that lies in the image: [begin, end) along one axis.
INLINE void inside(size_t position, size_t stride, size_t padding, size_t kernel, size_t extent, size_t *begin,
                   size_t *end) {
    const size_t first = position * stride;
    const size_t last = first + kernel > padding ? first + kernel - padding : 0;
    *begin = first > padding ? first - padding : 0;
    *end = last < extent ? last : extent;
}

// Runs BODY for every output vector number `o` of all images, with the first vector number `image` of its input image
// and its window [top, bottom) x [left, right).
#define FOR_EACH_WINDOW(W, BODY)                                                                               \
    for (size_t n_ = 0, o = 0; n_ < count; n_++) {                                                             \
        const size_t image = n_ * (W)->height * (W)->width;                                                    \
        for (size_t y_ = 0; y_ < (W)->outHeight; y_++) {                                                       \
            size_t top, bottom;                                                                                \
            inside(y_, (W)->strideHeight, (W)->paddingHeight, (W)->kernelHeight, (W)->height, &top, &bottom);  \
            for (size_t x_ = 0; x_ < (W)->outWidth; x_++, o++) {                                               \
                size_t left, right;                                                                            \
                inside(x_, (W)->strideWidth, (W)->paddingWidth, (W)->kernelWidth, (W)->width, &left, &right);  \
                BODY                                                                                           \
            }                                                                                                  \
        }                                                                                                      \
    }

void KERNEL(pooling_max_forward)(const float *restrict x, float *restrict y, int32_t *restrict places, size_t count,
                                 const PoolingWindow *window) {
    FOR_EACH_WINDOW(window, {
        const lanes *from = (const lanes *)x + image;
        const size_t origin = top * window->width + left;
        lanes best = from[origin];
        lanes_int place = (lanes_int){0} + (int32_t)origin;
        for (size_t i = top; i < bottom; i++)
            for (size_t j = left; j < right; j++) {
                const int32_t p = (int32_t)(i * window->width + j);
                // A NaN replaces any number, and nothing replaces a NaN.
                const lanes_int larger = ~(from[p] <= best) & (best == best);
                best = lanes_select(larger, from[p], best);
                place = (larger & p) | (~larger & place);
            }
        ((lanes *)y)[o] = best;
        ((lanes_int *)places)[o] = place;
    })
}

void KERNEL(pooling_max_backward)(const float *restrict dy, const int32_t *restrict places, float *restrict dx,
                                  size_t count, const PoolingWindow *window) {
    memset(dx, 0, count * window->height * window->width * sizeof(lanes));
    FOR_EACH_WINDOW(window, {
        lanes *to = (lanes *)dx + image;
        const lanes d = ((const lanes *)dy)[o];
        const lanes_int place = ((const lanes_int *)places)[o];
        for (size_t i = top; i < bottom; i++)
            for (size_t j = left; j < right; j++) {
                const int32_t p = (int32_t)(i * window->width + j);
                to[p] += lanes_select(place == p, d, lanes_all(0));
            }
    })
}

void KERNEL(pooling_average_forward)(const float *restrict x, float *restrict y, size_t count,
                                     const PoolingWindow *window) {
    const float scale = 1.0f / (float)(window->kernelHeight * window->kernelWidth);
    FOR_EACH_WINDOW(window, {
        lanes sum = lanes_all(0);
        for (size_t i = top; i < bottom; i++)
            for (size_t j = left; j < right; j++) sum += ((const lanes *)x)[image + i * window->width + j];
        ((lanes *)y)[o] = sum * scale;
    })
}

void KERNEL(pooling_average_backward)(const float *restrict dy, float *restrict dx, size_t count,
                                      const PoolingWindow *window) {
    const float scale = 1.0f / (float)(window->kernelHeight * window->kernelWidth);
    memset(dx, 0, count * window->height * window->width * sizeof(lanes));
    FOR_EACH_WINDOW(window, {
        const lanes d = ((const lanes *)dy)[o] * scale;
        for (size_t i = top; i < bottom; i++)
            for (size_t j = left; j < right; j++) ((lanes *)dx)[image + i * window->width + j] += d;
    })
}

void KERNEL(pooling_global_forward)(const float *restrict x, float *restrict y, size_t count, size_t positions) {
    const double n = (double)positions;
    for (size_t i = 0; i < count; i++)
        ((lanes *)y)[i] = __builtin_convertvector(strip_sum((const lanes *)x + i * positions, positions) / n, lanes);
}

void KERNEL(pooling_global_backward)(const float *restrict dy, float *restrict dx, size_t count, size_t positions) {
    const float scale = 1.0f / (float)positions;
    for (size_t i = 0; i < count; i++) {
        const lanes d = ((const lanes *)dy)[i] * scale;
        for (size_t p = i * positions; p < (i + 1) * positions; p++) ((lanes *)dx)[p] = d;
    }
}
#undef FOR_EACH_WINDOW
#endif
