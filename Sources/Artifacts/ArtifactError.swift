internal import Parameters

import Glibc

/// What can be wrong with the artifacts folder and with what is in it.
package enum ArtifactError: ReportableError, Equatable {
    /// The operating system refused; `code` is its errno.
    case system(operation: String, path: String, code: Int32)
    /// A file that is needed is not there.
    case missing(path: String)
    /// A name that must be a regular file's is something else's.
    case notAFile(path: String, found: String)
    /// The artifacts folder lies on a file system that cannot lock files.
    case noLocks(path: String)
    /// A step's file is neither a link into the store nor a regular file.
    case notAnArtifact(path: String, found: String)
    /// An object's bytes no longer have the checksum that is its name.
    case corruptObject(Digest, found: Digest, movedTo: String?, remedy: String)
    /// Something else stands in an object's place.
    case replacedObject(Digest, found: String, movedTo: String?, remedy: String)
    /// An object that a link or a record names is not in the store.
    case missingObject(Digest, store: String, remedy: String)
    /// A step's output would lie outside the artifacts folder it is published into.
    case outputOutsideArtifacts(path: String, root: String)
    /// A run record is not one of ours or was cut short.
    case invalidRecord(path: String, found: String)
    /// An HDF5 file's root attributes are not those of an artifact.
    case invalidHeader(path: String, attribute: String, found: String, allowed: String)

    package var description: String {
        switch self {
        case .system(let operation, let path, let code):
            "cannot \(operation) '\(path)': \(Self.reason(code))\(Self.advice(code))"
        case .missing(let path):
            "'\(path)' does not exist; check the path, or make it first"
        case .notAFile(let path, let found):
            "'\(path)' is \(found), where a regular file is needed; move it away"
        case .noLocks(let path):
            "the file system of '\(path)' cannot lock files; put the artifacts folder on one that can "
                + "(a local disk, or NFS or Lustre mounted with locks)"
        case .notAnArtifact(let path, let found):
            "'\(path)' is \(found); allowed are a link into the artifacts' store and a regular file"
        case .corruptObject(let digest, let found, let moved, let remedy):
            "object \(digest).h5 was changed after it was published: its SHA-256 is now \(found); "
                + Self.cure(moved, remedy)
        case .replacedObject(let digest, let found, let moved, let remedy):
            "object \(digest).h5 is \(found), where a regular file is needed; " + Self.cure(moved, remedy)
        case .missingObject(let digest, let store, let remedy):
            "object \(digest).h5 is not in '\(store)'; `\(remedy)` makes it again"
        case .outputOutsideArtifacts(let path, let root):
            "output '\(path)' lies outside the artifacts folder '\(root)'; choose a path in "
                + "'\(root)/<pipeline>/<branch>/', or leave out --artifacts to write a plain file"
        case .invalidRecord(let path, let found):
            "run record '\(path)': \(found); delete it, and the next `make` writes it again"
        case .invalidHeader(let path, let attribute, let found, let allowed):
            "'\(path)': attribute '\(attribute)' of the root group is \(found); allowed is \(allowed)"
        }
    }

    /// The exit code of a stage that stops for this error, as in sysexits.h.
    package var exitCode: Int32 {
        switch self {
        case .system, .noLocks: 74
        case .missing, .missingObject: 66
        case .notAFile, .notAnArtifact, .corruptObject, .replacedObject, .invalidRecord, .invalidHeader: 65
        case .outputOutsideArtifacts: 64
        }
    }

    private static func cure(_ moved: String?, _ remedy: String) -> String {
        (moved.map { "it was moved aside to '\($0)'; " } ?? "it could not be moved aside, remove it; ")
            + "`\(remedy)` makes it again"
    }

    private static func reason(_ code: Int32) -> String {
        String(cString: strerror(code)).lowercased()
    }

    private static func advice(_ code: Int32) -> String {
        switch code {
        case ENOSPC, EDQUOT: "; free some space (`make gc` drops what no link reaches) and run it again"
        case EEXIST, ENOTDIR, EISDIR: "; move away what stands in its place"
        case EROFS, EACCES, EPERM: "; make the folder writable, or choose another one"
        default: ""
        }
    }
}
