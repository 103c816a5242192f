// swift-tools-version: 6.2
import PackageDescription

/// The instruction set the kernels are compiled for: the machine that builds, unless the user
/// names another level (`x86-64-v3`, `x86-64-v4`), for a binary that is to run elsewhere.
let architecture = Context.environment["WORKBENCH_ARCH"] ?? "native"

/// Settings of every Swift target. Language mode 6 comes with the tools version.
let swiftSettings: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

/// The kernels are optimised in debug builds too, so that tests stay quick; the unroll threshold
/// lets LLVM unroll the largest microkernel tiles, without which they spill to memory.
let kernelSettings: [SwiftSetting] = [
  .unsafeFlags([
    "-O", "-wmo", "-num-threads", "2", "-Xcc", "-march=\(architecture)",
    "-Xllvm", "-unroll-threshold=1000",
  ])
]

let package = Package(
  name: "workbench",
  products: [.executable(name: "workbench", targets: ["Workbench"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    // Compute, engine, language, program: each may import only what stands before it.
    .target(
      name: "Kernels", dependencies: ["COpenBLAS", "CProcessor"], swiftSettings: kernelSettings),
    .target(
      name: "Model", dependencies: ["Kernels", "CImageCodecs", "CDigest", "CZlib", "EmbeddedData"]),
    .target(name: "DSL"),
    .executableTarget(
      name: "Workbench",
      dependencies: [
        "Model", "DSL", "CProcessor", "CReadline", "GnuplotStream",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    // C and C++ libraries behind one thin module each.
    .systemLibrary(name: "COpenBLAS", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CDigest", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),
    .target(
      name: "CImageCodecs",
      linkerSettings: [.linkedLibrary("jpeg"), .linkedLibrary("png")]),
    // Compiled for any processor of the architecture: it finds out what this one can do.
    .target(name: "CProcessor"),
    .target(name: "CReadline", linkerSettings: [.linkedLibrary("readline")]),
    .target(
      name: "GnuplotStream",
      linkerSettings: [
        .linkedLibrary("boost_iostreams"), .linkedLibrary("boost_filesystem"),
        .linkedLibrary("boost_system"), .linkedLibrary("stdc++"),
      ]),
    .target(name: "EmbeddedData", exclude: ["data"]),

    // It tests the layers of the networks that Model lists.
    .testTarget(name: "KernelsTests", dependencies: ["Kernels", "Model"]),
    .testTarget(name: "ModelTests", dependencies: ["Model", "Kernels"]),
    .testTarget(name: "DSLTests", dependencies: ["DSL"]),
    .testTarget(
      name: "WorkbenchTests", dependencies: ["Workbench", "DSL", "Model", "Kernels", "CProcessor"]),
  ],
  cxxLanguageStandard: .cxx17
)

let swiftTargetTypes: [Target.TargetType] = [.regular, .executable, .test]
let cTargets: Set = ["CImageCodecs", "CReadline", "GnuplotStream", "EmbeddedData", "CProcessor"]
for target in package.targets
where swiftTargetTypes.contains(target.type) && !cTargets.contains(target.name) {
  target.swiftSettings = swiftSettings + (target.swiftSettings ?? [])
}
