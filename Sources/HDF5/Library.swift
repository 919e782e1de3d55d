import CHDF5
import Foundation

/// The one libhdf5 of this process, which writes files: set up once, entered by one thread at a time.
///
/// libhdf5 keeps global state and is safe for threads only in some builds. What writes goes through `exclusively`, so
/// files may be written from any thread; they queue.
package enum Library {
    /// Runs `body` while no other thread is inside libhdf5. May be nested.
    package static func exclusively<Result: ~Copyable, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock.lock()
        defer { lock.unlock() }
        _ = isSetUp
        // Errors are captured, never printed. A build that is safe for threads keeps this setting per thread.
        H5Eset_auto2(chdf5_error_stack(), nil, nil)
        return try body()
    }

    /// The version of the library that is loaded, as "1.10.8".
    static var version: String {
        exclusively {
            var (major, minor, release): (UInt32, UInt32, UInt32) = (0, 0, 0)
            H5get_libversion(&major, &minor, &release)
            return "\(major).\(minor).\(release)"
        }
    }

    private static let lock = NSRecursiveLock()

    /// No plugins (code that the environment could name), and no clean-up at exit: every handle is closed by its owner.
    private static let isSetUp: Void = {
        H5dont_atexit()
        let isReady = H5open() >= 0 && H5PLset_loading_state(0) >= 0
        precondition(isReady, "libhdf5 cannot be started, or does not let go of plugins")
    }()
}

/// What libhdf5 recorded about its last failure.
enum ErrorStack {
    /// The recorded sentences, outermost first, as one line; repeated ones are left out.
    static func summary() -> String {
        var sentences: [String] = []
        _ = withUnsafeMutablePointer(to: &sentences) { context in
            H5Ewalk2(
                chdf5_error_stack(), H5E_WALK_DOWNWARD,
                { _, entry, context in
                    guard let text = entry?.pointee.desc, let context else { return 0 }
                    let sentence = String(cString: text)
                    context.withMemoryRebound(to: [String].self, capacity: 1) { sentences in
                        if !sentences.pointee.contains(sentence) { sentences.pointee.append(sentence) }
                    }
                    return 0
                }, context)
        }
        return sentences.isEmpty ? "libhdf5 gives no reason" : shorten(sentences)
    }

    /// An error of the operating system is the reason by itself; otherwise the whole chain is told.
    private static func shorten(_ sentences: [String]) -> String {
        let marker = "error message = '"
        for sentence in sentences {
            guard let start = sentence.range(of: marker)?.upperBound,
                let end = sentence[start...].firstIndex(of: "'")
            else { continue }
            return String(sentence[start..<end])
        }
        return sentences.joined(separator: ": ")
    }
}
