import DSL
import Model

/// A call of the original notebook's train.py, as the commands that say the same.
struct TrainPyCall {
  /// What the call asks for, as train.py's defaults and the flags say.
  private(set) var folder: String?
  private(set) var dataset = "torch/cifar100"
  private(set) var downloads = false
  private(set) var model = "efficientnetv2_rw_s"
  private(set) var isPretrained = false
  private(set) var classes: String?
  private(set) var pooling: String?
  /// The hyperparameters that were given, the last value of each, as `set` takes them.
  private(set) var settings: [(key: String, value: String)] = []
  /// What could not be taken over, a sentence each.
  private(set) var problems: [String] = []

  /// Reads the words behind `train.py`.
  init(_ words: [String]) {
    var rest = words[...]
    while let word = rest.popFirst() {
      guard word.count > 1, word.hasPrefix("-"), Double(word) == nil else {
        if folder == nil {
          folder = word
        } else {
          problems.append("train.py takes one folder of data; '\(word)' was left out")
        }
        continue
      }
      let (name, attached) = Self.split(word)
      var values = attached.map { [$0] } ?? []
      guard let flag = TrainPyFlag.named(name) else {
        // What follows an unknown flag is most likely its value.
        if attached == nil, let next = rest.first, !Self.isFlag(next) { rest.removeFirst() }
        let hint = TrainPyFlag.suggestion(for: name).map { "; did you mean \($0)?" } ?? ""
        problems.append("train.py has no '\(name)'\(hint)")
        continue
      }
      while values.count < flag.values.upperBound, let next = rest.first, !Self.isFlag(next),
        flag.values.upperBound == 1 || Double(next) != nil
      {
        values.append(rest.removeFirst())
      }
      guard flag.values.contains(values.count) else {
        problems.append("\(name) is not followed by what it needs")
        continue
      }
      take(flag, values)
    }
  }

  /// `--flag=value`, `-b32` and `-b=32` hold their value.
  private static func split(_ word: String) -> (name: String, value: String?) {
    if let equals = word.firstIndex(of: "=") {
      return (String(word[..<equals]), String(word[word.index(after: equals)...]))
    }
    if !word.hasPrefix("--"), word.count > 2 {
      return (String(word.prefix(2)), String(word.dropFirst(2)))
    }
    return (word, nil)
  }

  private static func isFlag(_ word: String) -> Bool {
    word.hasPrefix("-") && word.count > 1 && Double(word) == nil
  }

  private mutating func take(_ flag: TrainPyFlag, _ values: [String]) {
    let value = values.first ?? ""
    switch flag.meaning {
    case .setting(let key): set(key, values, flag)
    case .dataset: dataset = value
    case .download: downloads = true
    case .model: model = value
    case .pretrained: isPretrained = true
    case .classes: classes = value
    case .pooling: pooling = value == "avgmaxc" ? "catavgmax" : value
    case .output:
      problems.append("--output \(value): runs go below runs/; 'workbench replay --out \(value)'")
    case .split(let usual):
      if !usual.hasPrefix(value) {
        problems.append("\(flag.names[0]) \(value): the splits are always the data set's own")
      }
    }
  }

  private mutating func set(_ key: HyperparameterKey, _ values: [String], _ flag: TrainPyFlag) {
    let text: String
    switch key.kind {
    case .flag: text = "on"
    case .numbers: text = "[" + values.joined(separator: ",") + "]"
    case .imageSize where values.count == 3:
      guard values[0] == "3", values[1] == values[2] else {
        problems.append(
          "\(flag.names[0]) \(values.joined(separator: " ")): only square colour images are known")
        return
      }
      text = values[1]
    case .choice: text = values[0].lowercased()
    default: text = values[0].lowercased() == "none" ? "none" : values[0]
    }
    // The language itself judges the value, and writes it as it writes all values.
    let word = text.hasPrefix("[") ? text : CanonicalText.value(text)
    let line = "set \(key.name)=\(word)"
    guard let bound = try? Binder(vocabulary: CommandSet.table.vocabulary).bind(line: line),
      let argument = bound.keys.first
    else {
      problems.append("\(flag.names[0]) \(values.joined(separator: " ")): \(key.accepts) is needed")
      return
    }
    settings.removeAll { $0.key == key.name }
    settings.append((key.name, argument.canonicalText))
  }

  /// The `data` line, or why there is none.
  func dataLine() -> Result<String, CommandError> {
    let place = folder.map(CanonicalText.value)
    let parts = dataset.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    let name = parts.count == 2 && parts[0] == "torch" ? String(parts[1]) : dataset
    let own = name == "qmist" ? "qmnist" : name.lowercased()
    if Datasets.publishedNames.contains(own) {
      var words = ["data", own]
      if downloads { words.append("download") }
      if let place { words.append("dir=\(place)") }
      return .success(words.joined(separator: " "))
    }
    if ["", "folder", "image_folder", "imagefolder", "imagenet"].contains(name.lowercased()) {
      guard let folder, let place else {
        return .failure(CommandError("the call names no folder of data"))
      }
      return .success(
        folder.hasSuffix(".tar") ? "data tar file=\(place)" : "data folder dir=\(place)")
    }
    return .failure(
      CommandError("the data set '\(dataset)' is not known here; 'help data' lists those that are"))
  }

  /// The `load` line, or why there is none.
  ///
  /// - Parameter intent: take what the notebook says (fine-tuning) for what its flags say.
  func loadLine(intent: Bool) -> Result<String, CommandError> {
    do {
      _ = try Variant.named(model)
    } catch {
      let error = error as? any ModelError
      return .failure(
        CommandError(error?.message ?? "unknown model '\(model)'", hint: error?.advice))
    }
    var words = ["load", model]
    if isPretrained || intent { words.append("pretrained") }
    if let classes {
      words.append("classes=\(CanonicalText.value(classes))")
    } else if intent {
      words.append("classes=auto")
    } else {
      // Without --num-classes the network keeps the classifier that it comes with.
      words.append("head=keep")
    }
    if let pooling, pooling != "avg" { words.append("global-pool=\(CanonicalText.value(pooling))") }
    let line = words.joined(separator: " ")
    do {
      _ = try Binder(vocabulary: CommandSet.table.vocabulary).bind(line: line)
      return .success(line)
    } catch {
      return .failure(CommandError(error.diagnostics.first?.message ?? "no network is named"))
    }
  }

  /// Whether there is such a network.
  var isModelKnown: Bool { (try? Variant.named(model)) != nil }

  /// What a run of it is called: `efficientnetv2_rw_s-cifar10`.
  var runName: String {
    let data = dataset.split(separator: "/").last.map(String.init) ?? "folder"
    return (model + "-" + data).filter {
      $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0))
    }
  }
}
