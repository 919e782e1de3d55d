package import Datasets
internal import Foundation
package import Networks
internal import Tensors

/// How far a phase of training has come.
package struct TrainingProgress: Sendable {
    /// Samples seen in this phase, of how many.
    package var done: Int
    package var total: Int
    /// The last completed epoch of this phase.
    package var epoch: History.Epoch?
    /// Whether `epoch` ended just now.
    package var isEpochEnd: Bool
}

/// Where training runs and whom it tells: nothing here changes a bit of the result.
package struct TrainingEnvironment: Sendable {
    package var threads: Int
    package var progress: @Sendable (TrainingProgress) -> Void

    package init(threads: Int = 1, progress: @escaping @Sendable (TrainingProgress) -> Void = { _ in }) {
        self.threads = threads
        self.progress = progress
    }
}

extension TrainingEnvironment {
    /// Tells progress in words.
    ///
    /// - Parameters:
    ///   - bar: gets samples done, samples in all, and a note, often.
    ///   - line: gets one line per epoch.
    package init(
        threads: Int, bar: @escaping @Sendable (Int, Int, String) -> Void,
        line: @escaping @Sendable (String) -> Void
    ) {
        self.init(threads: threads) { state in
            bar(state.done, state.total, state.epoch.map { String(format: "loss %.4f", $0.loss) } ?? "")
            guard let epoch = state.epoch, state.isEpochEnd else { return }
            let validation = epoch.validationAccuracy.map { String(format: ", validation accuracy %.4f", $0) }
            line(
                String(
                    format: "%d of %d samples: loss %.4f, accuracy %.4f", state.done, state.total, epoch.loss,
                    epoch.accuracy) + (validation ?? ""))
        }
    }
}

/// Draws a seed network and trains it.
///
/// - Parameters:
///   - architecture: trained in place of the parameters' network.
///   - budget: FLOPs; trained for as many whole epochs as spend at least so many, in place of the parameters' epochs.
/// - Throws: `TrainingError`, `NetworkError`.
package func trainSeed(
    _ parameters: SeedParameters, dataset: Dataset, architecture: Architecture? = nil, budget: Int? = nil,
    environment: TrainingEnvironment = TrainingEnvironment()
) throws -> Network {
    let described = try parameters.network?.architecture(
        sample: dataset.shape.planes, outputs: dataset.classes.count)
    guard let architecture = architecture ?? described else { throw TrainingError.noArchitecture }
    let network = try Network(initializing: architecture, seed: parameters.seed)
    var training = parameters.training
    if let budget {
        let epoch = max(1, architecture.trainingFlops(epochs: 1, samples: dataset.train.count))
        training.epochs = max(1, (budget + epoch - 1) / epoch)
    }
    return try train(
        network, training, loss: parameters.loss, seed: parameters.seed, phase: .seed,
        dataset: dataset,
        environment: environment)
}

/// Trains a network on.
///
/// - Returns: nil where the round it follows changed nothing, so that there is nothing to train.
/// - Throws: `TrainingError`, `NetworkError`.
package func fineTune(
    _ parameters: TuneParameters, dataset: Dataset, network: Network,
    environment: TrainingEnvironment = TrainingEnvironment()
) throws -> Network? {
    let hasGrown = network.growth.contains { $0.round == parameters.round && $0.change != nil }
    guard parameters.round == 0 || hasGrown else { return nil }
    let begun = parameters.start.begin(
        network, rule: parameters.training.optimizer.rule, seed: parameters.seed)
    return try train(
        begun, parameters.training, loss: parameters.loss, seed: parameters.seed, phase: .tune,
        dataset: dataset,
        environment: environment)
}

/// Checks that a network reads this dataset's samples, of the shape and normalised as those it was trained on, and knows the same
/// classes.
///
/// - Throws: `TrainingError.datasetMismatch`, `.imageMismatch`, `.classesDiffer`, `.dataDiffers`.
package func checkFits(_ network: Network, _ dataset: Dataset) throws {
    let architecture = network.architecture
    guard architecture.inputCount == dataset.shape.count else {
        throw TrainingError.datasetMismatch(
            what: "number of inputs", network: architecture.inputCount, dataset: dataset.shape.count)
    }
    guard architecture.reads(sample: dataset.shape.planes) else {
        throw TrainingError.imageMismatch(network: architecture.inputShape, dataset: dataset.shape.planes)
    }
    guard architecture.outputCount == dataset.classes.count else {
        throw TrainingError.datasetMismatch(
            what: "number of outputs", network: architecture.outputCount, dataset: dataset.classes.count)
    }
    guard let data = network.data else { return }
    let convention = dataset.convention
    if let index = data.classes.indices.first(where: { data.classes[$0] != convention.classes[$0] }) {
        throw TrainingError.classesDiffer(
            label: index, network: data.classes[index], dataset: convention.classes[index])
    }
    guard data == convention else {
        throw TrainingError.dataDiffers(network: data, dataset: convention)
    }
}

