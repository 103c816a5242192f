/// patches [grid * grid, size * size * channels] = the patches of one image [grid * size, grid *
/// size, channels], from left to right and top to bottom, each row by row.
public func gatherPatches(
  _ image: UnsafePointer<Float>, grid: Int, size: Int, channels: Int,
  patches: UnsafeMutablePointer<Float>, pool: ThreadPool
) {
  precondition(grid > 0 && size > 0 && channels > 0)
  let line = size * channels
  pool.run(grid) { row in
    for column in 0..<grid {
      let patch = patches + (row * grid + column) * size * line
      let corner = image + (row * size * grid + column) * line
      for y in 0..<size {
        (patch + y * line).update(from: corner + y * grid * line, count: line)
      }
    }
  }
}

/// The weights that resize a square map of vectors from one grid to another: bicubic, antialiased,
/// as PyTorch's `interpolate(mode="bicubic", antialias=True)` and Pillow have it.
public final class MapResize: Sendable {
  /// The edge of the map that is resized.
  public let inputGrid: Int
  /// The edge of the resized map.
  public let outputGrid: Int
  /// [outputGrid][inputGrid] of one axis.
  private let weights: [Float]

  /// Computes the weights.
  public init(inputGrid: Int, outputGrid: Int) {
    precondition(inputGrid > 0 && outputGrid > 0, "a map has pixels")
    self.inputGrid = inputGrid
    self.outputGrid = outputGrid
    let filter = ResampleFilter.bicubic
    let scale = Double(inputGrid) / Double(outputGrid)
    let stretch = max(scale, 1)
    var weights = [Float](repeating: 0, count: outputGrid * inputGrid)
    for output in 0..<outputGrid {
      let center = (Double(output) + 0.5) * scale
      let first = max(Int(center - filter.support * stretch + 0.5), 0)
      let last = min(Int(center + filter.support * stretch + 0.5), inputGrid)
      let row = (first..<last).map { filter.weight(at: (Double($0) - center + 0.5) / stretch) }
      let sum = row.reduce(0, +)
      for (place, weight) in row.enumerated() {
        weights[output * inputGrid + first + place] = Float(weight / sum)
      }
    }
    self.weights = weights
  }

  /// The floats of scratch of both directions.
  public func scratchCount(channels: Int) -> Int { outputGrid * inputGrid * channels }

  /// output [outputGrid², channels] = the resized map [inputGrid², channels].
  public func forward(
    _ map: UnsafePointer<Float>, channels: Int, scratch: UnsafeMutablePointer<Float>,
    output: UnsafeMutablePointer<Float>
  ) {
    weights.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      let axis = MatrixOperand(base: base, stride: inputGrid)
      let line = inputGrid * channels
      matrixProduct(
        rows: outputGrid, columns: line, depth: inputGrid, axis,
        MatrixOperand(base: map, stride: line), beta: 0, scratch, stride: line)
      for row in 0..<outputGrid {
        matrixProduct(
          rows: outputGrid, columns: channels, depth: inputGrid, axis,
          MatrixOperand(base: scratch + row * line, stride: channels), beta: 0,
          output + row * outputGrid * channels, stride: channels)
      }
    }
  }

  /// mapGradient [inputGrid², channels] += the gradient of the map from that of the resized one.
  public func backward(
    outputGradient: UnsafePointer<Float>, channels: Int, scratch: UnsafeMutablePointer<Float>,
    mapGradient: UnsafeMutablePointer<Float>
  ) {
    weights.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      let axis = MatrixOperand(base: base, stride: inputGrid, isTransposed: true)
      let line = inputGrid * channels
      for row in 0..<outputGrid {
        matrixProduct(
          rows: inputGrid, columns: channels, depth: outputGrid, axis,
          MatrixOperand(base: outputGradient + row * outputGrid * channels, stride: channels),
          beta: 0, scratch + row * line, stride: channels)
      }
      matrixProduct(
        rows: inputGrid, columns: line, depth: outputGrid, axis,
        MatrixOperand(base: scratch, stride: line), beta: 1, mapGradient, stride: line)
    }
  }
}
