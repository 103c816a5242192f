import Kernels

// The passes that compute a normalised map where it is read, against plain loops over a stored one.

extension KernelCase {
  /// A 1x1 convolution of a normalised map: forward with a gate and without, the gradient of the
  /// weights, and the gradient through the norm in front.
  static func normalizedConvolution(
    _ shape: ConvolutionShape, weightBound: Double = 1
  ) -> KernelCase {
    let (inputs, outputs) = (shape.inputChannels, shape.outputChannels)
    let spatial = shape.inputHeight * shape.inputWidth
    let rows = shape.batch * spatial
    let x = uniform(shape.inputCount, seed: 31, -3, 5)
    let weight = uniform(shape.weightCount, seed: 32, -weightBound, weightBound)
    let gradient = uniform(shape.outputCount, seed: 33)
    let gates = uniform(shape.batch * inputs, seed: 34)
    let norm = NormValues(inputs)
    let before = uniform(inputs, seed: 36)
    return KernelCase(
      // Sums over all rows of sums over all outputs, of numbers about 1.
      name: "normalised convolution \(describe(shape))",
      absolute: 1e-4 + 1e-8 * Double(rows * outputs), relative: 3e-5,
      run: { pool, memory in
        let plan = Convolution(shape, pool: pool)
        let scratch = NormScratch(
          count: max(
            plan.momentFloats, GradientSums.count(parts: plan.gradientParts, channels: inputs)))
        let (source, w, dy) = (memory.floats(x), memory.floats(weight), memory.floats(gradient))
        let gate = memory.floats(gates)
        let parameters = norm.parameters(memory)
        func map(_ gate: GuardedFloats?) -> NormalizedMap {
          NormalizedMap(
            x: source.reading, norm: parameters, activation: .silu, gate: gate?.reading,
            rowsPerImage: spatial)
        }
        var outputs: [GuardedFloats] = []
        for gate in [nil, gate] {
          let output = memory.unset(shape.outputCount)
          let mean = memory.unset(shape.outputChannels)
          let variance = memory.unset(shape.outputChannels)
          plan.forward(
            input: .normalized(map(gate)), weight: w.reading, output: output.base,
            mean: mean.base, variance: variance.base, scratch: scratch)
          let weightGradient = memory.unset(shape.weightCount)
          plan.backwardWeight(
            input: .normalized(map(gate)), outputGradient: .stored(dy.reading),
            weightGradient: weightGradient.base)
          outputs += [output, mean, variance, weightGradient]
        }
        let argument = memory.unset(shape.inputCount)
        let sums = GradientSums(scratch, parts: plan.gradientParts, channels: inputs)
        let weightGradient = memory.unset(shape.weightCount)
        plan.backwardInput(
          outputGradient: dy.reading, weight: w.reading, through: map(nil),
          argumentGradient: argument.base, sums: sums, weightGradient: weightGradient.base)
        let joined = norm.join(
          sums, parts: plan.gradientParts, rows: rows, before: before, memory)
        return outputs + [weightGradient, argument] + joined
      },
      reference: {
        var results: [[Double]] = []
        var inputGradient = [Double](repeating: 0, count: shape.inputCount)
        for isGated in [false, true] {
          var output = [Double](repeating: 0, count: shape.outputCount)
          var weightGradient = [Double](repeating: 0, count: shape.weightCount)
          inputGradient = inputGradient.map { _ in 0 }
          for row in 0..<rows {
            for c in 0..<inputs {
              var value = norm.value(x[row * inputs + c], c, .silu).0
              if isGated { value *= Double(gates[row / spatial * inputs + c]) }
              for k in 0..<outputs {
                let dy = Double(gradient[row * outputs + k])
                output[row * outputs + k] += value * Double(weight[c * outputs + k])
                weightGradient[c * outputs + k] += value * dy
                inputGradient[row * inputs + c] += dy * Double(weight[c * outputs + k])
              }
            }
          }
          let (mean, variance) = momentsReference(output, channels: outputs)
          results += [output, mean, variance, weightGradient]
        }
        let argument = inputGradient.indices.map {
          inputGradient[$0] * norm.value(x[$0], $0 % inputs, .silu).1
        }
        // Without a gate as in the first pass.
        return results + [results[3], argument] + norm.joined(argument, x: x, before: before)
      })
  }

