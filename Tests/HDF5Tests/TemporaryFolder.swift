import Foundation

/// A folder of one test, gone when the test is.
final class TemporaryFolder: Sendable {
    private let root: URL

    init() {
        root = FileManager.default.temporaryDirectory.appending(path: "hdf5-\(UUID().uuidString)")
        try? FileManager.default.createDirectory(at: root, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: root) }

    func path(_ name: String) -> String { root.appending(path: name).path }

    func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(filePath: path(name))) }

    func write(_ bytes: Data, to name: String) throws -> String {
        try bytes.write(to: URL(filePath: path(name)))
        return path(name)
    }

    var names: [String] {
        (try? FileManager.default.contentsOfDirectory(atPath: root.path).sorted()) ?? []
    }
}
