package import Networks
internal import Tensors

/// Samples of a split in chunks, and the walk over them: workers that are free take shards, whose chunks come in order.
///
/// Chunks depend on the architecture and the samples alone, so what is added in the order of chunks, or of shards, does not
/// depend on the number of threads.
package struct SampleChunks: Sendable {
    /// Samples, and the chunks that they make.
    package let samples: Int
    package var count: Int { (samples + size - 1) / size }
    /// Samples of every chunk but the last.
    package let size: Int
    private let batches: Batches
    /// In the split; nil for all of it.
    private let positions: [Int32]?

    /// - Parameters:
    ///   - bytes: what the values of a chunk may take.
    ///   - limit: the most samples of a chunk.
    package init(
        _ batches: Batches, positions: [Int32]? = nil, for architecture: Architecture,
        purpose: Executor.Purpose = .inference, keeping: Set<String> = [], within bytes: Int,
        atMost limit: Int
    ) {
        self.batches = batches
        self.positions = positions
        samples = positions?.count ?? batches.count
        size = Executor.rows(
            of: architecture, purpose: purpose, keeping: keeping, within: bytes,
            atMost: max(1, min(limit, samples)))
    }

    /// Executors of one network, one for each worker.
    package struct Team: @unchecked Sendable {
        // Safe to share: each is used by one worker.
        package let executors: [Executor]

        package init(_ count: Int, _ make: () -> Executor) { executors = (0..<count).map { _ in make() } }
    }

    /// One chunk in the hands of a worker.
    package struct Visit {
        package let index: Int
        package let shard: Int
        /// Of the team.
        package let worker: Int
        /// Among all samples.
        package let range: Range<Int>
        package let executor: Executor
        package let labels: UnsafeMutablePointer<Int32>
        fileprivate let chunks: SampleChunks

        package var rows: Int { range.count }

        /// Writes the chunk's samples where the executor reads them, and their labels.
        package func gather() { gather(augmentation: nil) }

        func gather(augmentation: AugmentationDraw?) {
            let positions = chunks.positions.map { $0[range] } ?? range.map(Int32.init)[...]
            chunks.batches.gather(
                positions, into: executor.input.value, labels: labels, augmentation: augmentation)
        }
    }

    /// What `body` makes of every chunk, or of the first so many, in their order; chunk i is in shard i mod `shards`.
    ///
    /// - Parameter shards: nil for one of each chunk.
    @discardableResult
    package func map<Value: Sendable>(
        _ team: Team, shards: Int? = nil, first limit: Int? = nil,
        _ body: @escaping @Sendable (Visit) throws -> Value
    ) throws -> [Value] {
        let limit = limit ?? count
        guard limit > 0 else { return [] }
        let results = ResultSlots<Value>(count: limit)
        let shards = shards ?? limit
        let pieces = Pieces(shards)
        try WorkerTeam.run(team.executors.count) { worker in
            let labels = UnsafeMutablePointer<Int32>.allocate(capacity: size)
            defer { labels.deallocate() }
            while let shard = pieces.next() {
                for chunk in stride(from: shard, to: limit, by: shards) {
                    let range = chunk * size..<min((chunk + 1) * size, samples)
                    let visit = Visit(
                        index: chunk, shard: shard, worker: worker, range: range,
                        executor: team.executors[worker],
                        labels: labels, chunks: self)
                    results.set(chunk, try body(visit))
                }
            }
        }
        return results.values
    }
}
