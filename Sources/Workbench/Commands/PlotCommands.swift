import DSL
import Foundation
import Model

// `plot`: curves of runs and pictures of what a network does, in the terminal or in a file.

enum PlotCommands {
  static let all: [Command<WorkbenchState>] = [plot]

  private static let plot = Command<WorkbenchState>(
    Signature(
      "plot", group: "plots", "Draws curves of runs, or a picture of what a network does.",
      discussion: """
        Without '> FILE' the figure appears in the terminal. The suffix of FILE decides what is \
        written: png, svg, pdf, txt, gp (the gnuplot script) or csv (the data). The script and the \
        data stay beside every picture, so that gnuplot alone can redraw it.

        Metrics: loss (training and test), train_loss, eval_loss, top1, top5, lr, speed, and every \
        other column of the runs' metrics.csv; a second quantity gets an axis of its own on the \
        right. Before anything was trained, 'plot lr' draws the schedule that the settings give.

        runs= takes names, patterns (s-*), and files: the CSV logs of timm, Keras and Lightning. \
        smooth=0.6 draws a running mean over the pale values; 'band' joins runs that differ in \
        their seed alone to their mean, one standard deviation to either side. The best epoch is \
        marked, stages of progressive learning are shaded.

        'live' goes on drawing while a run is trained, also by another program, until it ends or \
        you press Ctrl-C; with '> FILE' it keeps the file current.

        Pictures: confusion, per-class and calibration evaluate the network, or the run of runs=; \
        filters shows its first layer; models sets the best accuracy of the runs against the size of \
        their networks (x=params, macs, time).
        """,
      positionals: [
        Positional(
          "metrics", .list(of: .named("plot"), count: 1...6), "what to draw: loss, or top1,top5")
      ],
      keys: [
        Parameter(
          "runs", .list(of: .named("run")), "runs, patterns, log files; the current run without"),
        Parameter(
          "x", .choice(["epoch", "step", "time", "params", "macs"]),
          "the horizontal axis; epoch, and params for models"),
        Parameter(
          "smooth", .number(Bounds(lower: 0, upper: 1, excludesUpper: true)),
          "how much of the mean so far a point keeps"),
        Parameter("xrange", .interval, "the ends of the horizontal axis"),
        Parameter("yrange", .interval, "the ends of the left vertical axis"),
        Parameter(
          "weights", .choice(["last", "best"]), "which checkpoint of the run a picture evaluates"),
        Parameter("split", .choice(["test", "val", "train"]), "which images a picture evaluates"),
        Drawing.style,
      ],
      flags: [
        Flag("log", "a logarithmic vertical axis", isBareWord: true),
        Flag("logx", "a logarithmic horizontal axis", isBareWord: true),
        Flag("band", "mean and deviation of runs with several seeds", isBareWord: true),
        Flag("live", "go on drawing while the run is trained", isBareWord: true),
      ],
      allowsOutput: true, effect: .look,
      reads: [
        .argument("runs", prefix: "run:"), .only(.slot("run:current"), .missing("runs")),
        .only(.slot("params.*"), .among("metrics", EvaluationPicture.names.union(["lr"]))),
        .only(.slot("model"), .among("metrics", EvaluationPicture.names)),
        .only(.slot("data"), .among("metrics", EvaluationPicture.names)),
        .only(.slot("run:*"), .among("metrics", [EvaluationPicture.models.rawValue])),
      ],
      examples: [
        Example("plot lr", "the schedule, or the current run's rates"),
        Example("plot loss > loss.png", "the losses of the current run, as a picture"),
        Example("plot top1,top5 runs=a,b > accuracy.svg", "two runs in one figure"),
        Example("plot loss,lr x=step smooth=0.6 log", "smoothed, the rate on an axis of its own"),
        Example("plot top1 runs=a,b band yrange=0..100 style=dark > seeds.png", "a mean of runs"),
        Example("plot confusion runs=a > confusion.png", "which classes a run mixes up"),
        Example("plot models > models.svg", "accuracy against the size of the networks"),
      ])
  ) { invocation, state in
    let names = invocation.strings("metrics")
    if let picture = EvaluationPicture(rawValue: names[0]) {
      guard names.count == 1 else {
        throw CommandError(
          "\(names[0]) is a picture of its own", hint: "draw it without \(names[1])",
          argument: "metrics")
      }
      return try Drawing.draw(picture.subject(invocation, state), invocation, state)
    }
    if invocation.string("runs") == nil, state.currentRun == nil, names == ["lr"] {
      return try Drawing.draw(
        curves(invocation, columns: []).schedule(state.values), invocation, state)
    }
    let runs = invocation.strings("runs")
    state.untouchedSlots = ["params.*"]
    let logs = try RunSelection.logs(runs, state)
    let curves = try curves(invocation, columns: logs.flatMap(\.table.columns))
    guard invocation.has("live") else {
      for log in logs where log.table.rows.isEmpty {
        throw CommandError("the run '\(log.name)' has no finished epoch yet")
      }
      return try Drawing.draw(curves.figure(of: logs), invocation, state)
    }
    try follow(curves, runs: runs, logs: logs, invocation, state)
  }

