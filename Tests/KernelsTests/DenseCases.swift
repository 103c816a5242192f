import Foundation
import Kernels

extension KernelCase {
  /// Pooling, gates and the flat activations of squeeze and excitation.
  static let squeezeExcitation: [KernelCase] =
    [
      (1, 1, 8), (2, 9, 24), (5, 4, 40), (1, 49, 6), (2, 16, 10), (3, 36, 672), (2, 1, 200),
    ].flatMap { [pooling($0, $1, $2), gates($0, $1, $2)] }
    + [1, 7, 16, 24, 100, 40_000].map(activations)

  private static func pooling(_ batch: Int, _ spatial: Int, _ channels: Int) -> KernelCase {
    let x = uniform(batch * spatial * channels, seed: 31)
    return KernelCase(
      name: "average pool \(batch)x\(spatial)x\(channels)", absolute: 1e-6,
      run: { pool, memory in
        let output = memory.unset(batch * channels)
        globalAveragePool(
          memory.floats(x).reading, batch: batch, spatial: spatial, channels: channels,
          output: output.base, pool: pool)
        return [output]
      },
      reference: {
        var output = [Double](repeating: 0, count: batch * channels)
        for index in x.indices {
          let cell = index / (spatial * channels) * channels + index % channels
          output[cell] += Double(x[index]) / Double(spatial)
        }
        return [output]
      })
  }

  private static func gates(_ batch: Int, _ spatial: Int, _ channels: Int) -> KernelCase {
    let x = uniform(batch * spatial * channels, seed: 33)
    let gate = uniform(batch * channels, seed: 35)
    return KernelCase(
      name: "channel gate \(batch)x\(spatial)x\(channels)",
      run: { pool, memory in
        let (output, aliased) = (memory.unset(x.count), memory.floats(x))
        for (source, target) in [(memory.floats(x), output), (aliased, aliased)] {
          channelGate(
            source.reading, gate: memory.floats(gate).reading, batch: batch, spatial: spatial,
            channels: channels, output: target.base, pool: pool)
        }
        return [output, aliased]
      },
      reference: {
        let output = x.indices.map {
          Double(x[$0]) * Double(gate[$0 / (spatial * channels) * channels + $0 % channels])
        }
        return [output, output]
      })
  }

  private static func activations(_ count: Int) -> KernelCase {
    let x = uniform(count, seed: 36, -20, 20)
    let dy = uniform(count, seed: 37)
    return KernelCase(
      name: "flat silu and sigmoid \(count)", absolute: 1e-6, relative: 1e-6,
      run: { pool, memory in
        let outputs = (0..<2).map { _ in memory.floats(x) }
        let gradient = memory.floats(dy)
        siluForward(outputs[0].reading, count: count, output: outputs[0].base, pool: pool)
        sigmoidForward(outputs[1].reading, count: count, output: outputs[1].base, pool: pool)
        siluBackward(
          memory.floats(x).reading, outputGradient: gradient.reading, count: count,
          inputGradient: gradient.base, pool: pool)
        return outputs + [gradient]
      },
      reference: {
        let silu = x.map { activationReference(.silu, Double($0)) }
        return [
          silu.map(\.0), x.map { sigmoidReference(Double($0)) },
          zip(silu, dy).map { $0.1 * Double($1) },
        ]
      })
  }

  /// Fully connected layers with and without bias.
  static let dense: [KernelCase] = [
    (1, 40, 10), (2, 10, 40), (5, 6, 3), (3, 129, 200), (2, 672, 28), (33, 17, 1_000),
    (2, 1_280, 10),
  ].map { n, inputs, outputs in
    let (x, weight) = (uniform(n * inputs, seed: 41), uniform(inputs * outputs, seed: 42))
    let (bias, dy) = (uniform(outputs, seed: 43), uniform(n * outputs, seed: 44))
    return KernelCase(
      name: "dense \(n)x\(inputs) -> \(outputs)", absolute: 3e-5,
      run: { pool, memory in
        let (plain, biased) = (memory.unset(n * outputs), memory.unset(n * outputs))
        let dx = memory.unset(n * inputs)
        let (dweight, dbias) = (memory.floats(weight), memory.floats(bias))
        let alone = memory.floats(weight)
        let (xs, w) = (memory.floats(x).reading, memory.floats(weight).reading)
        let gradient = memory.floats(dy).reading
        for (target, offset) in [(plain, nil), (biased, memory.floats(bias).reading)] {
          denseForward(
            xs, weight: w, bias: offset, n: n, inputs: inputs, outputs: outputs,
            output: target.base, pool: pool)
        }
        denseBackward(
          xs, weight: w, outputGradient: gradient, n: n, inputs: inputs, outputs: outputs,
          inputGradient: dx.base, weightGradient: dweight.base, biasGradient: dbias.base,
          pool: pool)
        denseBackward(
          xs, weight: w, outputGradient: gradient, n: n, inputs: inputs, outputs: outputs,
          inputGradient: nil, weightGradient: alone.base, biasGradient: nil, pool: pool)
        return [plain, biased, dx, dweight, dbias, alone]
      },
      reference: {
        var plain = [Double](repeating: 0, count: n * outputs)
        var dx = [Double](repeating: 0, count: n * inputs)
        var (dweight, dbias) = (weight.map(Double.init), bias.map(Double.init))
        for row in 0..<n {
          for k in 0..<outputs { dbias[k] += Double(dy[row * outputs + k]) }
          for c in 0..<inputs {
            let value = Double(x[row * inputs + c])
            for k in 0..<outputs {
              let gradient = Double(dy[row * outputs + k])
              plain[row * outputs + k] += value * Double(weight[c * outputs + k])
              dx[row * inputs + c] += gradient * Double(weight[c * outputs + k])
              dweight[c * outputs + k] += value * gradient
            }
          }
        }
        let biased = plain.indices.map { plain[$0] + Double(bias[$0 % outputs]) }
        return [plain, biased, dx, dweight, dbias, dweight]
      })
  }

