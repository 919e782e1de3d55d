#include "CKernels.h"
#include "elementary.h"
#include <math.h>

INLINE size_t largest(const float *row, size_t classes) {
    size_t best = 0;
    for (size_t c = 1; c < classes; c++)
        if (row[c] > row[best]) best = c;
    return best;
}

CLONES double loss_cross_entropy(const float *restrict logits, const int32_t *restrict labels, size_t rows,
                                 size_t classes, float smoothing, float scale, float *restrict gradient,
                                 int64_t *restrict correct) {
    double total = 0;
    const float off = smoothing / (float)classes;
    const float on = 1.0f - smoothing + off;
    for (size_t r = 0; r < rows; r++) {
        const float *row = logits + r * classes;
        const size_t label = (size_t)labels[r];
        const size_t best = largest(row, classes);
        const float maximum = row[best];
        float sum = 0, shifted = 0;
        for (size_t c = 0; c < classes; c++) {
            sum += exponential(row[c] - maximum);
            shifted += row[c] - maximum;
        }
        const float logSum = logf(sum);
        // The targets sum to one: loss = log sum exp - sum_c t_c x_c.
        total += (double)logSum - (double)(1.0f - smoothing) * (row[label] - maximum) - (double)off * shifted;
        *correct += best == label;
        if (gradient) {
            float *out = gradient + r * classes;
            const float inverse = 1.0f / sum;
            for (size_t c = 0; c < classes; c++)
                out[c] = scale * (exponential(row[c] - maximum) * inverse - (c == label ? on : off));
        }
    }
    return total;
}

CLONES double loss_squared_error(const float *restrict logits, const int32_t *restrict labels, size_t rows,
                                 size_t classes, float smoothing, float scale, float *restrict gradient,
                                 int64_t *restrict correct) {
    double total = 0;
    const float off = smoothing / (float)classes;
    const float on = 1.0f - smoothing + off;
    for (size_t r = 0; r < rows; r++) {
        const float *row = logits + r * classes;
        const size_t label = (size_t)labels[r];
        float sum = 0;
        for (size_t c = 0; c < classes; c++) {
            const float difference = row[c] - (c == label ? on : off);
            sum += difference * difference;
            if (gradient) gradient[r * classes + c] = scale * 2.0f * difference;
        }
        total += sum;
        *correct += largest(row, classes) == label;
    }
    return total;
}
