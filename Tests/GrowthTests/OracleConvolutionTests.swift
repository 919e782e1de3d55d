import Parameters
import Correlations
import GrowthMath
import GrowthReference
import Tensors
import Testing

@testable import Growth

@Suite("Sums of convolutional sites agree with the oracle")
struct OracleConvolutionTests {
    private func agrees(_ found: Matrix?, _ expected: Matrix, to tolerance: Double = 2e-6) -> Bool {
        guard let found, found.rows == expected.rows, found.columns == expected.columns else { return false }
        return (found - expected).squaredNorm.squareRoot() <= tolerance * expected.squaredNorm.squareRoot()
    }

    private func passes(
        _ named: ConvolutionCase, _ route: SitePlan.Route = .cheapest,
        overlapLimit: Int = SitePlan.exactOverlapBytes
    ) throws -> (oracle: ConvolutionOracle, sums: SiteSums) {
        let oracle = try named.open()
        let plan = SitePlan(oracle.geometry, needs: .all, route: route, overlapLimit: overlapLimit)
        return (oracle, try SiteSums(plan, oracle.samples))
    }

    @Test("every sum, with all taps and with the middle one", arguments: ConvolutionCase.all)
    func sums(named: ConvolutionCase) throws {
        for route in SitePlan.Route.allCases {
            let (oracle, sums) = try passes(named, route)
            let first = sums.first
            #expect(agrees(first.consumerCovariance, try oracle.shared("conv2/S")))
            #expect(agrees(first.consumerMoment, -(try oracle.shared("conv2/M"))))
            #expect(agrees(first.gradientCovariance, try oracle.shared("conv2/E")))
            let covariance = named.scheme == .full ? "S_growth" : "S_growth_same_positions"
            #expect(agrees(first.inputCovariance, try oracle.matrix(covariance)))
            #expect(agrees(first.inputMoment, -(try oracle.matrix("M_prev"))))
            #expect(agrees(sums.second.crossCovariance, try oracle.matrix("N"), to: 1e-5))
            #expect(first.alignedHidden == nil)
            for (found, expected) in zip(try #require(first.overlap), try oracle.overlaps()) {
                #expect(agrees(found, expected))
            }
        }
    }

    @Test("the best update, its decrease and the bottleneck", arguments: ConvolutionCase.all)
    func bestUpdate(named: ConvolutionCase) throws {
        let (oracle, sums) = try passes(named)
        #expect(
            agrees(try #require(sums.bestUpdate).weights, -(try oracle.shared("conv2/delta_raw")), to: 1e-4))
        let decrease = try oracle.sharedNumber("conv2/decrease")
        #expect(abs(try #require(sums.bestUpdate).decrease - decrease) <= 1e-5 * decrease)
        let bottleneck = try oracle.sharedNumber("conv2/V_goal_proj_sqnorm_over_n")
        let found = sums.second.squares.reduce(0) { $0 + $1.sum } / Double(oracle.samples.count)
        #expect(abs(found - bottleneck) <= 1e-5 * bottleneck)
    }

    @Test(
        "the singular values of new neurons",
        arguments: ConvolutionCase.all.filter { $0.scheme == .full })
    func singularValues(named: ConvolutionCase) throws {
        let (oracle, sums) = try passes(named)
        let expected = try oracle.numbers("singular_values_all")
        let input = try SemidefiniteFactor(#require(sums.first.inputCovariance), threshold: 1e-6)
        let found = try LeadingNeurons(
            crossCovariance: #require(sums.second.crossCovariance), taps: oracle.geometry.taps, input: input,
            threshold: 0)
        for (found, expected) in zip(found.singularValues, expected) where expected > 1e-2 {
            #expect(abs(found - expected) <= 1e-5 * expected)
        }
    }

    @Test(
        "0 ≤ S̃ exact ≤ S̃ aligned ≤ S: the aligned overlap finds less, and never more than there is",
        arguments: ConvolutionCase.all)
    func aligned(named: ConvolutionCase) throws {
        let exact = try passes(named).sums
        let aligned = try passes(named, overlapLimit: 0).sums
        let covariance = try #require(exact.first.inputCovariance)
        func schur(_ sums: SiteSums) throws -> Matrix {
            covariance
                - (try #require(SiteOverlap(sums.first)).explained(
                    consumer: #require(sums.bestUpdate).factor, threshold: 1e-6))
        }
        func smallest(_ matrix: Matrix) throws -> Double { try matrix.symmetricEigen().values.first ?? 0 }
        let limit = -3e-6 * covariance.largestDiagonal
        #expect(try smallest(schur(exact)) >= limit)
        #expect(try smallest(schur(aligned) - schur(exact)) >= limit)
        #expect(try smallest(covariance - schur(aligned)) >= limit)

        // The sum of squared singular values falls as the covariance grows.
        func gain(_ matrix: Matrix) throws -> Double {
            let used = 0..<(matrix.rows - (exact.plan.geometry.producerHasBias ? 1 : 0))
            let cross = try #require(exact.second.crossCovariance).selecting(rows: used)
            let own = matrix.selecting(rows: used).selecting(columns: used)
            let factor = try SemidefiniteFactor(own, threshold: 1e-4, scale: covariance.largestDiagonal)
            return try LeadingNeurons(
                crossCovariance: cross, taps: exact.plan.geometry.taps, input: factor, threshold: 0, limit: 3
            ).singularValues.reduce(0) { $0 + $1 * $1 }
        }
        let gains = (
            none: try gain(covariance), aligned: try gain(schur(aligned)), exact: try gain(schur(exact))
        )
        #expect(gains.none <= gains.aligned * (1 + 1e-5))
        #expect(gains.aligned <= gains.exact * (1 + 1e-5))
    }
}
