package import Tensors

/// What the first pass over a site gives: sums over samples and positions, divided by the number of samples.
///
/// Columns and rows are channel-major as PyTorch unfolds patches, the 1 of a bias last.
package struct FirstPassMatrices: Equatable, Sendable {
    /// S_H = Σ_j h_j h_jᵀ, [b, b], over Q's output positions j.
    package var consumerCovariance: Matrix
    /// M = Σ_j h_j g_jᵀ, [b, c].
    package var consumerMoment: Matrix
    /// E = Σ_j g_j g_jᵀ, [c, c].
    package var gradientCovariance: Matrix
    /// S = Σ_l mult(l) x_l x_lᵀ, [a, a]: mult(l) counts the pairs of output position and tap that read l.
    package var inputCovariance: Matrix?
    /// Σ_l x_l g_j(l,e)ᵀ, [a, c E], column c E + e: N without the projection.
    package var inputMoment: Matrix?
    /// What X and H share.
    package var overlap: SiteOverlap?

    /// ‖G‖²/n.
    package var gradientNorm: Double { gradientCovariance.trace }
}

/// What the second pass over a site gives.
package struct SecondPassMatrices: Equatable, Sendable {
    /// N = Σ_l x_l g⊥_j(l,e)ᵀ / n, [a, c E], column c E + e.
    package var crossCovariance: Matrix?
    /// ‖G⊥‖² of each chunk, not divided, in the order of shards and of their chunks.
    package var squares: [(rows: Int, sum: Double)]

    package static func == (left: Self, right: Self) -> Bool {
        left.crossCovariance == right.crossCovariance && left.squares.elementsEqual(right.squares, by: ==)
    }
}

/// Sums of the first pass over one site in one shard: what needs X, H and G as they are.
///
/// Used by one thread. Bits depend on the chunks given and their order alone.
package final class SiteFirstPass {
    package let geometry: SiteGeometry

    /// - Parameters:
    ///   - needs: S_H, M and E are always summed.
    ///   - capacity: the most samples of one chunk.
    package init(_ geometry: SiteGeometry, needs: StatisticsNeeds, capacity: Int) {
        self.geometry = geometry
    }

    /// Adds a chunk of samples.
    ///
    /// - Parameters:
    ///   - x: X, [rows, image, inChannels].
    ///   - h: H, [rows, read, width]: what Q reads.
    ///   - g: G, [rows, output, outChannels].
    package func add(
        rows: Int, x: UnsafePointer<Float>, h: UnsafePointer<Float>, g: UnsafePointer<Float>
    ) {
    }

    /// The sums of all shards, in their order, per sample.
    package static func combine(_ parts: [SiteFirstPass], samples: Int) -> FirstPassMatrices {
        let empty = Matrix(rows: 0, columns: 0)
        return FirstPassMatrices(consumerCovariance: empty, consumerMoment: empty, gradientCovariance: empty)
    }
}

/// Sums of the second pass over one site in one shard: G⊥ explicitly, and what follows from it.
///
/// Used by one thread. Bits depend on the chunks given and their order alone.
package final class SiteSecondPass {
    package let geometry: SiteGeometry

    /// - Parameter update: δW*, [c, b], columns channel-major as in the first pass.
    package init(_ geometry: SiteGeometry, update: Matrix, needs: StatisticsNeeds, capacity: Int) {
        self.geometry = geometry
    }

    /// Adds a chunk of samples, laid out as in the first pass.
    package func add(
        rows: Int, x: UnsafePointer<Float>, h: UnsafePointer<Float>, g: UnsafePointer<Float>
    ) {
    }

    /// The sums of all shards, in their order; N per sample.
    package static func combine(_ parts: [SiteSecondPass], samples: Int) -> SecondPassMatrices {
        SecondPassMatrices(squares: [])
    }
}
