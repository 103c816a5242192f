import Kernels
import Testing

/// The convolutions of all networks: the list that is benchmarked, against plain loops.
@Suite struct NetworkLayerTests {
  @Test("dense convolutions of the networks", arguments: NetworkShapes.all.dense)
  func dense(_ shape: ConvolutionShape) {
    for test in KernelCase.convolutions(shape) { check(test) }
  }

  @Test("depthwise convolutions of the networks", arguments: NetworkShapes.all.depthwise)
  func depthwise(_ shape: ConvolutionShape) {
    check(.depthwise(shape))
  }

  /// Forward and gradients against double precision, with the same bits from one thread and three.
  private func check(_ test: KernelCase) {
    let expected = test.reference()
    let (bits, difference) = test.withOutputs(KernelTests.pools[2]) { outputs in
      let difference = firstDifference(
        outputs, expected, absolute: test.absolute, relative: test.relative)
      return (outputs.map(\.bits), difference)
    }
    #expect(difference == nil, "\(test.name)")
    let alone = test.withOutputs(KernelTests.pools[0]) { $0.map(\.bits) }
    #expect(alone == bits, "\(test.name)")
  }
}
