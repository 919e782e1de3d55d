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
        let next = Atomic<Int>(0)
        try run(max(1, min(threads, count))) { _ in
            while case let piece = next.add(1, ordering: .relaxed).oldValue, piece < count {
                results.set(piece, Result { try work(piece) })
            }
        }
        return try results.values.map { try $0.get() }
    }
}

/// Where the workers of a team wait for each other.
///
/// Waits by spinning, since the phases of a training step take microseconds; after a while it gives its
/// core away between looks.
package final class Barrier: Sendable {
    private let parties: Int
    private let waiting = Atomic<Int>(0)
    private let generation = Atomic<Int>(0)

    package init(parties: Int) { self.parties = parties }

    /// Returns when all parties have called it; memory written before is then visible to all.
    package func wait() {
        guard parties > 1 else { return }
        let current = generation.load(ordering: .acquiring)
        if waiting.add(1, ordering: .acquiringAndReleasing).newValue == parties {
            waiting.store(0, ordering: .relaxed)
            generation.store(current &+ 1, ordering: .releasing)
            return
        }
        var looks = 0
        while generation.load(ordering: .acquiring) == current {
            looks += 1
            if looks > 4000 { sched_yield() }
        }
    }
}
