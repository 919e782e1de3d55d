internal import Networks
internal import Tensors

/// The state of a network while it is trained: running averages of what every step measures.
struct RunningState: Sendable {
    let arena: ParameterArena
    /// One per entry of the layout.
    private let momenta: [Double]

    init(_ architecture: Architecture, _ arena: ParameterArena) {
        self.arena = arena
        momenta = arena.layout.entries.map { entry in
            architecture.index(of: entry.node).map { architecture.nodes[$0].operation.stateMomentum } ?? 0
        }
    }

    /// r ← (1 − m) r + m s, with s the mean of what the shards measured, added in their order.
    func move(to updates: [ParameterArena]) {
        guard !updates.isEmpty else { return }
        for (entry, momentum) in zip(arena.layout.entries, momenta) {
            for index in entry.offset..<entry.offset + entry.count {
                let sum = updates.reduce(0) { $0 + Double($1.buffer.pointer[index]) }
                let running = Double(arena.buffer.pointer[index])
                arena.buffer.pointer[index] = Float(
                    (1 - momentum) * running + momentum * sum / Double(updates.count))
            }
        }
    }
}
