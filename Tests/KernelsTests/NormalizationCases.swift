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

/// Mean and biased variance of each column.
func momentsReference(_ x: [Float], _ rows: Int, _ channels: Int) -> ([Double], [Double]) {
  var mean = [Double](repeating: 0, count: channels)
  var variance = mean
  for (index, value) in x.enumerated() { mean[index % channels] += Double(value) / Double(rows) }
  for (index, value) in x.enumerated() {
    let distance = Double(value) - mean[index % channels]
    variance[index % channels] += distance * distance / Double(rows)
  }
  return (mean, variance)
}

extension KernelCase {
  private static let normShapes = [
    (1, 16), (2, 8), (7, 24), (50, 40), (33, 3), (301, 6), (19, 10), (5_000, 16), (129, 200),
    (3, 1_280), (40_000, 1),
  ]

  /// Batch normalisation: statistics, forward and backward, with each activation.
  static let normalization: [KernelCase] = normShapes.flatMap { rows, channels in
    [statistics(rows, channels)]
      + [Activation.identity, .silu, .sigmoid].flatMap {
        [
          normForward(rows, channels, $0), normBackward(rows, channels, $0),
          scaleShift(rows, channels, $0),
        ]
      }
  }

  private static func statistics(_ rows: Int, _ channels: Int) -> KernelCase {
    // Means of up to a thousand deviations: a variance from E[x²] - E[x]² would be noise.
    let offsets = uniform(channels, seed: 11, -1_000, 1_000)
    let noise = uniform(rows * channels, seed: 12)
    let x = noise.indices.map { noise[$0] + offsets[$0 % channels] }
    return KernelCase(
      name: "batch norm statistics \(rows)x\(channels)", absolute: 1e-6,
      run: { pool, memory in
        let (mean, variance) = (memory.unset(channels), memory.unset(channels))
        batchNormStatistics(
          memory.floats(x).reading, rows: rows, channels: channels, mean: mean.base,
          variance: variance.base, scratch: NormScratch(channels: channels), pool: pool)
        return [mean, variance]
      },
      reference: {
        let (mean, variance) = momentsReference(x, rows, channels)
        return [mean, variance]
      })
  }

  private static func normForward(
    _ rows: Int, _ channels: Int, _ activation: Activation
  ) -> KernelCase {
    let count = rows * channels
    let x = uniform(count, seed: 13, -3, 5)
    let residual = uniform(count, seed: 14)
    let parameters = NormParameters(channels)
    return KernelCase(
      name: "batch norm forward \(rows)x\(channels) \(activation)",
      run: { pool, memory in
        func forward(_ skip: GuardedFloats?, _ source: GuardedFloats, _ target: GuardedFloats) {
          parameters.withPointers(memory) { mean, inverse, gamma, beta in
            batchNormForward(
              source.reading, rows: rows, channels: channels, mean: mean,
              inverseDeviation: inverse, gamma: gamma, beta: beta, activation: activation,
              residual: skip?.reading, output: target.base, pool: pool)
          }
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
          activationReference(activation, parameters.argument(x[$0], $0 % channels)).0
        }
        let added = plain.indices.map { plain[$0] + Double(residual[$0]) }
        return [plain, added, added]
      })
  }

