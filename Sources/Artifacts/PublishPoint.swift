import Glibc

/// The moments between two steps of publishing, in their order.
///
/// A process that is started with `MERISTEM_CRASH_AT=<name>` kills itself there: tests use it to show that a
/// kill at any moment leaves either the old state or the new one.
package enum PublishPoint: String, CaseIterable, Sendable {
    case lockTaken = "lock-taken"
    case objectWritten = "object-written"
    case objectSynchronized = "object-synchronized"
    case objectProtected = "object-protected"
    case objectRenamed = "object-renamed"
    case storeSynchronized = "store-synchronized"
    case recordWritten = "record-written"
    case recordSynchronized = "record-synchronized"
    case recordRenamed = "record-renamed"
    case runsSynchronized = "runs-synchronized"
    case linkMade = "link-made"
    case linkRenamed = "link-renamed"

    /// The environment variable that names the point to die at.
    package static let variable = "MERISTEM_CRASH_AT"

    /// Kills the process if it was asked to die here.
    func reached() {
        guard let name = getenv(Self.variable), strcmp(name, rawValue) == 0 else { return }
        kill(getpid(), SIGKILL)
    }
}
