import Foundation
import TestSupport

@testable import Datasets

/// The bytes of an IDX file of unsigned bytes.
func idx(_ shape: [Int], _ values: [UInt8], type: UInt8 = 0x08, rank: Int? = nil) -> [UInt8] {
    [0, 0, type, UInt8(rank ?? shape.count)] + shape.flatMap { bigEndian($0) } + values
}

private func bigEndian(_ value: Int) -> [UInt8] {
    [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
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

    /// The descriptor's text, which pins the files as they are.
    var yaml: String {
        let members = files.sorted { $0.key < $1.key }.map { name, bytes in
            let hash = ContentHash()
            hash.update(bytes)
            return "  \(name): {file: \(name).idx, sha256: \(hash.finish())}"
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
            test: 2
            classes: [a, b, c]
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
