internal import Foundation
internal import Synchronization

/// Tells how far a stage has come: a bar on a terminal, and lines in a log.
///
/// A line that cannot be written is lost; the work goes on.
package final class ProgressReporter: Sendable {
    private struct State {
        var lastDrawn = ContinuousClock.now
        var begin = ContinuousClock.now
        var isBarShown = false
    }

    private let stage: String
    /// The log, or standard error where there is none.
    private let descriptor: Int32
    private let isTerminal: Bool
    private let state = Mutex(State())

    /// - Parameter logPath: where lines are appended; nil, or what cannot be a log, sends them to stderr.
    init(stage: String, logPath: String?) {
        self.stage = stage
        isTerminal = isatty(STDERR_FILENO) == 1
        descriptor = logPath.flatMap(Self.openLog) ?? STDERR_FILENO
    }

    /// Neither waits for a pipe's reader nor follows a link to somebody's file.
    private static func openLog(_ path: String) -> Int32? {
        let log = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o666)
        guard log >= 0 else { return nil }
        var status = stat()
        guard fstat(log, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(log)
            return nil
        }
        return log
    }

    deinit { if descriptor != STDERR_FILENO { close(descriptor) } }

    /// One line: into the log, or to stderr where there is none.
    package func line(_ text: String) {
        if descriptor == STDERR_FILENO { clear() }
        StandardStreams.write("\(stage): \(text)\n", to: descriptor)
    }

    /// Draws the bar, at most ten times a second, on a terminal only.
    ///
    /// - Parameters:
    ///   - unit: what is counted, as in "samples".
    ///   - note: what else is worth seeing, as in "loss 0.43".
    package func update(done: Int, of total: Int, unit: String, note: String = "") {
        guard isTerminal, total > 0 else { return }
        state.withLock { state in
            let now = ContinuousClock.now
            guard now - state.lastDrawn > .milliseconds(100) else { return }
            state.lastDrawn = now
            state.isBarShown = true
            let seconds = (now - state.begin) / .seconds(1)
            let text = Self.bar(done: done, of: total, unit: unit, seconds: seconds, note: note)
            StandardStreams.write("\r\(stage) \(text)\u{1B}[K", to: STDERR_FILENO)
        }
    }

    /// Takes the bar away.
    package func clear() {
        state.withLock { state in
            guard state.isBarShown else { return }
            state.isBarShown = false
            StandardStreams.write("\r\u{1B}[K", to: STDERR_FILENO)
        }
    }

    /// `[#####.....]  50%  12345 samples/s  0:12 left  note`
    static func bar(done: Int, of total: Int, unit: String, seconds: Double, note: String) -> String {
        let width = 24
        let share = min(1, max(0, Double(done) / Double(total)))
        let filled = Int(share * Double(width))
        let rate = seconds > 0 ? Double(done) / seconds : 0
        let left = rate > 0 ? Int((Double(total - done) / rate).rounded()) : 0
        let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
        let percent = String(format: "%3d%%", Int(share * 100))
        let time = String(format: "%d:%02d left", left / 60, left % 60)
        return "[\(bar)] \(percent)  \(Int(rate)) \(unit)/s  \(time)" + (note.isEmpty ? "" : "  \(note)")
    }
}
