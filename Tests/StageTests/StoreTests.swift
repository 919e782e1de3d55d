import Artifacts
import Files
import Foundation
import TestSupport
import Testing

@Suite("Stages with a store")
struct StoreTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    private var artifacts: String { bench.folder.path("artifacts") }
    private func link(_ step: String) -> String { "\(artifacts)/digits/tiny-0/\(step).h5" }

    @discardableResult
    private func load(_ more: [String] = [], environment: [String: String] = [:]) throws -> ProgramResult {
        try Program.run(
            "load-dataset",
            [
                "--descriptor", Workbench.descriptor, "--artifacts", artifacts, "--output", link("dataset"),
            ] + more, environment: environment)
    }

    private func train(_ more: [String] = []) throws -> ProgramResult {
        try Program.run(
            "train-seed",
            [
                "--dataset", link("dataset"), "--artifacts", artifacts, "--output", link("seed"), "--set",
                "network.widths=[3]",
            ] + more)
    }

    @Test("the object's name is the checksum of its bytes, and its link points to it")
    func names() throws {
        #expect(try load().status == 0)
        let digest = try Store(root: artifacts).digest(ofLink: link("dataset"))
        let sum = try Program.system("sha256sum", ["\(artifacts)/store/\(digest).h5"])
        #expect(sum.output.hasPrefix("\(digest)"))
        #expect(bench.folder.exists("artifacts/digits/tiny-0/dataset.log"))
    }

    @Test("equal work is not done again, and --rerun compares")
    func cache() throws {
        try load()
        #expect(try train().status == 0)
        let log = "artifacts/digits/tiny-0/seed.log"
        #expect(try !bench.folder.text(log).contains("known already"))
        #expect(try train().status == 0)
        #expect(try bench.folder.text(log).contains("known already"))
        let rerun = try train(["--rerun"])
        #expect(rerun.status == 0)
        #expect(rerun.output.contains("the same bytes as before"))
    }

    @Test("a changed object is noticed, moved aside, and the command that helps is named")
    func corruption() throws {
        try load()
        let digest = try Store(root: artifacts).digest(ofLink: link("dataset"))
        let object = URL(filePath: "\(artifacts)/store/\(digest).h5")
        var bytes = try Data(contentsOf: object)
        bytes[bytes.count / 2] ^= 1
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: object.path)
        try bytes.write(to: object)
        let result = try train()
        #expect(result.status == 65)
        #expect(result.error.contains("make digits/tiny-0/dataset"), "\(result.error)")
        #expect(bench.folder.exists("artifacts/store/\(digest).h5.corrupt"))
        #expect(!FileManager.default.fileExists(atPath: link("seed")))
    }

    @Test("a kill while publishing leaves nothing half done", arguments: PublishPoint.allCases)
    func kill(point: PublishPoint) throws {
        let killed = try load(environment: ["MERISTEM_CRASH_AT": point.rawValue])
        #expect(killed.wasKilled && killed.status == SIGKILL)
        #expect(try load().status == 0)
        let again = try Store(root: artifacts).digest(ofLink: link("dataset"))
        let undisturbed = try Workbench()
        try undisturbed.makeDatasetInStore()
        #expect(try undisturbed.datasetDigest() == again)
    }
}

extension Workbench {
    fileprivate func makeDatasetInStore() throws {
        let result = try Program.run(
            "load-dataset",
            [
                "--descriptor", Workbench.descriptor, "--artifacts", folder.path("artifacts"), "--output",
                folder.path("artifacts/digits/tiny-0/dataset.h5"),
            ])
        try #require(result.status == 0, "\(result.error)")
    }

    fileprivate func datasetDigest() throws -> Digest {
        try Store(root: folder.path("artifacts")).digest(
            ofLink: folder.path("artifacts/digits/tiny-0/dataset.h5"))
    }
}
