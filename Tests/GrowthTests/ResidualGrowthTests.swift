import Correlations
import Datasets
import GrowthMath
import Networks
import Parameters
import Tensors
import Testing
@testable import Training

@testable import Growth

@Suite("Growth of widths that residual branches share, by methods that follow data")
struct ResidualGrowthTests {
    private let dataset = SampleNetworks.dataset(train: 150, validation: 60)

    /// What amplitudes are tried on is what was measured.
    private var same: Datasets.Dataset {
        Datasets.Dataset(
            identity: dataset.identity, classes: dataset.classes, train: dataset.train,
            validation: dataset.train, test: dataset.test)
    }

    private func plan(_ yaml: String) throws -> GrowthPlan {
        try GrowthPlan(
            tree: Tree(yaml: "{residual-widths: true, samples: all, \(yaml)}", file: "x"), file: "x")
    }

    private func bottlenecks(_ plan: GrowthPlan, _ network: Network, _ dataset: Datasets.Dataset) throws
        -> Bottlenecks
    {
        try computeBottlenecks(
            plan.bottleneckParameters(round: 1, loss: LossParameters(), seed: 0), dataset: dataset,
            network: network)
    }

    /// - Parameter others: whether widths between two layers grow before.
    private func grow(
        _ network: Network, _ plan: GrowthPlan, round: Int = 1, others: Bool = true, threads: Int = 1,
        on dataset: Datasets.Dataset? = nil
    ) throws -> GrowthOutcome {
        let loss = LossParameters()
        var found = try computeBottlenecks(
            plan.bottleneckParameters(round: round, loss: loss, seed: 0), dataset: dataset ?? self.dataset,
            network: network, threads: threads)
        let residual = Width.residual(in: network.architecture).map(\.name)
        if !others { found.widths.removeAll { !residual.contains($0.width) } }
        return try growNetwork(
            plan.growthParameters(round: round, loss: loss, seed: 0), dataset: dataset ?? self.dataset,
            network: network, bottlenecks: found, threads: threads)
    }

    private func loss(_ network: Network, _ split: Split) -> Double {
        NetworkRun(network, split, dataset.normalization).lossAndGradients().loss
    }

    // MARK: First order

    private enum Kind: CaseIterable {
        case smooth, smoothPooled, kinked, kinkedPooled, classic, preActivated

        func network() throws -> Network {
            switch self {
            case .smooth: try ResidualNetworks.twoByTwo(.tanh)
            case .smoothPooled: try ResidualNetworks.twoByTwo(.gelu, pool: .average)
            case .kinked: try ResidualNetworks.twoByTwo(.relu)
            case .kinkedPooled: try ResidualNetworks.twoByTwo(.selu, pool: .max)
            case .classic: try ResidualNetworks.network(.classic)
            case .preActivated: try ResidualNetworks.network(.preActivation, activation: .selu)
            }
        }
    }

    @Test(
        "the predicted decrease is the slope of the loss, with sums, kinks, maxima and normalisations on the way",
        arguments: Kind.allCases,
        [
            "method: tiny-joint", "method: {kind: tiny-joint, refit: false}",
            "method: tiny-joint, signs: pair, update: false", "method: {kind: tiny, taps: restricted}",
            "method: tiny, update: false", "method: fisher",
        ])
    private func prediction(kind: Kind, settings: String) throws {
        let network = try kind.network()
        var plan = try plan("neurons: {most: 2}, \(settings)")
        let measured = try bottlenecks(plan, network, same)
        for width in Width.residual(in: network.architecture) {
            var alone = measured
            alone.widths.removeAll { $0.width != width.name }
            func decrease(_ amplitude: Double) throws -> (predicted: Double, realised: Double) {
                plan.placement.amplitude = .fixed(amplitude)
                let outcome = try growNetwork(
                    plan.growthParameters(round: 1, loss: LossParameters(), seed: 0), dataset: same,
                    network: network, bottlenecks: alone)
                let record = try #require(outcome.records.first)
                #expect(record.neurons == 2, "\(record.note)")
                let predicted = try #require(record.predictedDecrease)
                return (predicted / amplitude, record.realizedDecrease / amplitude)
            }
            // Amplitudes at which Float32 tells losses apart; what grows with √γ is extrapolated to 0.
            let slope = try decrease(1e-3).predicted
            #expect(slope > 0)
            let (near, far) = (try decrease(1e-4 / slope).realised, try decrease(4e-4 / slope).realised)
            #expect(abs((2 * near - far) / slope - 1) < 0.08, "\(width.name) \(slope) \(near) \(far)")
        }
    }

    @Test("at amplitude 0 the function is what it was", arguments: [ResNet.Order.classic, .preActivation])
    func nothingAtZero(order: ResNet.Order) throws {
        let network = try ResidualNetworks.network(order)
        let plan = try plan("method: gradmax, neurons: {most: 2}")
        let outcome = try grow(network, plan)
        let grown = try #require(outcome.network)
        #expect(Width.residual(in: grown.architecture).map(\.count) == [5, 8, 14])
        // Fan-ins of gradmax are 0.
        let outputs = [network, grown].map {
            NetworkRun($0, dataset.validation, dataset.normalization).outputs
        }
        #expect(relativeDifference(outputs[1], outputs[0]) <= 1e-5)
    }

