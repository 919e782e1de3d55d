@testable import Networks
import Testing

@testable import Reports

@Suite("The widths of networks in tables")
struct WidthTests {
    private func widths(_ family: any NetworkFamily, sample: [Int] = [1, 32, 32]) throws -> NetworkWidths {
        try NetworkWidths(NetworkParameters(family).architecture(sample: sample, outputs: 10))
    }

    @Test("A chain of layers has the widths of all but the last")
    func chains() throws {
        #expect(try widths(MLP(widths: [40, 8])) == NetworkWidths(free: [40, 8]))
        #expect(
            try widths(VGG(stages: [[8], [16, 3]], classifier: [20])) == NetworkWidths(free: [8, 16, 3, 20]))
    }

    @Test(
        "A residual network has residual widths that sums tie together, and inner widths",
        arguments: ResNet.Order.allCases)
    func residual(order: ResNet.Order) throws {
        let found = try widths(ResNet(depth: 14, width: 4, inner: .widths([1, 2, 3, 0, 5, 6]), order: order))
        #expect(found == NetworkWidths(free: [1, 2, 3, 0, 5, 6], residual: [4, 8, 16]))
    }

    @Test(
        "Texts are ranges over the seeds and stay short, whatever the depth",
        arguments: [
            ([NetworkWidths(free: [40, 40])], "40, 40"),
            ([NetworkWidths(free: [40, 38]), NetworkWidths(free: [40, 40])], "40, 38–40"),
            ([NetworkWidths(free: [3]), NetworkWidths(free: [3, 2])], "3, 0–2"),
            ([NetworkWidths(free: [])], "–"),
            ([NetworkWidths(free: [8, 8, 8, 16, 16, 32, 32, 4])], "8×3, 16×2, 32×2, 4"),
            ([NetworkWidths(free: [1, 2, 3, 4, 5, 60, 7])], "1–60 (7 layers)"),
            (
                [
                    NetworkWidths(free: [4, 12, 5], residual: [16, 32, 64]),
                    NetworkWidths(free: [4, 10, 3], residual: [16, 32, 64]),
                ], "16·32·64, inner 3–12"
            ),
            ([NetworkWidths(free: [0, 0], residual: [8])], "8, inner 0"),
            ([NetworkWidths(free: [], residual: [8])], "8"),
        ])
    func texts(networks: [NetworkWidths], expected: String) {
        #expect(NetworkWidths.text(networks) == expected)
    }
}
