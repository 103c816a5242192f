import Testing

@testable import Kernels

/// The products of tiles, for every number of tiles that the microkernels divide in their own way,
/// against sums in double precision.
@Suite struct TileMicrokernelTests {
  private static func vectors(_ most: Int) -> [Int] { hasWideRegisters ? Array(1...most) : [1] }

  @Test("tiles times filters", arguments: vectors(4), [1, 15, 16, 24, 33])
  func products(vectors: Int, depth: Int) {
    for tiles in 1...33 {
      let memory = TestMemory()
      let (lines, width) = (TileLines(tiles: tiles), vectors * 16)
      let values = uniformValues(lines, channels: depth, seed: 1)
      let filters = uniform(depth * width, seed: 2)
      // Tiles that do not exist are read and written; their numbers are no one's.
      let read = memory.floats(values + Array(repeating: .nan, count: TileProduct.overhang * 16))
      let weights = memory.floats(filters)
      let target = memory.unset((tiles + TileProduct.overhang) * width)
      var product = TileProduct(
        values: read.reading, lines: lines, depth: depth, weights: weights.reading,
        target: target.base, ahead: UnsafeRawPointer(weights.reading), aheadStep: 0)
      product.run(vectors: vectors)

      let results = target.values
      var worst = 0.0
      for tile in 0..<tiles {
        for column in 0..<width {
          let sum = (0..<depth).reduce(0.0) {
            $0 + Double(values[lines.place(tile: tile, channel: $1)])
              * Double(filters[$1 * width + column])
          }
          worst = max(worst, (abs(Double(results[tile * width + column]) - sum)).orInfinity)
        }
      }
      #expect(worst <= allowed(terms: depth), "\(tiles) tiles: \(worst)")
      #expect(read.isIntact && weights.isIntact && target.isIntact)
    }
  }

  @Test("tiles times gradients", arguments: vectors(3), [1, 8, 16, 20, 40])
  func gradients(vectors: Int, inputs: Int) {
    for (tiles, isFirst) in [(1, true), (2, false), (7, true), (24, false), (33, true)] {
      let memory = TestMemory()
      let (lines, width) = (TileLines(tiles: tiles), vectors * 16)
      let values = uniformValues(lines, channels: inputs, seed: 3)
      let gradients = uniform(tiles * width, seed: 4)
      let before = uniform(TileGradient.rows(inputs) * width, seed: 5)
      let (read, columns) = (memory.floats(values), memory.floats(gradients))
      let target = isFirst ? memory.unset(before.count) : memory.floats(before)
      var asked = 0
      TileGradient(
        values: read.reading, lines: lines, inputs: inputs, gradients: columns.reading,
        target: target.base, isFirst: isFirst
      ).run(vectors: vectors) { asked += 1 }

      let results = target.values
      var worst = 0.0
      for input in 0..<inputs {
        for column in 0..<width {
          let start = isFirst ? 0 : Double(before[input * width + column])
          let sum = (0..<tiles).reduce(start) {
            $0 + Double(values[lines.place(tile: $1, channel: input)])
              * Double(gradients[$1 * width + column])
          }
          worst = max(worst, (abs(Double(results[input * width + column]) - sum)).orInfinity)
        }
      }
      #expect(worst <= allowed(terms: tiles + 1), "\(tiles) tiles: \(worst)")
      #expect(asked == TileGradient.passes(inputs, vectors: vectors))
      #expect(read.isIntact && columns.isIntact && target.isIntact)
    }
  }

  /// Numbers for the channels that exist, NaN for the rest of their lines.
  private func uniformValues(_ lines: TileLines, channels: Int, seed: UInt64) -> [Float] {
    let numbers = uniform(lines.tiles * channels, seed: seed)
    var values = [Float](repeating: .nan, count: lines.count(channels))
    for tile in 0..<lines.tiles {
      for channel in 0..<channels {
        values[lines.place(tile: tile, channel: channel)] = numbers[tile * channels + channel]
      }
    }
    return values
  }

  /// A sum of numbers below one is rounded once for each of them.
  private func allowed(terms: Int) -> Double {
    Double(terms + 1) * 6e-8 * max(1, Double(terms).squareRoot())
  }
}

extension Double {
  /// An error that is no number is the largest.
  fileprivate var orInfinity: Double { isNaN ? .infinity : self }
}
