internal import CKernels
package import Networks

extension LossParameters {
    /// The sum of the losses of some rows and how many of them were classified correctly.
    package struct RowSums: Equatable, Sendable {
        package var loss = 0.0
        package var correct = 0

        package init(loss: Double = 0, correct: Int = 0) {
            self.loss = loss
            self.correct = correct
        }

        package static func += (total: inout RowSums, part: RowSums) {
            total.loss += part.loss
            total.correct += part.correct
        }
    }

    /// Per-row losses, summed, and their gradient.
    ///
    /// - Parameters:
    ///   - output: the network's outputs, a value per class.
    ///   - labels: [rows], each in 0..<classes.
    ///   - scale: what each row's gradient is multiplied by: 1 for per-sample gradients, 1/n for a mean.
    ///   - hasGradient: whether the output's gradient is written: scale dL_row/doutput.
    package func evaluate(
        _ output: Port, labels: UnsafePointer<Int32>, rows: Int, scale: Float = 1, hasGradient: Bool = false
    ) -> RowSums {
        var correct: Int64 = 0
        let kernel =
            switch kind {
            case .crossEntropy: loss_cross_entropy
            case .meanSquaredError: loss_squared_error
            }
        let loss = kernel(
            output.value, labels, rows, output.count, Float(labelSmoothing), scale,
            hasGradient ? output.gradient : nil, &correct)
        return RowSums(loss: loss, correct: Int(correct))
    }
}
