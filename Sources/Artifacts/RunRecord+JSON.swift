import Foundation

extension RunRecord {
    /// Reads runs/<key>.json.
    ///
    /// - Throws: `ArtifactError.missing` or `.invalidRecord`.
    package init(reading path: String) throws {
        let text = try FileSystem.text(of: path)
        do {
            let stored = try JSONDecoder().decode(Stored.self, from: Data(text.utf8))
            self.init(
                parts: KeyParts(
                    stage: stored.stage, source: stored.source, platform: stored.platform,
                    parameters: stored.parameters, inputs: stored.inputs), output: stored.output,
                bytes: stored.bytes, unchanged: stored.unchanged, measurements: stored.measurements)
        } catch {
            throw ArtifactError.invalidRecord(path: path, found: "\(error)")
        }
    }

    /// The record as canonical JSON.
    package var canonicalJSON: String {
        let stored = Stored(
            stage: parts.stage, source: parts.source, platform: parts.platform, parameters: parts.parameters,
            inputs: parts.inputs, output: output, bytes: bytes, unchanged: unchanged,
            measurements: measurements)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(stored)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    private struct Stored: Codable {
        var stage: String
        var source: String
        var platform: String
        var parameters: String
        var inputs: [String: Digest]
        var output: Digest
        var bytes: Int
        var unchanged: Bool
        var measurements: Measurements
    }
}

