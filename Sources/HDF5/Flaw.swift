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
