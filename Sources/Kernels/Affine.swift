import Foundation

/// Where the pixels of an affinely moved picture come from: the output pixel (x, y) shows the source
/// at `(a x + b y + c, d x + e y + f)`, as in Pillow's `Image.transform`.
public struct Affine: Sendable, Equatable {
  /// The source's column.
  public var a, b, c: Double
  /// The source's row.
  public var d, e, f: Double

  /// A map with the given six numbers.
  public init(_ a: Double, _ b: Double, _ c: Double, _ d: Double, _ e: Double, _ f: Double) {
    (self.a, self.b, self.c) = (a, b, c)
    (self.d, self.e, self.f) = (d, e, f)
  }

  /// A slant of the rows by so many pixels per row.
  public static func shearX(_ factor: Double) -> Affine { Affine(1, factor, 0, 0, 1, 0) }
  /// A slant of the columns by so many pixels per column.
  public static func shearY(_ factor: Double) -> Affine { Affine(1, 0, 0, factor, 1, 0) }
  /// A shift to the left (above 0) or right, in pixels.
  public static func translateX(_ pixels: Double) -> Affine { Affine(1, 0, pixels, 0, 1, 0) }
  /// A shift upwards (above 0) or downwards, in pixels.
  public static func translateY(_ pixels: Double) -> Affine { Affine(1, 0, 0, 0, 1, pixels) }

  /// A turn by `degrees` against the clock around the centre, as Pillow's `Image.rotate`, which
  /// rounds sine and cosine to 15 decimals.
  public static func rotation(degrees: Double, width: Int, height: Int) -> Affine {
    let angle = -(degrees * (Double.pi / 180))
    let cosine = rounded15(cos(angle))
    let sine = rounded15(sin(angle))
    let opposite = rounded15(-sin(angle))
    let x = Double(width) / 2
    let y = Double(height) / 2
    var map = Affine(cosine, sine, 0, opposite, cosine, 0)
    map.c = map.a * -x + map.b * -y + 0 + x
    map.f = map.d * -x + map.e * -y + 0 + y
    return map
  }

  /// Python's `round(value, 15)` of a number in -1...1.
  private static func rounded15(_ value: Double) -> Double {
    let scaled = value * 1e15
    let nearest = scaled.rounded(.toNearestOrEven)
    // The product was rounded itself: what it lost decides where it lies close to a half.
    let rest = (scaled - nearest) + (-scaled).addingProduct(value, 1e15)
    let whole = rest > 0.5 ? nearest + 1 : rest < -0.5 ? nearest - 1 : nearest
    return whole / 1e15
  }
}

/// How an affinely moved picture reads between the pixels of its source.
public enum AffineFilter: String, Sendable, CaseIterable {
  /// The pixel that the place lies in.
  case nearest
  /// A mixture of 2 x 2 pixels.
  case bilinear
  /// Cubic curves through 4 x 4 pixels.
  case bicubic
}

/// Moves an RGB picture as Pillow's `Image.transform(size, AFFINE, ...)` does, byte for byte: nearest
/// neighbours in 16.16 fixed point, the others in double precision, cut off to whole numbers.
///
/// - Parameters:
///   - source: `height` rows of `width` pixels without gaps; not `output`. The sides are below 32768.
///   - map: where the output's pixels lie in the source.
///   - fill: the colour of output pixels whose centre lies outside of the source.
///   - output: receives a picture of the same size.
public func transformAffine(
  _ source: UnsafePointer<UInt8>, width: Int, height: Int, map: Affine, filter: AffineFilter,
  fill: SIMD3<UInt8>, into output: UnsafeMutablePointer<UInt8>
) {
  precondition(width > 0 && height > 0 && width < 32768 && height < 32768)
  switch filter {
  case .nearest:
    transformNearest(source, width: width, height: height, map: map, fill: fill, into: output)
  case .bilinear:
    transformSmoothly(
      source, width: width, height: height, map: map, fill: fill, into: output, sample: bilinear)
  case .bicubic:
    transformSmoothly(
      source, width: width, height: height, map: map, fill: fill, into: output, sample: bicubic)
  }
}

/// Nearest neighbours: Pillow steps along a row in 16.16 fixed point, and in double precision where
/// the map only scales and shifts.
private func transformNearest(
  _ source: UnsafePointer<UInt8>, width: Int, height: Int, map: Affine, fill: SIMD3<UInt8>,
  into output: UnsafeMutablePointer<UInt8>
) {
  func put(_ at: Int, _ x: Int, _ y: Int) {
    let to = output + 3 &* at
    if x >= 0 && x < width && y >= 0 && y < height {
      let from = source + 3 &* (y &* width &+ x)
      for channel in 0..<3 { to[channel] = from[channel] }
    } else {
      for channel in 0..<3 { to[channel] = fill[channel] }
    }
  }
  if map.b == 0 && map.d == 0 {
    func whole(_ place: Double) -> Int { place < 0 ? -1 : Int(place) }
    var placeY = map.f + map.e * 0.5
    for y in 0..<height {
      var placeX = map.c + map.a * 0.5
      for x in 0..<width {
        put(y &* width &+ x, whole(placeX), whole(placeY))
        placeX += map.a
      }
      placeY += map.e
    }
    return
  }
  func fixed(_ value: Double) -> Int { Int((value * 65536 + 0.5).rounded(.down)) }
  var startX = fixed(map.c + map.a * 0.5 + map.b * 0.5)
  var startY = fixed(map.f + map.d * 0.5 + map.e * 0.5)
  let (a, b, d, e) = (fixed(map.a), fixed(map.b), fixed(map.d), fixed(map.e))
  for y in 0..<height {
    var placeX = startX
    var placeY = startY
    for x in 0..<width {
      put(y &* width &+ x, placeX >> 16, placeY >> 16)
      placeX &+= a
      placeY &+= d
    }
    startX &+= b
    startY &+= e
  }
}

