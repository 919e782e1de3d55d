/// The records of a B-tree of version 2: what leads from names to objects in a heap.
struct BTree {
    private(set) var records: [ArraySlice<UInt8>] = []
    private let file: FileBytes
    private let kind: UInt8
    private let recordSize: Int
    private let limit: Int
    private let nodeSize: Int

    /// - Parameters:
    ///   - kind: 1 large objects, 5 links by name, 8 attributes by name.
    ///   - limit: the most records.
    init(at address: UInt64, in file: FileBytes, kind: UInt8, recordSize: Int, limit: Int) throws {
        (self.file, self.kind, self.recordSize, self.limit) = (file, kind, recordSize, limit)
        var fields = Cursor(try file.readChecked(38, at: address, "tree"), "tree")
        try fields.signature("BTHD")
        _ = try fields.version(0...0)
        let found = try fields.byte()
        nodeSize = try fields.count(4)
        let foundSize = try fields.count(2)
        let depth = try fields.count(2)
        _ = try fields.bytes(2)
        let root = try fields.address()
        let count = try fields.count(2)
        guard found == kind, foundSize == recordSize, nodeSize >= 64, depth <= 16 else {
            throw fields.damaged(
                "of kind \(found) has records of \(foundSize) bytes, nodes of \(nodeSize), depth \(depth)")
        }
        if let root { try addNode(at: root, count: count, depth: depth) }
    }

    /// Adds the records of a node and of those below it, in their order.
    private mutating func addNode(at address: UInt64, count: Int, depth: Int) throws {
        let pointer = depth == 0 ? (0, 0) : pointerSizes(depth)
        let pointers = depth == 0 ? 0 : (count + 1) * (8 + pointer.0 + pointer.1)
        let size = 10 + count * recordSize + pointers
        guard size <= nodeSize else {
            throw Flaw.damaged(
                "a node of a tree has \(count) records, which are more than its \(nodeSize) bytes")
        }
        // A node may be longer than what it holds; its checksum is not that of the rest.
        try file.claim(nodeSize - size, at: address)
        var fields = Cursor(try file.readChecked(size, at: address, "node of a tree"), "node of a tree")
        try fields.signature(depth == 0 ? "BTLF" : "BTIN")
        _ = try fields.version(0...0)
        guard try fields.byte() == kind else { throw fields.damaged("is of another kind") }
        let own = try (0..<count).map { _ in try fields.bytes(recordSize) }
        guard own.count <= limit - records.count else {
            throw Flaw.refused(found: "a tree of more than \(limit) records", allowed: "at most \(limit)")
        }
        guard depth > 0 else { return records += own }
        for index in 0...count {
            guard let child = try fields.address() else { throw fields.damaged("has no child") }
            let childCount = try fields.count(pointer.0)
            _ = try fields.bytes(pointer.1)
            try addNode(at: child, count: childCount, depth: depth - 1)
            if index < count { records.append(own[index]) }
        }
    }

    /// The bytes of the two counts beside a child's address: of its records, and of all below it.
    private func pointerSizes(_ depth: Int) -> (Int, Int) {
        func bytes(_ largest: Int) -> Int { (Int.bitWidth - 1 - max(1, largest).leadingZeroBitCount) / 8 + 1 }
        var most = (nodeSize - 10) / recordSize
        let ownSize = bytes(most)
        var belowSize = 0
        for _ in 1..<max(1, depth) {
            let pointer = 8 + ownSize + belowSize
            let own = (nodeSize - 10 - pointer) / (recordSize + pointer)
            let (product, overflows) = (own + 1).multipliedReportingOverflow(by: most)
            most = overflows ? .max : product.addingReportingOverflow(own).overflow ? .max : product + own
            belowSize = bytes(most)
        }
        return (ownSize, belowSize)
    }
}
