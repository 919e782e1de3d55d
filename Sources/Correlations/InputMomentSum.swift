internal import Tensors

/// Σ_l x_l g_j(l,e)ᵀ from patches written out, [a, E c], tap-major.
final class InputMomentSum {
    private let geometry: SiteGeometry
    private let readers: [[Int?]]
    /// One sum over all taps, or, where Q has one output position, one per tap: then each tap reads one place.
    private let sums: [BlockSum]
    private let gathered: AlignedBuffer
    private let inputs: Int

    init(_ geometry: SiteGeometry, _ plane: SitePlane, images: Int) {
        self.geometry = geometry
        readers = plane.readers
        inputs = geometry.inChannels * geometry.producer.taps
        let isSingle = geometry.output.count == 1
        let columns = geometry.outChannels * (isSingle ? 1 : geometry.taps)
        sums = (0..<(isSingle ? geometry.taps : 1)).map { [inputs] _ in BlockSum(inputs, columns) }
        gathered = AlignedBuffer(count: isSingle ? 0 : images * geometry.read.count * columns)
    }

    /// - Parameters:
    ///   - patches: of X, [images, places, a].
    ///   - gradient: [images, positions, c].
    func add(images: Int, patches: UnsafePointer<Float>, gradient: UnsafePointer<Float>) {
        let (places, channels) = (geometry.read.count, geometry.outChannels)
        if geometry.output.count == 1 {
            for (tap, sum) in sums.enumerated() {
                guard let place = readers[tap].firstIndex(where: { $0 != nil }) else { continue }
                sum.add(
                    rows: images, patches + place * inputs, stride: places * inputs, gradient,
                    stride: channels)
            }
            return
        }
        let columns = geometry.taps * channels
        var into = gathered.pointer
        for image in 0..<images {
            let source = gradient + image * geometry.outputCount
            for place in 0..<places {
                for reader in readers {
                    if let position = reader[place] {
                        into.update(from: source + position * channels, count: channels)
                    } else {
                        into.update(repeating: 0, count: channels)
                    }
                    into += channels
                }
            }
        }
        sums[0].add(rows: images * places, patches, stride: inputs, gathered.pointer, stride: columns)
    }

    /// [a, E c], tap-major.
    static func total(_ parts: [InputMomentSum]) -> [Double] {
        guard let first = parts.first else { return [] }
        let totals = first.sums.indices.map { index in BlockSum.total(parts.map { $0.sums[index] }) }
        guard totals.count > 1 else { return totals[0] }
        let channels = first.geometry.outChannels
        return (0..<first.inputs).flatMap { row in
            totals.flatMap { $0[row * channels..<(row + 1) * channels] }
        }
    }
}
