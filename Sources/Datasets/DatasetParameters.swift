package import Parameters

/// The parameters of the step `dataset`.
package struct DatasetParameters: ParameterSet {
    /// The name of a descriptor: data/<dataset>.yaml.
    package var dataset: String
    /// Samples held out of the training split.
    package var validation: Int
    /// Which samples: equal seeds hold out equal ones.
    package var validationSeed: Int

    package init(dataset: String, validation: Int = 0, validationSeed: Int = 0) {
        self.dataset = dataset
        self.validation = validation
        self.validationSeed = validationSeed
    }

    package static let schema = Schema(
        Self(dataset: ""),
        .field(
            "dataset", \.dataset, .text, default: .required,
            "the dataset: the name of a file data/<name>.yaml"),
        .field(
            "validation", \.validation, .integer(in: 0...100_000_000),
            "samples held out of the training split"),
        .field(
            "validation-seed", \.validationSeed, .integer(in: 0...Int(Int32.max)),
            "which samples are held out")
    ) { set, fields in
        guard !set.dataset.isEmpty, !DatasetDescriptor.isName(set.dataset) else { return }
        fields.refuse(
            "dataset", found: "'\(set.dataset)'", allowed: "a name of lower-case letters, digits and dashes")
    }
}
