internal import CKernels
package import Parameters

/// Stochastic gradient descent with (Nesterov) momentum, as in PyTorch; λ w is added to the gradient.
package struct SGD: OptimizerRule {
    package static let kind = "sgd"
    package static let slots = ["momentum"]

    /// The share of the last step that is kept.
    package var momentum = 0.9
    package var nesterov = false

    package static let schema = Schema(
        Self(),
        .field("momentum", \.momentum, .real(in: 0...0.9999), "share of the last step kept"),
        .field("nesterov", \.nesterov, .boolean, "look ahead along the momentum")
    ) { sgd, fields in
        guard sgd.nesterov, sgd.momentum == 0 else { return }
        fields.refuse(
            "nesterov", with: ["momentum"], found: "true", allowed: "true only with a momentum above 0")
    }

    package func update(rate: Float, decay: Float, count: Int) -> (ParameterStretch) -> Void {
        {
            optimizer_sgd(
                $0.weights, $0.slot(0), $0.gradient, $0.count, rate, Float(momentum), decay, nesterov ? 1 : 0)
        }
    }
}
