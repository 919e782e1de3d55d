import Datasets
import Networks
package import Parameters

/// A network that does not fit its dataset, or itself, found before anything runs.
package struct NetworkProblem: Equatable, Sendable, CustomStringConvertible {
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

/// Builds the architecture that every branch begins with, for the images and classes of its dataset.
struct ShapeCheck {
    private(set) var problems: [NetworkProblem] = []

    mutating func check(_ pipeline: Pipeline, datasets: [String: DatasetDescriptor]) {
        var architectures: [String: Architecture] = [:]
        for branch in pipeline.branchesInOrderOfNeed {
            guard let dataset = datasets[branch.experiment.dataset.dataset] else { continue }
            do {
                architectures[branch.name] = try architecture(of: branch, dataset, architectures)
            } catch {
                add(error, branch, pipeline, dataset)
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

    private mutating func add(
        _ error: NetworkError, _ branch: Pipeline.Branch, _ pipeline: Pipeline, _ dataset: DatasetDescriptor
    ) {
        let network = branch.network
        let node = error.node
        let line = node.flatMap { network.nodeLines[$0] } ?? network.line
        let extents = dataset.image.planes.map(String.init).joined(separator: " x ")
        let found = NetworkProblem(
            place: Place(file: pipeline.file, line: line, path: network.path), branches: [branch.name],
            dataset: "\(dataset.name) (\(extents), \(dataset.classes.count) classes)",
            problem: error.description)
        let same = problems.firstIndex {
            $0.place == found.place && $0.dataset == found.dataset && $0.problem == found.problem
        }
        if let same { problems[same].branches.append(branch.name) } else { problems.append(found) }
    }
}

extension Pipeline {
    /// The branches, each behind the one whose final network it takes up.
    ///
    /// The reader has made sure that there is no circle.
    var branchesInOrderOfNeed: [Branch] {
        var ordered: [Branch] = []
        var seen: Set<String> = []
        func visit(_ branch: Branch) {
            guard seen.insert(branch.name).inserted else { return }
            if case .finalOf(let name) = branch.experiment.start, let other = self.branch(named: name) {
                visit(other)
            }
            ordered.append(branch)
        }
        branches.forEach(visit)
        return ordered
    }
}
