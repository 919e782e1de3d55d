/// Rows and columns of an image or a window.
package struct Extent: Hashable, Sendable {
    package var height: Int
    package var width: Int

    package init(_ height: Int, _ width: Int) {
        self.height = height
        self.width = width
    }

    package init(square extent: Int) { self.init(extent, extent) }

    /// Positions.
    package var count: Int { height * width }
}

/// A window that slides over an image, with zeros around it: kernel, stride, padding, dilation.
package struct Window: Hashable, Sendable {
    package var kernel: Extent
    package var stride: Extent
    package var padding: Extent
    package var dilation: Extent

    package init(
        kernel: Extent, stride: Extent = Extent(square: 1), padding: Extent = Extent(0, 0),
        dilation: Extent = Extent(square: 1)
    ) {
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
        self.dilation = dilation
    }

    /// Places of the kernel.
    package var taps: Int { kernel.count }

    /// Rows and columns from the window's first to its last tap.
    package var reach: Extent {
        Extent(dilation.height * (kernel.height - 1) + 1, dilation.width * (kernel.width - 1) + 1)
    }

    /// How often the window fits, rows and columns that are left over not read, as in PyTorch; nil where it is larger
    /// than the padded image.
    package func positions(over image: Extent) -> Extent? {
        let rows = image.height + 2 * padding.height - reach.height
        let columns = image.width + 2 * padding.width - reach.width
        guard rows >= 0, columns >= 0 else { return nil }
        return Extent(rows / stride.height + 1, columns / stride.width + 1)
    }
}
