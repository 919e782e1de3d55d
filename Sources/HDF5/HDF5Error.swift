/// Why an HDF5 file could not be read or written. `path` is the object inside the file; "/a/b@c" is attribute c of /a/b.
package enum HDF5Error: Error, Equatable {
    /// There is no file at this path.
    case noSuchFile(file: String)
    /// The file cannot be opened or its size cannot be asked for; `reason` is the operating system's.
    case cannotOpen(file: String, reason: String)
    /// The file does not start with the HDF5 signature.
    case notHDF5(file: String, found: String)
    /// The bytes are not what HDF5 says, which `action` showed: the file is truncated or corrupt.
    case cannotRead(file: String, path: String, action: String, reason: String)
    /// The file holds something this program does not read.
    case refused(file: String, path: String, found: String, allowed: String)
    /// An object or attribute is not there; `present` are the names that are.
    case missing(file: String, path: String, present: [String])
    /// A group does not have exactly the expected children.
    case unexpectedChildren(file: String, path: String, missing: [String], unexpected: [String])
    /// A file to be created is there already.
    case exists(file: String)
    /// libhdf5 failed while doing `action`: the disk is full, or the folder is missing or read-only.
    case cannotWrite(file: String, path: String, action: String, reason: String)
    /// Values that no HDF5 file of ours can hold: a mistake of the calling code.
    case invalid(file: String, path: String, problem: String)

    /// The exit code of sysexits: 65 bad data, 66 missing input, 70 mistake of the program, 74 input or output failed.
    package var exitCode: Int32 {
        switch self {
        case .noSuchFile: 66
        case .notHDF5, .cannotRead, .refused, .missing, .unexpectedChildren: 65
        case .cannotOpen, .exists, .cannotWrite: 74
        case .invalid: 70
        }
    }
}

extension HDF5Error: CustomStringConvertible {
    package var description: String {
        switch self {
        case .noSuchFile(let file):
            "\(file): there is no such file; check the path, or run the step that makes it"
        case .cannotOpen(let file, let reason):
            "\(file): cannot be opened: \(reason)"
        case .notHDF5(let file, let found):
            "\(file): is not an HDF5 file: it starts with \(found), an HDF5 file with \\x89HDF\\r\\n\\x1a\\n; "
                + "check that this is the file you mean"
        case .cannotRead(let file, let path, let action, let reason):
            "\(file): \(path): cannot \(action), the file is truncated or corrupt; make it again (\(reason))"
        case .refused(let file, let path, let found, let allowed):
            "\(file): \(path): found \(found); allowed: \(allowed)"
        case .missing(let file, let path, let present):
            "\(file): \(path): is missing; present: \(Self.list(present))"
        case .unexpectedChildren(let file, let path, let missing, let unexpected):
            "\(file): \(path): does not hold what it should; missing: \(Self.list(missing)); "
                + "unexpected: \(Self.list(unexpected))"
        case .exists(let file):
            "\(file): exists already and is not overwritten; remove it or choose another name"
        case .cannotWrite(let file, let path, let action, let reason):
            "\(file): \(path): cannot \(action): \(reason)"
        case .invalid(let file, let path, let problem):
            "\(file): \(path): cannot be written: \(problem)"
        }
    }

    /// The first names of a list, quoted: enough to see what is meant.
    private static func list(_ names: [String]) -> String {
        guard !names.isEmpty else { return "nothing" }
        let shown = names.prefix(12).map { "'\($0)'" }.joined(separator: ", ")
        return names.count > 12 ? "\(shown) and \(names.count - 12) more" : shown
    }
}

/// What is wrong with bytes of a file. Whoever knows the file and the path makes an `HDF5Error` of it.
enum Flaw: Error, Equatable {
    /// They are not what the format of HDF5 says.
    case damaged(String)
    /// They are sound, but nothing that this program reads.
    case refused(found: String, allowed: String)

    static let sharedMessage = Flaw.refused(
        found: "a description that objects share (a named datatype)",
        allowed: "everything in the object itself")

    static func oldFormat(_ structure: String, version: Int) -> Flaw {
        .refused(
            found: "a \(structure) of version \(version), whose metadata have no checksums",
            allowed: "version 2 or later (h5py: libver=('v108', 'v110'); or h5repack --low=1 -l CONTI IN OUT)"
        )
    }
}

extension Place {
    /// Runs `body`, and says where the flaw is if it throws one.
    func reading<Result>(_ action: String, _ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch Flaw.damaged(let reason) {
            throw HDF5Error.cannotRead(file: file, path: path, action: action, reason: reason)
        } catch Flaw.refused(let found, let allowed) {
            throw refused(found: found, allowed: allowed)
        }
    }
}
