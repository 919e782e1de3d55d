import Foundation
import Synchronization
import Testing

@testable import Tensors

@Suite("Teams of workers")
struct WorkerTeamTests {
    private struct Failure: Error, Equatable { var worker: Int }

    @Test("every worker runs once, and all have ended when the call returns", arguments: [1, 2, 3, 8])
    func everyWorker(count: Int) throws {
        let results = ResultSlots<Int>(count: count)
        try WorkerTeam.run(count) { results.set($0, $0 * 10) }
        #expect(results.values == (0..<count).map { $0 * 10 })
    }

    @Test("of several errors the one of the lowest worker is thrown, after all have ended")
    func errors() {
        let ended = Atomic<Int>(0)
        #expect(throws: Failure(worker: 1)) {
            try WorkerTeam.run(4) { worker in
                ended.add(1, ordering: .relaxed)
                if worker % 2 == 1 { throw Failure(worker: worker) }
            }
        }
        #expect(ended.load(ordering: .relaxed) == 4)
    }

    @Test(
        "every piece of a phase is done once and before the next phase begins, whoever is late",
        arguments: [1, 2, 3, 5], [1, 2, 7])
    func phases(workers: Int, pieces: Int) throws {
        let rounds = 300
        // Fewer pieces now and then: phases differ.
        let cuts = (0..<rounds).map { $0 % 3 == 0 ? 1 : pieces }
        let before = cuts.indices.map { cuts[..<$0].reduce(0, +) }
        let phases = Phases(pieces: pieces)
        let done = Atomic<Int>(0)
        let wrong = Atomic<Int>(0)
        let counts = ResultSlots<Int>(count: workers)
        try WorkerTeam.run(workers) { worker in
            var walk = Phases.Walk(worker: worker, of: workers)
            var own = 0
            for round in 0..<rounds {
                // Longer than anybody looks before sleeping, each worker in its turn.
                if round % 50 == worker { usleep(500) }
                phases.run(&walk, pieces: cuts[round]) { _ in
                    let place = done.add(1, ordering: .relaxed).oldValue - before[round]
                    if !(0..<cuts[round]).contains(place) { wrong.add(1, ordering: .relaxed) }
                    own += 1
                }
            }
            counts.set(worker, own)
        }
        #expect(wrong.load(ordering: .relaxed) == 0)
        #expect(counts.values.reduce(0, +) == cuts.reduce(0, +))
    }

    @Test("a worker that is away misses phases, and the others do its pieces")
    func absence() throws {
        let phases = Phases(pieces: 2)
        let isOver = Atomic<Bool>(false)
        try WorkerTeam.run(2) { worker in
            var walk = Phases.Walk(worker: worker, of: 2)
            if worker == 1 { while !isOver.load(ordering: .acquiring) { usleep(100) } }
            for _ in 0..<1000 {
                phases.run(&walk, pieces: 2) { _ in #expect(worker == 0) }
            }
            isOver.store(true, ordering: .releasing)
        }
    }

    @Test("who waits for a long piece sleeps: waiting costs the processor next to nothing")
    func sleeping() throws {
        @Sendable func processorSeconds() -> Double {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Double(time.tv_sec) + 1e-9 * Double(time.tv_nsec)
        }
        let phases = Phases(pieces: 1)
        let spent = ResultSlots<Double>(count: 4)
        try WorkerTeam.run(4) { worker in
            var walk = Phases.Walk(worker: worker, of: 4)
            let begin = processorSeconds()
            for _ in 0..<5 { phases.run(&walk, pieces: 1) { _ in usleep(20_000) } }
            spent.set(worker, processorSeconds() - begin)
        }
        // A tenth of a second in all; five times some microseconds of looking.
        #expect(spent.values.allSatisfy { $0 < 0.01 }, "\(spent.values)")
    }

    @Test("pieces are taken once each, in order", arguments: [0, 1, 100])
    func pieces(count: Int) throws {
        let pieces = Pieces(count)
        let found = Mutex<[Int]>([])
        try WorkerTeam.run(3) { _ in
            var last = -1
            while let piece = pieces.next() {
                #expect(piece > last)
                last = piece
                found.withLock { $0.append(piece) }
            }
        }
        #expect(found.withLock { $0.sorted() } == Array(0..<count))
        #expect(pieces.next() == nil)
    }

    @Test("results stand in the order of the pieces, not of their completion")
    func slots() {
        let slots = ResultSlots<String>(count: 3)
        slots.set(2, "c")
        slots.set(0, "a")
        slots.set(1, "b")
        #expect(slots.values == ["a", "b", "c"])
    }

    @Test("a buffer is zero, aligned, and as long as asked", arguments: [0, 1, 17, 600_000])
    func buffers(count: Int) {
        let buffer = AlignedBuffer(count: count)
        #expect(buffer.values == [Float](repeating: 0, count: count))
        let alignment = count * 4 >= 2 << 20 ? 2 << 20 : 64
        #expect(Int(bitPattern: buffer.pointer) % alignment == 0)
    }

    @Test("the platform names everything that decides bits, the same at every call")
    func platform() {
        let name = Platform.identifier
        #expect(name == Platform.identifier)
        for part in ["OpenBLAS ", "libm "] { #expect(name.contains(part), "\(name)") }
        #expect(!name.contains("unknown"))
    }
}
