import Files
import Glibc

/// What a run cost and where; never part of an artifact's bytes.
package struct Measurements: Equatable, Sendable {
    /// When the work began, UTC, as in `2026-01-31T12:00:00Z`.
    package var start: String
    /// Wall-clock seconds, by a clock that nobody sets.
    package var seconds: Double
    /// The most memory the process held at once, in bytes.
    package var peakMemoryBytes: Int
    /// Worker threads.
    package var threads: Int
    /// The processor's model name.
    package var cpu: String
    /// Versions of the libraries that compute, by name.
    package var libraries: [String: String]

    package init(
        start: String, seconds: Double, peakMemoryBytes: Int, threads: Int, cpu: String,
        libraries: [String: String]
    ) {
        self.start = start
        self.seconds = seconds
        self.peakMemoryBytes = peakMemoryBytes
        self.threads = threads
        self.cpu = cpu
        self.libraries = libraries
    }
}

/// Measures one run, from its making to `measurements()`.
package struct Stopwatch: Sendable {
    private let threads: Int
    private let libraries: [String: String]
    private let start: String
    private let begin: ContinuousClock.Instant

    /// Starts the clock.
    package init(threads: Int, libraries: [String: String]) {
        self.threads = threads
        self.libraries = libraries
        self.start = Self.now()
        self.begin = ContinuousClock.now
    }

    /// What the run has cost so far.
    package func measurements() -> Measurements {
        Measurements(
            start: start, seconds: (ContinuousClock.now - begin) / .seconds(1),
            peakMemoryBytes: Machine.peakMemoryBytes, threads: threads, cpu: Machine.processor,
            libraries: libraries)
    }

    private static func now() -> String {
        var seconds = time(nil)
        var parts = tm()
        gmtime_r(&seconds, &parts)
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { buffer in
            guard let start = buffer.baseAddress else { return "" }
            let count = strftime(start, 32, "%Y-%m-%dT%H:%M:%SZ", &parts)
            return String(decoding: UnsafeRawBufferPointer(buffer)[..<count], as: UTF8.self)
        }
    }
}

/// What the system tells about this process and its processor.
package enum Machine {
    /// The most memory this process held at once, in bytes.
    ///
    /// The kernel's VmHWM, since getrusage also counts the program that started this one.
    package static var peakMemoryBytes: Int {
        if let text = field("VmHWM", of: "/proc/self/status"),
            let kibibytes = Int(text.prefix { $0.isNumber })
        {
            return kibibytes * 1024
        }
        var usage = rusage()
        getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return usage.ru_maxrss * 1024
    }

    /// The processor's model name, or `unknown`.
    package static var processor: String { field("model name", of: "/proc/cpuinfo") ?? "unknown" }

    private static func field(_ name: String, of path: String) -> String? {
        guard let text = try? FileSystem.text(of: path) else { return nil }
        let line = text.split(separator: "\n").first { $0.hasPrefix(name) }
        guard let line, let colon = line.firstIndex(of: ":") else { return nil }
        return String(line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" })
    }
}
