import Foundation

/// A regular file open for reading, closed once.
struct SourceFile: ~Copyable {
    let path: String
    /// Bytes of content.
    let size: Int
    /// Bytes that the content takes up on the disk; fewer where the file has holes.
    let sizeOnDisk: Int
    private let descriptor: Int32

    /// - Throws: `DatasetError.unreadable`, also for folders, pipes and devices.
    init(opening path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw Self.failure(path) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let failure = Self.failure(path)
            close(descriptor)
            throw failure
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw DatasetError.unreadable(file: path, reason: "it is not a regular file")
        }
        self.path = path
        size = Int(status.st_size)
        sizeOnDisk = Int(status.st_blocks) * 512
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Fills the buffer, or as much of it as the file still has.
    /// - Returns: the number of bytes read; less than the buffer's only at the end of the file.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var filled = 0
        while filled < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            let count = Foundation.read(descriptor, rest.baseAddress, rest.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw Self.failure(path) }
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    private static func failure(_ path: String) -> DatasetError {
        let reason = String(cString: strerror(errno))
        guard errno == ENOENT,
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path)
        else { return .unreadable(file: path, reason: reason) }
        return .unreadable(file: path, reason: "it is a link to \(target), which is not there")
    }
}
