package import Artifacts
package import Files
internal import Foundation
package import HDF5
package import Parameters
internal import Tensors

/// What a stage's work gives.
package enum StageOutput {
    /// A new artifact: everything but its header.
    case content(Group)
    /// The input of this name, as it is: there was nothing to do.
    case unchanged(input: String)
}

/// What a stage's work gets.
package struct StageContext<P: ParameterSet> {
    package let parameters: P
    package let threads: Int
    package let progress: ProgressReporter
    /// By name: where to read each input, hashed already.
    fileprivate let paths: [String: (given: String, path: String)]
    fileprivate let digests: [String: Digest]

    /// Opens an input that must be an artifact of this kind, and hands it to `body`.
    ///
    /// - Throws: `StageError.wrongKind`, `HDF5Error`, what `body` throws.
    package func read<Result>(
        _ name: String, _ kind: Kind, _ body: (borrowing File) throws -> Result
    ) throws -> Result {
        guard let input = paths[name] else { preconditionFailure("the stage has no input '\(name)'") }
        let file = try File(reading: input.path)
        let header = try Header(reading: file)
        guard header.kind == kind else {
            throw StageError.wrongKind(
                option: "--\(name)", path: input.given, found: header.kind.rawValue, expected: kind.rawValue)
        }
        return try body(file)
    }

    /// Checks that an input was made from the very files given as these other inputs.
    ///
    /// - Throws: `StageError.otherOrigin`, `HDF5Error`.
    package func check(_ name: String, isMadeFrom others: [String]) throws {
        guard let input = paths[name] else { preconditionFailure("the stage has no input '\(name)'") }
        let header = try Header(reading: File(reading: input.path))
        for other in others {
            guard let given = digests[other], let used = header.inputs[other], given != used else { continue }
            throw StageError.otherOrigin(
                option: "--\(name)", path: input.given, name: other, expected: given.description,
                found: used.description)
        }
    }
}

