internal import CBLAS
internal import CKernels
internal import COneDNN

/// The numeric libraries and instruction set that decide the bits of a result.
package enum Platform {
    /// Names everything that may change the bits: kernel libraries, their versions and the kernels they chose.
    ///
    /// Part of every step's key. Call `start()` first.
    package static var identifier: String {
        start()
        return
            "oneDNN \(oneDNNVersion) \(oneDNNInstructionSet); OpenBLAS \(openBLASVersion) \(openBLASCore); "
            + "kernels x86-64-v\(kernels_instruction_set_level()); libm \(mathLibrary)"
    }

    /// The libraries by name and version, for run records.
    package static var libraries: [String: String] {
        ["oneDNN": oneDNNVersion, "OpenBLAS": openBLASVersion, "libm": mathLibrary]
    }

    /// Makes the libraries use one thread; CKernels has chosen the widest kernels of this machine before main.
    ///
    /// Idempotent. Call it once on the main thread before the first product.
    package static func start() { _ = started }

    private static let started: Void = useOneThread()

    /// Makes library calls from the calling thread run on that thread alone.
    ///
    /// Results then do not depend on the number of cores: between thread counts the libraries' bits differ.
    package static func useOneThread() {
        // The OpenMP flavour of OpenBLAS passes this to OpenMP, so it holds for oneDNN too.
        openblas_set_num_threads(1)
    }

    private static var oneDNNVersion: String {
        guard let version = dnnl_version()?.pointee else { return "unknown" }
        return "\(version.major).\(version.minor).\(version.patch)"
    }

    private static var oneDNNInstructionSet: String {
        switch dnnl_get_effective_cpu_isa() {
        case dnnl_cpu_isa_avx512_core: "avx512_core"
        case dnnl_cpu_isa_avx512_core_vnni: "avx512_core_vnni"
        case dnnl_cpu_isa_avx512_core_bf16: "avx512_core_bf16"
        case dnnl_cpu_isa_avx2: "avx2"
        case dnnl_cpu_isa_avx2_vnni: "avx2_vnni"
        case let other: "isa-\(other.rawValue)"
        }
    }

    private static var openBLASVersion: String {
        // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ...": the second word.
        let words = String(cString: openblas_get_config()).split(separator: " ")
        return words.count > 1 ? String(words[1]) : "unknown"
    }

    private static var mathLibrary: String { String(cString: kernels_math_library()) }

    private static var openBLASCore: String { String(cString: openblas_get_corename()) }
}
