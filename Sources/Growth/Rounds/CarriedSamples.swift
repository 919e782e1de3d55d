internal import Datasets
internal import Networks
internal import Tensors
internal import Training

/// Samples on their way through a network that grows: what they were at some places is kept while what follows is tried.
///
/// At the place of a node, its value and those of earlier nodes that are read behind it are kept, where there is not room for
/// all samples those of the first chunks; the others begin with the data each time. A place is valid until something up to it
/// changes, so that widths that grow from the last to the first need one pass. Chunks do not depend on the number of threads.
final class CarriedSamples: @unchecked Sendable {
    // Safe to share: between calls nothing runs, and within one a chunk's values are touched by one worker.

    /// The most samples of one chunk, and bytes of a chunk's values: few enough to stay in a processor's caches.
    private static let largestChunk = 512
    private static let chunkBytes = 8 << 20
    /// Bytes kept of all samples.
    static let keptBytes = 256 << 20

    let count: Int
    let chunks: Int
    private let chunk: Int
    private let batches: Batches
    private let threads: Int
    /// Places that will be asked for.
    private let places: [String]
    /// Elements that may be kept.
    private let room: Int
    /// Floating-point operations so far.
    private(set) var flops = 0

    /// The place from which passes begin: one of those kept, or the data.
    private var place = Architecture.inputName
    private var kept: [String: Kept] = [:]
    /// What the values were computed with.
    private var known: [String: Tensor] = [:]

    /// Values at one place.
    private struct Kept {
        /// All nodes, elements of one sample each, in order.
        let values: [(name: String, count: Int)]
        /// How many chunks.
        let chunks: Int
        let buffer: AlignedBuffer
        let perSample: Int
    }

    /// - Parameters:
    ///   - architecture: as it is before it grows; gives the size of chunks.
    ///   - places: nodes that will be asked for; on the way to a later one they are kept as far as there is room.
    ///   - keptBytes: what may be kept of all samples.
    init(
        _ split: Split, _ normalization: Normalization, for architecture: Architecture, threads: Int,
        places: [String] = [], keptBytes: Int = keptBytes
    ) {
        batches = Batches(split, normalization, shape: architecture.inputShape)
        count = split.count
        let chunk = Executor.rows(
            of: architecture, purpose: .inference, keeping: [], within: Self.chunkBytes,
            atMost: max(1, min(Self.largestChunk, split.count)))
        self.chunk = chunk
        chunks = (split.count + chunk - 1) / chunk
        self.threads = max(1, min(threads, chunks))
        self.places = places
        room = keptBytes / MemoryLayout<Float>.stride
    }

    /// Executors of one network, one for each worker.
    struct Team: @unchecked Sendable {
        // Safe to share: each is used by one worker.
        fileprivate let executors: [Executor]
    }

    /// One worker's part of a pass.
    struct Worker {
        let executor: Executor
        let labels: UnsafeMutablePointer<Int32>
    }

    /// Carries the samples to a node, by the network as it is, from the last valid place before it.
    func carry(to node: String, of network: Network) throws {
        let architecture = network.architecture
        func position(_ name: String) -> Int { architecture.index(of: name) ?? -1 }
        kept = try kept.filter { name, _ in
            try position(name) <= position(node) && isStill(network, upTo: name)
        }
        place = kept.keys.max { position($0) < position($1) } ?? Architecture.inputName
        guard node != place, count > 0 else { return }
        let part = try architecture.upTo(node)
        let before = Set(places).filter { (position(place) + 1..<position(node)).contains(position($0)) }
        let wanted = [node] + before.sorted { position($0) > position($1) }
        let team = team(
            part, ParameterArena(ParameterLayout(part), network.parameters),
            ParameterArena(.state(part), network.state),
            keeping: wanted.reduce(into: []) { $0.formUnion(architecture.values(at: $1)) })
        let found = makeRoom(for: wanted, in: team, architecture)
        try run(team, chunks: found.map(\.kept.chunks).max() ?? 0) { [chunk] worker, index, rows in
            for (_, kept) in found where index < kept.chunks {
                var start = kept.buffer.pointer + index * chunk * kept.perSample
                for (name, count) in kept.values {
                    let elements = ValueLayout.filled(rows) * count
                    start.update(from: worker.executor.port(name).value, count: elements)
                    start += elements
                }
            }
        }
        for (name, values) in found { kept[name] = values }
        known.merge(network.values(of: part)) { $1 }
        place = node
    }

