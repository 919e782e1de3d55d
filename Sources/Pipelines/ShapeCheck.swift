import Datasets
import Growth
import Networks
package import Parameters
import Training

/// What does not fit a branch's dataset, or a network that does not fit itself, found before anything runs.
package struct ShapeProblem: Equatable, Sendable, CustomStringConvertible {
    package var place: Place
    /// Every branch that has it.
    package var branches: [String]
    /// The dataset's name, and what matters of it.
    package var dataset: String
    package var problem: String

    package var description: String {
        let names = (branches.count == 1 ? "branch " : "branches ") + branches.joined(separator: ", ")
        return "\(place): \(names) on \(dataset): \(problem)"
    }
}

/// Builds the architecture that every branch begins with, for the images and classes of its dataset, and looks at what
/// else depends on the images.
struct ShapeCheck {
    private(set) var problems: [ShapeProblem] = []

    mutating func check(_ pipeline: Pipeline, datasets: [String: DatasetDescriptor]) {
        var architectures: [String: Architecture] = [:]
        for branch in pipeline.branchesInOrderOfNeed {
            guard let dataset = datasets[branch.experiment.dataset.dataset] else { continue }
            do {
                architectures[branch.name] = try architecture(of: branch, dataset, architectures)
            } catch {
                let nodes = branch.tree["network.nodes"]?.list ?? []
                let line = nodes.first { $0["name"]?.text == error.node }?.line
                add(error.description, "network", line: line, branch, pipeline, dataset)
            }
            checkAugmentation(of: branch, pipeline, dataset)
            if let architecture = architectures[branch.name] {
                checkGrowth(of: branch, architecture, pipeline, dataset)
                checkStatistics(of: branch, architecture, pipeline, dataset)
            }
        }
    }

    /// Whether there is a width that can grow, and whether the widths to reach are ones.
    private mutating func checkGrowth(
        of branch: Pipeline.Branch, _ architecture: Architecture, _ pipeline: Pipeline,
        _ dataset: DatasetDescriptor
    ) {
        // What another branch ended with has grown since, and is checked when its widths are known.
        guard case .network = branch.experiment.start, branch.experiment.growth.rounds > 0 else { return }
        do {
            try branch.experiment.growth.check(on: architecture)
        } catch {
            let key = error.parameter.map { "growth.\($0)" } ?? "growth"
            add(error.description, key, line: nil, branch, pipeline, dataset)
        }
    }

    /// Of the phases that take place.
    private mutating func checkAugmentation(
        of branch: Pipeline.Branch, _ pipeline: Pipeline, _ dataset: DatasetDescriptor
    ) {
        for phase in pipeline.phases(of: branch) {
            do {
                try phase.training.augmentation.check(dataset.image)
            } catch {
                let section =
                    phase.sections.first { branch.tree["\($0).augmentation"] != nil } ?? phase.section
                return add("\(error)", "\(section).augmentation", line: nil, branch, pipeline, dataset)
            }
        }
    }

    /// Whether every normalisation sees more than one value in each phase that takes place, and every group of parameters
    /// has some, or will have. Growth changes channels only, and adds to them.
    private mutating func checkStatistics(
        of branch: Pipeline.Branch, _ architecture: Architecture, _ pipeline: Pipeline,
        _ dataset: DatasetDescriptor
    ) {
        let phases = pipeline.phases(of: branch).enumerated().filter { $0.element.training.epochs > 0 }
        let samples = dataset.trainCount - branch.experiment.dataset.validation
        for (_, phase) in phases {
            do {
                try phase.training.checkStatistics(of: architecture, samples: samples)
                try phase.training.checkGroups(of: architecture)
                try phase.training.checkAges(over: phases.map { ($0.element.training, $0.offset) })
            } catch {
                var group: Int?
                switch error {
                case .emptyGroup(let index, _), .groupTooOld(let index, _, _): group = index
                default: break
                }
                let deciding = group == nil ? ["batch", "shards"] : ["optimizer.groups"]
                let fields =
                    phase.sections.flatMap { section in deciding.map { "\(section).\($0)" } } + ["network"]
                let field = fields.first { branch.tree[$0] != nil } ?? phase.section
                let line = group.flatMap { branch.tree[field]?.list?[$0].line }
                return add(error.description, field, line: line, branch, pipeline, dataset)
            }
        }
    }

    /// - Returns: nil where the branch that it takes up has a problem already.
    private func architecture(
        of branch: Pipeline.Branch, _ dataset: DatasetDescriptor, _ others: [String: Architecture]
    ) throws(NetworkError) -> Architecture? {
        let sample = dataset.image.planes
        let classes = dataset.classes.count
        switch branch.experiment.start {
        case .network(let parameters):
            do {
                return try parameters.architecture(sample: sample, outputs: classes)
            } catch let error as NetworkError {
                throw error
            } catch {
                throw .invalidGraph(node: Architecture.inputName, problem: "\(error)")
            }
        case .finalOf(let name):
            guard let other = others[name] else { return nil }
            guard other.reads(sample: sample), other.outputCount == classes else {
                throw .invalidGraph(
                    node: other.outputName,
                    problem: "the network of branch \(name) is for data \(other.inputShape) and "
                        + "\(other.outputCount) classes; give both branches one dataset")
            }
            return other
        }
    }

    /// - Parameters:
    ///   - section: where in the file it stands.
    ///   - line: if it is not the section's.
    private mutating func add(
        _ problem: String, _ section: String, line: Int?, _ branch: Pipeline.Branch, _ pipeline: Pipeline,
        _ dataset: DatasetDescriptor
    ) {
        let path = branch.changes[section] == nil ? section : "branches.\(branch.name).\(section)"
        let extents = dataset.image.planes.map(String.init).joined(separator: " x ")
        let found = ShapeProblem(
            place: Place(file: pipeline.file, line: line ?? branch.tree[section]?.line, path: path),
            branches: [branch.name],
            dataset: "\(dataset.name) (\(extents), \(dataset.classes.count) classes)", problem: problem)
        let same = problems.firstIndex {
            $0.place == found.place && $0.dataset == found.dataset && $0.problem == found.problem
        }
        if let same { problems[same].branches.append(branch.name) } else { problems.append(found) }
    }
}

extension Pipeline {
    /// The branches, each behind those it needs.
    ///
    /// The reader has made sure that there is no circle.
    var branchesInOrderOfNeed: [Branch] {
        var ordered: [Branch] = []
        var seen: Set<String> = []
        func visit(_ branch: Branch) {
            guard seen.insert(branch.name).inserted else { return }
            branch.needs.compactMap { self.branch(named: $0.branch) }.forEach(visit)
            ordered.append(branch)
        }
        branches.forEach(visit)
        return ordered
    }
}
