// Exact sums of products of bytes: integers have no rounding, so their order does not matter.
#ifndef KERNEL
#define KERNEL_FILE "bytes.c"
#include "CKernels.h"
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/// Columns of a panel, rows of a tile of sums, and how many fours of rows are multiplied at a time.
enum { PANEL = 64, TILE_ROWS = 4, QUADS = 128 };

size_t bytes_gram_stride(size_t columns) { return (columns + PANEL - 1) / PANEL * PANEL; }
size_t bytes_gram_scratch(size_t columns) { return 2 * bytes_gram_stride(columns) * 4 * QUADS; }

#include "instruction_sets.h"

#if defined(__x86_64__)
// 64 products of bytes in one instruction.
__attribute__((target("arch=x86-64-v4,avx512vnni"))) static void tile_of_fours(
    const int32_t *left, const int32_t *right, size_t quads, int32_t *sums, size_t stride) {
    __m512i sum[TILE_ROWS][4];
#pragma unroll
    for (int i = 0; i < TILE_ROWS; i++)
#pragma unroll
        for (int j = 0; j < 4; j++) sum[i][j] = _mm512_loadu_si512(sums + i * stride + 16 * j);
    for (size_t q = 0; q < quads; q++, left += PANEL, right += PANEL)
#pragma unroll
        for (int i = 0; i < TILE_ROWS; i++) {
            const __m512i factor = _mm512_set1_epi32(left[i]);
#pragma unroll
            for (int j = 0; j < 4; j++)
                sum[i][j] = _mm512_dpbusd_epi32(sum[i][j], _mm512_loadu_si512(right + 16 * j), factor);
        }
#pragma unroll
    for (int i = 0; i < TILE_ROWS; i++)
#pragma unroll
        for (int j = 0; j < 4; j++) _mm512_storeu_si512(sums + i * stride + 16 * j, sum[i][j]);
}
#endif

DISPATCH(static void, pack_bytes,
         (const uint8_t *bytes, size_t rows, size_t columns, size_t quads, uint8_t *panels, uint8_t *flipped),
         (bytes, rows, columns, quads, panels, flipped))
DISPATCH(static void, tile_of_pairs,
         (const int32_t *left, const int32_t *right, size_t quads, int32_t *sums, size_t stride),
         (left, right, quads, sums, stride))

void bytes_gram(const uint8_t *bytes, size_t rows, size_t columns, int32_t *sums, uint8_t *scratch) {
    void (*tile)(const int32_t *, const int32_t *, size_t, int32_t *, size_t) = tile_of_pairs;
#if defined(__x86_64__)
    if (kernels_instruction_set_level() == INSTRUCTIONS_AVX512 && __builtin_cpu_supports("avx512vnni"))
        tile = tile_of_fours;
#endif
    const size_t stride = bytes_gram_stride(columns);
    for (size_t first = 0; first < rows; first += 4 * QUADS) {
        const size_t count = rows - first < 4 * QUADS ? rows - first : 4 * QUADS, quads = (count + 3) / 4;
        const int32_t *panels = (int32_t *)scratch, *flipped = panels + stride * quads;
        pack_bytes(bytes + first * columns, count, columns, quads, (uint8_t *)panels, (uint8_t *)flipped);
        for (size_t j = 0; j < columns; j += PANEL)
            for (size_t i = j; i < columns; i += TILE_ROWS)
                tile(flipped + i / PANEL * PANEL * quads + i % PANEL, panels + j * quads, quads, sums + i * stride + j,
                     stride);
    }
}
#else
// Rows of bytes as panels [columns / 64, quads, 64 columns, 4 rows], zeros where there are none, and with 128 taken
// off each.
static void KERNEL(pack_bytes)(const uint8_t *bytes, size_t rows, size_t columns, size_t quads,
                               uint8_t *restrict panels, uint8_t *restrict flipped) {
    const size_t size = (columns + PANEL - 1) / PANEL * PANEL * quads * 4;
    memset(panels, 0, size);
    for (size_t q = 0; q < quads; q++)
        for (size_t first = 0; first < columns; first += PANEL) {
            const size_t width = columns - first < PANEL ? columns - first : PANEL;
            const uint8_t *restrict from = bytes + q * 4 * columns + first;
            uint8_t *restrict to = panels + (first * quads + q * PANEL) * 4;
            if (width == PANEL && rows >= 4 * q + 4)
                for (size_t c = 0; c < PANEL; c++)
                    for (size_t r = 0; r < 4; r++) to[4 * c + r] = from[r * columns + c];
            else
                for (size_t r = 0; 4 * q + r < rows && r < 4; r++)
                    for (size_t c = 0; c < width; c++) to[4 * c + r] = from[r * columns + c];
        }
    for (size_t i = 0; i < size; i++) flipped[i] = panels[i] ^ 0x80;
}

#define words KERNEL(words)
#define pairs KERNEL(pairs)
#define add_pairs KERNEL(add_pairs)
typedef int32_t words __attribute__((vector_size(4 * WIDTH), may_alias, aligned(4)));
typedef int16_t pairs __attribute__((vector_size(4 * WIDTH), may_alias, aligned(4)));

// sum + the product of the low halves + the product of the high halves of every word
INLINE words add_pairs(words sum, pairs a, pairs b) {
#if WIDTH == 16
    return sum + (words)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#elif WIDTH == 8
    return sum + (words)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#else
    const words x = (words)a, y = (words)b;
    return sum + (x << 16 >> 16) * (y << 16 >> 16) + (x >> 16) * (y >> 16);
#endif
}

static void KERNEL(tile_of_pairs)(const int32_t *left, const int32_t *right, size_t quads, int32_t *sums,
                                  size_t stride) {
    for (size_t j = 0; j < PANEL; j += 2 * WIDTH) {
        words sum[TILE_ROWS][2];
#pragma unroll
        for (int i = 0; i < TILE_ROWS; i++)
#pragma unroll
            for (int n = 0; n < 2; n++) sum[i][n] = *(words *)(sums + i * stride + j + n * WIDTH);
        for (size_t q = 0; q < quads; q++) {
            pairs even[2], odd[2];
#pragma unroll
            for (int n = 0; n < 2; n++) {
                const words value = *(const words *)(right + q * PANEL + j + n * WIDTH);
                even[n] = (pairs)(value & 0x00ff00ff);
                odd[n] = (pairs)((value >> 8) & 0x00ff00ff);
            }
#pragma unroll
            for (int i = 0; i < TILE_ROWS; i++) {
                const pairs factor = (pairs)((words){0} + left[q * PANEL + i]);
#pragma unroll
                for (int n = 0; n < 2; n++)
                    sum[i][n] = add_pairs(add_pairs(sum[i][n], even[n], factor << 8 >> 8), odd[n], factor >> 8);
            }
        }
#pragma unroll
        for (int i = 0; i < TILE_ROWS; i++)
#pragma unroll
            for (int n = 0; n < 2; n++) *(words *)(sums + i * stride + j + n * WIDTH) = sum[i][n];
    }
}
#endif
