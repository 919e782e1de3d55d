internal import Networks
internal import Tensors

/// The parts of a network that trials of an extension run, on one thread.
final class TrialNetwork {
    /// The network up to the consumer, as it is.
    private let below: Executor
    /// The network, of which only what follows the consumer is run.
    private let executor: Executor
    let labels: UnsafeMutablePointer<Int32>
    /// X ↦ z, before any amplitude.
    private let fanIn: AffineMap
    /// H ↦ δW H; nil where the consumer does not move.
    private let move: AffineMap?
    /// z ↦ what the new neurons add to the consumer's output.
    private let side: Executor
    private let site: GrowthSite
    /// Executors do not own what they read.
    private let arenas: [ParameterArena]
    private let input: AlignedBuffer
    private let hidden: AlignedBuffer
    private let activity: AlignedBuffer
    private let added: AlignedBuffer
    private let combined: AlignedBuffer

    /// Elements of one sample: of z, and of the consumer's output.
    let activityCount: Int
    let outputCount: Int

    /// - Parameters:
    ///   - extension: fits the network as it is, at amplitude 1.
    ///   - frontier: nodes that are read after the consumer, besides it.
    init(
        _ extension: Extension, at site: GrowthSite, of network: Network, frontier: Set<String>, capacity: Int
    ) throws {
        self.site = site
        let architecture = network.architecture
        let parameters = ParameterArena(ParameterLayout(architecture), network.parameters)
        let state = ParameterArena(ParameterLayout.state(architecture), network.state)
        executor = Executor(
            architecture, parameters: parameters, state: state, capacity: capacity, purpose: .inference,
            keeping: frontier.union([site.consumer]))
        let part = try architecture.upTo(site.consumer)
        let partParameters = ParameterArena(ParameterLayout(part), network.parameters)
        let partState = ParameterArena(ParameterLayout.state(part), network.state)
        below = Executor(
            part, parameters: partParameters, state: partState, capacity: capacity, purpose: .inference,
            keeping: Self.reads(at: site, frontier: frontier))
        labels = .allocate(capacity: capacity)

        let (producer, consumer) = (architecture.layer(site.producer), architecture.layer(site.consumer))
        let inputShape = architecture.shape(of: site.producerInput) ?? []
        let hiddenShape = architecture.shape(of: site.consumerInput) ?? []
        fanIn = try AffineMap(
            `extension`.neurons.fanIn, hasBias: site.producerHasBias, like: producer, over: inputShape,
            capacity: capacity)
        move = try `extension`.update.map {
            try AffineMap(
                $0, hasBias: site.consumerHasBias, like: consumer, over: hiddenShape, capacity: capacity)
        }
        let side = try SideNetwork(`extension`, at: site, of: network)
        let sideState = ParameterArena(ParameterLayout.state(side.architecture), side.state)
        let sideParameters = ParameterArena(ParameterLayout(side.architecture), side.parameters)
        self.side = Executor(
            side.architecture, parameters: sideParameters, state: sideState, capacity: capacity,
            purpose: .inference)
        arenas = [parameters, state, partParameters, partState, sideParameters, sideState]

        activityCount = side.architecture.inputCount
        outputCount = site.geometry.outputCount
        input = AlignedBuffer(count: capacity * inputShape.reduce(1, *))
        hidden = AlignedBuffer(count: capacity * hiddenShape.reduce(1, *))
        activity = AlignedBuffer(count: capacity * activityCount)
        added = AlignedBuffer(count: capacity * outputCount)
        combined = AlignedBuffer(count: capacity * outputCount)
    }

    deinit { labels.deallocate() }

    /// Nodes that a trial reads or writes.
    static func reads(at site: GrowthSite, frontier: Set<String>) -> Set<String> {
        frontier.union([site.producerInput, site.consumerInput, site.consumer])
    }

    /// Where the data of a pass up to the consumer, and of one behind it, are put.
    var inputs: (below: UnsafeMutablePointer<Float>, behind: UnsafeMutablePointer<Float>) {
        (below.input.value, executor.input.value)
    }

    /// Runs up to the consumer and writes its output A, how far it moves D, and z.
    func run(
        rows: Int, base: UnsafeMutablePointer<Float>, move moved: UnsafeMutablePointer<Float>?,
        activity: UnsafeMutablePointer<Float>
    ) {
        below.forward(rows: rows)
        below.readRows(of: site.consumer, .value, rows: rows, into: base)
        below.readRows(of: site.producerInput, .value, rows: rows, into: input.pointer)
        fanIn.apply(to: input.pointer, rows: rows, into: activity)
        if let move, let moved {
            below.readRows(of: site.consumerInput, .value, rows: rows, into: hidden.pointer)
            move.apply(to: hidden.pointer, rows: rows, into: moved)
        }
    }

