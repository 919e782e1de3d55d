import Foundation
import TestSupport
import Testing

/// Every kernel in a program of its own, which prints digests of the bits of its results.
@Suite("Kernels on every instruction set", .serialized)
struct InstructionSetTests {
    private func digests(_ set: String) throws -> ProgramResult {
        try Program.run("kernel-digests", [], environment: ["MERISTEM_INSTRUCTIONS": set])
    }

    @Test("the sets of this processor give the same bits")
    func sets() throws {
        let found = try ["avx512", "avx2", "neon"].map(digests).filter { $0.status == 0 }
        let first = try #require(found.first, "this processor has none of the sets that kernels are made for")
        #expect(first.output.split(separator: "\n").count > 100)
        for other in found.dropFirst() { #expect(other.output == first.output) }
        if found.count == 1 { print("not compared: this processor has one instruction set for kernels") }
    }

    @Test(
        "a set that is missing or misspelt is refused in a sentence",
        arguments: ["avx1024", "neon", "avx512"])
    func refusal(set: String) throws {
        let found = try digests(set)
        guard found.status != 0 else { return }
        #expect(found.status == 1 && !found.wasKilled)
        #expect(found.error.contains("MERISTEM_INSTRUCTIONS"))
    }

    @Test("another processor gives the same bits: arm64, in an emulator")
    func emulated() throws {
        #if arch(x86_64)
            let folder = TemporaryFolder()
            let sources = Program.packageFolder.appending(path: "Sources/CKernels").path
            let kernels = try FileManager.default.contentsOfDirectory(atPath: sources).sorted()
                .filter { $0.hasSuffix(".c") }.map { "\(sources)/\($0)" }
            let digests = Program.packageFolder.appending(path: "Tests/KernelDigests/main.c").path
            for needed in ["qemu-aarch64", "aarch64-linux-gnu-gcc", "clang"] {
                guard try Program.system("which", [needed]).status == 0 else {
                    return print("not compared with arm64: there is no \(needed)")
                }
            }
            let compiled = try Program.system(
                "clang",
                ["--target=aarch64-linux-gnu", "-O1", "-static", "-fuse-ld=lld", "-I\(sources)/include"]
                    + kernels
                    + [digests, "-ldl", "-lm", "-o", folder.path("digests")])
            try #require(compiled.status == 0, "\(compiled.error)")
            let found = try Program.system("qemu-aarch64", [folder.path("digests")])
            #expect(found.status == 0)
            let here = try Program.run("kernel-digests", [])
            #expect(found.output == here.output)
        #else
            print("not compared with another processor: there is no emulator of one for this one")
        #endif
    }
}