/// A place in the source between four pixels: the one up left of it, and how far it is from there.
private struct Place {
  let x, y: Int
  let dx, dy: Double
}

@inline(__always)
private func transformSmoothly(
  _ source: UnsafePointer<UInt8>, width: Int, height: Int, map: Affine, fill: SIMD3<UInt8>,
  into output: UnsafeMutablePointer<UInt8>,
  sample: (UnsafePointer<UInt8>, Int, Int, Place) -> SIMD4<Double>
) {
  for y in 0..<height {
    let centerY = Double(y) + 0.5
    for x in 0..<width {
      let to = output + 3 &* (y &* width &+ x)
      let centerX = Double(x) + 0.5
      let placeX = map.a * centerX + map.b * centerY + map.c
      let placeY = map.d * centerX + map.e * centerY + map.f
      guard placeX >= 0 && placeX < Double(width) && placeY >= 0 && placeY < Double(height) else {
        for channel in 0..<3 { to[channel] = fill[channel] }
        continue
      }
      let left = (placeX - 0.5).rounded(.down)
      let top = (placeY - 0.5).rounded(.down)
      let place = Place(
        x: Int(left), y: Int(top), dx: placeX - 0.5 - left, dy: placeY - 0.5 - top)
      let value = sample(source, width, height, place)
      for channel in 0..<3 { to[channel] = UInt8(min(max(value[channel], 0), 255)) }
    }
  }
}

/// The three colours of a pixel; the fourth lane is 0.
@inline(__always)
private func colors(_ row: UnsafePointer<UInt8>, _ x: Int) -> SIMD4<Double> {
  let pixel = row + 3 &* x
  return SIMD4(Double(pixel[0]), Double(pixel[1]), Double(pixel[2]), 0)
}

@inline(__always)
private func bilinear(
  _ source: UnsafePointer<UInt8>, _ width: Int, _ height: Int, _ place: Place
) -> SIMD4<Double> {
  let left = max(place.x, 0)
  let right = min(place.x &+ 1, width &- 1)
  @inline(__always) func across(_ y: Int) -> SIMD4<Double> {
    let row = source + 3 &* width &* y
    let first = colors(row, left)
    return first + (colors(row, right) - first) * place.dx
  }
  let upper = across(max(place.y, 0))
  // Below the last row the upper value counts alone.
  let lower = place.y &+ 1 < height ? across(place.y &+ 1) : upper
  return upper + (lower - upper) * place.dy
}

/// Pillow's cubic curve through the inner two of four values (a = -1), at `d` between them.
@inline(__always)
private func cubic(
  _ v1: SIMD4<Double>, _ v2: SIMD4<Double>, _ v3: SIMD4<Double>, _ v4: SIMD4<Double>, _ d: Double
) -> SIMD4<Double> {
  let p2 = v3 - v1
  let p3 = 2 * (v1 - v2) + v3 - v4
  let p4 = v2 - v1 - v3 + v4
  return v2 + d * (p2 + d * (p3 + d * p4))
}

@inline(__always)
private func bicubic(
  _ source: UnsafePointer<UInt8>, _ width: Int, _ height: Int, _ place: Place
) -> SIMD4<Double> {
  let x0 = min(max(place.x &- 1, 0), width &- 1)
  let x1 = min(max(place.x, 0), width &- 1)
  let x2 = min(max(place.x &+ 1, 0), width &- 1)
  let x3 = min(max(place.x &+ 2, 0), width &- 1)
  @inline(__always) func across(_ y: Int) -> SIMD4<Double> {
    let row = source + 3 &* width &* y
    return cubic(
      colors(row, x0), colors(row, x1), colors(row, x2), colors(row, x3), place.dx)
  }
  // Outside of the source the row before it counts again; above, the first row.
  let row0 = across(min(max(place.y &- 1, 0), height &- 1))
  let row1 = place.y >= 0 && place.y < height ? across(place.y) : row0
  let row2 = place.y &+ 1 >= 0 && place.y &+ 1 < height ? across(place.y &+ 1) : row1
  let row3 = place.y &+ 2 < height ? across(place.y &+ 2) : row2
  return cubic(row0, row1, row2, row3, place.dy)
}

/// Turns an RGB picture by quarters against the clock, as Pillow's `Image.transpose`.
///
/// - Parameters:
///   - source: the picture; not `output`.
///   - quarters: 1 or 3 for a square, 2 for any picture.
public func turnQuarters(
  _ source: UnsafePointer<UInt8>, width: Int, height: Int, quarters: Int,
  into output: UnsafeMutablePointer<UInt8>
) {
  precondition(quarters == 2 || ((quarters == 1 || quarters == 3) && width == height))
  for y in 0..<height {
    for x in 0..<width {
      let (fromX, fromY) =
        switch quarters {
        case 1: (width - 1 - y, x)
        case 2: (width - 1 - x, height - 1 - y)
        default: (y, height - 1 - x)
        }
      let from = source + 3 &* (fromY &* width &+ fromX)
      let to = output + 3 &* (y &* width &+ x)
      for channel in 0..<3 { to[channel] = from[channel] }
    }
  }
}
