import Parameters
import Datasets
import GrowthMath
import Networks
import Tensors
import Testing
@testable import Training

@testable import Growth

@Suite("Where networks grow, by how much, and when they stop")
struct GrowthPolicyTests: GrowsNetworks {
    let dataset = SampleDataset.make()

    @Test("a round is grown once")
    func repeatedRound() throws {
        let grown = try #require(
            try grow(SampleDataset.network(.relu, dataset: dataset)).outcome.network)
        #expect(throws: GrowthError.roundRepeated(1)) { try grow(grown) }
        #expect(throws: Never.self) { try grow(grown, round: 2) }
    }

    @Test("target widths are one for all widths, or one for each")
    func targetCount() throws {
        let network = try SampleDataset.network(.relu, dataset: dataset)
        #expect(throws: GrowthError.targetCount(found: 3, widths: ["hidden1", "hidden2"])) {
            try grow(network) { $0.proposal.neurons = .target([9, 9, 9]) }
        }
        for widths in [[9], [9, 9]] {
            #expect(throws: Never.self) { try grow(network) { $0.proposal.neurons = .target(widths) } }
        }
    }

    @Test("pairs of signs come in even numbers")
    func oddPairs() throws {
        let network = try SampleDataset.network(.relu, dataset: dataset)
        #expect(throws: GrowthError.oddPairs(width: "hidden2", asked: 3)) {
            try grow(network) {
                $0.proposal.neurons = .number(3)
                $0.placement.signs = .pair
            }
        }
    }

    @Test(
        "a plateau trigger waits while the training loss falls fast", arguments: [(0.7, false), (0.97, true)])
    func plateau(loss: Double, grows: Bool) throws {
        var network = try SampleDataset.network(.relu, dataset: dataset)
        for loss in [1, loss] {
            network.history.epochs.append(
                History.Epoch(
                    round: 0, loss: loss, accuracy: 0, validationLoss: nil, validationAccuracy: nil,
                    rate: 0.1,
                    parameters: network.parameterCount, flops: 0))
        }
        let outcome = try grow(network) { $0.placement.when.trigger = Plateau() }.outcome
        #expect((outcome.network != nil) == grows)
        #expect(grows || outcome.records.allSatisfy { $0.note.contains("training loss") })
    }

    @Test("a stop for lack of gain lasts, although rounds that add nothing have no epochs")
    func lastingStop() throws {
        var network = try SampleDataset.network(.relu, dataset: dataset)
        for (round, loss) in [(0, 1.0), (1, 0.999)] {
            network.history.epochs.append(
                History.Epoch(
                    round: round, loss: loss, accuracy: 0, validationLoss: loss, validationAccuracy: 0,
                    rate: 0.1, parameters: network.parameterCount, flops: 0))
        }
        for round in [2, 3, 4] {
            let outcome = try grow(network, { $0.placement.stop.gain = 0.1 }, round: round).outcome
            #expect(outcome.network == nil)
            #expect(outcome.records.allSatisfy { $0.note.contains("validation loss") })
        }
    }

    @Test("more neurons than directions are an error that says how many there are and what to do")
    func tooMany() throws {
        let network = try SampleDataset.network(.selu, dataset: dataset)
        #expect {
            try grow(network) { $0.proposal.neurons = .number(40) }
        } throws: { error in
            guard case GrowthError.notEnoughDirections("hidden2", "tiny-joint", 40, let available) = error
            else {
                return false
            }
            return available <= 5 && "\(error)".contains("ask for neurons: \(available) or fewer")
        }
        #expect(try grow(network) { $0.proposal.neurons = .most(40) }.outcome.network != nil)
    }

    @Test("widths: best grows one width, each grows one in turn")
    func sites() throws {
        let network = try SampleDataset.network(.selu, dataset: dataset)
        #expect(try grow(network) { $0.proposal.widths = .best }.outcome.records.count == 1)
        let each = try grow(network, { $0.proposal.widths = .each }, round: 2).outcome
        #expect(each.records.map(\.width) == ["hidden2"])
    }

    @Test("a target is reached, a fraction follows the width")
    func widths() throws {
        let network = try SampleDataset.network(.selu, dataset: dataset)
        let target = try grow(
            network,
            {
                $0.proposal.method = MethodParameters("net2net") ?? MethodParameters()
                $0.proposal.neurons = .target([9, 11])
            }, round: 4)
        #expect(
            Width.plain(in: try #require(target.outcome.network).architecture).map(\.count) == [9, 11])
        let fraction = try grow(network) {
            $0.proposal.method = MethodParameters("random") ?? MethodParameters()
            $0.proposal.neurons = .fraction(0.5)
        }
        #expect(fraction.outcome.records.map(\.neurons) == [2, 3])
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
            .init(
                round: round, loss: 1, accuracy: 0, validationLoss: loss, validationAccuracy: 0, rate: 1,
                parameters: 1, flops: 0)
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
        // A neuron of hidden2 adds 6 weights in and 3 out; one of hidden1 17 in and 6 out, once hidden2 has two more.
        let room = 2 * 9 + 23
        let outcome = try grow(network) {
            $0.placement.stop.parameters = network.parameterCount + room
            $0.placement.amplitude = .fixed(1)
        }.outcome
        #expect(outcome.records.map(\.neurons) == [2, 1])
    }

    @Test(
        "auto keeps the neurons that pay for themselves: above twice their error and, per parameter, above the update"
    )
    func auto() throws {
        let network = try SampleDataset.network(.selu, dataset: dataset)
        func added(_ change: (inout MeasuredGains) -> Void) throws -> Int {
            var plan = GrowthPlan()
            plan.proposal.neurons = .auto(most: 4)
            plan.proposal.widths = .each
            plan.placement.amplitude = .fixed(1)
            var found = try computeBottlenecks(
                plan.bottleneckParameters(round: 1, loss: LossParameters(), seed: 0), dataset: dataset,
                network: network)
            found.widths[0].only.bestUpdateDecrease = 0.24
            found.widths[0].gains.map { gains in
                var gains = gains
                change(&gains)
                found.widths[0].gains = gains
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
                width: "hidden1", found: "hidden2 [4, 6]", expected: "hidden2 [7, 7]")
        ) {
            try growNetwork(GrowthParameters(), dataset: dataset, network: other, bottlenecks: bottlenecks)
        }
    }

    @Test("bottlenecks of another method are refused")
    func otherMethod() throws {
        let network = try SampleDataset.network(.selu, dataset: dataset)
        let bottlenecks = try grow(network).bottlenecks
        var parameters = GrowthParameters()
        parameters.proposal.method = try #require(MethodParameters("tiny"))
        #expect(
            throws: GrowthError.otherMethod(
                found: MethodParameters().tree.canonicalJSON,
                expected: #"{"kind":"tiny","projected":true,"size":"root","taps":"full"}"#)
        ) {
            try growNetwork(parameters, dataset: dataset, network: network, bottlenecks: bottlenecks)
        }
    }
}
