#define _GNU_SOURCE
#include "CKernels.h"
#include <dlfcn.h>
#include <stdlib.h>
#if defined(__GLIBC__)
#include <gnu/libc-version.h>
#endif

int kernels_instruction_set_level(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("x86-64-v4")) return 4;
    if (__builtin_cpu_supports("x86-64-v3")) return 3;
#endif
    return 1;
}

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
    if (kernels_instruction_set_level() != 4 || getenv("OPENBLAS_CORETYPE")) return;
    void (*quit)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "gotoblas_dynamic_quit");
    void (*init)(void) = (void (*)(void))dlsym(RTLD_DEFAULT, "gotoblas_dynamic_init");
    if (!quit || !init) return;
    setenv("OPENBLAS_CORETYPE", "SkylakeX", 1);
    quit();
    init();
}
