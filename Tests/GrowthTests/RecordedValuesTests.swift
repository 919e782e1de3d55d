import Parameters
import GrowthMath
import Correlations
import Networks
import Testing
@testable import Training

@testable import Growth

/// What was measured and done at the width "first" when widths between two layers had a measurement, a search and a graft of
/// their own.
@Suite("Recorded values of growth")
struct RecordedValuesTests {
    private struct Recorded {
        let kind: SampleNetworks.Kind
        let taps: SiteGeometry.Scheme
        let method: MethodParameters
        /// ‖G‖²/n, Ψ, γ, the predicted and the realised decrease; nil where none is predicted.
        let values: [Double?]

        init?(_ line: Substring) {
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 8, let kind = SampleNetworks.Kind(rawValue: words[0]),
                let taps = SiteGeometry.Scheme(rawValue: words[1]),
                let method = MethodParameters(words[2])
            else { return nil }
            (self.kind, self.taps, self.method) = (kind, taps, method)
            values = words[3...].map(Double.init)
        }
    }

    private static func recorded(_ kind: SampleNetworks.Kind) -> [Recorded] {
        table.split(separator: "\n").compactMap(Recorded.init).filter { $0.kind == kind }
    }

    @Test(
        "every way of reading a producer is measured and grown as recorded",
        arguments: SampleNetworks.Kind.allCases)
    func values(kind: SampleNetworks.Kind) throws {
        let dataset = SampleNetworks.dataset(train: 150, validation: 60)
        let network = try SampleNetworks.network(kind)
        let rows = Self.recorded(kind)
        #expect(rows.count == 4)
        for recorded in rows {
            var plan = GrowthPlan(rounds: 1)
            plan.proposal.method = recorded.method
            plan.proposal.neurons = .most(3)
            plan.proposal.method.set(taps: recorded.taps)
            plan.measurement.samples = .all
            let loss = LossParameters()
            let outcome = try growNetwork(
                plan.growthParameters(round: 1, loss: loss, seed: 0), dataset: dataset, network: network,
                bottlenecks: computeBottlenecks(
                    plan.bottleneckParameters(round: 1, loss: loss, seed: 0), dataset: dataset,
                    network: network))
            let record = try #require(outcome.records.first { $0.width == "first" })
            let found = [
                record.gradientNorm, record.bottleneck, record.amplitude, record.predictedDecrease,
                record.realizedDecrease,
            ]
            // Sums are of Float32 products, in an order that OpenBLAS chooses; searches end a little elsewhere then.
            for (index, tolerance) in [1e-5, 1e-5, 0.02, 0.02, 0.02].enumerated() {
                guard let expected = recorded.values[index], let value = found[index] else {
                    #expect((recorded.values[index] == nil) == (found[index] == nil))
                    continue
                }
                #expect(
                    abs(value - expected) <= tolerance * max(abs(expected), 1e-4),
                    "\(recorded.taps) \(recorded.method.kind) \(index): \(value), \(expected)")
            }
        }
    }

    private static let table = """
        plain full tiny-joint 0.0044980269 0.0044056686 894.19519 0.14243336 0.032673535
        plain full gradmax 0.0044980269 0.0044056686 1 - 0
        plain full fisher 0.0044980269 0.0044056686 0.33982326 0.023880145 0.0060906524
        plain restricted tiny-joint 0.0044980269 0.0044056686 845.78635 0.11050616 0.025488351
        strided full tiny-joint 0.018061559 0.017464718 93.716897 0.19149133 0.032143213
        strided full gradmax 0.018061559 0.017464718 1 - 0
        strided full fisher 0.018061559 0.017464718 1 0.074944909 0.011021825
        strided restricted tiny-joint 0.018061559 0.017464718 49.870082 0.053383554 0.0041963931
        even full tiny-joint 0.023064725 0.019876037 17.60108 0.075597936 0.003474346
        even full gradmax 0.023064725 0.019876037 1 - 0
        even full fisher 0.023064725 0.019876037 1.2151742 0.050590297 0.0042823674
        even restricted tiny-joint 0.023064725 0.019876037 33.06564 0.13029293 0.0061898059
        batchNormalized full tiny-joint 0.0098563257 0.0095399925 351.00485 0.14516576 0.091486699
        batchNormalized full gradmax 0.0098563257 0.0095399922 1 - 0
        batchNormalized full fisher 0.0098563257 0.0095399922 1.7455414 0.13664326 0.039923275
        batchNormalized restricted tiny-joint 0.0098563257 0.0095399922 379.5989 0.13204587 0.08512539
        normalizedLate full tiny-joint 0.013407777 0.013095816 174.75236 0.069534902 0.015345669
        normalizedLate full gradmax 0.013407777 0.013095816 1 - 0
        normalizedLate full fisher 0.013407777 0.013095816 4 0.19732837 0.036070603
        normalizedLate restricted tiny-joint 0.013407777 0.013095816 203.28121 0.070266856 0.019574809
        maxPooled full tiny-joint 0.012943691 0.012604051 145.81121 0.1335141 0.061459091
        maxPooled full gradmax 0.012943691 0.012604051 1 - 0
        maxPooled full fisher 0.012943691 0.012604051 1 0.2240077 0.0066548925
        maxPooled restricted tiny-joint 0.012943691 0.012604051 92.120991 0.046905073 0.017753624
        averagePooled full tiny-joint 0.021705227 0.021016373 26.509828 0.080613433 0.0063817807
        averagePooled full gradmax 0.021705227 0.021016373 1 - 0
        averagePooled full fisher 0.021705227 0.021016373 0.47254525 0.021449975 0.0077710784
        averagePooled restricted tiny-joint 0.021705227 0.021016373 32.555256 0.044266486 0.0065505281
        pooledWithPadding full tiny-joint 0.019851552 0.019124756 0 0 0
        pooledWithPadding full gradmax 0.019851552 0.019124756 1 - 0
        pooledWithPadding full fisher 0.019851552 0.019124756 0.015625 0.0020798447 0.00011853656
        pooledWithPadding restricted tiny-joint 0.019851552 0.019124756 30.264692 0.026582627 0.00053122683
        depthwise full tiny-joint 0.020032671 0.019911797 44.916794 0.015111238 0.0061420905
        depthwise full gradmax 0.020032671 0.019911797 1 - 0
        depthwise full fisher 0.020032671 0.019911797 1 0.062151571 0.0097059975
        depthwise restricted tiny-joint 0.020032671 0.019911797 4 0.00064302418 7.9401365e-05
        flattened full tiny-joint 0.71431776 0.11230337 0.4087337 0.2815016 0.033171888
        flattened full gradmax 0.71431776 0.11230337 1 - 0
        flattened full fisher 0.71431776 0.11230337 25.487988 0.23886289 0.10314517
        flattened restricted tiny-joint 0.71431776 0.11230337 0.4087337 0.2815016 0.033171888
        flattenedNormalized full tiny-joint 1.1918562 0.1954913 0 0 0
        flattenedNormalized full gradmax 1.1918562 0.1954913 1 - 0
        flattenedNormalized full fisher 1.1918562 0.1954913 0.0078115102 0.013116667 4.5906256e-05
        flattenedNormalized restricted tiny-joint 1.1918562 0.1954913 0 0 0
        globallyPooled full tiny-joint 0.90158148 0.88254247 1 0.16612087 0.078492979
        globallyPooled full gradmax 0.90158148 0.88254247 1 - 0
        globallyPooled full fisher 0.90158148 0.88254247 0 0 0
        globallyPooled restricted tiny-joint 0.90158148 0.88254247 1 0.16612087 0.078492979
        residual full tiny-joint 0.011071779 0.010758931 61.508773 0.027694039 0.0041746174
        residual full gradmax 0.011071779 0.010758931 1 - 0
        residual full fisher 0.011071779 0.010758931 1.6953802 0.14603571 0.040460258
        residual restricted tiny-joint 0.011071779 0.010758931 72.960052 0.024948329 0.005619292
        pointwise full tiny-joint 0.0012067026 0.0011896342 92.306775 0.0030421393 4.290926e-05
        pointwise full gradmax 0.0012067026 0.0011896342 1 - 0
        pointwise full fisher 0.0012067026 0.0011896342 0 0 0
        pointwise restricted tiny-joint 0.0012067026 0.0011896342 92.306775 0.0030421393 4.290926e-05
        """
}
