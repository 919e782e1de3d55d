/// The content of a dataset's files, read and found to be the bytes that its descriptor pins.
struct VerifiedMembers {
    let train: Split
    let test: Split

    /// Finds and reads the files; downloads them if no place has them and the descriptor and the user allow it.
    ///
    /// The first folder wins whose files are all right. Where folders have files but none the right ones, the first
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
                environment.log("read \(descriptor.name) from \(located.folder)")
                return
            } catch {
                environment.log("passing over \(located.folder): \(error)")
                firstError = firstError ?? error
            }
        }
        throw firstError
            ?? DatasetError.missing(
                dataset: descriptor.name, tried: tried, help: descriptor.help(environment))
    }

    private init(_ descriptor: DatasetDescriptor, _ located: LocatedMembers) throws {
        switch descriptor.format {
        case .idx:
            train = try Self.readIDX(descriptor, located, images: .trainImages, labels: .trainLabels)
            test = try Self.readIDX(descriptor, located, images: .testImages, labels: .testLabels)
        }
        try check(descriptor, "train", descriptor.trainCount, train)
        try check(descriptor, "test", descriptor.testCount, test)
    }

    private static func readIDX(
        _ descriptor: DatasetDescriptor, _ located: LocatedMembers, images: DatasetDescriptor.Role,
        labels: DatasetDescriptor.Role
    ) throws -> Split {
        let samples = max(descriptor.trainCount, descriptor.testCount)
        func read(
            _ role: DatasetDescriptor.Role, ranks: ClosedRange<Int>, valuesPerSample: Int
        ) throws -> IDXArray {
            guard let path = located.paths[role], let member = descriptor.members[role] else {
                preconditionFailure(
                    "located members have every role of the format; \(role.rawValue) is not there")
            }
            let array = try IDXArray(reading: path, ranks: ranks, limit: samples * valuesPerSample)
            guard array.digest == member.sha256 else {
                throw DatasetError.wrongDigest(file: path, expected: member.sha256, found: array.digest)
            }
            return array
        }
        return try Split(
            images: read(images, ranks: 3...4, valuesPerSample: descriptor.image.count),
            labels: read(labels, ranks: 1...1, valuesPerSample: 1),
            classes: descriptor.classes.count)
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
