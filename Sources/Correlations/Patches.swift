internal import CKernels
package import Tensors

/// Writes out the patches of images, one row per position.
///
/// Columns are tap-major, tap · channels + channel: a tap's channels are copied as they stand. Sums are put into
/// PyTorch's channel-major order once, at the end.
struct PatchRows: Sendable {
    let positions: Int
    let taps: Int
    let channels: Int
    var columns: Int { taps * channels }

    private let rowSources: [[[SiteAxis.Source]]]
    private let columnSources: [[[SiteAxis.Source]]]
    private let imageWidth: Int
    /// Indices where every tap reads one place or none, as it is.
    private let plain: (rows: [Int32], columns: [Int32])?
    /// Whether an image is its own patches: one tap that reads every place in turn, as for linear layers and 1 x 1
    /// convolutions. Then nothing is written.
    let isImage: Bool

    /// - Parameters:
    ///   - rows: what each position's taps read, along the rows; `[position][tap]`.
    ///   - image: rows and columns that they read from.
    init(
        rows: [[[SiteAxis.Source]]], columns: [[[SiteAxis.Source]]], image: Extent, channels: Int
    ) {
        rowSources = rows
        columnSources = columns
        imageWidth = image.width
        self.channels = channels
        positions = rows.count * columns.count
        taps = (rows.first?.count ?? 0) * (columns.first?.count ?? 0)
        if let rows = PatchRows.plain(rows), let columns = PatchRows.plain(columns) {
            plain = (rows, columns)
            isImage =
                taps == 1 && rows == Array(0..<Int32(image.height))
                && columns == Array(0..<Int32(image.width))
        } else {
            plain = nil
            isImage = false
        }
    }

    /// Floats that the patches of one image take beside the image.
    var floats: Int { isImage ? 0 : positions * columns }

    /// The patches of images, [images, positions, columns]: written to `room`, or the images themselves.
    ///
    /// - Parameter images: `size` floats each.
    func patches(
        of images: UnsafePointer<Float>, count: Int, size: Int, in room: AlignedBuffer
    ) -> UnsafePointer<Float> {
        guard !isImage else { return images }
        for image in 0..<count {
            fill(images + image * size, into: room.pointer + image * positions * columns)
        }
        return UnsafePointer(room.pointer)
    }

    private static func plain(_ sources: [[[SiteAxis.Source]]]) -> [Int32]? {
        let flat = sources.flatMap { $0 }
        guard flat.allSatisfy({ $0.isEmpty || $0.count == 1 && $0[0].weight == 1 }) else { return nil }
        return flat.map { $0.first.map { Int32($0.index) } ?? -1 }
    }

    /// Writes the patches of one image, [positions, columns].
    func fill(_ image: UnsafePointer<Float>, into out: UnsafeMutablePointer<Float>) {
        if let plain {
            patches_gather(
                image, imageWidth, channels, plain.rows, rowSources.count, rowSources.first?.count ?? 0,
                plain.columns, columnSources.count, columnSources.first?.count ?? 0, out)
            return
        }
        out.update(repeating: 0, count: positions * columns)
        var next = out
        for row in rowSources {
            for column in columnSources {
                for rowTap in row {
                    for columnTap in column {
                        for y in rowTap {
                            for x in columnTap {
                                vector_multiply_add(
                                    image + (y.index * imageWidth + x.index) * channels,
                                    Float(y.weight * x.weight), next, channels)
                            }
                        }
                        next += channels
                    }
                }
            }
        }
    }
}

extension PatchRows {
    /// The patches of X at every place that Q reads: what new channels are there, before their activation.
    init(inputOf geometry: SiteGeometry, _ plane: SitePlane) {
        self.init(
            rows: plane.rows.sources, columns: plane.columns.sources, image: geometry.image,
            channels: geometry.inChannels)
    }

    /// The patches of H at every output position of Q.
    init(hiddenOf geometry: SiteGeometry, _ plane: SitePlane) {
        self.init(
            rows: plane.rows.hiddenSources, columns: plane.columns.hiddenSources,
            image: geometry.read, channels: geometry.width)
    }

    /// What the taps of new neurons read, at every output position of Q, of candidates that stand in the place of X.
    init(candidatesOf geometry: SiteGeometry, _ plane: SitePlane) {
        func sources(_ axis: SiteAxis) -> [[[SiteAxis.Source]]] {
            axis.hiddenSources.map { taps in axis.neuronTaps.map { taps[$0] } }
        }
        self.init(
            rows: sources(plane.rows), columns: sources(plane.columns), image: geometry.read,
            channels: geometry.inChannels)
    }
}

/// One side of a statistic: patches of `taps` places with `channels` each, and a last 1 or none.
package struct PatchSide {
    var taps: Int
    var channels: Int
    var hasOnes: Bool

    package init(taps: Int, channels: Int, hasOnes: Bool) {
        self.taps = taps
        self.channels = channels
        self.hasOnes = hasOnes
    }

    var columns: Int { taps * channels }
    var extended: Int { columns + (hasOnes ? 1 : 0) }

    /// Where the tap-major column stands in PyTorch's channel-major order.
    func place(_ column: Int) -> Int { column % channels * taps + column / channels }
}

