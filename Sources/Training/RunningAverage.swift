internal import Networks
internal import Tensors

/// Running averages of a flat array while it is trained, as an ``AverageParameters`` asks; nothing where it asks for none.
///
/// What is kept is d, how much an average is above its value w, so that the average is w + d. Hence a new value has an
/// average where growth appends a 0, and the differences that small steps make are not lost beside w.
struct RunningAverage: Sendable {
    private let choice: AverageParameters
    private let values: ParameterArena
    private let lag: ParameterArena?
    /// The averages, as ``settle()`` left them; the values themselves where no average is kept.
    let measured: ParameterArena

    /// - Parameter lags: by name, to go on from; what is absent is zero.
    init(_ choice: AverageParameters, of values: ParameterArena, lags: [String: Tensor]) {
        self.choice = choice
        self.values = values
        lag = choice.decay > 0 ? ParameterArena(values.layout, lags) : nil
        measured = choice.decay > 0 ? ParameterArena(values.layout) : values
    }

    /// Calls `update`, which moves the values of a range from w to w′, and then d ← β (d + w − w′): so the average
    /// w + d becomes β (w + d) + (1 − β) w′. Between two updates of the average β is 1.
    ///
    /// Ranges may be updated by different workers.
    ///
    /// - Parameter step: of the phase.
    func follow(_ range: Range<Int>, step: Int, _ update: () -> Void) {
        guard let lag = lag?.buffer.pointer else { return update() }
        let values = values.buffer.pointer
        let isDue = (step + 1) % choice.every == 0
        let decay: Float = isDue ? Float(choice.decay) : 1
        withUnsafeTemporaryAllocation(of: Float.self, capacity: range.count) { before in
            let start = range.lowerBound
            _ = before.initialize(
                fromContentsOf: UnsafeBufferPointer(start: values + start, count: range.count))
            update()
            for index in range {
                lag[index] = decay * (lag[index] + (before[index - start] - values[index]))
            }
        }
        guard isDue, choice.lookahead else { return }
        for index in range {
            values[index] += lag[index]
            lag[index] = 0
        }
    }

    /// Brings `measured` up to date.
    func settle() {
        guard let lag else { return }
        for index in 0..<values.layout.count {
            measured.buffer.pointer[index] = values.buffer.pointer[index] + lag.buffer.pointer[index]
        }
    }

    /// The lags by name; none where no average is kept.
    var lags: [String: Tensor] { lag?.tensors() ?? [:] }
}
