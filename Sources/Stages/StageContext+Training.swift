internal import Foundation
internal import Networks
package import Training

extension StageContext {
    /// Training with the stage's threads, telling its progress.
    package var trainingEnvironment: TrainingEnvironment {
        let progress = progress
        return TrainingEnvironment(threads: threads) { state in
            let epoch = state.epoch
            let note = epoch.map { String(format: "loss %.4f", $0.loss) } ?? ""
            progress.update(done: state.done, of: state.total, unit: "samples", note: note)
            guard let epoch, state.isEpochEnd else { return }
            let validation = epoch.validationAccuracy.map { String(format: ", validation accuracy %.4f", $0) } ?? ""
            progress.line(
                String(
                    format: "%d of %d samples: loss %.4f, accuracy %.4f", state.done, state.total, epoch.loss,
                    epoch.accuracy) + validation)
        }
    }
}
