package import Networks
internal import Parameters

/// What can go wrong while training or evaluating.
package enum TrainingError: ReportableError, Equatable {
    /// The loss became NaN or infinite.
    case lossNotFinite(epoch: Int, step: Int, rate: Double)
    /// A network with finite parameters gives outputs, or a loss, that are not.
    case outputsNotFinite(split: String)
    /// A network reads or gives another number of values than the dataset has.
    case datasetMismatch(what: String, network: Int, dataset: Int)
    /// A network reads images of another shape [channels, height, width].
    case imageMismatch(network: [Int], dataset: [Int])
    /// A network's outputs stand for other classes, or for the same in another order; the first that differs.
    case classesDiffer(label: Int, network: String, dataset: String)
    /// A network was trained on images of another shape, or that were normalised otherwise.
    case dataDiffers(network: DataConvention, dataset: DataConvention)
    /// A split that is needed holds no samples.
    case emptySplit(String)
    /// Neither parameters nor an input name the architecture.
    case noArchitecture
    /// A border or a square as large as the dataset's images, in pixels.
    case augmentationTooLarge(field: String, value: Int, height: Int, width: Int)
    /// A group of parameters of kinds that the network has none of.
    case emptyGroup(index: Int, kinds: [ParameterKind])
    /// A group of parameters of ages that none reaches in any training that the group is for.
    case groupTooOld(index: Int, ages: [Int], oldest: Int)
    /// A normalisation that gets one value per mean and variance; `dependsOnRows`: of one sample.
    case singleValue(node: String, batch: Int, shards: Int, dependsOnRows: Bool)

    package var exitCode: Int32 { 65 }

    package var description: String {
        switch self {
        case .lossNotFinite(let epoch, let step, let rate):
            "the loss became NaN or infinite in epoch \(epoch + 1), step \(step + 1), at a learning rate of \(rate); "
                + "nothing was kept: lower optimizer.rate or set schedule.warm-up"
        case .outputsNotFinite(let split):
            "the loss on the \(split) split is NaN or infinite, the network's values overflow; "
                + "train it again with a smaller optimizer.rate"
        case .datasetMismatch(let what, let network, let dataset):
            "the network's \(what) is \(network), the dataset's is \(dataset); use the network's own dataset"
        case .imageMismatch(let network, let dataset):
            "the network reads images of shape \(network) [channels, height, width], the dataset's are \(dataset); "
                + "use the network's own dataset"
        case .classesDiffer(let label, let network, let dataset):
            "class \(label) is '\(network)' for the network and '\(dataset)' in the dataset; "
                + "use the network's own dataset, or train a seed on this one"
        case .dataDiffers(let network, let dataset) where network.image != dataset.image:
            "the network was trained on images of \(network.image) [rows, columns, channels], the dataset's are "
                + "\(dataset.image); use the network's own dataset, or train a seed on this one"
        case .dataDiffers(let network, let dataset):
            "the network was trained on images with mean \(Self.list(network.mean)) and standard deviation "
                + "\(Self.list(network.standardDeviation)), the dataset's have \(Self.list(dataset.mean)) and "
                + "\(Self.list(dataset.standardDeviation)); use the network's own dataset: the same files, "
                + "`validation` and `validation-seed`, or train a seed on this one"
        case .emptySplit(let split):
            "the dataset's \(split) split is empty; hold samples out with `validation:`"
        case .noArchitecture:
            "no architecture: give `network` in the parameters or --architecture FILE"
        case .augmentationTooLarge(let field, let value, let height, let width):
            "augmentation.\(field) is \(value), but the dataset's images are \(height) x \(width); "
                + "it must be at most \(min(height, width) - 1)"
        case .emptyGroup(let index, let kinds):
            "optimizer.groups[\(index)] is of \(kinds.map(\.rawValue).joined(separator: ", ")), and the network has "
                + "none; leave the group out, or name other kinds with it"
        case .groupTooOld(let index, let ages, let oldest):
            "optimizer.groups[\(index)] is of ages \(ages[0]) to \(ages[1]), in growth rounds since birth, and where it "
                + "counts no parameter is older than \(oldest); lower its ages, grow in more rounds, or leave it out"
        case .singleValue(let node, let batch, let shards, true):
            "node '\(node)' normalizes each channel over one value, since a batch of \(batch) in "
                + "\(shards) shards leaves one sample to a shard and one position to a channel: nothing would be learnt; "
                + (batch > 1 ? "set shards to at most \(batch / 2), or " : "")
                + "take batches of at least \(2 * shards) samples, larger images, or another normalization"
        case .singleValue(let node, _, _, false):
            "node '\(node)' normalizes over one value of one sample: nothing would be learnt; "
                + "take more channels in a group, larger images, or another normalization"
        }
    }

    private static func list(_ values: [Float]) -> String {
        values.map { "\($0)" }.joined(separator: ", ")
    }
}
