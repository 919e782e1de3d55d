internal import HDF5
internal import Parameters

extension ArtifactSummary {
    /// One bar per width: the part of the functional gradient that the consumer's weights cannot follow.
    mutating func write(bottlenecks file: borrowing File) throws {
        let content = try file.group("widths")
        let widths = try Self.inOrder(content).map { try MeasuredWidth($0, content, file: file.path) }
        let method = content.attributes["method"]?.text.map { text in
            (try? Tree(json: text, file: file.path))?.flowText ?? text
        }
        let samples = content.attributes["samples"]?.integer.map { Format.count(Int($0)) } ?? Format.absent
        section(
            "bottlenecks, measured on \(samples) samples; candidates of method \(method ?? Format.absent)")
        var table = TextTable([
            .init("width"), .init("Ψ / gradient"), .init("", .right), .init("Ψ", .right), .init("", .left),
            .init("gradient", .right), .init("best update", .right), .init("with candidates", .right),
            .init("candidates", .right),
        ])
        for width in widths {
            table.append([
                width.name, Bars.bar(width.relative), Format.significant(width.relative),
                Format.significant(width.bottleneck),
                width.bottleneckError.map { "± \(Format.significant($0, digits: 2))" } ?? "",
                Format.significant(width.gradientNorm), Format.significant(width.bestUpdateDecrease),
                Format.significant(width.predictedDecrease), "\(width.candidates)",
            ])
        }
        add(table)
        line(
            "gradient: ‖G‖²/n; Ψ: its part that no change of the consumer's weights can follow, ± standard error;"
        )
        line("best update, with candidates: first-order decrease of the loss per unit of amplitude")
        writeSingularValues(widths)
    }

    private mutating func writeSingularValues(_ widths: [MeasuredWidth]) {
        let spectra = widths.filter { !$0.singularValues.isEmpty }
        guard !spectra.isEmpty else { return }
        section("singular values of the candidates")
        for width in spectra {
            let shown = width.singularValues.prefix(6).map { Format.significant($0) }.joined(separator: ", ")
            let more = width.singularValues.count > 6 ? ", …" : ""
            line("\(width.name): \(shown)\(more)  \(Bars.sparkline(width.singularValues))")
        }
    }

    /// The widths' names as in the network, where the file says so.
    private static func inOrder(_ content: Group) -> [String] {
        let names = content.groups.keys.sorted()
        let order = content.attributes["order"]?.text?.split(separator: ",").map(String.init) ?? []
        return order.sorted() == names ? order : names
    }
}

/// What a bottlenecks artifact says about one width, as far as it is shown.
private struct MeasuredWidth {
    let name: String
    /// ‖G‖²/n.
    let gradientNorm: Double
    /// Ψ.
    let bottleneck: Double
    let bottleneckError: Double?
    /// Per unit of amplitude, of the best update alone and together with all candidates.
    let bestUpdateDecrease: Double
    let predictedDecrease: Double
    let singularValues: [Double]
    /// k, the neurons proposed.
    let candidates: Int

    /// Ψ / (‖G‖²/n).
    var relative: Double { gradientNorm > 0 ? bottleneck / gradientNorm : 0 }

    /// - Throws: `ReportError.badArtifact` if a number is missing or not finite.
    init(_ name: String, _ widths: Group, file: String) throws {
        let content = widths[group: name]
        func number(_ attribute: String) throws -> Double {
            guard let value = content.attributes[attribute]?.real, value.isFinite else {
                throw ReportError.badArtifact(
                    file: file, path: "/widths/\(name)@\(attribute)",
                    found: content.attributes[attribute] == nil ? "nothing" : "no finite number",
                    allowed: "a finite number")
            }
            return value
        }
        self.name = name
        gradientNorm = try number("gradient_norm")
        bottleneck = try number("bottleneck")
        bottleneckError = content.attributes["bottleneck_error"]?.real
        bestUpdateDecrease = try number("best_update_decrease")
        predictedDecrease = try number("predicted_decrease")
        if case .float64(let values)? = content["singular_values"]?.values {
            singularValues = values
        } else {
            singularValues = []
        }
        candidates = content["fan_in"]?.shape.first ?? 0
    }
}
