internal import COneDNN

/// What every use of oneDNN shares: its engine, and the check of its answers.
///
/// Primitives are made for one thread, on the thread that will run them or one with the same limit
/// (`Platform.useOneThread`), so that their bits do not depend on the number of cores.
enum OneDNN {
    /// An answer that says no.
    struct Refusal: Error, CustomStringConvertible {
        let status: dnnl_status_t
        let what: String

        var description: String { "oneDNN refused \(what): status \(status.rawValue)" }
    }

    static func check(_ status: dnnl_status_t, _ what: @autoclosure () -> String) throws {
        guard status == dnnl_success else { throw Refusal(status: status, what: what()) }
    }

    /// The processor; immutable, so that threads may share it.
    static let engine: Handle = {
        Platform.start()
        var engine: dnnl_engine_t?
        let status = dnnl_engine_create(&engine, dnnl_cpu, 0)
        guard status == dnnl_success, let engine else {
            preconditionFailure("oneDNN has no engine for this processor: status \(status.rawValue)")
        }
        return Handle(engine) { _ = dnnl_engine_destroy($0) }
    }()
}

/// Owns one of the library's objects.
final class Handle: @unchecked Sendable {
    // Safe to share: engines and descriptors are immutable; other objects are confined to one worker by their owners.
    let pointer: OpaquePointer
    private let destroy: @Sendable (OpaquePointer) -> Void

    init(_ pointer: OpaquePointer, destroy: @escaping @Sendable (OpaquePointer) -> Void) {
        self.pointer = pointer
        self.destroy = destroy
    }

    deinit { destroy(pointer) }
}

/// Where primitives are run in order; one per worker.
package final class LibraryStream {
    let handle: Handle

    package init() {
        var stream: dnnl_stream_t?
        let flags = dnnl_stream_flags_t(dnnl_stream_default_flags.rawValue)
        let status = dnnl_stream_create(&stream, OneDNN.engine.pointer, flags.rawValue)
        guard status == dnnl_success, let stream else {
            preconditionFailure("oneDNN has no stream: status \(status.rawValue)")
        }
        handle = Handle(stream) { _ = dnnl_stream_destroy($0) }
    }
}
