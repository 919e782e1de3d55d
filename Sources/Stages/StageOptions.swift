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
        let settings = try settings()
        var document = Document(defaults, file: "--set")
        if let parameters {
            guard FileManager.default.fileExists(atPath: parameters) else {
                throw StageError.missingFile(option: "--parameters", path: parameters)
            }
            document = try Document(yamlFile: parameters)
            document.tree = P.schema.merged(document.tree, over: defaults)
        }
        for setting in settings {
            var change = Tree.empty
            change[setting.path] = setting.value
            document.tree = P.schema.merged(change, over: document.tree)
        }
        do {
            return try Fields.reading(document) { try P(fields: &$0) }
        } catch let error as ParameterError {
            // What stands in no line of the file was set: the last setting of the path, or of a map around it.
            throw error.placed { place in
                guard place.line == nil, let setting = settings.last(where: { $0.holds(place.path) }) else {
                    return place
                }
                return Place(file: setting.name, path: place.path)
            }
        }
    }

    private func settings() throws -> [Setting] {
        var settings: [Setting] = []
        var errors: [ParameterError] = []
        for text in set {
            do {
                settings.append(try Setting(text))
            } catch let error as ParameterError {
                errors.append(error)
            }
        }
        guard errors.isEmpty else { throw errors.count == 1 ? errors[0] : .several(errors) }
        return settings
    }

    /// `--set path=value`
    private struct Setting {
        /// As a message names it.
        let name: String
        let path: String
        /// Without lines: it stands in no file.
        let value: Tree

        /// - Throws: `StageError.invalidSetting`, `ParameterError` for a value that is not YAML.
        init(_ text: String) throws {
            let short = text.count <= 120 ? text : "\(text.prefix(117))…"
            guard let sign = text.firstIndex(of: "="), sign != text.startIndex,
                Tree.isPath(String(text[..<sign]))
            else {
                throw StageError.invalidSetting(short)
            }
            name = "--set \(short)"
            path = String(text[..<sign])
            value = try Tree(yaml: String(text[text.index(after: sign)...]), file: name)
                .withoutLines
        }

        func holds(_ other: String) -> Bool {
            other == path || other.hasPrefix("\(path).") || other.hasPrefix("\(path)[")
        }
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
