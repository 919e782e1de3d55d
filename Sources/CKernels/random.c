#ifndef KERNEL
#define KERNEL_FILE "random.c"
#include <stdint.h>

static inline __attribute__((always_inline)) void rounds(uint32_t c[4], uint32_t key0, uint32_t key1) {
    for (int round = 0; round < 10; round++) {
        const uint64_t product0 = (uint64_t)0xD2511F53u * c[0];
        const uint64_t product1 = (uint64_t)0xCD9E8D57u * c[2];
        const uint32_t next0 = (uint32_t)(product1 >> 32) ^ c[1] ^ key0;
        const uint32_t next2 = (uint32_t)(product0 >> 32) ^ c[3] ^ key1;
        c[1] = (uint32_t)product1;
        c[3] = (uint32_t)product0;
        c[0] = next0;
        c[2] = next2;
        key0 += 0x9E3779B9u;
        key1 += 0xBB67AE85u;
    }
}

#include "instruction_sets.h"

void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
    for (int i = 0; i < 4; i++) out[i] = counter[i];
    rounds(out, key[0], key[1]);
}

DISPATCH(void, dropout_mask,
         (float *restrict mask, size_t blocks, size_t elements, float rate, const uint32_t key[2], uint32_t stream0,
          uint32_t stream1, uint32_t first),
         (mask, blocks, elements, rate, key, stream0, stream1, first))
#else
// Element i of a sample is word i mod 4 of block i / 4 of the sample's own numbers: every step of the generator is
// done for sixteen samples at once.
void KERNEL(dropout_mask)(float *restrict mask, size_t blocks, size_t elements, float rate, const uint32_t key[2],
                          uint32_t stream0, uint32_t stream1, uint32_t first) {
    const float keep = 1.0f / (1.0f - rate);
    for (size_t b = 0; b < blocks; b++)
        for (size_t i = 0; i < elements; i += 4) {
            uint32_t words[4][LANES];
            for (uint32_t lane = 0; lane < LANES; lane++) {
                uint32_t c[4] = {(uint32_t)(i / 4), first + (uint32_t)(b * LANES) + lane, stream0, stream1};
                rounds(c, key[0], key[1]);
                for (int w = 0; w < 4; w++) words[w][lane] = c[w];
            }
            float *out = mask + (b * elements + i) * LANES;
            const size_t left = elements - i < 4 ? elements - i : 4;
            for (size_t w = 0; w < left; w++)
                for (size_t lane = 0; lane < LANES; lane++)
                    out[w * LANES + lane] = (float)(words[w][lane] >> 8) * 0x1p-24f < rate ? 0.0f : keep;
        }
}
#endif
