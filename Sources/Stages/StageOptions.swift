package import ArgumentParser
internal import Foundation
package import Parameters

/// The options every stage has.
package struct StageOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The stage's parameters, JSON or YAML.", valueName: "file"))
    package var parameters: String?

    @Option(
        help: ArgumentHelp("Set one parameter, as in training.epochs=3. Repeatable.", valueName: "path=value")
    )
    package var set: [String] = []

    @Option(help: ArgumentHelp("Where the result goes.", valueName: "file.h5"))
    package var output: String

    @Option(
        help: ArgumentHelp(
            "Keep the result in this folder's store and make the output a link to it; "
                + "work done before with equal parameters and inputs is not done again.",
            valueName: "folder"))
    package var artifacts: String?

    @Option(help: "Threads to compute with. The result does not depend on it.")
    package var threads: Int = ProcessInfo.processInfo.activeProcessorCount

    @Flag(help: "Do the work although its result is known, and compare.")
    package var rerun = false

    package init() {}

    package func validate() throws {
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads must be in 1...1024, not \(threads)")
        }
        guard artifacts != nil || !rerun else {
            throw ValidationError("--rerun compares with what a store holds; give --artifacts too")
        }
    }

    /// Reads the parameters, every default filled in.
    ///
    /// - Throws: `ParameterError`, `StageError` for a `--set` that is not `path=value`.
    func read<P: ParameterSet>(_ type: P.Type, defaults: Tree) throws -> P {
        var tree = defaults
        if let parameters {
            guard FileManager.default.fileExists(atPath: parameters) else {
                throw StageError.missingFile(option: "--parameters", path: parameters)
            }
            tree = try Tree(yamlFile: parameters).merged(over: defaults)
        }
        for setting in set {
            guard let sign = setting.firstIndex(of: "="), sign != setting.startIndex else {
                throw StageError.invalidSetting(setting)
            }
            let value = String(setting[setting.index(after: sign)...])
            tree[String(setting[..<sign])] = try Tree(yaml: value, file: "--set \(setting)")
        }
        return try P(tree: tree, file: parameters ?? "--set")
    }
}

extension ParameterSet {
    /// What a stage's `--help` says about its parameters.
    package static var help: String {
        let fields = documentation
        let width = fields.map(\.key.count).max() ?? 0
        return "PARAMETERS (--parameters FILE, or --set path=value):\n"
            + fields.map { field in
                "  " + field.key.padding(toLength: width + 2, withPad: " ", startingAt: 0)
                    + "\(field.allowed)"
                    + (field.defaultValue.map { " (default \($0))" } ?? "") + ": \(field.help)"
            }.joined(separator: "\n")
    }
}
