internal import Foundation
internal import Synchronization

/// Tells how far a stage has come: a bar on a terminal, and lines in a log.
package final class ProgressReporter: Sendable {
    private struct State {
        var lastDrawn = ContinuousClock.now
        var begin = ContinuousClock.now
        var isBarShown = false
    }

    private let stage: String
    private let log: FileHandle?
    private let isTerminal: Bool
    private let state = Mutex(State())

    /// - Parameter logPath: where lines are appended; nil sends them to stderr unless that is a terminal.
    init(stage: String, logPath: String?) {
        self.stage = stage
        isTerminal = isatty(STDERR_FILENO) == 1
        if let logPath {
            if !FileManager.default.fileExists(atPath: logPath) {
                _ = FileManager.default.createFile(atPath: logPath, contents: nil)
            }
            log = FileHandle(forWritingAtPath: logPath)
            _ = try? log?.seekToEnd()
        } else {
            log = nil
        }
    }

    deinit { try? log?.close() }

    /// One line: into the log, or to stderr where there is none.
    package func line(_ text: String) {
        if let log {
            try? log.write(contentsOf: Data("\(stage): \(text)\n".utf8))
        } else {
            clear()
            FileHandle.standardError.write(Data("\(stage): \(text)\n".utf8))
        }
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
            FileHandle.standardError.write(Data("\r\(stage) \(text)\u{1B}[K".utf8))
        }
    }

    /// Takes the bar away.
    package func clear() {
        state.withLock { state in
            guard state.isBarShown else { return }
            state.isBarShown = false
            FileHandle.standardError.write(Data("\r\u{1B}[K".utf8))
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
