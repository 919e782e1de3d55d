import CHDF5

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
        try Library.exclusively { try readDataset(try openDataset(path)) }
    }

    func readDataset(_ object: borrowing Object) throws -> Dataset {
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
        try Library.exclusively {
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
    }

    /// What was found out about a dataset before anything of its size is allocated.
    private struct Form {
        var type: ElementType
        var shape: [Int]
        var count: Int
    }

    /// One read from the file straight into the array.
    private func elements<Element: BitwiseCopyable>(of object: borrowing Object, _ form: Form) throws
        -> [Element]
    {
        precondition(MemoryLayout<Element>.size == form.type.size, "\(Element.self) cannot hold \(form.type)")
        guard form.count > 0 else { return [] }
        var status: herr_t = 0
        let id = object.handle.id
        let values = [Element](unsafeUninitializedCapacity: form.count) { buffer, count in
            status = H5Dread(
                id, form.type.inMemory, chdf5_all(), chdf5_all(), chdf5_default(), buffer.baseAddress)
            count = status >= 0 ? form.count : 0
        }
        try object.place.check(status >= 0, "read the elements")
        return values
    }

    /// Storage, type, shape and sizes, in this order: each makes the next question safe to ask.
    private func inspect(_ object: borrowing Object) throws -> Form {
        try inspectStorage(object)
        let type = try elementType(of: object)
        let shape = try shape(of: object)
        let (count, byteCount) = try sizes(shape, type, at: object.place)
        // Asking a virtual dataset for its storage size can crash libhdf5 1.10.8; the layout is known by now.
        let stored = H5Dget_storage_size(object.handle.id)
        guard UInt64(byteCount) == stored, byteCount <= self.byteCount else {
            throw object.place.refused(
                found: "\(stored) bytes stored in a file of \(self.byteCount) bytes",
                allowed: "\(byteCount) bytes, as the shape \(shape) of \(type) needs")
        }
        return Form(type: type, shape: shape, count: count)
    }

    private func inspectStorage(_ object: borrowing Object) throws {
        let place = object.place
        let creation = try Handle(
            H5Dget_create_plist(object.handle.id), closedBy: H5Pclose, at: place, "look at the storage")
        let layout = H5Pget_layout(creation.id)
        guard layout == H5D_CONTIGUOUS || layout == H5D_COMPACT else {
            let found =
                switch layout {
                case H5D_CHUNKED: "chunked storage"
                case H5D_VIRTUAL: "a virtual dataset (made of other files)"
                default: "an unknown layout"
                }
            throw place.refused(found: found, allowed: "contiguous or compact storage without filters")
        }
        guard H5Pget_nfilters(creation.id) == 0 else {
            throw place.refused(found: "filters (compression)", allowed: "contiguous storage without filters")
        }
        guard H5Pget_external_count(creation.id) == 0 else {
            throw place.refused(
                found: "elements stored in another file", allowed: "elements inside this file")
        }
    }

    private func elementType(of object: borrowing Object) throws -> ElementType {
        let type = try Handle(
            H5Dget_type(object.handle.id), closedBy: H5Tclose, at: object.place, "look at the element type")
        guard let ours = ElementType(matching: type.id) else {
            let allowed = ElementType.allCases.map(\.rawValue).joined(separator: ", ")
            throw object.place.refused(
                found: "elements of type \(ElementType.describe(type.id))",
                allowed: "little-endian \(allowed)")
        }
        return ours
    }

    private func shape(of object: borrowing Object) throws -> [Int] {
        let space = try Handle(
            H5Dget_space(object.handle.id), closedBy: H5Sclose, at: object.place, "look at the shape")
        return try Self.shape(of: space, at: object.place)
    }

    /// The extents of a dataspace; null dataspaces are refused.
    static func shape(of space: borrowing Handle, at place: Place) throws -> [Int] {
        let kind = H5Sget_simple_extent_type(space.id)
        guard kind == H5S_SCALAR || kind == H5S_SIMPLE else {
            throw place.refused(found: "no shape (a null dataspace)", allowed: "a scalar or an array")
        }
        let rank = H5Sget_simple_extent_ndims(space.id)
        try place.check(rank >= 0, "look at the shape")
        var extents = [hsize_t](repeating: 0, count: Int(rank))
        try place.check(H5Sget_simple_extent_dims(space.id, &extents, nil) >= 0, "look at the shape")
        return try extents.map { extent in
            guard let value = Int(exactly: extent) else {
                throw place.refused(found: "an extent of \(extent)", allowed: "extents below 2^63")
            }
            return value
        }
    }

    /// The number of elements and of bytes, overflow checked and under the cap.
    private func sizes(_ shape: [Int], _ type: ElementType, at place: Place) throws -> (Int, Int) {
        // A zero makes everything zero, but the other extents must not overflow on the way to it.
        var count = shape.contains(0) ? 0 : 1
        var byteCount = 0
        var overflows = false
        for extent in shape where count > 0 && !overflows {
            (count, overflows) = count.multipliedReportingOverflow(by: extent)
        }
        if !overflows { (byteCount, overflows) = count.multipliedReportingOverflow(by: type.size) }
        guard !overflows, byteCount <= limits.datasetBytes else {
            throw place.refused(
                found: "the shape \(shape) of \(type)", allowed: "at most \(limits.datasetBytes) bytes")
        }
        return (count, byteCount)
    }
}
