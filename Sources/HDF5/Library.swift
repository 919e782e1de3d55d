import CHDF5
import Foundation

/// The one libhdf5 of this process: set up once, entered by one thread at a time.
///
/// libhdf5 (serial) keeps global state and is not safe for threads. Every entry of this module goes through
/// `exclusively`, so values of this module may be used from any thread; they queue.
package enum Library {
    /// Runs `body` while no other thread is inside libhdf5. May be nested.
    package static func exclusively<Result: ~Copyable, Failure: Error>(
        _ body: () throws(Failure) -> Result
    ) throws(Failure) -> Result {
        lock.lock()
        defer { lock.unlock() }
        _ = isSetUp
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

    /// No plugins (a file could name one to be loaded and run), and no printing: errors are captured.
    private static let isSetUp: Bool =
        H5open() >= 0 && H5PLset_loading_state(0) >= 0 && H5Eset_auto2(chdf5_error_stack(), nil, nil) >= 0
}
