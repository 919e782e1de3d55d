internal import Artifacts
internal import Networks

extension PipelineResults {
    /// results.csv: one row per branch and seed with everything that is a number, every digit of it.
    ///
    /// A field is empty where there is no value. `seconds` is the sum over the chain's steps by the clock,
    /// `thread_seconds` the sum of each step's seconds times its threads.
    package var csv: String {
        let layers = chains.map(\.widths.free.count).max() ?? 0
        let header = columns.map(\.title) + (0..<layers).map { "width_\($0 + 1)" }
        let rows = chains.map { chain in
            columns.map { $0.value(chain) }
                + (0..<layers).map { $0 < chain.widths.free.count ? String(chain.widths.free[$0]) : "" }
        }
        return ([header] + rows).map { $0.map(Self.quoted).joined(separator: ",") + "\n" }.joined()
    }

    private typealias Column = (title: String, value: (ChainResult) -> String)

    private var columns: [Column] {
        let pipeline = plan.pipeline
        let names: [Column] = [
            ("pipeline", { _ in pipeline }), ("branch", \.branch), ("seed", { "\($0.seed)" }),
        ]
        let quality: [Column] = [
            ("test_accuracy", { Format.exact($0.accuracy) }), ("test_loss", { Format.exact($0.loss) }),
            ("validation_accuracy", { Format.exact($0.history.epochs.last?.validationAccuracy) }),
            ("validation_loss", { Format.exact($0.history.epochs.last?.validationLoss) }),
            ("training_accuracy", { Format.exact($0.history.epochs.last?.accuracy) }),
            ("training_loss", { Format.exact($0.history.epochs.last?.loss) }),
        ]
        let size: [Column] = [
            ("parameters", { "\($0.parameters)" }), ("inference_flops", { "\($0.inferenceFlops)" }),
            ("epochs", { "\($0.history.epochs.count)" }),
            ("neurons_added", { "\($0.growth.reduce(0) { $0 + $1.neurons })" }),
            ("idle_rounds", { "\($0.run.idleRounds)" }),
        ]
        let work: [Column] =
            [("training_flops", { "\($0.cost.total)" })]
            + Cost.Phase.allCases.map { phase in
                ("training_flops_\(phase.rawValue)", { "\($0.cost[phase])" })
            }
        let time: [Column] =
            [
                ("seconds", { Format.exact($0.run.totalSeconds) }),
                ("thread_seconds", { Format.exact($0.run.threadSeconds) }),
            ]
            + StepKind.allCases.map { kind in
                ("seconds_\(kind.rawValue)", { Format.exact($0.run.seconds[kind]) })
            }
            + [("peak_memory_bytes", { "\($0.run.peakMemoryBytes)" })]
        let origin: [Column] = [
            ("network_sha256", { "\($0.network)" }), ("evaluation_sha256", { "\($0.evaluation)" }),
            ("platform", { $0.run.platform }),
        ]
        return names + quality + size + work + time + origin
    }

    /// As RFC 4180 asks for.
    private static func quoted(_ field: String) -> String {
        guard field.contains(where: { ",\"\n\r".contains($0) }) else { return field }
        return "\"" + field.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
            + "\""
    }
}
