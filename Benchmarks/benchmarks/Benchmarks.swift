import ArgumentParser
import Correlations
import Datasets
import Foundation
import Growth
import Networks
import Parameters
import Tensors

@main
struct Benchmarks: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "benchmarks",
        abstract: "Time kernels, training steps and growth statistics; one JSON object per measurement.",
        discussion: "`Benchmarks/compare.py` makes a table of them, alone or beside the peers.")

    @Option(help: "Repetitions after one warm-up.")
    var repetitions = 7

    @Option(help: "Threads to measure with.")
    var threads: [Int] = [1, 2]

    @Flag(help: "Count the processor's seconds, not the clock's: for one thread on a busy machine.")
    var cpu = false

    @Argument(help: "Parts of names; only what contains one of them is measured.")
    var names: [String] = []

    func run() throws {
        try Platform.start()
        Stopwatch.countsProcessor = cpu
        try measureKernels()
        try measureSteps()
        let square = ImageShape(height: 28, width: 28, channels: 1)
        let many = syntheticDataset(count: 60_000, shape: square, classes: 10)
        for (method, name) in [
            ("tiny", "statistics 784-32-32-10"), ("tiny-joint", "joint statistics 784-32-32-10"),
        ] {
            try measure(name) { try secondsOfStatistics(method: method, threads: $0, dataset: many) }
        }
        let deep = ImageShape(height: 32, width: 32, channels: 64)
        // So few because peers take a third of a second for an image.
        let few = syntheticDataset(count: 40, shape: deep, classes: 10)
        for taps in SiteGeometry.Scheme.allCases {
            try measure("statistics 64-64-64 3x3 40 images \(taps.rawValue)") {
                try secondsOfConvolutionStatistics(taps: taps, threads: $0, dataset: few)
            }
        }
        try measureSums()
        try measureRounds()
        let solve = "solve 512-512-512 3x3"
        if isWanted(solve) {
            let problem = syntheticProblem(inputs: 4608, outputs: 4608)
            try measure(solve, threads: [1]) { _ in try secondsOfSolve(problem) }
        }
    }

    /// A core's peak, and a convolution over the width.
    private func measureKernels() throws {
        let peak = measurePeak()
        try report(Measurement(name: "peak", threads: 1, seconds: [peak.seconds], flops: peak.flops))
        let title = "3x3 convolution of 64 images of 28x28"
        guard isWanted(title) else { return }
        for width in ConvolutionBenchmark.widths {
            var benchmark = ConvolutionBenchmark(width: width)
            for pass in ConvolutionBenchmark.passes {
                try report(
                    Measurement(
                        name: "\(title), \(width) channels, \(pass)", threads: 1,
                        seconds: [benchmark.seconds(of: pass)], flops: benchmark.flops,
                        table: [title, "\(width) channels", pass]))
            }
        }
    }

    /// Training steps of batches of 128.
    private func measureSteps() throws {
        let square = ImageShape(height: 28, width: 28, channels: 1)
        let images = syntheticDataset(count: 12_800, shape: square, classes: 10)
        func measureRows(_ widths: [Int], _ suffix: String = "") throws {
            let name = "step 784-\(widths.map(String.init).joined(separator: "-"))-10\(suffix)"
            try measureStep(name, NetworkParameters(widths: widths, activation: .relu), images)
        }
        for widths in [[128], [512, 512], [8, 8]] { try measureRows(widths) }
        // With a core less: two threads should be no slower than one.
        for widths in [[128], [8, 8]] {
            try besideBusyProcesses(ProcessInfo.processInfo.activeProcessorCount - 1) {
                try measureRows(widths, ", one core free")
            }
        }
        for (first, second) in [(4, 8), (8, 16), (16, 32), (32, 64)] {
            var network = VGG()
            network.stages = [[first, first], [second, second]]
            network.head = .global
            let few = syntheticDataset(count: 1280, shape: square, classes: 10)
            try measureStep("step VGG (\(first),\(second))", NetworkParameters(network), few)
        }
        let colour = ImageShape(height: 32, width: 32, channels: 3)
        for (width, inner, count) in [(64, 1.0, 256), (16, 1, 1280), (16, 0.25, 1280)] {
            let images = syntheticDataset(count: count, shape: colour, classes: 10)
            var network = ResNet()
            (network.depth, network.width, network.inner) = (18, width, .factor(inner))
            let name = "step ResNet-18 (\(width))" + (inner == 1 ? "" : " inner 1/\(Int(1 / inner))")
            try measureStep(name, NetworkParameters(network), images)
        }
    }

    private func measureStep(_ name: String, _ network: NetworkParameters, _ dataset: Dataset) throws {
        let architecture = try network.architecture(
            sample: dataset.shape.planes, outputs: dataset.classes.count)
        try measure(name, flops: 128 * architecture.exactTrainingFlops) {
            try secondsPerStep(network, threads: $0, dataset: dataset)
        }
    }

    /// The sums of one convolutional site over 2,000 images, without network and solve.
    private func measureSums() throws {
        let published: StatisticsNeeds = [.inputCovariance, .crossCovariance]
        for (needs, name) in [(published, "plain sums"), (published.union(.overlap), "overlap sums")] {
            for scheme in SiteGeometry.Scheme.allCases {
                let site = convolutionSite(64, extent: 32, scheme: scheme)
                try measure("\(name) 64-64-64 3x3 32x32 \(scheme.rawValue)") {
                    try secondsOfSums(site, needs: needs, images: 2000, threads: $0)
                }
            }
        }
    }

    /// A growth round of a ResNet-18: the statistics of its eight sites, then choosing, trying and grafting at each.
    private func measureRounds() throws {
        for taps in SiteGeometry.Scheme.allCases {
            let names = ["statistics", "growth"].map { "\($0) ResNet-18 (16) 2000 images \(taps.rawValue)" }
            guard names.contains(where: isWanted) else { continue }
            let round = try ResidualRound(taps: taps)
            try measure(names[0]) { try round.secondsOfStatistics(threads: $0) }
            guard isWanted(names[1]) else { continue }
            let found = try round.bottlenecks(threads: 2)
            try measure(names[1]) { try round.secondsOfGrowth(found, threads: $0) }
        }
    }

    /// Beyond so many seconds, a measurement is not repeated.
    private static let mostSeconds = 20.0

    private func isWanted(_ name: String) -> Bool {
        names.isEmpty || names.contains(where: name.contains)
    }

    /// Prints what `body` gives for each number of threads.
    private func measure(
        _ name: String, threads given: [Int]? = nil, flops: Double? = nil,
        _ body: (_ threads: Int) throws -> Double
    ) throws {
        guard isWanted(name) else { return }
        for threads in given ?? threads {
            var seconds = [try body(threads)]
            while seconds.count <= repetitions, seconds.reduce(0, +) < Self.mostSeconds {
                seconds.append(try body(threads))
            }
            // The first is a warm-up, unless it is all that there is time for.
            if seconds.count > 1 { seconds.removeFirst() }
            try report(Measurement(name: name, threads: threads, seconds: seconds, flops: flops))
        }
    }

    private func report(_ measurement: Measurement) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        print(String(decoding: try encoder.encode(measurement), as: UTF8.self))
    }
}

/// Runs `body` while so many processes of others do nothing but compute.
private func besideBusyProcesses(_ count: Int, _ body: () throws -> Void) throws {
    let others = (0..<count).map { _ in
        let other = Process()
        other.executableURL = URL(filePath: "/bin/sh")
        other.arguments = ["-c", "while :; do :; done"]
        return other
    }
    defer { for other in others where other.isRunning { other.terminate() } }
    for other in others { try other.run() }
    try body()
}

/// One row of the table.
private struct Measurement: Encodable {
    var name: String
    var threads: Int
    /// One per repetition.
    var seconds: [Double]
    /// Floating-point operations of each, where they are counted.
    var flops: Double?
    /// Title, row and column, where it stands in a table of its own.
    var table: [String]?
}

/// What seconds are counted by; set once, before anything is measured.
enum Stopwatch {
    nonisolated(unsafe) static var countsProcessor = false

    static var seconds: Double {
        var time = timespec()
        clock_gettime(countsProcessor ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}

/// The seconds `body` takes.
func secondsOf(_ body: () throws -> Void) rethrows -> Double {
    let begin = Stopwatch.seconds
    try body()
    return Stopwatch.seconds - begin
}
