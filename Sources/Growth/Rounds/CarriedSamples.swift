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

    private let chunks: SampleChunks
    private let threads: Int
    /// Places that will be asked for.
    private let places: [String]
    /// Elements that may be kept.
    private let mostElements: Int
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
        chunks = SampleChunks(
            Batches(split, normalization, shape: architecture.inputShape), for: architecture,
            within: Self.chunkBytes, atMost: Self.largestChunk)
        self.threads = max(1, min(threads, chunks.count))
        self.places = places
        mostElements = keptBytes / MemoryLayout<Float>.stride
    }

    var count: Int { chunks.samples }

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
        let found = buffers(for: wanted, in: team, architecture)
        try map(team, first: found.map(\.kept.chunks).max() ?? 0) { chunk in
            for (_, kept) in found where chunk.index < kept.chunks {
                var start = kept.buffer.pointer + chunk.range.lowerBound * kept.perSample
                for (name, count) in kept.values {
                    let elements = ValueLayout.filled(chunk.rows) * count
                    start.update(from: chunk.executor.port(name).value, count: elements)
                    start += elements
                }
            }
        }
        for (name, values) in found { kept[name] = values }
        known.merge(network.values(of: part)) { $1 }
        place = node
    }

    /// Buffers for values at some places: the first as far as possible, the others where they hold all samples.
    private func buffers(
        for names: [String], in team: SampleChunks.Team, _ architecture: Architecture
    ) -> [(name: String, kept: Kept)] {
        var left = mostElements - kept.values.reduce(0) { $0 + $1.buffer.count }
        var result: [(name: String, kept: Kept)] = []
        for name in names {
            let values = architecture.values(at: name).sorted().map {
                (name: $0, count: team.executors[0].port($0).count)
            }
            let perSample = values.reduce(0) { $0 + $1.count }
            let fitting =
                perSample * count <= left
                ? chunks.count : max(0, left) / max(1, perSample * chunks.size)
            guard fitting == chunks.count || result.isEmpty else { continue }
            let buffer = AlignedBuffer(
                count: ValueLayout.filled(min(count, fitting * chunks.size)) * perSample)
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
    ) -> SampleChunks.Team {
        let all = keeping.union(kept[place]?.values.map(\.name) ?? [])
        return SampleChunks.Team(threads) {
            Executor(
                architecture, parameters: parameters, state: state, capacity: max(1, min(chunks.size, count)),
                purpose: .inference, keeping: all)
        }
    }

    /// Computes what lies behind the place, and what `body` makes of it, for every chunk or the first so many, in their order.
    @discardableResult
    func map<Value: Sendable>(
        _ team: SampleChunks.Team, first limit: Int? = nil,
        _ body: @escaping @Sendable (SampleChunks.Visit) -> Value
    ) throws -> [Value] {
        let limit = limit ?? chunks.count
        guard limit > 0, let architecture = team.executors.first?.architecture else { return [] }
        let results = try chunks.map(team, first: limit) { [self] chunk in
            chunk.gather()
            forward(chunk)
            return body(chunk)
        }
        let whole = architecture.forwardCost(after: Architecture.inputName)
        let carried = min(count, min(limit, kept[place]?.chunks ?? 0) * chunks.size)
        flops += carried * architecture.forwardCost(after: place)
        flops += (min(count, limit * chunks.size) - carried) * whole
        return results
    }

    private func forward(_ chunk: SampleChunks.Visit) {
        guard let kept = kept[place], chunk.index < kept.chunks else {
            return chunk.executor.forward(rows: chunk.rows)
        }
        var start = UnsafePointer(kept.buffer.pointer) + chunk.range.lowerBound * kept.perSample
        for (name, count) in kept.values {
            let elements = ValueLayout.filled(chunk.rows) * count
            chunk.executor.port(name).value.update(from: start, count: elements)
            start += elements
        }
        chunk.executor.forward(rows: chunk.rows, after: place)
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
