internal import Foundation
internal import Synchronization

/// Work in phases, one after the other, of pieces that whichever worker is free takes: its own first, then others'.
///
/// A phase begins when every piece of the one before is done, not when every worker has come: a worker whose core is
/// busy with something else misses phases, and holds the others up only while it is in a piece. Who waits looks for some
/// microseconds, since phases of a small network take no longer, and then sleeps, so that a worker that waits for a core
/// gets this one.
package final class Phases: @unchecked Sendable {
    // Safe to share: what is no atomic is the system's, and changes under its own lock.
    /// The last phase that each piece was taken in.
    private let taken: [Taken]
    private let done = Atomic<Int>(0)
    /// Phases that are over.
    private let over = Atomic<Int>(0)
    private let sleepers = Atomic<Int>(0)
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let wake = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

    private final class Taken: Sendable {
        let phase = Atomic<Int>(0)
    }

    /// - Parameter pieces: the most that a phase has.
    package init(pieces: Int) {
        taken = (0..<pieces).map { _ in Taken() }
        pthread_mutex_init(lock, nil)
        pthread_cond_init(wake, nil)
    }

    deinit {
        pthread_cond_destroy(wake)
        pthread_mutex_destroy(lock)
        wake.deallocate()
        lock.deallocate()
    }

    /// What one worker knows of the phases that it has gone through.
    package struct Walk {
        /// Of how many workers, which decides whose pieces are whose.
        package let worker: Int
        package let workers: Int
        fileprivate var phase = 0

        package init(worker: Int, of workers: Int) {
            self.worker = worker
            self.workers = workers
        }
    }

    /// The worker's part of its next phase; returns when that phase is over, and memory written in it is visible.
    ///
    /// Every worker calls this for the same phases in the same order. `body` is called once for each piece in 0..<pieces, by
    /// one worker or another; between phases a worker may be behind the others, and must not touch what they write.
    package func run(_ walk: inout Walk, pieces: Int, _ body: (_ piece: Int) -> Void) {
        walk.phase += 1
        guard over.load(ordering: .acquiring) < walk.phase else { return }
        for offset in 0..<walk.workers {
            let owner = (walk.worker + offset) % walk.workers
            for piece in stride(from: owner, to: pieces, by: walk.workers) where take(piece, walk.phase) {
                body(piece)
                guard done.add(1, ordering: .acquiringAndReleasing).newValue == pieces else { continue }
                done.store(0, ordering: .relaxed)
                end(walk.phase)
                return
            }
        }
        wait(for: walk.phase)
    }

    private func take(_ piece: Int, _ phase: Int) -> Bool {
        let last = taken[piece].phase.load(ordering: .relaxed)
        return last < phase
            && taken[piece].phase.compareExchange(
                expected: last, desired: phase, ordering: .acquiringAndReleasing
            ).exchanged
    }

    // Either the sleeper sees that the phase is over, or who ends it sees the sleeper: both orders are sequential.

    private func end(_ phase: Int) {
        over.store(phase, ordering: .sequentiallyConsistent)
        guard sleepers.load(ordering: .sequentiallyConsistent) > 0 else { return }
        pthread_mutex_lock(lock)
        pthread_cond_broadcast(wake)
        pthread_mutex_unlock(lock)
    }

    /// Nanoseconds of looking before a worker sleeps.
    private static let patience: UInt64 = 20_000
    private static let looksAtOnce = 64

    private static var nanoseconds: UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    private func wait(for phase: Int) {
        let begin = Self.nanoseconds
        repeat {
            for _ in 0..<Self.looksAtOnce where over.load(ordering: .acquiring) >= phase { return }
        } while Self.nanoseconds - begin < Self.patience
        sleepers.add(1, ordering: .sequentiallyConsistent)
        pthread_mutex_lock(lock)
        while over.load(ordering: .sequentiallyConsistent) < phase { pthread_cond_wait(wake, lock) }
        pthread_mutex_unlock(lock)
        sleepers.subtract(1, ordering: .sequentiallyConsistent)
    }
}
