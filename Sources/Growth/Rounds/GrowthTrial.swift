internal import Datasets
internal import Networks
internal import Tensors
internal import Training

/// Tries an extension at different amplitudes without growing the network.
///
/// Everything below the consumer is computed once: its output A, z = X αᵀ and D = H δWᵀ. At amplitude γ its output is
/// A + γ D + √γ σ(√γ z) ωᵀ, and only what follows is computed again.
final class GrowthTrial: @unchecked Sendable {
    // Safe to share: a chunk's rows, and a worker's executors, are touched by one worker at a time.

    private static let chunk = 512

    private let site: GrowthSite
    private let batches: Batches
    private let loss: LossParameters
    private let count: Int
    private let classes: Int
    private let neurons: Int
    private let outputs: Int
    private let workers: [Worker]
    private let fanOut: AlignedBuffer
    private let labels: [Int32]
    /// For all samples: A [n, c], D [n, c] where there is an update, z [n, k].
    private let base: AlignedBuffer
    private let move: AlignedBuffer?
    private let activity: AlignedBuffer

    private final class Worker {
        let executor: Executor
        /// σ of what lies between, for k neurons; nil where nothing does.
        let between: Executor?
        let labels: UnsafeMutablePointer<Int32>
        /// Executors do not own the parameters they read.
        private let arena: ParameterArena

        init(_ network: Network, _ site: GrowthSite, neurons: Int, capacity: Int) throws {
            arena = ParameterArena(ParameterLayout(network.architecture), network.parameters)
            executor = Executor(network.architecture, parameters: arena, capacity: capacity)
            labels = .allocate(capacity: capacity)
            between = try Self.between(network.architecture, site, neurons, capacity)
        }

        deinit { labels.deallocate() }

        private static func between(
            _ architecture: Architecture, _ site: GrowthSite, _ neurons: Int, _ capacity: Int
        ) throws -> Executor? {
            guard neurons > 0, !site.between.isEmpty else { return nil }
            var previous = Architecture.inputName
            let nodes = architecture.nodes.filter { site.between.contains($0.name) }.map { node in
                defer { previous = node.name }
                return Architecture.Node(node.name, node.operation, inputs: [previous])
            }
            let chain = try Architecture(inputShape: [neurons], nodes: nodes)
            return Executor(chain, parameters: ParameterArena(ParameterLayout(chain)), capacity: capacity)
        }
    }

    /// - Parameter extension: fits the network as it is, at amplitude 1.
    init(
        _ extension: Extension, at site: GrowthSite, of network: Network, batches: Batches,
        loss: LossParameters,
        threads: Int
    ) throws {
        self.site = site
        self.batches = batches
        self.loss = loss
        count = batches.count
        classes = network.architecture.outputCount
        let neurons = `extension`.neurons
        self.neurons = neurons.count
        outputs = neurons.fanOut.rows
        let chunks = (batches.count + Self.chunk - 1) / Self.chunk
        let capacity = min(Self.chunk, max(batches.count, 1))
        workers = try (0..<max(1, min(threads, chunks))).map { _ in
            try Worker(network, site, neurons: neurons.count, capacity: capacity)
        }
        labels = batches.split.labels
        base = AlignedBuffer(count: count * outputs)
        move = `extension`.update == nil ? nil : AlignedBuffer(count: count * outputs)
        activity = AlignedBuffer(count: count * neurons.count)
        fanOut = AlignedBuffer(count: outputs * neurons.count)
        for (index, value) in neurons.fanOut.values.enumerated() { fanOut.pointer[index] = Float(value) }
        try prepare(neurons.fanIn, `extension`.update)
    }

    /// Runs `body(worker, first, rows)` for every chunk.
    private func forEachChunk(_ body: @escaping @Sendable (Int, Int, Int) -> Void) throws {
        let (count, stride) = (self.count, workers.count * Self.chunk)
        try WorkerTeam.run(workers.count) { worker in
            for first in Swift.stride(from: worker * Self.chunk, to: count, by: stride) {
                body(worker, first, min(Self.chunk, count - first))
            }
        }
    }

    private func prepare(_ fanIn: Matrix, _ update: Matrix?) throws {
        let fanIn = AffineRows(fanIn, hasBias: site.producerHasBias)
        let update = update.map { AffineRows($0, hasBias: site.consumerHasBias) }
        try forEachChunk { [self] worker, first, rows in
            let (executor, labels) = (workers[worker].executor, workers[worker].labels)
            let positions = (first..<first + rows).map(Int32.init)
            batches.gather(positions[...], rows: executor.input.value, labels: labels)
            executor.forward(rows: rows)
            let output = executor.port(site.consumer).value
            (base.pointer + first * outputs).update(from: output, count: rows * outputs)
            fanIn.apply(
                to: executor.port(site.producerInput).value, rows: rows,
                into: activity.pointer + first * neurons)
            if let update, let move {
                update.apply(
                    to: executor.port(site.consumerInput).value, rows: rows,
                    into: move.pointer + first * outputs)
            }
        }
    }

