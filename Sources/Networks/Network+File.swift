package import HDF5
internal import Parameters
internal import Tensors

// What a network artifact holds (docs/artifacts.md); the header of every artifact is added by whoever publishes.

extension Network {
    /// Everything of a network as HDF5 content.
    package var content: Group {
        var root = Group()
        root[group: "architecture"].attributes["graph"] = .text(architecture.tree.canonicalJSON)
        for (name, tensor) in parameters {
            root["parameters/\(name)"] = Dataset(tensor, long: name)
        }
        root[group: "optimizer"].attributes["steps"] = .integer(Int64(optimizerSteps))
        for (name, tensor) in optimizerState {
            root["optimizer/\(name)"] = Dataset(tensor, long: name)
        }
        root[group: "parameters"].attributes["count"] = .integer(Int64(parameterCount))
        root[group: "history"] = history.content
        root[group: "cost"] = costContent
        root[group: "growth"] = Group()
        for record in growth { root[group: "growth/\(record.round)/\(record.site)"] = record.content }
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
    /// - Throws: `HDF5Error`, `ParameterError`, `NetworkError`.
    package init(reading file: borrowing File) throws {
        try file.require(["architecture", "parameters", "optimizer", "history", "cost", "growth"], in: "/")
        let json = try file.text("graph", of: "architecture")
        let architecture = try Architecture(tree: Tree(json: json, file: file.path), file: file.path)
        let layout = ParameterLayout(architecture)

        var parameters: [String: Tensor] = [:]
        for node in try file.groups(in: "parameters") {
            for name in try file.datasets(in: "parameters/\(node)") {
                parameters["\(node)/\(name)"] = try Self.tensor("parameters/\(node)/\(name)", layout, file)
            }
        }
        try self.init(architecture, parameters: parameters, source: file.path)

        for node in try file.groups(in: "optimizer") {
            for parameter in try file.groups(in: "optimizer/\(node)") {
                for slot in try file.datasets(in: "optimizer/\(node)/\(parameter)") {
                    let name = "\(node)/\(parameter)/\(slot)"
                    guard OptimizerSlot(rawValue: slot) != nil, parameters["\(node)/\(parameter)"] != nil else {
                        throw NetworkError.parameterNames(
                            missing: [], unexpected: ["optimizer/\(name)"], source: file.path)
                    }
                    optimizerState[name] = try Self.tensor("optimizer/\(name)", layout, file)
                }
            }
        }
        optimizerSteps = try file.integer("steps", of: "optimizer")
        history = try History(reading: file)
        for phase in Cost.Phase.allCases {
            cost[phase] = try file.integer("training_flops_\(phase.rawValue)", of: "cost")
        }
        for round in try file.groups(in: "growth") {
            for site in try file.groups(in: "growth/\(round)") {
                growth.append(try GrowthRecord(reading: file, round: round, site: site))
            }
        }
        growth.sort { ($0.round, $0.site) < ($1.round, $1.site) }
        try validate(source: file.path)
    }

    private static func tensor(_ path: String, _ layout: ParameterLayout, _ file: borrowing File) throws -> Tensor {
        // "parameters/node/name" or "optimizer/node/name/slot": the shape is the parameter's.
        let names = path.split(separator: "/").dropFirst().prefix(2).joined(separator: "/")
        guard let entry = layout.entries.first(where: { $0.name == names }) else {
            throw NetworkError.parameterNames(missing: [], unexpected: [path], source: file.path)
        }
        let shape = entry.specification.shape
        return Tensor(shape: shape, values: try file.float32(path, shape: shape.map(Optional.some)).values)
    }
}

extension Dataset {
    fileprivate init(_ tensor: Tensor, long: String) {
        let dims = switch tensor.shape.count {
        case 1: "out_features"
        case 2: "out_features,in_features"
        default: tensor.shape.indices.map { "axis\($0)" }.joined(separator: ",")
        }
        self.init(.float32(tensor.values), shape: tensor.shape, dims: dims, longName: long)
    }
}

extension GrowthRecord {
    fileprivate var content: Group {
        Group(attributes: [
            "method": .text(method),
            "neurons": .integer(Int64(neurons)),
            "amplitude": .real(amplitude),
            "predicted_decrease": .real(predictedDecrease),
            "realized_decrease": .real(realizedDecrease),
            "loss_before": .real(lossBefore),
            "bottleneck": .real(bottleneck),
            "gradient_norm": .real(gradientNorm),
            "note": .text(note),
        ])
    }

    fileprivate init(reading file: borrowing File, round: String, site: String) throws {
        let path = "growth/\(round)/\(site)"
        guard let number = Int(round), number >= 1 else {
            throw NetworkError.invalidFile(file: file.path, path: path, problem: "a round is a positive number")
        }
        self.init(
            round: number, site: site, method: try file.text("method", of: path),
            neurons: try file.integer("neurons", of: path), amplitude: try file.real("amplitude", of: path),
            predictedDecrease: try file.real("predicted_decrease", of: path),
            realizedDecrease: try file.real("realized_decrease", of: path),
            lossBefore: try file.real("loss_before", of: path),
            bottleneck: try file.real("bottleneck", of: path),
            gradientNorm: try file.real("gradient_norm", of: path), note: try file.text("note", of: path))
    }
}
