package import Parameters

/// Stand-in until module Growth has its own.
package struct GrowthPlan: ParameterSet {
    package enum Method: String, CaseIterable, Codable, Sendable {
        case tinyJoint = "tiny-joint"
        case tiny, gradmax, random, net2net
        case randomZeroOut = "random-zero-out"
        case fisher
    }
    package var method: Method
    package var rounds: Int
    package var neurons: Int
    package var samples: Int

    package init(fields: inout Fields) throws {
        method = try fields.choice("method", default: .tinyJoint, "how new neurons are found")
        rounds = try fields.integer("rounds", in: 0...1000, default: 1, "how often the network grows")
        neurons = try fields.integer("neurons", in: 1...65_536, default: 8, "new neurons per site and round")
        samples = try fields.integer("samples", in: 1...100_000_000, default: 10_000, "samples to measure on")
    }

    func bottlenecks(loss: LossParameters, seed: Int, shards: Int) -> BottleneckParameters {
        BottleneckParameters(
            method: method, samples: samples, neurons: neurons, loss: loss, seed: seed, shards: shards)
    }

    func growth(loss: LossParameters, seed: Int, round: Int) -> GrowthParameters {
        GrowthParameters(
            method: method, neurons: neurons, loss: loss, seed: seed, round: round, rounds: rounds)
    }
}

package struct BottleneckParameters: Encodable, Equatable, Sendable {
    var method: GrowthPlan.Method
    var samples: Int
    var neurons: Int
    var loss: LossParameters
    var seed: Int
    var shards: Int
    var tree: Tree { (try? Tree(encoding: self)) ?? .empty }
}

package struct GrowthParameters: Encodable, Equatable, Sendable {
    var method: GrowthPlan.Method
    var neurons: Int
    var loss: LossParameters
    var seed: Int
    var round: Int
    var rounds: Int
    var tree: Tree { (try? Tree(encoding: self)) ?? .empty }
}

/// Stand-in until module Datasets has its own.
package struct DatasetDescriptor {
    package var inputs: [String: String]
    package init(reading path: String) throws {
        let tree = try Tree(yamlFile: path)
        inputs = [:]
        for entry in tree["members"]?.entries ?? [] {
            inputs[entry.key] = entry.value["sha256"]?.text
        }
    }
}
