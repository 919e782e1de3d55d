package import Artifacts
package import Files
import Parameters

/// Finds out which steps are done and which must run.
package struct Planner: Sendable {
    package let workflow: Workflow
    package let store: Store
    /// The digest of every stage's sources, by stage.
    let sources: [String: String]
    /// The numeric libraries, as in every key.
    let platform: String

    package init(workflow: Workflow, store: Store, sources: [String: String], platform: String) {
        self.workflow = workflow
        self.store = store
        self.sources = sources
        self.platform = platform
    }

    /// The digest of a stage's sources; a stage that the build does not know never matches a record.
    package func source(of stage: String) -> String { sources[stage] ?? "unknown" }

    /// `<artifacts>/<step>.h5`
    package func link(of step: Step) -> String { "\(store.root)/\(step.id).h5" }
    /// `<artifacts>/<step>.json`
    package func parametersFile(of step: Step) -> String { "\(store.root)/\(step.id).json" }

    /// The state of every step, in the order of `workflow.steps`. Changes nothing.
    ///
    /// - Throws: `ArtifactError.system` if a record cannot be read.
    /// - Complexity: a handful of system calls and one hash of about a kilobyte per step.
    package func survey() throws -> Survey {
        var survey = Survey(count: workflow.steps.count)
        for index in workflow.steps.indices {
            survey.append(try assess(index, survey))
        }
        return survey
    }

    func assess(_ index: Int, _ survey: Survey) throws -> Survey.Entry {
        let step = workflow.steps[index]
        if let twin = step.twin {
            var entry = survey[twin]
            entry.isLinked = isLinked(step, to: entry.output)
            return entry
        }
        var inputs: [String: Digest] = [:]
        for input in step.inputs {
            switch input.source {
            case .digest(let digest): inputs[input.name] = digest
            case .step(let other):
                guard let output = survey[other].output else { return .waiting }
                inputs[input.name] = output
            }
        }
        let parts = KeyParts(
            stage: step.kind.stage, source: source(of: step.kind.stage), platform: platform,
            parameters: step.parameters, inputs: inputs)
        let key = parts.key
        let record = try store.record(for: key)
        guard let record, record.parts == parts, store.isPresent(record.output, bytes: record.bytes) else {
            return Survey.Entry(parts: parts, key: key, record: record)
        }
        return Survey.Entry(
            parts: parts, key: key, record: record, output: record.output,
            isLinked: isLinked(step, to: record.output))
    }

    private func isLinked(_ step: Step, to output: Digest?) -> Bool {
        guard let output else { return false }
        return FileSystem.entry(at: link(of: step)) == .link(target: "../../store/\(output).h5")
    }
}

/// What is known about every step.
package struct Survey: Sendable {
    package struct Entry: Sendable {
        /// What the key is made of; nil while an input is not known.
        package var parts: KeyParts?
        /// The key of `parts`.
        package var key: StepKey?
        /// What the key's last run recorded, if there was one.
        package var record: RunRecord?
        /// The step's result; nil if it must be computed first.
        package var output: Digest?
        /// Whether the step's link points to the result.
        package var isLinked = false

        static let waiting = Entry()
    }

    package enum State: String, Sendable {
        /// Done, and the link says so.
        case fresh
        /// Known already; only the link is missing, or points elsewhere.
        case known
        /// All inputs are there; it must be computed.
        case due
        /// A step before it must be computed first.
        case waiting
    }

    private var entries: [Entry] = []

    init(count: Int) { entries.reserveCapacity(count) }

    mutating func append(_ entry: Entry) { entries.append(entry) }

    package subscript(index: Int) -> Entry { entries[index] }

    package func state(_ index: Int) -> State {
        let entry = entries[index]
        if entry.output != nil { return entry.isLinked ? .fresh : .known }
        return entry.parts == nil ? .waiting : .due
    }
}