  /// A depthwise convolution between two norms: forward with its moments; backward from the argument
  /// of the norm behind to that of the norm in front, also where the former is computed from the
  /// gradient of a gated map.
  static func depthwise(_ shape: ConvolutionShape, isGated: Bool) -> KernelCase {
    let channels = shape.inputChannels
    let taps = shape.kernel * shape.kernel
    let outputRows = shape.outputCount / channels
    let x = uniform(shape.inputCount, seed: 41, -3, 5)
    let y = uniform(shape.outputCount, seed: 42, -3, 5)
    let dz = uniform(shape.outputCount, seed: 43)
    let weight = uniform(taps * channels, seed: 44)
    let weightBefore = uniform(taps * channels, seed: 45)
    let totals = uniform(2 * channels, seed: 46)
    let before = uniform(channels, seed: 47)
    let gates = uniform(shape.batch * channels, seed: 48)
    let meanGradient = uniform(shape.batch * channels, seed: 49)
    let (front, behind) = (NormValues(channels), NormValues(channels, seed: 60))
    return KernelCase(
      name: "depthwise \(describe(shape))\(isGated ? ", gated" : "")",
      absolute: 5e-5 * max(1, Double(outputRows) / 400), relative: 3e-5,
      run: { pool, memory in
        let plan = DepthwiseConvolution(shape, pool: pool)
        let scratch = NormScratch(
          count: max(
            plan.momentFloats, GradientSums.count(parts: plan.gradientParts, channels: channels)))
        func map(_ x: [Float], _ norm: NormValues, _ rows: Int) -> NormalizedMap {
          NormalizedMap(
            x: memory.floats(x).reading, norm: norm.parameters(memory), activation: .silu,
            rowsPerImage: rows)
        }
        let w = memory.floats(weight)
        let input = map(x, front, shape.inputHeight * shape.inputWidth)
        let output = memory.unset(shape.outputCount)
        let (mean, variance) = (memory.unset(channels), memory.unset(channels))
        plan.forward(
          input: input, weight: w.reading, output: output.base, mean: mean.base,
          variance: variance.base, scratch: scratch)
        let weightGradient = memory.floats(weightBefore)
        let argument = memory.unset(shape.inputCount)
        let sums = GradientSums(scratch, parts: plan.gradientParts, channels: channels)
        let gradient = memory.floats(dz).reading
        plan.backward(
          input: input, weight: w.reading,
          output: map(y, behind, shape.outputHeight * shape.outputWidth),
          outputGradient: isGated
            ? .gated(
              gradient, gates: memory.floats(gates).reading,
              meanGradient: memory.floats(meanGradient).reading)
            : .stored(gradient),
          outputTotals: memory.floats(totals).reading, weightGradient: weightGradient.base,
          argumentGradient: argument.base, sums: sums)
        let joined = front.join(
          sums, parts: plan.gradientParts, rows: shape.inputCount / channels, before: before,
          memory)
        return [output, mean, variance, weightGradient, argument] + joined
      },
      reference: {
        var output = [Double](repeating: 0, count: shape.outputCount)
        var weightGradient = weightBefore.map(Double.init)
        var inputGradient = [Double](repeating: 0, count: shape.inputCount)
        let values = x.indices.map { front.value(x[$0], $0 % channels, .silu) }
        // The gradient of the convolution's result, through the norm behind it.
        let gradient = (0..<outputRows * channels).map { index in
          let c = index % channels
          var dz = Double(dz[index])
          if isGated {
            let pixels = outputRows / shape.batch
            let place = index / (pixels * channels) * channels + c
            dz = dz * Double(gates[place]) + Double(meanGradient[place]) / Double(pixels)
            dz *= behind.value(y[index], c, .silu).1
          }
          let centered =
            dz - Double(totals[c])
            - (Double(y[index]) - Double(behind.mean[c])) * Double(totals[channels + c])
          return centered * Double(behind.inverse[c]) * Double(behind.gamma[c])
        }
        forEachTap(shape) { x, tap, y in
          for c in 0..<channels {
            let (xi, wi, yi) = (x * channels + c, tap * channels + c, y * channels + c)
            output[yi] += values[xi].0 * Double(weight[wi])
            weightGradient[wi] += values[xi].0 * gradient[yi]
            inputGradient[xi] += gradient[yi] * Double(weight[wi])
          }
        }
        let argument = inputGradient.indices.map { inputGradient[$0] * values[$0].1 }
        let (mean, variance) = momentsReference(output, channels: channels)
        return [output, mean, variance, weightGradient, argument]
          + front.joined(argument, x: x, before: before)
      })
  }

