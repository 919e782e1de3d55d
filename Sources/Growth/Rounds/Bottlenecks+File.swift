internal import Correlations
internal import GrowthMath
package import HDF5
internal import Networks
internal import Parameters
internal import Tensors

// What a bottlenecks artifact holds; the header of every artifact is added by whoever publishes. Each of /widths:
//   attributes        inputs, order (of its consumers); gradient_norm, bottleneck, bottleneck_error, relative_bottleneck,
//                     best_update_decrease, predicted_decrease: over all consumers
//   fan_in            α of the candidates, into all producers side by side; singular_values λ
//   gains_plus, …     of the candidates over all consumers, with their errors
//   consumers/<name>/ the same attributes of one consumer, taps; best_update δW*, [out_features, in_features], the bias last;
//                     fan_out ω; update and compensation: how it moves (an axis of neurons and taps is neuron * taps + tap)
//     effects/        gains of either sign with their errors, moments for the refit
//   statistics/<producer>-<consumer>/  S, N, C, … where they were kept, numbers in the order of the width

extension Bottlenecks {
    /// Everything as HDF5 content.
    package var content: Group {
        var root = Group()
        root[group: "widths"].attributes = [
            "change": .text(change.rawValue),
            "method": .text(method.tree.canonicalJSON),
            "round": .integer(Int64(round)),
            "samples": .integer(Int64(samples)),
            "loss": .real(loss),
            "flops": .integer(Int64(flops)),
            "rank_threshold": .real(rankThreshold),
            "singular_threshold": .real(singularThreshold),
            "shards": .integer(Int64(shards)),
            // Names sort when they are read; this is the order in the network.
            "order": .text(widths.map(\.width).joined(separator: ",")),
        ]
        for width in widths { root[group: "widths/\(width.width)"] = width.content }
        return root
    }

    /// Reads bottlenecks as defensively as any file that may come from elsewhere. Raw statistics are left out.
    ///
    /// - Throws: `HDF5Error`, `GrowthError.invalidFile`.
    package init(reading file: borrowing File) throws {
        try file.require(["widths"], in: "/")
        let name = try file.text("method", of: "widths")
        let method: MethodParameters
        do {
            method = try MethodParameters(tree: Tree(json: name, file: file.path), file: file.path)
        } catch let error as ParameterError {
            throw GrowthError.invalidFile(
                file: file.path, path: "/widths", problem: "the attribute 'method' is none: \(error)")
        }
        let kind = try file.text("change", of: "widths")
        guard let change = ChangeKind(rawValue: kind) else {
            let known = ChangeKind.allCases.map(\.rawValue).joined(separator: ", ")
            throw GrowthError.invalidFile(
                file: file.path, path: "/widths@change", problem: "'\(kind)' is not one of \(known)")
        }
        let widths = try file.inOrder("widths").map { try WidthBottleneck(reading: file, width: $0) }
        func count(_ name: String) throws -> Int {
            let value = try file.integer(name, of: "widths")
            guard (0...1 << 60).contains(value) else {
                throw GrowthError.invalidFile(
                    file: file.path, path: "/widths@\(name)", problem: "must be in 0...2^60, not \(value)")
            }
            return value
        }
        func number(_ name: String, upTo limit: Double) throws -> Double {
            let value = try file.real(name, of: "widths")
            guard (0...limit).contains(value) else {
                throw GrowthError.invalidFile(
                    file: file.path, path: "/widths@\(name)", problem: "must be in 0...\(limit), not \(value)"
                )
            }
            return value
        }
        self.init(
            change: change, method: method, round: try count("round"),
            samples: try count("samples"),
            loss: try file.real("loss", of: "widths"), flops: try count("flops"),
            rankThreshold: try number("rank_threshold", upTo: 1),
            singularThreshold: try number("singular_threshold", upTo: 1),
            shards: max(1, try count("shards")), widths: widths)
    }
}

