package import Networks
package import Parameters

/// One phase of training: the sections `seed:`, `tune:` and `final:` of a pipeline.
package struct TrainingParameters: ParameterSet {
    package var epochs: Int = 1
    /// Samples per step.
    package var batch: Int = 128
    /// Parts a batch is cut into; each is computed on one thread, and the bits of a result depend on it.
    package var shards: Int = 2
    package var optimizer = OptimizerParameters()
    package var schedule = ScheduleParameters()
    package var augmentation = AugmentationParameters()

    package init(epochs: Int = 1, batch: Int = 128, shards: Int = 2) {
        self.epochs = epochs
        self.batch = batch
        self.shards = shards
    }

    package init(fields: inout Fields) throws {
        epochs = try fields.integer("epochs", in: 0...100_000, default: 1, "passes over the training split")
        batch = try fields.integer("batch", in: 1...65_536, default: 128, "samples per step")
        shards = try fields.integer(
            "shards", in: 1...64, default: 2, "parts of a batch computed side by side")
        optimizer = try fields.set(
            "optimizer", default: OptimizerParameters(), "how parameters follow the gradient")
        schedule = try fields.set("schedule", default: ScheduleParameters(), "how the learning rate changes")
        augmentation = try fields.set(
            "augmentation", default: AugmentationParameters(), "how training images are changed")
    }
}

/// Parameters of the stage train-seed.
package struct SeedParameters: ParameterSet {
    /// The seed network; nil where an input gives the architecture.
    package var network: NetworkParameters?
    package var training: TrainingParameters
    package var loss: LossParameters
    package var seed: Int

    package init(network: NetworkParameters?, training: TrainingParameters, loss: LossParameters, seed: Int) {
        self.network = network
        self.training = training
        self.loss = loss
        self.seed = seed
    }

    package init(fields: inout Fields) throws {
        if fields.contains("network") {
            network = try fields.set("network", default: nil, "the seed network")
        }
        training = try fields.set("training", default: TrainingParameters(), "how it is trained")
        loss = try fields.set("loss", default: LossParameters(), "what is minimised")
        seed = try fields.integer("seed", in: 0...Int(Int32.max), default: 0, "names the random numbers")
    }

    private enum CodingKeys: String, CodingKey { case network, training, loss, seed }

    // Written by hand so that an absent network is an explicit null.
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(network, forKey: .network)
        try container.encode(training, forKey: .training)
        try container.encode(loss, forKey: .loss)
        try container.encode(seed, forKey: .seed)
    }
}

/// Parameters of the stage fine-tune.
package struct TuneParameters: ParameterSet {
    package var training: TrainingParameters
    package var loss: LossParameters
    package var seed: Int
    /// The growth round it follows: where that round added nothing, the network passes through untouched.
    /// 0 trains in any case.
    package var round: Int = 0
    /// Forget the optimiser's state instead of going on with it.
    package var resetOptimizer: Bool = false

    package init(
        training: TrainingParameters, loss: LossParameters, seed: Int, round: Int = 0,
        resetOptimizer: Bool = false
    ) {
        self.training = training
        self.loss = loss
        self.seed = seed
        self.round = round
        self.resetOptimizer = resetOptimizer
    }

    package init(fields: inout Fields) throws {
        training = try fields.set("training", default: TrainingParameters(), "how the network is trained on")
        loss = try fields.set("loss", default: LossParameters(), "what is minimised")
        seed = try fields.integer("seed", in: 0...Int(Int32.max), default: 0, "names the random numbers")
        round = try fields.integer(
            "round", in: 0...10_000, default: 0, "train only if this growth round added neurons; 0: always")
        resetOptimizer = try fields.boolean("reset-optimizer", default: false, "forget the optimiser's state")
    }
}

/// Parameters of the stage evaluate.
package struct EvaluationParameters: ParameterSet {
    package var loss: LossParameters

    package init(loss: LossParameters) { self.loss = loss }

    package init(fields: inout Fields) throws {
        loss = try fields.set("loss", default: LossParameters(), "what is reported, without label smoothing")
    }
}
