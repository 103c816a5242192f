internal import Kernels

/// The learned positions of a transformer in a file that has them for another number of patches than
/// the network; they are resized as by timm's `resample_abs_pos_embed`: bicubic, antialiased, the
/// class token's apart.
struct PositionResize {
  /// The patches along an edge, in the file and in the network.
  let (from, to): (Int, Int)
  private let channels: Int

  /// - Returns: nil for a tensor that is no table of positions of a square of patches, or the network's
  ///   own size.
  init?(_ shape: [Int], to info: ParameterInfo) {
    guard info.role.layer == .positions, shape.count == 3, shape[0] == 1,
      shape[2] == info.shape[2], shape != info.shape,
      let from = Self.grid(shape[1]), let to = Self.grid(info.shape[1])
    else { return nil }
    (self.from, self.to) = (from, to)
    channels = shape[2]
  }

  /// target [to² + 1, channels] = the resized positions [from² + 1, channels].
  func apply(_ source: UnsafePointer<Float>, to target: UnsafeMutablePointer<Float>) {
    target.update(from: source, count: channels)
    let resize = MapResize(inputGrid: from, outputGrid: to)
    let scratch = FloatMemory(count: resize.scratchCount(channels: channels))
    resize.forward(
      source + channels, channels: channels, scratch: scratch.base, output: target + channels)
  }

  /// The edge of the square that this many tokens are, the class token apart; at most 1024.
  private static func grid(_ tokens: Int) -> Int? { (1...1024).first { $0 * $0 + 1 == tokens } }
}
