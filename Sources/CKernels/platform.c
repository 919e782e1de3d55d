#define _GNU_SOURCE
#include "CKernels.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#if defined(__GLIBC__)
#include <gnu/libc-version.h>
#endif

// The best set of this processor.
static int level_of_processor(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("x86-64-v4")) return INSTRUCTIONS_AVX512;
    if (__builtin_cpu_supports("x86-64-v3")) return INSTRUCTIONS_AVX2;
    return INSTRUCTIONS_NONE;
#else
    return INSTRUCTIONS_NEON;
#endif
}

// Chosen before main, when there is one thread.
static int chosen_level;
static const char *missing;

__attribute__((constructor)) static void choose_instructions(void) {
    const int best = level_of_processor();
    chosen_level = best;
    if (best == INSTRUCTIONS_NONE) {
        missing = "this processor has no AVX2 and FMA (x86-64-v3), which the kernels need";
        return;
    }
    const char *name = getenv("MERISTEM_INSTRUCTIONS");
    if (!name || !*name) return;
    if (!strcmp(name, "avx512")) {
        chosen_level = INSTRUCTIONS_AVX512;
        if (best != INSTRUCTIONS_AVX512)
            missing = "MERISTEM_INSTRUCTIONS asks for avx512, but this processor has no AVX-512 (x86-64-v4)";
    } else if (!strcmp(name, "avx2")) {
        chosen_level = INSTRUCTIONS_AVX2;
        if (best < INSTRUCTIONS_AVX2)
            missing = "MERISTEM_INSTRUCTIONS asks for avx2, but this processor has no AVX2 and FMA (x86-64-v3)";
    } else if (!strcmp(name, "neon")) {
        chosen_level = INSTRUCTIONS_NEON;
        if (best != INSTRUCTIONS_NEON)
            missing = "MERISTEM_INSTRUCTIONS asks for neon, but this processor has no NEON";
    } else {
        missing = "MERISTEM_INSTRUCTIONS names no instruction set; say avx512, avx2 or neon, or leave it out";
    }
    // Whoever goes on regardless gets what the processor has.
    if (missing) chosen_level = best;
}

int kernels_instruction_set_level(void) { return chosen_level; }

int kernels_use_instruction_set(int level) {
    const int best = level_of_processor();
    if (level > best || level == INSTRUCTIONS_NONE) return 0;
    if ((level == INSTRUCTIONS_NEON) != (best == INSTRUCTIONS_NEON)) return 0;
    chosen_level = level;
    return 1;
}

const char *kernels_instructions_missing(void) { return missing; }

const char *kernels_math_library(void) {
#if defined(__GLIBC__)
    return gnu_get_libc_version();
#else
    return "unknown";
#endif
}

// OpenBLAS 0.3.21 chooses AVX2 kernels on AMD machines with AVX-512: half the speed. While it chooses again it has no
// kernels at all, so another thread inside a product would crash; before main there is no other thread.
__attribute__((constructor)) static void choose_openblas_kernels(void) {
    if (level_of_processor() != INSTRUCTIONS_AVX512 || getenv("OPENBLAS_CORETYPE")) return;
    void (*quit)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "gotoblas_dynamic_quit");
    void (*init)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "gotoblas_dynamic_init");
    if (!quit || !init) return;
    setenv("OPENBLAS_CORETYPE", "SkylakeX", 1);
    quit();
    init();
}
