import Artifacts
import Parameters

/// What writing a plan changed.
package struct PlanSummary: Equatable, Sendable {
    /// Steps that make must run because their result is not known.
    package var due = 0
    /// Steps behind those.
    package var waiting = 0
    /// Links that were made anew for results that are known.
    package var relinked = 0
    /// Files that were written because their content changed.
    package var written = 0
}

extension Planner {
    /// Makes the artifacts folder say what must run, for make to read.
    ///
    /// Parameter files and plan.mk are written where their content changed. A step whose result is known gets its link,
    /// newer than everything it is made of; a step that must run gets a parameter file newer than its link. Links to
    /// objects that are gone are removed, since make takes them for files.
    ///
    /// - Throws: `ArtifactError` if the folder cannot be read or written.
    @discardableResult
    package func writePlan() throws -> PlanSummary {
        let survey = try survey()
        var summary = PlanSummary()
        var times = LinkTimes(planner: self, survey: survey)
        for index in workflow.steps.indices {
            let step = workflow.steps[index]
            let parameters = parametersFile(of: step)
            if try PlainFile.write(step.parametersJSON + "\n", to: parameters) { summary.written += 1 }
            let entry = survey[index]
            switch survey.state(index) {
            case .fresh, .known:
                guard let record = entry.record, let parts = entry.parts else { continue }
                if entry.isLinked, times.isSettled(index, parameters: parameters) { continue }
                _ = try store.withLock(on: parts, publishingTo: link(of: step)) {
                    try store.relink($0, to: record)
                }
                times.forget(index)
                summary.relinked += 1
            case .due, .waiting:
                removeDanglingLink(of: step)
                if entry.parts == nil {
                    summary.waiting += 1
                } else {
                    makeOlder(link(of: step), than: parameters)
                    summary.due += 1
                }
            }
        }
        for plan in workflow.plans where try writeReportParameters(plan, survey: survey) {
            summary.written += 1
        }
        if try PlainFile.write(makeFragment, to: "\(store.root)/plan.mk") { summary.written += 1 }
        return summary
    }

    private func removeDanglingLink(of step: Step) {
        let link = link(of: step)
        guard Files.target(ofLink: link) != nil, Files.file(at: link) == nil else { return }
        Files.remove(link)
    }

    /// Lets make see that a step must run.
    private func makeOlder(_ link: String, than parameters: String) {
        guard let linked = Files.time(of: link) else { return }
        Files.touch(parameters)
        guard let touched = Files.time(of: parameters), linked >= touched else { return }
        // A link from the same tick of the clock, or from a clock that ran ahead.
        Files.setTime(ofLink: link, to: touched.before)
    }
}

/// The times that make compares: of a link, the later of its own and its object's (`--check-symlink-times`).
private struct LinkTimes {
    private let planner: Planner
    private let survey: Survey
    private var times: [Files.Time?]

    init(planner: Planner, survey: Survey) {
        self.planner = planner
        self.survey = survey
        times = [Files.Time?](repeating: nil, count: planner.workflow.steps.count)
    }

    /// Whether a linked step looks done to make: no input and not its parameters are newer.
    mutating func isSettled(_ index: Int, parameters: String) -> Bool {
        guard let own = time(index), let written = Files.time(of: parameters), written <= own else {
            return false
        }
        return planner.workflow.steps[index].inputs.allSatisfy { input in
            guard case .step(let other) = input.source else { return true }
            return time(other).map { $0 <= own } ?? false
        }
    }

    /// To be called when a link was made anew.
    mutating func forget(_ index: Int) { times[index] = nil }

    private mutating func time(_ index: Int) -> Files.Time? {
        if let time = times[index] { return time }
        let link = planner.link(of: planner.workflow.steps[index])
        guard let own = Files.time(of: link), let object = survey[index].objectTime else { return nil }
        times[index] = max(own, object)
        return times[index]
    }
}
