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

    package init(fields: inout Fields) throws {
        dataset = try fields.text("dataset", "the dataset: the name of a file data/<name>.yaml")
        if !dataset.isEmpty, !DatasetDescriptor.isName(dataset) {
            fields.refuse(
                "dataset", found: "'\(dataset)'", allowed: "a name of lower-case letters, digits and dashes")
        }
        validation = try fields.integer(
            "validation", in: 0...100_000_000, default: 0, "samples held out of the training split")
        validationSeed = try fields.integer(
            "validation-seed", in: 0...Int(Int32.max), default: 0, "which samples are held out")
    }
}
