extension ParameterLayout {
  /// The dimensions in timm's state dict of a tensor with these dimensions here.
  func timmShape(of shape: [Int]) -> [Int] {
    switch self {
    case .convolution: [shape[3], shape[2], shape[0], shape[1]]
    case .depthwise: [shape[2], 1, shape[0], shape[1]]
    case .dense: [shape[1], shape[0]]
    case .vector, .scalar: shape
    }
  }

  /// Copies a tensor from timm's layout into the engine's.
  ///
  /// - Parameter shape: the dimensions in the engine's layout.
  func fromTimm(
    _ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, shape: [Int]
  ) {
    permute(shape) { here, there in target[here] = source[there] }
  }

  /// Copies a tensor from the engine's layout into timm's.
  ///
  /// - Parameter shape: the dimensions in the engine's layout.
  func toTimm(
    _ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>, shape: [Int]
  ) {
    permute(shape) { here, there in target[there] = source[here] }
  }

  /// Calls `visit` with the two flat indices of every element.
  @inline(__always)
  private func permute(_ shape: [Int], _ visit: (_ here: Int, _ there: Int) -> Void) {
    switch self {
    case .convolution:
      let area = shape[0] * shape[1]
      transpose(area: area, inputs: shape[2], outputs: shape[3], visit)
    case .depthwise:
      transpose(area: shape[0] * shape[1], inputs: 1, outputs: shape[2], visit)
    case .dense:
      transpose(area: 1, inputs: shape[0], outputs: shape[1], visit)
    case .vector, .scalar:
      for index in 0..<shape.reduce(1, *) { visit(index, index) }
    }
  }

  /// `[area][inputs][outputs]` here, `[outputs][inputs][area]` there; a cache line of outputs at a
  /// time, so that neither side is read or written in leaps.
  @inline(__always)
  private func transpose(
    area: Int, inputs: Int, outputs: Int, _ visit: (_ here: Int, _ there: Int) -> Void
  ) {
    let row = inputs &* area
    var first = 0
    while first < outputs {
      let last = min(outputs, first &+ 16)
      for input in 0..<inputs {
        for place in 0..<area {
          let here = (place &* inputs &+ input) &* outputs
          let there = input &* area &+ place
          for output in first..<last { visit(here &+ output, output &* row &+ there) }
        }
      }
      first = last
    }
  }
}