    @Test(
        "GradMax keeps the function over many rounds, whatever new channels come to stand in a row",
        arguments: [ResNet.Order.classic, .preActivation], [NormalizationChoice.batch, .none])
    func functionIsKept(order: ResNet.Order, normalization: NormalizationChoice) throws {
        let start = try ResidualNetworks.network(order, normalization)
        let expected = NetworkRun(start, dataset.validation, dataset.normalization).outputs
        let plan = try plan("rounds: 5, method: gradmax, neurons: {most: 2}")
        var network = start
        for round in 1...5 {
            network = try #require(try grow(network, plan, round: round).network)
            let found = NetworkRun(network, dataset.validation, dataset.normalization).outputs
            #expect(relativeDifference(found, expected) <= 5e-6, "round \(round)")
        }
    }

    @Test(
        "channels that GradMax adds before a normalisation and a ReLU learn, in widths of both kinds",
        arguments: [ResNet.Order.classic, .preActivation])
    func gradMaxLearns(order: ResNet.Order) throws {
        let network = try ResidualNetworks.network(order)
        let grown = try #require(
            try grow(network, try plan("method: gradmax, neurons: {most: 2}")).network)
        let tuned = try #require(
            try fineTune(
                TuneParameters(training: TrainingParameters(epochs: 1), loss: LossParameters(), seed: 0),
                dataset: dataset, network: grown))
        for (producer, width) in [("stage1-block1-conv1", 3), ("stem", 3), ("stage2-block1-conv2", 6)] {
            let inputs = 0..<(producer == "stem" ? 18 : width * 9)
            let (before, after) = (
                grown.inputWeights(of: producer).selecting(columns: inputs),
                tuned.inputWeights(of: producer).selecting(columns: inputs)
            )
            for channel in width..<width + 2 {
                #expect(before.row(channel).allSatisfy { $0 == 0 })
                #expect(after.row(channel).contains { $0 != 0 }, "\(producer) \(channel)")
            }
        }
    }

    // MARK: Rounds

    @Test(
        "every method grows the residual widths of residual networks in two rounds, and records what happened to the loss",
        arguments: MethodParameters.all, [ResNet.Order.classic, .preActivation])
    func everyMethod(method: MethodParameters, order: ResNet.Order) throws {
        var network = try ResidualNetworks.network(order)
        let plan = try plan("rounds: 2, method: \(method.kind), neurons: {most: 2}")
        for round in 1...2 {
            let names = Width.residual(in: network.architecture).map(\.name).reversed()
            let widths = Width.residual(in: network.architecture).map(\.count)
            let outcome = try grow(network, plan, round: round)
            let records = outcome.records.suffix(3)
            #expect(records.map(\.width) == Array(names))
            #expect(records.allSatisfy { $0.neurons > 0 || $0.note == "no amplitude lowers the loss" })
            guard let grown = outcome.network else {
                #expect(outcome.records.allSatisfy { $0.neurons == 0 })
                return
            }
            #expect(
                Width.residual(in: grown.architecture).map(\.count)
                    == zip(widths, records.reversed()).map { $0 + $1.neurons })
            let realised = outcome.records.reduce(0) { $0 + $1.realizedDecrease }
            let fell = loss(network, dataset.validation) - loss(grown, dataset.validation)
            #expect(abs(realised - fell) < 1e-4 * max(1, loss(network, dataset.validation)))
            if method.method.placement == .searched {
                for record in records where record.neurons > 0 {
                    #expect(record.realizedDecrease > 0 && record.predictedDecrease.map { $0 > 0 } == true)
                    #expect(record.bottleneck > 0 && record.bottleneck <= record.gradientNorm)
                }
            }
            #expect(grown.cost[.grow] > network.cost[.grow])
            network = grown
        }
    }

    @Test(
        "alone, residual widths lower the loss on what was measured",
        arguments: ["tiny-joint", "tiny", "fisher"],
        [Pooling.Function?.none, .max])
    func losses(method: String, pool: Pooling.Function?) throws {
        let network = try ResidualNetworks.twoByTwo(.relu, pool: pool)
        let outcome = try grow(
            network, try plan("method: \(method), neurons: {most: 3}"), others: false, on: same)
        let record = try #require(outcome.records.last)
        #expect(record.width == "stem" && record.neurons == 3, "\(record.note)")
        #expect(record.realizedDecrease > 0.01 * record.lossBefore)
        let grown = try #require(outcome.network)
        #expect(
            abs(loss(grown, dataset.train) + record.realizedDecrease - record.lossBefore)
                < 1e-5 * record.lossBefore)
    }

    @Test(
        "the grown network has the same bits with any number of threads", arguments: ["tiny-joint", "fisher"])
    func threads(method: String) throws {
        let network = try ResidualNetworks.network(.classic)
        let plan = try plan("method: \(method), neurons: {most: 2}")
        #expect(try grow(network, plan, threads: 3) == grow(network, plan))
    }

    @Test("measuring them counts as measuring, on as many samples as the others")
    func samples() throws {
        let network = try ResidualNetworks.network(.classic)
        var plan = try plan("method: tiny, neurons: {most: 2}")
        let all = try grow(network, plan)
        plan.measurement.samples = .count(40)
        let some = try grow(network, plan)
        #expect(zip(all.records, some.records).allSatisfy { $0.bottleneck != $1.bottleneck })
        let costs = try [all, some].map { try #require($0.network).cost[.bottlenecks] }
        #expect(costs[0] > costs[1])
    }

    // MARK: Policies

    /// In the order of the network.
    private func residualRecords(_ settings: String) throws -> [GrowthRecord] {
        let network = try ResidualNetworks.network(.classic)
        return try grow(network, try plan(settings)).records.suffix(3).reversed()
    }

    @Test("numbers, fractions, targets and pairs are reached, and what pays for nothing is left out")
    func policies() throws {
        #expect(
            try residualRecords("method: tiny, neurons: 2, amplitude: 0.001").map(\.neurons) == [2, 2, 2])
        #expect(
            try residualRecords("method: tiny, neurons: {fraction: 0.5}, amplitude: 0.001").map(\.neurons)
                == [2, 3, 2])
        #expect(
            try residualRecords("method: tiny, neurons: 4, signs: pair, amplitude: 0.001").map(\.neurons)
                == [4, 4, 4])
        // Three widths of either kind; of what is missing, half in the first round of two.
        #expect(
            try residualRecords(
                "method: tiny, rounds: 2, neurons: {target: [4, 7, 13, 7, 10, 14]}, amplitude: 0.001"
            ).map(\.neurons) == [2, 2, 1])
        let paying = try residualRecords("method: tiny-joint, neurons: {auto: 4}")
        #expect(paying.allSatisfy { $0.neurons <= 4 })
        #expect(paying.contains { $0.neurons < 4 })
    }

    @Test("thresholds and budgets hold for them too")
    func limits() throws {
        for method in ["tiny", "net2net"] {
            let records = try residualRecords("method: \(method), stop: {bottleneck: 1}")
            #expect(records.allSatisfy { $0.neurons == 0 && $0.note.contains("under 1.0 of the gradient") })
            #expect(records.allSatisfy { $0.gradientNorm > 0 })
        }
        let network = try ResidualNetworks.network(.classic)
        let last = try #require(Width.residual(in: network.architecture).last)
        let one = network.costPerNeuron(.parameters, at: last)
        var plan = try plan(
            "method: tiny, amplitude: 0.001, neurons: {most: 2}, stop: {parameters: \(network.parameterCount + one)}"
        )
        // The last has the whole budget.
        func added() throws -> [Int] {
            try grow(network, plan, others: false).records.map(\.neurons)
        }
        #expect(try added() == [1, 0, 0])
        plan.placement.stop.parameters += one
        #expect(try added() == [2, 0, 0])
    }

    @Test("what cannot be is refused: too many directions, odd pairs, targets that do not fit")
    func refusals() throws {
        func refused(_ settings: String, _ words: String...) {
            #expect {
                try residualRecords(settings)
            } throws: { error in
                words.allSatisfy { "\(error)".contains($0) }
            }
        }
        refused("method: tiny, neurons: {target: [4, 7, 13]}, amplitude: 0.001", "3 widths", "6 can grow")
        refused("method: tiny, neurons: {target: [4, 7, 13, 7, 10, 11]}", "stage3-block1-conv2", "12")
        refused("method: tiny, neurons: {target: [4, 7]}", "2 widths")
        let network = try ResidualNetworks.network(.classic)
        var plan = try plan("method: tiny, neurons: 100, amplitude: 0.001")
        #expect {
            try grow(network, plan, others: false)
        } throws: { "\($0)".contains("100 neurons asked") && "\($0)".contains("stage3-block1-conv2") }
        plan.placement.signs = .pair
        plan.proposal.neurons = .number(3)
        #expect(throws: GrowthError.oddPairs(width: "stage3-block1-conv2", asked: 3)) {
            try grow(network, plan, others: false)
        }
        // Without residual widths, targets are those of the others.
        plan.proposal.residualWidths = false
        plan.proposal.neurons = .target([4, 7, 13, 7, 10, 14])
        #expect { try grow(network, plan) } throws: { "\($0)".contains("6 widths, but 3 can grow") }
    }

    @Test("scaling rules bring them to the size of the weights they join")
    func scaling() throws {
        let network = try ResidualNetworks.twoByTwo(.tanh)
        let grown = try #require(
            try grow(
                network,
                try plan("method: tiny, neurons: {most: 3}, scaling: match-extending-layer, amplitude: 1"),
                others: false
            ).network)
        func spread(_ network: Network, rows: Range<Int>) -> Double {
            let values = ["stem", "back"].flatMap {
                network.inputWeights(of: $0).selecting(rows: rows).values
            }
            return Matrix([values]).standardDeviation
        }
        #expect(abs(spread(grown, rows: 3..<6) / spread(network, rows: 0..<3) - 1) < 1e-5)
    }
}
