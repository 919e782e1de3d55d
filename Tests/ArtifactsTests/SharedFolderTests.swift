import Foundation
import Glibc
import TestSupport
import Testing

@testable import Artifacts

/// What belongs to everybody who may use an artifacts folder.
@Suite("Modes of files and folders")
struct SharedFolderTests {
    @Test(
        "the umask alone says who may use what; only objects are never writable",
        arguments: [0o002, 0o022, 0o077, 0o000] as [mode_t])
    func umask(mask: mode_t) async throws {
        let folder = TemporaryFolder()
        let step = SmallStep(root: folder.path + "/artifacts")
        await #expect(processExitsWith: .success) {
            [step = step as SmallStep, mask = mask as mode_t] in
            _ = Glibc.umask(mask)
            try step.run()
        }
        let object = try step.store.objectPath(step.store.digest(ofLink: step.link))
        #expect(mode(object) == 0o444 & ~mask)
        for file in [
            step.store.recordPath(step.parts.key), step.store.publishingLockPath, step.store.markPath,
        ] {
            #expect(mode(file) == 0o666 & ~mask, "\(file)")
        }
        for name in ["", "/store", "/runs", "/digits", "/digits/tiny-0"] {
            #expect(mode(step.root + name) == 0o777 & ~mask, "\(name)")
        }
    }

    @Test("folders in a folder of a group belong to the group, and pass that on")
    func group() throws {
        let folder = TemporaryFolder()
        let step = SmallStep(root: folder.path + "/artifacts")
        try FileManager.default.createDirectory(atPath: step.root, withIntermediateDirectories: true)
        try #require(chmod(step.root, 0o2775) == 0)
        try step.run()
        var status = stat()
        #expect(stat(step.root + "/digits/tiny-0", &status) == 0 && status.st_mode & S_ISGID != 0)
    }

    private func mode(_ path: String) -> mode_t {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_mode & 0o777 : 0
    }
}
