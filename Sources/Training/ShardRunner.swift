internal import CKernels
internal import Datasets
internal import Foundation
internal import Networks
internal import Synchronization
internal import Tensors

/// Training steps over batches cut into a fixed number of shards.
///
/// Each shard runs forward and backward on one thread with buffers of its own; the shards' gradients are then
/// added pairwise in a fixed tree and the parameters updated, in as many ranges as there are workers. What the shards measured
/// for the network's state is averaged in their order. Shards and ranges are taken by whichever worker is free. So the bits of the
/// result depend on `shards`, never on the number of threads or on what else runs.
final class ShardRunner: @unchecked Sendable {
    // Safe to share: in a phase every array element below is written by one worker alone.
    private let shards: [Shard]
    private let parameters: ParameterArena
    private let state: RunningState
    private let average: (parameters: RunningAverage, state: RunningAverage)
    private let optimizer: Optimizer
    private let loss: LossParameters
    private let batches: Batches
    private let augmentation: AugmentationParameters
    private let parity: ParityMeter?
    private let batch: Int
    let stepsPerEpoch: Int

    /// One shard's executor, gradients and sums.
    private final class Shard {
        let executor: Executor
        let gradients: ParameterArena
        let stateUpdates: ParameterArena
        let labels: UnsafeMutablePointer<Int32>
        /// Of the last step, and of the epoch so far.
        var stepRows = 0
        var stepLoss = 0.0
        var sums = LossParameters.RowSums()

        init(_ executor: Executor, _ gradients: ParameterArena, _ stateUpdates: ParameterArena) {
            self.executor = executor
            self.gradients = gradients
            self.stateUpdates = stateUpdates
            labels = .allocate(capacity: executor.capacity)
        }

        deinit { labels.deallocate() }
    }

    init(
        _ architecture: Architecture, parameters: ParameterArena, state: ParameterArena,
        average: (parameters: RunningAverage, state: RunningAverage), optimizer: Optimizer,
        training: TrainingParameters, loss: LossParameters, batches: Batches, parity: ParityMeter?
    ) {
        self.parity = parity
        self.parameters = parameters
        self.state = RunningState(architecture, state)
        self.average = average
        self.optimizer = optimizer
        self.loss = loss
        self.batches = batches
        augmentation = training.augmentation
        let cut = training.cut(samples: batches.count)
        batch = cut.batch
        stepsPerEpoch = training.stepsPerEpoch(samples: batches.count)
        let capacity = (cut.batch + cut.shards - 1) / cut.shards
        shards = (0..<cut.shards).map { _ in
            let gradients = ParameterArena(parameters.layout), updates = ParameterArena(state.layout)
            return Shard(
                Executor(
                    architecture, parameters: parameters, gradients: gradients, state: state,
                    stateUpdates: updates, capacity: capacity, purpose: .training, keeping: []),
                gradients, updates)
        }
    }

    /// One epoch's identity and its learning rates.
    struct EpochPlan: Sendable {
        /// Epochs over the network's whole life, which names the random numbers.
        var number: Int
        var seed: Int
        /// Updates made before this epoch in this phase.
        var firstUpdate: Int
        /// The learning rate of the epoch's step `step`.
        var rate: @Sendable (_ step: Int) -> Double
        /// Called now and then by one worker with the steps done.
        var progress: @Sendable (_ step: Int) -> Void
    }

