import Foundation
import Kernels

/// Mixup and CutMix on the bytes of a batch, as timm's `FastCollateMixup` (Zhang et al., "mixup: Beyond
/// Empirical Risk Minimization", ICLR 2018; Yun et al., "CutMix", ICCV 2019).
///
/// Every image is mixed with the one as far from the end of the batch as it is from the start. The
/// draws are functions of (seed, epoch, batch), so that a training that goes on in the middle of an
/// epoch mixes alike.
struct BatchMixing: Sendable, Equatable {
  /// What shares a draw.
  enum Mode: String, Sendable, CaseIterable {
    /// All images of the batch.
    case batch
    /// The two images that are mixed with each other.
    case pair
    /// Nothing: every image has its own.
    case elem
    /// Nothing; only the first half of the images is mixed, each with one of the second half, which
    /// is left out of the batch then.
    case half
  }

  /// The parameter of the beta distribution of Mixup's shares; 0 never mixes that way.
  var mixupAlpha = 0.0
  /// The parameter of the beta distribution of CutMix's shares; 0 never mixes that way.
  var cutmixAlpha = 0.0
  /// The sides of CutMix's boxes as shares of the image's; they take the place of the beta
  /// distribution.
  var cutmixSides: ClosedRange<Double>?
  /// The probability that a batch, pair or image is mixed at all.
  var probability = 1.0
  /// The probability of CutMix where both are possible.
  var switchProbability = 0.5
  /// What shares a draw.
  var mode = Mode.batch

  /// Whether images can be mixed.
  var isOff: Bool { mixupAlpha == 0 && !cuts }
  private var cuts: Bool { cutmixAlpha > 0 || cutmixSides != nil }

  /// The part of the partner that CutMix puts in.
  struct Box: Sendable, Equatable {
    var top, bottom, left, right: Int
  }

  /// How an image is mixed.
  struct Draw: Sendable, Equatable {
    /// How much of the result is the image itself.
    var share = 1.0
    /// What is taken from the partner instead of a mixture of all pixels.
    var box: Box?
  }

  /// Draws how the images of a unit (batch, pair or image) are mixed.
  func draw(size: Int, _ random: inout CounterRandom) -> Draw {
    // The numbers whose count is fixed come first, and all of them whether or not they are used.
    let isMixed = random.uniform() < probability
    let isSwitched = random.uniform() < switchProbability
    let place = (random.uniform(), random.uniform())
    let sides = (random.uniform(), random.uniform())
    guard isMixed, !isOff else { return Draw() }
    guard cuts && (mixupAlpha == 0 || isSwitched) else {
      return Draw(share: random.beta(mixupAlpha))
    }
    let box =
      if let cutmixSides {
        Self.box(sides: cutmixSides, size: size, sides, place)
      } else {
        Self.box(share: random.beta(cutmixAlpha), size: size, place)
      }
    let area = (box.bottom - box.top) * (box.right - box.left)
    return Draw(share: 1 - Double(area) / Double(size * size), box: box)
  }

  /// A square around any pixel, which would leave `share` of the image but is cut at its border.
  static func box(share: Double, size: Int, _ place: (Double, Double)) -> Box {
    let side = Int(Double(size) * (1 - share).squareRoot())
    func range(_ place: Double) -> (Int, Int) {
      let center = Int(place * Double(size))
      return (max(center - side / 2, 0), min(center + (side + 1) / 2, size))
    }
    let rows = range(place.0)
    let columns = range(place.1)
    return Box(top: rows.0, bottom: rows.1, left: columns.0, right: columns.1)
  }

