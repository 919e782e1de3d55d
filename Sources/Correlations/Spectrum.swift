internal import Foundation

/// The discrete Fourier transform of real numbers along one axis, as a matrix of real rows.
///
/// At frequency 0, and at half of an even period, there is a cosine alone; else a cosine and a negative sine.
struct RealTransform {
    let period: Int
    /// Rows of cosines and, where there is one, of the negative sine, by frequency.
    let frequencies: [(cosine: Int, sine: Int?)]
    /// [period, length], row-major.
    let matrix: [Float]

    init(period: Int, length: Int) {
        self.period = period
        var frequencies: [(cosine: Int, sine: Int?)] = []
        var matrix: [Float] = []
        func angle(_ frequency: Int, _ place: Int) -> Double {
            2 * .pi * Double(frequency * place % period) / Double(period)
        }
        for frequency in 0...period / 2 {
            let row = matrix.count / max(length, 1)
            matrix += (0..<length).map { Float(cos(angle(frequency, $0))) }
            let isSelf = frequency == 0 || 2 * frequency == period
            if !isSelf { matrix += (0..<length).map { Float(-sin(angle(frequency, $0))) } }
            frequencies.append((row, isSelf ? nil : row + 1))
        }
        self.frequencies = frequencies
        self.matrix = matrix
    }
}

/// The frequencies of the plane that determine a real image, and how they come from two real transforms.
struct PlaneSpectrum {
    /// F = Σ of components of [rows' component, columns' component]: real and imaginary part.
    struct Frequency {
        var row: Int
        var column: Int
        /// How often it counts: 2 where the conjugate is left out.
        var multiplicity: Double
        /// Component indices of the real part and, negated or not, of the imaginary part.
        var real: [(component: Int, sign: Float)]
        var imaginary: [(component: Int, sign: Float)]
    }

    let rows: RealTransform
    let columns: RealTransform
    let frequencies: [Frequency]

    init(rows: RealTransform, columns: RealTransform) {
        self.rows = rows
        self.columns = columns
        let width = columns.period
        var found: [Frequency] = []
        for (row, y) in rows.frequencies.enumerated() {
            for (column, x) in columns.frequencies.enumerated() {
                let cc = y.cosine * width + x.cosine
                switch (y.sine, x.sine) {
                case (nil, nil):
                    found.append(
                        Frequency(row: row, column: column, multiplicity: 1, real: [(cc, 1)], imaginary: []))
                case (let sine?, nil):
                    found.append(
                        Frequency(
                            row: row, column: column, multiplicity: 2, real: [(cc, 1)],
                            imaginary: [(sine * width + x.cosine, 1)]))
                case (nil, let sine?):
                    found.append(
                        Frequency(
                            row: row, column: column, multiplicity: 2, real: [(cc, 1)],
                            imaginary: [(y.cosine * width + sine, 1)]))
                case (let ySine?, let xSine?):
                    let (ss, sc, cs) = (
                        ySine * width + xSine, ySine * width + x.cosine, y.cosine * width + xSine
                    )
                    found.append(
                        Frequency(
                            row: row, column: column, multiplicity: 2, real: [(cc, 1), (ss, -1)],
                            imaginary: [(sc, 1), (cs, 1)]))
                    found.append(
                        Frequency(
                            row: -row, column: column, multiplicity: 2, real: [(cc, 1), (ss, 1)],
                            imaginary: [(sc, -1), (cs, 1)]))
                }
            }
        }
        frequencies = found
    }

    /// What real and imaginary part of each frequency add to the sum at a lag: [lags, 2 · frequencies].
    ///
    /// Σ_q left[q + d] right[q]ᵀ = Σ_f m_f (Re cos θ_f(d) − Im sin θ_f(d)) / (rows · columns).
    func inverse(lags: [(rows: Int, columns: Int)]) -> [Float] {
        let (height, width) = (rows.period, columns.period)
        let scale = 1 / Double(height * width)
        return lags.flatMap { lag in
            frequencies.flatMap { frequency in
                let turns =
                    Double(frequency.row * lag.rows % height) / Double(height)
                    + Double(frequency.column * lag.columns % width) / Double(width)
                let factor = frequency.multiplicity * scale
                return [
                    Float(factor * cos(2 * .pi * turns)), Float(-factor * sin(2 * .pi * turns)),
                ]
            }
        }
    }
}
