import DSL
import Foundation
import Model

// `plot`: curves of runs, in the terminal or in a file.

enum PlotCommands {
  static let all: [Command<WorkbenchState>] = [plot]

  private static let plot = Command<WorkbenchState>(
    Signature(
      "plot", group: "plots", "Draws curves of one run or several.",
      discussion: """
        Without '> FILE' the figure appears in the terminal. The suffix of FILE decides what is \
        written: png, svg, pdf, txt, gp (the gnuplot script) or csv (the data). The script and the \
        data stay beside every picture, so that gnuplot alone can redraw it.

        Metrics: loss (training and test), train_loss, eval_loss, top1, top5, lr, speed. Before \
        anything was trained, 'plot lr' draws the schedule that the settings give.
        """,
      positionals: [
        Positional(
          "metrics", .list(of: .named("metric"), count: 1...6), "what to draw: loss, or top1,top5")
      ],
      keys: [
        Parameter("runs", .list(of: .named("run")), "the runs; the current one without"),
        Parameter(
          "x", .choice(["epoch", "step", "time"]), "the horizontal axis", default: "epoch"),
      ],
      flags: [Flag("log", "a logarithmic vertical axis", isBareWord: true)],
      allowsOutput: true, effect: .look,
      reads: [.argument("runs", prefix: "run:"), .slot("run:current"), .slot("params.*")],
      examples: [
        Example("plot lr", "the schedule, or the current run's rates"),
        Example("plot loss > loss.png", "the losses of the current run, as a picture"),
        Example("plot top1,top5 runs=a,b > accuracy.svg", "two runs in one figure"),
      ])
  ) { invocation, state in
    let metrics = try invocation.strings("metrics").map(metric)
    let named = invocation.strings("runs")
    let log = invocation.has("log")
    let figure: Figure
    if named.isEmpty, state.currentRun == nil, metrics.map(\.name) == ["lr"] {
      figure = CurveFigure.schedule(state.values)
    } else {
      let directories = try (named.isEmpty ? [nil] : named.map(Optional.some)).map {
        try RunAccess.directory($0, state)
      }
      let runs = try directories.map {
        (name: $0.name, table: try MetricsTable(contentsOf: $0.metrics))
      }
      for run in runs where run.table.rows.isEmpty {
        throw CommandError("the run '\(run.name)' has no finished epoch yet")
      }
      let axis = CurveFigure.Abscissa(rawValue: invocation.string("x") ?? "epoch") ?? .epoch
      figure = CurveFigure.figure(of: metrics, runs: runs, against: axis, logarithmic: log)
    }
    try Drawing.draw(figure, to: invocation.outputPath, state)
  }

  private static func metric(_ name: String) throws -> CurveFigure.Metric {
    if let metric = CurveFigure.metric(name) { return metric }
    let names = CurveFigure.metrics.map(\.name)
    throw CommandError(
      "unknown metric '\(name)'",
      hint: Suggestion.didYouMean(name, among: names) ?? "one of \(names.joined(separator: ", "))",
      argument: "metrics")
  }
}
