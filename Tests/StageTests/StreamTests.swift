import Foundation
import TestSupport
import Testing

/// What standard streams may lead to where nobody looks at them, as a shell writes it.
private let lostErrors = ["2>/dev/full", "2>&-", "<&- >&- 2>&-", "2>&1 | :", "2>/dev/null"]

/// Output that cannot be written; a reader that went away is one that saw enough.
private let lostOutput = [">/dev/full", ">&-"]

@Suite("Standard streams")
struct StreamTests {
    let bench: Workbench

    init() throws { bench = try Workbench() }

    /// Runs one of the programs from a shell, with its streams redirected.
    private func run(
        _ program: String, _ arguments: [String], _ redirection: String, limit: String = "unlimited"
    ) throws -> ProgramResult {
        // The status of the program, also where it is not the last of a pipe.
        let status = bench.folder.path("status")
        let script = """
            ulimit -f \(limit); (ulimit -f \(limit); "$0" "$@"; echo $? >\(status)) \(redirection)
            exit $(cat \(status))
            """
        return try Program.system(
            "sh", ["-c", script, Program.folder.appending(path: program).path] + arguments,
            in: bench.folder.url)
    }

    @Test("no stage loses its work because its messages are lost", arguments: lostErrors)
    func stages(redirection: String) throws {
        let stages: [(String, [String])] = [
            (
                "load-dataset",
                ["--descriptor", Workbench.descriptor, "--set", "validation=200", "--output", "d.h5"]
            ),
            ("train-seed", ["--dataset", "d.h5", "--set", "network.widths=[4]", "--output", "s.h5"]),
            ("compute-bottlenecks", ["--dataset", "d.h5", "--network", "s.h5", "--output", "b.h5"]),
            (
                "grow",
                ["--dataset", "d.h5", "--network", "s.h5", "--bottlenecks", "b.h5", "--output", "g.h5"]
            ),
            ("fine-tune", ["--dataset", "d.h5", "--network", "g.h5", "--output", "t.h5"]),
            ("evaluate", ["--dataset", "d.h5", "--network", "t.h5", "--output", "e.h5"]),
        ]
        for (stage, arguments) in stages {
            let result = try run(stage, arguments, redirection)
            #expect(result.status == 0, "\(stage) \(redirection): \(result.error)")
            let output = try #require(arguments.last)
            #expect(
                try bench.folder.bytes(output).starts(
                    with: Data("\u{89}HDF".unicodeScalars.map { UInt8($0.value) })))
        }
    }

    @Test("an error keeps its status where its message is lost", arguments: lostErrors)
    func errors(redirection: String) throws {
        let absent = ["--dataset", "no.h5", "--network", "no.h5", "--output", "e.h5"]
        #expect(try run("evaluate", absent, redirection).status == 66)
        #expect(try run("evaluate", ["--colour"], redirection).status == 64)
        #expect(try run("plan", ["--list"], redirection).status == 66)
        #expect(try run("artifact", ["show", "nothing"], redirection).status == 66)
        #expect(try run("report", ["--pipeline", "nothing"], redirection).status == 66)
    }

    @Test("output that cannot be written ends with status 74 and a message", arguments: lostOutput)
    func output(redirection: String) throws {
        try bench.makeDataset()
        for (program, arguments) in [
            ("artifact", ["show", bench.dataset]), ("plan", ["--fields"]), ("plan", ["--help"]),
            ("train-seed", ["--help"]), ("report", ["--help"]), ("artifact", ["--help"]),
        ] {
            let result = try run(program, arguments, redirection)
            #expect(result.status == 74, "\(program) \(arguments)")
            #expect(result.error.hasPrefix("\(program): error: standard output cannot be written: "))
        }
    }

    @Test("a reader that saw enough ends a program without a word")
    func reader() throws {
        for _ in 0..<5 {
            let result = try run("plan", ["--fields"], "| :")
            #expect([0, 74].contains(result.status) && !result.wasKilled && result.error.isEmpty)
        }
    }

    @Test("a result that cannot be written is an I/O error, and nothing of it stays")
    func limit() throws {
        try bench.makeDataset()
        let result = try run(
            "train-seed", ["--dataset", "dataset.h5", "--set", "network.widths=[64]", "--output", "s.h5"], "",
            limit: "4")
        #expect(result.status == 74, "\(result.error)")
        #expect(result.error.contains("s.h5"), "\(result.error)")
        #expect(!bench.folder.exists("s.h5"))
        try bench.makeSeed()
        let copy = try run(
            "fine-tune",
            ["--dataset", "dataset.h5", "--network", "seed.h5", "--set", "round=1", "--output", "c.h5"], "",
            limit: "2")
        #expect(copy.status == 74)
        #expect(copy.error.contains("c.h5"), "\(copy.error)")
        #expect(!copy.error.contains("Error Domain"), "\(copy.error)")
        #expect(!bench.folder.names.contains { $0.contains("temporary") })
    }
}
