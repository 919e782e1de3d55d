import Parameters

/// Every field of a pipeline file with what it allows, for a terminal.
package enum FieldTable {
    package static var text: String {
        let all = Experiment.documentation
        let top =
            all.filter { !$0.key.contains(".") } + [
                field("description", "text", "", "what the experiment is about, in a sentence"),
                field("seeds", "a list of different integers", "[0]", "each branch runs once per seed"),
                field(
                    "branches", "a map of names to changes", "{main: {}}",
                    "each changes any field below, by path"),
            ]
        var text = table(top)
        for section in ["network", "loss", "seed", "growth", "evaluation", "tune"] {
            let fields = all.filter { $0.key.hasPrefix("\(section).") }.map { field in
                var field = field
                field.key.removeFirst(section.count + 1)
                return field
            }
            text += "\n\(section):\(notes[section] ?? "")\n" + table(fields)
        }
        return text + "\nfinal:  as tune, after the last round; what is left out is as in tune\n"
    }

    private static let notes = [
        "network": "  or final-of BRANCH: the architecture that branch ended with",
        "tune": "  what is left out is as in seed",
    ]

    private static func field(_ key: String, _ allowed: String, _ value: String, _ help: String)
        -> FieldDescription
    {
        FieldDescription(key: key, allowed: allowed, defaultValue: value, help: help)
    }

    private static func table(_ fields: [FieldDescription]) -> String {
        let width = fields.map(\.key.count).max() ?? 0
        return fields.map { field in
            let padding = String(repeating: " ", count: width - field.key.count + 2)
            let value = field.defaultValue.map { $0.isEmpty ? "" : " (default \($0))" } ?? " (required)"
            return "  \(field.key)\(padding)\(field.help)\n"
                + "  \(String(repeating: " ", count: width))    \(field.allowed)\(value)\n"
        }.joined()
    }
}
