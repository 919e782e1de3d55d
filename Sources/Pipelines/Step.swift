package import Artifacts
package import Files
package import Parameters

/// One run of one stage: what make knows as a target.
package struct Step: Sendable {
    /// Where an input comes from.
    package enum Source: Equatable, Sendable {
        /// The output of the step at this index.
        case step(Int)
        /// What the dataset's descriptor promises, which is known before anything runs.
        case digest(Digest)
    }

    /// A named input; the name is that of the stage's option.
    package struct Input: Equatable, Sendable {
        package var name: String
        package var source: Source
    }

    package var pipeline: String
    package var branch: String
    package var seed: Int
    /// Within its chain: `grow-1`.
    package var name: String
    package var kind: StepKind
    /// Resolved, every default filled in.
    package var parameters: Tree
    /// `parameters`, as they stand in the step's .json and in its key.
    package var parametersJSON: String
    /// Sorted by name.
    package var inputs: [Input]
    /// The dataset's descriptor, for the step that loads it.
    package var descriptor: String?
    /// An earlier step that does the same work; this one then only gets a link.
    package var twin: Int?

    /// `tiny-0`
    package var chain: String { "\(branch)-\(seed)" }
    /// `fashion-mlp/tiny-0/grow-1`: the step on make's command line and below artifacts/.
    package var id: String { "\(pipeline)/\(branch)-\(seed)/\(name)" }
}

/// The steps of one branch with one seed, as indices into `Workflow.steps`, in the order of the work.
package struct Chain: Sendable {
    package var branch: String
    package var seed: Int
    package var steps: [Int]
    /// The last step that makes a network.
    package var lastNetwork: Int
    package var evaluation: Int

    /// `tiny-0`
    package var name: String { "\(branch)-\(seed)" }
}
