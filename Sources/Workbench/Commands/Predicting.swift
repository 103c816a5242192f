import DSL
import Foundation
import Model

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
    let names = ClassNames(model, state.data)
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
            + classes.flatMap { [.init(names[$0.index]), probability($0.probability)] })
      } else {
        rows += classes.map {
          [
            .init(names[$0.index]), .init($0.index), probability($0.probability),
            .init($0.logit, decimals: 4),
          ]
        }
      }
      state.console.progress.update(index + 1)
      return !state.mustStop
    }
    guard !state.mustStop else { throw state.stopError }
    guard isFolder else {
      return Table(
        [
          .init("class"), .init("index", .right), .init("probability", .right),
          .init("logit", .right),
        ], rows: rows)
    }
    return Table([.init("file")] + (0..<top).flatMap(columns), rows: rows)
  }

  /// The columns of a class and its probability, for the most probable (0), the second and so on.
  static func columns(rank: Int) -> [Table.Column] {
    let suffix = rank == 0 ? "" : "\(rank + 1)"
    return [.init("class\(suffix)"), .init("probability\(suffix)", .right)]
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
      label: "sum over \(model.network.blueprint.mapChannels) channels",
      rows: predictor.featureSums(of: image))
  }

  private static func probability(_ value: Double) -> Table.Cell { .init(value, decimals: 4) }
}

/// The name of each output: the data's, or ImageNet's for a head of 1000, or its number.
struct ClassNames {
  private let names: [String]

  init(_ model: LoadedModel, _ data: LoadedData?) {
    if let data, data.classCount == model.classCount {
      names = data.source.classNames
    } else if !model.classNames.isEmpty {
      names = model.classNames
    } else if model.classCount == ImageNetClasses.names.count {
      names = ImageNetClasses.names
    } else {
      names = data?.source.classNames ?? []
    }
  }

  subscript(_ label: Int) -> String { label < names.count ? names[label] : "class \(label)" }
}
