import CCrypto

/// The SHA-256 of some bytes, as 64 lower-case hexadecimal digits.
///
/// An object in the store is named after it: `sha256sum` prints the same digits.
package struct Digest: Hashable, Sendable, Codable, Comparable, CustomStringConvertible {
    /// The 64 lower-case hexadecimal digits.
    package let hexadecimal: String

    package var description: String { hexadecimal }

    /// A digest that is already known; nil unless the text is 64 lower-case hexadecimal digits.
    package init?(_ hexadecimal: some StringProtocol) {
        let digits = hexadecimal.utf8
        guard digits.count == 64, digits.allSatisfy(Self.isDigit) else { return nil }
        self.hexadecimal = String(hexadecimal)
    }

    /// The digest of bytes in memory.
    package init(of bytes: some Sequence<UInt8>) {
        var hasher = DigestHasher()
        let viewed: Void? = bytes.withContiguousStorageIfAvailable {
            hasher.update(UnsafeRawBufferPointer($0))
        }
        if viewed == nil { Array(bytes).withUnsafeBytes { hasher.update($0) } }
        self = hasher.finish()
    }

    /// The digest of a text's UTF-8 bytes.
    package init(of text: String) { self.init(of: text.utf8) }

    /// The digest of a file's bytes, read in large pieces.
    ///
    /// - Throws: `FileError.missing`, `.notAFile`, `.system` if reading fails.
    /// - Complexity: one pass; 1 MiB of memory whatever the file's size.
    package init(ofFile path: String) throws {
        let file = try OpenFile(reading: path)
        var hasher = DigestHasher()
        try file.readAll { hasher.update($0) }
        self = hasher.finish()
    }

    package static func < (left: Digest, right: Digest) -> Bool { left.hexadecimal < right.hexadecimal }

    init(unchecked hexadecimal: String) { self.hexadecimal = hexadecimal }

    private static func isDigit(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }
}

/// A SHA-256 that is fed piece by piece.
package struct DigestHasher: ~Copyable {
    private let context: OpaquePointer

    /// A hasher that has seen nothing yet.
    package init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            preconditionFailure("libcrypto offers no SHA-256, or memory is exhausted")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Takes in the next bytes.
    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        let taken = EVP_DigestUpdate(context, start, bytes.count)
        precondition(taken == 1, "libcrypto refused \(bytes.count) bytes")
    }

    /// The digest of everything taken in.
    package consuming func finish() -> Digest {
        var bytes = [UInt8](repeating: 0, count: 32)
        let finished = EVP_DigestFinal_ex(context, &bytes, nil)
        precondition(finished == 1, "libcrypto could not finish a SHA-256")
        let digits = Array("0123456789abcdef".utf8)
        let text = String(unsafeUninitializedCapacity: 64) { buffer in
            for (index, byte) in bytes.enumerated() {
                buffer[2 * index] = digits[Int(byte >> 4)]
                buffer[2 * index + 1] = digits[Int(byte & 15)]
            }
            return 64
        }
        return Digest(unchecked: text)
    }
}
