extension File {
    /// The bytes of a dataset. `shape` is what is expected: the rank must match, nil stands for any extent.
    package func uint8(_ path: String, shape: [Int?]) throws -> Values<UInt8> {
        try read(path, as: .uint8, shape: shape)
    }

    /// The 64-bit integers of a dataset; `shape` as for `uint8`.
    package func int64(_ path: String, shape: [Int?]) throws -> Values<Int64> {
        try read(path, as: .int64, shape: shape)
    }

    /// The single-precision numbers of a dataset; `shape` as for `uint8`.
    package func float32(_ path: String, shape: [Int?]) throws -> Values<Float> {
        try read(path, as: .float32, shape: shape)
    }

    /// The double-precision numbers of a dataset; `shape` as for `uint8`.
    package func float64(_ path: String, shape: [Int?]) throws -> Values<Double> {
        try read(path, as: .float64, shape: shape)
    }

    /// A dataset of any of the four types and any shape, with its attributes.
    package func dataset(_ path: String) throws -> Dataset {
        try readDataset(try openDataset(path))
    }

    func readDataset(_ object: Object) throws -> Dataset {
        let form = try inspect(object)
        let values: Dataset.Values =
            switch form.type {
            case .uint8: .uint8(try elements(of: object, form))
            case .int64: .int64(try elements(of: object, form))
            case .float32: .float32(try elements(of: object, form))
            case .float64: .float64(try elements(of: object, form))
            }
        return Dataset(values, shape: form.shape, attributes: try attributes(of: object))
    }

    private func read<Element: BitwiseCopyable & Sendable & Equatable>(
        _ path: String, as type: ElementType, shape expected: [Int?]
    ) throws -> Values<Element> {
        let object = try openDataset(path)
        let form = try inspect(object)
        guard form.type == type else {
            throw object.place.refused(found: "elements of type \(form.type)", allowed: "\(type)")
        }
        let fits =
            form.shape.count == expected.count
            && zip(form.shape, expected).allSatisfy { found, expected in
                expected == nil || expected == found
            }
        guard fits else {
            let allowed = expected.map { $0.map(String.init) ?? "any" }.joined(separator: ", ")
            throw object.place.refused(found: "the shape \(form.shape)", allowed: "[\(allowed)]")
        }
        return Values(values: try elements(of: object, form), shape: form.shape)
    }

    /// What was found out about a dataset before anything of its size is allocated.
    private struct Form {
        var type: ElementType
        var shape: [Int]
        var count: Int
        /// Where the elements are; nil if there are none.
        var storage: Storage?
    }

    /// One read from the file straight into the array.
    private func elements<Element: BitwiseCopyable>(of object: Object, _ form: Form) throws -> [Element] {
        precondition(MemoryLayout<Element>.size == form.type.size, "\(Element.self) cannot hold \(form.type)")
        return try object.place.reading("read the elements") {
            switch form.storage {
            case .contiguous(let address?, _): try objects.bytes.values(form.count, at: address)
            case .compact(let bytes): bytes.values(form.count)
            default: []
            }
        }
    }

    /// Storage, type, shape and sizes, in this order: each makes the next question safe to ask.
    private func inspect(_ object: Object) throws -> Form {
        let place = object.place
        guard let elements = object.content.elements else {
            throw place.refused(found: "a group", allowed: "a dataset")
        }
        let stored = try Self.storedBytes(elements, at: place)
        guard let type = ElementType(matching: elements.type) else {
            let allowed = ElementType.allCases.map(\.rawValue).joined(separator: ", ")
            throw place.refused(
                found: "elements of type \(ElementType.describe(elements.type))",
                allowed: "little-endian \(allowed)")
        }
        let shape = try Self.shape(of: elements.space, at: place)
        let (count, byteCount) = try sizes(shape, type, at: place)
        guard UInt64(byteCount) == stored, byteCount <= objects.bytes.count else {
            throw place.refused(
                found: "\(stored) bytes stored in a file of \(objects.bytes.count) bytes",
                allowed: "\(byteCount) bytes, as the shape \(shape) of \(type) needs")
        }
        return Form(type: type, shape: shape, count: count, storage: count == 0 ? nil : elements.storage)
    }

    /// How many bytes the elements have in the file, which must be in one piece and as they are.
    private static func storedBytes(_ elements: StoredObject.Elements, at place: Place) throws -> UInt64 {
        let stored: UInt64
        switch elements.storage {
        case .contiguous(let address, let count): stored = address == nil ? 0 : count
        case .compact(let bytes): stored = UInt64(bytes.count)
        case .chunked, .virtual, .unknown:
            let found =
                switch elements.storage {
                case .chunked: "chunked storage"
                case .virtual: "a virtual dataset (made of other files)"
                default: "an unknown layout"
                }
            throw place.refused(found: found, allowed: "contiguous or compact storage without filters")
        }
        guard !elements.hasFilters else {
            throw place.refused(found: "filters (compression)", allowed: "contiguous storage without filters")
        }
        guard !elements.isExternal else {
            throw place.refused(
                found: "elements stored in another file", allowed: "elements inside this file")
        }
        return stored
    }

    /// The extents of a dataspace; null dataspaces are refused.
    static func shape(of space: Dataspace, at place: Place) throws -> [Int] {
        guard let extents = space.extents else {
            throw place.refused(found: "no shape (a null dataspace)", allowed: "a scalar or an array")
        }
        return try extents.map { extent in
            guard let value = Int(exactly: extent) else {
                throw place.refused(found: "an extent of \(extent)", allowed: "extents below 2^63")
            }
            return value
        }
    }

    /// The number of elements and of bytes, overflow checked and under the cap.
    private func sizes(_ shape: [Int], _ type: ElementType, at place: Place) throws -> (Int, Int) {
        // A zero makes everything zero; whoever multiplies the other extents is safe too.
        var byteCount = type.size
        for extent in shape where extent > 0 {
            let (product, overflows) = byteCount.multipliedReportingOverflow(by: extent)
            guard !overflows, product <= limits.datasetBytes else {
                throw place.refused(
                    found: "the shape \(shape) of \(type)", allowed: "at most \(limits.datasetBytes) bytes")
            }
            byteCount = product
        }
        if shape.contains(0) { byteCount = 0 }
        return (byteCount / type.size, byteCount)
    }
}

extension ArraySlice<UInt8> {
    /// The first `count` values whose bytes these are.
    ///
    /// - Precondition: there are that many.
    func values<Value: BitwiseCopyable>(_ count: Int) -> [Value] {
        withUnsafeBytes { bytes in
            (0..<count).map {
                bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Value>.stride, as: Value.self)
            }
        }
    }
}
