// The small hot loops, compiled once per instruction set and chosen at load time.
//
// Every loop runs over its elements in a fixed order, so its bits depend on the instruction set alone.
// All pointers are to distinct memory unless a comment says otherwise.
#ifndef CKERNELS_H
#define CKERNELS_H

#include <stddef.h>
#include <stdint.h>

/// The instruction set the clones were chosen for: 4 = x86-64-v4 (AVX-512), 3 = x86-64-v3 (AVX2), 1 = baseline.
int kernels_instruction_set_level(void);
/// The version of glibc, whose elementary functions in double precision some results go through.
const char *kernels_math_library(void);

// Activations. y = f(x); dx = dy f'(x), with the slope from the left at a kink. NaN stays NaN.
// Error of f below 2.5e-7 max(1, |x|) (measured: selu 1.5e-7, gelu 1.6e-7, tanh 0.8e-7; relu exact), for selu and
// tanh also below 2.5e-7 |f(x)| (measured 1.6e-7). Error of dx below 3.5e-7 max(1, |dy|) (measured: gelu 2.4e-7).
void activation_relu_forward(const float *restrict x, float *restrict y, size_t count);
void activation_relu_backward(const float *restrict x, const float *restrict dy, float *restrict dx, size_t count);
void activation_selu_forward(const float *restrict x, float *restrict y, size_t count);
void activation_selu_backward(const float *restrict x, const float *restrict dy, float *restrict dx, size_t count);
void activation_gelu_forward(const float *restrict x, float *restrict y, size_t count);
void activation_gelu_backward(const float *restrict x, const float *restrict dy, float *restrict dx, size_t count);
void activation_tanh_forward(const float *restrict x, float *restrict y, size_t count);
void activation_tanh_backward(const float *restrict x, const float *restrict dy, float *restrict dx, size_t count);

// Rows. matrix is [rows, columns], row-major.
/// matrix[r][c] += bias[c]
void rows_add_bias(float *restrict matrix, const float *restrict bias, size_t rows, size_t columns);
/// sums[c] = sum over r of matrix[r][c], added row by row
void rows_sum(const float *restrict matrix, float *restrict sums, size_t rows, size_t columns);

// Layouts. A sample is [blocks, positions, lanes] with channel = block * lanes + lane, blocks enough for all channels;
// lanes beyond the last channel hold zeros.
/// rows [rows, positions, channels] = the values without their padding
void layout_to_rows(const float *restrict values, float *restrict rows, size_t count, size_t channels,
                    size_t positions, size_t lanes);
/// The reverse; padding becomes zero.
void layout_from_rows(const float *restrict rows, float *restrict values, size_t count, size_t channels,
                      size_t positions, size_t lanes);

// Losses over rows of logits [rows, classes]; a label is in 0..<classes. Both return the SUM of the per-row losses,
// add the number of rows whose largest logit is the label to *correct, and, where gradient is not NULL,
// write scale * dL_row/dlogits.
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
/// total[i] += part[i], the part converted to double
void vector_add_to_double(double *restrict total, const float *restrict part, size_t count);

// Batches and random numbers
/// row r of out = images[indices[r]] * scale[c] + offset[c], elements interleaved by channel
void batch_gather(const uint8_t *restrict images, const int32_t *restrict indices, size_t rows, size_t elements,
                  const float *restrict scale, const float *restrict offset, size_t channels, float *restrict out);
/// Philox 4x32-10 (Salmon et al., SC 2011): four random words from a counter and a key
void philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);
/// mask[i] = 0 with probability rate, else 1 / (1 - rate); element i of the stream (key, stream, first + i)
void dropout_mask(float *restrict mask, size_t count, float rate, const uint32_t key[2], uint32_t stream0,
                  uint32_t stream1, uint64_t first);
/// y[i] = x[i] * mask[i]
void vector_multiply(const float *restrict x, const float *restrict mask, float *restrict y, size_t count);

#endif
