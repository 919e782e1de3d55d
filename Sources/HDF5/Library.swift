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
