/// A group or dataset as its header describes it; nothing of its elements is read.
final class StoredObject {
    /// What a dataset's header says of its elements.
    struct Elements {
        var type: Datatype
        var space: Dataspace
        var storage: Storage
        var hasFilters = false
        var isExternal = false
    }

    /// The links of a group, by name; nil for a dataset.
    let links: [String: Link.Target]?
    /// nil for a group.
    let elements: Elements?
    private let found: Messages
    private var knownAttributes: [String: StoredAttribute]?

    init(at address: UInt64, in file: FileBytes, limits: Limits) throws {
        found = try Messages(try ObjectHeader(at: address, in: file))
        if let list = found.linkInformation {
            let dense = try DenseStorage(list, orderSize: 8).objects(
                in: file, kind: 5, recordSize: 11, limits)
            links = try Self.byName(
                try (found.links + dense).map(Link.init), \.name, what: "children", limits
            ).mapValues(\.target)
            elements = nil
        } else if let type = found.datatype, let space = found.dataspace, let layout = found.layout {
            let storage = try Storage(layout)
            links = nil
            elements = Elements(
                type: try Datatype(type), space: try Dataspace(space), storage: storage,
                hasFilters: found.filters != nil, isExternal: found.externalFiles != nil)
            if case .contiguous(let address?, let count) = storage {
                try file.claim(Int(clamping: count), at: address)
            }
        } else {
            throw Flaw.refused(found: "a named datatype or unknown object", allowed: "a group or a dataset")
        }
    }

    /// The attributes, by name; they are looked at when they are first asked for.
    func attributes(in file: FileBytes, limits: Limits) throws -> [String: StoredAttribute] {
        if let knownAttributes { return knownAttributes }
        let dense = try found.attributeInformation.map {
            try DenseStorage($0, orderSize: 2).objects(in: file, kind: 8, recordSize: 17, limits)
        }
        let attributes = try Self.byName(
            try (found.attributes + (dense ?? [])).map(StoredAttribute.init), \.name, what: "attributes",
            limits)
        knownAttributes = attributes
        return attributes
    }

    /// The messages of a header by their type.
    private struct Messages {
        var links: [ArraySlice<UInt8>] = []
        var attributes: [ArraySlice<UInt8>] = []
        var dataspace, linkInformation, datatype, externalFiles, layout, filters: ArraySlice<UInt8>?
        var attributeInformation: ArraySlice<UInt8>?

        /// Each message once where one is enough, and none that could change what the others mean.
        init(_ header: ObjectHeader) throws {
            for message in header.messages {
                func set(_ place: WritableKeyPath<Messages, ArraySlice<UInt8>?>) throws {
                    guard self[keyPath: place] == nil else {
                        throw Flaw.damaged("an object header has two messages of type \(message.type)")
                    }
                    self[keyPath: place] = message.body
                }
                switch message.type {
                case MessageType.link: links.append(message.body)
                case MessageType.attribute: attributes.append(message.body)
                case MessageType.dataspace: try set(\.dataspace)
                case MessageType.linkInformation: try set(\.linkInformation)
                case MessageType.datatype: try set(\.datatype)
                case MessageType.externalFiles: try set(\.externalFiles)
                case MessageType.layout: try set(\.layout)
                case MessageType.filters: try set(\.filters)
                case MessageType.attributeInformation: try set(\.attributeInformation)
                case MessageType.symbolTable: throw Flaw.oldFormat("group", version: 1)
                case let type where MessageType.withoutEffect.contains(type): break
                default:
                    throw Flaw.refused(
                        found: "a message of type \(message.type) in an object header",
                        allowed: "those that describe groups and datasets")
                }
            }
        }
    }

    /// Checks names, and that there are not too many.
    private static func byName<Named>(
        _ all: [Named], _ name: (Named) -> ArraySlice<UInt8>, what: String, _ limits: Limits
    ) throws -> [String: Named] {
        guard all.count <= limits.children else {
            throw Flaw.refused(
                found: "more than \(limits.children) \(what)", allowed: "at most \(limits.children)")
        }
        var result: [String: Named] = [:]
        for one in all {
            let bytes = name(one)
            guard !bytes.isEmpty, bytes.count <= limits.nameBytes, !bytes.contains(0),
                let text = String(validating: bytes, as: UTF8.self)
            else {
                throw Flaw.refused(
                    found: "a name among its \(what) that is empty, too long or not UTF-8",
                    allowed: "1 to \(limits.nameBytes) bytes of UTF-8")
            }
            guard result.updateValue(one, forKey: text) == nil else {
                throw Flaw.damaged("two of the \(what) are called '\(text)'")
            }
        }
        return result
    }
}

/// Where the links or attributes of an object are that its header does not hold.
private struct DenseStorage {
    private let heap: UInt64?
    private let tree: UInt64?

    /// - Parameter orderSize: the bytes of the order of creation, if it is kept.
    init(_ message: ArraySlice<UInt8>, orderSize: Int) throws {
        var fields = Cursor(message, "list of links or attributes")
        _ = try fields.version(0...0)
        if try fields.byte() & 1 != 0 { _ = try fields.bytes(orderSize) }
        heap = try fields.address()
        tree = try fields.address()
    }

    func objects(
        in file: FileBytes, kind: UInt8, recordSize: Int, _ limits: Limits
    ) throws -> [ArraySlice<UInt8>] {
        guard let heap, let tree else { return [] }
        var objects = try FractalHeap(at: heap, in: file, limit: limits.children)
        let records = try BTree(
            at: tree, in: file, kind: kind, recordSize: recordSize, limit: limits.children
        ).records
        return try records.map { record in
            // A link's record ends with what names it in the heap, an attribute's begins with it; flags are behind.
            if kind == 5 { return try objects.object(record.suffix(7)) }
            guard record[record.startIndex + 8] & 2 == 0 else { throw Flaw.sharedMessage }
            return try objects.object(record.prefix(8))
        }
    }
}
