/// Mirrors an RGB picture left to right, in place.
public func flipHorizontally(_ pixels: UnsafeMutablePointer<UInt8>, width: Int, height: Int) {
  precondition(width > 0 && height > 0)
  for y in 0..<height {
    let row = pixels + 3 &* width &* y
    var left = 0
    var right = 3 &* (width &- 1)
    while left < right {
      for channel in 0..<3 {
        let kept = row[left &+ channel]
        row[left &+ channel] = row[right &+ channel]
        row[right &+ channel] = kept
      }
      left &+= 3
      right &-= 3
    }
  }
}

/// Mirrors an RGB picture top to bottom, in place.
public func flipVertically(_ pixels: UnsafeMutablePointer<UInt8>, width: Int, height: Int) {
  precondition(width > 0 && height > 0)
  let rowBytes = 3 &* width
  var top = 0
  var bottom = height &- 1
  while top < bottom {
    let upper = pixels + rowBytes &* top
    let lower = pixels + rowBytes &* bottom
    for x in 0..<rowBytes {
      let kept = upper[x]
      upper[x] = lower[x]
      lower[x] = kept
    }
    top &+= 1
    bottom &-= 1
  }
}

/// Moves an RGB picture to the left by `x` and up by `y` pixels (below 0: right, down); what comes in is
/// its own reflection, in which the border itself is not repeated.
///
/// - Parameters:
///   - source: the picture; not `output`.
///   - x: less than `width` in size.
///   - y: less than `height` in size.
public func shiftReflecting(
  _ source: UnsafePointer<UInt8>, width: Int, height: Int, x: Int, y: Int,
  into output: UnsafeMutablePointer<UInt8>
) {
  precondition(abs(x) < width && abs(y) < height)
  func reflected(_ place: Int, _ count: Int) -> Int {
    place < 0 ? -place : place >= count ? 2 * (count - 1) - place : place
  }
  let inside = max(0, -x)..<min(width, width - x)
  for row in 0..<height {
    let from = source + 3 * width * reflected(row + y, height)
    let to = output + 3 * width * row
    (to + 3 * inside.lowerBound).update(
      from: from + 3 * (inside.lowerBound + x), count: 3 * inside.count)
    for column in 0..<width where !inside.contains(column) {
      let pixel = from + 3 * reflected(column + x, width)
      for channel in 0..<3 { to[3 * column + channel] = pixel[channel] }
    }
  }
}

/// Pillow's luma of a colour (`convert("L")`): ITU-R 601-2 in 16-bit fixed point, rounded.
@inline(__always)
func luma(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt32 {
  (UInt32(red) &* 19595 &+ UInt32(green) &* 38470 &+ UInt32(blue) &* 7471 &+ 0x8000) &>> 16
}

/// The largest whole number that is not above `value`, of at most 2^22 in size.
///
/// Without a branch or a checked conversion, so that loops over it become vector code.
@inline(__always)
func floored(_ value: Float) -> Int32 {
  // Adding 1.5 · 2^23 rounds to a whole number in the low bits; the sign of the (exact) difference
  // tells whether that went up.
  let shifted = value + 12_582_912
  let nearest = Int32(bitPattern: shifted.bitPattern) &- 0x4B40_0000
  return nearest &+ Int32(bitPattern: (value - (shifted - 12_582_912)).bitPattern) &>> 31
}

/// Clips to 0...255.
@inline(__always)
func clippedByte(_ value: Int32) -> UInt8 {
  let low = value & ~(value &>> 31)
  let room = 255 &- low
  return UInt8(truncatingIfNeeded: low &+ (room & (room &>> 31)))
}

/// Pillow's `Image.blend` of one byte: from `first` (0) to `second` (1) and beyond, in single
/// precision, cut off towards zero and clipped to 0...255.
@inline(__always)
func blended(_ first: Int32, _ second: Int32, _ factor: Float) -> UInt8 {
  // Below zero this is one less than cutting off, and clipped.
  clippedByte(floored(Float(first) + factor * Float(second &- first)))
}

/// Blends with a picture of one value: `degenerate` at factor 0, the picture at factor 1.
private func blendWithConstant(
  _ pixels: UnsafeMutablePointer<UInt8>, count: Int, degenerate: Int32, factor: Float
) {
  for index in 0..<count { pixels[index] = blended(degenerate, Int32(pixels[index]), factor) }
}

/// The largest factor of the adjustments, far beyond any use.
private let largestFactor: Float = 1000

/// Pillow's `ImageEnhance.Brightness` on an RGB picture of `pixelCount` pixels, in place.
public func adjustBrightness(
  _ pixels: UnsafeMutablePointer<UInt8>, pixelCount: Int, factor: Float
) {
  precondition(pixelCount > 0 && factor >= 0 && factor <= largestFactor)
  blendWithConstant(pixels, count: 3 * pixelCount, degenerate: 0, factor: factor)
}

/// Pillow's `ImageEnhance.Contrast` on an RGB picture of `pixelCount` pixels, in place: a blend
/// with the mean luma, rounded to a whole number.
public func adjustContrast(
  _ pixels: UnsafeMutablePointer<UInt8>, pixelCount: Int, factor: Float
) {
  precondition(pixelCount > 0 && factor >= 0 && factor <= largestFactor)
  var sum: UInt64 = 0
  var start = 0
  while start < pixelCount {
    // A block of 2^16 pixels sums in 32 bits.
    let end = min(start &+ (1 << 16), pixelCount)
    var partial: UInt32 = 0
    for index in start..<end {
      let pixel = pixels + 3 &* index
      partial &+= luma(pixel[0], pixel[1], pixel[2])
    }
    sum &+= UInt64(partial)
    start = end
  }
  let mean = Int32(Double(sum) / Double(pixelCount) + 0.5)
  blendWithConstant(pixels, count: 3 * pixelCount, degenerate: mean, factor: factor)
}

/// Pillow's `ImageEnhance.Color` on an RGB picture of `pixelCount` pixels, in place: a blend of
/// each pixel with its luma.
public func adjustSaturation(
  _ pixels: UnsafeMutablePointer<UInt8>, pixelCount: Int, factor: Float
) {
  precondition(pixelCount > 0 && factor >= 0 && factor <= largestFactor)
  let block = 64
  withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 3 * block) { scratch in
    guard let gray = scratch.baseAddress else { return }
    var start = 0
    while start < pixelCount {
      let part = pixels + 3 &* start
      let count = min(block, pixelCount &- start)
      for index in 0..<count {
        let pixel = part + 3 &* index
        let value = UInt8(truncatingIfNeeded: luma(pixel[0], pixel[1], pixel[2]))
        gray[3 &* index] = value
        gray[3 &* index &+ 1] = value
        gray[3 &* index &+ 2] = value
      }
      for index in 0..<(3 &* count) {
        part[index] = blended(Int32(gray[index]), Int32(part[index]), factor)
      }
      start &+= count
    }
  }
}

