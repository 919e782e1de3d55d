internal import CCrypto

/// SHA-256 of bytes that come in pieces.
struct ContentHash: ~Copyable {
    private let context: OpaquePointer?

    init() {
        context = EVP_MD_CTX_new()
        EVP_DigestInit_ex(context, EVP_sha256(), nil)
    }

    deinit { EVP_MD_CTX_free(context) }

    func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

    func update(_ bytes: UnsafeRawBufferPointer) { EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) }

    /// 64 lower-case hexadecimal digits.
    consuming func finish() -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        EVP_DigestFinal_ex(context, &digest, nil)
        return digest.map { byte in
            let text = String(byte, radix: 16)
            return text.count == 1 ? "0" + text : text
        }.joined()
    }

    /// The SHA-256 of a text's UTF-8 bytes.
    static func of(_ text: String) -> String {
        let hash = ContentHash()
        hash.update(Array(text.utf8))
        return hash.finish()
    }
}

extension ContentHash {
    /// The SHA-256 of a file's decompressed content, of which at most a piece of 1 MiB is in memory.
    /// - Throws: `DatasetError.unreadable`, `.brokenCompression`, `.brokenTar`, `.tooLarge` for more than `limit` bytes.
    static func of(_ stream: inout ByteStream, limit: Int) throws -> String {
        let hash = ContentHash()
        while true {
            let piece = try stream.read(1 << 20)
            if piece.isEmpty { return hash.finish() }
            hash.update(piece)
            guard stream.position <= limit else {
                throw DatasetError.tooLarge(file: stream.file, limit: limit)
            }
        }
    }
}
