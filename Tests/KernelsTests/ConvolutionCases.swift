import Kernels

extension KernelCase {
  /// A dense convolution: forward, both gradients, and both together: accumulating, and with the input's
  /// gradient in the input's place.
  static func convolution(_ shape: ConvolutionShape, weightBound: Double = 1) -> KernelCase {
    let input = uniform(shape.inputCount, seed: 1)
    let weight = uniform(shape.weightCount, seed: 2, -weightBound, weightBound)
    let gradient = uniform(shape.outputCount, seed: 3)
    let before = uniform(shape.inputCount, seed: 4)
    return KernelCase(
      name: "convolution \(describe(shape))", absolute: tolerance(shape, 4e-5),
      run: { pool, memory in
        let plan = Convolution(shape, pool: pool)
        let (x, w, dy) = (memory.floats(input), memory.floats(weight), memory.floats(gradient))
        let output = memory.unset(shape.outputCount)
        let inputGradient = memory.unset(shape.inputCount)
        let (accumulated, replaced) = (memory.floats(before), memory.floats(input))
        let weightGradients = (0..<3).map { _ in memory.unset(shape.weightCount) }
        let (mean, variance) = (
          memory.unset(shape.outputChannels), memory.unset(shape.outputChannels)
        )
        plan.forward(
          input: .stored(x.reading), weight: w.reading, output: output.base, mean: mean.base,
          variance: variance.base, scratch: NormScratch(count: plan.momentFloats))
        plan.backwardInput(
          outputGradient: dy.reading, weight: w.reading, inputGradient: inputGradient.base,
          accumulate: false)
        plan.backwardInput(
          outputGradient: dy.reading, weight: w.reading, inputGradient: accumulated.base,
          accumulate: true, weightGradient: (.stored(x.reading), weightGradients[0].base))
        plan.backwardInput(
          outputGradient: dy.reading, weight: w.reading, inputGradient: replaced.base,
          accumulate: false, weightGradient: (.stored(replaced.reading), weightGradients[1].base))
        plan.backwardWeight(
          input: .stored(x.reading), outputGradient: .stored(dy.reading),
          weightGradient: weightGradients[2].base)
        return [output, mean, variance, inputGradient, accumulated, replaced] + weightGradients
      },
      reference: {
        var output = [Double](repeating: 0, count: shape.outputCount)
        var inputGradient = [Double](repeating: 0, count: shape.inputCount)
        var weightGradient = [Double](repeating: 0, count: shape.weightCount)
        let (inputs, outputs) = (shape.inputChannels, shape.outputChannels)
        forEachTap(shape) { x, tap, y in
          for c in 0..<inputs {
            let value = Double(input[x * inputs + c])
            var sum = 0.0
            for k in 0..<outputs {
              let (wi, yi) = ((tap * inputs + c) * outputs + k, y * outputs + k)
              output[yi] += value * Double(weight[wi])
              sum += Double(gradient[yi]) * Double(weight[wi])
              weightGradient[wi] += value * Double(gradient[yi])
            }
            inputGradient[x * inputs + c] += sum
          }
        }
        let accumulated = zip(inputGradient, before).map { $0 + Double($1) }
        let (mean, variance) = momentsReference(output, channels: outputs)
        return [output, mean, variance, inputGradient, accumulated, inputGradient]
          + Array(repeating: weightGradient, count: 3)
      })
  }

