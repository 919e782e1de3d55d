internal import CKernels
internal import Tensors

/// A network ready to run on one thread: its kernels bound to buffers for up to `capacity` rows.
///
/// Nothing is allocated after `init`. Several executors may share one parameter arena, for reading.
package final class Executor {
    package let architecture: Architecture
    package let capacity: Int
    private let ports: [String: Port]
    private let steps: [Step]
    /// Kernels hold bare pointers into these.
    private let storage: [AlignedBuffer]
    private let arenas: [ParameterArena]
    private let hasParameterGradients: Bool

    /// What an executor is for, which decides how long it keeps values.
    package enum Purpose: Sendable {
        /// `forward` alone.
        case inference
        /// `forward` and `backward`.
        case training
        /// `forward` and `backward` without gradients of the parameters.
        case measurement
    }

    /// A node's kernel and what backward does with it.
    private struct Step {
        var kernel: any Kernel
        /// Whether anything before it needs the gradient with respect to its inputs.
        var needsInputGradient: Bool
        /// Kernels overwrite; where a value has several readers, the later ones' gradients are added from here.
        var additions: [(scratch: Port, target: Port)]
    }

    /// - Parameters:
    ///   - parameters: the values, laid out as `ParameterLayout(architecture)`.
    ///   - gradients: where gradients of the parameters go; needed for `backward(parameterGradients: true)`.
    ///   - state: the network's state, laid out as `ParameterLayout.state(architecture)`; needed where it has any.
    ///   - stateUpdates: where a training pass leaves what it measured for the state; nil: nowhere.
    ///   - capacity: the largest number of rows in a pass.
    ///   - keeping: the nodes whose values and gradients can be read after a whole pass; nil: all of them.
    package init(
        _ architecture: Architecture, parameters: ParameterArena, gradients: ParameterArena? = nil,
        state: ParameterArena? = nil, stateUpdates: ParameterArena? = nil, capacity: Int,
        purpose: Purpose = .training, keeping: Set<String>? = nil
    ) {
        self.architecture = architecture
        self.capacity = capacity
        hasParameterGradients = gradients != nil && purpose == .training
        let state = state ?? ParameterArena(ParameterLayout.state(architecture))
        let updates = stateUpdates ?? ParameterArena(state.layout)
        var buffers = Buffers(architecture, capacity: capacity)
        var trainable: Set<String> = []
        steps = architecture.nodes.enumerated().map { index, node in
            let (inputs, additions) = buffers.inputs(of: node, index: index)
            let wiring = Wiring(
                inputs: inputs, output: buffers.port(node.name),
                parameters: parameters.places(of: node.name, and: gradients ?? parameters),
                state: state.places(of: node.name, and: updates), capacity: capacity, nodeIndex: index)
            let needsInputGradient = node.inputs.contains(where: trainable.contains)
            if !wiring.parameters.isEmpty || needsInputGradient { trainable.insert(node.name) }
            return Step(
                kernel: node.operation.makeKernel(wiring), needsInputGradient: needsInputGradient,
                additions: additions)
        }
        ports = buffers.ports
        storage = buffers.storage
        arenas = [parameters, gradients, state, updates].compactMap { $0 }
    }

    /// A node's port, or the data's.
    ///
    /// - Precondition: there is such a node.
    package func port(_ name: String) -> Port {
        guard let port = ports[name] else { preconditionFailure("there is no node '\(name)'") }
        return port
    }

    /// The data: fill [rows, inputCount] before `forward`, or [rows, channels, height, width] for images.
    package var input: Port { port(Architecture.inputName) }
    /// The network's output; fill its gradient before `backward`.
    package var output: Port { port(architecture.outputName) }

    /// What is there of a node: its value, or the loss's gradient with respect to it.
    package enum Quantity: Sendable {
        case value
        case gradient
    }

    /// Copies a node's value or gradient out, [rows, height, width, channels], or [rows, features].
    ///
    /// - Precondition: the node is kept, or it is the input or the output.
    package func readRows(
        of name: String, _ quantity: Quantity, rows: Int, into destination: UnsafeMutablePointer<Float>
    ) {
        let port = port(name)
        let layout = port.layout
        layout_to_rows(
            quantity == .value ? port.value : port.gradient, destination, rows, layout.channels,
            layout.positions, layout.lanes)
    }

    /// Writes a node's value, [rows, height, width, channels], or [rows, features].
    package func writeRows(of name: String, rows: Int, from source: UnsafePointer<Float>) {
        let port = port(name)
        let layout = port.layout
        layout_from_rows(
            source, port.value, rows, layout.channels, layout.positions, layout.lanes)
    }

    /// Computes every node from the input.
    package func forward(rows: Int, mode: ForwardMode = .evaluation) {
        precondition(rows <= capacity, "\(rows) rows where there is room for \(capacity)")
        for step in steps { step.kernel.forward(rows: rows, mode: mode) }
    }

    /// Computes the nodes after `name` again, from its value as it stands in its port.
    ///
    /// - Precondition: nothing after it reads a node before it that has not been computed.
    package func forward(rows: Int, after name: String, mode: ForwardMode = .evaluation) {
        precondition(rows <= capacity, "\(rows) rows where there is room for \(capacity)")
        precondition(ports[name] != nil, "there is no node '\(name)'")
        let first = architecture.index(of: name).map { $0 + 1 } ?? 0
        for step in steps[first...] { step.kernel.forward(rows: rows, mode: mode) }
    }

    /// Gradients of every node that depends on a parameter, from the output's gradient.
    ///
    /// - Parameter parameterGradients: also the parameters' own; they are overwritten, not added to.
    package func backward(rows: Int, parameterGradients: Bool = true) {
        precondition(
            !parameterGradients || hasParameterGradients, "this executor has no room for parameter gradients")
        for step in steps.reversed() {
            step.kernel.backward(
                rows: rows, inputGradients: step.needsInputGradient, parameterGradients: parameterGradients)
            guard step.needsInputGradient else { continue }
            for (scratch, target) in step.additions {
                vector_add(target.gradient, scratch.gradient, rows * target.count)
            }
        }
    }
}

