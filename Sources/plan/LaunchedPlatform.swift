import Foundation

/// The platform where a launcher starts steps, which need not be that of the machine that plans.
enum LaunchedPlatform {
    private static let prefix = "platform: "

    /// What `plan --platform` prints.
    static func line(_ platform: String) -> String { prefix + platform }

    /// Runs `plan --platform` by a command; nil unless it answers, whatever else it prints.
    static func ask(_ launcher: String) -> String? {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = ["-c", launcher + " \"$0\" --platform", CommandLine.arguments[0]]
        process.standardInput = FileHandle.nullDevice
        let answers = Pipe()
        process.standardOutput = answers
        guard (try? process.run()) != nil else { return nil }
        let answer = (try? answers.fileHandleForReading.readToEnd()) ?? Data()
        process.waitUntilExit()
        return String(decoding: answer, as: UTF8.self).split(separator: "\n").last { $0.hasPrefix(prefix) }
            .map { String($0.dropFirst(prefix.count)) }
    }
}
