import ArgumentParser
import Artifacts
import Datasets
import Foundation
import Growth
import Networks
import Parameters
import Stages

@main
struct Grow: Program {
    static let configuration = CommandConfiguration(
        commandName: "grow",
        abstract: "Add the proposed neurons, at the amplitude that lowers the validation loss most.",
        discussion: """
            Use the method and the number of neurons that compute-bottlenecks was given. Where nothing lowers the loss, \
            nothing is added and the output is the network as it came.

            EXAMPLES:
              grow --dataset digits.h5 --network seed.h5 --bottlenecks bottlenecks.h5 --output grown.h5
              grow --dataset digits.h5 --network seed.h5 --bottlenecks bottlenecks.h5 --set signs=pair --output grown.h5

            \(GrowthParameters.help)
            """)

    @Option(help: ArgumentHelp("The dataset artifact.", valueName: "file.h5"))
    var dataset: String

    @Option(help: ArgumentHelp("The network artifact to grow.", valueName: "file.h5"))
    var network: String

    @Option(help: ArgumentHelp("The bottlenecks of that network.", valueName: "file.h5"))
    var bottlenecks: String

    @OptionGroup var options: StageOptions

    func run() throws {
        let stage = Stage<GrowthParameters>("grow", sources: sourceDigests, kind: .network)
        let inputs = ["dataset": dataset, "network": network, "bottlenecks": bottlenecks]
        try stage.run(options, inputs: inputs) { context in
            let dataset = try context.read("dataset", .dataset) { try Dataset(reading: $0) }
            try context.check("bottlenecks", isMadeFrom: ["network", "dataset"])
            let network = try context.read("network", .network) { try Network(reading: $0) }
            let bottlenecks = try context.read("bottlenecks", .bottlenecks) { try Bottlenecks(reading: $0) }
            let outcome = try growNetwork(
                context.parameters, dataset: dataset, network: network, bottlenecks: bottlenecks,
                threads: context.threads)
            for record in outcome.records { context.progress.line(record.summary) }
            return outcome.network.map { .content($0.content) } ?? .unchanged(input: "network")
        }
    }
}

extension GrowthRecord {
    fileprivate var summary: String {
        guard let change else { return "\(width): left as it is: \(note)" }
        let predicted = predictedDecrease.map { String(format: ", predicted to fall by %.4f", $0) } ?? ""
        return "\(width): \(change.rawValue), \(neurons) neurons"
            + String(format: " at amplitude %.3g: loss %.4f", amplitude, lossBefore)
            + predicted + String(format: ", fell by %.4f", realizedDecrease)
    }
}
