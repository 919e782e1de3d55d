import Parameters
import Tensors
import Testing

@testable import Networks

@Suite("What convolutions begin with")
struct InitializationTests {
    private func network(_ family: any NetworkFamily, _ sample: [Int] = [3, 8, 8]) throws -> Network {
        try Network(initializing: family.architecture(sample: sample, outputs: 10), seed: 3)
    }

    @Test("dirac passes on as many channels as there are, and leaves the other outputs as they are drawn")
    func dirac() throws {
        let family = VGG(stages: [[8, 4]])
        var passing = family
        passing.initialization = .dirac
        let (drawn, found) = (try network(family), try network(passing))
        for (name, inputs, passed) in [("stage1-conv1/weight", 3, 3), ("stage1-conv2/weight", 8, 4)] {
            let normal = try #require(drawn.parameters[name]), dirac = try #require(found.parameters[name])
            #expect(normal.shape[1] == inputs)
            for (index, value) in dirac.values.enumerated() {
                let (channel, place) = index.quotientAndRemainder(dividingBy: 9 * inputs)
                // The middle of the kernel from the channel's own input.
                let identity: Float = place == 9 * channel + 4 ? 1 : 0
                #expect(value == (channel < passed ? identity : normal.values[index]), "\(name)[\(index)]")
            }
        }
        #expect(found.parameters["output/weight"] == drawn.parameters["output/weight"])
    }

    @Test(
        "every convolution of a residual network does, and a network that is trained anew from its graph",
        arguments: [
            ResNet(depth: 8, inner: .widths([0, 3, 40]), stem: .large, initialization: .dirac),
            ResNet(depth: 8, order: .preActivation, initialization: .dirac),
        ])
    func residual(family: ResNet) throws {
        let first = try network(family)
        let weights = first.parameters.filter { $1.shape.count == 4 && $1.count > 0 }
        #expect(weights.count > 4)
        for (name, tensor) in weights {
            #expect(tensor.values.prefix(tensor.count / tensor.shape[0]).count { $0 != 0 } == 1, "\(name)")
        }
        let again = try Architecture(tree: first.architecture.tree, file: "x")
        #expect(try Network(initializing: again, seed: 3).parameters == first.parameters)
    }

    @Test("graphs whose convolutions are drawn say nothing about it")
    func unwritten() throws {
        let normal = try network(VGG(stages: [[2]])).architecture
        let dirac = try network(VGG(stages: [[2]], initialization: .dirac)).architecture
        #expect(!normal.tree.canonicalJSON.contains("initialization"))
        #expect(dirac.tree.canonicalJSON.contains(#""initialization":"dirac""#))
        #expect(dirac != normal)
    }
}
