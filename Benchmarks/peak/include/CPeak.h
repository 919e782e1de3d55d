#ifndef CPEAK_H
#define CPEAK_H

#include <stddef.h>

/// Runs `steps` rounds of independent fused multiply-adds on the kernels' instruction set, which no memory slows down.
/// Returns the floating-point operations of that.
double peak_run(size_t steps);

#endif