  private static func scaleShift(
    _ rows: Int, _ channels: Int, _ activation: Activation
  ) -> KernelCase {
    let count = rows * channels
    let (x, residual) = (uniform(count, seed: 15, -3, 5), uniform(count, seed: 16))
    let (scale, shift) = (uniform(channels, seed: 17), uniform(channels, seed: 18))
    return KernelCase(
      name: "scale, shift, activate \(rows)x\(channels) \(activation)",
      run: { pool, memory in
        let plain = memory.unset(count)
        let onX = memory.floats(x)
        let (a, b) = (memory.floats(scale), memory.floats(shift))
        scaleShiftActivate(
          memory.floats(x).reading, rows: rows, channels: channels, scale: a.reading,
          shift: b.reading, activation: activation, residual: nil, output: plain.base, pool: pool)
        scaleShiftActivate(
          onX.reading, rows: rows, channels: channels, scale: a.reading, shift: b.reading,
          activation: activation, residual: memory.floats(residual).reading, output: onX.base,
          pool: pool)
        return [plain, onX]
      },
      reference: {
        let plain = x.indices.map {
          activationReference(
            activation,
            Double(x[$0]) * Double(scale[$0 % channels]) + Double(shift[$0 % channels])
          ).0
        }
        return [plain, plain.indices.map { plain[$0] + Double(residual[$0]) }]
      })
  }

  private static func normBackward(
    _ rows: Int, _ channels: Int, _ activation: Activation
  ) -> KernelCase {
    let count = rows * channels
    let (x, dy) = (uniform(count, seed: 19, -3, 5), uniform(count, seed: 20))
    let parameters = NormParameters(channels, momentsOf: x, rows: rows)
    let (gammaBefore, betaBefore) = (uniform(channels, seed: 21), uniform(channels, seed: 22))
    return KernelCase(
      name: "batch norm backward \(rows)x\(channels) \(activation)",
      absolute: 3e-5 * max(1, Double(rows).squareRoot() / 30),
      run: { pool, memory in
        func backward(_ gradient: GuardedFloats, _ target: GuardedFloats) -> [GuardedFloats] {
          let (dgamma, dbeta) = (memory.floats(gammaBefore), memory.floats(betaBefore))
          parameters.withPointers(memory) { mean, inverse, gamma, beta in
            batchNormBackward(
              memory.floats(x).reading, outputGradient: gradient.reading, rows: rows,
              channels: channels, mean: mean, inverseDeviation: inverse, gamma: gamma,
              beta: beta, activation: activation, inputGradient: target.base,
              gammaGradient: dgamma.base, betaGradient: dbeta.base,
              scratch: NormScratch(channels: channels + 3), pool: pool)
          }
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
          let z = parameters.argument(x[$0], $0 % channels)
          return Double(dy[$0]) * activationReference(activation, z).1
        }
        for index in x.indices {
          let c = index % channels
          sum[c] += dz[index]
          product[c] += dz[index] * parameters.normalized(x[index], c)
        }
        let dx = x.indices.map {
          let c = $0 % channels
          let centered =
            dz[$0] - sum[c] / Double(rows)
            - parameters.normalized(x[$0], c) * product[c] / Double(rows)
          return centered * Double(parameters.gamma[c]) * Double(parameters.inverse[c])
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
private struct NormParameters: Sendable {
  var mean: [Float]
  var inverse: [Float]
  let gamma: [Float]
  let beta: [Float]

  init(_ channels: Int) {
    mean = uniform(channels, seed: 23)
    inverse = uniform(channels, seed: 24, 0.2, 2)
    gamma = uniform(channels, seed: 25)
    beta = uniform(channels, seed: 26)
  }

  init(_ channels: Int, momentsOf x: [Float], rows: Int) {
    self.init(channels)
    let (mean, variance) = momentsReference(x, rows, channels)
    self.mean = mean.map { Float($0) }
    inverse = variance.map { Float(1 / ($0 + 1e-3).squareRoot()) }
  }

  func normalized(_ x: Float, _ c: Int) -> Double {
    (Double(x) - Double(mean[c])) * Double(inverse[c])
  }

  func argument(_ x: Float, _ c: Int) -> Double {
    normalized(x, c) * Double(gamma[c]) + Double(beta[c])
  }

  func withPointers(
    _ memory: TestMemory,
    _ body: (
      UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>
    ) -> Void
  ) {
    body(
      memory.floats(mean).reading, memory.floats(inverse).reading, memory.floats(gamma).reading,
      memory.floats(beta).reading)
  }
}
