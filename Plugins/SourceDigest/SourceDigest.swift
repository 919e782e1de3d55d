import Foundation
import PackagePlugin

/// Writes into every stage the digest of its sources and of all modules of this package that it uses.
///
/// A stage gets its own digest, the target `plan` those of all stages: planner and stages then agree on every
/// key.
@main
struct SourceDigest: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let package = context.package
        let stages = target.name == "plan" ? Self.stages(of: package) : [target]
        let closures = stages.map { Closure(of: $0, in: package) }
        let modules = Dictionary(closures.flatMap(\.modules).map { ($0.name, $0) }) { first, _ in first }
        let sorted = modules.values.sorted { $0.name < $1.name }

        let output = context.pluginWorkDirectoryURL.appending(path: "SourceDigests.swift")
        var arguments = ["generate", "--output", output.path, "--package", package.directoryURL.path]
        for module in sorted { arguments += ["--module", module.name] + module.files.map(\.path) }
        for closure in closures { arguments += ["--stage"] + closure.description }
        return [
            .buildCommand(
                displayName: "Digesting the sources of \(target.name)",
                executable: try context.tool(named: "source-digest").url, arguments: arguments,
                inputFiles: sorted.flatMap(\.files), outputFiles: [output])
        ]
    }

    /// The executables that use the module `Stages`, by name.
    private static func stages(of package: Package) -> [any Target] {
        package.targets.filter { target in
            (target as? any SourceModuleTarget)?.kind == .executable
                && target.recursiveTargetDependencies.contains { $0.name == "Stages" }
        }.sorted { $0.name < $1.name }
    }
}

/// The sources of one target.
private struct Module {
    let name: String
    let files: [URL]

    private static let extensions: Set = [
        "swift", "c", "cc", "cpp", "m", "h", "hpp", "inc", "S", "modulemap",
    ]

    init(_ target: any Target) {
        name = target.name
        // What editors and macOS hide is no source: the compiler passes it over too.
        let found = FileManager.default.enumerator(
            at: target.directoryURL, includingPropertiesForKeys: nil, options: .skipsHiddenFiles)
        files = (found?.compactMap { $0 as? URL } ?? [])
            .filter { Self.extensions.contains($0.pathExtension) }
            .sorted { $0.path < $1.path }
    }
}

/// Everything one stage is built from.
private struct Closure {
    let stage: String
    let modules: [Module]
    /// Other packages in use, as `yams@6.2.2`.
    let packages: [String]

    init(of target: any Target, in package: Package) {
        let own = Set(package.targets.map(\.id))
        let used = [target] + target.recursiveTargetDependencies
        stage = target.name
        modules = used.filter { own.contains($0.id) }.map(Module.init)
        let others = Set(used.map(\.id)).subtracting(own)
        packages = package.dependencies.map(\.package)
            .filter { $0.targets.contains { others.contains($0.id) } }
            .map { "\($0.id)@\(Self.version(of: $0))" }
    }

    var description: [String] {
        [stage] + modules.map(\.name).sorted() + packages.sorted().map { "package:\($0)" }
    }

    private static func version(of package: Package) -> String {
        switch package.origin {
        case .repository(_, let version, _), .registry(_, let version): version
        default: "local"
        }
    }
}
