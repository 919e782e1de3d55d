import Parameters
import Datasets
import Networks
import Tensors
@testable import Training

@testable import Growth

/// Runs of a network over the samples of a split, for these tests alone.
struct NetworkRun {
    let network: Network
    let split: Split
    let normalization: Normalization
    var mode = ForwardMode.evaluation

    init(_ network: Network, _ split: Split, _ normalization: Normalization, mode: ForwardMode = .evaluation)
    {
        self.network = network
        self.split = split
        self.normalization = normalization
        self.mode = mode
    }

    static let training = ForwardMode.training(seed: 0, epoch: 0, firstSample: 0)

    private func withExecutor<Result>(
        keeping: Set<String> = [], _ body: (Executor, ParameterArena, ParameterArena) -> Result
    ) -> Result {
        let architecture = network.architecture
        let parameters = ParameterArena(ParameterLayout(architecture), network.parameters)
        let gradients = ParameterArena(ParameterLayout(architecture))
        let state = ParameterArena(ParameterLayout.state(architecture), network.state)
        let executor = Executor(
            architecture, parameters: parameters, gradients: gradients, state: state, capacity: split.count,
            purpose: .training, keeping: keeping)
        var labels = [Int32](repeating: 0, count: split.count)
        Batches(split, normalization, shape: architecture.inputShape).gather(
            (0..<Int32(split.count)).map { $0 }[...], into: executor.input.value, labels: &labels)
        executor.forward(rows: split.count, mode: mode)
        return withExtendedLifetime((parameters, gradients, state)) { body(executor, parameters, gradients) }
    }

    /// A node's values, [n · positions, channels].
    func values(of node: String) -> Matrix {
        withExecutor(keeping: [node]) { executor, _, _ in
            let shape = network.architecture.shape(of: node) ?? []
            let count = split.count * shape.reduce(1, *)
            var rows = [Float](repeating: 0, count: count)
            executor.readRows(of: node, .value, rows: split.count, into: &rows)
            let positions = shape.dropFirst().reduce(1, *)
            return Matrix(rows: split.count * positions, columns: shape[0], widening: rows)
        }
    }

    /// The gradient of the mean loss with respect to a node's values, [n · positions, channels].
    func gradient(of node: String, _ loss: LossParameters = LossParameters()) -> Matrix {
        withExecutor(keeping: [node]) { executor, _, _ in
            _ = loss.evaluate(
                executor.output, labels: split.labels, rows: split.count, scale: 1 / Float(split.count),
                hasGradient: true)
            executor.backward(rows: split.count)
            let shape = network.architecture.shape(of: node) ?? []
            let count = split.count * shape.reduce(1, *)
            var rows = [Float](repeating: 0, count: count)
            executor.readRows(of: node, .gradient, rows: split.count, into: &rows)
            return Matrix(rows: count / max(shape[0], 1), columns: shape[0], widening: rows)
        }
    }

    var outputs: Matrix { values(of: network.architecture.outputName) }

    /// The mean loss, and its gradient with respect to every parameter by name.
    func lossAndGradients(_ loss: LossParameters = LossParameters()) -> (
        loss: Double, gradients: [String: Tensor]
    ) {
        withExecutor { executor, _, gradients in
            let found = loss.evaluate(
                executor.output, labels: split.labels, rows: split.count, scale: 1 / Float(split.count),
                hasGradient: true)
            executor.backward(rows: split.count)
            return (found.loss / Double(split.count), gradients.tensors())
        }
    }
}

/// The largest difference, relative to the largest value expected.
func relativeDifference(_ found: Matrix, _ expected: Matrix) -> Double {
    let scale = expected.values.map(abs).max() ?? 0
    let difference = zip(found.values, expected.values).map { abs($0 - $1) }.max() ?? 0
    return found.values.count == expected.values.count ? difference / max(scale, 1e-30) : .infinity
}
