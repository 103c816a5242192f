import Foundation

/// Pillow's `ImageEnhance.Sharpness` on an RGB picture, in place: from smoothed (0) over unchanged (1)
/// to sharpened (above 1).
///
/// - Parameters:
///   - pixels: `height` rows of `width` pixels without gaps.
///   - scratch: room for `3 * width * height` bytes.
public func adjustSharpness(
  _ pixels: UnsafeMutablePointer<UInt8>, width: Int, height: Int, factor: Float,
  scratch: UnsafeMutablePointer<UInt8>
) {
  // The smoothing leaves the border alone, and so everything in pictures that are all border.
  guard width >= 3 && height >= 3 else { return }
  let rowBytes = 3 * width
  scratch.update(from: pixels, count: rowBytes * height)
  let side: Float = 1 / 13
  let middle: Float = 5 / 13
  for y in 1..<(height - 1) {
    let output = pixels + rowBytes * y
    let row = UnsafePointer(scratch) + rowBytes * y
    let above = row - rowBytes
    let below = row + rowBytes
    for at in 3..<(rowBytes - 3) {
      // The order of Pillow's sums: rows from below, each from the left.
      var sum: Float = 0.5
      sum += Float(below[at &- 3]) * side + Float(below[at]) * side + Float(below[at &+ 3]) * side
      sum += Float(row[at &- 3]) * side + Float(row[at]) * middle + Float(row[at &+ 3]) * side
      sum += Float(above[at &- 3]) * side + Float(above[at]) * side + Float(above[at &+ 3]) * side
      output[at] = blended(floored(sum), Int32(row[at]), factor)
    }
  }
}

/// Pillow's `ImageFilter.GaussianBlur` on an RGB picture, in place: three box blurs whose width need
/// not be whole, along the rows and then along the columns.
///
/// - Parameters:
///   - radius: the standard deviation in pixels; 0 changes nothing.
///   - scratch: room for `3 * width * height` bytes.
public func blurGaussian(
  _ pixels: UnsafeMutablePointer<UInt8>, width: Int, height: Int, radius: Float,
  scratch: UnsafeMutablePointer<UInt8>
) {
  let box = BoxBlur(radius: gaussianBoxRadius(radius, passes: 3))
  guard box.isNeeded else { return }
  for y in 0..<height {
    for channel in 0..<3 {
      box.run(
        pixels + (3 * width * y + channel), stride: 3, count: width, passes: 3, scratch: scratch)
    }
  }
  for column in 0..<(3 * width) {
    box.run(
      pixels + column, stride: 3 * width, count: height, passes: 3, scratch: scratch)
  }
}

/// The half-width of a box that, applied `passes` times, has the given standard deviation (Gwosdek et
/// al., "Theoretical foundations of Gaussian convolution by extended box filtering", SSVM 2011).
private func gaussianBoxRadius(_ deviation: Float, passes: Int) -> Float {
  let variance = deviation * deviation / Float(passes)
  let length = Float((12 * Double(variance) + 1).squareRoot())
  let whole = Float(((Double(length) - 1) / 2).rounded(.down))
  var part = (2 * whole + 1) * (whole * (whole + 1) - 3 * variance)
  part /= 6 * (variance - (whole + 1) * (whole + 1))
  return whole + part
}

/// A mean over `2 radius + 1` neighbours in 24-bit fixed point; the outermost two count partly.
private struct BoxBlur {
  let whole: Int
  let weight, edgeWeight: UInt32
  let isNeeded: Bool

  init(radius: Float) {
    isNeeded = radius != 0
    whole = Int(radius)
    weight = UInt32(16_777_216 / (radius * 2 + 1))
    edgeWeight = ((1 << 24) - UInt32(whole * 2 + 1) * weight) / 2
  }

  /// Blurs `count` bytes that lie `stride` apart; pixels beyond the ends are like the last ones.
  func run(
    _ line: UnsafeMutablePointer<UInt8>, stride: Int, count: Int, passes: Int,
    scratch: UnsafeMutablePointer<UInt8>
  ) {
    for _ in 0..<passes {
      for x in 0..<count { scratch[x] = line[x &* stride] }
      @inline(__always) func value(_ x: Int) -> UInt32 {
        UInt32(scratch[min(max(x, 0), count &- 1)])
      }
      var sum: UInt32 = 0
      for x in (-whole)...whole { sum &+= value(x) }
      for x in 0..<count {
        let edges = value(x &- whole &- 1) &+ value(x &+ whole &+ 1)
        let mean = sum &* weight &+ edges &* edgeWeight
        line[x &* stride] = UInt8(truncatingIfNeeded: (mean &+ (1 << 23)) &>> 24)
        sum = sum &+ value(x &+ whole &+ 1) &- value(x &- whole)
      }
    }
  }
}
