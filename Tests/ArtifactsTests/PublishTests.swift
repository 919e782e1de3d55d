import Files
import Foundation
import HDF5
import TestSupport
import Testing

@testable import Artifacts

@Suite("Publishing a step's output")
struct PublishTests {
    let folder: TemporaryFolder
    let step: SmallStep

    init() throws {
        folder = TemporaryFolder()
        step = SmallStep(root: folder.path + "/artifacts")
    }

    @Test("an object is named after its bytes, is read-only, and the link to it is relative")
    func published() throws {
        #expect(try step.run())
        let digest = try step.store.digest(ofLink: step.link)
        #expect(try Digest(ofFile: step.store.objectPath(digest)) == digest)
        #expect(try digest == step.expectedDigest())
        let target = try FileManager.default.destinationOfSymbolicLink(atPath: step.link)
        #expect(target == "../../store/\(digest).h5")
        #expect(
            files(below: step.root) == [
                "digits/tiny-0/grow-1.h5", "runs/\(step.parts.key).json", "runs/publishing.lock",
                "store/\(digest).h5",
            ])
    }

    @Test("a second run of the same key does no work and makes the link anew")
    func cacheHit() throws {
        try step.run()
        let digest = try step.store.digest(ofLink: step.link)
        try FileManager.default.removeItem(atPath: step.link)
        #expect(try !step.run())
        #expect(try step.store.digest(ofLink: step.link) == digest)
    }

    @Test(
        "a kill at any point leaves no half state, and the next run gives the same digest",
        arguments: PublishPoint.allCases)
    func crash(at point: PublishPoint) async throws {
        let step = step
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [step = step as SmallStep, name = point.rawValue as String] in
            setenv(PublishPoint.variable, name, 1)
            try step.run()
        }
        for digest in try step.store.objectDigests() {
            #expect(try Digest(ofFile: step.store.objectPath(digest)) == digest)
        }
        if FileSystem.entry(at: step.link) != nil {
            _ = try step.store.verified(step.store.digest(ofLink: step.link))
            #expect(try step.store.record(for: step.parts.key) != nil)
        }
        if let record = try step.store.record(for: step.parts.key) {
            #expect(step.store.isPresent(record.output, bytes: record.bytes))
        }

        let expected = try step.expectedDigest()
        try step.run()
        #expect(try step.store.digest(ofLink: step.link) == expected)
        _ = try step.store.collectGarbage(unusedDays: 0, dryRun: false)
        #expect(
            files(below: step.root) == [
                "digits/tiny-0/grow-1.h5", "runs/\(step.parts.key).json", "runs/publishing.lock",
                "store/\(expected).h5",
            ])
    }

    @Test("two processes on one key compute it once")
    func twoProcesses() async throws {
        let step = step
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<2 {
                group.addTask {
                    await #expect(processExitsWith: .success) { [step = step as SmallStep] in
                        try step.runWhileAnotherWaits()
                    }
                }
            }
        }
        let expected = try step.expectedDigest()
        #expect(try step.store.digest(ofLink: step.link) == expected)
        #expect(try String(contentsOfFile: step.root + ".count", encoding: .utf8) == "worked\n")
        #expect(FileManager.default.fileExists(atPath: step.root + ".waiting"))
    }

    @Test(
        "an error at any point leaves neither a temporary nor a partial object",
        arguments: PublishPoint.allCases)
    func error(at point: PublishPoint) throws {
        struct Stop: Error {}
        let store = Store(root: step.root) { if $0 == point { throw Stop() } }
        #expect(throws: Stop.self) { try step.run(in: store) }
        #expect(
            files(below: step.root).allSatisfy {
                !$0.contains(".temporary") && !$0.contains("\(step.parts.key).lock")
            })
        #expect(
            try step.store.objectDigests().allSatisfy { try Digest(ofFile: step.store.objectPath($0)) == $0 })
        try step.run()
        #expect(try step.store.digest(ofLink: step.link) == step.expectedDigest())
    }

    @Test("an equal output keeps the object that is there, time stamp and all")
    func earlyCutOff() throws {
        try step.run()
        let object = step.store.objectPath(try step.store.digest(ofLink: step.link))
        var before = stat()
        stat(object, &before)
        var refactored = step.parts
        refactored.source = "refactored"
        let store = step.store
        try store.withLock(on: refactored, publishingTo: step.link) { lock in
            try store.publish(lock, stopwatch: Stopwatch(threads: 1, libraries: [:])) {
                try step.content.write(to: $0)
            }
        }
        var after = stat()
        stat(object, &after)
        #expect(before.st_ino == after.st_ino)
        #expect(try store.records().count == 2)
    }

    @Test("publishing over a damaged object of the same name heals it")
    func healing() throws {
        try step.run()
        let digest = try step.store.digest(ofLink: step.link)
        try damage(step.store.objectPath(digest))
        try FileManager.default.removeItem(atPath: step.store.recordPath(step.parts.key))
        #expect(try step.run())
        #expect(try Digest(ofFile: step.store.objectPath(digest)) == digest)
    }

    @Test("a round that adds nothing records and links its input")
    func unchanged() throws {
        try step.run()
        let input = try step.store.digest(ofLink: step.link)
        var next = step
        next.name = "grow-2"
        next.inputs = ["network": input]
        let store = step.store
        let record = try store.withLock(on: next.parts, publishingTo: next.link) { lock in
            try store.publishUnchanged(lock, output: input, stopwatch: Stopwatch(threads: 1, libraries: [:]))
        }
        #expect(record.unchanged)
        #expect(try store.record(for: next.parts.key) == record)
        #expect(try store.digest(ofLink: next.link) == input)
        #expect(try !next.run())
    }

    @Test(
        "an output outside the artifacts folder, or among its objects, is refused before any work",
        arguments: ["../elsewhere/grow-1.h5", "store/grow-1.h5", "runs/grow-1.h5", "grow-1.h5"])
    func outside(_ place: String) throws {
        let link = "\(step.root)/\(place)"
        let error = #expect(throws: ArtifactError.self) {
            try step.store.withLock(on: step.parts, publishingTo: link) { _ in Issue.record("worked") }
        }
        #expect(error == .outputOutsideArtifacts(path: link, root: step.root))
        #expect(error?.exitCode == 64)
    }

    @Test("a plain file is replaced whole, or left as it was")
    func plainFile() throws {
        struct Stop: Error {}
        let path = folder.path + "/out/network.h5"
        try PlainFile.publish(at: path) { try step.content.write(to: $0) }
        let digest = try Digest(ofFile: path)
        #expect(throws: Stop.self) {
            try PlainFile.publish(at: path) { temporary in
                try Data("half".utf8).write(to: URL(filePath: temporary))
                throw Stop()
            }
        }
        #expect(try Digest(ofFile: path) == digest)
        #expect(files(below: folder.path + "/out") == ["network.h5"])
    }

    @Test("a text file is only written when it says something else")
    func textFile() throws {
        let path = folder.path + "/plan/plan.mk"
        #expect(try PlainFile.write("all:\n", to: path))
        #expect(try !PlainFile.write("all:\n", to: path))
        #expect(try PlainFile.write("all: x\n", to: path))
        #expect(files(below: folder.path + "/plan") == ["plan.mk"])
    }
}

extension SmallStep {
    /// Runs; the process that works does not finish before the other one waits for it.
    func runWhileAnotherWaits() throws {
        let store = store
        let announcement = root + ".waiting"
        let announce = { _ = FileManager.default.createFile(atPath: announcement, contents: nil) }
        try store.withLock(on: parts, publishingTo: link, waiting: announce) { step in
            // A lock on a file that its last holder removed would keep no third process away.
            guard FileSystem.entry(at: store.lockPath(step.key)) != nil else {
                throw FileError.missing(path: store.lockPath(step.key))
            }
            if let record = try store.record(for: step.key), try store.relink(step, to: record) { return }
            try store.publish(step, stopwatch: Stopwatch(threads: 1, libraries: [:])) { path in
                let deadline = ContinuousClock.now + .seconds(20)
                while !FileManager.default.fileExists(atPath: announcement) && ContinuousClock.now < deadline
                {
                    usleep(1000)
                }
                try content.write(to: path)
            }
            let log = open(root + ".count", O_WRONLY | O_CREAT | O_APPEND, 0o644)
            defer { close(log) }
            _ = "worked\n".withCString { write(log, $0, strlen($0)) }
        }
    }
}
