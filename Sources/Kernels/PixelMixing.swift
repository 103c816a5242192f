/// How a picture is put together: `own` of itself and `other` of its partner.
public struct MixShare: Sendable, Equatable {
  /// The share of the picture itself.
  public var own: Float
  /// The share of the partner.
  public var other: Float

  /// Two shares, which add up to 1.
  public init(own: Float, other: Float) {
    self.own = own
    self.other = other
  }
}

/// Mixes two pictures into each other, in place, rounding to the nearest byte (a half to the even
/// one): `first` becomes `first * own + second * other` of its shares, and `second` likewise.
public func mixPixels(
  _ first: UnsafeMutablePointer<UInt8>, _ second: UnsafeMutablePointer<UInt8>, count: Int,
  firstShare: MixShare, secondShare: MixShare
) {
  for index in 0..<count {
    let a = Float(first[index])
    let b = Float(second[index])
    first[index] = roundedByte(a * firstShare.own + b * firstShare.other)
    second[index] = roundedByte(b * secondShare.own + a * secondShare.other)
  }
}

/// The nearest whole number of a value in 0...255; a half goes to the even one.
@inline(__always)
private func roundedByte(_ value: Float) -> UInt8 {
  UInt8(truncatingIfNeeded: (value + 12_582_912).bitPattern)
}

/// Pillow's `Image.blend` of two pictures, into the first: unchanged at factor 0, the second at 1.
public func blendPixels(
  _ pixels: UnsafeMutablePointer<UInt8>, _ second: UnsafePointer<UInt8>, count: Int, factor: Float
) {
  for index in 0..<count {
    pixels[index] = blended(Int32(pixels[index]), Int32(second[index]), factor)
  }
}

/// The sum of AugMix: pictures times their weights, added in their order in single precision, clipped
/// and cut off to bytes.
///
/// - Parameters:
///   - pictures: `weights.count` pictures of `count` bytes, one behind the other.
///   - output: receives `count` bytes; may be the first picture.
public func sumPixels(
  _ pictures: UnsafePointer<UInt8>, count: Int, weights: UnsafeBufferPointer<Float>,
  into output: UnsafeMutablePointer<UInt8>
) {
  let block = 64
  withUnsafeTemporaryAllocation(of: Float.self, capacity: block) { sums in
    guard let sums = sums.baseAddress else { return }
    var start = 0
    while start < count {
      let size = min(block, count - start)
      sums.update(repeating: 0, count: size)
      for (picture, weight) in weights.enumerated() {
        let source = pictures + (picture * count + start)
        for index in 0..<size { sums[index] += weight * Float(source[index]) }
      }
      for index in 0..<size { output[start &+ index] = clippedByte(floored(sums[index])) }
      start += size
    }
  }
}
