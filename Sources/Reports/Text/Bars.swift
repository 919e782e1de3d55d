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
