#ifndef KERNEL
#define KERNEL_FILE "direct_gradient.c"
#include "direct.h"
#include "instruction_sets.h"

DISPATCH(void, direct_parameter_gradient,
         (const lanes_convolution *shape, size_t blocks, const float *x, const float *dy, float *dw, float *db,
          float *scratch),
         (shape, blocks, x, dy, dw, db, scratch))
#else
// Runs BODY for every tap (u, v) and output position `out` with the position `in` that it reads of the image.
#define FOR_EACH_TAP(S, BODY)                                                                              \
    for (size_t u = 0; u < (S)->kernelHeight; u++)                                                         \
        for (size_t v = 0; v < (S)->kernelWidth; v++)                                                      \
            for (size_t h = 0; h < (S)->outHeight; h++)                                                    \
                for (size_t q = 0; q < (S)->outWidth; q++) {                                               \
                    const size_t row = h * (S)->strideHeight + u * (S)->dilationHeight - (S)->paddingHeight; \
                    const size_t column = q * (S)->strideWidth + v * (S)->dilationWidth - (S)->paddingWidth; \
                    if (row >= (S)->height || column >= (S)->width) continue;                              \
                    const size_t in = row * (S)->width + column, out = h * (S)->outWidth + q;              \
                    const size_t tap = u * (S)->kernelWidth + v;                                           \
                    BODY                                                                                   \
                }

void KERNEL(direct_parameter_gradient)(const lanes_convolution *shape, size_t blocks, const float *x,
                                            const float *dy, float *dw, float *db, float *scratch) {
    (void)scratch;
    const size_t C = shape->inputs, O = shape->outputs, P = shape->height * shape->width;
    const size_t Q = shape->outHeight * shape->outWidth, T = shape->kernelHeight * shape->kernelWidth;
    for (size_t o = 0; o < O; o++) {
        for (size_t c = 0; c < C; c++)
            for (size_t t = 0; t < T; t++) {
                lanes sum = lanes_all(0);
                for (size_t b = 0; b < blocks; b++) {
                    const lanes *g = (const lanes *)dy + (b * O + o) * Q, *from = (const lanes *)x + (b * C + c) * P;
                    FOR_EACH_TAP(shape, if (tap == t) sum = lanes_fma(g[out], from[in], sum);)
                }
                dw[(o * C + c) * T + t] = lanes_sum(sum);
            }
        if (!db) continue;
        lanes sum = lanes_all(0);
        for (size_t b = 0; b < blocks; b++)
            for (size_t q = 0; q < Q; q++) sum += ((const lanes *)dy + (b * O + o) * Q)[q];
        db[o] = lanes_sum(sum);
    }
}
#endif
