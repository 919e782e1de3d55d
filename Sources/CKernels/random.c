#include "CKernels.h"
#include "clones.h"

INLINE void rounds(uint32_t c[4], uint32_t key0, uint32_t key1) {
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

void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]) {
    for (int i = 0; i < 4; i++) out[i] = counter[i];
    rounds(out, key[0], key[1]);
}

enum { LANES = 16 };

// The uniform numbers in [0, 1) of LANES consecutive blocks, in the order of their elements: every step of the
// generator is done for all blocks at once.
INLINE void uniform_numbers(float out[4 * LANES], uint64_t block, const uint32_t key[2], uint32_t stream0,
                            uint32_t stream1) {
    uint32_t word0[LANES], word1[LANES], word2[LANES], word3[LANES];
    for (int l = 0; l < LANES; l++) {
        const uint64_t index = block + (uint64_t)l;
        uint32_t c[4] = {(uint32_t)index, (uint32_t)(index >> 32), stream0, stream1};
        rounds(c, key[0], key[1]);
        word0[l] = c[0];
        word1[l] = c[1];
        word2[l] = c[2];
        word3[l] = c[3];
    }
    for (int l = 0; l < LANES; l++) {
        out[4 * l] = (float)(word0[l] >> 8) * 0x1p-24f;
        out[4 * l + 1] = (float)(word1[l] >> 8) * 0x1p-24f;
        out[4 * l + 2] = (float)(word2[l] >> 8) * 0x1p-24f;
        out[4 * l + 3] = (float)(word3[l] >> 8) * 0x1p-24f;
    }
}

// Element i is word (i mod 4) of block i / 4: the same bits however the range is cut.
CLONES void dropout_mask(float *restrict mask, size_t count, float rate, const uint32_t key[2], uint32_t stream0,
                         uint32_t stream1, uint64_t first) {
    const float keep = 1.0f / (1.0f - rate);
    for (size_t done = 0; done < count;) {
        float uniform[4 * LANES];
        uniform_numbers(uniform, first / 4, key, stream0, stream1);
        const size_t skipped = first % 4;
        const size_t left = count - done, available = 4 * LANES - skipped;
        const size_t taken = left < available ? left : available;
        for (size_t i = 0; i < taken; i++) mask[done + i] = uniform[skipped + i] < rate ? 0.0f : keep;
        done += taken;
        first += taken;
    }
}
