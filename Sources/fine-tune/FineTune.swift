import ArgumentParser
import Artifacts
import Datasets
import Networks
import Parameters
import Stages
import Training

@main
struct FineTune: Program {
    static let configuration = CommandConfiguration(
        commandName: "fine-tune",
        abstract: "Train a network on, with the optimiser state it came with.",
        discussion: """
            EXAMPLES:
              fine-tune --dataset digits.h5 --network grown.h5 --set training.epochs=5 --output tuned.h5
              fine-tune --dataset digits.h5 --network grown.h5 --set training.optimizer.rate=0.01 --output tuned.h5

            \(TuneParameters.help)
            """)

    @Option(help: ArgumentHelp("The dataset artifact.", valueName: "file.h5"))
    var dataset: String

    @Option(help: ArgumentHelp("The network artifact to train on.", valueName: "file.h5"))
    var network: String

    @OptionGroup var options: StageOptions

    func run() throws {
        let stage = Stage<TuneParameters>("fine-tune", sources: sourceDigests, kind: .network)
        try stage.run(options, inputs: ["dataset": dataset, "network": network]) { context in
            let progress = context.progress
            let environment = TrainingEnvironment(
                threads: context.threads,
                bar: { progress.update(done: $0, of: $1, unit: "samples", note: $2) },
                line: { progress.line($0) })
            let dataset = try context.read("dataset", .dataset) { try Dataset(reading: $0) }
            let network = try context.read("network", .network) { try Network(reading: $0) }
            let tuned = try fineTune(
                context.parameters, dataset: dataset, network: network, environment: environment)
            return tuned.map { .content($0.content) } ?? .unchanged(input: "network")
        }
    }
}
