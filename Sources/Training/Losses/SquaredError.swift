internal import CKernels
package import Parameters

/// Σ (y_c - t_c)², summed over the outputs.
package struct SquaredError: LossFunction {
    package static let kind = "mean-squared-error"
    package static let schema = Schema(Self())

    package func sums(over rows: LossRows) -> LossParameters.RowSums { rows.sums(loss_squared_error) }
}
