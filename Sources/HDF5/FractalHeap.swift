/// Where the links and attributes are that are too many, or too large, for an object header.
///
/// Small ones stand in blocks, which make up one long space: a table whose rows have blocks of one size each, twice that of
/// the row before from the third row on. Large ones stand alone, and a tree knows where.
struct FractalHeap {
    private struct Block {
        var start: Int
        var bytes: ArraySlice<UInt8>
    }

    private let form: Form
    /// In the order of their start.
    private var blocks: [Block] = []
    /// By number.
    private var large: [UInt64: (address: UInt64, count: Int)] = [:]
    private let file: FileBytes
    /// The bytes of blocks that no object was found in yet: objects do not overlap.
    private var unused = 0

    /// - Parameter limit: the most large objects.
    init(at address: UInt64, in file: FileBytes, limit: Int) throws {
        self.file = file
        form = try Form(at: address, in: file)
        if let tree = form.largeObjects {
            for record in try BTree(at: tree, in: file, kind: 1, recordSize: 24, limit: limit).records {
                var fields = Cursor(record, "large object")
                let place = try fields.unsigned(8)
                let count = try fields.count(8)
                large[try fields.unsigned(8)] = (place, count)
            }
        }
        guard let root = form.root else { return }
        if form.rows == 0 {
            try addBlock(at: root, start: 0, count: form.blockSize)
        } else {
            try addTable(at: root, start: 0, rows: form.rows)
        }
    }

    /// The bytes of an object.
    ///
    /// - Parameter id: what a tree of names keeps of it.
    mutating func object(_ id: ArraySlice<UInt8>) throws -> ArraySlice<UInt8> {
        var fields = Cursor(id, "heap object")
        switch try fields.byte() >> 4 {
        case 0:
            let offset = try fields.count(form.offsetSize)
            let count = try fields.count(form.lengthSize)
            guard let block = block(before: offset), offset - block.start >= form.lead,
                count <= block.bytes.count - (offset - block.start)
            else { throw fields.damaged("of \(count) bytes at \(offset) is in no block") }
            guard count <= unused else { throw fields.damaged("overlaps another") }
            unused -= count
            return block.bytes[(offset - block.start)...].prefix(count)
        case 1:
            let number = try fields.unsigned(min(fields.rest.count, 8))
            guard let (address, count) = large[number] else { throw fields.damaged("\(number) is nowhere") }
            return try file.read(count, at: address)[...]
        default: throw fields.damaged("is of an unknown kind")
        }
    }

    /// The last block that begins at a place or before it.
    private func block(before offset: Int) -> Block? {
        var (low, high) = (0, blocks.count)
        while low < high {
            let middle = (low + high) / 2
            if blocks[middle].start <= offset { low = middle + 1 } else { high = middle }
        }
        return low > 0 ? blocks[low - 1] : nil
    }

    private mutating func addBlock(at address: UInt64, start: Int, count: Int) throws {
        let checksum = form.hasChecksums ? form.lead - 4 : nil
        let bytes =
            try checksum == nil
            ? file.read(count, at: address)[...]
            : file.readChecked(count, at: address, checksum: checksum, "heap block")
        var fields = Cursor(bytes, "heap block")
        try fields.signature("FHDB")
        _ = try fields.version(0...0)
        guard try fields.unsigned(8) == form.address, try fields.count(form.offsetSize) == start else {
            throw fields.damaged("belongs elsewhere")
        }
        blocks.append(Block(start: start, bytes: bytes))
        unused += count
    }

    /// Adds the blocks of a table, and of the tables in its last rows.
    private mutating func addTable(at address: UInt64, start: Int, rows: Int) throws {
        let count = 13 + form.offsetSize + rows * form.width * 8 + 4
        var fields = Cursor(try file.readChecked(count, at: address, "heap table"), "heap table")
        try fields.signature("FHIB")
        _ = try fields.version(0...0)
        guard try fields.unsigned(8) == form.address, try fields.count(form.offsetSize) == start else {
            throw fields.damaged("belongs elsewhere")
        }
        var position = start
        for row in 0..<rows {
            let size = form.blockSize << max(0, row - 1)
            for _ in 0..<form.width {
                if let child = try fields.address() {
                    if row < form.blockRows {
                        try addBlock(at: child, start: position, count: size)
                    } else {
                        // As many rows as make the table span what one block of this row would.
                        try addTable(at: child, start: position, rows: form.rows(spanning: size))
                    }
                }
                position += size
            }
        }
    }
}

/// The header of a heap.
private struct Form {
    let address: UInt64
    /// The tree of the objects that stand alone.
    var largeObjects: UInt64?
    /// The first block, or the first table where `rows` is not 0.
    var root: UInt64?
    var rows: Int
    /// Blocks per row.
    var width: Int
    /// The bytes of a block in the first row.
    var blockSize: Int
    /// The rows that have blocks; tables are in those behind.
    var blockRows: Int
    /// The bytes of an object's place and of its length, in what names it.
    var offsetSize: Int
    var lengthSize: Int
    var hasChecksums: Bool

    /// The bytes of a block before its objects.
    var lead: Int { 13 + offsetSize + (hasChecksums ? 4 : 0) }

    init(at address: UInt64, in file: FileBytes) throws {
        self.address = address
        var fields = Cursor(try file.readChecked(146, at: address, "heap"), "heap")
        try fields.signature("FRHP")
        _ = try fields.version(0...0)
        _ = try fields.bytes(2)
        guard try fields.unsigned(2) == 0 else {
            throw Flaw.refused(found: "filters (compression) in a heap", allowed: "heaps without filters")
        }
        hasChecksums = try fields.byte() & 2 != 0
        let largestObject = try fields.count(4)
        _ = try fields.bytes(8)
        largeObjects = try fields.address()
        // The space that is free, and counts.
        _ = try fields.bytes(80)
        width = try fields.count(2)
        blockSize = try fields.count(8)
        let largestBlock = try fields.count(8)
        let bits = try fields.count(2)
        _ = try fields.bytes(2)
        root = try fields.address()
        rows = try fields.count(2)
        // What libhdf5 asks for itself, and what keeps every sum below 2^62.
        guard [width, blockSize, largestBlock].allSatisfy({ $0 > 0 && $0.nonzeroBitCount == 1 }),
            width <= 1 << 10, blockSize <= largestBlock, largestBlock <= 1 << 30, (8...56).contains(bits),
            (1...1 << 30).contains(largestObject)
        else { throw fields.damaged("has blocks of impossible sizes") }
        offsetSize = (bits + 7) / 8
        lengthSize = min(
            (largestBlock.trailingZeroBitCount + 7) / 8,
            (Int.bitWidth - 1 - largestObject.leadingZeroBitCount) / 8 + 1)
        blockRows = (largestBlock / blockSize).trailingZeroBitCount + 2
        guard rows <= max(0, bits - blockSize.trailingZeroBitCount - width.trailingZeroBitCount + 1) else {
            throw fields.damaged("has \(rows) rows for a space of 2^\(bits) bytes")
        }
    }

    func rows(spanning size: Int) -> Int {
        max(0, size.trailingZeroBitCount - blockSize.trailingZeroBitCount - width.trailingZeroBitCount) + 1
    }
}
