import Kernels
import Testing

@testable import Model

/// The kernels that `bench kernels` times.
@Suite struct KernelBenchmarkTests {
  @Test(
    "every kernel of a network has its row, with the bytes of the map the network computes most",
    arguments: [
      ("tf_efficientnetv2_b0", "gradient of gate", 2 * 16 * 672),
      ("vit_tiny_patch16_224", "layer norm", 2 * (2 * 2 + 1) * 192),
    ])
  func rows(name: String, kernel: String, floats: Int) throws {
    let pool = ThreadPool(threads: 2)
    let blueprint = try Blueprint(Variant.named(name), classCount: 10)
    let isTransformer = name.hasPrefix("vit")
    let benchmark = try KernelBenchmark(
      blueprint, batch: 2, inputSize: isTransformer ? 32 : 64, pool: pool)
    let names = benchmark.kernels.map(\.name)
    #expect(Set(names).count == names.count)
    #expect(names.contains("attention") == isTransformer)
    #expect(names.contains("SGD with momentum") && names.contains("cross entropy"))
    let found = try #require(benchmark.kernels.first { $0.name == kernel })
    #expect(found.bytes == 2 * floats * MemoryLayout<Float>.stride, "\(found.subject)")
    for kernel in benchmark.kernels {
      #expect(kernel.run() > 0)
      #expect((kernel.operations > 0) == kernel.name.hasPrefix("attention"))
    }
  }

  @Test(
    "batches that no machine holds are refused",
    arguments: ["tf_efficientnetv2_b0", "vit_tiny_patch16_224"])
  func refusals(name: String) throws {
    let blueprint = try Blueprint(Variant.named(name), classCount: 10)
    let pool = ThreadPool(threads: 1)
    #expect(throws: ArchitectureError.self) {
      try KernelBenchmark(blueprint, batch: 65_536, inputSize: 4_096, pool: pool)
    }
    #expect(throws: ArchitectureError.self) {
      try blueprint.convolutionCases(batch: 65_536, inputSize: 4_096)
    }
  }
}
