import CLZMA
import Files
import Foundation
import TestSupport

@testable import Datasets

/// The bytes of an IDX file; `values` as they stand there.
func idx(_ shape: [Int], _ values: [UInt8], type: UInt8 = 0x08, rank: Int? = nil) -> [UInt8] {
    [0, 0, type, UInt8(rank ?? shape.count)] + shape.flatMap { bigEndian($0) } + values
}

private func bigEndian(_ value: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
}

/// Numbers as the values of an IDX file of this type.
func encoded(_ numbers: [Double], as type: IDXType) -> [UInt8] {
    func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: value.bigEndian) { Array($0) }
    }
    return numbers.flatMap { number in
        switch type {
        case .unsignedByte: bytes(UInt8(number))
        case .signedByte: bytes(Int8(number))
        case .integer16: bytes(Int16(number))
        case .integer32: bytes(Int32(number))
        case .real32: bytes(Float(number).bitPattern)
        case .real64: bytes(number.bitPattern)
        }
    }
}

/// The images of an IDX file that is looked at alone.
func readImages(_ path: String, ranks: ClosedRange<Int> = 3...4) throws -> IDXArray<UInt8> {
    var stream = try ByteStream(opening: path)
    return try IDXArray(imagesBehind: IDXHeader(reading: &stream, ranks: ranks), &stream)
}

/// The labels of an IDX file that is looked at alone.
func readLabels(_ path: String, column: Int = 0) throws -> IDXArray<Int32> {
    var stream = try ByteStream(opening: path)
    return try IDXArray(labelsBehind: IDXHeader(reading: &stream, ranks: 1...2), column: column, &stream)
}

/// A gzip member with one stored block (RFC 1951, 3.2.4): 10 bytes of header, 5 of block header, the content, 8 of trailer.
func gzip(_ content: [UInt8]) -> [UInt8] {
    precondition(content.count < 65_536, "one stored block")
    let length = [UInt8(truncatingIfNeeded: content.count), UInt8(truncatingIfNeeded: content.count >> 8)]
    return [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255] + [1] + length + length.map { ~$0 } + content
        + bigEndian(Int(crc32(content))).reversed() + bigEndian(content.count).reversed()
}

private func crc32(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(~0) { sum, byte in
        (0..<8).reduce(sum ^ UInt32(byte)) { sum, _ in sum >> 1 ^ (sum & 1 == 1 ? 0xedb8_8320 : 0) }
    }
}

/// An xz stream, as `xz` writes it.
func xz(_ content: [UInt8]) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: lzma_stream_buffer_bound(content.count))
    var size = 0
    let result = lzma_easy_buffer_encode(
        6, LZMA_CHECK_CRC64, nil, content, content.count, &bytes, &size, bytes.count)
    precondition(result == LZMA_OK, "liblzma error \(result.rawValue)")
    return Array(bytes[..<size])
}

/// A tar entry: its header, its content, and zeros up to a whole block. What `edit` changes is in the check sum.
func tarEntry(
    _ name: String, _ content: [UInt8], type: Character = "0", prefix: String = "", isGNU: Bool = false,
    edit: (inout [UInt8]) -> Void = { _ in }
) -> [UInt8] {
    var header = [UInt8](repeating: 0, count: 512)
    func put(_ text: String, at offset: Int) {
        header.replaceSubrange(offset..<offset + text.utf8.count, with: text.utf8)
    }
    func octal(_ value: Int, _ digits: Int) -> String {
        let text = String(value, radix: 8)
        return String(repeating: "0", count: digits - text.count) + text
    }
    put(name, at: 0)
    put("0000644", at: 100)
    put(octal(content.count, 11), at: 124)
    put(String(type), at: 156)
    put(isGNU ? "ustar  " : "ustar\u{0}00", at: 257)
    put(prefix, at: 345)
    edit(&header)
    put("        ", at: 148)
    put(octal(header.reduce(0) { $0 + Int($1) }, 6) + "\u{0} ", at: 148)
    return header + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
}

/// The end of a tar archive: blocks of zeros.
func tarEnd(_ blocks: Int = 2) -> [UInt8] { [UInt8](repeating: 0, count: 512 * blocks) }

