import Foundation
import Testing

@testable import Pipelines

/// What the planner finds out about networks before anything runs.
@Suite struct ShapeTests {
    private func problems(_ yaml: String) throws -> [String] {
        let laboratory = try Laboratory("dataset: digits\n" + yaml)
        let other = try String(contentsOfFile: "\(laboratory.folder)/data/digits.yaml", encoding: .utf8)
            .replacing("name: digits", with: "name: wide").replacing("[8, 8, 1]", with: "[4, 16, 1]")
        try other.write(toFile: "\(laboratory.folder)/data/wide.yaml", atomically: true, encoding: .utf8)
        let prefix = "\(laboratory.folder)/pipelines/"
        do {
            _ = try laboratory.planner()
            return []
        } catch let error as PipelineError {
            #expect(error.exitCode == 65)
            return error.description.split(separator: "\n").map { String($0).replacing(prefix, with: "") }
        }
    }

    @Test(arguments: [
        "network: {widths: [1]}", "network: {kind: vgg, stages: [[1], [2], [3]]}",
        "network: {kind: resnet, depth: 8, inner: 0}",
        """
        network:
          kind: graph
          nodes:
          - {name: a, operation: flatten}
          - {name: b, operation: linear, width: 10}
        growth: {rounds: 0}
        """,
        "network: {widths: [3]}\ngrowth: {rounds: 4, change: [shrink, shrink, widen, shrink], neurons: 1}",
    ])
    func `networks that fit the images are planned`(yaml: String) throws {
        #expect(try problems(yaml).isEmpty)
    }

