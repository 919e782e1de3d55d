// swift-tools-version: 6.2
import PackageDescription

// Modules stand floor by floor: a module imports only modules listed above it.

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// One stage: a thin executable, with the digest of its sources written in at build time.
func stage(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .executableTarget(
        name: name,
        dependencies: ["Stages", "Artifacts", "Parameters", "HDF5"] + dependencies
            + [.product(name: "ArgumentParser", package: "swift-argument-parser")],
        swiftSettings: strict,
        plugins: ["SourceDigest"])
}

func tests(
    _ name: String, folder: String? = nil, _ dependencies: [Target.Dependency], exclude: [String] = []
) -> Target {
    .testTarget(
        name: name, dependencies: dependencies + ["TestSupport"], path: "Tests/\(folder ?? name)",
        exclude: exclude, swiftSettings: strict)
}

let package = Package(
    name: "meristem",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2")
    ],
    targets: [
        // Floor 0: C libraries.
        .systemLibrary(name: "CHDF5", pkgConfig: "hdf5", providers: [.apt(["libhdf5-dev"])]),
        .systemLibrary(
            name: "CBLAS", pkgConfig: "openblas",
            providers: [.apt(["libopenblas-openmp-dev", "liblapacke-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CLZMA", pkgConfig: "liblzma", providers: [.apt(["liblzma-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        // The arithmetic of networks, compiled once per instruction set; Swift reaches only SSE without unsafe flags.
        // Optimised in debug builds too: without, a convolution of 16 channels takes 39 times as long, a normalisation 17 times,
        // and the tests of networks with them.
        .target(
            name: "CKernels", cSettings: [.unsafeFlags(["-O2"], .when(configuration: .debug))]),

        // Floor 1
        // The one file-system layer, and the one SHA-256.
        library("Files", ["CCrypto"]),
        library("HDF5", ["CHDF5"]),
        library("Tensors", ["CBLAS", "CKernels"]),
        library("Parameters", ["Files", "CYAML"]),

        // Floor 2
        // Sums over samples and positions; knows no networks and no growth.
        library("Correlations", ["Tensors", "CKernels"]),
        // What the papers write in formulas, in Float64 matrices; knows no networks.
        library("GrowthMath", ["Correlations", "Tensors"]),
        library("Artifacts", ["HDF5", "Parameters", "Files"]),
        library("Datasets", ["HDF5", "Tensors", "Parameters", "Files", "CZlib", "CLZMA"]),
        library("Networks", ["HDF5", "Tensors", "Parameters", "CKernels"]),

        // Floor 3
        library("Training", ["Networks", "Datasets", "Tensors", "Parameters", "HDF5", "CKernels"]),
        library(
            "Growth",
            [
                "GrowthMath", "Correlations", "Training", "Networks", "Datasets", "Tensors", "Parameters",
                "HDF5", "CKernels",
            ]),

        // Floor 4
        library(
            "Pipelines",
            ["Growth", "Training", "Networks", "Datasets", "Artifacts", "Parameters", "Files"]),
        library("Reports", ["Growth", "Training", "Networks", "Artifacts", "HDF5", "Parameters", "Files"]),

        // Floor 5
        // Knows no science: what a stage depends on is in its key, and a new growth method must not train seeds anew.
        library(
            "Stages",
            [
                "Artifacts", "HDF5", "Parameters", "Tensors", "Files",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        // Floor 6: one executable per stage.
        stage("load-dataset", ["Datasets", "Files"]),
        stage("train-seed", ["Training", "Networks", "Datasets"]),
        stage("compute-bottlenecks", ["Growth", "Networks", "Datasets"]),
        stage("grow", ["Growth", "Networks", "Datasets"]),
        stage("fine-tune", ["Training", "Networks", "Datasets"]),
        stage("evaluate", ["Training", "Networks", "Datasets"]),
        stage("report", ["Reports"]),
        stage("plan", ["Pipelines"]),
        stage("artifact", ["Reports", "Files"]),

        // The digest of a target's sources, part of every step's key.
        .executableTarget(
            name: "source-digest", dependencies: ["Files"], path: "Plugins/source-digest",
            swiftSettings: strict),
        .plugin(
            name: "SourceDigest", capability: .buildTool(), dependencies: ["source-digest"],
            path: "Plugins/SourceDigest"),

        // Tests
        .target(
            name: "TestSupport", dependencies: ["HDF5"], path: "Tests/TestSupport", swiftSettings: strict),
        tests("HDF5Tests", ["HDF5"]),
        tests("ParametersTests", ["Parameters", "Files"]),
        .executableTarget(name: "kernel-digests", dependencies: ["CKernels"], path: "Tests/KernelDigests"),
        tests("TensorsTests", ["Tensors", "CKernels", "kernel-digests"]),
        tests("ArtifactsTests", ["Artifacts", "HDF5", "Files"]),
        tests("DatasetsTests", ["Datasets", "HDF5", "Parameters", "Files", "CLZMA"]),
        tests("NetworksTests", ["Networks", "Tensors", "HDF5", "CKernels"]),
        tests("TrainingTests", ["Training", "Networks", "Datasets", "Tensors", "Parameters"]),
        // The definitions of statistics, written out in Float64 for tests alone.
        .target(
            name: "GrowthReference", dependencies: ["GrowthMath", "Correlations", "Tensors"],
            path: "Tests/GrowthReference", swiftSettings: strict),
        tests("CorrelationsTests", ["Correlations", "GrowthReference", "Tensors"]),
        tests("GrowthMathTests", ["GrowthMath", "Tensors"]),
        tests(
            "GrowthTests",
            [
                "Growth", "GrowthMath", "GrowthReference", "Correlations", "Training", "Networks", "Datasets",
                "Tensors", "HDF5", "CKernels",
            ]),
        tests("PipelinesTests", ["Pipelines", "Artifacts", "Parameters", "HDF5", "Files"]),
        tests("ReportsTests", ["Reports", "Artifacts", "HDF5", "Files"]),
        tests(
            "InteropTests", folder: "Interop",
            ["Training", "Networks", "Tensors", "Artifacts", "HDF5", "Parameters"],
            exclude: ["torch_network.py", "compare.py"]),
        tests("StageTests", ["HDF5", "Artifacts", "Files"]),
        tests("PipelineTests", ["Artifacts", "Files"]),
    ]
)

// Benchmarks are built on demand only, from the same build folder: `make bench`.
if Context.environment["MERISTEM_BENCHMARKS"] != nil {
    package.targets += [
        // Reads the kernels' headers, so that the peak is that of their instruction set.
        .target(
            name: "CPeak", dependencies: ["CKernels"], path: "Benchmarks/peak",
            cSettings: [.headerSearchPath(".")]),
        .executableTarget(
            name: "benchmarks",
            dependencies: [
                "CKernels", "CPeak",
                "Growth", "GrowthMath", "Correlations", "Training", "Networks", "Datasets", "Parameters",
                "Tensors",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Benchmarks/benchmarks", swiftSettings: strict),
    ]
}

// So is what reads changed artifacts: `make fuzz`.
if Context.environment["MERISTEM_FUZZ"] != nil {
    package.targets.append(
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "Reports", "Growth", "Training", "Networks", "Datasets", "Artifacts", "Parameters", "HDF5",
                "TestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Fuzz/fuzz", swiftSettings: strict))
}
