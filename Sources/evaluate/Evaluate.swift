import ArgumentParser
import Artifacts
import Datasets
import Foundation
import Networks
import Parameters
import Stages
import Training

@main
struct Evaluate: Program {
    static let configuration = CommandConfiguration(
        commandName: "evaluate",
        abstract: "Measure a network on the test split: accuracy, loss, confusion, calibration, predictions.",
        discussion: """
            The only stage that reads the test split.

            EXAMPLES:
              evaluate --dataset digits.h5 --network tuned.h5 --output evaluation.h5
              evaluate --dataset digits.h5 --network tuned.h5 --set flip=true --output evaluation.h5

            \(EvaluationParameters.help)
            """)

    @Option(help: ArgumentHelp("The dataset artifact.", valueName: "file.h5"))
    var dataset: String

    @Option(help: ArgumentHelp("The network artifact.", valueName: "file.h5"))
    var network: String

    @OptionGroup var options: StageOptions

    func run() throws {
        let stage = Stage<EvaluationParameters>("evaluate", sources: sourceDigests, kind: .evaluation)
        try stage.run(options, inputs: ["dataset": dataset, "network": network]) { context in
            let dataset = try context.read("dataset", .dataset) { try Dataset(reading: $0) }
            let network = try context.read("network", .network) { try Network(reading: $0) }
            let result = try evaluate(
                context.parameters, dataset: dataset, network: network, threads: context.threads)
            context.progress.line(
                String(
                    format: "accuracy %.4f, loss %.4f on %d test samples", result.accuracy, result.loss,
                    result.samples))
            if let mirrored = result.mirrored {
                context.progress.line(
                    String(
                        format: "with mirror images accuracy %.4f, loss %.4f", mirrored.accuracy,
                        mirrored.loss))
            }
            return .content(result.content)
        }
    }
}
