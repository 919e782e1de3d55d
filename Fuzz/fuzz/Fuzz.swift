import ArgumentParser
import Foundation
import TestSupport

/// Changes artifacts of every kind as a stranger could, and reads them as the stages do: nothing may crash, hang or take all
/// memory. The inputs are read in a child, which notes the number of each; where the child ends, the number tells why.
@main
struct Fuzz: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read changed artifacts until the time is up; an input that crashes a reader is kept.")

    @Option(help: "How long to go on.") var seconds = 60
    @Option(help: "The number of the first input; equal numbers make equal inputs.") var first: UInt64 = 0
    @Option(help: "Where the artifacts are that are changed, and the inputs that crash.") var folder =
        ".build/fuzz"
    @Option(help: "Read this one input alone, in this process.") var only: UInt64?
    @Option(help: .hidden) var child: Double?

    /// Of one input.
    private static let secondsAllowed: UInt32 = 30
    private static let bytesAllowed: UInt = 6 << 30
    private static let crashesAllowed = 50

    func run() throws {
        setenv("OPENBLAS_NUM_THREADS", "1", 1)
        if let only {
            let inputs = try FuzzInputs(in: folder)
            print("input \(only): \(inputs.describe(only)), \(inputs.path(of: only))")
            return try inputs.read(only)
        }
        if let child { return try readInputs(until: Date(timeIntervalSince1970: child)) }
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FuzzInputs.make(in: folder)
        try superviseChildren()
    }

    // MARK: The child

    private func readInputs(until end: Date) throws {
        var limit = rlimit(rlim_cur: Self.bytesAllowed, rlim_max: Self.bytesAllowed)
        setrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &limit)
        let inputs = try FuzzInputs(in: folder)
        let progress = try Progress(folder)
        var number = first
        while Date.now < end {
            progress.note(number)
            alarm(Self.secondsAllowed)
            try inputs.read(number)
            number += 1
        }
        progress.note(number)
    }

    // MARK: The parent

    private func superviseChildren() throws {
        let start = Date.now
        let end = start.addingTimeInterval(Double(seconds))
        let progress = try Progress(folder)
        let inputs = try FuzzInputs(in: folder)
        var next = first
        var crashes = 0
        while Date.now < end, crashes < Self.crashesAllowed {
            progress.note(next)
            let process = Process()
            process.executableURL = URL(filePath: CommandLine.arguments[0])
            process.arguments = [
                "--child", "\(end.timeIntervalSince1970)", "--first", "\(next)", "--folder", folder,
            ]
            try process.run()
            process.waitUntilExit()
            next = progress.number
            guard process.terminationReason == .uncaughtSignal || process.terminationStatus != 0 else {
                continue
            }
            crashes += 1
            let kept = "\(folder)/crash-\(next).h5"
            try inputs.write(next, to: kept)
            let signal = process.terminationReason == .uncaughtSignal ? "signal" : "status"
            print(
                "input \(next), \(inputs.describe(next)): \(signal) \(process.terminationStatus); kept as \(kept)"
            )
            fflush(nil)
            next += 1
        }
        let rate = Double(next - first) / Date.now.timeIntervalSince(start)
        print("\(next - first) inputs, \(Int(rate)) per second, \(crashes) crashes or hangs")
        if crashes > 0 { throw ExitCode.failure }
    }
}

/// The number of the input that is being read, where another process sees it.
private struct Progress {
    private let memory: UnsafeMutablePointer<UInt64>

    init(_ folder: String) throws {
        let descriptor = open("\(folder)/progress", O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        defer { close(descriptor) }
        guard descriptor >= 0, ftruncate(descriptor, 8) == 0,
            let found = mmap(nil, 8, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0), found != MAP_FAILED
        else { throw CocoaError(.fileWriteUnknown) }
        memory = found.bindMemory(to: UInt64.self, capacity: 1)
    }

    var number: UInt64 { memory.pointee }

    func note(_ number: UInt64) { memory.pointee = number }
}
