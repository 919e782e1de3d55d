import Glibc

/// What the operating system refuses, and names that stand for something else than they should.
package enum FileError: Error, Equatable, CustomStringConvertible {
    /// The operating system refused; `code` is its errno.
    case system(operation: String, path: String, code: Int32)
    /// A file that is needed is not there.
    case missing(path: String)
    /// A name that must be a regular file's is something else's.
    case notAFile(path: String, found: String)
    /// The file system cannot lock files.
    case noLocks(path: String)

    package var description: String {
        switch self {
        case .system(let operation, let path, let code):
            "cannot \(operation) '\(path)': \(Self.reason(code))\(Self.advice(code, operation))"
        case .missing(let path):
            "'\(path)' does not exist; check the path, or make it first"
        case .notAFile(let path, let found):
            "'\(path)' is \(found), where a regular file is needed; move it away"
        case .noLocks(let path):
            "the file system of '\(path)' cannot lock files; put the folder on one that can "
                + "(a local disk, or NFS or Lustre mounted with locks)"
        }
    }

    /// The exit code of a program that stops for this error, as in sysexits.h.
    package var exitCode: Int32 {
        switch self {
        case .system, .noLocks: 74
        case .missing: 66
        case .notAFile: 65
        }
    }

    /// The system's words for an errno, in lower case.
    package static func reason(_ code: Int32) -> String { String(cString: strerror(code)).lowercased() }

    private static func advice(_ code: Int32, _ operation: String) -> String {
        switch code {
        case ENOSPC, EDQUOT: "; free some space (`make gc` drops what no link reaches) and run it again"
        case EEXIST, ENOTDIR, EISDIR: "; move away what stands in its place"
        case EACCES where operation == "read": "; make it readable, or choose another one"
        case EROFS, EACCES, EPERM: "; make the folder writable, or choose another one"
        default: ""
        }
    }
}
