internal import CKernels

/// What a stream of random numbers is for; streams of different purposes never overlap.
package enum RandomPurpose: UInt32, Sendable {
    case validationSplit = 1
    case initialization
    case dataOrder
    case dropout
    case statisticsSample
    case growth
    case augmentation
    case perturbation
}

/// A counter-based generator: Philox 4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011).
///
/// A stream is named by (seed, purpose, epoch, index); its numbers depend on that name alone, never on
/// what was drawn before, so that a resumed run continues bit for bit.
package struct Philox: RandomNumberGenerator, Sendable {
    private let key: (UInt32, UInt32)
    private let stream: (UInt32, UInt32)
    private var block: UInt64 = 0
    private var words: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
    private var used = 4

    /// - Parameters:
    ///   - seed: the experiment's seed.
    ///   - purpose: what the numbers are for.
    ///   - epoch: the epoch, layer or round they are for; below 2^24.
    ///   - index: which stream of that epoch, e.g. a parameter's number.
    package init(seed: Int, purpose: RandomPurpose, epoch: Int = 0, index: Int = 0) {
        key = Self.key(seed: seed)
        stream = Self.stream(purpose: purpose, epoch: epoch, index: index)
    }

    /// The two key words of a seed.
    package static func key(seed: Int) -> (UInt32, UInt32) {
        let bits = UInt64(bitPattern: Int64(seed))
        return (UInt32(truncatingIfNeeded: bits), UInt32(truncatingIfNeeded: bits >> 32))
    }

    /// The two upper counter words of a stream.
    package static func stream(purpose: RandomPurpose, epoch: Int, index: Int) -> (UInt32, UInt32) {
        (UInt32(truncatingIfNeeded: epoch) | purpose.rawValue << 24, UInt32(truncatingIfNeeded: index))
    }

    /// Four words of 128 bits of counter and 64 of key: the generator itself.
    package static func block(
        counter: (UInt32, UInt32, UInt32, UInt32), key: (UInt32, UInt32)
    ) -> (UInt32, UInt32, UInt32, UInt32) {
        var result: (UInt32, UInt32, UInt32, UInt32) = (0, 0, 0, 0)
        withUnsafeBytes(of: counter) { counter in
            withUnsafeBytes(of: key) { key in
                withUnsafeMutableBytes(of: &result) { result in
                    philox4x32(
                        counter.baseAddress?.assumingMemoryBound(to: UInt32.self),
                        key.baseAddress?.assumingMemoryBound(to: UInt32.self),
                        result.baseAddress?.assumingMemoryBound(to: UInt32.self))
                }
            }
        }
        return result
    }

    private mutating func nextWord() -> UInt32 {
        if used == 4 {
            words = Self.block(
                counter: (
                    UInt32(truncatingIfNeeded: block), UInt32(truncatingIfNeeded: block >> 32), stream.0,
                    stream.1
                ),
                key: key)
            block += 1
            used = 0
        }
        defer { used += 1 }
        return withUnsafeBytes(of: words) { $0.load(fromByteOffset: used * 4, as: UInt32.self) }
    }

    /// 64 uniformly random bits.
    package mutating func next() -> UInt64 {
        let low = UInt64(nextWord())
        return low | UInt64(nextWord()) << 32
    }

    /// A uniform number in [0, 1), a multiple of 2^-53.
    package mutating func uniform() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// A uniform integer in 0..<bound, without bias (Lemire's method on 64 bits).
    package mutating func integer(below bound: Int) -> Int {
        precondition(bound > 0, "the bound of a random integer must be positive, not \(bound)")
        let range = UInt64(bound)
        var product = next().multipliedFullWidth(by: range)
        if product.low < range {
            let threshold = (0 &- range) % range
            while product.low < threshold { product = next().multipliedFullWidth(by: range) }
        }
        return Int(product.high)
    }

    /// 0..<count in random order (Fisher and Yates).
    package mutating func permutation(_ count: Int) -> [Int32] {
        var order = [Int32](unsafeUninitializedCapacity: count) { buffer, initialized in
            for i in 0..<count { buffer.initializeElement(at: i, to: Int32(i)) }
            initialized = count
        }
        order.withUnsafeMutableBufferPointer { buffer in
            for i in stride(from: count - 1, to: 0, by: -1) {
                buffer.swapAt(i, integer(below: i + 1))
            }
        }
        return order
    }
}
