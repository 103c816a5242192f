import Foundation
import Kernels

/// Two policies of torchvision that timm does not have, with the numbers of its
/// `transforms.AutoAugment(AutoAugmentPolicy.CIFAR10)` and `transforms.TrivialAugmentWide`.
///
/// As there by default, slants, shifts and turns take the nearest pixel, and what comes in from
/// outside is black.
enum TorchvisionPolicy: Sendable, Equatable {
  /// AutoAugment for CIFAR (Cubuk et al., CVPR 2019): one of 25 pairs of operations.
  case cifar10
  /// TrivialAugment with the wide range (Müller and Hutter, ICCV 2021): one operation of any strength.
  case trivialWide

  /// The colour of what comes in from outside of the picture.
  static let fill = SIMD3<UInt8>(0, 0, 0)

  /// Draws what happens to one picture of a side of `size` pixels.
  func draw(_ random: inout CounterRandom, size: Int, into draw: inout PolicyDraw) {
    switch self {
    case .cifar10:
      let pair = Self.cifarPairs[random.integer(below: Self.cifarPairs.count)]
      for step in [pair.0, pair.1] {
        let gate = random.uniform()
        let isNegative = random.integer(below: 2) == 0
        guard gate <= step.probability else { continue }
        let operation = cifarOperation(step.kind, bin: step.bin, isNegative, size: size)
        if let operation { draw.operations.append(operation) }
      }
    case .trivialWide:
      let kind = Self.wideKinds[random.integer(below: Self.wideKinds.count)]
      let bin = random.integer(below: 31)
      let isNegative = random.integer(below: 2) == 1
      if let kind, let operation = wideOperation(kind, bin: bin, isNegative) {
        draw.operations.append(operation)
      }
    }
  }

  /// Of torchvision's `_augmentation_space` for 10 magnitudes and a picture of the given side.
  func cifarOperation(
    _ kind: AugmentKind, bin: Int, _ isNegative: Bool, size: Int
  ) -> PixelOperation? {
    let bins = 10
    func spaced(_ end: Double) -> Double { Self.spaced(0, Float(end), bins, bin) }
    let magnitude =
      switch kind {
      case .shearX, .shearY: spaced(0.3)
      case .translateX, .translateY: spaced(150.0 / 331.0 * Double(size))
      case .rotate: spaced(30)
      case .posterize: Self.bits(lost: 4, bins, bin)
      case .solarize: Self.spaced(255, 0, bins, bin)
      default: spaced(0.9)
      }
    return Self.operation(kind, magnitude, isNegative)
  }

  /// Of torchvision's `_augmentation_space` for 31 magnitudes.
  func wideOperation(_ kind: AugmentKind, bin: Int, _ isNegative: Bool) -> PixelOperation? {
    let bins = 31
    func spaced(_ end: Float) -> Double { Self.spaced(0, end, bins, bin) }
    let magnitude =
      switch kind {
      case .translateX, .translateY: spaced(32)
      case .rotate: spaced(135)
      case .posterize: Self.bits(lost: 6, bins, bin)
      case .solarize: Self.spaced(255, 0, bins, bin)
      default: spaced(0.99)
      }
    return Self.operation(kind, magnitude, isNegative)
  }

  /// torchvision's `_apply_op`.
  private static func operation(
    _ kind: AugmentKind, _ size: Double, _ isNegative: Bool
  ) -> PixelOperation? {
    let signed = isNegative ? -size : size
    // torchvision takes the way over an angle in degrees.
    var slant: Double { tan(atan(signed) * (180 / Double.pi) * (Double.pi / 180)) }
    switch kind {
    case .shearX: return .move(.shearX(slant), .nearest)
    case .shearY:
      let angle = atan(signed) * (180 / Double.pi) * (Double.pi / 180)
      return .move(.shearY(-(sin(-angle) / cos(angle))), .nearest)
    // Positive shifts go to the right and down here.
    case .translateX: return .move(.translateX(-signed.rounded(.towardZero)), .nearest)
    case .translateY: return .move(.translateY(-signed.rounded(.towardZero)), .nearest)
    case .rotate: return .rotate(degrees: signed, .nearest)
    case .brightness: return .brightness(1 + signed)
    case .color: return .color(1 + signed)
    case .contrast: return .contrast(1 + signed)
    case .sharpness: return .sharpness(1 + signed)
    case .posterize: return .posterize(bits: Int(size))
    case .solarize: return .solarize(threshold: Int(size.rounded(.up)))
    case .autoContrast: return .autoContrast
    case .equalize: return .equalize
    case .invert: return .invert
    default: return nil
    }
  }

