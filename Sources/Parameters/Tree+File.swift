import Foundation

extension Tree {
    /// The text of a small file, its kind and size looked at before it is read.
    ///
    /// - Throws: `ParameterError.unreadable` for what is not a regular file: a pipe would be waited for.
    static func text(ofFile file: String, limit: Int) throws -> String {
        let descriptor = open(file, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ParameterError.unreadable(file: file, problem: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw ParameterError.unreadable(file: file, problem: "it is not a regular file")
        }
        guard status.st_size <= limit else { throw ParameterError.tooLong(file: file, limit: limit) }
        var bytes = [UInt8](repeating: 0, count: limit + 1)
        var count = 0
        while count < bytes.count {
            let read = bytes.withUnsafeMutableBytes {
                Glibc.read(descriptor, $0.baseAddress?.advanced(by: count), $0.count - count)
            }
            if read < 0 {
                if errno == EINTR { continue }
                throw ParameterError.unreadable(file: file, problem: String(cString: strerror(errno)))
            }
            if read == 0 { break }
            count += read
        }
        guard count <= limit else { throw ParameterError.tooLong(file: file, limit: limit) }
        return try text(bytes[..<count], file: file)
    }

    /// - Throws: `ParameterError.syntax` with the first line that is not UTF-8.
    private static func text(_ bytes: ArraySlice<UInt8>, file: String) throws -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        let isUTF16 = bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF])
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        let line = lines.firstIndex { String(validating: $0, as: UTF8.self) == nil }
        throw ParameterError.syntax(
            file: file, line: isUTF16 ? nil : line.map { $0 + 1 },
            problem: "the text is not UTF-8\(isUTF16 ? " but UTF-16" : ""); save it as UTF-8")
    }
}
