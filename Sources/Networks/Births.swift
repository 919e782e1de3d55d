internal import HDF5

/// The growth rounds in which a node's weights joined the network; 0 for those that it began with.
///
/// A weight W[r, c] of a layer is as old as the younger of its row and its column. Both are kept with the
/// node that has the weights, not with the channels: a layer put in front of old weights does not make these
/// younger.
package struct Births: Equatable, Sendable {
    /// Of each output channel: a row of a layer's weights with its bias, or a channel of a normalisation.
    package var rows: [Int]
    /// Of each input of a layer: a column of its weights, an input channel of a kernel. Empty without a
    /// matrix.
    package var columns: [Int]

    package init(rows: [Int] = [], columns: [Int] = []) {
        self.rows = rows
        self.columns = columns
    }

    /// Births of larger parameters, whose last rows and columns joined in a round.
    fileprivate func joined(_ extents: Extents, in round: Int) -> Births {
        func longer(_ known: [Int], _ count: Int) -> [Int] {
            known + Array(repeating: round, count: max(0, count - known.count))
        }
        return Births(rows: longer(rows, extents.rows), columns: longer(columns, extents.columns))
    }

    /// Calls `body` with the number of values and the round of every stretch of a parameter's values that
    /// joined together, in the order of the values.
    ///
    /// - Precondition: the births are those of the parameter's node.
    package func forEachStretch(
        of specification: ParameterSpecification, _ body: (_ count: Int, _ round: Int) -> Void
    ) {
        let shape = specification.shape
        guard shape.count > 1 else { return rows.forEach { body(1, $0) } }
        let taps = shape.dropFirst(2).reduce(1, *)
        for row in rows {
            for column in columns { body(taps, max(row, column)) }
        }
    }

    /// How many rows and columns a node's parameters have.
    fileprivate struct Extents {
        var rows = 0
        var columns = 0
    }
}

extension ParameterLayout {
    /// The extents of every node that has parameters.
    fileprivate var extents: [String: Births.Extents] {
        entries.reduce(into: [:]) { extents, entry in
            let shape = entry.specification.shape
            extents[entry.node, default: Births.Extents()].rows = shape[0]
            if shape.count > 1 { extents[entry.node]?.columns = shape[1] }
        }
    }
}

extension Network {
    /// Notes at the end of a round that all rows and columns beyond those known were born in it: those of new
    /// neurons stand last, and a node that was put in has none that is older.
    package mutating func noteBirths(in round: Int) {
        births = ParameterLayout(architecture).extents.reduce(into: [:]) { result, node in
            result[node.key] = (births[node.key] ?? Births()).joined(node.value, in: round)
        }
    }

    /// The last round in which the network grew; 0 for a seed.
    package var lastRound: Int { growth.map(\.round).max() ?? 0 }

    /// How many trainable values were born in each round that any was born in, in order.
    package var parametersByBirth: [(round: Int, count: Int)] {
        var counts: [Int: Int] = [:]
        for entry in ParameterLayout(architecture).entries {
            births[entry.node]?.forEachStretch(of: entry.specification) { counts[$1, default: 0] += $0 }
        }
        return counts.sorted { $0.key < $1.key }.map { (round: $0.key, count: $0.value) }
    }

    /// Whether births are those of all the architecture's parameters: so they are but while a round lasts.
    package var hasAllBirths: Bool {
        let extents = ParameterLayout(architecture).extents
        return extents.count == births.count
            && extents.allSatisfy { node, extents in
                births[node]?.rows.count == extents.rows && births[node]?.columns.count == extents.columns
            }
    }
}

// In the file: /births/<node> with rows and, where the weights are a matrix, columns, i64.

extension Births {
    var content: Group {
        func axis(_ rounds: [Int], _ dims: String, _ what: String) -> Dataset {
            Dataset(
                .int64(rounds.map(Int64.init)), shape: [rounds.count], dims: dims,
                longName: "growth round in which each \(what) was born")
        }
        var group = Group(datasets: ["rows": axis(rows, "out_features", "output channel")])
        if !columns.isEmpty { group["columns"] = axis(columns, "in_features", "input") }
        return group
    }

    /// Reads the births of all nodes with parameters.
    ///
    /// - Throws: `HDF5Error`, `NetworkError.invalidFile` for weights that are younger than the network's last growth.
    static func all(
        reading file: borrowing File, _ layout: ParameterLayout, lastRound: Int
    ) throws -> [String: Births] {
        let extents = layout.extents
        let name = file.path
        try file.require(Set(extents.keys), in: "births")
        func axis(_ path: String, _ count: Int, _ file: borrowing File) throws -> [Int] {
            try file.int64(path, shape: [count]).values.map { round in
                guard (0...Int64(lastRound)).contains(round) else {
                    throw NetworkError.invalidFile(
                        file: name, path: path,
                        problem:
                            "\(round) is not a round in 0...\(lastRound), up to the network's last growth")
                }
                return Int(round)
            }
        }
        var result: [String: Births] = [:]
        for (node, extents) in extents {
            let path = "births/\(node)"
            try file.require(extents.columns > 0 ? ["rows", "columns"] : ["rows"], in: path)
            result[node] = Births(
                rows: try axis("\(path)/rows", extents.rows, file),
                columns: extents.columns > 0 ? try axis("\(path)/columns", extents.columns, file) : [])
        }
        return result
    }
}