  /// What an invocation asks to be drawn.
  private static func curves(_ invocation: Invocation, columns: [String]) throws -> CurveFigure {
    let axis = invocation.string("x") ?? "epoch"
    guard let abscissa = TrainingLog.Abscissa(rawValue: axis) else {
      throw CommandError(
        "x=\(axis) is for 'plot models'", hint: "epoch, step or time", argument: "x")
    }
    let known = MetricsRow.columns + columns
    return CurveFigure(
      metrics: try invocation.strings("metrics").map { try metric($0, columns: known) },
      abscissa: abscissa, isLogarithmic: invocation.has("log"),
      isLogarithmicAcross: invocation.has("logx"), smoothing: invocation.number("smooth"),
      xRange: invocation.interval("xrange"), yRange: invocation.interval("yrange"),
      isBand: invocation.has("band"))
  }

  static func metric(
    _ name: String, columns: [String], argument: String = "metrics"
  ) throws -> CurveMetric {
    if let metric = CurveMetric.named(name, columns: columns) { return metric }
    throw CommandError(
      "unknown metric '\(name)'", hint: hint(for: name, columns: columns), argument: argument)
  }

  /// What may have been meant.
  private static func hint(for name: String, columns: [String]) -> String {
    let names = CurveMetric.all.map(\.name) + EvaluationPicture.allCases.map(\.rawValue)
    return Suggestion.didYouMean(name, among: names + columns)
      ?? "one of \(names.joined(separator: ", "))"
  }

  private static func follow(
    _ curves: CurveFigure, runs: [String], logs: [TrainingLog], _ invocation: Invocation,
    _ state: WorkbenchState
  ) throws {
    let live = LivePlot(to: invocation.outputPath, theme: Drawing.theme(invocation), state) {
      // A pattern takes in runs that begin meanwhile.
      try curves.figure(of: RunSelection.logs(runs, state))
    }
    let directories = logs.compactMap(\.directory)
    if directories.contains(where: \.isBusy) {
      state.console.note("following \(logs.map(\.name).joined(separator: ", ")); Ctrl-C ends it")
    }
    try RunFollower(directories: directories, live: live, state: state).run()
    if let path = invocation.outputPath { state.console.note("wrote \(path)") }
  }

  /// Metrics that no run has, for the check of a script. Files of other tools have columns of their
  /// own, which nobody knows before they are read.
  static func unknownMetrics(_ invocation: Invocation) -> [Diagnostic] {
    guard !invocation.strings("runs").contains(where: RunSelection.isFile) else { return [] }
    return invocation.strings("metrics").filter {
      EvaluationPicture(rawValue: $0) == nil && CurveMetric.named($0) == nil
    }.map { name in
      Diagnostic(
        rule: .unknownMetric, message: "unknown metric '\(name)'",
        at: invocation.range(of: "metrics"), hint: hint(for: name, columns: MetricsRow.columns))
    }
  }
}
