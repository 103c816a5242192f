import DSL
import Foundation
import Model

/// Evaluates networks for commands that look.
enum Evaluating {
  /// Measures a network on some images, with the session's preprocessing; shows how far it is.
  static func evaluate(
    _ model: LoadedModel, on images: any Dataset, _ data: LoadedData, _ state: WorkbenchState
  ) throws -> Evaluation {
    guard model.classCount >= data.classCount else {
      throw CommandFailureText.classCount(model, data)
    }
    let settings = state.settings(for: model)
    let evaluator = try Evaluator(
      model.network, transform: settings.evalTransform, workers: settings.workers,
      pool: state.threadPool(settings.threads))
    state.console.progress.begin(total: images.count, label: "evaluation")
    defer { state.console.progress.finish() }
    let evaluation = try evaluator.run(images) { done, _ in
      state.console.progress.update(done)
      return !SignalCenter.isInterrupted
    }
    guard let evaluation else { throw CommandError.interrupted }
    return evaluation
  }

  /// Loss, accuracies, count and time in one row.
  static func table(_ evaluations: [Evaluation]) -> Table {
    Table(
      [
        .init("loss", .right), .init("top1", .right), .init("top5", .right),
        .init("images", .right), .init("time", key: "seconds", .right),
      ],
      rows: evaluations.map {
        [
          .init($0.loss, decimals: 6), .init($0.top1, decimals: 2), .init($0.top5, decimals: 2),
          .init($0.count), .init(seconds: $0.seconds),
        ]
      })
  }
}

extension CommandError {
  /// What a command throws when the user stopped it with Ctrl-C or the system asked for an end.
  static var interrupted: CommandError {
    CommandError(
      "stopped", exitCode: 128 + (SignalCenter.termination ?? 2), isInterruption: true)
  }
}

/// Classifies pictures for `predict`.
enum Predicting {
  /// The classes of one picture, or a row per picture of a folder.
  static func table(
    _ url: URL, _ model: LoadedModel, top: Int, _ state: WorkbenchState
  ) throws -> Table {
    var isFolderFlag: ObjCBool = false
    guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isFolderFlag) else {
      throw CommandError(
        "there is no file or folder \(state.places.display(url))", argument: "path", exitCode: 7)
    }
    let isFolder = isFolderFlag.boolValue
    let pictures =
      isFolder ? try ImageFiles(folder: url) : ImageFiles(name: url.path, files: [url])
    let settings = state.settings(for: model)
    let predictor = try Predictor(
      model.network, transform: settings.evalTransform, pool: state.threadPool(settings.threads))
    let names = classNames(model, state)
    var rows: [[Table.Cell]] = []
    state.console.progress.begin(total: pictures.count, label: "prediction")
    defer { state.console.progress.finish() }
    // In a folder, one broken picture does not spoil the others.
    let failed = { (index: Int, error: any Error) throws in
      guard isFolder, let error = error as? any ModelError else { throw error }
      state.console.warn(error.message)
    }
    try predictor.run(pictures, top: top, failed: failed) { index, classes in
      if isFolder {
        let file = pictures.files[index].path.dropFirst(url.path.count + 1)
        rows.append(
          [.init(String(file))]
            + classes.flatMap { [.init(names($0.index)), probability($0.probability)] })
      } else {
        rows += classes.map {
          [
            .init(names($0.index)), .init($0.index), probability($0.probability),
            .init($0.logit, decimals: 4),
          ]
        }
      }
      state.console.progress.update(index + 1)
      return !SignalCenter.isInterrupted
    }
    guard !SignalCenter.isInterrupted else { throw CommandError.interrupted }
    guard isFolder else {
      return Table(
        [
          .init("class"), .init("index", .right), .init("probability", .right),
          .init("logit", .right),
        ], rows: rows)
    }
    let columns = (1...top).flatMap { rank -> [Table.Column] in
      let suffix = rank == 1 ? "" : "\(rank)"
      return [.init("class\(suffix)"), .init("probability\(suffix)", .right)]
    }
    return Table([.init("file")] + columns, rows: rows)
  }

  /// The channel sums of a picture's features.
  static func features(
    _ url: URL, _ model: LoadedModel, _ state: WorkbenchState
  ) throws -> HeatMap {
    let image = try ImageCodec.decode(contentsOf: url)
    let settings = state.settings(for: model)
    let predictor = try Predictor(
      model.network, transform: settings.evalTransform, batch: 1,
      pool: state.threadPool(settings.threads))
    return HeatMap(
      title: url.lastPathComponent,
      label: "sum over \(model.network.blueprint.featureCount) channels",
      rows: predictor.featureSums(of: image))
  }

  private static func probability(_ value: Double) -> Table.Cell { .init(value, decimals: 4) }

  /// The name of each class: the data's, or ImageNet's for a head of 1000, or its number.
  private static func classNames(
    _ model: LoadedModel, _ state: WorkbenchState
  ) -> (Int) -> String {
    var names: [String] = []
    if let data = state.data, data.classCount == model.classCount {
      names = data.source.classNames
    } else if !model.classNames.isEmpty {
      names = model.classNames
    } else if model.classCount == ImageNetClasses.names.count {
      names = ImageNetClasses.names
    }
    return { $0 < names.count ? names[$0] : "class \($0)" }
  }
}
