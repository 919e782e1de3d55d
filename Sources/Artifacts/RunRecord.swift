package import Files

/// What produced an object: the key's parts, the output, and what the run cost.
///
/// It stands in runs/<key>.json as canonical JSON.
package struct RunRecord: Equatable, Sendable {
    /// What the key is made of.
    package var parts: KeyParts
    /// The object the step produced.
    package var output: Digest
    /// The object's size.
    package var bytes: Int
    /// Whether the output is an input object itself, as after a round that added nothing.
    package var unchanged: Bool
    /// What the run cost.
    package var measurements: Measurements
    /// How the files looked when the record was written, or when the object was last hashed; nil in older records.
    var seen: Sighting?

    /// The numbers and times of the files, to tell that somebody wrote to the object since.
    struct Sighting: Equatable, Sendable {
        var object: FileStamp
        /// The record's own number: a record that was copied says nothing about files where it is now.
        var record: Int
    }

    package init(
        parts: KeyParts, output: Digest, bytes: Int, unchanged: Bool, measurements: Measurements
    ) {
        self.parts = parts
        self.output = output
        self.bytes = bytes
        self.unchanged = unchanged
        self.measurements = measurements
    }
}
