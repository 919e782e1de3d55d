internal import Correlations
package import Networks
internal import Parameters
package import Tensors

/// What can go wrong between a network and its grown successor.
package enum GrowthError: ReportableError, Equatable {
    /// A method was given statistics that lack what it needs: a mistake in this program.
    case missingStatistic(name: String, method: String)
    /// More neurons were asked for than a width can use.
    case notEnoughDirections(width: String, method: String, asked: Int, available: Int)
    /// The gradients or the inputs of a width hold NaN or infinity.
    case notFinite(width: String, what: String)
    /// The loss is NaN or infinite before anything was changed.
    case lossNotFinite(what: String)
    /// The network has no width that can grow.
    case noWidths(nodes: [String])
    /// Residual widths are to grow, but no sum ties any together.
    case noResidualWidths(widths: [String])
    /// Bottlenecks were measured on another network.
    case otherNetwork(width: String, found: String, expected: String)
    /// Bottlenecks were measured for another method.
    case otherMethod(found: String, expected: String)
    /// A target under the neurons that a width has already.
    case targetBelowWidth(width: String, target: Int, count: Int)
    /// A width to shrink to that is above what there is.
    case targetAboveWidth(width: String, target: Int, count: Int)
    /// More neurons to take away than a width can spare.
    case noNeuronLeft(width: String, asked: Int, count: Int)
    /// A number of neurons that a change cannot be told.
    case notForChange(neurons: String, change: ChangeKind)
    /// The network has no place for a block.
    case noBlock(widths: [String])
    /// Bottlenecks were measured for another change.
    case otherChange(found: ChangeKind, expected: ChangeKind)
    /// A bottlenecks file holds something else than this version writes.
    case invalidFile(file: String, path: String, problem: String)
    /// The network has grown in this round before.
    case roundRepeated(Int)
    /// Target widths for another number of widths.
    case targetCount(found: Int, widths: [String])
    /// A target for a width that a block has been tied to, so that it no longer grows by itself.
    case targetTied(width: String)
    /// An odd number of neurons where they come in pairs.
    case oddPairs(width: String, asked: Int)
    /// A solve failed although its numbers are finite.
    case unsolvable(width: String, problem: LinearAlgebraError)

    package var exitCode: Int32 {
        switch self {
        case .notEnoughDirections, .notFinite, .lossNotFinite, .noWidths, .noResidualWidths, .otherNetwork,
            .otherMethod,
            .invalidFile, .roundRepeated, .oddPairs, .targetCount, .targetTied,
            .targetBelowWidth, .targetAboveWidth, .noNeuronLeft, .notForChange, .noBlock, .otherChange:
            65
        case .missingStatistic: 70
        case .unsolvable(_, let problem): problem.exitCode
        }
    }

    /// The field of `growth:` that it speaks of.
    package var parameter: String? {
        switch self {
        case .noResidualWidths: "residual-widths"
        case .targetCount, .targetTied, .targetBelowWidth, .targetAboveWidth, .noNeuronLeft, .notForChange:
            "neurons"
        case .noBlock: "change"
        default: nil
        }
    }

    package var description: String {
        switch self {
        case .missingStatistic(let name, let method):
            "method \(method) needs the statistic '\(name)', which was not measured"
        case .notEnoughDirections(let width, let method, let asked, let available):
            "width \(width): \(asked) neurons asked, but \(method) finds only \(available) useful directions "
                + "there; ask for neurons: \(available) or fewer, for neurons: auto, or grow in more rounds"
        case .notFinite(let width, let what):
            "width \(width): the \(what) holds NaN or infinity; the network has diverged before this step, "
                + "lower its learning rate"
        case .lossNotFinite(let what):
            "the loss over \(what) is NaN or infinite; the network has diverged before this step, lower its learning rate"
        case .noWidths(let nodes):
            "no width of the network can grow: it would need a linear layer or a convolution, then nodes that keep channels "
                + "apart (activations, dropout, pooling, batch normalisation, depthwise convolutions, flattening), then a "
                + "layer that reads them; layer and group normalisation mix channels; the nodes are \(nodes.joined(separator: ", "))"
        case .noResidualWidths(let widths):
            "residual-widths: true, but no sum ties layers together whose channels could grow; leave it out, so that "
                + "\(widths.joined(separator: ", ")) grow"
        case .otherNetwork(let width, let found, let expected):
            "the bottlenecks are not of this network: width \(width) was measured as \(found), the network has "
                + "\(expected); compute them again for this network"
        case .otherMethod(let found, let expected):
            "the bottlenecks were computed for the method \(found), the parameters say \(expected); give both stages the "
                + "same method"
        case .targetBelowWidth(let width, let target, let count):
            "neurons: {target: …} asks for a width of \(target) at \(width), which has \(count) already; neurons are added, "
                + "never taken away: give at least \(count)"
        case .targetAboveWidth(let width, let target, let count):
            "change: shrink cannot bring \(width) to a width of \(target), it has \(count): give at most \(count)"
        case .noNeuronLeft(let width, let asked, let count):
            "change: shrink is to take \(asked) neurons from \(width), which has \(count), and one must stay; ask for "
                + "neurons: \(max(1, count - 1)) or fewer, or for neurons: {most: \(asked)}"
        case .notForChange(let neurons, let change):
            "neurons: \(neurons) says nothing for change: \(change.rawValue); give a number, {most: NUMBER} or "
                + (change == .shrink ? "{fraction: PART} or {target: [WIDTH, …]}" : "{fraction: PART}")
        case .noBlock(let widths):
            "change: deepen finds no place for a block: it stands behind an activation of one of "
                + "\(widths.joined(separator: ", ")), before it is flattened"
        case .otherChange(let found, let expected):
            "the bottlenecks were computed for change: \(found.rawValue), the parameters say \(expected.rawValue); give both "
                + "stages the same"
        case .invalidFile(let file, let path, let problem):
            "\(file): \(path): \(problem)"
        case .roundRepeated(let round):
            "the network has grown in round \(round) before; number this one anew, as in --set round=\(round + 1) "
                + "--set rounds=\(round + 1)"
        case .targetCount(let found, let widths):
            "neurons: {target: …} names \(found) widths, but \(widths.count) can grow (\(widths.joined(separator: ", "))); "
                + "give one width for each of them, or one for all"
        case .targetTied(let width):
            "neurons: {target: …} names the widths that the network was made with, and \(width), one of them, is tied "
                + "to the block behind it since; set residual-widths: true, or give one width for all"
        case .oddPairs(let width, let asked):
            "width \(width): signs: pair adds neurons in twos, but neurons: \(asked) is odd; ask for an even number, or for "
                + "neurons: {most: \(asked)}"
        case .unsolvable(let width, let problem):
            "width \(width): \(problem)"
        }
    }
}
