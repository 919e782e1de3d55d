import Parameters
import Tensors
import Testing

@testable import Networks

/// A `network:` section, as a pipeline has it.
private func read(_ yaml: String) throws -> NetworkParameters {
    let file = "pipelines/x.yaml"
    let tree = try #require(try Tree(yaml: "network: " + yaml, file: file)["network"])
    return try NetworkParameters(tree: tree, file: file, path: "network")
}

private func names(_ yaml: String, sample: [Int] = [3, 8, 8]) throws -> [String] {
    try read(yaml).architecture(sample: sample, outputs: 10).nodes.map(\.name)
}

private func shape(_ name: String, _ yaml: String, sample: [Int] = [3, 8, 8]) throws -> [Int]? {
    try read(yaml).architecture(sample: sample, outputs: 10).shape(of: name)
}

@Suite("Families of architectures")
struct FamilyTests {
    @Test(
        "networks that others published have their number of parameters",
        arguments: [
            ("{kind: vgg, normalization: none, \(vgg16)}", 138_357_544),
            ("{kind: vgg, bias: true, \(vgg16)}", 138_365_992),
            ("{kind: resnet, depth: 18, stem: large}", 11_689_512),
            ("{kind: resnet, depth: 34, stem: large}", 21_797_672),
        ])
    func published(yaml: String, count: Int) throws {
        let architecture = try read(yaml).architecture(sample: [3, 224, 224], outputs: 1000)
        #expect(ParameterLayout(architecture).parameterCount == count)
    }

    private static let vgg16 = """
        stages: [[64, 64], [128, 128], [256, 256, 256], [512, 512, 512], [512, 512, 512]],
          classifier: [4096, 4096]
        """

    @Test("residual networks for small images have three stages, with a convolution where the shape changes")
    func residual() throws {
        let architecture = try read("{kind: resnet, depth: 20}").architecture(
            sample: [3, 32, 32], outputs: 10)
        #expect(ParameterLayout(architecture).parameterCount == 272_474)
        let convolutions = architecture.nodes.filter { $0.operation is Convolution }
        #expect(convolutions.count == 19 + 2)
        #expect(architecture.shape(of: "stage1-block3-add") == [16, 32, 32])
        #expect(architecture.shape(of: "stage2-block1-add") == [32, 16, 16])
        #expect(architecture.shape(of: "stage3-block3-add") == [64, 8, 8])
    }

