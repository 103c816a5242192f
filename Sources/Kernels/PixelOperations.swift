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

/// Pillow's luma of a colour (`convert("L")`): ITU-R 601-2 in 16-bit fixed point, rounded.
@inline(__always)
func luma(_ red: UInt8, _ green: UInt8, _ blue: UInt8) -> UInt32 {
  (UInt32(red) &* 19595 &+ UInt32(green) &* 38470 &+ UInt32(blue) &* 7471 &+ 0x8000) &>> 16
}

/// Pillow's `Image.blend` of one byte: from `first` (0) to `second` (1) and beyond, in single
/// precision, cut off towards zero and clipped to 0...255.
@inline(__always)
func blended(_ first: Int32, _ second: Int32, _ factor: Float) -> UInt8 {
  let value = Float(first) + factor * Float(second &- first)
  return UInt8(min(max(value, 0), 255))
}

/// Blends every byte with the same value: `degenerate` at factor 0, the picture at factor 1.
private func blendWithConstant(
  _ pixels: UnsafeMutablePointer<UInt8>, count: Int, degenerate: Int32, factor: Float
) {
  withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 256) { table in
    guard let table = table.baseAddress else { return }
    for value in 0..<256 {
      table[value] = blended(degenerate, Int32(truncatingIfNeeded: value), factor)
    }
    for index in 0..<count { pixels[index] = table[Int(pixels[index])] }
  }
}

/// Pillow's `ImageEnhance.Brightness` on an RGB picture of `pixelCount` pixels, in place.
public func adjustBrightness(
  _ pixels: UnsafeMutablePointer<UInt8>, pixelCount: Int, factor: Float
) {
  precondition(pixelCount > 0 && factor >= 0)
  blendWithConstant(pixels, count: 3 * pixelCount, degenerate: 0, factor: factor)
}

/// Pillow's `ImageEnhance.Contrast` on an RGB picture of `pixelCount` pixels, in place: a blend
/// with the mean luma, rounded to a whole number.
public func adjustContrast(
  _ pixels: UnsafeMutablePointer<UInt8>, pixelCount: Int, factor: Float
) {
  precondition(pixelCount > 0 && factor >= 0)
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
  precondition(pixelCount > 0 && factor >= 0)
  // Pillow copies the picture outright at 1; the arithmetic gives the same.
  for index in 0..<pixelCount {
    let pixel = pixels + 3 &* index
    let gray = Int32(truncatingIfNeeded: luma(pixel[0], pixel[1], pixel[2]))
    pixel[0] = blended(gray, Int32(pixel[0]), factor)
    pixel[1] = blended(gray, Int32(pixel[1]), factor)
    pixel[2] = blended(gray, Int32(pixel[2]), factor)
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
