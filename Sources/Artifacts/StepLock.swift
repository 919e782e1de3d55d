import Files
import Glibc
import Parameters

/// Work on one key that no other process does at the same time.
///
/// The lock file holds the key's parts, so that `collectGarbage` keeps the inputs of steps that run. The
/// kernel drops the lock when the process dies.
package struct StepLock: ~Copyable {
    /// What is being worked on.
    package let parts: KeyParts
    /// The key of `parts`.
    package let key: StepKey
    /// Where the step's link stands.
    let place: Place
    private let file: OpenFile

    /// Waits for the lock; `waiting` is called once if somebody else holds it.
    init(parts: KeyParts, place: Place, path: String, waiting: () -> Void) throws {
        var announced = false
        while true {
            let file = try OpenFile.locking(path)
            if try !file.lock(exclusive: true, wait: false) {
                if !announced { waiting() }
                announced = true
                _ = try file.lock(exclusive: true, wait: true)
            }
            // Whoever held it removed the file's name: a lock on that file excludes nobody any more.
            guard file.isStillNamed() else { continue }
            try file.replaceContent(with: parts.canonicalJSON.utf8)
            self.parts = parts
            self.key = parts.key
            self.place = place
            self.file = file
            return
        }
    }

    /// The inputs of the step whose process wrote a lock file; none if it was killed before it could.
    static func inputs(inLockFile path: String) throws -> Set<Digest> {
        guard let tree = try? Tree(json: FileSystem.text(of: path), file: path) else { return [] }
        return Set((tree["inputs"]?.inputs ?? [:]).values)
    }

    deinit {
        // Removed while it is still held, so that nobody can lock the name and lose it.
        unlink(file.path)
    }
}
