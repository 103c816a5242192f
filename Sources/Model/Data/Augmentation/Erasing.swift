import Foundation
import Kernels

/// Removes rectangles from normalised images: random erasing as timm's `RandomErasing` (Zhong et al.,
/// "Random Erasing Data Augmentation", AAAI 2020) and a square hole (DeVries and Taylor, "Improved
/// Regularization of Convolutional Neural Networks with Cutout", 2017).
///
/// Draws for one image, in order: group `erasing` holds gate and count and then, for every rectangle,
/// up to ten tries of area and aspect ratio with top and left when the rectangle fits; group `cutout`
/// holds the centre of the hole; group `noise` the colours.
struct Erasing: Sendable, Equatable {
  /// What a rectangle is filled with.
  enum Mode: String, Sendable, CaseIterable {
    /// The mean colour: 0.
    case const
    /// One normal number for each colour.
    case rand
    /// A normal number for each colour of each pixel.
    case pixel
  }

  /// The probability of erasing in an image.
  var probability = 0.0
  /// What a rectangle is filled with.
  var mode = Mode.const
  /// The largest number of rectangles; the number is drawn, and divides their area.
  var largestCount = 1
  /// Over how many equal parts of a batch the images count, the first of which stays as it is; 1 erases
  /// in all.
  var splits = 1
  /// The side of the hole in pixels; 0 makes none.
  var hole = 0

  /// Whether nothing is ever erased.
  var isOff: Bool { probability == 0 && hole == 0 }

  /// A part of an image.
  struct Box: Sendable, Equatable {
    var x, y, width, height: Int
  }

  /// The part of the image's area that a rectangle covers.
  private static let areas = 0.02...(1.0 / 3)
  /// The logarithms of the smallest and the largest height over width.
  private static let ratios = (low: log(0.3), high: log(1 / 0.3))

  /// Erases in one image of `size * size` pixels, HWC.
  ///
  /// - Parameter row: where in the batch of `rows` images it lies.
  func apply(
    to image: UnsafeMutablePointer<Float>, size: Int, channels: Int = 3, key: SampleKey, row: Int,
    of rows: Int
  ) {
    if hole > 0 {
      var random = key.random(.cutout)
      erase(Self.hole(hole, size: size, &random), image, size, channels) { _ in 0 }
    }
    guard probability > 0, splits < 2 || row >= rows / splits else { return }
    var random = key.random(.erasing)
    var colors = key.random(.noise)
    guard random.uniform() <= probability else { return }
    let count = 1 + random.integer(below: largestCount)
    for _ in 0..<count {
      guard let box = Self.box(count: count, size: size, &random) else { continue }
      switch mode {
      case .const: erase(box, image, size, channels) { _ in 0 }
      case .rand:
        let color = (0..<3).reduce(into: SIMD3<Float>()) { $0[$1] = Float(colors.normal()) }
        erase(box, image, size, channels) { color[$0] }
      case .pixel: erase(box, image, size, channels) { _ in Float(colors.normal()) }
      }
    }
  }

  /// One rectangle of `count`, unless ten tries fail.
  static func box(count: Int, size: Int, _ random: inout CounterRandom) -> Box? {
    for _ in 0..<10 {
      let share = random.uniform(areas.lowerBound, areas.upperBound)
      let area = share * Double(size * size) / Double(count)
      let ratio = exp(random.uniform(ratios.low, ratios.high))
      let height = Int((area * ratio).squareRoot().rounded(.toNearestOrEven))
      let width = Int((area / ratio).squareRoot().rounded(.toNearestOrEven))
      if width < size && height < size {
        let y = random.integer(below: size - height + 1)
        let x = random.integer(below: size - width + 1)
        return Box(x: x, y: y, width: width, height: height)
      }
    }
    return nil
  }

  /// A square around any pixel, without what lies outside of the image.
  static func hole(_ side: Int, size: Int, _ random: inout CounterRandom) -> Box {
    func range() -> Range<Int> {
      let start = random.integer(below: size) - side / 2
      return max(start, 0)..<min(start + side, size)
    }
    let rows = range()
    let columns = range()
    return Box(
      x: columns.lowerBound, y: rows.lowerBound, width: columns.count, height: rows.count)
  }

  @inline(__always)
  private func erase(
    _ box: Box, _ image: UnsafeMutablePointer<Float>, _ size: Int, _ channels: Int,
    _ value: (Int) -> Float
  ) {
    for y in box.y..<(box.y + box.height) {
      let row = image + channels * (y * size + box.x)
      for index in 0..<(channels * box.width) { row[index] = value(index % channels) }
    }
  }
}
