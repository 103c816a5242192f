import Kernels
import Testing

/// The weights' gradients from a norm's gradient that is computed where it is read, against those from
/// one that was stored before: the same bits.
@Suite struct ComputedGradientTests {
  static let shapes = (raggedShapes + NetworkShapes.all.dense.filter { $0.inputChannels == 3 })
    .filter { Convolution($0, pool: KernelTests.pools[1]).takesComputedGradient }

  @Test("computed and stored", arguments: [Activation.identity, .silu, .sigmoid])
  func equalsStored(activation: Activation) {
    for (index, shape) in Self.shapes.enumerated() {
      let pool = KernelTests.pools[index % KernelTests.pools.count]
      let convolution = Convolution(shape, pool: pool)
      let memory = TestMemory()
      let (rows, channels) = (shape.outputCount / shape.outputChannels, shape.outputChannels)
      let norm = NormValues(channels).parameters(memory)
      let input = memory.floats(uniform(shape.inputCount, seed: 51))
      let x = memory.floats(uniform(shape.outputCount, seed: 52, -3, 5))
      let dy = memory.floats(uniform(shape.outputCount, seed: 53))
      let scratch = NormScratch(
        count: GradientSums.count(
          parts: batchNormParts(rows: rows, channels: channels), channels: channels))
      let sums = (0..<4).map { _ in memory.floats(uniform(channels, seed: 54)) }

      let stored = memory.unset(shape.outputCount)
      batchNormBackward(
        x.reading, outputGradient: dy.reading, rows: rows, channels: channels, norm: norm,
        activation: activation, inputGradient: stored.base, gammaGradient: sums[0].base,
        betaGradient: sums[1].base, totals: memory.unset(2 * channels).base, scratch: scratch,
        pool: pool)
      let expected = memory.unset(shape.weightCount)
      convolution.backwardWeight(
        input: .stored(input.reading), outputGradient: .stored(stored.reading),
        weightGradient: expected.base)

      let gradient = batchNormGradient(
        x.reading, outputGradient: dy.reading, rows: rows, channels: channels, norm: norm,
        activation: activation, gammaGradient: sums[2].base, betaGradient: sums[3].base,
        totals: memory.unset(2 * channels).base, scratch: scratch, pool: pool)
      let computed = memory.unset(shape.weightCount)
      convolution.backwardWeight(
        input: .stored(input.reading), outputGradient: .computed(gradient),
        weightGradient: computed.base)

      #expect(computed.bits == expected.bits, "\(shape)")
      #expect(expected.values.allSatisfy { !$0.isNaN }, "\(shape)")
      #expect(sums[2].bits == sums[0].bits && sums[3].bits == sums[1].bits)
      #expect(computed.isIntact && x.isIntact && dy.isIntact)
    }
  }

  @Test("stems compute it")
  func stemsTakeIt() {
    #expect(Self.shapes.contains { $0.inputChannels == 3 && $0.outputChannels % 16 == 8 })
    #expect(Self.shapes.contains { $0.inputChannels == 3 && $0.outputChannels % 16 == 0 })
  }
}
