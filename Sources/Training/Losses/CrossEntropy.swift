internal import CKernels
package import Parameters

/// -Σ t_c log softmax(y)_c
package struct CrossEntropy: LossFunction {
    package static let kind = "cross-entropy"
    package static let schema = Schema(Self())

    package func sums(over rows: LossRows) -> LossParameters.RowSums { rows.sums(loss_cross_entropy) }
}
