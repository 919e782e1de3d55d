internal import HDF5
internal import Networks
internal import Parameters

extension ArtifactSummary {
    mutating func write(network file: borrowing File) throws {
        let network = try Network(reading: file)
        write(network.architecture)
        if let data = network.data { write(data) }
        write(network.cost)
        write(network.history)
        write(growth: network.growth)
        write(births: network.parametersByBirth)
    }

    private mutating func write(_ architecture: Architecture) {
        section("network")
        var table = TextTable([
            .init("node"), .init("operation"), .init("inputs, if not the row above"), .init("shape"),
            .init("parameters", .right), .init("FLOPs/sample", .right),
        ])
        var previous = Architecture.inputName
        table.append([previous, "", "", Self.shape(architecture.inputShape), "", ""])
        var parameters = 0
        var flops = 0
        for (node, shape) in zip(architecture.nodes, architecture.shapes) {
            let inputs = architecture.inputShapes(of: node)
            let own = node.operation.parameters(for: inputs).reduce(0) { $0 + $1.shape.reduce(1, *) }
            let cost = node.operation.cost(for: inputs).forward
            parameters += own
            flops += cost
            table.append([
                node.name, Self.operation(node), node.inputs == [previous] ? "" : Self.inputs(of: node),
                Self.shape(shape), own == 0 ? "" : Format.count(own), Format.count(cost),
            ])
            previous = node.name
        }
        table.append(["total", "", "", "", Format.count(parameters), Format.count(flops)])
        add(table)
    }

    private mutating func write(_ data: DataConvention) {
        section("data it was trained on")
        func list(_ values: [Float]) -> String {
            values.map { Format.significant(Double($0), digits: 4) }.joined(separator: ", ")
        }
        facts([
            ("sample", Self.shape(data.image) + " (rows, columns, channels)"), ("mean", list(data.mean)),
            ("deviation", list(data.standardDeviation)),
            ("classes", Self.names(data.classes)),
        ])
    }

    /// As many names as fit into a line, and how many there are.
    private static func names(_ all: [String]) -> String {
        var shown = all
        while shown.count > 1, shown.joined(separator: ", ").count > 80 { shown.removeLast() }
        return "\(all.count): " + shown.joined(separator: ", ") + (shown.count < all.count ? ", …" : "")
    }

    /// `linear`, `activation selu`, `convolution 3 × 3 stride 2`: what it is, and what neither its shape nor everyone's
    /// defaults say.
    private static func operation(_ node: Architecture.Node) -> String {
        let tree = node.operation.tree
        func steps(_ key: String) -> String? {
            guard let steps = tree[key]?.list, steps.contains(where: { $0.integer != 1 }) else { return nil }
            return "\(key) \(steps[0].canonicalJSON)"
        }
        let settings = [
            tree["function"]?.text, tree["groups"].map { "of \($0.canonicalJSON)" },
            tree["kernel"]?.list?.map(\.canonicalJSON).joined(separator: " × "), steps("stride"),
            steps("dilation"), tree["rate"]?.real.map { Format.significant($0) },
        ].compactMap { $0 }
        return ([type(of: node.operation).kind] + settings).joined(separator: " ")
    }

    /// The names of a node's inputs; what an input's name begins with like the node's own is left out.
    private static func inputs(of node: Architecture.Node) -> String {
        let stem = node.name.lastIndex(of: "-").map { node.name[...$0] } ?? ""
        return node.inputs.map { name in
            stem.isEmpty || !name.hasPrefix(stem) ? name : "…" + name.dropFirst(stem.count - 1)
        }.joined(separator: ", ")
    }

    private static func shape(_ extents: [Int]) -> String {
        extents.map(String.init).joined(separator: " × ")
    }

    private mutating func write(_ cost: Cost) {
        section("training so far: \(Format.prefixed(Double(cost.total))) FLOPs")
        var table = TextTable([.init("phase"), .init("FLOPs", .right), .init("share")])
        for phase in Cost.Phase.allCases where cost[phase] > 0 {
            let share = Double(cost[phase]) / Double(cost.total)
            table.append([phase.rawValue, Format.prefixed(Double(cost[phase])), Bars.bar(share, width: 20)])
        }
        add(table, showsTitles: false)
    }

    private mutating func write(_ history: History) {
        let epochs = history.epochs
        guard !epochs.isEmpty else { return section("history: no epoch yet") }
        section("history of \(epochs.count) \(epochs.count == 1 ? "epoch" : "epochs")")
        var table = TextTable([
            .init(""), .init("first", .right), .init("best", .right), .init("in epoch", .right),
            .init("last", .right), .init("course"),
        ])
        func curve(
            _ name: String, _ values: [Double?], best: (Double, Double) -> Bool, _ format: (Double) -> String
        ) {
            let known = values.enumerated().compactMap { index, value in value.map { (index, $0) } }
            guard let first = known.first, let last = known.last,
                let top = known.min(by: { best($0.1, $1.1) })
            else { return }
            table.append([
                name, format(first.1), format(top.1), "\(top.0 + 1)", format(last.1),
                Bars.sparkline(values.map { $0 ?? .nan }),
            ])
        }
        let loss = { (value: Double) in Format.significant(value, digits: 4) }
        let share = { (value: Double) in Format.percent(value) + " %" }
        curve("training loss", epochs.map(\.loss), best: <, loss)
        curve("validation loss", epochs.map(\.validationLoss), best: <, loss)
        curve("training accuracy", epochs.map(\.accuracy), best: >, share)
        curve("validation accuracy", epochs.map(\.validationAccuracy), best: >, share)
        add(table)
    }

    private mutating func write(growth records: [GrowthRecord]) {
        guard !records.isEmpty else { return }
        section("growth")
        var table = TextTable([
            .init("round", .right), .init("width"), .init("change"), .init("method"),
            .init("neurons", .right),
            .init("amplitude", .right), .init("predicted", .right), .init("realised", .right),
            .init("loss before", .right), .init("bottleneck / gradient", .right), .init("note"),
        ])
        for record in records {
            table.append([
                "\(record.round)", record.width, record.change?.rawValue ?? Format.absent,
                record.method, record.neurons > 0 ? "+\(record.neurons)" : "\(record.neurons)",
                Format.significant(record.amplitude), Format.significant(record.predictedDecrease ?? .nan),
                Format.significant(record.realizedDecrease), Format.significant(record.lossBefore, digits: 4),
                Format.significant(record.bottleneck / record.gradientNorm), record.note,
            ])
        }
        add(table)
    }

    private mutating func write(births: [(round: Int, count: Int)]) {
        guard births.count > 1 else { return }
        section("parameters by the round they were born in")
        let total = births.reduce(0) { $0 + $1.count }
        var table = TextTable([.init("round", .right), .init("parameters", .right), .init("share")])
        for (round, count) in births {
            table.append([
                "\(round)", Format.count(count), Bars.bar(Double(count) / Double(total), width: 20),
            ])
        }
        add(table, showsTitles: false)
    }
}
