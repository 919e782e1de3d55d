internal import HDF5

/// How strongly the newborn weights of a node are driven beside its older ones, shortly after they joined.
///
/// Well under 1, newcomers starve: they are trained slowly, whatever they could contribute (Lillo and Cheney, 2026).
package struct GradientParity: Equatable, Sendable {
    /// The most steps after a growth that are measured.
    package static let mostSteps = 100

    /// The round in which the newborn weights joined.
    package var round: Int
    package var node: String
    /// RMS of the newborn weights' gradients, relative to that of the older ones' in the same step; the mean over `steps`.
    package var gradient: Double
    /// The same of what a step adds to the weights.
    package var update: Double
    /// Steps that were measured.
    package var steps: Int

    package init(round: Int, node: String, gradient: Double, update: Double, steps: Int) {
        self.round = round
        self.node = node
        self.gradient = gradient
        self.update = update
        self.steps = steps
    }
}

extension GradientParity {
    var path: String { "parity/\(round)/\(node)" }

    var content: Group {
        Group(attributes: [
            "gradient": .real(gradient), "update": .real(update), "steps": .integer(Int64(steps)),
        ])
    }

    /// - Throws: `HDF5Error`; `NetworkError.invalidFile` for what no training measures.
    init(reading file: borrowing File, round: String, node: String) throws {
        let path = "parity/\(round)/\(node)"
        self.init(
            round: Int(round) ?? 0, node: node, gradient: try file.real("gradient", of: path),
            update: try file.real("update", of: path), steps: try file.integer("steps", of: path))
        guard self.round > 0, String(self.round) == round, gradient >= 0, update >= 0,
            (1...Self.mostSteps).contains(steps)
        else {
            throw NetworkError.invalidFile(
                file: file.path, path: path,
                problem: "ratios are not negative, of 1...\(Self.mostSteps) steps")
        }
    }
}
