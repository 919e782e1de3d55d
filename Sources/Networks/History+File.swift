internal import HDF5

// A history is a NeXus data group, which viewers plot: the signal is the loss over epochs.

extension History {
    var content: Group {
        func curve(_ values: [Double], _ units: String?, _ name: String) -> Dataset {
            Dataset(.float64(values), shape: [values.count], dims: "epoch", units: units, longName: name)
        }
        func counts(_ values: [Int], _ name: String) -> Dataset {
            Dataset(.int64(values.map(Int64.init)), shape: [values.count], dims: "epoch", longName: name)
        }
        return Group(
            attributes: ["NX_class": "NXdata", "signal": "loss", "axes": .texts(["epoch"])],
            datasets: [
                "epoch": counts(Array(epochs.indices.map { $0 + 1 }), "epochs of training so far"),
                "round": counts(epochs.map(\.round), "growth round the epoch follows"),
                "loss": curve(epochs.map(\.loss), "nats per sample", "training loss"),
                "accuracy": curve(epochs.map(\.accuracy), nil, "training accuracy"),
                "validation_loss": curve(
                    epochs.map { $0.validationLoss ?? .nan }, "nats per sample", "validation loss"),
                "validation_accuracy": curve(
                    epochs.map { $0.validationAccuracy ?? .nan }, nil, "validation accuracy"),
                "learning_rate": curve(epochs.map(\.rate), nil, "learning rate of the last step"),
                "parameters": counts(epochs.map(\.parameters), "trainable values"),
                "training_flops": counts(
                    epochs.map(\.flops), "floating-point operations of training and growth so far"),
            ])
    }

    init(reading file: borrowing File) throws {
        self.init()
        let rounds = try file.int64("history/round", shape: [nil]).values
        func curve(_ name: String) throws -> [Double] {
            try file.float64("history/\(name)", shape: [rounds.count]).values
        }
        func measured(_ value: Double) -> Double? { value.isNaN ? nil : value }
        let loss = try curve("loss")
        let accuracy = try curve("accuracy")
        let validationLoss = try curve("validation_loss")
        let validationAccuracy = try curve("validation_accuracy")
        let rate = try curve("learning_rate")
        func counts(_ name: String) throws -> [Int] {
            try file.int64("history/\(name)", shape: [rounds.count]).values.map(Int.init)
        }
        let parameters = try counts("parameters")
        let flops = try counts("training_flops")
        epochs = rounds.indices.map { index in
            Epoch(
                round: Int(rounds[index]), loss: loss[index], accuracy: accuracy[index],
                validationLoss: measured(validationLoss[index]),
                validationAccuracy: measured(validationAccuracy[index]), rate: rate[index],
                parameters: parameters[index], flops: flops[index])
        }
    }
}