/// Turns bytes into network input of one channel, `(y - offset) / divisor`, where y is the brightness of
/// a pixel as Pillow's mode L has it, rounded to a byte; that of a gray pixel is its value.
///
/// - Parameters:
///   - pixels: `pixelCount` interleaved RGB pixels.
///   - offset: in units of the byte (255 times the mean).
///   - divisor: in units of the byte (255 times the standard deviation).
///   - output: `pixelCount` floats.
public func normalizeBrightness(
  _ pixels: UnsafePointer<UInt8>, pixelCount: Int, offset: Float, divisor: Float,
  output: UnsafeMutablePointer<Float>
) {
  precondition(pixelCount >= 0)
  for index in 0..<pixelCount {
    let pixel = pixels + 3 &* index
    output[index] = (Float(luma(pixel[0], pixel[1], pixel[2])) - offset) / divisor
  }
}

/// Turns bytes into network input: `(x - offset[c]) / divisor[c]` for the channel c of each byte.
///
/// - Parameters:
///   - pixels: `pixelCount` interleaved RGB pixels.
///   - offset: per channel, in units of the byte (255 times the mean).
///   - divisor: per channel, in units of the byte (255 times the standard deviation).
///   - output: `3 * pixelCount` floats in the same order (NHWC).
public func normalizePixels(
  _ pixels: UnsafePointer<UInt8>, pixelCount: Int, offset: SIMD3<Float>, divisor: SIMD3<Float>,
  output: UnsafeMutablePointer<Float>
) {
  precondition(pixelCount >= 0)
  // The channel of lane i of vector v is (16 v + i) mod 3.
  var offsets = (SIMD16<Float>(), SIMD16<Float>(), SIMD16<Float>())
  var divisors = offsets
  for lane in 0..<16 {
    offsets.0[lane] = offset[lane % 3]
    offsets.1[lane] = offset[(16 + lane) % 3]
    offsets.2[lane] = offset[(32 + lane) % 3]
    divisors.0[lane] = divisor[lane % 3]
    divisors.1[lane] = divisor[(16 + lane) % 3]
    divisors.2[lane] = divisor[(32 + lane) % 3]
  }
  let source = UnsafeRawPointer(pixels)
  let target = UnsafeMutableRawPointer(output)
  let whole = pixelCount / 16
  for block in 0..<whole {
    let at = 48 &* block
    let bytes0 = source.loadUnaligned(fromByteOffset: at, as: SIMD16<UInt8>.self)
    let bytes1 = source.loadUnaligned(fromByteOffset: at &+ 16, as: SIMD16<UInt8>.self)
    let bytes2 = source.loadUnaligned(fromByteOffset: at &+ 32, as: SIMD16<UInt8>.self)
    let value0 = (SIMD16<Float>(bytes0) - offsets.0) / divisors.0
    let value1 = (SIMD16<Float>(bytes1) - offsets.1) / divisors.1
    let value2 = (SIMD16<Float>(bytes2) - offsets.2) / divisors.2
    target.storeBytes(of: value0, toByteOffset: 4 &* at, as: SIMD16<Float>.self)
    target.storeBytes(of: value1, toByteOffset: 4 &* at &+ 64, as: SIMD16<Float>.self)
    target.storeBytes(of: value2, toByteOffset: 4 &* at &+ 128, as: SIMD16<Float>.self)
  }
  for index in (48 * whole)..<(3 * pixelCount) {
    output[index] = (Float(pixels[index]) - offset[index % 3]) / divisor[index % 3]
  }
}
