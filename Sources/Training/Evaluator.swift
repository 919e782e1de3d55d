internal import Datasets
internal import Foundation
package import Networks
internal import Tensors

/// Measures a network over a split, in chunks whose size depends on the architecture.
///
/// Chunks are added in their order, so results do not depend on the number of threads.
package struct Evaluator: Sendable {
    /// The most rows of one chunk, and the bytes its values may take.
    private static let largestChunk = 512
    private static let chunkBytes = 64 << 20

    private let architecture: Architecture
    private let parameters: ParameterArena
    private let state: ParameterArena
    private let batches: Batches
    /// Rows of one chunk; depends on the architecture alone.
    private let chunk: Int

    /// - Parameter state: of a network that has any.
    package init(
        _ architecture: Architecture, _ parameters: ParameterArena, state: ParameterArena? = nil,
        _ batches: Batches
    ) {
        self.architecture = architecture
        self.parameters = parameters
        self.state = state ?? ParameterArena(.state(architecture))
        self.batches = batches
        chunk = Executor.rows(
            of: architecture, purpose: .inference, keeping: [], within: Self.chunkBytes,
            atMost: Self.largestChunk)
    }

    /// The loss and the correct classifications, summed over the split.
    package func sums(_ loss: LossParameters, threads: Int) throws -> LossParameters.RowSums {
        let parts = try map(threads: threads) { executor, labels, rows in
            loss.evaluate(executor.output, labels: labels, rows: rows)
        }
        return parts.reduce(into: LossParameters.RowSums()) { $0 += $1 }
    }

    /// The same, and every sample's outputs, [n, classes], before any softmax.
    ///
    /// - Parameter mirrors: measures the means of the outputs for each image and for its mirror image.
    package func outputs(
        _ loss: LossParameters, mirrors: Bool = false, threads: Int
    ) throws -> (values: [Float], sums: LossParameters.RowSums) {
        let parts = try map(mirrors: mirrors, threads: threads) { executor, labels, rows in
            var values = [Float](repeating: 0, count: rows * executor.output.count)
            executor.readRows(of: executor.architecture.outputName, .value, rows: rows, into: &values)
            return (values: values, sums: loss.evaluate(executor.output, labels: labels, rows: rows))
        }
        return (parts.flatMap(\.values), parts.reduce(into: LossParameters.RowSums()) { $0 += $1.sums })
    }

    /// Computes one value per chunk, in the order of chunks.
    ///
    /// - Parameters:
    ///   - mirrors: puts the means of the outputs for images and mirror images in place of the outputs.
    ///   - body: gets an executor that has run over the chunk, labels [rows] and rows.
    private func map<Part: Sendable>(
        mirrors: Bool = false, threads: Int,
        _ body: @escaping @Sendable (Executor, UnsafePointer<Int32>, Int) -> Part
    ) throws -> [Part] {
        let chunks = (batches.count + chunk - 1) / chunk
        let workers = max(1, min(threads, chunks))
        let results = ResultSlots<Part>(count: chunks)
        let pieces = Pieces(chunks)
        try WorkerTeam.run(workers) { _ in
            let executor = Executor(
                architecture, parameters: parameters, state: state, capacity: min(chunk, batches.count),
                purpose: .inference, keeping: [])
            let labels = UnsafeMutablePointer<Int32>.allocate(capacity: chunk)
            defer { labels.deallocate() }
            while let index = pieces.next() {
                let first = index * chunk
                let rows = min(chunk, batches.count - first)
                let positions = (first..<first + rows).map(Int32.init)
                batches.gather(positions[...], into: executor.input.value, labels: labels)
                executor.forward(rows: rows)
                if mirrors {
                    let plain = (0..<executor.output.elements(rows)).map { executor.output.value[$0] }
                    batches.gather(
                        positions[...], into: executor.input.value, labels: labels, augmentation: .mirror)
                    executor.forward(rows: rows)
                    for (place, value) in plain.enumerated() {
                        executor.output.value[place] = (executor.output.value[place] + value) / 2
                    }
                }
                results.set(index, body(executor, labels, rows))
            }
        }
        return results.values
    }
}
