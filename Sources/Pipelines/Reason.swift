package import Artifacts
package import Files

/// Why a step is not fresh.
package enum Reason: Equatable, Sendable, CustomStringConvertible {
    case neverRan
    /// The link is there, but nothing is recorded about the run that made its object.
    case notRecorded
    /// Against the run that made what the link points to.
    case changed([Difference])
    case objectMissing(Digest)
    case objectTruncated(Digest, bytes: Int, expected: Int)
    /// The record under the step's key tells of another step's result.
    case recordElsewhere(Digest)
    case linkMissing
    case linkElsewhere
    /// The steps before it that must be computed, by id.
    case waits([String])

    package var description: String {
        switch self {
        case .neverRan: "it never ran"
        case .notRecorded: "nothing is recorded about the run that made it"
        case .changed(let differences): differences.map(\.description).joined(separator: "; ")
        case .objectMissing(let digest): "its result \(digest.hexadecimal.prefix(12)) is gone from the store"
        case .objectTruncated(let digest, let bytes, let expected):
            "its result \(digest.hexadecimal.prefix(12)) has \(bytes) bytes instead of \(expected)"
        case .recordElsewhere(let digest):
            "its record names \(digest.hexadecimal.prefix(12)), which another step made"
        case .linkMissing: "its result is known, its link is missing"
        case .linkElsewhere: "its result is known, its link points to another one"
        case .waits(let steps):
            "waits for \(steps.prefix(2).joined(separator: ", "))"
                + (steps.count > 2 ? " and \(steps.count - 2) more" : "")
        }
    }
}

/// The past runs, looked up by what they made.
package struct RunHistory: Sendable {
    private var runs: [Digest: [RunRecord]] = [:]

    /// - Complexity: reads every record once.
    package init(of store: Store) throws {
        for record in try store.records().values { runs[record.output, default: []].append(record) }
    }

    /// The run that made what a step's link points to: of several, the one that differs least from `parts`.
    func run(that made: Digest, stage: String, nearest parts: KeyParts?) -> RunRecord? {
        let candidates = (runs[made] ?? []).filter { $0.parts.stage == stage }
        guard let parts else { return candidates.max { $0.measurements.start < $1.measurements.start } }
        return candidates.min { distance($0, parts) < distance($1, parts) }
    }

    private func distance(_ record: RunRecord, _ parts: KeyParts) -> Int {
        Difference.between(record.parts, parts).count
    }
}

extension Planner {
    /// Why a step is not fresh; nil if it is.
    package func reason(_ index: Int, _ survey: Survey, _ history: RunHistory) -> Reason? {
        let step = workflow.steps[index]
        let entry = survey[index]
        let linked = try? store.digest(ofLink: link(of: step))
        switch survey.state(index) {
        case .fresh: return nil
        case .known: return linked == nil ? .linkMissing : .linkElsewhere
        case .waiting: return .waits(roots(of: index, survey).map { workflow.steps[$0].id })
        case .due: break
        }
        if let record = entry.record {
            guard case .file(let found) = FileSystem.entry(at: store.objectPath(record.output)) else {
                return .objectMissing(record.output)
            }
            guard found == record.bytes else {
                return .objectTruncated(record.output, bytes: found, expected: record.bytes)
            }
            return .recordElsewhere(record.output)
        }
        guard let linked else { return .neverRan }
        guard let parts = entry.parts,
            let last = history.run(that: linked, stage: step.kind.stage, nearest: parts)
        else {
            return .notRecorded
        }
        return .changed(Difference.between(last.parts, parts))
    }

    /// The steps that keep a waiting step from running, and wait for nothing themselves.
    func roots(of index: Int, _ survey: Survey) -> [Int] {
        var found: Set<Int> = []
        var seen: Set<Int> = []
        func visit(_ index: Int) {
            guard seen.insert(index).inserted else { return }
            for input in workflow.steps[index].inputs {
                guard case .step(let other) = input.source else { continue }
                switch survey.state(other) {
                case .due: found.insert(workflow.first(other))
                case .waiting: visit(other)
                case .fresh, .known: break
                }
            }
        }
        visit(workflow.first(index))
        return found.sorted()
    }
}
