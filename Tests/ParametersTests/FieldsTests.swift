import Testing

@testable import Parameters

private enum Method: String, CaseIterable { case tiny, gradmax, tinyJoint = "tiny-joint" }

private struct Optimizer: ParameterSet {
    var rate = 0.1
    var nesterov = false

    static let schema = Schema(
        Self(),
        .field("rate", \.rate, .real(in: 0...1), "the step size"),
        .field("nesterov", \.nesterov, .boolean, "look ahead"))
}

private struct Example: ParameterSet {
    var method = Method.tiny
    var widths: [Int] = []
    var labelSmoothing = 0.0
    var name = "x"
    var epochs = 1
    var optimizer = Optimizer()

    static let schema = Schema(
        Self(),
        .field("method", \.method, .choice, "how to grow"),
        .field(
            "widths", \.widths, .integers(in: 1...65536, count: 1...32), default: .required,
            "of the hidden layers"),
        .field("label-smoothing", \.labelSmoothing, .real(in: 0...(1.0).nextDown), "spread"),
        .field("name", \.name, .text, "a name"),
        .field("epochs", \.epochs, .integer(in: 0...100), "passes"),
        .set("optimizer", \.optimizer)
    ) { example, fields in
        guard example.epochs == 13 else { return }
        fields.refuse("epochs", with: ["name"], found: "13", allowed: "a lucky number")
    }
}

@Suite struct FieldsTests {
    private func read(_ yaml: String) throws -> Example {
        try Example(tree: Tree(yaml: yaml, file: "x.yaml"), file: "x.yaml")
    }

