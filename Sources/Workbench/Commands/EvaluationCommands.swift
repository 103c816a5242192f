import DSL
import Foundation
import Model

// `eval`, `predict`, `features`, `expect`: what a network is worth. They only look.

enum EvaluationCommands {
  static let all: [Command<WorkbenchState>] = [evaluate, predict, features, expect]

  private static let evaluate = Command<WorkbenchState>(
    Signature(
      "eval", group: "evaluation", "Evaluates the network, or a run's, on the test images.",
      discussion: """
        Prints the cross entropy, top-1 and top-5 in percent. Training is not disturbed: the loss, \
        the weights and every random draw stay as they are.

        A run is evaluated with the input size and preprocessing that it was trained with, unless \
        they are set; its own data is taken if none is loaded.
        """,
      positionals: [
        Positional("run", .named("run"), "a run; the loaded network without one", .optional)
      ],
      keys: [
        Parameter(
          "weights", .choice(["last", "best"]), "which checkpoint of the run", default: "last"),
        Parameter("split", .choice(["test", "train"]), "which images", default: "test"),
      ],
      flags: [
        Flag("json", "one JSON object"),
        Flag(
          "raw", "with model-ema, the weights themselves and not their running mean",
          isBareWord: true),
      ],
      effect: .look,
      reads: [.slot("model"), .slot("data"), .slot("params.*"), .argument("run", prefix: "run:")],
      examples: [
        Example("data digits; load tf_efficientnetv2_b0; eval", "the loaded network"),
        Example("eval quickstart weights=best", "the best epoch of a run"),
      ])
  ) { invocation, state in
    let model: LoadedModel
    let data: LoadedData
    if let run = invocation.string("run") {
      model = try RunAccess.model(
        of: run, which: invocation.string("weights") ?? "last",
        weights: invocation.has("raw") ? .raw : .averaged, state)
      data = try state.data ?? RunAccess.data(of: run, state)
    } else {
      guard !invocation.isGiven("weights") else {
        throw CommandError(
          "weights= needs a run", hint: "such as eval NAME weights=best", argument: "weights")
      }
      guard !invocation.has("raw") else {
        throw CommandError("raw needs a run", hint: "such as eval NAME raw", argument: "raw")
      }
      model = try state.requireModel()
      data = try state.requireData()
    }
    let isTest = invocation.string("split") != "train"
    let evaluation = try Evaluating.evaluate(
      model, on: isTest ? data.source.test : data.source.train, data, state)
    state.console.print(Evaluating.table([evaluation]), json: invocation.has("json"))
  }

  private static let predict = Command<WorkbenchState>(
    Signature(
      "predict", group: "evaluation",
      "Says what the network sees in a picture, or in a folder of them.",
      discussion: """
        One picture gives its most probable classes, a folder a row per picture. The class names are \
        those of the data set, or ImageNet's for a classifier of 1000 classes.
        """,
      positionals: [Positional("path", .path(.input), "a JPEG or PNG file, or a folder")],
      keys: [
        Parameter("top", .integer(.within(1...1000)), "how many classes", default: "5")
      ],
      flags: [Flag("json", "one JSON object per row"), Flag("csv", "comma-separated values")],
      allowsOutput: true, effect: .look,
      reads: [.slot("model"), .slot("data"), .slot("params.*")],
      examples: [
        Example("predict dog.jpg top=5", "the five most probable classes"),
        Example("predict photos/ > predictions.csv", "a folder, to a file"),
      ])
  ) { invocation, state in
    let model = try state.requireModel()
    let top = min(invocation.integer("top") ?? 5, model.classCount)
    let url = state.places.input(invocation.requiredString("path"))
    let table = try Predicting.table(url, model, top: top, state)
    try state.show(table, as: invocation)
  }

  private static let features = Command<WorkbenchState>(
    Signature(
      "features", group: "evaluation", "Draws where in a picture the network finds features.",
      discussion: """
        The activations before the pooling, summed over all channels: a map of a few cells a side.
        """,
      positionals: [Positional("path", .path(.input), "a JPEG or PNG file")],
      allowsOutput: true, effect: .look, reads: [.slot("model"), .slot("params.*")],
      examples: [
        Example("features dog.jpg", "as text"),
        Example("features dog.jpg > features.png", "as a picture"),
      ])
  ) { invocation, state in
    let url = state.places.input(invocation.requiredString("path"))
    let map = try Predicting.features(url, try state.requireModel(), state)
    if let path = invocation.outputPath {
      try Drawing.write(map, to: path, state)
    } else {
      state.console.write(map.text)
    }
  }

  private static let expect = Command<WorkbenchState>(
    Signature(
      "expect", group: "evaluation",
      "Demands a value; a replay that misses it ends with exit code 5.",
      discussion: """
        The value is that of the last epoch of the run: loss (on the test images), top1, top5, \
        train_loss, epoch. tol= allows a difference for == and !=.
        """,
      positionals: [
        Positional("metric", .named("metric"), "what is compared"),
        Positional("value", .number(), "with what"),
      ],
      keys: [
        Parameter("tol", .number(.from(0)), "the difference that == and != allow", default: "0"),
        Parameter("run", .named("run"), "the run; the current one without"),
      ],
      takesComparison: true, effect: .check,
      reads: [.argument("run", prefix: "run:"), .slot("model")],
      examples: [
        Example("expect top1 >= 95", "at least 95 percent"),
        Example("expect train_loss == 0.8342 tol=1e-4 run=a", "a recorded value, nearly"),
      ])
  ) { invocation, state in
    let name = invocation.requiredString("metric").replacing("-", with: "_")
    let wanted = invocation.number("value") ?? 0
    let run = try RunAccess.directory(invocation.string("run"), state)
    let column =
      ["loss": "eval_loss", "top1": "eval_top1", "top5": "eval_top5"][name] ?? name
    let table = try MetricsTable(contentsOf: run.metrics)
    guard let values = table[column] else {
      throw CommandError(
        "unknown metric '\(name)'", hint: "loss, top1, top5, train_loss, lr and epoch are known",
        argument: "metric")
    }
    guard let value = values.last(where: { $0 != nil }) ?? nil else {
      throw CommandError("the run '\(run.name)' has no \(name) yet", exitCode: 5)
    }
    let tolerance = invocation.number("tol") ?? 0
    guard let comparator = invocation.comparator else { return }
    guard comparator.holds(value, wanted, tolerance: tolerance) else {
      throw CommandError(
        "\(name) is \(ReportValue.shortest(value)), expected \(comparator.rawValue) "
          + ReportValue.shortest(wanted),
        hint: "the last epoch of run '\(run.name)' counts", exitCode: 5)
    }
    state.console.note(
      "\(name) \(ReportValue.shortest(value)) \(comparator.rawValue) \(ReportValue.shortest(wanted)): yes"
    )
  }
}
