import Foundation
import Kernels

// The kernels of transformers, against plain loops in double precision.

extension KernelCase {
  static let transformers: [KernelCase] =
    norms + gelus + attentions + gathers + resizes + dropPaths + manyRowed

  private static let norms: [KernelCase] = [
    (1, 16), (2, 7), (3, 40), (130, 52), (197, 192), (40, 1_024),
  ].map { layerNorm($0, $1) }
  private static let gelus: [KernelCase] = [1, 7, 16, 100, 40_000].map(gelu)
  private static let attentions: [KernelCase] = [
    (1, 1, 1, 4), (2, 5, 3, 8), (1, 50, 2, 64), (3, 17, 1, 6), (1, 54, 1, 16), (1, 197, 2, 40),
  ].map { attention($0, $1, $2, $3) }
  private static let gathers: [KernelCase] = [(1, 2, 1), (3, 4, 3), (5, 16, 2)].map {
    patches($0, $1, $2)
  }
  private static let resizes: [KernelCase] = [
    (14, 5, 6), (5, 14, 17), (3, 3, 4), (1, 4, 2), (14, 24, 3),
  ].map { resize($0, $1, $2) }
  private static let dropPaths: [KernelCase] = [(1, 1), (3, 40), (5, 1_003)].map {
    dropPath($0, $1)
  }
  private static let manyRowed: [KernelCase] = [
    (400, 70, 600), (777, 600, 40), (197, 192, 576),
  ].map { manyRows($0, $1, $2) }

  private static func layerNorm(_ rows: Int, _ channels: Int) -> KernelCase {
    let x = uniform(rows * channels, seed: 71, -2, 4)
    let dy = uniform(rows * channels, seed: 72)
    let (scale, shift) = (uniform(channels, seed: 73), uniform(channels, seed: 74))
    let before = uniform(rows * channels, seed: 75)
    let epsilon = 1e-3
    return KernelCase(
      name: "layer norm \(rows)x\(channels)", absolute: 5e-5, relative: 3e-5,
      run: { pool, memory in
        let norm = LayerNormParameters(
          scale: memory.floats(scale).reading, shift: memory.floats(shift).reading,
          epsilon: Float(epsilon))
        let (source, statistics) = (memory.floats(x), memory.unset(2 * rows))
        let (output, aliased) = (memory.unset(x.count), memory.floats(x))
        layerNormForward(
          source.reading, rows: rows, channels: channels, norm: norm,
          statistics: statistics.base, output: output.base, pool: pool)
        layerNormForward(
          aliased.reading, rows: rows, channels: channels, norm: norm, statistics: nil,
          output: aliased.base, pool: pool)
        let (dx, dscale) = (memory.floats(before), memory.floats(scale))
        let dshift = memory.floats(shift)
        layerNormBackward(
          source.reading, outputGradient: memory.floats(dy).reading, rows: rows,
          channels: channels, norm: norm, statistics: statistics.reading,
          inputGradient: dx.base, scaleGradient: dscale.base, shiftGradient: dshift.base,
          pool: pool)
        return [output, aliased, dx, dscale, dshift]
      },
      reference: {
        var (output, dx) = ([Double](), [Double]())
        var (dscale, dshift) = (scale.map(Double.init), shift.map(Double.init))
        for row in 0..<rows {
          let line = (0..<channels).map { Double(x[row * channels + $0]) }
          let mean = line.reduce(0, +) / Double(channels)
          let variance = line.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(channels)
          let inverse = 1 / (variance + epsilon).squareRoot()
          let normalized = line.map { ($0 - mean) * inverse }
          let gradient = (0..<channels).map { Double(dy[row * channels + $0]) }
          let g = zip(gradient, scale).map { $0 * Double($1) }
          let total = g.reduce(0, +) / Double(channels)
          let product = zip(g, normalized).reduce(0) { $0 + $1.0 * $1.1 } / Double(channels)
          for c in 0..<channels {
            output.append(normalized[c] * Double(scale[c]) + Double(shift[c]))
            let own = inverse * (g[c] - total - normalized[c] * product)
            dx.append(Double(before[row * channels + c]) + own)
            dscale[c] += gradient[c] * normalized[c]
            dshift[c] += gradient[c]
          }
        }
        return [output, output, dx, dscale, dshift]
      })
  }

  private static func gelu(_ count: Int) -> KernelCase {
    let (x, dy) = (uniform(count, seed: 76, -7, 7), uniform(count, seed: 77))
    return KernelCase(
      name: "gelu \(count)", absolute: 2e-6, relative: 1e-6,
      run: { pool, memory in
        let (values, gradient) = (memory.floats(x), memory.floats(dy))
        geluForward(values.reading, count: count, output: values.base, pool: pool)
        geluBackward(
          memory.floats(x).reading, outputGradient: gradient.reading, count: count,
          inputGradient: gradient.base, pool: pool)
        return [values, gradient]
      },
      reference: {
        let phi = x.map { (1 + erf(Double($0) / 2.squareRoot())) / 2 }
        let slopes = x.indices.map { index in
          let value = Double(x[index])
          return phi[index] + value * exp(-value * value / 2) / (2 * Double.pi).squareRoot()
        }
        return [
          x.indices.map { Double(x[$0]) * phi[$0] },
          x.indices.map { Double(dy[$0]) * slopes[$0] },
        ]
      })
  }