    /// The mean loss at amplitude γ; not finite where the outputs are not.
    func loss(at amplitude: Double) throws -> Double {
        let chunks = (count + Self.chunk - 1) / Self.chunk
        let sums = UnsafeMutablePointer<Double>.allocate(capacity: max(chunks, 1))
        defer { sums.deallocate() }
        let results = Results(sums)
        try forEachChunk { [self] worker, first, rows in
            let executor = workers[worker].executor
            place(amplitude, first, rows, workers[worker])
            executor.forward(rows: rows, after: site.consumer)
            let found = labels.withUnsafeBufferPointer { labels in
                labels.baseAddress.map {
                    loss.evaluate(
                        outputs: executor.output.value, labels: $0 + first, rows: rows, classes: classes)
                }
            }
            results.sums[first / Self.chunk] = found?.loss ?? 0
        }
        return (0..<chunks).reduce(0) { $0 + sums[$1] } / Double(max(count, 1))
    }

    private struct Results: @unchecked Sendable {
        let sums: UnsafeMutablePointer<Double>
        init(_ sums: UnsafeMutablePointer<Double>) { self.sums = sums }
    }

    /// Writes the consumer's output at amplitude γ into its port.
    private func place(_ amplitude: Double, _ first: Int, _ rows: Int, _ worker: Worker) {
        let output = worker.executor.port(site.consumer).value
        let from = base.pointer + first * outputs
        if let move {
            let (step, amplitude) = (move.pointer + first * outputs, Float(amplitude))
            for index in 0..<rows * outputs { output[index] = from[index] + amplitude * step[index] }
        } else {
            output.update(from: from, count: rows * outputs)
        }
        guard neurons > 0, amplitude > 0 else { return }
        let root = Float(amplitude.squareRoot())
        let z = activity.pointer + first * neurons
        let values: UnsafeMutablePointer<Float>
        if let between = worker.between {
            for index in 0..<rows * neurons { between.input.value[index] = root * z[index] }
            between.forward(rows: rows)
            values = between.output.value
            for index in 0..<rows * neurons { values[index] *= root }
            add(values, rows, to: output)
        } else {
            let scaled = AlignedBuffer(count: rows * neurons)
            withExtendedLifetime(scaled) {
                for index in 0..<rows * neurons { scaled.pointer[index] = root * root * z[index] }
                add(scaled.pointer, rows, to: output)
            }
        }
    }

    /// output += values ωᵀ
    private func add(_ values: UnsafePointer<Float>, _ rows: Int, to output: UnsafeMutablePointer<Float>) {
        Products.multiply(
            rows: rows, columns: outputs, inner: neurons, Products.Operand(values, stride: neurons),
            Products.Operand(fanOut.pointer, stride: neurons, transposed: true), into: output,
            stride: outputs, beta: 1)
    }
}

/// x ↦ W x + w for chunks of rows, in Float32.
final class AffineRows: @unchecked Sendable {
    // Safe to share: read only after `init`.
    private let weights: AlignedBuffer
    private let bias: [Float]
    private let inputs: Int
    private let outputs: Int

    /// - Parameter matrix: [W | w], [outputs, inputs + 1], or W alone.
    init(_ matrix: Matrix, hasBias: Bool) {
        inputs = matrix.columns - (hasBias ? 1 : 0)
        outputs = matrix.rows
        weights = AlignedBuffer(count: inputs * outputs)
        for row in 0..<outputs {
            for column in 0..<inputs { weights.pointer[row * inputs + column] = Float(matrix[row, column]) }
        }
        bias = hasBias ? matrix.column(inputs).map(Float.init) : Array(repeating: 0, count: outputs)
    }

    /// Writes [rows, outputs].
    ///
    /// - Parameter result: what it holds is added to, times `beta`.
    func apply(
        to rows: UnsafePointer<Float>, rows count: Int, into result: UnsafeMutablePointer<Float>
    ) {
        for row in 0..<count {
            for column in 0..<outputs { result[row * outputs + column] = bias[column] }
        }
        Products.multiply(
            rows: count, columns: outputs, inner: inputs, Products.Operand(rows, stride: inputs),
            Products.Operand(weights.pointer, stride: inputs, transposed: true), into: result,
            stride: outputs, beta: 1)
    }
}
