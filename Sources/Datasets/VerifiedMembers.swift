/// The content of a dataset's files, read and found to be the bytes that its descriptor pins.
struct VerifiedMembers {
    let train: Split
    let test: Split

    /// Finds and reads the files; downloads them if no place has them and the descriptor and the user allow it.
    ///
    /// The first place wins whose files are all right. Where places have files but none the right ones, the first
    /// thing that was wrong is thrown.
    init(_ descriptor: DatasetDescriptor, _ environment: DataEnvironment) throws {
        var (found, tried) = descriptor.locate(environment)
        if found.isEmpty, let url = descriptor.url, !environment.offline {
            try Download(descriptor: descriptor, url: url, environment: environment).run()
            (found, tried) = descriptor.locate(environment)
        }
        var firstError: (any Error)?
        for located in found {
            do {
                self = try Self(descriptor, located)
                environment.log("read \(descriptor.name) from \(located.place)")
                return
            } catch {
                environment.log("passing over \(located.place): \(error)")
                firstError = firstError ?? error
            }
        }
        throw firstError
            ?? DatasetError.missing(
                dataset: descriptor.name, tried: tried, help: descriptor.help(environment))
    }

    private init(_ descriptor: DatasetDescriptor, _ located: LocatedMembers) throws {
        switch descriptor.format {
        case .idx: (train, test) = try Self.readIDX(descriptor, located)
        case .cifar10: (train, test) = try Self.readCIFAR(descriptor, located, labelBytes: 1)
        case .cifar100: (train, test) = try Self.readCIFAR(descriptor, located, labelBytes: 2)
        }
        try check(descriptor, "train", descriptor.trainCount, train)
        try check(descriptor, "test", descriptor.testCount, test)
    }

    private static func readIDX(
        _ descriptor: DatasetDescriptor, _ located: LocatedMembers
    ) throws -> (train: Split, test: Split) {
        let samples = max(descriptor.trainCount, descriptor.testCount)
        var arrays: [DatasetDescriptor.Role: IDXArray] = [:]
        try located.forEachMember(of: descriptor) { role, _, member, stream in
            let isImages = role == .trainImages || role == .testImages
            let array = try IDXArray(
                reading: &stream, ranks: isImages ? 3...4 : 1...1,
                limit: samples * (isImages ? descriptor.image.count : 1))
            try member.check(array.digest, file: array.file)
            arrays[role] = array
        }
        func split(_ images: DatasetDescriptor.Role, _ labels: DatasetDescriptor.Role) throws -> Split {
            guard let images = arrays[images], let labels = arrays[labels] else {
                preconditionFailure("a file of each role has been read")
            }
            return try Split(images: images, labels: labels, classes: descriptor.classes.count)
        }
        return (try split(.trainImages, .trainLabels), try split(.testImages, .testLabels))
    }

    private static func readCIFAR(
        _ descriptor: DatasetDescriptor, _ located: LocatedMembers, labelBytes: Int
    ) throws -> (train: Split, test: Split) {
        var parts: [DatasetDescriptor.Role: [Int: Split]] = [:]
        try located.forEachMember(of: descriptor) { role, index, member, stream in
            let file = try CIFARFile(
                reading: &stream, labelBytes: labelBytes, shape: descriptor.image,
                limit: role == .train ? descriptor.trainCount : descriptor.testCount)
            try member.check(file.digest, file: file.file)
            parts[role, default: [:]][index] = try file.split(classes: descriptor.classes.count)
        }
        func split(_ role: DatasetDescriptor.Role) -> Split {
            let files = parts.removeValue(forKey: role) ?? [:]
            return Split(concatenating: files.sorted { $0.key < $1.key }.map(\.value))
        }
        return (split(.train), split(.test))
    }

    private func check(_ descriptor: DatasetDescriptor, _ key: String, _ count: Int, _ split: Split) throws {
        func disagreement(_ key: String, _ says: String, _ files: String) -> DatasetError {
            .descriptorDisagrees(descriptor: descriptor.path, key: key, says: says, files: files)
        }
        guard split.count == count else { throw disagreement(key, "\(count)", "\(split.count) samples") }
        guard split.shape == descriptor.image else {
            throw disagreement(
                "image", described(descriptor.image.extents), "images of \(described(split.shape.extents))")
        }
    }
}
