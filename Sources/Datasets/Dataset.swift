/// Images with labels, split for training, for choosing and for the final test.
package struct Dataset: Sendable, Equatable {
    /// What a dataset is called and what its users owe its authors; travels with every copy.
    package struct Identity: Sendable, Equatable {
        package var name: String
        package var title: String
        package var licence: String
        package var citation: String

        package init(name: String, title: String, licence: String, citation: String) {
            self.name = name
            self.title = title
            self.licence = licence
            self.citation = citation
        }
    }

    package let identity: Identity
    /// Class names in the order of their labels.
    package let classes: [String]
    /// What is trained on; never empty.
    package let train: Split
    /// What policies and line searches may read; may be empty.
    package let validation: Split
    /// What `evaluate` alone reads; never empty.
    package let test: Split
    /// Statistics of `train`.
    package let normalization: Normalization

    package var name: String { identity.name }
    /// The shape of every image.
    package var shape: ImageShape { train.shape }

    /// - Precondition: the splits have images of one shape, `train` and `test` have some, labels are classes.
    package init(identity: Identity, classes: [String], train: Split, validation: Split, test: Split) {
        self.init(
            identity: identity, classes: classes, train: train, validation: validation, test: test,
            normalization: Normalization(measuring: train))
    }

    init(
        identity: Identity, classes: [String], train: Split, validation: Split, test: Split,
        normalization: Normalization
    ) {
        precondition(train.count > 0 && test.count > 0, "train and test must not be empty")
        precondition(train.shape == validation.shape && train.shape == test.shape, "images of one shape")
        self.identity = identity
        self.classes = classes
        self.train = train
        self.validation = validation
        self.test = test
        self.normalization = normalization
    }
}

/// Finds, checks and splits a dataset: the work of the stage `load-dataset`.
///
/// The result depends on the descriptor's `inputs` and the parameters alone; the environment only says where the
/// bytes are.
/// - Throws: `DatasetError`.
package func loadDataset(
    _ descriptor: DatasetDescriptor, parameters: DatasetParameters, environment: DataEnvironment
) throws -> Dataset {
    guard parameters.dataset == descriptor.name else {
        throw DatasetError.otherDataset(
            requested: parameters.dataset, descriptor: descriptor.name, file: descriptor.path)
    }
    guard parameters.validation < descriptor.trainCount else {
        throw DatasetError.validationTooLarge(
            requested: parameters.validation, available: descriptor.trainCount)
    }
    let (all, test) = try VerifiedMembers.read(descriptor, environment)
    let (train, validation) = try all.holdingOut(parameters.validation, seed: parameters.validationSeed)
    return Dataset(
        identity: .init(
            name: descriptor.name, title: descriptor.title, licence: descriptor.licence,
            citation: descriptor.citation),
        classes: descriptor.classes, train: train, validation: validation, test: test)
}
