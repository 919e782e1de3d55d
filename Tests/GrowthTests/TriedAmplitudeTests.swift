import Parameters
import Datasets
import GrowthMath
import Networks
import Tensors
import Testing
@testable import Training

@testable import Growth

@Suite("How far neurons and update are put in")
struct TriedAmplitudeTests: GrowsNetworks {
    let dataset = SampleDataset.make()

    /// Measured and tried on the same samples.
    private var same: Datasets.Dataset {
        Datasets.Dataset(
            identity: dataset.identity, classes: dataset.classes, train: dataset.train,
            validation: dataset.train, test: dataset.test)
    }

    /// What was found for a width, with another update of the consumer.
    private func spoilt(_ bottlenecks: Bottlenecks, by factor: Double) -> Bottlenecks {
        var result = bottlenecks
        for index in result.widths.indices {
            result.widths[index].only.bestUpdate = factor * result.widths[index].only.bestUpdate
            result.widths[index].only.proposal.update = result.widths[index].proposal.update.map {
                factor * $0
            }
        }
        return result
    }

    @Test(
        "where the update spoils the ray, the neurons are put in alone and the record says so",
        arguments: ["tiny-joint", "tiny"])
    func alone(name: String) throws {
        let network = try SampleDataset.network(.selu, dataset: same)
        let method = try #require(MethodParameters(name))
        let change: (inout GrowthPlan) -> Void = {
            $0.proposal.method = method
            $0.proposal.widths = .each
        }
        let measured = try grow(network, change, on: same)
        #expect(measured.outcome.records.allSatisfy { $0.neurons > 0 && $0.note.isEmpty })
        var plan = GrowthPlan(rounds: 4)
        plan.proposal.neurons = .most(2)
        change(&plan)
        let outcome = try growNetwork(
            plan.growthParameters(round: 1, loss: LossParameters(), seed: 0), dataset: same, network: network,
            bottlenecks: spoilt(measured.bottlenecks, by: -100))
        let record = try #require(outcome.records.first)
        #expect(record.neurons == 2 && record.amplitude > 0 && record.realizedDecrease > 0)
        #expect(record.note.contains("without the consumer's update"))
        let grown = try #require(outcome.network)
        #expect(abs(try loss(network, same.train) - loss(grown, same.train) - record.realizedDecrease) < 1e-5)

        // Predicted is what the neurons do alone: the slope of the loss without the update.
        let predicted = try #require(record.predictedDecrease) / record.amplitude
        let site = try #require(Width.plain(in: network.architecture).first)
        let choice = try NeuronChoice(
            spoilt(measured.bottlenecks, by: -100).widths[0], at: site,
            price: 1, parameters: plan.growthParameters(round: 1, loss: LossParameters(), seed: 0),
            requested: 2,
            most: .max, rankThreshold: measured.bottlenecks.rankThreshold)
        let samples = CarriedSamples(
            same.train, same.normalization, for: network.architecture, threads: 1)
        let trial = try GrowthTrial(
            choice.extensions, at: site, of: network, over: samples, loss: LossParameters())
        let slope = try (trial.loss(at: 0) - trial.loss(at: 1e-3, update: 0)) / 1e-3
        #expect(abs(slope / predicted - 1) < 0.1)
    }

    @Test("amplitudes of neurons and update count apart in what is predicted")
    func prediction() throws {
        let network = try SampleDataset.network(.tanh, dataset: same)
        let bottlenecks = try grow(network, on: same).bottlenecks
        let site = Width.plain(in: network.architecture)[0]
        let choice = try NeuronChoice(
            bottlenecks.widths[0], at: site, price: 1, parameters: GrowthParameters(), requested: 2,
            most: .max, rankThreshold: bottlenecks.rankThreshold)
        let samples = CarriedSamples(
            same.train, same.normalization, for: network.architecture, threads: 1)
        let trial = try GrowthTrial(
            choice.extensions, at: site, of: network, over: samples, loss: LossParameters())
        for (neurons, update) in [(1e-3, 0), (0, 1e-3), (1e-3, 3e-3)] {
            let found = try trial.loss(at: 0) - trial.loss(at: neurons, update: update)
            #expect(abs(found / choice.decrease(at: neurons, update: update) - 1) < 0.08)
        }
    }
}
