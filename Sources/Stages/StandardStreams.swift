internal import Foundation
internal import Synchronization

/// Standard output and error of a program. No write to them traps or ends the process, whatever they lead to.
enum StandardStreams {
    /// The error of the first write to standard output that failed; 0 if none did.
    private static let failure = Atomic<Int32>(0)

    /// What is wrong with standard output, if a write to it failed.
    static var problem: String? {
        let number = failure.load(ordering: .relaxed)
        return number == 0 ? nil : String(cString: strerror(number))
    }

    /// Whether the reader of standard output went away, as `head` does when it has seen enough.
    static var isReaderGone: Bool { failure.load(ordering: .relaxed) == EPIPE }

    /// To be called before anything is opened.
    static func prepare() {
        signal(SIGPIPE, SIG_IGN)
        // A file that would become longer than allowed (ulimit -f) is a write that fails.
        signal(SIGXFSZ, SIG_IGN)
        // The next file opened would take the number of a closed stream, and messages would go into it. Opened the wrong
        // way round, so that a write, or a read, still fails.
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
            _ = open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY)
        }
    }

    static func writeOutput(_ text: String) {
        let error = write(text, to: STDOUT_FILENO)
        _ = failure.compareExchange(expected: 0, desired: error, ordering: .relaxed)
    }

    /// Writes all of a text.
    ///
    /// - Returns: the error's number, or 0.
    @discardableResult
    static func write(_ text: String, to descriptor: Int32) -> Int32 {
        var text = text
        return text.withUTF8 { bytes in
            var rest = UnsafeRawBufferPointer(bytes)[...]
            while !rest.isEmpty {
                let written = Foundation.write(
                    descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if written >= 0 {
                    rest = rest.dropFirst(written)
                } else if errno == EAGAIN {
                    var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&ready, 1, -1)
                } else if errno != EINTR {
                    return errno
                }
            }
            return 0
        }
    }
}

/// Writes to standard output in place of the standard library's function, which loses errors: a program whose output
/// could not be written ends with status 74.
package func print(_ text: String, terminator: String = "\n") {
    StandardStreams.writeOutput(text + terminator)
}

/// Writes a line to standard error; where that is impossible, nothing happens.
package func printError(_ line: String) {
    StandardStreams.write(line + "\n", to: STDERR_FILENO)
}
