import CHDF5

extension File {
    /// Every attribute of a group or dataset.
    package func attributes(of path: String = "/") throws -> [String: Attribute] {
        try Library.exclusively { try attributes(of: try open(path)) }
    }

    /// One attribute of a group or dataset.
    package func attribute(_ name: String, of path: String = "/") throws -> Attribute {
        try Library.exclusively { try attribute(name, of: try open(path)) }
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

    func attributes(of object: borrowing Object) throws -> [String: Attribute] {
        var result: [String: Attribute] = [:]
        for name in try attributeNames(of: object) {
            result[name] = try read(name, of: object)
        }
        return result
    }

    private func attribute(_ name: String, of object: borrowing Object) throws -> Attribute {
        let place = object.place.attribute(name)
        let exists = H5Aexists(object.handle.id, name)
        try place.check(exists >= 0, "look up the attribute")
        guard exists > 0 else {
            throw HDF5Error.missing(
                file: path, path: place.path, present: try attributeNames(of: object))
        }
        return try read(name, of: object)
    }

    private func attributeNames(of object: borrowing Object) throws -> [String] {
        var collector = NameCollector(limits: limits)
        let status = withUnsafeMutablePointer(to: &collector) { context in
            chdf5_attributes(
                object.handle.id, { _, name, _, context in NameCollector.visit(name, context) }, context)
        }
        return try collector.finish(status, what: "attributes", at: object.place)
    }

    private func read(_ name: String, of object: borrowing Object) throws -> Attribute {
        let place = object.place.attribute(name)
        let handle = try Handle(
            H5Aopen(object.handle.id, name, chdf5_default()), closedBy: H5Aclose, at: place,
            "open the attribute")
        let type = try Handle(H5Aget_type(handle.id), closedBy: H5Tclose, at: place, "look at its type")
        let space = try Handle(H5Aget_space(handle.id), closedBy: H5Sclose, at: place, "look at its shape")
        let shape = try Self.shape(of: space, at: place)
        guard shape.count <= 1 else {
            throw place.refused(found: "an attribute of rank \(shape.count)", allowed: "rank 0 or 1")
        }
        let count = shape.first ?? 1
        let size = H5Tget_size(type.id)
        let (byteCount, overflows) = count.multipliedReportingOverflow(by: size)
        guard !overflows, byteCount <= limits.attributeBytes, byteCount <= self.byteCount else {
            throw place.refused(
                found: "an attribute of \(count) x \(size) bytes",
                allowed: "at most \(min(limits.attributeBytes, self.byteCount)) bytes")
        }
        let isScalar = shape.isEmpty
        switch ElementType(matching: type.id) {
        case .int64:
            let values: [Int64] = try values(of: handle, type: chdf5_int64_native(), count: count, at: place)
            return isScalar ? .integer(values[0]) : .integers(values)
        case .float64:
            let values: [Double] = try values(
                of: handle, type: chdf5_float64_native(), count: count, at: place)
            return isScalar ? .real(values[0]) : .reals(values)
        default:
            let texts = try texts(of: handle, type: type, count: count, at: place)
            return isScalar ? .text(texts[0]) : .texts(texts)
        }
    }

    private func values<Element: BitwiseCopyable>(
        of attribute: borrowing Handle, type: hid_t, count: Int, at place: Place
    ) throws -> [Element] {
        guard count > 0 else { return [] }
        var status: herr_t = 0
        let id = attribute.id
        let values = [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
            status = H5Aread(id, type, buffer.baseAddress)
            initialized = status >= 0 ? count : 0
        }
        try place.check(status >= 0, "read the attribute")
        return values
    }

    /// Fixed-length strings, ASCII or UTF-8, however they are padded.
    private func texts(
        of attribute: borrowing Handle, type: borrowing Handle, count: Int, at place: Place
    ) throws -> [String] {
        guard H5Tget_class(type.id) == H5T_STRING, H5Tis_variable_str(type.id) == 0 else {
            throw place.refused(
                found: "an attribute of type \(ElementType.describe(type.id))",
                allowed: "a fixed-length string, little-endian int64 or float64")
        }
        let length = H5Tget_size(type.id)
        guard count > 0 else { return [] }
        let padding = H5Tget_strpad(type.id)
        let bytes: [UInt8] = try buffer(of: attribute, type: type.id, byteCount: count * length, at: place)
        return try (0..<count).map { index in
            var text = bytes[index * length..<(index + 1) * length]
            if padding == H5T_STR_NULLTERM, let end = text.firstIndex(of: 0) { text = text[..<end] }
            let pad = padding == H5T_STR_SPACEPAD ? UInt8(ascii: " ") : 0
            while text.last == pad { text.removeLast() }
            guard let string = String(validating: text, as: UTF8.self), !text.contains(0) else {
                throw place.refused(found: "a text that is not UTF-8, or has a zero inside", allowed: "UTF-8")
            }
            return string
        }
    }

    private func buffer(
        of attribute: borrowing Handle, type: hid_t, byteCount: Int, at place: Place
    ) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: byteCount)
        try place.check(H5Aread(attribute.id, type, &bytes) >= 0, "read the attribute")
        return bytes
    }
}
