/// The content of a dataset's files, read and found to be the bytes that its descriptor pins.
enum VerifiedMembers {
    /// Content that is packed so much tighter than images can be may be a bomb.
    private static let suspiciousRatio = 64

    /// Finds and reads the files; downloads them if no place has them and the descriptor and the user allow it.
    ///
    /// The first place wins whose files are all right. Where places have files but none the right ones, the first
    /// thing that was wrong is thrown.
    static func read(
        _ descriptor: DatasetDescriptor, _ environment: DataEnvironment
    ) throws -> (train: Split, test: Split) {
        var (found, tried) = descriptor.locate(environment)
        if found.isEmpty, let url = descriptor.url, !environment.offline {
            try Download(descriptor: descriptor, url: url, environment: environment).run()
            (found, tried) = descriptor.locate(environment)
        }
        var firstError: (any Error)?
        for located in found {
            do {
                let splits = try read(descriptor, located)
                environment.log("read \(descriptor.name) from \(located.place)")
                return splits
            } catch {
                environment.log("passing over \(located.place): \(error)")
                firstError = firstError ?? error
            }
        }
        throw firstError
            ?? DatasetError.missing(
                dataset: descriptor.name, tried: tried, help: descriptor.help(environment))
    }

    private static func read(
        _ descriptor: DatasetDescriptor, _ located: LocatedMembers
    ) throws -> (train: Split, test: Split) {
        if descriptor.contentSize > 1 << 26,
            located.sizeOnDisk < descriptor.contentSize / suspiciousRatio
        {
            // Before anything of it is kept.
            try located.verify(descriptor)
        }
        let (train, test) =
            switch descriptor.format {
            case .idx: try readIDX(descriptor, located)
            case .cifar10: try readCIFAR(descriptor, located, labelBytes: 1)
            case .cifar100: try readCIFAR(descriptor, located, labelBytes: 2)
            }
        return descriptor.isTransposed ? (train.transposed(), test.transposed()) : (train, test)
    }

    private static func readIDX(
        _ descriptor: DatasetDescriptor, _ located: LocatedMembers
    ) throws -> (train: Split, test: Split) {
        var images: [DatasetDescriptor.Role: [UInt8]] = [:]
        var labels: [DatasetDescriptor.Role: [Int32]] = [:]
        try located.forEachMember(of: descriptor) { role, _, member, stream in
            if role == .trainImages || role == .testImages {
                let header = try IDXHeader(reading: &stream, ranks: 3...4)
                try descriptor.check(images: header, role)
                let array = try IDXArray(imagesBehind: header, &stream)
                try member.check(array.digest, file: array.file)
                images[role] = array.values
            } else {
                let header = try IDXHeader(reading: &stream, ranks: 1...2)
                let column = try descriptor.column(of: header, role)
                let array = try IDXArray(labelsBehind: header, column: column, &stream)
                try member.check(array.digest, file: array.file)
                labels[role] = try descriptor.classes(array.values, file: array.file, offset: array.offset)
            }
        }
        func split(_ imageRole: DatasetDescriptor.Role, _ labelRole: DatasetDescriptor.Role) -> Split {
            guard let images = images.removeValue(forKey: imageRole), let labels = labels[labelRole] else {
                preconditionFailure("a file of each role has been read")
            }
            return Split(shape: descriptor.imageInFiles, images: images, labels: labels)
        }
        return (split(.trainImages, .trainLabels), split(.testImages, .testLabels))
    }

