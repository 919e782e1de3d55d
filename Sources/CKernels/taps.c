#include "taps.h"
#include <string.h>

size_t taps_axis_words(size_t destinations, size_t kernel) {
    return 5 * destinations + 1 + 2 * (destinations + 1) * kernel;
}

// The source that `tap` of `destination` reads, or -1 outside the image.
static int64_t source(const taps_relation *r, size_t destination, size_t tap) {
    int64_t at;
    if (!r->transposed) {
        at = (int64_t)(destination * r->stride + tap * r->dilation) - (int64_t)r->padding;
    } else {
        at = (int64_t)(destination + r->padding) - (int64_t)(tap * r->dilation);
        if (at % (int64_t)r->stride) return -1;
        at /= (int64_t)r->stride;
    }
    return at >= 0 && at < (int64_t)r->sources ? at : -1;
}

taps_axis taps_make_axis(const taps_relation *r, int32_t *words) {
    const size_t n = r->destinations, kernel = r->kernel;
    taps_axis axis = {.extent = n, .kernel = kernel};
    axis.first = words;
    axis.members = axis.first + n;
    axis.begin = axis.members + n;
    axis.count = axis.begin + n + 1;
    int32_t *class = axis.count + n;
    axis.tap = class + n;
    axis.offset = axis.tap + (n + 1) * kernel;
    for (size_t d = 0; d < n; d++) {
        // The taps of this destination, written where a new class would stand.
        int32_t *tap = axis.tap + axis.classes * kernel, *offset = axis.offset + axis.classes * kernel;
        int32_t count = 0;
        axis.first[d] = 0;
        for (size_t u = 0; u < kernel; u++) {
            const int64_t at = source(r, d, u);
            if (at < 0) continue;
            if (count == 0) axis.first[d] = (int32_t)at;
            tap[count] = (int32_t)u;
            offset[count++] = (int32_t)at - axis.first[d];
        }
        size_t k = 0;
        while (k < axis.classes &&
               (axis.count[k] != count || memcmp(axis.tap + k * kernel, tap, (size_t)count * sizeof *tap) ||
                memcmp(axis.offset + k * kernel, offset, (size_t)count * sizeof *offset)))
            k++;
        if (k == axis.classes) axis.count[axis.classes++] = count;
        class[d] = (int32_t)k;
    }
    int32_t at = 0;
    for (size_t k = 0; k < axis.classes; k++) {
        axis.begin[k] = at;
        for (size_t d = 0; d < n; d++)
            if (class[d] == (int32_t)k) axis.members[at++] = (int32_t)d;
    }
    axis.begin[axis.classes] = at;
    return axis;
}
