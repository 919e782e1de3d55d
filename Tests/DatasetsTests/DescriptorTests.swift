import Foundation
import Parameters
import TestSupport
import Testing

@testable import Datasets

@Suite("Descriptors")
struct DescriptorTests {
    let folder: TemporaryFolder
    let small = SmallDataset()

    init() throws { folder = TemporaryFolder() }

    @Test("every descriptor of the repository reads", arguments: ["digits", "fashion-mnist", "mnist"])
    func repository(name: String) throws {
        let descriptor = try DatasetDescriptor(reading: "\(dataFolder)/\(name).yaml")
        #expect(descriptor.name == name)
        #expect(descriptor.classes.count == 10)
        #expect(descriptor.members.count == 4)
        #expect(descriptor.inputs.count == 5)
        for digest in descriptor.inputs.values { #expect(digest.count == 64) }
    }

    @Test("those of CIFAR have their classes, their files in order, and the official archive")
    func cifar() throws {
        let ten = try DatasetDescriptor(reading: "\(dataFolder)/cifar-10.yaml")
        #expect(ten.classes.count == 10 && ten.classes[3] == "cat")
        #expect(ten.members[.train]?.map(\.file) == (1...5).map { "data_batch_\($0).bin" })
        #expect(
            Set(ten.inputs.keys)
                == ["train-1", "train-2", "train-3", "train-4", "train-5", "test", "descriptor"])
        #expect(ten.archive == .init(file: "cifar-10-binary.tar", folder: "cifar-10-batches-bin"))
        let hundred = try DatasetDescriptor(reading: "\(dataFolder)/cifar-100.yaml")
        #expect(hundred.classes.count == 100 && hundred.classes == hundred.classes.sorted())
        #expect(Set(hundred.inputs.keys) == ["train", "test", "descriptor"])
        for descriptor in [ten, hundred] {
            #expect(descriptor.image == ImageShape(height: 32, width: 32, channels: 3))
            #expect(descriptor.trainCount == 50_000 && descriptor.testCount == 10_000)
            #expect(descriptor.url == "https://www.cs.toronto.edu/~kriz/")
        }
    }

    /// Edits of a descriptor of the CIFAR formats.
    static let cifarEdits: [Edit] = [
        Edit(find: "train: [", replace: "training: [", message: ["files.train", "or a list of these"]),
        Edit(find: "one.bin", replace: "two.bin", message: ["files", "'two.bin' twice"]),
        Edit(find: "one.bin", replace: "one.bin.xz", message: ["files.train[0].file", "without .gz or .xz"]),
        Edit(find: "sha256: ", replace: "sha: ", message: ["files.train[0].sha"]),
        Edit(find: "  test: {", replace: "  test: []\n  x: {", message: ["files.test", "an empty list"]),
        Edit(find: "small.tar", replace: "small.zip", message: [":14: archive.file", "ends in .tar"]),
        Edit(find: "small.tar", replace: "../small.tar", message: [":14: archive.file"]),
        Edit(find: "small-bin", replace: "../bin", message: [":14: archive.folder", "'../bin'"]),
        Edit(find: "folder: ", replace: "folders: ", message: [":14: archive.folders", "'folder'"]),
        Edit(find: "test: 2", replace: "test: 2\ncolumn: 0", message: [":10: column"]),
        Edit(find: "format: cifar-10", replace: "format: idx", message: ["files.train-images", "missing"]),
    ]

