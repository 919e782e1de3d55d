#ifndef AUGMENTATION_H
#define AUGMENTATION_H

#include "CKernels.h"
#include <string.h>

// What one sample's random words say. Positions are those of the image that comes out, before it is mirrored.
typedef struct {
    ptrdiff_t down, right;  // the crop: pixel (y, x) is taken from (y + down, x + right), each in -pad...pad
    int mirrored;
    ptrdiff_t hole_y, hole_x;  // the middle of the square that is cut out, after mirroring
} augmentation_draw;

// 0..<bound from one word; a number comes up too often by at most bound / 2^32 of its share.
static inline size_t below(uint32_t word, size_t bound) { return (size_t)(((uint64_t)word * bound) >> 32); }

// Every sample has a stream of its own, and every use a word of its own: cutting out does not move the crop.
static inline augmentation_draw draw_augmentation(const image_augmentation *how, size_t height, size_t width,
                                                  uint32_t sample) {
    const uint32_t key[2] = {how->key0, how->key1};
    uint32_t move[4], hole[4];
    philox4x32((uint32_t[4]){0, 0, how->stream, sample}, key, move);
    philox4x32((uint32_t[4]){1, 0, how->stream, sample}, key, hole);
    uint32_t side[4] = {0, 0, move[2], 0};
    if (how->flip == 2) philox4x32((uint32_t[4]){0, 0, how->sides, sample}, key, side);
    return (augmentation_draw){
        .down = (ptrdiff_t)below(move[0], 2 * how->pad + 1) - (ptrdiff_t)how->pad,
        .right = (ptrdiff_t)below(move[1], 2 * how->pad + 1) - (ptrdiff_t)how->pad,
        .mirrored = (how->flip && (side[2] >> 31)) != how->opposite,
        .hole_y = (ptrdiff_t)below(hole[0], height),
        .hole_x = (ptrdiff_t)below(hole[1], width),
    };
}

static inline ptrdiff_t clamp(ptrdiff_t value, size_t most) {
    return value < 0 ? 0 : value > (ptrdiff_t)most ? (ptrdiff_t)most : value;
}

// Moves and mirrors an interleaved image; what comes from outside it is 0.
static inline void move_image(const uint8_t *restrict image, size_t height, size_t width, size_t channels,
                              augmentation_draw by, uint8_t *restrict out) {
    memset(out, 0, height * width * channels);
    const ptrdiff_t top = clamp(-by.down, height), bottom = clamp((ptrdiff_t)height - by.down, height);
    const ptrdiff_t left = clamp(-by.right, width), right = clamp((ptrdiff_t)width - by.right, width);
    for (ptrdiff_t y = top; y < bottom; y++) {
        const uint8_t *from = image + ((size_t)(y + by.down) * width + (size_t)(left + by.right)) * channels;
        uint8_t *to = out + (size_t)y * width * channels;
        const size_t count = (size_t)(right - left);
        if (!by.mirrored) {
            memcpy(to + (size_t)left * channels, from, count * channels);
        } else {
            uint8_t *last = to + (width - 1 - (size_t)left) * channels;
            for (size_t i = 0; i < count; i++)
                for (size_t c = 0; c < channels; c++) last[c - i * channels] = from[i * channels + c];
        }
    }
}

// Where the values of one sample go: value (y, x, c) to lane[(y down + x right + c deep) 16].
typedef struct {
    float *lane;
    size_t down, right, deep;
} sample_place;

// The rows top..<bottom and columns left..<right of a sample become fill[c].
static inline void fill_rectangle(sample_place place, size_t channels, ptrdiff_t top, ptrdiff_t bottom, ptrdiff_t left,
                                  ptrdiff_t right, const float *restrict fill) {
    for (ptrdiff_t y = top; y < bottom; y++)
        for (size_t c = 0; c < channels; c++)
            for (ptrdiff_t x = left; x < right; x++)
                place.lane[16 * ((size_t)y * place.down + (size_t)x * place.right + c * place.deep)] = fill[c];
}

// Fills what the crop took from outside the image, and the square that is cut out.
static inline void fill_gaps(sample_place place, size_t height, size_t width, size_t channels, augmentation_draw by,
                             size_t cutout, const float *restrict fill) {
    const ptrdiff_t h = (ptrdiff_t)height, w = (ptrdiff_t)width;
    const ptrdiff_t top = clamp(-by.down, height), bottom = clamp(h - by.down, height);
    const ptrdiff_t right = by.mirrored ? -by.right : by.right;
    const ptrdiff_t first = clamp(-right, width), last = clamp(w - right, width);
    fill_rectangle(place, channels, 0, top, 0, w, fill);
    fill_rectangle(place, channels, bottom, h, 0, w, fill);
    fill_rectangle(place, channels, top, bottom, 0, first, fill);
    fill_rectangle(place, channels, top, bottom, last, w, fill);
    if (cutout == 0) return;
    const ptrdiff_t y = by.hole_y - (ptrdiff_t)(cutout / 2), x = by.hole_x - (ptrdiff_t)(cutout / 2);
    fill_rectangle(place, channels, clamp(y, height), clamp(y + (ptrdiff_t)cutout, height), clamp(x, width),
                   clamp(x + (ptrdiff_t)cutout, width), fill);
}

#endif
