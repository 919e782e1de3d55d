#ifndef KERNEL
#define KERNEL_FILE "linear.c"
#include "instruction_sets.h"

size_t linear_scratch(size_t inputs, size_t outputs, size_t blocks) {
    (void)inputs, (void)outputs, (void)blocks;
    return 0;
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
void KERNEL(linear_forward)(size_t inputs, size_t outputs, size_t blocks, const float *x, const float *weight,
                            const float *bias, float *y, float *scratch) {
    (void)scratch;
    for (size_t b = 0; b < blocks; b++)
        for (size_t o = 0; o < outputs; o++) {
            lanes sum = lanes_all(bias ? bias[o] : 0);
            for (size_t i = 0; i < inputs; i++)
                sum = lanes_fma(lanes_all(weight[o * inputs + i]), ((const lanes *)x)[b * inputs + i], sum);
            ((lanes *)y)[b * outputs + o] = sum;
        }
}

void KERNEL(linear_input_gradient)(size_t inputs, size_t outputs, size_t blocks, const float *dy, const float *weight,
                                   float *dx, float *scratch) {
    (void)scratch;
    for (size_t b = 0; b < blocks; b++)
        for (size_t i = 0; i < inputs; i++) {
            lanes sum = lanes_all(0);
            for (size_t o = 0; o < outputs; o++)
                sum = lanes_fma(lanes_all(weight[o * inputs + i]), ((const lanes *)dy)[b * outputs + o], sum);
            ((lanes *)dx)[b * inputs + i] = sum;
        }
}

void KERNEL(linear_parameter_gradient)(size_t inputs, size_t outputs, size_t blocks, const float *x, const float *dy,
                                       float *dw, float *db, float *scratch) {
    (void)scratch;
    for (size_t o = 0; o < outputs; o++) {
        for (size_t i = 0; i < inputs; i++) {
            lanes sum = lanes_all(0);
            for (size_t b = 0; b < blocks; b++)
                sum = lanes_fma(((const lanes *)dy)[b * outputs + o], ((const lanes *)x)[b * inputs + i], sum);
            dw[o * inputs + i] = lanes_sum(sum);
        }
        if (!db) continue;
        lanes sum = lanes_all(0);
        for (size_t b = 0; b < blocks; b++) sum += ((const lanes *)dy)[b * outputs + o];
        db[o] = lanes_sum(sum);
    }
}
#endif