    @Test func `a shape error names file, line, branches, dataset and node`() throws {
        let found = try problems(
            """
            network: {kind: vgg, stages: [[2], [2], [2], [2]]}
            branches:
              a: {}
              b: {growth.method: random}
              c:
                network.stages: [[4], [4], [4], [4], [4]]
            """)
        #expect(
            found == [
                "small.yaml:2: network: branches a, b on digits (1 x 8 x 8, 10 classes): node 'stage4-pool': "
                    + "an image of 8 x 8 can be halved 3 times, not 4; give at most 3 stages",
                "small.yaml:2: branches.c.network: branch c on digits (1 x 8 x 8, 10 classes): "
                    + "node 'stage4-pool': an image of 8 x 8 can be halved 3 times, not 5; give at most 3 stages",
            ])
    }

    @Test(arguments: [
        (
            "network: {kind: graph, nodes: [{name: a, operation: flatten}, {name: b, operation: linear, width: 10}]}",
            "no width of the network can grow"
        ),
        (
            "network: {widths: [4, 4]}\ngrowth: {neurons: {target: [8, 8, 8]}}",
            "names 3 widths, but 2 can grow"
        ),
        ("network: {widths: [4, 9]}\ngrowth: {neurons: {target: [8]}}", "width of 8 at hidden2, which has 9"),
        (
            "network: {widths: [4, 9]}\ngrowth:\n  change: shrink\n  neurons: 4",
            "small.yaml:5: growth.neurons: branch main on digits (1 x 8 x 8, 10 classes): change: shrink is to take 4"
        ),
        (
            "network: {widths: [9, 9]}\ngrowth: {change: shrink, rounds: 3, neurons: 3}",
            "growth.neurons: branch main on digits (1 x 8 x 8, 10 classes): change: shrink is to take 9 neurons from hidden1"
        ),
        (
            "network: {widths: [4, 9]}\ngrowth: {change: deepen, neurons: auto}",
            "growth.neurons: branch main on digits (1 x 8 x 8, 10 classes): neurons: auto says nothing for change: deepen"
        ),
        (
            "network: {widths: [3]}\ngrowth: {rounds: 4, change: [shrink, shrink, shrink, widen], neurons: 1}",
            "change: shrink is to take 3 neurons from hidden1"
        ),
        (
            "network: {widths: [4]}\ngrowth: {rounds: 2, change: [widen, deepen], neurons: {target: [8]}}",
            "neurons: {target: …} says nothing for change: deepen"
        ),
        (
            "network: {widths: [4, 9]}\ngrowth: {residual-widths: true}",
            "growth.residual-widths: branch main on digits (1 x 8 x 8, 10 classes): residual-widths: true, but no sum"
        ),
    ])
    func `growth that the network has no room for is an error before anything runs`(
        yaml: String, problem: String
    ) throws {
        let found = try problems(yaml)
        #expect(found.count == 1 && found[0].contains(problem), "\(found)")
        #expect(found[0].contains("growth"))
    }

    @Test func `an error in a listed graph is at its node's line, the number of classes included`() throws {
        let graph = """
            network:
              kind: graph
              nodes:
              - {name: a, operation: convolution, width: 2, kernel: 3}
              - {name: b, operation: flatten}
              - {name: c, operation: linear, width: 9}
            """
        #expect(
            try problems(graph) == [
                "small.yaml:7: network: branch main on digits (1 x 8 x 8, 10 classes): node 'c': "
                    + "the last node gives values of shape [9]; for 10 classes it must be [10]"
            ])
        let large = graph.replacing("kernel: 3", with: "kernel: 9").replacing("width: 9", with: "width: 10")
        #expect(try problems(large)[0].hasPrefix("small.yaml:5: network: branch main on digits"))
    }

    @Test func `a group of parameters that the network has none of is found with its line`() throws {
        let groups = "optimizer: {groups: [{of: [biases]}, {of: [normalization], decay-factor: 0}]}"
        #expect(
            try problems("network: {widths: [2]}\nseed: {\(groups)}") == [
                "small.yaml:3: seed.optimizer.groups: branch main on digits (1 x 8 x 8, 10 classes): "
                    + "optimizer.groups[1] is of normalization, and the network has none; "
                    + "leave the group out, or name other kinds with it"
            ])
        #expect(try problems("network: {kind: vgg, stages: [[1], [2]]}\ntune: {\(groups)}") == [])
    }

    @Test(arguments: [
        (1, "", ["4: seed.optimizer.groups: branch main", "older than 1"]), (2, "", []),
        (2, "final: {optimizer: {groups: []}}", ["4: seed.optimizer.groups: branch main", "older than 1"]),
        (
            2, "branches:\n  a: {}\n  b: {growth.rounds: 1}",
            ["4: seed.optimizer.groups: branch b", "older than 1"]
        ),
        (
            3, "final: {optimizer: {groups: [{ages: [4, 5]}]}}",
            ["5: final.optimizer.groups: branch main", "older than 3"]
        ),
    ])
    func `a group of ages that no parameter reaches is found with its line`(
        rounds: Int, more: String, parts: [String]
    ) throws {
        let found = try problems(
            """
            network: {widths: [2]}
            growth: {rounds: \(rounds)}
            seed: {optimizer: {groups: [{ages: [0, 1]}, {ages: [2, 10000], rate-factor: 0}]}}
            \(more)
            """)
        #expect(found.count == min(parts.count, 1), "\(found)")
        for part in parts { #expect(found.first?.contains(part) == true, "\(found)") }
    }

    @Test func `augmentation that does not fit the images is found too`() throws {
        let found = try problems(
            """
            network: {widths: [2]}
            seed: {epochs: 1, augmentation: {pad: 2}}
            branches:
              a: {}
              b: {tune: {augmentation: {cutout: 8}}}
            """)
        #expect(found.count == 1)
        #expect(
            found[0].hasPrefix(
                "small.yaml:6: branches.b.tune.augmentation: branch b on digits (1 x 8 x 8, 10 classes): "
                    + "augmentation.cutout is 8, but the dataset's images are 8 x 8"), "\(found)")
        let first = try problems("network: {widths: [2]}\nseed: {augmentation: {pad: 8}}\ntune: {epochs: 2}")
        #expect(
            first.count == 1 && first[0].hasPrefix("small.yaml:3: seed.augmentation: branch main on digits"))
    }

    @Test(arguments: [
        ("seed: {batch: 1}", "3: seed.batch"), ("seed: {batch: 64, shards: 64}", "3: seed.batch"),
        ("seed: {shards: 64}\ntune: {batch: 3}\ngrowth: {rounds: 2}", "4: tune.batch"),
        ("seed: {epochs: 0, batch: 2}\nfinal: {epochs: 1}", "3: seed.batch"),
        ("final: {shards: 50, batch: 99}", "3: final.batch"),
        ("validation: 1387\nseed: {epochs: 0}\nfinal: {epochs: 1, shards: 64}", "5: final.shards"),
        (
            "branches:\n  a: {}\n  b: {growth.rounds: 0, network: final-of a, seed.shards: 64, seed.batch: 64}",
            "5: branches.b.seed.batch"
        ),
    ])
    func `a normalisation over one value is refused, in whichever phase`(yaml: String, place: String) throws {
        let network =
            "network: {kind: vgg, stages: [[2], [2], [2]], normalization: batch, classifier: []}\n"
        let deep = "network: {kind: resnet, depth: 18, width: 1}\n"
        let found = try problems(deep + yaml)
        let first = try #require(found.first)
        #expect(found.count == 1 && first.hasPrefix("small.yaml:\(place): branch"), "\(found)")
        #expect(first.contains("node 'stage4-block1"), "\(found)")
        // The same training where every normalisation sees several positions.
        #expect(try problems(network + yaml).isEmpty)
    }

    @Test(arguments: [
        "seed: {batch: 4}", "seed: {batch: 97}", "seed: {batch: 64, shards: 32}",
        "seed: {epochs: 0, batch: 1}\nfinal: {epochs: 1, batch: 8}", "seed: {epochs: 0, batch: 1}",
        "tune: {batch: 1}\nfinal: {batch: 8}",
        "seed: {batch: 1, shards: 1, epochs: 0}\nfinal: {epochs: 1, batch: 2}",
    ])
    func `a normalisation over two values or more is planned, and so is one that is never trained`(
        yaml: String
    ) throws {
        #expect(try problems("network: {kind: resnet, depth: 18, width: 1}\n" + yaml).isEmpty)
    }

    @Test func `a network taken up from another branch must fit the images there`() throws {
        let yaml = """
            network: {kind: KIND}
            branches:
              a: {}
              b: {growth.rounds: 0, network: final-of a, dataset: wide}
            """
        let plain = yaml.replacing("kind: KIND", with: "widths: [2]")
        #expect(try problems(plain).isEmpty)
        let found = try problems(yaml.replacing("kind: KIND", with: "kind: vgg, stages: [[2]]"))
        #expect(
            found == [
                "small.yaml:5: branches.b.network: branch b on wide (1 x 4 x 16, 10 classes): node 'output': "
                    + "the network of branch a is for data [1, 8, 8] and 10 classes; give both branches one dataset"
            ])
        // One mistake, one message: the branch that only takes the network up has nothing to mend.
        #expect(
            try problems(yaml.replacing("kind: KIND", with: "kind: vgg, stages: [[2], [2], [2], [2]]")).count
                == 1)
    }
}
