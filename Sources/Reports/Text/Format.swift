internal import Foundation

/// How numbers are written for people.
package enum Format {
    /// What stands where there is no number.
    package static let absent = "–"

    /// 26506 as `26,506`.
    package static func count(_ value: Int) -> String {
        let digits = Array(String(value.magnitude))
        var text = value < 0 ? "-" : ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { text.append(",") }
            text.append(digit)
        }
        return text
    }

    /// One number, or from the smallest to the largest: `26,506`, `25,000–26,506`.
    package static func range(_ values: [Int]) -> String {
        guard let least = values.min(), let most = values.max() else { return absent }
        return least == most ? count(least) : "\(count(least))–\(count(most))"
    }

    /// 1234567890000 as `1.23 T`: three digits and a decimal prefix.
    package static func prefixed(_ value: Double) -> String {
        guard value.isFinite else { return absent }
        let prefixes = ["", " k", " M", " G", " T", " P", " E"]
        var scaled = value
        var index = 0
        while scaled.magnitude >= 999.5, index < prefixes.count - 1 {
            scaled /= 1000
            index += 1
        }
        if index == 0, scaled == scaled.rounded() { return String(format: "%.0f", scaled) }
        let decimals = scaled.magnitude >= 99.95 ? 0 : scaled.magnitude >= 9.995 ? 1 : 2
        return String(format: "%.\(decimals)f", scaled) + prefixes[index]
    }

    /// Significant digits without an exponent where that is readable: `0.0123`, `1.5`, `2.5e-07`.
    package static func significant(_ value: Double, digits: Int = 3) -> String {
        value.isFinite ? String(format: "%.\(digits)g", value) : absent
    }

    /// A share as percent with two decimals, without the sign: 0.8641 as `86.41`.
    package static func percent(_ share: Double) -> String {
        share.isFinite ? String(format: "%.2f", 100 * share) : absent
    }

    /// Seconds with as many decimals as tell something.
    package static func seconds(_ value: Double) -> String {
        guard value.isFinite else { return absent }
        return String(format: value < 9.995 ? "%.2f" : "%.1f", value)
    }

    /// Bytes with a binary prefix: `12.3 KiB`.
    package static func bytes(_ count: Int) -> String {
        let prefixes = ["B", "KiB", "MiB", "GiB", "TiB"]
        var scaled = Double(count)
        var index = 0
        while scaled >= 1024, index < prefixes.count - 1 {
            scaled /= 1024
            index += 1
        }
        return index == 0 ? "\(count) B" : String(format: "%.1f ", scaled) + prefixes[index]
    }

    /// Every digit that is needed to read the same number again; nothing for none.
    package static func exact(_ value: Double?) -> String {
        guard let value, value.isFinite else { return "" }
        return value == value.rounded() && value.magnitude < 1e15 ? String(format: "%.0f", value) : "\(value)"
    }
}

/// Small pictures made of characters.
package enum Bars {
    private static let eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    private static let heights: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

    /// A horizontal bar that fills `share` of `width` characters, to an eighth of a character.
    ///
    /// - Parameter share: what lies outside 0...1 is drawn as the nearer end, NaN as nothing.
    package static func bar(_ share: Double, width: Int = 32) -> String {
        let bounded = share.isNaN ? 0 : min(1, max(0, share))
        let filled = Int((bounded * Double(width * 8)).rounded())
        let text = String(repeating: "█", count: filled / 8) + eighths[filled % 8]
        return text + String(repeating: "·", count: width - text.count)
    }

    /// One character per value from the smallest to the largest; longer series are averaged into `width` parts.
    ///
    /// What is not finite leaves a gap.
    package static func sparkline(_ values: [Double], width: Int = 60) -> String {
        let points = values.count <= width ? values : averaged(values, into: width)
        let finite = points.filter(\.isFinite)
        guard let least = finite.min(), let most = finite.max() else { return "" }
        return String(
            points.map { value in
                guard value.isFinite else { return " " }
                guard most > least else { return heights[3] }
                // By halves: the difference of two numbers may be infinite.
                return heights[Int(((value / 2 - least / 2) / (most / 2 - least / 2) * 7).rounded())]
            })
    }

    private static func averaged(_ values: [Double], into parts: Int) -> [Double] {
        (0..<parts).map { part in
            let slice = values[part * values.count / parts..<(part + 1) * values.count / parts]
            return slice.reduce(0, +) / Double(slice.count)
        }
    }
}
