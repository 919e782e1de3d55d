/// Where values and gradients of a program stand in one array, so that what is not needed at the same time shares memory.
///
/// Time runs from 0 over the n instructions forward, then n, when the loss is computed, then from n + 1 to 2n over
/// the instructions backward. Values that are kept, the input and the output are left alone after they are written.
struct MemoryPlan {
    /// Values of one row, and the first and the last time they are in use.
    private struct Span {
        var count: Int
        var first: Int
        var last: Int
    }

    private static let always = Int.max
    private static let none = -1

    private let program: Program
    private let capacity: Int
    private let hasBackward: Bool
    private var spans: [Span] = []
    private var offsets: [Int] = []
    /// The span of each value, and of its gradient.
    private var values: [Int] = []
    private var gradients: [Int] = []
    /// Where a reader's own part of a gradient goes, if it is not the value's gradient itself, by instruction and place.
    private var parts: [[Int]] = []
    /// Elements of the array.
    private(set) var count = 0

    init(_ program: Program, capacity: Int, purpose: Executor.Purpose) {
        self.program = program
        self.capacity = capacity
        hasBackward = purpose != .inference
        planValues()
        gradients = program.values.map { _ in Self.none }
        parts = program.instructions.map { $0.inputs.map { _ in Self.none } }
        if hasBackward { planGradients() }
        placeSpans()
    }

    /// Where a value begins.
    func value(_ number: Int) -> Int { offsets[values[number]] }

    /// Where a value's gradient begins; nil where there is none.
    func gradient(_ number: Int) -> Int? { gradients[number] == Self.none ? nil : offsets[gradients[number]] }

    /// Where an instruction writes its part of an input's gradient; nil: to the gradient itself.
    func part(_ instruction: Int, _ place: Int) -> Int? {
        parts[instruction][place] == Self.none ? nil : offsets[parts[instruction][place]]
    }

    private func backwardTime(_ instruction: Int) -> Int { 2 * program.instructions.count - instruction }

    /// Whether the instruction has anything to do in a backward pass.
    private func runsBackward(_ instruction: Int) -> Bool {
        hasBackward && program.values[program.instructions[instruction].output].needsGradient
    }

    private mutating func add(_ count: Int, _ first: Int, _ last: Int) -> Int {
        spans.append(Span(count: count, first: first, last: last))
        return spans.count - 1
    }

    // MARK: Values

    private mutating func planValues() {
        values = [add(program.values[0].layout.count, -1, Self.always)]
        for (time, instruction) in program.instructions.enumerated() {
            let count = program.values[instruction.output].layout.count
            let last = lastUse(instruction.output, writtenBy: time)
            // The first two inputs are read when the output is first written; what is read later must not be gone.
            if let place = instruction.inputs.prefix(2).first(where: { input in
                instruction.operation.inPlace.contains(.forward)
                    && !instruction.inputs.dropFirst(2).contains(input)
                    && program.values[input].layout.count == count && spans[values[input]].last == time
            }) {
                values.append(values[place])
                spans[values[place]].last = last
            } else {
                values.append(add(count, time, last))
            }
        }
    }

    /// The last time that a value is read.
    private func lastUse(_ number: Int, writtenBy instruction: Int) -> Int {
        let value = program.values[number]
        guard !value.isKept else { return Self.always }
        var last = instruction
        for reader in value.readers {
            let reads = program.instructions[reader.instruction].operation.backwardReads
            last = max(last, reader.instruction)
            if reads.contains(.inputs), runsBackward(reader.instruction) {
                last = max(last, backwardTime(reader.instruction))
            }
        }
        if program.instructions[instruction].operation.backwardReads.contains(.output),
            runsBackward(instruction)
        {
            last = max(last, backwardTime(instruction))
        }
        return last
    }

    // MARK: Gradients

    private mutating func planGradients() {
        for index in program.instructions.indices.reversed() where runsBackward(index) {
            let output = program.instructions[index].output
            // Nobody reads it: whoever computes the loss fills it in.
            if gradients[output] == Self.none {
                gradients[output] = add(
                    program.values[output].layout.count, program.instructions.count,
                    program.values[output].isKept ? Self.always : backwardTime(index))
            }
            if program.instructions[index].needsInputGradient { planInputGradients(index) }
        }
    }

    /// The gradients that instruction `index` writes: a value's last reader writes first, all others add.
    private mutating func planInputGradients(_ index: Int) {
        let instruction = program.instructions[index]
        let time = backwardTime(index)
        for (place, input) in instruction.inputs.enumerated() {
            let value = program.values[input]
            guard value.needsGradient, value.readers.last == Program.Reader(instruction: index, place: place)
            else {
                parts[index][place] = add(value.layout.count, time, time)
                continue
            }
            let last = value.isKept ? Self.always : lastGradientUse(input)
            let over = gradients[instruction.output]
            if instruction.operation.inPlace.contains(.backward), spans[over].last == time,
                spans[over].count == value.layout.count
            {
                gradients[input] = over
                spans[over].last = last
            } else {
                gradients[input] = add(value.layout.count, time, last)
            }
        }
    }

    /// When the instruction that wrote a value runs backward.
    private func lastGradientUse(_ number: Int) -> Int {
        program.instructions.firstIndex { $0.output == number }.map(backwardTime) ?? Self.always
    }

    // MARK: Places

    /// Largest first, each at the lowest place that is free while it is in use.
    private mutating func placeSpans() {
        let sizes = spans.map { $0.count * ValueLayout.filled(capacity) }
        offsets = spans.map { _ in 0 }
        var placed: [Int] = []
        for span in spans.indices.sorted(by: { (sizes[$1], $0) < (sizes[$0], $1) }) where sizes[span] > 0 {
            var offset = 0
            // Sorted by offset: the first gap that is wide enough.
            for other in placed where overlap(span, other) {
                if offsets[other] >= offset + sizes[span] { break }
                offset = max(offset, offsets[other] + sizes[other])
            }
            offsets[span] = offset
            count = max(count, offset + sizes[span])
            let position = placed.firstIndex { offsets[$0] > offset } ?? placed.count
            placed.insert(span, at: position)
        }
    }

    private func overlap(_ left: Int, _ right: Int) -> Bool {
        spans[left].first <= spans[right].last && spans[right].first <= spans[left].last
    }
}
