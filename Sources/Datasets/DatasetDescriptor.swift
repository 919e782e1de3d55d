internal import Foundation

/// What a dataset is and where its files come from: the content of `data/<name>.yaml`.
package struct DatasetDescriptor: Sendable, Equatable {
    /// How the files are laid out; each case has a reader in `VerifiedMembers`.
    package enum Format: String, CaseIterable, Sendable { case idx }

    /// What a file holds.
    package enum Role: String, CaseIterable, Sendable, Comparable {
        case trainImages = "train-images"
        case trainLabels = "train-labels"
        case testImages = "test-images"
        case testLabels = "test-labels"

        package static func < (left: Role, right: Role) -> Bool { left.rawValue < right.rawValue }
    }

    /// One file of the dataset.
    package struct Member: Sendable, Equatable {
        /// The name without `.gz`; on disk it may have it.
        package var file: String
        /// SHA-256 of the decompressed bytes, 64 lower-case hexadecimal digits.
        package var sha256: String
    }

    /// The descriptor's own file, for messages and for what is relative to it.
    package var path: String
    /// Lower-case letters, digits and dashes.
    package var name: String
    package var title: String
    package var licence: String
    package var citation: String
    package var homepage: String
    package var format: Format
    package var image: ImageShape
    /// Samples of the training split, before any are held out.
    package var trainCount: Int
    package var testCount: Int
    /// Class names in the order of their labels.
    package var classes: [String]
    package var members: [Role: Member]
    /// Folders of this machine that may have the files; relative ones start at the descriptor's folder.
    package var places: [String]
    /// The Debian package that installs the files, if there is one.
    package var package: String?
    /// What `<file>.gz` is appended to for a download, if there is one; ends with a slash.
    package var url: String?

    /// Everything of the descriptor that reaches the dataset artifact, as digests by name: equal inputs and equal
    /// parameters give equal bytes. Places, package, URL and homepage are not part of it.
    package var inputs: [String: String] {
        var inputs = Dictionary(uniqueKeysWithValues: members.map { ($0.key.rawValue, $0.value.sha256) })
        inputs["descriptor"] = ContentHash.of(
            ([name, title, licence, citation, format.rawValue] + classes).joined(separator: "\u{0}"))
        return inputs
    }

    /// The folder the descriptor lies in.
    var folder: String {
        let folder = (path as NSString).deletingLastPathComponent
        return folder.isEmpty ? "." : folder
    }

    /// Where downloads are kept: `data/cache/<name>`.
    package var cache: String { "\(folder)/cache/\(name)" }

    /// Names of all files, without `.gz`, in the order of the roles.
    var files: [String] { members.sorted { $0.key < $1.key }.map(\.value.file) }
}
