import DSL
import Foundation
import Model
import Testing

@testable import Workbench

/// Curves of runs: which lines, bands and marks a figure has.
struct CurveFigureTests {
  /// Logs whose evaluation columns are as given, one row an epoch.
  private static func log(
    _ name: String, _ columns: [String: [Double?]], in folder: ScratchFolder
  ) throws -> TrainingLog {
    let names = ["epoch"] + columns.keys.sorted()
    let count = columns.values.map(\.count).max() ?? 0
    let rows = (0..<count).map { row in
      ([String(row + 1)]
        + names.dropFirst().map { columns[$0]?[row].map(ReportValue.shortest) ?? "" })
        .joined(separator: ",")
    }
    let url = folder.file("\(name).csv")
    try Data(([names.joined(separator: ",")] + rows).map { $0 + "\n" }.joined().utf8).write(to: url)
    return try TrainingLog(file: url, named: name)
  }

  private static func metrics(_ names: String...) throws -> [CurveMetric] {
    try names.map { try PlotCommands.metric($0, columns: MetricsRow.columns) }
  }

  @Test func smoothingCorrectsItsBeginning() {
    let points = [Figure.Point(1, 4), .init(2, nil), .init(3, 2), .init(4, 2)]
    let smooth = CurveFigure.smoothed(points, keeping: 0.5)
    // 4; (0.25*4 + 0.5*2) / 0.75; (0.125*4 + 0.25*2 + 0.5*2) / 0.875
    let wanted: [Double?] = [4, nil, 2.0 / 0.75, 2.0 / 0.875]
    #expect(smooth.map(\.y) == wanted)
    let plain: [Double?] = [4, nil, 2, 2]
    #expect(CurveFigure.smoothed(points, keeping: 0).map(\.y) == plain)
  }

  @Test func aSmoothedLineHasItsValuesBehindIt() throws {
    let folder = try ScratchFolder()
    let log = try Self.log("a", ["eval_top1": [10, 20, 15]], in: folder)
    var curves = CurveFigure(metrics: try Self.metrics("top1"))
    curves.smoothing = 0.5
    let figure = try curves.figure(of: [log])
    #expect(figure.series.map(\.isFaint) == [true, false])
    #expect(figure.series[0].points.map(\.y) == [10, 20, 15])
    #expect(figure.series.map(\.name) == ["", "top-1"])
    // The mark is on what was measured.
    #expect(figure.marks.map(\.y) == [20] && figure.marks.map(\.x) == [2])
  }

  @Test func severalSeedsBecomeMeanAndDeviation() throws {
    let folder = try ScratchFolder()
    let logs = try [[1, 4.0], [3, 4], [5, 10]].enumerated().map { index, values in
      try Self.log("s-\(index)", ["eval_loss": values], in: folder)
    }
    var curves = CurveFigure(metrics: try Self.metrics("eval_loss"))
    curves.isBand = true
    let figure = try curves.figure(of: logs)
    #expect(figure.series.count == 1 && figure.title == "s")
    let points = figure.series[0].points
    #expect(points.map(\.y) == [3, 6])
    let deviation = 12.0.squareRoot()
    let (low, high): ([Double?], [Double?]) = ([1, 6 - deviation], [5, 6 + deviation])
    #expect(points.map(\.low) == low && points.map(\.high) == high)
    #expect(figure.series[0].name == "test loss, mean of 3")
  }

