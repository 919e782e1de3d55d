import Correlations
import Parameters

@testable import Growth

extension MethodParameters {
    /// Each method with all its defaults.
    static var all: [MethodParameters] { methods.all.map { MethodParameters(method: $0) } }

    /// The method of this name.
    init?(_ kind: String) {
        guard let method = Self.methods[kind] else { return nil }
        self.init(method: method)
    }

    /// Changes what the method has of these fields.
    mutating func set(taps: SiteGeometry.Scheme? = nil, ridge: Double? = nil, refit: Bool? = nil) {
        switch method {
        case var joint as TinyJoint:
            joint.taps = taps ?? joint.taps
            joint.ridge = ridge ?? joint.ridge
            joint.refit = refit ?? joint.refit
            method = joint
        case var tiny as Tiny:
            tiny.taps = taps ?? tiny.taps
            method = tiny
        case var fisher as Fisher:
            fisher.taps = taps ?? fisher.taps
            method = fisher
        case var gradMax as GradMax:
            gradMax.taps = taps ?? gradMax.taps
            method = gradMax
        default: break
        }
    }
}
