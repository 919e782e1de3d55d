import Datasets
import Networks
import Tensors
import Testing
import Training

@testable import Growth

@Suite("Growing a network")
struct GrowNetworkTests {
    private let dataset = SampleDataset.make()

    private func grow(
        _ network: Network, _ change: (inout GrowthPlan) -> Void = { _ in }, round: Int = 1, threads: Int = 1,
        on dataset: Datasets.Dataset? = nil
    ) throws -> (bottlenecks: Bottlenecks, outcome: GrowthOutcome) {
        let dataset = dataset ?? self.dataset
        var plan = GrowthPlan(rounds: 4)
        plan.proposal.neurons = .most(2)
        plan.measurement.samples = .all
        change(&plan)
        let loss = LossParameters()
        let bottlenecks = try computeBottlenecks(
            plan.bottleneckParameters(round: round, loss: loss, seed: 0), dataset: dataset, network: network,
            threads: threads)
        let outcome = try growNetwork(
            plan.growthParameters(round: round, loss: loss, seed: 0), dataset: dataset, network: network,
            bottlenecks: bottlenecks, threads: threads)
        return (bottlenecks, outcome)
    }

    private func outputs(_ network: Network, _ split: Split) throws -> [Float] {
        let arena = ParameterArena(ParameterLayout(network.architecture), network.parameters)
        return try Evaluator(network.architecture, arena, Batches(split, dataset.normalization)).outputs(
            threads: 1)
    }

    private func loss(_ network: Network, _ split: Split) throws -> Double {
        let arena = ParameterArena(ParameterLayout(network.architecture), network.parameters)
        let evaluator = Evaluator(network.architecture, arena, Batches(split, dataset.normalization))
        return try evaluator.sums(LossParameters(), threads: 1).loss / Double(split.count)
    }

