#include "CKernels.h"
#include <string.h>

void layout_to_rows(const float *restrict values, float *restrict rows, size_t count, size_t channels,
                    size_t positions, size_t lanes) {
    for (size_t r = 0; r < count; r++)
        for (size_t first = 0; first < channels; first += lanes) {
            const size_t width = channels - first < lanes ? channels - first : lanes;
            for (size_t p = 0; p < positions; p++, values += lanes)
                memcpy(rows + (r * positions + p) * channels + first, values, width * sizeof(float));
        }
}

void layout_from_rows(const float *restrict rows, float *restrict values, size_t count, size_t channels,
                      size_t positions, size_t lanes) {
    for (size_t r = 0; r < count; r++)
        for (size_t first = 0; first < channels; first += lanes) {
            const size_t width = channels - first < lanes ? channels - first : lanes;
            for (size_t p = 0; p < positions; p++, values += lanes) {
                memcpy(values, rows + (r * positions + p) * channels + first, width * sizeof(float));
                memset(values + width, 0, (lanes - width) * sizeof(float));
            }
        }
}

void layout_to_planes(const float *restrict values, float *restrict planes, size_t rows, size_t channels,
                      size_t positions, size_t lanes) {
    for (size_t r = 0; r < rows; r++)
        for (size_t first = 0; first < channels; first += lanes) {
            const size_t width = channels - first < lanes ? channels - first : lanes;
            float *out = planes + (r * channels + first) * positions;
            for (size_t l = 0; l < width; l++)
                for (size_t p = 0; p < positions; p++) out[l * positions + p] = values[p * lanes + l];
            values += positions * lanes;
        }
}

void layout_from_planes(const float *restrict planes, float *restrict values, size_t rows, size_t channels,
                        size_t positions, size_t lanes) {
    for (size_t r = 0; r < rows; r++)
        for (size_t first = 0; first < channels; first += lanes) {
            const size_t width = channels - first < lanes ? channels - first : lanes;
            const float *in = planes + (r * channels + first) * positions;
            for (size_t p = 0; p < positions; p++)
                for (size_t l = 0; l < lanes; l++) values[p * lanes + l] = l < width ? in[l * positions + p] : 0;
            values += positions * lanes;
        }
}

// Runs of channels that are neighbours on both sides: at most to the end of a block of either.
#define FOR_EACH_RUN(BODY)                                                                                     \
    for (size_t r = 0; r < rows; r++)                                                                          \
        for (size_t c = 0, run; c < partChannels; c += run) {                                                  \
            const size_t w = first + c, partLeft = partLanes - c % partLanes, wholeLeft = lanes - w % lanes;   \
            run = partChannels - c;                                                                            \
            run = partLeft < run ? partLeft : run;                                                             \
            run = wholeLeft < run ? wholeLeft : run;                                                           \
            const size_t here = (r * partBlocks + c / partLanes) * positions * partLanes + c % partLanes;      \
            const size_t there = (r * blocks + w / lanes) * positions * lanes + w % lanes;                     \
            for (size_t p = 0; p < positions; p++) BODY                                                        \
        }

void layout_insert(const float *restrict part, float *restrict whole, size_t rows, size_t positions,
                   size_t partChannels, size_t partLanes, size_t first, size_t channels, size_t lanes) {
    if (partChannels == 0) return;
    const size_t partBlocks = (partChannels + partLanes - 1) / partLanes, blocks = (channels + lanes - 1) / lanes;
    FOR_EACH_RUN(memcpy(whole + there + p * lanes, part + here + p * partLanes, run * sizeof(float));)
}

void layout_extract(float *restrict part, const float *restrict whole, size_t rows, size_t positions,
                    size_t partChannels, size_t partLanes, size_t first, size_t channels, size_t lanes) {
    if (partChannels == 0) return;
    const size_t partBlocks = (partChannels + partLanes - 1) / partLanes, blocks = (channels + lanes - 1) / lanes;
    if (partChannels % partLanes) memset(part, 0, rows * partBlocks * positions * partLanes * sizeof(float));
    FOR_EACH_RUN(memcpy(part + here + p * partLanes, whole + there + p * lanes, run * sizeof(float));)
}