    /// Room for values at some places: the first as far as possible, the others where it is enough for all samples.
    private func makeRoom(
        for names: [String], in team: Team, _ architecture: Architecture
    ) -> [(name: String, kept: Kept)] {
        var left = room - kept.values.reduce(0) { $0 + $1.buffer.count }
        var result: [(name: String, kept: Kept)] = []
        for name in names {
            let values = architecture.values(at: name).sorted().map {
                (name: $0, count: team.executors[0].port($0).count)
            }
            let perSample = values.reduce(0) { $0 + $1.count }
            let fitting = perSample * count <= left ? chunks : max(0, left) / max(1, perSample * chunk)
            guard fitting == chunks || result.isEmpty else { continue }
            let buffer = AlignedBuffer(
                count: ValueLayout.filled(min(count, fitting * chunk)) * perSample)
            left -= buffer.count
            result.append(
                (name, Kept(values: values, chunks: fitting, buffer: buffer, perSample: perSample)))
        }
        return result
    }

    /// Executors of a network that is, up to the place, the one that carried the samples there.
    ///
    /// - Parameter keeping: the nodes whose values are read after a pass.
    func team(
        _ architecture: Architecture, _ parameters: ParameterArena, _ state: ParameterArena,
        keeping: Set<String> = []
    ) -> Team {
        let all = keeping.union(kept[place]?.values.map(\.name) ?? [])
        return Team(
            executors: (0..<threads).map { _ in
                Executor(
                    architecture, parameters: parameters, state: state, capacity: max(1, min(chunk, count)),
                    purpose: .inference, keeping: all)
            })
    }

    /// Computes what lies behind the place, and runs `body(worker, chunk, rows)` for every chunk, or the first so many.
    func run(
        _ team: Team, chunks limit: Int? = nil,
        _ body: @escaping @Sendable (_ worker: Worker, _ chunk: Int, _ rows: Int) -> Void
    ) throws {
        let limit = limit ?? chunks
        guard limit > 0, let architecture = team.executors.first?.architecture else { return }
        let pieces = Pieces(limit)
        try WorkerTeam.run(team.executors.count) { [self] number in
            let labels = UnsafeMutablePointer<Int32>.allocate(capacity: chunk)
            defer { labels.deallocate() }
            while let index = pieces.next() {
                let executor = team.executors[number]
                let (first, rows) = (index * chunk, min(chunk, count - index * chunk))
                let positions = (first..<first + rows).map(Int32.init)
                batches.gather(positions[...], into: executor.input.value, labels: labels)
                forward(executor, index, rows)
                body(Worker(executor: executor, labels: labels), index, rows)
            }
        }
        let whole = architecture.forwardCost(after: Architecture.inputName)
        let carried = min(count, min(limit, kept[place]?.chunks ?? 0) * chunk)
        flops += carried * architecture.forwardCost(after: place)
        flops += (min(count, limit * chunk) - carried) * whole
    }

    private func forward(_ executor: Executor, _ index: Int, _ rows: Int) {
        guard let kept = kept[place], index < kept.chunks else { return executor.forward(rows: rows) }
        var start = UnsafePointer(kept.buffer.pointer) + index * chunk * kept.perSample
        for (name, count) in kept.values {
            let elements = ValueLayout.filled(rows) * count
            executor.port(name).value.update(from: start, count: elements)
            start += elements
        }
        executor.forward(rows: rows, after: place)
    }

    /// Whether the network is up to a node what the samples were carried by.
    private func isStill(_ network: Network, upTo node: String) throws -> Bool {
        guard network.architecture.index(of: node) != nil else { return false }
        return try network.values(of: network.architecture.upTo(node)).allSatisfy { known[$0] == $1 }
    }
}

extension Network {
    /// Parameters and state of a part of the graph.
    fileprivate func values(of part: Architecture) -> [String: Tensor] {
        let entries =
            ParameterLayout(part).entries.map { ($0.name, parameters[$0.name]) }
            + ParameterLayout.state(part).entries.map { ($0.name, state[$0.name]) }
        return Dictionary(entries.compactMap { name, tensor in tensor.map { (name, $0) } }) { first, _ in
            first
        }
    }
}

extension Architecture {
    /// Floating-point operations of a sample's way from a node's value to the output.
    fileprivate func forwardCost(after name: String) -> Int {
        nodes[((index(of: name) ?? -1) + 1)...].reduce(0) {
            $0 + $1.operation.cost(for: inputShapes(of: $1)).forward
        }
    }

    /// The layer of a node.
    ///
    /// - Precondition: there is such a node, and it is a layer.
    func layer(_ name: String) -> any Layer {
        guard let layer = nodes.first(where: { $0.name == name })?.layer else {
            preconditionFailure("there is no layer '\(name)'")
        }
        return layer
    }

    /// The graph up to a node.
    func upTo(_ name: String) throws -> Architecture {
        try Architecture(inputShape: inputShape, nodes: Array(nodes[...(index(of: name) ?? 0)]))
    }

    /// A node, and those before it that are read after it, the data not counted.
    fileprivate func values(at name: String) -> Set<String> {
        guard let last = index(of: name) else { return [] }
        let before = Set(nodes[...last].map(\.name))
        return Set(nodes[(last + 1)...].flatMap(\.inputs)).intersection(before).union([name])
    }
}
