internal import CKernels
internal import Tensors

/// Writes out the patches of images, one row per position.
///
/// Columns are tap-major, tap · channels + channel: a tap's channels are copied as they stand. Sums are put into
/// PyTorch's channel-major order once, at the end.
final class PatchRows {
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
    convenience init(inputOf geometry: SiteGeometry, _ plane: SitePlane) {
        self.init(
            rows: plane.rows.sources, columns: plane.columns.sources, image: geometry.image,
            channels: geometry.inChannels)
    }

    /// The patches of H at every output position of Q.
    convenience init(hiddenOf geometry: SiteGeometry, _ plane: SitePlane) {
        self.init(
            rows: plane.rows.hiddenSources, columns: plane.columns.hiddenSources,
            image: geometry.read, channels: geometry.width)
    }
}
