package import GrowthMath
package import Correlations
internal import Networks
internal import Tensors

/// The nodes of a width, in the order of the network, and what each does to a new channel.
struct WidthGraph: Equatable {
    enum Role: Equatable {
        /// Writes the channel: its number among the width's producers.
        case producer(Int)
        case sum
        case slopes(SlopesAtZero)
        case pool(SiteGeometry.Pool)
        /// Lets it pass.
        case passes
    }

    struct Member: Equatable {
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

    var hasSums: Bool { members.contains { $0.role == .sum } }

    /// - Parameter nodes: all of the width, in the order of the network.
    init(_ nodes: [Architecture.Node], consumers: [Architecture.Node], in architecture: Architecture) {
        var places: [String: Int] = [:]
        var producers = 0
        for node in nodes {
            places[node.name] = members.count
            if node.layer != nil {
                members.append(
                    Member(
                        name: node.name, role: .producer(producers), inputs: [],
                        shape: architecture.shape(of: node.name) ?? [], isFlattened: false))
                producers += 1
            } else {
                members.append(member(node, inputs: node.inputs.compactMap { places[$0] }))
            }
        }
        read = consumers.compactMap { places[$0.inputs[0]] }
    }

    private func member(_ node: Architecture.Node, inputs: [Int]) -> Member {
        let first = members[inputs[0]]
        var (role, shape, isFlattened) = (Role.passes, first.shape, first.isFlattened)
        func pool(_ pool: SiteGeometry.Pool) {
            role = .pool(pool)
            let positions = pool.positions(over: shape.extent) ?? Extent(0, 0)
            shape = pool == .global ? [shape[0]] : [shape[0], positions.height, positions.width]
        }
        switch node.operation.channelPassage {
        case .slopes(let right, let left): role = .slopes(SlopesAtZero(right: right, left: left))
        case .average(let window): pool(.average(window))
        case .max(let window): pool(.max(window))
        case .middle(let window): pool(.middle(window))
        case .global: pool(.global)
        case .flattened: isFlattened = shape.count == 3
        case .summed: role = .sum
        case .unchanged, nil: break
        }
        return Member(name: node.name, role: role, inputs: inputs, shape: shape, isFlattened: isFlattened)
    }
}

/// A way that a new channel takes from a producer to a consumer; ways that differ in nothing count as one.
package struct Route: Equatable, Sendable {
    /// Among the width's producers and consumers.
    let producer: Int
    let consumer: Int
    /// How often the network has this way.
    let count: Int
    package let slopes: SlopesAtZero
    package private(set) var geometry: SiteGeometry
    /// Where X, H and G are found.
    let reading: ActivityReading

    /// Whether a neuron and its negative do different things to first order.
    var isKinked: Bool {
        slopes.isKinked || geometry.pools.contains { if case .max = $0 { true } else { false } }
    }

    /// The same for new neurons that are read through other taps. A linear layer has no centre that its taps could be kept
    /// to.
    package func reading(_ scheme: SiteGeometry.Scheme) -> Route {
        var result = self
        result.geometry.scheme = reading.flattenedChannels == nil ? scheme : .full
        return result
    }
}

extension WidthGraph: Sendable {
    /// Every way through the width, consumer by consumer. Where no way leads from a producer to a consumer, the consumer
    /// stands before it and reads nothing of it.
    func routes(
        in architecture: Architecture, producers: [Architecture.Node], consumers: [Architecture.Node]
    ) -> [Route] {
        let ways = producers.indices.map(ways)
        return consumers.indices.flatMap { consumer -> [Route] in
            let member = members[read[consumer]]
            return producers.indices.flatMap { producer in
                ways[producer][read[consumer]].compactMap { way in
                    guard let writer = producers[producer].layer, let reader = consumers[consumer].layer
                    else { return nil }
                    let input = producers[producer].inputs[0]
                    let image = architecture.shape(of: input) ?? []
                    return Route(
                        producer: producer, consumer: consumer, count: way.count, slopes: way.slopes,
                        geometry: SiteGeometry(
                            inChannels: image[0], image: image.extent, producer: writer.window(over: image),
                            producerHasBias: writer.bias, width: writer.width, pools: way.pools,
                            consumer: reader.window(over: member.shape), consumerHasBias: reader.bias,
                            outChannels: reader.width),
                        reading: ActivityReading(
                            input: input, hidden: member.name,
                            flattenedChannels: member.isFlattened ? writer.width : nil,
                            gradient: consumers[consumer].name))
                }
            }
        }
    }

    /// What lies on the way to a member.
    private struct Way {
        var pools: [SiteGeometry.Pool] = []
        var slopes = SlopesAtZero.unit
        var count = 1

        func followed(by role: Role) -> Way {
            var result = self
            switch role {
            case .slopes(let next): result.slopes = slopes.followed(by: next)
            case .pool(let pool): result.pools.append(pool)
            case .producer, .sum, .passes: break
            }
            return result
        }
    }

    /// For every member, the ways that lead to it from a producer.
    private func ways(from producer: Int) -> [[Way]] {
        var found: [[Way]] = []
        for member in members {
            var ways: [Way] = member.role == .producer(producer) ? [Way()] : []
            for way in member.inputs.flatMap({ found[$0] }).map({ $0.followed(by: member.role) }) {
                if let known = ways.firstIndex(where: { $0.pools == way.pools && $0.slopes == way.slopes }) {
                    ways[known].count += way.count
                } else {
                    ways.append(way)
                }
            }
            found.append(ways)
        }
        return found
    }
}

extension SlopesAtZero {
    /// σ₀ of another activation after this one.
    fileprivate func followed(by next: SlopesAtZero) -> SlopesAtZero {
        SlopesAtZero(
            right: right * (right >= 0 ? next.right : next.left),
            left: left * (left >= 0 ? next.left : next.right))
    }
}