/// A dataset of 6 training and 2 test images of 2x2x1 in 3 classes, its files and its descriptor.
struct SmallDataset {
    var files: [String: [UInt8]] = [
        "train-images": idx([6, 2, 2], (0..<24).map { UInt8($0 * 10) }),
        "train-labels": idx([6], [0, 1, 2, 0, 1, 2]),
        "test-images": idx([2, 2, 2], [9, 8, 7, 6, 5, 4, 3, 2]),
        "test-labels": idx([2], [2, 0]),
    ]
    var extra = ""
    var train = 6
    var image = "[2, 2, 1]"
    var test = 2
    var classes = "[a, b, c]"

    /// The descriptor's text, which pins the files as they are.
    var yaml: String {
        let members = files.sorted { $0.key < $1.key }.map { name, bytes in
            "  \(name): {file: \(name).idx, sha256: \(Digest(of: bytes))}"
        }
        return """
            name: small
            title: Small
            licence: none
            citation: nobody
            homepage: https://example.org/small
            format: idx
            image: \(image)
            train: \(train)
            test: \(test)
            classes: \(classes)
            files:
            \(members.joined(separator: "\n"))
            \(extra)
            """
    }

    /// Writes the four files into a folder of `folder`, compressed or not.
    func writeFiles(to folder: TemporaryFolder, _ name: String, compressed: Bool = true) throws {
        for (file, bytes) in files {
            try folder.write(
                compressed ? gzip(bytes) : bytes, to: "\(name)/\(file).idx" + (compressed ? ".gz" : ""))
        }
    }

    /// The descriptor, as if it lay in `folder`.
    func descriptor(in folder: TemporaryFolder) throws -> DatasetDescriptor {
        try DatasetDescriptor(yaml: yaml, path: "\(folder.path)/small.yaml")
    }
}

/// A dataset of 5 training images, 3 and 2, and 2 test images of 2x3x3 in 4 classes, laid out as CIFAR, and its descriptor.
struct SmallCIFAR {
    /// By name: `one.bin`, `two.bin`, `test.bin`.
    var files: [String: [UInt8]]
    var format: String
    var image = "[2, 3, 3]"
    var train = 5
    var extra = ""

    /// Bytes of one record.
    let record: Int

    /// - Parameter labelBytes: 1 or 2; the first of two is 77 + record.
    init(labelBytes: Int = 1) {
        format = labelBytes == 1 ? "cifar-10" : "cifar-100"
        record = labelBytes + 18
        func records(_ numbers: ClosedRange<Int>) -> [UInt8] {
            var bytes: [UInt8] = []
            for number in numbers {
                if labelBytes == 2 { bytes.append(UInt8(77 + number)) }
                bytes.append(UInt8(number % 4))
                bytes += (0..<18).map { UInt8(20 * number + $0) }
            }
            return bytes
        }
        files = ["one.bin": records(0...2), "two.bin": records(3...4), "test.bin": records(5...6)]
    }

    /// The descriptor's text, which pins the files as they are.
    var yaml: String {
        func member(_ name: String) -> String {
            "{file: \(name), sha256: \(Digest(of: files[name] ?? []))}"
        }
        return """
            name: small
            title: Small
            licence: none
            citation: nobody
            homepage: https://example.org/small
            format: \(format)
            image: \(image)
            train: \(train)
            test: 2
            classes: [a, b, c, d]
            files:
              train: [\(member("one.bin")), \(member("two.bin"))]
              test: \(member("test.bin"))
            archive: {file: small.tar, folder: small-bin}
            \(extra)
            """
    }

    /// The descriptor, as if it lay in `folder`.
    func descriptor(in folder: TemporaryFolder) throws -> DatasetDescriptor {
        try DatasetDescriptor(yaml: yaml, path: "\(folder.path)/small.yaml")
    }

    /// The archive: its folder, something that nobody asks for, and the files in another order than the descriptor's.
    var archive: [UInt8] {
        tarEntry("small-bin/", [], type: "5") + tarEntry("small-bin/readme.txt", Array("hello".utf8))
            + ["test.bin", "two.bin", "one.bin"].flatMap { tarEntry("small-bin/\($0)", files[$0] ?? []) }
            + tarEnd()
    }

    /// What the dataset holds: sample `number` has the values 20 number + 0...17 as planes.
    static func image(_ number: Int) -> [UInt8] {
        (0..<6).flatMap { pixel in (0..<3).map { UInt8(20 * number + 6 * $0 + pixel) } }
    }
}

/// The repository's data folder.
let dataFolder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appending(path: "../../data").standardized.path

/// What `body` throws, if it is a `DatasetError`.
func datasetError(_ body: () throws -> Void) -> DatasetError? {
    do {
        try body()
        return nil
    } catch {
        return error as? DatasetError
    }
}
