import Tensors
import Testing

@testable import GrowthMath

@Suite("Leading neurons of large problems")
struct LeadingNeuronsTests {
    @Test("few of many are the first of all, with either side whitened or not", arguments: [true, false])
    func fewOfMany(whitened: Bool) throws {
        var random = Philox(seed: 4, purpose: .growth)
        func matrix(_ rows: Int, _ columns: Int) -> Matrix {
            Matrix(rows: rows, columns: columns, widening: random.normal(rows * columns, deviation: 1))
        }
        let (inputs, outputs, rank) = (560, 530, 40)
        let falling = (0..<rank).map { 1 / Double(1 + $0) }
        let cross = matrix(inputs, rank).scaling(columns: falling).times(matrix(rank, outputs))
        let input = whitened ? try SemidefiniteFactor(matrix(1200, inputs).gram) : nil
        let output = whitened ? try SemidefiniteFactor(matrix(1100, outputs).gram) : nil
        func leading(_ limit: Int) throws -> LeadingNeurons {
            try LeadingNeurons(
                crossCovariance: cross, taps: 1, input: input, output: output, threshold: 1e-4,
                limit: limit)
        }
        let (few, all) = (try leading(6), try leading(.max))
        #expect(few.singularValues.count == 6 && all.spectrum.count == outputs)
        for (found, expected) in zip(few.singularValues, all.singularValues) {
            #expect(abs(found - expected) <= 1e-9 * expected)
        }
        let product = all.neurons.selecting(0..<6).product
        #expect((few.neurons.product - product).squaredNorm <= 1e-12 * product.squaredNorm)
    }
}
