import Files
import Foundation
import HDF5
import Parameters
import TestSupport
import Testing

@testable import Artifacts

@Suite("Looking into the store")
struct StoreTests {
    let folder: TemporaryFolder
    let step: SmallStep
    var store: Store { step.store }

    init() throws {
        folder = TemporaryFolder()
        step = SmallStep(root: folder.path + "/artifacts")
    }

    @Test("a changed object is noticed, moved aside, and its step counts as not done")
    func corruption() throws {
        try step.run()
        let digest = try store.digest(ofLink: step.link)
        try damage(store.objectPath(digest))
        let found = try Digest(ofFile: store.objectPath(digest))
        let error = #expect(throws: ArtifactError.self) { try store.verified(digest) }
        #expect(
            error
                == .corruptObject(
                    digest, found: found, movedTo: store.objectPath(digest) + ".corrupt",
                    remedy: "make digits/tiny-0/grow-1"))
        #expect(error?.exitCode == 65)
        #expect(error?.description.contains("`make digits/tiny-0/grow-1` makes it again") == true)
        #expect(FileSystem.entry(at: store.objectPath(digest) + ".corrupt") != nil)
        #expect(try step.run())
        #expect(try store.verified(digest) == store.objectPath(digest))
    }

    @Test("a truncated or deleted object is a cache miss", arguments: [true, false])
    func missingObject(isDeleted: Bool) throws {
        try step.run()
        let digest = try store.digest(ofLink: step.link)
        if isDeleted {
            try FileManager.default.removeItem(atPath: store.objectPath(digest))
            #expect(
                throws: ArtifactError.missingObject(
                    digest, store: store.objects, remedy: "make digits/tiny-0/grow-1")
            ) { try store.verified(digest) }
        } else {
            #expect(truncate(store.objectPath(digest), 100) == 0)
        }
        #expect(try step.run())
        #expect(try store.digest(ofLink: step.link) == digest)
        _ = try store.verified(digest)
    }

    @Test("an input is a link into the store or a plain file, and is hashed either way")
    func inputs() throws {
        try step.run()
        let digest = try store.digest(ofLink: step.link)
        #expect(try store.input(at: step.link) == (digest, store.objectPath(digest)))
        let plain = folder.path + "/plain.h5"
        try FileManager.default.copyItem(atPath: store.objectPath(digest), toPath: plain)
        #expect(try store.input(at: plain) == (digest, plain))
        let elsewhere = Store(root: folder.path + "/other")
        #expect(try elsewhere.input(at: step.link).digest == digest)
        try damage(store.objectPath(digest))
        #expect(throws: ArtifactError.self) { try store.input(at: step.link) }
    }

    @Test("a name that is no artifact is refused with the right exit code")
    func noArtifact() throws {
        let link = folder.path + "/link.h5"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: "/etc/hostname")
        #expect(
            throws: ArtifactError.notAnArtifact(path: link, found: "a link to '/etc/hostname'")
        ) { try store.input(at: link) }
        let missing = #expect(throws: FileError.self) { try store.input(at: folder.path + "/none.h5") }
        #expect(missing?.exitCode == 66)
        #expect(throws: ArtifactError.notAnArtifact(path: folder.path, found: "a folder")) {
            try store.input(at: folder.path)
        }
    }

    @Test("verify names every changed object, dangling link and broken record")
    func verify() throws {
        try step.run()
        var second = step
        second.neurons = 9
        second.branch = "tiny-1"
        try second.run()
        #expect(try store.verify().isIntact)
        #expect(try store.verify().objects == 2)

        let digest = try store.digest(ofLink: step.link)
        let lost = try store.digest(ofLink: second.link)
        try damage(store.objectPath(digest))
        try FileManager.default.removeItem(atPath: store.objectPath(lost))
        try "{".write(toFile: store.recordPath(step.parts.key), atomically: true, encoding: .utf8)
        let report = try store.verify()
        #expect(
            report.problems.map(\.path) == [
                store.objectPath(digest), second.link, store.recordPath(step.parts.key),
            ])
        #expect(report.problems[0].message.contains("make digits/tiny-0/grow-1"))
        #expect(report.problems[1].message.contains("make digits/tiny-1/grow-1"))
        #expect(report.exitCode == 65)
    }

    @Test("a record reads back as it was written")
    func recordRoundTrip() throws {
        try step.run()
        let record = try #require(try store.record(for: step.parts.key))
        #expect(record.parts == step.parts)
        #expect(try record.output == store.digest(ofLink: step.link))
        #expect(record.measurements.peakMemoryBytes > 1 << 20)
        #expect(record.measurements.start.wholeMatch(of: /20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ/) != nil)
        let text = try String(contentsOfFile: store.recordPath(step.parts.key), encoding: .utf8)
        #expect(text == record.canonicalJSON + "\n")
    }

    @Test(
        "a broken record is a cache miss and says what is wrong with it",
        arguments: [
            ("", "the file ends"), ("[]", "a list of 0"), (#"{"schema":2}"#, "'schema' is 2"),
            (#"{"schema":1}"#, "'output' is missing"), (#"{"schema":1,"output":"abc"}"#, "'output' is 'abc'"),
        ])
    func brokenRecord(text: String, complaint: String) throws {
        try step.run()
        let path = store.recordPath(step.parts.key)
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        let error = #expect(throws: ArtifactError.self) { try RunRecord(reading: path) }
        #expect(error?.description.contains(complaint) == true, "\(error.map(\.description) ?? "")")
        #expect(try store.record(for: step.parts.key) == nil)
        #expect(try step.run())
    }

    @Test("a record under another key's name is not believed")
    func misplacedRecord() throws {
        try step.run()
        var other = step
        other.neurons = 9
        try FileManager.default.copyItem(
            atPath: store.recordPath(step.parts.key), toPath: store.recordPath(other.parts.key))
        #expect(try !store.verify().isIntact)
        #expect(try other.run())
        #expect(try store.digest(ofLink: other.link) == other.expectedDigest())
        #expect(try store.verify().isIntact)
    }

    @Test("a file's header reads back, and a file without one is refused")
    func header() throws {
        try step.run()
        let path = try store.input(at: step.link).path
        let header = try Header(reading: File(reading: path), kind: .network)
        #expect(header.attributes == step.content.attributes)
        #expect(
            throws: ArtifactError.invalidHeader(
                path: path, attribute: "kind", found: "'network'", allowed: "'dataset'")
        ) { try Header(reading: File(reading: path), kind: .dataset) }

        for (name, value) in [
            ("format", "other" as Attribute), ("format_version", .integer(1)), ("kind", "thing"),
            ("parameters", "{"), ("parameters", "3"), ("inputs", #"{"network":"abc"}"#),
            ("stage", .integer(1)),
        ] {
            var content = step.content
            content.attributes[name] = value
            let broken = "\(folder.path)/\(UUID().uuidString).h5"
            try content.write(to: broken)
            let error = #expect(throws: ArtifactError.self) { try Header(reading: File(reading: broken)) }
            guard case .invalidHeader(broken, name, _, _)? = error else {
                Issue.record("\(name): \(String(describing: error))")
                continue
            }
        }
    }

    @Test("a file of another release says which, for every kind", arguments: Kind.allCases)
    func versions(kind: Kind) throws {
        let header = Header(kind: kind, stage: "stage", parameters: .empty, inputs: [:])
        for (version, advice) in [
            (kind.formatVersion - 1, "an earlier release wrote it"),
            (kind.formatVersion + 1, "a later release"),
        ] {
            var content = HDF5.Group(attributes: header.attributes)
            content.attributes["format_version"] = .integer(version)
            let path = "\(folder.path)/\(kind.rawValue)-\(version).h5"
            try content.write(to: path)
            let error = #expect(throws: ArtifactError.self) { try Header(reading: File(reading: path)) }
            let text = error?.description ?? ""
            #expect(text.contains("'format_version'") && text.contains("is \(version);"), "\(text)")
            #expect(text.contains("allowed is \(kind.formatVersion) (\(advice)"), "\(text)")
        }
    }
}
