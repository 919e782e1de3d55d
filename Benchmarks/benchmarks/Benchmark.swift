import Foundation

/// One row of the table: how long something takes, at its median over repetitions.
struct Measurement: Encodable {
    var name: String
    var threads: Int
    /// Seconds, one per repetition.
    var seconds: [Double]
}

/// Times `body` after one warm-up.
func measure(_ name: String, threads: Int, repetitions: Int, _ body: () throws -> Double) rethrows -> Measurement {
    _ = try body()
    let seconds = try (0..<repetitions).map { _ in try body() }
    return Measurement(name: name, threads: threads, seconds: seconds)
}

/// The wall-clock seconds `body` takes.
func secondsOf(_ body: () throws -> Void) rethrows -> Double {
    let begin = ContinuousClock.now
    try body()
    return (ContinuousClock.now - begin) / .seconds(1)
}
