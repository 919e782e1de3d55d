extension File {
    /// Every attribute of a group or dataset.
    package func attributes(of path: String = "/") throws -> [String: Attribute] {
        try attributes(of: try open(path))
    }

    /// One attribute of a group or dataset.
    package func attribute(_ name: String, of path: String = "/") throws -> Attribute {
        try attribute(name, of: try open(path))
    }

    /// An attribute that must be a text.
    package func text(_ name: String, of path: String = "/") throws -> String {
        let attribute = try attribute(name, of: path)
        guard let value = attribute.text else { throw wrongKind(attribute, name, path, allowed: "text") }
        return value
    }

    /// An attribute that must be a single integer.
    package func integer(_ name: String, of path: String = "/") throws -> Int {
        let attribute = try attribute(name, of: path)
        guard let value = attribute.integer else {
            throw wrongKind(attribute, name, path, allowed: "integer")
        }
        return Int(value)
    }

    /// An attribute that must be a single real number.
    package func real(_ name: String, of path: String = "/") throws -> Double {
        let attribute = try attribute(name, of: path)
        guard let value = attribute.real else { throw wrongKind(attribute, name, path, allowed: "real") }
        return value
    }

    private func wrongKind(_ attribute: Attribute, _ name: String, _ path: String, allowed: String)
        -> HDF5Error
    {
        let object = Group.split(path).reduce(Place(file: self.path, path: "/")) { $0.child($1) }
        return object.attribute(name).refused(
            found: "an attribute of kind \(attribute.kind)", allowed: allowed)
    }

    func attributes(of object: Object) throws -> [String: Attribute] {
        try Dictionary(
            uniqueKeysWithValues: try stored(object).map { name, stored in
                (name, try read(stored, at: object.place.attribute(name)))
            })
    }

    private func attribute(_ name: String, of object: Object) throws -> Attribute {
        let place = object.place.attribute(name)
        let all = try stored(object)
        guard let stored = all[name] else {
            throw HDF5Error.missing(
                file: path, path: place.path, present: all.keys.sorted(by: precedesInBytes))
        }
        return try read(stored, at: place)
    }

    private func stored(_ object: Object) throws -> [String: StoredAttribute] {
        try object.place.reading("look at the attributes") {
            try object.content.attributes(in: objects.bytes, limits: limits)
        }
    }

    private func read(_ stored: StoredAttribute, at place: Place) throws -> Attribute {
        let shape = try Self.shape(of: stored.space, at: place)
        guard shape.count <= 1 else {
            throw place.refused(found: "an attribute of rank \(shape.count)", allowed: "rank 0 or 1")
        }
        let count = shape.first ?? 1
        let size = stored.type.size
        let most = min(limits.attributeBytes, objects.bytes.count)
        let (byteCount, overflows) = count.multipliedReportingOverflow(by: size)
        guard !overflows, byteCount <= most, size > 0 else {
            throw place.refused(
                found: "an attribute of \(count) x \(size) bytes", allowed: "at most \(most) bytes")
        }
        let kind = ElementType(matching: stored.type)
        guard kind == .int64 || kind == .float64 || stored.type.isFixedLengthString else {
            throw place.refused(
                found: "an attribute of type \(ElementType.describe(stored.type))",
                allowed: "a fixed-length string, little-endian int64 or float64")
        }
        guard byteCount <= stored.content.count else {
            throw HDF5Error.cannotRead(
                file: path, path: place.path, action: "read the attribute",
                reason: "\(stored.content.count) bytes are stored of \(byteCount)")
        }
        let isScalar = shape.isEmpty
        switch kind {
        case .int64:
            let values: [Int64] = stored.content.values(count)
            return isScalar ? .integer(values[0]) : .integers(values)
        case .float64:
            let values: [Double] = stored.content.values(count)
            return isScalar ? .real(values[0]) : .reals(values)
        default:
            let texts = try (0..<count).map { index in
                try text(stored.content.dropFirst(index * size).prefix(size), of: stored.type, at: place)
            }
            return isScalar ? .text(texts[0]) : .texts(texts)
        }
    }

    /// A fixed-length string, ASCII or UTF-8, however it is padded.
    private func text(_ bytes: ArraySlice<UInt8>, of type: Datatype, at place: Place) throws -> String {
        var text = bytes
        let padding = type.flags & 0x0f
        if padding == 0, let end = text.firstIndex(of: 0) { text = text[..<end] }
        let pad = padding == 2 ? UInt8(ascii: " ") : 0
        while text.last == pad { text.removeLast() }
        guard let string = String(validating: text, as: UTF8.self), !text.contains(0) else {
            throw place.refused(found: "a text that is not UTF-8, or has a zero inside", allowed: "UTF-8")
        }
        return string
    }
}
