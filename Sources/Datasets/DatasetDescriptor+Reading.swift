internal import Files
internal import Foundation
internal import Parameters

extension DatasetDescriptor {
    /// Reads `data/<name>.yaml` strictly.
    /// - Throws: `ParameterError` with the line, `FileError`; `DatasetError.missing` if there is no such file.
    package init(reading path: String) throws {
        guard FileSystem.entry(at: path) != nil else { throw Self.noDescriptor(path) }
        try self.init(Document(yamlFile: path))
    }

    /// - Parameters:
    ///   - yaml: the text of a descriptor.
    ///   - path: its file, for messages and for the places relative to it.
    package init(yaml: String, path: String) throws {
        try self.init(Document(yaml: yaml, file: path))
    }

    private init(_ document: Document) throws {
        self = try Fields.reading(document) { try Self(fields: &$0, path: document.file) }
    }

    private init(fields: inout Fields, path: String) throws {
        self.path = path
        name = try Self.name(&fields, path)
        title = try fields.read("title", .text, "the name that people use")
        licence = try fields.read("licence", .text, "the licence, as SPDX identifier if it has one")
        citation = try fields.read("citation", .text, "whom to cite")
        homepage = try fields.read("homepage", .text, "where to read about it")
        format = try fields.read("format", .choice, "how the files are laid out")
        image = try Self.image(&fields)
        trainCount = try fields.read("train", .integer(in: 1...100_000_000), "samples of the training split")
        testCount = try fields.read("test", .integer(in: 1...100_000_000), "samples of the test split")
        Self.checkSize(&fields, image, trainCount, testCount)
        classes = Self.texts("classes", &fields, allowed: "a list of 1 to 256 different names")
        firstLabel = try fields.read(
            "first-label", .integer(in: -1_000_000...1_000_000), default: 0, "the label of the first class")
        isTransposed = try fields.read(
            "transpose", .boolean, default: false, "whether the files have rows and columns exchanged")
        labelColumn =
            format == .idx && fields.contains("column")
            ? try fields.read(
                "column", .integer(in: 0...Self.largestColumns - 1),
                "the column of the labels that has the class")
            : nil
        members = try Self.members(&fields, format)
        archive = try Self.archive(&fields)
        places =
            fields.contains("places")
            ? Self.texts("places", &fields, allowed: "a list of folders") : []
        package = try Self.optional("package", &fields, "the Debian package that installs the files") {
            $0.wholeMatch(of: /[a-z0-9][a-z0-9+.-]+/) != nil ? $0 : nil
        }
        url = try Self.optional("url", &fields, "the folder to download from, with http:// or https://") {
            guard $0.wholeMatch(of: /(https?|file):\/\/[!-~]+/) != nil else { return nil }
            return $0.hasSuffix("/") ? $0 : $0 + "/"
        }
    }

    /// Lower-case letters and digits, with single dashes between them: a name that is safe in every path.
    static func isName(_ text: String) -> Bool { text.wholeMatch(of: /[a-z0-9]+(-[a-z0-9]+)*/) != nil }

    private static func name(_ fields: inout Fields, _ path: String) throws -> String {
        let name = try fields.read("name", .text, "the name, which is the file's too")
        let stem = ((path as NSString).lastPathComponent as NSString).deletingPathExtension
        if name != stem || !isName(name) {
            fields.refuse(
                "name", found: "'\(name)'",
                allowed: "'\(stem)', the file's name (lower-case letters, digits and dashes)")
        }
        return name
    }

    private static func image(_ fields: inout Fields) throws -> ImageShape {
        let extents = try fields.read(
            "image", .integers(in: 1...ImageShape.largestExtent, count: 3...3),
            "height, width and channels of an image")
        guard extents.count == 3 else { return ImageShape(height: 1, width: 1, channels: 1) }
        return ImageShape(height: extents[0], width: extents[1], channels: extents[2])
    }

    /// Whatever is computed from extents and counts later on stays far from an overflow.
    private static func checkSize(_ fields: inout Fields, _ image: ImageShape, _ train: Int, _ test: Int) {
        let (bytes, overflow) = image.count.multipliedReportingOverflow(by: train + test)
        guard overflow || bytes > largestContent else { return }
        fields.refuse(
            "image", with: ["train", "test"],
            found: "\(described(image.extents)) for \(train) + \(test) samples",
            allowed: "such that all images have at most \(largestContent) bytes (4 GiB)")
    }

    /// A list of different texts (integers are taken as their digits, so that `[0, 1, 2]` are class names).
    private static func texts(_ key: String, _ fields: inout Fields, allowed: String) -> [String] {
        guard let tree = fields.tree(key) else {
            fields.addMissing(key, allowed: allowed)
            return []
        }
        guard let list = tree.list, (1...256).contains(list.count) else {
            fields.refuse(key, found: tree.summary, allowed: allowed)
            return []
        }
        var places: [String: Int] = [:]
        for (index, element) in list.enumerated() {
            func refuse(_ found: String, _ allowed: String) {
                fields.refuse(key, element: ("[\(index)]", element), found: found, allowed: allowed)
            }
            guard let text = Self.text(of: element) else {
                refuse(element.summary, "text; put it in quotes if it is meant as such")
                continue
            }
            if !(1...255).contains(text.utf8.count)
                || text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
            {
                refuse(
                    text.isEmpty ? "an empty text" : element.summary, "text of 1 to 255 bytes in one line")
            } else if let first = places.updateValue(index, forKey: text) {
                refuse("'\(text)' again", "different from \(key)[\(first)]")
            }
        }
        return list.compactMap(Self.text)
    }

    private static func text(of element: Tree) -> String? {
        if case .integer(let value) = element.content { return String(value) }
        return element.text
    }

    private static func optional(
        _ key: String, _ fields: inout Fields, _ help: String, _ check: (String) -> String?
    ) throws -> String? {
        guard fields.contains(key) else { return nil }
        let text = try fields.read(key, .text, help)
        let value = check(text)
        if value == nil { fields.refuse(key, found: "'\(text)'", allowed: help) }
        return value
    }

    /// Says which descriptors there are beside the one that is not.
    private static func noDescriptor(_ path: String) -> DatasetError {
        let folder = (path as NSString).deletingLastPathComponent
        let others = ((try? FileSystem.names(in: folder.isEmpty ? "." : folder)) ?? [])
            .filter { $0.hasSuffix(".yaml") }
        return .missing(
            dataset: (path as NSString).lastPathComponent,
            tried: [.init(path: path, reason: "no such file")],
            help: [
                others.isEmpty
                    ? "name a descriptor: data/<name>.yaml"
                    : "name one of the descriptors there: \(others.joined(separator: ", "))",
                "write one: data/README.md says how",
            ])
    }
}
