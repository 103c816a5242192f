import Foundation
import Kernels

extension KernelCase {
  /// The context of a map and of a stored one, and the way back through its gates.
  static let contextPooling: [KernelCase] = [
    (1, 1, 16), (2, 9, 24), (5, 49, 40), (17, 4, 6), (3, 300, 8), (33, 2, 136),
  ].map { batch, spatial, channels in
    let count = batch * spatial * channels
    let x = uniform(count, seed: 91, -3, 5)
    let gates = uniform(batch * channels, seed: 92)
    let gradient = uniform(count, seed: 93)
    let contextGradient = uniform(batch * channels, seed: 94)
    let weight = uniform(channels, seed: 95)
    let before = uniform(channels, seed: 96)
    let norm = NormValues(channels)
    return KernelCase(
      name: "context pooling \(batch)x\(spatial)x\(channels)", absolute: 2e-4, relative: 5e-5,
      run: { pool, memory in
        let parameters = norm.parameters(memory)
        let (source, w) = (memory.floats(x), memory.floats(weight).reading)
        let bias = memory.floats([0.5]).reading
        func map(_ gate: GuardedFloats?) -> NormalizedMap {
          NormalizedMap(
            x: source.reading, norm: parameters, activation: .silu, gate: gate?.reading,
            rowsPerImage: spatial)
        }
        let (shares, context) = (memory.unset(batch * spatial), memory.unset(batch * channels))
        contextPool(
          map(nil), weight: w, bias: bias, batch: batch, channels: channels, shares: shares.base,
          context: context.base, pool: pool)
        let (storedShares, stored) = (
          memory.unset(batch * spatial), memory.unset(batch * channels)
        )
        contextPool(
          source.reading, weight: w, bias: bias, batch: batch, spatial: spatial,
          channels: channels, shares: storedShares.base, context: stored.base, pool: pool)
        let slopes = memory.unset(batch * spatial)
        let (dweight, dbias) = (memory.floats(before), memory.floats([0.25]))
        let incoming = memory.floats(contextGradient).reading
        contextAttentionGradient(
          map(nil), contextGradient: incoming, shares: shares.reading, batch: batch,
          channels: channels, slopes: slopes.base,
          sums: memory.unset(batch * (channels + 1)).base, weightGradient: dweight.base,
          biasGradient: dbias.base, pool: pool)
        let argument = memory.floats(gradient)
        let parts = pooledGradientParts(batch: batch)
        let sums = GradientSums(
          NormScratch(count: GradientSums.count(parts: parts, channels: channels)),
          parts: parts, channels: channels)
        contextArgumentGradient(
          map(memory.floats(gates)), contextGradient: incoming, shares: shares.reading,
          slopes: slopes.reading, weight: w, batch: batch, channels: channels,
          gradient: argument.base, sums: sums, pool: pool)
        return [shares, context, storedShares, stored, slopes, dweight, dbias, argument]
          + norm.join(sums, parts: parts, rows: batch * spatial, before: before, memory)
      },
      reference: {
        let values = x.indices.map { norm.value(x[$0], $0 % channels, .silu) }
        func pool(_ f: [Double]) -> (shares: [Double], context: [Double]) {
          var (shares, context) = ([Double](), [Double]())
          for image in 0..<batch {
            let scores = (0..<spatial).map { pixel in
              exp(
                (0..<channels).reduce(0.5) {
                  $0 + f[(image * spatial + pixel) * channels + $1] * Double(weight[$1])
                })
            }
            let own = scores.map { $0 / scores.reduce(0, +) }
            shares += own
            context += (0..<channels).map { c in
              (0..<spatial).reduce(0) {
                $0 + own[$1] * f[(image * spatial + $1) * channels + c]
              }
            }
          }
          return (shares, context)
        }
        let f = values.map(\.0)
        let (own, stored) = (pool(f), pool(x.map(Double.init)))
        var (dweight, dbias) = (before.map(Double.init), 0.25)
        var slopes: [Double] = []
        var argument = [Double](repeating: 0, count: count)
        for image in 0..<batch {
          let incoming = (0..<channels).map { Double(contextGradient[image * channels + $0]) }
          let raw = (0..<spatial).map { pixel in
            (0..<channels).reduce(0) {
              $0 + f[(image * spatial + pixel) * channels + $1] * incoming[$1]
            }
          }
          let shares = Array(own.shares[image * spatial..<(image + 1) * spatial])
          let mean = zip(shares, raw).reduce(0) { $0 + $1.0 * $1.1 }
          for pixel in 0..<spatial {
            let slope = shares[pixel] * (raw[pixel] - mean)
            slopes.append(slope)
            dbias += slope
            for c in 0..<channels {
              let index = (image * spatial + pixel) * channels + c
              dweight[c] += slope * f[index]
              argument[index] =
                (Double(gradient[index]) * Double(gates[image * channels + c])
                  + shares[pixel] * incoming[c] + slope * Double(weight[c])) * values[index].1
            }
          }
        }
        return [
          own.shares, own.context, stored.shares, stored.context, slopes, dweight, [dbias],
          argument,
        ] + norm.joined(argument, x: x, before: before)
      })
  }
}
