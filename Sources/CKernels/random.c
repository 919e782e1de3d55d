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

CLONES void dropout_mask(float *restrict mask, size_t count, float rate, const uint32_t key[2], uint32_t stream0,
                         uint32_t stream1, uint64_t first) {
    const float keep = 1.0f / (1.0f - rate);
    for (size_t i = 0; i < count; i++) {
        // Element i is word (i mod 4) of block i / 4: the same bits however the range is cut.
        const uint64_t element = first + i;
        const uint64_t block = element / 4;
        uint32_t c[4] = {(uint32_t)block, (uint32_t)(block >> 32), stream0, stream1};
        rounds(c, key[0], key[1]);
        const float uniform = (float)(c[element % 4] >> 8) * 0x1p-24f;
        mask[i] = uniform < rate ? 0.0f : keep;
    }
}
