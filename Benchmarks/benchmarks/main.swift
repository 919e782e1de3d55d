import Datasets
import Foundation
import Tensors

// Prints one JSON object per measurement; `Benchmarks/compare.py` makes tables of them.
// Usage: benchmarks [--repetitions N] [NAME-PART ...]

Platform.start()
var arguments = Array(CommandLine.arguments.dropFirst())
var repetitions = 7
if let flag = arguments.firstIndex(of: "--repetitions"), flag + 1 < arguments.count {
    repetitions = Int(arguments[flag + 1]) ?? repetitions
    arguments.removeSubrange(flag...flag + 1)
}

let encoder = JSONEncoder()
encoder.outputFormatting = .sortedKeys
func run(_ name: String, threads: [Int] = [1, 2], _ body: (Int) throws -> Double) throws {
    guard arguments.isEmpty || arguments.contains(where: name.contains) else { return }
    for count in threads {
        let measurement = try measure(name, threads: count, repetitions: repetitions) { try body(count) }
        print(String(decoding: try encoder.encode(measurement), as: UTF8.self))
    }
}

let images = syntheticDataset(count: 12_800, shape: ImageShape(height: 28, width: 28, channels: 1), classes: 10)
try run("step 784-128-10") { try secondsPerStep(widths: [128], threads: $0, dataset: images) }
try run("step 784-512-512-10") { try secondsPerStep(widths: [512, 512], threads: $0, dataset: images) }
try run("step 784-8-8-10") { try secondsPerStep(widths: [8, 8], threads: $0, dataset: images) }