    @Test("wide residual networks have as many parameters as those of others, and blocks of their own widths")
    func wide() throws {
        let published = try read("{kind: wrn, depth: 28, widen: 10}").architecture(
            sample: [3, 32, 32], outputs: 100)
        #expect(ParameterLayout(published).parameterCount == 36_536_884)
        let small = try read("{kind: wrn, depth: 16, widen: 2, inner: [1, 0, 3], dropout: 0.5}").architecture(
            sample: [3, 32, 32], outputs: 10)
        #expect(
            small.nodes.map(\.name).filter { $0.hasPrefix("stage1-block1-") }
                == [
                    "norm1", "activation1", "conv1", "norm2", "activation2", "dropout", "conv2", "shortcut",
                    "add",
                ].map { "stage1-block1-" + $0 })
        #expect(small.shape(of: "stem") == [16, 32, 32])
        #expect(small.shape(of: "stage1-block2-add") == [32, 32, 32])
        #expect(small.shape(of: "stage3-block2-conv1") == [3, 8, 8])
        #expect(small.shape(of: "stage3-block2-add") == [128, 8, 8])
        // Without widening, the first block's shortcut is the identity, and the graph a residual network's.
        let plain = try read("{kind: wrn, depth: 10}").architecture(sample: [3, 8, 8], outputs: 10)
        #expect(
            try plain
                == read("{kind: resnet, depth: 8, order: pre-activation}").architecture(
                    sample: [3, 8, 8], outputs: 10))
    }

    @Test("a residual MLP's blocks add to what they read")
    func residualMLP() throws {
        let yaml = "{kind: residual-mlp, width: 5, hidden: 3, normalization: layer, dropout: 0.1}"
        #expect(
            try names(yaml).filter { !$0.hasPrefix("block2-") } == [
                "stem", "block1-norm", "block1-hidden", "block1-activation", "block1-dropout",
                "block1-output",
                "block1-add", "norm", "output",
            ])
        let architecture = try read(yaml).architecture(sample: [3, 8, 8], outputs: 10)
        #expect(architecture.inputShape == [192])
        #expect(architecture.shape(of: "block2-hidden") == [3] && architecture.shape(of: "block2-add") == [5])
        let add = try #require(architecture.nodes.first { $0.name == "block2-add" })
        #expect(add.inputs == ["block2-output", "block1-add"])
        #expect(try shape("block1-hidden", "{kind: residual-mlp, width: 5}") == [5])
    }

    @Test("a VGG's nodes are named by stage and place")
    func vgg() throws {
        let yaml =
            "{kind: vgg, stages: [[8], [16, 32]], pooling: average, classifier: [20], dropout: 0.5}"
        #expect(
            try names(yaml) == [
                "stage1-conv1", "stage1-norm1", "stage1-activation1", "stage1-pool", "stage2-conv1",
                "stage2-norm1", "stage2-activation1", "stage2-conv2", "stage2-norm2", "stage2-activation2",
                "stage2-pool", "flatten", "dropout1", "hidden1", "activation1", "dropout2", "output",
            ])
        #expect(try shape("stage2-pool", yaml) == [32, 2, 2])
        #expect(try shape("flatten", yaml) == [128])
        let plain = "{kind: vgg, stages: [[8]], normalization: none, head: global}"
        #expect(
            try names(plain) == ["stage1-conv1", "stage1-activation1", "stage1-pool", "pool", "output"])
        #expect(try shape("pool", plain) == [8])
    }

    @Test("convolutions have a bias only where no normalisation follows, unless one asks for it")
    func bias() throws {
        for (yaml, expected) in [
            ("{kind: vgg, stages: [[4]]}", false), ("{kind: vgg, stages: [[4]], normalization: none}", true),
            ("{kind: vgg, stages: [[4]], bias: true}", true), ("{kind: resnet, depth: 8}", false),
            ("{kind: resnet, depth: 8, normalization: none}", true),
            ("{kind: resnet, depth: 8, normalization: none, bias: false}", false),
        ] {
            let nodes = try read(yaml).architecture(sample: [1, 8, 8], outputs: 2).nodes
            let layers = nodes.compactMap { $0.operation as? Convolution }
            #expect(!layers.isEmpty && layers.allSatisfy { $0.bias == expected }, "\(yaml)")
        }
    }

    @Test("a classic block ends with its activation, a pre-activated one with its sum")
    func order() throws {
        let classic = try names("{kind: resnet, depth: 8}")
        #expect(classic.prefix(3) == ["stem", "stem-norm", "stem-activation"])
        #expect(
            classic.filter { $0.hasPrefix("stage2-") }
                == [
                    "conv1", "norm1", "activation1", "conv2", "norm2", "shortcut", "shortcut-norm", "add",
                    "activation2",
                ].map { "stage2-block1-" + $0 })
        let early = try read("{kind: resnet, depth: 8, order: pre-activation, stem: large}")
            .architecture(sample: [3, 32, 32], outputs: 10)
        #expect(early.nodes.prefix(2).map(\.name) == ["stem", "stem-pool"])
        #expect(
            early.nodes.map(\.name).filter { $0.hasPrefix("stage2-") }
                == [
                    "norm1", "activation1", "conv1", "norm2", "activation2", "conv2", "shortcut", "add",
                ].map { "stage2-block1-" + $0 })
        #expect(early.nodes.suffix(4).map(\.name) == ["norm", "activation", "pool", "output"])
        // The identity takes what the block reads, a changed shape what is activated already.
        let first = try #require(early.nodes.first { $0.name == "stage1-block1-add" })
        #expect(first.inputs == ["stage1-block1-conv2", "stem-pool"])
        let shortcut = try #require(early.nodes.first { $0.name == "stage2-block1-shortcut" })
        #expect(shortcut.inputs == ["stage2-block1-activation1"])
    }

    @Test(
        "inner widths are a factor, one per stage or one per block",
        arguments: [
            ("0.25", [4, 4, 8, 8, 16, 16]), ("0", [0, 0, 0, 0, 0, 0]), ("2", [32, 32, 64, 64, 128, 128]),
            ("[1, 2, 3]", [1, 1, 2, 2, 3, 3]), ("[1, 0, 3, 4, 5, 6]", [1, 0, 3, 4, 5, 6]),
        ])
    func inner(given: String, expected: [Int]) throws {
        let architecture = try read("{kind: resnet, depth: 14, inner: \(given)}")
            .architecture(sample: [3, 8, 8], outputs: 10)
        let found = architecture.nodes.filter { $0.name.hasSuffix("-conv1") }
            .compactMap { ($0.operation as? Convolution)?.width }
        #expect(found == expected)
        #expect(architecture.shape(of: "stage3-block2-add") == [64, 2, 2])
    }

    @Test("images of one pixel, odd sizes and networks of width 1 are networks like any other")
    func smallest() throws {
        for sample in [[1, 1, 1], [3, 7, 5], [1, 33, 2]] {
            for yaml in [
                "{kind: resnet, depth: 8, width: 1}", "{kind: resnet, depth: 8, stem: large, inner: 0}",
            ] {
                #expect(try shape("output", yaml, sample: sample) == [10])
            }
        }
        let thin = "{kind: vgg, stages: [[1], [1]], classifier: [1]}"
        #expect(try shape("output", thin, sample: [1, 5, 4]) == [10])
        #expect(try shape("output", "{widths: [1]}", sample: [3, 8, 8]) == [10])
    }

    @Test("a fully connected network reads an image as one row")
    func flattened() throws {
        let parameters = try read("{kind: mlp, widths: [3]}")
        #expect(try parameters.architecture(sample: [3, 4, 5], outputs: 2).inputShape == [60])
        #expect(try parameters.architecture(sample: [60], outputs: 2).inputShape == [60])
    }

    static let all = [
        "{widths: [4, 4], dropout: 0.5}",
        "{kind: vgg, stages: [[2], [3, 3]], pooling: average, head: global, classifier: [7], kernel: 5}",
        "{kind: resnet, depth: 8, inner: [0, 1, 2], stem: large, order: pre-activation, activation: selu}",
        "{kind: resnet, depth: 18, width: 3, normalization: layer, inner: 0.3}",
        "{kind: wrn, depth: 10, widen: 2, inner: [4, 0, 3], dropout: 0.5, initialization: dirac}",
        "{kind: residual-mlp, width: 5, blocks: 3, hidden: 2, normalization: batch, activation: gelu}", graph,
    ]

    static let graph = """
        {kind: graph, nodes: [{name: a, operation: convolution, width: 2, kernel: 3, padding: 1},
          {name: b, operation: convolution, inputs: [input], width: 2, kernel: [1, 1], bias: false},
          {name: c, operation: add, inputs: [a, b]}, {name: d, operation: flatten},
          {name: e, operation: linear, width: 10}]}
        """

    @Test("what a family reads it writes, and reads again", arguments: all)
    func roundTrip(yaml: String) throws {
        let parameters = try read(yaml)
        let json = parameters.tree.canonicalJSON
        let again = try NetworkParameters(tree: Tree(json: json, file: "x.json"), file: "x.json")
        #expect(again == parameters)
        #expect(again.tree.canonicalJSON == json)
        let sample = [3, 8, 8]
        #expect(
            try again.architecture(sample: sample, outputs: 10)
                == parameters.architecture(sample: sample, outputs: 10))
    }

    @Test("the parameters of fully connected networks are written as they always were")
    func stable() throws {
        #expect(
            NetworkParameters(widths: [4]).tree.canonicalJSON
                == #"{"activation":"selu","bias":true,"dropout":0,"kind":"mlp","widths":[4]}"#)
    }

    @Test("a listed graph reads the node before by default, and has what it says")
    func given() throws {
        let architecture = try read(Self.graph).architecture(sample: [3, 8, 8], outputs: 10)
        #expect(architecture.nodes.map(\.inputs) == [["input"], ["input"], ["a", "b"], ["c"], ["d"]])
        #expect(architecture.shapes == [[2, 8, 8], [2, 8, 8], [2, 8, 8], [128], [10]])
    }
}

