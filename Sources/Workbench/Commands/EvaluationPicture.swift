import DSL
import Foundation
import Model

/// What `plot` draws besides curves.
enum EvaluationPicture: String, CaseIterable {
  case confusion, calibration, filters, models
  case perClass = "per-class"

  /// How they are named in a `plot`.
  static let names = Set(allCases.map(\.rawValue))

  /// One line about it, for completion.
  var summary: String {
    switch self {
    case .confusion: "which classes are taken for which"
    case .calibration: "how right the network is, by how sure it is"
    case .filters: "the first layer"
    case .models: "accuracy of the runs against the size of their networks"
    case .perClass: "accuracy of every class"
    }
  }

  /// The picture that an invocation asks for.
  func subject(_ invocation: Invocation, _ state: WorkbenchState) throws -> any PlotSubject {
    switch self {
    case .models: return try ModelComparison.figure(invocation, state)
    case .filters: return Self.filters(of: try Self.model(invocation, state))
    case .confusion, .calibration, .perClass:
      let (model, data, title) = try Self.network(invocation, state)
      let images = try Evaluating.images(of: data, split: invocation.string("split") ?? "test")
      let (means, details) = try Evaluating.evaluate(model, on: images, data, state)
      let names = ClassNames(model, data)
      switch self {
      case .confusion: return Self.confusion(details, names, title: title)
      case .calibration: return Self.calibration(details, title: title)
      default: return Self.perClass(details, mean: means.top1, names, title: title)
      }
    }
  }

  /// The network that an invocation means.
  private static func model(
    _ invocation: Invocation, _ state: WorkbenchState
  ) throws -> LoadedModel {
    let runs = invocation.strings("runs")
    guard runs.count < 2, !(runs.first.map(RunSelection.isFile) ?? false) else {
      throw CommandError("this picture is of one run", argument: "runs")
    }
    guard let run = runs.first else {
      guard !invocation.isGiven("weights") else {
        throw CommandError(
          "weights= needs a run", hint: "such as runs=NAME weights=best", argument: "weights")
      }
      return try state.requireModel()
    }
    return try RunAccess.model(
      of: run, which: invocation.string("weights") ?? "last", state)
  }

  /// The network, the data to judge it by, and what to call it.
  private static func network(
    _ invocation: Invocation, _ state: WorkbenchState
  ) throws -> (model: LoadedModel, data: LoadedData, title: String) {
    let model = try model(invocation, state)
    guard let run = invocation.strings("runs").first else {
      return (model, try state.requireData(), model.trainedBy.last ?? model.variant.name)
    }
    let data = try state.data ?? RunAccess.data(of: run, state)
    return (model, data, invocation.string("weights") == "best" ? "\(run), best epoch" : run)
  }

  // MARK: Pictures

  /// The share of each class's images that were taken for each class.
  static func confusion(
    _ details: EvaluationDetails, _ names: ClassNames, title: String
  ) -> HeatMap {
    let labels = 0..<details.classCount
    let classes = details.classes
    var map = HeatMap(
      title: "\(title): what is taken for what", label: "share of the row (%)",
      rows: labels.map { label in
        labels.map { other in
          let count = classes[label].count
          return count > 0
            ? 100 * Float(details.count(of: label, takenFor: other)) / Float(count) : 0
        }
      }, names: labels.map { names[$0].truncated(to: 16) }, rowLabel: "class",
      columnLabel: "taken for", palette: .ink)
    if labels.count <= 20 {
      map.cells = labels.map { label in
        labels.map { other in
          let count = details.count(of: label, takenFor: other)
          return count > 0 ? "\(count)" : ""
        }
      }
    }
    return map
  }

  /// The accuracy of each class, in the order of the data; of more than forty the worst ones.
  static func perClass(
    _ details: EvaluationDetails, mean: Double, _ names: ClassNames, title: String
  ) -> BarChart {
    var labels = details.classes.indices.filter { details.classes[$0].count > 0 }
    var title = "\(title): accuracy of each class"
    if labels.count > 40 {
      labels.sort { (details.classes[$0].accuracy ?? 0) < (details.classes[$1].accuracy ?? 0) }
      labels = Array(labels.prefix(40))
      title += ", the worst 40 of \(details.classes.count)"
    }
    return BarChart(
      title: title, axis: Figure.Axis("top-1", unit: "%", maximum: 100),
      bars: labels.map { label in
        let result = details.classes[label]
        return BarChart.Bar(
          name: names[label].truncated(to: 24), parts: [result.accuracy ?? 0],
          note: "\(result.right)/\(result.count)")
      }, reference: (mean, "all images \(NumberText.fixed(mean, 2))"))
  }

  /// How right the network is, by how sure it is, with the share of the images in each bin.
  static func calibration(_ details: EvaluationDetails, title: String) -> Figure {
    let bins = details.calibration.bins
    let width = 100 / Double(bins.count)
    let shares = bins.enumerated().map { index, bin in
      Figure.Point(
        (Double(index) + 0.5) * width, 100 * Double(bin.count) / Double(details.calibration.count))
    }
    let points = bins.filter { $0.count > 0 }.map { bin in
      Figure.Point(
        100 * bin.confidence / Double(bin.count), 100 * Double(bin.right) / Double(bin.count))
    }
    let error = NumberText.fixed(100 * details.calibration.error, 2)
    return Figure(
      title: "\(title): calibration error \(error) %",
      x: Figure.Axis("confidence", unit: "%", minimum: 0, maximum: 100),
      y: Figure.Axis("accuracy", unit: "%", minimum: 0, maximum: 100),
      series: [
        Figure.Series("share of the images", shares, style: .bars, color: 5, isFaint: true),
        Figure.Series(
          "as right as sure", [.init(0, 0), .init(100, 100)], color: 6, isDashed: true),
        Figure.Series("the network", points, style: .linesAndPoints, color: 0),
      ], legend: .above)
  }

  /// The filters of the first layer; of more than 64 the first.
  static func filters(of model: LoadedModel) -> PictureSheet {
    let filters = model.network.firstFilters
    let shown = filters.prefix(64)
    let edge = filters.first?.width ?? 0
    var title = "\(model.variant.name): \(filters.count) filters of \(edge)×\(edge)"
    if shown.count < filters.count { title += ", the first \(shown.count)" }
    return PictureSheet(
      title: title, tiles: shown.map { PictureSheet.Tile(image: $0) }, columns: 8, leastEdge: 72)
  }
}
