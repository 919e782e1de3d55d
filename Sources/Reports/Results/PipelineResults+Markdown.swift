internal import Files
internal import Artifacts

extension PipelineResults {
    /// results.md: the table of branches, how they differ, what growth did, and how to read it.
    package var markdown: String {
        var text = "# Results of \(plan.pipeline)\n\n"
        if !plan.description.isEmpty { text += plan.description + "\n\n" }
        text += summary.markdown + "\n" + readingHelp + "\n"
        if let differences {
            text += "## Differences\n\n" + differences.markdown + "\n" + differencesHelp + "\n"
        }
        if !findings.isEmpty { text += findings.map { "- \($0)\n" }.joined() + "\n" }
        if let growth = growthTable {
            text += "## Growth\n\n" + growth.markdown + "\n" + growthHelp
        }
        return text
    }

    private var readingHelp: String {
        let unrecorded = chains.reduce(0) { $0 + $1.run.unrecorded }
        let missing =
            unrecorded == 0
            ? ""
            : " No run record tells the seconds of \(unrecorded) \(unrecorded == 1 ? "step" : "steps"); "
                + "a sum with one of them is left out."
        return """
            Test accuracy: mean ± sample standard deviation over n seeds. Training FLOPs (a multiply-add counts two, \
            growth included) and thread-seconds are means over the seeds; widths and parameters are ranges where seeds \
            differ. Thread-seconds are the sum over the chain's steps, from the dataset to the evaluation, of each \
            step's seconds times the threads it was given, as measured when it ran: they vary from run to run, and a \
            step that several branches share counts for each of them.\(missing) Every number, seed by seed: results.csv.

            """
    }

    private var differencesHelp: String {
        """
        Costs are ratios of means over seeds. Accuracies are differences in percentage points, taken within each seed \
        that both branches have; ± is half the 95 % interval of their mean (Student's t). Choose on the validation \
        split; an interval that holds 0 decides nothing.

        """
    }

    private var growthHelp: String {
        """
        Means over the n seeds in which the width was considered. Predicted: amplitude times the first-order decrease of \
        the loss; realised: the decrease that was measured, on the same samples. Bottleneck / gradient: the part of \
        the squared functional gradient that the consumer's weights cannot follow, before growth.

        """
    }
}

extension PipelineResults {
    /// Writes the numbers to `path` and the report for people, `.md`, beside it.
    ///
    /// Files that say the same already stay.
    /// - Returns: the path of the report for people.
    /// - Throws: `ArtifactError.system`.
    @discardableResult
    package func write(to path: String) throws -> String {
        let readable = (path.hasSuffix(".csv") ? String(path.dropLast(4)) : path) + ".md"
        try PlainFile.write(markdown, to: readable)
        try PlainFile.write(csv, to: path)
        return readable
    }
}