@Suite("What a family refuses")
struct FamilyErrorTests {
    @Test(
        "a section that is none names file, line and what is allowed",
        arguments: [
            (
                "{kind: vg}",
                "network.kind: 'vg' is not one of mlp, vgg, resnet, wrn, residual-mlp, graph; did you mean 'vgg'?"
            ),
            ("{kind: vgg}", "network.stages: is missing"),
            ("{kind: vgg, widths: [2]}", "network.widths: is of kind mlp, not vgg"),
            ("{kind: vgg, stages: [[2]], widths: [2]}", "network.widths: is of kind mlp, not vgg"),
            ("{kind: mlp, widths: [2], stages: [[2]]}", "network.stages: is of kind vgg, not mlp"),
            ("{kind: vgg, stages: [[2]], stage: 3}", "network.stage: unknown key; did you mean 'stages'?"),
            ("{kind: vgg, stages: [2]}", "network.stages[0]: 2 is not a list of 1…64 integers in 1…65536"),
            ("{kind: vgg, stages: [[2], []]}", "network.stages[1]: a list of 0 is not"),
            ("{kind: vgg, stages: []}", "network.stages: a list of 0 is not in 1…16 lists"),
            ("{kind: vgg, stages: [[0]]}", "network.stages[0][0]: 0 is not in 1…65536"),
            ("{kind: vgg, stages: [[2]], kernel: 2}", "network.kernel: 2 is not allowed; it must be odd"),
            ("{kind: vgg, stages: [[2]], pooling: min}", "network.pooling: 'min' is not one of max, average"),
            ("{kind: vgg, stages: [[2]], classifier: [0]}", "network.classifier[0]: 0 is not in 1…65536"),
            ("{kind: resnet}", "network.depth: is missing; it must be 8, 14, 18"),
            ("{kind: resnet, depth: 50}", "network.depth: '50' is not one of 8, 14, 18"),
            ("{kind: resnet, depth: 8, width: 0}", "network.width: 0 is not in 1…8192"),
            (
                "{kind: resnet, depth: 14, inner: [1, 2]}",
                "network.inner: [1,2] is not allowed; it must be a factor in 0…16, or a list of 3 or 6 widths"
            ),
            ("{kind: resnet, depth: 8, inner: -1}", "network.inner: -1 is not allowed"),
            ("{kind: resnet, depth: 8, inner: [1, 2, x]}", "network.inner: [1,2,\"x\"] is not allowed"),
            ("{kind: wrn, depth: 20}", "network.depth: '20' is not one of 10, 16, 22"),
            (
                "{kind: wrn, depth: 16, inner: [1, 2]}",
                "network.inner: [1,2] is not allowed; it must be a factor"
            ),
            ("{kind: residual-mlp, hidden: 0}", "network.hidden: 0 is not in 1…65536"),
            ("{kind: graph}", "network.nodes: is missing"),
            ("{kind: graph, nodes: []}", "network.nodes: a list of 0 is not a list of 1…10000 maps"),
            ("{kind: graph, nodes: [3]}", "network.nodes[0]: 3 is not a map"),
            ("{kind: graph, nodes: [{operation: add}]}", "network.nodes[0].name: is missing"),
            (
                "{kind: graph, nodes: [{name: a, operation: convolutoin}]}",
                "network.nodes[0].operation: 'convolutoin' is not one of"
            ),
            (
                "{kind: graph, nodes: [{name: a, operation: linear, width: 2, height: 2}]}",
                "network.nodes[0].height: unknown key"
            ),
            (
                "{kind: graph, nodes: [{name: a, operation: linear, width: 2, inputs: input}]}",
                "network.nodes[0].inputs: 'input' is not allowed; it must be a list of node names"
            ),
        ])
    func reading(yaml: String, message: String) {
        let error = #expect(throws: ParameterError.self) { try read(yaml) }
        #expect(
            error?.description.hasPrefix("pipelines/x.yaml:1: " + message) == true,
            "\(error?.description ?? "")")
        #expect(error?.exitCode == 65)
    }

    @Test("an error in a listed graph is at the line of its node")
    func line() {
        let yaml = """

              kind: graph
              nodes:
              - {name: a, operation: flatten}
              - {name: b, operation: linear}
            """
        let error = #expect(throws: ParameterError.self) { try read(yaml) }
        let expected = "pipelines/x.yaml:5: network.nodes[1].width: is missing"
        #expect(error?.description.hasPrefix(expected) == true, "\(error?.description ?? "")")
    }

    private static func graph(_ nodes: String...) -> String {
        "{kind: graph, nodes: [\(nodes.map { "{\($0)}" }.joined(separator: ", "))]}"
    }

    @Test(
        "a family that does not fit its images names the node and the way out",
        arguments: [
            (
                "{kind: vgg, stages: [[2], [2], [2], [2]]}",
                "node 'stage4-pool': an image of 8 x 8 can be halved 3 times, not 4; give at most 3 stages"
            ),
            (
                graph("name: a, operation: convolution, width: 2, kernel: 9"),
                "node 'a' got input of shape [3, 8, 8]; it takes an image of at least 9 x 9"
            ),
            (
                graph("name: a, operation: pooling, function: max, kernel: 10, padding: 0"),
                "node 'a' got input of shape [3, 8, 8]; it takes an image of at least 10 x 10"
            ),
            (
                graph(
                    "name: a, operation: convolution, width: 3, kernel: 2, stride: 2",
                    "name: b, operation: convolution, width: 3, kernel: 3, stride: 2, inputs: [input]",
                    "name: c, operation: add, inputs: [a, b]"),
                "node 'c' got input of shape [3, 4, 4], [3, 3, 3]; it takes two or more inputs of one shape"
            ),
            (
                graph("name: a, operation: flatten", "name: b, operation: linear, width: 9"),
                "node 'b': the last node gives values of shape [9]; for 10 classes it must be [10]"
            ),
            (
                graph("name: a, operation: convolution, width: 10, kernel: 1"),
                "node 'a': the last node gives values of shape [10, 8, 8]"
            ),
            (
                graph(
                    "name: a, operation: convolution, width: 0, kernel: 1", "name: b, operation: flatten",
                    "name: c, operation: linear, width: 10"),
                "node 'c': it does not depend on the data, since a of width 0"
            ),
        ])
    func fitting(yaml: String, message: String) {
        let error = #expect(throws: NetworkError.self) {
            try read(yaml).architecture(sample: [3, 8, 8], outputs: 10)
        }
        #expect(error?.description.hasPrefix(message) == true, "\(error?.description ?? "")")
        #expect(error?.exitCode == 65)
    }

    @Test("every family documents its fields")
    func documentation() {
        let documented = NetworkParameters.documentation
        #expect(documented.first?.key == "kind")
        for (key, family) in [
            ("widths", "mlp"), ("stages", "vgg"), ("inner", "resnet, wrn"), ("nodes", "graph"),
            ("bias", "resnet, wrn"),
            ("hidden", "residual-mlp"), ("widen", "wrn"), ("initialization", "vgg, resnet, wrn"),
        ] {
            #expect(documented.contains { $0.key == key && $0.help.hasPrefix("(\(family)) ") }, "\(key)")
        }
    }
}
