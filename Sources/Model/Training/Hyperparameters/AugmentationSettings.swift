/// What happens to training images, as the hyperparameters say.
///
/// A stage of progressive learning is a copy with another `policy` magnitude or other alphas, made
/// into a transform of another size.
public struct AugmentationSettings: Sendable, Equatable {
  /// How a training picture is cut to the input size.
  enum Crop: String, Sendable, CaseIterable {
    /// A random part, resized (timm).
    case rrc
    /// The whole picture, resized, and a crop out of it with a reflected border.
    case padReflect = "pad-reflect"
  }

  /// The size that the settings in pixels are meant for.
  let inputSize: Int
  /// Resized and nothing else.
  let isOff: Bool
  let crop: Crop
  /// The border of `padReflect`, in pixels at `inputSize`.
  let cropPadding: Int
  let scale: ClosedRange<Double>
  let ratio: ClosedRange<Double>
  /// The filter of test images, which `isOff` takes for training images too.
  let testInterpolation: Interpolation
  /// The filter of training images; nil draws one for each.
  let interpolation: Interpolation?
  let horizontalFlip, verticalFlip, colorJitter: Double
  let normalization: PixelNormalization
  /// How many versions of each image are in a batch; 1 without `aug-splits`.
  public let splits: Int
  /// The first epoch, from 0, without mixing; nil mixes to the end.
  public let mixingEnd: Int?
  /// What else happens to images; nil is nothing. `setMagnitude` changes the strength of RandAugment.
  public var policy: AugmentPolicy?
  private var mixing = BatchMixing()
  /// With the hole at `inputSize`.
  private var erasing = Erasing()

  /// The parameter of Mixup's shares; 0 is no Mixup.
  public var mixupAlpha: Double {
    get { mixing.mixupAlpha }
    set { mixing.mixupAlpha = newValue }
  }

  /// The parameter of CutMix's shares; 0 is no CutMix, unless `cutmix-minmax` is set.
  public var cutmixAlpha: Double {
    get { mixing.cutmixAlpha }
    set { mixing.cutmixAlpha = newValue }
  }

  /// Whether images are ever mixed.
  public var mixes: Bool { !mixing.isOff }

  /// Resolves values; no key of the preprocessing may be `auto` any more.
  init(_ values: HyperparameterValues, _ preprocessing: Preprocessing) {
    func choice<Choice: RawRepresentable<String>>(_ name: String) -> Choice {
      guard let choice = Choice(rawValue: values.word(name)) else {
        preconditionFailure("\(name) offers what \(Choice.self) does not have")
      }
      return choice
    }
    func range(_ name: String) -> ClosedRange<Double>? {
      values.numbers(name).map { $0[0]...$0[1] }
    }
    inputSize = preprocessing.inputSize
    normalization = preprocessing.normalization
    testInterpolation = preprocessing.interpolation
    isOff = values.flag("no-aug")
    crop = choice("train-crop")
    cropPadding = values.integer("crop-padding")
    scale = range("scale") ?? 0.08...1
    ratio = range("ratio") ?? 0.75...1.3333
    interpolation = Interpolation(rawValue: values.word("train-interpolation"))
    horizontalFlip = values.number("hflip")
    verticalFlip = values.number("vflip")
    colorJitter = values.number("color-jitter")
    policy = values["aa"] == .none ? nil : try? AugmentPolicy(values.word("aa"))
    splits = max(values.integer("aug-splits"), 1)
    let offEpoch = values.integer("mixup-off-epoch")
    mixingEnd = offEpoch > 0 ? offEpoch : nil

    mixing.mixupAlpha = values.number("mixup")
    mixing.cutmixAlpha = values.number("cutmix")
    mixing.cutmixSides = range("cutmix-minmax")
    mixing.probability = values.number("mixup-prob")
    mixing.switchProbability = values.number("mixup-switch-prob")
    if Self.mixingKey(values) != nil { mixing.mode = choice("mixup-mode") }

    guard !isOff else { return }
    erasing.probability = values.number("reprob")
    erasing.mode = choice("remode")
    erasing.largestCount = values.integer("recount")
    if values.flag("resplit") { erasing.splits = splits > 1 ? splits : 2 }
    erasing.hole = values.integer("cutout")
  }

