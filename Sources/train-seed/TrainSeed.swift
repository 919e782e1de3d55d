import ArgumentParser
import Artifacts
import Datasets
import Networks
import Parameters
import Stages
import Training

@main
struct TrainSeed: Program {
    static let configuration = CommandConfiguration(
        commandName: "train-seed",
        abstract:
            "Draw a network and train it: the small seed that growth starts from, or a large one from scratch.",
        discussion: """
            EXAMPLES:
              train-seed --dataset digits.h5 --set network.widths='[4, 4]' --set seed=1 --output seed.h5
              train-seed --dataset digits.h5 --architecture grown.h5 --set training.epochs=9 --output large.h5
              train-seed --dataset digits.h5 --architecture grown.h5 --budget grown.h5 --output large.h5

            \(SeedParameters.help)
            """)

    @Option(help: ArgumentHelp("The dataset artifact.", valueName: "file.h5"))
    var dataset: String

    @Option(
        help: ArgumentHelp(
            "A network artifact whose architecture is trained from scratch, in place of the parameters' network.",
            valueName: "file.h5"))
    var architecture: String?

    @Option(
        help: ArgumentHelp(
            "A network artifact: trained for as many whole epochs as spend the training FLOPs that it cost, in place of "
                + "the parameters' epochs.",
            valueName: "file.h5"))
    var budget: String?

    @OptionGroup var options: StageOptions

    func run() throws {
        var inputs = ["dataset": dataset]
        inputs["architecture"] = architecture
        inputs["budget"] = budget
        let stage = Stage<SeedParameters>("train-seed", sources: sourceDigests, kind: .network)
        try stage.run(options, inputs: inputs) { context in
            let progress = context.progress
            let environment = TrainingEnvironment(
                threads: context.threads,
                bar: { progress.update(done: $0, of: $1, unit: "samples", note: $2) },
                line: { progress.line($0) })
            let dataset = try context.read("dataset", .dataset) { try Dataset(reading: $0) }
            func network(_ name: String) throws -> Network? {
                try inputs[name].map { _ in try context.read(name, .network) { try Network(reading: $0) } }
            }
            let network = try trainSeed(
                context.parameters, dataset: dataset, architecture: network("architecture")?.architecture,
                budget: network("budget")?.cost.total, environment: environment)
            return .content(network.content)
        }
    }
}
