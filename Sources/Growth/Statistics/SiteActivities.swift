internal import Networks
internal import Tensors
internal import Training

/// The rows of one site for one chunk of samples, without the ones of biases.
struct SiteRows {
    let rows: Int
    /// X, [rows, inputs].
    let input: UnsafePointer<Float>
    /// H, [rows, width].
    let hidden: UnsafePointer<Float>
    /// G = −dL_i/d(consumer's output), [rows, outputs].
    let gradient: UnsafePointer<Float>
}

/// Runs a network over samples and shows the activities and gradients of its sites, chunk by chunk.
///
/// Chunks belong to a fixed number of shards, chunk i to shard i mod shards, and a shard's chunks are visited in
/// order by one thread; sums kept per shard and added in the order of shards do not depend on the number of threads.
/// The first visit runs the network; where memory allows, later ones read what it left.
final class SiteActivities: @unchecked Sendable {
    // Safe to share: each shard, and each chunk's rows of the kept buffers, is touched by one worker at a time.

    /// The most samples of one chunk, and the fewest chunks: standard errors come from their spread.
    private static let largestChunk = 1024
    private static let fewestChunks = 8
    /// Bytes of activities kept between visits; beyond, the network is run again.
    private static let keptBytes = 256 << 20

    let sites: [GrowthSite]
    let positions: [Int32]
    let shardCount: Int
    /// Samples of one chunk.
    let chunk: Int
    private let batches: Batches
    private let loss: LossParameters
    private let architecture: Architecture
    private let shards: [Shard]
    /// Executors do not own the parameters they read.
    private let arena: ParameterArena
    /// Values and gradients of nodes for all samples, [n, count]; empty where they are not kept.
    private var values: [String: AlignedBuffer] = [:]
    private var gradients: [String: AlignedBuffer] = [:]
    private var isFilled = false

    private final class Shard {
        let executor: Executor
        let labels: UnsafeMutablePointer<Int32>
        var loss = LossParameters.RowSums()

        init(_ executor: Executor) {
            self.executor = executor
            labels = .allocate(capacity: executor.capacity)
        }

        deinit { labels.deallocate() }
    }

    /// - Parameter positions: the samples to run over, as positions in `batches`.
    init(
        _ network: Network, sites: [GrowthSite], batches: Batches, positions: [Int32], loss: LossParameters,
        shards shardLimit: Int
    ) {
        self.sites = sites
        self.positions = positions
        self.batches = batches
        self.loss = loss
        architecture = network.architecture
        let chunk = max(
            1, min(Self.largestChunk, (positions.count + Self.fewestChunks - 1) / Self.fewestChunks))
        self.chunk = chunk
        shardCount = max(1, min(shardLimit, (positions.count + chunk - 1) / chunk))
        arena = ParameterArena(ParameterLayout(architecture), network.parameters)
        shards = (0..<shardCount).map { [architecture, arena] _ in
            Shard(Executor(architecture, parameters: arena, capacity: chunk))
        }
        keepIfSmall()
    }

    var chunkCount: Int { (positions.count + chunk - 1) / chunk }

    /// Mean loss over the samples; known after the first visit.
    var meanLoss: Double {
        shards.reduce(0) { $0 + $1.loss.loss } / Double(max(positions.count, 1))
    }

    private func keepIfSmall() {
        var valueNodes = Set(sites.flatMap { [$0.producerInput, $0.consumerInput] })
        valueNodes.remove(Architecture.inputName)
        let gradientNodes = Set(sites.map(\.consumer))
        func count(_ name: String) -> Int { architecture.shape(of: name)?.reduce(1, *) ?? 0 }
        let perSample = (Array(valueNodes) + Array(gradientNodes)).reduce(0) { $0 + count($1) }
        guard perSample * positions.count * MemoryLayout<Float>.stride <= Self.keptBytes else { return }
        for node in valueNodes { values[node] = AlignedBuffer(count: positions.count * count(node)) }
        for node in gradientNodes { gradients[node] = AlignedBuffer(count: positions.count * count(node)) }
    }

    private var isKept: Bool { !gradients.isEmpty }

    /// Calls `body` for every chunk with the rows of every site.
    func visit(
        threads: Int,
        _ body: @escaping @Sendable (_ shard: Int, _ chunk: Int, _ rows: [SiteRows]) throws -> Void
    ) throws {
        let workers = max(1, min(threads, shardCount))
        try WorkerTeam.run(workers) { [self] worker in
            for shard in stride(from: worker, to: shardCount, by: workers) {
                for chunk in stride(from: shard, to: chunkCount, by: shardCount) {
                    try body(shard, chunk, rows(of: chunk, in: shards[shard]))
                }
            }
        }
        isFilled = true
    }

    private func rows(of chunk: Int, in shard: Shard) -> [SiteRows] {
        let first = chunk * self.chunk
        let range = first..<min(first + self.chunk, positions.count)
        if !(isFilled && isKept) {
            run(range, in: shard)
            keep(range, from: shard.executor)
        } else if sites.contains(where: { $0.producerInput == Architecture.inputName }) {
            batches.gather(positions[range], rows: shard.executor.input.value, labels: shard.labels)
        }
        return sites.map { site in
            SiteRows(
                rows: range.count, input: value(site.producerInput, first, shard.executor),
                hidden: value(site.consumerInput, first, shard.executor),
                gradient: gradient(site.consumer, first, shard.executor))
        }
    }

    private func run(_ range: Range<Int>, in shard: Shard) {
        let executor = shard.executor
        batches.gather(positions[range], rows: executor.input.value, labels: shard.labels)
        executor.forward(rows: range.count)
        // Scaled by −1, what flows back is the functional gradient itself.
        let sums = loss.evaluate(
            outputs: executor.output.value, labels: shard.labels, rows: range.count,
            classes: architecture.outputCount,
            scale: -1, gradient: executor.output.gradient)
        executor.backward(rows: range.count, parameterGradients: false)
        if !isFilled { shard.loss += sums }
    }

    private func keep(_ range: Range<Int>, from executor: Executor) {
        for (node, buffer) in values {
            let port = executor.port(node)
            (buffer.pointer + range.lowerBound * port.count).update(
                from: port.value, count: range.count * port.count)
        }
        for (node, buffer) in gradients {
            let port = executor.port(node)
            (buffer.pointer + range.lowerBound * port.count)
                .update(from: port.gradient, count: range.count * port.count)
        }
    }

    private func value(_ node: String, _ first: Int, _ executor: Executor) -> UnsafePointer<Float> {
        let port = executor.port(node)
        return values[node].map { UnsafePointer($0.pointer + first * port.count) }
            ?? UnsafePointer(port.value)
    }

    private func gradient(_ node: String, _ first: Int, _ executor: Executor) -> UnsafePointer<Float> {
        let port = executor.port(node)
        return gradients[node].map { UnsafePointer($0.pointer + first * port.count) }
            ?? UnsafePointer(port.gradient)
    }
}
