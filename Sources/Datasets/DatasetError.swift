internal import Parameters

/// What can be wrong with a dataset: its descriptor, its files, its artifact.
package enum DatasetError: ReportableError, Equatable {
    /// A place that was looked at, and why the data is not there.
    package struct Place: Equatable, Sendable {
        package var path: String
        package var reason: String
    }

    /// No place has all files of the dataset. `help`: one sentence per way to get it.
    case missing(dataset: String, tried: [Place], help: [String])
    /// The decompressed bytes are not those the descriptor pins.
    case wrongDigest(file: String, expected: String, found: String)
    /// The compressed bytes are not (only) gzip or xz. `offset`: byte in the compressed file.
    case brokenCompression(file: String, offset: Int, problem: String)
    /// What comes out of the compressed bytes is compressed again.
    case packedTwice(file: String, outer: String, inner: String)
    /// The content goes on after as many bytes as the dataset can need.
    case tooLarge(file: String, limit: Int)
    /// The decompressed bytes are not a tar archive that can be read. `offset`: byte in the archive.
    case brokenTar(file: String, offset: Int, problem: String)
    /// An archive without some of the dataset's files. `note`: what it holds, and what to do.
    case membersMissing(archive: String, members: [String], note: String)
    /// The bytes are not the IDX file they should be. `offset`: byte in the decompressed content.
    case brokenIDX(file: String, offset: Int, found: String, allowed: String)
    /// The bytes are not whole CIFAR records. `offset`: byte in the decompressed content.
    case brokenCIFAR(file: String, offset: Int, found: String, allowed: String)
    /// A label is no class. `offset`: byte in the decompressed content. `first`: where the labels of the file begin, if they
    /// are as many in a row as there are classes.
    case labelOutOfRange(file: String, offset: Int, label: Int, allowed: ClosedRange<Int>, first: Int? = nil)
    /// A file is not what the descriptor says of it.
    case descriptorDisagrees(descriptor: String, key: String, says: String, file: String, holds: String)
    /// Parameters that name another dataset than the descriptor.
    case otherDataset(requested: String, descriptor: String, file: String)
    /// More samples to hold out than leave one to train on.
    case validationTooLarge(requested: Int, available: Int)
    /// curl could not fetch a file.
    case downloadFailed(url: String, reason: String, help: [String])
    /// A dataset artifact that breaks a rule of its format. `path`: inside the file.
    case badArtifact(file: String, path: String, found: String, allowed: String)
}

extension DatasetError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .missing(let dataset, let tried, let help):
            let places = tried.map { "\n  \($0.path): \($0.reason)" }.joined()
            let ways = help.map { "\n  - \($0)" }.joined()
            return
                "the files of \(dataset) are not on this machine; looked in\(places)\nto get them, one of\(ways)"
        case .wrongDigest(let file, let expected, let found):
            return """
                \(file) is not the file its descriptor pins: the decompressed bytes have SHA-256 \(found), \
                expected \(expected); remove the file, or correct the descriptor if the data was meant to change
                """
        case .brokenCompression(let file, let offset, let problem):
            return "\(file), byte \(offset): \(problem); fetch the file again"
        case .packedTwice(let file, let outer, let inner):
            return "\(file) was packed twice: there is \(inner) data within its \(outer) data; unpack it once"
        case .tooLarge(let file, let limit):
            return """
                \(file) holds more than \(limit) bytes, which is all that the dataset can need; \
                fetch the file again, or correct the descriptor
                """
        case .brokenTar(let file, let offset, let problem):
            return "\(file), byte \(offset) of the archive: \(problem); fetch the file again"
        case .membersMissing(let archive, let members, let note):
            return "\(archive) lacks \(members.joined(separator: ", ")); \(note)"
        case .brokenIDX(let file, let offset, let found, let allowed),
            .brokenCIFAR(let file, let offset, let found, let allowed):
            return "\(file), byte \(offset) of the content: found \(found), expected \(allowed)"
        case .labelOutOfRange(let file, let offset, let label, let allowed, let first):
            let hint =
                first.map {
                    "; the file's labels are \($0)...\($0 + allowed.count - 1): if the classes stand for these, "
                        + "write `first-label: \($0)` into the descriptor"
                } ?? ""
            return "\(file), byte \(offset) of the content: label \(label) is not in \(allowed)\(hint)"
        case .descriptorDisagrees(let descriptor, let key, let says, let file, let holds):
            return """
                \(descriptor): \(key): says \(says), but \(file) holds \(holds); correct the descriptor, or fetch the \
                file that it means
                """
        case .otherDataset(let requested, let descriptor, let file):
            return """
                the parameters ask for dataset '\(requested)', but \(file) describes '\(descriptor)'; \
                use --descriptor data/\(requested).yaml
                """
        case .validationTooLarge(let requested, let available):
            return """
                validation: \(requested) samples cannot be held out of a training split of \(available); \
                at most \(available - 1) leave something to train on
                """
        case .downloadFailed(let url, let reason, let help):
            return "\(url) could not be downloaded: \(reason)\ninstead, one of"
                + help.map { "\n  - \($0)" }.joined()
        case .badArtifact(let file, let path, let found, let allowed):
            return """
                \(file): \(path): found \(found), expected \(allowed); this is not a dataset written by \
                load-dataset, or it was changed
                """
        }
    }

    /// The process's exit code (sysexits): 65 bad data, 66 missing input, 74 a download failed.
    package var exitCode: Int32 {
        switch self {
        case .missing: 66
        case .downloadFailed: 74
        case .otherDataset: 64
        default: 65
        }
    }
}
