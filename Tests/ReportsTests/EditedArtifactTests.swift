import Artifacts
import Foundation
import HDF5
import TestSupport
import Testing

@testable import Reports

@Suite("Artifacts changed on purpose")
struct EditedArtifactTests {
    @Test(
        "are shown and compared, or refused: nothing in them crashes a reader",
        arguments: ["tune-1", "bottlenecks-1", "evaluation"])
    func edited(_ step: String) throws {
        let folder = try ArtifactsFolder()
        try SmallChain().publish(in: folder)
        let original = try ArtifactLocation("digits/tiny-joint-0/\(step)", artifacts: folder.path)
        let edits = try FileEdits(of: original.path)
        let path = "\(folder.path)/edited.h5"
        var shown = 0
        for number in 0..<300 as Range<UInt64> {
            try edits.write(number, to: path)
            let edited = try ArtifactLocation(path, artifacts: "\(folder.path)/none")
            if (try? ArtifactSummary(of: edited)) != nil { shown += 1 }
            _ = try? ArtifactDifferences(between: original, and: edited).text
        }
        #expect((10..<290).contains(shown))
    }
}
