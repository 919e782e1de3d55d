internal import Foundation

/// Zeroed Float32 storage with a fixed address, owned once: what kernels and libraries work on.
///
/// Large buffers are aligned to 2 MiB and offered to the kernel as huge pages. They are mapped and unmapped on their own, so
/// that what is freed is given back at once, and pages that are never written cost nothing. Confine a buffer to one worker,
/// or order its users by phases: it does no locking of its own.
package final class AlignedBuffer: @unchecked Sendable {
    package let pointer: UnsafeMutablePointer<Float>
    package let count: Int
    /// The whole mapping of a large buffer.
    private let mapping: UnsafeMutableRawBufferPointer?

    private static let hugePage = 2 << 20

    package init(count: Int) {
        self.count = count
        let bytes = max(count, 1) * MemoryLayout<Float>.stride
        if let mapping = AlignedBuffer.map(bytes), let base = mapping.baseAddress {
            self.mapping = mapping
            let start = base.alignedUp(toMultipleOf: Self.hugePage)
            pointer = start.bindMemory(to: Float.self, capacity: bytes / MemoryLayout<Float>.stride)
            return
        }
        mapping = nil
        let rounded = (bytes + 63) / 64 * 64
        let raw = UnsafeMutableRawPointer.allocate(byteCount: rounded, alignment: 64)
        memset(raw, 0, rounded)
        pointer = raw.bindMemory(to: Float.self, capacity: rounded / MemoryLayout<Float>.stride)
    }

    /// Zeroed pages with room for `bytes` from a multiple of 2 MiB on; nil for small sizes, or where there are none.
    private static func map(_ bytes: Int) -> UnsafeMutableRawBufferPointer? {
        guard bytes >= hugePage else { return nil }
        let size = (bytes + hugePage - 1) / hugePage * hugePage + hugePage
        let found = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let found, found != MAP_FAILED else { return nil }
        madvise(found, size, Int32(MADV_HUGEPAGE))
        return UnsafeMutableRawBufferPointer(start: found, count: size)
    }

    deinit {
        if let mapping, let base = mapping.baseAddress {
            munmap(base, mapping.count)
        } else {
            UnsafeMutableRawPointer(pointer).deallocate()
        }
    }

    /// The elements as an array.
    package var values: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
}
