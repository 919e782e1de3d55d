internal import Foundation

/// Zeroed Float32 storage with a fixed address, owned once: what kernels and libraries work on.
///
/// Large buffers are aligned to 2 MiB and offered to the kernel as huge pages. Confine a buffer to one
/// worker, or order its users by a barrier: it does no locking of its own.
package final class AlignedBuffer: @unchecked Sendable {
    package let pointer: UnsafeMutablePointer<Float>
    package let count: Int

    package init(count: Int) {
        self.count = count
        let bytes = max(count, 1) * MemoryLayout<Float>.stride
        let huge = 2 << 20
        let alignment = bytes >= huge ? huge : 64
        let rounded = (bytes + alignment - 1) / alignment * alignment
        let raw = UnsafeMutableRawPointer.allocate(byteCount: rounded, alignment: alignment)
        if alignment == huge { madvise(raw, rounded, Int32(MADV_HUGEPAGE)) }
        memset(raw, 0, rounded)
        pointer = raw.bindMemory(to: Float.self, capacity: rounded / MemoryLayout<Float>.stride)
    }

    deinit { UnsafeMutableRawPointer(pointer).deallocate() }

    /// The elements as an array.
    package var values: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
}
