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
    private let chunks: SampleChunks

    /// - Parameter state: of a network that has any.
    package init(
        _ architecture: Architecture, _ parameters: ParameterArena, state: ParameterArena? = nil,
        _ batches: Batches
    ) {
        self.architecture = architecture
        self.parameters = parameters
        self.state = state ?? ParameterArena(.state(architecture))
        chunks = SampleChunks(
            batches, for: architecture, within: Self.chunkBytes, atMost: Self.largestChunk)
    }

    /// The loss and the correct classifications, summed over the split.
    package func sums(_ loss: LossParameters, threads: Int) throws -> LossParameters.RowSums {
        let parts = try map(threads: threads) {
            loss.evaluate($0.executor.output, labels: $0.labels, rows: $0.rows)
        }
        return parts.reduce(into: LossParameters.RowSums()) { $0 += $1 }
    }

    /// The same, and every sample's outputs, [n, classes], before any softmax.
    ///
    /// - Parameter mirrors: measures the means of the outputs for each image and for its mirror image.
    package func outputs(
        _ loss: LossParameters, mirrors: Bool = false, threads: Int
    ) throws -> (values: [Float], sums: LossParameters.RowSums) {
        let parts = try map(mirrors: mirrors, threads: threads) { chunk in
            let (executor, rows) = (chunk.executor, chunk.rows)
            var values = [Float](repeating: 0, count: rows * executor.output.count)
            executor.readRows(of: executor.architecture.outputName, .value, rows: rows, into: &values)
            return (values: values, sums: loss.evaluate(executor.output, labels: chunk.labels, rows: rows))
        }
        return (parts.flatMap(\.values), parts.reduce(into: LossParameters.RowSums()) { $0 += $1.sums })
    }

    /// Computes one value per chunk, in the order of chunks.
    ///
    /// - Parameters:
    ///   - mirrors: puts the means of the outputs for images and mirror images in place of the outputs.
    ///   - body: gets a chunk that an executor has run over.
    private func map<Part: Sendable>(
        mirrors: Bool = false, threads: Int, _ body: @escaping @Sendable (SampleChunks.Visit) -> Part
    ) throws -> [Part] {
        let team = SampleChunks.Team(max(1, min(threads, chunks.count))) {
            Executor(
                architecture, parameters: parameters, state: state,
                capacity: min(chunks.size, chunks.samples), purpose: .inference, keeping: [])
        }
        return try chunks.map(team) { chunk in
            let executor = chunk.executor
            chunk.gather()
            executor.forward(rows: chunk.rows)
            if mirrors {
                let plain = (0..<executor.output.elements(chunk.rows)).map { executor.output.value[$0] }
                chunk.gather(augmentation: .mirror)
                executor.forward(rows: chunk.rows)
                for (place, value) in plain.enumerated() {
                    executor.output.value[place] = (executor.output.value[place] + value) / 2
                }
            }
            return body(chunk)
        }
    }
}
