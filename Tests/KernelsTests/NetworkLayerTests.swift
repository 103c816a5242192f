import Kernels
import Testing

/// The convolutions of all networks: the list that is benchmarked, against plain loops.
@Suite struct NetworkLayerTests {
  @Test("dense convolutions of the networks", arguments: NetworkShapes.all.dense)
  func dense(_ shape: ConvolutionShape) {
    // Weights that leave sums over many channels no larger than those over 512, as those of networks.
    let most = shape.kernel * shape.kernel * max(shape.inputChannels, shape.outputChannels)
    let bound = min(1, (512 / Double(most)).squareRoot())
    var stored = KernelCase.convolution(shape, weightBound: bound)
    // What the sums may be off by changes a variance v by up to 2 √v times as much, or 1 + v times.
    stored.relative = stored.absolute
    check(stored)
    if shape.readsMaps { check(.normalizedConvolution(shape, weightBound: bound)) }
  }

  @Test("depthwise convolutions of the networks", arguments: NetworkShapes.all.depthwise)
  func depthwise(_ shape: ConvolutionShape) {
    for isGated in [false, true] { check(.depthwise(shape, isGated: isGated)) }
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
