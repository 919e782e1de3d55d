#include "CKernels.h"
#include "clones.h"
#include <string.h>

enum { SIDE = 16 };

// to[c][r] = from[r][c], in squares that stay in the cache; rows of `from` are `fromStride` apart, of `to` `toStride`.
CLONES
static void transpose(const float *restrict from, size_t fromStride, float *restrict to, size_t toStride, size_t rows,
                      size_t columns) {
    for (size_t r0 = 0; r0 < rows; r0 += SIDE)
        for (size_t c0 = 0; c0 < columns; c0 += SIDE) {
            const size_t height = rows - r0 < SIDE ? rows - r0 : SIDE, width = columns - c0 < SIDE ? columns - c0 : SIDE;
            for (size_t c = c0; c < c0 + width; c++)
                for (size_t r = r0; r < r0 + height; r++) to[c * toStride + r] = from[r * fromStride + c];
        }
}

// Pieces of SIDE floats, from and to places that far apart.
CLONES
static void copy_blocks(const float *restrict from, size_t fromStride, float *restrict to, size_t toStride,
                        size_t count) {
    for (size_t i = 0; i < count; i++)
        for (size_t l = 0; l < SIDE; l++) to[i * toStride + l] = from[i * fromStride + l];
}

void layout_to_rows(const float *restrict values, float *restrict rows, size_t count, size_t channels,
                    size_t positions, size_t lanes) {
    for (size_t r = 0; r < count; r++, rows += positions * channels) {
        if (lanes == 1) {
            transpose(values, positions, rows, channels, channels, positions);
            values += positions * channels;
            continue;
        }
        for (size_t first = 0; first < channels; first += lanes, values += positions * lanes) {
            const size_t width = channels - first < lanes ? channels - first : lanes;
            if (width == SIDE)
                copy_blocks(values, lanes, rows + first, channels, positions);
            else
                for (size_t p = 0; p < positions; p++)
                    memcpy(rows + p * channels + first, values + p * lanes, width * sizeof(float));
        }
    }
}

void layout_from_rows(const float *restrict rows, float *restrict values, size_t count, size_t channels,
                      size_t positions, size_t lanes) {
    for (size_t r = 0; r < count; r++, rows += positions * channels) {
        if (lanes == 1) {
            transpose(rows, channels, values, positions, positions, channels);
            values += positions * channels;
            continue;
        }
        for (size_t first = 0; first < channels; first += lanes, values += positions * lanes) {
            const size_t width = channels - first < lanes ? channels - first : lanes;
            if (width == SIDE && lanes == SIDE)
                copy_blocks(rows + first, channels, values, lanes, positions);
            else
                for (size_t p = 0; p < positions; p++) {
                    memcpy(values + p * lanes, rows + p * channels + first, width * sizeof(float));
                    memset(values + p * lanes + width, 0, (lanes - width) * sizeof(float));
                }
        }
    }
}

void layout_to_planes(const float *restrict values, float *restrict planes, size_t rows, size_t channels,
                      size_t positions, size_t lanes) {
    for (size_t r = 0; r < rows; r++)
        for (size_t first = 0; first < channels; first += lanes) {
            const size_t width = channels - first < lanes ? channels - first : lanes;
            float *out = planes + (r * channels + first) * positions;
            transpose(values, lanes, out, positions, positions, width);
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
