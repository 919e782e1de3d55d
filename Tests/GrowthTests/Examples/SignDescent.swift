import Parameters

@testable import Training

/// A step of one size for every weight, against the sign of the mean gradient.
struct SignDescent: OptimizerRule {
    static let kind = "sign"
    static let slots = ["mean"]

    var memory = 0.9

    static let schema = Schema(
        Self(), .field("memory", \.memory, .real(in: 0...0.9999), "memory of the gradient"))

    func update(rate: Float, decay: Float, count: Int) -> (ParameterStretch) -> Void {
        { stretch in
            let (mean, weights) = (stretch.slot(0), stretch.weights)
            for index in 0..<stretch.count {
                mean[index] += (1 - Float(memory)) * (stretch.gradient[index] - mean[index])
                let sign: Float = mean[index] > 0 ? 1 : mean[index] < 0 ? -1 : 0
                weights[index] -= rate * (sign + decay * weights[index])
            }
        }
    }
}