extension Matrix {
    /// A statistic from its tap-major sum and what belongs to the ones, times a factor.
    ///
    /// - Parameters:
    ///   - sum: [rows.columns, columns.columns], tap-major on both sides.
    ///   - ones: the last row, for rows that have ones; tap-major, [columns.columns].
    ///   - onesAcross: the last column, for columns that have ones; tap-major, [rows.columns].
    ///   - corner: ones times ones.
    package init(
        _ sum: [Double], rows: PatchSide, columns: PatchSide, ones: [Double], onesAcross: [Double],
        corner: Double, times scale: Double
    ) {
        var values = Array(repeating: 0.0, count: rows.extended * columns.extended)
        let stride = columns.extended
        let places = (0..<columns.columns).map(columns.place)
        sum.withUnsafeBufferPointer { sum in
            for row in 0..<rows.columns {
                let (from, into) = (row * columns.columns, rows.place(row) * stride)
                for column in 0..<columns.columns {
                    values[into + places[column]] = scale * sum[from + column]
                }
            }
        }
        if rows.hasOnes {
            for (column, one) in ones.enumerated() {
                values[rows.columns * stride + places[column]] = scale * one
            }
        }
        if columns.hasOnes {
            for (row, one) in onesAcross.enumerated() {
                values[rows.place(row) * stride + columns.columns] = scale * one
            }
        }
        if rows.hasOnes && columns.hasOnes {
            values[rows.columns * stride + columns.columns] = scale * corner
        }
        self.init(rows: rows.extended, columns: columns.extended, values: values)
    }
}

/// Sums over positions that need only the sum of the images: what the ones of biases are multiplied with.
struct LinearSums {
    let geometry: SiteGeometry
    let plane: SitePlane
    /// The sums of X, H and G over all samples, nhwc.
    let input: [Double]
    let hidden: [Double]
    let gradient: [Double]
    let samples: Int

    /// o(u): what remains of P's 1 at each place that Q reads.
    var ones: [Double] { plane.rows.ones.flatMap { row in plane.columns.ones.map { row * $0 } } }

    /// Σ_u w(u) x_u over the places that Q reads, tap-major.
    func inputPatches(_ weights: [Double]) -> [Double] {
        LinearSums.patches(
            input, plane.rows.sources, plane.columns.sources, geometry.image.width, geometry.inChannels,
            weights)
    }

    /// Σ_j w(j) h_j over Q's output positions, tap-major.
    func hiddenPatches(_ weights: [Double]) -> [Double] {
        LinearSums.patches(
            hidden, plane.rows.hiddenSources, plane.columns.hiddenSources, geometry.read.width,
            geometry.width, weights)
    }

    /// Σ_u w(u) h(u) over places, without patches.
    func hiddenPlaces(_ weights: [Double]) -> [Double] {
        var sums = Array(repeating: 0.0, count: geometry.width)
        for (place, weight) in weights.enumerated() {
            for channel in sums.indices { sums[channel] += weight * hidden[place * sums.count + channel] }
        }
        return sums
    }

    /// Σ_j g_j.
    var gradientSum: [Double] {
        var sums = Array(repeating: 0.0, count: geometry.outChannels)
        for index in gradient.indices { sums[index % sums.count] += gradient[index] }
        return sums
    }

    /// Σ_l o(l) g_j(l,e), tap-major.
    var gradientPatches: [Double] {
        let ones = ones
        return plane.readers.flatMap { readers in
            var sums = Array(repeating: 0.0, count: geometry.outChannels)
            for (place, position) in readers.enumerated() {
                guard let position else { continue }
                for channel in sums.indices {
                    sums[channel] += ones[place] * gradient[position * sums.count + channel]
                }
            }
            return sums
        }
    }

    private static func patches(
        _ image: [Double], _ rows: [[[SiteAxis.Source]]], _ columns: [[[SiteAxis.Source]]], _ width: Int,
        _ channels: Int, _ weights: [Double]
    ) -> [Double] {
        let columnTaps = columns.first?.count ?? 0
        var sums = Array(repeating: 0.0, count: (rows.first?.count ?? 0) * columnTaps * channels)
        for (u, row) in rows.enumerated() {
            for (v, column) in columns.enumerated() where weights[u * columns.count + v] != 0 {
                for (i, rowTap) in row.enumerated() {
                    for (j, columnTap) in column.enumerated() {
                        for y in rowTap {
                            for x in columnTap {
                                let weight = weights[u * columns.count + v] * y.weight * x.weight
                                let from = (y.index * width + x.index) * channels
                                let into = (i * columnTaps + j) * channels
                                for channel in 0..<channels {
                                    sums[into + channel] += weight * image[from + channel]
                                }
                            }
                        }
                    }
                }
            }
        }
        return sums
    }
}
