internal import HDF5

/// What a network takes its inputs and outputs for: the images it was trained on, how they were normalised, and their
/// classes.
package struct DataConvention: Equatable, Sendable {
    /// [h, w, c]
    package let image: [Int]
    /// [c], of x / 255, and the standard deviations: a value x became (x / 255 - mean) / deviation.
    package let mean: [Float]
    package let standardDeviation: [Float]
    /// Names in the order of the outputs.
    package let classes: [String]

    /// - Precondition: one mean and one deviation per channel.
    package init(image: [Int], mean: [Float], standardDeviation: [Float], classes: [String]) {
        precondition(
            image.count == 3 && mean.count == image[2] && standardDeviation.count == image[2],
            "one mean and one deviation per channel")
        self.image = image
        self.mean = mean
        self.standardDeviation = standardDeviation
        self.classes = classes
    }
}

// In the file: /data with mean and std, f32 [c], and the attributes image, i64 [3], and classes.

extension DataConvention {
    var content: Group {
        func perChannel(_ values: [Float], _ what: String) -> Dataset {
            Dataset(
                .float32(values), shape: [values.count], dims: "channel",
                longName: "\(what) of x / 255 over the samples trained on")
        }
        return Group(
            attributes: ["image": .integers(image.map(Int64.init)), "classes": .texts(classes)],
            datasets: [
                "mean": perChannel(mean, "mean"),
                "std": perChannel(standardDeviation, "population standard deviation"),
            ])
    }

    /// - Throws: `HDF5Error`, `NetworkError.invalidFile` for what a network with this graph was not trained on.
    init(reading file: borrowing File, for architecture: Architecture) throws {
        try file.require(["mean", "std"], in: "data")
        let name = file.path
        func invalid(_ path: String, _ problem: String) -> NetworkError {
            .invalidFile(file: name, path: "data\(path)", problem: problem)
        }
        let inputs = architecture.inputShape
        let extents = try file.attribute("image", of: "data").integers ?? []
        image = extents.compactMap { Int(exactly: $0) }
        guard image.count == 3, image.allSatisfy({ (1...65_536).contains($0) }),
            image.reduce(1, *) == architecture.inputCount,
            inputs.count == 1 || inputs == [image[2], image[0], image[1]]
        else {
            throw invalid(
                "@image", "\(extents) [rows, columns, channels], but the graph's input is \(inputs)")
        }
        mean = try file.float32("data/mean", shape: [image[2]]).values
        standardDeviation = try file.float32("data/std", shape: [image[2]]).values
        for (name, values) in [("mean", mean), ("std", standardDeviation)] {
            if let value = values.first(where: { !(0...1).contains($0) }) {
                throw invalid("/\(name)", "\(value) is not in 0...1")
            }
        }
        classes = try file.attribute("classes", of: "data").texts ?? []
        guard classes.count == architecture.outputCount else {
            throw invalid(
                "@classes", "\(classes.count) names, but the network has \(architecture.outputCount) outputs")
        }
    }
}

extension Attribute {
    fileprivate var integers: [Int64]? {
        if case .integers(let values) = self { values } else { nil }
    }

    fileprivate var texts: [String]? {
        if case .texts(let texts) = self { texts } else { nil }
    }
}
