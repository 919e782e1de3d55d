internal import CKernels
internal import Tensors

/// A network ready to run on one thread: its kernels bound to memory for up to `capacity` rows.
///
/// Nothing is allocated after the first pass with a number of rows. Several executors may share one parameter arena, for
/// reading. Values and gradients of nodes that are not kept share memory (`MemoryPlan`).
package final class Executor {
    package let architecture: Architecture
    package let capacity: Int
    private let program: Program
    private let ports: [String: Port]
    private let steps: [Step]
    /// Kernels hold bare pointers into these.
    private let memory: AlignedBuffer
    private let arenas: [ParameterArena]
    private let hasParameterGradients: Bool
    private let hasBackward: Bool

    /// What an executor is for, which decides how long it keeps values.
    package enum Purpose: Sendable {
        /// `forward` alone.
        case inference
        /// `forward` and `backward`.
        case training
        /// `forward` and `backward` without gradients of the parameters.
        case measurement
    }

    /// - Parameters:
    ///   - parameters: the values, laid out as `ParameterLayout(architecture)`.
    ///   - gradients: where gradients of the parameters go; needed for `backward(parameterGradients: true)`.
    ///   - state: the network's state, laid out as `ParameterLayout.state(architecture)`; needed where it has any.
    ///   - stateUpdates: where a training pass leaves what it measured for the state; nil: nowhere.
    ///   - capacity: the largest number of rows in a pass.
    ///   - keeping: the nodes whose values and gradients can be read after a whole pass; nil: all of them. The input and
    ///     the output always can.
    package init(
        _ architecture: Architecture, parameters: ParameterArena, gradients: ParameterArena? = nil,
        state: ParameterArena? = nil, stateUpdates: ParameterArena? = nil, capacity: Int,
        purpose: Purpose = .training, keeping: Set<String>? = nil
    ) {
        precondition(
            state != nil || ParameterLayout.state(architecture).entries.isEmpty,
            "the architecture has a state, the executor got none")
        self.architecture = architecture
        self.capacity = capacity
        hasParameterGradients = gradients != nil && purpose == .training
        hasBackward = purpose != .inference
        program = Program(architecture, keeping: keeping)
        let plan = MemoryPlan(program, capacity: capacity, purpose: purpose)
        memory = AlignedBuffer(count: plan.count)
        let state = state ?? ParameterArena(ParameterLayout.state(architecture))
        let binding = Binding(
            program: program, plan: plan, memory: memory.pointer, parameters: parameters,
            gradients: gradients,
            state: state, updates: stateUpdates ?? ParameterArena(state.layout), capacity: capacity,
            purpose: purpose)
        ports = program.numbers.mapValues { binding.ports[$0] }
        steps = program.instructions.indices.map(binding.step)
        arenas = binding.arenas
    }

    /// How many rows an executor has room for in so much memory, whole blocks of them, at least one, and at most `limit`.
    ///
    /// What kernels need for themselves is not counted.
    package static func rows(
        of architecture: Architecture, purpose: Purpose, keeping: Set<String>?, within bytes: Int,
        atMost limit: Int
    ) -> Int {
        let plan = MemoryPlan(
            Program(architecture, keeping: keeping), capacity: ValueLayout.lanes, purpose: purpose)
        let blocks = max(1, bytes / MemoryLayout<Float>.stride / max(plan.count, 1))
        return min(limit, blocks * ValueLayout.lanes)
    }

    /// A node's port, or the data's.
    ///
    /// - Precondition: there is such a node.
    package func port(_ name: String) -> Port {
        guard let port = ports[name] else { preconditionFailure("there is no node '\(name)'") }
        return port
    }

    /// The data: fill its value before `forward`.
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
    /// - Parameter channels: of an image that was flattened, to have it as an image; nil for the node's own shape.
    /// - Precondition: the node is kept, or it is the input or the output.
    package func readRows(
        of name: String, _ quantity: Quantity, rows: Int, channels: Int? = nil,
        into destination: UnsafeMutablePointer<Float>
    ) {
        let port = keptPort(name)
        let channels = channels ?? port.layout.channels
        lanes_to_rows(
            quantity == .value ? port.value : port.gradient, destination, rows, channels,
            channels == 0 ? 0 : port.count / channels)
    }

    /// Writes a node's value, [rows, height, width, channels], or [rows, features]; or the output's gradient.
    ///
    /// - Precondition: the node is kept, or it is the input or the output.
    package func writeRows(
        of name: String, _ quantity: Quantity = .value, rows: Int, from source: UnsafePointer<Float>
    ) {
        let port = keptPort(name)
        lanes_from_rows(
            source, quantity == .value ? port.value : port.gradient, rows, port.layout.channels,
            port.layout.positions)
    }

    private func keptPort(_ name: String) -> Port {
        let isKept = program.numbers[name].map { program.values[$0].isKept }
        precondition(isKept ?? false, "'\(name)' is no node that this executor keeps")
        return port(name)
    }

    /// Computes every node from the input.
    package func forward(rows: Int, mode: ForwardMode = .evaluation) {
        precondition(rows <= capacity, "\(rows) rows where there is room for \(capacity)")
        for step in steps { step.kernel.forward(rows: rows, mode: mode) }
    }

    /// Computes the nodes after `name` again, from its value as it stands in its port.
    ///
    /// - Precondition: the node is kept, and so is every node before it that a node after it reads.
    package func forward(rows: Int, after name: String, mode: ForwardMode = .evaluation) {
        precondition(rows <= capacity, "\(rows) rows where there is room for \(capacity)")
        guard let first = program.instruction(after: name) else {
            preconditionFailure("there is no node '\(name)'")
        }
        for step in steps[first...] { step.kernel.forward(rows: rows, mode: mode) }
    }

    /// Gradients of every node that depends on a parameter, from the output's gradient.
    ///
    /// - Parameter parameterGradients: also the parameters' own; they are overwritten, not added to.
    package func backward(rows: Int, parameterGradients: Bool = true) {
        precondition(hasBackward, "this executor is for inference")
        precondition(
            !parameterGradients || hasParameterGradients, "this executor has no room for parameter gradients")
        for step in steps.reversed() where step.needsInputGradient || step.hasParameters {
            step.kernel.backward(
                rows: rows, inputGradients: step.needsInputGradient, parameterGradients: parameterGradients)
            for (part, whole) in step.additions {
                vector_add(whole.gradient, part.gradient, whole.elements(rows))
            }
        }
    }
}