  private static func attention(_ batch: Int, _ tokens: Int, _ heads: Int, _ size: Int)
    -> KernelCase
  {
    let width = heads * size
    let qkv = uniform(batch * tokens * 3 * width, seed: 78, -2, 2)
    let gradient = uniform(batch * tokens * width, seed: 79)
    return KernelCase(
      name: "attention \(batch)x\(tokens), \(heads) heads of \(size)", absolute: 3e-5,
      relative: 3e-5,
      run: { pool, memory in
        let plan = Attention(batch: batch, tokens: tokens, heads: heads, size: size, pool: pool)
        let (output, dqkv) = (memory.unset(gradient.count), memory.unset(qkv.count))
        let source = memory.floats(qkv)
        plan.forward(qkv: source.reading, output: output.base)
        plan.backward(
          qkv: source.reading, outputGradient: memory.floats(gradient).reading,
          qkvGradient: dqkv.base)
        // The output once more, from the backward pass.
        let (again, other) = (memory.unset(gradient.count), memory.unset(qkv.count))
        plan.backward(
          qkv: source.reading, outputGradient: memory.floats(gradient).reading,
          output: again.base, qkvGradient: other.base)
        return [output, dqkv, again, other]
      },
      reference: {
        var output = [Double](repeating: 0, count: gradient.count)
        var dqkv = [Double](repeating: 0, count: qkv.count)
        let scale = 1 / Double(size).squareRoot()
        func place(_ image: Int, _ token: Int, _ part: Int, _ head: Int, _ c: Int) -> Int {
          ((image * tokens + token) * 3 + part) * width + head * size + c
        }
        for image in 0..<batch {
          for head in 0..<heads {
            func value(_ token: Int, _ part: Int, _ c: Int) -> Double {
              Double(qkv[place(image, token, part, head, c)])
            }
            for query in 0..<tokens {
              let at = (image * tokens + query) * width + head * size
              let scores = (0..<tokens).map { key in
                exp((0..<size).reduce(0) { $0 + value(query, 0, $1) * value(key, 1, $1) } * scale)
              }
              let shares = scores.map { $0 / scores.reduce(0, +) }
              let slopes = (0..<tokens).map { key in
                (0..<size).reduce(0) { $0 + Double(gradient[at + $1]) * value(key, 2, $1) }
              }
              let mean = zip(shares, slopes).reduce(0) { $0 + $1.0 * $1.1 }
              for key in 0..<tokens {
                let score = shares[key] * (slopes[key] - mean) * scale
                for c in 0..<size {
                  output[at + c] += shares[key] * value(key, 2, c)
                  dqkv[place(image, query, 0, head, c)] += score * value(key, 1, c)
                  dqkv[place(image, key, 1, head, c)] += score * value(query, 0, c)
                  dqkv[place(image, key, 2, head, c)] += shares[key] * Double(gradient[at + c])
                }
              }
            }
          }
        }
        return [output, dqkv, output, dqkv]
      })
  }

  private static func patches(_ grid: Int, _ size: Int, _ channels: Int) -> KernelCase {
    let edge = grid * size
    let image = uniform(edge * edge * channels, seed: 80)
    return KernelCase(
      name: "patches \(grid)x\(grid) of \(size)x\(size)x\(channels)", absolute: 0, relative: 0,
      run: { pool, memory in
        let output = memory.unset(image.count)
        gatherPatches(
          memory.floats(image).reading, grid: grid, size: size, channels: channels,
          patches: output.base, pool: pool)
        return [output]
      },
      reference: {
        var output: [Double] = []
        for patch in 0..<grid * grid {
          for pixel in 0..<size * size {
            let y = patch / grid * size + pixel / size
            let x = patch % grid * size + pixel % size
            output += (0..<channels).map { Double(image[(y * edge + x) * channels + $0]) }
          }
        }
        return [output]
      })
  }

  /// The resize is linear, so its backward pass must be its transpose; its weights are those of the
  /// image resize, which has fixtures of its own.
  private static func resize(_ input: Int, _ output: Int, _ channels: Int) -> KernelCase {
    let map = uniform(input * input * channels, seed: 81)
    let gradient = uniform(output * output * channels, seed: 82)
    return KernelCase(
      name: "resized map \(input) -> \(output) of \(channels)", absolute: 1e-5,
      run: { _, memory in
        let plan = MapResize(inputGrid: input, outputGrid: output)
        let scratch = memory.unset(plan.scratchCount(channels: channels))
        let resized = memory.unset(gradient.count)
        let mapGradient = memory.floats(map)
        plan.forward(
          memory.floats(map).reading, channels: channels, scratch: scratch.base,
          output: resized.base)
        plan.backward(
          outputGradient: memory.floats(gradient).reading, channels: channels,
          scratch: scratch.base, mapGradient: mapGradient.base)
        return [resized, mapGradient]
      },
      reference: {
        let axis = cubicWeights(from: input, to: output)
        var resized = gradient.map { _ in 0.0 }
        var mapGradient = map.map(Double.init)
        for (index, weights) in axis.enumerated() {
          for (other, others) in axis.enumerated() {
            for y in 0..<input {
              for x in 0..<input {
                for c in 0..<channels {
                  let weight = weights[y] * others[x]
                  let (here, there) = (
                    (y * input + x) * channels + c, (index * output + other) * channels + c
                  )
                  resized[there] += weight * Double(map[here])
                  mapGradient[here] += weight * Double(gradient[there])
                }
              }
            }
          }
        }
        return [resized, mapGradient]
      })
  }

