import Files
import Parameters
import Testing

@testable import Artifacts

@Suite("The key of a step")
struct KeyTests {
    static let digest = Digest(of: "an input")

    static func parts() throws -> KeyParts {
        KeyParts(
            stage: "grow", source: "5eed", platform: "OpenBLAS 3.1 Haswell",
            parameters: try Tree(json: #"{"method":"tiny","neurons":8,"amplitude":0.5}"#, file: "test"),
            inputs: ["network": digest, "dataset": Digest(of: "another")])
    }

    @Test("the key changes with every part", arguments: 0..<8)
    func everyPart(change: Int) throws {
        var parts = try Self.parts()
        switch change {
        case 0: parts.stage = "tune"
        case 1: parts.source += "0"
        case 2: parts.platform = "OpenBLAS 3.1 SkylakeX"
        case 3: parts.parameters["neurons"] = Tree(.integer(9))
        case 4: parts.parameters["seed"] = Tree(.null)
        case 5: parts.inputs["network"] = Digest(of: "changed")
        case 6: parts.inputs["architecture"] = parts.inputs.removeValue(forKey: "network")
        default: parts.inputs["network"] = nil
        }
        #expect(try parts.key != Self.parts().key)
    }

    @Test(
        "the key does not change with the spelling of parameters",
        arguments: [
            #"{"amplitude":0.5,"method":"tiny","neurons":8}"#,
            "{ \"neurons\" : 8.0,\n\"amplitude\":5e-1, \"method\":\"ti\\u006Ey\" }",
        ])
    func spelling(json: String) throws {
        var parts = try Self.parts()
        parts.parameters = try Tree(json: json, file: "elsewhere")
        #expect(try parts.key == Self.parts().key)
    }

    @Test("the key is the SHA-256 of JSON that stays as it is")
    func canonical() throws {
        let json = try Self.parts().canonicalJSON
        #expect(
            json == """
                {"inputs":{"dataset":"\(Digest(of: "another"))","network":"\(Self.digest)"},\
                "parameters":{"amplitude":0.5,"method":"tiny","neurons":8},\
                "platform":"OpenBLAS 3.1 Haswell","schema":1,"source":"5eed","stage":"grow"}
                """)
        #expect(try Self.parts().key.digest == Digest(of: json))
    }

    @Test("a digest is what sha256sum prints")
    func knownDigests() {
        #expect(
            Digest(of: "").hexadecimal == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(
            Digest(of: "abc").hexadecimal
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test(
        "only 64 lower-case hexadecimal digits are a digest",
        arguments: ["", "abc", String(repeating: "A", count: 64), String(repeating: "g", count: 64)])
    func digestText(text: String) {
        #expect(Digest(text) == nil)
        #expect(Digest(Self.digest.description) == Self.digest)
    }
}
