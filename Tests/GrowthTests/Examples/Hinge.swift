import Networks
import Parameters

@testable import Training

/// Σ max(0, 1 + y_c − y_t) over the classes c that are not the label t (Weston and Watkins, 1999).
struct Hinge: LossFunction {
    static let kind = "hinge"
    static let schema = Schema(Self())

    func sums(over rows: LossRows) -> LossParameters.RowSums {
        var sums = LossParameters.RowSums()
        let (output, value, gradient) = (rows.output, rows.output.value, rows.output.gradient)
        if rows.hasGradient { gradient.update(repeating: 0, count: output.elements(rows.count)) }
        for row in 0..<rows.count {
            let places = (0..<output.count).map { output.place(row: row, value: $0) }
            let target = places[Int(rows.labels[row])]
            for other in places where other != target && 1 + value[other] > value[target] {
                sums.loss += Double(1 + value[other] - value[target])
                guard rows.hasGradient else { continue }
                gradient[other] = rows.scale
                gradient[target] -= rows.scale
            }
            sums.correct += places.allSatisfy { $0 == target || value[$0] < value[target] } ? 1 : 0
        }
        return sums
    }
}
