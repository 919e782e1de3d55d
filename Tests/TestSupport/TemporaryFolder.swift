package import Foundation

/// A folder of one test, gone when the test is.
package final class TemporaryFolder: Sendable {
    package let url: URL

    package init() {
        url = FileManager.default.temporaryDirectory.appending(path: "meristem-\(UUID().uuidString)")
        try? FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// The folder itself.
    package var path: String { url.path }

    /// Where `name` stands, or would stand, in it.
    package func path(_ name: String) -> String { url.appending(path: name).path }

    /// Writes a file, with the folders on its way; its path.
    @discardableResult
    package func write(_ bytes: some DataProtocol, to name: String) throws -> String {
        let file = url.appending(path: name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
        return file.path
    }

    /// Writes a text file, with the folders on its way; its path.
    @discardableResult
    package func write(_ text: String, to name: String) throws -> String {
        try write(Data(text.utf8), to: name)
    }

    package func text(_ name: String) throws -> String {
        try String(contentsOf: url.appending(path: name), encoding: .utf8)
    }

    package func bytes(_ name: String) throws -> Data { try Data(contentsOf: url.appending(path: name)) }

    package func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

    /// What stands directly in it, sorted, hidden names included.
    package var names: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? []
    }
}
