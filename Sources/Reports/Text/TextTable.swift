/// A table of texts, for a terminal or for Markdown.
package struct TextTable: Equatable, Sendable {
    /// Where a column's texts stand.
    package enum Alignment: Equatable, Sendable { case left, right }

    /// A column's title and where its texts stand.
    package struct Column: Equatable, Sendable {
        package var title: String
        package var alignment: Alignment

        package init(_ title: String, _ alignment: Alignment = .left) {
            self.title = title
            self.alignment = alignment
        }
    }

    package let columns: [Column]
    package private(set) var rows: [[String]] = []

    package init(_ columns: [Column]) { self.columns = columns }

    /// - Precondition: one text per column.
    package mutating func append(_ row: [String]) {
        precondition(row.count == columns.count, "\(row.count) texts for \(columns.count) columns")
        rows.append(row)
    }

    /// Columns padded to the widest text, two spaces between them, each line behind `indent`.
    package func aligned(indent: String = "", showsTitles: Bool = true) -> String {
        let lines = (showsTitles ? [columns.map(\.title)] : []) + rows
        let widths = columns.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { line in
            let cells = columns.indices.map { padded(line[$0], to: widths[$0], columns[$0].alignment) }
            return indent + cells.joined(separator: "  ").trimmingTrailingSpaces + "\n"
        }.joined()
    }

    /// A table of GitHub's Markdown, padded so that it can be read as it is.
    package var markdown: String {
        let lines = ([columns.map(\.title)] + rows).map { $0.map(Self.escaped) }
        let widths = columns.indices.map { column in max(3, lines.map { $0[column].count }.max() ?? 0) }
        func line(_ cells: [String]) -> String {
            "| "
                + columns.indices.map { padded(cells[$0], to: widths[$0], columns[$0].alignment) }
                .joined(separator: " | ") + " |\n"
        }
        let rule = columns.indices.map { column in
            let dashes = String(repeating: "-", count: widths[column] - 1)
            return columns[column].alignment == .left ? dashes + "-" : dashes + ":"
        }
        return line(lines[0]) + "| \(rule.joined(separator: " | ")) |\n"
            + lines.dropFirst().map(line).joined()
    }

    private func padded(_ text: String, to width: Int, _ alignment: Alignment) -> String {
        let spaces = String(repeating: " ", count: max(0, width - text.count))
        return alignment == .left ? text + spaces : spaces + text
    }

    private static func escaped(_ text: String) -> String {
        text.split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
    }
}

extension String {
    fileprivate var trimmingTrailingSpaces: String {
        var text = self[...]
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
