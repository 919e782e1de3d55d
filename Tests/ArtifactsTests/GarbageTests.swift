import Foundation
import HDF5
import TestSupport
import Testing

@testable import Artifacts

@Suite("Collecting garbage")
struct GarbageTests {
    let folder: TemporaryFolder
    let step: SmallStep
    var store: Store { step.store }

    init() throws {
        folder = TemporaryFolder()
        step = SmallStep(root: folder.path + "/artifacts")
        try step.run()
    }

    @Test("what a link reaches stays, with every record that names it")
    func linked() throws {
        let before = files(below: step.root)
        let report = try store.collectGarbage(dryRun: false)
        #expect(report.dropped.isEmpty)
        #expect(report.keptObjects == 1)
        #expect(files(below: step.root) == before)
        #expect(try !step.run())
    }

    @Test("what no link reaches goes, with its record; a dry run only says so", arguments: [true, false])
    func unlinked(dryRun: Bool) throws {
        let first = try store.digest(ofLink: step.link)
        var second = step
        second.neurons = 9
        try second.run()
        let expected = [store.recordPath(step.parts.key), store.objectPath(first)]
        let before = files(below: step.root)
        let report = try store.collectGarbage(dryRun: dryRun)
        #expect(report.dropped == expected)
        #expect(report.bytes > 3200)
        let gone = Set(before).subtracting(files(below: step.root)).map { "\(step.root)/\($0)" }
        #expect(gone.sorted() == (dryRun ? [] : expected))
        #expect(try store.verify().isIntact)
    }

    @Test("what killed processes left goes: temporaries, locks, objects moved aside")
    func leftovers() throws {
        let key = Digest(of: "another key")
        let leftovers = [
            "digits/tiny-0/.tune-1.h5.temporary", "runs/.\(key).temporary", "runs/\(key).lock",
            "store/.\(key).temporary", "store/\(key).h5.corrupt",
        ].map { "\(step.root)/\($0)" }
        for path in leftovers.dropFirst() { try Data([1]).write(to: URL(filePath: path)) }
        try FileManager.default.createSymbolicLink(atPath: leftovers[0], withDestinationPath: "nowhere")
        let report = try store.collectGarbage(dryRun: false)
        #expect(report.dropped == leftovers)
        #expect(leftovers.allSatisfy { FileSystem.entry(at: $0) == nil })
    }

    @Test("what a running step works on stays: its lock, its temporary and its inputs")
    func running() throws {
        let input = try store.digest(ofLink: step.link)
        var next = step
        next.name = "grow-2"
        next.inputs = ["network": input]
        try FileManager.default.removeItem(atPath: step.link)
        try store.withLock(on: next.parts, publishingTo: next.link) { lock in
            try store.publish(lock, stopwatch: Stopwatch(threads: 1, libraries: [:])) { path in
                try next.content.write(to: path)
                let report = try store.collectGarbage(dryRun: false)
                #expect(report.dropped.isEmpty)
                #expect(FileSystem.entry(at: path) != nil)
                #expect(FileSystem.entry(at: store.lockPath(next.parts.key)) != nil)
            }
        }
        _ = try store.verified(input)
        #expect(try store.collectGarbage(dryRun: false).dropped.contains(store.objectPath(input)))
        #expect(try !next.run())
    }

    @Test("files of other kinds stay")
    func foreignFiles() throws {
        for name in ["digits/tiny-0/grow-1.json", "digits/tiny-0/grow-1.log", "plan.mk", "store/notes.txt"] {
            try Data([1]).write(to: URL(filePath: "\(step.root)/\(name)"))
        }
        #expect(try store.collectGarbage(dryRun: false).dropped.isEmpty)
    }

    @Test("an artifacts folder that was never used has no garbage")
    func empty() throws {
        let unused = Store(root: folder.path + "/unused")
        #expect(try unused.collectGarbage(dryRun: false) == GarbageReport())
        #expect(try unused.verify() == VerificationReport())
        #expect(files(below: folder.path).allSatisfy { !$0.hasPrefix("unused") })
    }
}
