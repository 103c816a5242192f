import Foundation
import Kernels

extension KernelCase {
  /// The largest value of each image, where it was, and the way back to the norm's argument together
  /// with that of the mean. The numbers are few, so that many are equal: the first one counts.
  static let maximumPooling: [KernelCase] = [
    (1, 1, 16), (2, 9, 24), (5, 49, 40), (17, 4, 6), (3, 600, 8), (33, 1, 136),
  ].map { batch, spatial, channels in
    let x = uniform(batch * spatial * channels, seed: 61, -3, 5).map { ($0 * 2).rounded() / 2 }
    let cells = batch * channels
    let (meanGradient, maximumGradient) = (uniform(cells, seed: 62), uniform(cells, seed: 63))
    let before = uniform(channels, seed: 64)
    let norm = NormValues(channels)
    return KernelCase(
      name: "maximum pool \(batch)x\(spatial)x\(channels)", absolute: 3e-5, relative: 3e-5,
      run: { pool, memory in
        let map = NormalizedMap(
          x: memory.floats(x).reading, norm: norm.parameters(memory), activation: .silu,
          rowsPerImage: spatial)
        let (maxima, places, plain) = (
          memory.unset(cells), memory.unset(cells), memory.unset(cells)
        )
        globalMaxPool(
          map, batch: batch, channels: channels, output: maxima.base, places: places.base,
          pool: pool)
        globalMaxPool(
          memory.floats(x).reading, batch: batch, spatial: spatial, channels: channels,
          output: plain.base, pool: pool)
        let argument = memory.unset(x.count)
        let parts = pooledGradientParts(batch: batch)
        let sums = GradientSums(
          NormScratch(count: GradientSums.count(parts: parts, channels: channels)), parts: parts,
          channels: channels)
        pooledArgumentGradient(
          map, meanGradient: memory.floats(meanGradient).reading, batch: batch,
          channels: channels, gradient: argument.base, sums: sums, pool: pool)
        addMaximumGradient(
          map, maximumGradient: memory.floats(maximumGradient).reading, places: places.reading,
          batch: batch, channels: channels, gradient: argument.base, sums: sums, pool: pool)
        return [maxima, places, plain, argument]
          + norm.join(sums, parts: parts, rows: batch * spatial, before: before, memory)
      },
      reference: {
        let values = x.indices.map { norm.value(x[$0], $0 % channels, .silu) }
        var maxima = [Double](repeating: -.infinity, count: cells)
        var (places, plain) = (maxima, maxima)
        for index in x.indices {
          let cell = index / (spatial * channels) * channels + index % channels
          plain[cell] = max(plain[cell], Double(x[index]))
          if values[index].0 > maxima[cell] {
            maxima[cell] = values[index].0
            places[cell] = Double(index / channels % spatial)
          }
        }
        let argument = x.indices.map { index in
          let cell = index / (spatial * channels) * channels + index % channels
          let isLargest = places[cell] == Double(index / channels % spatial)
          let own = isLargest ? Double(maximumGradient[cell]) : 0
          return (Double(meanGradient[cell]) / Double(spatial) + own) * values[index].1
        }
        return [maxima, places, plain, argument] + norm.joined(argument, x: x, before: before)
      })
  }
}
