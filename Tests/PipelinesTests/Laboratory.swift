import Artifacts
import Files
import Foundation
import HDF5
import Parameters
import Testing

@testable import Pipelines

/// A folder with pipelines, a descriptor and artifacts, and stages that only pretend: a step's result is what its key
/// is made of.
final class Laboratory {
    let folder: String
    var sources = Dictionary(
        uniqueKeysWithValues: (StepKind.allCases.map(\.stage) + ["report"]).map { ($0, "source") })
    /// What the results of a stage hold besides parameters and inputs.
    var outcome: [String: String] = [:]

    static let small = """
        dataset: digits
        network: {widths: [4, 4]}
        growth: {rounds: 2}
        tune: {epochs: 2}
        branches:
          tiny-joint: {}
          random: {growth.method: random}
          large: {growth.rounds: 0, network: final-of tiny-joint}
        seeds: [0, 1]
        """

    init(_ yaml: String = small) throws {
        folder = NSTemporaryDirectory() + "meristem-" + UUID().uuidString
        for name in ["pipelines", "data"] {
            try FileManager.default.createDirectory(
                atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        }
        let package = URL(filePath: #filePath).appending(path: "../../..").standardizedFileURL.path
        try FileManager.default.copyItem(
            atPath: "\(package)/data/digits.yaml", toPath: "\(folder)/data/digits.yaml")
        try write(yaml)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    var store: Store { Store(root: "\(folder)/artifacts") }

    func write(_ yaml: String, pipeline: String = "small") throws {
        try yaml.write(toFile: "\(folder)/pipelines/\(pipeline).yaml", atomically: true, encoding: .utf8)
    }

    /// - Throws: what is wrong with any pipeline.
    func planner() throws -> Planner {
        let planner = try lenientPlanner()
        try planner.workflow.checkAll()
        return planner
    }

    /// A planner that does without broken pipelines.
    func lenientPlanner() throws -> Planner {
        let workflow = try Workflow(folder: "\(folder)/pipelines", data: "\(folder)/data")
        return Planner(workflow: workflow, store: store, sources: sources, platform: "test")
    }

    /// Plans, runs what must run, and plans again; the ids of what ran, in that order.
    @discardableResult
    func make() throws -> [String] {
        var ran: [String] = []
        let planner = try planner()
        _ = try planner.writePlan()
        var survey = Survey(count: planner.workflow.steps.count)
        for (index, step) in planner.workflow.steps.enumerated() {
            var entry = try planner.assess(index, survey)
            if entry.output == nil, let parts = entry.parts {
                try run(parts)
                ran.append(step.id)
                entry = try planner.assess(index, survey)
            }
            survey.append(entry)
        }
        _ = try planner.writePlan()
        return ran
    }

    /// Puts a step's result and record into the store; planning makes the link.
    private func run(_ parts: KeyParts) throws {
        let header = Header(
            kind: .network, stage: parts.stage, parameters: parts.parameters, inputs: parts.inputs)
        var content = Group(attributes: header.attributes)
        content.attributes["outcome"] = .text(outcome[parts.stage] ?? "none")
        let file = "\(folder)/result-\(parts.key).h5"
        try content.write(to: file)
        let output = try Digest(ofFile: file)
        let bytes = try OpenFile(reading: file).size
        try store.mark()
        try #require(rename(file, store.objectPath(output)) == 0)
        let measurements = Measurements(
            start: "2026-01-01T00:00:00Z", seconds: 1, peakMemoryBytes: 1, threads: 1, cpu: "none",
            libraries: [:])
        let record = RunRecord(
            parts: parts, output: output, bytes: bytes, unchanged: false, measurements: measurements)
        try PlainFile.write(record.canonicalJSON, to: store.recordPath(parts.key))
    }

    func path(_ step: String, _ ending: String = "h5") -> String { "\(folder)/artifacts/\(step).\(ending)" }

    /// Why a step would run now; nil if it is fresh.
    func reason(_ step: String) throws -> Reason? {
        let planner = try planner()
        return try planner.reason(
            planner.workflow.index(of: step), planner.survey(), RunHistory(of: planner.store))
    }

    func object(of step: String) throws -> String {
        try store.objectPath(store.digest(ofLink: path(step)))
    }
}
