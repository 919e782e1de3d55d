import Foundation
package import HDF5

/// Edits that a stranger could make to a sound HDF5 file, by number: the same number makes the same edit.
///
/// Seven of eight change bytes, mostly of the metadata, and then make the checksums fit; the others change the content, and
/// are written as any content is.
package struct FileEdits: Sendable {
    private let original: [UInt8]
    private let blocks: [CheckedBlock]
    private let content: Group

    /// - Parameter path: a sound file.
    package init(of path: String) throws {
        original = Array(try Data(contentsOf: URL(filePath: path)))
        let file = try File(reading: path)
        content = try file.group()
        blocks = file.checkedBlocks
    }

    /// Writes the file with the edit of this number to `path`.
    package func write(_ number: UInt64, to path: String) throws {
        var random = SplitMix(state: number)
        if random.below(8) == 0 {
            var tree = content
            for _ in 0...random.below(2) {
                var edit = ContentEdit(&random)
                edit.apply(to: &tree)
            }
            unlink(path)
            if (try? tree.write(to: path)) != nil { return }
        }
        var bytes = original
        for _ in 0...random.below(4) { edit(&bytes, &random) }
        Self.refit(&bytes, blocks)
        try Data(bytes).write(to: URL(filePath: path))
        // Where a size or an address changed, other blocks are read than before.
        var limits = Limits.standard
        limits.verifiesChecksums = false
        guard let file = try? File(reading: path, limits: limits) else { return }
        _ = try? file.group()
        Self.refit(&bytes, file.checkedBlocks)
        try Data(bytes).write(to: URL(filePath: path))
    }

    /// Puts the right checksums into blocks.
    private static func refit(_ bytes: inout [UInt8], _ blocks: [CheckedBlock]) {
        for block in blocks where block.count >= 4 && block.start + block.count <= bytes.count {
            let place = block.start + (block.checksum ?? block.count - 4)
            bytes.replaceSubrange(place..<place + 4, with: [0, 0, 0, 0])
            let covered = block.checksum == nil ? place : block.start + block.count
            let checksum = metadataChecksum(bytes[block.start..<covered])
            bytes.replaceSubrange(place..<place + 4, with: Self.bytes(UInt64(checksum), 4))
        }
    }

    private static func bytes(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) }
    }

    // MARK: Bytes

    /// A place in the metadata, seldom elsewhere, with room for `count` bytes.
    private func place(_ count: Int, in bytes: [UInt8], _ random: inout SplitMix) -> Int {
        let block = blocks[random.below(blocks.count)]
        let place =
            random.below(16) == 0 ? random.below(bytes.count) : block.start + random.below(block.count)
        return max(0, min(place, bytes.count - count))
    }

    private func edit(_ bytes: inout [UInt8], _ random: inout SplitMix) {
        let width = 1 << random.below(4)
        let place = place(64, in: bytes, &random)
        switch random.below(16) {
        case 0..<4: bytes[place] ^= 1 << UInt8(random.below(8))
        case 4..<7: bytes[place] = random.element(of: [0, 1, 2, 3, 8, 16, 0x7f, 0x80, 0xfe, 0xff])
        case 7..<11:
            let values: [UInt64] = [
                0, 1, 2, 0x7f, 0xff, 0x7fff, 0xffff, 1 << 31 - 1, 1 << 31, 1 << 32 - 1, 1 << 40, 1 << 62,
                1 << 63 - 1,
                1 << 63, .max, .max - 1, UInt64(original.count), UInt64(original.count - 1), UInt64(place),
                UInt64(blocks[random.below(blocks.count)].start),
                UInt64(blocks[random.below(blocks.count)].count),
            ]
            bytes.replaceSubrange(
                place..<place + width, with: Self.bytes(random.element(of: values), width))
        case 11:
            let other = self.place(64, in: bytes, &random)
            for offset in 0..<width { bytes.swapAt(place + offset, other + offset) }
        case 12:
            let from = self.place(64, in: bytes, &random)
            let copied = Array(bytes[from..<from + 1 + random.below(64)])
            bytes.replaceSubrange(place..<place + copied.count, with: copied)
        case 13:
            // What follows within the block moves, forwards or backwards.
            let tail = Array(bytes[place..<place + 60])
            let gap = random.below(9) - 4
            for (offset, byte) in tail.enumerated() where place + offset + gap >= 0 {
                bytes[place + offset + gap] = byte
            }
        case 14:
            let digits = (place..<bytes.count).prefix(4096).filter { (0x30..<0x3a).contains(bytes[$0]) }
            guard let digit = digits.isEmpty ? nil : random.element(of: digits) else { return }
            bytes[digit] = random.element(of: Array("0123456789-.eE,[]{}\" ".utf8))
        default:
            guard random.below(4) == 0 else { return }
            // The file ends earlier, and says so.
            bytes.removeLast(1 + random.below(bytes.count - 64))
            bytes.replaceSubrange(28..<36, with: Self.bytes(UInt64(bytes.count), 8))
        }
    }
}

/// One change of a file's content that leaves a file as any other.
private struct ContentEdit {
    private var random: SplitMix

    init(_ random: inout SplitMix) { self.random = SplitMix(state: random.next()) }

