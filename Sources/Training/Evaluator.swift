internal import Datasets
internal import Foundation
package import Networks
internal import Tensors

/// Measures a network over a split, in chunks of fixed size.
///
/// Chunks are added in their order, so results do not depend on the number of threads.
package struct Evaluator: Sendable {
    /// Rows of one chunk.
    package static let chunk = 512

    private let architecture: Architecture
    private let parameters: ParameterArena
    private let batches: Batches

    package init(_ architecture: Architecture, _ parameters: ParameterArena, _ batches: Batches) {
        self.architecture = architecture
        self.parameters = parameters
        self.batches = batches
    }

    /// The loss and the correct classifications, summed over the split.
    package func sums(_ loss: LossParameters, threads: Int) throws -> LossParameters.RowSums {
        let classes = architecture.outputCount
        let parts = try map(threads: threads) { _, outputs, labels, rows in
            loss.evaluate(outputs: outputs, labels: labels, rows: rows, classes: classes)
        }
        return parts.reduce(into: LossParameters.RowSums()) { $0 += $1 }
    }

    /// Every sample's outputs, [n, classes], before any softmax.
    package func outputs(threads: Int) throws -> [Float] {
        let classes = architecture.outputCount
        return try map(threads: threads) { _, outputs, _, rows in
            Array(UnsafeBufferPointer(start: outputs, count: rows * classes))
        }.flatMap { $0 }
    }

    /// Computes one value per chunk, in the order of chunks.
    ///
    /// - Parameter body: gets the chunk's first sample, outputs [rows, classes], labels [rows] and rows.
    private func map<Part: Sendable>(
        threads: Int,
        _ body: @escaping @Sendable (Int, UnsafePointer<Float>, UnsafePointer<Int32>, Int) -> Part
    ) throws -> [Part] {
        let chunks = (batches.count + Self.chunk - 1) / Self.chunk
        let workers = max(1, min(threads, chunks))
        let results = ResultSlots<Part>(count: chunks)
        try WorkerTeam.run(workers) { worker in
            let executor = Executor(
                architecture, parameters: parameters, capacity: min(Self.chunk, batches.count))
            let labels = UnsafeMutablePointer<Int32>.allocate(capacity: Self.chunk)
            defer { labels.deallocate() }
            for index in stride(from: worker, to: chunks, by: workers) {
                let first = index * Self.chunk
                let rows = min(Self.chunk, batches.count - first)
                let positions = (first..<first + rows).map(Int32.init)
                batches.gather(positions[...], rows: executor.input.value, labels: labels)
                executor.forward(rows: rows)
                results.set(index, body(first, executor.output.value, labels, rows))
            }
        }
        return results.values
    }
}
