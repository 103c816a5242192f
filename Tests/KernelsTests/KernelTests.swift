import Kernels
import Testing

@Suite struct KernelTests {
  static let pools = [1, 2, 3, 4].map { ThreadPool(threads: $0) }

  @Test(arguments: KernelCase.all)
  func agreesWithDoublePrecision(_ test: KernelCase) {
    let expected = test.reference()
    let difference = test.withOutputs(Self.pools[1]) {
      firstDifference($0, expected, absolute: test.absolute, relative: test.relative)
    }
    #expect(difference == nil)
  }

  @Test(arguments: KernelCase.all)
  func givesTheSameBitsForAnyThreadCount(_ test: KernelCase) {
    let bits = Self.pools.map { pool in
      test.withOutputs(pool) { $0.map(\.bits) }
    }
    for other in bits.dropFirst() { #expect(other == bits[0]) }
  }
}
