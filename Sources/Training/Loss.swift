internal import CKernels

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
    ///   - outputs: the network's outputs, in the order of `ValueLayout`.
    ///   - labels: [rows], each in 0..<classes.
    ///   - scale: what each row's gradient is multiplied by: 1 for per-sample gradients, 1/n for a mean.
    ///   - gradient: receives scale dL_row/doutput, in the same order, zeros beyond the last row; nil to skip it.
    package func evaluate(
        outputs: UnsafePointer<Float>, labels: UnsafePointer<Int32>, rows: Int, classes: Int,
        scale: Float = 1,
        gradient: UnsafeMutablePointer<Float>? = nil
    ) -> RowSums {
        var correct: Int64 = 0
        let smoothing = Float(labelSmoothing)
        let loss =
            switch kind {
            case .crossEntropy:
                loss_cross_entropy(outputs, labels, rows, classes, smoothing, scale, gradient, &correct)
            case .meanSquaredError:
                loss_squared_error(outputs, labels, rows, classes, smoothing, scale, gradient, &correct)
            }
        return RowSums(loss: loss, correct: Int(correct))
    }
}
