package import Networks
package import Parameters

/// A function of a row of outputs and its label.
///
/// A new loss is one file in this folder and one line in ``LossParameters/functions``.
package protocol LossFunction: Alternative {
    /// The losses of some rows, summed, and on demand their gradient.
    func sums(over rows: LossRows) -> LossParameters.RowSums
}

/// Rows of outputs with their labels, and what is asked of them.
package struct LossRows {
    package let output: Port
    /// One per row, each in 0..<classes.
    package let labels: UnsafePointer<Int32>
    package let count: Int
    /// ε: targets are (1 - ε) one-hot + ε / classes (Szegedy et al., 2016).
    package let smoothing: Float
    /// What each row's gradient is multiplied by: 1 for per-sample gradients, 1/n for a mean.
    package let scale: Float
    /// Whether the output's gradient is written: scale dL_row/doutput.
    package let hasGradient: Bool

    /// What a kernel of this form makes of the rows.
    func sums(
        _ kernel: (
            UnsafePointer<Float>, UnsafePointer<Int32>, Int, Int, Float, Float, UnsafeMutablePointer<Float>?,
            UnsafeMutablePointer<Int64>
        ) -> Double
    ) -> LossParameters.RowSums {
        var correct: Int64 = 0
        let loss = kernel(
            output.value, labels, count, output.count, smoothing, scale, hasGradient ? output.gradient : nil,
            &correct)
        return LossParameters.RowSums(loss: loss, correct: Int(correct))
    }
}

/// The `loss:` section: what is minimised, the mean of it over samples.
package struct LossParameters: ParameterSet {
    package static let functions = Alternatives<any LossFunction>(
        CrossEntropy.self,
        SquaredError.self)

    package var function: any LossFunction = CrossEntropy()
    /// ε: see ``LossRows/smoothing``.
    package var labelSmoothing = 0.0

    package static let schema = Schema(
        Self(),
        .kind(\.function, among: functions, "what is minimised; its mean over samples"),
        .field(
            "label-smoothing", \.labelSmoothing, .real(in: 0...0.999),
            "share of each target spread evenly over the classes"))

    /// The same loss against plain one-hot targets, as evaluation reports it.
    package var withoutSmoothing: LossParameters { LossParameters(function: function) }

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

    /// Per-row losses, summed, and their gradient; see ``LossRows``.
    package func evaluate(
        _ output: Port, labels: UnsafePointer<Int32>, rows: Int, scale: Float = 1, hasGradient: Bool = false
    ) -> RowSums {
        function.sums(
            over: LossRows(
                output: output, labels: labels, count: rows, smoothing: Float(labelSmoothing), scale: scale,
                hasGradient: hasGradient))
    }
}
