import CKernels
import Foundation
import Testing

@testable import Tensors

/// A loss and what is special about the logits.
struct LossCase: Sendable, CustomTestStringConvertible {
    var classes: Int
    var rows: Int
    var smoothing: Float
    /// The deviation of the logits.
    var spread: Double
    /// Added to all logits.
    var offset: Float

    var testDescription: String {
        "\(rows) rows of \(classes), smoothing \(smoothing), spread \(spread), offset \(offset)"
    }

    static let all = [
        LossCase(classes: 10, rows: 64, smoothing: 0, spread: 2, offset: 0),
        LossCase(classes: 10, rows: 7, smoothing: 0.1, spread: 2, offset: 0),
        LossCase(classes: 2, rows: 33, smoothing: 0.999, spread: 1, offset: 0),
        LossCase(classes: 1, rows: 3, smoothing: 0, spread: 1, offset: 0),
        LossCase(classes: 1000, rows: 5, smoothing: 0.1, spread: 3, offset: 0),
        LossCase(classes: 17, rows: 16, smoothing: 0, spread: 0, offset: 0),
        LossCase(classes: 10, rows: 20, smoothing: 0.05, spread: 60, offset: 0),
        LossCase(classes: 10, rows: 20, smoothing: 0, spread: 1, offset: 1000),
    ]

    var logits: [Float] {
        var random = Philox(seed: 21, purpose: .growth, index: classes)
        return random.normal(rows * classes, deviation: spread).map { $0 + offset }
    }

    func lanes(padding: Float = 0) -> Lanes { Lanes(logits, rows: rows, count: classes, padding: padding) }

    var labels: [Int32] { (0..<rows).map { Int32($0 * 7 % classes) } }

    /// t_c of a row.
    func target(_ row: Int, _ column: Int) -> Double {
        Double(smoothing) / Double(classes) + (Int(labels[row]) == column ? 1 - Double(smoothing) : 0)
    }
}

@Suite("Loss kernels against Float64")
struct LossKernelTests {
    @Test("cross-entropy, its gradient and its count of correct rows", arguments: LossCase.all)
    func crossEntropy(given: LossCase) {
        let logits = given.logits, labels = given.labels, scale: Float = 0.25
        let into = Lanes(repeating: .nan, rows: given.rows, count: given.classes)
        var correct: Int64 = 5
        let found = loss_cross_entropy(
            given.lanes().pointer, labels, given.rows, given.classes, given.smoothing, scale, into.pointer,
            &correct)
        let gradient = into.values
        #expect(into.padding.allSatisfy { $0 == 0 })
        var expected = 0.0, right = 5
        for row in 0..<given.rows {
            let values = logits[row * given.classes..<(row + 1) * given.classes].map(Double.init)
            let top = values.max() ?? 0
            let logSum = top + log(values.reduce(0) { $0 + exp($1 - top) })
            for column in 0..<given.classes {
                let target = given.target(row, column)
                expected += target * (logSum - values[column])
                let slope = Double(scale) * (exp(values[column] - logSum) - target)
                #expect(abs(Double(gradient[row * given.classes + column]) - slope) < 2e-7)
            }
            right += values.firstIndex(of: top) == Int(labels[row]) ? 1 : 0
        }
        #expect(
            abs(found - expected) <= 1e-6 * Double(given.rows) + 4e-7 * abs(expected), "\(found) \(expected)")
        #expect(correct == right)
    }

    @Test("the squared error, its gradient and its count of correct rows", arguments: LossCase.all)
    func squaredError(given: LossCase) {
        let logits = given.logits, labels = given.labels, scale: Float = 0.25
        let into = Lanes(repeating: .nan, rows: given.rows, count: given.classes)
        var correct: Int64 = 0
        let found = loss_squared_error(
            given.lanes().pointer, labels, given.rows, given.classes, given.smoothing, scale, into.pointer,
            &correct)
        let gradient = into.values
        #expect(into.padding.allSatisfy { $0 == 0 })
        var expected = 0.0, right = 0
        for row in 0..<given.rows {
            let values = logits[row * given.classes..<(row + 1) * given.classes].map(Double.init)
            for column in 0..<given.classes {
                let difference = values[column] - given.target(row, column)
                expected += difference * difference
                let slope = Double(scale) * 2 * difference
                #expect(
                    abs(Double(gradient[row * given.classes + column]) - slope) <= 2e-7 * (1 + abs(slope)))
            }
            right += values.firstIndex(of: values.max() ?? 0) == Int(labels[row]) ? 1 : 0
        }
        #expect(abs(found - expected) <= 2e-6 * expected + 1e-6, "\(found) \(expected)")
        #expect(correct == right)
    }

    @Test(
        "without room for a gradient, and whatever fills up the last block, the loss is the same",
        arguments: LossCase.all)
    func withoutGradient(given: LossCase) {
        for loss in [loss_cross_entropy, loss_squared_error] {
            let gradient = Lanes(repeating: 0, rows: given.rows, count: given.classes)
            var correct: Int64 = 0, again: Int64 = 0
            let with = loss(
                given.lanes().pointer, given.labels, given.rows, given.classes, given.smoothing, 1,
                gradient.pointer, &correct)
            let without = loss(
                given.lanes(padding: 1e6).pointer, given.labels, given.rows, given.classes, given.smoothing,
                1, nil, &again)
            #expect(with == without && correct == again)
        }
    }

    @Test(
        "a NaN or an infinity among the logits makes the loss not finite", arguments: [Float.nan, .infinity])
    func notFinite(value: Float) {
        for position in 0..<3 {
            var values: [Float] = [1, 2, 3]
            values[position] = value
            let logits = Lanes(values, rows: 1, count: 3)
            var correct: Int64 = 0
            #expect(!loss_cross_entropy(logits.pointer, [0], 1, 3, 0, 1, nil, &correct).isFinite)
            #expect(!loss_squared_error(logits.pointer, [0], 1, 3, 0, 1, nil, &correct).isFinite)
        }
    }
}