extension ParameterArena {
    /// A node's values here and in another arena of the same layout, in the order of the layout.
    fileprivate func places(
        of node: String, and other: ParameterArena
    ) -> [(UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>)] {
        layout.entries.filter { $0.node == node }.map {
            (buffer.pointer + $0.offset, other.buffer.pointer + $0.offset)
        }
    }
}

/// The memory of an executor, handed out node by node.
private struct Buffers {
    private struct Reader: Equatable {
        var node: Int
        var place: Int
    }

    private let capacity: Int
    private let lastReaders: [String: Reader]
    private(set) var ports: [String: Port] = [:]
    private(set) var storage: [AlignedBuffer] = []

    init(_ architecture: Architecture, capacity: Int) {
        self.capacity = capacity
        var lastReaders: [String: Reader] = [:]
        for (index, node) in architecture.nodes.enumerated() {
            for (place, name) in node.inputs.enumerated() {
                lastReaders[name] = Reader(node: index, place: place)
            }
        }
        self.lastReaders = lastReaders
        addPort(Architecture.inputName, .plain(architecture.inputShape))
        for (node, shape) in zip(architecture.nodes, architecture.shapes) {
            addPort(node.name, .plain(shape))
        }
    }

    private mutating func addPort(_ name: String, _ layout: ValueLayout) {
        ports[name] = Port(value: allocate(layout.count), gradient: allocate(layout.count), layout: layout)
    }

    private mutating func allocate(_ count: Int) -> UnsafeMutablePointer<Float> {
        let buffer = AlignedBuffer(count: capacity * count)
        storage.append(buffer)
        return buffer.pointer
    }

    func port(_ name: String) -> Port {
        guard let port = ports[name] else { preconditionFailure("node '\(name)' has no buffer") }
        return port
    }

    /// The ports a node reads and, where another node reads the same value later, what to add where.
    mutating func inputs(
        of node: Architecture.Node, index: Int
    ) -> (ports: [Port], additions: [(scratch: Port, target: Port)]) {
        var additions: [(scratch: Port, target: Port)] = []
        var inputs: [Port] = []
        for (place, name) in node.inputs.enumerated() {
            let target = port(name)
            // Backward runs from the last node: a value's last reader writes first, all others add.
            if lastReaders[name] == Reader(node: index, place: place) {
                inputs.append(target)
            } else {
                let scratch = Port(
                    value: target.value, gradient: allocate(target.count), layout: target.layout)
                additions.append((scratch: scratch, target: target))
                inputs.append(scratch)
            }
        }
        return (inputs, additions)
    }
}
