import ArgumentParser
import Artifacts
import Datasets
import Foundation
import Growth
import Networks
import Parameters
import Stages

@main
struct ComputeBottlenecks: Program {
    static let configuration = CommandConfiguration(
        commandName: "compute-bottlenecks",
        abstract:
            "Measure what the architecture keeps the functional gradient from doing, and propose neurons for it.",
        discussion: """
            EXAMPLES:
              compute-bottlenecks --dataset digits.h5 --network seed.h5 --output bottlenecks.h5
              compute-bottlenecks --dataset digits.h5 --network seed.h5 --set method=gradmax --set samples=all --output \
            bottlenecks.h5

            \(BottleneckParameters.help)
            """)

    @Option(help: ArgumentHelp("The dataset artifact.", valueName: "file.h5"))
    var dataset: String

    @Option(help: ArgumentHelp("The network artifact to measure.", valueName: "file.h5"))
    var network: String

    @OptionGroup var options: StageOptions

    func run() throws {
        let stage = Stage<BottleneckParameters>(
            "compute-bottlenecks", sources: sourceDigests, kind: .bottlenecks)
        try stage.run(options, inputs: ["dataset": dataset, "network": network]) { context in
            let dataset = try context.read("dataset", .dataset) { try Dataset(reading: $0) }
            let network = try context.read("network", .network) { try Network(reading: $0) }
            let bottlenecks = try computeBottlenecks(
                context.parameters, dataset: dataset, network: network, threads: context.threads)
            for width in bottlenecks.widths {
                context.progress.line(
                    String(
                        format: "%@: bottleneck %.4g of a gradient norm of %.4g (%.1f%%), on %d samples",
                        width.width,
                        width.bottleneck, width.gradientNorm, 100 * width.relativeBottleneck,
                        bottlenecks.samples
                    ))
            }
            return .content(bottlenecks.content)
        }
    }
}
