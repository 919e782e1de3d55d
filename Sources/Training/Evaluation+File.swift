package import HDF5

extension Evaluation {
    /// Everything of an evaluation as HDF5 content.
    package var content: Group {
        let classes = confusion.count
        let bins = Calibration.bins
        var root = Group()
        func scalar(_ value: Double, _ name: String, units: String? = nil) -> Dataset {
            Dataset(.float64([value]), shape: [], dims: "", units: units, longName: name)
        }
        root["accuracy"] = scalar(accuracy, "test accuracy")
        root["loss"] = scalar(loss, "test loss", units: "nats per sample")
        if let mirrored {
            root[group: "mirrored"] = Group(datasets: [
                "accuracy": scalar(
                    mirrored.accuracy, "test accuracy, outputs averaged with the mirror image's"),
                "loss": scalar(mirrored.loss, "test loss of these outputs", units: "nats per sample"),
            ])
        }
        root["per_class"] = Dataset(
            .float64(perClass), shape: [classes], dims: "class", longName: "test accuracy of each class")
        root["confusion"] = Dataset(
            .int64(confusion.flatMap { $0 }.map(Int64.init)), shape: [classes, classes],
            dims: "true_class,predicted_class", units: "samples", longName: "confusion matrix")
        root["predictions"] = Dataset(
            .int64(predictions.map(Int64.init)), shape: [samples], dims: "sample",
            longName: "most likely class")
        func perBin(_ values: [Double], _ name: String) -> Dataset {
            Dataset(.float64(values), shape: [bins], dims: "bin", longName: name)
        }
        root[group: "calibration"] = Group(
            attributes: [
                "NX_class": "NXdata", "signal": "accuracy", "axes": .texts(["confidence"]),
                "expected_error": .real(calibration.expectedError),
            ],
            datasets: [
                "confidence": perBin(calibration.confidence, "mean confidence"),
                "accuracy": perBin(calibration.accuracy, "share of correct samples"),
                "samples": Dataset(
                    .int64(calibration.counts.map(Int64.init)), shape: [bins], dims: "bin", units: "samples",
                    longName: "samples of each bin"),
            ])
        return root
    }

    /// What was measured with mirror images; nil where nobody asked for it.
    ///
    /// - Throws: `HDF5Error`.
    package static func mirrored(reading file: borrowing File) throws -> Mirrored? {
        guard try file.has("mirrored") else { return nil }
        return Mirrored(
            accuracy: try file.float64("mirrored/accuracy", shape: []).values[0],
            loss: try file.float64("mirrored/loss", shape: []).values[0])
    }

    /// The two numbers a report needs, read from an evaluation artifact.
    ///
    /// - Throws: `HDF5Error`.
    package static func summary(reading file: borrowing File) throws -> (accuracy: Double, loss: Double) {
        let accuracy = try file.float64("accuracy", shape: []).values[0]
        let loss = try file.float64("loss", shape: []).values[0]
        return (accuracy, loss)
    }
}
