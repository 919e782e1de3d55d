internal import Datasets
internal import Networks
internal import Tensors
internal import Training

/// The nodes that give X, H and G of one way through a width.
struct ActivityReading: Equatable, Sendable {
    /// The node that gives X, or the data.
    let input: String
    /// The node that gives H.
    let hidden: String
    /// The channels of H where it is an image that was flattened; nil where it comes as it is wanted.
    let flattenedChannels: Int?
    /// The consumer.
    let gradient: String
}

/// The rows of one reading for one chunk of samples, positions before channels, without the ones of biases.
struct SiteRows {
    let rows: Int
    /// X, [rows, image, inChannels].
    let input: UnsafePointer<Float>
    /// H, [rows, read, width].
    let hidden: UnsafePointer<Float>
    /// G = −dL_i/d(consumer's output), [rows, output, outChannels].
    let gradient: UnsafePointer<Float>
}

/// Runs a network over samples and shows the activities and gradients that are asked for, chunk by chunk.
///
/// Chunks belong to a fixed number of shards, chunk i to shard i mod shards, and a shard's chunks are visited in
/// order by one thread; sums kept per shard and added in the order of shards do not depend on the number of threads.
/// The first visit runs the network; where memory allows, later ones read what it left. Otherwise memory does not
/// depend on the number of samples: chunks are as large as a number of bytes allows.
final class SiteActivities: @unchecked Sendable {
    // Safe to share: between visits nothing runs, and each chunk's rows of the kept buffers are touched by one worker.

    /// The most samples of one chunk, and the fewest chunks: standard errors come from their spread.
    private static let largestChunk = 1024
    private static let fewestChunks = 8
    /// Bytes of one chunk's values and gradients.
    private static let chunkBytes = 64 << 20
    /// Bytes of activities kept between visits; beyond, the network is run again.
    static let keptBytes = 256 << 20

    let shardCount: Int
    private let chunks: SampleChunks
    private let loss: LossParameters
    private let architecture: Architecture
    private let parameters: ParameterArena
    private let state: ParameterArena
    private let readings: [SiteReads]
    private let reads: [SiteRead]
    /// What is read, for all samples; empty where it is not kept.
    private let kept: [SiteRead: AlignedBuffer]
    /// Of every chunk, once there was a visit.
    private var losses: [Double]?
    /// How often the network ran over the samples.
    private(set) var runs = 0

    /// - Parameters:
    ///   - positions: the samples to run over, as positions in the split.
    ///   - keptBytes: what may be kept between visits.
    init(
        _ network: Network, readings: [ActivityReading], split: Split, normalization: Normalization,
        positions: [Int32], loss: LossParameters, shards shardLimit: Int, keptBytes: Int = keptBytes
    ) {
        self.loss = loss
        let architecture = network.architecture
        self.architecture = architecture
        self.readings = readings.map { SiteReads($0, in: architecture) }
        var reads: [SiteRead] = []
        for read in self.readings.flatMap(\.all) where !reads.contains(read) { reads.append(read) }
        self.reads = reads
        chunks = SampleChunks(
            Batches(split, normalization, shape: architecture.inputShape), positions: positions,
            for: architecture, purpose: .measurement, keeping: Set(reads.map(\.node)),
            within: Self.chunkBytes,
            atMost: min(Self.largestChunk, (positions.count + Self.fewestChunks - 1) / Self.fewestChunks))
        shardCount = max(1, min(shardLimit, chunks.count))
        parameters = ParameterArena(ParameterLayout(architecture), network.parameters)
        state = ParameterArena(ParameterLayout.state(architecture), network.state)

        // The data are had again at no cost.
        let keepable = reads.filter { $0.node != Architecture.inputName }
        let perSample = keepable.reduce(0) { $0 + $1.count }
        let fits = perSample * positions.count * MemoryLayout<Float>.stride <= keptBytes
        kept = Dictionary(
            uniqueKeysWithValues: (fits ? keepable : []).map {
                ($0, AlignedBuffer(count: positions.count * $0.count))
            })
    }

    /// Samples, and those of one chunk.
    var samples: Int { chunks.samples }
    var chunk: Int { chunks.size }

