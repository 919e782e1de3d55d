import Files
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
        let report = try store.collectGarbage(unusedDays: 0, dryRun: false)
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
        let report = try store.collectGarbage(unusedDays: 0, dryRun: dryRun)
        #expect(report.dropped == expected)
        #expect(report.bytes > 3200)
        let gone = Set(before).subtracting(files(below: step.root)).map { "\(step.root)/\($0)" }
        #expect(gone.sorted() == (dryRun ? [] : expected))
        #expect(try store.verify().isIntact)
    }

    @Test(
        "what no link reaches stays as long as it was used lately, by any checkout, with what it was made from",
        arguments: [(29, true), (31, false), (-400, true)])
    func usedLately(days: Int, stays: Bool) throws {
        let input = try store.digest(ofLink: step.link)
        var next = step
        next.name = "grow-2"
        next.inputs = ["network": input]
        try next.run()
        let objects = [input, try store.digest(ofLink: next.link)].map(store.objectPath)
        for link in [step.link, next.link] { try FileManager.default.removeItem(atPath: link) }
        // The input's own record is old; the step that read it tells.
        setTime(store.recordPath(step.parts.key), daysAgo: 400)
        setTime(store.recordPath(next.parts.key), daysAgo: days)
        var announced: GarbageReport?
        let report = try store.collectGarbage(unusedDays: 30, dryRun: false) { announced = $0 }
        #expect(announced == report)
        #expect(report.keptObjects == (stays ? 2 : 0) && report.keptUnlinked == report.keptObjects)
        #expect(objects.allSatisfy { (FileSystem.entry(at: $0) != nil) == stays })
    }

    @Test("a result that is linked again counts as used")
    func use() throws {
        setTime(store.recordPath(step.parts.key), daysAgo: 400)
        #expect(try !step.run())
        #expect(FileSystem.isRecent(store.recordPath(step.parts.key), seconds: 60))
    }

    @Test(
        "any time that a file may bear is taken", arguments: [Int.min, -5_000_000_000, 0, 1 << 40, Int.max])
    func times(seconds: Int) throws {
        let leftover = "\(step.root)/digits/tiny-0/.tune-1.json.1.temporary"
        try Data([1]).write(to: URL(filePath: leftover))
        let files = files(below: step.root).map { "\(step.root)/\($0)" }
        let stamp = FileStamp(inode: 0, seconds: seconds, nanoseconds: 0)
        for path in files { FileSystem.setTime(path, to: stamp) }
        _ = try store.collectGarbage(unusedDays: 30, dryRun: false)
        #expect(try store.verify().isIntact)
        #expect(try !step.run())
    }

    private func setTime(_ path: String, daysAgo: Int) {
        FileSystem.setTime(
            path, to: FileStamp(inode: 0, seconds: time(nil) - daysAgo * 86_400, nanoseconds: 0))
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
        let report = try store.collectGarbage(unusedDays: 0, dryRun: false)
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
                let report = try store.collectGarbage(unusedDays: 0, dryRun: false)
                #expect(report.dropped.isEmpty)
                #expect(FileSystem.entry(at: path) != nil)
                #expect(FileSystem.entry(at: store.lockPath(next.parts.key)) != nil)
            }
        }
        _ = try store.verified(input)
        #expect(
            try store.collectGarbage(unusedDays: 0, dryRun: false).dropped.contains(store.objectPath(input)))
        #expect(try !next.run())
    }

    @Test("files of other kinds stay, and folders under any name")
    func foreignFiles() throws {
        let key = Digest(of: "folder")
        for name in [
            "store/\(key).h5", "store/\(key).h5.corrupt", "runs/\(key).json", "runs/\(key).lock", "mine/a/b",
        ] {
            try FileManager.default.createDirectory(
                atPath: "\(step.root)/\(name)", withIntermediateDirectories: true)
        }
        for name in [
            "digits/tiny-0/grow-1.json", "digits/tiny-0/grow-1.log", "plan.mk", "store/notes.txt",
            "mine/a/b/.c.temporary",
        ] {
            try Data([1]).write(to: URL(filePath: "\(step.root)/\(name)"))
            setTime("\(step.root)/\(name)", daysAgo: 1)
        }
        #expect(try store.collectGarbage(unusedDays: 0, dryRun: false).dropped.isEmpty)
    }

    @Test("an artifacts folder that was never used has no garbage")
    func empty() throws {
        let unused = Store(root: folder.path + "/unused")
        #expect(try unused.collectGarbage(unusedDays: 0, dryRun: false) == GarbageReport())
        #expect(try unused.verify() == VerificationReport())
        #expect(files(below: folder.path).allSatisfy { !$0.hasPrefix("unused") })
    }
}
