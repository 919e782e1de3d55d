// Prints a digest of the bits of every kernel's results, one line each, to compare instruction sets and processors.
#include "CKernels.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t state = 1;

// Zeroed memory aligned to 64 bytes; a program that ends at once frees nothing.
static void *memory(size_t bytes) {
    const size_t size = bytes / 64 * 64 + 128;
    void *found = aligned_alloc(64, size);
    if (!found) exit(1);
    return memset(found, 0, size);
}

static float *floats(size_t count) { return memory(count * sizeof(float)); }

// Values in [-1, 1).
static float *drawn(size_t count) {
    float *values = floats(count);
    for (size_t i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        values[i] = (float)(int32_t)state / 2147483648.0f;
    }
    return values;
}

// FNV-1a over bytes.
static void report(const char *name, const void *bytes, size_t count) {
    uint64_t hash = 14695981039346656037u;
    for (size_t i = 0; i < count; i++) hash = (hash ^ ((const uint8_t *)bytes)[i]) * 1099511628211u;
    printf("%s %016llx\n", name, (unsigned long long)hash);
}

static void report_floats(const char *name, const float *values, size_t count) {
    report(name, values, count * sizeof(float));
}

static void convolutions(void) {
    // Narrow and wide, with tiles and without, strided, dilated, of one position, kernels beyond the image.
    static const lanes_convolution shapes[] = {
        {1, 4, 9, 7, 9, 7, 3, 3, 1, 1, 1, 1, 1, 1},    {5, 7, 6, 6, 6, 6, 3, 3, 1, 1, 1, 1, 1, 1},
        {16, 16, 12, 12, 12, 12, 3, 3, 1, 1, 1, 1, 1, 1}, {70, 33, 6, 5, 6, 5, 3, 3, 1, 1, 1, 1, 1, 1},
        {48, 20, 8, 8, 4, 4, 3, 3, 2, 2, 1, 1, 1, 1},  {33, 30, 6, 6, 3, 3, 1, 1, 2, 2, 0, 0, 1, 1},
        {3, 6, 1, 7, 1, 7, 3, 5, 1, 1, 1, 2, 1, 1},    {6, 5, 11, 9, 4, 3, 3, 2, 2, 3, 1, 1, 2, 1},
        {2, 3, 1, 1, 1, 1, 5, 5, 1, 1, 2, 2, 1, 1},    {0, 3, 4, 4, 4, 4, 3, 3, 1, 1, 1, 1, 1, 1},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const lanes_convolution *s = shapes + i;
        const size_t blocks = 2, positions = s->height * s->width, results = s->outHeight * s->outWidth;
        const size_t taps = s->kernelHeight * s->kernelWidth, xs = blocks * s->inputs * positions * 16;
        const size_t ys = blocks * s->outputs * results * 16, weights = s->outputs * s->inputs * taps;
        float *x = drawn(xs), *weight = drawn(weights), *bias = drawn(s->outputs), *dy = drawn(ys);
        float *y = floats(ys), *dx = floats(xs), *dw = floats(weights), *db = floats(s->outputs);
        float *scratch = floats(convolution_scratch(s, blocks));
        convolution_forward(s, blocks, x, weight, bias, y, scratch);
        convolution_input_gradient(s, blocks, dy, weight, dx, scratch);
        convolution_parameter_gradient(s, blocks, x, dy, dw, db, scratch);
        char name[64];
        snprintf(name, sizeof name, "convolution-%zu", i);
        report_floats(name, y, ys);
        report_floats(name, dx, xs);
        report_floats(name, dw, weights);
        report_floats(name, db, s->outputs);
        if (s->inputs > s->outputs || !s->inputs) continue;
        lanes_convolution depthwise = *s;
        depthwise.outputs = s->inputs;
        float *spare = floats(depthwise_scratch(&depthwise));
        depthwise_forward(&depthwise, blocks, x, weight, bias, y, spare);
        depthwise_input_gradient(&depthwise, blocks, dy, weight, dx, spare);
        depthwise_parameter_gradient(&depthwise, blocks, x, dy, dw, db, spare);
        snprintf(name, sizeof name, "depthwise-%zu", i);
        report_floats(name, y, blocks * s->inputs * results * 16);
        report_floats(name, dx, xs);
        report_floats(name, dw, s->inputs * taps);
        report_floats(name, db, s->inputs);
    }
}

