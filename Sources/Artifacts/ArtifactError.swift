package import Files
internal import Parameters

/// What can be wrong with the artifacts folder and with what is in it.
package enum ArtifactError: ReportableError, Equatable {
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
        case .missingObject: 66
        case .notAnArtifact, .corruptObject, .replacedObject, .invalidRecord, .invalidHeader: 65
        case .outputOutsideArtifacts: 64
        }
    }

    private static func cure(_ moved: String?, _ remedy: String) -> String {
        (moved.map { "it was moved aside to '\($0)'; " } ?? "it could not be moved aside, remove it; ")
            + "`\(remedy)` makes it again"
    }
}
