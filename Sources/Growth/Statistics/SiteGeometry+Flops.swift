internal import Networks

// Floating-point operations per sample, every statistic counted as one product over all positions. Sums by shifts or spectra
// take fewer.
extension SiteGeometry {
    /// Of the first two passes.
    func statisticsFlops(_ needs: StatisticsNeeds) -> Int {
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
    func activityFlops(_ candidates: Int) -> Int { 2 * hidden.count * inputs * candidates }

    /// Of what the consumer would make of so many candidates.
    func featureFlops(_ candidates: Int) -> Int {
        let features = 2 * candidates * taps
        return output.count * features * (features + 2 * (hiddenInputs + outChannels))
    }
}
