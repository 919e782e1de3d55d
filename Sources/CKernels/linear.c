// Linear layers: y = bias + W x for x [blocks, inputs, 16], y [blocks, outputs, 16], W [outputs, inputs].
//
// Order of additions: y over inputs, dx over outputs, dw over samples (blocks, then lanes), each one chain of fused
// multiply-adds; db over blocks in every lane, then over lanes in one tree. Relative error below 1e-7 sqrt(terms) of
// the sum of magnitudes.
#ifndef KERNEL
#define KERNEL_FILE "linear.c"

/// Floats of one chunk of values, which should stay in the first cache.
enum { LINEAR_CHUNK = 4096 };

#include "instruction_sets.h"

size_t linear_scratch(size_t inputs, size_t outputs, size_t blocks) {
    (void)inputs;
    // Of 96 inputs: the rows of every sample, and a column of results that does not fill a register.
    return blocks * 16 * 96 + outputs * 16;
}

DISPATCH(void, linear_forward,
         (size_t inputs, size_t outputs, size_t blocks, const float *x, const float *weight, const float *bias,
          float *y, float *scratch),
         (inputs, outputs, blocks, x, weight, bias, y, scratch))
DISPATCH(void, linear_input_gradient,
         (size_t inputs, size_t outputs, size_t blocks, const float *dy, const float *weight, float *dx,
          float *scratch),
         (inputs, outputs, blocks, dy, weight, dx, scratch))
DISPATCH(void, linear_parameter_gradient,
         (size_t inputs, size_t outputs, size_t blocks, const float *x, const float *dy, float *dw, float *db,
          float *scratch),
         (inputs, outputs, blocks, x, dy, dw, db, scratch))
#else
#include "products.h"

#define linear_product KERNEL(linear_product)
#define linear_bias KERNEL(linear_bias)
#define linear_inputs KERNEL(linear_inputs)
#undef LINEAR_BLOCKS
/// Sample blocks that are computed at once.
#define LINEAR_BLOCKS 8

// y [blocks, outputs] = bias + weight x [blocks, inputs], the weight's rows and columns so many floats apart.
static void linear_product(size_t inputs, size_t outputs, size_t blocks, const float *x, const float *weight,
                           size_t row, size_t column, const float *bias, float *y) {
    const product_tap tap = {0, 0};
    for (size_t b = 0; b < blocks; b += LINEAR_BLOCKS) {
        const size_t count = blocks - b < LINEAR_BLOCKS ? blocks - b : LINEAR_BLOCKS;
        product_place place[LINEAR_BLOCKS * PARTS];
        for (size_t i = 0; i < count * PARTS; i++) {
            const size_t block = b + i / PARTS, part = i % PARTS * WIDTH;
            place[i] = (product_place){block * inputs * LANES + part, block * outputs * LANES + part};
        }
        const size_t most = LINEAR_CHUNK / (count * LANES);
        products p = {.taps = 1, .tap = &tap, .xChannel = LANES, .weightOutput = row, .weightChannel = column, .y = y,
                      .yOutput = LANES, .bias = bias};
        size_t first = 0;
        do {
            p.channels = inputs ? PART(inputs - first, most) : 0;
            p.x = x + first * LANES;
            p.weight = weight + first * column;
            p.start = first > 0 ? FROM_Y : FROM_BIAS;
            products_run(&p, outputs, place, count * PARTS);
            first += p.channels;
        } while (first < inputs);
    }
}

void KERNEL(linear_forward)(size_t inputs, size_t outputs, size_t blocks, const float *x, const float *weight,
                            const float *bias, float *y, float *scratch) {
    (void)scratch;
    linear_product(inputs, outputs, blocks, x, weight, inputs, 1, bias, y);
}

void KERNEL(linear_input_gradient)(size_t inputs, size_t outputs, size_t blocks, const float *dy, const float *weight,
                                   float *dx, float *scratch) {
    (void)scratch;
    linear_product(outputs, inputs, blocks, dy, weight, 1, inputs, 0, dx);
}

static void linear_bias(size_t outputs, size_t blocks, const float *dy, float *db) {
    for (size_t o = 0; o < outputs; o++) {
        lanes sum = lanes_all(0);
        for (size_t b = 0; b < blocks; b++) sum += ((const lanes *)dy)[b * outputs + o];
        db[o] = lanes_sum(sum);
    }
}

// dw of inputs [first, first + count), whose values stand as rows of samples: [blocks, 16, columns].
static void linear_inputs(size_t inputs, size_t outputs, size_t blocks, size_t first, size_t count, const float *rows,
                          size_t columns, const float *dy, float *dw, float *rest) {
    product_tap tap[LANES];
    for (size_t lane = 0; lane < LANES; lane++) tap[lane] = (product_tap){lane * columns, lane};
    product_place place[BLOCK_PLACES * LANES];
    products p = {.channels = blocks, .taps = LANES, .tap = tap, .x = rows, .weight = dy, .xChannel = LANES * columns,
                  .weightOutput = LANES, .weightChannel = outputs * LANES, .y = dw + first, .yOutput = inputs};
    const size_t whole = count / WIDTH;
    for (size_t i = 0; i < whole; i++) place[i] = (product_place){i * WIDTH, i * WIDTH};
    products_run(&p, outputs, place, whole);
    const size_t left = count - whole * WIDTH;
    if (!left) return;
    // Results that do not fill a register go where there is room.
    place[0] = (product_place){whole * WIDTH, 0};
    p.y = rest, p.yOutput = WIDTH;
    products_run(&p, outputs, place, 1);
    for (size_t o = 0; o < outputs; o++)
        memcpy(dw + o * inputs + first + whole * WIDTH, rest + o * WIDTH, left * sizeof *dw);
}

// Samples become rows, so that dw[o] += dy[o, sample] x[sample] for sixteen inputs at a time and no sum over lanes is
// left.
void KERNEL(linear_parameter_gradient)(size_t inputs, size_t outputs, size_t blocks, const float *x, const float *dy,
                                       float *dw, float *db, float *scratch) {
    float *rows = scratch, *rest = scratch + blocks * LANES * 96;
    for (size_t first = 0; first < inputs; first += 96) {
        const size_t count = inputs - first < 96 ? inputs - first : 96, columns = (count + LANES - 1) / LANES * LANES;
        for (size_t b = 0; b < blocks; b++)
            for (size_t i = 0; i < count; i += LANES) {
                const float *from = x + (b * inputs + first + i) * LANES;
                float *to = rows + b * LANES * columns + i;
                if (count - i >= LANES) {
                    lanes_transpose(from, LANES, to, columns);
                    continue;
                }
                float padded[LANES * LANES] = {0};
                memcpy(padded, from, (count - i) * LANES * sizeof(float));
                lanes_transpose(padded, LANES, to, columns);
            }
        linear_inputs(inputs, outputs, blocks, first, count, rows, columns, dy, dw, rest);
    }
    if (db) linear_bias(outputs, blocks, dy, db);
}
#endif
