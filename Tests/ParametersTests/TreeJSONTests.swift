import Testing

@testable import Parameters

@Suite struct TreeJSONTests {
    @Test func `values, escapes and lines`() throws {
        let tree = try Tree(
            json: #"""
                {"a": [1, -0.5, 2e3, true, null],
                 "b": "\"\\\/\b\f\n\r\t\u00e9\ud83c\udf31 é🌱"}
                """#, file: "x.json")
        #expect(
            tree["a"]
                == Tree(
                    .list([
                        .init(.integer(1)), .init(.real(-0.5)), .init(.real(2000)), .init(.boolean(true)),
                        .init(.null),
                    ])))
        #expect(tree["b"]?.text == "\"\\/\u{8}\u{C}\n\r\té🌱 é🌱")
        #expect(tree.entries?.map(\.line) == [1, 2])
    }

    @Test(arguments: [
        "", "{", "[1,]", "{\"a\":1,}", "{a:1}", "01", "1.", ".5", "+1", "-", "1e", "NaN", "nul", "[1 2]",
        "{\"a\" 1}",
        "\"a", "\"\n\"", #""\x""#, #""\ud800""#, #""\ud800\u0041""#, #""\u12g4""#, "[] []", "// c\n1", "'a'",
        "9223372036854775808",
        "1e999", "{\"a\":1,\"a\":2}",
    ])
    func `what is not JSON is refused`(json: String) {
        let error = #expect(throws: ParameterError.self) { try Tree(json: json, file: "x.json") }
        #expect(error?.description.hasPrefix("x.json:") == true)
        #expect(error?.exitCode == 65)
    }

    @Test func `bytes that are not UTF-8 are refused`() {
        #expect(throws: ParameterError.self) { try Tree(json: [0x22, 0xC3, 0x22], file: "x.json") }
    }

    @Test(arguments: [
        (#"{"b":1.0,"a":[1e2,0.1,-0.0,1e-7]}"#, #"{"a":[100,0.1,0,1e-07],"b":1}"#),
        (#"{"é":1,"z":2,"Z":3}"#, #"{"Z":3,"z":2,"é":1}"#),
        (#""\u0001\u001f/\n\"""#, #""\u0001\u001f/\n\"""#),
        ("1e300", "1e+300"),
        ("[ ]", "[]"),
    ])
    func `canonical text`(json: String, canonical: String) throws {
        let tree = try Tree(json: json, file: "x")
        #expect(tree.canonicalJSON == canonical)
        let again = try Tree(json: canonical, file: "x")
        #expect(again == tree)
        #expect(again.canonicalJSON == canonical)
    }

    @Test func `random trees read back equal`() throws {
        var generator = SplitMix(state: 7)
        for _ in 0..<300 {
            let tree = generator.tree(depth: 4)
            let json = tree.canonicalJSON
            #expect(try Tree(json: json, file: "x") == tree, "\(json)")
            #expect(try Tree(yaml: json, file: "x") == tree, "\(json)")
        }
    }

    @Test func `random bytes never crash a reader`() throws {
        var generator = SplitMix(state: 11)
        let alphabet = Array(#"{}[]:,"\ue+-.0123 truefalsnul&*!?|>'#%@`"#.unicodeScalars) + ["\n", "\t", "é"]
        for _ in 0..<3000 {
            var text = ""
            for _ in 0..<Int(generator.next() % 40) {
                text.unicodeScalars.append(alphabet[Int(generator.next() % UInt64(alphabet.count))])
            }
            _ = try? Tree(json: text, file: "x")
            _ = try? Tree(yaml: text, file: "x")
        }
    }
}

@Suite struct TreeTests {
    private func yaml(_ text: String) throws -> Tree { try Tree(yaml: text, file: "x") }

    @Test func `equality ignores lines, order and how a number is written`() throws {
        #expect(try yaml("a: 1\nb: 2") == yaml("{b: 2.0, a: 1}"))
        #expect(try yaml("a: 1") != yaml("a: '1'"))
        #expect(try yaml("a: 1") != yaml("a: 1\nb: 2"))
        #expect(try yaml("[1, 2]") != yaml("[2, 1]"))
    }

    @Test func `a path sets, replaces and removes`() throws {
        var tree = try yaml("growth: {method: tiny}\nseed: 1")
        tree["growth.method"] = Tree(.text("gradmax"), line: 9)
        tree["tune.epochs"] = Tree(.integer(3))
        tree["seed.rate"] = Tree(.real(0.5))
        #expect(try tree == yaml("{growth: {method: gradmax}, tune: {epochs: 3}, seed: {rate: 0.5}}"))
        #expect(tree["growth.method"]?.line == 9)
        tree["tune"] = nil
        tree["never.there"] = nil
        #expect(tree["tune"] == nil)
        #expect(tree["growth.method"]?.text == "gradmax")
    }

    @Test func `merging goes into maps and replaces everything else`() throws {
        let base = try yaml("a: {b: 1, c: [1, 2]}\nd: 4")
        let above = try yaml("a: {c: [3], e: 5}\nd: {f: 6}")
        #expect(try above.merged(over: base) == yaml("a: {b: 1, c: [3], e: 5}\nd: {f: 6}"))
    }
}

/// A small seeded generator, the same everywhere.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func tree(depth: Int) -> Tree {
        switch next() % (depth > 0 ? 7 : 5) {
        case 0: Tree(.null)
        case 1: Tree(.boolean(next() % 2 == 0))
        case 2: Tree(.integer(Int(truncatingIfNeeded: next()) >> Int(next() % 63)))
        case 3: Tree(.real(Double(Int64(bitPattern: next())) * .pi / Double(next() >> 2 | 1)))
        case 4: Tree(.text(word()))
        case 5: Tree(.list((0..<Int(next() % 4)).map { _ in tree(depth: depth - 1) }))
        default:
            Tree(
                .map(
                    (0..<Int(next() % 4)).map { .init(key: "\($0)\(word())", value: tree(depth: depth - 1)) })
            )
        }
    }

    private mutating func word() -> String {
        let letters = Array("abc é🌱\"\\\n: #-&*'")
        return String((0..<Int(next() % 6)).map { _ in letters[Int(next() % UInt64(letters.count))] })
    }
}