extension WidthBottleneck {
    fileprivate var content: Group {
        var group = Group(attributes: [
            "inputs": .text(inputs.map(String.init).joined(separator: ",")),
            "order": .text(consumers.map(\.consumer).joined(separator: ",")),
            "gradient_norm": .real(gradientNorm),
            "bottleneck": .real(bottleneck),
            "bottleneck_error": .real(bottleneckError),
            "relative_bottleneck": .real(relativeBottleneck),
            "best_update_decrease": .real(bestUpdateDecrease),
            "predicted_decrease": .real(predictedDecrease),
        ])
        group["fan_in"] = Dataset(neurons.fanIn, "neurons,in_features", "fan-in of the candidates")
        group["singular_values"] = Dataset(
            consumers[0].proposal.singularValues, "singular values of the candidates")
        if let gains {
            group["gains_plus"] = Dataset(gains.gains.plus, "first-order gain of (fan-in, fan-out)")
            group["gains_minus"] = Dataset(gains.gains.minus, "first-order gain of (-fan-in, -fan-out)")
            group["gains_linear"] = Dataset(gains.gains.linear, "first-order gain without a kink")
            group["gains_plus_error"] = Dataset(gains.plusErrors, "standard error of gains_plus")
            group["gains_minus_error"] = Dataset(gains.minusErrors, "standard error of gains_minus")
        }
        for consumer in consumers { group[group: "consumers/\(consumer.consumer)"] = consumer.content }
        for pair in statistics?.pairs ?? [] {
            group[group: "statistics/\(pair.producer)-\(pair.consumer)"] = pair.statistics.content
        }
        return group
    }

    fileprivate init(reading file: borrowing File, width: String) throws {
        let path = "widths/\(width)"
        let gainNames = [
            "gains_plus", "gains_minus", "gains_linear", "gains_plus_error", "gains_minus_error",
        ]
        try file.require(
            ["fan_in", "singular_values", "consumers"], optional: Set(gainNames + ["statistics"]), in: path)
        let fanIn = try file.matrix("\(path)/fan_in")
        let values = try file.float64("\(path)/singular_values", shape: [nil]).values
        self.width = width
        let texts = try file.text("inputs", of: path).split(separator: ",", omittingEmptySubsequences: false)
        inputs = texts.compactMap { Int($0) }.filter { (0...fanIn.columns).contains($0) }
        guard inputs.count == texts.count, inputs.reduce(0, +) == fanIn.columns else {
            throw GrowthError.invalidFile(
                file: file.path, path: "/\(path)@inputs",
                problem: "must be numbers that add up to the \(fanIn.columns) columns of fan_in")
        }
        let order = try file.inOrder("\(path)/consumers", by: path)
        guard !order.isEmpty else {
            throw GrowthError.invalidFile(
                file: file.path, path: "/\(path)/consumers", problem: "no layer reads the width")
        }
        consumers = try order.map {
            try ConsumerBottleneck(
                reading: file, path: "\(path)/consumers/\($0)", name: $0, fanIn: fanIn, values: values)
        }
        func numbers(_ name: String) throws -> [Double] {
            try file.numbers("\(path)/\(name)", fanIn.rows)
        }
        gains =
            try file.has("\(path)/gains_plus")
            ? MeasuredGains(
                gains: NeuronGains(
                    plus: numbers("gains_plus"), minus: numbers("gains_minus"),
                    linear: numbers("gains_linear")),
                plusErrors: numbers("gains_plus_error"), minusErrors: numbers("gains_minus_error")) : nil
        guard (gains != nil) == consumers.allSatisfy({ $0.effects != nil }) else {
            throw GrowthError.invalidFile(
                file: file.path, path: "/\(path)",
                problem: "gains belong to the effects of every consumer, and effects to gains")
        }
        statistics = nil
    }
}

extension ConsumerBottleneck {
    /// More taps than any consumer has: one for each position of the largest sample.
    private static let mostTaps = 1 << 24

