#ifndef KERNEL
#define KERNEL_FILE "groups.c"
#include "instruction_sets.h"

DISPATCH(void, groups_forward,
         (const float *x, float *y, size_t blocks, size_t channels, size_t positions, size_t groups, double epsilon,
          const float *weight, const float *bias, float *moments),
         (x, y, blocks, channels, positions, groups, epsilon, weight, bias, moments))
DISPATCH(void, groups_backward,
         (const float *x, const float *g, float *dx, size_t blocks, size_t channels, size_t positions, size_t groups,
          const float *weight, const float *moments, double *products, double *sums),
         (x, g, dx, blocks, channels, positions, groups, weight, moments, products, sums))
#else
#include "strips.h"

#define narrow KERNEL(narrow)
#define spread KERNEL(spread)

INLINE lanes narrow(lanes_double x) { return __builtin_convertvector(x, lanes); }
INLINE lanes_double spread(double x) { return x - (lanes_double){0}; }

// The channels of a group lie side by side, and every lane is a sample of its own.
void KERNEL(groups_forward)(const float *x, float *y, size_t blocks, size_t channels, size_t positions, size_t groups,
                            double epsilon, const float *weight, const float *bias, float *moments) {
    const size_t width = channels / groups, size = width * positions;
    const lanes_double n = spread((double)size);
    for (size_t i = 0; i < blocks * groups; i++) {
        const lanes *from = (const lanes *)x + i * size;
        lanes *to = (lanes *)y + i * size;
        lanes_double rest, squares;
        const lanes near = narrow(strip_sum(from, size) / n);
        strip_squares(from, size, near, &rest, &squares);
        const lanes_double correction = rest / n, variance = (squares - rest * correction) / n;
        const lanes centre = narrow(widen(near) + correction);
        const lanes inverse = narrow(1.0 / __builtin_elementwise_sqrt(variance + epsilon));
        ((lanes *)moments)[2 * i] = centre;
        ((lanes *)moments)[2 * i + 1] = inverse;
        for (size_t c = 0; c < width; c++) {
            const lanes scale = inverse * weight[i % groups * width + c];
            const lanes shift = lanes_all(bias[i % groups * width + c]);
            for (size_t p = c * positions; p < (c + 1) * positions; p++)
                to[p] = lanes_fma(from[p] - centre, scale, shift);
        }
    }
}

// Where g is zero, in padding, so is dx: every sum over a lane is zero.
void KERNEL(groups_backward)(const float *x, const float *g, float *dx, size_t blocks, size_t channels,
                             size_t positions, size_t groups, const float *weight, const float *moments,
                             double *products, double *sums) {
    const size_t width = channels / groups, size = width * positions;
    const lanes_double n = spread((double)size);
    for (size_t c = 0; c < channels; c++) products[c] = sums[c] = 0;
    for (size_t i = 0; i < blocks * groups; i++) {
        const lanes *v = (const lanes *)x + i * size, *d = (const lanes *)g + i * size;
        const lanes centre = ((const lanes *)moments)[2 * i], inverse = ((const lanes *)moments)[2 * i + 1];
        lanes_double total = {0}, product = {0};
        for (size_t c = 0; c < width; c++) {
            const lanes *vc = v + c * positions, *dc = d + c * positions;
            lanes_double first = {0}, second = {0};
            FOR_EACH_STRIP(
                positions, lanes one[4] = {{0}}; lanes two[4] = {{0}}, one[w] += dc[p];
                two[w] = lanes_fma(dc[p], vc[p] - centre, two[w]);
                , first += JOINED(one); second += JOINED(two))
            second *= widen(inverse);
            const size_t channel = i % groups * width + c;
            sums[channel] += lanes_sum_double(first);
            products[channel] += lanes_sum_double(second);
            total += first * (double)weight[channel];
            product += second * (double)weight[channel];
        }
        if (!dx) continue;
        const lanes_double factor = widen(inverse) / n;
        const lanes slope = narrow(-widen(inverse) * factor * product), added = narrow(-factor * total);
        for (size_t c = 0; c < width; c++) {
            const lanes scale = inverse * weight[i % groups * width + c];
            for (size_t p = c * positions; p < (c + 1) * positions; p++)
                ((lanes *)dx)[i * size + p] = lanes_fma(d[p], scale, lanes_fma(v[p] - centre, slope, added));
        }
    }
}
#endif
