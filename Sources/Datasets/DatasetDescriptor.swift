internal import Files
internal import Foundation

/// What a dataset is and where its files come from: the content of `data/<name>.yaml`.
package struct DatasetDescriptor: Sendable, Equatable {
    /// How the files are laid out; each case has a reader in `VerifiedMembers`.
    package enum Format: String, CaseIterable, Sendable {
        /// Images and labels in files of their own, as MNIST has them.
        case idx
        /// Records of a label and an image, as CIFAR-10 has them.
        case cifar10 = "cifar-10"
        /// Records of two labels, of which the second counts, and an image, as CIFAR-100 has them.
        case cifar100 = "cifar-100"

        /// What its files hold, one file or, where `isDivisible`, several.
        var roles: [Role] {
            switch self {
            case .idx: [.trainImages, .trainLabels, .testImages, .testLabels]
            case .cifar10, .cifar100: [.train, .test]
            }
        }

        /// Whether a split may be divided among several files.
        var isDivisible: Bool { self != .idx }
    }

    /// What a file holds.
    package enum Role: String, CaseIterable, Sendable, Comparable {
        case trainImages = "train-images"
        case trainLabels = "train-labels"
        case testImages = "test-images"
        case testLabels = "test-labels"
        case train
        case test

        package static func < (left: Role, right: Role) -> Bool { left.rawValue < right.rawValue }
    }

    /// One file of the dataset.
    package struct Member: Sendable, Equatable {
        /// The name without `.gz` or `.xz`; on disk it may have one.
        package var file: String
        /// SHA-256 of the decompressed bytes, 64 lower-case hexadecimal digits.
        package var sha256: String
    }

    /// A tar archive of all files.
    package struct Archive: Sendable, Equatable {
        /// The name without `.gz` or `.xz`; on disk it may have one.
        package var file: String
        /// The folder in it, and beside it once it is unpacked, that has the files; may be empty.
        package var folder: String
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
    /// The label of the first class.
    package var firstLabel: Int
    /// Whether the files have rows and columns of the images exchanged.
    package var isTransposed: Bool
    /// Which column of labels of rank 2 has the class; nil for the first.
    package var labelColumn: Int?
    /// The files of each role, those of a divided split in the order of their samples.
    package var members: [Role: [Member]]
    /// The archive that has them all, if there is one.
    package var archive: Archive?
    /// Folders of this machine that may have the files; relative ones start at the descriptor's folder.
    package var places: [String]
    /// The Debian package that installs the files, if there is one.
    package var package: String?
    /// What `<file>.gz`, or the archive's name and `.gz`, is appended to for a download, if there is one; ends with a slash.
    package var url: String?

    /// Everything of the descriptor that reaches the dataset artifact, as digests by name: equal inputs and equal
    /// parameters give equal bytes. Places, archive, package, URL and homepage are not part of it.
    package var inputs: [String: String] {
        var inputs: [String: String] = [:]
        for (role, index, member) in allMembers {
            let isDivided = (members[role]?.count ?? 0) > 1
            inputs[isDivided ? "\(role.rawValue)-\(index + 1)" : role.rawValue] = member.sha256
        }
        // IDX files say themselves what shape their images have.
        let shape = format == .idx ? [] : [described(image.extents)]
        // What is not as usual stands behind an empty text, which is no class.
        let reading = [
            firstLabel == 0 ? nil : "first-label \(firstLabel)", isTransposed ? "transpose" : nil,
            (labelColumn ?? 0) == 0 ? nil : "column \(labelColumn ?? 0)",
        ].compactMap { $0 }
        let texts =
            [name, title, licence, citation, format.rawValue] + shape + classes
            + (reading.isEmpty ? [] : [""] + reading)
        inputs["descriptor"] = Digest(of: texts.joined(separator: "\u{0}")).hexadecimal
        return inputs
    }

    /// The folder the descriptor lies in.
    var folder: String {
        let folder = (path as NSString).deletingLastPathComponent
        return folder.isEmpty ? "." : folder
    }

    /// Where downloads are kept: `data/cache/<name>`.
    package var cache: String { "\(folder)/cache/\(name)" }

    /// Every file with what it holds and its position among the files that hold the same, in the order of the roles.
    var allMembers: [(role: Role, index: Int, member: Member)] {
        members.sorted { $0.key < $1.key }.flatMap { role, members in
            members.enumerated().map { (role, $0.offset, $0.element) }
        }
    }

    /// Names of all files, without `.gz` or `.xz`, in the order of the roles.
    var files: [String] { allMembers.map(\.member.file) }
}

// MARK: - Sizes

extension DatasetDescriptor {
    /// The most bytes that a dataset's images may have: they are all in memory at once. ImageNet at 32 x 32 is 3.8 GiB.
    static let largestContent = 1 << 32

    /// The most columns that labels of rank 2 may have.
    static let largestColumns = 64

    /// Bytes of images, at most `largestContent`, so that no product of extents and counts overflows.
    var contentSize: Int { (trainCount + testCount) * image.count }

    /// The samples of which a file has all, or some where the split is divided.
    func samples(of role: Role) -> Int {
        switch role {
        case .trainImages, .trainLabels, .train: trainCount
        case .testImages, .testLabels, .test: testCount
        }
    }

    /// The most bytes that a file's content can have: values of at most 8 bytes, and up to so many columns of labels.
    func largestFile(_ role: Role) -> Int {
        let perSample =
            switch role {
            case .trainImages, .testImages: 8 * image.count
            case .trainLabels, .testLabels: 8 * Self.largestColumns
            case .train, .test: 2 + image.count
            }
        return samples(of: role) * perSample + ByteStream.largestPadding
    }

    /// The most bytes that an archive of the files is read for: it may hold other things beside them.
    var largestArchive: Int { allMembers.reduce(1 << 30) { $0 + largestFile($1.role) } }
}
