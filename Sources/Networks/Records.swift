/// How training went, epoch by epoch, over the whole chain of stages.
package struct History: Equatable, Sendable {
    /// One epoch.
    package struct Epoch: Equatable, Sendable {
        /// 0 while the seed network trains, then the growth round it follows.
        package var round: Int
        /// Mean training loss and accuracy over the epoch, measured as the parameters moved.
        package var loss: Double
        package var accuracy: Double
        /// On the validation split after the epoch; nil without one.
        package var validationLoss: Double?
        package var validationAccuracy: Double?
        /// The learning rate of the epoch's last step.
        package var rate: Double
        /// Trainable values of the network that was trained.
        package var parameters: Int
        /// Floating-point operations of training and growth since the chain began, this epoch's included.
        package var flops: Int

        package init(
            round: Int, loss: Double, accuracy: Double, validationLoss: Double?, validationAccuracy: Double?,
            rate: Double, parameters: Int, flops: Int
        ) {
            self.round = round
            self.loss = loss
            self.accuracy = accuracy
            self.validationLoss = validationLoss
            self.validationAccuracy = validationAccuracy
            self.rate = rate
            self.parameters = parameters
            self.flops = flops
        }
    }

    package var epochs: [Epoch] = []

    package init() {}
}

/// Floating-point operations spent on a network, by phase; a multiply-add counts two.
package struct Cost: Equatable, Sendable {
    package enum Phase: String, CaseIterable, Sendable {
        case seed, bottlenecks, grow, tune
    }

    /// Phases that cost nothing are absent.
    private var flops: [Phase: Int] = [:]

    package init() {}

    package subscript(phase: Phase) -> Int {
        get { flops[phase, default: 0] }
        set { flops[phase] = newValue == 0 ? nil : newValue }
    }

    /// All phases together.
    package var total: Int { flops.values.reduce(0, +) }
}

/// How a round of growth may change a network.
package enum ChangeKind: String, CaseIterable, Codable, Sendable {
    /// More neurons at a width.
    case widen
    /// A residual block behind a width.
    case deepen
    /// Fewer neurons at a width.
    case shrink
}

/// What one round did at one width, or why it did nothing.
package struct GrowthRecord: Equatable, Sendable {
    package var round: Int
    /// The width's name: its first producer.
    package var width: String
    /// What was done; nil where the width was left as it was.
    package var change: ChangeKind?
    package var method: String
    /// Neurons added, at the width or in a block; negative for those that were taken away.
    package var neurons: Int
    /// γ: α and ω were scaled by √γ, the consumer's weights moved by γ δW*, or only to make room where the note says so.
    package var amplitude: Double
    /// γ times the first-order decrease of the loss by what was put in; nil for methods that predict none.
    package var predictedDecrease: Double?
    /// The decrease of the loss that was measured, on the same samples as `lossBefore`.
    package var realizedDecrease: Double
    package var lossBefore: Double
    /// Ψ and ‖G‖²/n before growth.
    package var bottleneck: Double
    package var gradientNorm: Double
    /// Why the width was left alone, or how it changed otherwise than asked; else empty.
    package var note: String

    package init(
        round: Int, width: String, change: ChangeKind?, method: String, neurons: Int, amplitude: Double,
        predictedDecrease: Double?,
        realizedDecrease: Double, lossBefore: Double, bottleneck: Double, gradientNorm: Double,
        note: String = ""
    ) {
        self.round = round
        self.width = width
        self.change = change
        self.method = method
        self.neurons = neurons
        self.amplitude = amplitude
        self.predictedDecrease = predictedDecrease
        self.realizedDecrease = realizedDecrease
        self.lossBefore = lossBefore
        self.bottleneck = bottleneck
        self.gradientNorm = gradientNorm
        self.note = note
    }
}

extension Architecture {
    /// The floating-point operations of one sample: inference, and a training step without the optimiser's update.
    package var flopsPerSample: (inference: Int, training: Int) {
        var inference = 0
        var training = 0
        var trainable: Set<String> = []
        for node in nodes {
            let inputs = inputShapes(of: node)
            let cost = node.operation.cost(for: inputs)
            let needsInputGradient = node.inputs.contains(where: trainable.contains)
            if needsInputGradient || !node.operation.parameters(for: inputs).isEmpty {
                trainable.insert(node.name)
            }
            inference += cost.forward
            training += cost.forward + cost.parameterGradient + (needsInputGradient ? cost.inputGradient : 0)
        }
        return (inference, training)
    }
}
