package import Parameters

/// The `optimizer:` section: how parameters follow the gradient.
package struct OptimizerParameters: ParameterSet {
    package enum Kind: String, CaseIterable, Codable, Sendable {
        /// Stochastic gradient descent with (Nesterov) momentum, as in PyTorch.
        case sgd
        /// Adam with decoupled weight decay (Loshchilov and Hutter, 2019).
        case adamw
    }

    package var kind: Kind = .sgd
    package var rate: Double = 0.05
    package var momentum: Double = 0.9
    package var nesterov: Bool = false
    /// λ: added to the gradient as λ w by `sgd`, subtracted as rate λ w by `adamw`; for every parameter.
    package var weightDecay: Double = 0
    package var beta1: Double = 0.9
    package var beta2: Double = 0.999
    package var epsilon: Double = 1e-8

    package init(kind: Kind = .sgd, rate: Double = 0.05, momentum: Double = 0.9, weightDecay: Double = 0) {
        self.kind = kind
        self.rate = rate
        self.momentum = momentum
        self.weightDecay = weightDecay
    }

    package init(fields: inout Fields) throws {
        kind = try fields.choice("kind", default: .sgd, "the rule")
        rate = try fields.real("rate", in: 0...1000, default: 0.05, "the learning rate")
        momentum = try fields.real(
            "momentum", in: 0...0.9999, default: 0.9, "sgd: share of the last step kept")
        nesterov = try fields.boolean("nesterov", default: false, "sgd: look ahead along the momentum")
        weightDecay = try fields.real(
            "weight-decay", in: 0...10, default: 0, "pull of every parameter towards 0")
        beta1 = try fields.real("beta1", in: 0...0.99999, default: 0.9, "adamw: memory of the gradient")
        beta2 = try fields.real("beta2", in: 0...0.999999, default: 0.999, "adamw: memory of its square")
        epsilon = try fields.real("epsilon", in: 1e-30...1, default: 1e-8, "adamw: added to the denominator")
        if nesterov && (kind != .sgd || momentum == 0) {
            fields.refuse(
                "nesterov", with: ["kind", "momentum"], found: "true",
                allowed: "true only for sgd with a momentum above 0")
        }
    }
}
