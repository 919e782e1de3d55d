import Files
package import Parameters

/// One experiment of several branches, each run with several seeds: the content of pipelines/<name>.yaml.
package struct Pipeline: Equatable, Sendable {
    package struct Branch: Equatable, Sendable {
        package var name: String
        package var experiment: Experiment
        /// Whether the branch itself says how long its first network is trained.
        var setsSeedEpochs: Bool
        /// The file's sections with the branch's changes laid over them, and these alone: for the places of messages about
        /// what only the dataset tells.
        var tree: Tree
        var changes: Tree

        /// The branches whose chains must end first, with the key that says so.
        var needs: [(key: String, branch: String)] {
            var needs: [(key: String, branch: String)] = []
            if case .finalOf(let other) = experiment.start { needs.append(("network", other)) }
            if let other = experiment.costOf { needs.append(("cost", other)) }
            return needs
        }
    }

    /// The file's name without `.yaml`; the folder below artifacts/.
    package var name: String
    package var file: String
    package var description: String
    /// As in the file.
    package var branches: [Branch]
    package var seeds: [Int]

    /// The most chains (branches times seeds) a pipeline may have.
    static let maximumChains = 10_000
}

extension Pipeline {
    /// Reads pipelines/<name>.yaml.
    ///
    /// - Throws: `ParameterError` with the line, `PipelineError.invalidName` for the file's own name.
    package init(reading file: String) throws {
        try self.init(Document(yamlFile: file))
    }

    init(_ document: Document) throws {
        let name = try PipelineName.of(document.file)
        self = try Fields.reading(document) {
            try Self(fields: &$0, tree: document.tree, name: name, file: document.file)
        }
    }

    private init(fields: inout Fields, tree: Tree, name: String, file: String) throws {
        self.name = name
        self.file = file
        description = try fields.read(
            "description", .text, default: "", "what the experiment is about, in a sentence")
        _ = try Experiment(fields: &fields)
        seeds = try Self.seeds(&fields)
        let overrides = fields.tree("branches")
        var base = tree
        for key in ["description", "branches", "seeds"] { base[key] = nil }
        branches = try BranchReader(file: file, base: base).branches(overrides, &fields)
        if branches.count * seeds.count > Self.maximumChains {
            fields.refuse(
                "seeds", found: "\(branches.count) branches with \(seeds.count) seeds",
                allowed: "at most \(Self.maximumChains) together")
        }
    }

    private static func seeds(_ fields: inout Fields) throws -> [Int] {
        let seeds = try fields.read(
            "seeds", .integers(in: 0...Int(Int32.max), count: 1...1000), default: [0],
            "each branch runs once per seed")
        var seen: Set<Int> = []
        for seed in seeds where !seen.insert(seed).inserted {
            fields.refuse("seeds", found: "\(seed) twice", allowed: "different numbers")
        }
        return seeds
    }

    /// The branch's last network before evaluation comes from the same seed's chain of this branch.
    package func branch(named name: String) -> Branch? { branches.first { $0.name == name } }
}

/// Names that can stand in paths and in make's command line.
enum PipelineName {
    /// Targets of the Makefile and folders of artifacts/.
    static let reserved: Set<String> = [
        "all", "artifacts", "bench", "bench-peers", "build", "check-results", "clean", "data", "distclean",
        "docs", "explain",
        "fields", "force", "gc", "graph", "help", "interop", "lint", "list", "pipelines", "pull", "push",
        "report", "rerun", "runs", "setup", "store",
        "test", "verify",
    ]

    static let allowed = "lower-case letters, digits and dashes, beginning with a letter, at most 64"

    static func isValid(_ name: String) -> Bool {
        guard let first = name.utf8.first, name.utf8.count <= 64, !name.hasSuffix("-") else { return false }
        return isLetter(first)
            && name.utf8.allSatisfy { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
    }

    /// The pipeline's name is its file's.
    static func of(_ file: String) throws -> String {
        let last = file.split(separator: "/").last.map(String.init) ?? file
        let name = last.hasSuffix(".yaml") ? String(last.dropLast(5)) : last
        guard isValid(name), last.hasSuffix(".yaml") else {
            throw PipelineError.invalidName(file: file, name: name, allowed: "\(allowed), and .yaml")
        }
        guard !reserved.contains(name) else {
            throw PipelineError.invalidName(
                file: file, name: name, allowed: "a name that is not a target of make")
        }
        return name
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }
    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
    }
}

/// A pipeline that cannot be read, or that does not fit its datasets; the others are made without it.
package struct BrokenPipeline: Sendable {
    /// Nil where the file's name cannot be a pipeline's.
    package var name: String?
    package var error: any ReportableError
}

extension Pipeline {
    /// Reads every .yaml file of a folder, in the order of their names.
    ///
    /// - Returns: the pipelines, and what is wrong with each file that is none: a .yml among them, which would be missed
    ///   only much later if it were passed over in silence.
    /// - Throws: `PipelineError.noPipelines`.
    static func all(in folder: String) throws -> (pipelines: [Pipeline], broken: [BrokenPipeline]) {
        var pipelines: [Pipeline] = []
        var broken: [BrokenPipeline] = []
        for name in (try? FileSystem.names(in: folder)) ?? []
        // A dot in front is for files of editors and systems.
        where !name.hasPrefix(".") && [".yml", ".yaml"].contains(where: name.lowercased().hasSuffix) {
            let file = "\(folder)/\(name)"
            let stem = String(name.prefix(upTo: name.lastIndex(of: ".") ?? name.endIndex))
            do {
                guard name.hasSuffix(".yaml") else {
                    throw PipelineError.otherEnding(file: file, expected: "\(stem).yaml")
                }
                guard FileSystem.isFile(file) else { throw PipelineError.notAFile(file) }
                pipelines.append(try Pipeline(reading: file))
            } catch let error as any ReportableError {
                broken.append(
                    BrokenPipeline(name: (try? PipelineName.of("\(stem).yaml")) ?? nil, error: error))
            }
        }
        guard !pipelines.isEmpty || !broken.isEmpty else { throw PipelineError.noPipelines(path: folder) }
        return (pipelines, broken)
    }
}
