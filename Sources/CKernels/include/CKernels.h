// The small hot loops, compiled once per instruction set from one source and chosen at start.
//
// Every loop runs over its elements in a fixed order with multiply-adds fused where it says so: the bits are the same
// on every instruction set. All pointers are to distinct memory unless a comment says otherwise.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

/// The instruction set that kernels over lanes run on, chosen at start: the best that the processor has, or the one
/// named by the environment variable MERISTEM_INSTRUCTIONS (avx512, avx2 or neon). All give the same bits.
enum { INSTRUCTIONS_NONE = 0, INSTRUCTIONS_NEON = 1, INSTRUCTIONS_AVX2 = 3, INSTRUCTIONS_AVX512 = 4 };
int kernels_instruction_set_level(void);
/// Runs kernels on another set from now on, to compare their bits; 0 where this processor has it not.
int kernels_use_instruction_set(int level);
/// What the processor lacks to run kernels at all, or on the set that was asked for, as a sentence; NULL where all is
/// there.
const char *kernels_instructions_missing(void);
/// The version of glibc, whose elementary functions in double precision some results go through.
const char *kernels_math_library(void);

// Activations over `count` vectors of sixteen floats. y = f(x); dx = dy f'(x), with the slope from the left at a
// kink. NaN stays NaN. The output may be one of the inputs; the backward pass of relu reads its output, which is
// positive where its input is.
// Error of f below 2.5e-7 max(1, |x|) (measured: selu 1.5e-7, gelu 1.6e-7, tanh 0.8e-7; relu exact), for selu and
// tanh also below 2.5e-7 |f(x)| (measured 1.6e-7). Error of dx below 3.5e-7 max(1, |dy|) (measured: gelu 2.4e-7).
void activation_relu_forward(const float *x, float *y, size_t count);
void activation_relu_backward(const float *y, const float *dy, float *dx, size_t count);
void activation_selu_forward(const float *x, float *y, size_t count);
void activation_selu_backward(const float *x, const float *dy, float *dx, size_t count);
void activation_gelu_forward(const float *x, float *y, size_t count);
void activation_gelu_backward(const float *x, const float *dy, float *dx, size_t count);
void activation_tanh_forward(const float *x, float *y, size_t count);
void activation_tanh_backward(const float *x, const float *dy, float *dx, size_t count);

// Rows. matrix is [rows, columns], row-major.
/// matrix[r][c] += bias[c]
void rows_add_bias(float *restrict matrix, const float *restrict bias, size_t rows, size_t columns);
/// sums[c] = sum over r of matrix[r][c], added row by row
void rows_sum(const float *restrict matrix, float *restrict sums, size_t rows, size_t columns);

// Layouts. Values are in lanes (below); `count` samples.
/// rows [count, positions, channels] = the values of the samples
void lanes_to_rows(const float *restrict values, float *restrict rows, size_t count, size_t channels,
                   size_t positions);
/// The reverse; lanes beyond the last sample become zero.
void lanes_from_rows(const float *restrict rows, float *restrict values, size_t count, size_t channels,
                     size_t positions);

// Normalisations over values in lanes, per channel; where `rectified`, with a rectifier behind: then only those g
// count whose y is positive. Sums are in double precision over strips of 512 positions, lanes in the tree of lanes.h,
// and leave out lanes without a sample.
/// mean[c] and squares[c] = sum of (x - mean)^2 over samples and positions
void channels_moments(const float *x, size_t rows, size_t channels, size_t positions, double *mean, double *squares);
/// y = (x - centre[c]) scale[c] + shift[c], or max(0, that); y may be x
void channels_affine(const float *x, float *y, size_t rows, size_t channels, size_t positions, int rectified,
                     const float *centre, const float *scale, const float *shift);
/// sums[c] = sum of g; products[c] = sum of g (x - centre[c])
void channels_gradient_sums(const float *x, const float *g, size_t rows, size_t channels, size_t positions,
                            int rectified, const float *centre, const float *scale, const float *shift, double *sums,
                            double *products);
/// dx = g scale[c] + (x - centre[c]) slope[c] + added[c], zero in lanes without a sample; dx may be g
void channels_gradient(const float *x, const float *g, float *dx, size_t rows, size_t channels, size_t positions,
                       int rectified, const float *centre, const float *scale, const float *shift, const float *slope,
                       const float *added);

// Normalisations of each sample's groups of neighbouring channels; moments [blocks, groups, 2, 16] hold mean and
// 1 / sqrt(variance + epsilon).
/// y = (x - mean) / sqrt(variance + epsilon) weight[c] + bias[c]; y may be x
void groups_forward(const float *x, float *y, size_t blocks, size_t channels, size_t positions, size_t groups,
                    double epsilon, const float *weight, const float *bias, float *moments);
/// The gradient of the above, and for every channel the sums of g (x - mean) / sqrt(variance + epsilon) and of g; dx
/// may be g, or NULL
void groups_backward(const float *x, const float *g, float *dx, size_t blocks, size_t channels, size_t positions,
                     size_t groups, const float *weight, const float *moments, double *products, double *sums);