    @Test func `defaults are filled in, written in kebab-case, and read back`() throws {
        let example = try read("widths: [8]\noptimizer: {rate: 1}")
        #expect(
            example.tree.canonicalJSON
                == #"{"epochs":1,"label-smoothing":0,"method":"tiny","name":"x","optimizer":{"nesterov":false,"rate":1},"widths":[8]}"#
        )
        #expect(try Example(tree: example.tree, file: "again") == example)
        #expect(try read("widths: [8]\noptimizer:").optimizer == Optimizer())
        #expect(try read("widths: [8]\nepochs: 1e1").epochs == 10)
    }

    @Test(arguments: [
        (
            "widths: [8]\nmethod: tinny",
            "x.yaml:2: method: 'tinny' is not one of tiny, gradmax, tiny-joint; did you mean 'tiny'?"
        ),
        ("widths: [8]\nmethod: 3", "x.yaml:2: method: 3 is not one of tiny, gradmax, tiny-joint"),
        ("widths: [8]\nepoch: 3", "x.yaml:2: epoch: unknown key; did you mean 'epochs'?"),
        (
            "widths: [8]\nzzz: 3",
            "x.yaml:2: zzz: unknown key; the keys here are epochs, label-smoothing, method, name, optimizer, widths"
        ),
        ("widths: [8]\noptimizer:\n  rtae: 3", "x.yaml:3: optimizer.rtae: unknown key; did you mean 'rate'?"),
        (
            "epochs: 1",
            "x.yaml:1: widths: is missing; it must be a list of 1…32 integers in 1…65536 (of the hidden layers)"
        ),
        ("widths: 8", "x.yaml:1: widths: 8 is not a list of 1…32 integers in 1…65536"),
        ("widths: []", "x.yaml:1: widths: a list of 0 is not in a list of 1…32 integers in 1…65536"),
        ("widths:\n- 8\n- 0", "x.yaml:3: widths[1]: 0 is not in 1…65536"),
        ("widths: [a]", "x.yaml:1: widths[0]: 'a' is not an integer in 1…65536"),
        ("widths: [8]\nepochs: 101", "x.yaml:2: epochs: 101 is not in 0…100"),
        ("widths: [8]\nepochs: 1.5", "x.yaml:2: epochs: 1.5 is not an integer in 0…100"),
        ("widths: [8]\nepochs:", "x.yaml:2: epochs: nothing is not an integer in 0…100"),
        ("widths: [8]\nepochs: 13", "x.yaml:2: epochs: 13 is not allowed; it must be a lucky number"),
        ("widths: [8]\nlabel-smoothing: 1", "x.yaml:2: label-smoothing: 1 is not in 0…<1"),
        ("widths: [8]\nname: 7", "x.yaml:2: name: 7 is not text (put it in quotes)"),
        ("widths: [8]\noptimizer: 7", "x.yaml:2: optimizer: 7 is not a map of keys and values"),
        ("widths: [8]\noptimizer: {nesterov: no}", "x.yaml:2: optimizer.nesterov: 'no' is not true or false"),
        ("[1]", "x.yaml:1: a list of 1 is not a map of keys and values"),
    ])
    func `messages say where, what and what is allowed`(yaml: String, message: String) {
        let error = #expect(throws: ParameterError.self) { try read(yaml) }
        #expect(error?.description == message)
        #expect(error?.exitCode == 65)
    }

    @Test func `everything wrong in a file is told at once, unknown keys before missing ones`() throws {
        let error = #expect(throws: ParameterError.self) {
            try read(
                """
                optimizer: {rate: fast, nesterov: 1, speed: 3}
                method: tinny
                zzz: 1
                epochs: 13
                label-smoothing: 2
                """)
        }
        #expect(
            error?.messages.map { String($0.dropFirst("x.yaml:".count).prefix { $0 != ";" }) } == [
                "1: optimizer.rate: 'fast' is not a number in 0…1",
                "1: optimizer.nesterov: 1 is not true or false",
                "1: optimizer.speed: unknown key",
                "2: method: 'tinny' is not one of tiny, gradmax, tiny-joint",
                "3: zzz: unknown key",
                "4: epochs: 13 is not allowed",
                "5: label-smoothing: 2 is not in 0…<1",
                "1: widths: is missing",
            ])
        #expect(error?.exitCode == 65)
    }

    @Test func `each wrong element of a list is told`() throws {
        let error = #expect(throws: ParameterError.self) { try read("widths: [8, 0, a, 9, 70000]") }
        #expect(
            error?.messages == [
                "x.yaml:1: widths[1]: 0 is not in 1…65536",
                "x.yaml:1: widths[2]: 'a' is not an integer in 1…65536",
                "x.yaml:1: widths[4]: 70000 is not in 1…65536",
            ])
    }

    @Test func `a reason that depends on a field already refused is not told`() throws {
        let error = #expect(throws: ParameterError.self) { try read("widths: [8]\nepochs: 13\nname: 7") }
        #expect(error?.messages.count == 1 && error?.description.contains("name: 7") == true)
    }

    @Test func `of very many errors the first are shown`() throws {
        let yaml = "widths: [8]\n" + (1...80).map { "key\($0): 1\n" }.joined()
        let error = #expect(throws: ParameterError.self) { try read(yaml) }
        #expect(error?.messages.count == 51)
        #expect(error?.messages.last == "x.yaml: and 30 more errors")
    }

    @Test(arguments: [
        ("widths: [8]\noptimizer: {rate:\u{A0}0.5}", "optimizer.rate:<U+00A0>0.5: unknown key"),
        ("widths: [8]\nepo\u{AD}chs: 3", "U+00AD, soft hyphen): remove it"),
        ("widths: [8]\nmethod: tiny\u{2010}joint", "U+2010, hyphen): write '-'"),
        ("widths: [8]\nmethod: \"tiny\\t\"", "'tiny<U+0009>'"),
        ("widths: [8]\nepochs: 1\u{A0}# passes", "U+00A0, no-break space): write a space"),
        ("widths: [8]\n\u{435}pochs: 3", "'е' (U+0435, cyrillic small letter ie)"),
        ("widths: [8]\nlabel-smoothing: \u{FF10}.1", "U+FF10, fullwidth digit zero): write '0'"),
    ])
    func `a character that looks like another is named`(yaml: String, part: String) throws {
        let text = try #require(#expect(throws: ParameterError.self) { try read(yaml) }).description
        #expect(text.contains(part), "\(text)")
        #expect(text.contains("x.yaml:2"), "\(text)")
    }

    @Test func `a very long key or value does not fill the screen`() throws {
        let long = String(repeating: "x", count: 100_000)
        for yaml in ["\(long): 1", "epochs: \(long)", "epochs: \(String(repeating: "9", count: 100_000))"] {
            let error = #expect(throws: ParameterError.self) { try read("widths: [8]\n\(yaml)") }
            #expect(try #require(error).description.utf8.count < 1000)
        }
    }

    @Test func `documentation lists every field in reading order`() {
        let documentation = Example.documentation
        #expect(
            documentation.map(\.key) == [
                "method", "widths", "label-smoothing", "name", "epochs", "optimizer.rate",
                "optimizer.nesterov",
            ])
        #expect(
            documentation[0]
                == .init(
                    key: "method", allowed: "tiny, gradmax, tiny-joint", defaultValue: "tiny",
                    help: "how to grow"))
        #expect(documentation[1].defaultValue == nil)
    }

    @Test(arguments: [
        ("tinny", "tiny"), ("gradmx", "gradmax"), ("tiny-jiont", "tiny-joint"), ("grad", "gradmax"),
        ("bottleneck", nil), ("x", nil),
    ])
    func `the nearest word`(word: String, nearest: String?) {
        #expect(Spelling.nearest(to: word, among: Method.allCases.map(\.rawValue)) == nearest)
    }
}