    private static func readCIFAR(
        _ descriptor: DatasetDescriptor, _ located: LocatedMembers, labelBytes: Int
    ) throws -> (train: Split, test: Split) {
        let layout = CIFARFile.Layout(labelBytes: labelBytes, shape: descriptor.imageInFiles)
        var parts: [DatasetDescriptor.Role: [Int: Split]] = [:]
        try located.forEachMember(of: descriptor) { role, index, member, stream in
            let others = parts[role, default: [:]].values.reduce(0) { $0 + $1.count }
            let file = try CIFARFile(
                reading: &stream, layout, limit: descriptor.samples(of: role) - others)
            try member.check(file.digest, file: file.file)
            parts[role, default: [:]][index] = Split(
                shape: layout.shape, images: file.images,
                labels: try descriptor.classes(file.labels, file: file.file, offset: file.offset))
        }
        func split(_ role: DatasetDescriptor.Role) throws -> Split {
            let files = (parts.removeValue(forKey: role) ?? [:]).sorted { $0.key < $1.key }.map(\.value)
            let split = Split(concatenating: files)
            guard split.count == descriptor.samples(of: role) else {
                throw descriptor.disagreement(
                    role.rawValue, "\(descriptor.samples(of: role))", located.place, "\(split.count) samples")
            }
            return split
        }
        return (try split(.train), try split(.test))
    }
}

// MARK: - What the descriptor says

extension DatasetDescriptor {
    /// The shape of an image as the files have it.
    fileprivate var imageInFiles: ImageShape {
        isTransposed
            ? ImageShape(height: image.width, width: image.height, channels: image.channels) : image
    }

    fileprivate func disagreement(
        _ key: String, _ says: String, _ file: String, _ holds: String
    ) -> DatasetError {
        .descriptorDisagrees(descriptor: path, key: key, says: says, file: file, holds: holds)
    }

    private func checkCount(_ header: IDXHeader, _ role: Role) throws {
        guard header.shape[0] != samples(of: role) else { return }
        let key = role == .trainImages || role == .trainLabels ? "train" : "test"
        let things = role == .trainImages || role == .testImages ? "images" : "labels"
        throw disagreement(key, "\(samples(of: role))", header.file, "\(header.shape[0]) \(things)")
    }

    /// Checks that images are as many and as large as the descriptor says, before they are read.
    fileprivate func check(images header: IDXHeader, _ role: Role) throws {
        try checkCount(header, role)
        let extents = header.shape[1...] + (header.shape.count == 3 ? [1] : [])
        guard Array(extents) == imageInFiles.extents else {
            throw disagreement(
                "image", described(image.extents) + (isTransposed ? ", to be transposed" : ""), header.file,
                "images of \(described(Array(extents)))")
        }
    }

    /// The column that has the classes.
    fileprivate func column(of header: IDXHeader, _ role: Role) throws -> Int {
        try checkCount(header, role)
        let columns = header.shape.count == 2 ? header.shape[1] : 1
        guard columns <= Self.largestColumns, (labelColumn ?? 0) < columns else {
            throw disagreement(
                "column",
                labelColumn.map { "\($0)" } ?? "nothing, and at most \(Self.largestColumns) may be there",
                header.file, "columns 0...\(columns - 1)")
        }
        // One column per class may mean that each has a 1 in the column of its class.
        guard labelColumn != nil || header.shape.count == 1 || columns != classes.count else {
            throw DatasetError.brokenIDX(
                file: header.file, offset: 8,
                found: "labels of \(columns) columns, as many as there are classes",
                allowed: "the number of a class per sample, in one column; if one of these is, "
                    + "write `column:` into the descriptor")
        }
        return labelColumn ?? 0
    }

    /// Labels as they stand in a file, as positions in `classes`.
    ///
    /// - Parameter offset: the byte of the content at which a label stands.
    /// - Throws: `DatasetError.labelOutOfRange`.
    fileprivate func classes(_ labels: [Int32], file: String, offset: (Int) -> Int) throws -> [Int32] {
        let allowed = firstLabel...firstLabel + classes.count - 1
        if let index = labels.firstIndex(where: { !allowed.contains(Int($0)) }) {
            let first = Int(labels.min() ?? 0), last = Int(labels.max() ?? 0)
            throw DatasetError.labelOutOfRange(
                file: file, offset: offset(index), label: Int(labels[index]), allowed: allowed,
                first: last - first + 1 == classes.count ? first : nil)
        }
        return firstLabel == 0 ? labels : labels.map { $0 - Int32(firstLabel) }
    }
}
