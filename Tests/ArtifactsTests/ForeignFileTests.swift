import Files
import Foundation
import Glibc
import HDF5
import Parameters
import TestSupport
import Testing

@testable import Artifacts

/// What may stand where a file of ours belongs.
enum Intruder: String, CaseIterable, Sendable {
    case pipe, folder, device, linkToNowhere, linkToOwnFile, garbage

    /// Replaces what stands at a path; `own` is a file of the user's.
    func take(_ path: String, own: String) throws {
        try? FileManager.default.removeItem(atPath: path)
        switch self {
        case .pipe: try #require(mkfifo(path, 0o644) == 0)
        case .folder:
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
            try Data("mine".utf8).write(to: URL(filePath: path + "/notes.txt"))
        case .device: try #require(symlink("/dev/zero", path) == 0)
        case .linkToNowhere: try #require(symlink("nowhere", path) == 0)
        case .linkToOwnFile: try #require(symlink(own, path) == 0)
        case .garbage: try Data("garbage".utf8).write(to: URL(filePath: path))
        }
    }
}

@Suite("Something else in a file's place", .timeLimit(.minutes(1)))
struct ForeignFileTests {
    let folder: TemporaryFolder
    let step: SmallStep
    var store: Store { step.store }
    var own: String { folder.path + "/own.txt" }

    init() throws {
        folder = TemporaryFolder()
        step = SmallStep(root: folder.path + "/artifacts")
        try step.run()
        try Data("my own".utf8).write(to: URL(filePath: own))
    }

    enum Place: String, CaseIterable, Sendable { case object, record, link, lock, publishingLock, temporary }

    private func path(_ place: Place) throws -> String {
        switch place {
        case .object: try store.objectPath(store.digest(ofLink: step.link))
        case .record: store.recordPath(step.parts.key)
        case .link: step.link
        case .lock: store.lockPath(step.parts.key)
        case .publishingLock: store.publishingLockPath
        case .temporary: "\(store.objects)/\(TemporaryName.of(step.parts.key))"
        }
    }

    @Test(
        "no step hangs on it or stops for ever, and nothing of the user's is lost",
        arguments: Place.allCases, Intruder.allCases)
    func step(place: Place, intruder: Intruder) throws {
        let expected = try store.digest(ofLink: step.link)
        let path = try path(place)
        try intruder.take(path, own: own)
        try step.run()
        #expect(try store.digest(ofLink: step.link) == expected)
        _ = try store.verified(expected)
        #expect(try store.verify().isIntact)
        _ = try store.collectGarbage(unusedDays: 0, dryRun: false)
        #expect(try String(contentsOfFile: own, encoding: .utf8) == "my own")
        if intruder == .folder {
            let kept = files(below: folder.path).filter { $0.hasSuffix("/notes.txt") }
            #expect(kept.count == 1, "\(kept)")
        }
    }

    @Test("verify and gc name it or pass over it", arguments: Place.allCases, Intruder.allCases)
    func verify(place: Place, intruder: Intruder) throws {
        let path = try path(place)
        try intruder.take(path, own: own)
        let report = try store.verify()
        if [.object, .record].contains(place) { #expect(report.problems.contains { $0.path == path }) }
        _ = try store.collectGarbage(unusedDays: 0, dryRun: false)
        #expect(try String(contentsOfFile: own, encoding: .utf8) == "my own")
    }

    @Test("a text is written in its place, and never through a link", arguments: Intruder.allCases)
    func text(intruder: Intruder) throws {
        let path = folder.path + "/report/results.md"
        try PlainFile.write("old", to: path)
        try intruder.take(path, own: own)
        #expect(try PlainFile.write("new", to: path))
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "new")
        #expect(FileSystem.entry(at: path) == .file(bytes: 3))
        #expect(try String(contentsOfFile: own, encoding: .utf8) == "my own")
    }

    @Test("a file of the user's in a link's place is moved aside, a copy of the object is not kept twice")
    func fileForLink() throws {
        try Intruder.garbage.take(step.link, own: own)
        try step.run()
        #expect(try String(contentsOfFile: step.link + ".aside", encoding: .utf8) == "garbage")
        let object = try path(.object)
        try FileManager.default.removeItem(atPath: step.link)
        try FileManager.default.copyItem(atPath: object, toPath: step.link)
        try step.run()
        #expect(FileSystem.entry(at: step.link + ".aside-2") == nil)
    }

    @Test(
        "a record that names another step's valid object is not believed, and verify names it",
        arguments: [true, false])
    func swappedRecord(isVerified: Bool) throws {
        var other = step
        other.neurons = 9
        other.branch = "tiny-1"
        try other.run()
        let right = try store.digest(ofLink: step.link)
        let record = try #require(try store.record(for: step.parts.key))
        let wrong = try #require(try store.record(for: other.parts.key))
        var forged = record
        forged.output = wrong.output
        forged.bytes = wrong.bytes
        try PlainFile.write(forged.canonicalJSON + "\n", to: store.recordPath(step.parts.key))
        if isVerified {
            let report = try store.verify()
            #expect(report.problems.map(\.path) == [store.recordPath(step.parts.key)])
            #expect(report.problems.first?.message.contains("another step") == true)
        }
        #expect(try step.run())
        #expect(try store.digest(ofLink: step.link) == right)
        #expect(try store.verify().isIntact)
    }

    @Test("an object that was written to since is noticed, and not after it was hashed or copied")
    func changed() throws {
        func looksChanged(_ store: Store) throws -> Bool {
            let record = try #require(try store.record(for: step.parts.key))
            return store.looksChanged(record, key: step.parts.key)
        }
        #expect(try !looksChanged(store))
        let copy = folder.path + "/copy"
        try FileManager.default.copyItem(atPath: step.root, toPath: copy)
        #expect(try !looksChanged(Store(root: copy)))
        let object = try path(.object)
        FileSystem.setTime(object, to: FileStamp(inode: 0, seconds: 1_000_000, nanoseconds: 0))
        #expect(try looksChanged(store))
        let used = FileStamp(inode: 0, seconds: 2_000_000, nanoseconds: 0)
        FileSystem.setTime(store.recordPath(step.parts.key), to: used)
        #expect(try store.verify().isIntact)
        #expect(try !looksChanged(store))
        #expect(
            FileSystem.stamp(of: store.recordPath(step.parts.key))?.seconds == 2_000_000, "that was no use")
    }
}
