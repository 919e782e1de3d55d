import Foundation
import HDF5
import TestSupport
import Testing

@Suite("The tools of HDF5 read what is written")
struct ToolsTests {
    let folder = TemporaryFolder()

    @Test(
        "each tool succeeds, and shows what is inside",
        arguments: [
            (["h5dump", "-H"], #"DATASET "cube""#), (["h5dump"], "3.14159"), (["h5ls", "-r"], "/f32/cube"),
            (["h5ls", "-r"], "{2, 3, 4}"), (["h5stat"], "# of unique datasets: 7"),
            (["h5dump", "-B", "-H"], "SUPERBLOCK_VERSION 2"),
        ])
    func tools(_ command: [String], _ shows: String) throws {
        let path = folder.path("all.h5")
        try RoundTripTests.everything.write(to: path)
        let result = try Program.system(command[0], command.dropFirst() + [path])
        #expect(result.status == 0, "\(result.error)")
        #expect(result.output.contains(shows), "\(result.output)")
    }

    @Test("h5diff sees a changed value, and no difference between equal files")
    func difference() throws {
        var root = RoundTripTests.everything
        try root.write(to: folder.path("one.h5"))
        try root.write(to: folder.path("two.h5"))
        root["f64/scalar"] = Dataset(.float64([3]), shape: [], dims: "")
        try root.write(to: folder.path("three.h5"))
        #expect(try Program.system("h5diff", [folder.path("one.h5"), folder.path("two.h5")]).status == 0)
        #expect(try Program.system("h5diff", [folder.path("one.h5"), folder.path("three.h5")]).status == 1)
    }
}
