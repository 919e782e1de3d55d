#ifndef CHANNELS_H
#define CHANNELS_H

#include "clones.h"
#include <stddef.h>

enum { WIDE = 16, TILE = 512 };

// Values in layout [rows, blocks, positions, lanes] are worked on in strips: `width` <= 16 neighbouring lanes of up to
// TILE positions, sums in single precision within a strip and in double precision beyond. A strip of 16 lanes is one
// register of AVX-512; the loops below have that width as a constant, and another version for the rest.
//
// Without blocks, rows are positions of one long row: nothing separates them.
typedef struct {
    size_t rows, blocks, positions, lanes;
} Extents;

INLINE Extents extents(size_t rows, size_t channels, size_t positions, size_t lanes) {
    if (lanes >= channels) return (Extents){1, 1, rows * positions, lanes};
    return (Extents){rows, (channels + lanes - 1) / lanes, positions, lanes};
}

// Runs BODY with `offset` (of the strip's first value), `channel` (of its first lane), `count` (positions) and `width`
// for every strip, all strips of a channel in the order of their rows.
#define FOR_EACH_STRIP(E, BODY)                                                                            \
    for (size_t block_ = 0; block_ < (E).blocks; block_++)                                                 \
        for (size_t lane_ = 0; lane_ < (E).lanes; lane_ += WIDE) {                                         \
            const size_t width = (E).lanes - lane_ < WIDE ? (E).lanes - lane_ : WIDE;                      \
            const size_t channel = block_ * (E).lanes + lane_;                                             \
            for (size_t row_ = 0; row_ < (E).rows; row_++)                                                 \
                for (size_t position_ = 0; position_ < (E).positions; position_ += TILE) {                 \
                    const size_t left_ = (E).positions - position_;                                        \
                    const size_t count = left_ < TILE ? left_ : TILE;                                      \
                    const size_t offset =                                                                  \
                        ((row_ * (E).blocks + block_) * (E).positions + position_) * (E).lanes + lane_;    \
                    BODY                                                                                   \
                }                                                                                          \
        }

#endif