extension Architecture {
    /// The floating-point operations of so many passes over so many samples.
    fileprivate func trainingFlops(epochs: Int, samples: Int) -> Int {
        flopsPerSample.training * samples * epochs
    }
}

extension Dataset {
    /// How a network trained on it takes its inputs and outputs.
    package var convention: DataConvention {
        DataConvention(
            image: shape.extents, mean: normalization.mean,
            standardDeviation: normalization.standardDeviation, classes: classes)
    }
}

private func train(
    _ start: Network, _ training: TrainingParameters, loss: LossParameters, seed: Int, phase: Cost.Phase,
    dataset: Dataset, environment: TrainingEnvironment
) throws -> Network {
    try checkFits(start, dataset)
    guard dataset.train.count > 0 else { throw TrainingError.emptySplit("training") }
    try training.augmentation.check(dataset.shape)
    try training.checkStatistics(of: start.architecture, samples: dataset.train.count)
    try training.checkGroups(of: start.architecture)
    var network = start
    network.data = dataset.convention
    let layout = ParameterLayout(network.architecture)
    let parameters = ParameterArena(layout, network.parameters)
    let state = ParameterArena(.state(network.architecture), network.state)
    let average = (
        parameters: RunningAverage(training.average, of: parameters, lags: network.lags),
        state: RunningAverage(training.average, of: state, lags: network.lags)
    )
    let optimizer = Optimizer(
        training.optimizer, layout: layout, network: network,
        stepsPerEpoch: training.stepsPerEpoch(samples: dataset.train.count))
    let parity = ParityMeter(network, parameters)
    let runner = ShardRunner(
        network.architecture, parameters: parameters, state: state, average: average, optimizer: optimizer,
        training: training, loss: loss,
        batches: Batches(
            dataset.train, dataset.normalization, shape: network.architecture.inputShape), parity: parity)
    let evaluator =
        dataset.validation.count > 0
        ? Evaluator(
            network.architecture, average.parameters.measured, state: average.state.measured,
            Batches(
                dataset.validation, dataset.normalization, shape: network.architecture.inputShape))
        : nil

    for epoch in 0..<training.epochs {
        let plan = ShardRunner.EpochPlan(
            training, epoch: epoch, stepsPerEpoch: runner.stepsPerEpoch, network: network, seed: seed,
            samples: dataset.train.count, report: environment.progress)
        let sums = try runner.run(plan, threads: environment.threads)
        average.parameters.settle()
        average.state.settle()
        let validation = try evaluator?.sums(loss.withoutSmoothing, threads: environment.threads)
        guard validation?.loss.isFinite ?? true else {
            throw TrainingError.outputsNotFinite(split: "validation")
        }
        let count = Double(dataset.train.count), held = Double(dataset.validation.count)
        let record = History.Epoch(
            round: network.lastRound, loss: sums.loss / count, accuracy: Double(sums.correct) / count,
            validationLoss: validation.map { $0.loss / held },
            validationAccuracy: validation.map { Double($0.correct) / held },
            rate: plan.rate(runner.stepsPerEpoch - 1), parameters: network.parameterCount,
            flops: network.cost.total
                + network.architecture.trainingFlops(epochs: epoch + 1, samples: dataset.train.count))
        network.history.epochs.append(record)
        environment.progress(
            TrainingProgress(
                done: (epoch + 1) * dataset.train.count, total: training.epochs * dataset.train.count,
                epoch: record,
                isEpochEnd: true))
    }
    network.parameters = parameters.tensors()
    network.state = state.tensors()
    network.lags = average.parameters.lags.merging(average.state.lags) { $1 }
    network.optimizerState = optimizer.tensors(after: training.epochs * runner.stepsPerEpoch)
    network.cost[phase] += network.architecture.trainingFlops(
        epochs: training.epochs, samples: dataset.train.count)
    network.parity += parity?.parity ?? []
    try network.validate(source: "the trained network")
    return network
}

extension ShardRunner.EpochPlan {
    /// The plan of a phase's epoch `epoch`, for a network that has been trained so far as its history says.
    fileprivate init(
        _ training: TrainingParameters, epoch: Int, stepsPerEpoch: Int, network: Network, seed: Int,
        samples: Int,
        report: @escaping @Sendable (TrainingProgress) -> Void
    ) {
        let shown = epoch > 0 ? network.history.epochs.last : nil
        self.init(
            number: network.history.epochs.count, seed: seed, firstUpdate: epoch * stepsPerEpoch,
            rate: { step in
                training.optimizer.rate
                    * training.schedule.share(
                        step: epoch * stepsPerEpoch + step, stepsPerEpoch: stepsPerEpoch,
                        epochs: training.epochs)
            },
            progress: { step in
                report(
                    TrainingProgress(
                        done: epoch * samples + min(step * training.batch, samples),
                        total: training.epochs * samples,
                        epoch: shown, isEpochEnd: false))
            })
    }
}
