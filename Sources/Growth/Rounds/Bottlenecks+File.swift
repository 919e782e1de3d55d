internal import Correlations
internal import GrowthMath
package import HDF5
internal import Tensors

// What a bottlenecks artifact holds; the header of every artifact is added by whoever publishes. Each site:
//   attributes        consumer, taps, gradient_norm, bottleneck, bottleneck_error, relative_bottleneck,
//                     best_update_decrease, predicted_decrease
//   best_update       δW*, [out_features, in_features], the bias last
//   fan_in, fan_out   α and ω of the candidates; singular_values λ; update and compensation: how the consumer moves
//                     (an axis of neurons and taps is neuron * taps + tap)
//   effects/          gains of either sign with their errors, moments for the refit
//   statistics/       S, N, C, … where they were kept

extension Bottlenecks {
    /// Everything as HDF5 content.
    package var content: Group {
        var root = Group()
        root[group: "sites"].attributes = [
            "method": .text(method.rawValue),
            "taps": .text(taps.rawValue),
            "round": .integer(Int64(round)),
            "samples": .integer(Int64(samples)),
            "loss": .real(loss),
            "flops": .integer(Int64(flops)),
            "rank_threshold": .real(rankThreshold),
            "singular_threshold": .real(singularThreshold),
            "ridge": .real(ridge),
            "shards": .integer(Int64(shards)),
            // Names sort when they are read; this is the order in the network.
            "order": .text(sites.map(\.site).joined(separator: ",")),
        ]
        for site in sites { root[group: "sites/\(site.site)"] = site.content }
        return root
    }

    /// Reads bottlenecks as defensively as any file that may come from elsewhere. Raw statistics are left out.
    ///
    /// - Throws: `HDF5Error`, `GrowthError.invalidFile`.
    package init(reading file: borrowing File) throws {
        try file.require(["sites"], in: "/")
        let name = try file.text("method", of: "sites")
        guard let method = GrowthMethodName(rawValue: name) else {
            let known = GrowthMethodName.allCases.map(\.rawValue).joined(separator: ", ")
            throw GrowthError.invalidFile(
                file: file.path, path: "/sites", problem: "the method '\(name)' is not one of \(known)")
        }
        let scheme = try file.text("taps", of: "sites")
        guard let taps = SiteGeometry.Scheme(rawValue: scheme) else {
            let known = SiteGeometry.Scheme.allCases.map(\.rawValue).joined(separator: " or ")
            throw GrowthError.invalidFile(
                file: file.path, path: "/sites@taps", problem: "must be \(known), not '\(scheme)'")
        }
        let order = try file.text("order", of: "sites").split(separator: ",").map(String.init)
        guard order.sorted() == (try file.groups(in: "sites")).sorted() else {
            throw GrowthError.invalidFile(
                file: file.path, path: "/sites", problem: "the groups are not those of its attribute 'order'")
        }
        var sites: [SiteBottleneck] = []
        for site in order { sites.append(try SiteBottleneck(reading: file, site: site)) }
        func count(_ name: String) throws -> Int {
            let value = try file.integer(name, of: "sites")
            guard (0...1 << 60).contains(value) else {
                throw GrowthError.invalidFile(
                    file: file.path, path: "/sites@\(name)", problem: "must be in 0...2^60, not \(value)")
            }
            return value
        }
        func number(_ name: String, upTo limit: Double) throws -> Double {
            let value = try file.real(name, of: "sites")
            guard (0...limit).contains(value) else {
                throw GrowthError.invalidFile(
                    file: file.path, path: "/sites@\(name)", problem: "must be in 0...\(limit), not \(value)")
            }
            return value
        }
        self.init(
            method: method, taps: taps, round: try count("round"), samples: try count("samples"),
            loss: try file.real("loss", of: "sites"), flops: try count("flops"),
            rankThreshold: try number("rank_threshold", upTo: 1),
            singularThreshold: try number("singular_threshold", upTo: 1),
            ridge: try number("ridge", upTo: 1000), shards: max(1, try count("shards")), sites: sites)
    }
}

extension SiteBottleneck {
    /// More taps than any consumer has: one for each position of the largest sample.
    private static let mostTaps = 1 << 24

    fileprivate var content: Group {
        var group = Group(attributes: [
            "consumer": .text(consumer),
            "taps": .integer(Int64(taps)),
            "gradient_norm": .real(gradientNorm),
            "bottleneck": .real(bottleneck),
            "bottleneck_error": .real(bottleneckError),
            "relative_bottleneck": .real(relativeBottleneck),
            "best_update_decrease": .real(bestUpdateDecrease),
            "predicted_decrease": .real(predictedDecrease),
        ])
        let neurons = proposal.neurons
        group["best_update"] = Dataset(bestUpdate, "out_features,in_features", "best update of the consumer")
        group["consumer_covariance"] = Dataset(consumerCovariance, "in_features,in_features", "S_H")
        group["consumer_moment"] = Dataset(consumerMoment, "in_features,out_features", "M")
        group["fan_in"] = Dataset(neurons.fanIn, "neurons,in_features", "fan-in of the candidates")
        group["fan_out"] = Dataset(
            neurons.fanOut, "out_features,\(Self.axis(taps))", "fan-out of the candidates")
        group["singular_values"] = Dataset(proposal.singularValues, "singular values of the candidates")
        group["update"] = proposal.update.map {
            Dataset($0, "out_features,in_features", "move of the consumer without new neurons")
        }
        group["compensation"] = neurons.compensation.map {
            Dataset($0, "\(Self.axis(taps)),in_features", "room that the consumer makes for each candidate")
        }
        if let effects { group[group: "effects"] = effects.content }
        if let statistics { group[group: "statistics"] = statistics.content }
        return group
    }

    /// The dimension of neurons and taps.
    private static func axis(_ taps: Int) -> String { taps > 1 ? "neurons*taps" : "neurons" }

    fileprivate init(reading file: borrowing File, site: String) throws {
        let path = "sites/\(site)"
        try file.require(
            [
                "best_update", "consumer_covariance", "consumer_moment", "fan_in", "fan_out",
                "singular_values",
            ],
            optional: ["update", "compensation", "effects", "statistics"], in: path)
        let update = try file.matrix("\(path)/best_update")
        let (c, b) = (update.rows, update.columns)
        let fanIn = try file.matrix("\(path)/fan_in")
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
        let values = try file.float64("\(path)/singular_values", shape: [nil]).values
        self.site = site
        consumer = try file.text("consumer", of: path)
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
        statistics = nil
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
        // Streams are measured when they grow, and their statistics are not kept.
        case .stream, nil: break
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
