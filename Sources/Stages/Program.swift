package import ArgumentParser
internal import Foundation

/// The command that a program consists of: all output, help and errors too, goes through ``print(_:terminator:)`` and
/// ``printError(_:)``.
package protocol Program: ParsableCommand {}

extension Program {
    package static func main() {
        StandardStreams.prepare()
        Foundation.exit(status())
    }

    /// Runs the command of this process's arguments.
    private static func status() -> Int32 {
        do {
            var command = try parseAsRoot()
            try command.run()
        } catch {
            let status = exitCode(for: error).rawValue
            let message = fullMessage(for: error)
            guard status == 0 else {
                if !message.isEmpty { printError(message) }
                return status
            }
            if !message.isEmpty { print(message) }
        }
        guard let problem = StandardStreams.problem else { return 0 }
        if !StandardStreams.isReaderGone {
            printError("\(_commandName): error: standard output cannot be written: \(problem)")
        }
        return 74
    }
}
