import Testing

@testable import Parameters

@Suite struct TreeYAMLTests {
    private func refusal(of yaml: String) -> ParameterError? {
        #expect(throws: ParameterError.self) { try Tree(yaml: yaml, file: "x.yaml") }
    }

    @Test func `values and their lines`() throws {
        let tree = try Tree(
            yaml: """
                # an experiment
                text: some words
                quoted: "7"
                numbers: [1, -2.5, 1e3, .5]
                nested:
                  yes-or-no: true
                  nothing: ~
                """, file: "x.yaml")
        #expect(tree["text"]?.text == "some words")
        #expect(tree["quoted"]?.text == "7")
        #expect(tree["numbers"]?.list == [1, -2.5, 1000, 0.5].map { Tree(.real($0)) })
        #expect(tree["nested.yes-or-no"]?.boolean == true)
        #expect(tree["nested.nothing"]?.isNull == true)
        #expect(tree["nested.yes-or-no"]?.line == 6)
        #expect(tree.entries?.map(\.line) == [2, 3, 4, 5])
        #expect(tree["nested.absent"] == nil)
    }

    @Test(arguments: [
        ("a: yes", "yes"), ("a: 1_000", "1_000"), ("a: 0x10", "0x10"), ("a: 1.2.3", "1.2.3"), ("a: .", "."),
        ("a: e5", "e5"), ("a: '1'", "1"), ("a: 2026-01-01", "2026-01-01"), ("a: \"null\"", "null"),
    ])
    func `words that are not numbers stay text`(yaml: String, text: String) throws {
        #expect(try Tree(yaml: yaml, file: "x")["a"]?.text == text)
    }

    @Test(arguments: ["9223372036854775808", "1e999", ".inf", "-.inf", ".nan", "007"])
    func `numbers that cannot be held are refused`(number: String) throws {
        let error = try #require(refusal(of: "a: \(number)"))
        #expect(error.description.hasPrefix("x.yaml:1: a: \(number) is not allowed"))
        #expect(error.exitCode == 65)
    }

    @Test(arguments: [
        ("a: 1\nb: 2\na: 3", "is given twice"),
        ("a: 1\n'a': 3", "is given twice"),
        ("a: &x 1\nb: *x", "anchors"),
        ("? &k a\n: 1", "anchors"),
        ("a: *x", "undefined alias"),
        ("a: !!str 1", "tags"),
        ("a: !mine {}", "tags"),
        ("a: {<<: {b: 1}}", "merge keys"),
        ("a: 1\n---\nb: 2", "second document"),
        ("[a, b]: 1", "a single word"),
        ("a: [1, 2", "x.yaml"),
        ("a: b: c", "x.yaml:1"),
        ("\ta: 1", "x.yaml:1"),
    ])
    func `what an experiment does not need is refused`(yaml: String, part: String) throws {
        let error = try #require(refusal(of: yaml))
        #expect(error.description.contains(part), "\(error)")
    }

    @Test(arguments: ["[", "{a: ", "- ", "? "])
    func `towers of nesting are refused at once`(opening: String) throws {
        let error = try #require(refusal(of: String(repeating: opening, count: 100_000)))
        #expect(error.description.contains("nested deeper") || error.description.contains("x.yaml"))
    }

    @Test func `a web of aliases is refused before it is expanded`() throws {
        var yaml = "a0: &a0 [x]\n"
        for level in 1...30 {
            let aliases = Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ", ")
            yaml += "a\(level): &a\(level) [\(aliases)]\n"
        }
        yaml += "? *a30\n: 1\n? *a29\n: 2\n"
        #expect(try #require(refusal(of: yaml)).description.contains("aliases"))
    }

    @Test func `depth is counted exactly`() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        _ = try Tree(yaml: nested(Tree.maximumDepth + 1), file: "x")
        #expect(throws: ParameterError.self) { try Tree(yaml: nested(Tree.maximumDepth + 2), file: "x") }
        _ = try Tree(json: nested(Tree.maximumDepth + 1), file: "x")
        #expect(throws: ParameterError.self) { try Tree(json: nested(Tree.maximumDepth + 2), file: "x") }
    }

    @Test func `long files are refused`() throws {
        let yaml = "a: " + String(repeating: "x", count: Tree.maximumYAMLSize)
        #expect(refusal(of: yaml) == .tooLong(file: "x.yaml", limit: 1 << 20))
    }

    @Test func `a missing file names itself`() throws {
        let error = #expect(throws: ParameterError.self) { try Tree(yamlFile: "/nowhere/x.yaml") }
        #expect(error?.exitCode == 66)
        #expect(error?.description.contains("/nowhere/x.yaml") == true)
    }

    @Test func `a folder is not a file`() throws {
        #expect(throws: ParameterError.self) { try Tree(yamlFile: "/tmp") }
    }
}