    fileprivate var content: Group {
        var group = Group(attributes: [
            "taps": .integer(Int64(taps)),
            "gradient_norm": .real(gradientNorm),
            "bottleneck": .real(bottleneck),
            "bottleneck_error": .real(bottleneckError),
            "best_update_decrease": .real(bestUpdateDecrease),
        ])
        let neurons = proposal.neurons
        group["best_update"] = Dataset(bestUpdate, "out_features,in_features", "best update of the consumer")
        group["consumer_covariance"] = Dataset(consumerCovariance, "in_features,in_features", "S_H")
        group["consumer_moment"] = Dataset(consumerMoment, "in_features,out_features", "M")
        group["fan_out"] = Dataset(
            neurons.fanOut, "out_features,\(Self.axis(taps))", "fan-out of the candidates")
        group["update"] = proposal.update.map {
            Dataset($0, "out_features,in_features", "move of the consumer without new neurons")
        }
        group["compensation"] = neurons.compensation.map {
            Dataset($0, "\(Self.axis(taps)),in_features", "room that the consumer makes for each candidate")
        }
        if let effects { group[group: "effects"] = effects.content }
        return group
    }

    /// The dimension of neurons and taps.
    private static func axis(_ taps: Int) -> String { taps > 1 ? "neurons*taps" : "neurons" }

    /// - Parameters:
    ///   - fanIn: of the width's candidates, as their singular `values`.
    fileprivate init(
        reading file: borrowing File, path: String, name: String, fanIn: Matrix, values: [Double]
    ) throws {
        try file.require(
            ["best_update", "consumer_covariance", "consumer_moment", "fan_out"],
            optional: ["update", "compensation", "effects"], in: path)
        let update = try file.matrix("\(path)/best_update")
        let (c, b) = (update.rows, update.columns)
        let k = fanIn.rows
        taps = try file.integer("taps", of: path)
        guard (1...Self.mostTaps).contains(taps) else {
            throw GrowthError.invalidFile(
                file: file.path, path: "/\(path)@taps",
                problem: "must be in 1...\(Self.mostTaps), not \(taps)")
        }
        let fanOut = try file.matrix("\(path)/fan_out", c, k * taps)
        let compensation =
            try file.has("\(path)/compensation")
            ? try file.matrix("\(path)/compensation", k * taps, b) : nil
        consumer = name
        gradientNorm = try file.finite("gradient_norm", of: path)
        bottleneck = try file.finite("bottleneck", of: path)
        bottleneckError = try file.real("bottleneck_error", of: path)
        bestUpdateDecrease = try file.finite("best_update_decrease", of: path)
        consumerCovariance = try file.matrix("\(path)/consumer_covariance", b, b)
        consumerMoment = try file.matrix("\(path)/consumer_moment", b, c)
        bestUpdate = update
        proposal = Proposal(
            neurons: NewNeurons(fanIn: fanIn, fanOut: fanOut, compensation: compensation),
            singularValues: values,
            update: try file.has("\(path)/update") ? try file.matrix("\(path)/update", c, b) : nil)
        effects =
            try file.has("\(path)/effects")
            ? try CandidateEffects(
                reading: file, path: "\(path)/effects", neurons: k, taps: taps, inputs: b, outputs: c)
            : nil
    }
}

extension CandidateEffects {
    fileprivate var content: Group {
        var group = Group()
        group["gains_plus"] = Dataset(gains.plus, "first-order gain of (fan-in, fan-out)")
        group["gains_minus"] = Dataset(gains.minus, "first-order gain of (-fan-in, -fan-out)")
        group["gains_linear"] = Dataset(gains.linear, "first-order gain without a kink")
        group["gains_plus_error"] = Dataset(plusErrors, "standard error of gains_plus")
        group["gains_minus_error"] = Dataset(minusErrors, "standard error of gains_minus")
        group["squared_singular_values_error"] = Dataset(
            squareErrors, "standard error of the squared singular values")
        group["gradient"] = Dataset(
            moments.gradient, "features,out_features", "activities of either sign times gradient")
        group["covariance"] = Dataset(
            moments.covariance, "features,features", "of the activities of either sign")
        group["overlap"] = Dataset(
            moments.overlap, "features,in_features", "activities of either sign times inputs")
        return group
    }

