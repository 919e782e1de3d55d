import Parameters
import Correlations
import GrowthMath
import GrowthReference
import Tensors
import Testing

@testable import Growth

@Suite("Methods that need no gradient, and what all methods have in common")
struct MethodTests {
    private func oracle(_ name: String = "mlp_selu_ce", _ layer: Int = 1) throws -> Oracle {
        try OracleCase(name: name, layer: layer).open()
    }

    @Test(
        "methods that say so keep the function, with any leading part of their neurons",
        arguments: [GradMax() as any GrowthMethod, RandomZeroOut(), Net2Net()], [0, 1, 3])
    func functionIsKept(method: any GrowthMethod, count: Int) throws {
        for name in ["mlp_selu_ce", "mlp_relu_mse", "mlp_tanh_ce_nobias"] {
            let oracle = try oracle(name)
            let found = try method.propose(for: oracle.problem(largest: 1), limit: 3)
            let chosen = found.neurons.selecting(0..<count)
            let grown = oracle.network.grown(
                oracle.layer, chosen, update: found.consumerUpdate(with: chosen), amplitude: 1)
            #expect(method.placement == .asProposed)
            #expect(agrees(grown.output(oracle.samples), try oracle.shared("output"), to: 1e-12))
        }
    }

    @Test("net2net copies every neuron once before any twice, and gives twins different fan-outs")
    func net2net() throws {
        let oracle = try oracle()
        let width = oracle.network.layers[0].weights.rows
        let found = try Net2Net().propose(for: oracle.problem(largest: 1), limit: 2 * width + 1)
        let picks = try #require(found.neurons.compensation)
        let originals = (0..<picks.rows).compactMap { row in picks.row(row).firstIndex(of: 1) }
        #expect(Set(originals.prefix(width)) == Set(0..<width))
        #expect(Set(originals.dropFirst(width).prefix(width)) == Set(0..<width))
        for (copy, original) in originals.enumerated() {
            #expect(found.neurons.fanIn.row(copy) == oracle.network.layers[0].extended.row(original))
        }
        let chosen = found.neurons.selecting([0])
        let update = try #require(found.consumerUpdate(with: chosen))
        let left = (oracle.network.layers[1].extended + update).column(originals[0])
        #expect(left != chosen.fanOut.column(0))
    }

    @Test("random neurons have the existing fan-out norm and fan-ins of Kaiming's variance, biases 0")
    func random() throws {
        let problem = try oracle().problem(largest: 1)
        let found = try Random().propose(for: problem, limit: 2000)
        for norm in found.neurons.fanOut.columnNorms {
            #expect(agrees(norm, problem.meanFanOutNorm(for: 2000)))
        }
        let inputs = found.neurons.fanIn.columns - 1
        #expect(found.neurons.fanIn.column(inputs) == Array(repeating: 0, count: 2000))
        let variance = found.neurons.fanIn.squaredNorm / Double(2000 * inputs)
        #expect(abs(variance * Double(inputs) - 1) < 0.05)
        #expect(try Random().propose(for: problem, limit: 2000) == found)
        var other = problem
        other.random = Philox(seed: 1, purpose: .growth)
        #expect(try Random().propose(for: other, limit: 2000) != found)
    }

    @Test(
        "no method proposes more than the limit, and all but random ones at most the rank",
        arguments: MethodParameters.all)
    func limits(name: MethodParameters) throws {
        let problem = try oracle("mlp_relu_ce", 2).problem(largest: 1)
        for limit in [0, 1, 2, 5, 40] {
            let found = try name.method.propose(for: problem, limit: limit)
            #expect(found.neurons.count <= limit)
            #expect(found.neurons.fanIn.columns == problem.producerWeights.columns)
            #expect(found.neurons.fanOut.rows == problem.consumerWeights.rows)
            if !found.singularValues.isEmpty {
                #expect(found.neurons.count <= 3)
                #expect(found.singularValues.count == found.neurons.count)
            }
        }
    }

    @Test("a method that misses a statistic says which", arguments: MethodParameters.all)
    func missingStatistics(name: MethodParameters) throws {
        var problem = try oracle().problem(largest: 1)
        problem.statistics.inputCovariance = nil
        problem.statistics.inputMoment = nil
        problem.statistics.crossCovariance = nil
        if name.method.needs.isEmpty {
            #expect(try name.method.propose(for: problem, limit: 2).neurons.count == 2)
        } else {
            let method = name.kind
            #expect {
                try name.method.propose(for: problem, limit: 2)
            } throws: { error in
                if case GrowthError.missingStatistic(_, method: method) = error { true } else { false }
            }
        }
    }

    @Test("methods are found by their names, and only by those")
    func names() {
        #expect(
            MethodParameters.methods.names == [
                "tiny-joint", "tiny", "gradmax", "random", "random-zero-out", "fisher", "net2net", "north",
                "variance-transfer", "firefly",
            ])
        #expect(MethodParameters("tiny-joint") == MethodParameters())
        #expect(MethodParameters("tinny") == nil)
    }

    @Test("amplitude γ puts √γ on both sides of a neuron")
    func amplitude() throws {
        let found = try Tiny().propose(for: oracle().problem(largest: 1), limit: 2).neurons
        #expect(agrees(found.scaled(by: 0.25).product, 0.25 * found.product))
        #expect(agrees(found.scaled(by: 0.25).fanIn, 0.5 * found.fanIn))
    }

    @Test("a ridge keeps weights small; a tiny one changes nothing")
    func ridge() throws {
        let problem = try oracle("mlp_tanh_mse", 1).problem(largest: 1)
        let without = try TinyJoint(ridge: 0).propose(for: problem, limit: 2)
        #expect(
            agrees(
                try TinyJoint(ridge: 1e-12).propose(for: problem, limit: 2).neurons.product,
                without.neurons.product))
        let some = try TinyJoint(ridge: 0.1).propose(for: problem, limit: 2)
        let much = try TinyJoint(ridge: 10).propose(for: problem, limit: 2)
        #expect(some.neurons.product.squaredNorm < without.neurons.product.squaredNorm)
        #expect(much.neurons.product.squaredNorm < 0.1 * some.neurons.product.squaredNorm)
        #expect(some.singularValues[0] < without.singularValues[0])
    }
}
