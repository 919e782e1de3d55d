package import Tensors

/// Where each parameter of an architecture stands in one flat array.
///
/// One array for all parameters makes the optimiser and the sum over shards a single loop.
package struct ParameterLayout: Equatable, Sendable {
    /// One parameter's place.
    package struct Entry: Equatable, Sendable {
        /// "node/parameter", e.g. "hidden1/weight".
        package var name: String
        package var node: String
        package var specification: ParameterSpecification
        package var offset: Int
        package var count: Int
    }

    package let entries: [Entry]
    /// Elements of the flat array, padding included: every parameter begins at a cache line.
    package let count: Int

    /// The trainable parameters.
    package init(_ architecture: Architecture) {
        self.init(architecture) { $0.parameters(for: $1) }
    }

    /// What is measured while training and read in evaluation: the places of `Network.state`.
    package static func state(_ architecture: Architecture) -> ParameterLayout {
        ParameterLayout(architecture) { $0.state(for: $1) }
    }

    private init(
        _ architecture: Architecture,
        _ specifications: (any Operation, _ inputShapes: [[Int]]) -> [ParameterSpecification]
    ) {
        var entries: [Entry] = []
        var offset = 0
        for node in architecture.nodes {
            for specification in specifications(node.operation, architecture.inputShapes(of: node)) {
                let count = specification.shape.reduce(1, *)
                entries.append(
                    Entry(
                        name: "\(node.name)/\(specification.name)", node: node.name,
                        specification: specification,
                        offset: offset, count: count))
                offset += (count + 15) / 16 * 16
            }
        }
        self.entries = entries
        self.count = offset
    }

    /// The values, padding not counted.
    package var parameterCount: Int { entries.reduce(0) { $0 + $1.count } }
}

/// One value per parameter in a flat array: the parameters themselves, their gradients, an optimiser's state, or the
/// state of a network.
package final class ParameterArena: Sendable {
    package let layout: ParameterLayout
    package let buffer: AlignedBuffer

    /// Zeros.
    package init(_ layout: ParameterLayout) {
        self.layout = layout
        buffer = AlignedBuffer(count: layout.count)
    }

    /// The tensors by name; a name that is absent stays zero.
    ///
    /// - Precondition: shapes are those of the layout.
    package convenience init(_ layout: ParameterLayout, _ tensors: [String: Tensor], suffix: String = "") {
        self.init(layout)
        for entry in layout.entries {
            guard let tensor = tensors[entry.name + suffix] else { continue }
            precondition(
                tensor.shape == entry.specification.shape,
                "\(entry.name)\(suffix) has shape \(tensor.shape), not \(entry.specification.shape)")
            tensor.values.withUnsafeBufferPointer { source in
                guard let base = source.baseAddress else { return }
                (buffer.pointer + entry.offset).update(from: base, count: entry.count)
            }
        }
    }

    /// The values by parameter name, each name with `suffix`.
    package func tensors(suffix: String = "") -> [String: Tensor] {
        var result: [String: Tensor] = [:]
        for entry in layout.entries {
            let values = UnsafeBufferPointer(start: buffer.pointer + entry.offset, count: entry.count)
            result[entry.name + suffix] = Tensor(shape: entry.specification.shape, values: Array(values))
        }
        return result
    }
}
