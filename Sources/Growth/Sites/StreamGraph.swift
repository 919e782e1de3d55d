internal import Correlations
internal import GrowthMath
internal import Networks
internal import Tensors

/// The nodes of a stream, in the order of the network, and what each does to a new channel.
struct StreamGraph {
    enum Role {
        /// Writes the channel: its number among the stream's producers.
        case producer(Int)
        case sum
        case stage(SiteStage)
        case passes
    }

    struct Member {
        let name: String
        let role: Role
        /// The members that it reads; none for producers.
        let inputs: [Int]
        /// [channels, height, width] also where the image comes flattened, or [channels].
        let shape: [Int]
        let isFlattened: Bool
    }

    private(set) var members: [Member] = []
    /// The member that each consumer reads.
    private(set) var read: [Int] = []

    init(_ stream: GrowthStream, in architecture: Architecture) {
        var places: [String: Int] = [:]
        for node in architecture.nodes {
            guard stream.producers.contains(node.name) || stream.between.contains(node.name) else { continue }
            places[node.name] = members.count
            members.append(member(node, stream, architecture, places))
        }
        read = stream.consumers.map { name in
            let input = architecture.nodes.first { $0.name == name }?.inputs.first ?? ""
            guard let place = places[input] else {
                preconditionFailure("\(name) does not read the stream \(stream.name)")
            }
            return place
        }
    }

    private func member(
        _ node: Architecture.Node, _ stream: GrowthStream, _ architecture: Architecture,
        _ places: [String: Int]
    ) -> Member {
        if let producer = stream.producers.firstIndex(of: node.name) {
            return Member(
                name: node.name, role: .producer(producer), inputs: [],
                shape: architecture.shape(of: node.name) ?? [], isFlattened: false)
        }
        let inputs = node.inputs.compactMap { places[$0] }
        precondition(inputs.count == node.inputs.count, "\(node.name) reads more than the stream")
        let first = members[inputs[0]]
        var (role, shape, isFlattened) = (Role.sum, first.shape, first.isFlattened)
        switch node.operation.channelStep {
        case .stage(let stage):
            role = .stage(stage)
            shape = stage.shape(of: shape)
        case .passes: role = .passes
        case .flattens:
            role = .passes
            isFlattened = shape.count == 3
        case nil: break
        }
        return Member(name: node.name, role: role, inputs: inputs, shape: shape, isFlattened: isFlattened)
    }
}

/// A way that a new channel takes from a producer to a consumer; ways that differ in nothing count as one.
struct StreamRoute: Equatable {
    /// Among the stream's producers and consumers.
    let producer: Int
    let consumer: Int
    /// How often the network has this way.
    let count: Int
    let slopes: SlopesAtZero
    let geometry: SiteGeometry
    let reading: ActivityReading

    /// Whether a neuron and its negative do different things to first order.
    var isKinked: Bool {
        slopes.isKinked || geometry.pools.contains { if case .max = $0 { true } else { false } }
    }
}

extension GrowthStream {
    /// Every way through the stream, consumer by consumer. Where no way leads from a producer to a consumer, the consumer
    /// stands before it and reads nothing of it.
    func routes(in architecture: Architecture, _ scheme: SiteGeometry.Scheme) -> [StreamRoute] {
        let graph = StreamGraph(self, in: architecture)
        let ways = producers.indices.map(graph.ways)
        return consumers.indices.flatMap { consumer in
            producers.indices.flatMap { producer in
                ways[producer][graph.read[consumer]].map {
                    route($0, producer, consumer, graph.members[graph.read[consumer]], architecture, scheme)
                }
            }
        }
    }

    /// How many taps each consumer has.
    func consumerTaps(in architecture: Architecture) -> [Int] {
        let graph = StreamGraph(self, in: architecture)
        return zip(consumers, graph.read).map { name, member in
            architecture.layer(name).window(over: graph.members[member].shape).taps
        }
    }

    private func route(
        _ way: StreamGraph.Way, _ producer: Int, _ consumer: Int, _ member: StreamGraph.Member,
        _ architecture: Architecture, _ scheme: SiteGeometry.Scheme
    ) -> StreamRoute {
        let (writer, reader) = (
            architecture.layer(producers[producer]), architecture.layer(consumers[consumer])
        )
        let input = architecture.nodes.first { $0.name == producers[producer] }?.inputs.first ?? ""
        let inputShape = architecture.shape(of: input) ?? []
        return StreamRoute(
            producer: producer, consumer: consumer, count: way.count, slopes: way.slopes,
            geometry: SiteGeometry(
                inChannels: inputShape[0], image: inputShape.extent,
                producer: writer.window(over: inputShape),
                producerHasBias: writer.bias, width: width, pools: way.pools,
                consumer: reader.window(over: member.shape), consumerHasBias: reader.bias,
                outChannels: reader.width, scheme: member.isFlattened ? .full : scheme),
            reading: ActivityReading(
                input: input, hidden: member.name, flattenedChannels: member.isFlattened ? width : nil,
                gradient: consumers[consumer]))
    }
}

extension StreamGraph {
    /// What lies on the way to a member.
    struct Way {
        var pools: [SiteGeometry.Pool] = []
        var slopes = SlopesAtZero.unit
        var count = 1
    }

    /// For every member, the ways that lead to it from a producer.
    func ways(from producer: Int) -> [[Way]] {
        var found: [[Way]] = []
        for member in members {
            var ways: [Way] = []
            if case .producer(producer) = member.role { ways = [Way()] }
            for way in member.inputs.flatMap({ found[$0] }) {
                ways.add(way.followed(by: member.role))
            }
            found.append(ways)
        }
        return found
    }
}

extension StreamGraph.Way {
    fileprivate func followed(by role: StreamGraph.Role) -> StreamGraph.Way {
        guard case .stage(let stage) = role else { return self }
        var result = self
        switch stage {
        case .slopes(let next): result.slopes = slopes.followed(by: next)
        case .pool(let pool): result.pools.append(pool)
        }
        return result
    }
}

extension [StreamGraph.Way] {
    /// Counts one that is there already.
    fileprivate mutating func add(_ way: StreamGraph.Way) {
        if let known = firstIndex(where: { $0.pools == way.pools && $0.slopes == way.slopes }) {
            self[known].count += way.count
        } else {
            append(way)
        }
    }
}
