internal import COneDNN

/// A kernel the library made for given shapes; used by one worker.
final class Primitive {
    private let primitive: Handle
    /// The name of the implementation, e.g. "jit:avx512_core".
    let implementation: String
    /// Elements of working memory it wants while it runs.
    let scratchCount: Int
    /// The argument's key, its memory object and its place in a call.
    private let memories: [(key: Int32, handle: Handle)]

    /// - Parameter arguments: the key and, from the primitive's description, the array of each argument.
    init(
        _ description: Handle, _ what: @autoclosure () -> String,
        arguments: [(key: Int32, array: MemoryDescriptor)]
    ) throws {
        var made: dnnl_primitive_t?
        try OneDNN.check(dnnl_primitive_create(&made, description.pointer), what())
        guard let made else { throw OneDNN.Refusal(status: dnnl_runtime_error, what: what()) }
        primitive = Handle(made) { _ = dnnl_primitive_destroy($0) }
        implementation = Self.implementation(of: description)
        let scratch = Self.array(of: description, dnnl_query_scratchpad_md)
        scratchCount = scratch?.count ?? 0
        var memories = try arguments.map { ($0.key, try Self.memory($0.array)) }
        if let scratch, scratchCount > 0 { memories.append((DNNL_ARG_SCRATCHPAD, try Self.memory(scratch))) }
        self.memories = memories
    }

    /// Runs it.
    ///
    /// - Parameters:
    ///   - arrays: one address per argument, in the order of `init`.
    ///   - scratch: `scratchCount` elements.
    func run(
        _ arrays: [UnsafeMutablePointer<Float>], scratch: UnsafeMutablePointer<Float>, _ stream: LibraryStream
    ) {
        precondition(
            arrays.count + (scratchCount > 0 ? 1 : 0) == memories.count, "arguments and addresses differ")
        var arguments: [dnnl_exec_arg_t] = []
        arguments.reserveCapacity(memories.count)
        for (place, memory) in memories.enumerated() {
            let address = place < arrays.count ? arrays[place] : scratch
            dnnl_memory_set_data_handle_v2(memory.handle.pointer, address, stream.handle.pointer)
            arguments.append(dnnl_exec_arg_t(arg: memory.key, memory: memory.handle.pointer))
        }
        let status = dnnl_primitive_execute(
            primitive.pointer, stream.handle.pointer, Int32(arguments.count), arguments)
        precondition(
            status == dnnl_success, "oneDNN failed to run \(implementation): status \(status.rawValue)")
    }

    private static func memory(_ array: MemoryDescriptor) throws -> Handle {
        var memory: dnnl_memory_t?
        try OneDNN.check(
            withUnsafePointer(to: array.raw) {
                dnnl_memory_create(&memory, $0, OneDNN.engine.pointer, nil)
            }, "an array's memory")
        guard let memory else { throw OneDNN.Refusal(status: dnnl_out_of_memory, what: "an array's memory") }
        return Handle(memory) { _ = dnnl_memory_destroy($0) }
    }

    /// The description of a primitive for an operation of the C interface.
    ///
    /// - Parameter hint: the forward pass that a backward pass belongs to.
    static func description(
        _ operation: UnsafeRawPointer, hint: Handle? = nil, _ what: @autoclosure () -> String
    ) throws -> Handle {
        var attributes: dnnl_primitive_attr_t?
        try OneDNN.check(dnnl_primitive_attr_create(&attributes), "attributes")
        defer { dnnl_primitive_attr_destroy(attributes) }
        try OneDNN.check(
            dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user), "attributes")
        var description: dnnl_primitive_desc_t?
        try OneDNN.check(
            dnnl_primitive_desc_create(
                &description, operation, attributes, OneDNN.engine.pointer, hint?.pointer), what())
        guard let description else { throw OneDNN.Refusal(status: dnnl_unimplemented, what: what()) }
        return Handle(description) { _ = dnnl_primitive_desc_destroy($0) }
    }

    static func implementation(of description: Handle) -> String {
        var name: UnsafePointer<CChar>?
        dnnl_primitive_desc_query(description.pointer, dnnl_query_impl_info_str, 0, &name)
        return name.map { String(cString: $0) } ?? "unknown"
    }

    /// An argument's array as the primitive wants it; nil where it has no such argument.
    static func array(of description: Handle, _ query: dnnl_query_t) -> MemoryDescriptor? {
        dnnl_primitive_desc_query_md(description.pointer, query, 0).map { MemoryDescriptor($0.pointee) }
    }
}

/// A copy from one order in memory to another.
final class Reorder {
    private let primitive: Primitive

    init(from source: MemoryDescriptor, to destination: MemoryDescriptor) throws {
        var attributes: dnnl_primitive_attr_t?
        try OneDNN.check(dnnl_primitive_attr_create(&attributes), "attributes")
        defer { dnnl_primitive_attr_destroy(attributes) }
        try OneDNN.check(
            dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user), "attributes")
        var description: dnnl_primitive_desc_t?
        try OneDNN.check(
            withUnsafePointer(to: source.raw) { from in
                withUnsafePointer(to: destination.raw) { to in
                    dnnl_reorder_primitive_desc_create(
                        &description, from, OneDNN.engine.pointer, to, OneDNN.engine.pointer, attributes)
                }
            }, "a reorder")
        guard let description else { throw OneDNN.Refusal(status: dnnl_unimplemented, what: "a reorder") }
        primitive = try Primitive(
            Handle(description) { _ = dnnl_primitive_desc_destroy($0) }, "a reorder",
            arguments: [(DNNL_ARG_FROM, source), (DNNL_ARG_TO, destination)])
    }

    var scratchCount: Int { primitive.scratchCount }

    func run(
        _ source: UnsafePointer<Float>, into destination: UnsafeMutablePointer<Float>,
        scratch: UnsafeMutablePointer<Float>, _ stream: LibraryStream
    ) {
        primitive.run([UnsafeMutablePointer(mutating: source), destination], scratch: scratch, stream)
    }
}
