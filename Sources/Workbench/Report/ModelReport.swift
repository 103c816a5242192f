import Foundation
import Model

/// What `load` and `info` say about a network.
enum ModelReport {
  /// Parameters, classifier, input, weights: a line each.
  static func summary(_ model: LoadedModel, _ state: WorkbenchState) -> String {
    let blueprint = model.network.blueprint
    let own = model.variant.preprocessing
    let used = state.settings(for: model).preprocessing
    let work = Double(blueprint.multiplyAdds(inputSize: used.inputSize)) / 1e9
    var facts = Facts(style: state.console.style)
    facts.add("model", "\(model.variant.name), \(model.variant.summary)")
    facts.add(
      "parameters",
      "\(NumberText.count(blueprint.parameterCount)) in \(blueprint.blockCount) blocks; "
        + "\(NumberText.fixed(work, 2)) GMACs per image at \(used.inputSize)×\(used.inputSize)")
    if let pooling = model.variant.pooling.ifNotMean {
      facts.add("pooling", pooling.rawValue)
    }
    facts.add("classifier", model.classifierText)
    facts.add("input", "\(blueprint.inputChannels)×" + input(own, used))
    facts.add("weights", weights(model.weights))
    if !model.trainedBy.isEmpty { facts.add("trained by", model.trainedBy.joined(separator: ", ")) }
    if let batches = model.recalibration {
      facts.add("batch norms", "running statistics of \(batches) batches, by 'recalibrate'")
    }
    return facts.text
  }

  /// How many parameters train: `12,810 of 5,871,514 parameters`.
  /// - Throws: `HyperparameterError` when `freeze` does not fit the network.
  static func trained(
    _ model: LoadedModel, _ settings: Hyperparameters
  ) throws(HyperparameterError) -> String {
    let table = model.network.blueprint.parameters
    let count = try settings.freezing(.whole, table).trainedCount(in: table)
    return "\(NumberText.count(count)) of \(NumberText.count(table.parameterCount)) parameters"
  }

  /// The transform of an evaluation image, step by step.
  static func transform(_ preprocessing: Preprocessing) -> String {
    let size = preprocessing.inputSize
    let edge = Int((Double(size) / preprocessing.cropFraction).rounded(.down))
    let filter = preprocessing.interpolation.rawValue
    return """
      Resize(shortest edge \(edge), \(filter))
      CenterCrop(\(size)×\(size))
      Normalize(mean \(list(preprocessing.mean)), std \(list(preprocessing.deviation)))

      """
  }

  /// A row per block.
  static func layers(_ blueprint: Blueprint, inputSize: Int) -> Table {
    let rows = blueprint.layers(inputSize: inputSize).map { layer -> [Table.Cell] in
      [
        .init(layer.path), .init(layer.kind), .init(layer.inputChannels),
        .init(layer.outputChannels), .init(layer.outputSize),
        .init(.integer(layer.parameterCount), text: NumberText.count(layer.parameterCount)),
        .init(
          .integer(layer.multiplyAdds), text: NumberText.fixed(Double(layer.multiplyAdds) / 1e6, 1)),
      ]
    }
    return Table(
      [
        .init("path"), .init("kind"), .init("in", .right), .init("out", .right),
        .init("size", .right), .init("parameters", .right), .init("MMACs", key: "macs", .right),
      ], rows: rows)
  }

  /// What a training step needs, a row per use, and the sum.
  static func memory(_ memory: TrainingMemory) -> Table {
    func row(_ name: String, _ bytes: Int) -> [Table.Cell] {
      [.init(name), .init(.integer(bytes), text: NumberText.bytes(bytes))]
    }
    let rows =
      memory.items.filter { $0.bytes > 0 }.map { row($0.name, $0.bytes) }
      + [row("training step", memory.total)]
      + (memory.available.map { [row("free on this machine", $0)] } ?? [])
    return Table([.init("use"), .init("memory", key: "bytes", .right)], rows: rows)
  }

  /// What to do where a step does not fit.
  static func judge(_ memory: TrainingMemory, _ settings: Hyperparameters) -> String? {
    guard let available = memory.available, memory.total > available else { return nil }
    let other = settings.isCheckpointing ? "" : ", or set grad-checkpointing=on"
    return "this step does not fit into memory: choose a smaller batch-size or input-size\(other)"
  }

  private static func input(_ own: Preprocessing, _ used: Preprocessing) -> String {
    var text = "\(used.inputSize)×\(used.inputSize)"
    if used.inputSize != own.inputSize { text += " (the model's own: \(own.inputSize))" }
    if let test = own.testInputSize, test != own.inputSize {
      text += ", published accuracy at \(test)"
    }
    return text
      + "; crop \(NumberText.significant(used.cropFraction)), \(used.interpolation.rawValue), "
      + "mean \(list(used.mean)), std \(list(used.deviation))"
  }

  private static func weights(_ weights: LoadedModel.Weights) -> String {
    switch weights {
    case .scratch(let seed): "new, drawn from seed \(seed)"
    case .file(let url, let sha256): "\(url.path)\nsha256 \(sha256)"
    case .run(let run, let checkpoint): "of run \(run), checkpoint \(checkpoint)"
    }
  }

  private static func list(_ values: [Double]) -> String {
    "(" + values.map { NumberText.significant($0) }.joined(separator: ", ") + ")"
  }
}

/// Named facts, one a line, the names aligned.
struct Facts {
  let style: Style
  private var rows: [(name: String, value: String)] = []

  init(style: Style) { self.style = style }

  /// Adds a fact; further lines of a value are indented under the first.
  mutating func add(_ name: String, _ value: String) { rows.append((name, value)) }

  /// All facts, each line ended by a newline.
  var text: String {
    let width = rows.map(\.name.count).max() ?? 0
    return rows.map { row in
      let name = row.name.padding(toLength: width, withPad: " ", startingAt: 0)
      let indent = "\n" + String(repeating: " ", count: width + 2)
      return style(name, .strong) + "  " + row.value.replacing("\n", with: indent) + "\n"
    }.joined()
  }
}
