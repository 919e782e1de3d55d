package import HDF5

// In the file, beside what every artifact has:
//
//     /train, /validation, /test   images u8 [n, h, w, c]   labels i64 [n]      (validation may have n = 0)
//     /classes                     i64 [classes]: training samples per class; attribute `names`
//     /normalization               mean, std f32 [c], of x / 255 over /train
//     /source                      attributes name, title, licence, citation

extension Dataset {
    /// The dataset as the content of its artifact, without the header that every artifact has.
    package func content() -> HDF5.Group {
        var content = HDF5.Group()
        for (name, split) in splits { content[group: name] = split.content() }
        var counts = [Int64](repeating: 0, count: classes.count)
        for label in train.labels { counts[Int(label)] += 1 }
        content["classes"] = HDF5.Dataset(
            .int64(counts), shape: [classes.count], dims: "class", longName: "training samples per class",
            attributes: ["names": .texts(classes)])
        let channels = shape.channels
        content["normalization/mean"] = HDF5.Dataset(
            .float32(normalization.mean), shape: [channels], dims: "channel",
            longName: "mean of x / 255 over the training split")
        content["normalization/std"] = HDF5.Dataset(
            .float32(normalization.standardDeviation), shape: [channels], dims: "channel",
            longName: "population standard deviation of x / 255 over the training split")
        content[group: "source"].attributes = [
            "name": .text(identity.name), "title": .text(identity.title), "licence": .text(identity.licence),
            "citation": .text(identity.citation),
        ]
        return content
    }

    private var splits: [(name: String, split: Split)] {
        [("train", train), ("validation", validation), ("test", test)]
    }

    /// Reads the content of a dataset artifact, believing nothing: names, types, shapes and ranges are checked.
    ///
    /// The root's attributes are the header's business and are not looked at.
    /// - Throws: `HDF5Error`, `DatasetError.badArtifact`.
    package init(reading file: borrowing HDF5.File) throws {
        try file.require(["train", "validation", "test", "classes", "normalization", "source"], in: "/")
        let classes = try Self.readClasses(file)
        let train = try Split(reading: file, "/train", classes: classes.count, shape: nil)
        let validation = try Split(reading: file, "/validation", classes: classes.count, shape: train.shape)
        let test = try Split(reading: file, "/test", classes: classes.count, shape: train.shape)
        for (path, split) in [("/train", train), ("/test", test)] where split.count == 0 {
            throw DatasetError.badArtifact(
                file: file.path, path: path, found: "no samples", allowed: "at least one")
        }
        let identity = try Identity(
            name: file.text("name", of: "/source"), title: file.text("title", of: "/source"),
            licence: file.text("licence", of: "/source"), citation: file.text("citation", of: "/source"))
        self.init(
            identity: identity, classes: classes, train: train, validation: validation, test: test,
            normalization: try Normalization(reading: file, channels: train.shape.channels))
    }

    private static func readClasses(_ file: borrowing HDF5.File) throws -> [String] {
        let count = try file.int64("/classes", shape: [nil]).values.count
        let attribute = try file.attribute("names", of: "/classes")
        guard case .texts(let names) = attribute, names.count == count, (1...256).contains(count) else {
            let found =
                if case .texts(let names) = attribute { "\(names.count) names" } else { attribute.kind }
            throw DatasetError.badArtifact(
                file: file.path, path: "/classes@names", found: "\(found) for \(count) classes",
                allowed: "1 to 256 classes and one name for each")
        }
        return names
    }
}

extension Split {
    fileprivate func content() -> HDF5.Group {
        HDF5.Group(datasets: [
            "images": HDF5.Dataset(
                .uint8(images), shape: [count] + shape.extents, dims: "sample,row,column,channel",
                longName: "images"),
            "labels": HDF5.Dataset(
                .int64(labels.map(Int64.init)), shape: [count], dims: "sample",
                longName: "classes, as positions in /classes"),
        ])
    }

    /// - Parameter expected: the shape of the other splits' images, if it is known yet.
    fileprivate init(
        reading file: borrowing HDF5.File, _ path: String, classes: Int, shape expected: ImageShape?
    ) throws {
        try file.require(["images", "labels"], in: path)
        let extents: [Int?] = expected.map { $0.extents.map { $0 } } ?? [nil, nil, nil]
        let images = try file.uint8("\(path)/images", shape: [nil] + extents)
        let count = images.shape[0]
        let shape = ImageShape(height: images.shape[1], width: images.shape[2], channels: images.shape[3])
        guard shape.extents.allSatisfy({ (1...ImageShape.largestExtent).contains($0) }) else {
            throw DatasetError.badArtifact(
                file: file.path, path: "\(path)/images", found: "images of \(described(shape.extents))",
                allowed: "1 to \(ImageShape.largestExtent) rows, columns and channels")
        }
        let labels = try file.int64("\(path)/labels", shape: [count]).values
        if let index = labels.firstIndex(where: { !(0..<Int64(classes)).contains($0) }) {
            throw DatasetError.badArtifact(
                file: file.path, path: "\(path)/labels", found: "label \(labels[index]) at position \(index)",
                allowed: "0...\(classes - 1)")
        }
        self.init(shape: shape, images: images.values, labels: labels.map(Int32.init))
    }
}

extension Normalization {
    fileprivate init(reading file: borrowing HDF5.File, channels: Int) throws {
        try file.require(["mean", "std"], in: "/normalization")
        let mean = try file.float32("/normalization/mean", shape: [channels]).values
        let deviation = try file.float32("/normalization/std", shape: [channels]).values
        for (name, values) in [("mean", mean), ("std", deviation)] {
            if let value = values.first(where: { !(0...1).contains($0) }) {
                throw DatasetError.badArtifact(
                    file: file.path, path: "/normalization/\(name)", found: "\(value)", allowed: "0...1")
            }
        }
        self.init(mean: mean, standardDeviation: deviation)
    }
}
