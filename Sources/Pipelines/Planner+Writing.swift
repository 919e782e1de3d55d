import Artifacts
package import Files

/// What planning found and changed: all that make's rules are made from.
package struct WrittenPlan: Sendable {
    package fileprivate(set) var summary = PlanSummary()
    package fileprivate(set) var survey: Survey
    /// Pipelines whose report is as it would be written now.
    package fileprivate(set) var freshReports: Set<String> = []
    /// Results in use whose files somebody wrote to since they were published or last hashed.
    package fileprivate(set) var changedObjects: [Digest] = []
}

/// How much planning changed.
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
    /// Brings the artifacts folder up to date with what is known.
    ///
    /// Parameter files are written where their content changed, and a step whose result is known gets its link. No time
    /// of any file is looked at: what must run is told by `makeRules`.
    ///
    /// - Throws: `ArtifactError` if the folder cannot be read or written.
    package func writePlan() throws -> WrittenPlan {
        var plan = WrittenPlan(survey: Survey(count: workflow.steps.count))
        // In a folder that cannot be written, what is there can still be looked at.
        if !workflow.steps.isEmpty { try? store.mark() }
        for pipeline in workflow.plans {
            for chain in pipeline.chains {
                try store.makeFolder(of: link(of: workflow.steps[chain.evaluation]))
            }
            try store.makeFolder(of: "\(reportFolder(pipeline))/\(ReportFiles.parameters)")
        }
        var checked: Set<StepKey> = []
        for (index, step) in workflow.steps.enumerated() {
            if try PlainFile.write(step.parametersJSON + "\n", to: parametersFile(of: step)) {
                plan.summary.written += 1
            }
            var entry = try assess(index, plan.survey)
            if entry.output != nil { try link(step, &entry, &checked, &plan.summary) }
            plan.survey.append(entry)
            switch plan.survey.state(index) {
            case .fresh, .known: break
            case .due: plan.summary.due += 1
            case .waiting: plan.summary.waiting += 1
            }
        }
        for pipeline in workflow.plans {
            if try writeReportParameters(pipeline) { plan.summary.written += 1 }
            if isReportFresh(pipeline, plan.survey) { plan.freshReports.insert(pipeline.pipeline.name) }
        }
        plan.changedObjects = changedObjects(plan.survey)
        return plan
    }

    /// Makes a known result's link, unless it is there; a result that is not what its record says counts as unknown.
    private func link(
        _ step: Step, _ entry: inout Survey.Entry, _ checked: inout Set<StepKey>, _ summary: inout PlanSummary
    ) throws {
        guard let record = entry.record, let parts = entry.parts, let key = entry.key else { return }
        if entry.isLinked { return store.noteUse(of: key) }
        entry.isLinked = try store.withLock(on: parts, publishingTo: link(of: step)) {
            try store.relink($0, to: record, isChecked: checked.contains(key))
        }
        if entry.isLinked {
            checked.insert(key)
            summary.relinked += 1
        } else {
            entry.output = nil
        }
    }

    /// One record that fits is enough: where several steps gave the same bytes, the others tell of an earlier file.
    private func changedObjects(_ survey: Survey) -> [Digest] {
        var isChanged: [Digest: Bool] = [:]
        for (index, step) in workflow.steps.enumerated() where step.twin == nil {
            let entry = survey[index]
            guard let output = entry.output, let record = entry.record, let key = entry.key else { continue }
            isChanged[output] = isChanged[output] != false && store.looksChanged(record, key: key)
        }
        return isChanged.filter(\.value).keys.sorted()
    }
}