    @Test("a round is grown once")
    func repeatedRound() throws {
        let grown = try #require(
            try grow(SampleDataset.network(.relu, dataset: dataset)).outcome.network)
        #expect(throws: GrowthError.roundRepeated(1)) { try grow(grown) }
        #expect(throws: Never.self) { try grow(grown, round: 2) }
    }

    @Test("target widths are one for all sites, or one for each")
    func targetCount() throws {
        let network = try SampleDataset.network(.relu, dataset: dataset)
        #expect(throws: GrowthError.targetCount(found: 3, sites: ["hidden1", "hidden2"])) {
            try grow(network) { $0.proposal.neurons = .target([9, 9, 9]) }
        }
        for widths in [[9], [9, 9]] {
            #expect(throws: Never.self) { try grow(network) { $0.proposal.neurons = .target(widths) } }
        }
    }

    @Test("pairs of signs come in even numbers")
    func oddPairs() throws {
        let network = try SampleDataset.network(.relu, dataset: dataset)
        #expect(throws: GrowthError.oddPairs(site: "hidden1", asked: 3)) {
            try grow(network) {
                $0.proposal.neurons = .number(3)
                $0.placement.signs = .pair
            }
        }
    }

    @Test("neurons that GradMax adds to a ReLU network learn")
    func gradMaxLearns() throws {
        let method = try #require(GrowthMethodName(rawValue: "gradmax"))
        let network = try SampleDataset.network(.relu, dataset: dataset)
        let grown = try #require(try grow(network) { $0.proposal.method = method }.outcome.network)
        let tuned = try #require(
            try fineTune(
                TuneParameters(training: TrainingParameters(epochs: 1), loss: LossParameters(), seed: 0),
                dataset: dataset, network: grown))
        let before = try #require(grown.parameters["hidden1/weight"])
        let after = try #require(tuned.parameters["hidden1/weight"])
        let added = 5 * before.shape[1]..<before.count
        #expect(before.values[added].allSatisfy { $0 == 0 })
        #expect(after.values[added].contains { $0 != 0 })
    }

    @Test("a stop for lack of gain lasts, although rounds that add nothing have no epochs")
    func lastingStop() throws {
        var network = try SampleDataset.network(.relu, dataset: dataset)
        for (round, loss) in [(0, 1.0), (1, 0.999)] {
            network.history.epochs.append(
                History.Epoch(
                    round: round, loss: loss, accuracy: 0, validationLoss: loss, validationAccuracy: 0,
                    rate: 0.1))
        }
        for round in [2, 3, 4] {
            let outcome = try grow(network, { $0.placement.stop.gain = 0.1 }, round: round).outcome
            #expect(outcome.network == nil)
            #expect(outcome.records.allSatisfy { $0.note.contains("validation loss") })
        }
    }

    @Test(
        "every method widens every site, and what was recorded is what happened to the validation loss",
        arguments: GrowthMethodName.allCases, [Activation.Function.relu, .selu, .tanh, .gelu, .identity])
    func everyMethod(method: GrowthMethodName, activation: Activation.Function) throws {
        let network = try SampleDataset.network(activation, dataset: dataset)
        let outcome = try grow(network) { $0.proposal.method = method }.outcome
        #expect(outcome.records.map(\.site) == ["hidden1", "hidden2"])
        guard let grown = outcome.network else {
            return #expect(outcome.records.allSatisfy { $0.neurons == 0 && !$0.note.isEmpty })
        }
        try grown.validate(source: "test")
        let added = outcome.records.map(\.neurons)
        #expect(GrowthSite.all(in: grown.architecture).map(\.width) == [5 + added[0], 4 + added[1]])
        #expect(grown.growth == outcome.records)
        let realised = outcome.records.reduce(0) { $0 + $1.realizedDecrease }
        let measured = try loss(network, dataset.validation) - loss(grown, dataset.validation)
        #expect(abs(realised - measured) < 1e-5)
        if method.method.placement == .searched {
            for record in outcome.records where record.neurons > 0 { #expect(record.realizedDecrease > 0) }
        }
        #expect(grown.cost[.bottlenecks] > 0 && grown.cost[.grow] > 0)
    }

    @Test(
        "function-preserving methods keep the outputs to 1e-5",
        arguments: ["gradmax", "random-zero-out", "net2net"])
    func functionIsKept(name: String) throws {
        for activation in [Activation.Function.relu, .selu, .tanh] {
            let network = try SampleDataset.network(activation, dataset: dataset)
            let method = try #require(GrowthMethodName(rawValue: name))
            let grown = try #require(
                try grow(network) {
                    $0.proposal.method = method
                    $0.proposal.neurons = .most(3)
                }.outcome.network)
            let (before, after) = (
                try outputs(network, dataset.validation), try outputs(grown, dataset.validation)
            )
            let scale = before.map(abs).max() ?? 0
            #expect(zip(before, after).allSatisfy { abs($0 - $1) <= 1e-5 * scale })
        }
    }

    @Test("new neurons stand last, old weights and optimiser state stay, new state is zero")
    func grafting() throws {
        var network = try SampleDataset.network(.selu, dataset: dataset)
        for (name, tensor) in network.parameters {
            network.optimizerState["\(name)/momentum"] = Tensor(repeating: 2, shape: tensor.shape)
        }
        let site = GrowthSite.all(in: network.architecture)[1]
        let fanIn = Matrix([[1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12]])
        let fanOut = Matrix([[1, 2], [3, 4], [5, 6]])
        let update = Matrix(rows: 3, columns: 5, repeating: 0.5)
        let grown = try network.grafting(
            Extension(neurons: NewNeurons(fanIn: fanIn, fanOut: fanOut), update: update), at: site)
        let (producer, consumer) = (site.producerWeights(of: network), site.consumerWeights(of: network))
        #expect(site.producerWeights(of: grown) == producer.appending(rows: fanIn))
        let moved = site.consumerWeights(of: grown)
        #expect(moved.selecting(columns: [4, 5]) == fanOut)
        #expect(agrees(moved.selecting(columns: [0, 1, 2, 3, 6]), consumer + update, to: 1e-6))
        let momentum = try #require(grown.optimizerState["output/weight/momentum"])
        #expect(momentum.shape == [3, 6])
        #expect(momentum.values == (0..<3).flatMap { _ in [2, 2, 2, 2, 0, 0] as [Float] })
        #expect(grown.optimizerState["hidden2/bias/momentum"]?.values == [2, 2, 2, 2, 0, 0])
        #expect(
            grown.optimizerState["hidden1/weight/momentum"]
                == network.optimizerState["hidden1/weight/momentum"])
        #expect(grown.parameters["hidden1/weight"] == network.parameters["hidden1/weight"])
    }

    @Test(
        "the predicted decrease is the slope of the loss",
        arguments: [("tiny-joint", false), ("tiny-joint", true), ("tiny", false), ("fisher", false)])
    func prediction(name: String, refit: Bool) throws {
        // Measured and tried on the same samples, at an amplitude so small that the loss is a line.
        let same = Datasets.Dataset(
            identity: dataset.identity, classes: dataset.classes, train: dataset.train,
            validation: dataset.train,
            test: dataset.test)
        for activation in [Activation.Function.tanh, .relu, .selu, .gelu] {
            let network = try SampleDataset.network(activation, dataset: same)
            let method = try #require(GrowthMethodName(rawValue: name))
            let outcome = try grow(
                network,
                {
                    $0.proposal.method = method
                    $0.proposal.sites = .each
                    // Neurons that are preconditioned by the gradient are larger by its inverse.
                    $0.placement.amplitude = .fixed(name == "fisher" ? 2e-5 : 1e-3)
                    $0.placement.refit = refit
                }, on: same
            ).outcome
            let record = try #require(outcome.records.first)
            #expect(record.neurons > 0)
            let predicted = try #require(record.predictedDecrease)
            let relative = abs(record.realizedDecrease / predicted - 1)
            #expect(relative < 0.08, "\(activation) \(predicted) \(record.realizedDecrease)")
        }
    }

    @Test(
        "an extension measured before other sites grew gets zeros for what it did not know, the bias stays last"
    )
    func fitting() throws {
        let network = try SampleDataset.network(.selu, dataset: dataset)
        let sites = GrowthSite.all(in: network.architecture)
        let first = Extension(
            neurons: NewNeurons(
                fanIn: Matrix(rows: 2, columns: 17, repeating: 1), fanOut: Matrix(rows: 4, columns: 2)),
            update: nil)
        let grown = try network.grafting(first, at: sites[0])
        let second = Extension(
            neurons: NewNeurons(fanIn: Matrix([[1, 2, 3, 4, 5, 6]]), fanOut: Matrix([[1], [2], [3]])),
            update: nil)
        let fitted = second.fitted(to: GrowthSite.all(in: grown.architecture)[1], of: grown)
        #expect(fitted.neurons.fanIn == Matrix([[1, 2, 3, 4, 5, 0, 0, 6]]))
        #expect(fitted.neurons.fanOut == second.neurons.fanOut)
        // A consumer that has grown itself gets zero rows.
        let both = try grown.grafting(fitted, at: GrowthSite.all(in: grown.architecture)[1])
        let late = Extension(
            neurons: NewNeurons(
                fanIn: Matrix(rows: 1, columns: 17, repeating: 1), fanOut: Matrix([[1], [2], [3], [4]])),
            update: Matrix(rows: 4, columns: 8, repeating: 1))
        let padded = late.fitted(to: GrowthSite.all(in: both.architecture)[0], of: both)
        #expect(padded.neurons.fanOut == Matrix([[1], [2], [3], [4], [0]]))
        #expect(padded.update?.row(4) == Array(repeating: 0, count: 8))
    }

    @Test("the grown network has the same bits with any number of threads", arguments: [2, 3])
    func threads(count: Int) throws {
        let network = try SampleDataset.network(.selu, dataset: dataset)
        let one = try grow(network).outcome
        #expect(try grow(network, threads: count).outcome == one)
    }

    @Test("more neurons than directions are an error that says how many there are and what to do")
    func tooMany() throws {
        let network = try SampleDataset.network(.selu, dataset: dataset)
        #expect {
            try grow(network) { $0.proposal.neurons = .number(40) }
        } throws: { error in
            guard case GrowthError.notEnoughDirections("hidden1", "tiny-joint", 40, let available) = error
            else {
                return false
            }
            return available <= 5 && "\(error)".contains("ask for neurons: \(available) or fewer")
        }
        #expect(try grow(network) { $0.proposal.neurons = .most(40) }.outcome.network != nil)
    }

    @Test("sites: best grows one site, each grows one in turn")
    func sites() throws {
        let network = try SampleDataset.network(.selu, dataset: dataset)
        #expect(try grow(network) { $0.proposal.sites = .best }.outcome.records.count == 1)
        let each = try grow(network, { $0.proposal.sites = .each }, round: 2).outcome
        #expect(each.records.map(\.site) == ["hidden2"])
    }

    @Test("a target is reached, a fraction follows the width")
    func widths() throws {
        let network = try SampleDataset.network(.selu, dataset: dataset)
        let target = try grow(
            network,
            {
                $0.proposal.method = GrowthMethodName(rawValue: "net2net") ?? .tinyJoint
                $0.proposal.neurons = .target([9, 11])
            }, round: 4)
        #expect(
            GrowthSite.all(in: try #require(target.outcome.network).architecture).map(\.width) == [9, 11])
        let fraction = try grow(network) {
            $0.proposal.method = GrowthMethodName(rawValue: "random") ?? .tinyJoint
            $0.proposal.neurons = .fraction(0.5)
        }
        #expect(fraction.outcome.records.map(\.neurons) == [3, 2])
    }

    @Test("pairs add two neurons per direction where the activation has a kink")
    func pairs() throws {
        for (activation, expected) in [(Activation.Function.relu, 4), (.tanh, 2)] {
            let network = try SampleDataset.network(activation, dataset: dataset)
            let outcome = try grow(network) {
                $0.proposal.neurons = .most(expected)
                $0.placement.signs = .pair
                $0.placement.amplitude = .fixed(1)
            }.outcome
            #expect(outcome.records[0].neurons == expected)
        }
    }

    @Test("stop rules leave the network alone and say why")
    func stops() throws {
        let network = try SampleDataset.network(.selu, dataset: dataset)
        let bottleneck = try grow(network) { $0.placement.stop.bottleneck = 1 }.outcome
        #expect(bottleneck.network == nil)
        #expect(bottleneck.records.allSatisfy { $0.note.contains("bottleneck") })
        let parameters = try grow(network) { $0.placement.stop.parameters = network.parameterCount }.outcome
        #expect(parameters.network == nil)
        var spent = network
        spent.cost[.seed] = 100
        #expect(try grow(spent) { $0.placement.stop.flops = 100 }.outcome.network == nil)
        #expect(try grow(spent) { $0.placement.stop.flops = 101 }.outcome.network != nil)

        func epoch(_ round: Int, _ loss: Double) -> History.Epoch {
            .init(round: round, loss: 1, accuracy: 0, validationLoss: loss, validationAccuracy: 0, rate: 1)
        }
        var trained = network
        trained.history.epochs = [epoch(0, 1), epoch(1, 0.995)]
        let gain = try grow(trained, { $0.placement.stop.gain = 0.01 }, round: 2).outcome
        #expect(gain.network == nil && gain.records[0].note.contains("last round"))
        #expect(try grow(trained, { $0.placement.stop.gain = 0.001 }, round: 2).outcome.network != nil)
    }

    @Test("a budget of parameters cuts the number of neurons")
    func budget() throws {
        let network = try SampleDataset.network(.selu, dataset: dataset)
        // A neuron of hidden1 adds 17 weights in and 4 out.
        let outcome = try grow(network) { $0.placement.stop.parameters = network.parameterCount + 21 }.outcome
        #expect(outcome.records.map(\.neurons) == [1, 0])
    }

    @Test(
        "auto keeps the neurons that pay for themselves: above twice their error and, per parameter, above the update"
    )
    func auto() throws {
        let network = try SampleDataset.network(.selu, dataset: dataset)
        func added(_ change: (inout CandidateEffects) -> Void) throws -> Int {
            var plan = GrowthPlan()
            plan.proposal.neurons = .auto(most: 4)
            plan.proposal.sites = .each
            plan.placement.amplitude = .fixed(1)
            var found = try computeBottlenecks(
                plan.bottleneckParameters(round: 1, loss: LossParameters(), seed: 0), dataset: dataset,
                network: network)
            found.sites[0].bestUpdateDecrease = 0.24
            found.sites[0].effects.map { effects in
                var effects = effects
                change(&effects)
                found.sites[0].effects = effects
            }
            return try growNetwork(
                plan.growthParameters(round: 1, loss: LossParameters(), seed: 0), dataset: dataset,
                network: network,
                bottlenecks: found
            ).records[0].neurons
        }
        // The consumer of hidden1 has 24 weights: the update gives 0.01 for each; a neuron has 21, and must give 0.21.
        let gains = NeuronGains(plus: [0.5, 0.4, 0.22, 0.2], minus: [0, 0, 0, 0], linear: [0, 0, 0, 0])
        #expect(try added { ($0.gains, $0.plusErrors) = (gains, [0, 0, 0, 0]) } == 3)
        #expect(try added { ($0.gains, $0.plusErrors) = (gains, [0.24, 0.21, 0, 0]) } == 2)
        #expect(try added { ($0.gains, $0.plusErrors) = (gains, [1, 1, 1, 1]) } == 0)
    }

    @Test("bottlenecks of another network are refused")
    func otherNetwork() throws {
        let network = try SampleDataset.network(.selu, dataset: dataset)
        let bottlenecks = try grow(network).bottlenecks
        let other = try SampleDataset.network(.selu, widths: [6, 7], dataset: dataset)
        #expect(
            throws: GrowthError.otherNetwork(
                site: "hidden1", found: "hidden2 [4, 6]", expected: "hidden2 [7, 7]")
        ) {
            try growNetwork(GrowthParameters(), dataset: dataset, network: other, bottlenecks: bottlenecks)
        }
    }

    @Test("bottlenecks of another method are refused")
    func otherMethod() throws {
        let network = try SampleDataset.network(.selu, dataset: dataset)
        let bottlenecks = try grow(network).bottlenecks
        var parameters = GrowthParameters()
        parameters.proposal.method = try #require(GrowthMethodName(rawValue: "tiny"))
        #expect(throws: GrowthError.otherMethod(found: "tiny-joint", expected: "tiny")) {
            try growNetwork(parameters, dataset: dataset, network: network, bottlenecks: bottlenecks)
        }
    }

    @Test("scaling rules give neurons the spread of the weights they join")
    func scaling() throws {
        let network = try SampleDataset.network(.tanh, dataset: dataset)
        let grown = try #require(
            try grow(network) {
                $0.proposal.sites = .each
                $0.placement.scaling = .matchExtendingLayer
                $0.placement.amplitude = .fixed(1)
            }.outcome.network)
        let site = GrowthSite.all(in: network.architecture)[0]
        let added = site.producerWeights(of: grown).selecting(rows: [5, 6]).selecting(columns: 0..<16)
        let existing = site.producerWeights(of: network).selecting(columns: 0..<16)
        #expect(agrees(added.standardDeviation, existing.standardDeviation, to: 1e-5))
    }

    @Test("a network without a validation split grows on its training samples")
    func noValidation() throws {
        let bare = Datasets.Dataset(
            identity: dataset.identity, classes: dataset.classes, train: dataset.train,
            validation: .empty(dataset.shape), test: dataset.test)
        let network = try SampleDataset.network(.selu, dataset: bare)
        #expect(try grow(network, on: bare).outcome.network != nil)
    }
}
