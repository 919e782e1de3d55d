internal import Synchronization

/// One place per piece of work for what workers compute, read in order afterwards.
package final class ResultSlots<Value: Sendable>: Sendable {
    private let slots: Mutex<[Value?]>

    package init(count: Int) { slots = Mutex([Value?](repeating: nil, count: count)) }

    /// Stores the result of piece `index`.
    package func set(_ index: Int, _ value: Value) { slots.withLock { $0[index] = value } }

    /// The results in the order of the pieces.
    package var values: [Value] { slots.withLock { $0.compactMap { $0 } } }
}
