import CHDF5

extension Group {
    /// Creates the file `path` with this group as its root. Equal content gives equal bytes.
    ///
    /// The file is put together in memory first, beside the values. A failed write leaves no file. Nothing is synchronised to the disk: that is the caller's to do.
    ///
    /// - Throws: `HDF5Error.exists`, `.cannotWrite`, or `.invalid` for a name or text a file cannot hold.
    package func write(to path: String) throws {
        let place = Place(file: path, path: "/")
        try validate(at: place)
        let target = try NewFile(creating: path, at: place)
        let image = Image()
        try Library.exclusively { try Writer().write(self, to: image, at: place) }
        try image.withContent(at: place) { try target.write($0, at: place) }
        try target.keep(at: place)
    }
}

/// Writes value trees so that equal trees give equal bytes: no times, sorted names, contiguous elements.
private struct Writer {
    func write(_ root: Group, to image: Image, at place: Place) throws {
        let access = try propertyList(chdf5_file_access(), at: place)
        try place.check(
            H5Pset_libver_bounds(access.id, H5F_LIBVER_V18, H5F_LIBVER_V110) >= 0
                && H5Pset_fclose_degree(access.id, H5F_CLOSE_STRONG) >= 0, "set up the file")
        try image.lend(to: access, at: place)
        let creation = try objectCreation(chdf5_file_create(), attributes: root.attributes, at: place)
        try arrangeLinks(creation.id, of: root, at: place)
        // libhdf5 looks for a file of this name first; below a regular file there is none.
        let file = try Handle(
            H5Fcreate(place.file + "/image", chdf5_truncate(), creation.id, access.id), closedBy: H5Fclose,
            at: place,
            "begin the file")
        try write(root, into: file.id, at: place)
        try file.close(at: place, "finish the file")
    }

    /// Attributes first, then the children in the order of their names.
    private func write(_ group: Group, into id: hid_t, at place: Place) throws {
        try write(group.attributes, onto: id, at: place)
        let names = Array(group.groups.keys) + Array(group.datasets.keys)
        for name in names.sorted(by: precedesInBytes) {
            if let child = group.groups[name] {
                try write(child, named: name, into: id, at: place.child(name))
            } else if let dataset = group.datasets[name] {
                try write(dataset, named: name, into: id, at: place.child(name))
            }
        }
    }

    private func write(_ group: Group, named name: String, into parent: hid_t, at place: Place) throws {
        let creation = try objectCreation(chdf5_group_create(), attributes: group.attributes, at: place)
        try arrangeLinks(creation.id, of: group, at: place)
        let link = try linkCreation(at: place)
        let handle = try Handle(
            H5Gcreate2(parent, name, link.id, creation.id, chdf5_default()), closedBy: H5Gclose, at: place,
            "create the group")
        try write(group, into: handle.id, at: place)
    }

    private func write(_ dataset: Dataset, named name: String, into parent: hid_t, at place: Place) throws {
        let type = dataset.values.type
        let space = try dataspace(dataset.shape, at: place)
        let creation = try objectCreation(chdf5_dataset_create(), attributes: dataset.attributes, at: place)
        try place.check(
            H5Pset_layout(creation.id, H5D_CONTIGUOUS) >= 0
                && H5Pset_fill_time(creation.id, H5D_FILL_TIME_NEVER) >= 0, "choose the layout")
        let link = try linkCreation(at: place)
        let handle = try Handle(
            H5Dcreate2(parent, name, type.inFile, space.id, link.id, creation.id, chdf5_default()),
            closedBy: H5Dclose, at: place, "create the dataset")
        if dataset.values.count > 0 {
            let status = dataset.values.withUnsafeBytes {
                H5Dwrite(handle.id, type.inMemory, chdf5_all(), chdf5_all(), chdf5_default(), $0.baseAddress)
            }
            try place.check(status >= 0, "write the elements")
        }
        try write(dataset.attributes, onto: handle.id, at: place)
    }

    private func write(_ attributes: [String: Attribute], onto id: hid_t, at place: Place) throws {
        for (name, attribute) in attributes.sorted(by: { precedesInBytes($0.key, $1.key) }) {
            try write(attribute, named: name, onto: id, at: place.attribute(name))
        }
    }

    private func write(_ attribute: Attribute, named name: String, onto id: hid_t, at place: Place) throws {
        switch attribute {
        case .text(let text): try write([text], shape: [], named: name, onto: id, at: place)
        case .texts(let texts): try write(texts, shape: [texts.count], named: name, onto: id, at: place)
        case .integer(let value):
            try write([value], .int64, shape: [], named: name, onto: id, at: place)
        case .integers(let values):
            try write(values, .int64, shape: [values.count], named: name, onto: id, at: place)
        case .real(let value):
            try write([value], .float64, shape: [], named: name, onto: id, at: place)
        case .reals(let values):
            try write(values, .float64, shape: [values.count], named: name, onto: id, at: place)
        }
    }

