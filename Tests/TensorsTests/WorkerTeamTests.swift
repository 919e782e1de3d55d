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

    @Test("no worker passes a barrier before all have come, round after round", arguments: [1, 2, 3, 5])
    func barrier(parties: Int) throws {
        let rounds = 200
        let barrier = Barrier(parties: parties)
        let arrived = Atomic<Int>(0)
        let early = Atomic<Int>(0)
        try WorkerTeam.run(parties) { _ in
            for round in 1...rounds {
                arrived.add(1, ordering: .relaxed)
                barrier.wait()
                if arrived.load(ordering: .relaxed) < round * parties { early.add(1, ordering: .relaxed) }
                barrier.wait()
            }
        }
        #expect(arrived.load(ordering: .relaxed) == rounds * parties)
        #expect(early.load(ordering: .relaxed) == 0)
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