  @Test func aSecondQuantityStandsOnTheRightAndAThirdIsRefused() throws {
    let folder = try ScratchFolder()
    let columns: [String: [Double?]] = [
      "eval_loss": [1, 2], "train_loss": [2, 1], "lr": [0.1, 0.2], "eval_top1": [3, 4],
    ]
    let log = try Self.log("a", columns, in: folder)
    let figure = try CurveFigure(metrics: Self.metrics("loss", "lr")).figure(of: [log])
    #expect(figure.series.map(\.side) == [.left, .left, .right])
    #expect(figure.y2?.label == "learning rate")
    #expect(throws: CommandError.self) {
      try CurveFigure(metrics: Self.metrics("loss", "lr", "top1")).figure(of: [log])
    }
    #expect(throws: CommandError.self) {
      try CurveFigure(metrics: Self.metrics("loss"), abscissa: .time).figure(of: [log])
    }
    #expect(throws: CommandError.self) {
      try CurveFigure(metrics: Self.metrics("speed")).figure(of: [log])
    }
  }

  @Test func rangesAndScalesReachTheAxes() throws {
    let folder = try ScratchFolder()
    let log = try Self.log("a", ["eval_loss": [1, 2]], in: folder)
    var curves = CurveFigure(metrics: try Self.metrics("eval_loss"))
    (curves.isLogarithmic, curves.isLogarithmicAcross) = (true, true)
    (curves.xRange, curves.yRange) = ((1, 5), (nil, 3))
    let figure = try curves.figure(of: [log])
    #expect(figure.x.scale == .logarithmic && figure.y.scale == .logarithmic)
    #expect(figure.x.minimum == 1 && figure.x.maximum == 5)
    #expect(figure.y.minimum == nil && figure.y.maximum == 3)
  }

  @Test func everyColumnOfTheMetricsIsAMetric() {
    for column in MetricsRow.columns { #expect(CurveMetric.named(column) != nil, "\(column)") }
    #expect(CurveMetric.named("val_f1") == nil)
    #expect(CurveMetric.named("val_f1", columns: ["val_f1"])?.columns.first?.column == "val_f1")
    #expect(CurveMetric.named("eval-top1")?.name == "top1")
  }

  /// A run folder with settings and rows, as a training leaves it.
  static func run(
    _ name: String, _ settings: [String: HyperparameterValue], epochs: Int, in root: URL
  ) throws -> RunDirectory {
    let created = try RunDirectory.create(name, in: root)
    var values = HyperparameterValues()
    for (key, value) in settings { try values.set(key, to: value) }
    let data = Datasets.digits()
    let variant = try Variant.named("tf_efficientnetv2_b0")
    let resolved = Hyperparameters(values, for: variant.preprocessing)
    try RunParameters(
      model: variant.qualifiedName, weights: nil, data: data, parameters: resolved.values
    ).write(to: created.directory)
    let file = try MetricsFile(created.directory.metrics)
    for epoch in stride(from: 1, through: epochs, by: 1) {
      try file.append(MetricsRow(epochReport(epoch: epoch, top1: 10 + Double(epoch))))
    }
    return created.directory
  }

  @Test func stagesOfProgressiveLearningAreShaded() throws {
    let folder = try ScratchFolder()
    let settings: [String: HyperparameterValue] = [
      "progressive": .word("paper"), "stages": .integer(3), "stage-sizes": .numbers([64, 128]),
      "epochs": .integer(6), "cooldown-epochs": .integer(0), "input-size": .integer(128),
    ]
    let log = try TrainingLog(Self.run("p", settings, epochs: 5, in: folder.url))
    let figure = try CurveFigure(metrics: Self.metrics("loss")).figure(of: [log])
    #expect(figure.bands.map(\.label) == ["64 px", "96 px", "128 px"])
    #expect(figure.bands.map(\.from) == [0.5, 2.5, 4.5])
    #expect(figure.bands.map(\.to) == [2.5, 4.5, 5.5])
    #expect(figure.bands.map(\.isShaded) == [false, true, false])
    let steps = try CurveFigure(metrics: Self.metrics("loss"), abscissa: .step).figure(of: [log])
    #expect(steps.bands.map(\.from) == [0, 3124, 6248])
    #expect(steps.bands.last?.to == 7810)
    let script = GnuplotScript(figure, target: .init(terminal: "svg", output: "p.svg")).text
    try expectSnapshot(script, "stages.gp")
  }

  @Test func runsThatDifferInTheSeedAreOneGroup() throws {
    let folder = try ScratchFolder()
    func log(_ name: String, seed: Int, rate: Double) throws -> TrainingLog {
      try TrainingLog(
        Self.run(
          name, ["seed": .integer(seed), "lr": .number(rate), "workers": .integer(seed)],
          epochs: 2, in: folder.url))
    }
    let logs = [
      try log("low-1", seed: 1, rate: 0.01), try log("high-1", seed: 1, rate: 0.1),
      try log("low-2", seed: 2, rate: 0.01), try log("high-2", seed: 2, rate: 0.1),
    ]
    let groups = RunGroup.groups(of: logs)
    #expect(groups.map(\.name) == ["low", "high"])
    #expect(groups.map { $0.logs.map(\.name) } == [["low-1", "low-2"], ["high-1", "high-2"]])
  }

  @Test func aScheduleTakesItsAxesFromTheCommand() throws {
    let values = HyperparameterValues()
    let plain = try CurveFigure(metrics: [.rate]).schedule(values)
    #expect(plain.y.scale == .linear && plain.x.maximum == nil)
    let figure = try CurveFigure(
      metrics: [.rate], isLogarithmic: true, isLogarithmicAcross: true, xRange: (1, 10),
      yRange: (nil, 0.01)
    ).schedule(values)
    #expect(figure.y.scale == .logarithmic && figure.x.scale == .logarithmic)
    #expect(figure.x.minimum == 1 && figure.x.maximum == 10)
    #expect(figure.y.minimum == nil && figure.y.maximum == 0.01)
    #expect(throws: CommandError.self) {
      try CurveFigure(metrics: [.rate], abscissa: .time).schedule(values)
    }
  }
}