    /// Mean loss over the samples; known after the first visit.
    var meanLoss: Double {
        let losses = losses ?? []
        let sums = (0..<shardCount).map {
            stride(from: $0, to: losses.count, by: shardCount).reduce(0) { $0 + losses[$1] }
        }
        return sums.reduce(0, +) / Double(max(samples, 1))
    }

    /// Calls `body` for every chunk with the rows of every reading.
    func visit(
        threads: Int, _ body: @escaping @Sendable (_ shard: Int, _ rows: [SiteRows]) throws -> Void
    ) throws {
        let runsNetwork = losses == nil || kept.isEmpty
        let team = SampleChunks.Team(max(1, min(threads, shardCount))) {
            Executor(
                architecture, parameters: parameters, state: state, capacity: chunks.size,
                purpose: .measurement, keeping: Set(reads.map(\.node)))
        }
        let passing = Shared(
            team.executors.map { _ in
                let read = reads.filter { kept[$0] == nil }
                return Dictionary(
                    uniqueKeysWithValues: read.map { ($0, AlignedBuffer(count: chunks.size * $0.count)) })
            })
        let found = try chunks.map(team, shards: shardCount) { [self] chunk in
            func pointer(_ read: SiteRead) -> UnsafeMutablePointer<Float> {
                if let buffer = kept[read] { return buffer.pointer + chunk.range.lowerBound * read.count }
                guard let buffer = passing.value[chunk.worker][read] else {
                    preconditionFailure("\(read.node) is not read")
                }
                return buffer.pointer
            }
            let readsData = reads.contains { $0.node == Architecture.inputName }
            if runsNetwork || readsData { chunk.gather() }
            let loss = runsNetwork ? run(chunk) : 0
            for read in reads where runsNetwork || read.node == Architecture.inputName {
                read.copy(from: chunk.executor, rows: chunk.rows, into: pointer(read))
            }
            try body(
                chunk.shard,
                readings.map {
                    SiteRows(
                        rows: chunk.rows, input: pointer($0.input), hidden: pointer($0.hidden),
                        gradient: pointer($0.gradient))
                })
            return loss
        }
        if runsNetwork { runs += 1 }
        losses = losses ?? found
    }

    /// The loss of a chunk that was gathered, with every value and gradient in its executor.
    private func run(_ chunk: SampleChunks.Visit) -> Double {
        chunk.executor.forward(rows: chunk.rows)
        // Scaled by −1, what flows back is the functional gradient itself.
        let sums = loss.evaluate(
            chunk.executor.output, labels: chunk.labels, rows: chunk.rows, scale: -1, hasGradient: true)
        chunk.executor.backward(rows: chunk.rows, parameterGradients: false)
        return sums.loss
    }
}

/// A node's rows as a reading wants them.
private struct SiteRead: Hashable {
    let node: String
    let isGradient: Bool
    /// Elements of one sample.
    let count: Int
    /// Channels whose positions a flattened row holds one after the other; nil where rows come as they are wanted.
    let flattenedChannels: Int?

    init(
        _ node: String, _ architecture: Architecture, isGradient: Bool = false, flattenedChannels: Int? = nil
    ) {
        self.node = node
        self.isGradient = isGradient
        count = (architecture.shape(of: node) ?? []).reduce(1, *)
        self.flattenedChannels = flattenedChannels
    }

    func copy(from executor: Executor, rows: Int, into result: UnsafeMutablePointer<Float>) {
        executor.readRows(
            of: node, isGradient ? .gradient : .value, rows: rows, channels: flattenedChannels, into: result)
    }
}

/// What gives X, H and G of one reading.
private struct SiteReads {
    let input: SiteRead
    let hidden: SiteRead
    let gradient: SiteRead

    init(_ reading: ActivityReading, in architecture: Architecture) {
        input = SiteRead(reading.input, architecture)
        hidden = SiteRead(reading.hidden, architecture, flattenedChannels: reading.flattenedChannels)
        gradient = SiteRead(reading.gradient, architecture, isGradient: true)
    }

    var all: [SiteRead] { [input, hidden, gradient] }
}
