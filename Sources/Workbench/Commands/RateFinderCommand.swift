import DSL
import Foundation
import Model

// `lrfind`: which learning rate suits. It trains a copy and changes nothing.

enum RateFinderCommand {
  static let find = Command<WorkbenchState>(
    Signature(
      "lrfind", group: "training", "Looks for a learning rate on a copy of the network.",
      discussion: """
        The copy takes one step at each of the rates, from the smallest to the largest, on training \
        images as they would be augmented. Where the loss falls fastest is a good lr; where it rises \
        again the rate is too high. The loaded network, its training and every random draw stay as \
        they are.

        A file ending in .csv gets the numbers, a picture the curve.
        """,
      positionals: [
        Positional("rates", .interval, "the smallest and the largest rate", .optional)
      ],
      keys: [
        Parameter("steps", .integer(.within(10...10_000)), "steps to take", default: "100"),
        Drawing.style,
      ],
      flags: [Flag("json", "one JSON object per step"), Flag("csv", "comma-separated values")],
      allowsOutput: true, effect: .look,
      reads: [.slot("model"), .slot("data"), .slot("params.*")],
      examples: [
        Example(
          "data digits; load tf_efficientnetv2_b0; set input-size=32; lrfind steps=20",
          "the curve in the terminal"),
        Example("lrfind 1e-5..1 steps=30 > lr.png", "as a picture"),
      ])
  ) { invocation, state in
    let model = try state.requireModel()
    let data = try state.requireData()
    let rates = try range(invocation)
    let steps = state.replay.isRehearsal ? 3 : invocation.integer("steps") ?? 100
    let finder = try RateFinder(
      model.network, data: data.source, settings: state.settings(for: model))
    state.console.progress.begin(total: steps, label: "lrfind")
    defer { state.console.progress.finish() }
    let result = try finder.run(rates, steps: steps) { done in
      state.console.progress.update(done)
      return !state.mustStop
    }
    state.console.progress.finish()
    guard !state.mustStop else { throw state.stopError }
    guard result.points.count > 1 else {
      throw CommandError(
        "the loss is no number at lr=\(NumberText.compact(rates.lowerBound))",
        hint: "the network or its input is broken: 'eval' shows the loss without training")
    }
    if invocation.has("json") || invocation.has("csv") {
      try state.show(table(result), as: invocation)
    } else {
      try Drawing.draw(figure(result, rates), invocation, state)
    }
    state.console.note(summary(result))
  }

  private static func range(_ invocation: Invocation) throws -> ClosedRange<Double> {
    guard let (lower, upper) = invocation.interval("rates") else { return 1e-6...1 }
    guard let lower, let upper, lower > 0, upper > lower else {
      throw CommandError(
        "lrfind needs two rates above 0, the smaller one first", hint: "such as lrfind 1e-6..1",
        argument: "rates")
    }
    return lower...upper
  }

  private static func table(_ result: RateFinder.Result) -> Table {
    Table(
      [
        .init("step", .right), .init("lr", .right), .init("loss", .right),
        .init("smoothed", .right),
      ],
      rows: result.points.enumerated().map { index, point in
        [
          .init(index + 1), .init(.real(point.rate), text: NumberText.significant(point.rate)),
          .init(point.loss, decimals: 4), .init(point.smoothed, decimals: 4),
        ]
      })
  }

  private static func figure(
    _ result: RateFinder.Result, _ rates: ClosedRange<Double>
  ) -> Figure {
    let smoothed = result.points.map { Figure.Point($0.rate, $0.smoothed) }
    var raw = Figure.Series(
      "loss of the batch", result.points.map { Figure.Point($0.rate, $0.loss) }, color: 0)
    raw.isFaint = true
    var marks: [Figure.Mark] = []
    if let suggestion = result.suggestion,
      let point = result.points.first(where: { $0.rate >= suggestion })
    {
      marks.append(
        Figure.Mark(
          x: suggestion, y: point.smoothed, label: NumberText.significant(suggestion, 2), color: 0))
    }
    return Figure(
      title: "learning rates",
      x: Figure.Axis(
        "learning rate", scale: .logarithmic, minimum: rates.lowerBound, maximum: rates.upperBound),
      y: Figure.Axis("loss"),
      series: [raw, Figure.Series("smoothed", smoothed, color: 0)], marks: marks)
  }

  private static func summary(_ result: RateFinder.Result) -> String {
    let lowest = result.points.min { $0.smoothed < $1.smoothed }
    var text =
      result.suggestion.map {
        "the loss falls fastest at lr=\(NumberText.significant($0, 2))"
      } ?? "the loss never falls: try smaller rates"
    if let lowest { text += ", and is lowest at \(NumberText.significant(lowest.rate, 2))" }
    if result.isDiverged, let last = result.points.last {
      text += "; beyond \(NumberText.significant(last.rate, 2)) training diverges"
    }
    return text
  }
}
