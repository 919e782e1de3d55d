import Testing

@testable import Reports

@Suite("Numbers and pictures as text")
struct TextTests {
    @Test(
        "Large numbers get a decimal prefix and three digits",
        arguments: [
            (0, "0"), (12, "12"), (999, "999"), (1000, "1.00 k"), (999_600, "1.00 M"), (12_345, "12.3 k"),
            (1_234_567_890_000, "1.23 T"), (99_960, "100 k"), (Double.nan, "–"),
        ])
    func prefixes(value: Double, expected: String) { #expect(Format.prefixed(value) == expected) }

    @Test(
        "Counts are grouped by thousands",
        arguments: [(0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567")])
    func counts(value: Int, expected: String) { #expect(Format.count(value) == expected) }

    @Test("Bytes get a binary prefix", arguments: [(512, "512 B"), (1536, "1.5 KiB"), (1 << 30, "1.0 GiB")])
    func bytes(value: Int, expected: String) { #expect(Format.bytes(value) == expected) }

    @Test("The deviation is the sample's, and a single value has none")
    func deviation() {
        #expect(Sample([1, 3]).standardDeviation == 2.0.squareRoot())
        #expect(Sample([5, 5, 5]).standardDeviation == 0)
        #expect(Sample([5]).standardDeviation == nil)
        #expect(Sample([1, 2, 6]).mean == 3)
    }

    @Test(
        "A bar is as long as its share, to an eighth",
        arguments: [
            (0, "····"), (1, "████"), (0.5, "██··"), (0.53125, "██▏·"), (2, "████"), (-1, "····"),
            (.nan, "····"),
        ])
    func bars(share: Double, expected: String) { #expect(Bars.bar(share, width: 4) == expected) }

    @Test("A sparkline goes from the lowest to the highest, with gaps where nothing was measured")
    func sparkline() {
        #expect(Bars.sparkline([0, .nan, 7]) == "▁ █")
        #expect(Bars.sparkline([2, 2]) == "▄▄")
        #expect(Bars.sparkline([]) == "")
        #expect(Bars.sparkline([-1e308, 1e308, .infinity]) == "▁█ ")
        #expect(
            Bars.sparkline([Double](repeating: 0, count: 500) + [Double](repeating: 1, count: 500)).count
                == 60)
    }

    @Test("A table is aligned on a terminal, and whole in Markdown")
    func table() {
        var table = TextTable([.init("name"), .init("n", .right)])
        table.append(["a|b", "10"])
        table.append(["ccccc", "9"])
        #expect(table.aligned() == "name    n\na|b    10\nccccc   9\n")
        #expect(
            table.markdown == """
                | name  |   n |
                | ----- | --: |
                | a\\|b  |  10 |
                | ccccc |   9 |

                """)
    }
}
