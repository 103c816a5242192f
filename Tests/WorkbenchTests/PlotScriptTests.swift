import Foundation
import Testing

@testable import Workbench

/// The gnuplot text of figures: recorded, and safe whatever the user typed.
struct PlotScriptTests {
  @Test(arguments: SampleFigures.all.map(\.name))
  func recordedScripts(_ name: String) throws {
    let figure = try #require(SampleFigures.all.first { $0.name == name }?.figure)
    let target = GnuplotScript.Target(
      terminal: "pngcairo", output: "\(name).png", scriptName: "\(name).gp")
    try expectSnapshot(GnuplotScript(figure, target: target).text, "\(name).gp")
  }

  @Test func terminalsHaveTheirOwnSizes() throws {
    for terminal in ["png", "svg", "pdfcairo"] {
      let target = GnuplotScript.Target(terminal: terminal, output: "loss.x")
      let lines = GnuplotScript(SampleFigures.loss, target: target).text.split(separator: "\n")
      let line = try #require(lines.first { $0.hasPrefix("set terminal") })
      try expectSnapshot(line + "\n", "terminal-\(terminal).gp")
    }
  }

  @Test func textTerminalFitsItsWindow() throws {
    var target = GnuplotScript.Target(
      terminal: "dumb", output: nil, size: .init(columns: 60, rows: 15))
    let mono = GnuplotScript(SampleFigures.twoAxes, target: target).text
    try expectSnapshot(mono, "two-axes-dumb.gp")
    #expect(mono.contains("set terminal dumb size 60,15 nofeed mono\n"))
    target.isColored = true
    #expect(GnuplotScript(SampleFigures.twoAxes, target: target).text.contains("ansi256"))
  }

  @Test func userTextStaysText() {
    #expect(GnuplotScript.quoted("it's") == "'it''s'")
    #expect(GnuplotScript.quoted("a\nb\u{1B}c\u{2028}d") == "'a b c d'")
    #expect(GnuplotScript.quoted("`touch x` $(y) \"z\" \\n") == "'`touch x` $(y) \"z\" \\n'")
    // gnuplot reads '''x' as an empty string and then x'.
    #expect(GnuplotScript.quoted("'x") == "' ''x'")
    #expect(GnuplotScript.quotedPath("|rm x.png") == "'./|rm x.png'")
    #expect(GnuplotScript.quotedPath("<x.png") == "'./<x.png'")
    #expect(GnuplotScript.quotedPath("a b.png") == "'a b.png'")
  }