/// A stage: parameters and inputs in, one artifact out.
///
/// With `--artifacts` the result is published in the store under its key; without, it is a plain file.
package struct Stage<P: ParameterSet> {
    private let name: String
    private let source: String
    private let kind: Kind

    /// - Parameters:
    ///   - name: the executable's name.
    ///   - sources: the table the build writes into every stage.
    ///   - kind: of the artifact it makes.
    package init(_ name: String, sources: [String: String], kind: Kind, parameters: P.Type = P.self) {
        self.name = name
        source = sources[name] ?? "unknown"
        self.kind = kind
    }

    /// Resolves parameters and inputs, does the work unless its result is known, and publishes.
    ///
    /// - Parameters:
    ///   - inputs: input files by the name of their option.
    ///   - defaults: parameters that the command line implies.
    ///   - digests: the digests of inputs that are not artifacts, by name.
    ///   - work: the stage's one function.
    package func run(
        _ options: StageOptions, inputs: [String: String], defaults: Tree = .empty,
        digests: [String: Digest] = [:],
        work: (StageContext<P>) throws -> StageOutput
    ) throws {
        try reportingErrors(of: name) {
            try Platform.start()
            let parameters = try options.read(P.self, defaults: defaults)
            try checkOutput(options, inputs)
            let stopwatch = Stopwatch(threads: options.threads, libraries: Self.libraries)
            if let artifacts = options.artifacts {
                try runInStore(
                    Store(root: artifacts), options, parameters, inputs, digests, stopwatch, work)
            } else {
                try runAlone(options, parameters, inputs, digests, work)
            }
        }
    }

    /// Refuses an output that would cost the work, or an input, when it is done.
    private func checkOutput(_ options: StageOptions, _ inputs: [String: String]) throws {
        // In a store, what stands in a link's place is moved aside.
        if options.artifacts == nil, FileSystem.isFolder(options.output) {
            throw StageError.cannotWrite(
                path: options.output, reason: "it is a folder; give the name of a file")
        }
        func place(_ path: String) -> String {
            // Links count as themselves: an output may be a link to what an input links to.
            let url = URL(filePath: path)
            return url.deletingLastPathComponent().resolvingSymlinksInPath().appending(
                path: url.lastPathComponent
            ).path
        }
        for (name, path) in inputs.sorted(by: { $0.key < $1.key }) where place(path) == place(options.output)
        {
            throw StageError.outputIsInput(option: "--\(name)", path: options.output)
        }
    }

    private static var libraries: [String: String] {
        Platform.libraries.merging(["HDF5": File.libraryVersion]) { $1 }
    }

    private typealias Inputs = [String: (given: String, path: String)]

    // MARK: Into the store

    private func runInStore(
        _ store: Store, _ options: StageOptions, _ parameters: P, _ inputs: [String: String],
        _ known: [String: Digest], _ stopwatch: Stopwatch, _ work: (StageContext<P>) throws -> StageOutput
    ) throws {
        var digests = known
        var paths: Inputs = [:]
        for (input, given) in inputs.sorted(by: { $0.key < $1.key }) {
            let found = try store.input(at: given)
            digests[input] = found.digest
            paths[input] = (given, found.path)
        }
        let parts = KeyParts(
            stage: name, source: source, platform: Platform.identifier,
            parameters: parameters.tree, inputs: digests)
        let link = options.output
        try store.withLock(on: parts, publishingTo: link) { lock in
            let before = try store.record(for: parts.key)
            try PlainFile.makeWay(for: Self.logPath(link))
            if !options.rerun, let before, try store.relink(lock, to: before) {
                ProgressReporter(stage: name, logPath: Self.logPath(link)).line(
                    "known already: \(before.output)")
                return
            }
            let logPath = Self.logPath(link)
            try? FileManager.default.removeItem(atPath: logPath)
            let progress = ProgressReporter(stage: name, logPath: logPath)
            defer { progress.clear() }
            do {
                let context = StageContext(
                    parameters: parameters, threads: options.threads, progress: progress, paths: paths,
                    digests: digests)
                let record: RunRecord
                switch try work(context) {
                case .content(let content):
                    let complete = withHeader(content, parameters, digests)
                    record = try store.publish(lock, stopwatch: stopwatch) { try complete.write(to: $0) }
                case .unchanged(let input):
                    guard let output = digests[input] else { preconditionFailure("no input '\(input)'") }
                    if let path = paths[input]?.path, path != store.objectPath(output) {
                        // A plain file, or another store's object: this store gets a copy.
                        record = try store.publish(lock, stopwatch: stopwatch) {
                            try FileManager.default.copyItem(atPath: path, toPath: $0)
                        }
                    } else {
                        record = try store.publishUnchanged(lock, output: output, stopwatch: stopwatch)
                    }
                }
                progress.line(Self.summary(record))
                if options.rerun { try compare(before, record, link, progress) }
            } catch {
                progress.line("error: \(error)")
                throw error
            }
        }
    }

    private func compare(
        _ before: RunRecord?, _ now: RunRecord, _ link: String, _ progress: ProgressReporter
    ) throws {
        guard let before else { return print("\(name): \(link): ran for the first time: \(now.output)") }
        guard before.output == now.output else {
            throw StageError.notReproducible(
                output: link, before: before.output.description, now: now.output.description)
        }
        print("\(name): \(link): the same bytes as before: \(now.output)")
    }

    private static func logPath(_ link: String) -> String {
        (link.hasSuffix(".h5") ? String(link.dropLast(3)) : link) + ".log"
    }

    private static func summary(_ record: RunRecord) -> String {
        let seconds = String(format: "%.2f s", record.measurements.seconds)
        let memory = String(format: "%.0f MiB", Double(record.measurements.peakMemoryBytes) / 1_048_576)
        return record.unchanged
            ? "nothing to do, the output is the input: \(record.output) (\(seconds))"
            : "done: \(record.output) (\(seconds), at most \(memory))"
    }

    // MARK: On its own

    private func runAlone(
        _ options: StageOptions, _ parameters: P, _ inputs: [String: String], _ known: [String: Digest],
        _ work: (StageContext<P>) throws -> StageOutput
    ) throws {
        var digests = known
        var paths: Inputs = [:]
        for (input, given) in inputs.sorted(by: { $0.key < $1.key }) {
            guard FileManager.default.fileExists(atPath: given) else {
                throw StageError.missingFile(option: "--\(input)", path: given)
            }
            digests[input] = try Digest(ofFile: given)
            paths[input] = (given, given)
        }
        let progress = ProgressReporter(stage: name, logPath: nil)
        defer { progress.clear() }
        let context = StageContext(
            parameters: parameters, threads: options.threads, progress: progress, paths: paths,
            digests: digests)
        switch try work(context) {
        case .content(let content):
            let complete = withHeader(content, parameters, digests)
            try PlainFile.publish(at: options.output) { try complete.write(to: $0) }
        case .unchanged(let input):
            guard let path = paths[input]?.path else { preconditionFailure("no input '\(input)'") }
            progress.line("nothing to do, the output is the input")
            try PlainFile.publish(at: options.output) {
                try FileManager.default.copyItem(atPath: path, toPath: $0)
            }
        }
    }

    private func withHeader(_ content: Group, _ parameters: P, _ digests: [String: Digest]) -> Group {
        var complete = content
        let header = Header(kind: kind, stage: name, parameters: parameters.tree, inputs: digests)
        complete.attributes.merge(header.attributes) { $1 }
        return complete
    }
}
