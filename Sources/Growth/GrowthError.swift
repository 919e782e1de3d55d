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
    /// No sample to measure on.
    case noSamples(site: String)
    /// A solve failed although its numbers are finite.
    case unsolvable(site: String, problem: LinearAlgebraError)

    package var exitCode: Int32 {
        switch self {
        case .notEnoughDirections, .notFinite, .noSamples: 65
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
        case .noSamples(let site):
            "site \(site): there is no sample to measure on; raise samples or check the dataset's split"
        case .unsolvable(let site, let problem):
            "site \(site): \(problem)"
        }
    }
}
