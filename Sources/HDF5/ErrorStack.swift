import CHDF5
import Foundation

/// What libhdf5 recorded about its last failure.
enum ErrorStack {
    /// The recorded sentences, outermost first, as one line; repeated ones are left out.
    static func summary() -> String {
        var sentences: [String] = []
        _ = withUnsafeMutablePointer(to: &sentences) { context in
            H5Ewalk2(
                chdf5_error_stack(), H5E_WALK_DOWNWARD,
                { _, entry, context in
                    guard let text = entry?.pointee.desc, let context else { return 0 }
                    let sentence = String(cString: text)
                    context.withMemoryRebound(to: [String].self, capacity: 1) { sentences in
                        if !sentences.pointee.contains(sentence) { sentences.pointee.append(sentence) }
                    }
                    return 0
                }, context)
        }
        return sentences.isEmpty ? "libhdf5 gives no reason" : shorten(sentences)
    }

    /// An error of the operating system is the reason by itself; otherwise the whole chain is told.
    private static func shorten(_ sentences: [String]) -> String {
        let marker = "error message = '"
        for sentence in sentences {
            guard let start = sentence.range(of: marker)?.upperBound,
                let end = sentence[start...].firstIndex(of: "'")
            else { continue }
            return String(sentence[start..<end])
        }
        return sentences.joined(separator: ": ")
    }
}
