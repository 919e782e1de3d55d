import Foundation
import TestSupport
import Testing

@Suite("The tutorial")
struct TutorialTests {
    /// A command of the page, and the lines that it is said to print.
    private struct Example {
        var command: String
        var lines: [String] = []
    }

    /// In docs/tutorial.md: an indented `$ command`, and below it what it prints; `…` stands for lines left out.
    private func examples() throws -> [Example] {
        let page = Program.packageFolder.appending(path: "docs/tutorial.md")
        var examples: [Example] = []
        for line in try String(contentsOf: page, encoding: .utf8).split(separator: "\n") {
            if line.hasPrefix("    $ ") {
                examples.append(Example(command: String(line.dropFirst(6))))
            } else if line.hasPrefix("    "), let last = examples.last {
                let text = line.trimmingCharacters(in: .whitespaces)
                if last.lines.isEmpty, last.command.hasSuffix("\\") {
                    examples[examples.count - 1].command = last.command.dropLast() + text
                } else {
                    examples[examples.count - 1].lines.append(text)
                }
            }
        }
        return examples
    }

    @Test("its commands run one after the other, and print what it shows")
    func commands() throws {
        let folder = TemporaryFolder()
        try FileManager.default.createSymbolicLink(
            at: folder.url.appending(path: "data"),
            withDestinationURL: Program.packageFolder.appending(path: "data"))
        let examples = try examples()
        try #require(examples.count > 8)
        for example in examples {
            let command = example.command.replacing(".build/release", with: Program.folder.path)
            let result = try Program.system("sh", ["-c", "{ \(command); } 2>&1"], in: folder.url)
            // Like diff, `artifact diff` ends with 1 where there is a difference.
            let expected: Int32 = command.contains("artifact diff") ? 1 : 0
            try #require(result.status == expected, "\(example.command): \(result.output)")
            let all = result.output.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
            var printed = all[...]
            for line in example.lines where line != "…" {
                let place = printed.firstIndex(of: line)
                #expect(place != nil, "\(example.command) does not print '\(line)', but\n\(result.output)")
                if let place { printed = printed[(place + 1)...] }
            }
        }
    }
}
