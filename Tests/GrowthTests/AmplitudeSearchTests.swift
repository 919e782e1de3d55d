import Parameters
import Testing

@testable import Growth

@Suite("The search for the amplitude")
struct AmplitudeSearchTests {
    @Test(
        "the minimum of a parabola is found to a few percent of its decrease, wherever it lies",
        arguments: [0.01, 0.1, 0.5, 1, 2.7, 10, 60])
    func parabola(best: Double) {
        let search = AmplitudeSearch { 1 - 0.1 * (2 * $0 / best - $0 * $0 / best / best) }
        #expect(search.trials.count <= 7)
        #expect(search.lossBefore - search.loss > 0.098)
        #expect(search.lossBefore == 1)
    }

    @Test("where the loss is a parabola, five losses are enough", arguments: [0.5, 1, 2.7, 5, 10, 60])
    func fewLosses(best: Double) {
        let search = AmplitudeSearch { 1 - 0.1 * (2 * $0 / best - $0 * $0 / best / best) }
        #expect(search.trials.count <= 5)
        #expect(search.lossBefore - search.loss > 0.0999)
    }

    @Test("a loss before that is known is not computed again")
    func known() {
        var asked: [Double] = []
        let search = AmplitudeSearch(before: 1) {
            asked.append($0)
            return 1 - 2 * $0 + $0 * $0
        }
        #expect(search.lossBefore == 1 && search.amplitude == 1)
        #expect(!asked.contains(0))
    }

    @Test("a loss that only rises gives 0, within the evaluations")
    func rising() {
        let search = AmplitudeSearch { 1 + $0 }
        #expect(search.amplitude == 0 && search.loss == 1)
        #expect(search.trials.count <= 5)
    }

    @Test("a loss that falls for ever gives the largest amplitude tried")
    func falling() {
        let search = AmplitudeSearch { 1 / (1 + $0) }
        #expect(search.amplitude == search.trials.map(\.amplitude).max())
        #expect(search.loss < 0.01)
    }

    @Test("amplitudes at which the loss is not finite are avoided")
    func overflow() {
        let search = AmplitudeSearch { $0 > 0.3 ? Double.nan : 1 - $0 }
        #expect(search.amplitude > 0 && search.amplitude <= 0.3)
        #expect(search.loss < 1)
    }

    @Test("a decrease within rounding is none")
    func tolerance() {
        #expect(AmplitudeSearch { 1 - 1e-12 * $0 }.amplitude == 0)
    }

    @Test("an error stops the search")
    func failure() {
        struct Stop: Error {}
        #expect(throws: Stop.self) { try AmplitudeSearch { if $0 > 0 { throw Stop() } else { 1 } } }
    }
}
