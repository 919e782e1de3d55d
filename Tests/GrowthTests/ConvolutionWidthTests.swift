import Parameters
import GrowthMath
import Correlations
import Datasets
import Networks
import Tensors
import Testing
@testable import Training

@testable import Growth

@Suite("Widths of convolutional networks")
struct ConvolutionSiteTests {
    typealias Node = Architecture.Node

    @Test("every way to read a convolution makes a width", arguments: SampleNetworks.Kind.allCases)
    func found(kind: SampleNetworks.Kind) throws {
        let architecture = try SampleNetworks.architecture(kind)
        let sites = Width.plain(in: architecture)
        let site = try #require(sites.first { $0.name == "first" })
        #expect(site.consumer == "second" && site.count == 3)
        #expect(site.between == kind.between.indices.map { "between\($0)" })
        #expect(site.isFlattened == [.flattened, .flattenedNormalized].contains(kind))
        let second = try #require(
            ParameterLayout(architecture).entries.first { $0.name == "second/weight" })
        #expect(site.geometry.hiddenInputs == second.count / second.specification.shape[0] + 1)
        let output = try #require(architecture.shape(of: "second"))
        #expect(site.geometry.outputCount == output.reduce(1, *))
        let input = try #require(architecture.shape(of: site.routes[0].reading.hidden))
        #expect(site.geometry.hiddenCount == input.reduce(1, *))
        // What a shortcut reads too has two readers.
        #expect(sites.map(\.name).contains("stem") == (kind != .residual))
        #expect(site.geometry(.restricted).taps == (site.isFlattened ? site.geometry.taps : 1))
    }

    @Test(
        "a new neuron costs what the widened network has more, and its training step",
        arguments: SampleNetworks.Kind.allCases)
    func costs(kind: SampleNetworks.Kind) throws {
        let network = try SampleNetworks.network(kind)
        let site = try #require(Width.plain(in: network.architecture).first { $0.name == "first" })
        let wider = try Network(
            initializing: SampleNetworks.architecture(kind, width: 4), seed: 0)
        #expect(network.costPerNeuron(.parameters, at: site) == wider.parameterCount - network.parameterCount)
        let flops =
            wider.architecture.flopsPerSample.training - network.architecture.flopsPerSample.training
        #expect(network.costPerNeuron(.flops, at: site) == flops)
    }

    @Test("a width that a layer or group normalisation mixes, that two read or that goes out is none")
    func refused() throws {
        func names(_ between: [Node], reading last: String) throws -> [String] {
            let window = Window(kernel: Extent(3, 3), padding: Extent(1, 1))
            let nodes =
                [Node("first", Convolution(width: 4, window: window), inputs: ["input"])] + between + [
                    Node("second", Convolution(width: 4, window: window), inputs: [last]),
                    Node("pool", GlobalAveragePooling(), inputs: ["second"]),
                    Node("output", Linear(width: 3), inputs: ["pool"]),
                ]
            return Width.plain(in: try Architecture(inputShape: [2, 6, 6], nodes: nodes)).map(\.name)
        }
        #expect(try names([], reading: "first") == ["first", "second"])
        #expect(
            try names([Node("norm", LayerNormalization(), inputs: ["first"])], reading: "norm") == ["second"])
        #expect(
            try names([Node("norm", GroupNormalization(groups: 2), inputs: ["first"])], reading: "norm")
                == ["second"])
        #expect(
            try names(
                [
                    Node("other", Activation(.relu), inputs: ["first"]),
                    Node("sum", Add(), inputs: ["first", "other"]),
                ], reading: "sum") == ["second"])
    }

    @Test("ones are shared where no tap falls outside the image")
    func sharedOnes() {
        func geometry(
            _ consumer: Window, pools: [SiteGeometry.Pool] = [], scheme: SiteGeometry.Scheme = .full
        ) -> SiteGeometry {
            SiteGeometry(
                inChannels: 1, image: Extent(8, 8),
                producer: Window(kernel: Extent(3, 3), padding: Extent(1, 1)),
                producerHasBias: true, width: 2, pools: pools, consumer: consumer, consumerHasBias: true,
                outChannels: 2, scheme: scheme)
        }
        let padded = Window(kernel: Extent(3, 3), padding: Extent(1, 1))
        let bare = Window(kernel: Extent(3, 3))
        #expect(geometry(bare).sharesOnes)
        #expect(!geometry(padded).sharesOnes)
        #expect(geometry(padded, scheme: .restricted).sharesOnes)
        #expect(
            !geometry(Window(kernel: Extent(2, 2), padding: Extent(1, 1)), scheme: .restricted).sharesOnes)
        #expect(geometry(bare, pools: [.max(padded)]).sharesOnes)
        #expect(!geometry(bare, pools: [.average(padded)]).sharesOnes)
        #expect(geometry(Window(kernel: Extent(1, 1)), pools: [.global]).sharesOnes)
        #expect(geometry(bare, pools: [.middle(padded)]).sharesOnes)
    }
}
