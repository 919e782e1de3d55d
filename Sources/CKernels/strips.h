// Sums over the neighbouring vectors of a channel, for one instruction set; included after instruction_sets.h, once
// per set.
//
// In single precision for up to STRIP vectors, as four running sums that hide the latency of an addition; in double
// precision beyond, lane by lane.

#ifndef STRIP
#define STRIP 512
#endif

#define widen KERNEL(widen)
#define strip_sum KERNEL(strip_sum)
#define strip_squares KERNEL(strip_squares)

/// Each lane in double precision.
INLINE lanes_double widen(lanes x) { return __builtin_convertvector(x, lanes_double); }

// Runs BODY for every vector number `p` below COUNT with the running sum `w` that it belongs to, and AFTER for every
// strip.
#define FOR_EACH_STRIP(COUNT, START, BODY, AFTER)                                                          \
    for (size_t first_ = 0; first_ < (COUNT); first_ += STRIP) {                                           \
        const size_t end_ = (COUNT) - first_ < STRIP ? (COUNT) : first_ + STRIP;                           \
        START;                                                                                             \
        size_t p_ = first_;                                                                                \
        for (; p_ + 4 <= end_; p_ += 4)                                                                    \
            for (size_t w = 0; w < 4; w++) {                                                               \
                const size_t p = p_ + w;                                                                   \
                BODY                                                                                       \
            }                                                                                              \
        for (; p_ < end_; p_++) {                                                                          \
            const size_t w = 0, p = p_;                                                                    \
            BODY                                                                                           \
        }                                                                                                  \
        AFTER;                                                                                             \
    }
#define JOINED(SUMS) widen((SUMS[0] + SUMS[1]) + (SUMS[2] + SUMS[3]))

/// Each lane's sum of x.
INLINE lanes_double strip_sum(const lanes *x, size_t count) {
    lanes_double total = {0};
    FOR_EACH_STRIP(count, lanes sums[4] = {{0}}, sums[w] += x[p];, total += JOINED(sums))
    return total;
}

/// Each lane's sums of x - centre and (x - centre)^2.
INLINE void strip_squares(const lanes *x, size_t count, lanes centre, lanes_double *rest, lanes_double *squares) {
    lanes_double first = {0}, second = {0};
    FOR_EACH_STRIP(
        count, lanes sums[4] = {{0}}; lanes products[4] = {{0}},
        const lanes d = x[p] - centre; sums[w] += d; products[w] = lanes_fma(d, d, products[w]);
        , first += JOINED(sums); second += JOINED(products))
    *rest = first;
    *squares = second;
}
