import Artifacts
import Files
import Foundation
import TestSupport
import Testing

/// A folder with the Makefile, one small pipeline and its own artifacts, in which tests run make.
final class Project {
    let folder: TemporaryFolder

    /// Fifteen steps of four pieces of work that are shared, in about a second.
    static let pipeline = """
        dataset: digits
        validation: 100
        network: {widths: [3, 3]}
        seed: {epochs: 1, batch: 64}
        growth: {rounds: 1, neurons: {most: 2}, samples: 500}
        tune: {epochs: 1}
        branches:
          tiny-joint: {}
          random: {growth.method: random}
          large: {growth.rounds: 0, network: final-of tiny-joint}
        seeds: [0]
        """

    init() throws {
        folder = TemporaryFolder()
        let package = Program.packageFolder.path
        for name in ["Makefile", "data"] {
            try FileManager.default.createSymbolicLink(
                atPath: folder.path(name), withDestinationPath: "\(package)/\(name)")
        }
        try write(Self.pipeline)
    }

    func write(_ yaml: String) throws { try folder.write(yaml, to: "pipelines/small.yaml") }

    /// Runs make with the programs that were built beside the tests.
    @discardableResult
    func make(_ arguments: String..., environment: [String: String] = [:]) throws -> ProgramResult {
        try Program.system(
            "make", Self.settings + arguments, environment: Self.environment.merging(environment) { $1 },
            in: folder.url)
    }

    /// As `make`, and it must succeed; the steps that ran, in their order.
    @discardableResult
    func steps(_ arguments: String..., environment: [String: String] = [:]) throws -> [String] {
        let result = try Program.system(
            "make", Self.settings + arguments, environment: Self.environment.merging(environment) { $1 },
            in: folder.url)
        try #require(result.status == 0, "\(result.output)\(result.error)")
        return Self.steps(in: result.output)
    }

    static let settings = ["PIPELINES=small", "BIN=\(Program.folder.path)"]
    /// A make that runs these tests must not pass its flags on.
    static let environment = ["MAKEFLAGS": "", "MAKELEVEL": "", "MFLAGS": ""]

    /// `small/tiny-joint-0/seed` of each line such as `[train-seed] small/tiny-joint-0/seed`; reports are left out.
    static func steps(in output: String) -> [String] {
        output.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count == 2, words[0].hasPrefix("["), words[0].hasSuffix("]"), words[0] != "[report]"
            else {
                return nil
            }
            return String(words[1])
        }
    }

    var artifacts: String { folder.path("artifacts") }

    func link(_ step: String) -> String { "\(artifacts)/small/\(step).h5" }

    /// The object a step's link points to.
    func object(_ step: String) throws -> String {
        let store = Store(root: artifacts)
        return try store.objectPath(store.digest(ofLink: link(step)))
    }

    /// What every link points to, by the link's path below the artifacts folder.
    func results() throws -> [String: String] {
        var results: [String: String] = [:]
        let store = Store(root: artifacts)
        for chain in ["tiny-joint-0", "random-0", "large-0"] {
            let names = try FileManager.default.contentsOfDirectory(atPath: "\(artifacts)/small/\(chain)")
            for name in names where name.hasSuffix(".h5") {
                results["\(chain)/\(name)"] = try store.digest(ofLink: "\(artifacts)/small/\(chain)/\(name)")
                    .hexadecimal
            }
        }
        return results
    }

    static func setTime(_ path: String, to seconds: Int) {
        let times = [timespec(tv_sec: seconds, tv_nsec: 0), timespec(tv_sec: seconds, tv_nsec: 0)]
        #expect(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW) == 0)
    }
}
