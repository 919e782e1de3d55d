/// Finds the word that was probably meant.
package enum Spelling {
    /// The nearest candidate, if it is near: at most one edit for every three letters, or a word that the other begins with.
    package static func nearest(to word: String, among candidates: [String]) -> String? {
        let limit = max(1, word.count / 3)
        let near = candidates.map { (candidate: $0, edits: edits(from: word, to: $0)) }
            .filter { $0.edits <= limit }
            .min { $0.edits < $1.edits }
        if let near { return near.candidate }
        guard word.count >= 3 else { return nil }
        return candidates.filter { $0.hasPrefix(word) || (word.hasPrefix($0) && $0.count >= 3) }
            .min { $0.count < $1.count }
    }

    /// How many letters must be inserted, removed, replaced or swapped with their neighbour (optimal string alignment).
    ///
    /// - Complexity: the product of the lengths; words are cut at 64 letters.
    static func edits(from first: String, to second: String) -> Int {
        let a = Array(first.prefix(64))
        let b = Array(second.prefix(64))
        var table = [[Int]](repeating: [Int](repeating: 0, count: b.count + 1), count: a.count + 1)
        for i in 0...a.count { table[i][0] = i }
        for j in 0...b.count { table[0][j] = j }
        guard !a.isEmpty, !b.isEmpty else { return a.count + b.count }
        for i in 1...a.count {
            for j in 1...b.count {
                let replaced = table[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
                table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, replaced)
                if i > 1, j > 1, a[i - 1] == b[j - 2], a[i - 2] == b[j - 1] {
                    table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
                }
            }
        }
        return table[a.count][b.count]
    }
}
