internal import Foundation
internal import Parameters

extension DatasetDescriptor {
    /// Reads `data/<name>.yaml` strictly.
    /// - Throws: `ParameterError` with the line; `DatasetError.missing` if there is no such file.
    package init(reading path: String) throws {
        if let reason = FolderContents.absence(of: path) { throw Self.noDescriptor(path, reason) }
        try self.init(tree: Tree(yamlFile: path), path: path)
    }

    /// - Parameters:
    ///   - yaml: the text of a descriptor.
    ///   - path: its file, for messages and for the places relative to it.
    package init(yaml: String, path: String) throws {
        try self.init(tree: Tree(yaml: yaml, file: path), path: path)
    }

    private init(tree: Tree, path: String) throws {
        var fields = try Fields(tree, file: path)
        self.path = path
        name = try Self.name(&fields, path)
        title = try fields.text("title", "the name that people use")
        licence = try fields.text("licence", "the licence, as SPDX identifier if it has one")
        citation = try fields.text("citation", "whom to cite")
        homepage = try fields.text("homepage", "where to read about it")
        format = try fields.choice("format", "how the files are laid out")
        image = try Self.image(&fields)
        trainCount = try fields.integer("train", in: 1...100_000_000, "samples of the training split")
        testCount = try fields.integer("test", in: 1...100_000_000, "samples of the test split")
        try Self.checkSize(fields, image, trainCount, testCount)
        classes = try Self.texts("classes", &fields, path, allowed: "a list of 1 to 256 different names")
        firstLabel = try fields.integer(
            "first-label", in: -1_000_000...1_000_000, default: 0, "the label of the first class")
        isTransposed = try fields.boolean(
            "transpose", default: false, "whether the files have rows and columns exchanged")
        labelColumn =
            format == .idx && fields.contains("column")
            ? try fields.integer(
                "column", in: 0...Self.largestColumns - 1, "the column of the labels that has the class")
            : nil
        members = try Self.members(&fields, path, format)
        archive = try Self.archive(&fields, path)
        places =
            fields.contains("places")
            ? try Self.texts("places", &fields, path, allowed: "a list of folders") : []
        package = try Self.optional("package", &fields, "the Debian package that installs the files") {
            $0.wholeMatch(of: /[a-z0-9][a-z0-9+.-]+/) != nil ? $0 : nil
        }
        url = try Self.optional("url", &fields, "the folder to download from, with http:// or https://") {
            guard $0.wholeMatch(of: /(https?|file):\/\/[!-~]+/) != nil else { return nil }
            return $0.hasSuffix("/") ? $0 : $0 + "/"
        }
        try fields.finish()
    }

    /// Lower-case letters and digits, with single dashes between them: a name that is safe in every path.
    static func isName(_ text: String) -> Bool { text.wholeMatch(of: /[a-z0-9]+(-[a-z0-9]+)*/) != nil }

    private static func name(_ fields: inout Fields, _ path: String) throws -> String {
        let name = try fields.text("name", "the name, which is the file's too")
        let stem = ((path as NSString).lastPathComponent as NSString).deletingPathExtension
        guard name == stem, isName(name) else {
            throw fields.failure(
                "name", found: "'\(name)'",
                allowed: "'\(stem)', the file's name (lower-case letters, digits and dashes)")
        }
        return name
    }

    private static func image(_ fields: inout Fields) throws -> ImageShape {
        let extents = try fields.integers(
            "image", in: 1...ImageShape.largestExtent, count: 3...3, "height, width and channels of an image")
        guard extents.count == 3 else { return ImageShape(height: 1, width: 1, channels: 1) }
        return ImageShape(height: extents[0], width: extents[1], channels: extents[2])
    }

    /// Whatever is computed from extents and counts later on stays far from an overflow.
    private static func checkSize(_ fields: Fields, _ image: ImageShape, _ train: Int, _ test: Int) throws {
        let (bytes, overflow) = image.count.multipliedReportingOverflow(by: train + test)
        guard overflow || bytes > largestContent else { return }
        throw fields.failure(
            "image", found: "\(described(image.extents)) for \(train) + \(test) samples",
            allowed: "such that all images have at most \(largestContent) bytes (4 GiB)")
    }

    /// A list of different texts (integers are taken as their digits, so that `[0, 1, 2]` are class names).
    private static func texts(
        _ key: String, _ fields: inout Fields, _ path: String, allowed: String
    ) throws -> [String] {
        guard let tree = fields.tree(key) else {
            throw fields.failure(key, found: "nothing", allowed: allowed)
        }
        guard let list = tree.list, (1...256).contains(list.count) else {
            throw fields.failure(key, found: tree.summary, allowed: allowed)
        }
        var texts: [String] = []
        for element in list {
            func refusal(_ found: String, _ allowed: String) -> ParameterError {
                let place = Place(
                    file: path, line: element.line ?? tree.line, path: "\(key)[\(texts.count)]")
                return .notAllowed(place, found: found, allowed: allowed)
            }
            guard let text = Self.text(of: element) else {
                throw refusal(element.summary, "text; put it in quotes if it is meant as such")
            }
            guard (1...255).contains(text.utf8.count),
                !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
            else {
                throw refusal(
                    text.isEmpty ? "an empty text" : element.summary, "text of 1 to 255 bytes in one line")
            }
            if let first = texts.firstIndex(of: text) {
                throw refusal("'\(text)' again", "different from \(key)[\(first)]")
            }
            texts.append(text)
        }
        return texts
    }

    private static func text(of element: Tree) -> String? {
        if case .integer(let value) = element.content { return String(value) }
        return element.text
    }

    private static func optional(
        _ key: String, _ fields: inout Fields, _ help: String, _ check: (String) -> String?
    ) throws -> String? {
        guard fields.contains(key) else { return nil }
        let text = try fields.text(key, help)
        guard let value = check(text) else { throw fields.failure(key, found: "'\(text)'", allowed: help) }
        return value
    }

    /// Says which descriptors there are beside the one that is not.
    private static func noDescriptor(_ path: String, _ reason: String) -> DatasetError {
        let folder = (path as NSString).deletingLastPathComponent
        let others =
            ((try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? [])
            .filter { $0.hasSuffix(".yaml") }.sorted()
        return .missing(
            dataset: (path as NSString).lastPathComponent,
            tried: [.init(path: path, reason: reason)],
            help: [
                others.isEmpty
                    ? "name a descriptor: data/<name>.yaml"
                    : "name one of the descriptors there: \(others.joined(separator: ", "))",
                "write one: data/README.md says how",
            ])
    }
}