    /// After a run: what is read behind the consumer, besides it.
    func readFrontier(_ node: String, rows: Int, into result: UnsafeMutablePointer<Float>) {
        below.readRows(of: node, .value, rows: rows, into: result)
    }

    func writeFrontier(_ node: String, rows: Int, from values: UnsafePointer<Float>) {
        executor.writeRows(of: node, rows: rows, from: values)
    }

    /// The network's output where the consumer's is A + γ D + √γ Σ_e ω_e (√γ z passed on)_e.
    func output(
        at amplitude: Double, rows: Int, base: UnsafePointer<Float>, move: UnsafePointer<Float>?,
        activity z: UnsafePointer<Float>
    ) -> UnsafePointer<Float> {
        let count = rows * outputCount
        combined.pointer.update(from: base, count: count)
        if amplitude > 0 {
            let root = Float(amplitude.squareRoot())
            for index in 0..<rows * activityCount { activity.pointer[index] = root * z[index] }
            side.writeRows(of: Architecture.inputName, rows: rows, from: activity.pointer)
            side.forward(rows: rows)
            side.readRows(of: site.consumer, .value, rows: rows, into: added.pointer)
            for index in 0..<count { combined.pointer[index] += root * added.pointer[index] }
            if let move {
                let step = Float(amplitude)
                for index in 0..<count { combined.pointer[index] += step * move[index] }
            }
        }
        executor.writeRows(of: site.consumer, rows: rows, from: combined.pointer)
        executor.forward(rows: rows, after: site.consumer)
        return UnsafePointer(executor.output.value)
    }
}

/// A network of the new neurons alone: from their pre-activations to what they add to the consumer's output.
private struct SideNetwork {
    let architecture: Architecture
    private(set) var parameters: [String: Tensor] = [:]
    private(set) var state: [String: Tensor] = [:]

    init(_ extension: Extension, at site: GrowthSite, of network: Network) throws {
        let neurons = `extension`.neurons
        let grown = try network.grafting(`extension`, at: site)
        var previous = Architecture.inputName
        var nodes = network.architecture.nodes.filter { site.between.contains($0.name) }.map { node in
            defer { previous = node.name }
            return Architecture.Node(node.name, node.operation, inputs: [previous])
        }
        let consumer: any Layer =
            if let convolution = network.architecture.layer(site.consumer) as? Convolution {
                Convolution(width: convolution.width, window: convolution.window, bias: false)
            } else {
                Linear(width: neurons.fanOut.rows, bias: false)
            }
        nodes.append(.init(site.consumer, consumer, inputs: [previous]))
        let shape = network.architecture.shape(of: site.producer) ?? []
        architecture = try Architecture(inputShape: [neurons.count] + shape.dropFirst(), nodes: nodes)
        for entry in ParameterLayout(architecture).entries {
            if entry.node == site.consumer {
                parameters[entry.name] = Tensor(
                    shape: entry.specification.shape, values: neurons.fanOut.narrowed)
            } else {
                parameters[entry.name] = grown.parameters[entry.name]?.last(entry)
            }
        }
        for entry in ParameterLayout.state(architecture).entries {
            state[entry.name] = grown.state[entry.name]?.last(entry)
        }
    }
}

extension Tensor {
    /// The channels that were appended, as many as an entry of their own has.
    fileprivate func last(_ entry: ParameterLayout.Entry) -> Tensor {
        Tensor(shape: entry.specification.shape, values: Array(values.suffix(entry.count)))
    }
}

extension Architecture {
    /// The layer of a node.
    ///
    /// - Precondition: there is such a node, and it is a layer.
    func layer(_ name: String) -> any Layer {
        guard let layer = nodes.first(where: { $0.name == name })?.operation as? any Layer else {
            preconditionFailure("there is no layer '\(name)'")
        }
        return layer
    }

    /// The graph up to a node.
    fileprivate func upTo(_ name: String) throws -> Architecture {
        try Architecture(inputShape: inputShape, nodes: Array(nodes[...(index(of: name) ?? 0)]))
    }

    /// The nodes up to `name`, and the data, that are read after it.
    func frontier(after name: String) -> Set<String> {
        let last = index(of: name) ?? -1
        let before = Set(nodes[...last].map(\.name) + [Architecture.inputName])
        return Set(nodes[(last + 1)...].flatMap(\.inputs)).intersection(before).subtracting([name])
    }
}
