import Files
import Foundation
import Glibc
import HDF5
import TestSupport
import Testing

@testable import Artifacts

/// Whether this process may mount a file system in memory: root outside most containers.
private let canMount: Bool = {
    guard geteuid() == 0, let disk = try? SmallDisk(options: "size=64k") else { return false }
    disk.unmount()
    return true
}()

@Suite("A disk that is full or cannot be written")
struct DiskTests {
    @Test(
        "a full disk gives a clear error and no partial object, and the run succeeds once there is room",
        .enabled(if: canMount, "needs the right to mount a file system"))
    func fullDisk() throws {
        let disk = try SmallDisk(options: "size=512k")
        defer { disk.unmount() }
        var step = SmallStep(root: disk.path + "/artifacts")
        step.neurons = 1000
        let ballast = disk.path + "/ballast"
        try Data(count: 200 << 10).write(to: URL(filePath: ballast))
        let error = #expect(throws: (any Error).self) { try step.run() }
        #expect(error.map { "\($0)" }?.lowercased().contains("no space left on device") == true)
        #expect(files(below: step.root).isEmpty)
        try FileManager.default.removeItem(atPath: ballast)
        try step.run()
        #expect(try step.store.digest(ofLink: step.link) == step.expectedDigest())
    }

    @Test(
        "a record that finds no room leaves its object whole and names no half record",
        .enabled(if: canMount, "needs the right to mount a file system"))
    func fullDiskAfterObject() throws {
        let disk = try SmallDisk(options: "size=512k")
        defer { disk.unmount() }
        let step = SmallStep(root: disk.path + "/artifacts")
        let ballast = disk.path + "/ballast"
        let store = Store(root: step.root) { point in
            guard point == .storeSynchronized else { return }
            #expect(throws: (any Error).self) {
                let file = try FileHandle(forWritingTo: URL(filePath: ballast))
                while true { try file.write(contentsOf: Data(count: 4096)) }
            }
        }
        _ = FileManager.default.createFile(atPath: ballast, contents: nil)
        let error = #expect(throws: FileError.self) { try step.run(in: store) }
        #expect(error?.exitCode == 74)
        #expect(error?.description.contains("no space left on device; free some space (`make gc`") == true)
        let expected = try step.expectedDigest()
        #expect(
            files(below: step.root).allSatisfy {
                $0 == "store/\(expected).h5" || $0 == "runs/publishing.lock"
            })
        try FileManager.default.removeItem(atPath: ballast)
        try step.run()
        #expect(try step.store.digest(ofLink: step.link) == expected)
    }

    @Test(
        "an artifacts folder that is read-only gives a clear error before any work",
        .enabled(if: canMount, "needs the right to mount a file system"))
    func readOnlyDisk() throws {
        let disk = try SmallDisk(options: "size=512k")
        defer { disk.unmount() }
        let step = SmallStep(root: disk.path + "/artifacts")
        try step.run()
        try disk.makeReadOnly()
        var next = step
        next.neurons = 9
        let error = #expect(throws: FileError.self) {
            try next.store.withLock(on: next.parts, publishingTo: next.link) { _ in Issue.record("worked") }
        }
        #expect(error?.exitCode == 74)
        #expect(error?.description.contains("read-only file system; make the folder writable") == true)
        _ = try step.store.verified(step.store.digest(ofLink: step.link))
        #expect(try step.store.verify().isIntact)
    }

    @Test("an artifacts folder that is a file gives a clear error")
    func fileInTheWay() throws {
        let folder = TemporaryFolder()
        let step = SmallStep(root: folder.path + "/artifacts")
        try Data([1]).write(to: URL(filePath: step.root))
        let error = #expect(throws: FileError.self) { try step.run() }
        #expect(error?.exitCode == 74)
    }

    @Test(
        "a folder without write permission gives a clear error",
        .disabled(if: geteuid() == 0, "root may write everywhere"))
    func permissions() throws {
        let folder = TemporaryFolder()
        let step = SmallStep(root: folder.path + "/artifacts")
        #expect(chmod(folder.path, 0o555) == 0)
        defer { chmod(folder.path, 0o755) }
        let error = #expect(throws: FileError.self) { try step.run() }
        #expect(error == .system(operation: "make folder", path: step.root, code: EACCES))
    }
}

@Suite("What is said of files")
struct FileErrorTests {
    @Test(
        "a message names the file, what is wrong with it and what helps",
        arguments: [
            (
                FileError.system(operation: "read", path: "/x", code: EACCES),
                "cannot read '/x': permission denied; make it readable, or choose another one", 74
            ),
            (
                .system(operation: "write", path: "/x", code: EACCES),
                "cannot write '/x': permission denied; make the folder writable, or choose another one", 74
            ),
            (.missing(path: "/x"), "'/x' does not exist; check the path, or make it first", 66),
            (
                .notAFile(path: "/x", found: "a folder"),
                "'/x' is a folder, where a regular file is needed; move it away", 65
            ),
            (
                .noLocks(path: "/x"),
                "the file system of '/x' cannot lock files; put the folder on one that can "
                    + "(a local disk, or NFS or Lustre mounted with locks)", 74
            ),
        ] as [(FileError, String, Int32)])
    func message(error: FileError, description: String, exitCode: Int32) {
        #expect(error.description == description)
        #expect(error.exitCode == exitCode)
    }

    @Test("a read takes what is left of the file, and a link to nowhere says where it leads")
    func reading() throws {
        let folder = TemporaryFolder()
        let file = try OpenFile(reading: folder.write([1, 2, 3], to: "x"))
        #expect(try file.read(2) == [1, 2])
        #expect(try file.read(2) == [3])
        #expect(try file.read(2).isEmpty && file.size == 3)
        let link = folder.path("link")
        #expect(symlink("nowhere", link) == 0)
        #expect(throws: FileError.notAFile(path: link, found: "a link to 'nowhere' (nothing is there)")) {
            try FileSystem.bytes(of: link)
        }
    }
}

/// A file system in memory.
private final class SmallDisk {
    let path: String
    private let folder: TemporaryFolder

    init(options: String) throws {
        folder = TemporaryFolder()
        path = folder.path + "/disk"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        guard mount("tmpfs", path, "tmpfs", 0, options) == 0 else { throw CocoaError(.fileWriteNoPermission) }
    }

    func makeReadOnly() throws {
        guard mount(nil, path, nil, UInt(MS_REMOUNT | MS_RDONLY), nil) == 0 else {
            throw CocoaError(.fileWriteNoPermission)
        }
    }

    /// Also while a process that another test started still holds one of its files open.
    func unmount() { umount2(path, Int32(MNT_DETACH)) }
}
