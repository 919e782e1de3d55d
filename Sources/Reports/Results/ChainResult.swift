package import Artifacts
package import Files
package import Networks

/// What one branch with one seed came to.
package struct ChainResult: Equatable, Sendable {
    package var branch: String
    package var seed: Int
    /// The evaluation, and the network it is of.
    package var evaluation: Digest
    package var network: Digest
    package var widths: NetworkWidths
    package var parameters: Int
    /// Of one sample.
    package var inferenceFlops: Int
    /// Floating-point operations that training and growth took.
    package var cost: Cost
    /// One per epoch of the whole chain.
    package var history: History
    package var growth: [GrowthRecord]
    /// Share of correct test samples.
    package var accuracy: Double
    /// Mean test loss in nats per sample.
    package var loss: Double
    package var run: ChainRun
}

/// What a chain's steps cost where and when they ran; it differs from run to run.
package struct ChainRun: Equatable, Sendable {
    /// Wall-clock seconds of all steps of a kind.
    package var seconds: [StepKind: Double] = [:]
    /// Seconds times threads, over all steps: what can be compared where steps had different numbers of threads.
    private var recordedThreadSeconds = 0.0
    /// The most memory that one step held.
    package var peakMemoryBytes = 0
    /// Rounds of growth whose output is their input.
    package var idleRounds = 0
    /// What the bits of the last step depended on besides its inputs; empty if no record tells.
    package var platform = ""
    /// Steps of which no record tells what they cost.
    package var unrecorded = 0

    package init() {}

    /// The whole chain's; nil if a step's is not known.
    package var totalSeconds: Double? {
        // In one order, so that the last digit is always the same.
        unrecorded > 0
            ? nil : seconds.sorted { $0.key.rawValue < $1.key.rawValue }.reduce(0) { $0 + $1.value }
    }
    package var threadSeconds: Double? { unrecorded > 0 ? nil : recordedThreadSeconds }

    mutating func add(_ record: RunRecord, kind: StepKind) {
        let measured = record.measurements
        seconds[kind, default: 0] += measured.seconds
        recordedThreadSeconds += measured.seconds * Double(measured.threads)
        platform = record.parts.platform
        peakMemoryBytes = max(peakMemoryBytes, measured.peakMemoryBytes)
        if record.unchanged, kind == .grow { idleRounds += 1 }
    }
}

/// A pipeline's results, in the order of its plan.
package struct PipelineResults: Equatable, Sendable {
    package var plan: ReportPlan
    package var chains: [ChainResult]

    package init(plan: ReportPlan, chains: [ChainResult]) {
        self.plan = plan
        self.chains = chains
    }

    /// The results of each branch, in order.
    var branches: [(name: String, chains: [ChainResult])] {
        plan.branches.map { name in (name, chains.filter { $0.branch == name }) }
    }
}
