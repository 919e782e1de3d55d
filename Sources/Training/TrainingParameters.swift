package import Networks
package import Parameters

/// One phase of training: the sections `seed:`, `tune:` and `final:` of a pipeline.
package struct TrainingParameters: ParameterSet {
    package var epochs = 1
    /// Samples per step.
    package var batch = 128
    /// Parts a batch is cut into; each is computed on one thread, and the bits of a result depend on it.
    package var shards = 2
    package var optimizer = OptimizerParameters()
    package var schedule = ScheduleParameters()
    package var augmentation = AugmentationParameters()
    package var average = AverageParameters()

    package static let schema = Schema(
        Self(),
        .field("epochs", \.epochs, .integer(in: 0...100_000), "passes over the training split"),
        .field("batch", \.batch, .integer(in: 1...65_536), "samples per step"),
        .field("shards", \.shards, .integer(in: 1...64), "parts of a batch computed side by side"),
        .set("optimizer", \.optimizer),
        .set("schedule", \.schedule),
        .set("augmentation", \.augmentation),
        .set("average", \.average)
    ) { training, fields in
        let schedule = training.schedule
        let whole = schedule.length > 0 ? schedule.length : schedule.begin + training.epochs
        func refuse(_ key: String, _ found: String, _ allowed: String) {
            let tree = fields.tree("schedule").flatMap { $0[key] ?? $0 } ?? .empty
            fields.refuse(
                "schedule", element: (".\(key)", tree), with: ["epochs"], found: found, allowed: allowed)
        }
        if schedule.begin + training.epochs > whole {
            refuse("length", "\(whole)", "at least begin + epochs, \(schedule.begin + training.epochs)")
        }
        if schedule.warmUp > Double(whole), training.epochs > 0 {
            refuse("warm-up", "\(schedule.warmUp) of \(whole) epochs", "no more than the whole schedule")
        }
    }
}

/// Parameters of the stage train-seed.
package struct SeedParameters: ParameterSet {
    /// The seed network; nil where an input gives the architecture.
    package var network: NetworkParameters?
    package var training = TrainingParameters()
    package var loss = LossParameters()
    package var seed = 0

    package static let schema = Schema(
        Self(),
        .optional("network", \.network),
        .set("training", \.training),
        .set("loss", \.loss),
        .field("seed", \.seed, .integer(in: 0...Int(Int32.max)), "names the random numbers"))
}

/// Parameters of the stage fine-tune.
package struct TuneParameters: ParameterSet {
    package var training = TrainingParameters()
    package var loss = LossParameters()
    package var seed = 0
    /// The growth round it follows: where that round added nothing, the network passes through untouched.
    /// 0 trains in any case.
    package var round = 0
    package var start = TuningStart()

    package static let schema = Schema(
        Self(),
        .set("training", \.training),
        .set("loss", \.loss),
        .field("seed", \.seed, .integer(in: 0...Int(Int32.max)), "names the random numbers"),
        .field(
            "round", \.round, .integer(in: 0...10_000),
            "train only if this growth round added neurons; 0: always"),
        .inline(\.start))
}
