package import HDF5
internal import Parameters
internal import Tensors

// What a network artifact holds (docs/artifacts.md); the header of every artifact is added by whoever publishes.

extension Network {
    /// Everything of a network as HDF5 content.
    ///
    /// - Precondition: the network has its `data`, since whoever gets the file is to know what its inputs are, and all
    ///   births.
    package var content: Group {
        guard let data else { preconditionFailure("a network of no data is not to be kept") }
        precondition(hasAllBirths, "rows or columns joined in a round that has not been noted")
        var root = Group()
        root[group: "data"] = data.content
        root[group: "architecture"].attributes["graph"] = .text(architecture.tree.canonicalJSON)
        for (name, tensor) in parameters {
            root["parameters/\(name)"] = Dataset(tensor, long: name)
        }
        for (name, tensor) in state { root["state/\(name)"] = Dataset(tensor, long: name) }
        root[group: "optimizer"] = Group()
        for (name, tensor) in optimizerState {
            root["optimizer/\(name)"] = Dataset(tensor, long: name)
        }
        for (name, tensor) in lags {
            root["lag/\(name)"] = Dataset(tensor, long: "running average of \(name) minus its value")
        }
        root[group: "births"] = Group()
        for (node, births) in births { root[group: "births/\(node)"] = births.content }
        root[group: "parameters"].attributes["count"] = .integer(Int64(parameterCount))
        root[group: "history"] = history.content
        root[group: "cost"] = costContent
        root[group: "growth"] = Group()
        for record in growth { root[group: "growth/\(record.round)/\(record.width)"] = record.content }
        root[group: "parity"] = Group()
        for measured in parity { root[group: measured.path] = measured.content }
        return root
    }

    private var costContent: Group {
        let flops = architecture.flopsPerSample
        var attributes: [String: Attribute] = [
            "training_flops": .integer(Int64(cost.total)),
            "parameters": .integer(Int64(parameterCount)),
            "inference_flops": .integer(Int64(flops.inference)),
        ]
        for phase in Cost.Phase.allCases {
            attributes["training_flops_\(phase.rawValue)"] = .integer(Int64(cost[phase]))
        }
        return Group(attributes: attributes)
    }

    /// Reads a network as defensively as any file that may come from elsewhere.
    ///
    /// - Throws: `HDF5Error`, `ParameterError`, `NetworkError`; each names the file.
    package init(reading file: borrowing File) throws {
        let architecture = try Self.architecture(reading: file)
        let layout = ParameterLayout(architecture)
        let stateLayout = ParameterLayout.state(architecture)
        // A network without state has no group for it.
        let hasState = !stateLayout.entries.isEmpty
        let hasLag = try file.has("lag")
        try file.require(
            Set([
                "architecture", "data", "parameters", "births", "optimizer", "history", "cost", "growth",
                "parity",
            ])
            .union(hasState ? ["state"] : []), optional: ["lag"], in: "/")

        try self.init(
            architecture, parameters: Self.tensors(in: "parameters", layout.entries, file),
            state: hasState ? Self.tensors(in: "state", stateLayout.entries, file) : [:], source: file.path)
        lags = hasLag ? try Self.tensors(in: "lag", layout.entries + stateLayout.entries, file) : [:]
        data = try DataConvention(reading: file, for: architecture)
        optimizerState = try Self.optimizerState(reading: file, layout)
        history = try History(reading: file)
        for phase in Cost.Phase.allCases {
            cost[phase] = try Self.count("training_flops_\(phase.rawValue)", of: "cost", file)
        }
        for round in try Self.groupsAlone(in: "growth", file) {
            for width in try Self.groupsAlone(in: "growth/\(round)", file) {
                growth.append(try GrowthRecord(reading: file, round: round, width: width))
            }
        }
        growth.sort { ($0.round, $0.width) < ($1.round, $1.width) }
        for round in try Self.groupsAlone(in: "parity", file) {
            for node in try Self.groupsAlone(in: "parity/\(round)", file) {
                parity.append(try GradientParity(reading: file, round: round, node: node))
            }
        }
        parity.sort { ($0.round, $0.node) < ($1.round, $1.node) }
        births = try Births.all(reading: file, layout, lastRound: lastRound)
        try validate(source: file.path)
    }

    private static func architecture(reading file: borrowing File) throws -> Architecture {
        let tree = try Tree(json: file.text("graph", of: "architecture"), file: file.path)
        do {
            return try Architecture(tree: tree, file: file.path)
        } catch let error as NetworkError {
            // A graph alone does not know where it comes from.
            throw NetworkError.invalidFile(
                file: file.path, path: "architecture@graph", problem: error.description)
        }
    }

    /// The tensors in the groups "\(root)/node": parameters, state, or lags of both.
    private static func tensors(
        in root: String, _ entries: [ParameterLayout.Entry], _ file: borrowing File
    ) throws -> [String: Tensor] {
        var result: [String: Tensor] = [:]
        for node in try groupsAlone(in: root, file) {
            let names = try file.datasets(in: "\(root)/\(node)")
            try file.require(Set(names), in: "\(root)/\(node)")
            for name in names {
                result["\(node)/\(name)"] = try tensor("\(root)/\(node)/\(name)", entries, file)
            }
        }
        return result
    }

