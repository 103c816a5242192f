/// A recipe by name: what training should set, where the numbers come from, what else belongs to it.
///
/// Taking a preset gives every key of the recipe its default, then the preset's values; what is about
/// the machine, the weights or the run (`kept`) stays as it was.
public struct Preset: Sendable {
  /// The name in scripts.
  public let name: String
  /// What it is, in one sentence.
  public let summary: String
  /// Where the numbers come from.
  public let source: String
  /// What else belongs to the recipe, such as the weights; empty for nothing.
  public let advice: String
  /// The values that are not the defaults, in the order in which they are worth reading.
  public let settings: KeyValuePairs<String, HyperparameterValue>

  /// The groups of keys that no preset touches.
  public static let kept: Set<HyperparameterKey.Group> = [.run, .preprocess, .limits]

  /// The preset of a name.
  public static func named(_ name: String) -> Preset? { all.first { $0.name == name } }

  /// The values after taking the preset.
  /// - Throws: `HyperparameterError`.
  public func applied(
    to values: HyperparameterValues
  ) throws(HyperparameterError) -> HyperparameterValues {
    var values = values
    for key in HyperparameterKey.all where !Self.kept.contains(key.group) {
      try values.unset(key.name)
    }
    for (name, value) in settings { try values.set(name, to: value) }
    return values
  }

  /// Every preset.
  public static let all: [Preset] = [
    Preset(
      name: "notebook-literal",
      summary: "What the cells of the original notebook really do.",
      source: "main.ipynb: %run train.py --epochs 50, everything else at train.py's defaults",
      advice: """
        the cells trained new weights with a head of 1000 classes: load efficientnetv2_rw_s \
        classes=1000
        """,
      settings: ["epochs": 50]),
    Preset(
      name: "notebook-intent",
      summary: "What the original notebook's README says: fine-tuning on CIFAR.",
      source: "README of the notebook: fine-tune, epochs=50, batch 32",
      advice: "load efficientnetv2_rw_s pretrained classes=auto",
      settings: ["epochs": 50, "batch-size": 32]),
    Preset(
      name: "paper-imagenet",
      summary: "The paper's training on ImageNet, EfficientNetV2-S, with progressive learning.",
      source: """
        Tan and Le 2021, section 4.1 and table 6; lr for a batch of 256 by the paper's own rule, \
        0.016 per 256 images
        """,
      advice: "evaluate at 384 px: eval input-size=384",
      settings: [
        "epochs": 350, "batch-size": 256, "lr": 0.016, "min-lr": 0,
        "sched": "exponential", "decay-epochs": 2.4, "decay-rate": 0.97, "warmup-epochs": 5,
        "warmup-lr": 0, "opt": "rmsproptf", "opt-eps": 0.001, "momentum": 0.9,
        "weight-decay": 1e-5, "model-ema": true, "model-ema-decay": 0.9999,
        "model-ema-warmup": true, "bn-momentum": 0.01, "drop-path": 0.2, "smoothing": 0.1,
        "input-size": 300, "progressive": "paper", "stages": 4, "stage-sizes": [128, 300],
        "stage-drop": [0.1, 0.3], "aa": "rand-m15-n2", "stage-magnitude": [5, 15],
      ]),
    Preset(
      name: "google-cifar-ft",
      summary: "Google's fine-tuning on CIFAR.",
      source: "google/automl efficientnetv2/datasets.py, Cifar10Ft: lr_base 0.0005 per 256 images",
      advice: "load tf_efficientnetv2_s pretrained classes=auto; halve batch-size and lr together",
      settings: [
        "epochs": 15, "batch-size": 512, "lr": 0.001, "sched": "constant", "warmup-epochs": 1,
        "warmup-lr": 0, "sched-on-updates": true, "opt": "rmsproptf", "opt-eps": 0.001,
        "momentum": 0.9, "weight-decay": 1e-5, "model-ema": true, "model-ema-decay": 0.9996,
        "model-ema-warmup": true, "drop-path": 0.2, "smoothing": 0.1, "scale": [1, 1],
        "ratio": [1, 1], "color-jitter": 0, "train-interpolation": "bilinear",
        "input-size": 384, "cutout": 192,
      ]),
    Preset(
      name: "hankyul2-cifar",
      summary: "hankyul2's fine-tuning on CIFAR, the S variant.",
      source: "hankyul2/EfficientNetV2-pytorch, config/efficientnetv2_s/cifar10.yaml",
      advice: """
        load tf_efficientnetv2_s pretrained classes=auto; its mean and std were CIFAR's own: \
        set mean=[0.4914,0.4822,0.4465] std=[0.2470,0.2435,0.2616]
        """,
      settings: [
        "epochs": 20, "batch-size": 256, "lr": 0.001, "sched": "onecycle", "opt": "adamw",
        "weight-decay": 0.005, "model-ema": true, "model-ema-decay": 0.999, "drop-path": 0.2,
        "smoothing": 0.1, "cutmix": 1, "input-size": 224, "train-crop": "pad-reflect",
        "crop-padding": 4, "color-jitter": 0,
        "train-interpolation": "bilinear",
      ]),
    Preset(
      name: "jahongir-imagenet",
      summary: "jahongir7174's training on ImageNet, EfficientNetV2-S, in four stages.",
      source: "jahongir7174/EfficientNetV2, main.py: lr = 0.256 * batch / 4096",
      advice: "evaluate at 384 px: eval input-size=384",
      settings: [
        "epochs": 300, "batch-size": 128, "lr": 0.008, "sched": "step", "decay-epochs": 2.4,
        "decay-rate": 0.97, "warmup-epochs": 3, "warmup-lr": 1e-6, "opt": "rmsproptf",
        "opt-eps": 0.001, "momentum": 0.9, "weight-decay": 1e-5, "model-ema": true,
        "model-ema-decay": 0.9999, "smoothing": 0.1, "input-size": 300, "progressive": "google",
        "stages": 4, "stage-sizes": [128, 300], "stage-drop": [0, 0.2],
        "aa": "rand-m9-n2-mstd0.5", "stage-magnitude": [5, 10],
      ]),
    Preset(
      name: "fast-cpu",
      summary: "Ours: a short fine-tuning on a CPU, in stages of 40 to 64 pixels.",
      source: """
        our own, measured on CIFAR-10 images: weights of 58.6 % top-1 came to 71.2 % in 33 minutes of \
        one core; the README compares it with other presets
        """,
      advice: """
        load tf_efficientnetv2_b0 pretrained classes=auto; set crop-pct=1 for CIFAR; for \
        photographs larger images: set input-size=128 stage-sizes=[80,128]
        """,
      settings: [
        "epochs": 8, "cooldown-epochs": 0, "warmup-epochs": 1, "sched-on-updates": true,
        "batch-size": 64, "lr": 0.05, "clip-grad": 1, "weight-decay": 5e-4, "input-size": 64,
        "progressive": "paper", "stage-sizes": [40, 64], "train-crop": "pad-reflect",
        "color-jitter": 0, "train-interpolation": "bilinear",
      ]),
  ]
}

extension HyperparameterValue: ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral
{
  /// A switch.
  public init(booleanLiteral value: Bool) { self = .flag(value) }
  /// A whole number.
  public init(integerLiteral value: Int) { self = .integer(value) }
  /// A real number.
  public init(floatLiteral value: Double) { self = .number(value) }
  /// A word.
  public init(stringLiteral value: String) { self = .word(value) }
  /// Several numbers.
  public init(arrayLiteral elements: Double...) { self = .numbers(elements) }
}