    mutating func apply(to root: inout Group) {
        // Down to a group, then something in it.
        let names = root.groups.keys.sorted()
        if !names.isEmpty, random.below(4) != 0 {
            let name = random.element(of: names)
            if random.below(24) == 0 {
                let child = root.groups.removeValue(forKey: name)
                if random.below(2) == 0 { root.groups[random.element(of: names) + "x"] = child }
            } else if var child = root.groups[name] {
                apply(to: &child)
                root.groups[name] = child
            }
            return
        }
        let datasets = root.datasets.keys.sorted()
        if !datasets.isEmpty, random.below(3) != 0 {
            let name = random.element(of: datasets)
            guard let dataset = root.datasets[name] else { return }
            if random.below(12) == 0 {
                root.datasets[name] = random.below(2) == 0 ? nil : root.datasets[random.element(of: datasets)]
            } else {
                root.datasets[name] = changed(dataset)
            }
        } else if let name = root.attributes.keys.sorted().randomElement(using: &random) {
            root.attributes[name] =
                random.below(24) == 0
                ? nil : root.attributes[name].map { changed($0, among: root.attributes) }
        }
    }

    private static let integers: [Int] = [
        0, 1, -1, 2, 3, 15, 16, 17, 255, 256, 65_535, 65_536, 1 << 20, 1 << 31, 1 << 32, 1 << 60, 1 << 62,
        .max, .min,
    ]
    private static let reals: [Double] = [
        0, -0.0, 1, -1, 0.5, 1e-300, 1e-45, 1e30, 3e38, 1e300, -1e308, 1e308, .infinity, -.infinity, .nan,
    ]

    private mutating func changed(_ attribute: Attribute, among others: [String: Attribute]) -> Attribute {
        switch attribute {
        case _ where random.below(16) == 0: others[random.element(of: others.keys.sorted())] ?? attribute
        case .text(let text): .text(changed(text))
        case .integer: .integer(Int64(random.element(of: Self.integers)))
        case .real: .real(random.element(of: Self.reals))
        case .texts(let texts): .texts(texts.dropLast(random.below(2)) + [changed(texts.last ?? "")])
        case .integers(let values): .integers(values.dropLast() + [Int64(random.element(of: Self.integers))])
        case .reals(let values): .reals(values.dropLast() + [random.element(of: Self.reals)])
        }
    }

    /// One word or number of a text becomes another.
    private mutating func changed(_ text: String) -> String {
        let isWord = { (character: Character) in
            character.isLetter || character.isNumber || "-_.".contains(character)
        }
        let words = text.split(whereSeparator: { !isWord($0) })
        guard !words.isEmpty, random.below(16) != 0 else { return "" }
        let word = random.element(of: words)
        let isNumber = word.allSatisfy { $0.isNumber || $0 == "." }
        let new =
            isNumber && random.below(8) != 0
            ? String(random.element(of: Self.integers)) : String(random.element(of: words))
        return text[..<word.startIndex] + new + text[word.endIndex...]
    }

    private mutating func changed(_ dataset: Dataset) -> Dataset {
        var values = dataset.values
        var shape = dataset.shape
        // Huge extents beside a zero stay where they are: their product must not be taken.
        switch shape.contains(0) ? 3 : random.below(8) {
        case 0: shape.reverse()
        case 1: shape.append(1)
        case 2: shape = [shape.reduce(1, *)]
        case 3:
            let extents = [0, 0, 1, 2, 1 << 20, 1 << 32, 1 << 40, 1 << 62]
            shape = [0] + shape.map { _ in random.element(of: extents) }.dropFirst()
            values =
                values.type == .float64 ? .float64([]) : values.type == .float32 ? .float32([]) : .int64([])
        default: values = changed(values)
        }
        return Dataset(values, shape: shape, dims: shape.map { _ in "n" }.joined(separator: ","))
    }

    private mutating func changed(_ values: Dataset.Values) -> Dataset.Values {
        let real = random.element(of: Self.reals), integer = Int64(random.element(of: Self.integers))
        let everywhere = random.below(8) == 0
        let position = random.below(max(1, values.count))
        func change<T>(_ old: [T], to new: T) -> [T] {
            old.enumerated().map { everywhere || $0.offset == position ? new : $0.element }
        }
        return switch values {
        case .uint8(let old): .uint8(change(old, to: UInt8(truncatingIfNeeded: integer)))
        case .int64(let old): .int64(change(old, to: integer))
        case .float32(let old): .float32(change(old, to: Float(real)))
        case .float64(let old): .float64(change(old, to: real))
        }
    }
}

extension Group {
    /// More children, and larger attributes, than object headers hold: they stand in heaps, and trees lead there.
    package static let withHeaps: Group = {
        var root = Group(attributes: [
            "large": .text(String(repeating: "{\"node\": 1},", count: 6000)), "reals": .reals([1, 2, 3]),
        ])
        for index in 0..<1100 { root[group: "node \(index)"] = Group() }
        for index in 0..<90 { root.attributes["a\(index)"] = .integer(Int64(index)) }
        return root
    }()
}

/// Steele, Lea and Flood's SplitMix64: small, and good enough to choose edits.
package struct SplitMix: RandomNumberGenerator {
    package var state: UInt64

    package init(state: UInt64) { self.state = state }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A number in 0..<bound.
    package mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }

    mutating func element<T>(of values: [T]) -> T { values[below(values.count)] }
}