    private static func optimizerState(
        reading file: borrowing File, _ layout: ParameterLayout
    ) throws -> [String: Tensor] {
        var result: [String: Tensor] = [:]
        for node in try groupsAlone(in: "optimizer", file) {
            for parameter in try groupsAlone(in: "optimizer/\(node)", file) {
                let path = "optimizer/\(node)/\(parameter)"
                let slots = try file.datasets(in: path)
                try file.require(Set(slots), in: path)
                for slot in slots {
                    result["\(node)/\(parameter)/\(slot)"] = try tensor(
                        "\(path)/\(slot)", layout.entries, file)
                }
            }
        }
        return result
    }

    /// The groups in a group that may hold nothing else.
    private static func groupsAlone(in path: String, _ file: borrowing File) throws -> [String] {
        let names = try file.groups(in: path)
        try file.require(Set(names), in: path)
        return names
    }

    /// The largest count a file may state: sums of a few such numbers do not overflow.
    private static let largestCount = 1 << 60

    /// An attribute that counts something.
    private static func count(_ name: String, of path: String, _ file: borrowing File) throws -> Int {
        let value = try file.integer(name, of: path)
        guard (0...largestCount).contains(value) else {
            throw NetworkError.invalidFile(
                file: file.path, path: "\(path)@\(name)",
                problem: "\(value) is not a count in 0...\(largestCount)")
        }
        return value
    }

    private static func tensor(
        _ path: String, _ entries: [ParameterLayout.Entry], _ file: borrowing File
    ) throws -> Tensor {
        // "parameters/node/name", "lag/node/name", "optimizer/node/name/slot": the last's shape is its parameter's.
        let names = path.split(separator: "/").dropFirst().prefix(2).joined(separator: "/")
        guard let entry = entries.first(where: { $0.name == names }) else {
            throw NetworkError.parameterNames(missing: [], unexpected: [path], source: file.path)
        }
        let shape = entry.specification.shape
        return Tensor(shape: shape, values: try file.float32(path, shape: shape.map(Optional.some)).values)
    }
}

extension Dataset {
    fileprivate init(_ tensor: Tensor, long: String) {
        let dims =
            switch tensor.shape.count {
            case 1: "out_features"
            case 2: "out_features,in_features"
            case 4: "out_channels,in_channels,kernel_row,kernel_column"
            default: tensor.shape.indices.map { "axis\($0)" }.joined(separator: ",")
            }
        self.init(.float32(tensor.values), shape: tensor.shape, dims: dims, longName: long)
    }
}

extension GrowthRecord {
    fileprivate var content: Group {
        Group(attributes: [
            "change": .text(change?.rawValue ?? Self.unchanged),
            "method": .text(method),
            "neurons": .integer(Int64(neurons)),
            "amplitude": .real(amplitude),
            "predicted_decrease": .real(predictedDecrease ?? .nan),
            "realized_decrease": .real(realizedDecrease),
            "loss_before": .real(lossBefore),
            "bottleneck": .real(bottleneck),
            "gradient_norm": .real(gradientNorm),
            "note": .text(note),
        ])
    }

    /// The change of a width that was left as it was.
    private static let unchanged = "none"

    fileprivate init(reading file: borrowing File, round: String, width: String) throws {
        let path = "growth/\(round)/\(width)"
        guard let number = Int(round), number >= 1, String(number) == round else {
            throw NetworkError.invalidFile(
                file: file.path, path: path, problem: "a round is a positive number")
        }
        let text = try file.text("change", of: path)
        let change = ChangeKind(rawValue: text)
        guard change != nil || text == Self.unchanged else {
            throw NetworkError.invalidFile(
                file: file.path, path: "\(path)@change",
                problem: "'\(text)' is not one of "
                    + (ChangeKind.allCases.map(\.rawValue) + [Self.unchanged]).joined(separator: ", "))
        }
        let neurons = try file.integer("neurons", of: path)
        guard (change == .shrink ? -(1 << 20)...0 : 0...1 << 20).contains(neurons) else {
            throw NetworkError.invalidFile(
                file: file.path, path: "\(path)@neurons",
                problem: "\(neurons) is not a number of neurons of the change '\(text)'")
        }
        let predicted = try file.real("predicted_decrease", of: path)
        self.init(
            round: number, width: width, change: change, method: try file.text("method", of: path),
            neurons: neurons, amplitude: try file.real("amplitude", of: path),
            predictedDecrease: predicted.isNaN ? nil : predicted,
            realizedDecrease: try file.real("realized_decrease", of: path),
            lossBefore: try file.real("loss_before", of: path),
            bottleneck: try file.real("bottleneck", of: path),
            gradientNorm: try file.real("gradient_norm", of: path), note: try file.text("note", of: path))
    }
}
