import Foundation
import Kernels

func sigmoidReference(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

/// Value and derivative in double precision.
func activationReference(_ activation: Activation, _ x: Double) -> (Double, Double) {
  switch activation {
  case .identity: return (x, 1)
  case .silu:
    let s = sigmoidReference(x)
    return (x * s, s + x * s * (1 - s))
  case .sigmoid:
    let s = sigmoidReference(x)
    return (s, s * (1 - s))
  }
}

extension KernelCase {
  private static let normShapes = [
    (1, 16), (2, 8), (7, 24), (50, 40), (33, 3), (301, 6), (19, 10), (5_000, 16), (129, 200),
    (3, 1_280), (40_000, 8),
  ]

  /// Batch normalisation: statistics, forward and backward, with each activation.
  static let normalization: [KernelCase] = normShapes.flatMap { rows, channels in
    [statistics(rows, channels)]
      + [Activation.identity, .silu, .sigmoid].flatMap {
        [
          normForward(rows, channels, $0), normBackward(rows, channels, $0),
        ]
      }
  }

  /// The moments of a map that a convolution with the unit matrix copies.
  private static func statistics(_ rows: Int, _ channels: Int) -> KernelCase {
    // Means of up to a thousand deviations: a variance from E[x²] - E[x]² would be noise.
    let offsets = uniform(channels, seed: 11, -1_000, 1_000)
    let noise = uniform(rows * channels, seed: 12)
    let x = noise.indices.map { noise[$0] + offsets[$0 % channels] }
    let unit = (0..<channels * channels).map { Float($0 % (channels + 1) == 0 ? 1 : 0) }
    return KernelCase(
      name: "moments \(rows)x\(channels)", absolute: 1e-6,
      run: { pool, memory in
        let (mean, variance) = (memory.unset(channels), memory.unset(channels))
        let plan = Convolution(
          ConvolutionShape(
            batch: 1, inputHeight: 1, inputWidth: rows, inputChannels: channels, outputHeight: 1,
            outputWidth: rows, outputChannels: channels, kernel: 1, stride: 1, padTop: 0,
            padLeft: 0), pool: pool)
        plan.forward(
          input: .stored(memory.floats(x).reading), weight: memory.floats(unit).reading,
          output: memory.unset(rows * channels).base, mean: mean.base, variance: variance.base,
          scratch: NormScratch(count: plan.momentFloats))
        return [mean, variance]
      },
      reference: {
        let (mean, variance) = momentsReference(x.map(Double.init), channels: channels)
        return [mean, variance]
      })
  }

  private static func normForward(
    _ rows: Int, _ channels: Int, _ activation: Activation
  ) -> KernelCase {
    let count = rows * channels
    let x = uniform(count, seed: 13, -3, 5)
    let residual = uniform(count, seed: 14)
    let norm = NormValues(channels)
    return KernelCase(
      name: "batch norm forward \(rows)x\(channels) \(activation)",
      run: { pool, memory in
        func forward(_ skip: GuardedFloats?, _ source: GuardedFloats, _ target: GuardedFloats) {
          batchNormForward(
            source.reading, rows: rows, channels: channels, norm: norm.parameters(memory),
            activation: activation, residual: skip?.reading, output: target.base, pool: pool)
        }
        let plain = memory.unset(count)
        forward(nil, memory.floats(x), plain)
        let onX = memory.floats(x)
        forward(memory.floats(residual), onX, onX)
        let onResidual = memory.floats(residual)
        forward(onResidual, memory.floats(x), onResidual)
        return [plain, onX, onResidual]
      },
      reference: {
        let plain = x.indices.map {
          norm.value(x[$0], $0 % channels, activation).0
        }
        let added = plain.indices.map { plain[$0] + Double(residual[$0]) }
        return [plain, added, added]
      })
  }

  private static func normBackward(
    _ rows: Int, _ channels: Int, _ activation: Activation
  ) -> KernelCase {
    let count = rows * channels
    let (x, dy) = (uniform(count, seed: 19, -3, 5), uniform(count, seed: 20))
    let norm = NormValues(channels, momentsOf: x, rows: rows)
    let (gammaBefore, betaBefore) = (uniform(channels, seed: 21), uniform(channels, seed: 22))
    return KernelCase(
      name: "batch norm backward \(rows)x\(channels) \(activation)",
      absolute: 3e-5 * max(1, Double(rows).squareRoot() / 30),
      run: { pool, memory in
        func backward(_ gradient: GuardedFloats, _ target: GuardedFloats) -> [GuardedFloats] {
          let (dgamma, dbeta) = (memory.floats(gammaBefore), memory.floats(betaBefore))
          let parts = batchNormParts(rows: rows, channels: channels)
          batchNormBackward(
            memory.floats(x).reading, outputGradient: gradient.reading, rows: rows,
            channels: channels, norm: norm.parameters(memory), activation: activation,
            inputGradient: target.base, gammaGradient: dgamma.base, betaGradient: dbeta.base,
            totals: memory.unset(2 * channels).base,
            scratch: NormScratch(count: GradientSums.count(parts: parts, channels: channels)),
            pool: pool)
          return [target, dgamma, dbeta]
        }
        let aliased = memory.floats(dy)
        return backward(memory.floats(dy), memory.unset(count))
          + backward(aliased, aliased)
      },
      reference: {
        var (dgamma, dbeta) = (gammaBefore.map(Double.init), betaBefore.map(Double.init))
        var (sum, product) = (dgamma.map { _ in 0.0 }, dgamma.map { _ in 0.0 })
        let dz = x.indices.map {
          let z = norm.argument(x[$0], $0 % channels)
          return Double(dy[$0]) * activationReference(activation, z).1
        }
        for index in x.indices {
          let c = index % channels
          sum[c] += dz[index]
          product[c] += dz[index] * norm.normalized(x[index], c)
        }
        let dx = x.indices.map {
          let c = $0 % channels
          let centered =
            dz[$0] - sum[c] / Double(rows)
            - norm.normalized(x[$0], c) * product[c] / Double(rows)
          return centered * Double(norm.gamma[c]) * Double(norm.inverse[c])
        }
        for c in 0..<channels {
          dgamma[c] += product[c]
          dbeta[c] += sum[c]
        }
        return [dx, dgamma, dbeta, dx, dgamma, dbeta]
      })
  }
}

/// Statistics and parameters of a batch norm in a test.
struct NormValues: Sendable {
  var mean: [Float]
  var inverse: [Float]
  let gamma: [Float]
  let beta: [Float]

  init(_ channels: Int, seed: UInt64 = 23) {
    mean = uniform(channels, seed: seed)
    inverse = uniform(channels, seed: seed + 1, 0.2, 2)
    gamma = uniform(channels, seed: seed + 2)
    beta = uniform(channels, seed: seed + 3)
  }

  init(_ channels: Int, momentsOf x: [Float], rows: Int) {
    self.init(channels)
    let (mean, variance) = momentsReference(x.map(Double.init), channels: channels)
    self.mean = mean.map { Float($0) }
    inverse = variance.map { Float(1 / ($0 + 1e-3).squareRoot()) }
  }

  func normalized(_ x: Float, _ c: Int) -> Double {
    (Double(x) - Double(mean[c])) * Double(inverse[c])
  }

  func argument(_ x: Float, _ c: Int) -> Double {
    normalized(x, c) * Double(gamma[c]) + Double(beta[c])
  }

  /// activation(norm(x)) and its derivative by the norm's argument.
  func value(_ x: Float, _ c: Int, _ activation: Activation) -> (Double, Double) {
    activationReference(activation, argument(x, c))
  }

  func parameters(_ memory: TestMemory) -> NormParameters {
    NormParameters(
      mean: memory.floats(mean).reading, inverseDeviation: memory.floats(inverse).reading,
      factor: memory.floats(zip(gamma, inverse).map(*)).reading, beta: memory.floats(beta).reading)
  }
}
