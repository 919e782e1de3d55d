internal import Datasets
internal import Networks
internal import Tensors
internal import Training

/// Tries an extension at different amplitudes without growing the network.
///
/// What does not depend on the amplitude is computed once and kept where there is room: the consumer's output A, how far
/// its update moves it D, z = X αᵀ, and whatever else is read behind the consumer. At amplitude γ the output is
/// A + γ D + √γ Σ_e ω_e φ(√γ z)_e with what really lies between, and only what follows is computed again. Where all
/// samples need too much room, each chunk is computed anew for every amplitude.
final class GrowthTrial: @unchecked Sendable {
    // Safe to share: a chunk's rows, and a worker's networks, are touched by one worker at a time.

    /// The most samples of one chunk, and bytes of a chunk's values.
    private static let largestChunk = 512
    private static let chunkBytes = 64 << 20
    /// Bytes kept of all samples.
    static let keptBytes = 256 << 20

    private let site: GrowthSite
    private let batches: Batches
    private let loss: LossParameters
    private let architecture: Architecture
    private let count: Int
    private let chunk: Int
    private let workers: [TrialNetwork]
    private let hasMove: Bool
    private let neurons: Int
    private let flopsBehind: Int
    /// What is read behind the consumer, besides it and the data.
    private let frontier: [(name: String, count: Int)]
    /// Floats of one sample in `kept`: A, D, z, the frontier.
    private let perSample: Int
    /// Floats of one sample's A, D and z.
    private var offsets: (move: Int, activity: Int, frontier: Int)
    private let kept: AlignedBuffer?

    /// - Parameters:
    ///   - extension: fits the network as it is, at amplitude 1.
    ///   - keptBytes: what may be kept of all samples.
    init(
        _ extension: Extension, at site: GrowthSite, of network: Network, split: Split,
        normalization: Normalization, loss: LossParameters, threads: Int, keptBytes: Int = keptBytes
    ) throws {
        self.site = site
        self.loss = loss
        let architecture = network.architecture
        self.architecture = architecture
        batches = Batches(split, normalization, order: architecture.sampleOrder)
        count = batches.count
        hasMove = `extension`.update != nil
        neurons = `extension`.neurons.count
        let names = architecture.frontier(after: site.consumer)
        let chunk = Executor.rows(
            of: architecture, purpose: .inference,
            keeping: TrialNetwork.reads(at: site, frontier: names), within: Self.chunkBytes,
            atMost: Self.largestChunk)
        self.chunk = chunk
        let workers = try (0..<max(1, min(threads, (count + chunk - 1) / chunk))).map { [count] _ in
            try TrialNetwork(
                `extension`, at: site, of: network, frontier: names, capacity: max(1, min(chunk, count)))
        }
        self.workers = workers
        frontier = names.subtracting([Architecture.inputName]).sorted().map { name in
            (name, architecture.shape(of: name)?.reduce(1, *) ?? 0)
        }
        let (outputs, activities) = (workers[0].outputCount, workers[0].activityCount)
        offsets = (outputs, outputs * (hasMove ? 2 : 1), outputs * (hasMove ? 2 : 1) + activities)
        perSample = offsets.frontier + frontier.reduce(0) { $0 + $1.count }
        let fits = perSample * count * MemoryLayout<Float>.stride <= keptBytes
        kept = fits ? AlignedBuffer(count: perSample * count) : nil
        let behind = architecture.nodes[((architecture.index(of: site.consumer) ?? 0) + 1)...]
        flopsBehind = behind.reduce(0) {
            $0 + $1.operation.cost(for: architecture.inputShapes(of: $1)).forward
        }
        if kept != nil { try prepare() }
    }

    /// Floating-point operations of so many losses.
    func flops(losses: Int) -> Int {
        let geometry = site.geometry
        let moved = hasMove ? 2 * geometry.outputCount * geometry.hiddenInputs : 0
        let below =
            architecture.flopsPerSample.inference - flopsBehind
            + 2 * neurons * geometry.inputs * geometry.hidden.count + moved
        let above = 2 * neurons * geometry.consumer.taps * geometry.outputCount + flopsBehind
        return count * ((kept == nil ? losses : 1) * below + losses * above)
    }

    /// Runs `body(worker, first, rows)` for every chunk.
    private func forEachChunk(_ body: @escaping @Sendable (TrialNetwork, Int, Int) -> Void) throws {
        try WorkerTeam.run(workers.count) { [self] worker in
            for first in stride(from: worker * chunk, to: count, by: workers.count * chunk) {
                body(workers[worker], first, min(chunk, count - first))
            }
        }
    }

    private func gather(
        _ first: Int, _ rows: Int, into input: UnsafeMutablePointer<Float>,
        _ labels: UnsafeMutablePointer<Int32>
    ) {
        let positions = (first..<first + rows).map(Int32.init)
        batches.gather(positions[...], rows: input, labels: labels)
    }

    /// A chunk's A, D, z and frontier, one after the other.
    private func prepare(
        _ network: TrialNetwork, _ first: Int, _ rows: Int, into start: UnsafeMutablePointer<Float>
    ) {
        gather(first, rows, into: network.inputs.below, network.labels)
        network.run(
            rows: rows, base: start, move: hasMove ? start + rows * offsets.move : nil,
            activity: start + rows * offsets.activity)
        var next = start + rows * offsets.frontier
        for (name, count) in frontier {
            network.readFrontier(name, rows: rows, into: next)
            next += rows * count
        }
    }

    private func prepare() throws {
        try forEachChunk { [self] network, first, rows in
            guard let kept else { return }
            prepare(network, first, rows, into: kept.pointer + first * perSample)
        }
    }

    /// The mean loss at amplitude γ; not finite where the outputs are not.
    func loss(at amplitude: Double) throws -> Double {
        let chunks = (count + chunk - 1) / chunk
        let results = ResultSlots<Double>(count: chunks)
        try forEachChunk { [self] network, first, rows in
            let fresh = kept == nil ? AlignedBuffer(count: rows * perSample) : nil
            defer { withExtendedLifetime(fresh) {} }
            if let fresh { prepare(network, first, rows, into: fresh.pointer) }
            guard let start = fresh?.pointer ?? kept.map({ $0.pointer + first * perSample }) else { return }
            let outputs = output(network, amplitude, first, rows, from: start)
            let found = loss.evaluate(
                outputs: outputs, labels: network.labels, rows: rows, classes: architecture.outputCount)
            results.set(first / chunk, found.loss)
        }
        return results.values.reduce(0, +) / Double(max(count, 1))
    }

    /// The network's output at amplitude γ, from what was prepared of a chunk.
    private func output(
        _ network: TrialNetwork, _ amplitude: Double, _ first: Int, _ rows: Int,
        from start: UnsafeMutablePointer<Float>
    ) -> UnsafePointer<Float> {
        gather(first, rows, into: network.inputs.behind, network.labels)
        var next = start + rows * offsets.frontier
        for (name, count) in frontier {
            network.writeFrontier(name, rows: rows, from: next)
            next += rows * count
        }
        return network.output(
            at: amplitude, rows: rows, base: start,
            move: hasMove ? UnsafePointer(start + rows * offsets.move) : nil,
            activity: start + rows * offsets.activity)
    }
}

extension Architecture {
    /// The order in which the data port takes samples.
    var sampleOrder: SampleOrder { inputShape.count == 3 ? .planes : .channelsLast }
}
