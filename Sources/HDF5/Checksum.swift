/// The checksum of HDF5's metadata: Bob Jenkins' lookup3, "hashlittle", from 0.
///
/// It finds bytes that changed by accident. Whoever changes them on purpose makes it fit, so nothing else rests on it.
package func metadataChecksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    bytes.withUnsafeBytes { bytes in
        let start = 0xdead_beef &+ UInt32(truncatingIfNeeded: bytes.count)
        var words = (start, start, start)
        var rest = bytes[...]
        func add() {
            words.0 &+= word(rest, 0)
            words.1 &+= word(rest, 4)
            words.2 &+= word(rest, 8)
        }
        while rest.count > 12 {
            add()
            mix(&words)
            rest = rest.dropFirst(12)
        }
        guard !rest.isEmpty else { return words.2 }
        add()
        return finish(words)
    }
}

/// Four bytes, little-endian; zeros behind the end.
private func word(_ bytes: Slice<UnsafeRawBufferPointer>, _ offset: Int) -> UInt32 {
    (0..<4).reduce(0) { value, index in
        let position = bytes.startIndex + offset + index
        return position < bytes.endIndex ? value | UInt32(bytes[position]) << UInt32(8 * index) : value
    }
}

private func rotate(_ value: UInt32, _ bits: UInt32) -> UInt32 { value << bits | value >> (32 - bits) }

private func mix(_ words: inout (UInt32, UInt32, UInt32)) {
    var (a, b, c) = words
    a = (a &- c) ^ rotate(c, 4)
    c = c &+ b
    b = (b &- a) ^ rotate(a, 6)
    a = a &+ c
    c = (c &- b) ^ rotate(b, 8)
    b = b &+ a
    a = (a &- c) ^ rotate(c, 16)
    c = c &+ b
    b = (b &- a) ^ rotate(a, 19)
    a = a &+ c
    c = (c &- b) ^ rotate(b, 4)
    b = b &+ a
    words = (a, b, c)
}

private func finish(_ words: (UInt32, UInt32, UInt32)) -> UInt32 {
    var (a, b, c) = words
    c = (c ^ b) &- rotate(b, 14)
    a = (a ^ c) &- rotate(c, 11)
    b = (b ^ a) &- rotate(a, 25)
    c = (c ^ b) &- rotate(b, 16)
    a = (a ^ c) &- rotate(c, 4)
    b = (b ^ a) &- rotate(a, 14)
    c = (c ^ b) &- rotate(b, 24)
    return c
}
