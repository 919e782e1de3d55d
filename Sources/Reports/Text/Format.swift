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
