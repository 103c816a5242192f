import DSL
import Model

/// One argument of the original notebook's train.py: how it is written, what it is here.
struct TrainPyFlag: Sendable {
  /// What an argument says.
  enum Meaning: Sendable, Equatable {
    /// A hyperparameter of the same name.
    case setting(HyperparameterKey)
    case dataset, download, model, pretrained, classes, pooling, output
    /// The name of a split, which is always this one here.
    case split(String)

    static func == (first: Meaning, second: Meaning) -> Bool {
      switch (first, second) {
      case (.setting(let one), .setting(let other)): one.name == other.name
      case (.split(let one), .split(let other)): one == other
      case (.dataset, .dataset), (.download, .download), (.model, .model),
        (.pretrained, .pretrained), (.classes, .classes), (.pooling, .pooling), (.output, .output):
        true
      default: false
      }
    }
  }

  /// The spellings, the one to write first.
  let names: [String]
  let meaning: Meaning
  /// How many values follow.
  let values: ClosedRange<Int>

  private init(_ names: [String], _ meaning: Meaning, values: ClosedRange<Int> = 1...1) {
    self.names = names
    self.meaning = meaning
    self.values = values
  }

  /// All arguments of train.py but the folder of the data, which has no flag.
  static let all: [TrainPyFlag] =
    [
      TrainPyFlag(["--output"], .output),
      TrainPyFlag(["--dataset", "-d"], .dataset),
      TrainPyFlag(["--train-split"], .split("train")),
      TrainPyFlag(["--val-split"], .split("validation")),
      TrainPyFlag(["--dataset-download"], .download, values: 0...0),
      TrainPyFlag(["--num-classes", "-n"], .classes),
      TrainPyFlag(["--model", "-m"], .model),
      TrainPyFlag(["--pretrained"], .pretrained, values: 0...0),
      TrainPyFlag(["--global_pool", "-g"], .pooling),
    ]
    + settings.map { name, short in
      guard let key = HyperparameterKey.find(name) else {
        preconditionFailure("train.py's \(name) is a hyperparameter")
      }
      return TrainPyFlag(["--\(name)"] + [short].compactMap { $0 }, key)
    }

  /// train.py's settings in its own order, with their short forms.
  private static let settings: KeyValuePairs<String, String?> = [
    "seed": "-s", "workers": "-w", "eval-metric": nil, "input-size": "-i", "batch-size": "-b",
    "opt": "-o", "no-aug": nil, "scale": nil, "ratio": nil, "hflip": nil, "vflip": nil,
    "color-jitter": nil, "aa": nil, "aug-splits": nil, "bce-loss": nil, "mixup": nil,
    "cutmix": nil, "cutmix-minmax": nil, "mixup-prob": nil, "mixup-switch-prob": nil,
    "mixup-mode": nil, "smoothing": nil, "drop": nil, "lr": "-l", "sched": nil, "lr-noise": nil,
    "lr-noise-pct": nil, "lr-noise-std": nil, "lr-cycle-mul": nil, "lr-cycle-decay": nil,
    "lr-cycle-limit": nil, "lr-k-decay": nil, "warmup-lr": nil, "min-lr": nil, "epochs": "-e",
    "epoch-repeats": nil, "decay-epochs": nil, "warmup-epochs": nil, "cooldown-epochs": nil,
    "patience-epochs": nil, "decay-rate": "--dr",
  ]

  private init(_ names: [String], _ key: HyperparameterKey) {
    let values: ClosedRange<Int> =
      switch key.kind {
      case .flag: 0...0
      case .numbers(let count, _, _): count
      case .imageSize: 3...3
      default: 1...1
      }
    self.init(names, .setting(key), values: values)
  }

  /// The argument of a spelling: of train.py, an unambiguous beginning, or of timm's later train.py,
  /// whose settings have our names too. Nil when there is none.
  static func named(_ word: String) -> TrainPyFlag? {
    let name = word == "--global-pool" ? "--global_pool" : word
    if let flag = all.first(where: { $0.names.contains(name) }) { return flag }
    guard name.hasPrefix("--") else { return nil }
    if name == "--img-size", let key = HyperparameterKey.find("input-size") {
      return TrainPyFlag([name], .setting(key))
    }
    if let key = HyperparameterKey.find(String(name.dropFirst(2))) {
      return TrainPyFlag(["--\(key.name)"], key)
    }
    let begun = all.filter { $0.names[0].hasPrefix(name) }
    return begun.count == 1 ? begun[0] : nil
  }

  /// The spelling nearest to a word that is none.
  static func suggestion(for word: String) -> String? {
    Suggestion.nearest(to: word, among: all.flatMap(\.names).filter { $0.hasPrefix("--") })
  }
}
