internal import Foundation
internal import Synchronization

/// Threads that run one piece of work side by side, each with library calls confined to itself.
package enum WorkerTeam {
    /// Runs `work(worker)` for every worker in 0..<count at once and returns when all have ended.
    ///
    /// The caller is worker 0. Errors: the one of the lowest worker number is thrown.
    package static func run(_ count: Int, _ work: @escaping @Sendable (_ worker: Int) throws -> Void) throws {
        precondition(count >= 1, "a team needs a worker")
        try Platform.start()
        let failures = Mutex<[Int: any Error]>([:])
        let record: @Sendable (Int) -> Void = { worker in
            do { try work(worker) } catch { failures.withLock { $0[worker] = error } }
        }
        let finished = DispatchGroup()
        for worker in 1..<count {
            finished.enter()
            let thread = Thread {
                Platform.useOneThread()
                record(worker)
                finished.leave()
            }
            thread.stackSize = 8 << 20
            thread.start()
        }
        // The limit belongs to a thread, and the caller may be another one than the one that called `start`.
        Platform.useOneThread()
        record(0)
        finished.wait()
        let errors = failures.withLock { $0 }
        if let first = errors.keys.min(), let error = errors[first] { throw error }
    }

    /// `work(piece)` for every piece in 0..<count, each by whichever of at most so many threads is free; in the order of
    /// the pieces.
    ///
    /// Errors: the one of the lowest piece is thrown, after all are done.
    package static func map<Value: Sendable>(
        _ count: Int, threads: Int, _ work: @escaping @Sendable (_ piece: Int) throws -> Value
    ) throws -> [Value] {
        guard count > 0 else { return [] }
        let results = ResultSlots<Result<Value, any Error>>(count: count)
        let pieces = Pieces(count)
        try run(max(1, min(threads, count))) { _ in
            while let piece = pieces.next() { results.set(piece, Result { try work(piece) }) }
        }
        return try results.values.map { try $0.get() }
    }
}

/// Pieces of work that whichever worker is free takes, each once.
package final class Pieces: Sendable {
    private let count: Int
    private let taken = Atomic<Int>(0)

    package init(_ count: Int) { self.count = count }

    /// The next piece in 0..<count; nil when all are taken.
    package func next() -> Int? {
        let piece = taken.add(1, ordering: .relaxed).oldValue
        return piece < count ? piece : nil
    }
}

/// One place per piece of work for what workers compute, read in order afterwards.
package final class ResultSlots<Value: Sendable>: Sendable {
    private let slots: Mutex<[Value?]>

    package init(count: Int) { slots = Mutex([Value?](repeating: nil, count: count)) }

    /// Stores the result of piece `index`.
    package func set(_ index: Int, _ value: Value) { slots.withLock { $0[index] = value } }

    /// The results in the order of the pieces.
    package var values: [Value] { slots.withLock { $0.compactMap { $0 } } }
}