/// A window sliding over an image; padding lies on every side.
typedef struct {
    size_t height, width, outHeight, outWidth;
    size_t kernelHeight, kernelWidth, strideHeight, strideWidth, paddingHeight, paddingWidth;
} PoolingWindow;

// Pooling of images in lanes [count, height, width, 16]; count = blocks * channels.
/// The largest value of each window that lies in the image, and its position there; NaN counts as the largest.
void pooling_max_forward(const float *restrict x, float *restrict y, int32_t *restrict places, size_t count,
                         const PoolingWindow *window);
void pooling_max_backward(const float *restrict dy, const int32_t *restrict places, float *restrict dx,
                          size_t count, const PoolingWindow *window);
/// The sum of each window, with zeros around the image, over the size of the kernel.
void pooling_average_forward(const float *restrict x, float *restrict y, size_t count, const PoolingWindow *window);
void pooling_average_backward(const float *restrict dy, float *restrict dx, size_t count,
                              const PoolingWindow *window);
/// y [count, 16] = the mean over positions
void pooling_global_forward(const float *restrict x, float *restrict y, size_t count, size_t positions);
void pooling_global_backward(const float *restrict dy, float *restrict dx, size_t count, size_t positions);

// Losses over logits in lanes [blocks, classes, 16] of `rows` samples; a label is in 0..<classes. Both return the SUM
// of the samples' losses, add the number of samples whose largest logit is the label to *correct, and, where gradient
// is not NULL, write scale * dL_sample/dlogits, zero in lanes without a sample.
/// -sum_c t_c log softmax(logits)_c with t = (1 - smoothing) onehot + smoothing / classes
double loss_cross_entropy(const float *restrict logits, const int32_t *restrict labels, size_t rows, size_t classes,
                          float smoothing, float scale, float *restrict gradient, int64_t *restrict correct);
/// sum_c (logits_c - t_c)^2 with the same targets t
double loss_squared_error(const float *restrict logits, const int32_t *restrict labels, size_t rows, size_t classes,
                          float smoothing, float scale, float *restrict gradient, int64_t *restrict correct);

// Optimisers, in place over one range of parameters. gradient is the mean gradient of the batch.
/// g += decay * w; m = momentum * m + g; w -= rate * (nesterov ? g + momentum * m : m)
void optimizer_sgd(float *restrict weight, float *restrict velocity, const float *restrict gradient, size_t count,
                   float rate, float momentum, float decay, int nesterov);
/// AdamW (Loshchilov and Hutter, 2019); correction1 = 1 - beta1^t, correction2 = 1 - beta2^t
void optimizer_adamw(float *restrict weight, float *restrict first, float *restrict second,
                     const float *restrict gradient, size_t count, float rate, float beta1, float beta2,
                     float epsilon, float decay, float correction1, float correction2);
/// total[i] += part[i]
void vector_add(float *restrict total, const float *restrict part, size_t count);
/// sum[i] = a[i] + b[i]; sum may be either
void vector_sum(const float *a, const float *b, float *sum, size_t count);
/// total[i] += part[i], the part converted to double
void vector_add_to_double(double *restrict total, const float *restrict part, size_t count);

// Batches and random numbers
/// How the images of one epoch are changed: a crop out of the image with a border of `pad`, mirrored for half of the
/// samples if `flip`, then a square of side `cutout` around a pixel of the image, clipped at its edges. Border and
/// square are `fill` [channels], after normalisation. Sample i draws from the stream (key, stream, i); whether it is
/// mirrored, from (key, sides, i) if `flip` is 2. With `opposite` the others are mirrored, all if `flip` is 0.
typedef struct {
    size_t pad, cutout;
    int flip;
    const float *fill;
    uint32_t key0, key1, stream, sides;
    int opposite;
} image_augmentation;
/// out [blocks, channels, height, width, 16], or [blocks, height, width, channels, 16] if not `planes`, = the images
/// [height, width, channels] at `indices`, scaled by scale[c] and moved by offset[c]; zero in lanes without a sample.
/// `how` changes them on the way, with 16 images of scratch; it may be NULL.
void batch_gather(const uint8_t *restrict images, const int32_t *restrict indices, size_t rows, size_t height,
                  size_t width, size_t channels, int planes, const float *restrict scale,
                  const float *restrict offset, const image_augmentation *how, uint8_t *restrict scratch,
                  float *restrict out);
/// Philox 4x32-10 (Salmon et al., SC 2011): four random words from a counter and a key
void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);
/// mask [blocks, elements, 16] = 0 with probability rate, else 1 / (1 - rate): element i of sample s is word i mod 4
/// of the block (i / 4, first + s, stream0, stream1)
void dropout_mask(float *restrict mask, size_t blocks, size_t elements, float rate, const uint32_t key[2],
                  uint32_t stream0, uint32_t stream1, uint32_t first);
