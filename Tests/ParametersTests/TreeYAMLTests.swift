import Files
import Glibc
import TestSupport
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
        ("a: *x", "anchors"),
        ("a: &x {}", "anchors"),
        ("a: &x [1]", "anchors"),
        ("*x : 1", "anchors"),
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

    @Test(arguments: [
        ("[*a, *a]", "[*b,*b]"), (#"{"k": *a, "l": *a}"#, #"{"k":*b,"l":*b}"#),
        ("{'k': *a, 'l': *a}", "{'k':*b,'l':*b}"), ("{k: *a, ? *a : 1}", "{k: *b, ? *b : 1}"),
    ])
    func `an anchor is refused where it stands, however its aliases are written`(form: (String, String))
        throws
    {
        var yaml = "a: &a {k: 1}\n"
        for level in 1...40 {
            yaml += "x\(level): &b \(level == 1 ? form.0 : form.1)\n"
        }
        let error = try #require(refusal(of: yaml + "? *b\n: 1"))
        #expect(
            error.description.hasPrefix("x.yaml:1: anchors (&) and aliases (*) are not allowed"), "\(error)")
    }

    @Test(arguments: [
        ("a: 1\n\tb: 2", 2, "tab"), ("a:\n  - 1\n\t- 2", 3, "tab"), ("a: {\n\tb: 1\n c: }", 2, "tab"),
        ("a:\n\u{A0} b: 1\n  c: [", 2, "U+00A0, no-break space"),
        ("a: 1\nb\u{FF1A} 2\nc: 3", 2, "U+FF1A, fullwidth colon): write ':'"),
        ("a: \u{201C}b: c\u{201D}", 1, "U+201C, left double quotation mark"),
        ("a: 1\n\u{200B}b: 2\n c: 3", 2, "U+200B, zero width space): remove it"),
        ("a: [1, 2\u{FF3D}\nb: 1", 1, "U+FF3D, fullwidth right square bracket): write ']'"),
        ("a: 1\nb: \u{7}", 2, "control characters are not allowed (U+0007"),
    ])
    func `a character that breaks YAML and looks like another is named`(
        yaml: String, line: Int, part: String
    ) throws {
        let text = try #require(refusal(of: yaml)).description
        #expect(text.contains(part), "\(text)")
        #expect(text.contains("x.yaml:\(line)") || text.contains("line \(line) holds"), "\(text)")
    }

    @Test func `everything that can be told of single values is told at once`() throws {
        let error = try #require(
            refusal(of: "a: 007\nb: !x 1\nc: 1\nc: 2\nd: {e: .nan, <<: {}}\nf: [1e999]"))
        #expect(
            error.messages.map { $0.prefix { $0 != " " } } == [
                "x.yaml:1:", "x.yaml:2:", "x.yaml:4:", "x.yaml:5:", "x.yaml:5:", "x.yaml:6:",
            ])
    }

    @Test func `a syntax error comes with what was wrong before it`() throws {
        let error = try #require(refusal(of: "a: 007\nb: [1, 2"))
        #expect(error.messages.count == 2 && error.messages[0].contains("leading zeros"), "\(error)")
    }

    @Test func `maps of very many keys are refused`() {
        let yaml = (0...Tree.maximumKeys).map { "k\($0): 1\n" }.joined()
        #expect(refusal(of: yaml)?.description.contains("more than 10000 keys") == true)
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
        let error = #expect(throws: FileError.self) { try Tree(yamlFile: "/nowhere/x.yaml") }
        #expect(error?.exitCode == 66)
        #expect(error?.description.contains("'/nowhere/x.yaml' does not exist") == true)
    }

    @Test func `a folder, a device or a pipe is not a file`() throws {
        let folder = TemporaryFolder()
        let pipe = folder.path("pipe.yaml")
        #expect(mkfifo(pipe, 0o600) == 0)
        for path in [folder.path, "/dev/zero", pipe] {
            let error = #expect(throws: FileError.self) { try Tree(yamlFile: path) }
            #expect(error?.exitCode == 65)
            #expect(error?.description.contains("where a regular file is needed; move it away") == true)
        }
    }

    @Test func `text that is not UTF-8 is named with its line`() throws {
        let folder = TemporaryFolder()
        for (bytes, message) in [
            (Array("a: 1\nb: ".utf8) + [0xE9], ":2: the text is not UTF-8; save it as UTF-8"),
            ([0xFF, 0xFE, 0x61, 0], ": the text is not UTF-8 but UTF-16; save it as UTF-8"),
        ] {
            let path = try folder.write(bytes, to: "x.yaml")
            let error = #expect(throws: ParameterError.self) { try Tree(yamlFile: path) }
            #expect(error?.description == path + message)
        }
    }
}
