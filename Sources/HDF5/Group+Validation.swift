extension Group {
    /// Refuses what a file of ours cannot hold, before a file is begun.
    func validate(at place: Place, depth: Int = 0) throws {
        guard depth <= Limits.standard.depth else {
            throw place.invalid("the groups are nested deeper than \(Limits.standard.depth) levels")
        }
        let children = groups.count + datasets.count
        guard children <= Limits.standard.children else {
            throw place.invalid("the group has \(children) children; at most \(Limits.standard.children)")
        }
        try validate(attributes, at: place)
        for (name, group) in groups {
            try validateName(name, at: place)
            guard datasets[name] == nil else {
                throw place.child(name).invalid("a group and a dataset have this same name")
            }
            try group.validate(at: place.child(name), depth: depth + 1)
        }
        for (name, dataset) in datasets {
            try validateName(name, at: place)
            guard dataset.shape.count <= Limits.rank else {
                throw place.child(name).invalid("the rank is \(dataset.shape.count); at most \(Limits.rank)")
            }
            try validate(dataset.attributes, at: place.child(name))
        }
    }

    private func validateName(_ name: String, at place: Place) throws {
        guard Name.isUsable(name) else {
            throw place.invalid("the name '\(name)' is not usable; allowed: \(Name.rule)")
        }
    }

    private func validate(_ attributes: [String: Attribute], at place: Place) throws {
        for (name, attribute) in attributes {
            let place = place.attribute(name)
            guard !name.isEmpty, name.utf8.count <= Limits.standard.nameBytes, !name.utf8.contains(0) else {
                throw place.invalid("the name is not usable; allowed: 1 to 255 bytes of UTF-8 without zeros")
            }
            guard attribute.byteCount <= Limits.standard.attributeBytes else {
                throw place.invalid(
                    "the attribute has \(attribute.byteCount) bytes; at most \(Limits.standard.attributeBytes)"
                )
            }
            guard !attribute.containsZero else { throw place.invalid("the text contains a zero byte") }
        }
    }
}

/// What a child of a group may be called.
enum Name {
    static let rule = "1 to 255 bytes of UTF-8, no '/', no zeros, not '.' or '..'"

    static func isUsable(_ name: String, limit: Int = Limits.standard.nameBytes) -> Bool {
        let bytes = name.utf8
        return !bytes.isEmpty && bytes.count <= limit && !bytes.contains(UInt8(ascii: "/"))
            && !bytes.contains(0) && name != "." && name != ".."
    }
}

extension Place {
    func invalid(_ problem: String) -> HDF5Error {
        .invalid(file: file, path: path, problem: problem)
    }
}

extension Attribute {
    /// What the value takes in a file.
    var byteCount: Int {
        switch self {
        case .text(let text): max(1, text.utf8.count)
        case .texts(let texts): texts.count * max(1, texts.map(\.utf8.count).max() ?? 0)
        case .integer, .real: 8
        case .integers(let values): 8 * values.count
        case .reals(let values): 8 * values.count
        }
    }

    /// Texts are padded with zeros in a file, so they cannot contain any.
    fileprivate var containsZero: Bool {
        switch self {
        case .text(let text): text.utf8.contains(0)
        case .texts(let texts): texts.contains { $0.utf8.contains(0) }
        case .integer, .real, .integers, .reals: false
        }
    }
}
