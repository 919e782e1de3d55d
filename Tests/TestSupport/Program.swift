package import Foundation

/// How a program ended and what it said.
package struct ProgramResult: Sendable {
    package let status: Int32
    /// Whether a signal ended it; `status` is then the signal's number.
    package let wasKilled: Bool
    package let output: String
    package let error: String
}

/// Runs programs: this package's own, which are built beside the test bundle, and the system's.
package enum Program {
    /// Where this package's executables are.
    package static let folder = Bundle.main.bundleURL

    /// The checkout.
    package static let packageFolder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Runs one of this package's executables to its end.
    package static func run(
        _ name: String, _ arguments: [String], environment: [String: String] = [:], in directory: URL? = nil
    ) throws -> ProgramResult {
        try run(folder.appending(path: name), arguments, environment: environment, in: directory)
    }

    /// Runs a program by the name under which the shell finds it.
    package static func system(
        _ name: String, _ arguments: [String], environment: [String: String] = [:], in directory: URL? = nil
    ) throws -> ProgramResult {
        try run(URL(filePath: "/usr/bin/env"), [name] + arguments, environment: environment, in: directory)
    }

    private static func run(
        _ program: URL, _ arguments: [String], environment: [String: String], in directory: URL?
    ) throws -> ProgramResult {
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.currentDirectoryURL = directory ?? packageFolder
        // Files, not pipes: a full pipe would block a program that says much on both.
        let scratch = TemporaryFolder()
        let streams = ["output", "error"].map { name in
            _ = FileManager.default.createFile(atPath: scratch.path(name), contents: nil)
            return FileHandle(forWritingAtPath: scratch.path(name))
        }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = streams[0]
        process.standardError = streams[1]
        try process.run()
        process.waitUntilExit()
        return ProgramResult(
            status: process.terminationStatus, wasKilled: process.terminationReason == .uncaughtSignal,
            output: String(decoding: try scratch.bytes("output"), as: UTF8.self),
            error: String(decoding: try scratch.bytes("error"), as: UTF8.self))
    }
}