  /// A rectangle anywhere in the image, each side drawn from a range of shares of the image's.
  static func box(
    sides: ClosedRange<Double>, size: Int, _ lengths: (Double, Double), _ place: (Double, Double)
  ) -> Box {
    let low = Int(Double(size) * sides.lowerBound)
    let high = Int(Double(size) * sides.upperBound)
    func range(_ length: Double, _ place: Double) -> (Int, Int) {
      let side = low + Int(length * Double(high - low))
      let start = Int(place * Double(size - side + 1))
      return (start, start + side)
    }
    let rows = range(lengths.0, place.0)
    let columns = range(lengths.1, place.1)
    return Box(top: rows.0, bottom: rows.1, left: columns.0, right: columns.1)
  }

  /// The images that the network sees of a batch of so many.
  func rows(of count: Int) -> Int { mode == .half ? count / 2 : count }

  /// Mixes a batch in place and says what its images show.
  ///
  /// - Parameters:
  ///   - pixels: `count` images of `size * size` RGB pixels.
  ///   - count: an even number.
  ///   - random: the numbers of this batch.
  ///   - targets: has the labels; receives partners and shares.
  func apply(
    to pixels: UnsafeMutablePointer<UInt8>, count: Int, size: Int, _ random: inout CounterRandom,
    targets: BatchTargets
  ) {
    precondition(count % 2 == 0, "mixing takes images two by two")
    var shared = Draw()
    if mode == .batch { shared = draw(size: size, &random) }
    for row in 0..<(count / 2) {
      var first = mode == .batch ? shared : draw(size: size, &random)
      var second =
        switch mode {
        case .batch, .pair: first
        case .elem: draw(size: size, &random)
        case .half: Draw()
        }
      // timm rounds the shares of single images to single precision before it uses them.
      if mode != .batch {
        first.share = Double(Float(first.share))
        second.share = Double(Float(second.share))
      }
      mix(pixels, row, count - 1 - row, size: size, first, second, targets)
    }
  }

  /// Mixes two images with each other.
  private func mix(
    _ pixels: UnsafeMutablePointer<UInt8>, _ row: Int, _ partner: Int, size: Int, _ first: Draw,
    _ second: Draw, _ targets: BatchTargets
  ) {
    targets.partners[row] = targets.labels[partner]
    targets.partners[partner] = targets.labels[row]
    targets.shares[row] = Float(first.share)
    targets.shares[partner] = Float(second.share)
    let bytes = 3 * size * size
    let upper = pixels + row * bytes
    let lower = pixels + partner * bytes
    if first.share == 1 && second.share == 1 { return }
    if first.box == nil && second.box == nil {
      mixPixels(
        upper, lower, count: bytes, firstShare: shares(first), secondShare: shares(second))
      return
    }
    for y in 0..<size {
      let at = 3 * size * y
      mixRow(upper + at, lower + at, y, size, first, second)
    }
  }

  /// Mixes one row of two images of which at least one gets a box: between the edges of the boxes every
  /// image is either itself, its partner or a mixture.
  private func mixRow(
    _ upper: UnsafeMutablePointer<UInt8>, _ lower: UnsafeMutablePointer<UInt8>, _ y: Int,
    _ size: Int, _ first: Draw, _ second: Draw
  ) {
    var x = 0
    while x < size {
      let end = min(edge(after: x, first, size), edge(after: x, second, size))
      mixPixels(
        upper + 3 * x, lower + 3 * x, count: 3 * (end - x), firstShare: shares(first, x, y),
        secondShare: shares(second, x, y))
      x = end
    }
  }

  /// The next column at which a box starts or ends.
  private func edge(after x: Int, _ draw: Draw, _ size: Int) -> Int {
    guard let box = draw.box else { return size }
    return x < box.left ? box.left : x < box.right ? box.right : size
  }

  /// The shares of image and partner at a pixel.
  private func shares(_ draw: Draw, _ x: Int = 0, _ y: Int = 0) -> MixShare {
    guard let box = draw.box else {
      return MixShare(own: Float(draw.share), other: Float(1 - draw.share))
    }
    let isInside = y >= box.top && y < box.bottom && x >= box.left && x < box.right
    return isInside ? MixShare(own: 0, other: 1) : MixShare(own: 1, other: 0)
  }
}
