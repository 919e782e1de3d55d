// Sixteen samples side by side, for one instruction set; included once per set by instruction_sets.h.
//
// What makes bits equal on all sets: no contraction by the compiler, fused multiply-adds only where `fma` is written,
// the same sequence of operations in every lane whatever the registers' width, and one tree for sums over lanes.
#pragma STDC FP_CONTRACT OFF

#ifndef LANES
#define LANES 16
/// Registers' worth of lanes.
#define PARTS (LANES / WIDTH)
/// Sixteen lanes: one register of AVX-512, two of AVX2, four of NEON.
typedef float lanes __attribute__((vector_size(64), may_alias));
typedef int32_t lanes_int __attribute__((vector_size(64), may_alias));
typedef double lanes_double __attribute__((vector_size(128), may_alias));
/// The next of `left` things in blocks of at most `most`, of nearly equal sizes.
#define PART(LEFT, MOST) (((LEFT) + ((LEFT) + (MOST)-1) / (MOST)-1) / (((LEFT) + (MOST)-1) / (MOST)))
#endif

#define vec KERNEL(vec)
#define lanes_all KERNEL(lanes_all)
#define lanes_fma KERNEL(lanes_fma)
#define lanes_select KERNEL(lanes_select)
#define lanes_first KERNEL(lanes_first)
#define lanes_sum KERNEL(lanes_sum)
#define lanes_sum_double KERNEL(lanes_sum_double)
#define lanes_transpose KERNEL(lanes_transpose)
#define vec_all KERNEL(vec_all)
#define vec_fma KERNEL(vec_fma)

/// One register: `WIDTH` lanes, what register-blocked kernels count in.
typedef float vec __attribute__((vector_size(4 * WIDTH), may_alias));

INLINE lanes lanes_all(float x) { return (lanes){x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}; }
/// a b + c, rounded once
INLINE lanes lanes_fma(lanes a, lanes b, lanes c) { return __builtin_elementwise_fma(a, b, c); }
/// where the mask is all ones a, where it is zero b
INLINE lanes lanes_select(lanes_int mask, lanes a, lanes b) {
    return (lanes)((mask & (lanes_int)a) | (~mask & (lanes_int)b));
}

/// All ones in the first `count` lanes, zero in the others.
INLINE lanes_int lanes_first(size_t count) {
    return (lanes_int){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15} < (int32_t)count;
}

/// The sum over lanes, halves first: lane l + lane l + 8, then 4, 2, 1.
INLINE float lanes_sum(lanes x) {
    typedef float eight __attribute__((vector_size(32)));
    typedef float four __attribute__((vector_size(16)));
    const eight a = __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7) +
                    __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15);
    const four b = __builtin_shufflevector(a, a, 0, 1, 2, 3) + __builtin_shufflevector(a, a, 4, 5, 6, 7);
    return (b[0] + b[2]) + (b[1] + b[3]);
}

/// The same tree in double precision.
INLINE double lanes_sum_double(lanes_double x) {
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int lane = 0; lane < half; lane++) x[lane] += x[lane + half];
    return x[0];
}

INLINE vec vec_all(float x) { return x - (vec){0}; }
INLINE vec vec_fma(vec a, vec b, vec c) { return __builtin_elementwise_fma(a, b, c); }

/// to[j][i] = from[i][j] for 16 x 16 values; rows so many floats apart.
INLINE void lanes_transpose(const float *from, size_t fromRow, float *to, size_t toRow) {
    typedef float anywhere __attribute__((vector_size(64), may_alias, aligned(4)));
    lanes a[16], b[16];
#pragma unroll
    for (int i = 0; i < 16; i++) a[i] = *(const anywhere *)(from + (size_t)i * fromRow);
    // Pairs of rows, then pairs of pairs, within quarters of registers; then the quarters themselves.
#pragma unroll
    for (int i = 0; i < 16; i += 2) {
        b[i] = __builtin_shufflevector(a[i], a[i + 1], 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29);
        b[i + 1] = __builtin_shufflevector(a[i], a[i + 1], 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31);
    }
#pragma unroll
    for (int i = 0; i < 16; i += 4)
#pragma unroll
        for (int k = 0; k < 2; k++) {
            a[i + 2 * k] = __builtin_shufflevector(b[i + k], b[i + k + 2], 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25,
                                                   12, 13, 28, 29);
            a[i + 2 * k + 1] = __builtin_shufflevector(b[i + k], b[i + k + 2], 2, 3, 18, 19, 6, 7, 22, 23, 10, 11,
                                                       26, 27, 14, 15, 30, 31);
        }
#pragma unroll
    for (int i = 0; i < 4; i++) {
        const lanes even = __builtin_shufflevector(a[i], a[i + 4], 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25,
                                                   26, 27);
        const lanes odd = __builtin_shufflevector(a[i], a[i + 4], 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29,
                                                  30, 31);
        const lanes even2 = __builtin_shufflevector(a[i + 8], a[i + 12], 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11,
                                                    24, 25, 26, 27);
        const lanes odd2 = __builtin_shufflevector(a[i + 8], a[i + 12], 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15,
                                                   28, 29, 30, 31);
        b[i] = __builtin_shufflevector(even, even2, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
        b[i + 4] = __builtin_shufflevector(odd, odd2, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
        b[i + 8] = __builtin_shufflevector(even, even2, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
        b[i + 12] = __builtin_shufflevector(odd, odd2, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
    }
#pragma unroll
    for (int i = 0; i < 16; i++) *(anywhere *)(to + (size_t)i * toRow) = b[i];
}
