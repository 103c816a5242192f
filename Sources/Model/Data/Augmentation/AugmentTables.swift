// The tables of timm's `auto_augment`: sub-policies as (operation, probability, magnitude), and the sets
// that RandAugment draws from.

extension AugmentPolicy {
  /// The policy for ImageNet of the TPU implementation of EfficientNet.
  static let v0: [[Step]] = [
    [Step(.equalize, 0.8, 1), Step(.shearY, 0.8, 4)],
    [Step(.color, 0.4, 9), Step(.equalize, 0.6, 3)],
    [Step(.color, 0.4, 1), Step(.rotate, 0.6, 8)],
    [Step(.solarize, 0.8, 3), Step(.equalize, 0.4, 7)],
    [Step(.solarize, 0.4, 2), Step(.solarize, 0.6, 2)],
    [Step(.color, 0.2, 0), Step(.equalize, 0.8, 8)],
    [Step(.equalize, 0.4, 8), Step(.solarizeAdd, 0.8, 3)],
    [Step(.shearX, 0.2, 9), Step(.rotate, 0.6, 8)],
    [Step(.color, 0.6, 1), Step(.equalize, 1, 2)],
    [Step(.invert, 0.4, 9), Step(.rotate, 0.6, 0)],
    [Step(.equalize, 1, 9), Step(.shearY, 0.6, 3)],
    [Step(.color, 0.4, 7), Step(.equalize, 0.6, 0)],
    [Step(.posterize, 0.4, 6), Step(.autoContrast, 0.4, 7)],
    [Step(.solarize, 0.6, 8), Step(.color, 0.6, 9)],
    [Step(.solarize, 0.2, 4), Step(.rotate, 0.8, 9)],
    [Step(.rotate, 1, 7), Step(.translateYRel, 0.8, 9)],
    [Step(.shearX, 0, 0), Step(.solarize, 0.8, 4)],
    [Step(.shearY, 0.8, 0), Step(.color, 0.6, 4)],
    [Step(.color, 1, 0), Step(.rotate, 0.6, 2)],
    [Step(.equalize, 0.8, 4), Step(.equalize, 0, 8)],
    [Step(.equalize, 1, 4), Step(.autoContrast, 0.6, 2)],
    [Step(.shearY, 0.4, 7), Step(.solarizeAdd, 0.6, 7)],
    [Step(.posterize, 0.8, 2), Step(.solarize, 0.6, 10)],
    [Step(.solarize, 0.6, 8), Step(.equalize, 0.6, 1)],
    [Step(.color, 0.8, 6), Step(.rotate, 0.4, 5)],
  ]

  /// The policy for ImageNet of the paper (Cubuk et al., "AutoAugment", CVPR 2019).
  static let original: [[Step]] = [
    [Step(.posterizeOriginal, 0.4, 8), Step(.rotate, 0.6, 9)],
    [Step(.solarize, 0.6, 5), Step(.autoContrast, 0.6, 5)],
    [Step(.equalize, 0.8, 8), Step(.equalize, 0.6, 3)],
    [Step(.posterizeOriginal, 0.6, 7), Step(.posterizeOriginal, 0.6, 6)],
    [Step(.equalize, 0.4, 7), Step(.solarize, 0.2, 4)],
    [Step(.equalize, 0.4, 4), Step(.rotate, 0.8, 8)],
    [Step(.solarize, 0.6, 3), Step(.equalize, 0.6, 7)],
    [Step(.posterizeOriginal, 0.8, 5), Step(.equalize, 1, 2)],
    [Step(.rotate, 0.2, 3), Step(.solarize, 0.6, 8)],
    [Step(.equalize, 0.6, 8), Step(.posterizeOriginal, 0.4, 6)],
    [Step(.rotate, 0.8, 8), Step(.color, 0.4, 0)],
    [Step(.rotate, 0.4, 9), Step(.equalize, 0.6, 2)],
    [Step(.equalize, 0, 7), Step(.equalize, 0.8, 8)],
    [Step(.invert, 0.6, 4), Step(.equalize, 1, 8)],
    [Step(.color, 0.6, 4), Step(.contrast, 1, 8)],
    [Step(.rotate, 0.8, 8), Step(.color, 1, 2)],
    [Step(.color, 0.8, 8), Step(.solarize, 0.8, 7)],
    [Step(.sharpness, 0.4, 7), Step(.invert, 0.6, 8)],
    [Step(.shearX, 0.6, 5), Step(.equalize, 1, 9)],
    [Step(.color, 0.4, 0), Step(.equalize, 0.6, 3)],
    [Step(.equalize, 0.4, 7), Step(.solarize, 0.2, 4)],
    [Step(.solarize, 0.6, 5), Step(.autoContrast, 0.6, 5)],
    [Step(.invert, 0.6, 4), Step(.equalize, 1, 8)],
    [Step(.color, 0.6, 4), Step(.contrast, 1, 8)],
    [Step(.equalize, 0.8, 8), Step(.equalize, 0.6, 3)],
  ]

