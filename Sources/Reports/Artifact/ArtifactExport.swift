internal import Artifacts
internal import Files
internal import Foundation

extension ArtifactLocation {
    /// Copies a step's artifact into a folder under a name that tells what it is:
    /// `fashion-mlp_tiny-joint-0_tune-4.h5`.
    ///
    /// - Returns: the copy's path.
    /// - Throws: `ReportError.notAStep` for a plain file, `.alreadyThere` rather than overwrite one, `ArtifactError`
    ///   if the folder cannot be written.
    package func export(to folder: String) throws -> String {
        guard let step else { throw ReportError.notAStep(argument: name) }
        let file = step.split(separator: "/").joined(separator: "_") + ".h5"
        let path = (folder as NSString).appendingPathComponent(file)
        guard (try? FileManager.default.attributesOfItem(atPath: path)) == nil else {
            throw ReportError.alreadyThere(path: path)
        }
        try PlainFile.publish(at: path) { temporary in
            try FileManager.default.copyItem(atPath: self.path, toPath: temporary)
            // An object of the store is read-only; a copy is its user's.
            try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: temporary)
        }
        return path
    }
}
