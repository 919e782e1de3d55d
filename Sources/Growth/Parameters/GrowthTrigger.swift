package import Networks
package import Parameters

/// Whether a round takes place at the time that the pipeline offers it, told from how training went.
///
/// A new trigger is a type like those below and one line in ``TriggerParameters/triggers``.
package protocol GrowthTrigger: Alternative {
    /// Why the network does not grow yet; nil if it does.
    func reasonToWait(_ network: Network) -> String?
}

/// The `when:` field: a round whose trigger waits passes the network on untouched.
package struct TriggerParameters: ParameterSet {
    package static let triggers = Alternatives<any GrowthTrigger>(
        Always.self,
        Plateau.self)

    package var trigger: any GrowthTrigger = Always()

    package static let schema = Schema(
        Self(), .kind(\.trigger, among: triggers, "whether a round takes place at its time"))
}

/// Every round.
package struct Always: GrowthTrigger {
    package static let kind = "always"
    package static let schema = Schema(Self())

    package func reasonToWait(_ network: Network) -> String? { nil }
}

/// Once the training loss falls too slowly: by less than a part of it from one epoch to the next.
package struct Plateau: GrowthTrigger {
    package static let kind = "plateau"

    package var improvement = 0.05

    package static let schema = Schema(
        Self(),
        .field(
            "improvement", \.improvement, .real(in: 0...1),
            "grow once the training loss falls by less than this part of it in an epoch"))

    package func reasonToWait(_ network: Network) -> String? {
        let losses = network.history.epochs.suffix(2).map(\.loss)
        guard losses.count == 2, losses[0] - losses[1] >= improvement * losses[0] else { return nil }
        return "the last epoch improved the training loss by \(improvement) of it or more"
    }
}