  /// The element `index` of `torch.linspace(start, end, count)`: in single precision, counted from the
  /// nearer end, rounded once.
  private static func spaced(_ start: Float, _ end: Float, _ count: Int, _ index: Int) -> Double {
    let step = (end - start) / Float(count - 1)
    return Double(
      index < count / 2
        ? start.addingProduct(step, Float(index))
        : end.addingProduct(-step, Float(count - 1 - index)))
  }

  /// The bits that are left where the last of the magnitudes loses `lost` of eight.
  private static func bits(lost: Int, _ count: Int, _ index: Int) -> Double {
    let step = Float(Double(count - 1) / Double(lost))
    return Double(8 - (Float(index) / step).rounded(.toNearestOrEven))
  }

  /// The operations of TrivialAugment; nil leaves the picture alone.
  static let wideKinds: [AugmentKind?] = [
    nil, .shearX, .shearY, .translateX, .translateY, .rotate, .brightness, .color, .contrast,
    .sharpness, .posterize, .solarize, .autoContrast, .equalize,
  ]

  /// One operation of a pair; the magnitude is the number of one of ten.
  struct Step: Sendable, Equatable {
    let kind: AugmentKind
    let probability: Double
    let bin: Int

    init(_ kind: AugmentKind, _ probability: Double, _ bin: Int = 0) {
      self.kind = kind
      self.probability = probability
      self.bin = bin
    }
  }

  /// The pairs of AutoAugment for CIFAR.
  static let cifarPairs: [(Step, Step)] = [
    (Step(.invert, 0.1), Step(.contrast, 0.2, 6)),
    (Step(.rotate, 0.7, 2), Step(.translateX, 0.3, 9)),
    (Step(.sharpness, 0.8, 1), Step(.sharpness, 0.9, 3)),
    (Step(.shearY, 0.5, 8), Step(.translateY, 0.7, 9)),
    (Step(.autoContrast, 0.5), Step(.equalize, 0.9)),
    (Step(.shearY, 0.2, 7), Step(.posterize, 0.3, 7)),
    (Step(.color, 0.4, 3), Step(.brightness, 0.6, 7)),
    (Step(.sharpness, 0.3, 9), Step(.brightness, 0.7, 9)),
    (Step(.equalize, 0.6), Step(.equalize, 0.5)),
    (Step(.contrast, 0.6, 7), Step(.sharpness, 0.6, 5)),
    (Step(.color, 0.7, 7), Step(.translateX, 0.5, 8)),
    (Step(.equalize, 0.3), Step(.autoContrast, 0.4)),
    (Step(.translateY, 0.4, 3), Step(.sharpness, 0.2, 6)),
    (Step(.brightness, 0.9, 6), Step(.color, 0.2, 8)),
    (Step(.solarize, 0.5, 2), Step(.invert, 0)),
    (Step(.equalize, 0.2), Step(.autoContrast, 0.6)),
    (Step(.equalize, 0.2), Step(.equalize, 0.6)),
    (Step(.color, 0.9, 9), Step(.equalize, 0.6)),
    (Step(.autoContrast, 0.8), Step(.solarize, 0.2, 8)),
    (Step(.brightness, 0.1, 3), Step(.color, 0.7, 0)),
    (Step(.solarize, 0.4, 5), Step(.autoContrast, 0.9)),
    (Step(.translateY, 0.9, 9), Step(.translateY, 0.7, 9)),
    (Step(.autoContrast, 0.9), Step(.solarize, 0.8, 3)),
    (Step(.equalize, 0.8), Step(.invert, 0.1)),
    (Step(.translateY, 0.7, 9), Step(.autoContrast, 0.9)),
  ]
}