    /// Fixed-length UTF-8, as long as the longest text, padded with zeros.
    private func write(
        _ texts: [String], shape: [Int], named name: String, onto id: hid_t, at place: Place
    ) throws {
        let length = max(1, texts.map(\.utf8.count).max() ?? 0)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(length * texts.count)
        for text in texts {
            bytes.append(contentsOf: text.utf8)
            bytes.append(contentsOf: repeatElement(0, count: length - text.utf8.count))
        }
        let type = try Handle(H5Tcopy(chdf5_c_string()), closedBy: H5Tclose, at: place, "make the text type")
        try place.check(
            H5Tset_size(type.id, length) >= 0 && H5Tset_strpad(type.id, H5T_STR_NULLPAD) >= 0
                && H5Tset_cset(type.id, H5T_CSET_UTF8) >= 0, "make the text type")
        try write(bytes, inFile: type.id, inMemory: type.id, shape: shape, named: name, onto: id, at: place)
    }

    private func write<Element: BitwiseCopyable>(
        _ values: [Element], _ type: ElementType, shape: [Int], named name: String, onto id: hid_t,
        at place: Place
    ) throws {
        try write(
            values, inFile: type.inFile, inMemory: type.inMemory, shape: shape, named: name, onto: id,
            at: place)
    }

    private func write<Element: BitwiseCopyable>(
        _ values: [Element], inFile: hid_t, inMemory: hid_t, shape: [Int], named name: String, onto id: hid_t,
        at place: Place
    ) throws {
        let space = try dataspace(shape, at: place)
        let creation = try propertyList(chdf5_attribute_create(), at: place)
        try place.check(H5Pset_char_encoding(creation.id, H5T_CSET_UTF8) >= 0, "name the attribute")
        let handle = try Handle(
            H5Acreate2(id, name, inFile, space.id, creation.id, chdf5_default()), closedBy: H5Aclose,
            at: place, "create the attribute")
        guard !values.isEmpty else { return }
        let status = values.withUnsafeBytes { H5Awrite(handle.id, inMemory, $0.baseAddress) }
        try place.check(status >= 0, "write the attribute")
    }

    private func dataspace(_ shape: [Int], at place: Place) throws -> Handle {
        let extents = shape.map { hsize_t($0) }
        let id =
            shape.isEmpty
            ? H5Screate(H5S_SCALAR) : H5Screate_simple(Int32(extents.count), extents, nil)
        return try Handle(id, closedBy: H5Sclose, at: place, "describe the shape \(shape)")
    }

    private func propertyList(_ kind: hid_t, at place: Place) throws -> Handle {
        try Handle(H5Pcreate(kind), closedBy: H5Pclose, at: place, "make a property list")
    }

    private func linkCreation(at place: Place) throws -> Handle {
        let link = try propertyList(chdf5_link_create(), at: place)
        try place.check(H5Pset_char_encoding(link.id, H5T_CSET_UTF8) >= 0, "name the object")
        return link
    }

    /// No times; attributes inside the object header, unless one is too large for it (64 KiB with its name and shape).
    private func objectCreation(_ kind: hid_t, attributes: [String: Attribute], at place: Place) throws
        -> Handle
    {
        let creation = try propertyList(kind, at: place)
        let fitsHeader = attributes.values.allSatisfy { $0.byteCount < 60_000 }
        let status =
            fitsHeader
            ? H5Pset_attr_phase_change(creation.id, 1024, 0) : H5Pset_attr_phase_change(creation.id, 0, 0)
        try place.check(
            H5Pset_obj_track_times(creation.id, false) >= 0 && status >= 0, "set up the object")
        return creation
    }

    /// Links inside the group's header, with room for all of them: the smallest file, and the fewest reads.
    private func arrangeLinks(_ creation: hid_t, of group: Group, at place: Place) throws {
        let names = Array(group.groups.keys) + Array(group.datasets.keys)
        guard !names.isEmpty, names.count <= 1024 else { return }
        let length = (names.map(\.utf8.count).reduce(0, +) + names.count - 1) / names.count
        try place.check(
            H5Pset_link_phase_change(creation, 1024, 0) >= 0
                && H5Pset_est_link_info(creation, UInt32(names.count), UInt32(length)) >= 0,
            "set up the group")
    }
}

/// The order of the bytes of the names: the same everywhere, whatever a locale or Unicode version says.
func precedesInBytes(_ left: String, _ right: String) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
}
