import Artifacts
import Foundation
import HDF5
import Networks
import Parameters
import Tensors
import TestSupport
import Testing

@testable import Training

/// Networks, passes and files against PyTorch, which reads the artifact and computes the same in Float64.
///
/// Needs a Python with torch, numpy and h5py: `make interop` makes one and names it in MERISTEM_PYTHON.
@Suite(
    "Networks in PyTorch",
    .enabled(if: Python.isThere, "no Python with torch and h5py; `make interop` installs one"))
struct InteropTests {
    @Test("PyTorch loads every network and gets its outputs, loss, gradients and running averages")
    func agrees() throws {
        let folder = TemporaryFolder()
        for sample in InteropCase.all { try sample.write(to: folder) }
        let result = try Python.compare(folder)
        #expect(result.status == 0, "\(result.output)\(result.error)")
        let lines = result.output.split(separator: "\n")
        #expect(lines.count == InteropCase.all.reduce(0) { $0 + $1.modes.count }, "\(result.output)")
        print(result.output)
    }

    @Test("PyTorch loads what the stages made, and evaluates it alike")
    func stages() throws {
        let folder = TemporaryFolder()
        let digits = Program.packageFolder.appending(path: "data/digits.yaml").path
        let networks = [
            "{kind: mlp, widths: [8]}", "{kind: vgg, stages: [[4], [6]]}",
            "{kind: resnet, depth: 8, width: 4, inner: [0, 2, 4]}",
        ]
        for network in networks {
            let name = String(network.dropFirst(7).prefix { $0 != "," })
            func path(_ kind: String) -> String { folder.path("\(name).\(kind).h5") }
            for (program, arguments) in [
                ("load-dataset", ["--descriptor", digits, "--output", path("dataset")]),
                (
                    "train-seed",
                    [
                        "--dataset", path("dataset"), "--set", "network=\(network)", "--set",
                        "training.batch=32", "--output", path("network"),
                    ]
                ),
                (
                    "evaluate",
                    [
                        "--dataset", path("dataset"), "--network", path("network"), "--output",
                        path("evaluation"),
                    ]
                ),
            ] {
                let result = try Program.run(program, arguments)
                try #require(result.status == 0, "\(result.error)")
            }
        }
        let result = try Python.compare(folder)
        #expect(result.status == 0, "\(result.output)\(result.error)")
        #expect(result.output.split(separator: "\n").count == networks.count, "\(result.output)")
        print(result.output)
    }

    @Test("a gradient that is off by a part in a thousand is found and named")
    func disagrees() throws {
        let folder = TemporaryFolder()
        let sample = try #require(InteropCase.all.first)
        try sample.write(to: folder) { name, values in
            guard name == "hidden2/weight", let most = values.map(\.magnitude).max() else { return }
            values[3] += 1e-3 * most
        }
        let result = try Python.compare(folder)
        #expect(result.status == 1)
        #expect(result.output.contains("gradient of hidden2/weight: differs by 1.0e-03"), "\(result.output)")
    }
}

/// The interpreter that compares.
enum Python {
    private static let chosen = ProcessInfo.processInfo.environment["MERISTEM_PYTHON"]

    /// One that is named must do; one that is only found may lack what is needed.
    static let isThere =
        chosen != nil
        || (try? Program.system(
            "python3",
            ["-c", "import importlib.util as u; exit(not all(map(u.find_spec, ('torch', 'numpy', 'h5py'))))"]))?
            .status == 0

    static func compare(_ folder: TemporaryFolder) throws -> ProgramResult {
        let script = Program.packageFolder.appending(path: "Tests/Interop/compare.py").path
        return try Program.system(
            chosen ?? "python3", [script, folder.path], environment: ["PYTHONDONTWRITEBYTECODE": "1"])
    }
}
