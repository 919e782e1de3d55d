// What a core can multiply and add at most: twelve chains of fused multiply-adds in registers.
#ifndef KERNEL
#include "CPeak.h"
#define KERNEL_FILE "peak.c"
#include "../../Sources/CKernels/instruction_sets.h"

DISPATCH(double, peak_run, (size_t steps), (steps))
#else
double KERNEL(peak_run)(size_t steps) {
    enum { CHAINS = 12 };
    vec chain[CHAINS];
    const vec factor = vec_all(0.999f), added = vec_all(0.5f);
#pragma unroll
    for (int i = 0; i < CHAINS; i++) chain[i] = vec_all((float)i);
    for (size_t step = 0; step < steps; step++) {
#pragma unroll
        for (int i = 0; i < CHAINS; i++) chain[i] = vec_fma(chain[i], factor, added);
        __asm__ volatile("");
    }
    // The results must seem to be of use.
    static volatile vec sink;
#pragma unroll
    for (int i = 0; i < CHAINS; i++) sink = chain[i];
    return (double)steps * CHAINS * WIDTH * 2;
}
#endif
