#ifndef CLONES_H
#define CLONES_H

// One compiled version per instruction set; the loader picks the best the machine has.
#if defined(__x86_64__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif
// Helpers must be inlined into each clone, else they keep the baseline's instructions.
#define INLINE static inline __attribute__((always_inline))
// For a loop whose iterations are independent although its pointers may be equal, to work in place.
#if defined(__clang__)
#define VECTORIZE _Pragma("clang loop vectorize(assume_safety)")
#else
#define VECTORIZE _Pragma("GCC ivdep")
#endif

#endif