  private static func dropPath(_ images: Int, _ elements: Int) -> KernelCase {
    let (x, y) = (uniform(images * elements, seed: 83), uniform(images * elements, seed: 84))
    let factors = (0..<images).map { Float($0 % 2) * 1.25 }
    return KernelCase(
      name: "drop path \(images)x\(elements)", absolute: 1e-6,
      run: { pool, memory in
        let (output, gradient) = (memory.floats(y), memory.floats(y))
        let rest = memory.unset(y.count)
        let scales = memory.floats(factors).reading
        dropPathForward(
          input: memory.floats(x).reading, factors: scales, images: images, elements: elements,
          output: output.base, pool: pool)
        dropPathBackward(
          factors: scales, images: images, elements: elements, gradient: gradient.base,
          rest: rest.base, pool: pool)
        return [output, gradient, rest]
      },
      reference: {
        let scale = x.indices.map { Double(factors[$0 / elements]) }
        return [
          x.indices.map { Double(x[$0]) + scale[$0] * (Double(y[$0]) - Double(x[$0])) },
          y.indices.map { scale[$0] * Double(y[$0]) },
          y.indices.map { (1 - scale[$0]) * Double(y[$0]) },
        ]
      })
  }

  /// A fully connected layer that is cut in both directions, with what is added to it.
  private static func manyRows(_ n: Int, _ inputs: Int, _ outputs: Int) -> KernelCase {
    let (x, weight) = (uniform(n * inputs, seed: 85), uniform(inputs * outputs, seed: 86))
    let (bias, residual) = (uniform(outputs, seed: 87), uniform(n * outputs, seed: 88))
    return KernelCase(
      name: "dense \(n)x\(inputs) -> \(outputs) with a residual", absolute: 3e-4,
      run: { pool, memory in
        let (separate, inPlace) = (memory.unset(n * outputs), memory.floats(residual))
        let (dx, dweight) = (memory.unset(n * inputs), memory.floats(weight))
        let dbias = memory.floats(bias)
        let (xs, w) = (memory.floats(x).reading, memory.floats(weight).reading)
        for (target, source) in [
          (separate, memory.floats(residual).reading), (inPlace, inPlace.reading),
        ] {
          denseForward(
            xs, weight: w, bias: memory.floats(bias).reading, residual: source, n: n,
            inputs: inputs, outputs: outputs, output: target.base, pool: pool)
        }
        denseBackward(
          xs, weight: w, outputGradient: memory.floats(residual).reading, n: n, inputs: inputs,
          outputs: outputs, inputGradient: dx.base, weightGradient: dweight.base,
          biasGradient: dbias.base, pool: pool)
        return [separate, inPlace, dx, dweight, dbias]
      },
      reference: {
        var output = residual.indices.map { Double(residual[$0]) + Double(bias[$0 % outputs]) }
        var dx = [Double](repeating: 0, count: n * inputs)
        var (dweight, dbias) = (weight.map(Double.init), bias.map(Double.init))
        for row in 0..<n {
          for k in 0..<outputs { dbias[k] += Double(residual[row * outputs + k]) }
          for c in 0..<inputs {
            let value = Double(x[row * inputs + c])
            for k in 0..<outputs {
              let gradient = Double(residual[row * outputs + k])
              output[row * outputs + k] += value * Double(weight[c * outputs + k])
              dx[row * inputs + c] += gradient * Double(weight[c * outputs + k])
              dweight[c * outputs + k] += value * gradient
            }
          }
        }
        return [output, output, dx, dweight, dbias]
      })
  }

  /// Keys' cubic weights of an antialiased resize, from their definition.
  private static func cubicWeights(from input: Int, to output: Int) -> [[Double]] {
    func cubic(_ distance: Double) -> Double {
      let x = abs(distance)
      if x < 1 { return 1.5 * x * x * x - 2.5 * x * x + 1 }
      return x < 2 ? -0.5 * x * x * x + 2.5 * x * x - 4 * x + 2 : 0
    }
    let scale = Double(input) / Double(output)
    return (0..<output).map { index in
      let center = (Double(index) + 0.5) * scale - 0.5
      let row = (0..<input).map { cubic((Double($0) - center) / max(1, scale)) }
      let sum = row.reduce(0, +)
      return row.map { $0 / sum }
    }
  }
}
