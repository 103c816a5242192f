/// A norm that changes nothing, to the bit: with it a stored map is read where a normalised one is
/// expected.
public final class IdentityNorm: Sendable {
  private let numbers: FloatBuffer
  private let channels: Int

  /// Makes it for maps of a number of channels.
  public init(channels: Int) {
    self.channels = channels
    numbers = FloatBuffer(count: 2 * channels)
    (numbers.base + channels).update(repeating: 1, count: channels)
  }

  /// x [rows, channels] as a map; it is valid as long as the norm.
  public func map(_ x: UnsafePointer<Float>, rowsPerImage: Int) -> NormalizedMap {
    let (zeros, ones) = (numbers.base, numbers.base + channels)
    return NormalizedMap(
      x: x,
      norm: NormParameters(mean: zeros, inverseDeviation: ones, factor: ones, beta: zeros),
      activation: .identity, rowsPerImage: rowsPerImage)
  }
}
