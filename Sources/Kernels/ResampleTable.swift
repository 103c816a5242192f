import Foundation

/// The interpolation kernels of Pillow's `Image.resize`.
public enum ResampleFilter: Sendable, Hashable {
  /// The triangle of half-width 1.
  case bilinear
  /// Keys' cubic convolution with a = -0.5, of half-width 2.
  case bicubic

  /// The half-width, in source pixels when enlarging.
  var support: Double {
    switch self {
    case .bilinear: 1
    case .bicubic: 2
    }
  }

  /// The weight at distance `x`, in the order of operations of Pillow's `Resample.c`.
  func weight(at x: Double) -> Double {
    let x = abs(x)
    switch self {
    case .bilinear:
      return x < 1 ? 1 - x : 0
    case .bicubic:
      let a = -0.5
      if x < 1 { return ((a + 2) * x - (a + 3)) * x * x + 1 }
      if x < 2 { return (((x - 5) * x + 8) * x - 4) * a }
      return 0
    }
  }
}

/// The fixed-point weights of one axis of a resize, to the last bit those of Pillow.
///
/// When shrinking, the kernel is stretched by the scale (antialiasing), so that every source pixel
/// counts. Output `i` is `Σ coefficients[i][k] · source[first[i] + k]` with `count[i]` terms, in
/// units of 2^-22. A table depends on the geometry alone and serves any number of pictures.
public final class ResampleTable: Sendable {
  /// Fractional bits of a weight: 32 bits less 8 of the pixel and 2 of headroom.
  static let precision: Int32 = 32 - 8 - 2

  /// Pixels along the source axis.
  public let inputSize: Int
  /// Pixels along the output axis.
  public let outputSize: Int
  /// False when the output equals the source, so that the pass can be left out.
  public let isNeeded: Bool
  /// Coefficients stored per output pixel; those past `counts[i]` are zero.
  let taps: Int
  let firsts: [Int32]
  let counts: [Int32]
  let coefficients: [Int32]

  /// Computes the weights that map `box` of the source axis to `outputSize` pixels.
  ///
  /// - Parameter box: the part of the source that is resized, in pixels; nil is all of it.
  ///   Single precision, as in Pillow.
  public init(
    inputSize: Int, box: ClosedRange<Float>? = nil, outputSize: Int, filter: ResampleFilter
  ) {
    precondition(inputSize > 0 && outputSize > 0, "a picture has pixels")
    let low = box?.lowerBound ?? 0
    let high = box?.upperBound ?? Float(inputSize)
    precondition(low >= 0 && high <= Float(inputSize) && low < high, "the box lies in the picture")
    let scale = Double(high - low) / Double(outputSize)
    let filterScale = max(scale, 1)
    let support = filter.support * filterScale
    let taps = Int(support.rounded(.up)) * 2 + 1
    let inverse = 1 / filterScale
    var firsts = [Int32](repeating: 0, count: outputSize)
    var counts = [Int32](repeating: 0, count: outputSize)
    var coefficients = [Int32](repeating: 0, count: outputSize * taps)
    var weights = [Double](repeating: 0, count: taps)
    for index in 0..<outputSize {
      let center = Double(low) + (Double(index) + 0.5) * scale
      let first = max(Int(center - support + 0.5), 0)
      let count = min(Int(center + support + 0.5), inputSize) - first
      var sum = 0.0
      for k in 0..<count {
        let weight = filter.weight(at: (Double(k + first) - center + 0.5) * inverse)
        weights[k] = weight
        sum += weight
      }
      for k in 0..<count {
        let weight = sum != 0 ? weights[k] / sum : weights[k]
        let scaled = weight * Double(1 << Self.precision)
        coefficients[index * taps + k] = Int32(weight < 0 ? scaled - 0.5 : scaled + 0.5)
      }
      firsts[index] = Int32(first)
      counts[index] = Int32(count)
    }
    self.inputSize = inputSize
    self.outputSize = outputSize
    isNeeded = outputSize != inputSize || low != 0 || high != Float(outputSize)
    self.taps = taps
    self.firsts = firsts
    self.counts = counts
    self.coefficients = coefficients
  }

  /// The source pixels that the outputs in `range` read.
  func sourceRange(of range: Range<Int>) -> Range<Int> {
    guard isNeeded else { return range }
    let last = range.upperBound - 1
    return Int(firsts[range.lowerBound])..<Int(firsts[last] + counts[last])
  }

  /// Bytes that the table takes, for a cache that bounds its memory.
  var byteCount: Int { 4 * (firsts.count + counts.count + coefficients.count) }
}
