internal import Parameters

/// Compares a results.csv with one that was kept.
///
/// On the same platform networks and evaluations must be the same bytes. On another one chains must have as many
/// parameters, FLOPs and epochs up to what another choice of neurons makes of them, and accuracies may differ by as
/// much as seeds do.
package struct ResultsCheck {
    /// In which columns rows may differ on another platform, and by how much: relative, or in the units of the column.
    private static let tolerances: [(column: String, relative: Double, absolute: Double)] = [
        ("parameters", 0.1, 0), ("training_flops", 0.1, 0), ("epochs", 0, 0), ("test_accuracy", 0, 0.01),
        ("validation_accuracy", 0, 0.01),
    ]
    /// The columns that say everything on the same platform.
    private static let exact = ["network_sha256", "evaluation_sha256"]

    /// What differs, a sentence for each row; empty where all is well.
    package let problems: [String]

    /// - Parameters:
    ///   - found: the text of the results.csv of a run.
    ///   - kept: of the one to compare with; chains that only `found` has are no problem.
    package init(found: String, kept: String) {
        let rows = Self.rows(found)
        problems = Self.rows(kept).flatMap { name, row in
            guard let own = rows.first(where: { $0.name == name })?.row else {
                return ["\(name): was not run"]
            }
            if own["platform"] == row["platform"] {
                return Self.exact.filter { own[$0] != row[$0] }.map {
                    "\(name): \($0) is \(own[$0] ?? ""), was \(row[$0] ?? "")"
                }
            }
            return Self.tolerances.compactMap { column, relative, absolute in
                guard let now = own[column].flatMap(Double.init), let then = row[column].flatMap(Double.init),
                    abs(now - then) <= relative * abs(then) + absolute
                else {
                    return
                        "\(name): \(column) is \(own[column] ?? "missing"), was \(row[column] ?? "missing")"
                }
                return nil
            }
        }
    }

    /// `branch-seed` and the row's fields by column. No field that is read here has commas or quotes in it.
    private static func rows(_ text: String) -> [(name: String, row: [String: String])] {
        let lines = text.split(separator: "\n").map {
            $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
        return lines.dropFirst().map { line in
            let row = Dictionary(zip(lines[0], line), uniquingKeysWith: { first, _ in first })
            return ("\(row["branch"] ?? "")-\(row["seed"] ?? "")", row)
        }
    }
}
