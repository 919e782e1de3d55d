package import Artifacts
internal import Files
internal import HDF5
internal import Networks
internal import Parameters
internal import Training

extension PipelineResults {
    /// Reads the evaluations and networks of every chain, and the records of what their steps cost.
    ///
    /// - Throws: `ReportError.notEvaluated` for the first chain without an evaluation; `ArtifactError`, `HDF5Error`,
    ///   `NetworkError`.
    package init(reading plan: ReportPlan, in store: Store) throws {
        let reader = try ResultReader(store: store, pipeline: plan.pipeline)
        self.init(plan: plan, chains: try plan.chains.map(reader.result))
    }
}

/// Reads one chain after the other.
private struct ResultReader {
    let store: Store
    let pipeline: String
    let records: [Digest: [RunRecord]]

    init(store: Store, pipeline: String) throws {
        self.store = store
        self.pipeline = pipeline
        records = Dictionary(grouping: try store.records().values, by: \.output)
    }

    func result(of chain: ReportPlan.Chain) throws -> ChainResult {
        let evaluationDigest = try digest(of: StepKind.evaluation.rawValue, in: chain)
        let evaluationFile = try File(reading: try store.verified(evaluationDigest))
        let header = try Header(reading: evaluationFile, kind: .evaluation)
        guard let networkDigest = header.inputs["network"] else {
            throw ReportError.badArtifact(
                file: evaluationFile.path, path: "/@inputs", found: "no network",
                allowed: "the network's digest")
        }
        let networkFile = try File(reading: try store.verified(networkDigest))
        _ = try Header(reading: networkFile, kind: .network)
        let network = try Network(reading: networkFile)
        let (accuracy, loss) = try Evaluation.summary(reading: evaluationFile)
        return ChainResult(
            branch: chain.branch, seed: chain.seed, evaluation: evaluationDigest, network: networkDigest,
            widths: NetworkWidths(network.architecture), parameters: network.parameterCount,
            inferenceFlops: network.architecture.flopsPerSample.inference, cost: network.cost,
            history: network.history, growth: network.growth, accuracy: accuracy, loss: loss,
            run: try run(of: chain))
    }

    private func digest(of step: String, in chain: ReportPlan.Chain) throws -> Digest {
        let id = "\(pipeline)/\(chain.name)/\(step)"
        do {
            return try store.digest(ofLink: "\(store.root)/\(id).h5")
        } catch FileError.missing {
            throw ReportError.notEvaluated(step: id)
        }
    }

    /// What the chain's steps cost, by their records.
    private func run(of chain: ReportPlan.Chain) throws -> ChainRun {
        var run = ChainRun()
        var outputs: Set<Digest> = []
        for step in chain.steps {
            let output = try digest(of: step, in: chain)
            if let kind = StepKind.parse(step)?.kind,
                let record = record(of: output, kind: kind, madeFrom: outputs)
            {
                run.add(record, kind: kind)
            } else {
                run.unrecorded += 1
            }
            outputs.insert(output)
        }
        return run
    }

    /// The latest record of a step with this output.
    ///
    /// Several steps may have one output (rounds that added nothing pass their input on), and one step several
    /// records (its program changed, its output did not): the stage and the chain's earlier outputs tell them apart.
    private func record(of output: Digest, kind: StepKind, madeFrom earlier: Set<Digest>) -> RunRecord? {
        let candidates = (records[output] ?? []).filter { record in
            kind.stage == record.parts.stage
                && (kind == .dataset
                    || record.parts.inputs.allSatisfy {
                        StepKind.foreignInputs.values.contains($0.key) || earlier.contains($0.value)
                    })
        }
        return candidates.max { $0.measurements.start < $1.measurements.start }
    }
}