  /// The transform of training images to a side of `size` pixels; the input size if nil.
  public func makeTransform(size: Int? = nil) -> any ImageTransform {
    let size = size ?? inputSize
    guard !isOff else {
      return EvalTransform.withoutAugmentation(
        size: size, interpolation: testInterpolation, normalization: normalization)
    }
    var transform = TrainTransform(size: size, normalization: normalization)
    transform.padding = crop == .padReflect ? scaled(cropPadding, to: size) : nil
    transform.scale = scale
    transform.ratio = ratio
    transform.interpolation = interpolation
    transform.horizontalFlip = horizontalFlip
    transform.verticalFlip = verticalFlip
    transform.colorJitter = colorJitter
    transform.policy = policy
    return transform
  }

  /// What happens to the batches of an epoch, counted from 0, with images of `size` pixels.
  public func batchAugmentation(size: Int? = nil, epoch: Int) -> BatchAugmentation {
    var augmentation = BatchAugmentation()
    augmentation.splits = splits
    if epoch < mixingEnd ?? .max {
      augmentation.mixing = mixing
    } else if mixing.mode == .half {
      augmentation.mixing.mode = .half
    }
    augmentation.erasing = erasing
    augmentation.erasing.hole = scaled(erasing.hole, to: size ?? inputSize)
    return augmentation
  }

  /// Pixels at the input size as pixels at another size.
  private func scaled(_ pixels: Int, to size: Int) -> Int {
    Int((Double(pixels * size) / Double(inputSize)).rounded())
  }
}

extension AugmentationSettings {
  /// The first key that makes images mixed; nil when none does.
  static func mixingKey(_ values: HyperparameterValues) -> String? {
    let ramps = values.progressionRule.ramps
    return (["mixup", "cutmix", "cutmix-minmax"] + (ramps ? ["stage-mixup", "stage-cutmix"] : []))
      .first { values[$0] != .number(0) && values[$0] != .none }
  }

  /// Whether the network sees half of the images that a batch takes (`mixup-mode=half`), mixed or
  /// not: the size of its batch is the same in all epochs.
  static func halves(_ values: HyperparameterValues) -> Bool {
    mixingKey(values) != nil && values.word("mixup-mode") == BatchMixing.Mode.half.rawValue
  }

  /// What of the values cannot be meant together; nil when they can.
  static func conflict(_ values: HyperparameterValues) -> HyperparameterError? {
    let mixing = mixingKey(values)
    let splits = values.integer("aug-splits")
    if splits == 1 {
      return .conflict(
        keys: ["aug-splits"], reason: "aug-splits=1 leaves nothing to compare",
        advice: "set aug-splits=0, or 2 and more")
    }
    if splits > 1, values.flag("no-aug") {
      return .conflict(
        keys: ["aug-splits", "no-aug"], reason: "aug-splits needs augmentation, and no-aug is on",
        advice: "set no-aug=off or aug-splits=0")
    }
    guard let mixing else { return nil }
    if splits > 1 {
      return .conflict(
        keys: ["aug-splits", mixing], reason: "aug-splits and \(mixing) cannot be used together",
        advice: "set aug-splits=0, or unset \(mixing)")
    }
    let stages = values.progressionRule.ramps ? values.numbers("stage-batch")?.map { Int($0) } : nil
    let key = stages == nil ? "batch-size" : "stage-batch"
    guard let odd = (stages ?? [values.integer("batch-size")]).first(where: { $0 % 2 == 1 }) else {
      return nil
    }
    return .conflict(
      keys: [key, mixing],
      reason: "a batch of \(odd) is odd, and mixup and cutmix take pairs of images",
      advice: "take an even \(key), such as \(odd + 1)")
  }
}
