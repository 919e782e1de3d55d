#ifndef KERNEL
#define KERNEL_FILE "batches.c"
#include "augmentation.h"
#include "instruction_sets.h"

DISPATCH(void, batch_gather,
         (const uint8_t *restrict images, const int32_t *restrict indices, size_t rows, size_t height, size_t width,
          size_t channels, int planes, const float *restrict scale, const float *restrict offset,
          const image_augmentation *how, uint8_t *restrict scratch, float *restrict out),
         (images, indices, rows, height, width, channels, planes, scale, offset, how, scratch, out))
#else
#define transpose_bytes KERNEL(transpose_bytes)
#define normalize KERNEL(normalize)

#ifndef BYTES
#define BYTES
/// Sixteen bytes, anywhere in memory.
typedef uint8_t bytes __attribute__((vector_size(16), may_alias, aligned(1)));
#endif

// to[j][i] = from[i][j]: four times, the first half of the vectors is shuffled into the second like a deck of cards.
INLINE void transpose_bytes(bytes square[LANES]) {
    for (int round = 0; round < 4; round++) {
        bytes next[LANES];
        for (int i = 0; i < LANES / 2; i++) {
            const bytes a = square[i], b = square[i + LANES / 2];
            next[2 * i] = __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            next[2 * i + 1] =
                __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        }
        for (int i = 0; i < LANES; i++) square[i] = next[i];
    }
}

// The interleaved bytes of a block's images in lanes, value x of channel c as x scale[c] + offset[c], 0 in the lanes
// beyond `count`. Element e = pixel * channels + c goes to vector `pixel + c * deep` or, where `deep` is 0, to vector
// e.
INLINE void normalize(const uint8_t *const image[LANES], size_t count, size_t elements, size_t channels, size_t deep,
                      const float *restrict scale, const float *restrict offset, lanes *restrict out) {
    const lanes_int valid = lanes_first(count);
    for (size_t first = 0, pixel = 0, c = 0; first < elements; first += LANES) {
        const size_t width = elements - first < LANES ? elements - first : LANES;
        bytes square[LANES];
        for (size_t s = 0; s < LANES; s++) {
            if (width == LANES) {
                square[s] = *(const bytes *)(image[s] + first);
            } else {
                square[s] = (bytes){0};
                memcpy(&square[s], image[s] + first, width);
            }
        }
        transpose_bytes(square);
        for (size_t e = 0; e < width; e++) {
            const lanes value = __builtin_convertvector(square[e], lanes);
            const lanes result = lanes_fma(value, lanes_all(scale[c]), lanes_all(offset[c]));
            out[deep ? pixel + c * deep : first + e] = lanes_select(valid, result, lanes_all(0));
            if (++c == channels) c = 0, pixel++;
        }
    }
}

void KERNEL(batch_gather)(const uint8_t *restrict images, const int32_t *restrict indices, size_t rows, size_t height,
                          size_t width, size_t channels, int planes, const float *restrict scale,
                          const float *restrict offset, const image_augmentation *how, uint8_t *restrict scratch,
                          float *restrict out) {
    const size_t pixels = height * width, elements = pixels * channels;
    for (size_t first = 0; first < rows; first += LANES, out += elements * LANES) {
        const size_t count = rows - first < LANES ? rows - first : LANES;
        const uint8_t *image[LANES];
        augmentation_draw by[LANES];
        for (size_t s = 0; s < LANES; s++) {
            const size_t index = (size_t)indices[first + (s < count ? s : 0)];
            image[s] = images + index * elements;
            if (!how || s >= count) continue;
            by[s] = draw_augmentation(how, height, width, (uint32_t)index);
            move_image(image[s], height, width, channels, by[s], scratch + s * elements);
            image[s] = scratch + s * elements;
        }
        normalize(image, count, elements, channels, planes ? pixels : 0, scale, offset, (lanes *)out);
        if (!how) continue;
        for (size_t s = 0; s < count; s++) {
            const sample_place place = {.lane = out + s,
                                        .down = planes ? width : width * channels,
                                        .right = planes ? 1 : channels,
                                        .deep = planes ? pixels : 1};
            fill_gaps(place, height, width, channels, by[s], how->cutout, how->fill);
        }
    }
}
#endif
