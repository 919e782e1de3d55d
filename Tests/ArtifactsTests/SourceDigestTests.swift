import Foundation
import TestSupport
import Testing

/// Runs the built tool, since a plugin's tool cannot be imported.
@Suite("The digest of a stage's sources")
struct SourceDigestTests {
    let folder: TemporaryFolder

    init() throws { folder = TemporaryFolder() }

    // MARK: What is taken out

    @Test("comments, blank lines and indentation go, in Swift and in C", arguments: ["swift", "c"])
    func comments(language: String) throws {
        #expect(
            try strip(
                """
                // first

                /* second
                   third */
                \tint  a = 1; // fourth

                    int b/* fifth */= 2;   \n\n
                """, language) == "int a = 1;\nint b = 2;\n")
    }

    @Test(
        "what looks like a comment inside a Swift literal stays",
        arguments: [
            #"let a = "http://x  /* no */" // yes"#,
            ##"let a = #"a "quoted" // \# \n no"# // yes"##,
            ###"let a = ##"ends "# not // here"## // yes"###,
            ##"let a = #"""# // yes"##,
            #"let a = "a \" // b" // yes"#,
            #"let a = "\(f("x // y", (1, 2))) // z" // yes"#,
            ##"let a = #"\#(f("x // y")) \(no) // z"# // yes"##,
            #"let a = "" // yes"#,
            #"let a = "\\" // yes"#,
            #"let a = `b // c` // yes"#,
            #"let a = /"[^"]*/ // yes"#,
            #"let a = [/\/\*/] // yes"#,
            ##"let a = #/ http://x " /# // yes"##,
            #"let a = (b /* nested /* // */ " */+ c) / d // yes"#,
        ])
    func swiftLiterals(line: String) throws {
        let kept = String(line.dropLast("// yes".count + 1))
            .replacing(#"/* nested /* // */ " */"#, with: "")
        #expect(try strip(line, "swift") == kept + "\n")
    }

    @Test("a multi-line Swift string stays byte for byte", arguments: ["", "#"])
    func multilineString(hashes: String) throws {
        let string = """
            \(hashes)\"""
              // no comment  \u{20}

              a "quote" and ""two"" /* stays
              \\\(hashes)(f("// x")) \\\(hashes)\"""
              \"""\(hashes)
            """
        #expect(try strip("let a = \(string) // yes\n\n\nb", "swift") == "let a = \(string)\nb\n")
    }

    @Test("a Swift comment over several lines ends the line, as the compiler sees it")
    func linesInComments() throws {
        #expect(try strip("a /* x\ny */ b", "swift") == "a\nb\n")
        #expect(try strip("a /* x\ny */ b", "c") == "a b\n")
    }

    @Test(
        "C literals and continued comments are told apart",
        arguments: [
            (#"char a = '"'; // yes"#, #"char a = '"';"#),
            (#"char *a = "// \" no"; /* yes */"#, #"char *a = "// \" no";"#),
            (#"char a = '\''; // yes"#, #"char a = '\'';"#),
            ("int a = 1'000; // yes", "int a = 1'000;"),
            ("// one \\\n two\nint a;", "int a;"),
            ("/* a /* b */ int c; /* */", "int c;"),
            ("#define A \\\n    1 // yes", "#define A \\\n1"),
            ("int a = b / c / d;", "int a = b / c / d;"),
        ])
    func cLiterals(source: String, kept: String) throws {
        #expect(try strip(source, "c") == kept + "\n")
    }

    @Test(
        "broken source ends with the file and is not lost",
        arguments: ["let a = \"", "a \"\"\"\n b", "\"\\(", "a \\"])
    func brokenSource(source: String) throws {
        #expect(try strip(source, "swift").hasPrefix(source))
    }

    @Test("stripping the sources of this package twice takes out no more than stripping them once")
    func ownSources() throws {
        let package = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let sources = package.appending(path: "Sources").path
        let files = try FileManager.default.subpathsOfDirectory(atPath: sources)
            .filter { $0.hasSuffix(".swift") }.map { "\(sources)/\($0)" }
        let once = try run(["strip"] + files).output
        #expect(once.count > 10_000)
        #expect(try strip(once, "swift") == once)
    }

    // MARK: What is hashed

    @Test("a comment changes no digest, code in a module changes that of its stages alone")
    func digests() throws {
        let before = try generate()
        try write("// a comment\nlet a  = 1\n\n", "Sources/A/A.swift")
        #expect(try generate() == before)
        try write("let a = 2", "Sources/A/A.swift")
        let after = try generate()
        #expect(after["one"] != before["one"])
        #expect(after["two"] == before["two"])
    }

    @Test("a file's name and another package's version are part of the digest, the package's place is not")
    func names() throws {
        let before = try generate()
        #expect(try generate(version: "2.0.0")["one"] != before["one"])
        #expect(try generate(version: "2.0.0")["two"] == before["two"])
        #expect(try generate(fileOfA: "Renamed.swift")["one"] != before["one"])
        #expect(try generate(package: "elsewhere") == before)
    }

    @Test("a file that says the same already is not written again")
    func unchangedOutput() throws {
        _ = try generate()
        let output = folder.path + "/SourceDigests.swift"
        let inode = try FileManager.default.attributesOfItem(atPath: output)[.systemFileNumber] as? Int
        _ = try generate()
        #expect(try FileManager.default.attributesOfItem(atPath: output)[.systemFileNumber] as? Int == inode)
    }

    @Test("a source outside the package and an unknown module are refused")
    func refusals() throws {
        let output = ["--output", folder.path + "/x.swift", "--package", folder.path + "/p"]
        let outside = try run(["generate"] + output + ["--module", "A", "/etc/hostname"])
        #expect(outside.status == 64 && outside.error.contains("is not in the package"))
        let unknown = try run(["generate"] + output + ["--stage", "one", "B"])
        #expect(unknown.status == 64 && unknown.error.contains("uses 'B'"))
        #expect(try run(["strip", folder.path + "/none.swift"]).status == 66)
    }

    // MARK: Running the tool

    private func strip(_ source: String, _ language: String) throws -> String {
        let path = folder.path + "/source.\(language)"
        try source.write(toFile: path, atomically: true, encoding: .utf8)
        return try run(["strip", path]).output
    }

    /// Digests of stage `one`, of modules A and B and another package, and stage `two`, of B.
    private func generate(
        package name: String = "package", fileOfA: String = "A.swift", version: String = "1.0.0"
    ) throws -> [String: String] {
        let package = folder.path + "/" + name
        let sources = ["Sources/A/A.swift": "let a = 1", "Sources/B/B.swift": "let b = 1"]
        for (file, text) in sources where !FileManager.default.fileExists(atPath: "\(package)/\(file)") {
            try write(text, file, package: name)
        }
        if fileOfA != "A.swift" {
            try FileManager.default.copyItem(
                atPath: "\(package)/Sources/A/A.swift", toPath: "\(package)/Sources/A/\(fileOfA)")
        }
        let output = folder.path + "/SourceDigests.swift"
        let result = try run([
            "generate", "--output", output, "--package", package, "--module", "A",
            "\(package)/Sources/A/\(fileOfA)", "--module", "B", "\(package)/Sources/B/B.swift", "--stage",
            "one", "B",
            "A", "package:yams@\(version)", "--stage", "two", "B",
        ])
        #expect(result.status == 0, "\(result.error)")
        let text = try String(contentsOfFile: output, encoding: .utf8)
        let entries = text.matches(of: /"([a-z]+)": "([0-9a-f]{64})"/).map { (String($0.1), String($0.2)) }
        return Dictionary(uniqueKeysWithValues: entries)
    }

    private func write(_ text: String, _ file: String, package: String = "package") throws {
        let url = URL(filePath: "\(folder.path)/\(package)/\(file)")
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try text.write(to: url, atomically: true, encoding: .utf8)
    }

    private func run(_ arguments: [String]) throws -> ProgramResult {
        try Program.run("source-digest", arguments)
    }
}
