import Kernels

/// The operations that policies are made of, named as in timm, with timm's meaning of a magnitude from
/// 0 to 10. `Increasing` ones grow stronger with the magnitude where the plain ones do not.
enum AugmentKind: String, Sendable, CaseIterable {
  case autoContrast = "AutoContrast"
  case equalize = "Equalize"
  case invert = "Invert"
  case rotate = "Rotate"
  case posterize = "Posterize"
  case posterizeIncreasing = "PosterizeIncreasing"
  case posterizeOriginal = "PosterizeOriginal"
  case solarize = "Solarize"
  case solarizeIncreasing = "SolarizeIncreasing"
  case solarizeAdd = "SolarizeAdd"
  case color = "Color"
  case colorIncreasing = "ColorIncreasing"
  case contrast = "Contrast"
  case contrastIncreasing = "ContrastIncreasing"
  case brightness = "Brightness"
  case brightnessIncreasing = "BrightnessIncreasing"
  case sharpness = "Sharpness"
  case sharpnessIncreasing = "SharpnessIncreasing"
  case shearX = "ShearX"
  case shearY = "ShearY"
  case translateX = "TranslateX"
  case translateY = "TranslateY"
  case translateXRel = "TranslateXRel"
  case translateYRel = "TranslateYRel"
  case desaturate = "Desaturate"
  case gaussianBlur = "GaussianBlur"
  case gaussianBlurRand = "GaussianBlurRand"
}

/// The numbers that decide one operation. All are drawn whether or not the operation needs them.
struct OperationDraw: Sendable {
  /// Below the probability: the operation is done.
  let gate: Double
  /// Decide how far the magnitude is off.
  let noise: (Double, Double)
  /// Above one half: to the other side.
  let sign: Double
  /// Below one half: bilinear, otherwise bicubic.
  let filter: Double
  /// What one operation needs beyond these.
  let extra: Double

  /// A standard normal number (Box and Muller, 1958).
  var normal: Double { standardNormal(noise.0, noise.1) }
}

extension OperationDraw {
  init(_ random: inout CounterRandom) {
    gate = random.uniform()
    noise = (random.uniform(), random.uniform())
    sign = random.uniform()
    filter = random.uniform()
    extra = random.uniform()
  }
}

/// What operations depend on besides their magnitude.
struct OperationSetting: Sendable, Equatable {
  /// The side of the picture in pixels.
  var size: Int
  /// The filter of slants, shifts and turns; nil draws one for each.
  var filter: AffineFilter?
  /// The farthest shift, as a share of the side.
  var translation = 0.45

  func filter(_ draw: OperationDraw) -> AffineFilter {
    filter ?? (draw.filter < 0.5 ? .bilinear : .bicubic)
  }
}

extension AugmentKind {
  /// The operation of this kind at a magnitude, as timm's `LEVEL_TO_ARG` has it.
  ///
  /// - Parameter magnitude: from 0 to 10, or beyond where the policy says so.
  func operation(
    magnitude: Double, _ draw: OperationDraw, _ setting: OperationSetting
  ) -> PixelOperation {
    let level = magnitude / 10
    /// A value, or its opposite.
    func signed(_ value: Double) -> Double { draw.sign > 0.5 ? -value : value }
    /// 1 or closer to 0 the higher the plain level: the enhancements.
    var factor: Double { level * 1.8 + 0.1 }
    var distance: Double { max(0.1, 1 + signed(level * 0.9)) }
    var bits: Int { Int(level * 4) }
    var threshold: Int { min(256, Int(level * 256)) }
    func share(_ low: Double, _ high: Double) -> Double {
      max(low, min(high, low + (high - low) * level))
    }
    func move(_ map: Affine) -> PixelOperation { .move(map, setting.filter(draw)) }
    let side = Double(setting.size)

    switch self {
    case .autoContrast: return .autoContrast
    case .equalize: return .equalize
    case .invert: return .invert
    case .rotate: return .rotate(degrees: signed(level * 30), setting.filter(draw))
    case .posterize: return .posterize(bits: bits)
    case .posterizeIncreasing: return .posterize(bits: 4 - bits)
    case .posterizeOriginal: return .posterize(bits: bits + 4)
    case .solarize: return .solarize(threshold: threshold)
    case .solarizeIncreasing: return .solarize(threshold: 256 - threshold)
    case .solarizeAdd: return .solarizeAdd(min(128, Int(level * 110)))
    case .color: return .color(factor)
    case .colorIncreasing: return .color(distance)
    case .contrast: return .contrast(factor)
    case .contrastIncreasing: return .contrast(distance)
    case .brightness: return .brightness(factor)
    case .brightnessIncreasing: return .brightness(distance)
    case .sharpness: return .sharpness(factor)
    case .sharpnessIncreasing: return .sharpness(distance)
    case .shearX: return move(.shearX(signed(level * 0.3)))
    case .shearY: return move(.shearY(signed(level * 0.3)))
    case .translateX: return move(.translateX(signed(level * (side * 0.45).rounded(.down))))
    case .translateY: return move(.translateY(signed(level * (side * 0.45).rounded(.down))))
    case .translateXRel: return move(.translateX(signed(level * setting.translation) * side))
    case .translateYRel: return move(.translateY(signed(level * setting.translation) * side))
    case .desaturate: return .color(min(1, max(0, 1 - share(0.5, 1))))
    case .gaussianBlur: return .blur(radius: share(0.1, 2))
    case .gaussianBlurRand:
      return .blur(radius: 0.1 + (2 * share(0, 1) - 0.1) * draw.extra)
    }
  }
}
