internal import Correlations
internal import Parameters

package import Tensors

/// What can go wrong between a network and its grown successor.
package enum GrowthError: ReportableError, Equatable {
    /// A method was given statistics that lack what it needs: a mistake in this program.
    case missingStatistic(name: String, method: String)
    /// More neurons were asked for than a site can use.
    case notEnoughDirections(site: String, method: String, asked: Int, available: Int)
    /// The gradients or the inputs of a site hold NaN or infinity.
    case notFinite(site: String, what: String)
    /// The loss is NaN or infinite before anything was changed.
    case lossNotFinite(what: String)
    /// The network has no width that can grow.
    case noSites(nodes: [String])
    /// Bottlenecks were measured on another network.
    case otherNetwork(site: String, found: String, expected: String)
    /// Bottlenecks were measured for another method.
    case otherMethod(found: String, expected: String)
    /// Bottlenecks were measured for other taps.
    case otherTaps(found: String, expected: String)
    /// A target under the width that a site has already.
    case targetBelowWidth(site: String, target: Int, width: Int)
    /// A bottlenecks file holds something else than this version writes.
    case invalidFile(file: String, path: String, problem: String)
    /// The network has grown in this round before.
    case roundRepeated(Int)
    /// Target widths for another number of sites.
    case targetCount(found: Int, sites: [String])
    /// An odd number of neurons where they come in pairs.
    case oddPairs(site: String, asked: Int)
    /// A solve failed although its numbers are finite.
    case unsolvable(site: String, problem: LinearAlgebraError)

    package var exitCode: Int32 {
        switch self {
        case .notEnoughDirections, .notFinite, .lossNotFinite, .noSites, .otherNetwork, .otherMethod,
            .invalidFile, .roundRepeated, .oddPairs, .targetCount, .otherTaps,
            .targetBelowWidth:
            65
        case .missingStatistic: 70
        case .unsolvable(_, let problem): problem.exitCode
        }
    }

    package var description: String {
        switch self {
        case .missingStatistic(let name, let method):
            "method \(method) needs the statistic '\(name)', which was not measured"
        case .notEnoughDirections(let site, let method, let asked, let available):
            "site \(site): \(asked) neurons asked, but \(method) finds only \(available) useful directions "
                + "there; ask for neurons: \(available) or fewer, for neurons: auto, or grow in more rounds"
        case .notFinite(let site, let what):
            "site \(site): the \(what) holds NaN or infinity; the network has diverged before this step, "
                + "lower its learning rate"
        case .lossNotFinite(let what):
            "the loss over \(what) is NaN or infinite; the network has diverged before this step, lower its learning rate"
        case .noSites(let nodes):
            "no width of the network can grow: a site is a linear layer or a convolution, then nodes that keep channels "
                + "apart (activations, dropout, pooling, batch normalisation, depthwise convolutions, flattening), then a "
                + "layer that alone reads them; layer and group normalisation mix channels; the nodes are \(nodes.joined(separator: ", "))"
        case .otherNetwork(let site, let found, let expected):
            "the bottlenecks are not of this network: site \(site) was measured as \(found), the network has "
                + "\(expected); compute them again for this network"
        case .otherMethod(let found, let expected):
            "the bottlenecks were computed for the method \(found), the parameters say \(expected); give both stages the "
                + "same method"
        case .otherTaps(let found, let expected):
            "the bottlenecks were computed with taps: \(found), the parameters say \(expected); give both stages the same"
        case .targetBelowWidth(let site, let target, let width):
            "neurons: {target: …} asks for a width of \(target) at \(site), which has \(width) already; neurons are added, "
                + "never taken away: give at least \(width)"
        case .invalidFile(let file, let path, let problem):
            "\(file): \(path): \(problem)"
        case .roundRepeated(let round):
            "the network has grown in round \(round) before; number this one anew, as in --set round=\(round + 1) "
                + "--set rounds=\(round + 1)"
        case .targetCount(let found, let sites):
            "neurons: {target: …} names \(found) widths, but \(sites.count) can grow (\(sites.joined(separator: ", "))); "
                + "give one width for each of them, or one for all"
        case .oddPairs(let site, let asked):
            "site \(site): signs: pair adds neurons in twos, but neurons: \(asked) is odd; ask for an even number, or for "
                + "neurons: {most: \(asked)}"
        case .unsolvable(let site, let problem):
            "site \(site): \(problem)"
        }
    }
}