/// y[i] = x[i] * mask[i]; y may be x
void vector_multiply(const float *x, const float *restrict mask, float *y, size_t count);

// Patches of images [rows, columns, channels]
/// out[u][v][i][j][c] = image[row_sources[u][i]][column_sources[v][j]][c], 0 where a source is negative
void patches_gather(const float *restrict image, size_t columns, size_t channels, const int32_t *restrict row_sources,
                    size_t row_positions, size_t row_taps, const int32_t *restrict column_sources,
                    size_t column_positions, size_t column_taps, float *restrict out);
/// y[i] += factor * x[i]
void vector_multiply_add(const float *restrict x, float factor, float *restrict y, size_t count);
/// sum of x[i]^2, every square in double
double vector_sum_of_squares(const float *restrict x, size_t count);
/// out[k * stride + c] = signs[2k] rows[first[k]][c] + signs[2k+1] rows[second[k]][c], rows of `channels` elements
void rows_combine(const float *restrict rows, size_t channels, const int32_t *restrict first,
                  const int32_t *restrict second, const float *restrict signs, size_t count, float *restrict out,
                  size_t stride);

// Exact sums over rows of bytes [rows, columns].
/// Rows and columns of the sums below, and bytes of scratch.
size_t bytes_gram_stride(size_t columns);
size_t bytes_gram_scratch(size_t columns);
/// sums[i][j] += sum over rows r of (u[r][i] - 128) u[r][j] for j <= i, [bytes_gram_stride, bytes_gram_stride]; what
/// stands above the diagonal means nothing. Each sum must stay within 32 bits: 65,000 rows since it was zero do.
void bytes_gram(const uint8_t *bytes, size_t rows, size_t columns, int32_t *sums, uint8_t *scratch);

// Values in lanes: [sample block][channel][row][column][16 samples] or [sample block][feature][16 samples], aligned
// to 64 bytes; `blocks` = rows / 16, rounded up. Lanes beyond the last row hold finite values, and gradients of zero.
// Kernels run on the calling thread; scratch is so many floats of working memory, aligned to 64 bytes, of any content.

/// A convolution's extents; weights are [outputs, inputs, kernelHeight, kernelWidth].
/// outHeight = (height + 2 paddingHeight - dilationHeight (kernelHeight - 1) - 1) / strideHeight + 1, rounded down.
typedef struct {
    size_t inputs, outputs, height, width, outHeight, outWidth;
    size_t kernelHeight, kernelWidth, strideHeight, strideWidth;
    size_t paddingHeight, paddingWidth, dilationHeight, dilationWidth;
} lanes_convolution;

/// Floats of scratch for any of the three passes of a convolution over so many blocks.
size_t convolution_scratch(const lanes_convolution *shape, size_t blocks);
/// y[o, p] = bias[o] + sum over c, t of weight[o, c, t] x[c, stride p + dilation t - padding], zeros around the image;
/// bias may be NULL
void convolution_forward(const lanes_convolution *shape, size_t blocks, const float *x, const float *weight,
                         const float *bias, float *y, float *scratch);
/// dx = the transpose of the above applied to dy
void convolution_input_gradient(const lanes_convolution *shape, size_t blocks, const float *dy, const float *weight,
                                float *dx, float *scratch);
/// dw = the sums of dy x over samples and positions; db, where not NULL, the sums of dy. Added to nothing: both are
/// overwritten.
void convolution_parameter_gradient(const lanes_convolution *shape, size_t blocks, const float *x, const float *dy,
                                    float *dw, float *db, float *scratch);
/// The three with a kernel of its own for each channel: inputs = outputs = channels, weight [channels, 1, kh, kw]
size_t depthwise_scratch(const lanes_convolution *shape);
void depthwise_forward(const lanes_convolution *shape, size_t blocks, const float *x, const float *weight,
                       const float *bias, float *y, float *scratch);
void depthwise_input_gradient(const lanes_convolution *shape, size_t blocks, const float *dy, const float *weight,
                              float *dx, float *scratch);
void depthwise_parameter_gradient(const lanes_convolution *shape, size_t blocks, const float *x, const float *dy,
                                  float *dw, float *db, float *scratch);

/// Linear layers: weight [outputs, inputs]; the same conventions.
size_t linear_scratch(size_t inputs, size_t outputs, size_t blocks);
/// y = bias + weight x
void linear_forward(size_t inputs, size_t outputs, size_t blocks, const float *x, const float *weight,
                    const float *bias, float *y, float *scratch);
/// dx = transposed weight times dy
void linear_input_gradient(size_t inputs, size_t outputs, size_t blocks, const float *dy, const float *weight,
                           float *dx, float *scratch);
/// dw = the sums of dy x over samples; db, where not NULL, the sums of dy
void linear_parameter_gradient(size_t inputs, size_t outputs, size_t blocks, const float *x, const float *dy, float *dw,
                               float *db, float *scratch);
#endif
