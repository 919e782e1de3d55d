internal import CKernels
internal import Foundation
package import Parameters

/// Adam with decoupled weight decay (Loshchilov and Hutter, 2019): rate λ w is subtracted.
package struct AdamW: OptimizerRule {
    package static let kind = "adamw"
    package static let slots = ["first_moment", "second_moment"]
    package static let countsUpdates = true

    package var beta1 = 0.9
    package var beta2 = 0.999
    package var epsilon = 1e-8

    package static let schema = Schema(
        Self(),
        .field("beta1", \.beta1, .real(in: 0...0.99999), "memory of the gradient"),
        .field("beta2", \.beta2, .real(in: 0...0.999999), "memory of its square"),
        .field("epsilon", \.epsilon, .real(in: 1e-30...1), "added to the denominator"))

    package func update(rate: Float, decay: Float, count: Int) -> (ParameterStretch) -> Void {
        // Moments that began at zero are too small by 1 − βᵗ. The kernel works with the betas as Float32, so the corrections
        // must be those of the same numbers.
        let (beta1, beta2) = (Float(beta1), Float(beta2))
        let first = Float(1 - pow(Double(beta1), Double(count)))
        let second = Float(1 - pow(Double(beta2), Double(count)))
        return {
            optimizer_adamw(
                $0.weights, $0.slot(0), $0.slot(1), $0.gradient, $0.count, rate, beta1, beta2, Float(epsilon),
                decay, first, second)
        }
    }
}
