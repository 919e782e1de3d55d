internal import COneDNN

/// Extents and order of an array of Float32 in memory.
struct MemoryDescriptor {
    private(set) var raw: dnnl_memory_desc_t

    init(_ raw: dnnl_memory_desc_t) { self.raw = raw }

    /// - Parameter tag: the order; `dnnl_format_tag_any` lets a primitive choose.
    init(_ extents: [Int], _ tag: dnnl_format_tag_t) throws {
        var raw = dnnl_memory_desc_t()
        let dimensions = extents.map { dnnl_dim_t($0) }
        try OneDNN.check(
            dnnl_memory_desc_init_by_tag(&raw, Int32(extents.count), dimensions, dnnl_f32, tag),
            "an array of \(extents)")
        self.raw = raw
    }

    /// Elements, the library's padding included.
    var count: Int {
        withUnsafePointer(to: raw) { dnnl_memory_desc_get_size($0) } / MemoryLayout<Float>.stride
    }

    /// The same memory seen as an array of smaller extents, the rest being padding.
    ///
    /// A copy into it fills the padding with zeros.
    func cut(to extents: [Int]) -> MemoryDescriptor {
        var smaller = raw
        withUnsafeMutableBytes(of: &smaller.dims) { bytes in
            let dimensions = bytes.bindMemory(to: dnnl_dim_t.self)
            for (place, extent) in extents.enumerated() { dimensions[place] = dnnl_dim_t(extent) }
        }
        return MemoryDescriptor(smaller)
    }

    func isEqual(to other: MemoryDescriptor) -> Bool {
        withUnsafePointer(to: raw) { left in
            withUnsafePointer(to: other.raw) { dnnl_memory_desc_equal(left, $0) != 0 }
        }
    }
}