  /// A convolution with packed, scaled weights and an epilogue, then the pair with a 1x1 convolution.
  static func foldedConvolution(_ shape: ConvolutionShape) -> KernelCase {
    let (inputs, outputs, last) = (shape.inputChannels, shape.outputChannels, 20)
    let pixels = shape.outputCount / outputs
    let input = uniform(shape.inputCount, seed: 11)
    let weight = uniform(shape.weightCount, seed: 12)
    let scale = uniform(outputs, seed: 13)
    let shift = uniform(outputs, seed: 14)
    let residual = uniform(shape.outputCount, seed: 15)
    let lastWeight = uniform(outputs * last, seed: 16)
    let lastShift = uniform(last, seed: 17)
    let lastResidual = uniform(pixels * last, seed: 18)
    return KernelCase(
      name: "folded convolution \(describe(shape))", absolute: tolerance(shape, 1e-4),
      run: { pool, memory in
        let plan = Convolution(shape, pool: pool, isTrained: false)
        let second = Convolution(
          ConvolutionShape(
            batch: shape.batch, inputHeight: shape.outputHeight, inputWidth: shape.outputWidth,
            inputChannels: outputs, outputHeight: shape.outputHeight,
            outputWidth: shape.outputWidth, outputChannels: last, kernel: 1, stride: 1, padTop: 0,
            padLeft: 0), pool: pool, isTrained: false)
        let (x, ones) = (memory.floats(input), memory.floats([Float](repeating: 1, count: last)))
        let packed = memory.unset(plan.packedCount)
        let lastPacked = memory.unset(second.packedCount)
        plan.pack(
          memory.floats(weight).reading, scale: memory.floats(scale).reading, into: packed.base)
        second.pack(
          memory.floats(lastWeight).reading, scale: ones.reading, into: lastPacked.base)
        let shifts = memory.floats(shift).reading
        let output = memory.unset(shape.outputCount)
        plan.forward(
          input: x.reading, packed: packed.reading,
          epilogue: Epilogue(
            shift: shifts, activation: .silu, residual: memory.floats(residual).reading),
          output: output.base)
        let paired = memory.unset(pixels * last)
        ConvolutionPair(plan, second).forward(
          input: x.reading, first: packed.reading, Epilogue(shift: shifts, activation: .silu),
          second: lastPacked.reading,
          Epilogue(
            shift: memory.floats(lastShift).reading, activation: .identity,
            residual: memory.floats(lastResidual).reading), output: paired.base)
        return [output, paired]
      },
      reference: {
        var sums = [Double](repeating: 0, count: shape.outputCount)
        forEachTap(shape) { x, tap, y in
          for c in 0..<inputs {
            for k in 0..<outputs {
              sums[y * outputs + k] +=
                Double(input[x * inputs + c]) * Double(weight[(tap * inputs + c) * outputs + k])
            }
          }
        }
        let middle = sums.indices.map { index in
          let k = index % outputs
          return activationReference(.silu, sums[index] * Double(scale[k]) + Double(shift[k])).0
        }
        let paired = (0..<pixels * last).map { index in
          let (pixel, k) = (index / last, index % last)
          return (0..<outputs).reduce(Double(lastShift[k]) + Double(lastResidual[index])) {
            $0 + middle[pixel * outputs + $1] * Double(lastWeight[$1 * last + k])
          }
        }
        return [zip(middle, residual).map { $0 + Double($1) }, paired]
      })
  }
}

/// Calls `body` with (input pixel, tap, output pixel) for every pair that a convolution joins.
func forEachTap(_ s: ConvolutionShape, _ body: (Int, Int, Int) -> Void) {
  for image in 0..<s.batch {
    for row in 0..<s.outputHeight {
      for column in 0..<s.outputWidth {
        for tap in 0..<s.kernel * s.kernel {
          let y = row * s.stride - s.padTop + tap / s.kernel
          let x = column * s.stride - s.padLeft + tap % s.kernel
          guard y >= 0, y < s.inputHeight, x >= 0, x < s.inputWidth else { continue }
          body(
            (image * s.inputHeight + y) * s.inputWidth + x, tap,
            (image * s.outputHeight + row) * s.outputWidth + column)
        }
      }
    }
  }
}

/// What sums of up to 2,048 products may be off by, and more in proportion to the longest; three
/// times as much where they are computed by tiles: the points' powers, up to (3/2)³ and 2³, go into
/// them and out again.
private func tolerance(_ s: ConvolutionShape, _ plain: Double) -> Double {
  let taps = s.kernel * s.kernel
  let longest = max(
    s.outputCount / s.outputChannels, taps * s.inputChannels, taps * s.outputChannels)
  let isPhased =
    s.stride == 2 && s.inputChannels % 16 == 0 && s.outputChannels >= 32
    && s.inputHeight % 2 == 0 && s.inputWidth % 2 == 0
  let tiled: Double = s.kernel == 3 && (s.stride == 1 || isPhased) ? 3 : 1
  return plain * tiled * max(1, Double(longest) / 2_048)
}
