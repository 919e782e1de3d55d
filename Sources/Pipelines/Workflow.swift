import Artifacts
import Datasets
import Files
import Parameters

/// All steps of all pipelines; a step stands behind those it needs.
package struct Workflow: Sendable {
    package struct Plan: Sendable {
        package var pipeline: Pipeline
        /// By branch as in the file, then by seed.
        package var chains: [Chain]
    }

    package private(set) var steps: [Step] = []
    package private(set) var plans: [Plan] = []
    /// Pipelines without steps, since something is wrong with them.
    package private(set) var broken: [BrokenPipeline] = []
    private var twins: [Work: Int] = [:]

    /// What makes two steps the same work whatever their names.
    private struct Work: Hashable {
        var kind: StepKind
        var parameters: String
        var inputs: [String]
    }

    /// Reads all pipelines of a folder.
    ///
    /// What is wrong with one of them is kept in `broken`: a file that cannot be read, a dataset without a usable
    /// descriptor, a network or augmentation that does not fit its dataset.
    ///
    /// - Parameters:
    ///   - folder: of the pipelines, one .yaml each.
    ///   - data: the folder of the datasets' descriptors.
    /// - Throws: `PipelineError.noPipelines`.
    package init(folder: String, data: String) throws {
        let (pipelines, broken) = try Pipeline.all(in: folder)
        self.broken = broken
        var descriptors = Descriptors(folder: data)
        for pipeline in pipelines {
            var next = self
            do {
                try next.add(pipeline, &descriptors)
                var shapes = ShapeCheck()
                shapes.check(pipeline, datasets: descriptors.datasets)
                guard shapes.problems.isEmpty else { throw PipelineError.shapes(shapes.problems) }
                self = next
            } catch let error as any ReportableError {
                self.broken.append(BrokenPipeline(name: pipeline.name, error: error))
            }
        }
    }

    /// - Throws: what is wrong with a pipeline, or with the pipeline of a step, if it is broken.
    package func check(_ name: String) throws {
        let pipeline = name.prefix { $0 != "/" }
        if let broken = broken.first(where: { $0.name == String(pipeline) }) { throw broken.error }
    }

    /// - Throws: what is wrong with all broken pipelines.
    package func checkAll() throws {
        guard let first = broken.first?.error else { return }
        guard broken.count > 1 else { throw first }
        throw PipelineError.several(broken.flatMap { $0.error.messages })
    }

    /// The index of a step by its id.
    ///
    /// - Throws: `PipelineError.unknownStep`, or what is wrong with its pipeline.
    package func index(of id: String) throws -> Int {
        try check(id)
        if let index = steps.firstIndex(where: { $0.id == id }) { return index }
        throw PipelineError.unknownStep(id, suggestion: Spelling.nearest(to: id, among: steps.map(\.id)))
    }

    /// The pipelines of these names, in the order of the files; all if no name is given.
    ///
    /// - Throws: `PipelineError.unknownPipeline`, or what is wrong with one of them.
    package func plans(named names: [String]) throws -> [Plan] {
        for name in names {
            try check(name)
            guard plans.contains(where: { $0.pipeline.name == name }) else {
                throw PipelineError.unknownPipeline(name, known: plans.map(\.pipeline.name))
            }
        }
        return plans.filter { names.isEmpty || names.contains($0.pipeline.name) }
    }

    /// The first step that does this step's work: itself, or its twin.
    package func first(_ index: Int) -> Int { steps[index].twin ?? index }
}

// MARK: - Expansion

extension Workflow {
    private mutating func add(_ pipeline: Pipeline, _ descriptors: inout Descriptors) throws {
        var chains: [String: [Chain]] = [:]
        for branch in pipeline.branchesInOrderOfNeed {
            let descriptor = try descriptors.read(branch, of: pipeline)
            let settings = BranchSettings(branch, of: pipeline)
            chains[branch.name] = pipeline.seeds.enumerated().map { position, seed in
                let others = branch.needs.compactMap { need in
                    (chains[need.branch]?[position].lastNetwork).map {
                        Step.Input(name: StepKind.foreignInputs[need.key] ?? need.key, source: .step($0))
                    }
                }
                return addChain(pipeline.name, settings, seed: seed, descriptor, others)
            }
        }
        plans.append(Plan(pipeline: pipeline, chains: pipeline.branches.flatMap { chains[$0.name] ?? [] }))
    }

