import Parameters
import Foundation
import GrowthMath
import GrowthReference
import HDF5
import TestSupport
import Testing

@testable import Growth
import Tensors

/// One case of Tests/Oracle: a file and the layer whose input grows.
struct OracleCase: Sendable, CustomTestStringConvertible {
    let name: String
    let layer: Int

    var testDescription: String { "\(name), layer \(layer)" }

    private static func cases(_ names: [String]) -> [OracleCase] {
        names.flatMap { name in [1, 2].map { OracleCase(name: name, layer: $0) } }
    }

    /// Covariances of full rank.
    static let regular = cases([
        "mlp_relu_ce", "mlp_relu_mse", "mlp_selu_ce", "mlp_selu_mse", "mlp_tanh_ce", "mlp_tanh_mse",
        "mlp_tanh_ce_nobias",
    ])
    /// Singular covariances.
    static let singular = cases([
        "rankdef_constant_feature", "rankdef_dead_duplicate", "rankdef_duplicate_hidden",
        "rankdef_few_samples", "rankdef_wide_input",
    ])
    static let all = regular + singular
    /// Cases with the group `normalisation`.
    static let scaled = cases(["mlp_tanh_ce", "mlp_tanh_mse"])

    func open() throws -> Oracle { try Oracle(self) }
}

/// Opens a case's file. The files are of the oldest format, which h5py writes; HDF5's own tool makes them such as we read.
func openOracle(_ name: String) throws -> File {
    let folder = TemporaryFolder()
    let given = Program.packageFolder.appending(path: "Tests/Oracle/\(name).h5").path
    let result = try Program.system("h5repack", ["--low=1", "-l", "CONTI", given, folder.path("oracle.h5")])
    try #require(result.status == 0, "\(result.error)")
    return try File(reading: folder.path("oracle.h5"))
}

/// A case's file, opened, with its network and samples.
final class Oracle {
    private let file: File
    private let group: String
    let layer: Int
    let network: ReferenceNetwork
    let samples: Matrix
    let target: ReferenceTarget
    let usesBias: Bool

    init(_ named: OracleCase) throws {
        file = try openOracle(named.name)
        layer = named.layer
        group = "layer\(layer)"
        usesBias = try file.integer("use_bias") == 1
        let activation = try #require(ReferenceActivation(rawValue: file.text("activation")))
        var layers: [ReferenceNetwork.Layer] = []
        for index in 0..<3 {
            layers.append(
                ReferenceNetwork.Layer(
                    weights: try Oracle.matrix(file, "W\(index)"),
                    bias: usesBias ? try Oracle.numbers(file, "b\(index)") : nil))
        }
        network = ReferenceNetwork(layers: layers, activation: activation)
        samples = try Oracle.matrix(file, "X")
        target =
            try file.text("loss") == "ce"
            ? .classes(file.int64("target", shape: [nil]).values.map(Int.init))
            : .values(try Oracle.matrix(file, "target"))
    }

    private static func matrix(_ file: borrowing File, _ path: String) throws -> Matrix {
        let found = try file.float64(path, shape: [nil, nil])
        return Matrix(rows: found.shape[0], columns: found.shape[1], values: found.values)
    }

    private static func numbers(_ file: borrowing File, _ path: String) throws -> [Double] {
        try file.float64(path, shape: [nil]).values
    }

    /// A matrix of the case's layer.
    func matrix(_ name: String) throws -> Matrix { try Oracle.matrix(file, "\(group)/\(name)") }
    /// A vector of the case's layer.
    func numbers(_ name: String) throws -> [Double] { try Oracle.numbers(file, "\(group)/\(name)") }
    /// A number of the case's layer.
    func number(_ name: String) throws -> Double { try file.float64("\(group)/\(name)", shape: []).values[0] }
    /// A matrix of the whole case.
    func shared(_ name: String) throws -> Matrix { try Oracle.matrix(file, name) }

    var producerInput: Matrix { get throws { try matrix("B_prev_prev_ext") } }
    var consumerInput: Matrix { get throws { try matrix("B_prev_ext") } }
    var gradient: Matrix { get throws { try matrix("V_goal") } }

    var statistics: SiteStatistics {
        get throws {
            try SiteStatistics(
                producerInput: producerInput, consumerInput: consumerInput, functionalGradient: gradient,
                producerHasBias: usesBias, consumerHasBias: usesBias)
        }
    }

    /// The files keep a singular value if it is at least min(`absolute`, the largest); `absolute` is made relative.
    func problem(keeping absolute: Double = 1e-3, largest: Double) throws -> SiteProblem {
        SiteProblem(
            statistics: try statistics, producerWeights: network.layers[layer - 1].extended,
            consumerWeights: network.layers[layer].extended,
            thresholds: Thresholds(singularValue: largest > 0 ? min(absolute / largest, 1) : 0))
    }

    /// A method's proposal under the thresholds of the file's group for that method.
    func propose(_ method: some GrowthMethod, _ group: String, keeping absolute: Double = 1e-3) throws
        -> Proposal
    {
        let stored = group == "joint" ? "joint/singular_values" : "\(group)/singular_values_all"
        let largest = try numbers(stored).max() ?? 0
        return try method.propose(for: problem(keeping: absolute, largest: largest), limit: .max)
    }

    /// Moments of candidates whose activity is σ₀(z).
    func moments(_ neurons: NewNeurons, _ slopes: SlopesAtZero) throws -> CandidateMoments {
        CandidateMoments(
            producerInput: try producerInput, consumerInput: try consumerInput,
            functionalGradient: try gradient,
            fanIn: neurons.fanIn, slopes: slopes)
    }

    var slopes: SlopesAtZero {
        switch network.activation {
        case .relu: .relu
        case .selu: .selu
        case .tanh: .unit
        }
    }
}

extension SiteOverlap {
    /// C_e for every tap.
    var taps: [Matrix] { if case .exact(let taps) = self { taps } else { [] } }
}

extension CandidateMoments {
    /// For a linear consumer: F = [σ₀(z) | σ₀(−z)] with z = X αᵀ.
    init(
        producerInput: Matrix, consumerInput: Matrix, functionalGradient: Matrix, fanIn: Matrix,
        slopes: SlopesAtZero
    ) {
        let z = producerInput.timesTransposed(fanIn)
        self.init(
            features: z.mapping { slopes($0) }.appending(columns: z.mapping { slopes(-$0) }),
            consumerInput: consumerInput, functionalGradient: functionalGradient, taps: 1,
            samples: functionalGradient.rows)
    }
}
