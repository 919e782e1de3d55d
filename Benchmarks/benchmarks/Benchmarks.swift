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

    @Flag(help: "Names are whole names.")
    var exact = false

    @Flag(help: "Print the names of what would be measured.")
    var list = false

    @Argument(help: "Parts of names; only what contains one of them is measured.")
    var names: [String] = []

    func run() throws {
        try Platform.start()
        Stopwatch.countsProcessor = cpu
        try measureKernels()
        try measureSteps()
        try measureStatistics()
        try measureSums()
        try measureRounds()
        try measure("solve 512-512-512 3x3", of: syntheticProblem(inputs: 4608, outputs: 4608), threads: [1])
        {
            problem, _ in try secondsOfSolve(problem)
        }
    }

    /// A core's peak, and a convolution over the width.
    private func measureKernels() throws {
        if isWanted("peak") {
            let peak = measurePeak()
            try report(Measurement(name: "peak", threads: 1, seconds: [peak.seconds], flops: peak.flops))
        }
        let title = "3x3 convolution of 64 images of 28x28"
        for width in ConvolutionBenchmark.widths {
            for pass in ConvolutionBenchmark.passes {
                let name = "\(title), \(width) channels, \(pass)"
                guard isWanted(name) else { continue }
                var benchmark = ConvolutionBenchmark(width: width)
                try report(
                    Measurement(
                        name: name, threads: 1, seconds: [benchmark.seconds(of: pass)],
                        flops: benchmark.flops, table: [title, "\(width) channels", pass]))
            }
        }
    }

    /// Training steps of batches of 128.
    private func measureSteps() throws {
        let square = ImageShape(height: 28, width: 28, channels: 1)
        let others = ProcessInfo.processInfo.activeProcessorCount - 1
        // With a core less, two threads should be no slower than one.
        for (widths, busy, suffix) in [
            ([128], 0, ""), ([512, 512], 0, ""), ([8, 8], 0, ""), ([128], others, ", one core free"),
            ([8, 8], others, ", one core free"),
        ] {
            let name = "step 784-\(widths.map(String.init).joined(separator: "-"))-10\(suffix)"
            try measureStep(
                name, NetworkParameters(widths: widths, activation: .relu), square, images: 12_800,
                beside: busy)
        }
        for (first, second) in [(4, 8), (8, 16), (16, 32), (32, 64)] {
            var network = VGG()
            network.stages = [[first, first], [second, second]]
            network.head = .global
            try measureStep(
                "step VGG (\(first),\(second))", NetworkParameters(network), square, images: 1280)
        }
        let colour = ImageShape(height: 32, width: 32, channels: 3)
        for (width, inner, count) in [(64, 1.0, 256), (16, 1, 1280), (16, 0.25, 1280)] {
            var network = ResNet()
            (network.depth, network.width, network.inner) = (18, width, .factor(inner))
            let name = "step ResNet-18 (\(width))" + (inner == 1 ? "" : " inner 1/\(Int(1 / inner))")
            try measureStep(name, NetworkParameters(network), colour, images: count)
        }
    }

    private func measureStep(
        _ name: String, _ network: NetworkParameters, _ shape: ImageShape, images: Int, beside busy: Int = 0
    ) throws {
        let architecture = try network.architecture(sample: shape.planes, outputs: 10)
        try measure(
            name, of: syntheticDataset(count: images, shape: shape, classes: 10),
            flops: 128 * architecture.exactTrainingFlops
        ) { dataset, threads in
            try besideBusyProcesses(busy) { try secondsPerStep(network, threads: threads, dataset: dataset) }
        }
    }

    /// Statistics and solve of whole networks.
    private func measureStatistics() throws {
        let square = ImageShape(height: 28, width: 28, channels: 1)
        for (method, name) in [
            ("tiny", "statistics 784-32-32-10"), ("tiny-joint", "joint statistics 784-32-32-10"),
        ] {
            try measure(name, of: syntheticDataset(count: 60_000, shape: square, classes: 10)) {
                try secondsOfStatistics(method: method, threads: $1, dataset: $0)
            }
        }
        let deep = ImageShape(height: 32, width: 32, channels: 64)
        // So few because peers take a third of a second for an image.
        for taps in SiteGeometry.Scheme.allCases {
            try measure(
                "statistics 64-64-64 3x3 40 images \(taps.rawValue)",
                of: syntheticDataset(count: 40, shape: deep, classes: 10)
            ) { try secondsOfConvolutionStatistics(taps: taps, threads: $1, dataset: $0) }
        }
    }

    /// The sums of one convolutional site over 2,000 images, without network and solve.
    private func measureSums() throws {
        let published: StatisticsNeeds = [.inputCovariance, .crossCovariance]
        for (needs, name) in [(published, "plain sums"), (published.union(.overlap), "overlap sums")] {
            for scheme in SiteGeometry.Scheme.allCases {
                try measure(
                    "\(name) 64-64-64 3x3 32x32 \(scheme.rawValue)",
                    of: convolutionSite(64, extent: 32, scheme: scheme)
                ) { try secondsOfSums($0, needs: needs, images: 2000, threads: $1) }
            }
        }
    }

    /// A growth round of a ResNet-18: the statistics of its eight widths, then choosing, trying and grafting at each.
    private func measureRounds() throws {
        for taps in SiteGeometry.Scheme.allCases {
            let suffix = "ResNet-18 (16) 2000 images \(taps.rawValue)"
            try measure("statistics \(suffix)", of: ResidualRound(taps: taps)) {
                try $0.secondsOfStatistics(threads: $1)
            }
            func measured() throws -> (round: ResidualRound, found: Bottlenecks) {
                let round = try ResidualRound(taps: taps)
                return (round, try round.bottlenecks(threads: 2))
            }
            try measure("growth \(suffix)", of: measured()) {
                try $0.round.secondsOfGrowth($0.found, threads: $1)
            }
        }
    }

    /// Beyond so many seconds, a measurement is not repeated.
    private static let mostSeconds = 5.0

    /// Whether a row is to be measured; with `--list`, its name is printed and none is.
    private func isWanted(_ name: String) -> Bool {
        guard names.isEmpty || (exact ? names.contains(name) : names.contains(where: name.contains)) else {
            return false
        }
        if list { print(name) }
        return !list
    }

    /// Prints the seconds that `body` gives for each number of threads. `subject` is made only if the row is wanted.
    private func measure<Subject>(
        _ name: String, of subject: @autoclosure () throws -> Subject, threads given: [Int]? = nil,
        flops: Double? = nil, _ body: (_ subject: Subject, _ threads: Int) throws -> Double
    ) throws {
        guard isWanted(name) else { return }
        let subject = try subject()
        for threads in given ?? threads {
            var seconds = [try body(subject, threads)]
            while seconds.count <= repetitions, seconds.reduce(0, +) < Self.mostSeconds {
                seconds.append(try body(subject, threads))
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
private func besideBusyProcesses<Value>(_ count: Int, _ body: () throws -> Value) throws -> Value {
    let others = (0..<count).map { _ in
        let other = Process()
        other.executableURL = URL(filePath: "/bin/sh")
        other.arguments = ["-c", "while :; do :; done"]
        return other
    }
    defer { for other in others where other.isRunning { other.terminate() } }
    for other in others { try other.run() }
    return try body()
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
