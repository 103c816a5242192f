/// Three tables of 256 bytes, one for each colour: what becomes of every byte of an RGB picture.
///
/// The point operations of Pillow's `ImageOps` on RGB pictures, byte for byte. One object serves one
/// thread: it counts and looks up without allocating.
public final class PixelTables {
  private let counts: UnsafeMutablePointer<Int>
  private let table: UnsafeMutablePointer<UInt8>
  private static let levels = 256

  /// Tables for one thread.
  public init() {
    counts = .allocate(capacity: 3 * Self.levels)
    counts.initialize(repeating: 0, count: 3 * Self.levels)
    table = .allocate(capacity: 3 * Self.levels)
    table.initialize(repeating: 0, count: 3 * Self.levels)
  }

  deinit {
    counts.deallocate()
    table.deallocate()
  }

  /// Stretches each colour so that its darkest pixel is 0 and its brightest 255
  /// (`ImageOps.autocontrast`).
  public func autoContrast(_ pixels: UnsafeMutablePointer<UInt8>, pixelCount: Int) {
    count(pixels, pixelCount)
    for channel in 0..<3 {
      let counts = counts + channel * Self.levels
      let darkest = (0..<Self.levels).first { counts[$0] > 0 } ?? 0
      let brightest = (0..<Self.levels).last { counts[$0] > 0 } ?? 0
      guard brightest > darkest else {
        fill(channel) { $0 }
        continue
      }
      let scale = 255 / Double(brightest - darkest)
      let offset = -Double(darkest) * scale
      fill(channel) { min(max(Int(Double($0) * scale + offset), 0), 255) }
    }
    apply(pixels, pixelCount)
  }

  /// Spreads the bytes of each colour evenly over 0...255 (`ImageOps.equalize`).
  public func equalize(_ pixels: UnsafeMutablePointer<UInt8>, pixelCount: Int) {
    count(pixels, pixelCount)
    for channel in 0..<3 {
      let counts = counts + channel * Self.levels
      let brightest = (0..<Self.levels).last { counts[$0] > 0 } ?? 0
      // With a single level, or hardly any pixels below the brightest, Pillow changes nothing.
      let step = (pixelCount - counts[brightest]) / 255
      guard step > 0 else {
        fill(channel) { $0 }
        continue
      }
      var sum = step / 2
      fill(channel) { level in
        defer { sum += counts[level] }
        return sum / step
      }
    }
    apply(pixels, pixelCount)
  }

  /// Turns every byte into what a function of it says, the same for the three colours.
  ///
  /// - Parameter value: the new byte of a byte; it is clipped to 0...255.
  public func map(
    _ pixels: UnsafeMutablePointer<UInt8>, pixelCount: Int, _ value: (Int) -> Int
  ) {
    fill(0, value)
    for index in 0..<(3 * pixelCount) { pixels[index] = table[Int(pixels[index])] }
  }

  private func fill(_ channel: Int, _ value: (Int) -> Int) {
    let table = table + channel * Self.levels
    // Entries may be beyond 255 (equalize); Pillow clips them.
    for level in 0..<Self.levels { table[level] = UInt8(clamping: value(level)) }
  }

  private func count(_ pixels: UnsafePointer<UInt8>, _ pixelCount: Int) {
    precondition(pixelCount > 0)
    counts.update(repeating: 0, count: 3 * Self.levels)
    let red = counts
    let green = counts + Self.levels
    let blue = counts + 2 * Self.levels
    for index in 0..<pixelCount {
      let pixel = pixels + 3 &* index
      red[Int(pixel[0])] &+= 1
      green[Int(pixel[1])] &+= 1
      blue[Int(pixel[2])] &+= 1
    }
  }

  private func apply(_ pixels: UnsafeMutablePointer<UInt8>, _ pixelCount: Int) {
    let red = UnsafePointer(table)
    let green = red + Self.levels
    let blue = green + Self.levels
    for index in 0..<pixelCount {
      let pixel = pixels + 3 &* index
      pixel[0] = red[Int(pixel[0])]
      pixel[1] = green[Int(pixel[1])]
      pixel[2] = blue[Int(pixel[2])]
    }
  }
}
