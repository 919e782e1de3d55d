// Elementary functions over lanes, for one instruction set; included after instruction_sets.h, once per set.

#define exponential_parts KERNEL(exponential_parts)
#define exponential KERNEL(exponential)
#define exponential_minus_one KERNEL(exponential_minus_one)
#define logarithm KERNEL(logarithm)
#define magnitude KERNEL(magnitude)
#define hyperbolic_tangent KERNEL(hyperbolic_tangent)
#define normal_distribution KERNEL(normal_distribution)

// p t + c, one step of a polynomial
#define STEP(P, T, C) lanes_fma(P, T, lanes_all(C))

INLINE lanes magnitude(lanes x) { return (lanes)((lanes_int)x & 0x7fffffff); }

// e^x = 2^n (1 + excess) for x in [-87, 88], clamped outside: x = n ln 2 + r, |r| <= ln 2 / 2, and a polynomial in r.
// Adding 1.5 * 2^23 rounds to an integer n and leaves it in the low bits: no conversion, and NaN stays NaN.
INLINE lanes exponential_parts(lanes x, lanes *excess) {
    x = lanes_select(x < lanes_all(-87.0f), lanes_all(-87.0f), x);
    x = lanes_select(x > lanes_all(88.0f), lanes_all(88.0f), x);
    const lanes rounder = lanes_all(12582912.0f);
    const lanes shifted = lanes_fma(x, lanes_all(1.44269504f), rounder);
    const lanes n = shifted - rounder;
    // ln 2 in two parts, the first short enough for n times it to be exact.
    lanes r = lanes_fma(n, lanes_all(-0.693359375f), x);
    r = lanes_fma(n, lanes_all(2.12194440e-4f), r);
    lanes p = lanes_all(1.0f / 5040);
    p = STEP(p, r, 1.0f / 720);
    p = STEP(p, r, 1.0f / 120);
    p = STEP(p, r, 1.0f / 24);
    p = STEP(p, r, 1.0f / 6);
    p = STEP(p, r, 0.5f);
    p = STEP(p, r, 1.0f);
    *excess = p * r;
    typedef uint32_t words __attribute__((vector_size(64)));
    return (lanes)(((words)shifted - 0x4B400000u + 127u) << 23);
}

// e^x, 0 below -87 (where it would soon be denormal), e^88 above 88.
INLINE lanes exponential(lanes x) {
    lanes excess;
    const lanes power = exponential_parts(x, &excess);
    return lanes_select(x < lanes_all(-87.0f), lanes_all(0), lanes_fma(power, excess, power));
}

// e^x - 1, x clamped to [-87, 88], without cancellation near 0.
INLINE lanes exponential_minus_one(lanes x) {
    lanes excess;
    const lanes power = exponential_parts(x, &excess);
    return lanes_fma(power, excess, power - 1.0f);
}

// ln x for normal positive x, NaN for NaN and infinity: x = 2^n (1 + r) with 1 + r in [sqrt(1/2), sqrt 2), and the
// minimax polynomial in r of the Cephes library.
INLINE lanes logarithm(lanes x) {
    const lanes_int bits = (lanes_int)x;
    lanes m = (lanes)((bits & 0x007fffff) | 0x3f000000);
    lanes n = __builtin_convertvector((bits >> 23) - 126, lanes);
    const lanes_int small = m < lanes_all(0.707106781f);
    n = lanes_select(small, n - 1.0f, n);
    const lanes r = lanes_select(small, m + m, m) - 1.0f, z = r * r;
    lanes p = lanes_all(7.0376836292e-2f);
    p = STEP(p, r, -1.1514610310e-1f);
    p = STEP(p, r, 1.1676998740e-1f);
    p = STEP(p, r, -1.2420140846e-1f);
    p = STEP(p, r, 1.4249322787e-1f);
    p = STEP(p, r, -1.6668057665e-1f);
    p = STEP(p, r, 2.0000714765e-1f);
    p = STEP(p, r, -2.4999993993e-1f);
    p = STEP(p, r, 3.3333331174e-1f);
    const lanes rest = lanes_fma(n, lanes_all(-2.12194440e-4f), lanes_fma(z, lanes_all(-0.5f), p * r * z));
    // x - x is 0, or NaN where x is not finite.
    return lanes_fma(n, lanes_all(0.693359375f), r + rest) + (x - x);
}

// tanh |x| = (e^2|x| - 1) / (e^2|x| + 1), with the sign of x.
INLINE lanes hyperbolic_tangent(lanes x) {
    const lanes e = exponential_minus_one(2.0f * magnitude(x));
    return (lanes)((lanes_int)(e / (e + 2.0f)) | ((lanes_int)x & (lanes_int)lanes_all(-0.0f)));
}

// The standard normal's distribution function (Abramowitz and Stegun, Handbook of Mathematical Functions, 7.1.26);
// density receives e^(-x^2/2) / sqrt(2 pi).
INLINE lanes normal_distribution(lanes x, lanes *density) {
    const lanes a = magnitude(x) * 0.70710678f;
    const lanes t = 1.0f / STEP(a, lanes_all(0.3275911f), 1.0f);
    lanes p = lanes_all(1.061405429f);
    p = STEP(p, t, -1.453152027f);
    p = STEP(p, t, 1.421413741f);
    p = STEP(p, t, -0.284496736f);
    p = STEP(p, t, 0.254829592f);
    const lanes e = exponential(-a * a);
    const lanes tail = 0.5f * p * t * e;
    *density = 0.39894228f * e;
    return lanes_select(x < lanes_all(0), tail, 1.0f - tail);
}

#undef STEP
