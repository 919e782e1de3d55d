/// The steps as a graph in Graphviz's language, coloured by state; work that branches share is drawn once.
package struct Graph {
    private let planner: Planner
    private let survey: Survey
    private let plans: [Workflow.Plan]

    /// - Parameter names: the pipelines to draw; none for all.
    /// - Throws: `PipelineError.unknownPipeline`, or what is wrong with a pipeline.
    package init(_ planner: Planner, of names: [String] = []) throws {
        self.planner = planner
        plans = try planner.workflow.plans(named: names)
        survey = try planner.survey()
    }

    package var dot: String {
        var text = """
            digraph meristem {
              rankdir=LR; node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=10, height=0.3];
              edge [color=gray40, arrowsize=0.6]; fontname="Helvetica";

            """
        let drawn = Set(plans.flatMap(\.chains).flatMap(\.steps).map(planner.workflow.first))
        var left = drawn
        for plan in plans { write(plan, &left, to: &text) }
        for index in drawn.sorted() {
            for input in planner.workflow.steps[index].inputs {
                guard case .step(let other) = input.source else { continue }
                text += "  s\(planner.workflow.first(other)) -> s\(index);\n"
            }
        }
        return text + legend + "}\n"
    }

    /// - Parameter left: what is not drawn yet; work that another pipeline shares stands with the first that is drawn.
    private func write(_ plan: Workflow.Plan, _ left: inout Set<Int>, to text: inout String) {
        let name = plan.pipeline.name
        text += "  subgraph \"cluster_\(name)\" { label=\"\(name)\"; color=gray80;\n"
        for index in plan.chains.flatMap(\.steps).map(planner.workflow.first) where left.remove(index) != nil
        {
            let step = planner.workflow.steps[index]
            let state = survey.state(index)
            text += "    s\(index) [label=\"\(step.name)\\n\(step.chain)\", fillcolor=\"\(colour(state))\""
            text += ", tooltip=\"\(step.id): \(state)\"];\n"
        }
        text += "    \"report \(name)\" [label=\"report\", fillcolor=white];\n  }\n"
        for chain in plan.chains {
            text += "  s\(planner.workflow.first(chain.evaluation)) -> \"report \(name)\";\n"
        }
    }

    private var legend: String {
        let states: [Survey.State] = [.fresh, .known, .due, .waiting]
        let boxes = states.map { "\"\($0)\" [fillcolor=\"\(colour($0))\"];" }.joined(separator: " ")
        return "  subgraph cluster_legend { label=\"states\"; color=white; \(boxes) }\n"
    }

    private func colour(_ state: Survey.State) -> String {
        switch state {
        case .fresh: "#b7e1b0"
        case .known: "#b5d3f0"
        case .due: "#f6b26b"
        case .waiting: "#fff2cc"
        }
    }
}
