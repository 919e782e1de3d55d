import ArgumentParser
import Artifacts
import Datasets
import Files
import Parameters
import Stages

@main
struct LoadDataset: Program {
    static let configuration = CommandConfiguration(
        commandName: "load-dataset",
        abstract:
            "Find a dataset's files, check them, hold out a validation split, and keep all in one HDF5 file.",
        discussion: """
            Looks where the descriptor says: system folders, $DATA_MIRROR, data/cache; downloads only where the \
            descriptor names a URL and OFFLINE is not set.

            EXAMPLES:
              load-dataset --descriptor data/digits.yaml --set validation=200 --output digits.h5
              load-dataset --descriptor data/fashion-mnist.yaml --output fashion.h5

            \(DatasetParameters.help)
            """)

    @Option(help: ArgumentHelp("The dataset's descriptor.", valueName: "data/NAME.yaml"))
    var descriptor: String

    @OptionGroup var options: StageOptions

    func run() throws {
        let described = try reportingErrors(of: "load-dataset") { try DatasetDescriptor(reading: descriptor) }
        let stage = Stage<DatasetParameters>("load-dataset", sources: sourceDigests, kind: .dataset)
        let defaults = Tree(.map([.init(key: "dataset", value: Tree(.text(described.name)))]))
        let digests = described.inputs.compactMapValues { Digest($0) }
        try stage.run(options, inputs: [:], defaults: defaults, digests: digests) { context in
            let progress = context.progress
            let dataset = try loadDataset(
                described, parameters: context.parameters,
                environment: .process(log: { progress.line($0) }))
            context.progress.line(
                "\(dataset.name): \(dataset.train.count) training, \(dataset.validation.count) validation, "
                    + "\(dataset.test.count) test samples of \(dataset.shape.extents), "
                    + "\(dataset.classes.count) classes")
            return .content(dataset.content())
        }
    }
}
