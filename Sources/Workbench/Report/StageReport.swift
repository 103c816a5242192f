import Foundation
import Model

/// The stages of progressive learning as people and programs read them.
enum StageReport {
  /// The table of `show stages`.
  static func table(_ settings: Hyperparameters) -> Table {
    let progression = settings.progression
    let columns: [Table.Column] = [
      .init("stage", .right), .init("epochs", .right),
      .init("pixels", .right), .init("batch", .right),
      .init("drop", .right), .init("magnitude", .right),
      .init("mixup", .right), .init("cutmix", .right),
      .init("step", .right),
    ]
    let full = progression.stages.last.map(pixels) ?? 1
    return Table(
      columns,
      rows: progression.stages.map { stage in
        [
          .init(stage.number), .init(epochs(stage)), .init(stage.inputSize),
          .init(stage.batchSize), .init(number(stage.dropout)),
          .init(stage.magnitude.map(number) ?? ""), .init(number(stage.mixup)),
          .init(number(stage.cutmix)),
          .init("\(Int((100 * pixels(stage) / full).rounded())) %"),
        ]
      })
  }

  /// What holds in a stage, in words.
  static func settings(_ stage: TrainingStage) -> [String] {
    var words = ["\(stage.inputSize) px", "batch \(stage.batchSize)"]
    if stage.dropout > 0 { words.append("dropout \(number(stage.dropout))") }
    if let magnitude = stage.magnitude {
      words.append("magnitude \(number(magnitude))")
    }
    if stage.mixup > 0 { words.append("mixup \(number(stage.mixup))") }
    if stage.cutmix > 0 { words.append("cutmix \(number(stage.cutmix))") }
    return words
  }

  /// A stage as events.jsonl has it.
  static func fields(_ stage: TrainingStage) -> [String: ReportValue] {
    [
      "stage": .integer(stage.number), "stages": .integer(stage.count),
      "input_size": .integer(stage.inputSize), "batch_size": .integer(stage.batchSize),
      "drop": .real(stage.dropout), "mixup": .real(stage.mixup), "cutmix": .real(stage.cutmix),
    ]
  }

  private static func number(_ value: Double) -> String { NumberText.significant(value, 3) }

  /// The epochs of a stage: `1-25`.
  private static func epochs(_ stage: TrainingStage) -> String {
    let (first, last) = (stage.epochs.lowerBound + 1, stage.epochs.upperBound)
    return first == last ? "\(first)" : "\(first)-\(last)"
  }

  private static func pixels(_ stage: TrainingStage) -> Double {
    Double(stage.batchSize * stage.inputSize * stage.inputSize)
  }
}