/// A node's kernel and what backward does with it.
private struct Step {
    var kernel: any Kernel
    /// Whether anything before it needs the gradient with respect to its inputs.
    var needsInputGradient: Bool
    var hasParameters: Bool
    /// Kernels overwrite; where a value has several readers, the later ones' gradients are added from here.
    var additions: [(part: Port, whole: Port)]
}

/// Gives kernels their memory.
private struct Binding {
    let program: Program
    let plan: MemoryPlan
    let memory: UnsafeMutablePointer<Float>
    let parameters: ParameterArena
    let gradients: ParameterArena?
    let state: ParameterArena
    let updates: ParameterArena
    let capacity: Int
    let purpose: Executor.Purpose
    let scratch = Scratch()
    /// One per value of the program.
    private(set) var ports: [Port] = []

    init(
        program: Program, plan: MemoryPlan, memory: UnsafeMutablePointer<Float>, parameters: ParameterArena,
        gradients: ParameterArena?, state: ParameterArena, updates: ParameterArena, capacity: Int,
        purpose: Executor.Purpose
    ) {
        self.program = program
        self.plan = plan
        self.memory = memory
        self.parameters = parameters
        self.gradients = gradients
        self.state = state
        self.updates = updates
        self.capacity = capacity
        self.purpose = purpose
        // Where there is no gradient, no kernel touches the address that stands for it.
        ports = program.values.indices.map { number in
            Port(
                value: memory + plan.value(number), gradient: memory + (plan.gradient(number) ?? 0),
                layout: program.values[number].layout)
        }
    }

    var arenas: [ParameterArena] { [parameters, gradients, state, updates].compactMap { $0 } }

    func step(_ index: Int) -> Step {
        let instruction = program.instructions[index]
        let inputs = instruction.inputs.enumerated().map { place, number in
            let whole = ports[number]
            guard let part = plan.part(index, place) else { return whole }
            return Port(value: whole.value, gradient: memory + part, layout: whole.layout)
        }
        let additions = instruction.inputs.enumerated().compactMap { place, number in
            plan.part(index, place) != nil && program.values[number].needsGradient
                ? (part: inputs[place], whole: ports[number]) : nil
        }
        return Step(
            kernel: instruction.operation.makeKernel(
                wiring(instruction, inputs: inputs, output: ports[instruction.output])),
            needsInputGradient: instruction.needsInputGradient, hasParameters: instruction.hasParameters,
            additions: additions)
    }

    private func wiring(_ instruction: Program.Instruction, inputs: [Port], output: Port) -> Wiring {
        Wiring(
            inputs: inputs, output: output,
            parameters: parameters.places(of: instruction.node, and: gradients ?? parameters),
            state: state.places(of: instruction.node, and: updates), capacity: capacity,
            identity: instruction.identity,
            needsInputGradient: purpose != .inference && instruction.needsInputGradient,
            needsParameterGradients: purpose == .training && gradients != nil && instruction.hasParameters,
            scratch: scratch)
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
