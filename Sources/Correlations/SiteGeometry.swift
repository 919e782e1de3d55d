package import Tensors

/// The geometry of one growth site: where P's windows stand, what lies between, how Q's taps read the result.
///
/// P reads an image X [inChannels, image] and gives [width, hidden]; pooling makes [width, read] of it; Q reads
/// that through its taps and gives [outChannels, output]. A linear layer is a window of 1 x 1 over an image of
/// 1 x 1; a linear layer after flattening an h x w image has a window as large as the image, and one output position.
/// Every statistic is a sum over samples and positions, divided by the number of samples alone.
package struct SiteGeometry: Equatable, Sendable {
    /// What lies between P and Q and moves positions, channel by channel.
    package enum Pool: Equatable, Sendable {
        /// The mean of a window; zeros of the padding count, as in PyTorch.
        case average(Window)
        /// The largest value of a window. Statistics take the mean over the window's positions in the image instead,
        /// since which one is the largest depends on the neuron: what a neuron really does is measured afterwards.
        case max(Window)
        /// The mean of all positions.
        case global
        /// The middle tap of a window: a depthwise convolution whose kernel for a new channel is the identity.
        case middle(Window)

        /// Rows and columns of what it makes of an image; nil where it does not fit.
        package func positions(over image: Extent) -> Extent? {
            switch self {
            case .average(let window), .max(let window), .middle(let window): window.positions(over: image)
            case .global: Extent(square: 1)
            }
        }
    }

    /// Which of Q's taps a new neuron may use.
    package enum Scheme: String, CaseIterable, Sendable {
        /// All of them.
        case full
        /// The one at the kernel's centre, (height / 2, width / 2): Q is seen as 1 x 1.
        case restricted
    }

    package var inChannels: Int
    /// Rows and columns of X.
    package var image: Extent
    package var producer: Window
    package var producerHasBias: Bool
    /// Channels between P and Q.
    package var width: Int
    package var pools: [Pool]
    package var consumer: Window
    package var consumerHasBias: Bool
    package var outChannels: Int
    package var scheme: Scheme

    /// Rows and columns of P's output.
    package let hidden: Extent
    /// Rows and columns of what Q reads.
    package let read: Extent
    /// Rows and columns of Q's output.
    package let output: Extent

    /// - Precondition: every window fits what it reads.
    package init(
        inChannels: Int, image: Extent, producer: Window, producerHasBias: Bool, width: Int,
        pools: [Pool] = [],
        consumer: Window, consumerHasBias: Bool, outChannels: Int, scheme: Scheme = .full
    ) {
        func fitting(_ positions: Extent?, _ what: Any, _ image: Extent) -> Extent {
            guard let positions else { preconditionFailure("\(what) does not fit an image of \(image)") }
            return positions
        }
        self.inChannels = inChannels
        self.image = image
        self.producer = producer
        self.producerHasBias = producerHasBias
        self.width = width
        self.pools = pools
        self.consumer = consumer
        self.consumerHasBias = consumerHasBias
        self.outChannels = outChannels
        self.scheme = scheme
        hidden = fitting(producer.positions(over: image), producer, image)
        read = pools.reduce(hidden) { fitting($1.positions(over: $0), $1, $0) }
        output = fitting(consumer.positions(over: read), consumer, read)
    }

    /// The site between two linear layers.
    package init(
        inputs: Int, producerHasBias: Bool, width: Int, consumerHasBias: Bool, outputs: Int
    ) {
        let point = Extent(square: 1)
        self.init(
            inChannels: inputs, image: point, producer: Window(kernel: point),
            producerHasBias: producerHasBias,
            width: width, consumer: Window(kernel: point), consumerHasBias: consumerHasBias,
            outChannels: outputs)
    }

    /// E: the taps of Q that a new neuron uses.
    package var taps: Int { scheme == .full ? consumer.taps : 1 }

    /// a: a patch of X, channel-major as PyTorch unfolds it, then a 1 if P has a bias.
    package var inputs: Int { inChannels * producer.taps + (producerHasBias ? 1 : 0) }

    /// b: a patch of H for all of Q's taps, channel-major, then a 1 if Q has a bias; the same for both schemes.
    package var hiddenInputs: Int { width * consumer.taps + (consumerHasBias ? 1 : 0) }

    /// Floats of one sample's X.
    package var inputCount: Int { image.count * inChannels }
    /// Floats of one sample's H.
    package var hiddenCount: Int { read.count * width }
    /// Floats of one sample's G.
    package var outputCount: Int { output.count * outChannels }
}

extension SiteGeometry {
    /// The place in Q's kernel of a tap of new neurons.
    package func consumerTap(_ tap: Int) -> Int {
        switch scheme {
        case .full: tap
        case .restricted: consumer.kernel.height / 2 * consumer.kernel.width + consumer.kernel.width / 2
        }
    }
}

extension SiteGeometry {
    /// Whether every tap of every position reads X's 1 just as H has it, so that a bias of new neurons could do nothing
    /// that the consumer's own bias cannot: both layers have one, and no window reaches into padding.
    package var sharesOnes: Bool {
        guard producerHasBias && consumerHasBias else { return false }
        var extent = hidden
        for pool in pools {
            switch pool {
            // The largest of a window is never the padding.
            case .global, .max: break
            case .average(let window): guard window.padding == Extent(0, 0) else { return false }
            case .middle(let window): guard window.centreStaysInside(extent) else { return false }
            }
            extent = pool.positions(over: extent) ?? extent
        }
        return scheme == .full ? consumer.padding == Extent(0, 0) : consumer.centreStaysInside(extent)
    }
}

extension Window {
    /// Whether the tap (height / 2, width / 2) never reads padding of an image.
    fileprivate func centreStaysInside(_ image: Extent) -> Bool {
        guard let positions = positions(over: image) else { return false }
        func isInside(
            _ length: Int, _ count: Int, _ kernel: Int, _ step: Int, _ padding: Int, _ dilation: Int
        )
            -> Bool
        {
            let first = kernel / 2 * dilation - padding
            return first >= 0 && first + (count - 1) * step < length
        }
        return isInside(
            image.height, positions.height, kernel.height, stride.height, padding.height, dilation.height)
            && isInside(
                image.width, positions.width, kernel.width, stride.width, padding.width, dilation.width)
    }
}

// Floating-point operations per sample, every statistic counted as one product over all positions. Sums by shifts or spectra
// take fewer.
extension SiteGeometry {
    /// Of the first two passes.
    package func statisticsFlops(_ needs: StatisticsNeeds) -> Int {
        let (a, b, c) = (inputs, hiddenInputs, outChannels)
        // Every tap of an output reads one hidden position: that many pairs of X and G, and of X and H.
        let pairs = output.count * taps
        let first =
            output.count * (b * b + 2 * b * c + c * c)
            + (needs.contains(.inputCovariance) ? read.count * a * a : 0)
            + (needs.contains(.overlap) ? 2 * pairs * a * b : 0)
            + (needs.contains(.inputMoment) ? 2 * pairs * a * c : 0)
        let second =
            2 * output.count * b * c + (needs.contains(.crossCovariance) ? 2 * pairs * a * c : 0)
        return first + second
    }

    /// Of so many candidates' activities, in the third pass.
    package func activityFlops(_ candidates: Int) -> Int { 2 * hidden.count * inputs * candidates }

    /// Of what the consumer would make of so many candidates.
    package func featureFlops(_ candidates: Int) -> Int {
        let features = 2 * candidates * taps
        return output.count * features * (features + 2 * (hiddenInputs + outChannels))
    }
}
