package import Artifacts
package import Files
internal import HDF5

/// Where an artifact comes from, step by step, back to the dataset.
package struct Provenance: Equatable, Sendable {
    /// One object on the way.
    package struct Origin: Equatable, Sendable {
        package var digest: Digest
        /// nil where the object is not in the store (any more).
        package var header: Header?
        /// What its making cost; nil where no record tells.
        package var record: RunRecord?
        /// The steps that point to it.
        package var steps: [String]
    }

    /// The artifact itself first, the dataset last; each object once, before everything it is made of.
    package private(set) var origins: [Origin] = []

    /// Follows the headers' inputs as far as the store has them; without a store only the artifact itself is known.
    ///
    /// - Throws: `ArtifactError`, `HDF5Error` for an object on the way that cannot be read.
    package init(of digest: Digest, header: Header, root: String?) throws {
        guard let root else {
            origins = [Origin(digest: digest, header: header, steps: [])]
            return
        }
        var walk = try Walk(root: root)
        try walk.visit(digest, header)
        origins = walk.origins.reversed()
    }

    /// Depth first, inputs before what is made of them.
    private struct Walk {
        let store: Store
        let links: StepLinks
        let records: [Digest: [RunRecord]]
        var seen: Set<Digest> = []
        var origins: [Origin] = []

        init(root: String) throws {
            store = Store(root: root)
            links = StepLinks(in: root)
            records = Dictionary(grouping: try store.records().values, by: \.output)
        }

        mutating func visit(_ digest: Digest, _ known: Header? = nil) throws {
            guard seen.insert(digest).inserted else { return }
            let header = try known ?? header(of: digest)
            // The dataset's own inputs are files of its source, not objects.
            if let header, header.kind != .dataset {
                for (_, input) in header.inputs.sorted(by: { $0.key < $1.key }) { try visit(input) }
            }
            origins.append(
                Origin(
                    digest: digest, header: header, record: header.flatMap { record(of: digest, $0) },
                    steps: links.steps[digest] ?? []))
        }

        private func header(of digest: Digest) throws -> Header? {
            do {
                return try Header(reading: File(reading: store.objectPath(digest)))
            } catch HDF5Error.noSuchFile {
                return nil
            }
        }

        /// The latest run that made the object; one that passed it on had other inputs.
        private func record(of digest: Digest, _ header: Header) -> RunRecord? {
            (records[digest] ?? []).filter { record in
                record.parts.stage == header.stage
                    && record.parts.inputs == header.inputs
            }.max { $0.measurements.start < $1.measurements.start }
        }
    }
}

extension Digest {
    /// The first twelve digits: enough to tell objects apart, and for `artifact show`.
    package var short: String { String(hexadecimal.prefix(12)) }
}