  /// The mean over each image, the gradient of gates, and the way back to the norm's argument with
  /// gates and without.
  static let normalizedPooling: [KernelCase] = [
    (1, 1, 16), (2, 9, 24), (5, 49, 40), (17, 4, 6), (3, 600, 8), (33, 1, 136),
  ].map { batch, spatial, channels in
    let count = batch * spatial * channels
    let x = uniform(count, seed: 51, -3, 5)
    let gates = uniform(batch * channels, seed: 52)
    let gradient = uniform(count, seed: 53)
    let meanGradient = uniform(batch * channels, seed: 54)
    let before = uniform(channels, seed: 55)
    let norm = NormValues(channels)
    return KernelCase(
      name: "normalised pooling \(batch)x\(spatial)x\(channels)", absolute: 3e-5, relative: 3e-5,
      run: { pool, memory in
        let parameters = norm.parameters(memory)
        let source = memory.floats(x)
        let gate = memory.floats(gates)
        func map(_ gate: GuardedFloats?) -> NormalizedMap {
          NormalizedMap(
            x: source.reading, norm: parameters, activation: .silu, gate: gate?.reading,
            rowsPerImage: spatial)
        }
        let means = memory.unset(batch * channels)
        globalAveragePool(
          map(nil), batch: batch, channels: channels, output: means.base, pool: pool)
        let gateGradients = memory.unset(batch * channels)
        gateGradient(
          map(nil), outputGradient: memory.floats(gradient).reading, gates: gate.reading,
          batch: batch, channels: channels, gateGradient: gateGradients.base, pool: pool)
        let gateGradientsBeside = memory.unset(batch * channels)
        let gatedSums = GatedSums(
          NormScratch(count: GatedSums.count(batch: batch, channels: channels)), batch: batch,
          channels: channels)
        gatedSums.add(
          map(nil), outputGradient: memory.floats(gradient).reading, gates: gate.reading,
          gateGradient: gateGradientsBeside.base, pool: pool)
        let joined = gatedSums.joined(
          gates: gate.reading, meanGradient: memory.floats(meanGradient).reading, pixels: spatial,
          pool: pool)
        var results =
          [means, gateGradients, gateGradientsBeside]
          + norm.join(joined, parts: 1, rows: batch * spatial, before: before, memory)
        let parts = pooledGradientParts(batch: batch)
        for gate in [nil, gate] {
          let argument = memory.floats(gradient)
          let sums = GradientSums(
            NormScratch(count: GradientSums.count(parts: parts, channels: channels)),
            parts: parts, channels: channels)
          pooledArgumentGradient(
            map(gate), meanGradient: memory.floats(meanGradient).reading, batch: batch,
            channels: channels, gradient: argument.base, sums: sums, pool: pool)
          results +=
            [argument]
            + norm.join(sums, parts: parts, rows: batch * spatial, before: before, memory)
        }
        return results
      },
      reference: {
        var means = [Double](repeating: 0, count: batch * channels)
        var gateGradients = means
        let values = x.indices.map { norm.value(x[$0], $0 % channels, .silu) }
        func place(_ index: Int) -> Int {
          index / (spatial * channels) * channels + index % channels
        }
        for index in x.indices {
          means[place(index)] += values[index].0 / Double(spatial)
          let slope = Double(gates[place(index)]) * (1 - Double(gates[place(index)]))
          gateGradients[place(index)] += values[index].0 * Double(gradient[index]) * slope
        }
        func argument(isGated: Bool) -> [Double] {
          x.indices.map { index in
            let share = Double(meanGradient[place(index)]) / Double(spatial)
            let own = isGated ? Double(gradient[index]) * Double(gates[place(index)]) : 0
            return (own + share) * values[index].1
          }
        }
        let joined = [false, true].map { isGated in
          let argument = argument(isGated: isGated)
          return [argument] + norm.joined(argument, x: x, before: before)
        }
        return [means, gateGradients, gateGradients] + joined[1].dropFirst() + joined[0]
          + joined[1]
      })
  }
}

/// Mean and biased variance of each column of numbers in double precision.
func momentsReference(_ x: [Double], channels: Int) -> ([Double], [Double]) {
  let rows = Double(x.count / channels)
  var mean = [Double](repeating: 0, count: channels)
  var variance = mean
  for (index, value) in x.enumerated() { mean[index % channels] += value / rows }
  for (index, value) in x.enumerated() {
    let distance = value - mean[index % channels]
    variance[index % channels] += distance * distance / rows
  }
  return (mean, variance)
}

extension NormValues {
  /// What joining the sums of an argument's gradient leaves: totals, gradients of gamma and beta.
  func join(
    _ sums: GradientSums, parts: Int, rows: Int, before: [Float], _ memory: TestMemory
  ) -> [GuardedFloats] {
    let totals = memory.unset(2 * before.count)
    let (dgamma, dbeta) = (memory.floats(before), memory.floats(before))
    sums.join(
      parts: parts, rows: rows, norm: parameters(memory), totals: totals.base,
      gammaGradient: dgamma.base, betaGradient: dbeta.base)
    return [totals, dgamma, dbeta]
  }

  func joined(_ argument: [Double], x: [Float], before: [Float]) -> [[Double]] {
    let channels = before.count
    let rows = Double(x.count / channels)
    var (sum, product) = (before.map { _ in 0.0 }, before.map { _ in 0.0 })
    for index in argument.indices {
      let c = index % channels
      sum[c] += argument[index]
      product[c] += argument[index] * normalized(x[index], c)
    }
    let totals =
      sum.map { $0 / rows } + product.indices.map { product[$0] * Double(inverse[$0]) / rows }
    return [
      totals, zip(before, product).map { Double($0) + $1 },
      zip(before, sum).map { Double($0) + $1 },
    ]
  }
}