  /// Softmax cross entropy, with and without smoothing, on tame and on extreme logits.
  static let losses: [KernelCase] = [
    (1, 2, 1.0), (5, 10, 3), (2, 1_000, 10), (33, 7, 300), (700, 10, 5), (3, 37, 80),
    (1, 21_843, 4),
  ].flatMap { (n: Int, classes: Int, range: Double) in
    [Float(0), 0.1].map { smoothing in
      let logits = uniform(n * classes, seed: 51, -range, range)
      let labels = (0..<n).map { Int32($0 * 7 % classes) }
      return KernelCase(
        name: "cross entropy \(n)x\(classes) ±\(range) smoothing \(smoothing)", absolute: 1e-6,
        run: { pool, memory in
          let losses = [memory.unset(n), memory.unset(n)]
          let gradient = memory.unset(n * classes)
          let input = memory.floats(logits).reading
          for (target, wanted) in zip(losses, [gradient.base, nil]) {
            softmaxCrossEntropy(
              logits: input, labels: labels, n: n, classes: classes, smoothing: smoothing,
              logitGradient: wanted, losses: target.base, pool: pool)
          }
          return [losses[0], losses[1], gradient]
        },
        reference: {
          var (losses, gradient) = ([Double](), [Double]())
          for row in 0..<n {
            let values = logits[row * classes..<(row + 1) * classes].map(Double.init)
            let top = values.reduce(-Double.infinity, max)
            let logSum = top + log(values.reduce(0) { $0 + exp($1 - top) })
            var loss = 0.0
            for (index, value) in values.enumerated() {
              var target = Double(smoothing) / Double(classes)
              if index == Int(labels[row]) { target += 1 - Double(smoothing) }
              loss -= target * (value - logSum)
              gradient.append((exp(value - logSum) - target) / Double(n))
            }
            losses.append(loss)
          }
          return [losses, losses, gradient]
        })
    }
  }

  /// Optimizer steps and the flat helpers.
  static let updates: [KernelCase] = [1, 15, 24, 40_000].flatMap { count in
    [(false, false), (false, true), (true, false), (true, true)].map { nesterov, first in
      let (weights, gradients) = (uniform(count, seed: 61), uniform(count, seed: 62))
      let buffer = uniform(count, seed: 63)
      return KernelCase(
        name: "sgd \(count) nesterov \(nesterov) first \(first)", absolute: 1e-6,
        run: { pool, memory in
          let (w, b) = (memory.floats(weights), memory.floats(buffer))
          let filled = memory.unset(count)
          let g = memory.floats(gradients).reading
          sgdUpdate(
            UpdateRun(
              weights: w.base, gradients: g, first: b.base, second: b.base, count: count),
            learningRate: 0.1, momentum: 0.9, weightDecay: 0.01, nesterov: nesterov,
            firstStep: first, pool: pool)
          fill(filled.base, 1.5, count: count, pool: pool)
          return [w, b, filled]
        },
        reference: {
          var (moved, velocity) = ([Double](), [Double]())
          for index in 0..<count {
            let direction = Double(gradients[index]) + 0.01 * Double(weights[index])
            let b = first ? direction : 0.9 * Double(buffer[index]) + direction
            velocity.append(b)
            let step = nesterov ? direction + 0.9 * b : b
            moved.append(Double(weights[index]) - 0.1 * step)
          }
          return [moved, velocity, Array(repeating: 1.5, count: count)]
        })
    }
  }
}
