internal import CBLAS
internal import CKernels

/// The numeric libraries that decide the bits of a result.
package enum Platform {
    /// Names what may change bits: the library of the statistics' products and factorisations with the kernels that it chose
    /// for this processor, and the library of elementary functions.
    ///
    /// Kernels of networks are not among it: their bits are the same on every instruction set. Part of every step's key. Call
    /// `start()` first.
    package static var identifier: String {
        "OpenBLAS \(openBLASVersion) \(openBLASCore); libm \(mathLibrary)"
    }

    /// The libraries by name and version, and the kernels' instruction set, for run records.
    package static var libraries: [String: String] {
        ["OpenBLAS": openBLASVersion, "libm": mathLibrary, "kernels": instructionSet]
    }

    /// The instruction set that kernels run on.
    package static var instructionSet: String {
        switch Int(kernels_instruction_set_level()) {
        case Int(INSTRUCTIONS_AVX512): "avx512"
        case Int(INSTRUCTIONS_AVX2): "avx2"
        case Int(INSTRUCTIONS_NEON): "neon"
        default: "none"
        }
    }

    /// What is missing to run here.
    package struct Missing: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    /// Makes the libraries use one thread; CKernels has chosen its kernels before main.
    ///
    /// Idempotent. Call it once on the main thread before the first pass of a network or product.
    /// - Throws: `Missing` where this processor lacks the instructions that kernels need, or those that were asked for.
    package static func start() throws {
        if let missing = kernels_instructions_missing() {
            throw Missing(description: String(cString: missing))
        }
        useOneThread()
    }

    /// Makes library calls from the calling thread run on that thread alone.
    ///
    /// Results then do not depend on the number of cores: between thread counts the library's bits differ.
    package static func useOneThread() { openblas_set_num_threads(1) }

    private static var openBLASVersion: String {
        // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH ...": the second word.
        let words = String(cString: openblas_get_config()).split(separator: " ")
        return words.count > 1 ? String(words[1]) : "unknown"
    }

    private static var mathLibrary: String { String(cString: kernels_math_library()) }

    private static var openBLASCore: String { String(cString: openblas_get_corename()) }
}