    @Test("each mistake in files and archive is refused with file, line and key", arguments: cifarEdits)
    func cifarMistakes(edit: Edit) throws {
        let yaml = SmallCIFAR().yaml.replacingOccurrences(of: edit.find, with: edit.replace)
        #expect(yaml != SmallCIFAR().yaml)
        let error = #expect(throws: ParameterError.self) {
            try DatasetDescriptor(yaml: yaml, path: "data/small.yaml")
        }
        let text = try #require(error).description
        for part in ["data/small.yaml"] + edit.message {
            #expect(text.contains(part), "\(text) lacks \(part)")
        }
    }

    @Test("the shape of the images is among the inputs where the files do not say it")
    func cifarShape() throws {
        var small = SmallCIFAR()
        let inputs = try DatasetDescriptor(yaml: small.yaml, path: "small.yaml").inputs
        small.image = "[3, 2, 3]"
        let changed = try DatasetDescriptor(yaml: small.yaml, path: "small.yaml").inputs
        #expect(inputs["descriptor"] != changed["descriptor"] && inputs["test"] == changed["test"])
    }

    /// An edit of the small descriptor that makes it wrong, and what the message must hold.
    struct Edit: Sendable, CustomTestStringConvertible {
        var find: String
        var replace: String
        var message: [String]
        var testDescription: String { "\(find) -> \(replace)" }
    }

    static let edits: [Edit] = [
        Edit(find: "name: small", replace: "name: other", message: [":1: name", "'other'", "'small'"]),
        Edit(find: "name: small", replace: "name: ../small", message: [":1: name", "'../small'"]),
        Edit(find: "title: Small", replace: "titel: Small", message: ["title", "missing"]),
        Edit(find: "homepage:", replace: "hompage: x\nhomepage:", message: [":5: hompage", "homepage"]),
        Edit(find: "format: idx", replace: "format: idy", message: [":6: format", "'idy'", "idx"]),
        Edit(find: "image: [2, 2, 1]", replace: "image: [2, 2]", message: [":7: image"]),
        Edit(find: "image: [2, 2, 1]", replace: "image: [2, 0, 1]", message: [":7: image"]),
        Edit(find: "train: 6", replace: "train: 0", message: [":8: train", "0"]),
        Edit(find: "test: 2", replace: "test: two", message: [":9: test", "'two'"]),
        Edit(find: "classes: [a, b, c]", replace: "classes: []", message: [":10: classes"]),
        Edit(
            find: "classes: [a, b, c]", replace: "classes: [a, b, a]",
            message: [":10: classes[2]: 'a' again", "different from classes[0]"]),
        Edit(
            find: "classes: [a, b, c]", replace: "classes: [a, [b], c]",
            message: [":10: classes[1]: a list of 1"]),
        Edit(
            find: "classes: [a, b, c]", replace: "classes: [a, b, true]",
            message: [":10: classes[2]: true", "in quotes"]),
        Edit(find: "classes: [a, b, c]", replace: "classes: [a, 1.5]", message: [":10: classes[1]: 1.5"]),
        Edit(find: "classes: [a, b, c]", replace: "classes: [a, ~, c]", message: ["classes[1]: nothing"]),
        Edit(
            find: "classes: [a, b, c]", replace: "classes: [a, '', c]", message: ["classes[1]: an empty text"]
        ),
        Edit(
            find: "classes: [a, b, c]", replace: "classes:\n  - a\n  - \"b\\n\"",
            message: [":12: classes[1]", "in one line"]),
        Edit(
            find: "classes: [a, b, c]", replace: "classes: [\u{e9}, e\u{301}]",
            message: [":10: classes[1]", "different from classes[0]"]),
        Edit(
            find: "classes: [a, b, c]", replace: "classes: [" + String(repeating: "x", count: 256) + "]",
            message: [":10: classes[0]", "1 to 255 bytes"]),
        Edit(
            find: "classes: [a, b, c]", replace: "classes: \((0...256).map { $0 })",
            message: [":10: classes: a list of 257", "1 to 256"]),
        Edit(find: "test: 2", replace: "test: 2\ncolumn: 64", message: [":10: column"]),
        Edit(find: "test: 2", replace: "test: 2\ntranspose: 1", message: [":10: transpose"]),
        Edit(find: "test: 2", replace: "test: 2\nfirst-label: a", message: [":10: first-label"]),
        Edit(find: "test-labels: {", replace: "test-lables: {", message: ["files.test-labels", "missing"]),
        Edit(
            find: "file: train-labels.idx", replace: "file: ../train-labels",
            message: ["train-labels.file", "'../train"]),
        Edit(
            find: "file: train-labels.idx", replace: "file: train-labels.gz",
            message: ["train-labels.file", "without .gz"]),
        Edit(find: "file: train-labels.idx", replace: "fil: x, file: y", message: ["train-labels.fil"]),
        Edit(
            find: "sha256: ", replace: "sha256: abc", message: ["sha256", "64 lower-case hexadecimal digits"]),
        Edit(
            find: "test: 2", replace: "test: 2\nurl: ftp://example.org/", message: [":10: url", "https://"]),
        Edit(find: "test: 2", replace: "test: 2\nurl: https://example.org/a b", message: [":10: url"]),
        Edit(find: "test: 2", replace: "test: 2\npackage: x; reboot", message: [":10: package"]),
        Edit(
            find: "test: 2", replace: "test: 2\nplaces: /usr/share",
            message: [":10: places", "list of folders"]),
        Edit(find: "title: Small", replace: "title: [", message: ["small.yaml"]),
    ]

    @Test("each mistake is refused with file, line and key", arguments: edits)
    func mistakes(edit: Edit) throws {
        let yaml = small.yaml.replacingOccurrences(of: edit.find, with: edit.replace)
        #expect(yaml != small.yaml)
        let error = #expect(throws: ParameterError.self) {
            try DatasetDescriptor(yaml: yaml, path: "data/small.yaml")
        }
        let text = try #require(error).description
        for part in ["data/small.yaml"] + edit.message {
            #expect(text.contains(part), "\(text) lacks \(part)")
        }
        #expect(error?.exitCode == 65)
    }

    @Test("all mistakes of a descriptor are told at once")
    func everything() throws {
        var yaml = small.yaml
        for (find, replace) in [
            ("title: Small", "titel: Small"), ("image: [2, 2, 1]", "image: [2, 0]"),
            ("train: 6", "train: six"),
            ("[a, b, c]", "[a, a, [b], '']"), ("sha256: ", "sha256: x"),
        ] { yaml = yaml.replacingOccurrences(of: find, with: replace) }
        let error = #expect(throws: ParameterError.self) {
            try DatasetDescriptor(yaml: yaml, path: "data/small.yaml")
        }
        let text = try #require(error).description
        for part in [
            ":2: titel: unknown key", ":7: image", ":8: train", "classes[1]", "classes[2]", "classes[3]",
            "train-images.sha256", "test-labels.sha256", "title: is missing",
        ] { #expect(text.contains(part), "\(text) lacks \(part)") }
        #expect(text.components(separatedBy: "\n").count == 11)
    }

    @Test("inputs change with what reaches the artifact, and with nothing else")
    func inputs() throws {
        let inputs = try small.descriptor(in: folder).inputs
        #expect(
            Set(inputs.keys) == ["train-images", "train-labels", "test-images", "test-labels", "descriptor"])
        var elsewhere = small
        elsewhere.extra = "places: [/elsewhere]\npackage: some-package\nurl: https://example.org/x"
        #expect(try elsewhere.descriptor(in: folder).inputs == inputs)
        for (find, replace) in [
            ("[a, b, c]", "[a, b, d]"), ("licence: none", "licence: MIT"), ("nobody", "me"),
        ] {
            let yaml = small.yaml.replacingOccurrences(of: find, with: replace)
            let changed = try DatasetDescriptor(yaml: yaml, path: "\(folder.path)/small.yaml").inputs
            #expect(changed["descriptor"] != inputs["descriptor"])
        }
    }

    @Test("a descriptor that is not there names the ones that are")
    func absent() throws {
        let error = datasetError { _ = try DatasetDescriptor(reading: "\(dataFolder)/fashoin.yaml") }
        #expect(error?.exitCode == 66)
        #expect(error?.description.contains("digits.yaml, fashion-mnist.yaml, mnist.yaml") == true)
    }

    @Test("parameters have defaults, refuse what is out of range, and encode in kebab-case")
    func parameters() throws {
        let read = try DatasetParameters(tree: Tree(yaml: "dataset: digits", file: "x.yaml"), file: "x.yaml")
        #expect(read == DatasetParameters(dataset: "digits", validation: 0, validationSeed: 0))
        #expect(read.tree.canonicalJSON == #"{"dataset":"digits","validation":0,"validation-seed":0}"#)
        for wrong in [
            "{dataset: digits, validation: -1}", "{dataset: ../x}", "{validation: 3}",
            "{dataset: d, seed: 1}",
        ] {
            #expect(throws: ParameterError.self) {
                try DatasetParameters(tree: Tree(yaml: wrong, file: "x.yaml"), file: "x.yaml")
            }
        }
        #expect(DatasetParameters.documentation.map(\.key) == ["dataset", "validation", "validation-seed"])
    }
}
