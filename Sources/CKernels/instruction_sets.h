// Compiles the including file's kernels once per instruction set. A kernel file looks like this:
//
//     #ifndef KERNEL
//     #define KERNEL_FILE "name.c"
//     #include "instruction_sets.h"
//     DISPATCH(void, name, (const float *x, size_t count), (x, count))
//     #else
//     void KERNEL(name)(const float *x, size_t count) { … in `lanes` of lanes.h … }
//     #endif
//
// The file includes itself with KERNEL(name) = name_v4 (AVX-512) and name_v3 (AVX2 and FMA), or name_neon; DISPATCH
// makes the public function, which runs the set chosen at start (platform.c). The sets' bits are equal (lanes.h).
#include "CKernels.h"
#include <math.h>
#include <string.h>

// Functions over `lanes` are inlined, so that no call depends on how their arguments are passed.
#pragma clang diagnostic ignored "-Wpsabi"
#define INLINE static inline __attribute__((always_inline))

#if defined(__x86_64__)

#define KERNEL(NAME) NAME##_v4
#define WIDTH 16
#pragma clang attribute push(__attribute__((target("arch=x86-64-v4"), min_vector_width(512))), apply_to = function)
#include "lanes.h"
#include KERNEL_FILE
#pragma clang attribute pop
#undef KERNEL
#undef WIDTH

#define KERNEL(NAME) NAME##_v3
#define WIDTH 8
#pragma clang attribute push(__attribute__((target("arch=x86-64-v3"))), apply_to = function)
#include "lanes.h"
#include KERNEL_FILE
#pragma clang attribute pop
#undef KERNEL
#undef WIDTH

#define DISPATCH(RESULT, NAME, PARAMETERS, ARGUMENTS)                                                      \
    RESULT NAME PARAMETERS {                                                                               \
        if (kernels_instruction_set_level() == INSTRUCTIONS_AVX512) return NAME##_v4 ARGUMENTS;            \
        return NAME##_v3 ARGUMENTS;                                                                        \
    }

#elif defined(__aarch64__)

#define KERNEL(NAME) NAME##_neon
#define WIDTH 4
#include "lanes.h"
#include KERNEL_FILE
#undef KERNEL
#undef WIDTH

#define DISPATCH(RESULT, NAME, PARAMETERS, ARGUMENTS)                                                      \
    RESULT NAME PARAMETERS { return NAME##_neon ARGUMENTS; }

#else
#error "kernels are written for x86-64 and arm64"
#endif