  /// Three-Augment (Touvron et al., "DeiT III", ECCV 2022).
  static let threeAugment: [[Step]] = [
    [Step(.solarize, 1, 5)],
    [Step(.desaturate, 1, 10)],
    [Step(.gaussianBlurRand, 1, 10)],
  ]

  /// Sequences in which posterizing grows stronger with the magnitude: `v0r` and `originalr`.
  static func increasing(_ sequences: [[Step]]) -> [[Step]] {
    sequences.map { steps in
      steps.map { step in
        switch step.kind {
        case .posterize, .posterizeOriginal:
          Step(.posterizeIncreasing, step.probability, step.magnitude)
        default: step
        }
      }
    }
  }

  /// The operations of RandAugment.
  static let plainKinds: [AugmentKind] = [
    .autoContrast, .equalize, .invert, .rotate, .posterize, .solarize, .solarizeAdd, .color,
    .contrast, .brightness, .sharpness, .shearX, .shearY, .translateXRel, .translateYRel,
  ]

  /// The operations of RandAugment, each of which grows stronger with the magnitude (`inc1`).
  static let increasingKinds: [AugmentKind] = [
    .autoContrast, .equalize, .invert, .rotate, .posterizeIncreasing, .solarizeIncreasing,
    .solarizeAdd, .colorIncreasing, .contrastIncreasing, .brightnessIncreasing,
    .sharpnessIncreasing, .shearX, .shearY, .translateXRel, .translateYRel,
  ]

  /// The operations of Three-Augment (`t3a`).
  static let threeAugmentKinds: [AugmentKind] = [
    .solarizeIncreasing, .desaturate, .gaussianBlur,
  ]

  /// Three-Augment with some more operations, and how often each is taken (`t3aw`).
  static let threeAugmentWeights: [(kind: AugmentKind, weight: Double)] = [
    (.solarizeIncreasing, 6),
    (.desaturate, 6),
    (.gaussianBlur, 6),
    (.rotate, 3),
    (.shearX, 2),
    (.shearY, 2),
    (.posterizeIncreasing, 1),
    (.autoContrast, 1),
    (.colorIncreasing, 1),
    (.sharpnessIncreasing, 1),
    (.contrastIncreasing, 1),
    (.brightnessIncreasing, 1),
    (.equalize, 1),
    (.invert, 1),
  ]

  /// Weights after how much the operations help on their own (`tweights`).
  static let usefulnessWeights: [(kind: AugmentKind, weight: Double)] = [
    (.rotate, 3),
    (.shearX, 2),
    (.shearY, 2),
    (.translateXRel, 1),
    (.translateYRel, 1),
    (.colorIncreasing, 0.25),
    (.sharpnessIncreasing, 0.25),
    (.autoContrast, 0.25),
    (.solarizeIncreasing, 0.05),
    (.solarizeAdd, 0.05),
    (.contrastIncreasing, 0.05),
    (.brightnessIncreasing, 0.05),
    (.equalize, 0.05),
    (.posterizeIncreasing, 0.05),
    (.invert, 0.05),
  ]
}
