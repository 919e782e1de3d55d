internal import HDF5

extension ArtifactSummary {
    /// One bar per site: the part of the functional gradient that the consumer's weights cannot follow.
    mutating func write(bottlenecks file: borrowing File) throws {
        let sites = try file.group("sites").groups
        section("bottlenecks (bar: Ψ as a part of the squared functional gradient ‖G‖²/n)")
        var table = TextTable([
            .init("site"), .init("Ψ / gradient"), .init("", .right), .init("Ψ", .right),
            .init("gradient", .right),
            .init("best update", .right), .init("new neurons", .right), .init("candidates", .right),
            .init("samples", .right),
        ])
        for (name, site) in sites.sorted(by: { $0.key < $1.key }) {
            let site = SiteContent(site, path: "sites/\(name)", file: file.path)
            let gradient = try site.number("gradient_norm")
            let bottleneck = try site.number("bottleneck")
            let share = gradient > 0 ? bottleneck / gradient : 0
            table.append([
                name, Bars.bar(share), Format.significant(share), Format.significant(bottleneck),
                Format.significant(gradient), Self.decrease(try site.optional("best_update_decrease")),
                Self.decrease(try site.optional("predicted_decrease")), "\(site.candidates)",
                (try site.optional("samples")).map { Format.count(Int($0)) } ?? Format.absent,
            ])
        }
        add(table)
        line("best update, new neurons: predicted decrease of the loss per unit of amplitude")
        writeSingularValues(sites)
    }

    private mutating func writeSingularValues(_ sites: [String: Group]) {
        let spectra = sites.sorted { $0.key < $1.key }.compactMap { name, site -> (String, [Double])? in
            guard case .float64(let values)? = site["singular_values"]?.values, !values.isEmpty else {
                return nil
            }
            return (name, values)
        }
        guard !spectra.isEmpty else { return }
        section("singular values of the candidates, largest first")
        for (name, values) in spectra {
            let shown = values.prefix(6).map { Format.significant($0) }.joined(separator: ", ")
            line("\(name): \(shown)\(values.count > 6 ? ", …" : "")  \(Bars.sparkline(values))")
        }
    }

    private static func decrease(_ value: Double?) -> String {
        value.map { $0.isFinite ? "−\(Format.significant($0))" : Format.absent } ?? Format.absent
    }
}

/// The numbers of one site.
private struct SiteContent {
    private let content: Group
    private let path: String
    private let file: String

    init(_ content: Group, path: String, file: String) {
        self.content = content
        self.path = path
        self.file = file
    }

    /// A number that must be there and finite.
    func number(_ name: String) throws -> Double {
        guard let value = try optional(name), value.isFinite else {
            throw ReportError.badArtifact(
                file: file, path: "\(path)/\(name)", found: "nothing, or no finite number",
                allowed: "a finite number")
        }
        return value
    }

    /// A scalar dataset or an attribute; nil where there is none.
    func optional(_ name: String) throws -> Double? {
        switch content.attributes[name] {
        case .real(let value)?: return value
        case .integer(let value)?: return Double(value)
        default: break
        }
        guard let dataset = content[name] else { return nil }
        switch dataset.values {
        case .float64(let values) where values.count == 1: return values[0]
        case .float32(let values) where values.count == 1: return Double(values[0])
        case .int64(let values) where values.count == 1: return Double(values[0])
        default:
            throw ReportError.badArtifact(
                file: file, path: "\(path)/\(name)", found: "a dataset of shape \(dataset.shape)",
                allowed: "one number")
        }
    }

    /// k, the neurons proposed: the rows of fan_in.
    var candidates: Int { content["fan_in"]?.shape.first ?? 0 }
}