static void linear_layers(void) {
    static const size_t widths[][2] = {{0, 3}, {1, 1}, {15, 17}, {64, 10}, {130, 70}};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        const size_t inputs = widths[i][0], outputs = widths[i][1], blocks = 3;
        float *x = drawn(blocks * inputs * 16), *weight = drawn(inputs * outputs), *bias = drawn(outputs);
        float *dy = drawn(blocks * outputs * 16), *y = floats(blocks * outputs * 16), *dx =
            floats(blocks * inputs * 16);
        float *dw = floats(inputs * outputs), *db = floats(outputs), *scratch = floats(linear_scratch(inputs,
            outputs, blocks));
        linear_forward(inputs, outputs, blocks, x, weight, bias, y, scratch);
        linear_input_gradient(inputs, outputs, blocks, dy, weight, dx, scratch);
        linear_parameter_gradient(inputs, outputs, blocks, x, dy, dw, db, scratch);
        report_floats("linear", y, blocks * outputs * 16);
        report_floats("linear", dx, blocks * inputs * 16);
        report_floats("linear", dw, inputs * outputs);
        report_floats("linear", db, outputs);
    }
}

static void activations(void) {
    enum { VECTORS = 40, COUNT = VECTORS * 16 };
    float *x = drawn(COUNT), *dy = drawn(COUNT), *y = floats(COUNT), *dx = floats(COUNT);
    for (size_t i = 0; i < COUNT; i++) x[i] *= i % 3 ? 3 : 30;
#define ACTIVATION(NAME, READ)                                                                             \
    activation_##NAME##_forward(x, y, VECTORS);                                                            \
    activation_##NAME##_backward(READ, dy, dx, VECTORS);                                                   \
    report_floats(#NAME, y, COUNT);                                                                        \
    report_floats(#NAME, dx, COUNT);
    ACTIVATION(relu, y)
    ACTIVATION(selu, x)
    ACTIVATION(gelu, x)
    ACTIVATION(tanh, x)
}

static void normalizations(void) {
    enum { ROWS = 23, BLOCKS = 2, CHANNELS = 6, POSITIONS = 35, COUNT = BLOCKS * CHANNELS * POSITIONS * 16 };
    float *x = drawn(COUNT), *g = drawn(COUNT), *y = floats(COUNT), *parameters = drawn(5 * CHANNELS);
    const float *centre = parameters, *scale = centre + CHANNELS, *shift = scale + CHANNELS, *slope = shift + CHANNELS;
    double sums[2 * CHANNELS];
    channels_moments(x, ROWS, CHANNELS, POSITIONS, sums, sums + CHANNELS);
    report("channels", sums, sizeof sums);
    for (int rectified = 0; rectified < 2; rectified++) {
        channels_affine(x, y, ROWS, CHANNELS, POSITIONS, rectified, centre, scale, shift);
        report_floats("channels", y, COUNT);
        channels_gradient_sums(x, g, ROWS, CHANNELS, POSITIONS, rectified, centre, scale, shift, sums, sums +
                               CHANNELS);
        report("channels", sums, sizeof sums);
        channels_gradient(x, g, y, ROWS, CHANNELS, POSITIONS, rectified, centre, scale, shift, slope, slope +
                          CHANNELS);
        report_floats("channels", y, COUNT);
    }
    enum { GROUPS = 3 };
    float *moments = floats(BLOCKS * GROUPS * 2 * 16), *dx = floats(COUNT);
    groups_forward(x, y, BLOCKS, CHANNELS, POSITIONS, GROUPS, 1e-5, scale, shift, moments);
    report_floats("groups", y, COUNT);
    groups_backward(x, g, dx, BLOCKS, CHANNELS, POSITIONS, GROUPS, scale, moments, sums, sums + CHANNELS);
    report_floats("groups", dx, COUNT);
    report("groups", sums, sizeof sums);
}

static void pooling(void) {
    const PoolingWindow window = {7, 5, 4, 3, 3, 2, 2, 2, 1, 1};
    enum { COUNT = 4, IN = COUNT * 7 * 5 * 16, OUT = COUNT * 4 * 3 * 16 };
    float *x = drawn(IN), *dy = drawn(OUT), *y = floats(OUT), *dx = floats(IN);
    int32_t *places = memory(OUT * sizeof *places);
    pooling_max_forward(x, y, places, COUNT, &window);
    report_floats("pooling", y, OUT);
    report("pooling", places, OUT * sizeof *places);
    pooling_max_backward(dy, places, dx, COUNT, &window);
    report_floats("pooling", dx, IN);
    pooling_average_forward(x, y, COUNT, &window);
    report_floats("pooling", y, OUT);
    pooling_average_backward(dy, dx, COUNT, &window);
    report_floats("pooling", dx, IN);
    pooling_global_forward(x, y, COUNT, 35);
    report_floats("pooling", y, COUNT * 16);
    pooling_global_backward(dy, dx, COUNT, 35);
    report_floats("pooling", dx, IN);
}

static void losses(void) {
    enum { ROWS = 21, CLASSES = 5, COUNT = 2 * CLASSES * 16 };
    float *logits = drawn(COUNT), *gradient = floats(COUNT);
    int32_t labels[ROWS];
    for (int i = 0; i < ROWS; i++) labels[i] = i % CLASSES;
    for (size_t i = 0; i < COUNT; i++) logits[i] *= 5;
    int64_t correct = 0;
    double loss = loss_cross_entropy(logits, labels, ROWS, CLASSES, 0.1f, 0.25f, gradient, &correct);
    report("loss", &loss, sizeof loss);
    report_floats("loss", gradient, COUNT);
    loss = loss_squared_error(logits, labels, ROWS, CLASSES, 0.1f, 0.25f, gradient, &correct);
    report("loss", &loss, sizeof loss);
    report_floats("loss", gradient, COUNT);
    report("loss", &correct, sizeof correct);
}

static void vectors(void) {
    enum { COUNT = 77 };
    float *weight = drawn(COUNT), *first = drawn(COUNT), *second = floats(COUNT), *gradient = drawn(COUNT);
    for (int step = 0; step < 3; step++) {
        optimizer_sgd(weight, first, gradient, COUNT, 0.1f, 0.9f, 5e-4f, step & 1);
        optimizer_adamw(weight, first, second, gradient, COUNT, 0.01f, 0.9f, 0.999f, 1e-8f, 0.01f, 0.1f, 0.001f);
    }
    report_floats("optimizer", weight, COUNT);
    vector_multiply_add(gradient, 0.3f, weight, COUNT);
    report_floats("vector", weight, COUNT);
    const double squares = vector_sum_of_squares(weight, COUNT);
    report("vector", &squares, sizeof squares);
    float *mask = floats(2 * COUNT * 16);
    dropout_mask(mask, 2, COUNT, 0.3f, (const uint32_t[2]){1, 2}, 3, 4, 5);
    report_floats("dropout", mask, 2 * COUNT * 16);
}

static void bytes(void) {
    enum { IMAGES = 5, HEIGHT = 7, WIDTH = 9, CHANNELS = 3, SIZE = HEIGHT * WIDTH * CHANNELS, ROWS = 19 };
    uint8_t images[IMAGES * SIZE], scratch[16 * SIZE];
    for (size_t i = 0; i < sizeof images; i++) images[i] = (uint8_t)(i * i % 251);
    int32_t indices[ROWS];
    for (int i = 0; i < ROWS; i++) indices[i] = i * 3 % IMAGES;
    const float scale[] = {0.01f, 0.02f, 0.03f}, offset[] = {-1, -2, 0.5f};
    const image_augmentation how = {2, 3, 1, offset, 1, 2, 3};
    float *out = floats(2 * SIZE * 16), *rows = floats(ROWS * SIZE);
    for (int planes = 0; planes < 2; planes++)
        for (int changed = 0; changed < 2; changed++) {
            batch_gather(images, indices, ROWS, HEIGHT, WIDTH, CHANNELS, planes, scale, offset, changed ? &how : NULL,
                         scratch, out);
            report_floats("gather", out, 2 * SIZE * 16);
        }
    lanes_to_rows(out, rows, ROWS, CHANNELS, HEIGHT * WIDTH);
    report_floats("rows", rows, ROWS * SIZE);
    lanes_from_rows(rows, out, ROWS, SIZE, 1);
    report_floats("rows", out, 2 * SIZE * 16);
    const size_t columns = 70, stride = bytes_gram_stride(columns);
    int32_t *sums = memory(stride * stride * sizeof *sums);
    bytes_gram(images, 13, columns, sums, memory(bytes_gram_scratch(columns)));
    for (size_t i = 0; i < columns; i++) report("bytes", sums + i * stride, (i + 1) * sizeof *sums);
}

int main(void) {
    const char *missing = kernels_instructions_missing();
    if (missing) {
        fprintf(stderr, "%s\n", missing);
        return 1;
    }
    convolutions();
    linear_layers();
    activations();
    normalizations();
    pooling();
    losses();
    vectors();
    bytes();
    return 0;
}