    /// Runs one epoch and returns the sums over its samples.
    ///
    /// - Throws: `TrainingError.lossNotFinite`.
    func run(_ plan: EpochPlan, threads: Int) throws -> LossParameters.RowSums {
        var random = Philox(seed: plan.seed, purpose: .dataOrder, epoch: plan.number)
        let order = random.permutation(batches.count)
        let workers = max(1, min(threads, shards.count))
        let phases = Phases(pieces: shards.count)
        let steps = stepsPerEpoch
        // The step whose loss was not finite; later ones do nothing.
        let failed = Atomic<Int>(steps)
        for shard in shards { shard.sums = LossParameters.RowSums() }
        try WorkerTeam.run(workers) { [self] worker in
            var walk = Phases.Walk(worker: worker, of: workers)
            for step in 0..<steps {
                let first = step * batch
                let rows = min(batch, batches.count - first)
                phases.run(&walk, pieces: shards.count) { index in
                    compute(shard: index, order: order, first: first, rows: rows, plan: plan)
                }
                phases.run(&walk, pieces: workers) { part in
                    // Every part sees the same sums, so all stop at the same step.
                    guard shards.allSatisfy(\.stepLoss.isFinite) else {
                        return failed.store(step, ordering: .releasing)
                    }
                    let index = plan.firstUpdate + step
                    if part == 0 {
                        average.state.follow(0..<state.arena.layout.count, step: index) {
                            state.move(to: shards.filter { $0.stepRows > 0 }.map(\.stateUpdates))
                        }
                    }
                    update(part, of: workers, optimizer.step(index, rate: plan.rate(step)), index: index)
                    if part == 0, step % 32 == 31 { plan.progress(step + 1) }
                }
                if let parity, plan.firstUpdate + step < GradientParity.mostSteps {
                    phases.run(&walk, pieces: 1) { _ in
                        parity.measure(gradients: shards[0].gradients, parameters: parameters)
                    }
                }
                guard step < failed.load(ordering: .acquiring) else {
                    throw TrainingError.lossNotFinite(epoch: plan.number, step: step, rate: plan.rate(step))
                }
            }
        }
        return shards.reduce(into: LossParameters.RowSums()) { $0 += $1.sums }
    }

    private func compute(shard index: Int, order: [Int32], first: Int, rows: Int, plan: EpochPlan) {
        let shard = shards[index]
        let begin = rows * index / shards.count
        let end = rows * (index + 1) / shards.count
        let count = end - begin
        shard.stepLoss = 0
        shard.stepRows = count
        guard count > 0 else {
            shard.gradients.buffer.pointer.update(repeating: 0, count: shard.gradients.layout.count)
            return
        }
        let executor = shard.executor
        batches.gather(
            order[first + begin..<first + end], into: executor.input.value, labels: shard.labels,
            augmentation: AugmentationDraw(augmentation, seed: plan.seed, epoch: plan.number))
        executor.forward(
            rows: count, mode: .training(seed: plan.seed, epoch: plan.number, firstSample: first + begin))
        let sums = loss.evaluate(
            executor.output, labels: shard.labels, rows: count, scale: 1 / Float(rows), hasGradient: true)
        executor.backward(rows: count)
        shard.stepLoss = sums.loss
        shard.sums += sums
    }

    /// Elements reduced and updated at a time: small enough for the first-level cache.
    private static let block = 2048

    /// Updates one of so many parts of the parameters.
    ///
    /// - Parameter index: updates made before in this phase.
    private func update(_ part: Int, of parts: Int, _ step: Optimizer.Step, index: Int) {
        let count = parameters.layout.count
        let blocks = (count + Self.block - 1) / Self.block
        for block in blocks * part / parts..<blocks * (part + 1) / parts {
            let range = block * Self.block..<min((block + 1) * Self.block, count)
            addGradients(range)
            average.parameters.follow(range, step: index) {
                optimizer.update(parameters, gradient: shards[0].gradients, range: range, step)
            }
        }
    }

    /// Adds the shards' gradients into the first one's, pairwise: ((0 + 1) + (2 + 3)) + …
    private func addGradients(_ range: Range<Int>) {
        var distance = 1
        while distance < shards.count {
            for index in stride(from: 0, to: shards.count - distance, by: 2 * distance) {
                vector_add(
                    shards[index].gradients.buffer.pointer + range.lowerBound,
                    shards[index + distance].gradients.buffer.pointer + range.lowerBound, range.count)
            }
            distance *= 2
        }
    }
}

/// The state of a network while it is trained: running averages of what every step measures.
struct RunningState: Sendable {
    let arena: ParameterArena
    /// One per entry of the layout.
    private let momenta: [Double]

    init(_ architecture: Architecture, _ arena: ParameterArena) {
        self.arena = arena
        momenta = arena.layout.entries.map { entry in
            architecture.index(of: entry.node).map { architecture.nodes[$0].operation.stateMomentum } ?? 0
        }
    }

    /// r ← (1 − m) r + m s, with s the mean of what the shards measured, added in their order.
    func move(to updates: [ParameterArena]) {
        guard !updates.isEmpty else { return }
        for (entry, momentum) in zip(arena.layout.entries, momenta) {
            for index in entry.offset..<entry.offset + entry.count {
                let sum = updates.reduce(0) { $0 + Double($1.buffer.pointer[index]) }
                let running = Double(arena.buffer.pointer[index])
                arena.buffer.pointer[index] = Float(
                    (1 - momentum) * running + momentum * sum / Double(updates.count))
            }
        }
    }
}
