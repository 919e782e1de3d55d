#ifndef KERNEL
#define KERNEL_FILE "losses.c"
#include "instruction_sets.h"

#define LOSS(NAME)                                                                                         \
    DISPATCH(double, NAME,                                                                                 \
             (const float *restrict logits, const int32_t *restrict labels, size_t rows, size_t classes,   \
              float smoothing, float scale, float *restrict gradient, int64_t *restrict correct),          \
             (logits, labels, rows, classes, smoothing, scale, gradient, correct))
LOSS(loss_cross_entropy)
LOSS(loss_squared_error)
#else
#include "elementary.h"

#define block_labels KERNEL(block_labels)
#define largest KERNEL(largest)
#define count_correct KERNEL(count_correct)

// The labels of a block's `count` samples, 0 in the lanes beyond.
INLINE lanes_int block_labels(const int32_t *labels, size_t count) {
    int32_t found[LANES] = {0};
    memcpy(found, labels, count * sizeof *labels);
    lanes_int result;
    memcpy(&result, found, sizeof result);
    return result;
}

// The largest logit of every sample, the first of those that are equal, and its class.
INLINE lanes largest(const lanes *x, size_t classes, lanes_int *place) {
    lanes best = x[0];
    lanes_int at = {0};
    for (size_t c = 1; c < classes; c++) {
        const lanes_int larger = x[c] > best;
        best = lanes_select(larger, x[c], best);
        at = (larger & (int32_t)c) | (~larger & at);
    }
    *place = at;
    return best;
}

INLINE int64_t count_correct(lanes_int place, lanes_int label, size_t count) {
    const lanes_int same = place == label;
    int64_t correct = 0;
    for (size_t lane = 0; lane < count; lane++) correct -= same[lane];
    return correct;
}

// The targets sum to one: loss = log sum exp - sum_c t_c x_c.
double KERNEL(loss_cross_entropy)(const float *restrict logits, const int32_t *restrict labels, size_t rows,
                                  size_t classes, float smoothing, float scale, float *restrict gradient,
                                  int64_t *restrict correct) {
    const float off = smoothing / (float)classes, rest = 1.0f - smoothing, on = rest + off;
    double total = 0;
    for (size_t first = 0; first < rows; first += LANES) {
        const size_t count = rows - first < LANES ? rows - first : LANES;
        const lanes *x = (const lanes *)logits + first / LANES * classes;
        lanes *g = gradient ? (lanes *)gradient + first / LANES * classes : NULL;
        const lanes_int label = block_labels(labels + first, count);
        lanes_int place;
        const lanes maximum = largest(x, classes, &place);
        lanes sum = lanes_all(0), shifted = sum, chosen = sum;
        for (size_t c = 0; c < classes; c++) {
            const lanes below = x[c] - maximum, e = exponential(below);
            sum += e;
            shifted += below;
            chosen = lanes_select(label == (int32_t)c, below, chosen);
            if (g) g[c] = e;
        }
        const lanes logSum = logarithm(sum);
        for (size_t lane = 0; lane < count; lane++)
            total += (double)logSum[lane] - (double)rest * (double)chosen[lane] - (double)off * (double)shifted[lane];
        *correct += count_correct(place, label, count);
        if (!g) continue;
        const lanes inverse = 1.0f / sum;
        const lanes_int valid = lanes_first(count);
        for (size_t c = 0; c < classes; c++) {
            const lanes target = lanes_select(label == (int32_t)c, lanes_all(on), lanes_all(off));
            g[c] = lanes_select(valid, scale * lanes_fma(g[c], inverse, -target), lanes_all(0));
        }
    }
    return total;
}

double KERNEL(loss_squared_error)(const float *restrict logits, const int32_t *restrict labels, size_t rows,
                                  size_t classes, float smoothing, float scale, float *restrict gradient,
                                  int64_t *restrict correct) {
    const float off = smoothing / (float)classes, on = 1.0f - smoothing + off;
    double total = 0;
    for (size_t first = 0; first < rows; first += LANES) {
        const size_t count = rows - first < LANES ? rows - first : LANES;
        const lanes *x = (const lanes *)logits + first / LANES * classes;
        const lanes_int label = block_labels(labels + first, count), valid = lanes_first(count);
        lanes sum = lanes_all(0);
        for (size_t c = 0; c < classes; c++) {
            const lanes difference = x[c] - lanes_select(label == (int32_t)c, lanes_all(on), lanes_all(off));
            sum = lanes_fma(difference, difference, sum);
            if (gradient)
                ((lanes *)gradient)[first / LANES * classes + c] =
                    lanes_select(valid, 2.0f * scale * difference, lanes_all(0));
        }
        for (size_t lane = 0; lane < count; lane++) total += (double)sum[lane];
        lanes_int place;
        largest(x, classes, &place);
        *correct += count_correct(place, label, count);
    }
    return total;
}
#endif
