internal import Tensors

/// A network ready to run on one thread: its kernels bound to buffers for up to `capacity` rows.
///
/// Nothing is allocated after `init`. Several executors may share one parameter arena, for reading.
package final class Executor {
    package let architecture: Architecture
    package let capacity: Int
    private let ports: [String: Port]
    private let kernels: [any Kernel]
    /// Whether the gradient with respect to a node's inputs is needed by anything before it.
    private let needsInputGradient: [Bool]
    /// Kernels overwrite; where a value has several readers, the later ones' gradients are added from here.
    private let additions: [[(scratch: Port, target: Port)]]
    /// Kernels hold bare pointers into these.
    private let storage: [AlignedBuffer]
    private let arenas: [ParameterArena]

    /// - Parameters:
    ///   - parameters: the values, laid out as `ParameterLayout(architecture)`.
    ///   - gradients: where gradients of the parameters go; needed for `backward(parameterGradients: true)`.
    ///   - capacity: the largest number of rows in a pass.
    package init(
        _ architecture: Architecture, parameters: ParameterArena, gradients: ParameterArena? = nil, capacity: Int
    ) {
        self.architecture = architecture
        self.capacity = capacity
        var storage: [AlignedBuffer] = []
        func makePort(_ shape: [Int]) -> Port {
            let count = shape.reduce(1, *)
            let value = AlignedBuffer(count: capacity * count)
            let gradient = AlignedBuffer(count: capacity * count)
            storage += [value, gradient]
            return Port(value: value.pointer, gradient: gradient.pointer, count: count)
        }
        var ports = [Architecture.inputName: makePort(architecture.inputShape)]
        for (node, shape) in zip(architecture.nodes, architecture.shapes) { ports[node.name] = makePort(shape) }

        var entries = parameters.layout.entries[...]
        var kernels: [any Kernel] = []
        var trainable: Set<String> = []
        var needsInputGradient: [Bool] = []
        var additions: [[(scratch: Port, target: Port)]] = []
        let lastReader = Self.lastReaders(architecture)
        for (index, node) in architecture.nodes.enumerated() {
            let own = entries.prefix { $0.node == node.name }
            entries = entries.dropFirst(own.count)
            var added: [(scratch: Port, target: Port)] = []
            let inputs = node.inputs.enumerated().compactMap { place, name -> Port? in
                guard let port = ports[name] else { return nil }
                // Backward runs from the last node: its last reader writes first, all others add.
                if lastReader[name] == Reader(node: index, place: place) { return port }
                let buffer = AlignedBuffer(count: capacity * port.count)
                storage.append(buffer)
                let scratch = Port(value: port.value, gradient: buffer.pointer, count: port.count)
                added.append((scratch: scratch, target: port))
                return scratch
            }
            guard let output = ports[node.name] else { preconditionFailure("node \(node.name) has no buffer") }
            kernels.append(
                node.operation.makeKernel(
                    Wiring(
                        inputs: inputs, inputShapes: architecture.inputShapes(of: node), output: output,
                        parameters: own.map { entry in
                            (
                                value: parameters.buffer.pointer + entry.offset,
                                gradient: (gradients ?? parameters).buffer.pointer + entry.offset
                            )
                        },
                        capacity: capacity, nodeIndex: index)))
            needsInputGradient.append(node.inputs.contains(where: trainable.contains))
            if !own.isEmpty || needsInputGradient[index] { trainable.insert(node.name) }
            additions.append(added)
        }
        self.ports = ports
        self.kernels = kernels
        self.needsInputGradient = needsInputGradient
        self.additions = additions
        self.storage = storage
        arenas = [parameters, gradients].compactMap { $0 }
        hasParameterGradients = gradients != nil
    }

    private let hasParameterGradients: Bool

    private struct Reader: Equatable {
        var node: Int
        var place: Int
    }

    private static func lastReaders(_ architecture: Architecture) -> [String: Reader] {
        var result: [String: Reader] = [:]
        for (index, node) in architecture.nodes.enumerated() {
            for (place, name) in node.inputs.enumerated() { result[name] = Reader(node: index, place: place) }
        }
        return result
    }

    /// A node's port, or the data's.
    ///
    /// - Precondition: there is such a node.
    package func port(_ name: String) -> Port {
        guard let port = ports[name] else { preconditionFailure("there is no node '\(name)'") }
        return port
    }

    /// The data: fill [rows, inputCount] before `forward`.
    package var input: Port { port(Architecture.inputName) }
    /// The network's output; fill its gradient before `backward`.
    package var output: Port { port(architecture.outputName) }

    /// Computes every node from the input.
    package func forward(rows: Int, mode: ForwardMode = .evaluation) {
        precondition(rows <= capacity, "\(rows) rows where there is room for \(capacity)")
        for kernel in kernels { kernel.forward(rows: rows, mode: mode) }
    }

    /// Computes the nodes after `name` again, from its value as it stands in its port.
    ///
    /// - Precondition: nothing after it reads a node before it that has not been computed.
    package func forward(rows: Int, after name: String, mode: ForwardMode = .evaluation) {
        precondition(rows <= capacity, "\(rows) rows where there is room for \(capacity)")
        let first = name == Architecture.inputName ? 0 : (architecture.index(of: name) ?? -1) + 1
        for kernel in kernels[first...] { kernel.forward(rows: rows, mode: mode) }
    }

    /// Gradients of every node that depends on a parameter, from the output's gradient.
    ///
    /// - Parameter parameterGradients: also the parameters' own; they are overwritten, not added to.
    package func backward(rows: Int, parameterGradients: Bool = true) {
        precondition(!parameterGradients || hasParameterGradients, "this executor has no room for parameter gradients")
        for index in kernels.indices.reversed() {
            kernels[index].backward(
                rows: rows, inputGradients: needsInputGradient[index], parameterGradients: parameterGradients)
            guard needsInputGradient[index] else { continue }
            for (scratch, target) in additions[index] {
                for i in 0..<rows * target.count { target.gradient[i] += scratch.gradient[i] }
            }
        }
    }
}