    fileprivate init(
        reading file: borrowing File, path: String, neurons k: Int, taps: Int, inputs b: Int, outputs c: Int
    ) throws {
        func numbers(_ name: String) throws -> [Double] { try file.numbers("\(path)/\(name)", k) }
        let features = 2 * k * taps
        moments = CandidateMoments(
            gradient: try file.matrix("\(path)/gradient", features, c),
            covariance: try file.matrix("\(path)/covariance", features, features),
            overlap: try file.matrix("\(path)/overlap", features, b), taps: taps)
        gains = NeuronGains(
            plus: try numbers("gains_plus"), minus: try numbers("gains_minus"),
            linear: try numbers("gains_linear"))
        plusErrors = try numbers("gains_plus_error")
        minusErrors = try numbers("gains_minus_error")
        squareErrors = try numbers("squared_singular_values_error")
    }
}

extension SiteStatistics {
    fileprivate var content: Group {
        let outputs = taps > 1 ? "out_features*taps" : "out_features"
        var group = Group(attributes: ["samples": .integer(Int64(samples)), "taps": .integer(Int64(taps))])
        group["input_covariance"] = inputCovariance.map { Dataset($0, "inputs,inputs", "S") }
        group["cross_covariance"] = crossCovariance.map { Dataset($0, "inputs,\(outputs)", "N") }
        group["input_moment"] = inputMoment.map { Dataset($0, "inputs,\(outputs)", "X times gradient") }
        switch overlap {
        case .exact(let taps):
            for (tap, matrix) in taps.enumerated() {
                group["overlap_\(tap)"] = Dataset(matrix, "inputs,in_features", "C of tap \(tap)")
            }
        case .aligned(let input, let hidden):
            group["overlap_aligned"] = Dataset(
                input, "inputs,channels", "X times what lies at its place in H")
            group["hidden_covariance"] = Dataset(hidden, "channels,channels", "of what lies there")
        // Of blocks, those of their pairs are kept.
        case .blocks, nil: break
        }
        group["gradient_covariance"] = gradientCovariance.map {
            Dataset($0, "out_features,out_features", "E")
        }
        return group
    }
}

extension Dataset {
    fileprivate init(_ matrix: Matrix, _ dims: String, _ longName: String) {
        self.init(
            .float64(matrix.values), shape: [matrix.rows, matrix.columns], dims: dims, longName: longName)
    }

    fileprivate init(_ numbers: [Double], _ longName: String) {
        self.init(.float64(numbers), shape: [numbers.count], dims: "neurons", longName: longName)
    }
}

extension File {
    /// The groups in a group, in the order that an attribute of it, or of another group, says.
    fileprivate func inOrder(_ path: String, by other: String? = nil) throws -> [String] {
        let order = try text("order", of: other ?? path).split(separator: ",").map(String.init)
        guard order.sorted() == (try groups(in: path)).sorted() else {
            throw GrowthError.invalidFile(
                file: self.path, path: "/\(path)",
                problem: "the groups are not those of the attribute 'order' of /\(other ?? path)")
        }
        return order
    }

    /// A matrix of finite numbers; nil stands for any extent.
    fileprivate func matrix(_ path: String, _ rows: Int? = nil, _ columns: Int? = nil) throws -> Matrix {
        let found = try float64(path, shape: [rows, columns])
        let matrix = Matrix(rows: found.shape[0], columns: found.shape[1], values: found.values)
        guard matrix.isFinite else {
            throw GrowthError.invalidFile(file: self.path, path: path, problem: "it holds NaN or infinity")
        }
        return matrix
    }

    fileprivate func finite(_ name: String, of path: String) throws -> Double {
        let value = try real(name, of: path)
        guard value.isFinite else {
            throw GrowthError.invalidFile(
                file: self.path, path: "/\(path)@\(name)", problem: "must be a finite number, not \(value)")
        }
        return value
    }

    fileprivate func numbers(_ path: String, _ count: Int) throws -> [Double] {
        let values = try float64(path, shape: [count]).values
        guard values.allSatisfy(\.isFinite) else {
            throw GrowthError.invalidFile(file: self.path, path: path, problem: "it holds NaN or infinity")
        }
        return values
    }
}
