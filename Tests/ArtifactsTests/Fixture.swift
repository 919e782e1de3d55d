import Files
import Foundation
import TestSupport
import HDF5
import Parameters

@testable import Artifacts

/// A small step, as stages do them, in an artifacts folder.
struct SmallStep: Codable, Sendable {
    var root: String
    var name = "grow-1"
    var branch = "tiny-0"
    var neurons = 8
    var inputs: [String: Digest] = [:]

    var store: Store { Store(root: root) }
    var link: String { "\(root)/digits/\(branch)/\(name).h5" }

    var parts: KeyParts {
        KeyParts(
            stage: "grow", source: "5eed", platform: "plain", parameters: parameters, inputs: inputs)
    }

    private var parameters: Tree { Tree(.map([.init(key: "neurons", value: Tree(.integer(neurons)))])) }

    /// The step's output: the same parameters give the same bytes.
    var content: Group {
        let header = Header(kind: .network, stage: "grow", parameters: parameters, inputs: inputs)
        let weights = (0..<neurons * 100).map { Float($0) / 7 }
        return Group(
            attributes: header.attributes,
            groups: [
                "parameters": Group(datasets: [
                    "weight": Dataset(
                        .float32(weights), shape: [neurons, 100], dims: "out_features,in_features")
                ])
            ])
    }

    /// Does what a stage does: nothing on a cache hit, else the work. True if it worked.
    @discardableResult
    func run(in store: Store? = nil) throws -> Bool {
        let store = store ?? self.store
        return try store.withLock(on: parts, publishingTo: link) { step in
            if let record = try store.record(for: step.key), try store.relink(step, to: record) {
                return false
            }
            let stopwatch = Stopwatch(threads: 1, libraries: ["hdf5": File.libraryVersion])
            try store.publish(step, stopwatch: stopwatch) { try content.write(to: $0) }
            return true
        }
    }

    /// The digest that an undisturbed run gives.
    func expectedDigest() throws -> Digest {
        let folder = TemporaryFolder()
        try content.write(to: folder.path + "/undisturbed.h5")
        return try Digest(ofFile: folder.path + "/undisturbed.h5")
    }
}

/// Every file below a folder but the store's mark, sorted, by its path below it.
func files(below folder: String) -> [String] {
    (FileManager.default.subpaths(atPath: folder) ?? []).filter { path in
        if path == ".meristem" || path.hasSuffix("/.meristem") { return false }
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: "\(folder)/\(path)", isDirectory: &isFolder)
        return !exists || !isFolder.boolValue
    }.sorted()
}

/// Changes one byte of a file, whatever its mode.
func damage(_ path: String) throws {
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
    let file = try FileHandle(forUpdating: URL(filePath: path))
    try file.seek(toOffset: 100)
    try file.write(contentsOf: Data([0xEE]))
    try file.close()
}