  @Test func dataHasOneColumnPerSeries() {
    let figure = Figure(
      x: .init("epoch"), y: .init("loss"),
      series: [
        .init("a", [.init(1, 0.5), .init(2, nil), .init(3, .nan), .init(4, 0.25)]),
        .init("b, c", [.init(2, 7), .init(4, 8, low: 7, high: 9)]),
      ])
    let data = FigureData(figure)
    #expect(
      data.csv == """
        epoch,a,"b, c","b, c low","b, c high"
        1,0.5,,,
        2,,7,NaN,NaN
        3,NaN,,,
        4,0.25,8,7,9

        """)
    #expect(data.columns.map(\.y) == [2, 3])
  }

  @Test func unorderedSeriesFollowOneAnother() {
    let figure = Figure(
      x: .init("time"), y: .init("accuracy"),
      series: [
        .init("a", [.init(3, 1), .init(1, 2)], style: .points), .init("b", [.init(2, 5)]),
      ])
    #expect(FigureData(figure).csv == "time,a,b\n3,1,\n1,2,\n2,,5\n")
  }

  @Test func figuresWithoutPointsAreRefused() {
    var figure = Figure(x: .init("epoch"), y: .init("loss"), series: [])
    #expect(throws: PlotError.nothingToPlot("no series was chosen")) {
      try figure.checkDrawable()
    }
    figure.series = [.init("a", values: [nil, .nan])]
    #expect(throws: PlotError.nothingToPlot("no value has been recorded yet")) {
      try figure.checkDrawable()
    }
    figure.series = [.init("a", values: [0, -1])]
    figure.y.scale = .logarithmic
    #expect(throws: PlotError.self) { try figure.checkDrawable() }
    figure.y.scale = .linear
    #expect(throws: Never.self) { try figure.checkDrawable() }
  }

  @Test func axesEndAtRoundNumbers() {
    func y(_ values: [Double], _ axis: Figure.Axis) -> FigureLayout.Extent {
      FigureLayout(Figure(x: .init("x"), y: axis, series: [.init("a", values: values)])).y
    }
    let loss = y([0.37, 2.46], .init("loss"))
    #expect(loss.low == 0 && loss.high == 2.5 && loss.ticks == .every(0.5))
    let accuracy = y([11, 99.7], .init("top-1", unit: "%"))
    #expect(accuracy.low == 0 && accuracy.high == 100)
    let fixed = y([1, 2], .init("loss", minimum: 0.3, maximum: 1.7))
    #expect(fixed.low == 0.3 && fixed.high == 1.7)
    let flat = y([5, 5], .init("loss"))
    #expect(flat.low < 5 && flat.high > 5)
    let reversed = y([1, 2], .init("loss", minimum: 9, maximum: 3))
    #expect(reversed.low == 3 && reversed.high == 9)
    let rate = y([1e-6, 0.05], .init("lr", scale: .logarithmic))
    #expect(rate.low == 1e-6 && rate.high == 0.1 && rate.ticks == .decades)
    let short = y([0.4, 2.3], .init("loss", scale: .logarithmic))
    #expect(short.ticks == .at([0.5, 1, 2]))
    #expect(FigureLayout.wholeStep(59) == 10)
    #expect(FigureLayout.wholeStep(3) == 1)
  }

  @Test func legendStandsWhereThereIsRoom() {
    #expect(FigureLayout(SampleFigures.loss).legend == .topRight)
    #expect(FigureLayout(SampleFigures.accuracy).legend == .bottomRight)
    #expect(FigureLayout(SampleFigures.manyRuns).legend == .outside)
    #expect(FigureLayout(SampleFigures.logarithmic).legend == .none)
  }

  @Test func lonePointsAreShown() {
    let figure = SampleFigures.hostile
    #expect(figure.visibleStyle(of: figure.series[0]) == .linesAndPoints)
    #expect(figure.visibleStyle(of: .init("a", values: [1])) == .points)
    #expect(figure.visibleStyle(of: .init("a", values: [1, nil, 2])) == .lines)
  }

  @Test func textPlotKeepsToItsSize() {
    for sample in SampleFigures.all {
      for (columns, rows) in [(79, 21), (40, 12), (30, 10)] {
        let plot = TextPlot(
          sample.figure, size: .init(columns: columns, rows: rows), isColored: false,
          showsUnicode: false)
        let lines = plot.text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        #expect(lines.allSatisfy { $0.count <= columns }, "\(sample.name)")
        #expect(lines.count <= rows + 4, "\(sample.name)")
        #expect(plot.text.unicodeScalars.allSatisfy { $0.isASCII && ($0 == "\n" || $0 >= " ") })
      }
    }
    let colored = TextPlot(
      SampleFigures.accuracy, size: .init(columns: 79, rows: 21), isColored: true,
      showsUnicode: true)
    #expect(colored.text.contains("\u{1B}[") && colored.text.contains("⠤"))
  }

  @Test func recordedTextPlot() throws {
    let plot = TextPlot(
      SampleFigures.loss, size: .init(columns: 64, rows: 18), isColored: false,
      showsUnicode: false)
    try expectSnapshot(plot.text, "loss-textplot.txt")
  }

  private static let zeros = [Double](repeating: 0, count: 14)

  /// A label goes where it hides neither a point of its curve nor the label of another mark.
  @Test(
    arguments: [
      // In the middle nothing is near: towards the middle of the plot.
      ([0, 0, 0, 0, 0, 10], [5], [(true, true)]),
      ([10, 10, 10, 10, 0, 10], [4], [(true, false)]),
      // A point where the label would stand, and room on the other side.
      (zeros + [9.5, 10, 5, 0, 0, 0], [15], [(false, true)]),
      // The same at the edge, where there is none.
      (zeros + zeros + [9.5, 10], [29], [(true, true)]),
      // Two marks at one place.
      ([0, 0, 0, 5, 0, 10], [3, 3], [(true, false), (false, false)]),
    ] as [([Double], [Int], [(Bool, Bool)])])
  func labelsStandWhereThereIsRoom(
    values: [Double], marked: [Int], expected: [(isLeft: Bool, isBelow: Bool)]
  ) {
    let figure = Figure(
      x: Figure.Axis("x"), y: Figure.Axis("y"),
      series: [Figure.Series("a", values: values, from: 0, style: .linesAndPoints)],
      marks: marked.map { Figure.Mark(x: Double($0), y: values[$0], label: "98.33") })
    let placements = FigureLayout(figure).markPlacements(in: figure)
    #expect(
      placements == expected.map { MarkPlacement(isLeft: $0.isLeft, isBelow: $0.isBelow) })
  }

  @Test func sparklines() {
    #expect(Sparkline.text([0, 1, 2, 3, 4, 5, 6, 7]) == "▁▂▃▄▅▆▇█")
    #expect(Sparkline.text([3, nil, .nan, 3]) == "▅  ▅")
    #expect(Sparkline.text([0, 4], showsUnicode: false) == "_^")
    #expect(Sparkline.text((0..<100).map(Double.init), width: 10).count == 10)
    #expect(Sparkline.text([]) == "")
  }

  @Test func formatsComeFromNames() throws {
    #expect(try PlotFormat(path: "a/b.PNG") == .png)
    #expect(throws: PlotError.unknownFormat(name: "loss.jpg")) {
      try PlotFormat(path: "x/loss.jpg")
    }
    #expect(throws: PlotError.unknownFormat(name: ".png")) { try PlotFormat(path: ".png") }
  }
}
