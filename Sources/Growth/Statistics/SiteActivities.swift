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
    // Safe to share: each shard, and each chunk's rows of the kept buffers, is touched by one worker at a time.

    /// The most samples of one chunk, and the fewest chunks: standard errors come from their spread.
    private static let largestChunk = 1024
    private static let fewestChunks = 8
    /// Bytes of one chunk's values and gradients.
    private static let chunkBytes = 64 << 20
    /// Bytes of activities kept between visits; beyond, the network is run again.
    static let keptBytes = 256 << 20

    let readings: [ActivityReading]
    let positions: [Int32]
    let shardCount: Int
    /// Samples of one chunk.
    let chunk: Int
    private let batches: Batches
    private let loss: LossParameters
    private let architecture: Architecture
    private let shards: [Shard]
    private let reads: [SiteRead]
    /// Executors do not own what they read.
    private let arenas: [ParameterArena]
    /// What is read, for all samples; empty where it is not kept.
    private let kept: [SiteRead: AlignedBuffer]
    private var isFilled = false
    /// How often the network ran over the samples.
    private(set) var runs = 0

    private final class Shard {
        let executor: Executor
        let labels: UnsafeMutablePointer<Int32>
        var loss = LossParameters.RowSums()
        /// What is read and not kept, for one chunk.
        let rows: [SiteRead: AlignedBuffer]

        init(_ executor: Executor, _ rows: [SiteRead: AlignedBuffer]) {
            self.executor = executor
            self.rows = rows
            labels = .allocate(capacity: executor.capacity)
        }

        deinit { labels.deallocate() }
    }

    /// - Parameters:
    ///   - positions: the samples to run over, as positions in the split.
    ///   - keptBytes: what may be kept between visits.
    init(
        _ network: Network, readings: [ActivityReading], split: Split, normalization: Normalization,
        positions: [Int32], loss: LossParameters, shards shardLimit: Int, keptBytes: Int = keptBytes
    ) {
        self.readings = readings
        self.positions = positions
        self.loss = loss
        let architecture = network.architecture
        self.architecture = architecture
        batches = Batches(split, normalization, shape: architecture.inputShape)
        let most = min(Self.largestChunk, (positions.count + Self.fewestChunks - 1) / Self.fewestChunks)
        let reads = SiteRead.all(readings, in: architecture)
        self.reads = reads
        let names = Set(reads.map(\.node))
        let chunk = Executor.rows(
            of: architecture, purpose: .measurement, keeping: names, within: Self.chunkBytes,
            atMost: max(1, most))
        self.chunk = chunk
        shardCount = max(1, min(shardLimit, (positions.count + chunk - 1) / chunk))
        let parameters = ParameterArena(ParameterLayout(architecture), network.parameters)
        let state = ParameterArena(ParameterLayout.state(architecture), network.state)
        arenas = [parameters, state]

        // The data are had again at no cost.
        let keepable = reads.filter { $0.node != Architecture.inputName }
        let perSample = keepable.reduce(0) { $0 + $1.count }
        let fits = perSample * positions.count * MemoryLayout<Float>.stride <= keptBytes
        kept = Dictionary(
            uniqueKeysWithValues: (fits ? keepable : []).map {
                ($0, AlignedBuffer(count: positions.count * $0.count))
            })
        let passing = reads.filter { [kept] in kept[$0] == nil }
        shards = (0..<shardCount).map { _ in
            let executor = Executor(
                architecture, parameters: parameters, state: state, capacity: chunk, purpose: .measurement,
                keeping: names)
            return Shard(
                executor,
                Dictionary(uniqueKeysWithValues: passing.map { ($0, AlignedBuffer(count: chunk * $0.count)) })
            )
        }
    }

    var chunkCount: Int { (positions.count + chunk - 1) / chunk }

    /// Mean loss over the samples; known after the first visit.
    var meanLoss: Double {
        shards.reduce(0) { $0 + $1.loss.loss } / Double(max(positions.count, 1))
    }

    /// Calls `body` for every chunk with the rows of every reading.
    func visit(
        threads: Int, _ body: @escaping @Sendable (_ shard: Int, _ rows: [SiteRows]) throws -> Void
    ) throws {
        let pieces = Pieces(shardCount)
        try WorkerTeam.run(max(1, min(threads, shardCount))) { [self] _ in
            while let shard = pieces.next() {
                for chunk in stride(from: shard, to: chunkCount, by: shardCount) {
                    try body(shard, rows(of: chunk, in: shards[shard]))
                }
            }
        }
        if !isFilled || kept.isEmpty { runs += 1 }
        isFilled = true
    }

    private func rows(of chunk: Int, in shard: Shard) -> [SiteRows] {
        let first = chunk * self.chunk
        let range = first..<min(first + self.chunk, positions.count)
        if !(isFilled && !kept.isEmpty) {
            run(range, in: shard)
            for read in reads { copy(read, range, from: shard) }
        } else if let data = reads.first(where: { $0.node == Architecture.inputName }) {
            gather(range, in: shard)
            copy(data, range, from: shard)
        }
        return readings.map { reading in
            func pointer(_ read: SiteRead) -> UnsafePointer<Float> {
                guard let buffer = kept[read] else { return UnsafePointer(self.buffer(read, shard).pointer) }
                return UnsafePointer(buffer.pointer + first * read.count)
            }
            return SiteRows(
                rows: range.count, input: pointer(.input(of: reading, in: architecture)),
                hidden: pointer(.hidden(of: reading, in: architecture)),
                gradient: pointer(.gradient(of: reading, in: architecture)))
        }
    }

    private func buffer(_ read: SiteRead, _ shard: Shard) -> AlignedBuffer {
        guard let buffer = shard.rows[read] else { preconditionFailure("\(read.node) is not read") }
        return buffer
    }

    private func copy(_ read: SiteRead, _ range: Range<Int>, from shard: Shard) {
        let into =
            kept[read].map { $0.pointer + range.lowerBound * read.count } ?? buffer(read, shard).pointer
        read.copy(from: shard.executor, rows: range.count, into: into)
    }

    private func gather(_ range: Range<Int>, in shard: Shard) {
        batches.gather(positions[range], into: shard.executor.input.value, labels: shard.labels)
    }

    private func run(_ range: Range<Int>, in shard: Shard) {
        let executor = shard.executor
        gather(range, in: shard)
        executor.forward(rows: range.count)
        // Scaled by −1, what flows back is the functional gradient itself.
        let sums = loss.evaluate(
            executor.output, labels: shard.labels, rows: range.count, scale: -1, hasGradient: true)
        executor.backward(rows: range.count, parameterGradients: false)
        if !isFilled { shard.loss += sums }
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

    static func input(of reading: ActivityReading, in architecture: Architecture) -> SiteRead {
        SiteRead(reading.input, architecture)
    }

    static func hidden(of reading: ActivityReading, in architecture: Architecture) -> SiteRead {
        SiteRead(reading.hidden, architecture, flattenedChannels: reading.flattenedChannels)
    }

    static func gradient(of reading: ActivityReading, in architecture: Architecture) -> SiteRead {
        SiteRead(reading.gradient, architecture, isGradient: true)
    }

    /// Each once, in the order of readings.
    static func all(_ readings: [ActivityReading], in architecture: Architecture) -> [SiteRead] {
        var found: [SiteRead] = []
        for read in readings.flatMap({
            [
                input(of: $0, in: architecture), hidden(of: $0, in: architecture),
                gradient(of: $0, in: architecture),
            ]
        }) where !found.contains(read) { found.append(read) }
        return found
    }

    private init(
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