    /// One chain, as ``StepKind`` has it.
    ///
    /// - Parameter others: what the first training takes from chains of other branches.
    private mutating func addChain(
        _ pipeline: String, _ settings: BranchSettings, seed: Int, _ descriptor: Descriptor,
        _ others: [Step.Input]
    ) -> Chain {
        var chain: [Int] = []
        // The last step that made an artifact of each kind.
        var latest: [Kind: Int] = [:]
        func add(_ kind: StepKind, round: Int = 0, _ parameters: Tree, _ others: [Step.Input] = []) -> Int {
            let inputs = kind.inputs.compactMap { input in
                latest[input].map { Step.Input(name: input.rawValue, source: .step($0)) }
            }
            let index = append(
                Step(
                    pipeline: pipeline, branch: settings.branch, seed: seed, name: kind.name(round: round),
                    kind: kind, parameters: parameters, parametersJSON: parameters.canonicalJSON,
                    inputs: (inputs + others).sorted { $0.name < $1.name },
                    descriptor: kind == .dataset ? descriptor.path : nil), to: &chain)
            latest[kind.output] = index
            return index
        }
        _ = add(.dataset, settings.dataset, descriptor.inputs)
        var network = add(.seed, settings.seed(seed), others)
        for (index, round) in settings.rounds.enumerated() {
            _ = add(.bottlenecks, round: index + 1, round.bottlenecks(seed))
            _ = add(.grow, round: index + 1, round.growth(seed))
            network = add(.tune, round: index + 1, round.tune(seed))
        }
        let evaluation = add(.evaluation, settings.evaluation)
        return Chain(
            branch: settings.branch, seed: seed, steps: chain, lastNetwork: network, evaluation: evaluation)
    }

    private mutating func append(_ step: Step, to chain: inout [Int]) -> Int {
        var step = step
        let inputs = step.inputs.map { input in
            switch input.source {
            case .step(let index): "\(input.name)=\(first(index))"
            case .digest(let digest): "\(input.name)=\(digest)"
            }
        }
        let work = Work(kind: step.kind, parameters: step.parametersJSON, inputs: inputs)
        step.twin = twins[work]
        if step.twin == nil { twins[work] = steps.count }
        steps.append(step)
        chain.append(steps.count - 1)
        return steps.count - 1
    }
}

// MARK: - Descriptors

/// A dataset's descriptor as a step sees it.
struct Descriptor {
    var path: String
    var inputs: [Step.Input]
}

/// Reads each descriptor once.
private struct Descriptors {
    let folder: String
    private var known: [String: Descriptor] = [:]
    private(set) var datasets: [String: DatasetDescriptor] = [:]

    init(folder: String) { self.folder = folder }

    private static func isPlain(_ byte: UInt8) -> Bool {
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-".utf8.contains(byte)
    }

    mutating func read(_ branch: Pipeline.Branch, of pipeline: Pipeline) throws -> Descriptor {
        let name = branch.experiment.dataset.dataset
        if let descriptor = known[name] { return descriptor }
        let path = "\(folder)/\(name).yaml"
        // The path stands in a recipe.
        guard name.utf8.allSatisfy(Self.isPlain), FileSystem.entry(at: path) != nil else {
            throw ParameterError.notAChoice(
                Place(file: pipeline.file, path: "dataset"), found: name,
                allowed: ((try? FileSystem.names(in: folder)) ?? [])
                    .filter { $0.hasSuffix(".yaml") && !$0.hasPrefix(".") }.map { String($0.dropLast(5)) })
        }
        guard FileSystem.isFile(path) else { throw PipelineError.notAFile(path) }
        let dataset = try DatasetDescriptor(reading: path)
        let inputs = dataset.inputs.compactMap { name, text in
            Digest(text).map { Step.Input(name: name, source: .digest($0)) }
        }
        let descriptor = Descriptor(path: path, inputs: inputs)
        known[name] = descriptor
        datasets[name] = dataset
        return descriptor
    }
}
