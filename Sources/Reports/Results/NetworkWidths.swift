package import Networks

/// The widths of a network: those that stand alone, and those that sums tie together.
package struct NetworkWidths: Equatable, Sendable {
    /// Of every layer but the last whose channels meet no others in a sum, in order: growth may change each alone.
    package var free: [Int]
    /// Of the sums, in order, each number once: the residual widths.
    package var residual: [Int]

    package init(free: [Int], residual: [Int] = []) {
        self.free = free
        self.residual = residual
    }

    package init(_ architecture: Architecture) {
        let meetsSum = architecture.nodesWhoseChannelsMeetInSums
        free = architecture.nodes.dropLast().compactMap { node in
            meetsSum.contains(node.name) ? nil : (node.operation as? any Layer)?.width
        }
        residual = []
        for (node, shape) in zip(architecture.nodes, architecture.shapes) where node.operation is Add {
            if let width = shape.first, width != residual.last { residual.append(width) }
        }
    }

    /// The widths of one branch's networks, one per seed: `8, 8, 16`, `64×2, 128×2`, `16·32·64, inner 4–12`.
    ///
    /// Where seeds differ, from the narrowest to the widest. At most about forty characters, however many layers.
    package static func text(_ networks: [NetworkWidths]) -> String {
        let residual = networks.map(\.residual)
        let free = networks.map(\.free)
        guard residual.contains(where: { !$0.isEmpty }) else { return list(free, separator: ", ") }
        let inner = free.contains { !$0.isEmpty } ? ", inner \(Format.range(free.flatMap { $0 }))" : ""
        return list(residual, separator: "·") + inner
    }

    /// Neighbours that are equal are counted above this many, and only the range is given if even that does not help.
    private static let most = 6

    private static func list(_ networks: [[Int]], separator: String) -> String {
        let layers = networks.map(\.count).max() ?? 0
        guard layers > 0 else { return Format.absent }
        let texts = (0..<layers).map { layer in
            // A network without this layer has width 0 there.
            let values = networks.map { layer < $0.count ? $0[layer] : 0 }
            let (least, most) = (values.min() ?? 0, values.max() ?? 0)
            return least == most ? "\(least)" : "\(least)–\(most)"
        }
        if layers <= most { return texts.joined(separator: separator) }
        let groups = runs(of: texts)
        guard groups.count <= most else {
            return "\(Format.range(networks.flatMap { $0 })) (\(layers) layers)"
        }
        return groups.map { $0.count == 1 ? $0.text : "\($0.text)×\($0.count)" }.joined(separator: separator)
    }

    private static func runs(of texts: [String]) -> [(text: String, count: Int)] {
        texts.reduce(into: []) { runs, text in
            if let last = runs.last, last.text == text {
                runs[runs.count - 1].count += 1
            } else {
                runs.append((text, 1))
            }
        }
    }
}

extension Architecture {
    /// Nodes each of whose channels is added to another node's, at once or behind what keeps channels apart.
    fileprivate var nodesWhoseChannelsMeetInSums: Set<String> {
        var found: Set<String> = []
        for node in nodes.reversed() {
            switch node.operation.widthRole {
            case .mixes, .flattens: continue
            case .keeps, .joins:
                if node.operation is Add || found.contains(node.name) { found.formUnion(node.inputs) }
            }
        }
        return found
    }
}
